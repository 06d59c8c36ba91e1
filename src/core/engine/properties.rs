//! What holds whatever happens, in whatever order: the engine under random inputs, as a machine of states.
//!
//! Debug builds check the engine's own invariants after each input too (`check_invariants`).

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;

use super::trial::{Trial, authorize, facts, finding, plan};
use crate::core::effect::{Effect, Reply};
use crate::core::finding::{Expects, FindingKind, Source};
use crate::core::ids::SessionId;
use crate::core::input::{
    CheckOutcome, DeliveryId, DeliveryOutcome, Input, ReplyId, SessionInput, StartSession,
};
use crate::core::login::{Exit, LoginFacts};
use crate::core::provider::Answer;
use crate::core::status::Status;
use crate::core::view::Event;

/// What may happen to one of three sessions.
#[derive(Clone, Debug)]
enum Step {
    Start { stays_open: bool, auth_check: bool, exit_decides: bool },
    Ready,
    StartFailed,
    Find(usize, u8),
    PromptGone,
    Output(u64),
    Exit(Option<i32>),
    OutputEnded,
    Limit,
    KillFinished(bool),
    KeeperLost,
    Check(u8),
    Stored,
    NotStored,
    Delivered(u64, u8),
    Submit(u8),
    Cancel,
    Kill(bool),
    Remove,
    Pass(u64),
}

const KINDS: [FindingKind; 8] = [
    FindingKind::AuthorizeUrl,
    FindingKind::VerificationUrl,
    FindingKind::DeviceCode,
    FindingKind::Carry,
    FindingKind::Prompt,
    FindingKind::Success,
    FindingKind::Failure,
    FindingKind::Secret,
];

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => any::<(bool, bool, bool)>().prop_map(|(stays_open, auth_check, exit_decides)| {
            Step::Start { stays_open, auth_check, exit_decides }
        }),
        4 => Just(Step::Ready),
        1 => Just(Step::StartFailed),
        8 => (0usize..KINDS.len(), 0u8..4).prop_map(|(kind, text)| Step::Find(kind, text)),
        1 => Just(Step::PromptGone),
        2 => any::<u64>().prop_map(Step::Output),
        3 => prop::option::of(0i32..2).prop_map(Step::Exit),
        3 => Just(Step::OutputEnded),
        1 => Just(Step::Limit),
        3 => any::<bool>().prop_map(Step::KillFinished),
        1 => Just(Step::KeeperLost),
        3 => (0u8..4).prop_map(Step::Check),
        3 => Just(Step::Stored),
        1 => Just(Step::NotStored),
        2 => (1u64..6, 0u8..4).prop_map(|(delivery, outcome)| Step::Delivered(delivery, outcome)),
        4 => (0u8..4).prop_map(Step::Submit),
        1 => Just(Step::Cancel),
        1 => any::<bool>().prop_map(Step::Kill),
        1 => Just(Step::Remove),
        3 => (0u64..400_000).prop_map(Step::Pass),
    ]
}

struct Play {
    trial: Trial,
    asked: Vec<ReplyId>,
    ended: BTreeMap<SessionId, Status>,
    next_session: u32,
    /// Sessions whose keeper never came or went by itself.
    lost: Vec<SessionId>,
}

impl Play {
    fn new() -> Self {
        let trial = Trial::empty(SessionId::new("auth-0"));
        Self { trial, asked: Vec::new(), ended: BTreeMap::new(), next_session: 0, lost: Vec::new() }
    }

