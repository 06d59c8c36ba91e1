//! A keeper that is stopped, by its child or by somebody: its login is neither lost nor beyond a kill.

use std::time::{Duration, Instant};

use authdeck::core::ids::SessionId;
use authdeck::protocol::request::StartSession;
use authdeck::protocol::snapshot::{ChildState, SessionView};

use super::common::env::Home;
use super::common::process::{self, Process, list};
use super::common::wait::{GENEROUS, wait_until};
use super::lose_nothing::{serve, supervisor};

fn keeper(home: &Home) -> Process {
    let keepers = || home.processes().into_iter().filter(|one| one.is_authdeck("keeper")).collect::<Vec<_>>();
    wait_until("one keeper", || keepers().len() == 1, || list(&home.processes()));
    keepers().remove(0)
}

async fn start(home: &Home, client: &authdeck::client::Client, script: &str) -> SessionId {
    let command = ["/bin/sh", "-c", script].map(str::to_owned);
    let directory = Some(home.work().display().to_string());
    let start = StartSession { command: command.into(), directory, ..StartSession::default() };
    client.start(start).await.unwrap().session_id
}

async fn wait_for_view(
    client: &authdeck::client::Client,
    what: &str,
    wanted: impl Fn(&SessionView) -> bool,
) -> SessionView {
    let begun = Instant::now();
    loop {
        let sessions = client.sessions().await.unwrap();
        let [view] = &sessions[..] else { panic!("{what}: {sessions:?}") };
        if wanted(view) {
            return view.clone();
        }
        assert!(begun.elapsed() < GENEROUS, "{what}: {view:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_keeper_that_is_stopped_when_the_supervisor_dies_is_waited_for_and_its_login_goes_on() {
    let home = Home::new();
    let client = serve(&home).await;
    let session =
        start(&home, &client, "echo READY; until [ -e go ]; do sleep 0.02; done; echo DONE; exec sleep 1000")
            .await;
    let keeper = keeper(&home);
    process::signal(keeper.id, "STOP");
    let id = supervisor(&home);
    process::signal(id, "KILL");
    wait_until("the supervisor is dead", || !process::is_alive(id), String::new);
    let client = serve(&home).await;
    let view = wait_for_view(&client, "it stays listed", |_| true).await;
    assert!(!view.status.is_terminal() && matches!(view.child, ChildState::Running { .. }), "{view:?}");
    home.write_file("work/go", "");
    process::signal(keeper.id, "CONT");
    let begun = Instant::now();
    while !client.transcript(&session).await.unwrap().contains("DONE") {
        assert!(begun.elapsed() < GENEROUS, "it is not attached again");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(process::is_alive(keeper.id), "the same keeper");
    client.kill(&session, true).await.unwrap();
    wait_for_view(&client, "it can be killed", |view| matches!(view.child, ChildState::Killed)).await;
}

#[tokio::test]
async fn a_child_that_stops_its_keeper_is_killed_all_the_same() {
    let home = Home::new();
    let client = serve(&home).await;
    let session = start(
        &home,
        &client,
        "until [ -e go ]; do sleep 0.02; done; kill -STOP $PPID; echo stopped; exec sleep 1000",
    )
    .await;
    home.write_file("work/go", "");
    let begun = Instant::now();
    while !client.transcript(&session).await.unwrap().contains("stopped") {
        assert!(begun.elapsed() < GENEROUS);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    client.kill(&session, false).await.unwrap();
    wait_for_view(&client, "the kill is over", |view| matches!(view.child, ChildState::Killed)).await;
    let children = || home.children();
    wait_until("nothing of it lives", || children().is_empty(), || list(&children()));
}

#[tokio::test]
async fn a_child_that_stops_its_keeper_again_and_again_is_killed_by_the_supervisor() {
    let home = Home::new();
    let client = serve(&home).await;
    let script = "trap '' TERM; until [ -e go ]; do sleep 0.02; done; echo stopping; while :; do kill -STOP $PPID; done";
    let session = start(&home, &client, script).await;
    home.write_file("work/go", "");
    let begun = Instant::now();
    while !client.transcript(&session).await.unwrap().contains("stopping") {
        assert!(begun.elapsed() < GENEROUS);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    client.kill(&session, true).await.unwrap();
    wait_for_view(&client, "the kill is over", |view| {
        matches!(view.child, ChildState::Killed | ChildState::Lost)
    })
    .await;
    let children = || home.children();
    wait_until("nothing of it lives", || children().is_empty(), || list(&children()));
}
