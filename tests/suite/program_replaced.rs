//! The program's file is deleted or replaced while logins live: what it starts goes on as the version that runs.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use authdeck::client::{Client, connect_unix};
use authdeck::core::ids::SessionId;
use authdeck::core::secret::Secret;
use authdeck::protocol::request::{AnswerChallenge, StartSession};

use super::common::env::{AUTHDECK, Home};
use super::common::wait::{GENEROUS, wait_until};

async fn start(client: &Client, script: &str) -> SessionId {
    let command = ["/bin/sh", "-c", script].map(str::to_owned).into();
    client.start(StartSession { command, ..StartSession::default() }).await.unwrap().session_id
}

async fn printed(client: &Client, session: &SessionId, text: &str) {
    let begun = Instant::now();
    loop {
        let transcript = client.transcript(session).await.unwrap();
        if transcript.contains(text) {
            return;
        }
        assert!(begun.elapsed() < GENEROUS, "never printed: {text}\n{transcript}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Answers the one question that is parked.
async fn answer(client: &Client) {
    let begun = Instant::now();
    loop {
        if let [challenge] = &client.challenges().await.unwrap()[..] {
            let answer = AnswerChallenge {
                challenge_id: challenge.challenge_id.clone(),
                epoch: Some(challenge.epoch),
                user: None,
                secret: Some(Secret::new("0123456789")),
            };
            assert!(client.answer_challenge(answer).await.unwrap());
            return;
        }
        assert!(begun.elapsed() < GENEROUS, "nothing was parked");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn install(from: &Path, to: &Path) {
    let fresh = to.with_extension("fresh");
    fs::copy(from, &fresh).unwrap();
    fs::set_permissions(&fresh, fs::Permissions::from_mode(0o755)).unwrap();
    fs::rename(fresh, to).unwrap();
}

#[tokio::test]
async fn logins_go_on_when_the_program_is_replaced_and_when_it_is_deleted() {
    const ASK: &str =
        r#"read go; answer=$("$SSH_ASKPASS" "Password of it: "); echo "it has ${#answer}"; read end"#;
    let home = Home::new();
    let program = home.path().join("authdeck-here");
    install(Path::new(AUTHDECK), &program);
    let started = home.command(&program).arg("serve").stdin(Stdio::null()).output().unwrap();
    assert!(started.status.success(), "{started:?}");
    let place = home.runtime().join("authdeck");
    let (client, events) = connect_unix(&place.join("supervisor.sock")).await.unwrap();
    drop(events);
    let (first, second) = (start(&client, ASK).await, start(&client, ASK).await);

    for (session, what) in [(&first, "replaced"), (&second, "deleted")] {
        match what {
            "replaced" => install(Path::new("/bin/false"), &program),
            _ => fs::remove_file(&program).unwrap(),
        }
        let link = || fs::read_link(place.join("bin/authdeck-askpass")).unwrap_or_default();
        wait_until(
            "the links lead to a program that is there",
            || link() == place.join("bin/authdeck"),
            || link().display().to_string(),
        );
        let _typed: bool = client.input(session, b"go\r").unwrap().wait().await.unwrap();
        answer(&client).await;
        printed(&client, session, "it has 10").await;
        let fresh = start(&client, &format!("echo new-after-$((1 + 1))-{what}; read end")).await;
        printed(&client, &fresh, &format!("new-after-2-{what}")).await;
    }
}
