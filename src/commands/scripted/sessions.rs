//! One question or order about a session.

use std::time::Duration;

use super::watch::{Told, Watch};
use super::{ending, input, print, print_effect, print_fields, print_json, reference, refused, table};
use crate::cli::scripted::{Kill, Line, Listing, OfSession, Submit, Wait};
use crate::client::{Client, ClientError, Events};
use crate::core::ids::SessionId;
use crate::core::secret::Secret;
use crate::core::visible::TerminalText;
use crate::error::{Error, Kind};
use crate::protocol::error::ASK_FIRST;
use crate::protocol::request::{Polled, SessionList};
use crate::protocol::snapshot::{ChildState, SessionView};

/// How long to wait for what comes right after the first thing for a person to do: a code beside its URL.
pub(super) const SETTLE: Duration = Duration::from_millis(500);

/// How long `kill` waits for the end of a kill; the supervisor itself gives up earlier.
const KILL_LIMIT: Duration = Duration::from_secs(60);

/// How often `kill` looks whether the kill is over.
const KILL_INTERVAL: Duration = Duration::from_millis(50);

pub(super) async fn list(client: &Client, options: &Listing) -> Result<(), Error> {
    let sessions = client.sessions().await.map_err(refused)?;
    let survivors: Vec<String> =
        sessions.iter().flat_map(|session| session.child.survivors()).cloned().collect();
    if options.json {
        print_json(&SessionList { sessions })?;
    } else {
        print(&table::of_sessions(sessions, table::now()))?;
    }
    none_survived(&survivors)
}

/// What could not be killed is an error, whatever was asked.
fn none_survived(survivors: &[String]) -> Result<(), Error> {
    if survivors.is_empty() {
        return Ok(());
    }
    let text = format!("not everything could be killed; still there: {}", survivors.join("; "));
    Err(Error::new(Kind::Failed, text)
        .hint("Try `authdeck kill --force`, or end it with `kill -9` and its number."))
}

pub(super) async fn poll(client: &Client, of: &OfSession) -> Result<(), Error> {
    let polled = match id(client, of).await {
        Ok(id) => client.poll(&id).await.map_err(refused)?,
        Err(unknown) => {
            if of.json {
                print_json(&None::<Polled>)?;
            }
            return Err(unknown);
        }
    };
    if of.json {
        print_json(&polled)?;
    } else {
        print_fields(&polled)?;
    }
    none_survived(&polled.map(|polled| polled.survivors).unwrap_or_default())
}

pub(super) async fn wait(client: Client, events: Events, options: &Wait) -> Result<(), Error> {
    let of = &options.of;
    let (mut watch, session) = Watch::begin_named(client, events, &of.session).await?;
    let until = until_it_matters(&mut watch, session, options.detach);
    let session = match options.timeout.map(Duration::from_secs) {
        None => until.await?,
        Some(limit) => tokio::time::timeout(limit, until).await.map_err(|_| {
            let text = format!("it goes on after the {} s that were waited for it", limit.as_secs());
            Error::new(Kind::Unfinished, text).hint(format!("ask again: authdeck wait {}", of.session))
        })??,
    };
    show(&session, of.json)?;
    ending(&session)
}

/// Prints where a session stands.
pub(super) fn show(session: &SessionView, json: bool) -> Result<(), Error> {
    if json {
        return print_json(session);
    }
    let mut lines = super::spoken::Spoken::default().lines(session);
    lines.insert(0, TerminalText::line(&format!("Session: {}", session.session_id)));
    print(&lines.into_iter().map(TerminalText::ended).collect())
}

/// Waits until the session is over or, if that is wanted, a person has something to do.
pub(super) async fn until_it_matters(
    watch: &mut Watch,
    mut session: SessionView,
    detach: bool,
) -> Result<SessionView, Error> {
    let mut settled = None;
    loop {
        if session.status.is_terminal() {
            return Ok(session);
        }
        if detach && session.waiting.needs_person() {
            settled.get_or_insert_with(|| tokio::time::Instant::now() + SETTLE);
        }
        let told = match settled {
            None => watch.next().await?,
            Some(at) => match tokio::time::timeout_at(at, watch.next()).await {
                Ok(told) => told?,
                Err(_) if session.waiting.needs_person() => return Ok(session),
                Err(_) => {
                    settled = None;
                    continue;
                }
            },
        };
        match told {
            Told::Session(changed) => session = *changed,
            Told::Challenge(_) | Told::Notice(_) => {}
        }
    }
}

