//! The emulator: `alacritty_terminal`'s grid behind a handler of our own.
//!
//! Its terminal keeps no history here. Every order of the parser passes this handler first, which
//! - takes the rows that an order is about to scroll off into the compact history,
//! - answers queries with fixed text, in the order asked,
//! - bounds what the terminal would do without a limit (combining marks, tabs, title stack).

use std::ops::Range;

use alacritty_terminal::event::VoidListener;
use alacritty_terminal::grid::{Dimensions, Grid, GridCell as _};
use alacritty_terminal::index::{Column, Line};
use alacritty_terminal::term::cell::{Cell, Flags};
use alacritty_terminal::term::{Config, MIN_COLUMNS, Osc52, Term, TermMode};
use alacritty_terminal::vte::ansi::{
    Attr, CharsetIndex, ClearMode, Color, CursorShape, CursorStyle, Handler, Hyperlink, KeyboardModes,
    KeyboardModesApplyBehavior, LineClearMode, Mode, ModifyOtherKeys, NamedColor, NamedMode,
    NamedPrivateMode, PrivateMode, Rgb, ScpCharPath, ScpUpdateMode, StandardCharset, TabulationClearMode,
};

use super::history::History;
use super::tap::{MARKED_CELL_SIZE, MARKED_VERSION};
use super::visible::{columns_of, sanitised};
use super::{ScreenLimits, Size, replies};

/// Replies that nobody fetched; beyond this no more are made.
const REPLY_BYTES: usize = 64 * 1024;
/// Characters of a title that are kept.
const TITLE_CHARACTERS: usize = 256;
/// Lines that the terminal may put into its own history while it is being resized, at the most.
const RESIZE_HISTORY: usize = 100_000;

/// ASCII characters that are put on the grid at a time.
const RUN_BYTES: usize = 128;

/// How far to the right anything was written on the rows of the screen: an upper bound, so that a row which scrolls
/// off need not be read to its end.
///
/// A row is on the screen for at most as many scrolls as the screen has rows, unless an order moved it down again or
/// scrolled a part of the screen; each such order counts as writing everywhere. So two spans of that many scrolls
/// cover every row.
#[derive(Debug, Default)]
struct Reach {
    now: usize,
    before: usize,
    scrolls: usize,
}

impl Reach {
    #[inline]
    fn touch(&mut self, columns: usize) {
        self.now = self.now.max(columns);
    }

    fn columns(&self) -> usize {
        self.now.max(self.before)
    }

