//! Draws the deck. Takes the model as it is; what has to change belongs in `update`.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::action::Action;
use super::dialog::Dialog;
use super::model::Model;
use crate::core::time::Timestamp;
use crate::protocol::screen::Row;
use painter::Painter;
pub use painter::Target;

pub mod areas;
mod big_code;
mod card;
mod challenge;
mod choosers;
mod dialogs;
mod footer;
mod header;
pub mod layout;
mod link;
pub mod list;
mod painter;
mod pane;
mod prompts;
mod qr;
pub mod reading;
mod too_small;
mod which_key;

pub use link::{Link, link};

/// Draws the whole deck into a buffer; returns where the cursor is to stand, if anywhere.
pub fn draw(model: &Model, now: Timestamp, buffer: &mut Buffer) -> Option<Position> {
    let mut painter = Painter::new(model, buffer);
    if layout::too_small(model.size) {
        too_small::draw(model, &mut painter);
        return None;
    }
    let areas = layout::areas_at(model, now);
    let mut cursor = None;
    header::draw(model, &mut painter, areas.header);
    if areas.list.height > 0 {
        list::draw(model, now, &mut painter, areas.list);
    }
    if areas.card.height > 0 {
        card::draw(model, now, &mut painter, &areas);
        pane::draw_rule(model, &mut painter, areas.pane_rule);
        cursor = pane::draw(model, &mut painter, areas.pane);
    }
    layout::draw_divider(model, &mut painter, &areas);
    footer::draw(model, &mut painter, &areas);
    which_key::draw(model, &mut painter, areas.body);
    match &model.dialog {
        Some(dialog) => draw_dialog(model, dialog, now, &mut painter),
        None => cursor,
    }
}

/// Returns where the child's screen is, if all of it is to be seen and nothing else on the deck changes with it.
pub fn bare_pane(model: &Model, now: Timestamp) -> Option<Rect> {
    let covered = model.dialog.is_some() || !model.pending.is_empty() || layout::too_small(model.size);
    if covered || model.pane.is_scrolled() || model.search.is_some() {
        return None;
    }
    Some(layout::areas_at(model, now).pane).filter(|pane| pane.height > 0)
}

/// Returns the lines of the child's screen that are shown, each with the row of the deck that it stands in.
pub fn pane_lines(model: &Model, pane: Rect) -> impl Iterator<Item = (u16, Option<&Row>)> {
    (pane.top()..pane.bottom())
        .zip(model.pane.top(pane.height)..)
        .map(|(y, number)| (y, model.pane.line(number)))
}

/// Draws one line of the child's screen over what stands in that row.
pub fn draw_pane_line(model: &Model, buffer: &mut Buffer, place: Rect, line: Option<&Row>) {
    let mut painter = Painter::over(model, buffer, place);
    if let Some(line) = line {
        pane::draw_line(&mut painter, line, place);
    }
}

/// Returns where the child's cursor stands, if the person types into it.
pub fn pane_cursor(model: &Model, pane: Rect) -> Option<Position> {
    pane::cursor(model, pane, model.pane.top(pane.height))
}

fn draw_dialog(
    model: &Model,
    dialog: &Dialog,
    now: Timestamp,
    painter: &mut Painter<'_>,
) -> Option<Position> {
    let screen = painter.area();
    match dialog {
        Dialog::Help(reader) => {
            reading::draw(painter, screen, "Every key", &reading::help(model, screen), *reader)
        }
        Dialog::Bundles(reader) => reading::draw(
            painter,
            screen,
            "Who is logged in where",
            &reading::bundles(model, now, screen),
            *reader,
        ),
        Dialog::Text { title, paragraphs, reader } => {
            reading::draw(painter, screen, title, &reading::text(paragraphs, screen), *reader)
        }
        Dialog::Scan { url, code } => {
            qr::draw(painter, screen, url, code.as_deref());
            None
        }
        Dialog::Palette(chooser) => choosers::palette(painter, screen, chooser),
        Dialog::Picker(chooser) => choosers::picker(model, painter, screen, chooser),
        Dialog::Confirm(confirm) => dialogs::confirm(model, painter, screen, confirm),
        Dialog::Paste(paste) => prompts::paste(model, painter, screen, paste),
        Dialog::Command(line) => prompts::command(painter, screen, line),
        Dialog::Answer(answer) => prompts::answer(model, now, painter, screen, answer),
        Dialog::Search(field) => footer::draw_search(model, painter, field),
    }
}

/// Returns what a click means while a dialog is open. It is drawn aside for that, so that a click can never mean
/// something else than what stands there.
pub fn target_at(model: &Model, now: Timestamp, at: Position) -> Target {
    let Some(dialog) = &model.dialog else { return Target::Outside };
    let mut buffer = Buffer::empty(whole(model.size));
    let mut painter = Painter::new(model, &mut buffer);
    draw_dialog(model, dialog, now, &mut painter);
    painter.target_at(at)
}

/// Returns the action whose key is drawn at a place.
pub fn action_at(model: &Model, at: Position, now: Timestamp) -> Option<Action> {
    if model.dialog.is_some() || layout::too_small(model.size) {
        return None;
    }
    let areas = layout::areas_at(model, now);
    if areas.card.contains(at) {
        return card::action_at(model, now, &areas, at);
    }
    footer::action_at(model, &areas, at).or_else(|| header::action_at(model, areas.header, at))
}

/// Returns the whole screen as a rectangle.
fn whole(size: (u16, u16)) -> Rect {
    Rect::new(0, 0, size.0, size.1)
}
