//! One line in the form that history keeps and every view is made from.

use std::ops::Range;

use alacritty_terminal::term::cell::{Cell, Flags, Hyperlink};
use alacritty_terminal::vte::ansi::{Color, NamedColor};

use super::appearance::{Colour, Style, attribute};

/// How cells look, as the emulator has it; a [`Style`] is made of it only when somebody wants to see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Look {
    foreground: Color,
    background: Color,
    flags: Flags,
}

impl Default for Look {
    fn default() -> Self {
        Self { foreground: DEFAULT_FOREGROUND, background: DEFAULT_BACKGROUND, flags: Flags::empty() }
    }
}

impl Look {
    #[inline]
    fn of(cell: &Cell) -> Self {
        Self { foreground: cell.fg, background: cell.bg, flags: cell.flags.intersection(LOOK) }
    }

    /// The same in our words.
    pub fn style(self) -> Style {
        Style {
            foreground: colour_of(self.foreground),
            background: colour_of(self.background),
            attributes: attributes_of(self.flags),
        }
    }
}

/// A stretch of columns with one look. The spans of a line follow each other from column 0; columns behind the last
/// one have the default look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub columns: u16,
    pub look: Look,
}

/// A stretch of columns that an OSC 8 hyperlink covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LinkSpan {
    pub start: u16,
    pub end: u16,
    pub link: Hyperlink,
}

/// Where a line is written to.
pub(super) struct Compact<'a> {
    /// Whole characters in UTF-8.
    pub text: &'a mut Vec<u8>,
    pub spans: &'a mut Vec<Span>,
    pub links: &'a mut Vec<LinkSpan>,
}

/// A line as it is kept.
///
/// The text has, for each cell from column 0, its character and then what combines with it; a wide character stands
/// for two cells. Blank cells at the end are left out unless the line goes on in the next row.
#[derive(Clone, Copy, Debug)]
pub(super) struct CompactLine<'a> {
    pub text: &'a str,
    pub spans: &'a [Span],
    pub links: &'a [LinkSpan],
    pub wrapped: bool,
}

/// A line with storage of its own, for rows that are still on the screen.
#[derive(Clone, Debug, Default)]
pub(super) struct CompactBuffer {
    text: Vec<u8>,
    spans: Vec<Span>,
    links: Vec<LinkSpan>,
    wrapped: bool,
}

impl CompactBuffer {
    /// Takes the cells of one row.
    pub fn of(cells: &[Cell]) -> Self {
        let mut buffer = Self::default();
        let mut storage =
            Compact { text: &mut buffer.text, spans: &mut buffer.spans, links: &mut buffer.links };
        buffer.wrapped = storage.write(cells);
        buffer
    }

    pub fn line(&self) -> CompactLine<'_> {
        CompactLine {
            text: text_of(&self.text),
            spans: &self.spans,
            links: &self.links,
            wrapped: self.wrapped,
        }
    }
}

const LOOK: Flags = Flags::INVERSE
    .union(Flags::BOLD)
    .union(Flags::ITALIC)
    .union(Flags::DIM)
    .union(Flags::HIDDEN)
    .union(Flags::STRIKEOUT)
    .union(Flags::ALL_UNDERLINES);
/// What makes a blank cell more than a blank: it can be seen, or is the second half of a wide character.
const VISIBLE_BLANK: Flags =
    Flags::INVERSE.union(Flags::STRIKEOUT).union(Flags::ALL_UNDERLINES).union(Flags::WIDE_CHAR_SPACER);
const NOT_SIMPLE: Flags = Flags::HIDDEN.union(Flags::WIDE_CHAR).union(Flags::WIDE_CHAR_SPACER);
const DEFAULT_FOREGROUND: Color = Color::Named(NamedColor::Foreground);
const DEFAULT_BACKGROUND: Color = Color::Named(NamedColor::Background);

/// Reads back what [`Compact::write`] wrote.
pub(super) fn text_of(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("invariant: only whole characters are written")
}

