//! From the start of the child to the stored login: exit status, then the auth check, then the bundle, and only
//! then success (behaviour S6).

use super::{Keeper, SavedSession, Session, Stage, Turn, Unrecorded, messages};
use crate::core::effect::{BundleRecord, Effect, Refusal, RefusalKind, Reply};
use crate::core::input::{CheckOutcome, StartSession};
use crate::core::login::Exit;
use crate::core::status::Status;
use crate::core::view::{BundleView, ChildState, Event};

impl Session {
    /// Begins a session.
    pub(in crate::core) fn start(turn: &mut Turn<'_>, start: StartSession) -> Self {
        let mut saved = SavedSession::new(start.plan, turn.now, turn.limits.session);
        saved.stage = Stage::Starting { until: turn.now.after(turn.limits.start) };
        let limit = saved.started_at.until(saved.deadline_at);
        let mut session = Self::new(saved, Keeper::Starting);
        session.start_reply = Some(start.reply);
        turn.order(Effect::StartKeeper { session_id: session.id().clone(), limit });
        session
    }

    pub(super) fn keeper_ready(&mut self, turn: &mut Turn<'_>, process_id: u32) {
        if let Some(ending) = self.ending.filter(|_| self.keeper == Keeper::Starting) {
            // It was given up before there was a keeper to tell: tell it now.
            self.keeper = Keeper::Held;
            turn.order(Effect::KillChild { session_id: self.id().clone(), force: ending.force });
            return;
        }
        self.acknowledge(turn);
        if self.keeper == Keeper::Held && self.saved.child == ChildState::Starting {
            self.saved.child = ChildState::Running { process_id };
        }
        if matches!(self.saved.stage, Stage::Starting { .. }) {
            self.saved.stage = Stage::Running;
        }
    }

    /// Answers whoever started it: the child is there, as its first sign of life shows.
    pub(super) fn acknowledge(&mut self, turn: &mut Turn<'_>) {
        if self.keeper != Keeper::Starting || self.ending.is_some() {
            return;
        }
        self.keeper = Keeper::Held;
        if let Some(to) = self.start_reply.take() {
            let auth_url = self.saved.seen.url.as_ref().map(|url| url.view.url.clone());
            turn.reply(to, Reply::Started { session_id: self.id().clone(), auth_url });
        }
    }

    pub(super) fn start_failed(&mut self, turn: &mut Turn<'_>, error: String) {
        if self.keeper != Keeper::Starting {
            return;
        }
        self.keeper = Keeper::Released;
        self.ending = None;
        self.saved.child = ChildState::Exited { code: None, signal: None };
        let advice = "Correct the command, or install it, and start the login again.".to_owned();
        self.fail(turn, error, Some(advice));
        self.finish_removal(turn);
    }

    pub(super) fn child_exited(&mut self, turn: &mut Turn<'_>, exit: Exit) {
        if self.saved.exit.is_some() || self.is_down() {
            return;
        }
        self.acknowledge(turn);
        self.saved.exit = Some(exit);
        self.note_waiting(turn);
        if self.ending.is_some() {
            // Only the end of the kill says that nothing is left of what it had started.
            return;
        }
        self.saved.child = ChildState::Exited { code: exit.code, signal: exit.signal };
        match self.saved.stage {
            Stage::Starting { .. } | Stage::Running => self.drain(turn),
            // Its success line had started the check before it ended; a bad exit status overrules the line.
            Stage::Checking { .. } if exit.code != Some(0) => {
                self.stop_check(turn);
                self.drain(turn);
            }
            Stage::Draining { .. } | Stage::Checking { .. } | Stage::Storing { .. } => {}
            Stage::Over => self.wind_down(turn),
        }
    }

    fn drain(&mut self, turn: &mut Turn<'_>) {
        self.begin_drain(turn);
        if self.output_ended {
            self.decide(turn);
        }
    }

