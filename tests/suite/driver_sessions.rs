//! Login sessions end to end in the supervisor, with real keepers and scripted children (behaviour S).

use std::time::Duration;

use authdeck::core::ids::{BundleId, SessionId};
use authdeck::core::status::Status;
use authdeck::core::view::ChildState;
use authdeck::protocol::error::{self, RpcError};
use authdeck::protocol::method::{Method as _, Request, session, supervisor};
use authdeck::protocol::request::{BundleList, Kill, Nothing, SessionRef, StartSession};
use serde_json::Value;

use crate::common::supervisor::{SAMPLE, Supervisor, shell};
use crate::common::wait::wait_until;

fn failed(status: &Status) -> &str {
    match status {
        Status::Failed { error } => error,
        other => panic!("not failed: {other:?}"),
    }
}

fn bundles(supervisor: &Supervisor) -> BundleList {
    supervisor.ask(supervisor::Bundles::request(Nothing {})).unwrap()
}

#[test]
fn s01_a_session_has_an_id_of_its_own_and_no_url_until_one_was_seen() {
    let supervisor = Supervisor::start();
    let answer: Value =
        supervisor.ask(Request::Supervisor(supervisor::Request::Start(shell("read line")))).unwrap();
    let id = answer["sessionId"].as_str().unwrap().strip_prefix("auth-").unwrap();
    assert_eq!(uuid::Uuid::parse_str(id).unwrap().get_version_num(), 4);
    assert_eq!(answer["authUrl"], Value::Null);
}

#[test]
fn s03_every_line_is_recorded_in_order() {
    let supervisor = Supervisor::start();
    let session = supervisor.run("for line in $(seq 1 300); do echo \"line $line\"; done; echo Logged in");
    assert!(matches!(supervisor.wait_over(&session), Status::Success { .. }));
    let expected: String = (1..=300).map(|line| format!("line {line}\n")).collect();
    assert_eq!(supervisor.transcript(&session), expected + "Logged in\n");
}

#[test]
fn s06_success_is_exit_status_then_check_then_bundle() {
    let supervisor = Supervisor::start_with_provider(SAMPLE);
    let session = supervisor.run_sample(
        "echo 'Successfully logged in as a@example.com'; echo 'Logged in as b@example.com' > logged-in",
    );
    let Status::Success { bundle_id, email } = supervisor.wait_over(&session) else { panic!("no success") };
    assert_eq!(email.as_deref(), Some("b@example.com"), "the check knows better than the CLI's own line");
    let bundles = bundles(&supervisor).bundles;
    assert_eq!(bundles.len(), 1);
    assert_eq!((&bundles[0].bundle_id, bundles[0].identity.as_deref()), (&bundle_id, Some("b@example.com")));
}

#[test]
fn s06_a_success_line_alone_is_no_success() {
    let supervisor = Supervisor::start_with_provider(SAMPLE);
    let session = supervisor.run_sample("echo 'Successfully logged in as a@example.com'");
    let status = supervisor.wait_over(&session);
    assert!(failed(&status).contains("not logged in"), "{status:?}");
    assert!(bundles(&supervisor).bundles.is_empty());
}

#[test]
fn s06_a_check_that_hangs_fails_the_session() {
    let slow = SAMPLE.replace("cat logged-in ||", "echo half way; sleep 1000 ||");
    let mut supervisor = Supervisor::start_with_provider(&slow);
    supervisor.stop();
    supervisor.settings().limits.check = Duration::from_millis(500);
    supervisor.restart();
    let session = supervisor.run_sample("exit 0");
    let status = supervisor.wait_over(&session);
    assert!(failed(&status).contains("half way"), "{status:?}");
}

#[test]
fn s06_a_child_that_fails_is_not_checked() {
    let supervisor = Supervisor::start_with_provider(SAMPLE);
    let session = supervisor.run_sample("echo 'Logged in as b@example.com' > logged-in; exit 3");
    let status = supervisor.wait_over(&session);
    assert!(failed(&status).contains('3'), "{status:?}");
}

#[test]
fn s07_what_is_over_stays_as_it_is() {
    let supervisor = Supervisor::start();
    let session = supervisor.run("exit 0");
    let status = supervisor.wait_over(&session);
    assert!(!supervisor.ask_whether(&session, session::Cancel::request));
    assert!(!supervisor.ask_whether(&session, session::Cancel::request), "a second finish does nothing");
    assert_eq!(supervisor.view(&session).unwrap().status, status);
}

#[test]
fn s08_times_out_and_its_child_is_killed() {
    let supervisor = Supervisor::start();
    let start =
        StartSession { limit_seconds: Some(1), ..shell("trap '' TERM HUP INT; while :; do sleep 1; done") };
    let session = supervisor.try_start(start).unwrap();
    let status = supervisor.wait_over(&session);
    assert_eq!(failed(&status), "auth session timed out after 1s");
    supervisor.wait_view("the child is dead", &session, |view| view.child == ChildState::Killed);
    assert!(supervisor.home.children().is_empty(), "{:?}", supervisor.home.children());
}

