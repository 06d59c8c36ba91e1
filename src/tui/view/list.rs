//! The list: who waits for the person stands first, and how long it will wait beside it.

use ratatui::layout::{Position, Rect};

use super::painter::{Painter, piece};
use crate::core::status::Status;
use crate::core::time::Timestamp;
use crate::protocol::snapshot::Waiting;
use crate::tui::model::{Entry, Focus, Group, Item, Model, State, state_of};
use crate::tui::text::{visible, width};
use crate::tui::theme::Role;

/// From this many rows on what waits has two lines.
const ROOMY: u16 = 14;

/// A row of the list.
enum Row {
    Title(Group, usize),
    Entry(usize),
    Detail(usize),
    Gap,
}

/// Draws it.
pub fn draw(model: &Model, now: Timestamp, painter: &mut Painter<'_>, area: Rect) {
    let entries = model.entries();
    if entries.is_empty() {
        painter.text(area.x + 1, area.y, area.width - 1, "No sessions", Role::TextQuiet);
        return;
    }
    let rows = rows(&entries, area.height);
    let top = top(model, &entries, &rows, area.height);
    for (y, row) in (area.top()..area.bottom()).zip(rows.iter().skip(top)) {
        let line = Rect::new(area.x, y, area.width, 1);
        match row {
            Row::Gap => {}
            Row::Title(group, count) => draw_title(painter, line, *group, *count),
            Row::Entry(index) => {
                draw_entry(model, &entries[*index], now, painter, line, area.height >= ROOMY);
            }
            Row::Detail(index) => draw_detail(model, &entries[*index], painter, line),
        }
    }
}

