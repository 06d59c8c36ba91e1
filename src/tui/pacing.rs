//! When to draw: the first change at once, then at most sixty times a second.

use std::time::Duration;

use crate::core::time::Timestamp;

/// The time between two frames when there is always something new.
const INTERVAL: u64 = 16;
/// Frames that may follow each other at once after quiet, so that a status line does not hold back an echo.
const BURST: u64 = 3;

/// Allows a frame each [`INTERVAL`], and a few at once after quiet.
#[derive(Debug, Default)]
pub struct Pacing {
    /// When all that was allowed at once will be used up.
    used_until: u64,
}

impl Pacing {
    /// Returns how long the next frame has to wait.
    pub fn wait(&self, now: Timestamp) -> Duration {
        let ahead = self.used_until.saturating_sub(now.0);
        Duration::from_millis(ahead.saturating_sub((BURST - 1) * INTERVAL))
    }

    /// Notes that a frame was drawn.
    pub fn drew(&mut self, now: Timestamp) {
        self.used_until = self.used_until.max(now.0) + INTERVAL;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_frames_are_free_and_then_the_rate_is_bounded() {
        let mut pacing = Pacing::default();
        let mut now = Timestamp(1_000);
        let mut frames = 0;
        while now.0 < 2_000 {
            let wait = pacing.wait(now);
            if wait.is_zero() {
                pacing.drew(now);
                frames += 1;
            } else {
                now = now.after(wait);
            }
        }
        assert!((60..=66).contains(&frames), "{frames}");
        assert!(pacing.wait(Timestamp(5_000)).is_zero());
    }
}
