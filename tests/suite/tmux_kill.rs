//! Killing ends whole process trees: twenty that ignore signals and detach, twenty that re-fork all the time, each by
//! kill, by cancel, by the time limit, and after a real SIGKILL of the supervisor. Six seconds after the order there is
//! no process left that carries their tag.

use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use authdeck::client::{Client, Events, connect_unix};
use authdeck::core::ids::SessionId;
use authdeck::core::status::Status;
use authdeck::os::peers::PeerCredentials;
use authdeck::protocol::request::StartSession;

use super::common::deck::{Deck, State};
use super::common::env::Home;
use super::common::peer::{self, Exclusive};
use super::common::process::{self, list};
use super::common::trees;
use super::common::wait::{GENEROUS, holds_for, wait_for, wait_until};

/// How many of each kind.
const TREES: usize = 20;
/// Nothing may be left after this.
const LIMIT: Duration = Duration::from_secs(6);

/// So many looks in a row have to find nothing.
const LOOKS: u32 = 5;

/// Forty trees under a real supervisor, of which a client is at hand.
struct Forest<'a> {
    home: &'a Home,
    client: Client,
    _events: Events,
    sessions: Vec<SessionId>,
    /// One forest at a time: they are much work for a small machine.
    _turn: Exclusive,
}

impl<'a> Forest<'a> {
    /// Plants all trees and waits until they stand. `limit_seconds` is their sessions' time limit.
    async fn plant(home: &'a Home, limit_seconds: Option<u64>) -> Self {
        let turn = peer::exclusive("forest");
        let (client, events) = connect(home).await;
        let mut forest = Self { home, client, _events: events, sessions: Vec::new(), _turn: turn };
        for command in (0..TREES).flat_map(|_| [trees::nasty(), trees::moving()]) {
            let start = StartSession {
                command,
                directory: Some(home.work().display().to_string()),
                limit_seconds,
                ..StartSession::default()
            };
            forest.sessions.push(forest.client.start(start).await.unwrap().session_id);
        }
        for session in &forest.sessions {
            stands(&forest.client, session).await;
        }
        assert_eq!(forest.statuses().await.iter().filter(|status| !status.is_terminal()).count(), 2 * TREES);
        forest
    }

    async fn statuses(&self) -> Vec<Status> {
        let ours = self.client.sessions().await.unwrap().into_iter();
        ours.filter(|view| self.sessions.contains(&view.session_id)).map(|view| view.status).collect()
    }

    /// What a scan of a moving tree does not see is still there a moment later.
    fn assert_gone(&self, since: Instant) {
        // One look at /proc may miss a tree that re-forks while it is killed, so one that finds none is no end yet.
        let mut looks = 0;
        wait_for("no process of any tree is left", LIMIT.saturating_sub(since.elapsed()), || {
            let left = self.home.children();
            looks = if left.is_empty() { looks + 1 } else { 0 };
            if looks >= LOOKS { Ok(()) } else { Err(format!("{looks} looks without any\n{}", list(&left))) }
        });
        let (none, seen) = (|| self.home.children().is_empty(), || list(&self.home.children()));
        holds_for("no process of any tree is left", Duration::from_millis(200), none, seen);
    }
}

/// Connects to the supervisor that serves this home's socket, as soon as there is one.
async fn connect(home: &Home) -> (Client, Events) {
    let socket = socket(home);
    wait_until(
        "the supervisor's socket takes connections",
        || UnixStream::connect(&socket).is_ok(),
        String::new,
    );
    connect_unix(&socket).await.unwrap()
}

fn socket(home: &Home) -> std::path::PathBuf {
    home.runtime().join("authdeck/supervisor.sock")
}

/// The process that serves the socket, as the kernel tells it.
fn supervisor(home: &Home) -> u32 {
    let stream = UnixStream::connect(socket(home)).unwrap();
    PeerCredentials::of(&stream).unwrap().process_id.unwrap()
}

