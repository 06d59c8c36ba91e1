//! Which part an input belongs to, and what follows for the others.

use super::Engine;
use crate::core::effect::{Effect, Refusal, RefusalKind, Reply};
use crate::core::ids::SessionId;
use crate::core::input::{Adopted, Input, ReplyId, SessionInput, StartSession};
use crate::core::session::{Session, Turn};

impl Engine {
    pub(super) fn route(&mut self, input: Input, effects: &mut Vec<Effect>) {
        match input {
            Input::Start(start) => self.start(*start, effects),
            Input::Adopted(adopted) => self.adopt(*adopted, effects),
            Input::Session { session_id, input } => self.tell_session(&session_id, input, effects),
            Input::Challenge(input) => self.challenges.handle(self.now, input, effects),
            Input::Tick => {}
        }
    }

    fn start(&mut self, start: StartSession, effects: &mut Vec<Effect>) {
        let live = self.sessions.values().filter(|session| !session.is_over()).count();
        let refusal = if live >= self.limits.live_sessions {
            let limit = self.limits.live_sessions;
            Some((
                RefusalKind::LimitReached,
                format!("{limit} logins run already, which is the limit. End some, then try again."),
            ))
        } else if self.sessions.contains_key(&start.plan.session_id) {
            Some((RefusalKind::CannotStart, "There is a session of that id already.".to_owned()))
        } else {
            None
        };
        if let Some((kind, message)) = refusal {
            let value = Reply::Refused(Refusal { kind, message });
            effects.push(Effect::Reply { to: start.reply, value });
            return;
        }
        self.begin(effects, |turn| Session::start(turn, start));
    }

    fn adopt(&mut self, adopted: Adopted, effects: &mut Vec<Effect>) {
        if !self.sessions.contains_key(adopted.saved.session_id()) {
            self.begin(effects, |turn| Session::adopt(turn, adopted));
        }
    }

    fn begin(&mut self, effects: &mut Vec<Effect>, make: impl FnOnce(&mut Turn<'_>) -> Session) {
        let mut turn =
            Turn { now: self.now, limits: &self.limits, effects, last_delivery: &mut self.last_delivery };
        let mut session = make(&mut turn);
        session.settle(&mut turn);
        self.sessions.insert(session.id().clone(), session);
    }

    fn tell_session(&mut self, session_id: &SessionId, input: SessionInput, effects: &mut Vec<Effect>) {
        let Some(session) = self.sessions.get(session_id) else {
            answer_unknown(&input, effects);
            return;
        };
        // The one input that comes thousands of times: a number, which may be told a little later.
        let only_a_count = matches!(input, SessionInput::OutputAdvanced { .. }) && session.may_wait(self.now);
        self.with_session(session_id, effects, only_a_count, |session, turn| session.handle(turn, input));
    }

    /// Lets a session do something, and does what follows from it.
    fn with_session(
        &mut self,
        session_id: &SessionId,
        effects: &mut Vec<Effect>,
        quietly: bool,
        act: impl FnOnce(&mut Session, &mut Turn<'_>),
    ) {
        let Some(session) = self.sessions.get_mut(session_id) else { return };
        let was_over = session.is_over();
        let mut turn =
            Turn { now: self.now, limits: &self.limits, effects, last_delivery: &mut self.last_delivery };
        act(session, &mut turn);
        if quietly {
            return;
        }
        session.settle(&mut turn);
        let (ended, gone) = (session.is_over() && !was_over, session.is_gone());
        if ended || gone {
            self.challenges.close_owner(self.now, session_id.as_str(), effects);
        }
        if gone {
            self.sessions.remove(session_id);
        }
    }

    /// Does whatever has become due.
    pub(super) fn expire(&mut self, effects: &mut Vec<Effect>) {
        let now = self.now;
        self.challenges.expire(now, effects);
        // One thing that is due may make another due; each takes a deadline away, so this ends.
        while let Some(session_id) = self.first_due() {
            self.with_session(&session_id, effects, false, Session::expire);
        }
    }

    fn first_due(&self) -> Option<SessionId> {
        let due = |session: &&Session| session.next_deadline().is_some_and(|deadline| deadline <= self.now);
        self.sessions.values().find(due).map(|session| session.id().clone())
    }

    /// Keeps the list of what is over bounded.
    pub(super) fn drop_oldest(&mut self, effects: &mut Vec<Effect>) {
        let ended = self.sessions.values().filter(|session| session.is_over() && session.is_down());
        let excess = ended.count().saturating_sub(self.limits.ended_sessions);
        for _ in 0..excess {
            let ended = self.sessions.values().filter(|session| session.is_over() && session.is_down());
            let oldest =
                ended.min_by_key(|session| session.saved().ended_at).map(|session| session.id().clone());
            let Some(oldest) = oldest else { return };
            self.with_session(&oldest, effects, false, |session, _| session.drop_from_list());
        }
    }

    /// Checks after each input, in debug builds, what must hold whatever happened.
    #[cfg(debug_assertions)]
    pub(super) fn check_invariants(&self) {
        for session in self.sessions.values() {
            session.check_invariants();
        }
        let overdue = self.next_deadline().filter(|deadline| *deadline <= self.now);
        debug_assert_eq!(overdue, None, "what is due has been done");
        debug_assert!(self.challenges.pending() <= self.limits.challenges, "the registry is bounded");
    }
}

/// An unknown session is no error (behaviour S9, S10, S11): what was asked for did not happen.
fn answer_unknown(input: &SessionInput, effects: &mut Vec<Effect>) {
    let mut answer = |to: ReplyId, value| effects.push(Effect::Reply { to, value });
    match input {
        SessionInput::Cancel { reply }
        | SessionInput::Kill { reply, .. }
        | SessionInput::Remove { reply } => {
            answer(*reply, Reply::Done(false));
        }
        SessionInput::Submit(paste) => {
            let message = "Nothing was sent: there is no such session.".to_owned();
            answer(paste.reply, Reply::Submitted { delivered: false, to_loopback: false, message });
        }
        SessionInput::KeeperReady { .. }
        | SessionInput::StartFailed { .. }
        | SessionInput::Found(_)
        | SessionInput::PromptGone
        | SessionInput::OutputAdvanced { .. }
        | SessionInput::ChildExited { .. }
        | SessionInput::LastLines(_)
        | SessionInput::OutputEnded
        | SessionInput::ListenersGone
        | SessionInput::LimitReached
        | SessionInput::KillFinished { .. }
        | SessionInput::KeeperLost
        | SessionInput::KeeperReached { .. }
        | SessionInput::CheckFinished(_)
        | SessionInput::BundleStored { .. }
        | SessionInput::BundleNotStored { .. }
        | SessionInput::Delivered { .. }
        | SessionInput::Looked
        | SessionInput::Typed => {}
    }
}
