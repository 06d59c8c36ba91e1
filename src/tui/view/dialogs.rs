//! Dialogs' frames, and the one question.

use ratatui::layout::{Position, Rect};

use super::painter::{Line, Painter, Piece, Target, line_width, piece};
use crate::tui::action::Action;
use crate::tui::dialog::Confirm;
use crate::tui::keymap::Context;
use crate::tui::model::Model;
use crate::tui::text;
use crate::tui::theme::Role;

/// Draws an empty dialog in the middle; returns the room in it.
pub fn frame(painter: &mut Painter<'_>, screen: Rect, columns: u16, rows: u16, title: &str) -> Rect {
    let width = (columns + 4).min(screen.width);
    // The last row is left: what is said there may be about the dialog.
    let height = (rows + 2).min(screen.height.saturating_sub(1));
    let x = screen.x + (screen.width - width) / 2;
    let y = screen.y + (screen.height - height) / 3;
    let area = Rect::new(x, y, width, height);
    painter.fill(area, Role::UiDialog);
    painter.target(area, Target::Inside);
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

/// Draws a question: its two answers, and the keys for them.
pub fn confirm(
    model: &Model,
    painter: &mut Painter<'_>,
    screen: Rect,
    confirm: &Confirm,
) -> Option<Position> {
    let buttons = buttons(confirm.safe, confirm.other, confirm.other_selected);
    let least = if confirm.detail.iter().any(|paragraph| text::width(paragraph) > 60) { 66 } else { 30 };
    let columns = text::width(&confirm.question).max(line_width(&buttons)).clamp(least, 66);
    let columns = columns.min(usize::from(screen.width.saturating_sub(4)));
    let question = text::wrap(&confirm.question, columns);
    let detail: Vec<String> =
        confirm.detail.iter().flat_map(|paragraph| text::wrap(paragraph, columns)).collect();
    let rows = question.len() + usize::from(!detail.is_empty()) + detail.len() + 3;
    let columns = u16::try_from(columns).unwrap_or(u16::MAX);
    let area = frame(painter, screen, columns, u16::try_from(rows).unwrap_or(u16::MAX), "");
    let mut y = area.y;
    for line in &question {
        painter.text(area.x, y, area.width, line, Role::TextStrong);
        y += 1;
    }
    y += u16::from(!detail.is_empty());
    let last = area.bottom().saturating_sub(2);
    for line in detail.iter().take(usize::from(last.saturating_sub(y))) {
        painter.text(area.x, y, area.width, line, Role::TextQuiet);
        y += 1;
    }
    draw_buttons(painter, Rect { y: last, height: 1, ..area }, &buttons);
    painter.line(area.x, last + 1, area.width, &confirm_keys(model, confirm));
    None
}

/// The keys that answer a question, with what each does.
fn confirm_keys(model: &Model, confirm: &Confirm) -> Line {
    let key =
        |context, action| model.keymap.keys_in(&[context], action).into_iter().next().unwrap_or_default();
    let (yes, no) = confirm.then.words();
    vec![
        piece(key(Context::Confirm, Action::DialogYes), Role::UiKey),
        piece(format!(" {yes} · "), Role::UiLabel),
        piece(key(Context::Reader, Action::DialogCancel), Role::UiKey),
        piece(format!(" {no}"), Role::UiLabel),
    ]
}

/// Makes the two answers of a question, the safe one first.
pub fn buttons(safe: &str, other: &str, other_selected: bool) -> [Piece; 3] {
    [button(safe, !other_selected), piece("  ", Role::UiDialog), button(other, other_selected)]
}

/// Draws the two answers so that they can be clicked.
pub fn draw_buttons(painter: &mut Painter<'_>, line: Rect, buttons: &[Piece; 3]) {
    let columns = |piece: &Piece| u16::try_from(text::width(&piece.text)).unwrap_or(u16::MAX);
    let [safe, gap, other] = buttons;
    let start = line.x + columns(safe) + columns(gap);
    painter.line(line.x, line.y, line.width, buttons);
    painter.target(Rect { width: columns(safe), ..line }, Target::Answer(false));
    painter.target(Rect { x: start, width: columns(other), ..line }, Target::Answer(true));
}

/// Makes a button; the selected one is marked by more than its colour.
fn button(label: &str, selected: bool) -> Piece {
    if selected {
        piece(format!("[ {label} ]"), Role::UiButtonSelected)
    } else {
        piece(format!("  {label}  "), Role::UiButton)
    }
}
