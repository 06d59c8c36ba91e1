//! What is asked about challenges, and how it is answered.

use serde::{Deserialize, Serialize};

use crate::core::ids::ChallengeId;
use crate::core::secret::Secret;
use crate::protocol::event::ChallengeOutcome;
use crate::protocol::snapshot::{ChallengeKind, Requester};

/// Names a challenge.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChallengeRef {
    /// Which one.
    pub challenge_id: ChallengeId,
    /// Which arming; absent: whichever is parked now.
    #[serde(default)]
    pub epoch: Option<u64>,
    /// The owner that it was parked for; absent: whoever this connection parked it for. Not needed to refuse it.
    #[serde(default)]
    pub owner: Option<String>,
}

/// Names an owner.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OwnerRef {
    /// The owner's name, as given when parking.
    pub owner: String,
}

/// A challenge to park.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ParkChallenge {
    /// The request id; parking again under it supersedes (behaviour C4).
    pub challenge_id: ChallengeId,
    /// The owner; absent: the session of the connection, or the connection itself.
    #[serde(default)]
    pub owner: Option<String>,
    /// What is asked.
    pub kind: ChallengeKind,
    /// The short name: `ssh`, `git`, `sudo`.
    pub title: String,
    /// The prompt, in the requester's words.
    pub message: String,
    /// The origin, for HTTP.
    #[serde(default)]
    pub origin: Option<String>,
    /// The realm, for HTTP.
    #[serde(default)]
    pub realm: Option<String>,
    /// Who asks, where the supervisor cannot see it itself.
    #[serde(default)]
    pub requester: Option<Requester>,
    /// Seconds until it is cancelled by itself; bounded by the setting (300 by default).
    #[serde(default)]
    pub limit_seconds: Option<u64>,
}

/// The answer to `challenge.park`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Parked {
    /// The id it is parked under.
    pub challenge_id: ChallengeId,
    /// The arming epoch.
    pub epoch: u64,
}

/// An answer for a challenge.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AnswerChallenge {
    /// Which one.
    pub challenge_id: ChallengeId,
    /// Which arming; absent: whichever is parked now.
    #[serde(default)]
    pub epoch: Option<u64>,
    /// The user name, for HTTP.
    #[serde(default)]
    pub user: Option<String>,
    /// The secret or the text; absent for a plain yes.
    #[serde(default)]
    pub secret: Option<Secret>,
}

/// What `challenge.wait` answers, to the owner's connection only.
#[derive(Clone, Debug)]
pub enum ChallengeAnswer {
    /// Somebody answered.
    Answered {
        /// The user name, for HTTP.
        user: Option<String>,
        /// The secret or text; empty for a plain yes.
        secret: Secret,
    },
    /// It ended otherwise.
    Ended(ChallengeOutcome),
}
