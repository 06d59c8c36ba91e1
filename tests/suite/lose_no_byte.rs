//! A flood of output while the supervisor is killed, or stands still: every byte arrives, once.

use std::time::{Duration, Instant};

use authdeck::driver::keeper_link::attach;
use authdeck::protocol::request::StartSession;

use super::common::env::Home;
use super::common::keeper::until;
use super::common::process::{self, list};
use super::common::wait::{GENEROUS, holds_for, wait_until};
use super::lose_nothing::{Dice, serve, supervisor};

/// A little more than a megabyte: more than a supervisor reads between two kills, less than a keeper holds.
const FLOOD: usize = 180_000;

#[tokio::test]
async fn no_byte_of_a_flood_is_lost_or_doubled_over_kills() {
    let home = Home::new();
    let mut dice = Dice(7);
    let mut client = serve(&home).await;
    let command = ["/bin/sh", "-c", &format!("seq 1 {FLOOD}; echo it is over; exec cat")].map(str::to_owned);
    let start = StartSession { command: command.into(), ..StartSession::default() };
    let session = client.start(start).await.unwrap().session_id;
    for _ in 0..5 {
        tokio::time::sleep(Duration::from_millis(dice.below(150))).await;
        let id = supervisor(&home);
        process::signal(id, "KILL");
        wait_until("the supervisor is dead", || !process::is_alive(id), String::new);
        client = serve(&home).await;
    }
    let begun = Instant::now();
    let output = loop {
        let recording = client.recording(&session).await.unwrap();
        let events =
            recording.lines().skip(1).map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let output: String = events
            .filter(|event| event[1] == "o")
            .map(|event| event[2].as_str().unwrap().to_owned())
            .collect();
        if output.contains("it is over") {
            break output;
        }
        assert!(begun.elapsed() < GENEROUS, "only {} bytes", output.len());
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let mut expected: String = (1..=FLOOD).map(|number| format!("{number}\r\n")).collect();
    expected.push_str("it is over\r\n");
    assert_eq!(output.len(), expected.len());
    assert!(output == expected, "the same length, and other bytes");
}

/// How often the supervisor is killed in the middle of a flood; `AUTHDECK_TEST_KILLS` says another number.
const FLOOD_KILLS: usize = 15;

/// Numbers, a burst at a time, until it is told to end.
const BURSTS: &str = r#"n=1
while ! [ -e end ]; do seq $n $((n + 1999)); n=$((n + 2000)); sleep 0.005; done
echo "the last is $((n - 1))"; exec sleep 1000"#;

#[tokio::test]
async fn what_a_keeper_has_of_a_flood_is_whole_however_often_its_supervisor_is_killed() {
    let kills = std::env::var("AUTHDECK_TEST_KILLS").ok().and_then(|kills| kills.parse().ok());
    let home = Home::new();
    // Large enough for all of it.
    home.write_file("home/.config/authdeck/config.toml", "[limits]\nring_bytes = 268435456\n");
    home.write_file("work/bursts.sh", BURSTS);
    let mut dice = Dice(11);
    let client = serve(&home).await;
    let command = ["/bin/sh", "bursts.sh"].map(str::to_owned);
    let directory = Some(home.work().display().to_string());
    let start = StartSession { command: command.into(), directory, ..StartSession::default() };
    let session = client.start(start).await.unwrap().session_id;
    drop(client);
    for _ in 0..kills.unwrap_or(FLOOD_KILLS) {
        tokio::time::sleep(Duration::from_micros(dice.below(60_000))).await;
        let id = supervisor(&home);
        process::signal(id, "KILL");
        wait_until("the supervisor is dead", || !process::is_alive(id), String::new);
        drop(serve(&home).await);
    }
    home.write_file("work/end", "");
    process::signal(supervisor(&home), "KILL");
    let folder = home.runtime().join("authdeck/sessions").join(session.as_str());
    let (_handle, mut events, hello) = attach(&folder, Some(0)).await.unwrap();
    assert_eq!(hello.resume_at, 0, "the ring was too small for this");
    let mut output = String::new();
    until("the end of the flood", &mut events, |_, bytes| {
        output.push_str(std::str::from_utf8(bytes).unwrap());
        output.trim_end().rsplit('\n').next()?.strip_prefix("the last is ")?.parse::<usize>().ok()
    })
    .await;
    let last: usize = output.trim_end().rsplit(' ').next().unwrap().parse().unwrap();
    let mut expected: String = (1..=last).map(|number| format!("{number}\r\n")).collect();
    expected.push_str(&format!("the last is {last}\r\n"));
    assert_eq!(output.len(), expected.len());
    assert!(output == expected, "the same length, and other bytes");
}

#[tokio::test]
async fn a_supervisor_that_stands_still_holds_the_output_back_and_loses_nothing_when_it_is_killed() {
    let home = Home::new();
    let client = serve(&home).await;
    let script =
        "echo READY; until [ -e go ]; do sleep 0.01; done; seq 1 100000; touch printed; exec sleep 1000";
    let command = ["/bin/sh", "-c", script].map(str::to_owned);
    let directory = Some(home.work().display().to_string());
    let start = StartSession { command: command.into(), directory, ..StartSession::default() };
    let session = client.start(start).await.unwrap().session_id;
    let begun = Instant::now();
    while !client.transcript(&session).await.unwrap().contains("READY") {
        assert!(begun.elapsed() < GENEROUS);
    }
    let id = supervisor(&home);
    process::signal(id, "STOP");
    home.write_file("work/go", "");
    let printed = home.work().join("printed");
    holds_for("the child waits", Duration::from_millis(700), || !printed.exists(), String::new);
    process::signal(id, "KILL");
    wait_until("the keeper reads on", || printed.exists(), || list(&home.processes()));
    let client = serve(&home).await;
    let begun = Instant::now();
    loop {
        let transcript = client.transcript(&session).await.unwrap();
        if let Some(numbers) = transcript.strip_suffix("100000\n") {
            let last: Vec<usize> =
                numbers.lines().rev().filter_map(|line| line.trim().parse().ok()).take(500).collect();
            assert_eq!(last, (99_500..100_000).rev().collect::<Vec<_>>());
            break;
        }
        assert!(begun.elapsed() < GENEROUS, "{transcript}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
