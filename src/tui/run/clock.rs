//! The deck's clock.

use std::time::SystemTime;

use crate::core::time::Timestamp;

/// The wall clock once, the monotonic one after that.
pub(super) struct Clock {
    started_at: Timestamp,
    started: std::time::Instant,
}

impl Clock {
    /// Starts now.
    #[expect(
        clippy::disallowed_methods,
        reason = "the loop is the deck's edge: everything behind it gets `now`"
    )]
    pub fn start() -> Self {
        let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self { started_at: Timestamp(0).after(wall), started: std::time::Instant::now() }
    }

    /// Returns the time.
    pub fn now(&self) -> Timestamp {
        self.started_at.after(self.started.elapsed())
    }
}
