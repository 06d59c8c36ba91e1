use std::time::Duration;

use crate::core::callback::{Listener, ListenerOwner};
use crate::core::effect::{Effect, RefusalKind, Reply};
use crate::core::engine::trial::{Trial, authorize, facts};
use crate::core::finding::{Expects, FindingKind};
use crate::core::ids::SessionId;
use crate::core::input::{DeliveryId, DeliveryOutcome, ReplyId, SessionInput};
use crate::core::login::LoginFacts;
use crate::core::provider::Answer;
use crate::core::view::Waiting;

const CALLBACK: &str = "http://localhost:1455/cb?code=canary&state=s";

fn shown() -> Trial {
    let mut trial = Trial::running(facts());
    trial.find(FindingKind::AuthorizeUrl, &authorize("s"));
    trial
}

fn deliveries(trial: &Trial) -> usize {
    trial.count(|effect| matches!(effect, Effect::WriteLine { .. } | Effect::ReplayCallback { .. }))
}

fn refused(trial: &Trial, reply: crate::core::input::ReplyId) -> (RefusalKind, String) {
    match trial.answer(reply) {
        Some(Reply::Refused(refusal)) => (refusal.kind, refusal.message.clone()),
        other => panic!("it was not refused: {other:?}"),
    }
}

#[test]
fn a_callback_is_replayed_and_the_listeners_answer_told() {
    let mut trial = shown();
    let reply = trial.submit(CALLBACK);
    assert_eq!(deliveries(&trial), 1);
    assert!(trial.answer(reply).is_none(), "it is answered when it arrived");
    let view = trial.view();
    assert_eq!(view.waiting, Waiting::Delivering);
    assert!(view.waiting_text.ends_with("on port 1455; waiting for its answer"), "{}", view.waiting_text);
    let outcome =
        DeliveryOutcome::Answered { status: 200, page: Some("You may close\u{7} this tab".to_owned()) };
    trial.tell(SessionInput::Delivered { delivery: DeliveryId(1), outcome });
    let Some(Reply::Submitted { delivered: true, to_loopback: true, message }) = trial.answer(reply) else {
        panic!("it was delivered")
    };
    assert_eq!(message, "Delivered to localhost:1455; it answered 200: “You may close<U+0007> this tab”.");
    assert_eq!(trial.view().waiting, Waiting::Submitted);
    trial.find(FindingKind::Failure, "Invalid code");
    assert_ne!(trial.view().waiting, Waiting::Submitted, "the CLI reacted");
}

#[test]
fn a_code_is_typed_and_the_prompt_is_answered() {
    let mut trial = Trial::running(LoginFacts { answers: vec![Answer::StdinCode], ..facts() });
    trial.find(FindingKind::AuthorizeUrl, &authorize("s")).prompt("Paste code here", Expects::Code);
    let reply = trial.submit("the-code#s");
    let typed =
        |effect: &Effect| matches!(effect, Effect::WriteLine { text, .. } if text.secret() == "the-code#s");
    assert_eq!(trial.count(typed), 1);
    trial.tell(SessionInput::Delivered { delivery: DeliveryId(1), outcome: DeliveryOutcome::Written });
    assert!(matches!(
        trial.answer(reply),
        Some(Reply::Submitted { delivered: true, to_loopback: false, .. })
    ));
    assert_eq!(trial.view().prompt, None);
}

#[test]
fn what_does_not_fit_is_refused_and_nothing_is_sent() {
    let mut trial = shown();
    let reply = trial.submit("http://localhost:1455/cb?code=canary&state=other");
    let (kind, message) = refused(&trial, reply);
    assert_eq!(kind, RefusalKind::PasteRefused);
    assert!(message.starts_with("Nothing was sent: ") && message.contains("`state`"), "{message}");
    assert_eq!(deliveries(&trial), 0);
}

#[test]
fn what_belongs_to_an_attempt_that_was_given_up_is_refused() {
    let mut trial = shown();
    trial.find(FindingKind::Failure, "Invalid code").find(FindingKind::AuthorizeUrl, &authorize("new"));
    let reply = trial.submit(CALLBACK);
    assert!(refused(&trial, reply).1.contains("given up"));
    trial.submit("http://localhost:1455/cb?code=canary&state=new");
    assert_eq!(deliveries(&trial), 1);
}

#[test]
fn without_a_child_nothing_is_delivered() {
    let mut ended = shown();
    ended.exit(0);
    let mut starting = Trial::starting(facts());
    for trial in [&mut ended, &mut starting] {
        let reply = trial.submit(CALLBACK);
        assert!(matches!(trial.answer(reply), Some(Reply::Submitted { delivered: false, .. })));
        assert_eq!(deliveries(trial), 0);
    }
}

fn listening(owner: ListenerOwner) -> Vec<Listener> {
    vec![Listener { address: "127.0.0.1".parse().unwrap(), port: 1455, owner }]
}

