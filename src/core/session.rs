//! One login session: from the order to start its keeper to a final status (behaviour S).
//!
//! | module | what it decides |
//! | --- | --- |
//! | `lifecycle` | start, exit, check, store, kill, adoption: which stage follows which |
//! | `findings` | which URL and code count (first wins, attempts renew) |
//! | `submit` | what is done with a paste |
//! | `words` | every sentence that a person reads about it |

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::input::LoginPlan;
use super::status::Status;
use super::time::Timestamp;

/// All that the next supervisor must know of a session. It has no secret in it.
///
/// For the runtime it is opaque: written as it is to `state.json`, and read back from there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SavedSession {
    /// What it was to be.
    pub plan: LoginPlan,
    /// When it was started.
    pub started_at: Timestamp,
    /// When it times out.
    pub deadline_at: Timestamp,
    /// When it ended.
    #[serde(default)]
    pub ended_at: Option<Timestamp>,
    /// Where it stands.
    pub status: Status,
}

impl SavedSession {
    /// Makes the state of a session that has just been started, `limit` being the setting's.
    pub fn new(plan: LoginPlan, started_at: Timestamp, limit: Duration) -> Self {
        let limit = plan.limit_seconds.map_or(limit, Duration::from_secs);
        let deadline_at = started_at.after(limit);
        Self { plan, started_at, deadline_at, ended_at: None, status: Status::Pending }
    }
}
