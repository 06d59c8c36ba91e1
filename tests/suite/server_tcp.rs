//! Loopback TCP: Host, then Origin, then a credential (behaviour W).

use std::net::SocketAddr;

use authdeck::protocol::error;
use authdeck::server::tcp::{self, Listening};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::common::env::Home;
use super::common::http::{Answer, Socket, call, exchange};
use super::common::served::Served;
use super::common::wait::GENEROUS;

/// The one further origin that may connect.
const ALLOWED: &str = "https://panel.example";

/// A supervisor that is served over TCP too.
struct OverTcp {
    supervisor: Served,
    listening: Listening,
}

impl OverTcp {
    async fn start(home: &Home) -> Self {
        let supervisor = Served::start(home).await;
        let listening =
            tcp::listen("127.0.0.1:0".parse().unwrap(), &[ALLOWED.to_owned()], &supervisor.handle).await;
        Self { supervisor, listening: listening.unwrap() }
    }

    fn address(&self) -> SocketAddr {
        self.listening.address()
    }

    async fn ticket(&self) -> String {
        self.ticket_for(json!({})).await
    }

    async fn ticket_for(&self, params: Value) -> String {
        let text = json!({"jsonrpc": "2.0", "id": 1, "method": "ticket.mint", "params": params}).to_string();
        let answer = call(self.supervisor.socket(), &text).await.json();
        answer["result"]["ticket"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    /// Opens a WebSocket with these headers; the Host is right.
    async fn open(&self, path: &str, headers: &str) -> Result<Socket, Answer> {
        Socket::open(self.address(), path, &format!("Host: {}\r\n{headers}", self.address())).await
    }

    async fn post(&self, path: &str, headers: &str, body: &str) -> Answer {
        let stream = TcpStream::connect(self.address()).await.unwrap();
        let (host, length) = (self.address(), body.len());
        let head = format!("POST {path} HTTP/1.1\r\nHost: {host}\r\n{headers}Content-Length: {length}\r\n");
        exchange(stream, &format!("{head}\r\n{body}")).await
    }
}

fn offer(ticket: &str) -> String {
    format!("Sec-WebSocket-Protocol: authdeck, ticket.{ticket}\r\n")
}

/// The internal credential, as a child of a session finds it in its environment.
async fn internal_credential(supervisor: &Served, home: &Home) -> (String, String) {
    let deck = supervisor.watch().await;
    let file = home.work().join("environment");
    let script = format!(
        "echo \"$AUTHDECK_CREDENTIAL $AUTHDECK_SESSION\" > {0}.new; mv {0}.new {0}; exec cat",
        file.display()
    );
    deck.start(&script).await;
    let text = super::common::wait::wait_for("the child's environment", GENEROUS, || {
        std::fs::read_to_string(&file).map_err(|error| error.to_string())
    });
    let (credential, session) = text.trim().split_once(' ').unwrap();
    (credential.to_owned(), session.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn of_forty_handshakes_only_the_legal_ones_get_in() {
    let home = Home::new();
    let over_tcp = OverTcp::start(&home).await;
    let port = over_tcp.address().port();
    let hosts = [
        (Some(format!("127.0.0.1:{port}")), true),
        (Some(format!("localhost:{port}")), true),
        (Some(format!("evil.example:{port}")), false),
        (Some(format!("127.0.0.1:{}", port ^ 1)), false),
        (None, false),
    ];
    let origins =
        [(None, true), (Some(ALLOWED), true), (Some("http://evil.example"), false), (Some("null"), false)];
    let mut tried = 0;
    for (host, right_host) in &hosts {
        for (origin, right_origin) in &origins {
            for right_ticket in [true, false] {
                let ticket = over_tcp.ticket().await;
                let shown = if right_ticket { ticket.clone() } else { "A".repeat(43) };
                let line = |name: &str, value: Option<&str>| {
                    value.map_or_else(String::new, |value| format!("{name}: {value}\r\n"))
                };
                let headers = line("Host", host.as_deref()) + &line("Origin", *origin) + &offer(&shown);
                let got_in = Socket::open(over_tcp.address(), "/api/ws", &headers).await.is_ok();
                let legal = *right_host && *right_origin && right_ticket;
                assert_eq!(got_in, legal, "{headers}");
                // Whatever was refused for its Host or its Origin has used up no ticket.
                let unused = over_tcp.open("/api/ws", &offer(&ticket)).await.is_ok();
                assert_eq!(unused, !legal, "{headers}");
                tried += 1;
            }
        }
    }
    assert_eq!(tried, 40);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_ticket_of_a_thousand_is_accepted_twice() {
    let home = Home::new();
    let over_tcp = OverTcp::start(&home).await;
    let (client, _events) = over_tcp.supervisor.connect().await;
    let list = r#"{"jsonrpc":"2.0","id":1,"method":"session.list"}"#;
    let (mut first, mut replayed) = (0, 0);
    for _ in 0..1000 {
        let ticket = client.mint_ticket(None).await.unwrap().ticket;
        let header = format!("Authorization: Bearer {}\r\n", ticket.secret());
        first += u32::from(over_tcp.post("/api/rpc", &header, list).await.status == 200);
        replayed += u32::from(over_tcp.post("/api/rpc", &header, list).await.status == 200);
    }
    assert_eq!((first, replayed), (1000, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_is_taken_wherever_a_client_can_put_it() {
    let home = Home::new();
    let over_tcp = OverTcp::start(&home).await;
    let hello = |ticket: &str| json!({"jsonrpc": "2.0", "id": 1, "method": "hello", "params": {"protocol": 1, "ticket": ticket}});

    let mut socket = over_tcp.open("/api/ws", &offer(&over_tcp.ticket().await)).await.unwrap();
    assert_eq!(socket.header("sec-websocket-protocol"), Some("authdeck"), "the ticket is not said back");
    assert_eq!(
        socket.ask(&json!({"jsonrpc": "2.0", "id": 1, "method": "hello", "params": {"protocol": 1}})).await["result"]
            ["identity"],
        "ticket"
    );

    let path = format!("/api/ws?ticket={}", over_tcp.ticket().await);
    assert!(over_tcp.open(&path, "").await.is_ok());
    assert_eq!(over_tcp.open(&path, "").await.unwrap_err().status, 401);

    let bearer = format!("Authorization: Bearer {}\r\n", over_tcp.ticket().await);
    assert!(over_tcp.open("/api/ws", &bearer).await.is_ok());

    let promise = "Sec-WebSocket-Protocol: authdeck-hello\r\n";
    let ticket = over_tcp.ticket().await;
    let mut socket = over_tcp.open("/api/ws", promise).await.unwrap();
    let welcome = socket.ask(&hello(&ticket)).await;
    assert_eq!(welcome["result"]["identity"], "ticket", "{welcome}");
    let list = socket.ask(&json!({"jsonrpc": "2.0", "id": 2, "method": "session.list"})).await;
    assert_eq!(list["result"]["sessions"], json!([]), "{list}");

    // A promise that is not kept: nothing is answered but the refusal.
    for first in [hello(&ticket), json!({"jsonrpc": "2.0", "id": 1, "method": "session.list"}), json!("no")] {
        let mut socket = over_tcp.open("/api/ws", promise).await.unwrap();
        let refused = socket.ask(&first).await;
        assert!(refused["error"]["message"].is_string() && refused["result"].is_null(), "{refused}");
        assert_eq!(socket.hear().await, None, "the connection must end");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_does_not_go_on_is_sent_away() {
    let home = Home::new();
    let over_tcp = OverTcp::start(&home).await;
    let mut silent = over_tcp.open("/api/ws", "Sec-WebSocket-Protocol: authdeck-hello\r\n").await.unwrap();
    let mut half = TcpStream::connect(over_tcp.address()).await.unwrap();
    half.write_all(b"GET /api/ws HTTP/1.1\r\nHost: ").await.unwrap();
    let mut rest = Vec::new();
    let (told, ended) = tokio::join!(silent.hear(), timeout(GENEROUS, half.read_to_end(&mut rest)));
    assert!(told.unwrap()["error"]["message"].is_string());
    assert_eq!(silent.hear().await, None);
    ended.expect("half a head is waited for").unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_says_what_to_do_and_shows_eight_characters() {
    let home = Home::new();
    let over_tcp = OverTcp::start(&home).await;
    let unknown = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ";
    let refused = over_tcp.open("/api/ws", &offer(unknown)).await.unwrap_err();
    assert_eq!(refused.status, 401);
    assert!(refused.body.contains("`abcdefgh…`") && !refused.body.contains("abcdefghi"), "{refused:?}");
    assert!(!refused.head.contains("abcdefgh"), "{refused:?}");
    let nothing = over_tcp.open("/api/ws", "").await.unwrap_err();
    assert!(nothing.status == 401 && nothing.body.contains("authdeck ticket"), "{nothing:?}");
    let alone = over_tcp.ticket().await;
    let header = format!("Sec-WebSocket-Protocol: ticket.{alone}\r\n");
    let refused = over_tcp.open("/api/ws", &header).await.unwrap_err();
    assert!(refused.status == 400 && refused.body.contains("`authdeck`"), "{refused:?}");
    assert!(over_tcp.open("/api/ws", &offer(&alone)).await.is_ok(), "what was refused used up the ticket");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_comes_in_with_the_internal_credential_again_and_again() {
    let home = Home::new();
    let over_tcp = OverTcp::start(&home).await;
    let (credential, session) = internal_credential(&over_tcp.supervisor, &home).await;
    let headers = format!("Authorization: Bearer {credential}\r\nAuthdeck-Session: {session}\r\n");
    let hello = json!({"jsonrpc": "2.0", "id": 1, "method": "hello", "params": {"protocol": 1}});
    for _ in 0..3 {
        let mut socket = over_tcp.open("/api/ws", &headers).await.unwrap();
        assert_eq!(socket.ask(&hello).await["result"]["identity"], "server-internal");
    }
    let evil = format!("Origin: http://evil.example\r\n{headers}");
    assert_eq!(over_tcp.open("/api/ws", &evil).await.unwrap_err().status, 403);
    let rebound = format!("Host: evil.example\r\n{headers}");
    assert_eq!(Socket::open(over_tcp.address(), "/api/ws", &rebound).await.unwrap_err().status, 403);

    // From one authenticated call to a ticket for somebody else.
    let minted = over_tcp.post("/api/auth/ws-ticket", &headers, "").await.json();
    let ticket = minted["ticket"].as_str().unwrap();
    assert!(minted["user"].is_string() && minted["providerId"].is_null(), "{minted}");
    assert!(over_tcp.open("/api/ws", &offer(ticket)).await.is_ok());
    let nobody = over_tcp.post("/api/auth/ws-ticket", "", "").await;
    assert_eq!(nobody.status, 401);

    // No answer of the API has the credential in it.
    let socket = over_tcp.supervisor.socket();
    for method in ["session.list", "challenge.pending", "provider.list", "bundle.list"] {
        let answer = call(socket, &json!({"jsonrpc": "2.0", "id": 1, "method": method}).to_string()).await;
        assert!(!answer.body.contains(&credential), "{method}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_listens_where_others_could_reach_it() {
    let home = Home::new();
    let supervisor = Served::start(&home).await;
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let refused = tcp::listen(address.parse().unwrap(), &[], &supervisor.handle).await.unwrap_err();
        assert!(refused.to_string().contains("no other: use 127.0.0.1 or [::1]"), "{refused}");
    }
    let six = tcp::listen("[::1]:0".parse().unwrap(), &[], &supervisor.handle).await.unwrap();
    let ticket = supervisor.connect().await.0.mint_ticket(None).await.unwrap().ticket;
    let headers = |host: &str| format!("Host: {host}\r\n{}", offer(ticket.secret()));
    let other = headers(&format!("127.0.0.1:{}", six.address().port()));
    assert!(Socket::open(six.address(), "/api/ws", &other).await.is_err());
    assert!(Socket::open(six.address(), "/api/ws", &headers(&six.address().to_string())).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_for_one_provider_opens_its_logins_and_nothing_else() {
    let home = Home::new();
    home.write_script("bin/gh", "#!/bin/sh\nexec cat\n");
    let path = format!("{}:{}", home.path().join("bin").display(), std::env::var("PATH").unwrap());
    let home = home.with("PATH", path);
    let over_tcp = OverTcp::start(&home).await;
    let ticket = over_tcp.ticket_for(json!({"providerId": "gh"})).await;
    let mut bounded = over_tcp.open("/api/ws", &offer(&ticket)).await.unwrap();
    let snapshot = bounded.call("events.subscribe", json!({})).await["result"].clone();

    // Others do things, of which it is told nothing.
    let deck = over_tcp.supervisor.watch().await;
    let others = deck.start("exec cat").await;
    let park = json!({"challengeId": "a", "kind": "text", "owner": "o", "title": "t", "message": "m"});
    let parking = json!({"jsonrpc": "2.0", "id": 1, "method": "challenge.park", "params": park});
    call(over_tcp.supervisor.socket(), &parking.to_string()).await;
    let of = json!({"sessionId": others});
    for method in ["screen", "transcript", "explain", "cancel", "remove", "focus"] {
        let answer = bounded.call(&format!("session.{method}"), of.clone()).await;
        assert_eq!(answer["error"]["code"], error::NOT_FOUND, "{method}: {answer}");
    }
    assert_eq!(bounded.call("session.poll", of).await["result"], Value::Null);
    let started = |params: Value| {
        json!({"providerId": "gh"}).as_object().unwrap().iter().fold(params, |mut all, (name, value)| {
            all[name] = value.clone();
            all
        })
    };
    for (method, params) in [
        ("session.start", json!({"command": ["/bin/sh"]})),
        ("session.start", json!({"providerId": "codex"})),
        ("session.start", started(json!({"command": ["/bin/sh"]}))),
        ("session.start", started(json!({"environment": [["LD_PRELOAD", "/x.so"]]}))),
        ("session.start", started(json!({"directory": "/"}))),
        ("challenge.pending", json!({})),
        ("challenge.list", json!({})),
        ("challenge.answer", json!({"challengeId": "a", "secret": "x"})),
        ("challenge.cancelOwner", json!({"owner": "o"})),
        ("supervisor.stop", json!({})),
    ] {
        let answer = bounded.call(method, params.clone()).await;
        assert_eq!(answer["error"]["code"], error::FORBIDDEN, "{method} {params}: {answer}");
    }

    // What is its own goes as for anybody, and nothing else is in any list.
    let own = bounded.call("session.start", started(json!({}))).await;
    let id = own["result"]["sessionId"].clone();
    assert!(id.is_string(), "{own}");
    let told = bounded.told("event").await;
    let sequence = told["params"]["sequence"].as_u64().unwrap();
    assert_eq!(sequence, snapshot["sequence"].as_u64().unwrap() + 1, "no gap shows what it was not told");
    assert_eq!(told["params"]["event"]["session"]["sessionId"], id);
    let sessions = bounded.call("session.list", json!({})).await["result"]["sessions"].clone();
    let ids: Vec<&Value> = sessions.as_array().unwrap().iter().map(|session| &session["sessionId"]).collect();
    assert_eq!(ids, [&id]);
    let providers = bounded.call("provider.list", json!({})).await["result"]["providers"].clone();
    assert_eq!(providers.as_array().unwrap().len(), 1);
    assert!(bounded.call("session.explain", json!({"sessionId": id})).await["result"].is_string());

    // Its own ticket begets none that opens more.
    let second = bounded.call("ticket.mint", json!({})).await["result"].clone();
    assert_eq!(second["providerId"], "gh", "{second}");
    bounded.call("session.kill", json!({"sessionId": id, "force": true})).await;
    deck.client.kill(&others, true).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_holds_the_door_shut_goes_for_whoever_has_a_ticket() {
    let home = Home::new();
    let over_tcp = OverTcp::start(&home).await;
    let mut idle = Vec::new();
    for _ in 0..400 {
        idle.push(TcpStream::connect(over_tcp.address()).await.unwrap());
    }
    let headers = format!("Sec-WebSocket-Protocol: authdeck, ticket.{}\r\n", over_tcp.ticket().await);
    let opened = timeout(GENEROUS, over_tcp.open("/api/ws", &headers)).await;
    assert!(opened.expect("no answer while others are idle").is_ok());
    // The first of them was sent away for it.
    let ended = timeout(GENEROUS, idle[0].read(&mut [0])).await.expect("it still waits");
    assert_eq!(ended.unwrap_or(0), 0);
}
