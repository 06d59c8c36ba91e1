//! A kill ends everything the child started, whatever it does against it; so do the time limit and a keeper's own
//! end. Twenty trees of each kind, five in each way.

use std::time::Duration;

use authdeck::core::ids::SessionId;
use authdeck::driver::keeper_link::{
    Exit, KeeperEvent, KeeperEvents, KeeperSpec, KillHow, KillReport, RefusalReason, list,
};
use authdeck::driver::left_behind;

use super::common::keeper::{Session, keeper_id, output_until, until};
use super::common::peer::{self, Exclusive};
use super::common::process::{self, is_alive};
use super::common::trees;
use super::common::wait::wait_until;

/// How many trees of each kind are ended in each way.
const TREES: usize = 5;

#[derive(Clone, Copy)]
enum Tree {
    /// Ignores signals, and has relatives in other groups and sessions.
    Nasty,
    /// Re-forks all the time.
    Moving,
}

impl Tree {
    /// Trees that fork all the time are much work for a small machine: only those of one test at a time.
    fn turn(self) -> Option<Exclusive> {
        match self {
            Self::Nasty => None,
            Self::Moving => Some(peer::exclusive("forest")),
        }
    }

    async fn plant(self, change: impl FnOnce(&mut KeeperSpec)) -> Session {
        let session = match self {
            Self::Nasty => Session::start(&[&trees::nasty()[0]], change).await,
            Self::Moving => {
                Session::start(&[trees::chaser().to_str().unwrap(), "2", "10000", "2000"], change).await
            }
        };
        let (_handle, mut events, _) = session.attach(None).await;
        output_until("READY", &mut events).await;
        match self {
            Self::Nasty => wait_until(
                "the tree has grown",
                || session.processes().len() >= 7,
                || process::list(&session.processes()),
            ),
            // No list of its processes would be right by the time it is read.
            Self::Moving => {}
        }
        session
    }
}

async fn kill_report(events: &mut KeeperEvents) -> KillReport {
    until("the kill is over", events, |event, _| match event {
        KeeperEvent::KillFinished(report) => Some(report.clone()),
        KeeperEvent::Output { .. }
        | KeeperEvent::Exited(_)
        | KeeperEvent::OutputEnded { .. }
        | KeeperEvent::LimitReached => None,
        KeeperEvent::Refused(_) | KeeperEvent::Superseded | KeeperEvent::Released => {
            panic!("unexpected: {event:?}")
        }
    })
    .await
}

fn assert_gone(session: &Session, report: &KillReport) {
    let left = session.processes();
    assert!(left.is_empty(), "after {report:?} there are still:\n{}", process::list(&left));
    assert!(report.survivors.is_empty());
}

/// Ends `TREES` trees at once and checks each as soon as its keeper says that it is over.
async fn end_trees(tree: Tree, force: bool, leave_first: bool) {
    let _turn = tree.turn();
    let one = async || {
        let session = tree.plant(|_| {}).await;
        let (mut handle, mut events, _) = session.attach(None).await;
        if leave_first {
            // As after a crash of the supervisor: the connection is gone without a word.
            drop(events);
            (handle, events, _) = session.attach(None).await;
        }
        handle.kill(force).unwrap();
        let report = kill_report(&mut events).await;
        assert_gone(&session, &report);
        match tree {
            Tree::Nasty => assert_eq!(report.how, KillHow::Forcibly),
            // On a very slow machine it may have come to its own end before.
            Tree::Moving => assert_ne!(report.how, KillHow::GaveUp),
        }
        eprintln!("{} ms to end a tree, force: {force}", report.took.as_millis());
    };
    futures_util::future::join_all((0..TREES).map(|_| one())).await;
}

#[tokio::test]
async fn a_forced_kill_ends_nasty_trees() {
    end_trees(Tree::Nasty, true, false).await;
}

#[tokio::test]
async fn a_polite_kill_ends_nasty_trees_after_the_grace() {
    end_trees(Tree::Nasty, false, false).await;
}

#[tokio::test]
async fn a_new_supervisor_ends_nasty_trees() {
    end_trees(Tree::Nasty, true, true).await;
}

#[tokio::test]
async fn a_forced_kill_ends_moving_trees() {
    end_trees(Tree::Moving, true, false).await;
}

#[tokio::test]
async fn a_polite_kill_ends_moving_trees_after_the_grace() {
    end_trees(Tree::Moving, false, false).await;
}

#[tokio::test]
async fn a_new_supervisor_ends_moving_trees() {
    end_trees(Tree::Moving, true, true).await;
}

/// The limit passes with no supervisor attached; one that comes later learns of it.
async fn time_out(tree: Tree) {
    let _turn = tree.turn();
    let mut sessions = Vec::new();
    for _ in 0..TREES {
        let session = tree.plant(|_| {}).await;
        let (handle, _events, hello) = session.attach(None).await;
        handle.limit(hello.elapsed + Duration::from_secs(1)).unwrap();
        sessions.push(session);
    }
    for session in &sessions {
        let gone = || session.processes().is_empty();
        wait_until("the limit ended the tree", gone, || process::list(&session.processes()));
        let (_handle, mut events, hello) = session.attach(None).await;
        assert!(hello.limit_reached);
        assert_gone(session, &kill_report(&mut events).await);
    }
}

#[tokio::test]
async fn the_time_limit_ends_nasty_trees_with_no_supervisor() {
    time_out(Tree::Nasty).await;
}

#[tokio::test]
async fn the_time_limit_ends_moving_trees_with_no_supervisor() {
    time_out(Tree::Moving).await;
}

