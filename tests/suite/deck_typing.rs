//! Typing into a child: past the supervisor where that is possible, through it where it is not, in order either way.

use std::fs;

use super::common::deck::Deck;
use super::common::env::Home;
use super::common::peer;
use super::common::wait::{GENEROUS, wait_for};

/// Reads keys up to an `E`, then a line, then keys again.
const SCRIPT: &str = r#"
    keys() { typed=; while key=$(dd bs=1 count=1 2>/dev/null); do typed=$typed$key; [ "$key" = E ] && break; done; }
    stty raw -echo; printf READY; keys; printf %s "$typed" >first
    stty cooked -echo; printf LINES; IFS= read -r line; printf %s "$line" >second
    stty raw -echo; printf AGAIN; keys; printf %s "$typed" >third
    stty cooked; printf DONE; sleep 1000
"#;

/// Tells whether a deck has a child's terminal; absent if the kernel does not say.
fn has_terminal(deck: u32) -> Option<bool> {
    let open = fs::read_dir(format!("/proc/{deck}/fd")).ok()?;
    let targets = open.flatten().filter_map(|entry| fs::read_link(entry.path()).ok());
    Some(targets.into_iter().any(|target| target.ends_with("ptmx")))
}

/// Types one letter after the other until the deck has the terminal, or has given it up, and some more; then `end`.
/// Returns what was typed.
fn type_until(deck: &Deck<'_>, wanted: bool, end: &str) -> String {
    let process_id = deck.process_id();
    let mut typed = String::new();
    let mut letters = ('a'..='z').cycle();
    let mut more = || {
        let letter = letters.next().unwrap().to_string();
        deck.type_text(&letter);
        typed.push_str(&letter);
    };
    let what = if wanted { "the deck has the terminal" } else { "the deck has given the terminal back" };
    wait_for(what, GENEROUS, || {
        more();
        if has_terminal(process_id).is_none_or(|has| has == wanted) { Ok(()) } else { Err(deck.screen()) }
    });
    (0..40).for_each(|_| more());
    typed.push_str(end);
    deck.type_text(end);
    typed
}

#[test]
fn keys_arrive_in_order_whichever_way_they_go() {
    if !peer::has("keys_arrive_in_order_whichever_way_they_go", &["tmux"]) {
        return;
    }
    let home = Home::new();
    home.write_file("work/keys.sh", SCRIPT);
    let deck = Deck::start(&home, &["run", "--", "sh", "keys.sh"]);
    deck.wait_text("READY");
    deck.press(&["i"]);
    deck.wait_text("ctrl-]");
    let first = type_until(&deck, true, "E");
    deck.wait_text("LINES");
    let second = type_until(&deck, false, "");
    deck.press(&["Enter"]);
    deck.wait_text("AGAIN");
    let third = type_until(&deck, true, "E");
    deck.wait_text("DONE");
    let arrived = |name: &str| fs::read_to_string(home.work().join(name)).unwrap();
    assert_eq!([arrived("first"), arrived("second"), arrived("third")], [first, second, third]);
}

#[test]
fn a_deck_that_does_not_type_has_no_terminal_but_its_own() {
    if !peer::has("a_deck_that_does_not_type_has_no_terminal_but_its_own", &["tmux"]) {
        return;
    }
    let home = Home::new();
    home.write_file("work/keys.sh", "stty raw -echo; printf READY; sleep 1000");
    let deck = Deck::start(&home, &["run", "--", "sh", "keys.sh"]);
    deck.wait_text("READY");
    for end in [["C-]", "k"], ["C-]", "X"]] {
        deck.press(&["i"]);
        deck.wait_text("ctrl-]");
        type_until(&deck, true, "");
        deck.press(&end);
        wait_for("the terminal is given back", GENEROUS, || {
            if has_terminal(deck.process_id()) == Some(true) { Err(deck.screen()) } else { Ok(()) }
        });
    }
}