#[test]
fn s09_cancel_kills_a_child_that_ignores_polite_signals() {
    let supervisor = Supervisor::start();
    let session = supervisor.run(
        "trap '' TERM HUP INT; setsid sh -c \"trap '' TERM HUP INT; sleep 1000\" & echo ready; while :; do sleep 1; done",
    );
    supervisor.wait_transcript(&session, "ready");
    assert!(supervisor.ask_whether(&session, session::Cancel::request));
    assert!(!supervisor.ask_whether(&session, session::Cancel::request));
    assert_eq!(failed(&supervisor.view(&session).unwrap().status), "cancelled by user");
    supervisor.wait_view("the child is dead", &session, |view| view.child == ChildState::Killed);
    assert!(supervisor.home.children().is_empty(), "{:?}", supervisor.home.children());
    let unknown = SessionId::new("auth-unknown");
    assert!(!supervisor.ask_whether(&unknown, session::Cancel::request));
}

#[test]
fn s09_a_forced_kill_needs_no_grace() {
    let supervisor = Supervisor::start();
    let session = supervisor.run("trap '' TERM HUP INT; echo ready; while :; do sleep 1; done");
    supervisor.wait_transcript(&session, "ready");
    let kill = Kill { session_id: session.clone(), force: true };
    assert!(supervisor.ask::<bool>(Request::Session(session::Request::Kill(kill))).unwrap());
    supervisor.wait_view("the child is dead", &session, |view| view.child == ChildState::Killed);
    assert!(supervisor.home.children().is_empty());
}

#[test]
fn s11_the_end_stays_readable_until_it_is_removed_and_nothing_is_left() {
    let supervisor = Supervisor::start();
    let session = supervisor.run("echo last words; exit 7");
    assert!(failed(&supervisor.wait_over(&session)).contains('7'));
    assert_eq!(supervisor.transcript(&session), "last words\n");
    wait_until(
        "the keeper is gone",
        || supervisor.keepers().is_empty() && supervisor.home.processes().is_empty(),
        || format!("{:?} {:?}", supervisor.keepers(), supervisor.home.processes()),
    );
    assert_eq!(supervisor.transcript(&session), "last words\n");
    assert!(supervisor.ask_whether(&session, session::Remove::request));
    assert!(supervisor.view(&session).is_none());
    let of = SessionRef { session_id: session.clone() };
    assert_eq!(supervisor.ask::<Value>(Request::Session(session::Request::Poll(of))).unwrap(), Value::Null);
    let runtime = supervisor.home.runtime().join("authdeck");
    for folder in ["sessions", "saved"] {
        assert_eq!(std::fs::read_dir(runtime.join(folder)).unwrap().count(), 0, "{folder}");
    }
}

#[test]
fn s12_a_login_into_a_bundle_updates_it() {
    let supervisor = Supervisor::start_with_provider(SAMPLE);
    let first = supervisor.run_sample("echo 'Logged in as a@example.com' > logged-in");
    let Status::Success { bundle_id, .. } = supervisor.wait_over(&first) else { panic!("no success") };
    let again = StartSession {
        provider_id: Some(authdeck::core::ids::ProviderId::new("sample")),
        into_bundle_id: Some(bundle_id.clone()),
        ..shell("echo 'Logged in as b@example.com' > logged-in")
    };
    let second = supervisor.try_start(again).unwrap();
    let Status::Success { bundle_id: updated, email } = supervisor.wait_over(&second) else {
        panic!("no success")
    };
    assert_eq!((updated, email.as_deref()), (bundle_id, Some("b@example.com")));
    let bundles = bundles(&supervisor).bundles;
    assert_eq!(bundles.len(), 1);
    assert_eq!(bundles[0].identity.as_deref(), Some("b@example.com"));
    let unknown = StartSession { into_bundle_id: Some(BundleId::new("bundle-unknown")), ..shell("exit") };
    assert_eq!(supervisor.try_start(unknown).unwrap_err().code, error::NOT_FOUND);
}

#[test]
fn what_cannot_be_started_says_why_and_leaves_nothing() {
    let supervisor = Supervisor::start_with_provider(SAMPLE);
    let provider = StartSession {
        provider_id: Some(authdeck::core::ids::ProviderId::new("sample")),
        ..StartSession::default()
    };
    let refusal: RpcError = supervisor.try_start(provider).unwrap_err();
    assert_eq!(refusal.code, error::CANNOT_START);
    assert!(refusal.message.contains("install it: apt install sample-cli"), "{}", refusal.message);
    let broken = StartSession { command: vec!["/etc".into()], ..StartSession::default() };
    assert_eq!(supervisor.try_start(broken).unwrap_err().code, error::CANNOT_START);
    let snapshot = supervisor.block_on(supervisor.connection().subscribe()).unwrap().snapshot;
    assert!(snapshot.sessions.is_empty());
}

#[test]
fn two_sessions_at_once_do_not_meet() {
    let supervisor = Supervisor::start();
    let sessions: Vec<_> =
        ["one", "two"].map(|name| supervisor.run(&format!("read line; echo \"{name} $line\""))).into();
    for (session, text) in sessions.iter().zip(["first", "second"]) {
        assert!(supervisor.type_text(session, &format!("{text}\r")));
    }
    for (session, text) in sessions.iter().zip(["one first", "two second"]) {
        supervisor.wait_over(session);
        assert!(supervisor.transcript(session).ends_with(&format!("{text}\n")));
    }
}
