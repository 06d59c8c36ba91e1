//! Somebody empties the supervisor's folder while it lives: everything that a client, a later supervisor or a child needs
//! of it is made again, and no session is lost.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process::Stdio;

use authdeck::client::{Client, connect_unix};
use authdeck::core::ids::SessionId;
use authdeck::protocol::request::StartSession;
use authdeck::protocol::snapshot::ChildState;

use super::common::env::Home;
use super::common::process::list;
use super::common::wait::{GENEROUS, wait_until};

async fn serve(home: &Home) -> Client {
    let started = home.authdeck(["serve"]).stdin(Stdio::null()).output().unwrap();
    assert!(started.status.success(), "{started:?}");
    connect(home).await
}

async fn connect(home: &Home) -> Client {
    let (client, events) = connect_unix(&home.runtime().join("authdeck/supervisor.sock")).await.unwrap();
    drop(events);
    client
}

async fn start(client: &Client, script: &str) -> SessionId {
    let command = ["/bin/sh", "-c", script].map(str::to_owned).into();
    client.start(StartSession { command, ..StartSession::default() }).await.unwrap().session_id
}

async fn wait_for_text(client: &Client, session: &SessionId, text: &str) {
    let begun = std::time::Instant::now();
    loop {
        let transcript = client.transcript(session).await.unwrap();
        if transcript.contains(text) {
            return;
        }
        assert!(begun.elapsed() < GENEROUS, "never printed: {text}\n{transcript}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

/// Removes a file, or a folder with all that is in it.
fn remove(path: &Path) {
    match if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) } {
        // On a slow machine something of it is made again already.
        Err(error) if matches!(error.kind(), ErrorKind::DirectoryNotEmpty | ErrorKind::NotFound) => {}
        removed => removed.unwrap(),
    }
}

#[tokio::test]
async fn an_emptied_folder_is_made_again_and_no_session_is_lost() {
    let home = Home::new();
    let place = home.runtime().join("authdeck");
    let client = serve(&home).await;
    let live = start(&client, "echo before; read word; echo took $word; read word").await;
    let over = start(&client, "echo all of it").await;
    wait_for_text(&client, &live, "before").await;
    wait_until(
        "the short session is over and kept",
        || place.join(format!("saved/{over}.cast")).exists(),
        || format!("{:?}", fs::read_dir(place.join("saved")).unwrap().collect::<Vec<_>>()),
    );
    let supervisor = home.supervisors();

    for round in ["the folder", "what is in it", "the session's files"] {
        match round {
            "the folder" => remove(&place),
            "what is in it" => {
                for entry in fs::read_dir(&place).unwrap().flatten() {
                    let path = entry.path();
                    remove(&path);
                }
            }
            _ => {
                fs::remove_file(place.join(format!("sessions/{live}/sock"))).unwrap();
                fs::remove_file(place.join(format!("sessions/{live}/token"))).unwrap();
            }
        }
        let needed = [
            "supervisor.sock".to_owned(),
            "supervisor.lock".to_owned(),
            "bin/authdeck-askpass".to_owned(),
            "browser/xdg-open".to_owned(),
            format!("sessions/{live}/sock"),
            format!("sessions/{live}/token"),
            format!("saved/{live}.json"),
            format!("saved/{over}.json"),
            format!("saved/{over}.cast"),
        ];
        let missing = || needed.iter().filter(|name| !place.join(name).exists()).collect::<Vec<_>>();
        wait_until(
            &format!("{round}: all is there again"),
            || missing().is_empty(),
            || format!("{:?}", missing()),
        );
    }

    let again = serve(&home).await;
    let running = home.supervisors();
    assert_eq!(running, supervisor, "{}", list(&running));
    assert_eq!(again.sessions().await.unwrap().len(), 2);
    assert_eq!(client.sessions().await.unwrap().len(), 2, "whoever was connected still is");
    drop(again);

    home.kill_supervisor();
    let next = serve(&home).await;
    let sessions = next.sessions().await.unwrap();
    assert_eq!(sessions.len(), 2, "{sessions:?}");
    let view = sessions.iter().find(|view| view.session_id == live).unwrap();
    assert!(matches!(view.child, ChildState::Running { .. }), "{view:?}");
    let _typed: bool = next.input(&live, b"word\r").unwrap().wait().await.unwrap();
    wait_for_text(&next, &live, "took word").await;
    wait_for_text(&next, &live, "before").await;
    wait_for_text(&next, &over, "all of it").await;
}
