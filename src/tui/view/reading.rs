//! Dialogs to read: every key, who is logged in where, what a session waits for.

use ratatui::layout::{Position, Rect};

use super::dialogs;
use super::painter::{Line, Painter, piece};
use crate::core::time::Timestamp;
use crate::tui::action::{Action, GROUPS};
use crate::tui::availability;
use crate::tui::dialog::{Dialog, Reader};
use crate::tui::model::Model;
use crate::tui::text::{self, visible};
use crate::tui::theme::Role;

const COLUMNS: u16 = 76;

fn columns(screen: Rect) -> u16 {
    COLUMNS.min(screen.width.saturating_sub(4))
}

fn rows(screen: Rect, lines: usize) -> u16 {
    let most = usize::from(screen.height.saturating_sub(3));
    u16::try_from(lines.min(most)).unwrap_or(u16::MAX)
}

/// Draws lines to read, from where the reader is.
pub fn draw(
    painter: &mut Painter<'_>,
    screen: Rect,
    title: &str,
    lines: &[Line],
    reader: Reader,
) -> Option<Position> {
    let area = dialogs::frame(painter, screen, columns(screen), rows(screen, lines.len()), title);
    let last = lines.len().saturating_sub(usize::from(area.height));
    let top = usize::from(reader.top).min(last);
    for (y, line) in (area.top()..area.bottom()).zip(&lines[top..]) {
        painter.line(area.x, y, area.width, line);
    }
    if last > 0 {
        let sign = match (top > 0, top < last) {
            (true, true) => " more above and below ",
            (true, false) => " more above ",
            (false, _) => " more below ",
        };
        painter.line_ending(area.right(), area.bottom(), area.width, &[piece(sign, Role::UiDialogFrame)]);
    }
    None
}

/// Returns the last line that a reader can have on top, so that `update` keeps it there.
pub fn limit(model: &Model) -> u16 {
    let screen = super::whole(model.size);
    let lines = match &model.dialog {
        Some(Dialog::Help(_)) => help(model, screen).len(),
        Some(Dialog::Bundles(_)) => bundles(model, Timestamp(0), screen).len(),
        Some(Dialog::Text { paragraphs, .. }) => text(paragraphs, screen).len(),
        Some(
            Dialog::Scan { .. }
            | Dialog::Palette(_)
            | Dialog::Picker(_)
            | Dialog::Confirm(_)
            | Dialog::Paste(_)
            | Dialog::Command(_)
            | Dialog::Answer(_)
            | Dialog::Search(_),
        )
        | None => return 0,
    };
    u16::try_from(lines).unwrap_or(u16::MAX).saturating_sub(rows(screen, lines))
}

/// Every action with its keys, under headings; what cannot be done now says why.
pub fn help(model: &Model, screen: Rect) -> Vec<Line> {
    let columns = usize::from(columns(screen));
    let mut lines = Vec::new();
    for (title, _) in GROUPS {
        if !lines.is_empty() {
            lines.push(Line::new());
        }
        lines.push(vec![piece(*title, Role::UiGroup)]);
        for action in Action::ALL.iter().filter(|action| action.group() == *title) {
            lines.extend(help_lines(model, *action, columns));
        }
    }
    lines
}

fn help_lines(model: &Model, action: Action, columns: usize) -> Vec<Line> {
    /// Columns of the keys, and of all before the text where the screen is wide.
    const KEYS: usize = 18;
    let keys = model.keymap.keys_of(action).join("  ");
    let keys = text::cut(&keys, KEYS - 2, "…").into_owned();
    let start = if columns < 2 * KEYS { text::width(&keys) + 2 } else { KEYS };
    let reason = if action.is_for_dialogs() { None } else { availability::of(action, model).err() };
    let doc =
        reason.map_or_else(|| action.doc().to_owned(), |reason| format!("{} ({reason}.)", action.doc()));
    let role = if reason.is_some() { Role::TextQuiet } else { Role::Text };
    let wrapped = text::wrap(&doc, columns.saturating_sub(start));
    let line = |(index, doc): (usize, String)| {
        let keys = if index == 0 { keys.as_str() } else { "" };
        let pad = " ".repeat(start.saturating_sub(text::width(keys)));
        vec![piece(keys, Role::UiKey), piece(pad, Role::Text), piece(doc, role)]
    };
    wrapped.into_iter().enumerate().map(line).collect()
}

/// Every stored login.
pub fn bundles(model: &Model, now: Timestamp, screen: Rect) -> Vec<Line> {
    let columns = usize::from(columns(screen));
    if model.bundles.is_empty() {
        let text = "No login is stored yet. One is, as soon as a session ends as logged in.";
        return text::wrap(text, columns).into_iter().map(|line| vec![piece(line, Role::Text)]).collect();
    }
    let now = model.supervisor_time(now);
    let mut lines = Vec::new();
    for bundle in &model.bundles {
        let who = bundle.identity.as_deref().map_or_else(|| "somebody".into(), visible);
        lines.push(vec![
            piece(format!("{:<12} ", visible(&bundle.provider)), Role::TextStrong),
            piece(format!("{who}  "), Role::StateSuccess),
            piece(text::ago(bundle.updated_at.until(now)), Role::TextQuiet),
        ]);
        if let Some(folder) = &bundle.configuration_folder {
            lines.push(vec![piece(format!("{:13}in {}", "", visible(folder)), Role::TextQuiet)]);
        }
    }
    lines
}

/// Paragraphs, wrapped.
pub fn text(paragraphs: &[String], screen: Rect) -> Vec<Line> {
    let columns = usize::from(columns(screen));
    let wrapped = paragraphs.iter().flat_map(|paragraph| text::wrap(paragraph, columns));
    wrapped.map(|line| vec![piece(line, Role::Text)]).collect()
}
