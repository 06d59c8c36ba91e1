//! Keeps secrets out of what is shown and saved: tokens that the child printed, and what a person handed in.
//!
//! A secret may stand on several rows, wrapped by the terminal or by the child itself, and in a recording it may have
//! escape sequences in it. So it is looked for in the text without white space, frames and sequences.

use std::collections::HashMap;
use std::ops::Range;

use unicode_width::UnicodeWidthChar as _;
use zeroize::Zeroizing;

use crate::core::detect::{may_hold_secret, secret_spans};
use crate::core::screen::{LogicalLine, Row, Run, Screen};
use crate::core::secret::Secret;
use crate::core::tokens::MASK_SIGN;

/// The shortest text that is masked: anything shorter would blot out words by chance.
const SHORTEST: usize = 6;
/// How many secrets are kept; the oldest go first.
const MOST: usize = 256;
/// How many rows around the ones that are shown are searched for the rest of a secret.
const MARGIN: u64 = 40;

/// The secrets of one session.
#[derive(Debug, Default)]
pub(super) struct Masks(Vec<Secret>);

/// Columns to be covered, by absolute row.
#[derive(Debug, Default)]
pub(super) struct Covered(HashMap<u64, Vec<Range<u16>>>);

impl Masks {
    /// Adds a secret; false if it was known or is too short to be told from other text.
    pub fn add(&mut self, secret: &Secret) -> bool {
        let compact = Secret::new(compact(secret.secret()).as_str());
        let known = self.0.iter().any(|known| known.matches(compact.secret()));
        if compact.len() < SHORTEST || known {
            return false;
        }
        if self.0.len() >= MOST {
            self.0.remove(0);
        }
        self.0.push(compact);
        true
    }

    /// Finds what is to be covered on these rows, which are in ascending order: the known secrets, and what looks
    /// like one before the detector has said so.
    pub fn covered(&self, screen: &Screen, rows: impl IntoIterator<Item = u64>) -> Covered {
        let mut covered = Covered::default();
        let mut range: Option<Range<u64>> = None;
        let mut looked_through = 0;
        for row in rows {
            range = Some(range.map_or(row, |range| range.start)..row + 1);
            if row >= looked_through {
                for line in screen.logical_lines(row..row + 1) {
                    covered.add_tokens(&line);
                    looked_through = line.end();
                }
            }
        }
        if let Some(range) = range.filter(|_| !self.0.is_empty()) {
            self.add_known(screen, &range, &mut covered);
        }
        covered
    }

    /// Finds what is to be covered on rows of the screen that were made to be drawn, with their absolute numbers, in
    /// ascending order: as [`Self::covered`] does, but what cannot hold a secret is not made into text for it.
    pub fn covered_on(&self, screen: &Screen, rows: &[(u64, Row)]) -> Covered {
        let mut text = Zeroizing::new(String::new());
        let mut may_need_cover = |(number, row): &&(u64, Row)| {
            text.clear();
            row.runs.iter().for_each(|run| text.push_str(&run.text));
            let is_whole_line =
                !row.wrapped && !number.checked_sub(1).is_some_and(|above| screen.is_wrapped(above));
            !self.0.is_empty() || !is_whole_line || may_hold_secret(&text)
        };
        self.covered(screen, rows.iter().filter(|row| may_need_cover(row)).map(|(number, _)| *number))
    }

    fn add_known(&self, screen: &Screen, rows: &Range<u64>, covered: &mut Covered) {
        let first = rows.start.saturating_sub(MARGIN).max(screen.history_start());
        let last = rows.end.saturating_add(MARGIN).min(screen.end());
        let mut text = Zeroizing::new(String::new());
        let mut places: Vec<(u64, u16)> = Vec::new();
        for number in first..last {
            let Some(row) = screen.text_row(number) else { continue };
            for (index, character) in row.text.chars().enumerate().filter(|(_, character)| counts(*character))
            {
                text.push(character);
                places.extend(std::iter::repeat_n((number, row.column(index)), character.len_utf8()));
            }
        }
        for found in self.find(&text) {
            places[found].iter().for_each(|(row, column)| covered.add(*row, *column));
        }
    }

