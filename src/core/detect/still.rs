//! Whether a screen says anything that it did not say at the last look.
//!
//! A spinner draws the same screen twelve times a second but for one sign and a number. Reading it anew each time would
//! be most of what a waiting login costs.

use super::code::mentions_code;
use super::hints::hints;
use crate::core::screen::{Cursor, Screen, TextRow};

/// The screen as it was at the last look.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Picture {
    rows: Vec<TextRow>,
    start: u64,
    cursor: Option<Cursor>,
}

impl Picture {
    /// Takes the screen as it is now.
    pub fn of(screen: &Screen) -> Self {
        let start = screen.screen_start();
        Self {
            rows: (start..screen.end()).filter_map(|number| screen.text_row(number)).collect(),
            start,
            cursor: Some(screen.cursor_place()),
        }
    }

    /// Whether the two differ in nothing but signs that move and numbers that count.
    pub fn says_the_same_as(&self, other: &Self) -> bool {
        (self.start, self.cursor, self.rows.len()) == (other.start, other.cursor, other.rows.len())
            && self.rows.iter().zip(&other.rows).all(|(row, other)| row == other || differ_idly(row, other))
    }
}

fn differ_idly(row: &TextRow, other: &TextRow) -> bool {
    (row.wrapped, &row.links) == (other.wrapped, &other.links)
        && !is_telling(&row.text)
        && !is_telling(&other.text)
        && words(&row.text).eq(words(&other.text))
}

/// Whether some rule has to read it.
fn is_telling(text: &str) -> bool {
    hints(text).any() || text.contains("://") || mentions_code(text)
}

/// The characters that say something: no blanks, no frames, bars and spinners; no digits beside words, but digits
/// that stand alone, which may be a code.
fn words(text: &str) -> impl Iterator<Item = char> {
    let counts = text.contains(char::is_alphabetic) || text.contains('%');
    text.chars().filter(move |c| {
        let moves = matches!(c, '\u{2500}'..='\u{25ff}' | '\u{2800}'..='\u{28ff}' | '-' | '\\' | '|' | '/');
        !(moves || c.is_whitespace() || (counts && c.is_ascii_digit()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::screen::{ScreenLimits, Size};

    fn picture(lines: &[&str]) -> Picture {
        let mut screen = Screen::new(Size { columns: 60, rows: 8 }, ScreenLimits::default());
        screen.feed(lines.join("\r\n").as_bytes());
        screen.feed(b"\x1b[8;1H");
        Picture::of(&screen)
    }

    fn same(before: &[&str], after: &[&str]) -> bool {
        picture(before).says_the_same_as(&picture(after))
    }

    #[test]
    fn spinners_bars_and_percentages_say_nothing_new() {
        assert!(same(&["⠋ Waiting for the browser", "Code: A"], &["⠙ Waiting for the browser", "Code: A"]));
        assert!(same(&["│ ████░░  40%  │"], &["│ █████░  52%  │"]));
        assert!(same(&["- waiting 3s"], &["/ waiting 14s"]));
    }

    #[test]
    fn words_codes_and_lines_that_rules_read_do() {
        for (before, after) in [
            (&["Your code:", ""][..], &["Your code:", "123456"][..]),
            (&["Your code:", "123456"], &["Your code:", "654321"]),
            (&["Code: 1111"], &["Code: 2222"]),
            (&["⠋ Waiting"], &["✔ Done"]),
            (&["⠋ Waiting"], &["⠋ Waiting", "more"]),
            (&["see https://a.example/1"], &["see https://a.example/2"]),
        ] {
            assert!(!same(before, after), "{before:?} {after:?}");
        }
    }
}
