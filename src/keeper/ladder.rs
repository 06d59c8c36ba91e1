//! The rungs of a kill: ask, wait, strike, give up. Pure: the clock and what is left are arguments.

use std::time::Duration;

use super::wire::KillHow;

/// The shortest pause between two strikes when nothing died of the last one.
const SHORTEST_PAUSE: Duration = Duration::from_millis(1);
/// The longest such pause; what does not die by then waits for a disk or belongs to somebody else.
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// What is left of the keeper's children since it was looked at last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// None: the kernel answered ECHILD.
    Nothing,
    /// Some died, so what they left behind has just become ours.
    Fewer,
    /// As many as before.
    Same,
}

/// What is to be done now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing, until the deadline or a death.
    Rest,
    /// TERM to the group, and to whatever became ours since.
    Ask,
    /// SIGKILL to every direct child.
    Strike,
    /// It is over.
    Finish(KillHow),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rung {
    Idle,
    /// Gave up, and what is left may still end.
    GivenUp,
    Asking {
        until: Duration,
    },
    Striking {
        until: Duration,
        next: Duration,
        pause: Duration,
    },
}

/// The state of a kill. Times are counted from the keeper's start.
pub struct Ladder {
    grace: Duration,
    patience: Duration,
    rung: Rung,
}

impl Ladder {
    /// Makes a ladder at rest. `grace` is the time between TERM and SIGKILL, `patience` the time until it gives up.
    pub fn new(grace: Duration, patience: Duration) -> Self {
        Self { grace, patience, rung: Rung::Idle }
    }

    /// Tells whether a kill is going on.
    pub fn is_climbing(&self) -> bool {
        !matches!(self.rung, Rung::Idle | Rung::GivenUp)
    }

    /// Starts a kill, or makes a polite one forceful.
    pub fn begin(&mut self, now: Duration, force: bool) -> Step {
        match (self.rung, force) {
            (Rung::Idle | Rung::GivenUp, false) => {
                self.rung = Rung::Asking { until: now.saturating_add(self.grace) };
                Step::Ask
            }
            (Rung::Idle | Rung::GivenUp | Rung::Asking { .. }, true) => self.strike(now),
            (Rung::Asking { .. }, false) | (Rung::Striking { .. }, _) => Step::Rest,
        }
    }

    fn strike(&mut self, now: Duration) -> Step {
        self.rung = Rung::Striking {
            until: now.saturating_add(self.patience),
            next: now.saturating_add(SHORTEST_PAUSE),
            pause: SHORTEST_PAUSE,
        };
        Step::Strike
    }

    /// Says what to do, given the time and what is left.
    pub fn advance(&mut self, now: Duration, left: Left) -> Step {
        match self.rung {
            Rung::Idle => Step::Rest,
            // What survived has ended after all.
            Rung::GivenUp if left == Left::Nothing => self.finish(KillHow::Forcibly),
            Rung::GivenUp => Step::Rest,
            Rung::Asking { until } => self.advance_asking(now, left, until),
            Rung::Striking { until, next, pause } => self.advance_striking(now, left, until, next, pause),
        }
    }

    fn advance_asking(&mut self, now: Duration, left: Left, until: Duration) -> Step {
        match left {
            Left::Nothing => self.finish(KillHow::Politely),
            Left::Fewer | Left::Same if now >= until => self.strike(now),
            Left::Fewer => Step::Ask,
            Left::Same => Step::Rest,
        }
    }

    fn advance_striking(
        &mut self,
        now: Duration,
        left: Left,
        until: Duration,
        next: Duration,
        pause: Duration,
    ) -> Step {
        let pause = match left {
            Left::Nothing => return self.finish(KillHow::Forcibly),
            Left::Fewer | Left::Same if now >= until => return self.finish(KillHow::GaveUp),
            Left::Fewer => SHORTEST_PAUSE,
            Left::Same if now >= next => (pause * 2).min(LONGEST_PAUSE),
            Left::Same => return Step::Rest,
        };
        self.rung = Rung::Striking { until, next: now + pause, pause };
        Step::Strike
    }

