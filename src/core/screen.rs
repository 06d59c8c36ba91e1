//! The child's terminal: bytes to grid, history, and the replies owed to the child.
//!
//! A [`Screen`] is a real emulator (`alacritty_terminal`) of which nothing shows outside: bytes go in by
//! [`Screen::feed`]; rows, text, modes and replies come out. It reads no clock: a synchronized update (mode 2026) that
//! the child does not end is ended by whoever owns the screen, after [`SYNCHRONIZED_UPDATE_LIMIT`].
//!
//! ```text
//! bytes -> tap -> reader -> emulator -> visible rows ─┬─> Row (styled runs, to be drawn)
//!                              │ scrolled off          └─> TextRow, LogicalLine (to be searched)
//!                              └──────────> history ───┘
//! ```
//!
//! Rows have absolute numbers: the first line that the child ever printed is 0, every line that scrolls off counts,
//! and so does one that history has dropped. [`Screen::history_start`] is the oldest that is kept,
//! [`Screen::screen_start`] the one in the first visible row.

mod appearance;
mod compact;
mod edits;
mod emulator;
mod history;
mod line;
mod logical;
mod queries;
mod reach;
mod reader;
mod replies;
mod rows;
mod tap;
mod visible;

use std::fmt;
use std::time::Duration;

use alacritty_terminal::term::TermMode;
use alacritty_terminal::term::cell::Cell;
use alacritty_terminal::vte::ansi::Timeout;

pub use appearance::{Colour, Cursor, Modes, Row, Run, Style, attribute};
use compact::CompactBuffer;
use emulator::Emulator;
pub use line::{Link, TextRow};
pub use logical::{LogicalLine, LogicalLines};
use reader::Reader;
use rows::Looks;
pub(crate) use tap::incomplete_end;
use tap::{Tap, TapLimits};

/// How long a synchronized update may last before it is to be ended for the child, as terminals do.
pub const SYNCHRONIZED_UPDATE_LIMIT: Duration = Duration::from_millis(150);

/// Bytes that a synchronized update may hold back before it is ended.
const SYNCHRONIZED_UPDATE_BYTES: usize = 256 * 1024;

/// The size of a terminal in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Size {
    /// Columns.
    pub columns: u16,
    /// Rows.
    pub rows: u16,
}

impl Size {
    /// The most columns that a screen takes.
    pub const MAX_COLUMNS: u16 = 1_000;
    /// The most rows that a screen takes.
    pub const MAX_ROWS: u16 = 500;

    /// Returns the nearest size that a screen can have: at least 2 columns (a wide character) and 1 row.
    #[must_use]
    pub fn clamped(self) -> Self {
        Self { columns: self.columns.clamp(2, Self::MAX_COLUMNS), rows: self.rows.clamp(1, Self::MAX_ROWS) }
    }
}

/// The bounds of what a screen keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScreenLimits {
    /// Lines of history that are kept at least, if `history_bytes` allows; at most 256 more.
    pub history_lines: usize,
    /// Bytes that history may take, about. 5,000 lines of 80 columns fit the default even if each cell has a style
    /// of its own.
    pub history_bytes: usize,
    /// Longest operating-system command (`ESC ]` …); a longer one is ignored.
    pub osc_bytes: usize,
    /// Longest logical line, in bytes of text; a longer one is cut into several.
    pub logical_line_bytes: usize,
    /// Combining marks kept per cell.
    pub combining_marks: usize,
}

impl Default for ScreenLimits {
    fn default() -> Self {
        Self {
            history_lines: 5_000,
            history_bytes: 5_500_000,
            osc_bytes: 4 * 1024,
            logical_line_bytes: 16 * 1024,
            combining_marks: 8,
        }
    }
}

/// Whether a synchronized update is on; the owner of the screen does the timing.
#[derive(Default)]
struct Synchronized(bool);

impl Timeout for Synchronized {
    fn set_timeout(&mut self, _duration: Duration) {
        self.0 = true;
    }

    fn clear_timeout(&mut self) {
        self.0 = false;
    }

    fn pending_timeout(&self) -> bool {
        self.0
    }
}

/// What a look remembers besides the rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Around {
    cursor: Option<Cursor>,
    modes: Modes,
}

/// A child's terminal.
pub struct Screen {
    emulator: Emulator,
    reader: Reader,
    tap: Tap,
    size: Size,
    limits: ScreenLimits,
    looks: Looks,
    around: Around,
    /// Something came since the last look.
    fed: bool,
}