    /// Returns these secrets and whatever on the screen or in its history looks like one.
    pub fn with_tokens_of(&self, screen: &Screen) -> Self {
        let mut all = Self(self.0.clone());
        for line in screen.logical_lines(screen.history_start()..screen.end()) {
            for span in secret_spans(&line.text) {
                all.add(&Secret::new(&line.text[span]));
            }
        }
        all
    }

    /// Covers the secrets in bytes as a child printed them, byte for byte, so that no offset moves.
    pub fn cover_output(&self, output: &mut [u8]) {
        if self.0.is_empty() {
            return;
        }
        let places = printed(output);
        let text: Zeroizing<Vec<u8>> = Zeroizing::new(places.iter().map(|place| output[*place]).collect());
        for secret in &self.0 {
            for start in memchr::memmem::find_iter(&text, secret.secret()) {
                for place in &places[start..start + secret.len()] {
                    output[*place] = b'*';
                }
            }
        }
    }

    /// Finds all secrets in compact text, as ranges of its bytes.
    fn find<'a>(&'a self, text: &'a str) -> impl Iterator<Item = Range<usize>> + 'a {
        self.0.iter().flat_map(move |secret| {
            let found = memchr::memmem::find_iter(text.as_bytes(), secret.secret());
            found.map(|start| start..start + secret.len()).collect::<Vec<_>>()
        })
    }
}

impl Covered {
    fn add(&mut self, row: u64, column: u16) {
        self.0.entry(row).or_default().push(column..column + 1);
    }

    /// Covers what looks like a token.
    fn add_tokens(&mut self, line: &LogicalLine) {
        for span in secret_spans(&line.text) {
            let first = line.text[..span.start].chars().count();
            let count = line.text[span].chars().count();
            for character in first..first + count {
                let (row, column) = line.position(character);
                self.add(row, column);
            }
        }
    }

    /// Covers what is to be covered on a row that is to be drawn.
    pub fn row(&self, absolute: u64, row: Row) -> Row {
        let Some(ranges) = self.0.get(&absolute) else { return row };
        let mut column = 0;
        let mut cover = |text: &str| -> String {
            let mut shown = String::with_capacity(text.len());
            for character in text.chars() {
                let width = u16::try_from(character.width().unwrap_or(0)).unwrap_or(0);
                if ranges.iter().any(|range| range.contains(&column)) {
                    shown.extend(std::iter::repeat_n(MASK_SIGN, usize::from(width)));
                } else {
                    shown.push(character);
                }
                column += width;
            }
            shown
        };
        let runs = row.runs.iter().map(|run| Run { text: cover(&run.text), style: run.style }).collect();
        Row { runs, ..row }
    }

    /// Covers what is to be covered in a row's text; `column` tells the column of each character.
    pub fn text(&self, absolute: u64, text: &str, column: impl Fn(usize) -> u16) -> String {
        let Some(ranges) = self.0.get(&absolute) else { return text.to_owned() };
        let covered = |index| ranges.iter().any(|range| range.contains(&column(index)));
        text.chars()
            .enumerate()
            .map(|(index, shown)| if covered(index) { MASK_SIGN } else { shown })
            .collect()
    }
}

/// Whether a character can be part of a secret: no white space, nothing that frames are drawn with.
fn counts(character: char) -> bool {
    !character.is_whitespace() && !matches!(character, '\u{2500}'..='\u{259f}')
}

fn compact(text: &str) -> Zeroizing<String> {
    Zeroizing::new(text.chars().filter(|character| counts(*character)).collect())
}

/// Returns where the printed bytes are that can be part of a secret: neither controls nor escape sequences, blanks
/// or frames.
fn printed(output: &[u8]) -> Vec<usize> {
    let mut places = Vec::with_capacity(output.len());
    let mut at = 0;
    while at < output.len() {
        match output[at] {
            0x1b => at += sequence_length(&output[at..]),
            0..=0x20 | 0x7f => at += 1,
            // The characters that frames are drawn with (U+2500 to U+259F) in UTF-8.
            0xe2 if matches!(output.get(at + 1), Some(0x94..=0x96)) => at += 3,
            _ => {
                places.push(at);
                at += 1;
            }
        }
    }
    places
}

