use std::time::Duration;

use super::attached;
use crate::core::effect::{Effect, Reply};
use crate::core::engine::trial::{Trial, authorize, facts, plan};
use crate::core::finding::FindingKind;
use crate::core::ids::SessionId;
use crate::core::input::{AdoptedKeeper, KeeperTime, ReplyId, SessionInput};
use crate::core::login::Exit;
use crate::core::status::Status;
use crate::core::view::{ChildState, Event, Level};

fn no_survivors() -> SessionInput {
    SessionInput::KillFinished { survivors: vec![] }
}

#[test]
fn a_session_times_out_with_the_documented_words() {
    let mut trial = Trial::running(facts());
    trial.find(FindingKind::AuthorizeUrl, &authorize("s"));
    trial.pass(Duration::from_millis(599_999));
    assert!(!trial.status().is_terminal());
    trial.pass(Duration::from_millis(1));
    assert_eq!(trial.error(), "auth session timed out after 600s");
    assert_eq!(trial.kills(), [false]);
    assert!(trial.view().advice.is_some_and(|advice| advice.contains("Start the login again")));
}

#[test]
fn the_keepers_clock_counts_too_and_a_limit_can_be_chosen() {
    let mut wanted = plan(facts());
    wanted.limit_seconds = Some(30);
    let mut trial = Trial::planned(wanted);
    trial.tell(SessionInput::KeeperReady { process_id: 1 }).tell(SessionInput::LimitReached);
    assert_eq!(trial.error(), "auth session timed out after 30s");
    trial.tell(no_survivors());
    assert_eq!((trial.view().child, trial.releases()), (ChildState::Killed, 1));
}

#[test]
fn cancel_reports_whether_it_was_the_cause() {
    let mut trial = Trial::running(facts());
    let first = trial.ask(|reply| SessionInput::Cancel { reply });
    assert!(trial.done(first));
    assert_eq!(trial.error(), "cancelled by user");
    assert_eq!(trial.view().child, ChildState::Ending);
    assert_eq!(trial.kills(), [false]);
    let second = trial.ask(|reply| SessionInput::Cancel { reply });
    assert!(!trial.done(second));
    trial.tell(no_survivors());
    assert_eq!((trial.view().child, trial.releases()), (ChildState::Killed, 1));
    trial.id = SessionId::new("auth-unknown");
    let unknown = trial.ask(|reply| SessionInput::Cancel { reply });
    assert!(!trial.done(unknown));
}

#[test]
fn cancelling_what_is_over_tears_down_what_is_left() {
    let mut trial = Trial::running(facts());
    trial.exit(1).tell(SessionInput::KillFinished { survivors: vec!["77 nasty".to_owned()] });
    let kills = trial.kills().len();
    let cancelled = trial.ask(|reply| SessionInput::Cancel { reply });
    assert!(!trial.done(cancelled));
    assert_eq!(trial.kills().len(), kills + 1);
}

#[test]
fn cancelling_before_the_child_runs_kills_it_when_it_does() {
    let mut trial = Trial::starting(facts());
    trial.ask(|reply| SessionInput::Cancel { reply });
    assert!(matches!(trial.answer(ReplyId(1)), Some(Reply::Refused(_))), "the start is answered");
    trial.tell(SessionInput::KeeperReady { process_id: 42 });
    assert_eq!(trial.kills(), [false, false]);
    trial.tell(no_survivors());
    assert_eq!(trial.view().child, ChildState::Killed);
}

#[test]
fn a_cancelled_check_is_stopped() {
    let mut trial = Trial::running(facts());
    trial.exit(0).ask(|reply| SessionInput::Cancel { reply });
    assert_eq!(trial.count(|effect| matches!(effect, Effect::StopCheck { .. })), 1);
    trial.pass_check(None);
    assert_eq!(trial.error(), "cancelled by user");
}

#[test]
fn a_forced_kill_shortens_a_polite_one_and_not_the_other_way_round() {
    let mut trial = Trial::running(facts());
    let polite = trial.ask(|reply| SessionInput::Kill { force: false, reply });
    let forced = trial.ask(|reply| SessionInput::Kill { force: true, reply });
    let again = trial.ask(|reply| SessionInput::Kill { force: false, reply });
    assert_eq!((trial.done(polite), trial.done(forced), trial.done(again)), (true, true, true));
    assert_eq!(trial.kills(), [false, true]);
    assert_eq!(trial.error(), "cancelled by user");
    trial.tell(no_survivors());
    let dead = trial.ask(|reply| SessionInput::Kill { force: true, reply });
    assert!(!trial.done(dead), "there is nothing to kill any more");
}

