//! The supervisor's side of a keeper: starting one, attaching to one, talking to it.
//!
//! Two tasks serve a connection, so that an answer arrives also while the session's task is busy and nobody takes
//! events. What waits for the session's task is bounded by the keeper: it sends at most [`WINDOW`] bytes of output
//! beyond what [`KeeperEvents::next`] has handed out and seen dealt with.

mod attachment;
mod found;
mod frames;
mod outbox;
mod starting;

use std::path::PathBuf;
use std::time::Duration;

pub use attachment::{KeeperEvents, KeeperHandle, attach};
pub use found::{FoundSession, list};
pub use starting::spawn;

pub use crate::keeper::spec::{Spec as KeeperSpec, StartFailure, StartReason, Variables};
pub use crate::keeper::wire::{
    Exit, Hello as KeeperHello, InputKind, InputOutcome, KillHow, KillReport, Refusal, RefusalReason,
    Survivor, TerminalMode,
};

/// How many bytes of output may be under way from a keeper.
pub const WINDOW: u64 = 1024 * 1024;

/// How long a keeper may take to start its child.
pub const START_LIMIT: Duration = Duration::from_secs(10);

/// How long a keeper may take to answer an attach, or a question about its terminal.
pub const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// Why a keeper could not be started or reached.
#[derive(Debug, thiserror::Error)]
pub enum KeeperError {
    /// The child could not be started; the message says why and what to do.
    #[error("{}", .0.message)]
    Start(StartFailure),
    /// The keeper's program could not be run.
    #[error("cannot run {} as the session's keeper: {source}; reinstall authdeck", executable.display())]
    Executable {
        /// The program.
        executable: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Nobody answers in the session's folder: the keeper is gone.
    #[error("the keeper of {} is gone", directory.display())]
    Gone {
        /// The session's folder.
        directory: PathBuf,
    },
    /// The keeper refused.
    #[error("the keeper refused: {}", .0.message)]
    Refused(Refusal),
    /// The connection ended or said something that makes no sense.
    #[error("the connection to the keeper failed: {0}")]
    Connection(#[from] std::io::Error),
    /// The keeper did not answer in time.
    #[error("the keeper did not {what} within {} s", limit.as_secs())]
    TimedOut {
        /// What was waited for.
        what: &'static str,
        /// The limit.
        limit: Duration,
    },
}

/// What a keeper tells. What happened before the attach (the exit, the limit, a kill, the output's end) is told
/// again, so the session's state can be made of events alone.
#[derive(Debug)]
pub enum KeeperEvent {
    /// Bytes from the child; `offset` numbers the first one. Each byte comes once per attachment, in order.
    Output {
        /// The absolute offset.
        offset: u64,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// The child ended; output may still follow.
    Exited(Exit),
    /// Nothing more will come from the terminal; stands behind the last output.
    OutputEnded {
        /// The offset behind the last byte.
        offset: u64,
    },
    /// The time limit has passed; the keeper ends the child.
    LimitReached,
    /// A kill is over.
    KillFinished(KillReport),
    /// An order was refused.
    Refused(Refusal),
    /// The session is forgotten, as was ordered.
    Released,
}
