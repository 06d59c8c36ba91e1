//! `authdeck serve` and `authdeck stop`: one supervisor in the background, however many want one.

use std::process::{Child, Output, Stdio};
use std::time::Duration;

use authdeck::client::{Client, Events, connect_unix};
use authdeck::core::ids::SessionId;
use authdeck::protocol::request::StartSession;

use super::common::env::Home;
use super::common::process::{self, list};
use super::common::wait::{GENEROUS, wait_until};

fn authdeck(home: &Home, arguments: &[&str]) -> Output {
    home.authdeck(arguments.iter().copied()).stdin(Stdio::null()).output().unwrap()
}

fn succeeds(home: &Home, arguments: &[&str]) -> String {
    let output = authdeck(home, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

async fn attach(home: &Home) -> (Client, Events) {
    let socket = home.runtime().join("authdeck/supervisor.sock");
    connect_unix(&socket).await.unwrap_or_else(|error| panic!("{error}\n{}", list(&home.processes())))
}

async fn start(home: &Home, script: &str) -> SessionId {
    let (client, _events) = attach(home).await;
    let command = ["/bin/sh", "-c", script].map(str::to_owned).into();
    client.start(StartSession { command, ..StartSession::default() }).await.unwrap().session_id
}

#[test]
fn of_twenty_that_start_at_once_one_wins_and_the_others_attach() {
    let home = Home::new();
    let start = |_| home.authdeck(["serve"]).stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let all: Vec<Child> = (0..20).map(start).collect();
    for one in all {
        let output = one.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(said.starts_with("The supervisor runs"), "{said}");
    }
    // Those that lost may not have ended yet.
    wait_until("one is left", || home.supervisors().len() == 1, || list(&home.supervisors()));
    assert!(succeeds(&home, &["serve"]).contains("runs already"));
}

#[test]
fn it_holds_nothing_of_whoever_started_it() {
    let home = Home::new();
    // The pipe's other end would not be closed for as long as the supervisor holds this one.
    let said = succeeds(&home, &["serve"]);
    assert!(said.contains("/authdeck/supervisor.sock"), "{said}");
    let supervisor = home.supervisors().remove(0);
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", supervisor.id)).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    let (group, session, terminal) = (fields[2], fields[3], fields[4]);
    let id = supervisor.id.to_string();
    assert_eq!((group, session, terminal), (id.as_str(), id.as_str(), "0"));
    assert_eq!(std::fs::read_link(format!("/proc/{id}/cwd")).unwrap(), std::path::Path::new("/"));
    // Standard error is given up last, once nothing can go wrong any more.
    let streams = || (0..3).map(|stream| std::fs::read_link(format!("/proc/{id}/fd/{stream}")).unwrap());
    wait_until(
        "its streams lead nowhere",
        || streams().all(|open| open == std::path::Path::new("/dev/null")),
        || format!("{:?}", streams().collect::<Vec<_>>()),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_asks_if_logins_are_live_and_leaves_them() {
    let home = Home::new();
    assert_eq!(succeeds(&home, &["stop"]), "No supervisor runs.\n");
    succeeds(&home, &["serve"]);
    let session = start(&home, "exec cat").await;

    let refused = authdeck(&home, &["stop"]);
    assert_eq!(refused.status.code(), Some(5));
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("One login is live") && said.contains("--yes"), "{said}");
    assert_eq!(home.supervisors().len(), 1);

    assert_eq!(succeeds(&home, &["stop", "--yes"]), "The supervisor was stopped.\n");
    wait_until("it has ended", || home.supervisors().is_empty(), || list(&home.processes()));
    assert_eq!(home.children().len(), 1);

    succeeds(&home, &["serve"]);
    let (client, _events) = attach(&home).await;
    assert_eq!(client.sessions().await.unwrap()[0].session_id, session);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_nothing_to_do_and_nobody_there_it_ends_by_itself() {
    let home = Home::new();
    home.write_config("[limits]\nidle_seconds = 1\n");
    succeeds(&home, &["serve"]);
    let (client, events) = attach(&home).await;
    let command = ["/bin/sh", "-c", "read line"].map(str::to_owned).into();
    let started = client.start(StartSession { command, ..StartSession::default() }).await.unwrap();
    let supervisor = home.supervisors().remove(0).id;

    // A live login keeps it, with nobody attached; then somebody attached, with nothing live.
    drop((client, events));
    let is_there = || process::is_alive(supervisor);
    let evidence = || list(&home.processes());
    super::common::wait::holds_for("a live login keeps it", Duration::from_secs(2), is_there, evidence);
    let (client, events) = attach(&home).await;
    client.kill(&started.session_id, true).await.unwrap();
    wait_until("the child is gone", || home.children().is_empty(), evidence);
    super::common::wait::holds_for("a client keeps it", Duration::from_secs(2), is_there, evidence);
    drop((client, events));
    wait_until("it has ended", || !is_there(), evidence);
    assert!(!home.runtime().join("authdeck/supervisor.sock").exists());
}

#[test]
fn in_the_foreground_it_serves_until_it_is_told_to_end() {
    let home = Home::new();
    let mut serving = home.authdeck(["serve", "--foreground"]).stdin(Stdio::null()).spawn().unwrap();
    let socket = home.runtime().join("authdeck/supervisor.sock");
    wait_until("it serves", || socket.exists(), || list(&home.processes()));
    assert!(succeeds(&home, &["serve"]).contains("runs already"));
    let second = authdeck(&home, &["serve", "--foreground"]);
    assert_eq!(second.status.code(), Some(1));
    process::signal(serving.id(), "TERM");
    let ended = super::common::wait::wait_for("it has ended", GENEROUS, || {
        serving.try_wait().unwrap().ok_or_else(|| list(&home.processes()))
    });
    assert!(ended.success(), "{ended}");
    assert!(!socket.exists());
}

#[test]
fn a_folder_that_others_may_enter_is_refused_with_the_reason() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = Home::new();
    let folder = home.runtime().join("authdeck");
    std::fs::create_dir(&folder).unwrap();
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o777)).unwrap();
    let refused = authdeck(&home, &["serve"]);
    let said = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(said.contains("is not safe: other users may enter it"), "{said}");
    assert!(home.processes().is_empty(), "{}", list(&home.processes()));
}