#[test]
fn what_could_not_be_killed_is_said_and_can_be_tried_again() {
    let mut trial = Trial::running(facts());
    trial.ask(|reply| SessionInput::Kill { force: true, reply });
    let survivors = vec!["77 sudo: not permitted".to_owned()];
    trial.tell(SessionInput::KillFinished { survivors: survivors.clone() });
    assert_eq!(trial.view().child, ChildState::Survived { survivors });
    let notice = |event: &&Event| matches!(event, Event::Notice { level: Level::Error, text, .. } if text.contains("77 sudo"));
    assert!(trial.events().iter().any(notice));
    assert_eq!(trial.releases(), 0);
    let again = trial.ask(|reply| SessionInput::Kill { force: true, reply });
    assert!(trial.done(again));
    trial.tell(no_survivors());
    assert_eq!((trial.view().child, trial.releases()), (ChildState::Killed, 1));
}

#[test]
fn a_kill_that_is_never_reported_is_given_up() {
    let mut trial = Trial::running(facts());
    trial.ask(|reply| SessionInput::Kill { force: false, reply });
    trial.pass(Duration::from_secs(60));
    assert!(matches!(trial.view().child, ChildState::Survived { .. }));
    assert_eq!(trial.releases(), 1);
    assert_eq!(trial.engine.next_deadline(), None);
}

#[test]
fn the_exit_of_a_killed_child_is_not_its_own() {
    let mut trial = Trial::running(facts());
    trial.ask(|reply| SessionInput::Cancel { reply });
    trial.tell(SessionInput::ChildExited { exit: Exit { code: Some(0), signal: None } });
    trial.tell(SessionInput::OutputEnded);
    assert_eq!(trial.view().child, ChildState::Ending);
    assert_eq!(trial.count(|effect| matches!(effect, Effect::RunCheck { .. })), 0);
}

#[test]
fn a_lost_keeper_fails_the_login() {
    let mut trial = Trial::running(facts());
    trial.tell(SessionInput::KeeperLost);
    assert_eq!(trial.view().child, ChildState::Lost);
    assert!(trial.error().contains("keeper"));
    assert!(trial.kills().is_empty());
}

#[test]
fn what_a_lost_keeper_left_behind_is_told() {
    let mut trial = Trial::running(facts());
    trial.tell(SessionInput::KeeperLost).tell(no_survivors());
    assert_eq!(trial.view().child, ChildState::Killed);
    let mut trial = Trial::running(facts());
    trial.tell(SessionInput::KeeperLost);
    trial.tell(SessionInput::KillFinished { survivors: vec!["77 nasty".to_owned()] });
    assert!(matches!(trial.view().child, ChildState::Survived { .. }));
}

#[test]
fn a_lost_keeper_does_not_stop_a_check() {
    let mut trial = Trial::running(facts());
    trial.exit(0).tell(SessionInput::KeeperLost);
    trial.pass_check(None).store_bundle("bundle-fresh");
    assert!(matches!(trial.status(), Status::Success { .. }));
    assert_eq!(trial.releases(), 0);
}

#[test]
fn what_is_removed_is_killed_first_and_forgotten_then() {
    let mut trial = Trial::running(facts());
    let removed = trial.ask(|reply| SessionInput::Remove { reply });
    assert!(trial.done(removed));
    assert_eq!(trial.error(), "cancelled by user");
    trial.tell(no_survivors());
    assert_eq!(trial.engine.session(&trial.id), None);
    assert_eq!(trial.engine.poll(&trial.id), None);
    assert_eq!(trial.count(|effect| matches!(effect, Effect::ForgetSession { .. })), 1);
    assert!(matches!(trial.events().last(), Some(Event::SessionRemoved { .. })));
    let again = trial.ask(|reply| SessionInput::Remove { reply });
    assert!(!trial.done(again));
}

#[test]
fn what_cannot_be_killed_stays_listed_until_it_is_removed_again() {
    let mut trial = Trial::running(facts());
    trial.ask(|reply| SessionInput::Remove { reply });
    trial.tell(SessionInput::KillFinished { survivors: vec!["77 nasty".to_owned()] });
    assert!(trial.engine.session(&trial.id).is_some());
    trial.ask(|reply| SessionInput::Remove { reply });
    assert!(trial.engine.session(&trial.id).is_none());
}

