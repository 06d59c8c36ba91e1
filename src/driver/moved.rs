//! What goes from one supervisor's runtime to the next when the program is replaced while it runs.
//!
//! Sessions are not among it: each has a keeper, to which the next supervisor attaches, and its file in the folder
//! `saved`. What only this process knows goes over as it is: who is connected, what is parked, the number of the last
//! event, the clock.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::identity::Identity;
use crate::core::challenge::MovedChallenges;
use crate::core::ids::{ChallengeId, SessionId};
use crate::core::time::Timestamp;
use crate::core::token::ticket::Tickets;
use crate::core::view::BundleView;

/// Everything that the next runtime must know. It may have an answer in it that nobody has read yet, and tickets, so it
/// goes over a socket that only the two processes have.
#[derive(Debug, Serialize, Deserialize)]
pub struct MovedRuntime {
    /// The folders, so that they do not depend on the next process's environment.
    pub(super) runtime_directory: PathBuf,
    pub(super) state_directory: PathBuf,
    /// What the clock showed.
    pub(super) now: Timestamp,
    /// Where the system's monotonic clock stood then.
    pub(super) monotonic: Duration,
    /// The number of the last event.
    pub(super) sequence: u64,
    /// The soft limit of open files before the first supervisor raised it.
    pub(super) open_files: Option<u64>,
    pub(super) clients: MovedClients,
    pub(super) challenges: MovedChallenges,
    pub(super) tickets: Tickets,
    pub(super) bundles: Vec<BundleView>,
}

impl MovedRuntime {
    /// Returns how many challenges are parked.
    pub fn parked(&self) -> usize {
        self.challenges.parked()
    }
}

/// All clients on their way into the process that takes this one's place.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct MovedClients {
    pub last: u64,
    pub clients: Vec<MovedClient>,
}

/// One client on its way.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct MovedClient {
    pub client: u64,
    pub identity: Identity,
    pub process_id: Option<u32>,
    pub once: bool,
    pub focus: Option<SessionId>,
    pub parked: Vec<Parked>,
}

/// A challenge that a client has parked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Parked {
    pub challenge_id: ChallengeId,
    pub epoch: u64,
    pub owner: String,
}
