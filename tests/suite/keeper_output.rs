//! A keeper's output: no byte lost, none doubled, whoever attaches and whenever.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use authdeck::driver::keeper_link::{KeeperEvent, KeeperEvents};
use authdeck::keeper::wire::{self, Order};

use futures_util::FutureExt as _;

use super::common::keeper::{Session, output_until, until};
use super::common::wait::{holds_for, wait_until};

#[tokio::test]
async fn what_the_child_prints_arrives_and_its_end_is_told() {
    let session = Session::start(&["sh", "-c", "printf hello; exit 3"], |_| {}).await;
    let (_handle, mut events, hello) = session.attach(None).await;
    assert_eq!(hello.credential.secret(), "internal-credential-of-the-test");
    let (mut text, mut code) = (Vec::new(), None);
    let end = until("exit and the output's end", &mut events, |event, bytes| match event {
        KeeperEvent::Output { .. } => {
            text.extend_from_slice(bytes);
            None
        }
        KeeperEvent::Exited(exit) => {
            code = exit.code;
            None
        }
        KeeperEvent::OutputEnded { offset } => Some(*offset),
        other => panic!("unexpected: {other:?}"),
    })
    .await;
    assert_eq!((text, code, end), (b"hello".to_vec(), Some(3), 5));
}

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

#[tokio::test]
async fn supervisors_come_and_go_and_every_line_arrives_once() {
    const LINES: usize = 520;
    // Twenty lines for each key, so that there is always more to come when a supervisor goes.
    let script = format!(
        "stty -echo; echo READY; i=0; while [ $i -lt {LINES} ]; do \
         if [ $((i % 20)) -eq 0 ]; then read -r go; fi; echo \"SEQ $i\"; i=$((i+1)); done; echo DONE"
    );
    let session = Session::start(&["sh", "-c", &script], |_| {}).await;
    let mut all = {
        let (_handle, mut events, _) = session.attach(None).await;
        output_until("READY\r\n", &mut events).await
    };
    let (mut dice, mut attachments) = (Dice(7), 0);
    while !all.ends_with(b"DONE\r\n") {
        attachments += 1;
        let (handle, mut events, hello) = session.attach(Some(all.len() as u64)).await;
        assert_eq!(hello.resume_at, all.len() as u64);
        // The child may have ended already: what it still printed is all that is left to take.
        handle.type_keys(b"\r");
        take_output(&mut events, &mut all).await;
        for _ in 0..dice.roll(4) {
            take_what_is_there(&mut events, &mut all);
        }
    }
    let lines: String = (0..LINES).map(|line| format!("SEQ {line}\r\n")).collect();
    assert_eq!(String::from_utf8(all).unwrap(), format!("READY\r\n{lines}DONE\r\n"));
    assert!(attachments > 5, "only {attachments} attachments");
}

/// Waits for a piece of output and takes it.
async fn take_output(events: &mut KeeperEvents, all: &mut Vec<u8>) {
    until("more output", events, |event, bytes| append(event, bytes, all)).await;
}

/// Takes a piece of output if one is there.
fn take_what_is_there(events: &mut KeeperEvents, all: &mut Vec<u8>) {
    if let Some(Some(event)) = events.next().now_or_never()
        && let KeeperEvent::Output { from, to } = event
    {
        let _other_news = append(&event, events.output(from, to), all);
    }
}

/// Appends output, which must follow what there is without gap or overlap.
fn append(event: &KeeperEvent, bytes: &[u8], all: &mut Vec<u8>) -> Option<()> {
    let KeeperEvent::Output { from: offset, .. } = event else { return None };
    assert_eq!(*offset, all.len() as u64);
    all.extend_from_slice(bytes);
    Some(())
}

#[tokio::test]
async fn a_hundred_megabytes_pass_a_small_keeper_whole() {
    const BYTES: u64 = 100 * 1024 * 1024;
    let session = Session::start(&["head", "-c", &BYTES.to_string(), "/dev/zero"], |spec| {
        spec.ring_bytes = 1024 * 1024;
    })
    .await;
    let (_handle, mut events, hello) = session.attach(None).await;
    assert_eq!(
        hello.resume_at, 0,
        "nothing is overwritten before the first supervisor has had a ring's worth"
    );
    let mut next = 0;
    until("all of it", &mut events, |event, bytes| match event {
        KeeperEvent::Output { from: offset, .. } => {
            assert_eq!(*offset, next);
            next += bytes.len() as u64;
            None
        }
        KeeperEvent::OutputEnded { offset } => (*offset == BYTES).then_some(()),
        _ => None,
    })
    .await;
    assert_eq!(next, BYTES);
    let peak = peak_memory(hello.keeper_process_id);
    assert!(peak < 24 * 1024, "the keeper needed {peak} KiB");
}

