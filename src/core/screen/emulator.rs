//! The emulator: `alacritty_terminal`'s grid behind a handler of our own.
//!
//! Its terminal keeps no history here. Every order of the parser passes this handler first, which
//! - takes the rows that an order is about to scroll off into the compact history,
//! - answers queries with fixed text, in the order asked,
//! - bounds what the terminal would do without a limit (combining marks, tabs, title stack).

mod answers;
mod control;
mod orders;
mod printing;

use std::ops::Range;

use alacritty_terminal::event::VoidListener;
use alacritty_terminal::grid::{Dimensions, Grid, GridCell as _};
use alacritty_terminal::index::{Column, Line};
use alacritty_terminal::term::cell::{Cell, Flags};
use alacritty_terminal::term::{Config, MIN_COLUMNS, Osc52, Term, TermMode};
use alacritty_terminal::vte::ansi::{
    CharsetIndex, Color, Handler as _, NamedColor, NamedPrivateMode, PrivateMode, StandardCharset,
};

use super::edits::Edits;
use super::history::History;
use super::reach::Reach;
use super::{ScreenLimits, Size};

/// Replies that nobody fetched; beyond this no more are made.
const REPLY_BYTES: usize = 64 * 1024;
/// Characters of a title that are kept.
const TITLE_CHARACTERS: usize = 256;
/// Lines that the terminal may put into its own history while it is being resized, at the most.
const RESIZE_HISTORY: usize = 100_000;

impl Dimensions for Size {
    fn total_lines(&self) -> usize {
        usize::from(self.rows)
    }

    fn screen_lines(&self) -> usize {
        usize::from(self.rows)
    }

    fn columns(&self) -> usize {
        usize::from(self.columns)
    }
}

pub(super) struct Emulator {
    pub term: Term<VoidListener>,
    pub history: History,
    pub edits: Edits,
    pub replies: Vec<u8>,
    pub bells: u32,
    pub title: String,
    combining_marks: usize,
    /// Rows of the scroll region, as the terminal has it (its own is private).
    region: Range<usize>,
    /// The active character set, as the terminal has it.
    charset: CharsetIndex,
    /// Set when the parser prints; for the reader.
    pub printed: bool,
    /// Takes no character of the parser.
    pub deaf: bool,
    reach: Reach,
}

impl Emulator {
    pub fn new(size: Size, limits: &ScreenLimits) -> Self {
        let config = Config {
            scrolling_history: 0,
            kitty_keyboard: false,
            osc52: Osc52::Disabled,
            semantic_escape_chars: String::new(),
            ..Config::default()
        };
        Self {
            term: Term::new(config, &size, VoidListener),
            history: History::new(limits.history_lines, limits.history_bytes),
            edits: Edits::new(usize::from(size.rows)),
            replies: Vec::new(),
            bells: 0,
            title: String::new(),
            combining_marks: limits.combining_marks,
            region: 0..usize::from(size.rows),
            charset: CharsetIndex::default(),
            printed: false,
            deaf: false,
            reach: Reach::default(),
        }
    }

    /// The cells of a visible row.
    pub fn cells(&self, row: usize) -> &[Cell] {
        &self.term.grid()[Line(signed(row))][..]
    }

    /// Changes the size. Lines are wrapped anew; what no longer fits on the screen goes to history.
    pub fn resize(&mut self, size: Size) {
        self.on_primary(|emulator| emulator.term.grid_mut().update_history(RESIZE_HISTORY));
        self.term.resize(size);
        self.region = 0..usize::from(size.rows);
        self.edits.resize(usize::from(size.rows));
        self.reach.touch(usize::from(size.columns));
        self.on_primary(Self::take_terminal_history);
        self.term.grid_mut().truncate();
    }

