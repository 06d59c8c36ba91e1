//! Another process of this program takes this one's place, and no client notices (behaviour H).
//!
//! ```text
//! the old one                                          the new one
//!   starts it ─────────────────────────────────────────> reads its files
//!   <───────────────────────────────── hello (within 5 s)
//!   lets nobody in, finishes what was asked, stands still
//!   state; socket, lock, each connection, a token with each ──> keeps them untouched
//!                                                        builds everything that can fail
//!   <───────────────────── every token, in order (within 5 s)
//!   consumes them; or revokes them, ends the other one and goes on
//!   commit ────────────────────────────────────────────> attaches to the keepers, serves
//!   ends without a word to anybody
//! ```
//!
//! Until `commit` the new one reads and writes nothing of what it was given, so the old one can go on at any time. From then on an error costs its
//! own connection and no other.

mod channel;
mod give;
mod take;

use std::io;

use serde::{Deserialize, Serialize};

pub use self::give::{Acceptor, give};
pub use self::take::{TakeError, Taken, take};
use super::moved::MovedConnection;
use crate::core::secret::{self, Secret};
use crate::core::token::handoff::{ACKNOWLEDGE_LIMIT, ConsumeError, IssueError};
use crate::driver::MovedRuntime;
use crate::os::own_process::ResourceLimits;

/// The form of what goes over. A process that knows another form takes nothing over.
const FORMAT: u32 = 2;

/// What the two processes say to each other.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case", rename_all_fields = "camelCase")]
enum Message {
    /// From the new one: it is ready.
    Hello { format: u32 },
    /// From the old one: what only it knows.
    State { runtime: Box<MovedRuntime>, limits: ResourceLimits },
    /// From the old one, with a descriptor.
    Item {
        #[serde(with = "secret::exposed")]
        token: Secret,
        item: Box<Item>,
    },
    /// From the old one: that is all.
    End {},
    /// From the new one: it has the descriptor that came with this token.
    Taken {
        #[serde(with = "secret::exposed")]
        token: Secret,
    },
    /// From the old one: from now on it is all yours.
    Commit {},
}

/// What a descriptor is.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case", rename_all_fields = "camelCase")]
enum Item {
    /// The lock of the supervisor's folder.
    Lock {},
    /// The Unix socket that listens.
    Listener {},
    /// A TCP socket that listens, with the origins of web pages that may connect.
    Loopback { allowed: Vec<String> },
    /// A client's connection.
    Connection { state: Box<MovedConnection> },
}

/// Why no other process has taken over.
#[derive(Debug, thiserror::Error)]
pub enum HandoffError {
    /// It cannot be started.
    #[error("the new program cannot be started: {0}")]
    NotStarted(io::Error),
    /// It did not say in time that it is ready, or that it has everything.
    #[error("the new program did not answer within {} s", ACKNOWLEDGE_LIMIT.as_secs())]
    Late,
    /// It ended.
    #[error("the new program ended{0}")]
    Ended(String),
    /// It speaks of something else.
    #[error(
        "the new program does not know this form of handoff; end the supervisor with `authdeck stop` instead"
    )]
    Foreign,
    /// A client's call takes long, or a session is being started.
    #[error("something is being worked on that cannot be interrupted; try again in a moment")]
    Busy,
    /// The supervisor ends.
    #[error("the supervisor ends")]
    Stopped,
    /// No token can be had.
    #[error(transparent)]
    Token(#[from] IssueError),
    /// A token came back that was not given out for this, or too late.
    #[error("the new program does not prove that it has everything: {0}")]
    Unproven(#[from] ConsumeError),
    /// What was received makes no sense, or the system refuses.
    #[error("the handoff failed: {0}")]
    Channel(io::Error),
}

impl From<io::Error> for HandoffError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Self::Late,
            io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => {
                Self::Ended(String::new())
            }
            _ => Self::Channel(error),
        }
    }
}
