//! An engine on trial: inputs by name, effects by kind, a clock that the test turns.

use std::time::Duration;

use crate::core::callback::Listener;
use crate::core::effect::{Effect, Reply};
use crate::core::engine::Engine;
use crate::core::finding::{Expects, Finding, FindingKind, Source};
use crate::core::ids::{BundleId, ProviderId, SessionId};
use crate::core::input::{
    Adopted, AdoptedKeeper, CheckOutcome, Found, Input, Paste, ReplyId, SessionInput, StartSession,
};
use crate::core::limits::Limits;
use crate::core::login::{Exit, LoginFacts, LoginPlan};
use crate::core::provider::Answer;
use crate::core::saved_session::SavedSession;
use crate::core::secret::Secret;
use crate::core::status::Status;
use crate::core::time::Timestamp;
use crate::core::view::{BundleView, Event, SessionView};

pub(in crate::core) struct Trial {
    pub(in crate::core) engine: Engine,
    pub(in crate::core) now: Timestamp,
    pub(in crate::core) id: SessionId,
    /// Everything ordered so far, oldest first.
    pub(in crate::core) effects: Vec<Effect>,
    last_reply: u64,
}

pub(in crate::core) fn facts() -> LoginFacts {
    LoginFacts {
        provider_id: Some(ProviderId::new("sample")),
        title: "Sample".to_owned(),
        answers: vec![Answer::Loopback],
        verification_url: Some("https://sample.test/device".to_owned()),
        auth_check: true,
        ..LoginFacts::default()
    }
}

pub(in crate::core) fn plan(facts: LoginFacts) -> LoginPlan {
    LoginPlan {
        session_id: SessionId::new("auth-1"),
        bundle_id: BundleId::new("bundle-fresh"),
        into_bundle: None,
        facts,
        command: vec!["/usr/bin/sample".to_owned(), "login".to_owned()],
        name: None,
        limit_seconds: None,
    }
}

pub(in crate::core) fn authorize(state: &str) -> String {
    format!("https://sample.test/authorize?redirect_uri=http%3A%2F%2Flocalhost%3A1455%2Fcb&state={state}")
}

pub(in crate::core) fn finding(kind: FindingKind, text: &str) -> Found {
    Found::plain(Finding {
        kind,
        text: text.to_owned(),
        host: None,
        verdict: None,
        expects: None,
        identity: None,
        source: Source::Screen,
    })
}

impl Trial {
    /// Starts a session of the sample provider, its child not there yet.
    pub(in crate::core) fn starting(facts: LoginFacts) -> Self {
        Self::planned(plan(facts))
    }

    pub(in crate::core) fn planned(plan: LoginPlan) -> Self {
        let mut trial = Self::empty(plan.session_id.clone());
        let reply = trial.reply_id();
        trial.input(Input::Start(Box::new(StartSession { plan, reply })));
        trial
    }

    /// Has a session of the sample provider run.
    pub(in crate::core) fn running(facts: LoginFacts) -> Self {
        let mut trial = Self::starting(facts);
        trial.tell(SessionInput::KeeperReady { process_id: 42 });
        trial
    }

    pub(in crate::core) fn empty(id: SessionId) -> Self {
        Self {
            engine: Engine::new(Limits { drain: Duration::from_millis(500), ..Limits::default() }),
            now: Timestamp(1_000_000),
            id,
            effects: Vec::new(),
            last_reply: 0,
        }
    }

    /// What the next supervisor makes of what this one saved last.
    pub(in crate::core) fn restarted(&self, keeper: AdoptedKeeper) -> Self {
        let mut next = Self::empty(self.id.clone());
        next.now = self.now;
        let text = serde_json::to_string(&self.saved()).unwrap();
        let saved = serde_json::from_str(&text).unwrap();
        next.input(Input::Adopted(Box::new(Adopted { saved, keeper })));
        next
    }

    pub(in crate::core) fn reply_id(&mut self) -> ReplyId {
        self.last_reply += 1;
        ReplyId(self.last_reply)
    }

    pub(in crate::core) fn input(&mut self, input: Input) -> &mut Self {
        let effects = self.engine.handle(self.now, input);
        self.effects.extend(effects);
        self
    }

    pub(in crate::core) fn tell(&mut self, input: SessionInput) -> &mut Self {
        let session_id = self.id.clone();
        self.input(Input::Session { session_id, input })
    }

    pub(in crate::core) fn find(&mut self, kind: FindingKind, text: &str) -> &mut Self {
        self.tell(SessionInput::Found(Box::new(finding(kind, text))))
    }

