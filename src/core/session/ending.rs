//! How a session is brought down: cancel, kill, the time limit, a lost keeper, removal; and how it is taken over.
//!
//! A kill is ordered once; the keeper climbs the ladder by its own clock. Here is only how long its report may take,
//! so that nothing waits for it for ever.

use std::time::Duration;

use super::{Ending, Keeper, Session, Stage, Turn, messages};
use crate::core::effect::{Effect, Reply};
use crate::core::input::{Adopted, AdoptedKeeper, KeeperTime, ReplyId};
use crate::core::status::Status;
use crate::core::view::{ChildState, Event, Level, SessionOutcome};

/// By how much the two clocks may differ before the keeper's start counts.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(5);

impl Session {
    /// Takes over a session of an earlier supervisor.
    pub(in crate::core) fn adopt(turn: &mut Turn<'_>, adopted: Adopted) -> Self {
        let keeper = match adopted.keeper {
            // Nothing proves that it is gone, so it holds what it held.
            AdoptedKeeper::Attached { .. } | AdoptedKeeper::Unreachable => Keeper::Held,
            AdoptedKeeper::Released => Keeper::Released,
            AdoptedKeeper::Gone => Keeper::Lost,
        };
        let mut session = Self::new(adopted.saved, keeper);
        session.saved.seen.submitted = false;
        if let AdoptedKeeper::Attached { process_id, time } = adopted.keeper {
            session.keeper_reached(turn, process_id, time);
        }
        session.resume(turn);
        session
    }

    /// Takes the session's times from its keeper: the machine's clock may have been set meanwhile.
    pub(super) fn keeper_reached(&mut self, turn: &Turn<'_>, process_id: u32, time: KeeperTime) {
        if self.is_over() {
            return;
        }
        let started_at = turn.now.before(time.elapsed);
        let apart = started_at.until(self.saved.started_at).max(self.saved.started_at.until(started_at));
        // Below that it is only the time that the start took, and a person who looks twice sees one start.
        if apart >= CLOCK_TOLERANCE {
            self.saved.started_at = started_at;
        }
        self.saved.deadline_at = started_at.after(time.limit);
        if self.saved.exit.is_none() && self.ending.is_none() {
            self.saved.child = ChildState::Running { process_id };
        }
    }

    /// Orders again what the earlier supervisor may have died over.
    fn resume(&mut self, turn: &mut Turn<'_>) {
        let attached = self.keeper == Keeper::Held;
        match self.saved.stage {
            Stage::Over => self.wind_down(turn),
            Stage::Checking { .. } => self.check(turn),
            Stage::Storing { .. } => self.store(turn),
            Stage::Draining { .. } if attached => self.begin_drain(turn),
            Stage::Draining { .. } => self.decide(turn),
            Stage::Starting { .. } | Stage::Running if attached => self.saved.stage = Stage::Running,
            Stage::Starting { .. } | Stage::Running => self.lose(turn),
        }
    }

    pub(super) fn time_out(&mut self, turn: &mut Turn<'_>) {
        let error = format!("auth session timed out after {}s", self.saved.limit_seconds());
        let advice = messages::advice_after_timeout(&self.saved);
        self.fail(turn, error, Some(advice));
    }

    /// Ends it as `cancelled by user` (behaviour S9).
    pub(super) fn cancel(&mut self, turn: &mut Turn<'_>, reply: ReplyId) {
        let changed = self.give_up(turn);
        turn.reply(reply, Reply::Done(changed));
    }

    fn give_up(&mut self, turn: &mut Turn<'_>) -> bool {
        let changed = self.fail(turn, "cancelled by user".to_owned(), None);
        if changed {
            // Whoever did it knows about it.
            self.saved.attention = false;
        } else if self.holds_process() {
            self.order_kill(turn, false);
        }
        changed
    }

    pub(super) fn kill(&mut self, turn: &mut Turn<'_>, force: bool, reply: ReplyId) {
        let there = self.holds_process();
        if there {
            // This order goes out first: what follows from the new status finds a kill under way.
            self.order_kill(turn, force);
        }
        let changed = self.give_up(turn);
        turn.reply(reply, Reply::Done(there || changed));
    }

    pub(super) fn remove(&mut self, turn: &mut Turn<'_>, reply: ReplyId) {
        turn.reply(reply, Reply::Done(true));
        self.removing = true;
        if matches!(self.saved.child, ChildState::Survived { .. }) {
            // It was tried, and it was said what is left.
            self.release(turn);
        }
        self.give_up(turn);
        self.finish_removal(turn);
    }

    /// Drops it from the list as soon as nothing is held for it any more.
    pub(super) fn finish_removal(&mut self, turn: &mut Turn<'_>) {
        if self.removing && self.is_down() {
            self.gone = true;
            self.expire_all_deliveries(turn);
        }
    }

    fn holds_process(&self) -> bool {
        matches!(self.keeper, Keeper::Starting | Keeper::Held)
    }

