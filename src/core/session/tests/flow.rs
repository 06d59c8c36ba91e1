use std::time::Duration;

use crate::core::effect::{Effect, RefusalKind, Reply};
use crate::core::engine::trial::{Trial, authorize, facts, plan};
use crate::core::finding::FindingKind;
use crate::core::ids::BundleId;
use crate::core::input::{CheckOutcome, ReplyId, SessionInput};
use crate::core::login::{Exit, LoginFacts};
use crate::core::status::Status;
use crate::core::view::{ChildState, Event, Waiting};

fn success(bundle: &str, email: Option<&str>) -> Status {
    Status::Success { bundle_id: BundleId::new(bundle), email: email.map(str::to_owned) }
}

fn stored(trial: &Trial) -> Vec<(String, Option<String>)> {
    let stored = |effect: &Effect| match effect {
        Effect::StoreBundle(record) => Some((record.bundle_id.to_string(), record.identity.clone())),
        _ => None,
    };
    trial.effects.iter().filter_map(stored).collect()
}

#[test]
fn a_start_is_answered_once_the_child_runs() {
    let mut trial = Trial::starting(facts());
    assert!(trial.answer(ReplyId(1)).is_none());
    trial.tell(SessionInput::KeeperReady { process_id: 42 });
    let Some(Reply::Started { session_id, auth_url }) = trial.answer(ReplyId(1)) else {
        panic!("it started")
    };
    assert_eq!((session_id.as_str(), auth_url), ("auth-1", &None));
    assert_eq!(trial.view().child, ChildState::Running { process_id: 42 });
}

#[test]
fn a_start_that_fails_is_refused_and_stays_readable() {
    let mut trial = Trial::starting(facts());
    trial.tell(SessionInput::StartFailed { error: "`sample` is not on the PATH".to_owned() });
    let Some(Reply::Refused(refusal)) = trial.answer(ReplyId(1)) else { panic!("it was refused") };
    assert_eq!(refusal.kind, RefusalKind::CannotStart);
    assert_eq!(trial.error(), "`sample` is not on the PATH");
    assert!(trial.view().advice.is_some());
    assert!(trial.kills().is_empty(), "there is nothing to kill");
}

#[test]
fn a_keeper_that_never_answers_is_given_up() {
    let mut trial = Trial::starting(facts());
    trial.pass(Duration::from_secs(16));
    assert!(trial.error().contains("could not be started"));
    assert_eq!(trial.kills(), [false]);
    trial.pass(Duration::from_secs(60));
    assert_eq!(trial.releases(), 1);
}

#[test]
fn success_takes_exit_status_then_check_then_store() {
    let mut trial = Trial::running(facts());
    trial.find(FindingKind::AuthorizeUrl, &authorize("s")).find(FindingKind::Success, "Logged in");
    assert_eq!(trial.status(), Status::UrlAvailable { auth_url: authorize("s") });
    trial.exit(0);
    assert_eq!(trial.count(|effect| matches!(effect, Effect::RunCheck { .. })), 1);
    assert_eq!(trial.view().waiting, Waiting::Checking);
    trial.pass_check(Some("a@example.com"));
    assert_eq!(stored(&trial), [("bundle-fresh".to_owned(), Some("a@example.com".to_owned()))]);
    assert!(!trial.status().is_terminal(), "it is not a success before it is stored");
    trial.store_bundle("bundle-fresh");
    assert_eq!(trial.status(), success("bundle-fresh", Some("a@example.com")));
    assert_eq!((trial.kills(), trial.releases()), (vec![], 1));
    assert!(trial.events().iter().any(|event| matches!(event, Event::BundleStored { .. })));
}

#[test]
fn the_output_is_read_to_its_end_before_the_exit_is_judged() {
    let mut trial = Trial::running(LoginFacts { auth_check: false, ..facts() });
    let exit = Exit { code: Some(0), signal: None };
    trial.tell(SessionInput::ChildExited { exit });
    assert!(stored(&trial).is_empty());
    trial.find(FindingKind::Success, "Logged in");
    trial.tell(SessionInput::OutputEnded);
    assert_eq!(stored(&trial).len(), 1);
}

#[test]
fn a_grandchild_that_holds_the_terminal_delays_only_for_the_grace() {
    let mut trial = Trial::running(facts());
    trial.tell(SessionInput::ChildExited { exit: Exit { code: Some(0), signal: None } });
    trial.pass(Duration::from_millis(499));
    assert_eq!(trial.count(|effect| matches!(effect, Effect::RunCheck { .. })), 0);
    trial.pass(Duration::from_millis(1));
    assert_eq!(trial.count(|effect| matches!(effect, Effect::RunCheck { .. })), 1);
}

