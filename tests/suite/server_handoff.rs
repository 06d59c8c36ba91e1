//! `authdeck upgrade`: another process takes the supervisor's place, and no client notices; or it does not, and the old
//! one serves on.

use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::process::{Child, Stdio};

use authdeck::client::{Client, ClientError, ClientEvent, Events, connect_unix};
use authdeck::core::ids::{ChallengeId, ProviderId, SessionId};
use authdeck::core::secret::Secret;
use authdeck::protocol::event::Event;
use authdeck::protocol::request::{AnswerChallenge, ChallengeAnswer, ParkChallenge, Parked, StartSession};
use authdeck::protocol::snapshot::{ChallengeKind, Snapshot};
use serde_json::json;
use tokio::time::timeout;

use super::common::env::{Home, TAG};
use super::common::http::Socket;
use super::common::peer;
use super::common::process::list;
use super::common::served::text_of;
use super::common::servers::free_port;
use super::common::wait::{GENEROUS, wait_until};

/// How many calls with a large answer one client makes before it reads.
const SLOW_CALLS: u64 = 6;

/// How many clients, and how many challenges.
const MANY: usize = 20;

async fn serve(home: &Home) -> u32 {
    let started = home.authdeck(["serve"]).stdin(Stdio::null()).output().unwrap();
    assert!(started.status.success(), "{started:?}");
    supervisor(home)
}

fn supervisor(home: &Home) -> u32 {
    let found = home.supervisors();
    assert_eq!(found.len(), 1, "{}", list(&found));
    found[0].id
}

fn socket(home: &Home) -> std::path::PathBuf {
    home.runtime().join("authdeck/supervisor.sock")
}

/// A client that has subscribed, looks at a session, and has parked a challenge for whose end it waits.
struct Attached {
    client: Client,
    events: Events,
    snapshot: Snapshot,
    parked: Parked,
    answer: tokio::task::JoinHandle<Result<ChallengeAnswer, ClientError>>,
}

impl Attached {
    async fn new(home: &Home, number: usize, look_at: &SessionId) -> Self {
        let (client, events) = connect_unix(&socket(home)).await.unwrap();
        let challenge = ParkChallenge {
            challenge_id: ChallengeId::new(format!("challenge-{number}")),
            owner: None,
            kind: ChallengeKind::Secret,
            title: format!("number {number}"),
            message: "Password:".into(),
            origin: None,
            realm: None,
            proxy: false,
            requester: None,
            limit_seconds: None,
        };
        let parked = client.park_challenge(challenge).await.unwrap();
        let snapshot = client.subscribe().await.unwrap();
        client.focus(Some(look_at)).unwrap().wait::<bool>().await.unwrap();
        let answer = tokio::spawn({
            let (client, parked) = (client.clone(), parked.clone());
            async move { client.wait_challenge(&parked).await }
        });
        Self { client, events, snapshot, parked, answer }
    }

    /// Takes events until `wanted` gives a value, and makes sure that they are numbered without a gap.
    async fn until<T>(
        &mut self,
        what: &str,
        last: &mut u64,
        mut wanted: impl FnMut(&ClientEvent) -> Option<T>,
    ) -> T {
        let search = async {
            loop {
                let told = self.events.next().await.unwrap();
                match &told {
                    ClientEvent::Event(event) => {
                        assert_eq!(event.sequence, *last + 1, "a gap before {event:?}");
                        *last = event.sequence;
                    }
                    ClientEvent::Resync(_) => panic!("this client was not slow"),
                    ClientEvent::Closed(reason) => panic!("disconnected before {what}: {reason}"),
                    ClientEvent::Complaint(error) => panic!("{error:?}"),
                    ClientEvent::Screen(_) => {}
                }
                if let Some(found) = wanted(&told) {
                    return found;
                }
            }
        };
        timeout(GENEROUS, search).await.unwrap_or_else(|_| panic!("not within {GENEROUS:?}: {what}"))
    }
}

fn screen_has(told: &ClientEvent, text: &str) -> Option<()> {
    let ClientEvent::Screen(update) = told else { return None };
    text_of(update).contains(text).then_some(())
}

