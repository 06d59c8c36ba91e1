//! `authdeck askpass` as children of real sessions call it, against a real supervisor.

use std::fs;
use std::path::PathBuf;

use authdeck::config::Limits;
use authdeck::core::ids::{ChallengeId, SessionId};
use authdeck::core::secret::Secret;
use authdeck::protocol::event::{ChallengeOutcome, Event};
use authdeck::protocol::request::AnswerChallenge;
use authdeck::protocol::snapshot::{ChallengeKind, ChallengeView};
use std::time::Duration;

use super::common::env::Home;
use super::common::served::{Served, Watcher};
use super::common::wait::wait_for;

/// Waits for the next parked challenge.
async fn next_challenge(deck: &mut Watcher) -> ChallengeView {
    deck.wait_event("a parked challenge", |event| match event {
        Event::ChallengeParked { challenge } => Some((**challenge).clone()),
        Event::ChallengeEnded { .. }
        | Event::SessionAdded { .. }
        | Event::SessionChanged { .. }
        | Event::SessionRemoved { .. }
        | Event::BundleStored { .. }
        | Event::SupervisorStopping {}
        | Event::Notice { .. } => None,
    })
    .await
}

async fn end_of(deck: &mut Watcher, id: &ChallengeId) -> ChallengeOutcome {
    deck.wait_event("the challenge's end", |event| match event {
        Event::ChallengeEnded { challenge_id, outcome, .. } if challenge_id == id => Some(*outcome),
        Event::ChallengeEnded { .. }
        | Event::ChallengeParked { .. }
        | Event::SessionAdded { .. }
        | Event::SessionChanged { .. }
        | Event::SessionRemoved { .. }
        | Event::BundleStored { .. }
        | Event::SupervisorStopping {}
        | Event::Notice { .. } => None,
    })
    .await
}

fn answer(challenge: &ChallengeView, secret: Option<&str>) -> AnswerChallenge {
    AnswerChallenge {
        challenge_id: challenge.challenge_id.clone(),
        epoch: Some(challenge.epoch),
        user: None,
        secret: secret.map(Secret::new),
    }
}

/// A script that asks, and leaves what it was told in files.
struct Asker {
    folder: PathBuf,
}

impl Asker {
    fn new(home: &Home) -> Self {
        Self { folder: home.work() }
    }

    fn script(&self, before: &str, prompt: &str) -> String {
        let folder = self.folder.display();
        format!(
            "{before} \"$SSH_ASKPASS\" \"{prompt}\" > {folder}/answer; echo $? > {folder}/code.new; \
             mv {folder}/code.new {folder}/code; sleep 1000"
        )
    }

    /// Exit code and output, once it has ended.
    fn told(&self) -> (String, String) {
        let code = wait_for("the askpass program has ended", super::common::wait::GENEROUS, || {
            fs::read_to_string(self.folder.join("code")).map_err(|error| error.to_string())
        });
        (code.trim().to_owned(), fs::read_to_string(self.folder.join("answer")).unwrap())
    }
}

