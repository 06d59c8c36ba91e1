//! The person's terminal: taken over, written to without ever waiting for it, and given back however the deck ends.

use std::io::{self, Write as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc as blocking;

use crossterm::event::Event;
use crossterm::terminal as raw;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::io::unix::AsyncFd;
use tokio::sync::mpsc;

mod keyboard;

use keyboard::Keyboard;

/// What takes the terminal over: alternate screen, hidden cursor, bracketed paste.
const ENTER: &str = "\x1b[?1049h\x1b[?25l\x1b[?2004h";
/// Presses, releases and the wheel, in the form without limits; motion is not asked for.
const ENTER_MOUSE: &str = "\x1b[?1000h\x1b[?1006h";
/// What gives it back. Also for whoever cleans up after a deck that was killed.
pub const RESTORE: &str = "\x1b[?2026l\x1b[0m\x1b[?1006l\x1b[?1000l\x1b[?2004l\x1b[?1049l\x1b[?25h";

/// Up to this many bytes are written directly if the terminal takes them: a pty that is writable has far more room.
const DIRECT: usize = 1_024;

/// The most columns and rows that are drawn.
const LARGEST_SIDE: u16 = 1_000;

static TAKEN: AtomicBool = AtomicBool::new(false);

/// What the terminal tells.
#[derive(Debug)]
pub enum Told {
    /// A key, the mouse, a paste or a new size.
    Event(Event),
    /// What was handed to [`Terminal::write`] is out.
    Written,
    /// The terminal is gone.
    HungUp,
}

/// Where the deck hears what the terminal tells.
#[derive(Debug)]
pub struct Ears {
    keyboard: Keyboard,
    told: mpsc::UnboundedReceiver<Told>,
}

impl Ears {
    /// Waits for what the terminal tells next. Cancelling loses nothing.
    pub async fn next(&mut self) -> Told {
        tokio::select! {
            biased;
            told = self.told.recv() => told.unwrap_or(Told::HungUp),
            told = self.keyboard.next() => told,
        }
    }

    /// Takes what was told already, without waiting.
    pub fn try_next(&mut self) -> Option<Told> {
        self.told.try_recv().ok().or_else(|| self.keyboard.try_next())
    }
}

/// The terminal while the deck has it.
#[derive(Debug)]
pub struct Terminal {
    writer: blocking::Sender<Vec<u8>>,
    mouse: bool,
}

impl Terminal {
    /// Takes the terminal over; what it tells is heard through the [`Ears`]. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// There is no terminal, or it cannot be set.
    pub fn enter(mouse: bool, input: AsyncFd<OwnedFd>) -> io::Result<(Self, Ears)> {
        raw::enable_raw_mode()?;
        TAKEN.store(true, Ordering::SeqCst);
        restore_on_panic();
        take_over(mouse)?;
        let keyboard = Keyboard::new(input)?;
        let (sender, told) = mpsc::unbounded_channel();
        let (writer, outbox) = blocking::channel();
        std::thread::Builder::new().name("terminal-out".into()).spawn(move || write(&outbox, &sender))?;
        Ok((Self { writer, mouse }, Ears { keyboard, told }))
    }

    /// Returns columns and rows; of a terminal that claims to be enormous, the part that is drawn.
    ///
    /// # Errors
    /// The terminal does not say.
    pub fn size() -> io::Result<(u16, u16)> {
        raw::size().map(|(columns, rows)| clamp(columns, rows))
    }

    /// Gives the terminal back for as long as this process is stopped.
    pub fn give_back(&self) {
        restore();
    }

    /// Takes it again, whatever has become of it meanwhile, and returns its size.
    ///
    /// # Errors
    /// It is gone.
    pub fn take_again(&self) -> io::Result<(u16, u16)> {
        // The modes first: a process in the background is stopped by that, and writes nothing over somebody's screen.
        raw::disable_raw_mode()?;
        raw::enable_raw_mode()?;
        TAKEN.store(true, Ordering::SeqCst);
        take_over(self.mouse)?;
        Self::size()
    }

    /// Writes; returns whether it is out already. If not, [`Told::Written`] follows, and nothing more may be written
    /// before.
    pub fn write(&self, bytes: Vec<u8>) -> bool {
        if bytes.is_empty() || write_directly(&bytes) {
            return true;
        }
        // Without its thread the terminal is gone, which the loop is told.
        let _ = self.writer.send(bytes);
        false
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        restore();
    }
}

fn take_over(mouse: bool) -> io::Result<()> {
    let mut stdout = io::stdout();
    stdout.write_all(ENTER.as_bytes())?;
    if mouse {
        stdout.write_all(ENTER_MOUSE.as_bytes())?;
    }
    stdout.flush()
}

/// Keeps the size within what can be drawn: a terminal may claim 65,535 columns and rows, which is 4 billion cells.
pub(super) fn clamp(columns: u16, rows: u16) -> (u16, u16) {
    (columns.min(LARGEST_SIDE), rows.min(LARGEST_SIDE))
}

/// Gives the terminal back, once.
fn restore() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        // A terminal that is gone needs nothing.
        let _ = io::stdout().write_all(RESTORE.as_bytes());
        let _ = io::stdout().flush();
        let _ = raw::disable_raw_mode();
    }
}

fn restore_on_panic() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        restore();
        before(panic);
    }));
}

/// A frame of a spinner is some bytes; handing it to another thread would cost more than writing it.
fn write_directly(bytes: &[u8]) -> bool {
    let stdout = io::stdout();
    let mut ready = [PollFd::new(&stdout, PollFlags::OUT)];
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    let writable = matches!(poll(&mut ready, Some(&at_once)), Ok(1)) && ready[0].revents() == PollFlags::OUT;
    bytes.len() <= DIRECT && writable && write_all(stdout.as_fd(), bytes).is_ok()
}

fn write_all(to: BorrowedFd<'_>, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::write(to, bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn write(outbox: &blocking::Receiver<Vec<u8>>, sender: &mpsc::UnboundedSender<Told>) {
    while let Ok(bytes) = outbox.recv() {
        let told = match write_all(io::stdout().as_fd(), &bytes) {
            Ok(()) => Told::Written,
            Err(_) => Told::HungUp,
        };
        if sender.send(told).is_err() {
            return;
        }
    }
}
