//! A piece of the screen as lines of text: soft wraps joined, frames taken off.
//!
//! A *row* is what the grid has; a *line* is what the program meant, as far as the terminal knows it. What the
//! program broke by itself (at its own width, inside a frame) is still in pieces here; [`super::address`] joins
//! those, because only a URL tells how.

mod prefix;

use std::borrow::{Borrow, Cow};
use std::ops::Range;

use crate::core::screen::TextRow;

/// Longest line that is looked at, in bytes. A program may print megabytes without a newline; every rule costs time
/// for each byte, so the rest of such a line is looked at as lines of its own.
pub(super) const LONGEST_LINE: usize = 16 * 1024;

/// Characters that draw the side of a frame.
const SIDES: [char; 4] = ['│', '┃', '║', '|'];

/// Characters that stand behind a frame's side, as its shadow.
const SHADOWS: [char; 3] = ['░', '▒', '▓'];

/// A hyperlink on a line.
#[derive(Clone, Debug)]
pub(super) struct LinkSpan {
    /// The bytes of the line's text that it covers.
    pub range: Range<usize>,
    /// Its target.
    pub uri: String,
}

/// One line.
#[derive(Clone, Debug, Default)]
pub(super) struct Line {
    /// Its text without frame, indentation, a logger's prefix and blanks at the end.
    pub text: String,
    /// What a logger or a container put before the text, as it does with other lines.
    pub prefix: String,
    /// What a logger put behind it.
    pub suffix: String,
    /// The absolute number of its first row.
    pub number: u64,
    /// How many rows it has; more than one means that the terminal wrapped it.
    pub rows: usize,
    /// The column of its first character.
    pub indent: usize,
    /// The column behind its last character, on its last row.
    pub end: usize,
    /// The column at which a program that breaks lines by itself breaks this one.
    pub edge: usize,
    /// The columns of the frame's sides, for what stands inside of one.
    pub frame: Option<Frame>,
    /// Whether the cursor is on it.
    pub has_cursor: bool,
    /// Its hyperlinks.
    pub links: Vec<LinkSpan>,
}

/// Where the sides of a frame are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    /// Column of the left side.
    pub left: usize,
    /// Column of the right side; absent if the frame has a left side only.
    pub right: Option<usize>,
}

impl Frame {
    /// Whether two rows stand in the same frame. A scroll bar beside its right side comes and goes.
    pub fn fits(self, other: Self) -> bool {
        let near = |one: usize, other: usize| one.abs_diff(other) <= 3;
        self.left == other.left
            && match (self.right, other.right) {
                (Some(one), Some(other)) => near(one, other),
                (None, None) => true,
                (Some(_), None) | (None, Some(_)) => false,
            }
    }
}

impl Line {
    /// Whether another line stands in the same frame, or both in none.
    pub fn shares_frame(&self, other: &Self) -> bool {
        match (self.frame, other.frame) {
            (Some(one), Some(other)) => one.fits(other),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        }
    }

    /// The text with the prefix that was taken off.
    pub fn whole(&self) -> Cow<'_, str> {
        if self.prefix.is_empty() {
            Cow::Borrowed(&self.text)
        } else {
            Cow::Owned([&self.prefix, &self.text, &self.suffix].map(String::as_str).concat())
        }
    }

    /// Whether there is nothing to read on it: blank, or a ruler or the top or bottom of a frame.
    pub fn is_empty(&self) -> bool {
        self.text.chars().all(is_drawing)
    }
}

fn is_drawing(c: char) -> bool {
    matches!(c, ' ' | '-' | '=' | '_' | '*' | '~' | '·' | '.' | '|' | '\u{2500}'..='\u{259f}' | '\u{2800}'..='\u{28ff}')
}

/// The lines of a piece of the screen, in reading order.
#[derive(Clone, Debug, Default)]
pub(super) struct ScreenText {
    /// The lines, blank ones too.
    pub lines: Vec<Line>,
}

impl ScreenText {
    /// Makes lines of rows. `first` is the absolute number of the first row, `cursor` that of the cursor's row.
    pub fn of(
        rows: impl IntoIterator<Item: Borrow<TextRow>>,
        first: u64,
        columns: usize,
        cursor: u64,
    ) -> Self {
        let mut lines: Vec<Line> = Vec::new();
        let mut goes_on = false;
        for (number, row) in (first..).zip(rows) {
            let row: &TextRow = row.borrow();
            let joins = goes_on && lines.last().is_some_and(|line| line.text.len() < LONGEST_LINE);
            goes_on = row.wrapped;
            match lines.last_mut() {
                Some(line) if joins => append(line, row),
                _ => lines.push(begin(row, number, columns)),
            }
            if let Some(line) = lines.last_mut() {
                line.has_cursor |= number == cursor;
            }
        }
        for line in &mut lines {
            let kept = line.text.trim_end().len();
            line.text.truncate(kept);
        }
        set_edges(&mut lines, columns);
        prefix::take_off(&mut lines);
        Self { lines }
    }
}

