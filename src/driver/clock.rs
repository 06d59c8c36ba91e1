//! The runtime's clock: the wall clock once, the monotonic clock from then on.

use std::time::{Duration, SystemTime};

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

    /// Goes on with the clock of the process whose place this one takes: it showed `now` when the system's monotonic
    /// clock stood at `monotonic`.
    pub fn resume(now: Timestamp, monotonic: Duration) -> Self {
        Self { started: Instant::now(), wall: now.after(Self::monotonic().saturating_sub(monotonic)) }
    }

    /// Reads the system's monotonic clock, which all processes share.
    pub fn monotonic() -> Duration {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
        Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or_default())
    }

    /// Returns the present moment.
    pub fn now(&self) -> Timestamp {
        self.wall.after(self.started.elapsed())
    }

    /// Returns when a moment comes on the monotonic clock; the start, if it is over already. Rounded up, so that a
    /// sleep until then never ends too early for the engine.
    pub fn instant(&self, at: Timestamp) -> Instant {
        let wait = self.wall.until(at);
        if wait.is_zero() { self.started } else { self.started + wait + Duration::from_millis(1) }
    }
}
