//! The commands that open the deck, in a real terminal: the demo, mistakes in the person's files, two decks at once.

use std::process::Stdio;

use super::common::deck::{Deck, State};
use super::common::env::Home;
use super::common::wait::wait_until;
use super::common::{peer, process};

#[test]
fn the_demo_can_be_played_to_its_end() {
    if !peer::has("the_demo_can_be_played_to_its_end", &["tmux"]) {
        return;
    }
    let home = Home::new();
    let deck = Deck::start(&home, &["demo"]);
    deck.wait("a code and a URL to act on", |screen| {
        screen.contains("enter code") && screen.contains("open URL")
    });

    deck.press_until("a", "the callback's card", |screen| screen.contains("│ demo-loopback"));
    deck.paste_answer("demo-code-1234");
    deck.wait_text("Logged in as demo@example.com");

    deck.press_until("a", "the code's card", |screen| screen.contains("│ demo-device"));
    deck.type_into_child(&["Enter"]);
    deck.wait("both are logged in", |screen| screen.matches("✓ demo-").count() >= 2);

    deck.press(&["Escape"]);
    deck.press_until("k", "the hanging one's card", |screen| screen.contains("│ demo-hang"));
    deck.kill();
    deck.wait_state(State::Killed);
    let left = || process::list(&home.children());
    wait_until("nothing of the demo is left", || left().is_empty(), left);
}

#[test]
fn mistakes_in_the_persons_files_are_shown_and_cost_only_themselves() {
    if !peer::has("mistakes_in_the_persons_files_are_shown_and_cost_only_themselves", &["tmux"]) {
        return;
    }
    let home = Home::new();
    home.write_config("[limits]\nsession_secnds = 5\nsession_seconds = 3600\n");
    let deck = Deck::start(&home, &["run", "--", "sh", "-c", "echo it runs; sleep 1000"]);
    deck.wait("the mistake with its line", |screen| screen.contains("config.toml, line 2"));
    deck.wait_text("it runs");
    deck.wait("the limit of the line that is right", |screen| {
        screen.contains("60 min") || screen.contains("59 min") || screen.contains("1 h")
    });
}

#[test]
fn a_second_deck_takes_over_when_the_first_is_killed() {
    if !peer::has("a_second_deck_takes_over_when_the_first_is_killed", &["tmux"]) {
        return;
    }
    let home = Home::new();
    let first =
        Deck::start(&home, &["run", "--name", "kept", "--", "sh", "-c", "echo said before; exec cat"]);
    first.wait_text("said before");
    let second = Deck::start(&home, &[]);
    second.wait_text("kept");
    second.wait_text("said before");

    process::signal(first.process_id(), "KILL");
    wait_until(
        "the second deck serves the socket",
        || {
            let served = home
                .authdeck(["askpass", "x"])
                .env("SSH_ASKPASS_PROMPT", "none")
                .stderr(Stdio::null())
                .spawn();
            let mut served = served.unwrap();
            let parked = second.screen().contains("Challenges 1");
            served.kill().unwrap();
            served.wait().unwrap();
            parked
        },
        || second.screen(),
    );
    second.press_until("i", "keys go to the child", |screen| screen.contains("ctrl-]"));
    second.type_text("said after");
    second.wait_text("said after");
    assert!(second.screen().contains("said before"), "{}", second.screen());
    assert!(!home.children().is_empty());
}
