//! Typing into a child: every key arrives, in order, whether the child reads keys or lines, and the deck never holds the
//! child's terminal itself.

use std::fs;

use super::common::deck::Deck;
use super::common::env::Home;
use super::common::peer;

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

/// Types letters one by one, then `end`. Returns what was typed.
fn type_letters(deck: &Deck<'_>, end: &str) -> String {
    let letters: String = ('a'..='z').cycle().take(80).collect();
    letters.chars().for_each(|letter| deck.type_text(&letter.to_string()));
    deck.type_text(end);
    letters + end
}

#[test]
fn keys_arrive_in_order_whether_the_child_reads_keys_or_lines() {
    if !peer::has("keys_arrive_in_order_whether_the_child_reads_keys_or_lines", &["tmux"]) {
        return;
    }
    let home = Home::new();
    home.write_file("work/keys.sh", SCRIPT);
    let deck = Deck::start(&home, &["run", "--", "sh", "keys.sh"]);
    deck.wait_text("READY");
    deck.press(&["i"]);
    deck.wait_text("ctrl-]");
    let first = type_letters(&deck, "E");
    deck.wait_text("LINES");
    let second = type_letters(&deck, "");
    assert_ne!(has_terminal(deck.process_id()), Some(true), "the child's terminal is the supervisor's");
    deck.press(&["Enter"]);
    deck.wait_text("AGAIN");
    let third = type_letters(&deck, "E");
    deck.wait_text("DONE");
    let arrived = |name: &str| fs::read_to_string(home.work().join(name)).unwrap();
    assert_eq!([arrived("first"), arrived("second"), arrived("third")], [first, second, third]);
}
