//! What proves a login whose CLI ended with exit status 0, and what is said of one that failed.

use std::time::Duration;

use crate::core::effect::{Effect, Reply};
use crate::core::engine::trial::{Trial, authorize, facts};
use crate::core::finding::{Expects, FindingKind};
use crate::core::input::{AdoptedKeeper, DeliveryId, DeliveryOutcome, SessionInput};
use crate::core::login::{Exit, LoginFacts};
use crate::core::status::Status;
use crate::core::view::{SessionOutcome, Waiting};

const UNPROVEN: &str = "ended without saying that anybody is logged in";

/// A command outside the catalogue.
fn any_command() -> LoginFacts {
    LoginFacts { exit_decides: true, ..LoginFacts::default() }
}

fn stores(trial: &Trial) -> usize {
    trial.count(|effect| matches!(effect, Effect::StoreBundle(_)))
}

fn callback() -> String {
    "http://localhost:1455/cb?code=abc&state=s".to_owned()
}

fn delivered(trial: &mut Trial, outcome: DeliveryOutcome) {
    trial.tell(SessionInput::Delivered { delivery: DeliveryId(1), outcome });
}

#[test]
fn a_command_that_showed_nothing_ends_without_alarm_and_without_a_bundle() {
    let mut trial = Trial::running(any_command());
    trial.exit(0);
    assert_eq!(trial.error(), UNPROVEN);
    assert_eq!((stores(&trial), trial.releases()), (0, 1));
    let view = trial.view();
    assert_eq!((view.outcome, view.attention), (Some(SessionOutcome::NothingShown), false));
}

#[test]
fn a_url_that_nobody_had_time_to_open_proves_nothing() {
    let mut trial = Trial::running(any_command());
    trial.find(FindingKind::AuthorizeUrl, &authorize("s")).pass(Duration::from_secs(2)).exit(0);
    assert_eq!(trial.error(), UNPROVEN);
    assert_eq!(stores(&trial), 0);
    let view = trial.view();
    assert_eq!(view.outcome, Some(SessionOutcome::NotProven));
    assert!(view.listening && view.takes_paste && view.attention, "{view:?}");
    assert_eq!((trial.releases(), trial.kills().len()), (0, 0), "what it left behind may still listen");
    trial.tell(SessionInput::ListenersGone);
    assert_eq!((trial.releases(), trial.view().listening), (1, false));
}

#[test]
fn what_a_cli_left_behind_still_takes_the_callback_and_can_be_killed() {
    let mut trial = Trial::running(any_command());
    trial.find(FindingKind::AuthorizeUrl, &authorize("s")).exit(0);
    let mut next = trial.restarted(super::attached());
    assert!(next.view().listening, "a restart of the supervisor changes nothing");
    next.submit(&callback());
    assert_eq!(next.count(|effect| matches!(effect, Effect::ReplayCallback { .. })), 1);
    next.ask(|reply| SessionInput::Kill { force: false, reply });
    assert_eq!((next.kills(), next.view().listening), (vec![false], false));
}

#[test]
fn patience_with_a_url_or_a_code_proves_a_login() {
    for kind in [FindingKind::AuthorizeUrl, FindingKind::DeviceCode] {
        let text = if kind == FindingKind::DeviceCode { "WDJB-MJHT".to_owned() } else { authorize("s") };
        let mut trial = Trial::running(any_command());
        trial.find(kind, &text).pass(Duration::from_secs(6)).exit(0);
        assert_eq!(stores(&trial), 1, "{kind:?}");
        trial.store_bundle("bundle-fresh");
        assert_eq!(trial.view().outcome, Some(SessionOutcome::LoggedIn));
    }
}

#[test]
fn output_that_drags_on_after_the_end_is_no_patience() {
    let mut trial = Trial::running(any_command());
    trial.find(FindingKind::AuthorizeUrl, &authorize("s"));
    trial.tell(SessionInput::ChildExited { exit: Exit { code: Some(0), signal: None } });
    trial.pass(Duration::from_secs(20));
    assert_eq!((trial.error().as_str(), stores(&trial)), (UNPROVEN, 0));
}

#[test]
fn an_answer_that_was_accepted_proves_a_login_and_a_rejected_one_does_not() {
    let accepted = || DeliveryOutcome::Answered { status: 200, page: None };
    for (pasted, outcome, proven) in [
        (callback(), accepted(), true),
        (callback(), DeliveryOutcome::Answered { status: 400, page: None }, false),
        ("http://localhost:1455/cb?error=access_denied&state=s".to_owned(), accepted(), false),
    ] {
        let mut trial = Trial::running(any_command());
        trial.find(FindingKind::AuthorizeUrl, &authorize("s")).submit(&pasted);
        delivered(&mut trial, outcome.clone());
        trial.exit(0);
        assert_eq!(stores(&trial), usize::from(proven), "{pasted} {outcome:?}");
    }
}

#[test]
fn what_was_typed_into_a_prompt_for_a_secret_is_an_answer() {
    let mut trial = Trial::running(any_command());
    trial
        .prompt("Password:", Expects::Secret)
        .tell(SessionInput::Typed)
        .tell(SessionInput::PromptGone)
        .exit(0);
    assert_eq!(stores(&trial), 1);
}

