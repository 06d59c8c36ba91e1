//! One login session: from the order to start its keeper to a final status (behaviour S).
//!
//! | module | what it decides |
//! | --- | --- |
//! | `lifecycle` | start, exit, check, store: which stage follows which |
//! | `ending` | cancel, kill, limits, removal, adoption: how a session is brought down, or taken over |
//! | `findings` | which URL and code count (first wins, attempts renew) |
//! | `submit` | what is done with a paste |
//! | `evidence` | what proves a login whose CLI ended with exit status 0, and how a session ended |
//! | `reason` | which of the CLI's last lines says why it failed |
//! | `messages` | every sentence that a person reads about it |
//!
//! ```text
//! Starting ─> Running ─> Draining ─> Checking ─> Storing ─> Over (success)
//!     └──────────┴───────────┴───────────┴──────────┴────> Over (failed)
//! ```
//! The status that clients see is beside the stage: findings move it, stages end it. What is left of the process is
//! brought down independently of both, because it may take longer than the person's interest in it.

mod ending;
mod evidence;
mod findings;
mod lifecycle;
mod messages;
mod reason;
mod submit;
#[cfg(test)]
mod tests;
mod waiting;

use std::time::Duration;

use super::effect::{Effect, Reply};
use super::ids::SessionId;
use super::input::{DeliveryId, ReplyId, SessionInput};
use super::limits::Limits;
use super::saved_session::{SavedSession, SeenCode, SeenPrompt, SeenUrl, Stage, Unrecorded};
use super::secret::Secret;
use super::time::Timestamp;
use super::view::{Event, SessionView};

/// How long a change of nothing but the number of output bytes may wait before clients are told.
const COUNT_INTERVAL: Duration = Duration::from_secs(1);

/// How many URLs and codes of one session are remembered beside the current ones.
const REMEMBERED: usize = 16;

/// What one call of the engine gives to a session, and takes from it.
pub(super) struct Turn<'a> {
    pub(super) now: Timestamp,
    pub(super) limits: &'a Limits,
    pub(super) effects: &'a mut Vec<Effect>,
    /// The number of the last delivery; they are numbered over all sessions.
    pub(super) last_delivery: &'a mut u64,
}

impl Turn<'_> {
    pub(super) fn order(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    pub(super) fn reply(&mut self, to: ReplyId, value: Reply) {
        self.effects.push(Effect::Reply { to, value });
    }
}

/// What is known of the keeper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keeper {
    /// Ordered, not there yet.
    Starting,
    /// It holds the child's terminal.
    Held,
    /// It was told to end, or never came to be.
    Released,
    /// It is gone, and nobody told it to go.
    Lost,
}

/// A kill under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ending {
    until: Timestamp,
    force: bool,
}

/// A delivery under way.
#[derive(Debug)]
struct Delivery {
    id: DeliveryId,
    reply: ReplyId,
    until: Timestamp,
    /// Where it goes, in words: the child's terminal, or a port.
    port: Option<u16>,
    /// What it is, in words.
    what: &'static str,
    /// What stands for the login in it; absent for what may be handed in again.
    proof: Option<Secret>,
    /// Whether it answers what the CLI waits for: neither Enter alone nor an error of the browser's does.
    proves: bool,
}

/// A proof of a login that was handed over.
#[derive(Debug)]
struct Handed {
    proof: Secret,
    /// What came of it; absent while it is on its way.
    fate: Option<String>,
}

/// One login session.
#[derive(Debug)]
pub(super) struct Session {
    saved: SavedSession,
    keeper: Keeper,
    ending: Option<Ending>,
    output_bytes: u64,
    output_ended: bool,
    start_reply: Option<ReplyId>,
    deliveries: Vec<Delivery>,
    /// What was handed over, oldest first: a code is good for one use.
    handed: Vec<Handed>,
    removing: bool,
    gone: bool,
    /// What was last written and last told, and when: what is the same is neither written nor told again.
    written: Option<SavedSession>,
    told: Option<(SessionView, Timestamp)>,
}

