//! What the supervisor tells every subscriber. Events carry ids and redacted text, never a secret.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use crate::core::view::{ChallengeOutcome, Event, Level};

/// An event with its place in the order of events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NumberedEvent {
    /// Rises by one with each event; a gap means that the client must ask for a new snapshot.
    pub sequence: u64,
    /// What happened.
    pub event: Event,
}
