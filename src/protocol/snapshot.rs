//! The whole state that a client shows, but for screens.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use crate::core::view::{
    BundleView, ChallengeKind, ChallengeView, ChildState, Requester, SessionOutcome, SessionView, UrlView,
    Waiting,
};

use crate::core::ids::ProviderId;
use crate::core::time::Timestamp;

/// Everything there is to list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// The number of the last event that is already in here.
    pub sequence: u64,
    /// The supervisor's clock, so that a client on another machine can count down rightly.
    pub now: Timestamp,
    /// The host name of the supervisor's machine.
    pub host: String,
    /// All sessions, oldest first.
    pub sessions: Vec<SessionView>,
    /// All parked challenges, oldest first.
    pub challenges: Vec<ChallengeView>,
    /// All stored logins.
    pub bundles: Vec<BundleView>,
}

/// A provider of the catalogue, for the picker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProviderView {
    /// Its id.
    pub provider_id: ProviderId,
    /// Its name for people.
    pub title: String,
    /// The command that a login starts.
    pub command: Vec<String>,
    /// Whether the command is on the PATH.
    pub installed: bool,
    /// How to get it.
    pub install_hint: String,
}