fn begin(row: &TextRow, number: u64, columns: usize) -> Line {
    let mut line = Line { number, rows: 1, edge: columns, ..Line::default() };
    let text = row.text.as_str();
    let trimmed = if row.wrapped { text } else { text.trim_end() };
    let trimmed = without_scroll_bar(row, trimmed, &mut line);
    let (from, to, frame) = inside(row, trimmed);
    line.frame = frame;
    let inner = &trimmed[from..to];
    let start = from + (inner.len() - inner.trim_start().len());
    line.indent = column_at(row, start);
    line.text = trimmed[start.min(to)..to].to_owned();
    line.end = column_at(row, to);
    line.links = links_of(row, start, to, 0);
    line
}

fn append(line: &mut Line, row: &TextRow) {
    let at = line.text.len();
    line.text.push_str(&row.text);
    line.rows += 1;
    line.end = column_at(row, row.text.len());
    line.links.extend(links_of(row, 0, row.text.len(), at));
}

/// The column of the byte at `offset` of a row's text.
fn column_at(row: &TextRow, offset: usize) -> usize {
    let offset = offset.min(row.text.len());
    if offset == row.text.len() {
        let Some((last, c)) = row.text.char_indices().next_back() else { return 0 };
        let wide = unicode_width::UnicodeWidthChar::width(c).unwrap_or(1);
        return column_at(row, last) + wide;
    }
    usize::from(row.column(row.text[..offset].chars().count()))
}

/// Takes off a scroll bar or a shadow at the right, which is no text; nothing of the program's own stands behind it.
fn without_scroll_bar<'a>(row: &TextRow, text: &'a str, line: &mut Line) -> &'a str {
    let bar = |c: char| SHADOWS.contains(&c) || matches!(c, '█' | '▐' | '▕');
    let bare = text.trim_end_matches(bar);
    if bare.len() == text.len() || row.wrapped || !bare.ends_with([' ', '│', '┃', '║']) {
        return text;
    }
    line.edge = line.edge.min(column_at(row, bare.len()));
    bare.trim_end()
}

/// What stands between the sides of a frame: byte offsets, and where the sides are.
fn inside(row: &TextRow, text: &str) -> (usize, usize, Option<Frame>) {
    let blank = text.len() - text.trim_start().len();
    let Some(first) = text[blank..].chars().next() else { return (0, text.len(), None) };
    let last = text.char_indices().next_back().filter(|(at, c)| SIDES.contains(c) && *at > blank);
    if !SIDES.contains(&first) || (first == '|' && last.is_none()) || row.wrapped {
        if SIDES.contains(&first) && first != '|' {
            let left = column_at(row, blank);
            return (blank + first.len_utf8(), text.len(), Some(Frame { left, right: None }));
        }
        return (0, text.len(), None);
    }
    let frame = Frame { left: column_at(row, blank), right: last.map(|(at, _)| column_at(row, at)) };
    let to = last.map_or(text.len(), |(at, _)| {
        let inner = text[..at].trim_end();
        // A scroll bar may stand inside of the frame as well.
        let inner = inner.strip_suffix(['░', '▒', '▓', '█', '▐', '▕']).map_or(inner, str::trim_end);
        inner.len().max(blank + first.len_utf8())
    });
    (blank + first.len_utf8(), to, Some(frame))
}

fn links_of(row: &TextRow, from: usize, to: usize, at: usize) -> Vec<LinkSpan> {
    let byte = |index: usize| row.text.char_indices().nth(index).map_or(row.text.len(), |(at, _)| at);
    row.links
        .iter()
        .filter_map(|link| {
            let range = byte(link.start).max(from)..byte(link.end).min(to);
            (range.start < range.end).then(|| LinkSpan {
                range: range.start - from + at..range.end - from + at,
                uri: link.uri.clone(),
            })
        })
        .collect()
}

/// Inside a frame lines break before its right side, less the padding that its left side shows.
fn set_edges(lines: &mut [Line], columns: usize) {
    let mut from = 0;
    while from < lines.len() {
        let frame = lines[from].frame;
        let mut to = from + 1;
        while to < lines.len() && lines[to].shares_frame(&lines[from]) {
            to += 1;
        }
        if let Some(Frame { left, right: Some(right) }) = frame {
            let group = &lines[from..to];
            let padding = group
                .iter()
                .filter(|line| !line.text.is_empty())
                .map(|line| line.indent.saturating_sub(left + 1))
                .min()
                .unwrap_or(0);
            for line in &mut lines[from..to] {
                line.edge = right.saturating_sub(padding).min(line.edge).min(columns);
            }
        }
        from = to;
    }
}
