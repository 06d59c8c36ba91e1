//! The kill keys end whole process trees: such that ignore signals, detach, and fork anew all the time.

use super::common::deck::{Deck, State};
use super::common::env::Home;
use super::common::peer;
use super::common::process::{self, list};
use super::common::wait::{GENEROUS, wait_for, wait_until};

/// How many of each kind.
const TREES: usize = 20;

fn nasty(kind: &str) -> Vec<String> {
    let script = peer::scripts().join("nasty.sh").to_string_lossy().into_owned();
    vec!["bash".into(), script, kind.into()]
}

/// A home whose deck starts `TREES` trees of each kind, and waits until they all stand.
fn deck_of_trees(home: &Home) -> Deck<'_> {
    let lines: String = (0..TREES)
        .flat_map(|_| ["stubborn", "moving"])
        .map(|kind| serde_json::to_string(&nasty(kind)).unwrap() + "\n")
        .collect();
    let file = home.write_file("work/start.jsonl", &lines);
    let deck = Deck::start(home, &["--start", &file.to_string_lossy()]);
    let standing = || home.children().iter().filter(|process| process.command.contains("nasty.sh")).count();
    wait_for("every tree stands", GENEROUS, || {
        let trees = fs_lines(home);
        if trees == 2 * TREES {
            Ok(())
        } else {
            Err(format!("{trees} stand, {} processes\n{}", standing(), deck.screen()))
        }
    });
    deck
}

/// Each tree adds a line to `standing` when it is complete.
fn fs_lines(home: &Home) -> usize {
    std::fs::read_to_string(home.work().join("standing")).unwrap_or_default().lines().count()
}

/// Kills the first of the list, again and again, until no process is left: what lives stands above what is over.
fn kill_all(home: &Home, deck: &Deck<'_>) {
    wait_for("no process of any tree is left", 3 * GENEROUS, || {
        let left = home.children();
        if left.is_empty() {
            return Ok(());
        }
        deck.press(&["g", "g", "X"]);
        Err(format!("{}{}", list(&left), deck.screen()))
    });
}

#[test]
fn killing_at_once_leaves_nothing_of_forty_trees() {
    if !peer::has("killing_at_once_leaves_nothing_of_forty_trees", &["tmux", "bash", "setsid"]) {
        return;
    }
    let home = Home::new();
    let deck = deck_of_trees(&home);
    kill_all(&home, &deck);
    deck.wait_state(State::Killed);
}

#[test]
fn trees_whose_supervisor_was_killed_are_killed_by_the_next() {
    if !peer::has("trees_whose_supervisor_was_killed_are_killed_by_the_next", &["tmux", "bash", "setsid"]) {
        return;
    }
    let home = Home::new();
    {
        let deck = deck_of_trees(&home);
        process::signal(deck.process_id(), "KILL");
        deck.wait_over();
    }
    assert!(!home.children().is_empty());
    let deck = Deck::start(&home, &[]);
    deck.wait_state(State::EnterCode);
    kill_all(&home, &deck);
}

#[test]
fn the_time_limit_ends_trees_also_when_no_supervisor_is_left() {
    if !peer::has("the_time_limit_ends_trees_also_when_no_supervisor_is_left", &["tmux", "bash", "setsid"]) {
        return;
    }
    let home = Home::new();
    home.write_config("[limits]\nsession_seconds = 15\n");
    {
        let deck = deck_of_trees(&home);
        process::signal(deck.process_id(), "KILL");
        deck.wait_over();
    }
    wait_until("no process of any tree is left", || home.children().is_empty(), || list(&home.children()));
    let deck = Deck::start(&home, &[]);
    deck.wait_text("timed out");
}
