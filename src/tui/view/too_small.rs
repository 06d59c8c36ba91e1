//! What stands on a terminal in which nothing can be drawn.

use super::layout::LEAST;
use super::painter::Painter;
use crate::tui::model::Model;
use crate::tui::text;
use crate::tui::theme::Role;

/// Says what is needed.
pub fn draw(model: &Model, painter: &mut Painter<'_>) {
    let (columns, rows) = model.size;
    let sentence = format!(
        "Too small: authdeck needs {} columns and {} rows; here are {columns} and {rows}. The sessions go on.",
        LEAST.0, LEAST.1
    );
    for (y, line) in (0..rows).zip(text::wrap(&sentence, usize::from(columns.max(1)))) {
        painter.text(0, y, columns, &line, Role::Text);
    }
}
