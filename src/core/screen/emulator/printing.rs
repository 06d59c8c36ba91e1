//! Characters onto the grid: the hot path.

use alacritty_terminal::grid::{Dimensions as _, Grid};
use alacritty_terminal::index::Column;
use alacritty_terminal::term::TermMode;
use alacritty_terminal::term::cell::{Cell, Flags};
use alacritty_terminal::vte::ansi::{Handler as _, StandardCharset};

use super::Emulator;
use crate::core::screen::visible::columns_of;

impl Emulator {
    /// Puts one character on the grid.
    #[inline]
    pub(in crate::core::screen) fn print(&mut self, character: char) {
        if (' '..='~').contains(&character) {
            self.print_ascii(&[character as u8]);
        } else {
            self.input_other(character);
        }
    }

    /// Puts a run of printable ASCII on the grid.
    ///
    /// This is the hot path of plain output; it does for a whole run what the terminal's `input` does for each of its
    /// characters, and leaves every special case to that.
    #[inline]
    pub(in crate::core::screen) fn print_ascii(&mut self, run: &[u8]) {
        let grid = self.term.grid();
        let ordinary = grid.cursor.charsets[self.charset] == StandardCharset::Ascii
            && grid.cursor.template.extra.is_none()
            && !self.term.mode().contains(TermMode::INSERT);
        let mut rest = run;
        while let Some(first) = rest.first() {
            let written = if ordinary { write_cells(self.term.grid_mut(), rest) } else { 0 };
            if written == 0 {
                self.input_one(char::from(*first));
            }
            rest = &rest[written.max(1)..];
        }
        self.touch_cursor();
    }

    /// Puts characters outside ASCII on the grid, as many as are simple cases; returns their bytes.
    #[inline]
    pub(in crate::core::screen) fn print_run(&mut self, text: &str) -> usize {
        if self.term.mode().contains(TermMode::INSERT) {
            return 0;
        }
        let written = write_characters(self.term.grid_mut(), text);
        self.touch_cursor();
        written
    }

    /// Writes one printable ASCII character the terminal's way.
    fn input_one(&mut self, character: char) {
        if self.term.grid().cursor.input_needs_wrap {
            self.before_wrap();
        }
        if self.term.mode().contains(TermMode::INSERT) {
            self.touch_all();
        }
        self.edit_row_above();
        self.term.input(character);
    }

    /// To be called before the terminal writes over half of a wide character, which may have a filler above.
    fn edit_row_above(&mut self) {
        let row = self.term.grid().cursor.point.line;
        self.edits.note(self.number(row).saturating_sub(1));
    }

    /// The zero-width characters that the cell before the cursor already holds.
    fn marks_before_cursor(&self) -> usize {
        let grid = self.term.grid();
        let cursor = &grid.cursor;
        let back = usize::from(!cursor.input_needs_wrap);
        let column = cursor.point.column.0.saturating_sub(back);
        let row = &grid[cursor.point.line];
        let spacer = usize::from(row[Column(column)].flags.contains(Flags::WIDE_CHAR_SPACER));
        row[Column(column.saturating_sub(spacer))].zerowidth().map_or(0, <[char]>::len)
    }

    /// Characters outside ASCII: they may be wide, or combine.
    #[inline(never)]
    fn input_other(&mut self, character: char) {
        let insert = self.term.mode().contains(TermMode::INSERT);
        match columns_of(character) {
            0 if self.marks_before_cursor() >= self.combining_marks => return,
            0 => {}
            _ if self.term.grid().cursor.input_needs_wrap => self.before_wrap(),
            2 if self.term.grid().cursor.point.column + 1 >= self.term.columns() => self.before_wide_wrap(),
            _ => {}
        }
        if insert {
            self.touch_all();
        }
        self.edit_row_above();
        self.term.input(character);
        self.touch_cursor();
    }

    /// A wide character that does not fit: the terminal writes a filler into the last cell, then wraps.
    fn before_wide_wrap(&mut self) {
        if !self.term.mode().contains(TermMode::LINE_WRAP) {
            return;
        }
        self.touch_all();
        self.edit_row();
        let cell = self.term.grid_mut().cursor_cell();
        cell.c = ' ';
        cell.extra = None;
        cell.flags.insert(Flags::WRAPLINE | Flags::LEADING_WIDE_CHAR_SPACER);
        self.before_linefeed();
    }
}

/// Writes as much of a run as fits the rest of the row; returns how much that is, 0 if it is no simple case.
fn write_cells(grid: &mut Grid<Cell>, run: &[u8]) -> usize {
    if grid.cursor.input_needs_wrap {
        return 0;
    }
    let columns = grid.columns();
    let start = grid.cursor.point.column.0;
    let length = run.len().min(columns - start);
    let end = start + length;
    let Cell { fg, bg, flags, .. } = grid.cursor.template;
    let line = grid.cursor.point.line;
    let cells = &mut grid[line][Column(start)..Column(end)];
    if cells.iter().any(|cell| cell.flags.intersects(Flags::WIDE_CHAR | Flags::WIDE_CHAR_SPACER)) {
        return 0;
    }
    for (cell, byte) in cells.iter_mut().zip(run) {
        *cell = Cell { c: char::from(*byte), fg, bg, flags, extra: None };
    }
    grid.cursor.input_needs_wrap = end == columns;
    grid.cursor.point.column = Column(end.min(columns - 1));
    length
}

/// Writes characters of one or two columns up to the end of the row, or to the first that is no simple case; returns
/// the bytes that it took.
fn write_characters(grid: &mut Grid<Cell>, text: &str) -> usize {
    let columns = grid.columns();
    let start = grid.cursor.point.column.0;
    let Cell { fg, bg, flags, ref extra, .. } = grid.cursor.template;
    if grid.cursor.input_needs_wrap || extra.is_some() {
        return 0;
    }
    let line = grid.cursor.point.line;
    let mut cells = &mut grid[line][Column(start)..Column(columns)];
    let mut written = 0;
    let mut free = cells.len();
    for character in text.chars() {
        let width = columns_of(character);
        let is_wide = |cell: &Cell| cell.flags.intersects(Flags::WIDE_CHAR | Flags::WIDE_CHAR_SPACER);
        let Some((under, behind)) = cells.split_at_mut_checked(width) else { break };
        if under.is_empty() || under.iter().any(is_wide) {
            break;
        }
        let wide = if width == 2 { Flags::WIDE_CHAR } else { Flags::empty() };
        under[0] = Cell { c: character, fg, bg, flags: flags | wide, extra: None };
        if let Some(spacer) = under.get_mut(1) {
            *spacer = Cell { c: ' ', fg, bg, flags: flags | Flags::WIDE_CHAR_SPACER, extra: None };
        }
        written += character.len_utf8();
        free -= width;
        cells = behind;
    }
    let end = columns - free;
    grid.cursor.input_needs_wrap = free == 0;
    grid.cursor.point.column = Column(end.min(columns - 1));
    written
}
