//! Who reads the child's terminal: this keeper, or the one supervisor that is attached. Never both.
//!
//! A supervisor that has begun to read keeps the terminal until it lets go of it, or its process has ended: one that is
//! slow, or stopped, holds the child's output back, as any terminal does, and loses nothing by it.

use super::connection::Connection;
use crate::os::processes::OpenProcess;

/// Who reads the terminal.
pub enum Reader {
    /// This process.
    Keeper,
    /// The supervisor at the other end of the connection.
    Supervisor(Box<Connection>),
    /// A supervisor whose connection is over and whose process may still read.
    Leaving(OpenProcess),
}

/// A supervisor that has shown the token.
pub struct Attaching {
    /// Its connection.
    pub connection: Connection,
    /// The first byte wanted; absent: the oldest that is kept.
    pub from: Option<u64>,
    /// The one before was told to let go.
    pub told: bool,
}

impl Reader {
    /// Tells whether this process reads.
    pub fn is_keeper(&self) -> bool {
        matches!(self, Self::Keeper)
    }

    /// Returns the supervisor that is attached.
    pub fn supervisor(&self) -> Option<&Connection> {
        match self {
            Self::Supervisor(connection) => Some(connection),
            Self::Keeper | Self::Leaving(_) => None,
        }
    }

    /// Returns the supervisor that is attached.
    pub fn supervisor_mut(&mut self) -> Option<&mut Connection> {
        match self {
            Self::Supervisor(connection) => Some(connection),
            Self::Keeper | Self::Leaving(_) => None,
        }
    }

    /// Returns the process that reads, if it is not this one.
    pub fn process(&self) -> Option<&OpenProcess> {
        match self {
            Self::Supervisor(connection) => connection.process(),
            Self::Leaving(process) => Some(process),
            Self::Keeper => None,
        }
    }
}
