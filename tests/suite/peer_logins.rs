//! Real CLIs finish (and do not finish) real logins in the deck, in a real terminal, at a stand-in for their vendors.

use std::collections::BTreeMap;

use url::Url;

use super::common::deck::{Deck, State};
use super::common::env::Home;
use super::common::peer;
use super::common::process::list;
use super::common::tmux::Terminal;
use super::common::vendor::{Mode, Vendor};
use super::common::wait::wait_until;

const CLAUDE: &str = "https://claude.com/cai/oauth/authorize?";
const CODEX: &str = "https://auth.openai.com/oauth/authorize?";
const CODEX_PORT: u16 = 1455;

/// A home, a vendor of its own, and whether all that is needed is there.
struct Stage {
    home: Home,
    vendor: Vendor,
}

/// Sets the stage for a test, or says that it is skipped.
fn stage(test: &str, name: &str, program: &str) -> Option<Stage> {
    let needs = [&["tmux", program][..], &Vendor::NEEDS].concat();
    if !peer::has(test, &needs) {
        return None;
    }
    Some(Stage { home: Home::new(), vendor: Vendor::up(name) })
}

/// The same with a browser opener of the person's own, which authdeck leaves alone: what is shown was read from the
/// screen then, and can be compared with what the CLI opens.
fn stage_with_opener(test: &str, name: &str, program: &str) -> Option<Stage> {
    let Stage { home, vendor } = stage(test, name, program)?;
    home.write_config("[browser]\nshim = false\n");
    let opener = home.write_script("work/opener", "#!/bin/sh\necho \"$1\" >> opened\n");
    Some(Stage { home: home.with("BROWSER", opener.to_string_lossy()), vendor })
}

impl Stage {
    /// The deck inside the vendor's namespace.
    fn deck(&self, columns: u16, arguments: &[&str]) -> Deck<'_> {
        let prefix = self.vendor.prefix();
        Deck::start_in(
            &self.home,
            &Terminal { columns, rows: 30, prefix: &prefix, ..Terminal::default() },
            arguments,
        )
    }

    /// The URL that the CLI handed to its browser opener.
    fn opened(&self) -> String {
        let file = self.home.work().join("opened");
        let read = || std::fs::read_to_string(&file).unwrap_or_default();
        wait_until("the CLI opens its browser", || read().ends_with('\n'), read);
        read().lines().next().unwrap().to_owned()
    }

    /// Waits until nothing is left of what the session started.
    fn wait_no_children(&self) {
        wait_until(
            "no process of the session is left",
            || self.home.children().is_empty(),
            || list(&self.home.children()),
        );
    }

    fn wait_port(&self, listening: bool) {
        wait_until(
            &format!("port {CODEX_PORT} is {}", if listening { "taken" } else { "free" }),
            || self.vendor.is_listening(CODEX_PORT) == listening,
            || list(&self.home.children()),
        );
    }
}

/// The parameters of a URL.
fn parameters(url: &str) -> BTreeMap<String, String> {
    Url::parse(url).unwrap().query_pairs().into_owned().collect()
}

/// At this width, what `u` copies is exactly what `claude` means: the same attempt as in the URL that it opened.
fn claude_is_copied_exactly(test: &str, name: &str, columns: u16) {
    let Some(stage) = stage_with_opener(test, name, "claude") else { return };
    let deck = stage.deck(columns, &["run", "--", "claude", "setup-token"]);
    deck.wait_state(State::OpenUrl);
    let copied = deck.copy("u", "claude's URL", |text| text.starts_with(CLAUDE));
    let (shown, opened) = (parameters(&copied), parameters(&stage.opened()));
    for name in ["state", "code_challenge", "client_id", "scope", "response_type", "code_challenge_method"] {
        assert_eq!(shown.get(name), opened.get(name), "{name}");
    }
    assert!(shown["redirect_uri"].starts_with("https://"), "the shown one leads to a page: {copied}");
    assert!(opened["redirect_uri"].starts_with("http://localhost:"), "the opened one leads to its port");
    assert_eq!(shown.len(), opened.len(), "nothing is cut off, nothing is glued on: {copied}");

    deck.kill();
    deck.wait_state(State::Killed);
    stage.wait_no_children();
}

#[test]
fn claude_at_80_columns_is_copied_exactly() {
    claude_is_copied_exactly("claude_at_80_columns_is_copied_exactly", "c80", 80);
}

#[test]
fn claude_at_120_columns_is_copied_exactly() {
    claude_is_copied_exactly("claude_at_120_columns_is_copied_exactly", "c120", 120);
}

/// At this width, what `u` copies is what `codex` opened, and killing it frees its port.
fn codex_is_copied_exactly(test: &str, name: &str, columns: u16) {
    let Some(stage) = stage_with_opener(test, name, "codex") else { return };
    let deck = stage.deck(columns, &["login", "codex"]);
    deck.wait_state(State::OpenUrl);
    let copied = deck.copy("u", "codex's URL", |text| text.starts_with(CODEX));
    assert_eq!(copied, stage.opened());
    stage.wait_port(true);

    deck.kill();
    deck.wait_state(State::Killed);
    stage.wait_no_children();
    stage.wait_port(false);
}

#[test]
fn codex_at_80_columns_is_copied_exactly_and_its_port_is_freed() {
    codex_is_copied_exactly("codex_at_80_columns_is_copied_exactly_and_its_port_is_freed", "x80", 80);
}

#[test]
fn codex_at_120_columns_is_copied_exactly_and_its_port_is_freed() {
    codex_is_copied_exactly("codex_at_120_columns_is_copied_exactly_and_its_port_is_freed", "x120", 120);
}

