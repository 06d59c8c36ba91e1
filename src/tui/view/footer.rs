//! The bottom: what was said last, and the keys that apply now.

use ratatui::layout::{Position, Rect};

use super::areas::Areas;
use super::layout;
use super::painter::{Line, Painter, action_in, hint, line_width};
use crate::protocol::event::Level;
use crate::tui::action::Action;
use crate::tui::availability;
use crate::tui::dialog::Dialog;
use crate::tui::field::Field;
use crate::tui::model::{Focus, Message, Model};
use crate::tui::text;
use crate::tui::theme::Role;

/// Draws both.
pub fn draw(model: &Model, painter: &mut Painter<'_>, areas: &Areas) {
    if areas.status != areas.footer {
        painter.line(areas.footer.x + 1, areas.footer.y, areas.footer.width - 1, &keys(model, areas.footer));
        if let Some(message) = &model.status {
            draw_status(painter, message, areas.status);
        }
    } else if let Some(message) = &model.status {
        draw_status(painter, message, areas.status);
    } else {
        painter.line(areas.footer.x + 1, areas.footer.y, areas.footer.width - 1, &keys(model, areas.footer));
    }
}

/// A message that is too long for its row takes rows of the body: the end of what was copied must be seen whole.
fn draw_status(painter: &mut Painter<'_>, message: &Message, area: Rect) {
    const MOST_ROWS: usize = 4;
    let (sign, role) = match message.level {
        Level::Info => ("", Role::StatusInfo),
        Level::Warning => ("! ", Role::StatusWarning),
        Level::Error => ("!! ", Role::StatusError),
    };
    let columns = area.width.saturating_sub(2);
    let mut lines = text::wrap(&format!("{sign}{}", message.text), usize::from(columns));
    lines.truncate(MOST_ROWS);
    let rows = u16::try_from(lines.len()).unwrap_or(1).clamp(1, area.y);
    let area = Rect { y: area.bottom() - rows, height: rows, ..area };
    if rows > 1 {
        painter.fill(area, Role::UiDialog);
    }
    for (y, line) in (area.top()..area.bottom()).zip(&lines) {
        painter.text(area.x + 1, y, columns, line, role);
    }
}

/// Draws the line that a search is typed into, in place of the status.
pub fn draw_search(model: &Model, painter: &mut Painter<'_>, field: &Field) -> Option<Position> {
    let areas = layout::areas(model);
    painter.fill(areas.status, Role::UiField);
    let x = painter.text(areas.status.x + 1, areas.status.y, 8, "search: ", Role::UiField);
    let room = areas.status.width.saturating_sub(x + 1);
    Some(draw_field(painter, x, areas.status.y, room, field, false))
}

/// Draws what is typed so that the cursor stays in view; returns where it stands.
pub fn draw_field(
    painter: &mut Painter<'_>,
    x: u16,
    y: u16,
    room: u16,
    field: &Field,
    masked: bool,
) -> Position {
    let shown = |text: &str| match masked {
        true => "•".repeat(text.chars().count()),
        false => text::visible(text).into_owned(),
    };
    let before = shown(field.before_cursor());
    let whole = shown(field.text());
    let columns = usize::from(room.saturating_sub(1));
    let skip = text::width(&before).saturating_sub(columns);
    let mut skipped = 0;
    let tail: String = whole
        .chars()
        .skip_while(|letter| {
            let skips = skipped < skip;
            skipped += unicode_width::UnicodeWidthChar::width(*letter).unwrap_or(0);
            skips
        })
        .collect();
    painter.text(x, y, room, &tail, Role::UiField);
    let at = text::width(&before).min(columns);
    Position::new(x + u16::try_from(at).unwrap_or(0), y)
}

/// The actions that the footer offers, the most useful first; those that cannot be run now are left to the palette.
fn offered(model: &Model) -> &'static [Action] {
    match (&model.dialog, model.typing, model.focus) {
        (Some(Dialog::Search(_) | Dialog::Paste(_) | Dialog::Command(_)), _, _) => {
            &[Action::DialogAccept, Action::DialogCancel]
        }
        (Some(Dialog::Answer(_)), _, _) => &[Action::DialogAccept, Action::DialogCancel, Action::DialogDeny],
        (Some(_), _, _) => &[Action::DialogAccept, Action::DialogCancel],
        (None, true, _) => &[Action::PaneTypeLeave],
        (None, false, Focus::Pane) => &[
            Action::PaneLeave,
            Action::SearchNext,
            Action::SearchPrevious,
            Action::SearchClose,
            Action::PaneType,
            Action::PasteOpen,
            Action::UrlCopy,
            Action::SessionKill,
            Action::SearchOpen,
            Action::PanePageUp,
            Action::PaneBottom,
            Action::PaneZoom,
            Action::RecordingSave,
            Action::HelpOpen,
            Action::DeckQuit,
        ],
        (None, false, Focus::List) => &[
            Action::SearchNext,
            Action::SearchClose,
            Action::ChallengeAnswer,
            Action::ChallengeDeny,
            Action::UrlCopy,
            Action::CodeCopy,
            Action::PasteOpen,
            Action::PaneType,
            Action::SessionKill,
            Action::SessionNew,
            Action::SessionRemove,
            Action::SearchOpen,
            Action::BundlesOpen,
            Action::WaitingNext,
            Action::FocusNext,
            Action::HelpOpen,
            Action::DeckQuit,
        ],
    }
}

fn keys(model: &Model, area: Rect) -> Line {
    let contexts = model.contexts();
    let mut line = Line::new();
    let room = usize::from(area.width).saturating_sub(1);
    for action in offered(model).iter().filter(|action| availability::of(**action, model).is_ok()) {
        let hint = hint(model, &contexts, *action);
        // The gap after the last one may be cut.
        if line_width(&line) + line_width(&hint) <= room + 2 && !hint[0].text.is_empty() {
            line.extend(hint);
        }
    }
    line
}

/// Returns the action whose key is drawn at a place.
pub fn action_at(model: &Model, areas: &Areas, at: Position) -> Option<Action> {
    let shows_keys = areas.status != areas.footer || model.status.is_none();
    if !areas.footer.contains(at) || !shows_keys {
        return None;
    }
    action_in(&keys(model, areas.footer), usize::from(at.x).checked_sub(1)?)
}