fn has_ended(told: &ClientEvent, challenge: &ChallengeId) -> Option<()> {
    let ClientEvent::Event(numbered) = told else { return None };
    let Event::ChallengeEnded { challenge_id, .. } = &numbered.event else { return None };
    (challenge_id == challenge).then_some(())
}

/// A client that writes its frames by hand.
struct Raw(UnixStream);

impl Raw {
    fn connect(home: &Home) -> Self {
        let mut stream = UnixStream::connect(socket(home)).unwrap();
        stream.set_read_timeout(Some(GENEROUS)).unwrap();
        let head = "GET /api/ws HTTP/1.1\r\nHost: authdeck\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            answer.push(byte[0]);
        }
        assert!(answer.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&answer));
        Self(stream)
    }

    /// A text frame, masked with zeroes.
    fn frame(text: &str) -> Vec<u8> {
        let mut frame = vec![0x81];
        match u16::try_from(text.len()).unwrap() {
            short @ ..126 => frame.push(0x80 | u8::try_from(short).unwrap()),
            long => {
                frame.push(0x80 | 126);
                frame.extend(long.to_be_bytes());
            }
        }
        frame.extend([0; 4]);
        frame.extend(text.as_bytes());
        frame
    }

    fn hear(&mut self) -> serde_json::Value {
        let mut head = [0; 2];
        self.0.read_exact(&mut head).unwrap();
        let length = match head[1] {
            127 => {
                let mut long = [0; 8];
                self.0.read_exact(&mut long).unwrap();
                u64::from_be_bytes(long)
            }
            126 => {
                let mut medium = [0; 2];
                self.0.read_exact(&mut medium).unwrap();
                u64::from(u16::from_be_bytes(medium))
            }
            short => u64::from(short),
        };
        let mut text = vec![0; usize::try_from(length).unwrap()];
        self.0.read_exact(&mut text).unwrap();
        serde_json::from_slice(&text).unwrap()
    }
}