fn rows(entries: &[Entry<'_>], height: u16) -> Vec<Row> {
    let roomy = height >= ROOMY;
    let mut rows = Vec::new();
    let mut group = None;
    for (index, entry) in entries.iter().enumerate() {
        if group != Some(entry.group()) {
            if group.is_some() && roomy {
                rows.push(Row::Gap);
            }
            group = Some(entry.group());
            let count = entries.iter().filter(|other| other.group() == entry.group()).count();
            rows.push(Row::Title(entry.group(), count));
        }
        rows.push(Row::Entry(index));
        if roomy && matches!(entry.group(), Group::Challenges | Group::Waiting) {
            rows.push(Row::Detail(index));
        }
    }
    rows
}

/// Scrolls as little as it takes to show the selected entry with its detail.
fn top(model: &Model, entries: &[Entry<'_>], rows: &[Row], height: u16) -> usize {
    let selected = entries.iter().position(|entry| Some(entry.item()) == model.selection);
    let last = rows.iter().rposition(|row| match row {
        Row::Entry(index) | Row::Detail(index) => Some(*index) == selected,
        Row::Title(..) | Row::Gap => false,
    });
    (last.unwrap_or(0) + 1).saturating_sub(usize::from(height))
}

fn draw_title(painter: &mut Painter<'_>, line: Rect, group: Group, count: usize) {
    let text = format!("{} {count}", group.title());
    painter.text(line.x + 1, line.y, line.width - 1, &text, Role::UiGroup);
}

fn tint_selected(model: &Model, entry: &Entry<'_>, painter: &mut Painter<'_>, line: Rect) {
    if model.selection != Some(entry.item()) {
        return;
    }
    let here = model.focus == Focus::List;
    painter.tint(line, if here { Role::UiSelection } else { Role::UiSelectionAway });
    let bar = painter.sign('▌', '>').to_string();
    painter.text(line.x, line.y, 1, &bar, if here { Role::UiRuleFocus } else { Role::UiRule });
}

fn draw_entry(
    model: &Model,
    entry: &Entry<'_>,
    now: Timestamp,
    painter: &mut Painter<'_>,
    line: Rect,
    roomy: bool,
) {
    let state = state(entry);
    let (title, name) = title(entry);
    let glyph = painter.sign(state.glyph, state.ascii);
    let mut right = Vec::new();
    let two_lines = roomy && matches!(entry.group(), Group::Challenges | Group::Waiting);
    if !two_lines {
        right.push(match code_to_enter(entry) {
            Some(code) => piece(code, Role::CardCode),
            None => piece(state.word, state.role),
        });
    }
    if matches!(entry.group(), Group::Challenges | Group::Waiting)
        && let Some(left) = model.time_left(entry, now)
    {
        let role = if left.expiring { Role::StateExpiring } else { Role::TextQuiet };
        right.push(piece(if right.is_empty() { left.text } else { format!(" {}", left.text) }, role));
    }
    let end = painter.line_ending(line.right().saturating_sub(1), line.y, line.width, &right);
    let x = painter.text(line.x + 1, line.y, 2, &format!("{glyph} "), state.role);
    let x = draw_host(model, entry, painter, x, line.y);
    let room = end.saturating_sub(x + 1);
    let strong = matches!(entry.group(), Group::Challenges | Group::Waiting);
    let x = painter.text(x, line.y, room, &title, if strong { Role::TextStrong } else { Role::Text });
    let room = end.saturating_sub(x + 1);
    if let Some(name) = name.filter(|name| !name.is_empty() && usize::from(room) > 4 && width(name) > 0) {
        painter.text(x, line.y, room, &format!(" · {name}"), Role::TextQuiet);
    }
    tint_selected(model, entry, painter, line);
}

/// The device code, where typing it in is what is left to do.
fn code_to_enter(entry: &Entry<'_>) -> Option<String> {
    match entry {
        Entry::Session(session) if session.waiting == Waiting::EnterCode => {
            session.code.as_deref().map(|code| visible(code).into_owned())
        }
        Entry::Session(_) | Entry::Challenge(_) => None,
    }
}

/// The host's column, where there are several.
fn draw_host(model: &Model, entry: &Entry<'_>, painter: &mut Painter<'_>, x: u16, y: u16) -> u16 {
    let columns = u16::try_from(model.hosts.column_width()).unwrap_or(0);
    if columns == 0 {
        return x;
    }
    let name = model.hosts.name_of(entry.id()).unwrap_or_default();
    painter.text(x, y, columns, name, Role::TextQuiet);
    x + columns + 1
}

fn draw_detail(model: &Model, entry: &Entry<'_>, painter: &mut Painter<'_>, line: Rect) {
    let state = state(entry);
    let text = match entry {
        Entry::Challenge(challenge) => visible(&challenge.message).into_owned(),
        Entry::Session(session) => match &session.code {
            Some(code) => format!("{}  {}", state.word, visible(code)),
            None => state.word.to_owned(),
        },
    };
    let role = match entry {
        Entry::Challenge(_) => Role::Quote,
        Entry::Session(_) => state.role,
    };
    painter.text(line.x + 3, line.y, line.width.saturating_sub(4), &text, role);
    tint_selected(model, entry, painter, line);
}

fn state(entry: &Entry<'_>) -> State {
    match entry {
        Entry::Session(session) => state_of(session),
        Entry::Challenge(_) => State { glyph: '!', ascii: '!', word: "asks", role: Role::StateWaiting },
    }
}

fn title(entry: &Entry<'_>) -> (String, Option<String>) {
    match entry {
        Entry::Session(session) => {
            let (title, name) = Model::title_of(session);
            let identity = match &session.status {
                Status::Success { email, .. } => email.clone().or_else(|| session.identity.clone()),
                Status::Pending
                | Status::UrlAvailable { .. }
                | Status::CodeEmitted { .. }
                | Status::Failed { .. } => None,
            };
            (title, identity.map(|identity| visible(&identity).into_owned()).or(name))
        }
        Entry::Challenge(challenge) => {
            let origin = challenge.origin.as_deref().map(|origin| visible(origin).into_owned());
            (visible(&challenge.title).into_owned(), origin)
        }
    }
}

/// Returns the entry that is drawn at a place.
pub fn item_at(model: &Model, area: Rect, at: Position) -> Option<Item> {
    let entries = model.entries();
    let rows = rows(&entries, area.height);
    let row = top(model, &entries, &rows, area.height) + usize::from(at.y.checked_sub(area.y)?);
    match rows.get(row)? {
        Row::Entry(index) | Row::Detail(index) => Some(entries[*index].item()),
        Row::Title(..) | Row::Gap => None,
    }
}
