//! Reads the person's terminal in the deck's own loop: a thread in between would cost each key one more wakeup.

use std::collections::VecDeque;
use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use crossterm::event::Event;
use crossterm::terminal as raw;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::io::unix::AsyncFd;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::Told;
use crate::tui::input::InputParser;

/// How long the rest of a control sequence may take; after that Escape was a key. A connection over SSH delivers the
/// bytes of one sequence together.
const SEQUENCE_LIMIT: Duration = Duration::from_millis(40);

/// Bytes that are read at once.
const READ_AT_ONCE: usize = 4096;

/// The terminal's input, and its size.
#[derive(Debug)]
pub struct Keyboard {
    input: AsyncFd<OwnedFd>,
    resized: Signal,
    parser: InputParser,
    events: VecDeque<Event>,
    gone: bool,
}

impl Keyboard {
    /// Listens to the terminal. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// Its size cannot be watched.
    pub fn new(input: AsyncFd<OwnedFd>) -> io::Result<Self> {
        Ok(Self {
            input,
            resized: signal(SignalKind::window_change())?,
            parser: InputParser::default(),
            events: VecDeque::new(),
            gone: false,
        })
    }

    /// Waits for the next event. Cancelling loses nothing.
    pub async fn next(&mut self) -> Told {
        loop {
            if let Some(told) = self.try_next() {
                return told;
            }
            let waiting = self.parser.is_waiting();
            tokio::select! {
                ready = self.input.readable() => match ready {
                    // What is there is read by `try_next`; this only says that there is no more than that.
                    Ok(mut ready) => if !is_readable(ready.get_inner()) { ready.clear_ready() },
                    Err(_) => self.gone = true,
                },
                _ = self.resized.recv() => {
                    if let Ok((columns, rows)) = raw::size() {
                        self.events.push_back(Event::Resize(columns, rows));
                    }
                }
                () = tokio::time::sleep(SEQUENCE_LIMIT), if waiting => {
                    let mut events = Vec::new();
                    self.parser.give_up(&mut events);
                    self.events.extend(events);
                }
            }
        }
    }

    /// Takes an event that is there already.
    pub fn try_next(&mut self) -> Option<Told> {
        if self.events.is_empty() && !self.gone && is_readable(self.input.get_ref()) {
            self.read();
        }
        self.events.pop_front().map(Told::Event).or_else(|| self.gone.then_some(Told::HungUp))
    }

    fn read(&mut self) {
        let mut bytes = [0; READ_AT_ONCE];
        match rustix::io::read(self.input.get_ref(), &mut bytes) {
            Ok(0) => self.gone = true,
            Ok(count) => {
                let mut events = Vec::new();
                self.parser.feed(&bytes[..count], &mut events);
                self.events.extend(events);
                // A paste may hold a secret.
                zeroize::Zeroize::zeroize(&mut bytes[..count]);
            }
            Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => {}
            Err(_) => self.gone = true,
        }
    }
}

/// Tells whether a read would not wait. The descriptor is shared with the shell that started the deck, so it must not
/// be made non-blocking.
fn is_readable(input: &OwnedFd) -> bool {
    let mut ready = [PollFd::new(input, PollFlags::IN)];
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    matches!(poll(&mut ready, Some(&at_once)), Ok(1))
}
