//! Memory that sessions needed is given back when they have gone; and what nobody heard is told to the first who listens.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use authdeck::client::{Client, ClientEvent, Events, connect_unix};
use authdeck::core::view::Event;
use authdeck::protocol::request::StartSession;
use tokio::time::timeout;

use super::common::env::Home;
use super::common::wait::GENEROUS;

const SESSIONS: usize = 40;

async fn serve(home: &Home) -> (Client, Events) {
    let started = home.authdeck(["serve"]).stdin(Stdio::null()).output().unwrap();
    assert!(started.status.success(), "{started:?}");
    connect_unix(&home.runtime().join("authdeck/supervisor.sock")).await.unwrap()
}

/// Resident memory of the supervisor, in bytes.
fn memory(home: &Home) -> u64 {
    let [supervisor] = &home.supervisors()[..] else { panic!("not one supervisor") };
    let status = fs::read_to_string(format!("/proc/{}/status", supervisor.id)).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

/// Runs sessions that print a lot, all at once, and takes them off the list.
async fn sessions_come_and_go(client: &Client, count: usize) {
    const SCRIPT: &str = "i=0; while [ $i -lt 1500 ]; do echo line $i of a session that prints; i=$((i + 1)); done; echo all-printed";
    let mut running = Vec::new();
    for _ in 0..count {
        let command = ["/bin/sh", "-c", SCRIPT].map(str::to_owned).into();
        running.push(
            client.start(StartSession { command, ..StartSession::default() }).await.unwrap().session_id,
        );
    }
    for session in &running {
        while !client
            .sessions()
            .await
            .unwrap()
            .iter()
            .any(|view| view.session_id == *session && view.status.is_terminal())
        {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(client.transcript(session).await.unwrap().contains("all-printed"));
    }
    for session in &running {
        assert!(client.remove(session).await.unwrap());
    }
}

#[tokio::test]
async fn memory_comes_back_when_sessions_have_gone() {
    let home = Home::new();
    let (client, events) = serve(&home).await;
    drop(events);
    // What is made once and kept is there after the first ones.
    timeout(GENEROUS, sessions_come_and_go(&client, 2)).await.unwrap();
    let before = memory(&home);
    timeout(2 * GENEROUS, sessions_come_and_go(&client, SESSIONS)).await.unwrap();
    // A fifth more, and what a page here and there holds.
    let most = before + before / 5 + 2 * 1024 * 1024;
    let mut now = memory(&home);
    for _ in 0..600 {
        if now <= most {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        now = memory(&home);
    }
    panic!("{before} bytes before, {now} after");
}

#[tokio::test]
async fn what_nobody_could_hear_is_told_to_the_first_who_listens() {
    let home = Home::new();
    fs::create_dir_all(home.runtime().join("authdeck/saved")).unwrap();
    for folder in ["authdeck", "authdeck/saved"] {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(home.runtime().join(folder), fs::Permissions::from_mode(0o700)).unwrap();
    }
    home.write_file("run/authdeck/saved/auth-1.json", "{");
    let (client, mut events) = serve(&home).await;
    client.subscribe().await.unwrap();
    let told = async {
        loop {
            match events.next().await {
                Some(ClientEvent::Event(told)) => {
                    if let Event::Notice { text, .. } = told.event {
                        return text;
                    }
                }
                Some(_) => {}
                None => panic!("the connection ended"),
            }
        }
    };
    let text = timeout(GENEROUS, told).await.expect("nothing was told");
    assert!(text.contains("auth-1.json"), "{text}");
}