    /// Does something with the primary screen, also while the child is on the alternate one.
    fn on_primary(&mut self, act: impl FnOnce(&mut Self)) {
        if !self.alternate() {
            act(self);
            return;
        }
        // Going back to the alternate screen clears it: it waits outside meanwhile.
        let placeholder = Grid::new(1, MIN_COLUMNS, 0);
        let alternate = std::mem::replace(self.term.grid_mut(), placeholder);
        self.term.swap_alt();
        act(self);
        self.term.swap_alt();
        *self.term.grid_mut() = alternate;
    }

    /// Moves what the terminal put into its own history (only while resizing) into ours.
    fn take_terminal_history(&mut self) {
        let lines = signed(self.term.history_size());
        for line in (-lines..0).map(Line) {
            let cells = &self.term.grid()[line][..];
            self.history.push(|storage| storage.write(cells));
        }
        let grid = self.term.grid_mut();
        grid.update_history(0);
        grid.truncate();
    }

    fn alternate(&self) -> bool {
        self.term.mode().contains(TermMode::ALT_SCREEN)
    }

    fn reply(&mut self, text: &str) {
        if self.replies.len() + text.len() <= REPLY_BYTES {
            self.replies.extend_from_slice(text.as_bytes());
        }
    }

    /// Keeps the top rows that the terminal is about to scroll away.
    fn keep_top_rows(&mut self, rows: usize) {
        if self.alternate() {
            return;
        }
        let grid = self.term.grid();
        let screen_rows = grid.screen_lines();
        if self.region.len() < screen_rows {
            // Rows outside the region do not move: nothing is known about their age any more.
            self.reach.touch(grid.columns());
        }
        let end = Column(self.reach.columns().min(grid.columns()));
        let rows = rows.min(screen_rows);
        for row in 0..rows {
            let cells = &grid[Line(signed(row))][Column(0)..end];
            self.history.push(|storage| storage.write(cells));
        }
        self.reach.scrolled(rows, screen_rows);
        if self.paints_background() {
            self.reach.touch(self.term.columns());
        }
    }

    /// Scrolls at once for so many lines of plain text, right after the whole screen was scrolled by one: the cursor
    /// stands where the first of them goes that will be on the screen at the end. Returns how many of the lines before
    /// that one are to go to history, in their order. `None` if that would not be what happens to them one by one.
    pub fn make_room(&mut self, lines: usize) -> Option<usize> {
        let cursor = &self.term.grid().cursor;
        let is_plain = cursor.point.column == Column(0)
            && cursor.template == Cell::default()
            && cursor.charsets[self.charset] == StandardCharset::Ascii
            && !self.term.mode().contains(TermMode::INSERT);
        if !is_plain {
            return None;
        }
        let rows = self.term.screen_lines();
        let scrolled = lines.min(rows - 1);
        self.keep_top_rows(scrolled);
        let grid = self.term.grid_mut();
        grid.scroll_up(&(Line(0)..Line(signed(rows))), scrolled);
        grid.cursor.point.line -= scrolled;
        if lines == scrolled {
            let end = self.number(Line(signed(rows)));
            self.edits.note_range(end - scrolled as u64..end);
        } else {
            self.edit_screen();
        }
        Some(lines - scrolled)
    }

    /// Whether erasing and scrolling fill cells with a colour.
    fn paints_background(&self) -> bool {
        self.term.grid().cursor.template.bg != Color::Named(NamedColor::Background)
    }

    /// To be called before an order that may put something behind the last written column of a row, or that keeps
    /// rows on the screen for longer.
    fn touch_all(&mut self) {
        self.reach.touch(self.term.columns());
    }

    /// To be called before cells are erased.
    fn touch_if_painting(&mut self) {
        if self.paints_background() {
            self.touch_all();
        }
    }

    /// To be called after characters were written.
    #[inline]
    fn touch_cursor(&mut self) {
        let point = self.term.grid().cursor.point;
        self.reach.touch(point.column.0 + 1);
        self.edits.note(self.number(point.line));
    }

    /// To be called before an order that changes nothing but the cursor's row.
    fn edit_row(&mut self) {
        self.edits.note(self.number(self.term.grid().cursor.point.line));
    }

