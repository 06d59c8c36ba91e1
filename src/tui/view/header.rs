//! The line at the top: where one is, how many wait, where help is.

use ratatui::layout::{Position, Rect};

use super::painter::{Line, Painter, action_in, line_width, piece};
use crate::tui::action::Action;
use crate::tui::model::Model;
use crate::tui::theme::Role;

/// Draws it.
pub fn draw(model: &Model, painter: &mut Painter<'_>, area: Rect) {
    painter.fill(area, Role::UiHeader);
    let end = painter.line(area.x, area.y, area.width, &left(model));
    let right = right(model);
    if usize::from(area.width.saturating_sub(end)) > line_width(&right) {
        painter.line_ending(area.right(), area.y, area.width, &right);
    }
}

fn left(model: &Model) -> Line {
    let mut line = vec![piece(" authdeck", Role::UiHeaderName)];
    if !model.host.is_empty() {
        line.push(piece(format!(" · {}", model.host), Role::UiHeader));
    }
    line.extend(model.hosts.all.iter().flat_map(|host| {
        let (sign, role) = match host.trouble {
            None => ("", Role::UiHeader),
            Some(_) => (" (not reached)", Role::StatusError),
        };
        [piece(" · ", Role::UiHeader), piece(format!("{}{sign}", host.name), role)]
    }));
    line.push(piece("   ", Role::UiHeader));
    if model.disconnected.is_some() {
        line.push(piece("no supervisor", Role::StatusError));
        return line;
    }
    if model.sequence.is_none() {
        // Nothing was said yet, so there is nothing to count.
        return line;
    }
    let (waiting, live) = (model.waiting_count(), model.live_count());
    if waiting > 0 {
        let verb = if waiting == 1 { "waits" } else { "wait" };
        line.push(piece(format!("{waiting} {verb} for you"), Role::StateWaiting));
        line.push(piece(" · ", Role::UiHeader));
    }
    line.push(piece(format!("{live} running"), Role::UiHeader));
    line
}

fn right(model: &Model) -> Line {
    let mut line = Line::new();
    for action in [Action::HelpOpen, Action::PaletteOpen] {
        let key = model.keymap.keys_of(action).into_iter().next().unwrap_or_default();
        let mut hint = piece(format!("{key} {}  ", action.label()), Role::UiHeader);
        hint.action = Some(action);
        line.push(hint);
    }
    line
}

/// Returns the action whose key is drawn at a place.
pub fn action_at(model: &Model, area: Rect, at: Position) -> Option<Action> {
    let line = right(model);
    let start = usize::from(area.width).saturating_sub(line_width(&line));
    if !area.contains(at) {
        return None;
    }
    action_in(&line, usize::from(at.x).checked_sub(start)?)
}