#[test]
fn a_cli_that_ends_a_denied_login_with_zero_must_say_that_it_succeeded() {
    let mut trial = Trial::running(LoginFacts { auth_check: false, exit_decides: false, ..facts() });
    trial.find(FindingKind::AuthorizeUrl, &authorize("s")).pass(Duration::from_secs(60)).exit(0);
    assert_eq!((trial.error().as_str(), stores(&trial)), (UNPROVEN, 0));
}

#[test]
fn a_failure_line_outweighs_patience() {
    let mut trial = Trial::running(any_command());
    trial.find(FindingKind::AuthorizeUrl, &authorize("s")).pass(Duration::from_secs(60));
    trial.find(FindingKind::Failure, "Login denied").exit(0);
    assert!(trial.error().contains("“Login denied”"), "{}", trial.error());
    assert_eq!(trial.view().outcome, Some(SessionOutcome::Failed));
}

#[test]
fn why_it_failed_is_quoted_from_the_last_lines() {
    let mut trial = Trial::running(any_command());
    trial.tell(SessionInput::ChildExited { exit: Exit { code: Some(1), signal: None } });
    let lines = ["Opening", "⠙ Waiting...Error: seat limit reached", "Usage: x login"];
    trial.tell(SessionInput::LastLines(lines.map(str::to_owned).to_vec())).tell(SessionInput::OutputEnded);
    assert!(trial.error().ends_with("“Error: seat limit reached”"), "{}", trial.error());
}

#[test]
fn a_listener_that_refuses_says_so_with_what_to_do_next() {
    let mut trial = Trial::running(facts());
    trial.find(FindingKind::AuthorizeUrl, &authorize("s"));
    let reply = trial.submit(&callback());
    let page = Some("state mismatch".to_owned());
    delivered(&mut trial, DeliveryOutcome::Answered { status: 400, page });
    let Some(Reply::Submitted { delivered: true, message, .. }) = trial.answer(reply) else {
        panic!("{:?}", trial.answer(reply))
    };
    assert!(message.contains("answered 400: “state mismatch”"), "{message}");
    let view = trial.view();
    assert_eq!(view.waiting, Waiting::OpenUrlThenPaste);
    assert!(view.waiting_text.contains("answered 400"), "{}", view.waiting_text);
}

#[test]
fn a_listener_that_closes_without_an_answer_has_been_handed_it_all_the_same() {
    let mut trial = Trial::running(facts());
    trial.find(FindingKind::AuthorizeUrl, &authorize("s"));
    let reply = trial.submit(&callback());
    delivered(&mut trial, DeliveryOutcome::Unanswered { how: "closed without answering".to_owned() });
    let Some(Reply::Submitted { delivered: true, message, .. }) = trial.answer(reply) else {
        panic!("{:?}", trial.answer(reply))
    };
    assert!(message.contains("it closed without answering"), "{message}");
    assert_eq!(trial.view().waiting, Waiting::Submitted);
}

#[test]
fn a_rejected_answer_goes_back_to_the_person_with_the_clis_words() {
    let mut trial = Trial::running(facts());
    trial.find(FindingKind::AuthorizeUrl, &authorize("s")).submit(&callback());
    delivered(&mut trial, DeliveryOutcome::Answered { status: 200, page: None });
    assert_eq!(trial.view().waiting, Waiting::Submitted);
    trial.find(FindingKind::Failure, "Invalid code. Try again");
    let view = trial.view();
    assert_eq!(view.waiting, Waiting::OpenUrlThenPaste);
    assert!(
        view.waiting_text.starts_with("waiting for you: Sample said “Invalid code. Try again”; open the URL")
    );
    trial.prompt("Press Enter to retry", Expects::Enter);
    assert_eq!(trial.view().waiting, Waiting::Prompt);
}

#[test]
fn a_store_that_fails_does_not_decide_over_a_login() {
    let mut trial = Trial::running(facts());
    trial.exit(0).pass_check(Some("a@example.com"));
    trial.tell(SessionInput::BundleNotStored { error: "disk full".to_owned() });
    assert!(matches!(trial.status(), Status::Success { email: Some(_), .. }), "{:?}", trial.status());
    let warning = trial.view().warning.expect("it is told");
    assert!(warning.contains("not recorded yet: disk full"), "{warning}");
    // The record is tried again, less and less often, also by the next supervisor.
    for _ in 0..3 {
        let before = stores(&trial);
        trial.pass(Duration::from_secs(60));
        assert!(stores(&trial) > before);
        trial.tell(SessionInput::BundleNotStored { error: "disk full".to_owned() });
    }
    let mut next = trial.restarted(AdoptedKeeper::Released);
    next.pass(Duration::from_secs(61));
    assert_eq!(stores(&next), 1);
    next.store_bundle("bundle-fresh");
    assert_eq!((next.view().warning, next.view().outcome), (None, Some(SessionOutcome::LoggedIn)));
    next.pass(Duration::from_secs(600));
    assert_eq!(stores(&next), 1);
}
