//! `authdeck demo`, from the first key to the last: what a person without any provider CLI can try.

use url::Url;

use super::common::deck::{Deck, State};
use super::common::env::Home;
use super::common::peer;
use super::common::process::list;
use super::common::wait::wait_until;

#[test]
fn the_demo_goes_through_a_code_a_callback_and_a_kill() {
    if !peer::has("the_demo_goes_through_a_code_a_callback_and_a_kill", &["tmux"]) {
        return;
    }
    let home = Home::new();
    let deck = Deck::start(&home, &["demo"]);
    deck.wait_state(State::EnterCode);
    deck.wait_state(State::OpenUrl);

    // The device code: copied, "typed in at its page", and the CLI's own wait ended with Enter.
    // What was started in the same moment may stand in either order.
    let screen = deck.screen();
    let in_list = |line: &str| line.split('│').next().unwrap_or_default().to_owned();
    let place = |name: &str| screen.lines().position(|line| in_list(line).contains(name));
    deck.press(&["g", "g"]);
    if place("demo-loopback") < place("demo-device") {
        deck.press(&["j"]);
    }
    deck.wait("the device code's card", |screen| screen.contains("│ demo-device"));
    let code = deck.copy_until("c", "the device code", |text| text.len() == 9);
    assert!(code.chars().nth(4) == Some('-'), "{code}");
    deck.type_into_child(&["Enter"]);
    deck.wait_state(State::LoggedIn);
    deck.wait_text("demo@example.com");

    // The callback: what the browser would have ended on goes to the port that the CLI opened.
    deck.press(&["a"]);
    let url = deck.copy_until("u", "the authorize URL", |text| text.contains("/authorize?"));
    let parameter = |name: &str| {
        let url = Url::parse(&url).unwrap();
        url.query_pairs().find(|(known, _)| known == name).unwrap().1.into_owned()
    };
    let callback = format!("{}?code=demo-code-1234&state={}", parameter("redirect_uri"), parameter("state"));
    deck.paste_answer(&callback);
    deck.wait("two logins are finished", |screen| screen.contains("Finished 2"));

    // The one that hangs. The keyboard is in the pane since something was typed there.
    deck.press(&["h", "g", "g"]);
    deck.kill();
    deck.wait_state(State::Killed);
    wait_until("nothing of the demo runs", || home.children().is_empty(), || list(&home.processes()));

    deck.press(&["q"]);
    deck.wait_over();
}
