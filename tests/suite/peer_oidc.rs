//! A real provider CLI (Debian's `oidc-gen`) against a real OpenID provider on loopback, with a provider file of the
//! person's own and its auth check.

use super::common::deck::{Deck, State};
use super::common::env::Home;
use super::common::peer;
use super::common::servers::OpenIdProvider;

const PROVIDER: &str = r#"
id = "campus"
title = "Campus login"
command = ["oidc-gen", "--flow=device", "--iss=ISSUER", "--client-id=authdeck-conf", "--client-secret=sec",
    "--redirect-uri=http://localhost:4242/callback", "--scope=openid email offline_access", "--pw-cmd=echo pw",
    "--no-url-call", "campus"]
answers = ["polls"]
expected_hosts = ["127.0.0.1"]
install_hint = "apt install oidc-agent-cli"

[auth_check]
command = CHECK

[[pattern]]
kind = "verification-url"
regex = 'Using a browser on any device, visit:'
example = "Using a browser on any device, visit:"
counter_example = "Visit the documentation for more"

[[pattern]]
kind = "device-code"
regex = 'enter the code: ([A-Z]{4}-[A-Z]{4})'
example = "And enter the code: WDJB-MJHT"
counter_example = "exit code 3"
"#;

/// Starts the agent that `oidc-gen` and `oidc-token` talk to, and returns its socket.
fn start_agent(home: &Home) -> String {
    let output = home.command("oidc-agent").output().unwrap();
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    let socket = shown.split("OIDC_SOCK=").nth(1).and_then(|rest| rest.split(';').next());
    socket.unwrap_or_else(|| panic!("oidc-agent names no socket: {shown}")).to_owned()
}

/// Logs in with this auth check, approving by `curl`.
fn log_in(test: &str, check: &str, expected: State) {
    if !peer::has(
        test,
        &[&["tmux", "oidc-gen", "oidc-agent", "oidc-token"][..], &OpenIdProvider::NEEDS].concat(),
    ) {
        return;
    }
    let home = Home::new();
    let socket = start_agent(&home);
    let home = home.with("OIDC_SOCK", socket);
    let provider = OpenIdProvider::start(&home);
    let file = PROVIDER.replace("ISSUER", &provider.issuer()).replace("CHECK", check);
    home.write_file("home/.config/authdeck/providers/campus.toml", &file);

    let deck = Deck::start(&home, &["login", "campus"]);
    deck.wait_state(State::EnterCode);
    let url = deck.copy("u", "the verification URL", |text| text.starts_with(&provider.issuer()));
    assert!(url.contains("/device"), "{url}");
    let code = deck.copy("c", "the device code", |text| text.len() == 9);
    provider.approve(&home, &code);
    deck.wait_state(expected);
}

#[test]
fn oidc_gen_logs_in_by_device_code_and_its_check_decides() {
    let test = "oidc_gen_logs_in_by_device_code_and_its_check_decides";
    log_in(test, r#"["oidc-token", "campus"]"#, State::LoggedIn);
}

#[test]
fn a_login_whose_check_fails_is_no_success() {
    log_in("a_login_whose_check_fails_is_no_success", r#"["oidc-token", "another-account"]"#, State::Failed);
}
