//! What the person's terminal shows, and what it is to show next: the difference becomes bytes.
//!
//! Most frames change the child's screen and nothing else: an echo, a spinner. For those the changed lines are painted
//! over what stands there ([`Canvas::draw_pane`]); painting the whole deck costs several times as much.

use std::ops::Range;

use ratatui::backend::Backend as _;
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::{Position, Rect};

use super::backend::{LeanBackend, is_narrow};
use super::model::Model;
use super::surroundings::Colours;
use super::text;
use super::view;
use crate::core::time::Timestamp;
use crate::protocol::screen::Row;

/// The cells on the terminal and the bytes that are owed to it.
#[derive(Debug)]
pub struct Canvas {
    backend: LeanBackend,
    shown: Buffer,
    next: Buffer,
    /// Where the pane was when the whole deck was drawn last; absent if it covers or lacks parts of the pane.
    pane: Option<Rect>,
    /// The lines that stand in the pane's rows.
    lines: Vec<Option<Row>>,
    /// Nothing is known of what the terminal shows.
    unknown: bool,
}

impl Canvas {
    /// Starts with a terminal of which nothing is known but its size: columns and rows.
    pub fn new((columns, rows): (u16, u16), colours: Colours) -> Self {
        let area = Rect::new(0, 0, columns, rows);
        Self {
            backend: LeanBackend::new(columns, rows, colours),
            shown: Buffer::empty(area),
            next: Buffer::empty(area),
            pane: None,
            lines: Vec::new(),
            unknown: true,
        }
    }

    /// Starts over with a terminal of another size: columns and rows.
    pub fn resize(&mut self, columns: u16, rows: u16) {
        let area = Rect::new(0, 0, columns, rows);
        self.backend.resize(columns, rows);
        self.shown = Buffer::empty(area);
        self.next = Buffer::empty(area);
        self.forget();
    }

    /// Draws everything anew next time, after something else wrote on the terminal.
    pub fn forget(&mut self) {
        self.unknown = true;
        self.pane = None;
    }

    /// Draws the whole deck; returns the bytes that the terminal is owed.
    pub fn draw(&mut self, model: &Model, now: Timestamp) -> Vec<u8> {
        let link = view::link(model, now);
        let mark = link.map(|link| self.backend.link(link.url));
        self.next.reset();
        let cursor = view::draw(model, now, &mut self.next);
        if let (Some(link), Some(mark)) = (link, mark) {
            link.mark(&mut self.next, mark);
        }
        self.pane = view::bare_pane(model, now);
        self.lines.clear();
        if let Some(pane) = self.pane {
            self.lines.extend(view::pane_lines(model, pane).map(|(_, line)| line.cloned()));
        }
        self.flush(cursor)
    }

    /// Draws the lines of the pane that changed, to be called if nothing but the child's screen changed since the last
    /// call of either. Draws everything if more than the pane shows that screen. Returns the bytes that the terminal is
    /// owed.
    pub fn draw_pane(&mut self, model: &Model, now: Timestamp) -> Vec<u8> {
        let Some(pane) = self.pane.filter(|_| !self.unknown) else { return self.draw(model, now) };
        for ((y, line), drawn) in view::pane_lines(model, pane).zip(&mut self.lines) {
            if !shows(drawn, line) {
                *drawn = line.cloned();
                let place = Rect { y, height: 1, ..pane };
                view::draw_pane_line(model, &mut self.next, place, line);
                let Some(changed) = changed(&self.shown, &self.next, place) else { continue };
                let (before, after) = (part(&self.shown, changed), part(&self.next, changed));
                show(&before.diff(&after), &mut self.backend, &mut self.shown);
            }
        }
        self.finish(view::pane_cursor(model, pane))
    }

    fn flush(&mut self, cursor: Option<Position>) -> Vec<u8> {
        if std::mem::take(&mut self.unknown) {
            let Ok(()) = self.backend.clear();
            self.shown.reset();
        }
        show(&self.shown.diff(&self.next), &mut self.backend, &mut self.shown);
        self.finish(cursor)
    }

    fn finish(&mut self, cursor: Option<Position>) -> Vec<u8> {
        let Ok(()) = match cursor {
            Some(cursor) => {
                self.backend.show_cursor().and_then(|()| self.backend.set_cursor_position(cursor))
            }
            None => self.backend.hide_cursor(),
        };
        self.backend.take()
    }
}

/// Writes cells for the terminal, and notes that it shows them.
fn show(changed: &[(u16, u16, &Cell)], backend: &mut LeanBackend, shown: &mut Buffer) {
    let before = |index: usize| index.checked_sub(1).map(|before| changed[before]);
    let Ok(()) = backend.draw(changed.iter().enumerate().flat_map(|(index, &next)| {
        let between = before(index).map_or(0..0, |previous| bridge(previous, next, shown));
        let kept: &Buffer = shown;
        between.map(move |x| (x, next.1, &kept[(x, next.1)])).chain([next])
    }));
    for (x, y, cell) in changed {
        shown[(*x, *y)].clone_from(cell);
    }
}

/// Returns the columns between two changed cells that are better written once more than jumped over: no more bytes than
/// the jump has, and the text stays in one piece.
fn bridge(previous: (u16, u16, &Cell), next: (u16, u16, &Cell), shown: &Buffer) -> Range<u16> {
    /// A move by one column has three bytes, one by more has four.
    const MOST: u16 = 4;
    let (first, y) = (previous.0 + 1, next.1);
    let columns = first..next.0;
    let is_near = previous.1 == y && next.0 > first && next.0 - first <= MOST;
    let look = |cell: &Cell| (cell.fg, cell.bg, cell.modifier);
    let is_alike = |x: u16| shown[(x, y)].symbol().len() == 1 && look(&shown[(x, y)]) == look(previous.2);
    if is_near && is_narrow(previous.2.symbol()) && columns.clone().all(is_alike) { columns } else { 0..0 }
}

/// Whether a line that was drawn looks like another one.
fn shows(drawn: &Option<Row>, line: Option<&Row>) -> bool {
    match (drawn, line) {
        (Some(drawn), Some(line)) => drawn.runs == line.runs,
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

/// Returns the smallest part of a line that holds all differences; absent if there are none. What begins or ends within
/// a wide character is left whole.
fn changed(before: &Buffer, after: &Buffer, line: Rect) -> Option<Rect> {
    let differs = |x: &u16| before[(*x, line.y)] != after[(*x, line.y)];
    let mut first = (line.left()..line.right()).find(differs)?;
    let last = (line.left()..line.right()).rev().find(differs)?;
    let is_wide = |buffer: &Buffer, x| text::width(buffer[(x, line.y)].symbol()) > 1;
    if first > line.left() && (is_wide(before, first - 1) || is_wide(after, first - 1)) {
        first -= 1;
    }
    let end = (last + 2).min(line.right());
    Some(Rect { x: first, width: end - first, ..line })
}

/// Takes some cells of a buffer.
fn part(buffer: &Buffer, area: Rect) -> Buffer {
    let mut part = Buffer::empty(area);
    for y in area.top()..area.bottom() {
        for x in area.left()..area.right() {
            part[(x, y)].clone_from(&buffer[(x, y)]);
        }
    }
    part
}
