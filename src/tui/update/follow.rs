//! What must hold after every message: the selection exists, its screen is asked for at the right size, the history
//! that is shown is asked for.

use crate::protocol::method::{Request, session, terminal};
use crate::protocol::request::{Focus as FocusRequest, HistoryRange, Resize};
use crate::tui::dialog::Dialog;
use crate::tui::model::{Focus, Item, Model};
use crate::tui::msg::{Ask, Cmd};
use crate::tui::view::{layout, reading};

/// Makes it hold.
pub fn follow(model: &mut Model, orders: &mut Vec<Cmd>) {
    stop_readers_at_the_end(model);
    if model.sequence.is_none() || model.disconnected.is_some() {
        return;
    }
    select_something(model);
    focus_selected(model, orders);
    resize_child(model, orders);
    ask_for_history(model, orders);
}

fn stop_readers_at_the_end(model: &mut Model) {
    let limit = reading::limit(model);
    if let Some(Dialog::Help(reader) | Dialog::Bundles(reader) | Dialog::Text { reader, .. }) =
        &mut model.dialog
    {
        reader.top = reader.top.min(limit);
    }
}

fn select_something(model: &mut Model) {
    // The answer about what was started may come before or after the event that tells of it.
    if let Some(started) =
        model.started.take_if(|started| model.sessions.iter().any(|session| session.session_id == *started))
    {
        model.selection = Some(Item::Session(started));
    }
    let exists = match &model.selection {
        Some(Item::Session(id)) => model.session(id).is_some(),
        Some(Item::Challenge(id)) => model.challenge(id).is_some(),
        None => false,
    };
    if !exists {
        model.selection = model.entries().first().map(super::super::model::Entry::item);
    }
    if model.selection.is_none() || model.selected_session().is_none() {
        model.typing = false;
    }
    if model.selection.is_none() {
        model.focus = Focus::List;
    }
}

/// A challenge from inside a session keeps that session's screen in the pane.
fn focus_selected(model: &mut Model, orders: &mut Vec<Cmd>) {
    let wanted = match &model.selection {
        Some(Item::Session(id)) => Some(id.clone()),
        Some(Item::Challenge(id)) => model.challenge(id).and_then(|challenge| challenge.session_id.clone()),
        None => None,
    };
    let wanted = wanted.filter(|id| model.session(id).is_some());
    if model.pane.session == wanted {
        return;
    }
    model.pane.turn_to(wanted.clone());
    model.search = None;
    let request =
        Request::Session(session::Request::Focus(FocusRequest { session_id: wanted, acknowledged: true }));
    orders.push(Cmd::Request(Ask::Plain, Box::new(request)));
}

/// The size is ordered once per session and size, not whenever it differs: two decks on one session would otherwise
/// resize it back and forth for ever.
fn resize_child(model: &mut Model, orders: &mut Vec<Cmd>) {
    let Some(session) = model.selected_session() else { return };
    if session.status.is_terminal() || layout::too_small(model.size) {
        return;
    }
    let (columns, rows) = layout::child_size(model);
    let size = (session.session_id.clone(), columns, rows);
    if model.ordered_size.as_ref() == Some(&size) {
        return;
    }
    let request =
        Request::Terminal(terminal::Request::Resize(Resize { session_id: size.0.clone(), columns, rows }));
    model.ordered_size = Some(size);
    orders.push(Cmd::Request(Ask::Plain, Box::new(request)));
}

fn ask_for_history(model: &mut Model, orders: &mut Vec<Cmd>) {
    let height = layout::pane_height(model);
    let Some(session_id) = model.pane.session.clone() else { return };
    if let Some((first, count)) = model.pane.ask(height) {
        let ask = Ask::History(session_id.clone());
        let request =
            Request::Terminal(terminal::Request::History(HistoryRange { session_id, first, count }));
        orders.push(Cmd::Request(ask, Box::new(request)));
    }
}
