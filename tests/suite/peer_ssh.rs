//! The laptop's side: the deck here, the login on a host behind a real sshd.

use std::net::TcpListener;

use super::common::deck::{Deck, State};
use super::common::env::Home;
use super::common::peer;
use super::common::remote::RemoteHost;
use super::common::vendor::Vendor;
use super::common::wait::wait_until;

const CODEX_PORT: u16 = 1455;

/// What the person's browser does on the laptop: it goes to the vendor, says yes, and follows the redirect to a port of
/// the laptop. It keeps what it was shown there.
fn browser(laptop: &Home, vendor: &Vendor) -> String {
    let [callback, shown] =
        [vendor.prefix_of(&["callback"]).join(" "), laptop.work().join("shown").display().to_string()];
    let script = format!("#!/bin/sh\nexec curl -sS \"$({callback} \"$1\")\" >'{shown}' 2>&1\n");
    laptop.write_script("work/browser", &script).display().to_string()
}

#[test]
fn a_codex_login_on_another_host_finishes_with_no_key_pressed() {
    let needs = [&["tmux", "codex", "curl"][..], &Vendor::NEEDS, &RemoteHost::NEEDS].concat();
    if !peer::has("a_codex_login_on_another_host_finishes_with_no_key_pressed", &needs) {
        return;
    }
    let _port = peer::exclusive("port-1455");
    let vendor = Vendor::up("ssh");
    let laptop = Home::new();
    let browser = browser(&laptop, &vendor);
    let laptop = laptop.with("BROWSER", browser);
    let host = RemoteHost::start(&laptop, &vendor);

    let deck = Deck::start(&laptop, &["ssh", "--ssh", &host.ssh(), "box", "--login", "codex"]);
    let screen = deck.wait_state(State::LoggedIn);
    assert!(!vendor.is_listening(CODEX_PORT), "{screen}");
    let shown = || std::fs::read_to_string(laptop.work().join("shown")).unwrap_or_default();
    wait_until("the browser is told that it is done", || shown().contains("You can close this page"), shown);
    wait_until(
        "the laptop's port is free again",
        || {
            TcpListener::bind(("127.0.0.1", CODEX_PORT)).is_ok()
                && TcpListener::bind(("::1", CODEX_PORT)).is_ok()
        },
        || deck.screen(),
    );
    let status = host.command(&laptop, "codex login status 2>&1").output().unwrap();
    let status = String::from_utf8_lossy(&status.stdout).into_owned();
    assert!(status.contains("Logged in using"), "codex there says: {status}");
}
