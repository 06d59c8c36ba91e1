//! What the supervisor tells.

use super::{callbacks, sessions, trust};
use crate::core::ids::SessionId;
use crate::core::time::Timestamp;
use crate::protocol::event::{ChallengeOutcome, Event, Level, NumberedEvent};
use crate::protocol::method::{Method as _, server};
use crate::protocol::request::Nothing;
use crate::protocol::snapshot::{BundleView, ChallengeView, SessionView, Snapshot};
use crate::tui::dialog::Dialog;
use crate::tui::model::{Focus, Item, Model};
use crate::tui::msg::{Ask, Cmd};

/// Events that wait for a snapshot; if there are more, the gap is noticed and another one is asked for.
const MOST_EARLY: usize = 4_096;

/// Takes the whole state.
pub fn snapshot(model: &mut Model, snapshot: Snapshot, now: Timestamp, orders: &mut Vec<Cmd>) {
    let offset = i128::from(snapshot.now.0) - i128::from(now.0);
    model.clock_offset = i64::try_from(offset).unwrap_or(0);
    model.sequence = Some(snapshot.sequence);
    model.host = crate::tui::text::visible(&snapshot.host).into_owned();
    let mut sessions = snapshot.sessions;
    sessions.iter_mut().for_each(|session| trust::judged_here(model, session));
    model.sessions = sessions;
    model.challenges = snapshot.challenges;
    model.bundles = snapshot.bundles;
    if model.disconnected.take().is_some() {
        model.say(Level::Info, "The supervisor is back.");
    }
    // A new connection knows neither the focus nor the size that were ordered before.
    model.pane.turn_to(None);
    model.ordered_size = None;
    callbacks::follow(model, false, orders);
    let start = std::mem::take(&mut model.start);
    sessions::start_all(model, start, orders);
    for early in std::mem::take(&mut model.early) {
        event(model, early, orders);
    }
}

/// Takes an event; a gap before it means that the state is not known any more. While a snapshot is awaited, events
/// wait for it.
pub fn event(model: &mut Model, numbered: NumberedEvent, orders: &mut Vec<Cmd>) {
    let Some(sequence) = model.sequence else {
        if model.early.len() < MOST_EARLY {
            model.early.push(numbered);
        }
        return;
    };
    if numbered.sequence <= sequence {
        return;
    }
    if numbered.sequence > sequence + 1 {
        model.sequence = None;
        model.early.push(numbered);
        orders.push(Cmd::Request(Ask::Resync, Box::new(server::Subscribe::request(Nothing {}))));
        return;
    }
    model.sequence = Some(numbered.sequence);
    apply(model, numbered.event, orders);
}

/// Takes what happened.
pub fn apply(model: &mut Model, event: Event, orders: &mut Vec<Cmd>) {
    match event {
        Event::SessionAdded { session } | Event::SessionChanged { session } => {
            session_changed(model, *session, orders);
        }
        Event::SessionRemoved { session_id } => session_removed(model, &session_id),
        Event::ChallengeParked { challenge } => challenge_parked(model, *challenge, orders),
        Event::ChallengeEnded { challenge_id, epoch, outcome } => {
            let title = model
                .challenge(&challenge_id)
                .filter(|known| known.epoch == epoch)
                .map(|it| it.title.clone());
            if let Some(title) = title {
                move_off(model, &Item::Challenge(challenge_id.clone()));
                model.challenges.retain(|challenge| challenge.challenge_id != challenge_id);
                challenge_ended(model, &title, outcome);
                close_answer(model, &challenge_id, epoch);
            }
        }
        Event::BundleStored { bundle } => bundle_stored(model, *bundle),
        Event::SupervisorStopping {} => {
            model.stopped = true;
            orders.push(Cmd::Quit);
        }
        Event::Notice { level, text, session_id: _ } => model.say(level, text),
    }
}

/// Notes that there is no supervisor any more.
pub fn disconnected(model: &mut Model, reason: String) {
    model.typing = false;
    model.say(
        Level::Error,
        format!("Lost the supervisor ({reason}). The sessions go on; trying to reach it again."),
    );
    model.disconnected = Some(reason);
}

