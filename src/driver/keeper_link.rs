//! The supervisor's side of a keeper: starting one, attaching to one, talking to it.
//!
//! An attached supervisor reads the child's terminal straight into the ring that it shares with the keeper, and alone
//! writes to it. The socket carries orders and reports only.

mod attachment;
mod found;
mod frames;
mod handle;
mod input;
mod starting;

use std::path::PathBuf;
use std::time::Duration;

pub use attachment::{KeeperEvents, attach};
pub use found::{FoundSession, is_gone, list, process, reach};
pub use handle::KeeperHandle;
pub use input::InputOutcome;
pub use starting::{spawn, spawn_as};

use crate::os::own_process::shortage;

pub use crate::keeper::spec::{Spec as KeeperSpec, StartFailure, StartReason, Variables};
pub use crate::keeper::terminal::TerminalMode;
pub use crate::keeper::wire::{
    Exit, Hello as KeeperHello, KillHow, KillReport, Refusal, RefusalReason, Survivor,
};

/// How long a keeper may take to start its child.
pub const START_LIMIT: Duration = Duration::from_secs(10);

/// How long a keeper may take to answer an attach. It waits itself until the supervisor before lets go.
pub const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// Why a keeper could not be started or reached.
#[derive(Debug, thiserror::Error)]
pub enum KeeperError {
    /// The child could not be started; the message says why and what to do.
    #[error("{}", .0.message)]
    Start(StartFailure),
    /// The keeper's program could not be run.
    #[error(
        "cannot run {} for the session: {source}; {}",
        executable.display(),
        shortage(source).unwrap_or("reinstall authdeck")
    )]
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
    /// The keeper takes no orders: it is gone, or stopped and has too many of them waiting.
    #[error("the keeper of {} takes no orders", directory.display())]
    Deaf {
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
    /// Bytes from the child: [`KeeperEvents::output`] has them until the next event is asked for. Each byte comes once
    /// per attachment, in order.
    Output {
        /// The absolute offset of the first byte.
        from: u64,
        /// The offset behind the last one.
        to: u64,
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
    /// Another supervisor attaches, and this one has let go of the terminal. The last event.
    Superseded,
    /// An order was refused.
    Refused(Refusal),
    /// The session is forgotten, as was ordered.
    Released,
}