#[test]
fn a_callback_goes_to_the_sessions_own_listener_only() {
    let session =
        |id: &str| ListenerOwner::Session { session_id: SessionId::new(id), title: "first".to_owned() };
    let mut trial = shown();
    let strangers = [
        (session("auth-2"), RefusalKind::PasteRefused, "another login of this deck, \"first\": end that one"),
        (
            ListenerOwner::Program { holder: "nc (process 7)".to_owned() },
            RefusalKind::PasteRefused,
            "held by nc (process 7), which does not belong to this login",
        ),
        (ListenerOwner::OtherUser { user_id: 65_534 }, RefusalKind::PasteRefused, "another user"),
        (ListenerOwner::Unseen { holder: "a process of root".to_owned() }, RefusalKind::AskFirst, "root"),
    ];
    for (owner, wanted, words) in strangers {
        let reply = trial.submit_with(CALLBACK, listening(owner));
        let (kind, message) = refused(&trial, reply);
        assert_eq!((kind, message.contains(words)), (wanted, true), "{message}");
    }
    assert_eq!(deliveries(&trial), 0);
    trial.submit_with(CALLBACK, listening(session("auth-1")));
    let own = |effect: &Effect| matches!(effect, Effect::ReplayCallback { request, .. } if request.addresses.len() == 1);
    assert_eq!(trial.count(own), 1);
}

#[test]
fn of_twenty_callbacks_in_parallel_one_is_delivered() {
    let mut trial = shown();
    let replies: Vec<ReplyId> = (0..20)
        .map(|number| trial.submit(&format!("http://127.0.0.1:1455/cb?state=s&n={number}&code=canary")))
        .collect();
    assert_eq!(deliveries(&trial), 1);
    for reply in &replies[1..] {
        assert!(refused(&trial, *reply).1.contains("being handed over already"));
    }
    let outcome = DeliveryOutcome::Answered { status: 400, page: None };
    trial.tell(SessionInput::Delivered { delivery: DeliveryId(1), outcome });
    let late = trial.submit(CALLBACK);
    let message = refused(&trial, late).1;
    assert!(message.contains("before") && message.contains("it answered 400"), "{message}");
    trial.submit("http://localhost:1455/cb?code=another&state=s");
    assert_eq!(deliveries(&trial), 2, "another code is another callback");
}

#[test]
fn what_never_reached_the_listener_may_be_handed_in_again() {
    let mut trial = shown();
    trial.submit(CALLBACK);
    let reason = "nothing listens on port 1455 any more".to_owned();
    let outcome = DeliveryOutcome::Failed { reason };
    trial.tell(SessionInput::Delivered { delivery: DeliveryId(1), outcome });
    trial.submit(CALLBACK);
    assert_eq!(deliveries(&trial), 2);
}

#[test]
fn a_listener_that_refuses_is_told_by_the_session_with_what_to_do() {
    for (status, next) in [(400, "open the URL again"), (500, "start the login again")] {
        let mut trial = shown();
        trial.submit(CALLBACK);
        let outcome = DeliveryOutcome::Answered { status, page: Some("State mismatch".to_owned()) };
        trial.tell(SessionInput::Delivered { delivery: DeliveryId(1), outcome });
        let view = trial.view();
        assert_eq!((view.waiting, view.attention), (Waiting::OpenUrlThenPaste, true));
        let said = format!("answered {status} to the callback: “State mismatch”");
        assert!(
            view.waiting_text.contains(&said) && view.waiting_text.contains(next),
            "{}",
            view.waiting_text
        );
        trial.exit(1);
        assert!(trial.error().contains(&said), "{}", trial.error());
    }
}

#[test]
fn a_listener_that_closes_without_an_answer_has_it() {
    let mut trial = shown();
    let reply = trial.submit(CALLBACK);
    let outcome = DeliveryOutcome::Unanswered { how: "closed without answering".to_owned() };
    trial.tell(SessionInput::Delivered { delivery: DeliveryId(1), outcome });
    let Some(Reply::Submitted { delivered: true, message, .. }) = trial.answer(reply) else {
        panic!("it was handed over")
    };
    assert!(message.starts_with("Handed over to localhost:1455; it closed without answering."), "{message}");
    assert_eq!(trial.view().waiting, Waiting::Submitted);
}

#[test]
fn a_closed_input_is_reported() {
    let mut trial = shown();
    let reply = trial.submit(CALLBACK);
    trial.tell(SessionInput::Delivered { delivery: DeliveryId(1), outcome: DeliveryOutcome::Closed });
    assert!(matches!(trial.answer(reply), Some(Reply::Submitted { delivered: false, .. })));
    assert_ne!(trial.view().waiting, Waiting::Submitted);
}

#[test]
fn a_delivery_that_is_never_reported_is_given_up() {
    let mut trial = shown();
    let reply = trial.submit(CALLBACK);
    trial.pass(Duration::from_secs(45));
    assert!(matches!(trial.answer(reply), Some(Reply::Submitted { delivered: false, .. })));
    trial.tell(SessionInput::Delivered { delivery: DeliveryId(1), outcome: DeliveryOutcome::Written });
    trial.answer(reply);
}

#[test]
fn nothing_submitted_is_told_or_saved() {
    let mut trial = shown();
    trial.submit(CALLBACK);
    trial.tell(SessionInput::Delivered { delivery: DeliveryId(1), outcome: DeliveryOutcome::Written });
    let debug = format!("{:?} {:?}", trial.effects, trial.engine);
    assert!(!debug.contains("canary"));
    assert!(!serde_json::to_string(&trial.saved()).unwrap().contains("canary"));
}
