//! The commands that open the deck, in a real terminal: the demo, mistakes in the person's files, two decks at once.

use std::process::Stdio;

use super::common::deck::{Deck, State};
use super::common::env::{AUTHDECK, Home};
use super::common::tmux::{Terminal, Tmux};
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

    deck.press(&["h"]);
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

/// Waits until a question that is asked outside of any session stands in the deck's list.
fn wait_served(home: &Home, deck: &Deck<'_>) {
    wait_until(
        "a supervisor serves the socket, and the deck is attached to it",
        || {
            let served = home
                .authdeck(["askpass", "x"])
                .env("SSH_ASKPASS_PROMPT", "none")
                .stderr(Stdio::null())
                .spawn();
            let mut served = served.unwrap();
            let parked = deck.screen().contains("Challenges 1");
            served.kill().unwrap();
            served.wait().unwrap();
            parked
        },
        || deck.screen(),
    );
}

#[test]
fn a_deck_goes_on_in_the_background_when_the_one_with_the_supervisor_in_it_is_killed() {
    let test = "a_deck_goes_on_in_the_background_when_the_one_with_the_supervisor_in_it_is_killed";
    if !peer::has(test, &["tmux"]) {
        return;
    }
    let home = Home::new();
    let command = ["--embedded", "run", "--name", "kept", "--", "sh", "-c", "echo said before; exec cat"];
    let first = Deck::start(&home, &command);
    first.wait_text("said before");
    let second = Deck::start(&home, &[]);
    second.wait_text("kept");
    second.wait_text("said before");
    assert!(home.supervisors().is_empty(), "{}", process::list(&home.processes()));

    process::signal(first.process_id(), "KILL");
    wait_served(&home, &second);
    assert_eq!(home.supervisors().len(), 1);
    second.press_until("i", "keys go to the child", |screen| screen.contains("ctrl-]"));
    second.type_text("said after");
    second.wait_text("said after");
    assert!(second.screen().contains("said before"), "{}", second.screen());
    assert!(!home.children().is_empty());
}

#[test]
fn decks_whose_supervisor_is_killed_go_on_with_another_one() {
    if !peer::has("decks_whose_supervisor_is_killed_go_on_with_another_one", &["tmux"]) {
        return;
    }
    let home = Home::new();
    let first =
        Deck::start(&home, &["run", "--name", "kept", "--", "sh", "-c", "echo said before; exec cat"]);
    first.wait_text("said before");
    let second = Deck::start(&home, &[]);
    second.wait_text("said before");
    let supervisor = home.kill_supervisor();
    for deck in [&first, &second] {
        deck.wait_text("The supervisor is back.");
        deck.wait_text("said before");
    }
    let now = home.supervisors();
    assert!(now.len() == 1 && now[0].id != supervisor, "{}", process::list(&now));
    first.press_until("i", "keys go to the child", |screen| screen.contains("ctrl-]"));
    first.type_text("said after");
    second.wait_text("said after");
}

#[test]
fn leaving_the_deck_leaves_the_sessions_and_stopping_ends_every_deck() {
    if !peer::has("leaving_the_deck_leaves_the_sessions_and_stopping_ends_every_deck", &["tmux"]) {
        return;
    }
    let home = Home::new();
    let first = Deck::start(&home, &["run", "--name", "kept", "--", "sh", "-c", "echo here; exec cat"]);
    first.wait_text("here");
    first.press(&["q"]);
    first.wait_over();
    assert_eq!((home.supervisors().len(), home.children().len()), (1, 1));

    // Each deck has its own selection.
    let second = Deck::start(&home, &["run", "--name", "other", "--", "sh", "-c", "echo there; exec cat"]);
    second.wait_text("there");
    let third = Deck::start(&home, &[]);
    third.press_until("k", "the first is selected", |screen| screen.contains("│ sh · kept"));
    assert!(second.screen().contains("│ sh · other"), "{}", second.screen());

    let before = process::list(&home.supervisors());
    third.press(&["Q"]);
    third.wait_text("2 logins are live and go on");
    third.press(&["Tab", "Enter"]);
    second.wait_over();
    third.wait_over();
    // The line above it has scrolled away with tmux's own last word.
    assert!(third.screen().contains("2 sessions go on"), "{}", third.screen());
    let supervisors = || process::list(&home.supervisors());
    wait_until(
        "no supervisor is left, or was started anew",
        || supervisors().is_empty(),
        || format!("before: {before}, now: {}", supervisors()),
    );
    assert_eq!(home.children().len(), 2, "the logins go on");
}

#[test]
fn what_is_started_inherits_the_shell_of_its_deck_and_not_the_first_ones() {
    if !peer::has("what_is_started_inherits_the_shell_of_its_deck_and_not_the_first_ones", &["tmux"]) {
        return;
    }
    let home = Home::new().with("COLOUR", "green");
    let first = Deck::start(&home, &["run", "--", "sh", "-c", "echo it is $COLOUR in $(pwd); exec cat"]);
    first.wait_text("it is green in");
    std::fs::create_dir(home.work().join("elsewhere")).unwrap();
    let script = "cd elsewhere; export COLOUR=blue AUTHDECK_CREDENTIAL=foreign; exec \"$0\" run -- sh -c 'echo it is $COLOUR in $(pwd); \
                  test $AUTHDECK_CREDENTIAL != foreign && echo own credential; exec cat'";
    let second = Tmux::start(&home, &Terminal::default(), &["sh", "-c", script, AUTHDECK]);
    second.wait_text("it is blue in");
    second.wait_text("elsewhere");
    second.wait_text("own credential");
}
