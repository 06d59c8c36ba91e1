//! How a started sequence of keys can go on.

use ratatui::layout::Rect;

use super::painter::{Painter, piece};
use crate::tui::keys::KeyPress;
use crate::tui::model::Model;
use crate::tui::theme::Role;

/// Draws a small box over the footer while keys are awaited.
pub fn draw(model: &Model, painter: &mut Painter<'_>, body: Rect) {
    if model.pending.is_empty() {
        return;
    }
    let next = model.keymap.continuations(&model.contexts(), &model.pending);
    let height = u16::try_from(next.len() + 1).unwrap_or(u16::MAX).min(body.height);
    let area = Rect { y: body.bottom() - height, height, ..body };
    painter.fill(area, Role::UiDialog);
    let pressed: Vec<String> = model.pending.iter().map(KeyPress::to_string).collect();
    painter.text(
        area.x + 1,
        area.y,
        area.width - 1,
        &format!("{} …", pressed.join(" ")),
        Role::UiDialogFrame,
    );
    for (y, (keys, action)) in (area.y + 1..area.bottom()).zip(next) {
        let line = [piece(format!("{keys:<4}"), Role::UiKey), piece(action.doc(), Role::Text)];
        painter.line(area.x + 1, y, area.width - 1, &line);
    }
}