    fn ask(&mut self, input: impl FnOnce(ReplyId) -> SessionInput) {
        let reply = self.trial.ask(input);
        self.asked.push(reply);
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Start { stays_open, auth_check, exit_decides } => {
                let answers = vec![Answer::StdinCode, Answer::Loopback];
                let facts = LoginFacts { stays_open, auth_check, exit_decides, answers, ..facts() };
                self.start(facts);
            }
            Step::Find(kind, text) => self.find(KINDS[kind], text),
            Step::Submit(which) => self.submit(which),
            Step::Cancel => self.ask(|reply| SessionInput::Cancel { reply }),
            Step::Kill(force) => self.ask(|reply| SessionInput::Kill { force, reply }),
            Step::Remove => self.ask(|reply| SessionInput::Remove { reply }),
            Step::Pass(time) => {
                self.trial.pass(Duration::from_millis(time));
            }
            Step::Stored => {
                self.trial.store_bundle("bundle-fresh");
            }
            other => {
                if matches!(other, Step::StartFailed | Step::KeeperLost) {
                    self.lost.push(self.trial.id.clone());
                }
                self.trial.tell(fact(&other));
            }
        }
        self.check();
    }

    fn start(&mut self, facts: LoginFacts) {
        self.next_session += 1;
        let mut plan = plan(facts);
        plan.session_id = SessionId::new(format!("auth-{}", self.next_session));
        self.trial.id = plan.session_id.clone();
        let reply = self.trial.reply_id();
        self.asked.push(reply);
        self.trial.input(Input::Start(Box::new(StartSession { plan, reply })));
    }

    fn find(&mut self, kind: FindingKind, text: u8) {
        let url = authorize(&format!("state{text}"));
        let mut found = match kind {
            FindingKind::AuthorizeUrl | FindingKind::VerificationUrl => finding(kind, &url),
            FindingKind::DeviceCode => finding(kind, &format!("ABCD-000{text}")),
            FindingKind::Carry
            | FindingKind::Prompt
            | FindingKind::Success
            | FindingKind::Failure
            | FindingKind::Secret => finding(kind, &format!("a line {text}")),
        };
        found.finding.source = if text.is_multiple_of(2) { Source::Screen } else { Source::Browser };
        found.finding.expects =
            [Some(Expects::Code), Some(Expects::Secret), Some(Expects::Enter), None][usize::from(text)];
        self.trial.tell(SessionInput::Found(Box::new(found)));
    }

    fn submit(&mut self, which: u8) {
        let text = match which {
            0 => "http://localhost:1455/cb?code=canary&state=state0",
            1 => "http://localhost:1455/cb?code=canary&state=state1",
            2 => "canary-code#state2",
            _ => "canary-token",
        };
        let reply = self.trial.submit(text);
        self.asked.push(reply);
    }

    /// What must hold after every step.
    fn check(&mut self) {
        for view in self.trial.engine.sessions() {
            if let Some(ended) = self.ended.get(&view.session_id) {
                assert_eq!(*ended, view.status, "what is over stays as it is");
            } else if view.status.is_terminal() {
                self.ended.insert(view.session_id.clone(), view.status.clone());
            }
            assert!(!view.waiting_text.is_empty());
            let explained = self.trial.engine.explain(self.trial.now, &view.session_id).unwrap();
            assert!(explained.ends_with('.') && !explained.contains("canary"), "{explained}");
        }
    }

    /// A record that waits is tried for as long as the store fails, so the store works at last.
    fn record_what_waits(&mut self) {
        let before = self.trial.id.clone();
        for view in self.trial.engine.sessions().into_iter().filter(|view| view.warning.is_some()) {
            self.trial.id = view.session_id;
            self.trial.store_bundle("bundle-fresh");
        }
        self.trial.id = before;
    }

    /// Lets the clock run until nothing waits for it any more.
    fn run_out(&mut self) {
        for _ in 0..100 {
            if self.trial.engine.next_deadline().is_none() {
                return;
            }
            self.trial.pass(Duration::from_secs(600));
            self.check();
            self.record_what_waits();
        }
        panic!("something waits for ever: {:?}", self.trial.engine);
    }
}

