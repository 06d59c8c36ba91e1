//! Who gets which part of the screen. Pure, so that the mouse and the child's size follow the same rules as drawing.

use ratatui::layout::Rect;

use super::areas::Areas;
use super::card;
use super::painter::Painter;
use crate::core::time::Timestamp;
use crate::tui::model::{Focus, Model};
use crate::tui::theme::Role;

/// The smallest terminal that the deck draws in.
pub const LEAST: (u16, u16) = (40, 12);
/// Below this many columns the list and the pane are two screens.
const SIDE_BY_SIDE: u16 = 60;
/// From this many columns on beside the list, card and pane stand side by side.
const CARD_BESIDE_PANE: u16 = 170;
/// The columns of a card beside the pane.
const CARD_COLUMNS: u16 = 72;
/// From this many rows on the status line has a row of its own.
const OWN_STATUS: u16 = 20;

/// Tells whether there is no room to draw in.
pub fn too_small(size: (u16, u16)) -> bool {
    size.0 < LEAST.0 || size.1 < LEAST.1
}

/// Tells whether the list and the pane are two screens.
pub fn is_narrow(model: &Model) -> bool {
    model.size.0 < SIDE_BY_SIDE
}

/// Returns the parts, as far as they do not depend on the time.
pub fn areas(model: &Model) -> Areas {
    areas_at(model, Timestamp(0))
}

/// Returns the parts.
pub fn areas_at(model: &Model, now: Timestamp) -> Areas {
    let (mut areas, right) = frame(model);
    if right.height == 0 {
        return areas;
    }
    if right.width >= CARD_BESIDE_PANE && !pane_is_empty(model) {
        return side_by_side(areas, right);
    }
    let height = if pane_is_empty(model) {
        right.height
    } else if model.typing {
        // Not measured: this is asked for with every key that is typed.
        1
    } else {
        card::height(model, now, right).min(right.height.saturating_sub(4)).max(1)
    };
    areas.card = Rect { height, ..right };
    areas.pane_rule = Rect { y: right.y + height, height: u16::from(height < right.height), ..right };
    areas.pane = Rect {
        y: right.y + (height + 1).min(right.height),
        height: right.height.saturating_sub(height + 1),
        ..right
    };
    areas
}

/// The card on the left of the child's screen, where there is room for both.
fn side_by_side(areas: Areas, right: Rect) -> Areas {
    let pane = beside_card(right);
    Areas {
        card: Rect { width: CARD_COLUMNS, ..right },
        card_divider: Rect { x: pane.x - 2, width: 1, ..right },
        pane_rule: Rect { height: 1, ..pane },
        pane: Rect { y: pane.y + 1, height: pane.height.saturating_sub(1), ..pane },
        ..areas
    }
}

fn beside_card(right: Rect) -> Rect {
    Rect { x: right.x + CARD_COLUMNS + 2, width: right.width - CARD_COLUMNS - 2, ..right }
}

/// Without a session there is no screen to show, so the card has it all.
fn pane_is_empty(model: &Model) -> bool {
    model.selected_session().is_none()
        && model.selected_challenge().and_then(|challenge| challenge.session_id.as_ref()).is_none()
}

/// Returns the parts but for the right side, which is returned whole.
fn frame(model: &Model) -> (Areas, Rect) {
    let (columns, rows) = model.size;
    let own_status = u16::from(rows >= OWN_STATUS);
    let row = |y: u16, height: u16| Rect::new(0, y, columns, height);
    let body = row(1, rows.saturating_sub(2 + own_status));
    let mut areas = Areas {
        header: row(0, 1),
        body,
        status: row(rows.saturating_sub(1 + own_status), 1),
        footer: row(rows.saturating_sub(1), 1),
        ..Areas::default()
    };
    let pane_only = model.zoomed && model.selection.is_some();
    if is_narrow(model) || pane_only {
        if pane_only || model.focus == Focus::Pane || model.entries().is_empty() {
            let margin = u16::from(!is_narrow(model));
            return (areas, Rect { x: margin, width: columns - margin, ..body });
        }
        areas.list = body;
        return (areas, Rect::default());
    }
    let list = list_width(columns);
    areas.list = Rect { width: list, ..body };
    areas.divider = Rect { x: list, width: 1, ..body };
    (areas, Rect { x: list + 2, width: columns - list - 2, ..body })
}

fn list_width(columns: u16) -> u16 {
    (columns * 3 / 10).clamp(26, 44)
}

/// Returns the rows in which the child's screen is shown.
pub fn pane_height(model: &Model) -> u16 {
    areas(model).pane.height
}

/// Returns the columns and rows that a child gets. They do not depend on the card, so that a card that grows does not
/// make the child draw everything anew.
pub fn child_size(model: &Model) -> (u16, u16) {
    let (areas, right) = frame(model);
    let columns = match right.width {
        0 => model.size.0,
        CARD_BESIDE_PANE.. => beside_card(right).width,
        columns => columns,
    };
    (columns.max(20), areas.body.height.saturating_sub(2).max(5))
}

/// Draws the line between the list and the right side.
pub fn draw_divider(model: &Model, painter: &mut Painter<'_>, areas: &Areas) {
    let role = if model.focus == Focus::Pane { Role::UiRuleFocus } else { Role::UiRule };
    painter.divider(areas.divider, role);
    painter.divider(areas.card_divider, Role::UiRule);
}
