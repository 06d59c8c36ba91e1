//! When to show what has changed: the first change at once, then at most so many times a second.

use std::time::Duration;

use super::time::Timestamp;

/// Allows a frame each interval, and a few at once after quiet: what comes in the moment after a change, such as the
/// first words of a child behind its blank screen or an echo behind a status line, is not held back by it.
#[derive(Clone, Copy, Debug)]
pub struct Pacing {
    /// Milliseconds between two frames when there is always something new.
    interval: u64,
    /// Frames that may follow each other at once after quiet.
    burst: u64,
    /// When all that was allowed at once will be used up.
    used_until: u64,
}

impl Pacing {
    /// Allows `burst` frames at once, and one in each interval (whole milliseconds) in the long run.
    pub fn new(interval: Duration, burst: u8) -> Self {
        let interval = u64::try_from(interval.as_millis()).unwrap_or(u64::MAX).max(1);
        Self { interval, burst: u64::from(burst.max(1)), used_until: 0 }
    }

    /// Returns how long the next frame has to wait.
    pub fn wait(&self, now: Timestamp) -> Duration {
        let ahead = self.used_until.saturating_sub(now.0);
        Duration::from_millis(ahead.saturating_sub((self.burst - 1).saturating_mul(self.interval)))
    }

    /// Notes that a frame was shown.
    pub fn shown(&mut self, now: Timestamp) {
        self.used_until = self.used_until.max(now.0).saturating_add(self.interval);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames_in_a_second(mut pacing: Pacing) -> u64 {
        let mut now = Timestamp(1_000);
        let mut frames = 0;
        while now.0 < 2_000 {
            let wait = pacing.wait(now);
            if wait.is_zero() {
                pacing.shown(now);
                frames += 1;
            } else {
                now = now.after(wait);
            }
        }
        assert!(pacing.wait(Timestamp(5_000)).is_zero());
        frames
    }

    #[test]
    fn the_first_frames_are_free_and_then_the_rate_is_bounded() {
        assert_eq!(frames_in_a_second(Pacing::new(Duration::from_millis(20), 1)), 50);
        assert_eq!(frames_in_a_second(Pacing::new(Duration::from_millis(20), 4)), 53);
    }

    #[test]
    fn an_interval_of_nothing_is_one_of_a_millisecond() {
        assert_eq!(frames_in_a_second(Pacing::new(Duration::ZERO, 0)), 1_000);
    }
}
