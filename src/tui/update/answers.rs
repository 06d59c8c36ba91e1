//! What the supervisor answers.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{scroll, server, sessions};
use crate::core::ids::SessionId;
use crate::core::time::Timestamp;
use crate::protocol::error::{ASK_FIRST, RpcError};
use crate::protocol::event::Level;
use crate::protocol::request::{History, ProviderList, SearchResult, Started, Submitted};
use crate::protocol::snapshot::Snapshot;
use crate::tui::dialog::{CommandLine, Dialog, Reader};
use crate::tui::model::{Focus, Model};
use crate::tui::msg::{Ask, Cmd};
use crate::tui::picker;

/// Takes an answer.
pub fn answered(
    model: &mut Model,
    ask: Ask,
    answer: Result<Value, RpcError>,
    now: Timestamp,
    orders: &mut Vec<Cmd>,
) {
    match answer {
        Ok(value) => granted(model, ask, value, now, orders),
        Err(error) => refused(model, &ask, error),
    }
}

fn granted(model: &mut Model, ask: Ask, value: Value, now: Timestamp, orders: &mut Vec<Cmd>) {
    match ask {
        Ask::Plain | Ask::Kill(_) => {}
        Ask::Start => with(model, value, started),
        Ask::Submit(session) => with(model, value, |model, answer| submitted(model, &session, answer)),
        Ask::History(session) => {
            with(model, value, |model, history: History| model.pane.remember(&session, history));
        }
        Ask::Search(session, text) => with(model, value, |model, result: SearchResult| {
            if model.pane.session.as_ref() == Some(&session) {
                scroll::found(model, text, result.lines);
            }
        }),
        Ask::Explain(session) => with(model, value, |model, text: String| explained(model, &session, &text)),
        Ask::Recording(session) => {
            with(model, value, |model, content| save(model, &session, content, orders));
        }
        Ask::Providers => with(model, value, providers),
        Ask::Challenge => with(model, value, challenge_taken),
        Ask::Resync => {
            with(model, value, |model, state: Snapshot| server::snapshot(model, state, now, orders));
        }
    }
}

fn with<T: DeserializeOwned>(model: &mut Model, value: Value, then: impl FnOnce(&mut Model, T)) {
    match serde_json::from_value(value) {
        Ok(answer) => then(model, answer),
        Err(error) => model.say(
            Level::Error,
            format!(
                "The supervisor's answer is not understood ({error}); is it of another version? Restart it."
            ),
        ),
    }
}

fn started(model: &mut Model, started: Started) {
    if awaits_start(model).is_some() {
        model.dialog = None;
    }
    model.started = Some(started.session_id);
    model.focus = Focus::List;
    model.typing = false;
}

/// The command line that was handed in and is still shown.
fn awaits_start(model: &mut Model) -> Option<&mut CommandLine> {
    match &mut model.dialog {
        Some(Dialog::Command(line)) if line.sent => Some(line),
        Some(_) | None => None,
    }
}

/// The dialog closes only when it is known that the paste was delivered.
fn submitted(model: &mut Model, session: &SessionId, answer: Submitted) {
    let level = if answer.delivered { Level::Info } else { Level::Warning };
    if let Some(Dialog::Paste(paste)) = &mut model.dialog
        && paste.session == *session
    {
        if answer.delivered {
            model.dialog = None;
        } else {
            paste.sent = false;
            paste.refusal = Some(crate::tui::text::visible(&answer.message).into_owned());
            return;
        }
    }
    model.say(level, answer.message);
}

fn explained(model: &mut Model, session: &SessionId, text: &str) {
    let title = model.session(session).map_or_else(String::new, |session| Model::title_of(session).0);
    let paragraphs = text.lines().map(|line| crate::tui::text::visible(line).into_owned()).collect();
    model.dialog = Some(Dialog::Text {
        title: format!("What {title} waits for"),
        paragraphs,
        reader: Reader::default(),
    });
}

fn save(model: &mut Model, session: &SessionId, content: String, orders: &mut Vec<Cmd>) {
    if let Some(session) = model.session(session) {
        orders.push(Cmd::Save { name: sessions::recording_name(session), content });
    }
}

fn providers(model: &mut Model, list: ProviderList) {
    if let Some(Dialog::Picker(chooser)) = &mut model.dialog {
        chooser.refill(picker::entries(&list.providers));
    }
    model.providers = Some(list.providers);
}

fn challenge_taken(model: &mut Model, took: bool) {
    if !took {
        model.say(Level::Warning, "Too late: it was answered or cancelled already.");
    }
}

fn refused(model: &mut Model, ask: &Ask, error: RpcError) {
    match ask {
        Ask::History(_) => model.pane.give_up(),
        Ask::Submit(session) => {
            if let Some(Dialog::Paste(paste)) = &mut model.dialog
                && paste.session == *session
            {
                paste.sent = false;
                paste.asks = error.code == ASK_FIRST;
                paste.refusal = Some(crate::tui::text::visible(&error.message).into_owned());
                return;
            }
        }
        Ask::Start => {
            if let Some(line) = awaits_start(model) {
                line.sent = false;
                line.refusal = Some(crate::tui::text::visible(&error.message).into_owned());
                return;
            }
        }
        Ask::Plain
        | Ask::Kill(_)
        | Ask::Search(..)
        | Ask::Explain(_)
        | Ask::Recording(_)
        | Ask::Providers
        | Ask::Challenge
        | Ask::Resync => {}
    }
    model.say(Level::Error, error.message);
}
