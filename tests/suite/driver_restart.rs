//! A supervisor dies and another one takes its sessions over, with real keepers.

use authdeck::core::ids::ProviderId;
use authdeck::core::status::Status;
use authdeck::core::view::ChildState;
use authdeck::protocol::method::{Method as _, session};
use authdeck::protocol::request::StartSession;

use crate::common::process;
use crate::common::supervisor::{SAMPLE, Supervisor, shell};

#[test]
fn a_killed_supervisor_loses_and_doubles_nothing() {
    let mut supervisor = Supervisor::start();
    let session = supervisor.run(
        "for line in $(seq 1 100); do echo \"line $line\"; done; read line; \
         for line in $(seq 101 200); do echo \"line $line\"; done; read line; exit 4",
    );
    supervisor.wait_transcript(&session, "line 100\n");
    let before = supervisor.view(&session).unwrap();
    supervisor.kill();
    supervisor.restart();
    let after = supervisor.view(&session).unwrap();
    assert_eq!((after.started_at, &after.command), (before.started_at, &before.command));
    assert!(matches!(after.child, ChildState::Running { .. }), "{:?}", after.child);
    assert!(supervisor.type_text(&session, "\r"));
    let transcript = supervisor.wait_transcript(&session, "line 200\n");
    let lines: Vec<&str> = transcript.lines().filter(|line| !line.is_empty()).collect();
    let expected: Vec<String> = (1..=200).map(|line| format!("line {line}")).collect();
    assert_eq!(lines, expected);
    assert!(supervisor.type_text(&session, "\r"));
    assert!(matches!(supervisor.wait_over(&session), Status::Failed { .. }));
}

#[test]
fn what_the_child_does_meanwhile_is_not_missed() {
    let mut supervisor = Supervisor::start();
    let gate = supervisor.home.work().join("gate");
    rustix::fs::mkfifoat(rustix::fs::CWD, &gate, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR).unwrap();
    let session = supervisor.run("echo before; read line < gate; echo meanwhile; echo Logged in; exit 0");
    supervisor.wait_transcript(&session, "before");
    supervisor.kill();
    std::fs::write(&gate, "go\n").unwrap();
    crate::common::wait::wait_until(
        "the child has ended",
        || supervisor.home.children().is_empty(),
        || format!("{:?}", supervisor.home.children()),
    );
    supervisor.restart();
    assert!(matches!(supervisor.wait_over(&session), Status::Success { .. }));
    assert_eq!(supervisor.transcript(&session), "before\nmeanwhile\nLogged in\n");
}

#[test]
fn a_finished_session_is_still_listed_by_the_next_supervisor() {
    let mut supervisor = Supervisor::start();
    let session = supervisor.run("echo bye; exit 5");
    let status = supervisor.wait_over(&session);
    supervisor.stop();
    supervisor.restart();
    assert_eq!(supervisor.view(&session).unwrap().status, status);
    assert_eq!(supervisor.transcript(&session), "bye\n");
    assert!(supervisor.ask_whether(&session, session::Remove::request));
    supervisor.kill();
    supervisor.restart();
    assert!(supervisor.view(&session).is_none());
}

#[test]
fn a_session_whose_keeper_was_killed_fails_and_its_child_is_swept() {
    let mut supervisor = Supervisor::start();
    let session = supervisor.run("trap '' TERM HUP INT; echo ready; while :; do sleep 1; done");
    supervisor.wait_transcript(&session, "ready");
    supervisor.kill();
    supervisor.keepers().into_iter().for_each(|keeper| process::signal(keeper, "KILL"));
    supervisor.restart();
    let status = supervisor.wait_over(&session);
    assert!(matches!(&status, Status::Failed { error } if error.contains("keeper")), "{status:?}");
    crate::common::wait::wait_until(
        "nothing is left",
        || supervisor.home.processes().is_empty(),
        || format!("{:?}", supervisor.home.processes()),
    );
}

#[test]
fn a_question_of_the_child_is_answered_once() {
    let mut supervisor = Supervisor::start();
    // The child asks where the cursor is, and shows every answer that it gets.
    let script = "import os,sys,tty\ntty.setraw(0)\nos.write(1,b'\\x1b[6n')\nn=0\nwhile True:\n d=os.read(0,100)\n if d==b'q': break\n n+=d.count(b'R')\n os.write(1,b'answers %d\\r\\n'%n)\n";
    supervisor.home.write_file("work/ask.py", script);
    let session = supervisor.run("exec python3 ask.py");
    supervisor.wait_transcript(&session, "answers 1");
    supervisor.kill();
    supervisor.restart();
    assert!(supervisor.type_text(&session, "x"));
    let transcript = supervisor.wait_transcript(&session, "answers 1\nanswers");
    assert!(!transcript.contains("answers 2"), "{transcript}");
}

#[test]
fn the_auth_check_has_the_requests_own_variables_after_a_restart_and_no_file_has_them() {
    let check = r#"command = ["/bin/sh", "-c", 'test "$LOGIN_REALM" = realm-canary && echo "Logged in as $LOGIN_REALM"']"#;
    let (head, tail) = SAMPLE.split_once("command = [\"/bin/sh\"").unwrap();
    let rest = tail.split_once('\n').unwrap().1;
    let mut supervisor = Supervisor::start_with_provider(&format!("{head}{check}\n{rest}"));
    let start = StartSession {
        provider_id: Some(ProviderId::new("sample")),
        environment: vec![("LOGIN_REALM".into(), "realm-canary".into())],
        ..shell("echo ready; read line; exit 0")
    };
    let session = supervisor.try_start(start).unwrap();
    supervisor.wait_transcript(&session, "ready");
    supervisor.kill();
    let found = std::process::Command::new("grep")
        .args(["-rl", "realm-canary"])
        .arg(supervisor.home.path())
        .args(["--exclude=sample.toml"])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&found.stdout), "");
    supervisor.restart();
    assert!(supervisor.type_text(&session, "\r"));
    let status = supervisor.wait_over(&session);
    assert!(
        matches!(&status, Status::Success { email, .. } if email.as_deref() == Some("realm-canary")),
        "{status:?}"
    );
}