#[test]
fn a_removed_session_answers_whoever_still_waits() {
    let mut trial = Trial::running(facts());
    trial.find(FindingKind::AuthorizeUrl, &authorize("s"));
    let submitted = trial.submit("http://localhost:1455/cb?code=a&state=s");
    trial.ask(|reply| SessionInput::Remove { reply });
    trial.tell(no_survivors());
    assert!(matches!(trial.answer(submitted), Some(Reply::Submitted { delivered: false, .. })));
}

#[test]
fn the_next_supervisor_goes_on_where_this_one_died() {
    let running = |trial: &mut Trial| {
        trial.find(FindingKind::AuthorizeUrl, &authorize("s"));
    };
    let mut trial = Trial::running(facts());
    running(&mut trial);
    let mut next = trial.restarted(attached());
    assert_eq!(next.status(), trial.status());
    assert_eq!(next.view().child, ChildState::Running { process_id: 42 });
    // The ring is replayed: what is known already changes nothing.
    let before = next.events().len();
    running(&mut next);
    assert_eq!(next.events().len(), before);
    next.exit(0).pass_check(None).store_bundle("bundle-fresh");
    assert!(matches!(next.status(), Status::Success { .. }));
}

#[test]
fn a_supervisor_that_died_over_a_check_or_a_store_has_it_done_again() {
    let mut checking = Trial::running(facts());
    checking.exit(0);
    for keeper in [attached(), AdoptedKeeper::Gone] {
        let next = checking.restarted(keeper);
        assert_eq!(next.count(|effect| matches!(effect, Effect::RunCheck { .. })), 1);
        assert_eq!(next.view().child, ChildState::Exited { code: Some(0), signal: None });
    }
    checking.pass_check(None);
    let mut next = checking.restarted(attached());
    let into = |effect: &Effect| matches!(effect, Effect::StoreBundle(record) if record.bundle_id.as_str() == "bundle-fresh");
    assert_eq!(next.count(into), 1, "under the same id, so that it is stored once");
    next.store_bundle("bundle-fresh");
    assert!(matches!(next.status(), Status::Success { .. }));
    let over = next.restarted(AdoptedKeeper::Released);
    assert_eq!(over.status(), next.status());
    assert_eq!(over.engine.next_deadline(), None);
}

#[test]
fn a_session_whose_keeper_vanished_meanwhile_has_failed() {
    let next = Trial::running(facts()).restarted(AdoptedKeeper::Gone);
    assert_eq!(next.view().child, ChildState::Lost);
    assert!(next.status().is_terminal());
}

#[test]
fn what_was_being_killed_is_killed_by_the_next_supervisor() {
    let mut trial = Trial::running(facts());
    trial.ask(|reply| SessionInput::Cancel { reply });
    let next = trial.restarted(attached());
    assert_eq!(next.error(), "cancelled by user");
    assert_eq!(next.kills(), [false]);
}

#[test]
fn a_clock_that_was_set_changes_no_deadline() {
    let time = KeeperTime { elapsed: Duration::from_secs(100), limit: Duration::from_secs(600) };
    let mut trial = Trial::running(facts());
    trial.now = trial.now.after(Duration::from_secs(1_200));
    let next = trial.restarted(AdoptedKeeper::Attached { process_id: 42, time });
    assert!(!next.status().is_terminal(), "{:?}", next.status());
    assert_eq!(next.view().deadline_at, Some(trial.now.after(Duration::from_secs(500))));
}

#[test]
fn a_keeper_that_does_not_answer_yet_costs_its_session_nothing() {
    let mut trial = Trial::running(facts());
    trial.find(FindingKind::AuthorizeUrl, &authorize("s"));
    let mut next = trial.restarted(AdoptedKeeper::Unreachable);
    assert_eq!((next.status(), next.view().child), (trial.status(), trial.view().child));
    assert_eq!(
        next.count(|effect| matches!(effect, Effect::KillChild { .. } | Effect::ReleaseKeeper { .. })),
        0
    );
    let time = KeeperTime { elapsed: Duration::from_secs(100), limit: Duration::from_secs(600) };
    next.tell(SessionInput::KeeperReached { process_id: 42, time });
    assert_eq!(next.view().deadline_at, Some(next.now.after(Duration::from_secs(500))));
    next.exit(0).pass_check(None).store_bundle("bundle-fresh");
    assert!(matches!(next.status(), Status::Success { .. }));
}