/// The most memory a process ever had, in KiB.
fn peak_memory(id: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[tokio::test]
async fn with_nobody_attached_the_child_runs_on_and_the_newest_output_is_kept() {
    let script = "stty -echo; echo READY; read line; head -c 300000 /dev/zero; touch finished; read line";
    let session = Session::start(&["sh", "-c", script], |spec| spec.ring_bytes = 64 * 1024).await;
    let (handle, mut events, _) = session.attach(None).await;
    output_until("READY", &mut events).await;
    handle.write(b"\r").await;
    drop((handle, events));
    let finished = session.folder().join("finished");
    // On another thread: it is this one that closes the connection.
    let wait = move || wait_until("the child is not held up", || finished.exists(), String::new);
    tokio::task::spawn_blocking(wait).await.unwrap();
    let mut hello = session.attach(Some(5)).await.2;
    let all = 300_000 + "READY\r\n".len() as u64;
    while hello.ring_end < all {
        hello = session.attach(Some(5)).await.2;
    }
    assert_eq!(hello.ring_start, hello.resume_at);
    assert!(hello.ring_start > 0 && hello.ring_start <= all - 65_536, "{}", hello.ring_start);
}

#[tokio::test]
async fn an_attached_supervisor_that_lags_makes_the_child_wait_and_loses_nothing() {
    let script = "head -c 300000 /dev/zero; touch finished";
    let session =
        Session::start(&["sh", "-c", &format!("read line; {script}")], |spec| spec.ring_bytes = 64 * 1024)
            .await;
    let (handle, mut events, _) = session.attach(None).await;
    handle.write(b"\r").await;
    // The ring fills, and the terminal behind it; together they hold less than the child has to say.
    let finished = session.folder().join("finished");
    holds_for("the child waits", Duration::from_millis(500), || !finished.exists(), String::new);
    let mut next = 0;
    until("all of it", &mut events, |event, bytes| match event {
        KeeperEvent::Output { from: offset, .. } => {
            assert_eq!(*offset, next);
            next += bytes.len() as u64;
            None
        }
        KeeperEvent::OutputEnded { offset } => (*offset == next).then_some(()),
        _ => None,
    })
    .await;
    assert!(next >= 300_000);
}

#[tokio::test]
async fn output_ends_although_something_left_running_holds_the_terminal() {
    let session = Session::start(&["sh", "-c", "(trap '' HUP; exec sleep 120) & echo bye"], |_| {}).await;
    let (_handle, mut events, _) = session.attach(None).await;
    until("the output's end", &mut events, |event, _| {
        matches!(event, KeeperEvent::OutputEnded { .. }).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_child_that_closes_its_terminal_and_opens_it_again_is_heard() {
    let script = "exec </dev/null >/dev/null 2>&1; sleep 0.3; echo back >/dev/tty; sleep 120";
    let session = Session::start(&["sh", "-c", script], |_| {}).await;
    let (_handle, mut events, _) = session.attach(None).await;
    output_until("back", &mut events).await;
}

/// Shows a token to a keeper by hand; returns the first report.
fn show_token(session: &Session, token: &str) -> String {
    let mut stream = UnixStream::connect(session.spec().directory.join("sock")).unwrap();
    let attach = Order::Attach { version: wire::VERSION, token: token.into(), from: None };
    stream.write_all(&wire::order_frame(&attach)).unwrap();
    let mut header = [0; wire::HEADER];
    stream.read_exact(&mut header).unwrap();
    let mut payload = vec![0; wire::parse_header(header).0];
    stream.read_exact(&mut payload).unwrap();
    String::from_utf8(payload).unwrap()
}

#[tokio::test]
async fn a_wrong_token_is_refused_and_spends_nothing_and_a_right_one_is_spent() {
    let session = Session::start(&["sleep", "120"], |_| {}).await;
    let file = session.spec().directory.join("token");
    let token = std::fs::read_to_string(&file).unwrap();
    for wrong in ["", "0", &"0".repeat(64), &token.to_uppercase(), &format!("{token}0")] {
        let answer = show_token(&session, wrong);
        assert!(answer.contains("\"reason\":\"token\""), "{answer}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), token);
    }
    assert!(show_token(&session, &token).contains("\"report\":\"hello\""));
    assert_ne!(std::fs::read_to_string(&file).unwrap(), token);
    assert!(show_token(&session, &token).contains("\"reason\":\"token\""), "it is good once");
}

#[tokio::test]
async fn a_second_supervisor_takes_over_and_the_first_is_told() {
    let session = Session::start(&["sleep", "120"], |_| {}).await;
    let (first, mut events, _) = session.attach(None).await;
    let told = until("the first is told", &mut events, |event, _| {
        matches!(event, KeeperEvent::Superseded).then_some(())
    });
    let ((second, _events, _), ()) = tokio::join!(session.attach(None), told);
    assert!(events.next().await.is_none());
    assert!(first.terminal_mode().is_none(), "it has let go of the terminal");
    assert!(!first.type_keys(b"x"));
    assert!(second.terminal_mode().is_some());
}

#[tokio::test]
async fn what_was_answered_before_is_known_to_the_next_supervisor() {
    let session = Session::start(&["sleep", "120"], |_| {}).await;
    let (handle, events, hello) = session.attach(None).await;
    assert_eq!(hello.replied_through, 0);
    handle.reply(b"\x1b[0n", 42);
    drop((handle, events));
    assert_eq!(session.attach(None).await.2.replied_through, 42);
}