    /// To be called before an order that may change any row, or move it.
    fn edit_screen(&mut self) {
        self.edits.note_all();
    }

    /// The absolute number of a row of the screen.
    #[inline]
    fn number(&self, row: Line) -> u64 {
        self.history.end() + u64::try_from(row.0).unwrap_or(0)
    }

    /// Moves the cursor to the next line, and scrolls the region if it is on its last one. Tells whether that scrolled
    /// the whole primary screen.
    #[inline]
    pub fn next_line(&mut self) -> bool {
        let cursor_row = self.term.grid().cursor.point.line.0;
        if cursor_row + 1 != signed(self.region.end) {
            self.term.linefeed();
            return false;
        }
        let whole = self.before_linefeed_scroll();
        let region = Line(signed(self.region.start))..Line(signed(self.region.end));
        self.term.grid_mut().scroll_up(&region, 1);
        whole
    }

    /// To be called before the cursor moves to the next line: keeps the row that this scrolls away.
    #[inline]
    fn before_linefeed(&mut self) {
        let cursor_row = self.term.grid().cursor.point.line.0;
        if cursor_row + 1 == signed(self.region.end) {
            self.before_linefeed_scroll();
        }
    }

    fn before_linefeed_scroll(&mut self) -> bool {
        self.before_scroll_up(self.region.start, 1);
        let rows = self.term.screen_lines();
        let whole = self.region.len() == rows && !self.alternate();
        if whole {
            // All rows keep their numbers, and the last one is new.
            self.edits.note(self.number(Line(signed(rows) - 1)));
        } else {
            self.edit_screen();
        }
        whole
    }

    /// To be called before the terminal wraps the line at its right edge.
    fn before_wrap(&mut self) {
        if !self.term.mode().contains(TermMode::LINE_WRAP) {
            return;
        }
        self.touch_all();
        self.edit_row();
        // The terminal sets this flag too, but only after a region of one row has been kept.
        self.term.grid_mut().cursor_cell().flags.insert(Flags::WRAPLINE);
        self.before_linefeed();
    }

    /// To be called before rows from `origin` to the end of the region move up.
    fn before_scroll_up(&mut self, origin: usize, lines: usize) {
        self.touch_if_painting();
        if origin == 0 {
            self.keep_top_rows(lines.min(self.region.len()).min(self.region.end));
        }
    }

    /// Keeps all rows down to the last one with anything in it.
    fn keep_screen(&mut self) {
        let rows = self.term.screen_lines();
        let used = (0..rows)
            .rev()
            .find(|row| self.cells(*row).iter().any(|cell| !cell.is_empty()))
            .map_or(0, |last| last + 1);
        self.keep_top_rows(used);
    }

    /// Column mode (DECCOLM) resets the scroll region, whichever way it is switched.
    fn note_private_mode(&mut self, mode: PrivateMode) {
        if mode == PrivateMode::Named(NamedPrivateMode::ColumnMode) {
            self.note_region(1, None);
            self.touch_if_painting();
        }
    }

    /// The other screen has other rows, and column mode clears them.
    fn edit_if_other_screen(&mut self, mode: PrivateMode) {
        let PrivateMode::Named(mode) = mode else { return };
        if matches!(mode, NamedPrivateMode::SwapScreenAndSetRestoreCursor | NamedPrivateMode::ColumnMode) {
            self.edit_screen();
        }
    }

    fn note_region(&mut self, top: usize, bottom: Option<usize>) {
        let rows = self.term.screen_lines();
        let end = bottom.unwrap_or(rows);
        if top < end {
            self.region = top.saturating_sub(1).min(rows)..end.min(rows);
        }
    }

    pub fn columns(&self) -> u16 {
        u16::try_from(self.term.columns()).unwrap_or(u16::MAX)
    }
}

/// Line numbers of the terminal are signed; those of a bounded screen always fit.
fn signed(rows: usize) -> i32 {
    i32::try_from(rows).unwrap_or(i32::MAX)
}
