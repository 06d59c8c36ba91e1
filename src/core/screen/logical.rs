//! Lines as the child meant them: rows that the terminal wrapped, joined again.

use std::ops::Range;

use super::Screen;
use super::compact::is_wrapped;
use super::line::{Link, TextRow};

/// A logical line: one row, or several that the terminal wrapped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogicalLine {
    /// The text of its rows, joined.
    pub text: String,
    /// The hyperlinks, in order; one that goes on over the edge of a row is one.
    pub links: Vec<Link>,
    /// Absolute number of its first row.
    pub start: u64,
    /// Whether this is a piece of a line that is longer than the limit, and not its last one.
    pub cut: bool,
    /// For each row, the index of its first character in the text, and the row.
    rows: Vec<(usize, TextRow)>,
}

impl LogicalLine {
    /// Returns the number behind its last row.
    pub fn end(&self) -> u64 {
        self.start + self.rows.len() as u64
    }

    /// Returns the absolute row and the column in which a character (index by `char`) stands.
    pub fn position(&self, character: usize) -> (u64, u16) {
        let index = self.rows.partition_point(|(first, _)| *first <= character).saturating_sub(1);
        let column = self.rows.get(index).map_or(0, |(first, row)| row.column(character - first));
        (self.start + index as u64, column)
    }

    fn append(&mut self, row: TextRow, characters: &mut usize) {
        for link in &row.links {
            let (start, end) = (*characters + link.start, *characters + link.end);
            match self.links.last_mut() {
                Some(last) if last.end == start && last.uri == link.uri => last.end = end,
                _ => self.links.push(Link { start, end, uri: link.uri.clone() }),
            }
        }
        self.text.push_str(&row.text);
        let first = *characters;
        *characters += row.text.chars().count();
        self.rows.push((first, row));
    }
}

/// Iterator over the logical lines of some rows.
#[derive(Debug)]
pub struct LogicalLines<'a> {
    screen: &'a Screen,
    next: u64,
    end: u64,
    limit: usize,
}

impl<'a> LogicalLines<'a> {
    pub(super) fn new(screen: &'a Screen, rows: Range<u64>, limit: usize) -> Self {
        let start = rows.start.max(screen.history_start());
        let end = rows.end.min(screen.end());
        // Looking back stops at the limit too: what is further away is in another piece.
        let furthest = (limit / usize::from(screen.size().columns)).max(1) as u64;
        let mut first = start;
        while first > screen.history_start() && start - first < furthest && screen.is_wrapped(first - 1) {
            first -= 1;
        }
        Self { screen, next: first, end, limit }
    }
}

impl Iterator for LogicalLines<'_> {
    type Item = LogicalLine;

    fn next(&mut self) -> Option<LogicalLine> {
        if self.next >= self.end {
            return None;
        }
        let mut line = LogicalLine {
            text: String::new(),
            links: Vec::new(),
            start: self.next,
            cut: false,
            rows: Vec::new(),
        };
        let mut characters = 0;
        while let Some(row) = self.screen.text_row(self.next) {
            if !line.rows.is_empty() && line.text.len() + row.text.len() > self.limit {
                line.cut = true;
                break;
            }
            self.next += 1;
            let wrapped = row.wrapped;
            line.append(row, &mut characters);
            if !wrapped {
                break;
            }
        }
        if line.rows.is_empty() {
            self.next = self.end;
            return None;
        }
        Some(line)
    }
}

impl Screen {
    /// Tells whether a line, by its absolute number, goes on in the next one because the terminal wrapped it; false if
    /// it is not kept.
    pub fn is_wrapped(&self, absolute: u64) -> bool {
        match self.visible_cells(absolute) {
            Some(cells) => is_wrapped(cells),
            None => self.with_line(absolute, |line| line.wrapped).unwrap_or(false),
        }
    }
}