#[test]
fn output_that_still_comes_is_waited_for_but_not_for_ever() {
    let mut trial = Trial::running(facts());
    trial.tell(SessionInput::ChildExited { exit: Exit { code: Some(0), signal: None } });
    let checks = |trial: &Trial| trial.count(|effect| matches!(effect, Effect::RunCheck { .. }));
    for bytes in 0..24 {
        trial.tell(SessionInput::OutputAdvanced { bytes }).pass(Duration::from_millis(400));
        assert_eq!(checks(&trial), 0);
    }
    for bytes in 24..27 {
        trial.tell(SessionInput::OutputAdvanced { bytes }).pass(Duration::from_millis(400));
    }
    assert_eq!(checks(&trial), 1);
}

#[test]
fn a_success_line_changes_no_status_and_records_who() {
    let mut trial = Trial::running(facts());
    let mut found =
        crate::core::engine::trial::finding(FindingKind::Success, "Successfully logged in as a@example.com");
    found.finding.identity = Some("a@example.com".to_owned());
    trial.tell(SessionInput::Found(Box::new(found)));
    assert_eq!(trial.status(), Status::Pending);
    assert_eq!(trial.view().identity.as_deref(), Some("a@example.com"));
    assert!(trial.view().waiting_text.contains("says that it is done"), "{}", trial.view().waiting_text);
    trial.find(FindingKind::Failure, "Error: no");
    assert_eq!(trial.status(), Status::Pending);
    trial.exit(0).pass_check(None).store_bundle("bundle-fresh");
    assert_eq!(trial.status(), success("bundle-fresh", Some("a@example.com")));
}

#[test]
fn a_bad_exit_quotes_the_last_failure_line() {
    let mut trial = Trial::running(facts());
    trial.find(FindingKind::Success, "Logged in").find(FindingKind::Failure, "OAuth error: denied\u{1b}[0m");
    trial.exit(1);
    assert_eq!(trial.error(), "Sample ended with exit status 1: “OAuth error: denied<U+001B>[0m”");
    assert_eq!(trial.view().advice.as_deref(), Some("Start the login again."));
    assert_eq!(trial.count(|effect| matches!(effect, Effect::RunCheck { .. })), 0);
}

#[test]
fn a_signal_is_no_success() {
    let mut trial = Trial::running(facts());
    trial.tell(SessionInput::ChildExited { exit: Exit { code: None, signal: Some(11) } });
    trial.tell(SessionInput::OutputEnded);
    assert!(trial.error().starts_with("Sample was ended by signal 11"));
}

#[test]
fn after_a_failure_what_is_left_is_killed_and_the_keeper_released() {
    let mut trial = Trial::running(facts());
    trial.exit(1);
    assert_eq!((trial.kills(), trial.releases()), (vec![false], 0));
    trial.tell(SessionInput::KillFinished { survivors: vec![] });
    assert_eq!(trial.releases(), 1);
    assert_eq!(trial.view().child, ChildState::Exited { code: Some(1), signal: None });
}

#[test]
fn a_check_that_fails_or_hangs_fails_the_login_with_its_own_line() {
    let outcomes = [
        (CheckOutcome::Failed { last_line: "not logged in".to_owned() }, "“not logged in”"),
        (CheckOutcome::TimedOut { last_line: "connecting".to_owned() }, "within 20s: “connecting”"),
        (CheckOutcome::NotRun { error: "no such file".to_owned() }, "could not be run: no such file"),
    ];
    for (outcome, words) in outcomes {
        let mut trial = Trial::running(facts());
        trial.exit(0).tell(SessionInput::CheckFinished(outcome));
        assert!(trial.error().contains(words), "{}", trial.error());
        assert!(trial.view().advice.is_some());
    }
}

#[test]
fn a_check_that_is_never_reported_is_given_up() {
    let mut trial = Trial::running(facts());
    trial.exit(0).pass(Duration::from_secs(29));
    assert!(!trial.status().is_terminal());
    trial.pass(Duration::from_secs(1));
    assert!(trial.error().contains("did not answer within 20s"));
    assert!(trial.count(|effect| matches!(effect, Effect::StopCheck { .. })) > 0);
    trial.pass_check(None);
    assert!(stored(&trial).is_empty(), "it came too late");
}

#[test]
fn without_a_check_a_known_cli_must_also_say_so() {
    let known = || LoginFacts { auth_check: false, ..facts() };
    let mut silent = Trial::running(known());
    silent.exit(0);
    assert!(silent.error() == "ended without saying that anybody is logged in");

    // opencode ends a denied login with exit status 0.
    let mut denied = Trial::running(known());
    denied.find(FindingKind::Success, "Opened").find(FindingKind::Failure, "Failed to authorize").exit(0);
    assert_eq!(denied.error(), "Sample ended with exit status 0, but said: “Failed to authorize”");

    let mut said = Trial::running(known());
    said.find(FindingKind::Failure, "Retrying").find(FindingKind::Success, "Login successful").exit(0);
    assert_eq!(stored(&said).len(), 1);
}

#[test]
fn for_any_other_command_evidence_and_the_exit_status_decide_and_explain_says_so() {
    let unknown = LoginFacts { exit_decides: true, ..LoginFacts::default() };
    let mut trial = Trial::running(unknown);
    let explained = trial.engine.explain(trial.now, &trial.id).unwrap();
    assert!(explained.contains("exit status 0 after it has waited for you"), "{explained}");
    trial.find(FindingKind::AuthorizeUrl, &authorize("s")).pass(Duration::from_secs(30));
    trial.exit(0).store_bundle("bundle-fresh");
    assert_eq!(trial.status(), success("bundle-fresh", None));
}

