//! What the supervisor tells every subscriber. Events carry ids and redacted text, never a secret.

use serde::{Deserialize, Serialize};

use super::snapshot::{BundleView, ChallengeView, SessionView};
use crate::core::ids::{ChallengeId, SessionId};

/// How a parked challenge ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChallengeOutcome {
    /// Somebody answered it.
    Answered,
    /// Somebody refused it.
    Denied,
    /// Its time ran out.
    Expired,
    /// Whoever parked it took it back, or its owner closed.
    Cancelled,
    /// It was parked again under the same id.
    Superseded,
}

/// How loud a notice is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Good to know.
    Info,
    /// Something is not as it should be.
    Warning,
    /// Something failed.
    Error,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Event {
    /// A session is new, or was found again after a restart.
    SessionAdded {
        /// It.
        session: Box<SessionView>,
    },
    /// Something about a session changed.
    SessionChanged {
        /// Its whole new state.
        session: Box<SessionView>,
    },
    /// A session was removed from the list.
    SessionRemoved {
        /// Which one.
        session_id: SessionId,
    },
    /// Something needs a credential and waits.
    ChallengeParked {
        /// It.
        challenge: Box<ChallengeView>,
    },
    /// A challenge waits no longer.
    ChallengeEnded {
        /// Which one.
        challenge_id: ChallengeId,
        /// Which arming of it.
        epoch: u64,
        /// How.
        outcome: ChallengeOutcome,
    },
    /// A login was stored or updated.
    BundleStored {
        /// It.
        bundle: Box<BundleView>,
    },
    /// A sentence for the status line.
    Notice {
        /// How loud.
        level: Level,
        /// What.
        text: String,
        /// Whom it is about.
        session_id: Option<SessionId>,
    },
}

/// An event with its place in the order of events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberedEvent {
    /// Rises by one with each event; a gap means that the client must ask for a new snapshot.
    pub sequence: u64,
    /// What happened.
    pub event: Event,
}
