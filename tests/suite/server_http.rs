//! HTTP over the Unix socket: one call, and what is refused.

use authdeck::protocol::error;
use authdeck::wire::Wire;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::time::timeout;

use super::common::env::Home;
use super::common::http::{call, exchange, request};
use super::common::peer;
use super::common::served::Served;
use super::common::wait::GENEROUS;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_said_in_a_sentence() {
    let home = Home::new();
    let supervisor = Served::start(&home).await;
    let cases = [
        ("GET", "/", "", 404, "Connect to /api/ws or POST to /api/rpc"),
        ("GET", "/api/ws/more", "", 404, "nothing at this address"),
        ("GET", "/api/rpc", "", 405, "Only POST is answered at this address"),
        ("POST", "/api/ws", "", 405, "Only GET is answered at this address"),
        ("OPTIONS", "/api/rpc", "", 405, "Only POST"),
        ("GET", "/api/ws", "", 426, "To make one call, POST it to /api/rpc"),
        ("POST", "/api/rpc", "Origin: http://evil.example\r\n", 403, "No web page"),
        ("GET", "/nothing", "Origin: null\r\n", 403, "No web page"),
    ];
    for (method, path, headers, status, sentence) in cases {
        let stream = UnixStream::connect(supervisor.socket()).await.unwrap();
        let answer = exchange(stream, &request(method, path, headers, "")).await;
        assert_eq!(answer.status, status, "{method} {path}: {answer:?}");
        assert!(
            answer.body.contains(sentence) && answer.body.ends_with(".\n"),
            "{method} {path}: {answer:?}"
        );
    }
    let stream = UnixStream::connect(supervisor.socket()).await.unwrap();
    let answer = exchange(stream, &request("PUT", "/api/rpc", "", "")).await;
    assert!(answer.head.to_lowercase().contains("\r\nallow: post"), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_without_end_is_refused_with_its_bound() {
    let home = Home::new();
    let supervisor = Served::start(&home).await;
    let answer = call(supervisor.socket(), &" ".repeat(1024 * 1024 + 1)).await;
    assert_eq!(answer.status, 413, "{answer:?}");
    assert!(answer.body.contains("1048576 bytes"), "{answer:?}");
    // It had no effect on anybody else.
    assert_eq!(call(supervisor.socket(), "{}").await.json()["error"]["code"], error::INVALID_REQUEST);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_call_is_answered_as_on_a_connection() {
    let home = Home::new();
    let supervisor = Served::start(&home).await;
    let socket = supervisor.socket();
    let started = call(
        socket,
        r#"{"jsonrpc":"2.0","id":1,"method":"session.start","params":{"command":["/bin/cat"],"later":[]}}"#,
    )
    .await
    .json();
    let id = started["result"]["sessionId"].as_str().unwrap_or_else(|| panic!("{started}"));
    assert_eq!(started["result"]["authUrl"], Value::Null);
    let kill = json!({"jsonrpc": "2.0", "id": "k", "method": "session.kill", "params": {"sessionId": id, "force": true}});
    let killed = call(socket, &kill.to_string()).await.json();
    assert_eq!(killed, json!({"jsonrpc": "2.0", "id": "k", "result": true}));

    let unknown = call(socket, r#"{"jsonrpc":"2.0","id":2,"method":"session.fly"}"#).await;
    assert_eq!((unknown.status, &unknown.json()["error"]["code"]), (200, &json!(error::METHOD_NOT_FOUND)));
    let silent = call(socket, r#"{"jsonrpc":"2.0","method":"session.list"}"#).await;
    assert_eq!((silent.status, silent.body.as_str()), (204, ""));
    for stays in ["events.subscribe", "hello", "session.focus"] {
        let text =
            json!({"jsonrpc": "2.0", "id": 3, "method": stays, "params": {"protocol": 1, "sessionId": null}});
        let refused = call(socket, &text.to_string()).await.json();
        assert!(refused["error"]["message"].as_str().unwrap().contains("/api/ws"), "{stays}: {refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_challenge_is_parked_by_one_call_and_waited_for_by_another() {
    let home = Home::new();
    let supervisor = Served::start(&home).await;
    let socket = supervisor.socket();
    let park = |owner: Value| {
        // What a browser's host is called with, and no more.
        let params = json!({"challengeId": "request-7", "owner": owner, "kind": "http-digest", "proxy": true,
            "origin": "https://proxy.example:3128", "realm": "staff"});
        json!({"jsonrpc": "2.0", "id": 1, "method": "challenge.park", "params": params}).to_string()
    };
    let refused = call(socket, &park(Value::Null)).await.json();
    assert!(refused["error"]["message"].as_str().unwrap().contains("name an `owner`"), "{refused}");

    let parked = call(socket, &park(json!("window-3"))).await.json();
    assert_eq!(parked["result"]["challengeId"], "request-7", "{parked}");
    let listed = call(socket, r#"{"jsonrpc":"2.0","id":5,"method":"challenge.list"}"#).await.json();
    let shown = &listed["result"]["challenges"][0];
    assert_eq!((&shown["title"], &shown["kind"]), (&json!("browser"), &json!("http-digest")));
    assert_eq!(shown["message"], "The proxy wants a user name and a password.");
    assert_eq!((&shown["origin"], &shown["realm"]), (&json!("https://proxy.example:3128"), &json!("staff")));
    let wait = |owner: &str| {
        let params = json!({"challengeId": "request-7", "owner": owner});
        json!({"jsonrpc": "2.0", "id": 2, "method": "challenge.wait", "params": params}).to_string()
    };
    let stranger = call(socket, &wait("window-4")).await.json();
    assert_eq!(stranger["error"]["code"], error::NOT_FOUND, "{stranger}");

    let answer = r#"{"jsonrpc":"2.0","id":3,"method":"challenge.answer",
        "params":{"challengeId":"request-7","user":"ada","secret":"canary"}}"#;
    let mine = wait("window-3");
    let (waited, answered) = tokio::join!(call(socket, &mine), call(socket, answer));
    assert_eq!(answered.json()["result"], true);
    assert_eq!(waited.json()["result"], json!({"outcome": "answered", "user": "ada", "secret": "canary"}));
    let pending = call(socket, r#"{"jsonrpc":"2.0","id":4,"method":"challenge.pending"}"#).await;
    assert_eq!(pending.json()["result"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_is_to_be_had_without_knowing_the_protocol() {
    let home = Home::new();
    let supervisor = Served::start(&home).await;
    let ask = async |body: &str| {
        let stream = UnixStream::connect(supervisor.socket()).await.unwrap();
        exchange(stream, &request("POST", "/api/auth/ws-ticket", "", body)).await
    };
    for (body, provider) in [("", Value::Null), ("{}", Value::Null), (r#"{"providerId":"gh"}"#, json!("gh"))]
    {
        let minted = ask(body).await.json();
        assert_eq!(minted["ticket"].as_str().map(str::len), Some(43), "{minted}");
        assert_eq!(minted["providerId"], provider);
    }
    for (body, sentence) in
        [(r#"{"providerId":"nope"}"#, "there is no provider `nope`"), ("{", "The body is not understood")]
    {
        let refused = ask(body).await;
        assert!(refused.status == 400 && refused.body.contains(sentence), "{refused:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_that_comes_in_one_piece_with_the_handshake_is_answered() {
    let home = Home::new();
    let supervisor = Served::start(&home).await;
    let mut stream = UnixStream::connect(supervisor.socket()).await.unwrap();
    let head = "GET /api/ws HTTP/1.1\r\nHost: authdeck\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let text = br#"{"jsonrpc":"2.0","id":"early","method":"session.list"}"#;
    // A text frame, masked with zeroes (RFC 6455 section 5.2).
    let frame = [&[0x81, 0x80 | u8::try_from(text.len()).unwrap(), 0, 0, 0, 0][..], text].concat();
    stream.write_all(&[head.as_bytes(), &frame].concat()).await.unwrap();
    let mut got = Vec::new();
    let reading = async {
        while !String::from_utf8_lossy(&got).contains(r#""id":"early","result":{"sessions":[]}}"#) {
            assert!(stream.read_buf(&mut got).await.unwrap() > 0, "{}", String::from_utf8_lossy(&got));
        }
    };
    timeout(GENEROUS, reading).await.expect("no answer");
    // RFC 6455 section 1.3 has this key and what is to be answered to it.
    assert!(String::from_utf8_lossy(&got).contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_makes_a_call() {
    if !peer::has("curl_makes_a_call", &["curl"]) {
        return;
    }
    let home = Home::new();
    let supervisor = Served::start(&home).await;
    let mut curl = home.command("curl");
    curl.args(["--silent", "--show-error", "--fail", "--unix-socket"]).arg(supervisor.socket());
    curl.args(["http://authdeck/api/rpc", "--data", r#"{"jsonrpc":"2.0","id":1,"method":"session.list"}"#]);
    let output = tokio::task::spawn_blocking(move || curl.output().unwrap()).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer, json!({"jsonrpc": "2.0", "id": 1, "result": {"sessions": []}}));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_sends_no_more_after_a_call_is_answered() {
    let home = Home::new();
    let supervisor = Served::start(&home).await;
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"challenge.pending","params":{}}"#;
    let mut stream = UnixStream::connect(supervisor.socket()).await.unwrap();
    stream.write_all(request("POST", "/api/rpc", "", body).as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = String::new();
    timeout(GENEROUS, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with(r#""result":0}"#), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_with_many_idle_connections_keeps_nobody_out() {
    let home = Home::new();
    let supervisor = Served::start(&home).await;
    let mut idle = Vec::new();
    for _ in 0..600 {
        idle.push(UnixStream::connect(supervisor.socket()).await.unwrap());
    }
    let mut silent = Vec::new();
    let refused = loop {
        match Wire::connect(UnixStream::connect(supervisor.socket()).await.unwrap()).await {
            Ok(wire) => silent.push(wire),
            Err(refused) => break refused.to_string(),
        }
    };
    assert!(refused.contains("503") && silent.len() == 256, "{refused} after {}", silent.len());
    // A call has a place of its own, and another process its part.
    let start =
        json!({"jsonrpc": "2.0", "id": 1, "method": "session.start", "params": {"command": ["/bin/cat"]}});
    let started = call(supervisor.socket(), &start.to_string()).await.json();
    let session = started["result"]["sessionId"].as_str().unwrap().to_owned();
    let listed = tokio::task::spawn_blocking(move || home.authdeck(["sessions", "--json"]).output().unwrap());
    let listed = timeout(GENEROUS, listed).await.unwrap().unwrap();
    assert!(String::from_utf8_lossy(&listed.stdout).contains(&session), "{listed:?}");
}