fn upgrade(home: &Home) -> Child {
    home.authdeck(["upgrade"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn shell(script: &str) -> StartSession {
    let command = ["/bin/sh", "-c", script].map(str::to_owned).into();
    StartSession { command, ..StartSession::default() }
}

fn answer_of(secret: &str, parked: &Parked) -> AnswerChallenge {
    AnswerChallenge {
        challenge_id: parked.challenge_id.clone(),
        epoch: Some(parked.epoch),
        user: None,
        secret: Some(Secret::new(secret)),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_clients_and_twenty_challenges_do_not_notice_another_process() {
    let home = Home::new();
    let old = serve(&home).await;
    let (starter, _events) = connect_unix(&socket(&home)).await.unwrap();
    let session =
        starter.start(shell("echo said before; while read line; do echo got $line; done")).await.unwrap();
    let session = session.session_id;
    let printed = starter.start(shell("seq 10000 29999")).await.unwrap().session_id;
    while !starter.transcript(&printed).await.unwrap().contains("29999") {
        tokio::task::yield_now().await;
    }
    let mut clients = Vec::new();
    for number in 0..MANY {
        clients.push(Attached::new(&home, number, &session).await);
    }
    let before = starter.subscribe().await.unwrap();
    let child = home.children();

    // One has sent half of a frame, and half of a long one with the other half in sight.
    let mut raw = Raw::connect(&home);
    let call = Raw::frame(r#"{"jsonrpc":"2.0","id":7,"method":"challenge.pending","params":{}}"#);
    raw.0.write_all(&call[..20]).unwrap();
    let mut long = Raw::connect(&home);
    let padding = "x".repeat(60_000);
    let call_of_length = Raw::frame(&format!(
        r#"{{"jsonrpc":"2.0","id":8,"method":"challenge.pending","params":{{"p":"{padding}"}}}}"#
    ));
    long.0.write_all(&call_of_length[..40_000]).unwrap();

    // One has asked for far more than it reads.
    let mut slow = Raw::connect(&home);
    for id in 1..=SLOW_CALLS {
        let params = serde_json::json!({"sessionId": printed});
        let call =
            serde_json::json!({"jsonrpc": "2.0", "id": id, "method": "session.recording", "params": params});
        slow.0.write_all(&Raw::frame(&call.to_string())).unwrap();
    }
    assert_eq!(slow.hear()["id"], 1);

    let done = upgrade(&home).wait_with_output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    wait_until("the old one has ended", || home.supervisors().len() == 1, || list(&home.supervisors()));
    let new = supervisor(&home);
    assert_ne!(new, old);

    // The same challenges: ids, epochs, owners' sessions, and when they end.
    let after = starter.subscribe().await.unwrap();
    assert_eq!(after.challenges, before.challenges);
    assert_eq!(after.challenges.len(), MANY);
    assert!(after.sequence >= before.sequence, "{} {}", before.sequence, after.sequence);
    let statuses = |snapshot: &Snapshot| {
        snapshot.sessions.iter().map(|one| (one.session_id.clone(), one.status.clone())).collect::<Vec<_>>()
    };
    assert_eq!(statuses(&after), statuses(&before));
    assert_eq!(home.children(), child);

    for id in 2..=SLOW_CALLS {
        let answer = slow.hear();
        assert_eq!(answer["id"], id);
        assert!(answer["result"].as_str().unwrap().contains("29999"), "{id}");
    }
    raw.0.write_all(&call[20..]).unwrap();
    long.0.write_all(&call_of_length[40_000..]).unwrap();
    assert_eq!((raw.hear()["id"].clone(), long.hear()["id"].clone()), (7.into(), 8.into()));

    // Each goes on being told, in order; sees the child's screen change; and hears the answer that it waited for.
    starter.input(&session, b"more\r").unwrap().wait::<bool>().await.unwrap();
    for (number, mut one) in clients.into_iter().enumerate() {
        let mut last = one.snapshot.sequence;
        one.until("the child's screen", &mut last, |told| screen_has(told, "got more")).await;
        let given = format!("answer {number}");
        assert!(starter.answer_challenge(answer_of(&given, &one.parked)).await.unwrap());
        let heard = timeout(GENEROUS, &mut one.answer).await.unwrap().unwrap().unwrap();
        assert!(
            matches!(&heard, ChallengeAnswer::Answered { secret, .. } if secret.secret() == given),
            "{heard:?}"
        );
        let id = one.parked.challenge_id.clone();
        one.until("the end of its challenge", &mut last, |told| has_ended(told, &id)).await;
        assert_eq!(one.client.sessions().await.unwrap().len(), 2);
    }
    let transcript = starter.transcript(&session).await.unwrap();
    assert_eq!(transcript, "said before\nmore\ngot more\n");
    assert_eq!(starter.pending_challenges().await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_can_be_done_again_and_again_while_children_print_and_clients_type() {
    let home = Home::new();
    serve(&home).await;
    let (client, mut events) = connect_unix(&socket(&home)).await.unwrap();
    let session = client
        .start(shell("stty -echo; echo ready; while read line; do echo got $line; done"))
        .await
        .unwrap()
        .session_id;
    while !client.transcript(&session).await.unwrap().contains("ready") {
        tokio::task::yield_now().await;
    }
    client.subscribe().await.unwrap();
    let listening = tokio::spawn(async move {
        while let Some(told) = events.next().await {
            assert!(!matches!(told, ClientEvent::Closed(_) | ClientEvent::Resync(_)), "{told:?}");
        }
    });
    let typing = tokio::spawn({
        let (client, session) = (client.clone(), session.clone());
        async move {
            for number in 0..200 {
                let typed = client.input(&session, format!("{number}\r").as_bytes()).unwrap();
                assert!(typed.wait::<bool>().await.unwrap());
            }
        }
    });
    for _ in 0..3 {
        let done = upgrade(&home).wait_with_output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
    timeout(GENEROUS, typing).await.unwrap().unwrap();
    let whole = async {
        loop {
            let transcript = client.transcript(&session).await.unwrap();
            if transcript.contains("got 199") {
                return transcript;
            }
            tokio::task::yield_now().await;
        }
    };
    let transcript = timeout(GENEROUS, whole).await.unwrap();
    let got: Vec<&str> = transcript.lines().filter_map(|line| line.strip_prefix("got ")).collect();
    let expected: Vec<String> = (0..200).map(|number| number.to_string()).collect();
    assert_eq!(got, expected, "each line once, in order\n{transcript}");
    assert!(!listening.is_finished(), "the client was disconnected");
}

/// A program that speaks the new process's side, up to a point.
const SUCCESSOR: &str = r#"
import json, os, socket, struct, sys, time
channel = socket.socket(fileno=0)
def send(message):
    text = json.dumps(message).encode()
    channel.sendall(struct.pack('<I', len(text)) + text)
def receive():
    head, descriptors, _, _ = socket.recv_fds(channel, 4, 1)
    if len(head) < 4: sys.exit('the old one has gone')
    length, text = struct.unpack('<I', head)[0], b''
    while len(text) < length: text += channel.recv(length - len(text))
    return json.loads(text)
send({'type': 'hello', 'format': 2})
tokens = []
while True:
    message = receive()
    if message['type'] == 'item': tokens.append(message['token'])
    if message['type'] == 'end': break
taken = lambda token: send({'type': 'taken', 'token': token})
"#;

/// Has the supervisor replaced by a script; returns why that was refused.
async fn refused(client: &Client, home: &Home, script: &str) -> String {
    let path = home.write_script("work/successor", script);
    let outcome = client.upgrade_supervisor(Some(path.to_string_lossy().into_owned())).await;
    match outcome {
        Err(ClientError::Refused(reason)) => reason.message,
        other => panic!("{other:?}"),
    }
}

const PYTHON: &str = "#!/usr/bin/env python3\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_program_that_does_not_prove_itself_changes_nothing() {
    let test = "a_new_program_that_does_not_prove_itself_changes_nothing";
    if !peer::has(test, &["python3", "sh"]) {
        return;
    }
    let python = |rest: &str| format!("{PYTHON}{SUCCESSOR}{rest}");
    let hello = r#"printf '\036\0\0\0{"type":"hello","format":9999}' >&0; exec sleep 1000"#;
    serves_on_after(&[
        ("ends at once", "#!/bin/sh\necho no such library >&2; exit 3".into(), "ended: no such library"),
        ("knows another form", format!("#!/bin/sh\n{hello}"), "does not know this form"),
        ("crashes with everything in its hands", python("os.abort()"), "ended"),
        (
            "shows a wrong token",
            python("taken('AAAAAAAAAAAAAAAAAAAAAA'); time.sleep(1000)"),
            "not the one that was",
        ),
        ("shows what is no token", python("taken('x'); time.sleep(1000)"), "not the one that was"),
        (
            "shows a used token",
            python("taken(tokens[0]); taken(tokens[0]); time.sleep(1000)"),
            "not the one that was expected",
        ),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_program_that_hangs_or_comes_late_changes_nothing() {
    if !peer::has("a_new_program_that_hangs_or_comes_late_changes_nothing", &["python3", "sh"]) {
        return;
    }
    let late = "[taken(token) for token in tokens[:-1]]; time.sleep(6); taken(tokens[-1]); time.sleep(1000)";
    serves_on_after(&[
        ("hangs at once", "#!/bin/sh\nexec sleep 1000".into(), "did not answer within 5 s"),
        (
            "shows all tokens but one, and that one late",
            format!("{PYTHON}{SUCCESSOR}{late}"),
            "did not answer within 5 s",
        ),
    ])
    .await;
}

/// Tries programs, each with what it does, and what is said of it; after each the old supervisor must serve on.
async fn serves_on_after(cases: &[(&str, String, &str)]) {
    let home = Home::new();
    let old = serve(&home).await;
    let (starter, _events) = connect_unix(&socket(&home)).await.unwrap();
    let session = starter.start(shell("echo here; exec cat")).await.unwrap().session_id;
    let mut one = Attached::new(&home, 1, &session).await;
    for (what, script, reason) in cases {
        let said = refused(&starter, &home, script).await;
        assert!(said.contains(reason), "{what}: {said}");
        assert_eq!(supervisor(&home), old, "{what}");
        let mut left = home.processes();
        left.retain(|one| one.command.contains("successor"));
        assert!(left.is_empty(), "{what}: {}", list(&left));
        // It serves on: those that are there, and new ones.
        assert_eq!(starter.pending_challenges().await.unwrap(), 1, "{what}");
        let (another, _events) = connect_unix(&socket(&home)).await.unwrap();
        assert_eq!(another.sessions().await.unwrap().len(), 1, "{what}");
    }
    let mut last = one.snapshot.sequence;
    starter.input(&session, b"alive\r").unwrap().wait::<bool>().await.unwrap();
    one.until("the child's screen", &mut last, |told| screen_has(told, "alive")).await;
    assert!(starter.answer_challenge(answer_of("late", &one.parked)).await.unwrap());
    let heard = timeout(GENEROUS, one.answer).await.unwrap().unwrap().unwrap();
    assert!(matches!(heard, ChallengeAnswer::Answered { .. }), "{heard:?}");

    // And the real one still can.
    let done = upgrade(&home).wait_with_output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

#[tokio::test]
async fn a_program_that_is_not_there_or_not_named_in_full_is_refused() {
    let home = Home::new();
    serve(&home).await;
    let (client, _events) = connect_unix(&socket(&home)).await.unwrap();
    for (path, reason) in [("/nowhere/authdeck", "cannot be started"), ("authdeck", "absolute path")] {
        let said = client.upgrade_supervisor(Some(path.into())).await.unwrap_err().to_string();
        assert!(said.contains(reason), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_shown_again_how_the_screen_came_to_be() {
    let home = Home::new();
    serve(&home).await;
    let (client, mut events) = connect_unix(&socket(&home)).await.unwrap();
    let session = client.start(shell("seq 1 100000; exec cat")).await.unwrap().session_id;
    client.focus(Some(&session)).unwrap().wait::<bool>().await.unwrap();
    let mut next_screen = async || loop {
        match timeout(GENEROUS, events.next()).await.unwrap().unwrap() {
            ClientEvent::Screen(update) => return text_of(&update),
            ClientEvent::Closed(reason) => panic!("{reason}"),
            ClientEvent::Event(_) | ClientEvent::Resync(_) | ClientEvent::Complaint(_) => {}
        }
    };
    while !next_screen().await.contains("100000") {}
    let done = upgrade(&home).wait_with_output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let first = next_screen().await;
    assert!(first.contains("100000"), "{first}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_with_a_ticket_go_over_too_and_so_does_a_ticket_that_nobody_has_used() {
    let home = Home::new();
    let address: SocketAddr = ([127, 0, 0, 1], free_port()).into();
    let started = home.authdeck(["serve", "--listen", &address.to_string()]).output().unwrap();
    assert!(started.status.success(), "{started:?}");
    let (local, _events) = connect_unix(&socket(&home)).await.unwrap();
    let ticket = async |provider: Option<&str>| {
        let minted = local.mint_ticket(provider.map(ProviderId::new)).await.unwrap();
        minted.ticket.secret().to_owned()
    };
    let open = async |ticket: String| {
        let headers = format!("Host: {address}\r\nSec-WebSocket-Protocol: authdeck, ticket.{ticket}\r\n");
        Socket::open(address, "/api/ws", &headers).await
    };
    let mut all = open(ticket(None).await).await.unwrap();
    let mut bound = open(ticket(Some("gh")).await).await.unwrap();
    let before = all.call("events.subscribe", json!({})).await["result"]["sequence"].as_u64().unwrap();
    let own_before = bound.call("events.subscribe", json!({})).await["result"]["sequence"].as_u64().unwrap();
    let unused = ticket(None).await;

    let done = upgrade(&home).wait_with_output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));

    // The bounded one is still bounded, and its own count of events goes on without a gap.
    local.start(shell("exec cat")).await.unwrap();
    let told = all.told("event").await;
    assert_eq!(told["params"]["sequence"], before + 1);
    assert!(bound.call("challenge.pending", json!({})).await["error"].is_object());
    assert_eq!(bound.call("session.list", json!({})).await["result"]["sessions"], json!([]));
    let again = bound.call("events.subscribe", json!({})).await;
    assert!(again["result"]["sequence"].as_u64().unwrap() >= own_before, "{again}");

    let mut late = open(unused.clone()).await.unwrap_or_else(|refused| panic!("{}", refused.status));
    assert_eq!(late.call("challenge.pending", json!({})).await["result"], 0);
    assert!(open(unused).await.is_err(), "a ticket is used up in the other process too");
}

#[test]
fn without_a_supervisor_there_is_nothing_to_replace() {
    let home = Home::new();
    let done = upgrade(&home).wait_with_output().unwrap();
    assert!(done.status.success());
    assert!(String::from_utf8_lossy(&done.stdout).contains("No supervisor runs"));
    assert!(home.processes().is_empty(), "{}", list(&home.processes()));
}

/// Programs that are this one in other surroundings: each with what differs, and what is said if it is refused. Whether
/// it takes over or not, nobody is disconnected, and nothing that is parked is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_program_in_other_surroundings_costs_nobody_anything() {
    let home = Home::new();
    serve(&home).await;
    let (starter, _events) = connect_unix(&socket(&home)).await.unwrap();
    let session = starter.start(shell("echo here; exec cat")).await.unwrap().session_id;
    let mut one = Attached::new(&home, 1, &session).await;
    let real = env!("CARGO_BIN_EXE_authdeck");
    let cases: [(&str, &str, Option<&str>); 7] = [
        ("no HOME", "unset HOME XDG_STATE_HOME", None),
        ("another runtime folder", "export XDG_RUNTIME_DIR=/nowhere AUTHDECK_RUNTIME_DIR=/nowhere", None),
        ("another home", "export HOME=/nowhere XDG_STATE_HOME=/nowhere XDG_CONFIG_HOME=/nowhere", None),
        ("no environment", "env=-i", None),
        ("little memory", "ulimit -v 4000000", Some("address space")),
        ("hardly any memory", "ulimit -v 30000", Some("the new program")),
        ("few open files", "ulimit -n 20", Some("open files")),
    ];
    for (what, surroundings, refused) in cases {
        let before = supervisor(&home);
        // The tag is how this test finds the process.
        let clear = format!("env -i {TAG}=\"${TAG}\" ");
        let (first, rest) = if surroundings == "env=-i" { ("", &*clear) } else { (surroundings, "") };
        let script = format!("#!/bin/sh\n{first}\nexec {rest}{real} \"$@\"\n");
        let path = home.write_script("work/successor", &script).to_string_lossy().into_owned();
        let outcome = timeout(GENEROUS, starter.upgrade_supervisor(Some(path))).await.unwrap();
        match (outcome, refused) {
            (Ok(true), None) => {
                wait_until(
                    "the old one has ended",
                    || home.supervisors().len() == 1,
                    || list(&home.supervisors()),
                );
                assert_ne!(supervisor(&home), before, "{what}");
            }
            (Err(ClientError::Refused(reason)), Some(text)) => {
                assert!(reason.message.contains(text), "{what}: {}", reason.message);
                assert_eq!(supervisor(&home), before, "{what}");
            }
            other => panic!("{what}: {other:?}"),
        }
        assert_eq!(starter.pending_challenges().await.unwrap(), 1, "{what}");
        assert_eq!(starter.sessions().await.unwrap().len(), 1, "{what}");
    }
    let mut last = one.snapshot.sequence;
    starter.input(&session, b"alive\r").unwrap().wait::<bool>().await.unwrap();
    one.until("the child's screen", &mut last, |told| screen_has(told, "alive")).await;
    assert!(starter.answer_challenge(answer_of("late", &one.parked)).await.unwrap());
    let heard = timeout(GENEROUS, one.answer).await.unwrap().unwrap().unwrap();
    assert!(matches!(heard, ChallengeAnswer::Answered { .. }), "{heard:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn as_many_clients_as_one_process_may_have_go_over_with_a_runtime_folder_that_was_emptied() {
    /// All places that one process gets, but that of the client which asks.
    const CLIENTS: usize = 255;
    let home = Home::new();
    let old = serve(&home).await;
    let (starter, _events) = connect_unix(&socket(&home)).await.unwrap();
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        clients.push(Raw::connect(&home));
    }
    std::fs::remove_dir_all(home.runtime().join("authdeck/bin")).unwrap();
    std::fs::remove_file(socket(&home)).unwrap();
    assert!(timeout(GENEROUS, starter.upgrade_supervisor(None)).await.unwrap().unwrap());
    wait_until("the old one has ended", || home.supervisors().len() == 1, || list(&home.supervisors()));
    assert_ne!(supervisor(&home), old);
    let call = Raw::frame(r#"{"jsonrpc":"2.0","id":7,"method":"challenge.pending","params":{}}"#);
    for client in &mut clients {
        client.0.write_all(&call).unwrap();
        assert_eq!(client.hear()["result"], 0);
    }
}