#[tokio::test]
async fn a_polite_child_is_not_struck_and_does_not_cost_the_grace() {
    let session = Session::start(&["sh", "-c", "echo READY; exec sleep 120"], |spec| {
        spec.grace = Duration::from_secs(100);
    })
    .await;
    let (handle, mut events, _) = session.attach(None).await;
    output_until("READY", &mut events).await;
    handle.kill(false).unwrap();
    assert_eq!(kill_report(&mut events).await.how, KillHow::Politely);
    // One that nobody polls could not let go of the terminal.
    drop((handle, events));
    let (_, _, hello) = session.attach(None).await;
    assert_eq!(hello.exit, Some(Exit { code: None, signal: Some(15) }));
}

#[tokio::test]
async fn force_cuts_the_grace_of_a_polite_kill_short() {
    let session = Tree::Nasty.plant(|spec| spec.grace = Duration::from_secs(100)).await;
    let (handle, mut events, _) = session.attach(None).await;
    handle.kill(false).unwrap();
    handle.kill(true).unwrap();
    assert_gone(&session, &kill_report(&mut events).await);
}

#[tokio::test]
async fn what_a_child_leaves_running_on_purpose_stays_until_a_kill() {
    let script = "setsid sh -c 'touch started; exec sleep 120' </dev/null >/dev/null 2>&1 &
                  while [ ! -e started ]; do sleep 0.01; done";
    let session = Session::start(&["sh", "-c", script], |_| {}).await;
    let (handle, mut events, _) = session.attach(None).await;
    let exit = until("the child's exit", &mut events, |event, _| match event {
        KeeperEvent::Exited(exit) => Some(*exit),
        _ => None,
    })
    .await;
    assert_eq!(exit.code, Some(0));
    wait_until(
        "the helper runs",
        || session.processes().iter().any(|process| process.command == "sleep 120"),
        || process::list(&session.processes()),
    );
    handle.kill(true).unwrap();
    assert_gone(&session, &kill_report(&mut events).await);
}

#[tokio::test]
async fn an_ended_session_is_kept_until_it_is_released() {
    let session = Session::start(&["sh", "-c", "read line; exit 7"], |_| {}).await;
    let (handle, mut events, _) = session.attach(None).await;
    handle.release().unwrap();
    let refusal = until("the refusal", &mut events, |event, _| match event {
        KeeperEvent::Refused(refusal) => Some(refusal.clone()),
        _ => None,
    })
    .await;
    assert_eq!(refusal.reason, RefusalReason::StillRunning);
    assert!(handle.type_keys(b"\r"));
    until("the exit", &mut events, |event, _| matches!(event, KeeperEvent::Exited(_)).then_some(())).await;
    drop((handle, events));

    let (handle, mut events, hello) = session.attach(None).await;
    assert_eq!(hello.exit, Some(Exit { code: Some(7), signal: None }));
    let keeper = hello.keeper_process_id;
    handle.release().unwrap();
    until("the farewell", &mut events, |event, _| matches!(event, KeeperEvent::Released).then_some(())).await;
    wait_until("the keeper is gone", || !is_alive(keeper), String::new);
    assert!(!session.spec().directory.exists());
}

#[tokio::test]
async fn an_ended_session_that_nobody_wants_goes_by_itself() {
    let session = Session::start(&["true"], |spec| spec.linger = Duration::from_millis(100)).await;
    wait_until("the folder is gone", || !session.spec().directory.exists(), String::new);
    wait_until("the keeper is gone", || keeper_id(session.spec()).is_none(), String::new);
}

#[tokio::test]
async fn a_keeper_that_is_asked_to_end_takes_its_session_along() {
    let session = Tree::Nasty.plant(|spec| spec.grace = Duration::from_millis(100)).await;
    process::signal(keeper_id(session.spec()).unwrap(), "TERM");
    wait_until("the keeper is gone", || keeper_id(session.spec()).is_none(), String::new);
    let left = session.processes();
    assert!(left.is_empty(), "{}", process::list(&left));
    assert!(!session.spec().directory.exists());
}

#[tokio::test]
async fn what_a_killed_keeper_leaves_is_found_by_its_cookie() {
    let session = Tree::Nasty.plant(|_| {}).await;
    let sessions = session.spec().directory.parent().unwrap();
    let found = list(sessions).unwrap();
    assert_eq!(found.len(), 1);
    assert!(found[0].alive);

    process::signal(keeper_id(session.spec()).unwrap(), "KILL");
    wait_until("the keeper is gone", || !list(sessions).unwrap()[0].alive, String::new);
    let ended = left_behind::end_marked(&SessionId::new(session.spec().session_id.as_str()));
    assert_eq!(ended.left, Vec::<u32>::new());
    assert!(ended.ended > 0);
    let left = session.processes();
    assert!(left.is_empty(), "{}", process::list(&left));
}

#[tokio::test]
async fn a_killed_keeper_hangs_the_child_up_although_a_supervisor_has_the_terminal() {
    let script = "trap 'touch hung-up; exit' HUP; printf 'last words'; while :; do sleep 0.02; done";
    let session = Session::start(&["bash", "-c", script], |_| {}).await;
    let (handle, mut events, hello) = session.attach(None).await;
    process::signal(hello.keeper_process_id, "KILL");
    let mut text = Vec::new();
    while let Some(event) = events.next().await {
        if let KeeperEvent::Output { from, to } = event {
            text.extend_from_slice(events.output(from, to));
        }
    }
    assert!(!handle.type_keys(b"x") && handle.kill(true).is_err());
    let hung_up = session.folder().join("hung-up");
    wait_until("the child is hung up", || hung_up.exists(), || process::list(&session.processes()));
}
