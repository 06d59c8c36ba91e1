//! One question or answer about a challenge.

use serde_json::json;

use super::{input, print, print_effect, print_json, reference, refused};
use crate::cli::scripted::{Answer, Listing, OfChallenge};
use crate::client::Client;
use crate::core::secret::Secret;
use crate::core::visible::TerminalText;
use crate::error::Error;
use crate::protocol::request::AnswerChallenge;
use crate::protocol::snapshot::{ChallengeKind, ChallengeView};

/// What is said where nothing is parked.
pub(super) const NOTHING: &str = "No challenges: nothing waits for an answer.\n";

/// What is said when somebody or something else was quicker.
const TOO_LATE: &str = "it was answered, refused or given up already";

pub(super) async fn list(client: &Client, options: &Listing) -> Result<(), Error> {
    let challenges = parked(client).await?;
    if options.json {
        return print_json(&json!({ "challenges": challenges }));
    }
    if challenges.is_empty() {
        return print(&TerminalText::lines(NOTHING));
    }
    print(&challenges.iter().map(|challenge| line(challenge).ended()).collect())
}

/// One challenge on one line. What stands in quotes are the requester's own words.
pub(super) fn line(challenge: &ChallengeView) -> TerminalText {
    let origin = challenge.origin.as_ref().map(|origin| format!(" for {origin}")).unwrap_or_default();
    let text = format!(
        "{} {}{origin} asks: “{}”",
        challenge.challenge_id,
        challenge.title,
        challenge.message.trim_end()
    );
    TerminalText::line(&text)
}

async fn parked(client: &Client) -> Result<Vec<ChallengeView>, Error> {
    client.subscribe().await.map(|snapshot| snapshot.challenges).map_err(refused)
}

pub(super) async fn answer(client: &Client, answer: Answer) -> Result<(), Error> {
    let challenge = reference::challenge(parked(client).await?, &answer.of.challenge)?;
    let secret = secret_for(&challenge).await?;
    let answer_challenge = AnswerChallenge {
        challenge_id: challenge.challenge_id,
        epoch: Some(challenge.epoch),
        user: answer.user,
        secret,
    };
    let done = client.answer_challenge(answer_challenge).await.map_err(refused)?;
    print_effect(done, answer.of.json, TOO_LATE)
}

/// Reads what is asked for. Running the command is a yes already: it is not waited for on a terminal.
async fn secret_for(challenge: &ChallengeView) -> Result<Option<Secret>, Error> {
    match challenge.kind {
        ChallengeKind::Confirm | ChallengeKind::Notice if input::is_terminal() => Ok(None),
        ChallengeKind::Confirm
        | ChallengeKind::Notice
        | ChallengeKind::Secret
        | ChallengeKind::Text
        | ChallengeKind::HttpBasic
        | ChallengeKind::HttpDigest => {
            let prompt = line(challenge).ended() + TerminalText::line("Answer (not shown): ");
            input::secret(&prompt).await.map(Some)
        }
    }
}

pub(super) async fn deny(client: &Client, of: &OfChallenge) -> Result<(), Error> {
    let challenge = reference::challenge(parked(client).await?, &of.challenge)?;
    let done = client.cancel_challenge(&challenge.challenge_id, Some(challenge.epoch)).await;
    print_effect(done.map_err(refused)?, of.json, TOO_LATE)
}
