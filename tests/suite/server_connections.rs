//! The server with real connections and real sessions: requests, events, screens, and clients that misbehave.

use std::os::unix::fs::PermissionsExt as _;

use authdeck::client::{ClientError, ClientEvent};
use authdeck::core::ids::{ChallengeId, SessionId};
use authdeck::core::secret::Secret;
use authdeck::core::status::Status;
use authdeck::protocol::error;
use authdeck::protocol::event::Event;
use authdeck::protocol::method::{Request, session};
use authdeck::protocol::request::{Focus, ParkChallenge, StartSession};
use authdeck::protocol::snapshot::{ChallengeKind, ChildState};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::time::timeout;

use super::common::env::Home;
use super::common::served::{Raw, Served, text_of};
use super::common::wait::GENEROUS;

fn parked(id: &str) -> ParkChallenge {
    ParkChallenge {
        challenge_id: ChallengeId::new(id),
        owner: None,
        kind: ChallengeKind::Text,
        title: "test".into(),
        message: "who?".into(),
        origin: None,
        realm: None,
        proxy: false,
        requester: None,
        limit_seconds: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nonsense_is_refused_by_code_and_the_connection_lives_on() {
    let home = Home::new();
    let supervisor = Served::start(&home).await;
    let mut raw = Raw::connect(&supervisor).await;
    let cases = [
        ("{nonsense", error::PARSE, Value::Null),
        (r#"{"jsonrpc":"2.0","id":1}"#, error::INVALID_REQUEST, json!(1)),
        (r#"{"jsonrpc":"2.0","id":"x","method":"session.fly"}"#, error::METHOD_NOT_FOUND, json!("x")),
        (r#"{"jsonrpc":"2.0","id":2,"method":"session.kill","params":{}}"#, error::INVALID_PARAMS, json!(2)),
        (
            r#"{"jsonrpc":"2.0","id":3,"method":"session.explain","params":{"sessionId":"auth-none"}}"#,
            error::NOT_FOUND,
            json!(3),
        ),
    ];
    for (text, code, id) in cases {
        raw.say(text).await;
        let answer = raw.hear().await.unwrap();
        assert_eq!((&answer["id"], &answer["error"]["code"]), (&id, &json!(code)), "{text}: {answer}");
        assert_eq!(answer["jsonrpc"], "2.0");
    }
    raw.say(r#"{"jsonrpc":"2.0","id":4,"method":"session.poll","params":{"sessionId":"auth-none"}}"#).await;
    assert_eq!(raw.hear().await.unwrap(), json!({"jsonrpc": "2.0", "id": 4, "result": null}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_credential_ends_the_connection() {
    let home = Home::new();
    let supervisor = Served::start(&home).await;
    let (client, mut events) = supervisor.connect().await;
    let session = Some(SessionId::new("auth-x"));
    let refused = client.hello(Some(Secret::new("guessed")), session).await.unwrap_err();
    assert!(matches!(refused, ClientError::Refused(reason) if reason.code == error::UNAUTHENTICATED));
    assert!(matches!(events.next().await, Some(ClientEvent::Closed(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_version_is_told_and_sent_away() {
    let home = Home::new();
    let supervisor = Served::start(&home).await;
    let mut raw = Raw::connect(&supervisor).await;
    raw.say(r#"{"jsonrpc":"2.0","id":1,"method":"hello","params":{"protocol":99}}"#).await;
    let answer = raw.hear().await.unwrap();
    assert!(answer["error"]["message"].as_str().unwrap().contains("version 1 of the protocol"), "{answer}");
    assert!(raw.hear().await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_web_page_is_refused() {
    let home = Home::new();
    let supervisor = Served::start(&home).await;
    let mut stream = UnixStream::connect(supervisor.socket()).await.unwrap();
    let upgrade = "GET /api/ws HTTP/1.1\r\nHost: authdeck\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                   Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
                   Origin: http://evil.example\r\n\r\n";
    stream.write_all(upgrade.as_bytes()).await.unwrap();
    let mut answer = String::new();
    timeout(GENEROUS, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_socket_is_the_persons_own_and_replaces_a_stale_one() {
    let home = Home::new();
    let supervisor = Served::start(&home).await;
    let socket = supervisor.socket().to_owned();
    assert_eq!(std::fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    supervisor.stop().await;
    // As a supervisor leaves it that was killed.
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    let next = Served::start(&home).await;
    let (client, _events) = next.connect().await;
    assert!(client.sessions().await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_started_shown_typed_into_and_killed() {
    let home = Home::new();
    let supervisor = Served::start(&home).await;
    let mut deck = supervisor.watch().await;
    let session = deck.start("echo ready; exec cat").await;
    deck.client.focus(Some(&session)).unwrap();
    deck.wait_screen("the first line", |update| text_of(update).contains("ready")).await;

    deck.client.input(&session, b"typed here\r").unwrap();
    deck.wait_screen("the echo", |update| text_of(update).contains("typed here")).await;
    assert!(deck.client.transcript(&session).await.unwrap().contains("typed here"));

    assert!(deck.client.kill(&session, true).await.unwrap());
    deck.wait_event("the child's end", |event| match event {
        Event::SessionChanged { session: view } => (view.child == ChildState::Killed).then_some(()),
        Event::SessionAdded { .. }
        | Event::SessionRemoved { .. }
        | Event::ChallengeParked { .. }
        | Event::ChallengeEnded { .. }
        | Event::BundleStored { .. }
        | Event::SupervisorStopping {}
        | Event::Notice { .. } => None,
    })
    .await;
    let polled = deck.client.poll(&session).await.unwrap().unwrap();
    assert!(matches!(polled.status, Status::Failed { .. }), "{polled:?}");
    assert!(deck.client.remove(&session).await.unwrap());
    assert_eq!(deck.client.poll(&session).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_arrive_in_the_order_in_which_they_were_typed() {
    let home = Home::new();
    let supervisor = Served::start(&home).await;
    let deck = supervisor.watch().await;
    let file = home.work().join("typed");
    let session =
        deck.start(&format!("stty -echo; echo go; head -n 1 > {}; echo done", file.display())).await;
    let mut deck = deck;
    deck.client.focus(Some(&session)).unwrap();
    deck.wait_screen("the prompt", |update| text_of(update).contains("go")).await;
    let expected: String = (0..200).map(|number| format!("{number},")).collect();
    for key in expected.as_bytes() {
        deck.client.input(&session, &[*key]).unwrap();
    }
    deck.client.input(&session, b"\r").unwrap();
    deck.wait_screen("the end", |update| text_of(update).contains("done")).await;
    assert_eq!(std::fs::read_to_string(file).unwrap().trim_end(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_is_not_there_is_refused_with_what_to_do() {
    let home = Home::new();
    let supervisor = Served::start(&home).await;
    let (client, _events) = supervisor.connect().await;
    let session = StartSession { command: vec!["no-such-cli".into()], ..StartSession::default() };
    let ClientError::Refused(reason) = client.start(session).await.unwrap_err() else {
        panic!("not refused by the supervisor");
    };
    assert_eq!(reason.code, error::CANNOT_START);
    assert!(reason.message.contains("no-such-cli"), "{reason:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_read_holds_up_nobody_and_is_resynchronised() {
    let home = Home::new();
    let supervisor = Served::start(&home).await;
    let mut sleeper = Raw::connect(&supervisor).await;
    sleeper.say(r#"{"jsonrpc":"2.0","id":1,"method":"events.subscribe","params":{}}"#).await;
    assert_eq!(sleeper.hear().await.unwrap()["result"]["challenges"], json!([]));

    // Far more than fits into the sleeper's socket and backlog.
    let (client, _events) = supervisor.connect().await;
    let mut challenge = parked("again");
    challenge.message = "x".repeat(1_000);
    for _ in 0..4_000 {
        client.park_challenge(challenge.clone()).await.unwrap();
    }
    assert_eq!(client.pending_challenges().await.unwrap(), 1);

    let mut last = 0;
    let snapshot = loop {
        let told = sleeper.hear().await.expect("the connection ended");
        match told["method"].as_str() {
            Some("event") => {
                let sequence = told["params"]["sequence"].as_u64().unwrap();
                assert!(last == 0 || sequence == last + 1, "a gap without a word: {last}, {sequence}");
                last = sequence;
            }
            Some("resync") => break told["params"].clone(),
            _ => panic!("{told}"),
        }
    };
    assert!(snapshot["sequence"].as_u64().unwrap() > last + 1);
    assert_eq!(snapshot["challenges"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_acknowledges_gets_no_more_screens_than_it_takes() {
    let home = Home::new();
    let supervisor = Served::start(&home).await;
    let deck = supervisor.watch().await;
    let session = deck.start("n=0; while :; do n=$((n+1)); echo line $n; sleep 0.01; done").await;
    let mut raw = Raw::connect(&supervisor).await;
    let focus = Request::Session(session::Request::Focus(Focus {
        session_id: Some(session.clone()),
        acknowledged: true,
    }));
    let frame = authdeck::protocol::encode::request(Some(1), &focus);
    raw.say(std::str::from_utf8(&frame).unwrap()).await;
    // Some small ones are sent unasked; the child goes on all the time, so one comes that is to be acknowledged.
    let (mut asked, mut answered) = (false, false);
    while !asked || !answered {
        let told = raw.hear().await.unwrap();
        asked |= told["method"] == "screen" && told["params"]["acknowledge"] == true;
        answered |= told["id"] == 1;
    }
    // This answer would come behind any further screen.
    let mut deck = deck;
    deck.client.focus(Some(&session)).unwrap();
    deck.wait_screen("much more output", |update| text_of(update).contains("line 130")).await;
    raw.say(r#"{"jsonrpc":"2.0","id":2,"method":"challenge.pending","params":{}}"#).await;
    assert_eq!(raw.hear().await.unwrap()["id"], 2, "a further screen came before the last was taken");
    raw.say(r#"{"jsonrpc":"2.0","method":"screen.taken","params":{}}"#).await;
    assert_eq!(raw.hear().await.unwrap()["method"], "screen");
    deck.client.kill(&session, true).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_one_who_parked_hears_the_answer() {
    let home = Home::new();
    let supervisor = Served::start(&home).await;
    let (asker, _asker_events) = supervisor.connect().await;
    let (other, _other_events) = supervisor.connect().await;
    let arming = asker.park_challenge(parked("mine")).await.unwrap();
    assert!(matches!(other.wait_challenge(&arming).await, Err(ClientError::Refused(_))));
    assert_eq!(other.pending_challenges().await.unwrap(), 1);
    drop((asker, _asker_events));
    // Its owner's connection is closed, so it waits no longer (behaviour C5).
    let closed = async {
        while other.pending_challenges().await.unwrap() > 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(GENEROUS, closed).await.expect("still parked");
}