impl fmt::Debug for Screen {
    /// Shows no content: it may hold secrets.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Screen")
            .field("size", &self.size)
            .field("screen_start", &self.screen_start())
            .finish_non_exhaustive()
    }
}

impl Screen {
    /// Makes a blank screen; the size is clamped ([`Size::clamped`]).
    pub fn new(size: Size, limits: ScreenLimits) -> Self {
        let size = size.clamped();
        Self {
            emulator: Emulator::new(size, &limits),
            reader: Reader::new(),
            tap: Tap::default(),
            size,
            limits,
            looks: Looks::default(),
            around: Around::default(),
            fed: true,
        }
    }

    /// Takes what the child wrote. How the bytes are cut into pieces makes no difference.
    pub fn feed(&mut self, bytes: &[u8]) {
        let limits = TapLimits {
            command_bytes: self.limits.osc_bytes,
            repeats: usize::from(self.size.columns) * usize::from(self.size.rows),
        };
        self.emulator.edits.tick();
        let (reader, emulator) = (&mut self.reader, &mut self.emulator);
        self.tap.feed(bytes, limits, &mut |piece: &[u8]| reader.read(emulator, piece));
        if self.reader.held_back() > SYNCHRONIZED_UPDATE_BYTES {
            self.end_synchronized_update();
        }
        self.fed = true;
    }

    /// Changes the size (clamped). Lines are wrapped anew on the screen, not in history; none is lost.
    pub fn resize(&mut self, size: Size) {
        let size = size.clamped();
        if size != self.size {
            self.size = size;
            self.emulator.edits.tick();
            self.emulator.resize(size);
            self.looks.forget();
            self.fed = true;
        }
    }

    /// Returns the size.
    pub fn size(&self) -> Size {
        self.size
    }

