//! Whether the field of a child that reads keys has changed since something was written to it.
//!
//! A spinner beside the field turns all the time: a few cells of a row. A field that takes a text changes by as many
//! cells as the text has, or the cursor moves along its row.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use crate::core::screen::{Cursor, Screen};

/// How many cells of a row a spinner or a clock changes.
const SPINNER: usize = 4;

/// How the screen looked.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Look {
    rows: Vec<Vec<char>>,
    cursor: Cursor,
}

impl Look {
    fn of(screen: &Screen) -> Self {
        let numbers = screen.screen_start()..screen.end();
        let text = |number| screen.text_row(number).map(|row| row.text.chars().collect()).unwrap_or_default();
        Self { rows: numbers.map(text).collect(), cursor: screen.cursor_place() }
    }

    /// Tells whether the two differ by more than what turns by itself; `cells` is the least that a field changes by.
    fn differs(&self, other: &Self, cells: usize) -> bool {
        let moved = self.cursor.row == other.cursor.row
            && usize::from(self.cursor.column.abs_diff(other.cursor.column)) >= cells;
        let changed = |(before, after): (&Vec<char>, &Vec<char>)| {
            let common = before.iter().zip(after).filter(|(before, after)| before != after).count();
            common + before.len().abs_diff(after.len()) >= cells
        };
        moved || self.rows.len() != other.rows.len() || self.rows.iter().zip(&other.rows).any(changed)
    }
}

/// A field that is watched.
#[derive(Debug)]
pub(super) struct Field {
    before: Look,
    cells: usize,
    changed: watch::Sender<bool>,
}

impl Field {
    /// Remembers how the screen looks before a text of so many characters is written.
    pub fn before(screen: &Screen, characters: usize) -> Self {
        let cells = characters.clamp(1, SPINNER + 1);
        Self { before: Look::of(screen), cells, changed: watch::Sender::new(false) }
    }

    /// Looks at the screen after the child printed something.
    pub fn look(&self, screen: &Screen) {
        if !*self.changed.borrow() && self.before.differs(&Look::of(screen), self.cells) {
            self.changed.send_replace(true);
        }
    }

    /// Waits until the field has changed; tells whether it did within the limit.
    pub async fn has_changed(&self, limit: Duration) -> bool {
        let mut changed = self.changed.subscribe();
        let outcome = timeout(limit, changed.wait_for(|changed| *changed)).await;
        matches!(outcome, Ok(Ok(_)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::screen::{ScreenLimits, Size};

    fn changed(before: &str, after: &str, characters: usize) -> bool {
        let mut screen = Screen::new(Size { columns: 40, rows: 4 }, ScreenLimits::default());
        screen.feed(before.as_bytes());
        let field = Field::before(&screen, characters);
        screen.feed(after.as_bytes());
        field.look(&screen);
        field.changed.subscribe().borrow_and_update().to_owned()
    }

    #[test]
    fn a_field_that_took_a_text_is_told_from_a_spinner() {
        assert!(changed("code: ", "abcd-1234", 9), "the text itself");
        assert!(changed("code: ", "*********", 9), "masked");
        assert!(changed("code: Paste it here\x1b[7G", "\x1b[Kabc", 3), "in place of what stood there");
        assert!(changed("pin: ", "1", 1), "a single character");
        assert!(!changed("| waiting\r\ncode: ", "\x1b7\x1b[1;1H/ waiting\x1b8", 9), "a spinner turned");
        assert!(!changed("9 s left\r\ncode: ", "\x1b7\x1b[1;1H10 s\x1b8", 9), "a clock went on");
        assert!(!changed("code: ", "\x1b[?25l\x1b[?25h", 9), "nothing that is seen");
    }
}
