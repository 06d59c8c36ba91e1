//! The mouse: a click selects or presses what is drawn there, the wheel scrolls.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::Position;

use super::{actions, dialogs, scroll};
use crate::core::time::Timestamp;
use crate::tui::model::{Focus, Model};
use crate::tui::msg::Cmd;
use crate::tui::view::{self, layout};

/// Lines that one step of the wheel moves.
const STEP: i64 = 3;

/// Takes a mouse event.
pub fn moved(model: &mut Model, event: MouseEvent, now: Timestamp, orders: &mut Vec<Cmd>) {
    let at = Position::new(event.column, event.row);
    match event.kind {
        MouseEventKind::Down(MouseButton::Left) => clicked(model, at, now, orders),
        MouseEventKind::ScrollUp => wheel(model, at, -STEP),
        MouseEventKind::ScrollDown => wheel(model, at, STEP),
        MouseEventKind::Down(_)
        | MouseEventKind::Up(_)
        | MouseEventKind::Drag(_)
        | MouseEventKind::Moved
        | MouseEventKind::ScrollLeft
        | MouseEventKind::ScrollRight => {}
    }
}

fn wheel(model: &mut Model, at: Position, lines: i64) {
    if model.dialog.is_some() {
        dialogs::step(model, isize::try_from(lines.signum()).unwrap_or(1));
    } else if layout::areas(model).list.contains(at) {
        actions::scroll_list(model, isize::try_from(lines.signum()).unwrap_or(1));
    } else if model.selected_session().is_some() {
        scroll::by_lines(model, lines);
    }
}

fn clicked(model: &mut Model, at: Position, now: Timestamp, orders: &mut Vec<Cmd>) {
    if let Some(action) = view::action_at(model, at, now) {
        actions::run(model, action, orders);
        return;
    }
    if model.dialog.is_some() {
        dialogs::clicked(model, view::target_at(model, now, at), orders);
        return;
    }
    let areas = layout::areas(model);
    if areas.list.contains(at) {
        actions::select(model, view::list::item_at(model, areas.list, at));
        model.focus = Focus::List;
    } else if areas.pane.contains(at) && model.selection.is_some() {
        model.focus = Focus::Pane;
    }
}
