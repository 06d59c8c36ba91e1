//! When to show what has changed: the first change at once, then at most so many times a second, and seldom while more is
//! printed than anybody can read.

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

/// How much a child prints: a bucket that leaks. Above its brim screens go by faster than they can be read, and each one
/// that is shown costs the person's line as much as the last one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Flow {
    /// Bytes in the bucket.
    level: u64,
    /// When it was filled last.
    at: Timestamp,
}

impl Flow {
    /// Bytes that a program may print at once: more than most take to paint a whole screen.
    const BRIM: u64 = 8 * 1024;
    /// Bytes that run out in a millisecond: a hundred small screens in a second.
    const LEAK: u64 = 256;

    /// Notes that so many bytes were printed; returns whether that is a flood.
    pub fn is_flood_with(&mut self, bytes: usize, now: Timestamp) -> bool {
        let elapsed = u64::try_from(self.at.until(now).as_millis()).unwrap_or(u64::MAX);
        let left = self.level.saturating_sub(elapsed.saturating_mul(Self::LEAK));
        // Not more than twice the brim, so that a flood is forgotten soon after its end.
        self.level = (left + bytes as u64).min(2 * Self::BRIM);
        self.at = now;
        self.level > Self::BRIM
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

    /// Prints pieces of so many bytes, one in so many milliseconds; returns how many of a hundred were a flood.
    fn floods(flow: &mut Flow, bytes: usize, interval: u64) -> usize {
        let start = flow.at.0 + interval;
        (0..100).filter(|step| flow.is_flood_with(bytes, Timestamp(start + step * interval))).count()
    }

    #[test]
    fn only_what_is_faster_than_reading_is_a_flood() {
        let mut flow = Flow::default();
        assert_eq!(floods(&mut flow, 1_000, 83), 0, "a spinner");
        assert_eq!(floods(&mut flow, 7_000, 83), 0, "a screen that is painted anew");
        assert_eq!(floods(&mut flow, 1_000, 10), 0, "a compiler that talks");
        assert!(floods(&mut flow, 4_000, 1) > 95, "a log");
        assert!(flow.is_flood_with(1, Timestamp(flow.at.0 + 1)), "a piece of it");
        assert!(!flow.is_flood_with(1, Timestamp(flow.at.0 + 50)), "what comes behind it");
    }
}