#[test]
fn a_cli_that_stays_is_checked_at_its_success_line_and_ended() {
    let mut trial = Trial::running(LoginFacts { stays_open: true, ..facts() });
    trial.find(FindingKind::Success, "Login successful. Press Enter");
    trial.tell(SessionInput::CheckFinished(CheckOutcome::Failed { last_line: "not yet".to_owned() }));
    assert!(!trial.status().is_terminal(), "it may not have stored anything yet");
    trial.find(FindingKind::Success, "Login successful").pass_check(None).store_bundle("bundle-fresh");
    assert_eq!(trial.status(), success("bundle-fresh", None));
    assert_eq!(trial.kills(), [false]);
    trial.tell(SessionInput::KillFinished { survivors: vec![] });
    assert_eq!((trial.view().child, trial.releases()), (ChildState::Killed, 1));
}

#[test]
fn a_bad_exit_overrules_a_check_that_runs() {
    let mut trial = Trial::running(LoginFacts { stays_open: true, ..facts() });
    trial.find(FindingKind::Success, "Login successful").exit(2);
    assert!(trial.error().contains("exit status 2"));
    trial.pass_check(None);
    assert!(stored(&trial).is_empty());
}

#[test]
fn an_existing_bundle_is_updated() {
    let mut wanted = plan(facts());
    wanted.into_bundle = Some(BundleId::new("bundle-old"));
    let mut trial = Trial::planned(wanted);
    trial.tell(SessionInput::KeeperReady { process_id: 1 });
    trial.exit(0).pass_check(None);
    assert_eq!(stored(&trial), [("bundle-old".to_owned(), None)]);
}

#[test]
fn what_is_over_stays_as_it_is() {
    let mut trial = Trial::running(facts());
    trial.exit(0).pass_check(None).store_bundle("bundle-fresh");
    let before = trial.status();
    trial.find(FindingKind::AuthorizeUrl, &authorize("late")).find(FindingKind::Failure, "late");
    trial.tell(SessionInput::LimitReached).exit(1).store_bundle("bundle-late");
    let cancelled = trial.ask(|reply| SessionInput::Cancel { reply });
    trial.pass(Duration::from_secs(3_600));
    assert_eq!(trial.status(), before);
    assert!(!trial.done(cancelled), "a second finish reports that it did nothing");
}

#[test]
fn output_is_counted_without_an_event_for_each_chunk() {
    let mut trial = Trial::running(facts());
    let before = trial.events().len();
    for bytes in 1..=1_000 {
        trial.tell(SessionInput::OutputAdvanced { bytes });
    }
    assert_eq!(trial.events().len(), before);
    trial.pass(Duration::from_secs(1));
    assert_eq!(trial.events().len(), before + 1);
    assert_eq!(trial.view().output_bytes, 1_000);
    trial.pass(Duration::from_secs(30));
    assert_eq!(trial.events().len(), before + 1, "nothing is told while nothing changes");
}

#[test]
fn only_so_many_run_and_only_so_many_are_remembered() {
    let mut trial = Trial::empty(crate::core::ids::SessionId::new("auth-none"));
    let limits = crate::core::limits::Limits { live_sessions: 2, ended_sessions: 3, ..Default::default() };
    trial.engine = crate::core::engine::Engine::new(limits);
    let mut replies = Vec::new();
    for number in 0..3 {
        let mut one = plan(facts());
        one.session_id = crate::core::ids::SessionId::new(format!("auth-{number}"));
        let reply = trial.reply_id();
        replies.push(reply);
        let start = crate::core::input::StartSession { plan: one, reply };
        trial.input(crate::core::input::Input::Start(Box::new(start)));
    }
    let Some(Reply::Refused(refusal)) = trial.answer(replies[2]) else { panic!("one too many") };
    assert_eq!(refusal.kind, RefusalKind::LimitReached);
    for number in 0..20 {
        let mut one = plan(facts());
        one.session_id = crate::core::ids::SessionId::new(format!("auth-x{number}"));
        trial.id = crate::core::ids::SessionId::new("auth-0");
        if number == 0 {
            trial.tell(SessionInput::StartFailed { error: "no".to_owned() });
        }
        trial.id = one.session_id.clone();
        let start = crate::core::input::StartSession { plan: one, reply: ReplyId(1_000 + number) };
        trial.input(crate::core::input::Input::Start(Box::new(start)));
        trial.tell(SessionInput::StartFailed { error: "no".to_owned() });
        trial.now = trial.now.after(Duration::from_millis(1));
    }
    let names: Vec<String> = trial.engine.sessions().iter().map(|view| view.session_id.to_string()).collect();
    assert_eq!(names, ["auth-1", "auth-x17", "auth-x18", "auth-x19"]);
}