#[test]
fn codex_login_takes_the_pasted_callback_and_not_a_wrong_one() {
    let test = "codex_login_takes_the_pasted_callback_and_not_a_wrong_one";
    let Some(stage) = stage(test, "xok", "codex") else { return };
    let deck = stage.deck(100, &["login", "codex"]);
    deck.wait_state(State::OpenUrl);
    let url = deck.copy("u", "codex's URL", |text| text.starts_with(CODEX));

    deck.paste_answer(&stage.vendor.callback(&url, &["state=not-this-login"]));
    deck.wait_text("state");
    assert!(!stage.vendor.log().contains("/oauth/token"), "codex never heard of it: {}", stage.vendor.log());
    stage.wait_port(true);
    deck.press(&["Escape"]);

    deck.paste_answer(&stage.vendor.callback(&url, &[]));
    deck.wait_state(State::LoggedIn);
    stage.wait_no_children();
}

#[test]
fn codex_login_fails_when_the_person_says_no() {
    let Some(stage) = stage("codex_login_fails_when_the_person_says_no", "xno", "codex") else { return };
    let deck = stage.deck(100, &["login", "codex"]);
    deck.wait_state(State::OpenUrl);
    let url = deck.copy("u", "codex's URL", |text| text.starts_with(CODEX));
    deck.paste_answer(&stage.vendor.callback(&url, &["error=access_denied"]));
    deck.wait_state(State::Failed);
    stage.wait_no_children();
}

#[test]
fn codex_device_login_shows_its_code_and_succeeds() {
    let Some(stage) = stage("codex_device_login_shows_its_code_and_succeeds", "dok", "codex") else { return };
    let deck = stage.deck(100, &["login", "codex", "--", "--device-auth"]);
    deck.wait_state(State::EnterCode);
    assert_eq!(deck.copy("c", "codex's device code", |text| text.contains('-')), "KWTR-VBN49");
    assert_eq!(
        deck.copy("u", "where the code goes", |text| text.starts_with("https://")),
        "https://auth.openai.com/codex/device"
    );
    stage.vendor.mode(Mode::Success);
    deck.wait_state(State::LoggedIn);
}

#[test]
fn codex_device_login_fails_when_the_vendor_denies() {
    let Some(stage) = stage("codex_device_login_fails_when_the_vendor_denies", "dno", "codex") else {
        return;
    };
    let deck = stage.deck(100, &["login", "codex", "--", "--device-auth"]);
    deck.wait_state(State::EnterCode);
    stage.vendor.mode(Mode::Denied);
    deck.wait_state(State::Failed);
}

#[test]
fn claude_takes_the_pasted_code() {
    let Some(stage) = stage("claude_takes_the_pasted_code", "cok", "claude") else { return };
    let deck = stage.deck(100, &["login", "claude-setup-token"]);
    deck.wait_state(State::OpenUrl);
    let url = deck.copy("u", "claude's URL", |text| text.starts_with(CLAUDE));
    deck.paste_answer(&stage.vendor.code(&url));
    let screen = deck.wait_state(State::LoggedIn);
    // The vendor's token begins with `fakeoat01-`: it is a secret that claude prints, and the deck must not.
    assert!(!screen.contains("ENDFAKE"), "the token is masked: {screen}");
}

#[test]
fn a_code_that_claudes_vendor_refuses_leads_to_a_new_url_and_not_to_success() {
    let test = "a_code_that_claudes_vendor_refuses_leads_to_a_new_url_and_not_to_success";
    let Some(stage) = stage(test, "cno", "claude") else { return };
    let deck = stage.deck(100, &["login", "claude-setup-token"]);
    deck.wait_state(State::OpenUrl);
    let first = deck.copy("u", "claude's URL", |text| text.starts_with(CLAUDE));
    let code = stage.vendor.code(&first);
    stage.vendor.mode(Mode::BadCode);
    deck.paste_answer(&code);
    deck.wait_text("OAuth error");

    // claude asks for Enter, and begins a new attempt with another state (behaviour S4).
    deck.type_into_child(&["Enter"]);
    let second =
        deck.copy_until("u", "the new attempt's URL", |text| text.starts_with(CLAUDE) && text != first);
    assert_ne!(parameters(&first)["state"], parameters(&second)["state"]);

    deck.kill();
    deck.wait_state(State::Killed);
    stage.wait_no_children();
}

#[test]
fn gh_login_succeeds() {
    let Some(stage) = stage("gh_login_succeeds", "gok", "gh") else { return };
    let deck = stage.deck(100, &["login", "gh"]);
    gh_until_code(&deck);
    stage.vendor.mode(Mode::Success);
    deck.wait_state(State::LoggedIn);
    deck.wait_text("octocat");
}

#[test]
fn gh_login_fails_when_the_vendor_denies() {
    let Some(stage) = stage("gh_login_fails_when_the_vendor_denies", "gno", "gh") else { return };
    let deck = stage.deck(100, &["login", "gh"]);
    gh_until_code(&deck);
    stage.vendor.mode(Mode::Denied);
    deck.wait_state(State::Failed);
}

/// Answers gh's questions in its pane and reads the code from the card.
fn gh_until_code(deck: &Deck<'_>) {
    deck.wait_text("Authenticate Git");
    deck.type_into_child(&["n", "Enter"]);
    deck.wait_text("Press Enter");
    deck.wait_state(State::EnterCode);
    assert_eq!(deck.copy("c", "gh's device code", |text| text.contains('-')), "WDJB-MJHT");
    deck.type_into_child(&["Enter"]);
}
