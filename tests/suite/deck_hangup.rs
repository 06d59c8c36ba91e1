//! A deck whose terminal vanishes without a signal: nothing but the descriptor tells, and it must not spin meanwhile.

use std::fs;
use std::time::Duration;

use super::common::env::{AUTHDECK, Home};
use super::common::peer;
use super::common::process::list;
use super::common::pty::Pty;
use super::common::wait::{GENEROUS, holds_for, wait_for, wait_until};

/// Processor time in hundredths of a second, user and system; nothing once the process has ended.
fn processor_time(process: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
    Some(fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?)
}

#[test]
fn a_deck_whose_terminal_vanishes_without_a_signal_ends_quietly_and_its_session_does_not() {
    let test = "a_deck_whose_terminal_vanishes_without_a_signal_ends_quietly_and_its_session_does_not";
    if !peer::has(test, &["setsid"]) {
        return;
    }
    let home = Home::new();
    let mut terminal = Pty::start(&home, false, &[AUTHDECK, "run", "--", "sleep", "1000"]);
    let runs = || home.children().iter().any(|process| process.command == "sleep 1000");
    wait_until("the session runs", runs, || list(&home.processes()));
    terminal.wait_written("the deck has drawn it", |written| written.contains("sleep"));

    let deck = terminal.process.id();
    let before = processor_time(deck).unwrap();
    let mut last = before;
    terminal.close();
    let status = wait_for("the deck has ended", GENEROUS, || {
        last = processor_time(deck).unwrap_or(last);
        terminal.process.try_wait().unwrap().ok_or_else(|| format!("{} hundredths", last - before))
    });
    assert_eq!(status.code(), Some(0));
    assert!(last - before < 100, "{} hundredths of a second of processor time", last - before);
    holds_for("the session goes on", Duration::from_millis(300), runs, || list(&home.processes()));
}