    /// Takes the bytes owed to the child, in the order it asked.
    ///
    /// Write them to its terminal soon: some programs print nothing until they are answered. At most 64 KiB are
    /// owed; queries beyond that get no answer.
    pub fn take_replies(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.emulator.replies)
    }

    /// Takes the number of times the bell rang.
    pub fn take_bells(&mut self) -> u32 {
        std::mem::take(&mut self.emulator.bells)
    }

    /// Returns the window title that the child set, fit to be shown (visible escapes, at most 256 characters);
    /// empty if it set none.
    pub fn title(&self) -> &str {
        &self.emulator.title
    }

    /// Tells whether the child began a synchronized update and has not ended it: what it prints is held back.
    ///
    /// The owner calls [`Self::end_synchronized_update`] if that stays so for [`SYNCHRONIZED_UPDATE_LIMIT`].
    pub fn pending_synchronized_update(&self) -> bool {
        self.reader.pending()
    }

    /// Ends a synchronized update: what was held back is on the screen now.
    pub fn end_synchronized_update(&mut self) {
        if self.pending_synchronized_update() {
            self.emulator.edits.tick();
            self.reader.end_synchronized_update(&mut self.emulator);
            self.fed = true;
        }
    }

    /// Returns the modes that decide how keys and pastes are encoded for this child.
    pub fn modes(&self) -> Modes {
        let set = self.emulator.term.mode();
        Modes {
            application_cursor: set.contains(TermMode::APP_CURSOR),
            application_keypad: set.contains(TermMode::APP_KEYPAD),
            bracketed_paste: set.contains(TermMode::BRACKETED_PASTE),
            alternate_screen: set.contains(TermMode::ALT_SCREEN),
            mouse: set.intersects(TermMode::MOUSE_MODE),
        }
    }

    /// Returns where the cursor is; `None` while the child hides it.
    pub fn cursor(&self) -> Option<Cursor> {
        self.emulator.term.mode().contains(TermMode::SHOW_CURSOR).then(|| self.cursor_place())
    }

    /// Returns where the cursor is, shown or hidden: where the next character goes.
    pub fn cursor_place(&self) -> Cursor {
        let point = self.emulator.term.grid().cursor.point;
        Cursor {
            row: u16::try_from(point.line.0).unwrap_or(0),
            column: u16::try_from(point.column.0).unwrap_or(u16::MAX),
        }
    }

    /// Returns the absolute number of the oldest line that is kept.
    pub fn history_start(&self) -> u64 {
        self.emulator.history.start()
    }

    /// Returns the absolute number of the line in the first visible row: as many have scrolled off.
    pub fn screen_start(&self) -> u64 {
        self.emulator.history.end()
    }

    /// Returns the number behind the last line there is: that of the screen's last row plus one.
    pub fn end(&self) -> u64 {
        self.screen_start() + u64::from(self.size.rows)
    }

    /// Returns a line to be drawn, by its absolute number, which is also in [`Row::number`]; `None` if it is not kept.
    pub fn row(&self, absolute: u64) -> Option<Row> {
        self.with_line(absolute, |line| line.styled(absolute, self.size.columns))
    }

    /// Returns a row of the screen to be drawn, by its place from the top (0), which is also in [`Row::number`].
    pub fn visible_row(&self, index: u16) -> Option<Row> {
        self.with_line(self.screen_start() + u64::from(index), |line| {
            line.styled(u64::from(index), self.size.columns)
        })
    }

    /// Returns a line as text, by its absolute number; `None` if it is not kept.
    #[expect(
        clippy::redundant_closure_for_method_calls,
        reason = "the method is not general enough over the borrow"
    )]
    pub fn text_row(&self, absolute: u64) -> Option<TextRow> {
        self.with_line(absolute, |line| line.searchable())
    }

    /// Returns the logical lines that any of these rows belongs to: soft-wrapped rows joined.
    ///
    /// The first one may begin before the range and the last one end behind it. A logical line longer than
    /// [`ScreenLimits::logical_line_bytes`] comes in several pieces.
    pub fn logical_lines(&self, rows: std::ops::Range<u64>) -> LogicalLines<'_> {
        LogicalLines::new(self, rows, self.limits.logical_line_bytes)
    }

    /// Looks at the screen and counts what changed since the last look; returns the generation it is at now.
    ///
    /// Costs nothing if nothing was fed, and some microseconds if something was. Take one look per frame, then ask
    /// [`Self::changed_rows`] (to be drawn again) or [`Self::edited_rows`] (to be searched again) for what is newer
    /// than the generation you know. Cursor, modes and scrolling count as changes too.
    pub fn look(&mut self) -> u64 {
        if !std::mem::take(&mut self.fed) {
            return self.looks.generation();
        }
        let changed = self.looks.take(&self.emulator, usize::from(self.size.rows));
        let around = Around { cursor: self.cursor(), modes: self.modes() };
        if around != self.around && !changed {
            self.looks.count_change();
        }
        self.around = around;
        self.looks.generation()
    }

    /// Returns the visible rows (from 0) that look different than at `generation`; as of the last [`Self::look`].
    pub fn changed_rows(&self, generation: u64) -> impl Iterator<Item = u16> + '_ {
        self.looks.changed_since(generation)
    }

    /// Returns the absolute numbers of the visible lines that are new or were rewritten since `generation`; a line
    /// that only moved up is not among them. As of the last [`Self::look`].
    ///
    /// Lines that were on the screen at that time and are not any more are in history: those from the
    /// [`Self::screen_start`] of that time on are to be searched as well.
    pub fn edited_rows(&self, generation: u64) -> impl Iterator<Item = u64> + '_ {
        let start = self.screen_start();
        self.looks.edited_since(generation).map(move |row| start + u64::from(row))
    }

    /// Counts what was fed: a number that is greater after whatever could change the screen.
    pub fn version(&self) -> u64 {
        self.emulator.edits.now()
    }

    /// Tells whether a visible line, by its absolute number, may be another one than at that [`Self::version`]. False
    /// means that it is the same for sure, wherever it stood at that time; lines that are not visible are not known.
    pub fn may_differ(&self, absolute: u64, version: u64) -> bool {
        !(self.screen_start()..self.end()).contains(&absolute) || self.emulator.edits.last(absolute) > version
    }

    /// Returns a number that differs when the cells of a visible line, by its absolute number, do (with overwhelming
    /// odds); `None` if it is not visible. Much cheaper than the line's text.
    pub fn fingerprint(&self, absolute: u64) -> Option<u64> {
        self.visible_cells(absolute).map(rows::fingerprint)
    }

    /// Returns the cells of a line that is visible, by its absolute number.
    fn visible_cells(&self, absolute: u64) -> Option<&[Cell]> {
        let index = usize::try_from(absolute.checked_sub(self.screen_start())?).ok()?;
        (index < usize::from(self.size.rows)).then(|| self.emulator.cells(index))
    }

    fn with_line<T>(&self, absolute: u64, view: impl FnOnce(&compact::CompactLine<'_>) -> T) -> Option<T> {
        if absolute < self.screen_start() {
            return self.emulator.history.line(absolute).map(|line| view(&line));
        }
        let buffer = CompactBuffer::of(self.visible_cells(absolute)?);
        Some(view(&buffer.line()))
    }
}

#[cfg(test)]
mod tests;
