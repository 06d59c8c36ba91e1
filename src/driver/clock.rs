//! The runtime's clock: the wall clock once, the monotonic clock from then on.

use std::time::SystemTime;

use tokio::time::Instant;

use crate::core::time::Timestamp;

/// Turns monotonic time into timestamps that never run backwards while this supervisor lives.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    started: Instant,
    wall: Timestamp,
}

impl Clock {
    /// Reads the wall clock.
    pub fn start() -> Self {
        let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self { started: Instant::now(), wall: Timestamp(0).after(since_epoch) }
    }

    /// Returns the present moment.
    pub fn now(&self) -> Timestamp {
        self.wall.after(self.started.elapsed())
    }

    /// Returns when a moment comes on the monotonic clock; the start, if it is over already. Rounded up, so that a
    /// sleep until then never ends too early for the engine.
    pub fn instant(&self, at: Timestamp) -> Instant {
        let wait = self.wall.until(at);
        if wait.is_zero() { self.started } else { self.started + wait + std::time::Duration::from_millis(1) }
    }
}