pub(super) async fn transcript(client: &Client, of: &OfSession) -> Result<(), Error> {
    let text = client.transcript(&id(client, of).await?).await.map_err(refused)?;
    if of.json { print_json(&text) } else { print(&TerminalText::lines(&text)) }
}

pub(super) async fn submit(client: &Client, submit: Submit) -> Result<(), Error> {
    let Submit { line: Line { of, text }, unseen_listener } = submit;
    let text = input::text(text, &TerminalText::line("What the browser ended on: ")).await?;
    let id = id(client, &of).await?;
    let handed_in =
        if unseen_listener { client.submit_unseen(&id, text).await } else { client.submit(&id, text).await };
    let submitted = handed_in.map_err(|error| {
        let asks = matches!(&error, ClientError::Refused(refusal) if refusal.code == ASK_FIRST);
        let error = refused(error);
        let hint = "`authdeck submit --unseen-listener ID -` hands it over all the same";
        if asks { error.hint(hint) } else { error }
    })?;
    if of.json {
        print_json(&submitted)?;
    }
    if !submitted.delivered {
        return Err(Error::new(Kind::Failed, submitted.message));
    }
    if of.json { Ok(()) } else { print(&TerminalText::lines(&submitted.message).ended()) }
}

pub(super) async fn type_line(client: &Client, typed: Line) -> Result<(), Error> {
    let session_id = id_or_false(client, &typed.of).await?;
    let (of, text) = (typed.of, input::text(typed.text, &TerminalText::line("To be typed: ")).await?);
    let done = type_into(client, &session_id, &text).await?;
    print_effect(done, of.json, "nothing was typed: its CLI reads no input any more")
}

/// Types a line, then Enter as the key sends it.
pub(super) async fn type_into(client: &Client, session_id: &SessionId, text: &Secret) -> Result<bool, Error> {
    let mut bytes = zeroize::Zeroizing::new(Vec::with_capacity(text.len() + 1));
    bytes.extend_from_slice(text.secret().as_bytes());
    bytes.push(b'\r');
    client.input(session_id, &bytes).map_err(refused)?.wait().await.map_err(refused)
}

pub(super) async fn cancel(client: &Client, of: &OfSession) -> Result<(), Error> {
    let done = client.cancel(&id_or_false(client, of).await?).await.map_err(refused)?;
    print_effect(done, of.json, "nothing was cancelled: it was over already")
}

pub(super) async fn kill(client: &Client, kill: &Kill) -> Result<(), Error> {
    let session_id = id_or_false(client, &kill.of).await?;
    let done = client.kill(&session_id, kill.force).await.map_err(refused)?;
    print_effect(done, kill.of.json, "nothing was killed: nothing of it runs any more")?;
    none_survived(&survivors_of_kill(client, &session_id).await?)
}

/// Waits until the kill is over, and returns what is still there.
async fn survivors_of_kill(client: &Client, session_id: &SessionId) -> Result<Vec<String>, Error> {
    let until = tokio::time::Instant::now() + KILL_LIMIT;
    loop {
        let sessions = client.sessions().await.map_err(refused)?;
        let child = sessions.into_iter().find(|session| session.session_id == *session_id);
        match child.map(|session| session.child) {
            Some(ChildState::Ending) if tokio::time::Instant::now() < until => {
                tokio::time::sleep(KILL_INTERVAL).await;
            }
            Some(ChildState::Ending) => return Ok(vec!["its kill is not over yet".to_owned()]),
            Some(child) => return Ok(child.survivors().to_vec()),
            None => return Ok(Vec::new()),
        }
    }
}

async fn id(client: &Client, of: &OfSession) -> Result<SessionId, Error> {
    reference::session_id(client, &of.session).await
}

/// The same for an order: with `--json` an unknown one is answered, too, with the effect that it had.
async fn id_or_false(client: &Client, of: &OfSession) -> Result<SessionId, Error> {
    let found = id(client, of).await;
    if found.is_err() && of.json {
        print_json(&false)?;
    }
    found
}