    fn scrolled(&mut self, rows: usize, screen_rows: usize) {
        self.scrolls += rows;
        if self.scrolls >= screen_rows {
            self.before = std::mem::take(&mut self.now);
            self.scrolls = 0;
        }
    }
}

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
    pub replies: Vec<u8>,
    pub bells: u32,
    pub title: String,
    combining_marks: usize,
    /// Rows of the scroll region, as the terminal has it (its own is private).
    region: Range<usize>,
    /// The active character set, as the terminal has it.
    charset: CharsetIndex,
    /// Printable ASCII that is not on the grid yet.
    run: [u8; RUN_BYTES],
    run_length: usize,
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
            replies: Vec::new(),
            bells: 0,
            title: String::new(),
            combining_marks: limits.combining_marks,
            region: 0..usize::from(size.rows),
            charset: CharsetIndex::default(),
            run: [0; RUN_BYTES],
            run_length: 0,
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

    /// Puts the waiting run of ASCII on the grid.
    ///
    /// This is the hot path of plain output; it does for a whole run what the terminal's `input` does for each of its
    /// characters, and leaves every special case to that.
    #[inline]
    pub fn flush(&mut self) {
        if self.run_length > 0 {
            self.flush_run();
        }
    }

    #[inline(never)]
    fn flush_run(&mut self) {
        let length = std::mem::take(&mut self.run_length);
        let grid = self.term.grid();
        let ordinary = grid.cursor.charsets[self.charset] == StandardCharset::Ascii
            && grid.cursor.template.extra.is_none()
            && !self.term.mode().contains(TermMode::INSERT);
        let mut at = 0;
        while at < length {
            let written = if ordinary { write_cells(self.term.grid_mut(), &self.run[at..length]) } else { 0 };
            if written == 0 {
                self.input_one(char::from(self.run[at]));
            }
            at += written.max(1);
        }
        self.touch_cursor();
    }

    /// Writes one printable ASCII character the terminal's way.
    fn input_one(&mut self, character: char) {
        if self.term.grid().cursor.input_needs_wrap {
            self.before_wrap();
        }
        if self.term.mode().contains(TermMode::INSERT) {
            self.touch_all();
        }
        self.term.input(character);
    }

    fn touch_cursor(&mut self) {
        self.reach.touch(self.term.grid().cursor.point.column.0 + 1);
    }

    /// To be called before the cursor moves to the next line: keeps the row that this scrolls away.
    #[inline]
    fn before_linefeed(&mut self) {
        let cursor_row = self.term.grid().cursor.point.line.0;
        if cursor_row + 1 == signed(self.region.end) {
            self.before_scroll_up(self.region.start, 1);
        }
    }

    /// To be called before the terminal wraps the line at its right edge.
    fn before_wrap(&mut self) {
        if !self.term.mode().contains(TermMode::LINE_WRAP) {
            return;
        }
        self.touch_all();
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
        let width = columns_of(character);
        let insert = self.term.mode().contains(TermMode::INSERT);
        if !insert && width > 0 && write_character(self.term.grid_mut(), character, width) {
            self.touch_cursor();
            return;
        }
        match width {
            0 if self.marks_before_cursor() >= self.combining_marks => return,
            0 => {}
            _ if self.term.grid().cursor.input_needs_wrap => self.before_wrap(),
            2 if self.term.grid().cursor.point.column + 1 >= self.term.columns() => self.before_wide_wrap(),
            _ => {}
        }
        if insert {
            self.touch_all();
        }
        self.term.input(character);
        self.touch_cursor();
    }

    /// A wide character that does not fit: the terminal writes a filler into the last cell, then wraps.
    fn before_wide_wrap(&mut self) {
        if !self.term.mode().contains(TermMode::LINE_WRAP) {
            return;
        }
        self.touch_all();
        let cell = self.term.grid_mut().cursor_cell();
        cell.c = ' ';
        cell.extra = None;
        cell.flags.insert(Flags::WRAPLINE | Flags::LEADING_WIDE_CHAR_SPACER);
        self.before_linefeed();
    }

    /// Column mode (DECCOLM) resets the scroll region, whichever way it is switched.
    fn note_private_mode(&mut self, mode: PrivateMode) {
        if mode == PrivateMode::Named(NamedPrivateMode::ColumnMode) {
            self.note_region(1, None);
            self.touch_if_painting();
        }
    }

    fn note_region(&mut self, top: usize, bottom: Option<usize>) {
        let rows = self.term.screen_lines();
        let end = bottom.unwrap_or(rows);
        if top < end {
            self.region = top.saturating_sub(1).min(rows)..end.min(rows);
        }
    }

    fn columns(&self) -> u16 {
        u16::try_from(self.term.columns()).unwrap_or(u16::MAX)
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

/// Writes a character of one or two columns, if it is a simple case.
fn write_character(grid: &mut Grid<Cell>, character: char, width: usize) -> bool {
    let columns = grid.columns();
    let start = grid.cursor.point.column.0;
    let end = start + width;
    let template = &grid.cursor.template;
    if grid.cursor.input_needs_wrap || end > columns || template.extra.is_some() {
        return false;
    }
    let Cell { fg, bg, flags, .. } = *template;
    let line = grid.cursor.point.line;
    let cells = &mut grid[line][Column(start)..Column(end)];
    if cells.iter().any(|cell| cell.flags.intersects(Flags::WIDE_CHAR | Flags::WIDE_CHAR_SPACER)) {
        return false;
    }
    match cells {
        [cell] => *cell = Cell { c: character, fg, bg, flags, extra: None },
        [cell, spacer] => {
            *cell = Cell { c: character, fg, bg, flags: flags | Flags::WIDE_CHAR, extra: None };
            *spacer = Cell { c: ' ', fg, bg, flags: flags | Flags::WIDE_CHAR_SPACER, extra: None };
        }
        _ => return false,
    }
    grid.cursor.input_needs_wrap = end == columns;
    grid.cursor.point.column = Column(end.min(columns - 1));
    true
}

/// Line numbers of the terminal are signed; those of a bounded screen always fit.
fn signed(rows: usize) -> i32 {
    i32::try_from(rows).unwrap_or(i32::MAX)
}

macro_rules! pass_on {
    ($(fn $name:ident($($argument:ident: $type:ty),*) $(after $before:ident)?;)*) => {$(
        #[inline]
        fn $name(&mut self, $($argument: $type),*) {
            self.flush();
            $(self.$before();)?
            Handler::$name(&mut self.term, $($argument),*);
        }
    )*};
}

impl Handler for Emulator {
    pass_on! {
        fn set_cursor_style(style: Option<CursorStyle>);
        fn set_cursor_shape(shape: CursorShape);
        fn goto(line: i32, column: usize);
        fn goto_line(line: i32);
        fn goto_col(column: usize);
        fn insert_blank(count: usize) after touch_all;
        fn move_up(rows: usize);
        fn move_down(rows: usize);
        fn move_forward(columns: usize);
        fn move_backward(columns: usize);
        fn move_down_and_cr(rows: usize);
        fn move_up_and_cr(rows: usize);
        fn backspace();
        fn carriage_return();
        fn substitute();
        fn set_horizontal_tabstop();
        fn scroll_down(rows: usize) after touch_all;
        fn insert_blank_lines(rows: usize) after touch_all;
        fn erase_chars(count: usize) after touch_if_painting;
        fn delete_chars(count: usize) after touch_if_painting;
        fn save_cursor_position();
        fn restore_cursor_position();
        fn clear_line(mode: LineClearMode) after touch_if_painting;
        fn clear_tabs(mode: TabulationClearMode);
        fn set_tabs(interval: u16);
        fn reverse_index() after touch_all;
        fn terminal_attribute(attribute: Attr);
        fn set_mode(mode: Mode);
        fn unset_mode(mode: Mode);
        fn set_keypad_application_mode();
        fn unset_keypad_application_mode();
        fn configure_charset(index: CharsetIndex, charset: StandardCharset);
        fn set_color(index: usize, colour: Rgb);
        fn reset_color(index: usize);
        fn decaln() after touch_all;
        fn set_hyperlink(link: Option<Hyperlink>);
        fn set_modify_other_keys(mode: ModifyOtherKeys);
        fn set_scp(path: ScpCharPath, mode: ScpUpdateMode);
        // The kitty keyboard protocol is switched off in the terminal: these do nothing there.
        fn push_keyboard_mode(mode: KeyboardModes);
        fn pop_keyboard_modes(count: u16);
        fn set_keyboard_mode(mode: KeyboardModes, behaviour: KeyboardModesApplyBehavior);
    }

    #[inline]
    fn input(&mut self, character: char) {
        if (' '..='~').contains(&character) {
            if self.run_length == RUN_BYTES {
                self.flush_run();
            }
            self.run[self.run_length] = character as u8;
            self.run_length += 1;
        } else {
            self.flush();
            self.input_other(character);
        }
    }

    #[inline]
    fn linefeed(&mut self) {
        self.flush();
        self.before_linefeed();
        self.term.linefeed();
    }

    fn newline(&mut self) {
        self.flush();
        self.before_linefeed();
        self.term.newline();
    }

    fn put_tab(&mut self, count: u16) {
        self.flush();
        if self.term.grid().cursor.input_needs_wrap {
            self.before_wrap();
        }
        self.term.put_tab(count.min(self.columns()));
        self.touch_cursor();
    }

    fn move_backward_tabs(&mut self, count: u16) {
        self.flush();
        self.term.move_backward_tabs(count.min(self.columns()));
    }

    fn move_forward_tabs(&mut self, count: u16) {
        self.flush();
        self.term.move_forward_tabs(count.min(self.columns()));
    }

    fn set_active_charset(&mut self, index: CharsetIndex) {
        self.flush();
        self.charset = index;
        self.term.set_active_charset(index);
    }

    fn scroll_up(&mut self, rows: usize) {
        self.flush();
        self.before_scroll_up(self.region.start, rows);
        self.term.scroll_up(rows);
    }

    fn delete_lines(&mut self, rows: usize) {
        self.flush();
        self.touch_if_painting();
        let origin = usize::try_from(self.term.grid().cursor.point.line.0).unwrap_or(0);
        if self.region.contains(&origin) {
            self.before_scroll_up(origin, rows);
        }
        self.term.delete_lines(rows);
    }

    fn clear_screen(&mut self, mode: ClearMode) {
        self.flush();
        self.touch_if_painting();
        match mode {
            ClearMode::All => self.keep_screen(),
            // What a child printed stays in the record of its output: `clear` does not take it away.
            ClearMode::Saved => return,
            ClearMode::Above | ClearMode::Below => {}
        }
        self.term.clear_screen(mode);
    }

    fn reset_state(&mut self) {
        self.flush();
        if self.alternate() {
            self.term.unset_private_mode(NamedPrivateMode::SwapScreenAndSetRestoreCursor.into());
        }
        self.keep_screen();
        self.term.reset_state();
        self.region = 0..self.term.screen_lines();
        self.charset = CharsetIndex::default();
        self.title.clear();
    }

    fn set_private_mode(&mut self, mode: PrivateMode) {
        self.flush();
        self.note_private_mode(mode);
        self.term.set_private_mode(mode);
    }

    fn unset_private_mode(&mut self, mode: PrivateMode) {
        self.flush();
        self.note_private_mode(mode);
        self.term.unset_private_mode(mode);
    }

    fn set_scrolling_region(&mut self, top: usize, bottom: Option<usize>) {
        self.flush();
        self.note_region(top, bottom);
        self.term.set_scrolling_region(top, bottom);
    }

    fn bell(&mut self) {
        self.bells = self.bells.saturating_add(1);
    }

    fn set_title(&mut self, title: Option<String>) {
        self.title = title.map(|title| sanitised(&title, TITLE_CHARACTERS)).unwrap_or_default();
    }

    fn push_title(&mut self) {}

    fn pop_title(&mut self) {}

    fn identify_terminal(&mut self, intermediate: Option<char>) {
        match intermediate {
            None => self.reply(replies::PRIMARY_ATTRIBUTES),
            Some('>') => self.reply(replies::SECONDARY_ATTRIBUTES),
            Some(_) => {}
        }
    }

    fn device_status(&mut self, query: usize) {
        self.flush();
        match query {
            5 => self.reply(replies::STATUS_OK),
            6 => {
                let point = self.term.grid().cursor.point;
                self.reply(&replies::cursor_position(point.line.0 + 1, point.column.0 + 1));
            }
            _ => {}
        }
    }

    fn report_mode(&mut self, mode: Mode) {
        let set = self.term.mode();
        let state = match mode {
            Mode::Named(NamedMode::Insert) => 2 - u8::from(set.contains(TermMode::INSERT)),
            Mode::Named(NamedMode::LineFeedNewLine) => {
                2 - u8::from(set.contains(TermMode::LINE_FEED_NEW_LINE))
            }
            Mode::Unknown(_) => 0,
        };
        self.reply(&replies::mode_state(false, mode.raw(), state));
    }

    fn report_private_mode(&mut self, mode: PrivateMode) {
        match mode {
            PrivateMode::Unknown(MARKED_VERSION) => self.reply(replies::VERSION),
            PrivateMode::Unknown(MARKED_CELL_SIZE) => self.reply(&replies::cell_in_pixels()),
            PrivateMode::Named(_) | PrivateMode::Unknown(_) => {
                let blinking = self.term.cursor_style().blinking;
                let state = replies::private_mode_state(mode, *self.term.mode(), blinking);
                self.reply(&replies::mode_state(true, mode.raw(), state));
            }
        }
    }

    fn report_keyboard_mode(&mut self) {
        self.reply(replies::KEYBOARD_FLAGS);
    }

    fn report_modify_other_keys(&mut self) {}

    fn dynamic_color_sequence(&mut self, prefix: String, index: usize, terminator: &str) {
        let set =
            (index < alacritty_terminal::term::color::COUNT).then(|| self.term.colors()[index]).flatten();
        let colour = set.unwrap_or_else(|| replies::default_colour(index));
        self.reply(&replies::colour(&prefix, colour, terminator));
    }

    /// A child has no business with the person's clipboard.
    fn clipboard_store(&mut self, _clipboard: u8, _base64: &[u8]) {}

    /// A child has no business with the person's clipboard.
    fn clipboard_load(&mut self, _clipboard: u8, _terminator: &str) {}

    fn text_area_size_pixels(&mut self) {
        let text = replies::area_in_pixels(self.term.screen_lines(), self.term.columns());
        self.reply(&text);
    }

    fn text_area_size_chars(&mut self) {
        let text = replies::area_in_characters(self.term.screen_lines(), self.term.columns());
        self.reply(&text);
    }
}
