//! Input for the child: in time, never cut off, and what became of it is said.

use std::time::Duration;

use authdeck::driver::keeper_link::{InputOutcome, KeeperEvent, KeeperSpec, TerminalMode};

use super::common::keeper::{Session, output_until, until};
use super::common::wait::wait_until;

fn line(length: usize) -> Vec<u8> {
    let mut line = vec![b'u'; length - 1];
    line.push(b'\r');
    line
}

#[tokio::test]
async fn a_line_that_the_kernel_would_cut_off_is_refused_and_the_longest_one_arrives_whole() {
    let script = "stty -echo; echo READY; IFS= read -r line; echo \"GOT ${#line}\"; sleep 120";
    let session = Session::start(&["bash", "-c", script], |_| {}).await;
    let (handle, mut events, _) = session.attach(None).await;
    output_until("READY", &mut events).await;
    let refused = handle.write(&line(4096)).await;
    assert_eq!(refused, InputOutcome::LineTooLong { limit: 4095 });
    assert_eq!(handle.write(&line(4095)).await, InputOutcome::Written);
    output_until("GOT 4094", &mut events).await;
}

#[tokio::test]
async fn a_long_line_passes_a_raw_terminal() {
    let script = "stty raw -echo; echo READY; head -c 20000 | wc -c; sleep 120";
    let session = Session::start(&["sh", "-c", script], |_| {}).await;
    let (handle, mut events, _) = session.attach(None).await;
    output_until("READY", &mut events).await;
    assert_eq!(handle.write(&line(20_000)).await, InputOutcome::Written);
    output_until("20000", &mut events).await;
}

#[tokio::test]
async fn keys_keep_their_place_among_lines_that_the_child_reads_late() {
    let script = "stty raw -echo; echo READY; head -c 30006 | tr -d u; echo; sleep 120";
    let session = Session::start(&["sh", "-c", script], |_| {}).await;
    let (handle, mut events, _) = session.attach(None).await;
    output_until("READY", &mut events).await;
    assert!(handle.type_keys(b"a"));
    assert_eq!(handle.write(b"b").await, InputOutcome::Written);
    assert!(handle.type_keys(b"c"));
    handle.reply(b"d", 1);
    assert!(handle.type_keys(b"e"));
    let paste = async {
        assert_eq!(handle.write(&vec![b'u'; 30_000]).await, InputOutcome::Written);
    };
    tokio::join!(paste, async { assert!(handle.type_keys(b"f")) });
    output_until("abcdef", &mut events).await;
}

#[tokio::test]
async fn keys_of_a_line_are_counted_also_by_the_next_supervisor() {
    let session = Session::start(&["sh", "-c", "stty -echo; echo READY; sleep 120"], |_| {}).await;
    let (handle, mut events, _) = session.attach(None).await;
    output_until("READY", &mut events).await;
    assert!(handle.type_keys(&[b'k'; 100]));
    let refused = handle.write(&line(4000)).await;
    assert_eq!(refused, InputOutcome::LineTooLong { limit: 4095 });
    drop((handle, events));
    let (handle, _events, _) = session.attach(None).await;
    let refused = handle.write(&line(4000)).await;
    assert_eq!(refused, InputOutcome::LineTooLong { limit: 4095 });
}

#[tokio::test]
async fn a_terminal_whose_child_has_ended_is_hung_up_though_a_supervisor_could_type_into_it() {
    let script = "exec 3<&0; setsid sh -c 'touch reads; cat <&3 >/dev/null; touch closed' & \
                  while ! [ -e reads ]; do sleep 0.01; done";
    let short = |spec: &mut KeeperSpec| spec.drain = Duration::from_millis(50);
    let session = Session::start(&["sh", "-c", script], short).await;
    let (_handle, mut events, _) = session.attach(None).await;
    until("the output's end", &mut events, |event, _| {
        matches!(event, KeeperEvent::OutputEnded { .. }).then_some(())
    })
    .await;
    let closed = session.folder().join("closed");
    wait_until("the end of the terminal", || closed.exists(), || format!("{:?}", session.processes()));
}

#[tokio::test]
async fn a_child_that_never_reads_is_given_up_in_time() {
    let session = Session::start(&["sh", "-c", "stty raw -echo; echo READY; exec sleep 120"], |spec| {
        spec.input_limit = Duration::from_millis(300);
    })
    .await;
    let (handle, mut events, _) = session.attach(None).await;
    output_until("READY", &mut events).await;
    let outcome = handle.write(&vec![b'u'; 200_000]).await;
    let InputOutcome::Deadline { written } = outcome else { panic!("{outcome:?}") };
    assert!(written > 0 && written < 200_000, "{written}");
    // The session itself is none the worse for it.
    assert_eq!(handle.terminal_mode(), Some(TerminalMode { canonical: false, echo: false }));
}

#[tokio::test]
async fn after_the_end_nobody_is_there_to_read() {
    let session = Session::start(&["true"], |_| {}).await;
    let (handle, mut events, _) = session.attach(None).await;
    until("the output's end", &mut events, |event, _| {
        matches!(event, KeeperEvent::OutputEnded { .. }).then_some(())
    })
    .await;
    assert_eq!(handle.write(b"x").await, InputOutcome::Closed);
    assert_eq!(handle.terminal_mode(), None);
}

#[tokio::test]
async fn a_password_prompt_is_seen_by_its_mode() {
    let session = Session::start(&["sh", "-c", "stty -echo; echo READY; exec sleep 120"], |_| {}).await;
    let (handle, mut events, _) = session.attach(None).await;
    output_until("READY", &mut events).await;
    assert_eq!(handle.terminal_mode(), Some(TerminalMode { canonical: true, echo: false }));
}

#[tokio::test]
async fn a_resize_reaches_the_child() {
    let script = "trap 'stty size' WINCH; echo READY; while :; do sleep 0.02; done";
    let session = Session::start(&["bash", "-c", script], |_| {}).await;
    let (handle, mut events, _) = session.attach(None).await;
    output_until("READY", &mut events).await;
    assert!(handle.resize(123, 45));
    output_until("45 123", &mut events).await;
}
