//! Whether a screen says anything that it did not say at the last look.
//!
//! A spinner draws the same screen twelve times a second but for one sign and a number. Reading it anew each time would
//! be most of what a waiting login costs.

use super::code::mentions_code;
use super::statements::keywords;
use crate::core::screen::{Cursor, Screen, TextRow};

/// One row as it was at the last look.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct SettledRow {
    /// [`Screen::fingerprint`] of the row.
    fingerprint: u64,
    text: TextRow,
}

/// The screen as it was at the last look; of no screen at all before the first one.
#[derive(Clone, Debug, Default)]
pub(super) struct SettledOutput {
    rows: Vec<SettledRow>,
    start: u64,
    cursor: Option<Cursor>,
    /// The version of the screen that it is of.
    version: u64,
    /// The newest version that was found to say the same, though not in the same signs.
    compared: u64,
}

impl SettledOutput {
    /// Takes the screen as it is now. Rows that nothing was written to stay as they are.
    pub fn renew(&mut self, screen: &Screen) {
        let (start, before) = (screen.screen_start(), self.start);
        let mut known = std::mem::take(&mut self.rows);
        let mut row = |number: u64| {
            let place = usize::try_from(number.checked_sub(before)?).ok()?;
            let row = known.get_mut(place).filter(|_| !screen.may_differ(number, self.version))?;
            Some(std::mem::take(row))
        };
        let new = |number| {
            let fingerprint = screen.fingerprint(number)?;
            Some(SettledRow { fingerprint, text: screen.text_row(number)? })
        };
        self.rows = (start..screen.end()).filter_map(|number| row(number).or_else(|| new(number))).collect();
        self.start = start;
        self.cursor = Some(screen.cursor_place());
        self.version = screen.version();
        self.compared = self.version;
    }

    /// A row by its absolute number, if it was on the screen.
    pub fn row(&self, number: u64) -> Option<&TextRow> {
        self.rows.get(usize::try_from(number.checked_sub(self.start)?).ok()?).map(|row| &row.text)
    }

    /// Whether the screen now differs in nothing but signs that move and numbers that count. If so, the next time only
    /// rows are compared that are written to from now on.
    pub fn still_shows(&mut self, screen: &Screen) -> bool {
        let is_in_place = (self.start, self.cursor) == (screen.screen_start(), Some(screen.cursor_place()))
            && self.rows.len() == usize::from(screen.size().rows);
        let says_the_same = |(number, row): (u64, &SettledRow)| {
            !screen.may_differ(number, self.compared)
                || screen.fingerprint(number) == Some(row.fingerprint)
                || screen.text_row(number).is_some_and(|now| row.text == now || differ_idly(&row.text, &now))
        };
        let still = is_in_place && (self.start..).zip(&self.rows).all(says_the_same);
        if still {
            self.compared = screen.version();
        }
        still
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
    keywords(text).any() || text.contains("://") || mentions_code(text)
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

    fn screen(lines: &[&str]) -> Screen {
        let mut screen = Screen::new(Size { columns: 60, rows: 8 }, ScreenLimits::default());
        draw(&mut screen, lines);
        screen
    }

    fn draw(screen: &mut Screen, lines: &[&str]) {
        screen.feed(b"\x1b[H\x1b[J");
        screen.feed(lines.join("\r\n").as_bytes());
        screen.feed(b"\x1b[8;1H");
    }

    fn settled(screen: &Screen) -> SettledOutput {
        let mut output = SettledOutput::default();
        output.renew(screen);
        output
    }

    fn same(before: &[&str], after: &[&str]) -> bool {
        let mut screen = screen(before);
        let mut output = settled(&screen);
        draw(&mut screen, after);
        output.still_shows(&screen)
    }

    #[test]
    fn renewed_output_is_that_of_the_screen() {
        let mut screen = screen(&["one", "two", "three"]);
        let mut renewed = settled(&screen);
        for piece in
            ["\x1b[2;2Hx", "\x1b[8;1Hmore\r\nand more", "\x1b[2;5r\x1b[5;1H\n", "\x1b[?1049hother", "\x1b[L"]
        {
            screen.feed(piece.as_bytes());
            renewed.renew(&screen);
            let new = settled(&screen);
            assert_eq!(
                (&renewed.rows, renewed.start, renewed.cursor),
                (&new.rows, new.start, new.cursor),
                "{piece:?}"
            );
            assert!(renewed.still_shows(&screen));
        }
        screen.resize(Size { columns: 4, rows: 9 });
        assert!(!renewed.still_shows(&screen));
    }

    #[test]
    fn what_said_nothing_new_is_there_at_the_next_look() {
        let mut screen = screen(&["F4DD-", ""]);
        let mut renewed = settled(&screen);
        draw(&mut screen, &["F4DD-7488", ""]);
        assert!(renewed.still_shows(&screen), "digits beside letters");
        screen.feed(b"\x1b[2;1His your code\x1b[8;1H");
        assert!(!renewed.still_shows(&screen));
        renewed.renew(&screen);
        assert_eq!(renewed.row(screen.screen_start()).map(|row| row.text.as_str()), Some("F4DD-7488"));
        screen.feed(b"\x1b[1;1HF4DE-7488\x1b[8;1H");
        assert!(!renewed.still_shows(&screen), "a letter");
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