/// Returns the length of the escape sequence that the bytes begin with (ECMA-48).
fn sequence_length(bytes: &[u8]) -> usize {
    let end = match bytes.get(1) {
        Some(b'[') => bytes[2..].iter().position(|byte| (0x40..=0x7e).contains(byte)).map(|end| end + 3),
        Some(b']' | b'P' | b'_' | b'^' | b'X') => {
            let end = bytes[2..].iter().position(|byte| matches!(byte, 0x07 | 0x1b));
            // The ESC of a string terminator begins a sequence of its own, which is skipped next.
            end.map(|end| if bytes[end + 2] == 0x07 { end + 3 } else { end + 2 })
        }
        Some(_) => Some(2),
        None => None,
    };
    end.unwrap_or(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::screen::{ScreenLimits, Size};

    fn screen(columns: u16, text: &str) -> Screen {
        let mut screen = Screen::new(Size { columns, rows: 10 }, ScreenLimits::default());
        screen.feed(text.as_bytes());
        screen
    }

    fn masks(secret: &str) -> Masks {
        let mut masks = Masks::default();
        assert!(masks.add(&Secret::new(secret)));
        masks
    }

    fn shown(screen: &Screen, masks: &Masks) -> Vec<String> {
        let covered = masks.covered(screen, 0..10);
        let rows = (0..10).filter_map(|number| screen.row(number).map(|row| covered.row(number, row)));
        let texts = rows.map(|row| row.runs.iter().map(|run| run.text.as_str()).collect::<String>());
        texts.filter(|text| !text.is_empty()).collect()
    }

    #[test]
    fn a_secret_is_covered_wherever_it_was_wrapped() {
        let soft = screen(10, "token: canary-value-1 end");
        assert_eq!(shown(&soft, &masks("canary-value-1")), ["token: •••", "••••••••••", "• end"]);
        let boxed = screen(14, "│ canary-va  │\r\n│ lue-1 x    │");
        assert_eq!(shown(&boxed, &masks("canary-value-1")), ["│ •••••••••  │", "│ ••••• x    │"]);
    }

    #[test]
    fn rows_that_are_to_be_drawn_are_covered_as_all_others_are() {
        let token = format!("gho_{}", "a1".repeat(18));
        let text =
            format!("─────────────────────\r\nits \x1b[1m{}\x1b[0m{} {token}", &token[..9], &token[9..]);
        let screen = screen(60, &text);
        let rows: Vec<(u64, Row)> =
            (0..10).filter_map(|number| Some((u64::from(number), screen.visible_row(number)?))).collect();
        for masks in [Masks::default(), masks("canary-value-1")] {
            let (all, drawn) = (masks.covered(&screen, 0..10), masks.covered_on(&screen, &rows));
            assert_eq!(all.0, drawn.0);
            assert!(drawn.0.contains_key(&1) && drawn.0.contains_key(&2), "both rows of the wrapped line");
            assert!(!drawn.0.contains_key(&0));
        }
    }

    #[test]
    fn wide_characters_keep_their_columns() {
        let wide = screen(20, "語canary-語-語");
        assert_eq!(shown(&wide, &masks("canary-語")), ["語•••••••••-語"]);
    }

    #[test]
    fn a_recording_loses_it_too_and_keeps_its_length() {
        let mut output = b"a canary-\x1b[31mvalue\x1b]0;t\x07-\r\n 1 b".to_vec();
        let length = output.len();
        masks("canary-value-1").cover_output(&mut output);
        assert_eq!(output, b"a *******\x1b[31m*****\x1b]0;t\x07*\r\n * b");
        assert_eq!(output.len(), length);
        let mut unfinished = b"\x1b[31".to_vec();
        masks("canary-value-1").cover_output(&mut unfinished);
    }

    #[test]
    fn what_is_too_short_is_left_alone() {
        let mut masks = Masks::default();
        assert!(!masks.add(&Secret::new("yes")));
        assert!(masks.add(&Secret::new("canary-value")));
        assert!(!masks.add(&Secret::new("canary-value")), "known already");
    }
}