impl Session {
    fn new(saved: SavedSession, keeper: Keeper) -> Self {
        Self {
            saved,
            keeper,
            ending: None,
            output_bytes: 0,
            output_ended: false,
            start_reply: None,
            deliveries: Vec::new(),
            handed: Vec::new(),
            removing: false,
            gone: false,
            written: None,
            told: None,
        }
    }

    pub(super) fn id(&self) -> &SessionId {
        &self.saved.plan.session_id
    }

    pub(super) fn saved(&self) -> &SavedSession {
        &self.saved
    }

    /// Tells whether its status is terminal.
    pub(super) fn is_over(&self) -> bool {
        self.saved.status.is_terminal()
    }

    /// Tells whether nothing of its process is there any more, as far as anything can be done about it.
    pub(super) fn is_down(&self) -> bool {
        matches!(self.keeper, Keeper::Released | Keeper::Lost) && self.ending.is_none()
    }

    /// Tells whether its keeper was ordered and is not there yet.
    pub(super) fn is_starting(&self) -> bool {
        self.keeper == Keeper::Starting
    }

    /// Tells whether it is to be dropped from the list.
    pub(super) fn is_gone(&self) -> bool {
        self.gone
    }

    /// Takes one input. A fact that comes too late changes nothing.
    pub(super) fn handle(&mut self, turn: &mut Turn<'_>, input: SessionInput) {
        match input {
            SessionInput::KeeperReady { process_id } => self.keeper_ready(turn, process_id),
            SessionInput::StartFailed { error } => self.start_failed(turn, error),
            SessionInput::Found(found) => self.found(turn, *found),
            SessionInput::PromptGone => self.saved.seen.prompt = None,
            SessionInput::OutputAdvanced { bytes } => self.output_advanced(turn, bytes),
            SessionInput::ChildExited { exit } => self.child_exited(turn, exit),
            SessionInput::LastLines(lines) => self.keep_last_lines(&lines),
            SessionInput::OutputEnded => self.output_over(turn),
            SessionInput::ListenersGone => self.listeners_gone(turn),
            SessionInput::LimitReached => self.time_out(turn),
            SessionInput::KillFinished { survivors } => self.kill_finished(turn, survivors),
            SessionInput::KeeperLost => self.keeper_lost(turn),
            SessionInput::KeeperReached { process_id, time } => self.keeper_reached(turn, process_id, time),
            SessionInput::CheckFinished(outcome) => self.check_finished(turn, &outcome),
            SessionInput::BundleStored { bundle } => self.bundle_stored(turn, bundle),
            SessionInput::BundleNotStored { error } => self.bundle_not_stored(turn, &error),
            SessionInput::Delivered { delivery, outcome } => self.delivered(turn, delivery, outcome),
            SessionInput::Looked => self.saved.attention = false,
            SessionInput::Typed => self.typed(),
            SessionInput::Submit(paste) => self.submit(turn, &paste),
            SessionInput::Cancel { reply } => self.cancel(turn, reply),
            SessionInput::Kill { force, reply } => self.kill(turn, force, reply),
            SessionInput::Remove { reply } => self.remove(turn, reply),
        }
    }

    /// Does whatever has become due.
    pub(super) fn expire(&mut self, turn: &mut Turn<'_>) {
        if !self.is_over() && turn.now >= self.saved.deadline_at {
            self.time_out(turn);
        }
        if self.is_listening() && turn.now >= self.saved.deadline_at {
            self.order_kill(turn, false);
        }
        self.expire_stage(turn);
        self.expire_ending(turn);
        self.expire_held_url(turn);
        self.expire_deliveries(turn);
        self.record_again(turn);
    }

    /// Tells when something becomes due by itself.
    pub(super) fn next_deadline(&self) -> Option<Timestamp> {
        let limit = (!self.is_over() || self.is_listening()).then_some(self.saved.deadline_at);
        let stage = match self.saved.stage {
            Stage::Starting { until }
            | Stage::Draining { until, latest: _ }
            | Stage::Checking { until }
            | Stage::Storing { until } => Some(until),
            Stage::Running | Stage::Over => None,
        };
        let ending = self.ending.map(|ending| ending.until);
        let held = self.saved.seen.held.as_ref().map(|(_, until)| *until);
        let count = self.told.as_ref().and_then(|(view, at)| {
            (view.output_bytes != self.output_bytes).then(|| at.after(COUNT_INTERVAL))
        });
        let deliveries = self.deliveries.iter().map(|delivery| delivery.until).min();
        let record = self.saved.unrecorded.as_ref().map(|unrecorded| unrecorded.again_at);
        [limit, stage, ending, held, count, deliveries, record].into_iter().flatten().min()
    }