    /// Gives the last output time to come.
    pub(super) fn begin_drain(&mut self, turn: &Turn<'_>) {
        let until = turn.now.after(turn.limits.drain);
        self.saved.stage = Stage::Draining { until, latest: turn.now.after(turn.limits.report) };
    }

    /// Counts output. What still comes after the child's end is waited for: the line that tells how the login went
    /// is the last one of many.
    pub(super) fn output_advanced(&mut self, turn: &Turn<'_>, bytes: u64) {
        self.output_bytes = bytes;
        if let Stage::Draining { until, latest } = &mut self.saved.stage {
            *until = turn.now.after(turn.limits.drain).min(*latest);
        }
    }

    pub(super) fn output_over(&mut self, turn: &mut Turn<'_>) {
        self.output_ended = true;
        if matches!(self.saved.stage, Stage::Draining { .. }) {
            self.decide(turn);
        }
    }

    /// Judges the end of the child: its exit status first, then the check, or what stands in for one.
    pub(super) fn decide(&mut self, turn: &mut Turn<'_>) {
        let exit = self.saved.exit.unwrap_or(Exit { code: None, signal: None });
        let facts = &self.saved.plan.facts;
        if exit.code != Some(0) {
            let (error, advice) = messages::bad_exit(&self.saved, exit);
            self.fail(turn, error, Some(advice));
        } else if facts.auth_check {
            self.check(turn);
        } else if self.is_proven() {
            self.store(turn);
        } else {
            self.end_unproven(turn);
        }
    }

    /// Starts the auth check.
    pub(super) fn check(&mut self, turn: &mut Turn<'_>) {
        let limit = turn.limits.check;
        self.saved.stage = Stage::Checking { until: turn.now.after(limit).after(turn.limits.report) };
        turn.order(Effect::RunCheck { session_id: self.id().clone(), limit });
    }

    pub(super) fn stop_check(&mut self, turn: &mut Turn<'_>) {
        turn.order(Effect::StopCheck { session_id: self.id().clone() });
    }

    pub(super) fn check_finished(&mut self, turn: &mut Turn<'_>, outcome: &CheckOutcome) {
        if !matches!(self.saved.stage, Stage::Checking { .. }) {
            return;
        }
        let (error, advice) = match outcome {
            CheckOutcome::Passed { identity } => {
                if let Some(identity) = identity {
                    self.saved.seen.identity = Some(messages::quotable(identity));
                }
                return self.store(turn);
            }
            CheckOutcome::Failed { last_line } => messages::failed_check(&self.saved, last_line),
            CheckOutcome::TimedOut { last_line } => {
                messages::hanging_check(&self.saved, last_line, turn.limits.check)
            }
            CheckOutcome::NotRun { error } => messages::no_check(&self.saved, error),
        };
        if self.saved.exit.is_none() {
            // The CLI claimed success and runs on: it may not have stored anything yet. Its end, or its next
            // success line, has it checked again.
            self.saved.stage = Stage::Running;
            return;
        }
        self.fail(turn, error, Some(advice));
    }

    /// Has the login stored.
    pub(super) fn store(&mut self, turn: &mut Turn<'_>) {
        self.saved.stage = Stage::Storing { until: turn.now.after(turn.limits.report) };
        turn.order(Effect::StoreBundle(self.bundle_record()));
    }

    fn bundle_record(&self) -> BundleRecord {
        let plan = &self.saved.plan;
        let command = || plan.command.first().cloned().unwrap_or_default();
        BundleRecord {
            session_id: self.id().clone(),
            bundle_id: plan.into_bundle.clone().unwrap_or_else(|| plan.bundle_id.clone()),
            provider: plan.facts.provider_id.as_ref().map_or_else(command, |id| id.as_str().to_owned()),
            identity: self.saved.seen.identity.clone(),
            configuration_folder: plan.facts.configuration_folder.clone(),
        }
    }