    pub(in crate::core) fn find_from(&mut self, source: Source, kind: FindingKind, text: &str) -> &mut Self {
        let mut found = finding(kind, text);
        found.finding.source = source;
        self.tell(SessionInput::Found(Box::new(found)))
    }

    pub(in crate::core) fn prompt(&mut self, text: &str, expects: Expects) -> &mut Self {
        let mut found = finding(FindingKind::Prompt, text);
        found.finding.expects = Some(expects);
        self.tell(SessionInput::Found(Box::new(found)))
    }

    pub(in crate::core) fn exit(&mut self, code: i32) -> &mut Self {
        self.tell(SessionInput::ChildExited { exit: Exit { code: Some(code), signal: None } });
        self.tell(SessionInput::OutputEnded)
    }

    pub(in crate::core) fn pass_check(&mut self, identity: Option<&str>) -> &mut Self {
        let identity = identity.map(str::to_owned);
        self.tell(SessionInput::CheckFinished(CheckOutcome::Passed { identity }))
    }

    pub(in crate::core) fn store_bundle(&mut self, id: &str) -> &mut Self {
        let bundle = BundleView {
            bundle_id: BundleId::new(id),
            provider: "sample".to_owned(),
            identity: None,
            configuration_folder: None,
            created_at: self.now,
            updated_at: self.now,
        };
        self.tell(SessionInput::BundleStored { bundle: Box::new(bundle) })
    }

    /// Turns the clock, stopping at each deadline on the way, as the runtime does.
    pub(in crate::core) fn pass(&mut self, time: Duration) -> &mut Self {
        let end = self.now.after(time);
        while let Some(deadline) = self.engine.next_deadline().filter(|deadline| *deadline <= end) {
            assert!(deadline > self.now, "a deadline that has passed is left over");
            self.now = deadline;
            self.input(Input::Tick);
        }
        self.now = end;
        self.input(Input::Tick)
    }

    pub(in crate::core) fn ask(&mut self, input: impl FnOnce(ReplyId) -> SessionInput) -> ReplyId {
        let reply = self.reply_id();
        self.tell(input(reply));
        reply
    }

    pub(in crate::core) fn submit(&mut self, text: &str) -> ReplyId {
        self.submit_with(text, Vec::new())
    }

    /// Submits while these listen.
    pub(in crate::core) fn submit_with(&mut self, text: &str, listeners: Vec<Listener>) -> ReplyId {
        let text = Secret::new(text);
        self.ask(|reply| SessionInput::Submit(Box::new(Paste { text, listeners, unseen: false, reply })))
    }

    /// The one answer to a request; none yet, or more than one, is told apart.
    pub(in crate::core) fn answer(&self, to: ReplyId) -> Option<&Reply> {
        let mut answers = self.effects.iter().filter_map(|effect| match effect {
            Effect::Reply { to: whom, value } if *whom == to => Some(value),
            _ => None,
        });
        let first = answers.next();
        assert!(answers.next().is_none(), "a request is answered once");
        first
    }

    pub(in crate::core) fn done(&self, to: ReplyId) -> bool {
        match self.answer(to) {
            Some(Reply::Done(done)) => *done,
            other => panic!("not a yes or no: {other:?}"),
        }
    }

    pub(in crate::core) fn view(&self) -> SessionView {
        self.engine.session(&self.id).expect("the session is listed")
    }

    pub(in crate::core) fn status(&self) -> Status {
        self.view().status
    }

    pub(in crate::core) fn error(&self) -> String {
        match self.status() {
            Status::Failed { error } => error,
            other => panic!("it did not fail: {other:?}"),
        }
    }

    pub(in crate::core) fn count(&self, which: impl Fn(&Effect) -> bool) -> usize {
        self.effects.iter().filter(|effect| which(effect)).count()
    }

    pub(in crate::core) fn kills(&self) -> Vec<bool> {
        let force = |effect: &Effect| match effect {
            Effect::KillChild { force, .. } => Some(*force),
            _ => None,
        };
        self.effects.iter().filter_map(force).collect()
    }

    pub(in crate::core) fn releases(&self) -> usize {
        self.count(|effect| matches!(effect, Effect::ReleaseKeeper { .. }))
    }

    pub(in crate::core) fn saved(&self) -> SavedSession {
        let saved = |effect: &Effect| match effect {
            Effect::SaveSession(saved) => Some((**saved).clone()),
            _ => None,
        };
        self.effects.iter().rev().find_map(saved).expect("every session is saved")
    }

    pub(in crate::core) fn events(&self) -> Vec<&Event> {
        let mut events = Vec::new();
        for effect in &self.effects {
            if let Effect::Publish(event) = effect {
                events.push(event);
            }
        }
        events
    }
}