    /// Orders that what has changed is written and told.
    pub(super) fn settle(&mut self, turn: &mut Turn<'_>) {
        if self.gone {
            turn.order(Effect::ForgetSession { session_id: self.id().clone() });
            turn.order(Effect::Publish(Event::SessionRemoved { session_id: self.id().clone() }));
            return;
        }
        if self.written.as_ref() != Some(&self.saved) {
            self.written = Some(self.saved.clone());
            turn.order(Effect::SaveSession(Box::new(self.saved.clone())));
        }
        self.tell(turn);
    }

    fn tell(&mut self, turn: &mut Turn<'_>) {
        let mut view = self.view();
        let Some((told, at)) = &self.told else {
            self.told = Some((view.clone(), turn.now));
            turn.order(Effect::Publish(Event::SessionAdded { session: Box::new(view) }));
            return;
        };
        if turn.now < at.after(COUNT_INTERVAL) {
            view.output_bytes = told.output_bytes;
        }
        if view == *told {
            return;
        }
        view.output_bytes = self.output_bytes;
        self.told = Some((view.clone(), turn.now));
        turn.order(Effect::Publish(Event::SessionChanged { session: Box::new(view) }));
    }

    /// Shows it.
    pub(super) fn view(&self) -> SessionView {
        let saved = &self.saved;
        let seen = &saved.seen;
        SessionView {
            session_id: self.id().clone(),
            provider_id: saved.plan.facts.provider_id.clone(),
            name: saved.plan.name.clone(),
            command: saved.plan.command.clone(),
            status: saved.status.clone(),
            started_at: saved.started_at,
            deadline_at: (!self.is_over()).then_some(saved.deadline_at),
            ended_at: saved.ended_at,
            waiting: self.waiting(),
            waiting_text: self.waiting_text(),
            url: self.card_url(),
            code: seen.code.as_ref().map(|code| code.code.clone()),
            carry: seen.carry.clone(),
            expects: seen.prompt.as_ref().and_then(|prompt| prompt.expects),
            prompt: seen.prompt.as_ref().map(|prompt| prompt.line.clone()),
            identity: seen.identity.clone(),
            failure: seen.failure_line.clone(),
            child: saved.child.clone(),
            output_bytes: self.output_bytes,
            attention: saved.attention,
            advice: saved.advice.clone(),
            takes_paste: self.takes_paste(),
            outcome: self.outcome(),
            listening: self.is_listening(),
            warning: self.warning(),
        }
    }

    /// Tells whether a change of nothing but the number of output bytes may wait.
    pub(super) fn may_wait(&self, now: Timestamp) -> bool {
        self.told.as_ref().is_some_and(|(_, at)| now < at.after(COUNT_INTERVAL))
    }
}

impl Session {
    /// Takes it off the list, whatever it is.
    pub(super) fn drop_from_list(&mut self) {
        self.gone = true;
    }

    /// Checks what must hold whatever happened.
    #[cfg(debug_assertions)]
    pub(super) fn check_invariants(&self) {
        let over = matches!(self.saved.stage, Stage::Over);
        debug_assert_eq!(over, self.is_over(), "the stage is over when the status is terminal");
        debug_assert_eq!(self.saved.ended_at.is_some(), over, "what is over has ended at some time");
        let held = matches!(self.keeper, Keeper::Starting | Keeper::Held);
        let survived = matches!(self.saved.child, super::view::ChildState::Survived { .. });
        let kept = self.ending.is_some() || survived || self.is_listening();
        debug_assert!(!(over && held) || kept, "a keeper is told to end");
        debug_assert!(self.ending.is_none() || held, "only what is there is killed");
        debug_assert!(self.start_reply.is_none() || self.keeper == Keeper::Starting, "a start is answered");
    }
}