    pub(super) fn bundle_stored(&mut self, turn: &mut Turn<'_>, bundle: Box<BundleView>) {
        if matches!(self.saved.stage, Stage::Storing { .. }) {
            let email = self.saved.seen.identity.clone();
            self.end(turn, Status::Success { bundle_id: bundle.bundle_id.clone(), email });
            self.saved.attention = true;
        }
        self.saved.unrecorded = None;
        turn.order(Effect::Publish(Event::BundleStored { bundle }));
    }

    /// The login is one all the same: bookkeeping does not decide over it. The record waits here.
    pub(super) fn bundle_not_stored(&mut self, turn: &mut Turn<'_>, error: &str) {
        let storing = matches!(self.saved.stage, Stage::Storing { .. });
        if !storing && self.saved.unrecorded.is_none() {
            return;
        }
        let tries = self.saved.unrecorded.as_ref().map_or(0, |unrecorded| unrecorded.tries) + 1;
        let wait = turn.limits.store_again.saturating_mul(2_u32.saturating_pow(tries - 1));
        let again_at = turn.now.after(wait.min(turn.limits.store_again_longest));
        self.saved.unrecorded = Some(Unrecorded { error: messages::quotable(error), tries, again_at });
        if storing {
            let email = self.saved.seen.identity.clone();
            self.end(turn, Status::Success { bundle_id: self.bundle_record().bundle_id, email });
            self.saved.attention = true;
        }
    }

    /// Tries again to record a login, when it is time.
    pub(super) fn record_again(&mut self, turn: &mut Turn<'_>) {
        let Some(unrecorded) = &mut self.saved.unrecorded else { return };
        if turn.now < unrecorded.again_at {
            return;
        }
        // Until the store answers; if it never does, it is asked again all the same.
        unrecorded.again_at = turn.now.after(turn.limits.store_again_longest);
        let record = self.bundle_record();
        turn.order(Effect::StoreBundle(record));
    }

    /// Ends it without success, unless it is over already (behaviour S7). Tells whether this changed the status.
    pub(super) fn fail(&mut self, turn: &mut Turn<'_>, error: String, advice: Option<String>) -> bool {
        if self.is_over() {
            return false;
        }
        if let Some(to) = self.start_reply.take() {
            let refusal = Refusal { kind: RefusalKind::CannotStart, message: error.clone() };
            turn.reply(to, Reply::Refused(refusal));
        }
        if matches!(self.saved.stage, Stage::Checking { .. }) {
            self.stop_check(turn);
        }
        self.saved.advice = advice;
        self.saved.attention = true;
        self.end(turn, Status::Failed { error });
        true
    }

    pub(super) fn end(&mut self, turn: &mut Turn<'_>, status: Status) {
        self.saved.status = status;
        self.saved.stage = Stage::Over;
        self.saved.ended_at = Some(turn.now);
        self.saved.seen.prompt = None;
        self.saved.seen.held = None;
        self.saved.seen.submitted = false;
        self.wind_down(turn);
    }

    pub(super) fn expire_stage(&mut self, turn: &mut Turn<'_>) {
        match self.saved.stage {
            Stage::Starting { until } if turn.now >= until => self.start_overdue(turn),
            Stage::Draining { until, latest: _ } if turn.now >= until => self.decide(turn),
            Stage::Checking { until } if turn.now >= until => {
                self.stop_check(turn);
                self.check_finished(turn, &CheckOutcome::TimedOut { last_line: String::new() });
            }
            Stage::Storing { until } if turn.now >= until => {
                self.bundle_not_stored(turn, "the store did not answer in time");
            }
            Stage::Starting { .. }
            | Stage::Running
            | Stage::Draining { .. }
            | Stage::Checking { .. }
            | Stage::Storing { .. }
            | Stage::Over => {}
        }
    }

    fn start_overdue(&mut self, turn: &mut Turn<'_>) {
        let limit = turn.limits.start.as_secs();
        let error = format!("the CLI could not be started: its keeper did not answer within {limit}s");
        let advice = "The machine may be overloaded. Start the login again.".to_owned();
        self.fail(turn, error, Some(advice));
    }
}
