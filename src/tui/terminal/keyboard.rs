//! Reads the person's terminal in the deck's own loop: a thread in between would cost each key one more wakeup.

use std::collections::VecDeque;
use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use crossterm::event::Event;
use crossterm::terminal as raw;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::io::Interest;
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
                // What is there is read by `try_next`.
                ready = self.input.readable() => self.gone |= ready.is_err(),
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
        if self.events.is_empty() && !self.gone {
            self.read();
        }
        self.events.pop_front().map(Told::Event).or_else(|| self.gone.then_some(Told::HungUp))
    }

    /// Reads what the runtime knows to be there. To ask the terminal itself whether there is more would cost each key
    /// a wait for the kernel's own queue.
    fn read(&mut self) {
        let Self { input, parser, events, .. } = self;
        let outcome = input.try_io(Interest::READABLE, |input| {
            if !is_readable(input) {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            let mut bytes = [0; READ_AT_ONCE];
            let count = rustix::io::read(input, &mut bytes)?;
            let mut told = Vec::new();
            parser.feed(&bytes[..count], &mut told);
            events.extend(told);
            // A paste may hold a secret.
            zeroize::Zeroize::zeroize(&mut bytes[..count]);
            // Whatever comes after a read that was not filled is told anew.
            if (1..bytes.len()).contains(&count) { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(count) }
        });
        self.gone = match outcome.map_err(|error| error.kind()) {
            Ok(count) => count == 0,
            Err(kind) => !matches!(kind, io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted),
        };
    }
}

/// Tells whether a read would not wait. The descriptor is shared with the shell that started the deck, so it must not
/// be made non-blocking.
fn is_readable(input: &OwnedFd) -> bool {
    let mut ready = [PollFd::new(input, PollFlags::IN)];
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    matches!(poll(&mut ready, Some(&at_once)), Ok(1))
}
