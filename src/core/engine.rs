//! The rules, behind one door: facts and requests go in, orders come out.
//!
//! ```text
//! runtime ── now, Input ──> Engine::handle ──> route ──> session (one login) ──┐
//!    ^                                          └─────> challenge (registry) ──┤
//!    └──────────── results return as inputs <── Vec<Effect> <──────────────────┘
//! ```
//!
//! The engine has no timers. Whatever must happen at some time follows from its state and `now`: the runtime asks
//! for [`Engine::next_deadline`], sleeps until then and sends [`Input::Tick`].

#[cfg(test)]
mod properties;
mod route;
#[cfg(test)]
pub(in crate::core) mod trial;

use std::collections::BTreeMap;

use super::challenge::{Challenges, MovedChallenges};
use super::effect::Effect;
use super::ids::{ProviderId, SessionId};
use super::input::Input;
use super::limits::Limits;
use super::saved_session::SavedSession;
use super::session::Session;
use super::status::Status;
use super::time::Timestamp;
use super::view::{ChallengeView, SessionView};

/// All sessions and challenges, and the rules for them.
#[derive(Debug)]
pub struct Engine {
    limits: Limits,
    now: Timestamp,
    sessions: BTreeMap<SessionId, Session>,
    challenges: Challenges,
    last_delivery: u64,
}

impl Engine {
    /// Makes an engine that knows of nothing yet.
    pub fn new(limits: Limits) -> Self {
        let challenges = Challenges::new(limits.challenge, limits.challenges);
        Self { limits, now: Timestamp::default(), sessions: BTreeMap::new(), challenges, last_delivery: 0 }
    }

    /// Takes one input and returns what is to be done, in order. A `now` that lies before the last one counts as
    /// the last one.
    #[must_use]
    pub fn handle(&mut self, now: Timestamp, input: Input) -> Vec<Effect> {
        self.now = self.now.max(now);
        let mut effects = Vec::new();
        self.route(input, &mut effects);
        self.expire(&mut effects);
        self.drop_oldest(&mut effects);
        #[cfg(debug_assertions)]
        self.check_invariants();
        effects
    }

    /// Tells when [`Input::Tick`] is due at the latest; absent if nothing waits for the clock.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        let sessions = self.sessions.values().filter_map(Session::next_deadline).min();
        sessions.into_iter().chain(self.challenges.next_deadline()).min()
    }

    /// Shows all sessions, oldest first.
    pub fn sessions(&self) -> Vec<SessionView> {
        let mut views: Vec<SessionView> = self.sessions.values().map(Session::view).collect();
        views.sort_by(|left, right| {
            (left.started_at, &left.session_id).cmp(&(right.started_at, &right.session_id))
        });
        views
    }

    /// Shows one session.
    pub fn session(&self, session_id: &SessionId) -> Option<SessionView> {
        self.sessions.get(session_id).map(Session::view)
    }

    /// Tells a session's provider, its status, and what of it could not be killed; absent for an unknown id
    /// (behaviour S11).
    pub fn poll(&self, session_id: &SessionId) -> Option<(Option<ProviderId>, Status, Vec<String>)> {
        let saved = self.sessions.get(session_id)?.saved();
        Some((saved.plan.facts.provider_id.clone(), saved.status.clone(), saved.child.survivors().to_vec()))
    }

    /// Returns what the next supervisor must know of each session.
    pub fn saved_sessions(&self) -> impl Iterator<Item = &SavedSession> {
        self.sessions.values().map(Session::saved)
    }

    /// Tells in a few sentences what a session waits for, why, what was seen, and what happens next.
    pub fn explain(&self, now: Timestamp, session_id: &SessionId) -> Option<String> {
        self.sessions.get(session_id).map(|session| session.explain(now))
    }

    /// Shows all parked challenges, oldest first.
    pub fn challenges(&self) -> Vec<ChallengeView> {
        self.challenges.views()
    }

    /// Tells whether nothing goes on: no login is live, nothing of an ended one is left, and no challenge is parked.
    pub fn is_idle(&self) -> bool {
        self.challenges.pending() == 0
            && self.sessions.values().all(|session| session.is_over() && session.is_down())
    }

    /// Tells whether a session's keeper is still being started: until then nobody else could take the session over.
    pub fn is_starting(&self) -> bool {
        self.sessions.values().any(Session::is_starting)
    }

    /// Copies the challenges for the process that takes this one's place. Sessions go another way: each has a keeper.
    pub fn challenges_to_move(&self) -> MovedChallenges {
        self.challenges.to_move()
    }

    /// Takes over the challenges of the process whose place this one takes.
    pub fn take_over_challenges(&mut self, moved: MovedChallenges) {
        self.challenges.take_over(moved);
    }

    /// Returns the limits it was made with.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }
}
