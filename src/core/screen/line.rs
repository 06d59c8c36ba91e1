//! The two views of a line: styled runs to be drawn, and text to be searched.

use super::appearance::{Row, Run, Style};
use super::compact::CompactLine;
use super::visible::{Shown, columns_of, push_escape, shown};

/// The target of an OSC 8 hyperlink and the characters of the text that it covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Index of the first character (`char`, not byte) of the text.
    pub start: usize,
    /// Index of the character behind the last one.
    pub end: usize,
    /// The target, as the child gave it: not cleaned, at most [`super::ScreenLimits::osc_bytes`] long.
    pub uri: String,
}

/// One row as text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextRow {
    /// The text from column 0, blanks at the end left out unless the row is wrapped.
    ///
    /// What has no look of its own is there as a visible escape such as `<U+202E>`, exactly as it is drawn.
    pub text: String,
    /// Whether the line goes on in the next row because the terminal wrapped it.
    pub wrapped: bool,
    /// The hyperlinks, in order.
    pub links: Vec<Link>,
    /// The column of each character; `None` if the column of each is its index.
    columns: Option<Vec<u16>>,
}

impl TextRow {
    /// Returns the column in which a character (index by `char`) stands.
    pub fn column(&self, character: usize) -> u16 {
        match &self.columns {
            Some(columns) => columns.get(character).or(columns.last()).copied().unwrap_or(0),
            None => u16::try_from(character).unwrap_or(u16::MAX),
        }
    }
}

/// A character of a line, with where it stands.
struct Placed {
    character: char,
    /// The character of the cell that it is in; its own unless it combines.
    base: char,
    column: u16,
}

fn placed(text: &str) -> impl Iterator<Item = Placed> {
    let mut next = 0_usize;
    let mut here = 0_usize;
    let mut base = ' ';
    text.chars().map(move |character| {
        let width = columns_of(character);
        if width > 0 {
            base = character;
            here = next;
            next += width;
        }
        Placed { character, base, column: u16::try_from(here).unwrap_or(u16::MAX) }
    })
}

impl CompactLine<'_> {
    /// The line to be drawn in so many columns, under the given number.
    pub fn styled(&self, number: u64, columns: u16) -> Row {
        let runs = if self.spans.is_empty() && self.text.is_ascii() {
            let end = self.text.len().min(usize::from(columns));
            vec![Run { text: self.text[..end].to_owned(), style: Style::default() }]
        } else {
            self.runs(columns)
        };
        Row { number, wrapped: self.wrapped, runs: trimmed(runs) }
    }

    fn runs(&self, columns: u16) -> Vec<Run> {
        let mut runs: Vec<Run> = Vec::new();
        let mut spans = self.spans.iter();
        let mut style = Style::default();
        let mut span_end = 0_u16;
        let mut room = usize::from(columns);
        let mut escape = String::new();
        for Placed { character, base, column } in placed(self.text) {
            while column >= span_end {
                let span = spans.next();
                style = span.map_or_else(Style::default, |span| span.look.style());
                span_end = span.map_or(u16::MAX, |span| span_end.saturating_add(span.columns));
                if span.is_none() {
                    break;
                }
            }
            let run = match runs.last_mut() {
                Some(run) if run.style == style => run,
                _ => {
                    runs.push(Run { text: String::new(), style });
                    let last = runs.len() - 1;
                    &mut runs[last]
                }
            };
            match shown(character, base) {
                Shown::Plain => {
                    let width = columns_of(character);
                    if width > room {
                        break;
                    }
                    room -= width;
                    run.text.push(character);
                }
                Shown::Dropped => {}
                Shown::Escaped => {
                    escape.clear();
                    push_escape(&mut escape, character);
                    run.text.extend(escape.chars().take(room));
                    room = room.saturating_sub(escape.len());
                }
            }
        }
        runs
    }

    /// The line as text to be searched.
    pub fn searchable(&self) -> TextRow {
        if self.text.is_ascii() {
            let text = if self.wrapped { self.text } else { self.text.trim_end_matches(' ') };
            let links = self.links.iter().map(|span| Link {
                start: usize::from(span.start).min(text.len()),
                end: usize::from(span.end).min(text.len()),
                uri: span.link.uri().to_owned(),
            });
            return TextRow {
                text: text.to_owned(),
                wrapped: self.wrapped,
                links: links.collect(),
                columns: None,
            };
        }
        let (text, columns) = self.escaped_text();
        let character_at = |column: u16| columns.partition_point(|of_character| *of_character < column);
        let links = self.links.iter().map(|span| Link {
            start: character_at(span.start),
            end: character_at(span.end),
            uri: span.link.uri().to_owned(),
        });
        TextRow { links: links.collect(), text, wrapped: self.wrapped, columns: Some(columns) }
    }

    fn escaped_text(&self) -> (String, Vec<u16>) {
        let mut text = String::with_capacity(self.text.len());
        let mut columns = Vec::with_capacity(self.text.len());
        for Placed { character, base, column } in placed(self.text) {
            match shown(character, base) {
                Shown::Plain => {
                    text.push(character);
                    columns.push(column);
                }
                Shown::Dropped => {}
                Shown::Escaped => {
                    let before = text.len();
                    push_escape(&mut text, character);
                    columns.extend(std::iter::repeat_n(column, text.len() - before));
                }
            }
        }
        if !self.wrapped {
            let kept = text.trim_end_matches(' ').len();
            columns.truncate(columns.len() - (text.len() - kept));
            text.truncate(kept);
        }
        (text, columns)
    }
}

/// Takes off the blanks at the end that nothing would draw.
fn trimmed(mut runs: Vec<Run>) -> Vec<Run> {
    while let Some(last) = runs.last_mut() {
        if last.style == Style::default() {
            last.text.truncate(last.text.trim_end_matches(' ').len());
        }
        if !last.text.is_empty() {
            break;
        }
        runs.pop();
    }
    runs
}