    fn finish(&mut self, how: KillHow) -> Step {
        self.rung = if how == KillHow::GaveUp { Rung::GivenUp } else { Rung::Idle };
        Step::Finish(how)
    }

    /// Returns when [`Ladder::advance`] wants to be called even if nothing dies.
    pub fn deadline(&self) -> Option<Duration> {
        match self.rung {
            Rung::Idle | Rung::GivenUp => None,
            Rung::Asking { until } => Some(until),
            Rung::Striking { until, next, .. } => Some(until.min(next)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    fn ladder() -> Ladder {
        Ladder::new(ms(2000), ms(5000))
    }

    #[test]
    fn a_polite_child_ends_the_kill_at_once() {
        let mut ladder = ladder();
        assert_eq!(ladder.begin(ms(0), false), Step::Ask);
        assert_eq!(ladder.advance(ms(3), Left::Nothing), Step::Finish(KillHow::Politely));
        assert!(!ladder.is_climbing());
        assert_eq!(ladder.deadline(), None);
    }

    #[test]
    fn a_stubborn_one_is_struck_when_the_grace_is_over_and_not_before() {
        let mut ladder = ladder();
        ladder.begin(ms(100), false);
        assert_eq!(ladder.deadline(), Some(ms(2100)));
        assert_eq!(ladder.advance(ms(2099), Left::Same), Step::Rest);
        assert_eq!(ladder.advance(ms(2100), Left::Same), Step::Strike);
        assert_eq!(ladder.advance(ms(2100), Left::Nothing), Step::Finish(KillHow::Forcibly));
    }

    #[test]
    fn what_survived_is_told_once_it_has_ended_after_all() {
        let mut ladder = ladder();
        ladder.begin(ms(0), true);
        assert_eq!(ladder.advance(ms(5000), Left::Same), Step::Finish(KillHow::GaveUp));
        assert!(!ladder.is_climbing());
        assert_eq!(ladder.deadline(), None);
        assert_eq!(ladder.advance(ms(6000), Left::Fewer), Step::Rest);
        assert_eq!(ladder.advance(ms(9000), Left::Nothing), Step::Finish(KillHow::Forcibly));
        assert_eq!(ladder.advance(ms(9001), Left::Nothing), Step::Rest);
    }

    #[test]
    fn orphans_that_appear_during_the_grace_are_asked_too() {
        let mut ladder = ladder();
        ladder.begin(ms(0), false);
        assert_eq!(ladder.advance(ms(10), Left::Fewer), Step::Ask);
    }

    #[test]
    fn force_skips_the_grace_also_in_the_middle_of_it() {
        let mut fresh = ladder();
        assert_eq!(fresh.begin(ms(0), true), Step::Strike);
        let mut asked = ladder();
        asked.begin(ms(0), false);
        assert_eq!(asked.begin(ms(500), true), Step::Strike);
        assert_eq!(asked.begin(ms(501), true), Step::Rest);
    }

    #[test]
    fn every_death_brings_the_next_strike_at_once() {
        let mut ladder = ladder();
        ladder.begin(ms(0), true);
        assert_eq!(ladder.advance(ms(0), Left::Fewer), Step::Strike);
        assert_eq!(ladder.advance(ms(0), Left::Fewer), Step::Strike);
    }

    #[test]
    fn strikes_without_effect_grow_apart_and_end() {
        let mut ladder = ladder();
        ladder.begin(ms(0), true);
        let mut strikes = 1;
        let how = loop {
            let now = ladder.deadline().unwrap();
            match ladder.advance(now, Left::Same) {
                Step::Strike => strikes += 1,
                Step::Finish(how) => break (how, now),
                Step::Rest | Step::Ask => panic!("a deadline passed and nothing was done"),
            }
        };
        assert_eq!(how, (KillHow::GaveUp, ms(5000)));
        assert!((90..120).contains(&strikes), "{strikes} strikes in 5 s");
    }
}
