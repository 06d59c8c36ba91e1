//! A supervisor that does not answer: what is said then works, and it can be got rid of without losing a login.

use std::process::Stdio;

use authdeck::client::connect_unix;
use authdeck::protocol::request::StartSession;
use authdeck::protocol::snapshot::ChildState;

use super::common::env::Home;
use super::common::process;

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[tokio::test]
async fn a_hung_supervisor_is_named_and_ended_and_its_logins_go_on() {
    let home = Home::new();
    let run =
        |arguments: &[&str]| home.authdeck(arguments.iter().copied()).stdin(Stdio::null()).output().unwrap();
    assert!(run(&["serve"]).status.success());
    let socket = home.runtime().join("authdeck/supervisor.sock");
    let (client, events) = connect_unix(&socket).await.unwrap();
    drop(events);
    let command = ["/bin/sh", "-c", "read word"].map(str::to_owned).into();
    let session = client.start(StartSession { command, ..StartSession::default() }).await.unwrap().session_id;
    let [supervisor] = &home.supervisors()[..] else { panic!("not one supervisor") };
    process::signal(supervisor.id, "STOP");

    // Every way that meets it says what to do, and that is what works now.
    for arguments in [&["stop", "--yes"][..], &["upgrade"]] {
        let met = run(arguments);
        assert!(!met.status.success(), "{arguments:?}: {}", text(&met.stdout));
        assert!(text(&met.stderr).contains("authdeck stop --force"), "{arguments:?}: {}", text(&met.stderr));
    }
    let ended = run(&["stop", "--force"]);
    let said = text(&ended.stdout);
    assert!(
        ended.status.success() && said.contains(&supervisor.id.to_string()),
        "{said}{}",
        text(&ended.stderr)
    );
    assert!(!process::is_alive(supervisor.id));
    let again = run(&["stop", "--force"]);
    assert!(text(&again.stdout).contains("No supervisor runs"), "{}", text(&again.stdout));

    assert!(run(&["serve"]).status.success());
    let (client, events) = connect_unix(&socket).await.unwrap();
    drop(events);
    let sessions = client.sessions().await.unwrap();
    let view = sessions.iter().find(|view| view.session_id == session).unwrap();
    assert!(matches!(view.child, ChildState::Running { .. }), "{view:?}");
}