async fn stands(client: &Client, session: &SessionId) {
    let start = Instant::now();
    while !client.transcript(session).await.unwrap().contains("READY") {
        assert!(start.elapsed() < GENEROUS, "the tree of {session} does not stand");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

const NEEDS: [&str; 4] = ["tmux", "bash", "setsid", "cc"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_leaves_nothing_of_forty_trees_after_six_seconds() {
    if !peer::has("a_kill_leaves_nothing_of_forty_trees_after_six_seconds", &NEEDS) {
        return;
    }
    let home = Home::new();
    let _deck = Deck::start(&home, &[]);
    let forest = Forest::plant(&home, None).await;
    let ordered = Instant::now();
    for session in &forest.sessions {
        assert!(forest.client.kill(session, true).await.unwrap());
    }
    forest.assert_gone(ordered);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancel_leaves_nothing_of_forty_trees_after_six_seconds() {
    if !peer::has("a_cancel_leaves_nothing_of_forty_trees_after_six_seconds", &NEEDS) {
        return;
    }
    let home = Home::new();
    let _deck = Deck::start(&home, &[]);
    let forest = Forest::plant(&home, None).await;
    let ordered = Instant::now();
    for session in &forest.sessions {
        assert!(forest.client.cancel(session).await.unwrap());
    }
    forest.assert_gone(ordered);
    for status in forest.statuses().await {
        assert_eq!(status, Status::Failed { error: "cancelled by user".into() });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_time_limit_leaves_nothing_of_forty_trees_after_six_seconds() {
    if !peer::has("the_time_limit_leaves_nothing_of_forty_trees_after_six_seconds", &NEEDS) {
        return;
    }
    let home = Home::new();
    let _deck = Deck::start(&home, &[]);
    let forest = Forest::plant(&home, Some(15)).await;
    let timed_out = Status::Failed { error: "auth session timed out after 15s".into() };
    let start = Instant::now();
    while forest.statuses().await.iter().any(|status| *status != timed_out) {
        assert!(start.elapsed() < GENEROUS, "{:?}", forest.statuses().await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    forest.assert_gone(Instant::now());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_supervisor_after_a_killed_one_leaves_nothing_of_forty_trees_after_six_seconds() {
    let test = "a_supervisor_after_a_killed_one_leaves_nothing_of_forty_trees_after_six_seconds";
    if !peer::has(test, &NEEDS) {
        return;
    }
    let home = Home::new();
    let deck = Deck::start(&home, &[]);
    let planted = Forest::plant(&home, None).await;
    let killed = supervisor(&home);
    process::signal(killed, "KILL");
    wait_until("the supervisor is gone", || !process::is_alive(killed), String::new);
    drop(deck);
    assert!(!home.children().is_empty());

    let _deck = Deck::start(&home, &[]);
    let (client, events) = connect(&home).await;
    let forest = Forest { client, _events: events, ..planted };
    wait_live(&forest).await;
    let ordered = Instant::now();
    for session in &forest.sessions {
        assert!(forest.client.kill(session, true).await.unwrap());
    }
    forest.assert_gone(ordered);
}

/// Waits until the new supervisor lists all of the trees, alive.
async fn wait_live(forest: &Forest<'_>) {
    let start = Instant::now();
    loop {
        let statuses = forest.statuses().await;
        if statuses.iter().filter(|status| !status.is_terminal()).count() == 2 * TREES {
            return;
        }
        assert!(start.elapsed() < GENEROUS, "{statuses:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[test]
fn the_keys_kill_a_nasty_tree_politely_and_at_once() {
    if !peer::has("the_keys_kill_a_nasty_tree_politely_and_at_once", &NEEDS) {
        return;
    }
    let home = Home::new();
    let nasty = trees::nasty();
    let command: Vec<&str> = ["run", "--"].into_iter().chain(nasty.iter().map(String::as_str)).collect();
    let deck = Deck::start(&home, &command);
    deck.wait_text("READY");
    deck.kill();
    wait_until("nothing is left after x", || home.children().is_empty(), || list(&home.children()));
    deck.wait_state(State::Killed);

    deck.press(&["r"]);
    wait_until("it runs again", || home.children().len() >= 7, || deck.screen());
    deck.press(&["X"]);
    wait_until("nothing is left after X", || home.children().is_empty(), || list(&home.children()));
}

#[test]
fn the_time_limit_ends_a_tree_also_when_no_supervisor_is_left() {
    if !peer::has("the_time_limit_ends_a_tree_also_when_no_supervisor_is_left", &NEEDS) {
        return;
    }
    let home = Home::new();
    home.write_config("[limits]\nsession_seconds = 4\n");
    {
        let nasty = trees::nasty();
        let command: Vec<&str> = ["run", "--"].into_iter().chain(nasty.iter().map(String::as_str)).collect();
        let deck = Deck::start(&home, &command);
        wait_until("the tree stands", || home.children().len() >= 7, || list(&home.processes()));
        // In this order: a deck would start another supervisor.
        process::signal(deck.process_id(), "KILL");
        deck.wait_over();
        home.kill_supervisor();
    }
    wait_until("no process of the tree is left", || home.children().is_empty(), || list(&home.children()));
    let deck = Deck::start(&home, &[]);
    deck.wait_text("timed out");
}