fn fact(step: &Step) -> SessionInput {
    match *step {
        Step::Ready => SessionInput::KeeperReady { process_id: 7 },
        Step::StartFailed => SessionInput::StartFailed { error: "no".to_owned() },
        Step::PromptGone => SessionInput::PromptGone,
        Step::Output(bytes) => SessionInput::OutputAdvanced { bytes },
        Step::Exit(code) => {
            SessionInput::ChildExited { exit: Exit { code, signal: code.is_none().then_some(9) } }
        }
        Step::OutputEnded => SessionInput::OutputEnded,
        Step::Limit => SessionInput::LimitReached,
        Step::KillFinished(clean) => {
            let survivors = if clean { vec![] } else { vec!["77 nasty".to_owned()] };
            SessionInput::KillFinished { survivors }
        }
        Step::KeeperLost => SessionInput::KeeperLost,
        Step::Check(0) => {
            SessionInput::CheckFinished(CheckOutcome::Passed { identity: Some("me".to_owned()) })
        }
        Step::Check(1) => SessionInput::CheckFinished(CheckOutcome::Failed { last_line: "no".to_owned() }),
        Step::Check(2) => SessionInput::CheckFinished(CheckOutcome::TimedOut { last_line: String::new() }),
        Step::Check(_) => SessionInput::CheckFinished(CheckOutcome::NotRun { error: "no".to_owned() }),
        Step::NotStored => SessionInput::BundleNotStored { error: "no".to_owned() },
        Step::Delivered(delivery, outcome) => {
            let outcome = match outcome {
                0 => DeliveryOutcome::Written,
                1 => DeliveryOutcome::Closed,
                2 => DeliveryOutcome::Answered { status: 200, page: Some("Done".to_owned()) },
                _ => DeliveryOutcome::Failed { reason: "no".to_owned() },
            };
            SessionInput::Delivered { delivery: DeliveryId(delivery), outcome }
        }
        Step::Start { .. }
        | Step::Find(..)
        | Step::Submit(_)
        | Step::Cancel
        | Step::Kill(_)
        | Step::Remove
        | Step::Pass(_)
        | Step::Stored => SessionInput::Typed,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn whatever_happens_every_promise_holds(steps in prop::collection::vec(step(), 1..80)) {
        let mut play = Play::new();
        for step in steps {
            play.step(step);
        }
        play.run_out();
        let trial = &play.trial;
        prop_assert!(trial.engine.sessions().iter().all(|view| view.status.is_terminal()), "every login ends");
        for asked in &play.asked {
            prop_assert!(trial.answer(*asked).is_some(), "every request is answered: {:?}", asked);
        }
        let started = trial.effects.iter().filter_map(|effect| match effect {
            Effect::StartKeeper { session_id, .. } => Some(session_id),
            _ => None,
        });
        for started in started {
            let brought_down = trial.effects.iter().any(|effect| match effect {
                Effect::KillChild { session_id, .. } | Effect::ReleaseKeeper { session_id } => session_id == started,
                _ => false,
            });
            prop_assert!(brought_down || play.lost.contains(started), "a keeper was left: {}", started);
        }
        prop_assert!(!format!("{:?} {:?}", trial.effects, trial.engine).contains("canary"), "a secret leaked");
        let saved = trial.effects.iter().filter_map(|effect| match effect {
            Effect::SaveSession(saved) => Some(serde_json::to_string(saved).unwrap()),
            Effect::Publish(event) => Some(serde_json::to_string(event).unwrap()),
            _ => None,
        });
        for saved in saved {
            prop_assert!(!saved.contains("canary"), "a secret was saved or told: {}", saved);
        }
    }

    #[test]
    fn clients_that_follow_the_events_see_what_a_new_one_is_shown(steps in prop::collection::vec(step(), 1..60)) {
        let mut play = Play::new();
        for step in steps {
            play.step(step);
        }
        // The count of output bytes may lag by a second.
        play.trial.pass(Duration::from_secs(1));
        let mut followed = BTreeMap::new();
        for event in play.trial.events() {
            match event {
                Event::SessionAdded { session } => {
                    prop_assert!(followed.insert(&session.session_id, session).is_none(), "added once");
                }
                Event::SessionChanged { session } => {
                    prop_assert!(followed.insert(&session.session_id, session).is_some(), "changed after added");
                }
                Event::SessionRemoved { session_id } => {
                    prop_assert!(followed.remove(session_id).is_some(), "removed once");
                }
                Event::ChallengeParked { .. }
                | Event::ChallengeEnded { .. }
                | Event::BundleStored { .. }
                | Event::SupervisorStopping {}
                | Event::Notice { .. } => {}
            }
        }
        let listed = play.trial.engine.sessions();
        prop_assert_eq!(listed.len(), followed.len());
        for view in listed {
            prop_assert_eq!(followed.get(&view.session_id).map(|followed| &***followed), Some(&view));
        }
    }

    #[test]
    fn a_secret_leaves_only_towards_the_child(which in 0u8..3) {
        let mut play = Play::new();
        play.start(LoginFacts { answers: vec![Answer::StdinCode, Answer::Loopback], ..facts() });
        play.step(Step::Ready);
        play.find(FindingKind::AuthorizeUrl, which * 2 % 4);
        for paste in 0..4 {
            play.submit(paste);
        }
        for effect in &play.trial.effects {
            if let Effect::Reply { value, .. } = effect {
                let harmless = matches!(value, Reply::Started { .. } | Reply::Refused(_));
                prop_assert!(harmless, "{:?}", value);
            }
        }
    }
}
