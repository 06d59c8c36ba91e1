//! Hostile frames and hostile HTTP. The fuzz target of the same name looks further; what it found is read here.

use std::path::Path;

use authdeck::protocol::method::METHODS;
use proptest::prelude::*;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::time::timeout;

use super::common::env::Home;
use super::common::http::call;
use super::common::served::Served;
use super::common::wait::GENEROUS;

#[path = "../fuzz/checks/protocol.rs"]
mod protocol;

/// A frame that is nearly right: a request of some method, changed in a few places.
fn nearly_right() -> impl Strategy<Value = Vec<u8>> {
    let method = (0..METHODS.len()).prop_map(|at| {
        let params: Value = serde_json::from_str(METHODS[at].example).unwrap();
        json!({"jsonrpc": "2.0", "id": 7, "method": METHODS[at].name, "params": params}).to_string()
    });
    let piece = prop_oneof![
        "[\"{}\\[\\],:0-9a-z]{0,3}",
        Just("null".to_owned()),
        Just("\\ud800".to_owned()),
        Just("1e999".to_owned()),
        Just("\u{202e}\u{1b}[31m".to_owned()),
        "\\PC{0,4}",
    ];
    let changes = prop::collection::vec((any::<prop::sample::Index>(), 0..12_usize, piece), 0..4);
    (method, changes).prop_map(|(text, changes)| {
        let mut bytes = text.into_bytes();
        for (at, length, piece) in changes {
            let start = at.index(bytes.len() + 1);
            let end = bytes.len().min(start + length);
            bytes.splice(start..end, piece.bytes());
        }
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn no_frame_is_read_wrongly(frame in prop_oneof![
        4 => nearly_right(),
        1 => prop::collection::vec(any::<u8>(), 0..300),
    ]) {
        protocol::check(&frame);
    }
}

#[test]
fn what_fuzzing_found_is_fixed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/regressions/protocol");
    let mut read = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        protocol::check(&std::fs::read(entry.unwrap().path()).unwrap());
        read += 1;
    }
    assert!(read > 0);
}

#[test]
fn a_long_name_does_not_come_back_at_length() {
    let long = "\u{1b}".repeat(100_000);
    let unknown = json!({"jsonrpc": "2.0", "id": 1, "method": long}).to_string();
    protocol::check(unknown.as_bytes());
    let kind = json!({"challengeId": "a", "kind": long, "title": "t", "message": "m"});
    let park = json!({"jsonrpc": "2.0", "id": 1, "method": "challenge.park", "params": kind}).to_string();
    protocol::check(park.as_bytes());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_quoted_in_a_refusal_is_short_and_harmless() {
    let home = Home::new();
    let supervisor = Served::start(&home).await;
    let nasty = format!("auth-\u{1b}]52;c;eA==\u{7}\u{202e}{}", "x".repeat(100_000));
    for (method, name) in
        [("session.explain", "sessionId"), ("session.screen", "sessionId"), ("ticket.mint", "providerId")]
    {
        let params = json!({ name: nasty });
        let text = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string();
        let answer = call(supervisor.socket(), &text).await.json();
        let message = answer["error"]["message"].as_str().unwrap_or_else(|| panic!("{method}: no refusal"));
        assert!(message.len() < 5_000, "{method}: {} bytes", message.len());
        assert!(!message.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{method}");
    }
}

/// What a supervisor may be sent in place of an orderly request.
fn hostile_requests() -> Vec<Vec<u8>> {
    let upgrade = "GET /api/ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                   Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let behind = |frame: &[u8]| [upgrade.as_bytes(), b"\r\n", frame].concat();
    vec![
        b"\r\n\r\n".to_vec(),
        vec![0; 4096],
        b"GET /api/ws HTTP/9.9\r\n\r\n".to_vec(),
        b"POST /api/rpc HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n".to_vec(),
        b"POST /api/rpc HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\nzzzz"
            .to_vec(),
        b"POST /api/rpc HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n"
            .to_vec(),
        format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(100_000)).into_bytes(),
        format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(10_000)).into_bytes(),
        b"POST /api/rpc HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}GET / HTTP/1.1\r\n\r\n".to_vec(),
        // Frames: unmasked, of a reserved kind, a control frame that is too long, a length that nothing can have.
        behind(b"\x81\x02{}"),
        behind(b"\xff\x80\0\0\0\0"),
        behind(b"\x89\xfe\x01\x00\0\0\0\0"),
        behind(b"\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0"),
        behind(b"\x81\x82\0\0\0\0\xff\xfe"),
        behind(b"\x82\x82\0\0\0\0{}"),
        behind(b"\x80\x82\0\0\0\0{}"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_requests_end_their_own_connection_and_nothing_else() {
    let home = Home::new();
    let supervisor = Served::start(&home).await;
    for request in hostile_requests() {
        let mut stream = UnixStream::connect(supervisor.socket()).await.unwrap();
        // It may be refused before it is all there.
        let _ = stream.write_all(&request).await;
        let _ = stream.shutdown().await;
        let mut answer = Vec::new();
        let ended = timeout(GENEROUS, stream.read_to_end(&mut answer)).await;
        assert!(ended.is_ok(), "it goes on: {}", String::from_utf8_lossy(&request[..request.len().min(80)]));
        let second = String::from_utf8_lossy(&answer).matches("HTTP/1.1 ").count() > 1;
        assert!(!second, "more than one answer: {}", String::from_utf8_lossy(&answer));
    }
    let list = call(supervisor.socket(), r#"{"jsonrpc":"2.0","id":1,"method":"session.list"}"#).await;
    assert_eq!(list.json()["result"]["sessions"], json!([]));
}