    /// Brings down what is left once the status is terminal.
    ///
    /// After a success what the child left running goes on: an agent, a daemon, an updater (heroku starts one).
    /// After a failure it is killed, because it may hold the callback's port.
    pub(super) fn wind_down(&mut self, turn: &mut Turn<'_>) {
        if !self.holds_process() || self.ending.is_some() {
            return;
        }
        if self.saved.unproven == Some(SessionOutcome::NotProven) {
            // The browser may still come back to what the CLI has left behind.
            turn.order(Effect::WatchListeners { session_id: self.id().clone() });
        } else if self.ended_well() && self.saved.exit.is_some() {
            self.release(turn);
        } else {
            self.order_kill(turn, false);
        }
    }

    /// Nothing waits for the browser any more.
    pub(super) fn listeners_gone(&mut self, turn: &mut Turn<'_>) {
        if self.is_listening() {
            self.release(turn);
            self.finish_removal(turn);
        }
    }

    fn ended_well(&self) -> bool {
        matches!(self.saved.status, Status::Success { .. }) || self.saved.unproven.is_some()
    }

    pub(super) fn order_kill(&mut self, turn: &mut Turn<'_>, force: bool) {
        let known = self.ending.is_some_and(|ending| ending.force || !force);
        if known {
            return;
        }
        let until = turn.now.after(turn.limits.kill).after(turn.limits.report);
        self.ending = Some(Ending { until, force });
        if self.saved.exit.is_none() {
            self.saved.child = ChildState::Ending;
        }
        turn.order(Effect::KillChild { session_id: self.id().clone(), force });
    }

    fn release(&mut self, turn: &mut Turn<'_>) {
        if self.holds_process() {
            turn.order(Effect::ReleaseKeeper { session_id: self.id().clone() });
            self.keeper = Keeper::Released;
        }
        self.ending = None;
    }

    pub(super) fn kill_finished(&mut self, turn: &mut Turn<'_>, survivors: Vec<String>) {
        if !self.holds_process() {
            self.swept(turn, survivors);
            return;
        }
        // What survived a kill may end later, and the keeper tells.
        let survived = matches!(self.saved.child, ChildState::Survived { .. });
        let asked = self.ending.take().is_some() || survived;
        if survivors.is_empty() {
            match self.saved.child {
                ChildState::Exited { .. } => {}
                ChildState::Starting
                | ChildState::Running { .. }
                | ChildState::Ending
                | ChildState::Killed
                | ChildState::Survived { .. }
                | ChildState::Lost => self.saved.child = ChildState::Killed,
            }
            self.release(turn);
        } else {
            self.tell_survivors(turn, &survivors);
            self.saved.child = ChildState::Survived { survivors };
            self.removing = false;
        }
        if !asked {
            let error = "the CLI was killed from outside authdeck".to_owned();
            self.fail(turn, error, Some(messages::advice_to_retry(&self.saved)));
        }
        self.finish_removal(turn);
    }

    /// What a lost keeper left behind was looked for and killed.
    fn swept(&mut self, turn: &mut Turn<'_>, survivors: Vec<String>) {
        if self.saved.child != ChildState::Lost {
            return;
        }
        if survivors.is_empty() {
            self.saved.child = ChildState::Killed;
        } else {
            self.tell_survivors(turn, &survivors);
            self.saved.child = ChildState::Survived { survivors };
        }
    }

    fn tell_survivors(&self, turn: &mut Turn<'_>, survivors: &[String]) {
        let text = format!("Not everything could be killed. Still there: {}.", survivors.join("; "));
        let session_id = Some(self.id().clone());
        turn.order(Effect::Publish(Event::Notice { level: Level::Error, text, session_id }));
    }

    pub(super) fn keeper_lost(&mut self, turn: &mut Turn<'_>) {
        if self.holds_process() {
            self.lose(turn);
        }
    }

    fn lose(&mut self, turn: &mut Turn<'_>) {
        self.keeper = Keeper::Lost;
        self.ending = None;
        let ended = self.saved.exit.is_some();
        if !ended {
            self.saved.child = ChildState::Lost;
        }
        match self.saved.stage {
            // What is still to be done needs no keeper.
            Stage::Checking { .. } | Stage::Storing { .. } if ended => {}
            Stage::Draining { .. } => self.decide(turn),
            Stage::Starting { .. }
            | Stage::Running
            | Stage::Checking { .. }
            | Stage::Storing { .. }
            | Stage::Over => {
                let (error, advice) = messages::lost_keeper(&self.saved);
                self.fail(turn, error, Some(advice));
            }
        }
        self.finish_removal(turn);
    }

    pub(super) fn expire_ending(&mut self, turn: &mut Turn<'_>) {
        let Some(ending) = self.ending else { return };
        if turn.now < ending.until {
            return;
        }
        let survivors = vec!["its keeper did not report the end of the kill".to_owned()];
        // What may still live stays listed.
        self.removing = false;
        self.tell_survivors(turn, &survivors);
        if self.saved.exit.is_none() {
            self.saved.child = ChildState::Survived { survivors };
        }
        self.release(turn);
        self.finish_removal(turn);
    }
}