async fn asked(home: &Home, before: &str, prompt: &str) -> (Served, Watcher, SessionId, ChallengeView) {
    let supervisor = Served::start(home).await;
    let mut deck = supervisor.watch().await;
    let session = deck.start(&Asker::new(home).script(before, prompt)).await;
    let challenge = next_challenge(&mut deck).await;
    (supervisor, deck, session, challenge)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_asked_in_the_deck_and_reaches_only_the_one_who_asked() {
    let home = Home::new();
    let (_supervisor, deck, session, challenge) = asked(&home, "", "Enter passphrase for key '/k': ").await;
    assert_eq!(challenge.kind, ChallengeKind::Secret);
    assert_eq!(challenge.message, "Enter passphrase for key '/k':");
    assert_eq!(challenge.session_id, Some(session.clone()));
    assert!(challenge.requester.chain.contains(&"sh".to_owned()), "{:?}", challenge.requester);

    assert!(deck.client.answer_challenge(answer(&challenge, Some("canary-9381 ü"))).await.unwrap());
    assert_eq!(Asker::new(&home).told(), ("0".into(), "canary-9381 ü\n".into()));
    assert_eq!(deck.client.pending_challenges().await.unwrap(), 0);
    assert!(!deck.client.answer_challenge(answer(&challenge, Some("late"))).await.unwrap());
    assert!(!deck.client.transcript(&session).await.unwrap().contains("canary-9381"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_prints_nothing_and_is_no_success() {
    let home = Home::new();
    let (_supervisor, deck, _, challenge) = asked(&home, "", "Password for 'http://a@h': ").await;
    let (id, epoch) = (&challenge.challenge_id, Some(challenge.epoch));
    assert!(deck.client.cancel_challenge(id, epoch).await.unwrap());
    assert_eq!(Asker::new(&home).told(), ("5".into(), String::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_confirmation_is_a_yes_only_if_it_was_given() {
    for (given, expected) in [(None, ("0", "yes\n")), (Some("no"), ("5", ""))] {
        let home = Home::new();
        let (_supervisor, deck, _, challenge) =
            asked(&home, "SSH_ASKPASS_PROMPT=confirm", "Allow use of key k?").await;
        assert_eq!(challenge.kind, ChallengeKind::Confirm);
        assert!(deck.client.answer_challenge(answer(&challenge, given)).await.unwrap());
        assert_eq!(Asker::new(&home).told(), (expected.0.into(), expected.1.into()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_answers_in_time() {
    let home = Home::new();
    let limits = Limits { challenge: Duration::from_secs(1), ..Limits::default() };
    let supervisor = Served::start_with(&home, limits).await;
    let mut deck = supervisor.watch().await;
    deck.start(&Asker::new(&home).script("", "Username for 'http://h': ")).await;
    let challenge = next_challenge(&mut deck).await;
    assert_eq!(challenge.kind, ChallengeKind::Text);
    assert_eq!(end_of(&mut deck, &challenge.challenge_id).await, ChallengeOutcome::Expired);
    assert_eq!(Asker::new(&home).told(), ("5".into(), String::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_is_shown_until_the_requester_ends_it() {
    let home = Home::new();
    let supervisor = Served::start(&home).await;
    let mut deck = supervisor.watch().await;
    let script = "export SSH_ASKPASS_PROMPT=none; \"$SSH_ASKPASS\" 'Touch your key' < /dev/null > /dev/null & \
                  read line; kill $!; wait; sleep 1000";
    let session = deck.start(script).await;
    let challenge = next_challenge(&mut deck).await;
    assert_eq!((challenge.kind, challenge.message.as_str()), (ChallengeKind::Notice, "Touch your key"));
    deck.client.input(&session, b"\r").unwrap();
    let outcome = end_of(&mut deck, &challenge.challenge_id).await;
    assert!(matches!(outcome, ChallengeOutcome::Cancelled | ChallengeOutcome::Denied), "{outcome:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_goes_away_with_the_one_who_asked() {
    let home = Home::new();
    let supervisor = Served::start(&home).await;
    let mut deck = supervisor.watch().await;
    // The reader of the answer ends; the askpass program itself is not signalled.
    let script =
        "mkfifo p; \"$SSH_ASKPASS\" 'Password: ' > p & (exec < p; read line < /dev/tty); wait; sleep 1000";
    let session = deck.start(&format!("cd {}; {script}", home.work().display())).await;
    let challenge = next_challenge(&mut deck).await;
    deck.client.input(&session, b"\r").unwrap();
    end_of(&mut deck, &challenge.challenge_id).await;
    assert_eq!(deck.client.pending_challenges().await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_asks_again_under_the_same_id_after_the_supervisor_was_replaced() {
    let home = Home::new();
    let (supervisor, deck, session, challenge) = asked(&home, "", "Password: ").await;
    drop(deck);
    supervisor.stop().await;
    let next = Served::start(&home).await;
    let mut deck = next.watch().await;
    let again = match deck.snapshot.challenges.first() {
        Some(again) => again.clone(),
        None => next_challenge(&mut deck).await,
    };
    assert_eq!((&again.challenge_id, &again.session_id), (&challenge.challenge_id, &Some(session)));
    assert!(deck.client.answer_challenge(answer(&again, Some("second"))).await.unwrap());
    assert_eq!(Asker::new(&home).told(), ("0".into(), "second\n".into()));
}
