//! A deck whose terminal vanishes without a signal: nothing but the descriptor tells, and it must not spin meanwhile.

use std::fs;
use std::os::fd::{AsFd as _, OwnedFd};
use std::process::Child;

use rustix::fs::{OFlags, fcntl_setfl};
use rustix::pty::{OpenptFlags, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use super::common::env::{AUTHDECK, Home};
use super::common::peer;
use super::common::process::list;
use super::common::wait::{GENEROUS, holds_for, wait_for};

/// A deck on a terminal that is not its controlling one: the kernel sends it no SIGHUP.
struct Deck {
    master: Option<OwnedFd>,
    process: Child,
}

impl Deck {
    fn start(home: &Home, arguments: &[&str]) -> Self {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let master = openpt(flags).unwrap();
        unlockpt(&master).unwrap();
        let slave = ioctl_tiocgptpeer(&master, flags).unwrap();
        let size = Winsize { ws_row: 30, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&slave, size).unwrap();
        fcntl_setfl(&master, OFlags::NONBLOCK).unwrap();
        let end = || slave.as_fd().try_clone_to_owned().unwrap();
        let process = home
            .command("setsid")
            .arg(AUTHDECK)
            .args(arguments)
            .stdin(end())
            .stdout(end())
            .stderr(end())
            .spawn()
            .unwrap();
        Self { master: Some(master), process }
    }

    /// Reads away what the deck has drawn.
    fn drain(&self) -> usize {
        let mut buffer = [0u8; 65_536];
        rustix::io::read(self.master.as_ref().unwrap(), &mut buffer).unwrap_or(0)
    }

    /// Processor time in hundredths of a second, user and system; nothing once it has ended.
    fn processor_time(&self) -> Option<u64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.process.id())).ok()?;
        let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
        Some(fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?)
    }
}

#[test]
fn a_deck_whose_terminal_vanishes_without_a_signal_ends_quietly_and_its_session_does_not() {
    let test = "a_deck_whose_terminal_vanishes_without_a_signal_ends_quietly_and_its_session_does_not";
    if !peer::has(test, &["setsid"]) {
        return;
    }
    let home = Home::new();
    let mut deck = Deck::start(&home, &["run", "--", "sleep", "1000"]);
    let runs = || home.children().iter().any(|process| process.command == "sleep 1000");
    wait_for("the session runs and the deck has drawn it", GENEROUS, || {
        let drawn = deck.drain();
        if runs() && drawn > 0 { Ok(()) } else { Err(format!("{drawn} B\n{}", list(&home.processes()))) }
    });

    let before = deck.processor_time().unwrap();
    let mut last = before;
    drop(deck.master.take());
    let status = wait_for("the deck has ended", GENEROUS, || {
        last = deck.processor_time().unwrap_or(last);
        deck.process.try_wait().unwrap().ok_or_else(|| format!("{} hundredths", last - before))
    });
    assert_eq!(status.code(), Some(0));
    assert!(last - before < 100, "{} hundredths of a second of processor time", last - before);
    holds_for("the session goes on", std::time::Duration::from_millis(300), runs, || list(&home.processes()));
}