impl Compact<'_> {
    /// Writes the cells of one row; tells whether the line goes on in the next one.
    pub fn write(&mut self, cells: &[Cell]) -> bool {
        let wrapped = is_wrapped(cells);
        let cells = &cells[..written_columns(cells, wrapped)];
        let plain = cells.iter().position(|cell| !is_plain(cell)).unwrap_or(cells.len());
        self.write_ascii(&cells[..plain]);
        if plain < cells.len() {
            self.write_styled(cells, plain);
        }
        wrapped
    }

    fn write_ascii(&mut self, cells: &[Cell]) {
        self.text.extend(cells.iter().map(|cell| cell.c as u8));
    }

    fn write_styled(&mut self, cells: &[Cell], plain: usize) {
        let first_span = self.spans.len();
        let first_link = self.links.len();
        let mut look = Look::default();
        let mut span_start = 0;
        let mut column = plain;
        while let Some(cell) = cells.get(column) {
            let next = Look::of(cell);
            if next != look {
                self.push_span(span_start..column, look);
                look = next;
                span_start = column;
            }
            // What is only a character is written here; the rest is rare.
            if cell.extra.is_some() || cell.c == '\t' || cell.flags.intersects(NOT_SIMPLE) {
                column += self.write_cell(cells, column, first_link);
            } else {
                self.push_character(cell.c);
                column += 1;
            }
        }
        let only_default = self.spans.len() == first_span && look == Look::default();
        if !only_default {
            self.push_span(span_start..cells.len(), look);
        }
    }

    fn push_span(&mut self, columns: Range<usize>, look: Look) {
        if !columns.is_empty() {
            self.spans.push(Span { columns: narrow(columns.len()), look });
        }
    }

    /// Writes one character; returns the number of cells that it stands for.
    fn write_cell(&mut self, cells: &[Cell], column: usize, first_link: usize) -> usize {
        let cell = &cells[column];
        let wide = cell.flags.contains(Flags::WIDE_CHAR);
        let whole =
            wide && cells.get(column + 1).is_some_and(|next| next.flags.contains(Flags::WIDE_CHAR_SPACER));
        let width = if whole { 2 } else { 1 };
        if whole && cell.extra.is_none() && !cell.flags.contains(Flags::HIDDEN) {
            self.push_character(cell.c);
            return width;
        }
        let broken = wide != whole || cell.flags.contains(Flags::WIDE_CHAR_SPACER);
        if cell.flags.contains(Flags::HIDDEN) || broken || cell.c == '\t' {
            self.text.extend_from_slice(if whole { b"  " } else { b" " });
        } else {
            self.push_character(cell.c);
            for mark in cell.zerowidth().into_iter().flatten() {
                self.push_character(*mark);
            }
        }
        if let Some(link) = cell.extra.is_some().then(|| cell.hyperlink()).flatten() {
            self.push_link(column..column + width, link, first_link);
        }
        width
    }

    /// Writes a character in UTF-8; the usual lengths without a call to copy so few bytes.
    #[inline]
    fn push_character(&mut self, character: char) {
        let mut bytes = [0; 4];
        match *character.encode_utf8(&mut bytes).as_bytes() {
            [one] => self.text.push(one),
            [one, two] => self.text.extend_from_slice(&[one, two]),
            [one, two, three] => self.text.extend_from_slice(&[one, two, three]),
            _ => self.text.extend_from_slice(&bytes),
        }
    }

    fn push_link(&mut self, columns: Range<usize>, link: Hyperlink, first_link: usize) {
        let (start, end) = (narrow(columns.start), narrow(columns.end));
        match self.links[first_link..].last_mut() {
            Some(last) if last.end == start && last.link.uri() == link.uri() => last.end = end,
            _ => self.links.push(LinkSpan { start, end, link }),
        }
    }
}

/// Whether the line of these cells goes on in the next row.
pub(super) fn is_wrapped(cells: &[Cell]) -> bool {
    cells.last().is_some_and(|cell| cell.flags.contains(Flags::WRAPLINE))
}

/// Counts the cells up to the last one that is to be kept.
fn written_columns(cells: &[Cell], wrapped: bool) -> usize {
    if wrapped {
        // The filler before a wide character that did not fit is not part of the line.
        let filler = cells.last().is_some_and(|cell| cell.flags.contains(Flags::LEADING_WIDE_CHAR_SPACER));
        cells.len() - usize::from(filler)
    } else {
        cells.iter().rposition(|cell| !is_blank(cell)).map_or(0, |last| last + 1)
    }
}

fn is_blank(cell: &Cell) -> bool {
    matches!(cell.c, ' ' | '\t')
        && cell.bg == DEFAULT_BACKGROUND
        && !cell.flags.intersects(VISIBLE_BLANK)
        && cell.zerowidth().is_none_or(<[char]>::is_empty)
}

/// One byte of text, without any look.
fn is_plain(cell: &Cell) -> bool {
    is_simple(cell)
        && cell.flags.difference(Flags::WRAPLINE).is_empty()
        && cell.fg == DEFAULT_FOREGROUND
        && cell.bg == DEFAULT_BACKGROUND
}

/// One byte of text, of whatever look.
fn is_simple(cell: &Cell) -> bool {
    cell.c.is_ascii() && cell.c != '\t' && cell.extra.is_none() && !cell.flags.intersects(NOT_SIMPLE)
}

/// Columns fit 16 bits: [`super::Size`] is bounded.
fn narrow(columns: usize) -> u16 {
    u16::try_from(columns).unwrap_or(u16::MAX)
}

fn attributes_of(flags: Flags) -> u16 {
    let bit = |flag: Flags, bit: u16| if flags.intersects(flag) { bit } else { 0 };
    bit(Flags::BOLD, attribute::BOLD)
        | bit(Flags::DIM, attribute::DIM)
        | bit(Flags::ITALIC, attribute::ITALIC)
        | bit(Flags::ALL_UNDERLINES, attribute::UNDERLINE)
        | bit(Flags::INVERSE, attribute::REVERSE)
        | bit(Flags::STRIKEOUT, attribute::STRIKE)
}

fn colour_of(colour: Color) -> Colour {
    match colour {
        Color::Named(name) => u8::try_from(name as usize).map_or(Colour::Default, Colour::Indexed),
        Color::Spec(rgb) => Colour::Rgb(rgb.r, rgb.g, rgb.b),
        Color::Indexed(index) => Colour::Indexed(index),
    }
}
