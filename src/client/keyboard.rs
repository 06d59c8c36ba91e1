//! Types into a child whose terminal the supervisor has lent: a key then wakes nobody on its way.
//!
//! It goes that way only where it cannot overtake what was typed before: the supervisor lends the terminal only when all
//! that went through it is written, the child reads keys one by one, and nothing that was asked since is unanswered.

use std::os::fd::OwnedFd;

use rustix::termios::{LocalModes, tcgetattr};

use super::{Client, ClientError, PoisonError, lock};
use crate::core::ids::SessionId;
use crate::protocol::request::{LentTerminal, Request, SessionRef};

/// What came of asking for a terminal.
#[derive(Debug)]
pub enum Borrowed {
    /// Keys can be typed into it.
    Keyboard(Keyboard),
    /// None is lent now; later there may be one.
    NotNow,
    /// This connection carries none, ever.
    Never,
}

/// The terminal of a session's child. Dropping it gives it back.
#[derive(Debug)]
pub struct Keyboard {
    session_id: SessionId,
    terminal: OwnedFd,
}

impl Client {
    /// Borrows the terminal of a session's child, so that a person can type into it.
    ///
    /// # Errors
    /// The supervisor refused, did not answer in time, or the connection ended.
    pub async fn borrow_terminal(&self, session_id: &SessionId) -> Result<Borrowed, ClientError> {
        let of = SessionRef { session_id: session_id.clone() };
        let LentTerminal { path } = self.call(&Request::SessionTerminal(of)).await?;
        let Some(path) = path else { return Ok(Borrowed::NotNow) };
        let taken = self.shared.borrowed.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(terminal) = taken else { return Ok(Borrowed::Never) };
        // With two questions at once it may be the other one's.
        let is_meant =
            rustix::pty::ptsname(&terminal, Vec::new()).is_ok_and(|name| name.to_bytes() == path.as_bytes());
        if is_meant {
            Ok(Borrowed::Keyboard(Keyboard { session_id: session_id.clone(), terminal }))
        } else {
            Ok(Borrowed::NotNow)
        }
    }

    /// Tells whether nothing that was asked is unanswered.
    fn is_answered(&self) -> bool {
        lock(&self.shared.waiting).is_empty()
    }
}

impl Keyboard {
    /// Types keys, as many as the terminal takes and may have this way. Returns the rest, which has to go through the
    /// supervisor; if there is one, the keyboard is to be dropped, for what is typed next must not overtake it.
    pub fn type_keys<'a>(&self, client: &Client, keys: &'a [u8]) -> &'a [u8] {
        if !client.is_answered() || !reads_keys(&self.terminal) {
            return keys;
        }
        // An error means that nothing fits, or that nobody reads: the supervisor knows.
        let written = rustix::io::write(&self.terminal, keys).unwrap_or(0);
        if written > 0 {
            // Told of each key, it is awake when the echo comes: to wake it up would take most of an echo's time.
            // An error means that the connection is over, which its events tell.
            let _ = client.tell(&Request::SessionTyped(SessionRef { session_id: self.session_id.clone() }));
        }
        &keys[written..]
    }
}

fn reads_keys(terminal: &OwnedFd) -> bool {
    tcgetattr(terminal).is_ok_and(|attributes| !attributes.local_modes.contains(LocalModes::ICANON))
}
