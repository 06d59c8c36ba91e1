//! Without the deck: what scripts, agents and screen readers use.
//!
//! | module | what it does |
//! | --- | --- |
//! | [`follow`] | starts a login and tells line by line what becomes of it |
//! | `sessions` | one question or order about a session |
//! | `challenges` | one question or answer about a challenge |
//! | `watch` | one session as it goes on, over a connection that may break |
//! | `spoken` | a session's changes as lines for a person |
//! | `input` | what is read from standard input |
//! | `table` | the list of sessions for a person |
//! | `reference` | from what a person typed to what is meant |
//!
//! With `--json` each prints what the API answers. What went wrong is on standard error, and the exit code tells which
//! way ([`crate::error`]).

mod challenges;
pub mod follow;
mod input;
mod reference;
mod sessions;
mod spoken;
mod table;
mod watch;

use serde::Serialize;
use serde_json::{Value, json};

use super::supervisor::{connect_or_start, connect_running};
use crate::cli::scripted::{Answer, Kill, Listing, Scripted, Submit, Wait};
use crate::client::{Client, ClientError, Events};
use crate::core::status::Status;
use crate::core::visible::TerminalText;
use crate::driver::paths;
use crate::error::{Error, Kind};
use crate::output;
use crate::protocol::error::{ASK_FIRST, CANNOT_START, NOT_FOUND, PASTE_REFUSED, TOO_LATE, UNAUTHENTICATED};
use crate::protocol::snapshot::SessionView;

/// Does what one of the commands says.
///
/// # Errors
/// The supervisor cannot be had or refuses, or the answer is no.
pub fn run(command: Scripted) -> Result<(), Error> {
    super::current_thread_runtime()?.block_on(async {
        let Some((client, events)) = connect(&command).await? else { return nothing_there(&command) };
        match command {
            Scripted::Sessions(options) => sessions::list(&client, &options).await,
            Scripted::Poll(of) => sessions::poll(&client, &of).await,
            Scripted::Wait(options) => sessions::wait(client, events, &options).await,
            Scripted::Transcript(of) => sessions::transcript(&client, &of).await,
            Scripted::Submit(submit) => sessions::submit(&client, submit).await,
            Scripted::Type(typed) => sessions::type_line(&client, typed).await,
            Scripted::Cancel(of) => sessions::cancel(&client, &of).await,
            Scripted::Kill(kill) => sessions::kill(&client, &kill).await,
            Scripted::Challenges(options) => challenges::list(&client, &options).await,
            Scripted::Answer(answer) => challenges::answer(&client, answer).await,
            Scripted::Deny(of) => challenges::deny(&client, &of).await,
        }
    })
}

/// Connects to the supervisor. Who only reads starts none, unless a killed one has left logins that go on.
async fn connect(command: &Scripted) -> Result<Option<(Client, Events)>, Error> {
    let reads = match command {
        Scripted::Sessions(_)
        | Scripted::Poll(_)
        | Scripted::Wait(_)
        | Scripted::Transcript(_)
        | Scripted::Challenges(_)
        | Scripted::Answer(_)
        | Scripted::Deny(_) => true,
        Scripted::Submit(_) | Scripted::Type(_) | Scripted::Cancel(_) | Scripted::Kill(_) => false,
    };
    if reads && !has_left_sessions() {
        return connect_running().await;
    }
    connect_or_start().await.map(Some)
}

/// Tells whether a supervisor, also one that was killed, has written down sessions.
fn has_left_sessions() -> bool {
    let saved = paths::supervisor_socket().with_file_name("saved");
    std::fs::read_dir(saved).is_ok_and(|mut files| files.next().is_some())
}

/// What is said where no supervisor runs and none has left anything behind.
fn nothing_there(command: &Scripted) -> Result<(), Error> {
    match command {
        Scripted::Sessions(Listing { json: true }) => print_json(&json!({ "sessions": [] })),
        Scripted::Sessions(_) => print(&TerminalText::lines(table::NOTHING)),
        Scripted::Challenges(Listing { json: true }) => print_json(&json!({ "challenges": [] })),
        Scripted::Challenges(_) => print(&TerminalText::lines(challenges::NOTHING)),
        Scripted::Poll(of) if of.json => {
            print_json(&Value::Null)?;
            Err(reference::unknown_session(&of.session))
        }
        Scripted::Poll(of) | Scripted::Transcript(of) | Scripted::Cancel(of) => {
            Err(reference::unknown_session(&of.session))
        }
        Scripted::Wait(Wait { of, .. }) | Scripted::Kill(Kill { of, .. }) => {
            Err(reference::unknown_session(&of.session))
        }
        Scripted::Submit(Submit { line, .. }) | Scripted::Type(line) => {
            Err(reference::unknown_session(&line.of.session))
        }
        Scripted::Answer(Answer { of, .. }) | Scripted::Deny(of) => {
            Err(reference::unknown_challenge(&of.challenge))
        }
    }
}

/// Prints text for a person.
fn print(text: &TerminalText) -> Result<(), Error> {
    output::print(text)
        .map_err(|error| Error::new(Kind::Failed, "the answer could not be printed").because(error))
}

/// Prints a value as the API has it, on one line.
fn print_json(value: &impl Serialize) -> Result<(), Error> {
    let text = TerminalText::json(value)
        .map_err(|error| Error::new(Kind::Failed, "the answer could not be printed").because(error))?;
    print(&text.ended())
}

/// Prints a value's fields for a person, those that are null left out.
fn print_fields(value: &impl Serialize) -> Result<(), Error> {
    let value = serde_json::to_value(value).unwrap_or_default();
    let mut fields: Vec<_> =
        value.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null()).collect();
    fields.sort_by_key(|(name, _)| *name != "status");
    let lines = fields.into_iter().map(|(name, value)| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        TerminalText::line(&format!("{name}: {text}")).ended()
    });
    print(&lines.collect())
}

/// Prints whether an order had an effect; that it had none is an error, said in a sentence.
fn print_effect(done: bool, json: bool, no_effect: &str) -> Result<(), Error> {
    if json {
        print_json(&Value::Bool(done))?;
    }
    if done { Ok(()) } else { Err(Error::new(Kind::Failed, no_effect)) }
}

/// Makes an exit code of how a session ended.
fn ending(session: &SessionView) -> Result<(), Error> {
    match &session.status {
        Status::Failed { error } => {
            let failed = Error::new(Kind::Failed, error.clone());
            Err(session.advice.iter().fold(failed, |failed, advice| failed.hint(advice.clone())))
        }
        Status::Success { .. }
        | Status::Pending
        | Status::UrlAvailable { .. }
        | Status::CodeEmitted { .. } => Ok(()),
    }
}

fn refused(error: ClientError) -> Error {
    let ClientError::Refused(refusal) = error else {
        return Error::new(Kind::Unavailable, "the supervisor does not answer").because(error);
    };
    let kind = match refusal.code {
        NOT_FOUND | CANNOT_START => Kind::Usage,
        PASTE_REFUSED | ASK_FIRST | TOO_LATE => Kind::Denied,
        UNAUTHENTICATED => Kind::Unavailable,
        _ => Kind::Failed,
    };
    Error::new(kind, refusal.message)
}