fn session_changed(model: &mut Model, mut session: SessionView, orders: &mut Vec<Cmd>) {
    trust::judged_here(model, &mut session);
    let before = model.session(&session.session_id);
    let news = news_of(before, &session);
    if session.status.is_terminal()
        && model.selected_session().is_some_and(|it| it.session_id == session.session_id)
    {
        model.typing = false;
    }
    match model.sessions.iter_mut().find(|known| known.session_id == session.session_id) {
        Some(known) => *known = session,
        None => model.sessions.push(session),
    }
    if let Some(news) = news {
        orders.push(Cmd::Notify(news));
    }
}

/// A person is called when something to act on appears, not when a session merely goes on.
fn news_of(before: Option<&SessionView>, after: &SessionView) -> Option<String> {
    let (title, _) = Model::title_of(after);
    let url_before = before.and_then(|session| session.url.as_ref()).map(|url| url.url.as_str());
    let code_before = before.and_then(|session| session.code.as_deref());
    if after.status.is_terminal() || !after.waiting.needs_person() {
        return None;
    }
    if after.code.is_some() && after.code.as_deref() != code_before {
        return Some(format!("{title}: a code is there to be entered"));
    }
    if after.carry.is_some() && after.carry != before.and_then(|session| session.carry.clone()) {
        return Some(format!("{title}: something is there to be carried"));
    }
    let url = after.url.as_ref().map(|url| url.url.as_str());
    (url.is_some() && url != url_before).then(|| format!("{title}: a URL is there to be opened"))
}

fn session_removed(model: &mut Model, id: &SessionId) {
    move_off(model, &Item::Session(id.clone()));
    model.sessions.retain(|session| session.session_id != *id);
}

/// What goes away hands the selection to its neighbour, not to the top of the list.
fn move_off(model: &mut Model, item: &Item) {
    if model.selection.as_ref() != Some(item) {
        return;
    }
    let entries = model.entries();
    let at = entries.iter().position(|entry| entry.item() == *item).unwrap_or(0);
    let next = entries.get(at + 1).or_else(|| at.checked_sub(1).and_then(|before| entries.get(before)));
    let next = next.map(super::super::model::Entry::item);
    model.selection = next;
    model.focus = Focus::List;
}

fn challenge_parked(model: &mut Model, challenge: ChallengeView, orders: &mut Vec<Cmd>) {
    let title = crate::tui::text::visible(&challenge.title).into_owned();
    orders.push(Cmd::Notify(format!("{title} waits for an answer")));
    if model.typing {
        model.say(Level::Warning, format!("{title} waits for an answer in the list."));
    }
    model.challenges.retain(|known| known.challenge_id != challenge.challenge_id);
    model.challenges.push(challenge);
}

fn challenge_ended(model: &mut Model, title: &str, outcome: ChallengeOutcome) {
    match outcome {
        ChallengeOutcome::Answered => model.say(Level::Info, format!("{title} was answered.")),
        ChallengeOutcome::Denied => model.say(Level::Info, format!("{title} was refused.")),
        ChallengeOutcome::Expired => {
            model.say(Level::Warning, format!("{title} waited too long and was cancelled; run it again."));
        }
        ChallengeOutcome::Cancelled => model.say(Level::Info, format!("{title} does not ask any more.")),
        ChallengeOutcome::Superseded => {}
    }
}

fn close_answer(model: &mut Model, id: &crate::core::ids::ChallengeId, epoch: u64) {
    if let Some(Dialog::Answer(answer)) = &model.dialog
        && answer.challenge == *id
        && answer.epoch == epoch
    {
        model.dialog = None;
    }
}

/// Takes a stored login.
pub fn bundle_stored(model: &mut Model, bundle: BundleView) {
    model.bundles.retain(|known| known.bundle_id != bundle.bundle_id);
    model.bundles.push(bundle);
}
