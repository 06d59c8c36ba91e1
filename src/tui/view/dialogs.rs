//! Dialogs' frames, and the one question.

use ratatui::layout::{Position, Rect};

use super::painter::{Painter, line_width, piece};
use crate::tui::dialog::Confirm;
use crate::tui::text;
use crate::tui::theme::Role;

/// Draws an empty dialog in the middle; returns the room in it.
pub fn frame(painter: &mut Painter<'_>, screen: Rect, columns: u16, rows: u16, title: &str) -> Rect {
    let width = (columns + 4).min(screen.width);
    let height = (rows + 2).min(screen.height);
    let x = screen.x + (screen.width - width) / 2;
    let y = screen.y + (screen.height - height) / 3;
    let area = Rect::new(x, y, width, height);
    painter.fill(area, Role::UiDialog);
    edge(painter, area);
    if !title.is_empty() {
        painter.text(x + 2, y, width.saturating_sub(4), &format!(" {title} "), Role::UiDialogFrame);
    }
    Rect::new(x + 2, y + 1, width.saturating_sub(4), height.saturating_sub(2))
}

fn edge(painter: &mut Painter<'_>, area: Rect) {
    let signs = if painter.unicode {
        ["╭", "╮", "╰", "╯", "─", "│"]
    } else {
        ["+", "+", "+", "+", "-", "|"]
    };
    let across = signs[4].repeat(usize::from(area.width.saturating_sub(2)));
    let role = Role::UiDialogFrame;
    painter.text(area.x, area.y, area.width, &format!("{}{across}{}", signs[0], signs[1]), role);
    let bottom = area.bottom().saturating_sub(1);
    painter.text(area.x, bottom, area.width, &format!("{}{across}{}", signs[2], signs[3]), role);
    for y in area.y + 1..bottom {
        painter.text(area.x, y, 1, signs[5], role);
        painter.text(area.right().saturating_sub(1), y, 1, signs[5], role);
    }
}

/// Draws a question; the safe answer stands first and is the one that Enter takes.
pub fn confirm(painter: &mut Painter<'_>, screen: Rect, confirm: &Confirm) -> Option<Position> {
    let buttons = [
        button(confirm.safe, !confirm.other_selected),
        piece("  ", Role::UiDialog),
        button(confirm.other, confirm.other_selected),
    ];
    let least = if confirm.detail.iter().any(|paragraph| text::width(paragraph) > 60) { 66 } else { 30 };
    let columns = text::width(&confirm.question).max(line_width(&buttons)).clamp(least, 66);
    let columns = columns.min(usize::from(screen.width.saturating_sub(4)));
    let question = text::wrap(&confirm.question, columns);
    let detail: Vec<String> =
        confirm.detail.iter().flat_map(|paragraph| text::wrap(paragraph, columns)).collect();
    let rows = question.len() + usize::from(!detail.is_empty()) + detail.len() + 2;
    let columns = u16::try_from(columns).unwrap_or(u16::MAX);
    let area = frame(painter, screen, columns, u16::try_from(rows).unwrap_or(u16::MAX), "");
    let mut y = area.y;
    for line in &question {
        painter.text(area.x, y, area.width, line, Role::TextStrong);
        y += 1;
    }
    y += u16::from(!detail.is_empty());
    let last = area.bottom().saturating_sub(1);
    for line in detail.iter().take(usize::from(last.saturating_sub(y))) {
        painter.text(area.x, y, area.width, line, Role::TextQuiet);
        y += 1;
    }
    painter.line(area.x, last, area.width, &buttons);
    None
}

/// Makes a button; the selected one is marked by more than its colour.
pub fn button(label: &str, selected: bool) -> super::painter::Piece {
    if selected {
        piece(format!("[ {label} ]"), Role::UiButtonSelected)
    } else {
        piece(format!("  {label}  "), Role::UiButton)
    }
}
