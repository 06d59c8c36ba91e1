//! One question or order about a session.

use std::time::Duration;

use super::watch::{Told, Watch};
use super::{ending, input, print, print_effect, print_fields, print_json, refused};
use crate::cli::scripted::{Kill, Listing, OfSession, Submit, Wait};
use crate::client::{Client, Events};
use crate::core::ids::{ProviderId, SessionId};
use crate::core::secret::Secret;
use crate::error::{Error, Kind, visible};
use crate::protocol::request::SessionList;
use crate::protocol::snapshot::SessionView;

/// How long to wait for what comes right after the first thing for a person to do: a code beside its URL.
pub(super) const SETTLE: Duration = Duration::from_millis(500);

pub(super) async fn list(client: &Client, options: &Listing) -> Result<(), Error> {
    let sessions = client.sessions().await.map_err(refused)?;
    if options.json {
        return print_json(&SessionList { sessions });
    }
    print(&sessions.iter().map(line).collect::<String>())
}

fn line(session: &SessionView) -> String {
    let provider = session.provider_id.as_ref().map(ProviderId::as_str);
    let what = provider.or(session.command.first().map(String::as_str)).unwrap_or("unknown");
    let name = session.name.as_ref().map(|name| format!(" ({name})")).unwrap_or_default();
    visible(&format!("{} {what}{name}: {}", session.session_id, session.waiting_text)).replace('\n', " ")
        + "\n"
}

pub(super) async fn poll(client: &Client, of: &OfSession) -> Result<(), Error> {
    let polled = client.poll(&id(of)).await.map_err(refused)?;
    if of.json {
        print_json(&polled)?;
    }
    match polled {
        None => Err(unknown(of)),
        Some(_) if of.json => Ok(()),
        Some(polled) => print_fields(&polled),
    }
}

pub(super) async fn wait(client: Client, events: Events, options: &Wait) -> Result<(), Error> {
    let of = &options.of;
    let (mut watch, session) = Watch::begin(client, events, id(of)).await?;
    let session = session.ok_or_else(|| unknown(of))?;
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
    lines.insert(0, format!("Session: {}", session.session_id));
    print(&(lines.join("\n") + "\n"))
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
    let text = client.transcript(&id(of)).await.map_err(refused)?;
    if of.json { print_json(&text) } else { print(&visible(&text)) }
}

pub(super) async fn submit(client: &Client, submit: Submit) -> Result<(), Error> {
    let (of, text) = (submit.of, input::text(submit.text, "What the browser ended on: ").await?);
    let submitted = client.submit(&id(&of), text).await.map_err(refused)?;
    if of.json {
        print_json(&submitted)?;
    }
    if !submitted.delivered {
        return Err(Error::new(Kind::Failed, submitted.message));
    }
    if of.json { Ok(()) } else { print(&(visible(&submitted.message) + "\n")) }
}

pub(super) async fn type_line(client: &Client, typed: Submit) -> Result<(), Error> {
    let (of, text) = (typed.of, input::text(typed.text, "To be typed: ").await?);
    let done = type_into(client, &id(&of), &text).await?;
    print_effect(done, of.json, "nothing was typed: there is no such session, or its CLI reads no input")
}

/// Types a line, then Enter as the key sends it.
pub(super) async fn type_into(client: &Client, session_id: &SessionId, text: &Secret) -> Result<bool, Error> {
    let mut bytes = zeroize::Zeroizing::new(Vec::with_capacity(text.len() + 1));
    bytes.extend_from_slice(text.secret().as_bytes());
    bytes.push(b'\r');
    client.input(session_id, &bytes).map_err(refused)?.wait().await.map_err(refused)
}

pub(super) async fn cancel(client: &Client, of: &OfSession) -> Result<(), Error> {
    let done = client.cancel(&id(of)).await.map_err(refused)?;
    print_effect(done, of.json, "nothing was cancelled: there is no such session, or it was over already")
}

pub(super) async fn kill(client: &Client, kill: &Kill) -> Result<(), Error> {
    let done = client.kill(&id(&kill.of), kill.force).await.map_err(refused)?;
    print_effect(done, kill.of.json, "nothing was killed: there is no such session, or nothing of it runs")
}

fn id(of: &OfSession) -> SessionId {
    SessionId::new(of.session.as_str())
}

fn unknown(of: &OfSession) -> Error {
    Error::new(Kind::Usage, format!("there is no session {}", of.session))
        .hint("`authdeck sessions` lists them all")
}
