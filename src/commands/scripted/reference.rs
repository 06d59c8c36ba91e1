//! From what a person typed to the session or the challenge that is meant.

use super::refused;
use crate::client::Client;
use crate::core::ids::{ProviderId, SessionId};
use crate::core::reference::{Named, Unresolved, resolve};
use crate::error::{Error, Kind};
use crate::protocol::snapshot::{ChallengeView, SessionView};

/// Finds the session that a person means among those that there are.
///
/// # Errors
/// There is none, or several fit.
pub(super) fn session_among(mut sessions: Vec<SessionView>, text: &str) -> Result<SessionView, Error> {
    sessions.sort_by_key(|session| session.started_at);
    let named: Vec<Named<'_>> = sessions.iter().map(of_session).collect();
    let at = resolve(text, &named).map_err(|why| not_found("session", text, &why))?;
    Ok(sessions.swap_remove(at))
}

/// Asks for the sessions and finds the id of the one that a person means.
///
/// # Errors
/// There is none, or several fit.
pub(super) async fn session_id(client: &Client, text: &str) -> Result<SessionId, Error> {
    let sessions = client.sessions().await.map_err(refused)?;
    session_among(sessions, text).map(|session| session.session_id)
}

/// Finds the challenge that a person means among those that are parked.
///
/// # Errors
/// There is none, or several fit.
pub(super) fn challenge(mut parked: Vec<ChallengeView>, text: &str) -> Result<ChallengeView, Error> {
    parked.sort_by_key(|challenge| challenge.parked_at);
    let named: Vec<Named<'_>> = parked.iter().map(of_challenge).collect();
    let at = resolve(text, &named).map_err(|why| not_found("challenge", text, &why))?;
    Ok(parked.swap_remove(at))
}

/// What a session is known by.
pub(super) fn of_session(session: &SessionView) -> Named<'_> {
    Named {
        id: session.session_id.as_str(),
        name: session.name.as_deref(),
        kind: kind(session),
        live: !session.status.is_terminal(),
    }
}

/// What a session is of: its provider, else its program.
pub(super) fn kind(session: &SessionView) -> Option<&str> {
    let provider = session.provider_id.as_ref().map(ProviderId::as_str);
    provider.or(session.command.first().map(String::as_str))
}

fn of_challenge(challenge: &ChallengeView) -> Named<'_> {
    Named {
        id: challenge.challenge_id.as_str(),
        name: challenge.origin.as_deref(),
        kind: Some(&challenge.title),
        live: true,
    }
}

/// What is said of a session that nobody knows.
pub(super) fn unknown_session(text: &str) -> Error {
    not_found("session", text, &Unresolved::Unknown)
}

/// What is said of a challenge that nobody knows, or knows any more.
pub(super) fn unknown_challenge(text: &str) -> Error {
    not_found("challenge", text, &Unresolved::Unknown)
}

fn not_found(noun: &str, text: &str, why: &Unresolved) -> Error {
    let list = format!("`authdeck {noun}s` lists them all");
    match why {
        Unresolved::Unknown => {
            let gone =
                if noun == "challenge" { "; it may have been answered or given up already" } else { "" };
            Error::new(Kind::Usage, format!("there is no {noun} {text}{gone}")).hint(list)
        }
        Unresolved::Ambiguous(_) => {
            Error::new(Kind::Usage, format!("{text} is the name of several {noun}s: {why}"))
                .hint("type a few more characters of the id")
                .hint(list)
        }
    }
}
