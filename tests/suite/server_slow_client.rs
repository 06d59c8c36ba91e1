//! A client that stops reading in the middle of a flood: what it costs the supervisor, and the others.

use authdeck::client::{Client, connect_unix};
use authdeck::core::ids::SessionId;
use authdeck::protocol::request::StartSession;
use serde_json::{Value, json};
use tokio::net::UnixStream;
use tokio::time::timeout;

use super::common::env::Home;
use super::common::served::Raw;
use super::common::wait::GENEROUS;

/// What a client may cost that does not read.
const MOST_COST: u64 = 16 * 1024 * 1024;

/// How many things it asks for: recordings of megabytes, but for the first two.
const LAST_REQUEST: u64 = 22;

/// Prints as many bytes as each line that comes in says, and then a mark.
const FLOODS: &str = "stty -echo; echo ready; n=0
while read bytes; do
  yes 'a line of some length, as a CLI in trouble prints it, again and again and again' | head -c $bytes
  n=$((n+1)); echo; echo flood-$n-is-over
done";

async fn start(client: &Client, script: &str) -> SessionId {
    let command = ["/bin/sh", "-c", script].map(str::to_owned).into();
    client.start(StartSession { command, ..StartSession::default() }).await.unwrap().session_id
}

/// Waits until the session's screen shows a text.
async fn shown(client: &Client, session: &SessionId, text: &str) {
    let looking = async {
        loop {
            let screen = client.screen(session).await.unwrap();
            if super::common::served::text_of(&screen).contains(text) {
                return;
            }
        }
    };
    timeout(GENEROUS, looking).await.unwrap_or_else(|_| panic!("never shown: {text}"));
}

/// The most memory that the process has had, in bytes.
fn peak_memory(process_id: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process_id}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

/// Lets the flood run while another client types into another session; returns how many echoes came before it was over.
async fn flood(client: &Client, flooding: &SessionId, typing: &SessionId, number: usize) -> usize {
    let bytes = if number == 1 { 20_000_000 } else { 100_000_000 };
    client.input(flooding, format!("{bytes}\r").as_bytes()).unwrap();
    let mut echoes = 0;
    let over = format!("flood-{number}-is-over");
    let running = async {
        loop {
            let screen = client.screen(flooding).await.unwrap();
            if super::common::served::text_of(&screen).contains(&over) {
                return;
            }
            client.input(typing, format!("{number}-{echoes}.\r").as_bytes()).unwrap();
            shown(client, typing, &format!("{number}-{echoes}.")).await;
            echoes += 1;
        }
    };
    timeout(GENEROUS, running).await.expect("the flood does not end");
    echoes
}

/// Subscribes, looks at the flood, asks for a great deal, and reads nothing of it any more.
async fn stop_reading(slow: &mut Raw<UnixStream>, flooding: &SessionId) {
    let of = json!({"sessionId": flooding});
    let say = |id: u64, method: &str, params: &Value| {
        json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).to_string()
    };
    slow.say(&say(1, "events.subscribe", &json!({}))).await;
    slow.say(&say(2, "session.focus", &of)).await;
    for id in 3..=LAST_REQUEST {
        slow.say(&say(id, "session.recording", &of)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_stops_reading_costs_little_and_the_others_nothing() {
    let home = Home::new();
    let served = home.authdeck(["serve"]).output().unwrap();
    assert!(served.status.success(), "{served:?}");
    let supervisor = home.supervisors().remove(0).id;
    let socket = home.runtime().join("authdeck/supervisor.sock");
    let (client, events) = connect_unix(&socket).await.unwrap();
    drop(events);
    let (flooding, typing) = (start(&client, FLOODS).await, start(&client, "exec cat").await);
    shown(&client, &flooding, "ready").await;

    // Everything that a flood costs by itself, with somebody who reads.
    flood(&client, &flooding, &typing, 1).await;
    client.recording(&flooding).await.unwrap();
    let before = peak_memory(supervisor);

    let mut slow = Raw::connect_to(&socket).await;
    stop_reading(&mut slow, &flooding).await;
    let echoes = flood(&client, &flooding, &typing, 2).await;
    let cost = peak_memory(supervisor).saturating_sub(before);
    assert!(cost < MOST_COST, "{} KiB for a client that does not read", cost / 1024);
    // Whoever waits for the slow one gets no echo before the flood is over, and that waits for the slow one too.
    assert!(echoes > 10, "{echoes} echoes while another client did not read");

    // It may come back: everything that it asked for is answered, and it is told what it missed.
    let mut answered = 0;
    while answered < LAST_REQUEST {
        let told = slow.hear().await.expect("the connection ended");
        answered += u64::from(told["id"].is_u64());
    }
}
