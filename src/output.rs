//! The only printer: what commands say to people and programs leaves through here, and only as text that was
//! sanitised. The deck draws on the terminal through its own grid of cells.

use std::io::{self, IsTerminal as _, Write as _};

use rustix::event::{PollFd, PollFlags, poll};
use zeroize::Zeroizing;

use crate::core::visible::{TerminalText, visible};

/// Tells whether a person reads standard output.
pub fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Writes to standard output.
///
/// # Errors
/// Standard output is closed or full.
pub fn print(text: &TerminalText) -> io::Result<()> {
    let mut output = io::stdout().lock();
    output.write_all(text.as_bytes()).and_then(|()| output.flush())
}

/// Says a sentence on standard output. Whoever closed it does not want to know.
pub fn say(sentence: &str) {
    let _ = print(&TerminalText::line(sentence).ended());
}

/// Says what has several lines on standard output. Whoever closed it does not want to know.
pub fn say_lines(text: &str) {
    let _ = print(&TerminalText::lines(text).ended());
}

/// Writes to standard error. Nobody is left to be told if that is gone.
pub fn complain(text: &TerminalText) {
    let _ = io::stderr().write_all(text.as_bytes());
}

/// Says on standard error that something was not as it should be.
pub fn warn(message: &str) {
    complain(&TerminalText::line(&format!("Warning: {message}")).ended());
}

/// Writes a secret with its line end to standard output. A program gets it as it is; a terminal, which would act on
/// control characters, gets them made visible.
///
/// # Errors
/// Standard output is closed or full.
pub fn hand_over(secret: &str) -> io::Result<()> {
    let mut output = io::stdout().lock();
    if output.is_terminal() {
        let shown = Zeroizing::new(visible(secret.trim_end_matches('\n')).into_owned());
        output.write_all(shown.as_bytes()).and_then(|()| output.write_all(b"\n"))
    } else {
        output.write_all(secret.as_bytes())
    }
    .and_then(|()| output.flush())
}

/// Waits until nobody reads standard output any more. Returns false at once if that cannot be known.
pub fn reader_ends() -> bool {
    let output = io::stdout();
    let mut watched = [PollFd::new(&output, PollFlags::empty())];
    while poll(&mut watched, None) == Err(rustix::io::Errno::INTR) {}
    watched[0].revents().intersects(PollFlags::ERR | PollFlags::HUP)
}
