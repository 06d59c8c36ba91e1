//! A line that a person types into.

use std::fmt;

use unicode_segmentation::UnicodeSegmentation as _;
use zeroize::Zeroizing;

use super::keys::{Key, KeyPress};

/// What a paste may put into a field: a callback URL is a few KB at the most.
const MOST_BYTES: usize = 64 * 1024;

/// A line of input with its cursor. What was typed is wiped when the field goes.
#[derive(Clone, Default)]
pub struct Field {
    text: Zeroizing<String>,
    cursor: usize,
}

impl fmt::Debug for Field {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Field([{} bytes])", self.text.len())
    }
}

impl Field {
    /// Starts with some text in it and the cursor behind it.
    pub fn with(text: &str) -> Self {
        let mut field = Self::default();
        field.insert(text);
        field
    }

    /// Returns what stands in it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Tells whether nothing stands in it.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Returns the text before the cursor.
    pub fn before_cursor(&self) -> &str {
        &self.text[..self.cursor]
    }

    /// Puts text in at the cursor, as much as there is room for.
    pub fn insert(&mut self, text: &str) {
        let room = MOST_BYTES.saturating_sub(self.text.len());
        let mut end = text.len().min(room);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        // Growing in place would leave the old copy behind in memory.
        let mut longer = Zeroizing::new(String::with_capacity(self.text.len() + end));
        longer.push_str(&self.text[..self.cursor]);
        longer.push_str(&text[..end]);
        longer.push_str(&self.text[self.cursor..]);
        self.text = longer;
        self.cursor += end;
    }

    /// Empties it.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Edits by a key; tells whether the key meant something here.
    pub fn edit(&mut self, press: KeyPress) -> bool {
        match (press.key, press.control, press.alt) {
            (Key::Char(letter), false, false) => self.insert(letter.encode_utf8(&mut [0; 4])),
            (Key::Backspace, false, false) | (Key::Char('h'), true, false) => self.delete_back(),
            (Key::Delete, false, false) | (Key::Char('d'), true, false) => self.delete_forward(),
            (Key::Left, false, false) | (Key::Char('b'), true, false) => self.cursor = self.previous(),
            (Key::Right, false, false) | (Key::Char('f'), true, false) => self.cursor = self.next(),
            (Key::Home, false, false) | (Key::Char('a'), true, false) => self.cursor = 0,
            (Key::End, false, false) | (Key::Char('e'), true, false) => self.cursor = self.text.len(),
            (Key::Char('u'), true, false) => self.cut(0),
            (Key::Char('w'), true, false) => self.cut(self.word_start()),
            (Key::Char('k'), true, false) => self.text.truncate(self.cursor),
            _ => return false,
        }
        true
    }

    fn previous(&self) -> usize {
        self.text[..self.cursor].grapheme_indices(true).next_back().map_or(0, |(index, _)| index)
    }

    fn next(&self) -> usize {
        let rest = &self.text[self.cursor..];
        self.cursor + rest.graphemes(true).next().map_or(0, str::len)
    }

    fn word_start(&self) -> usize {
        let before = self.text[..self.cursor].trim_end();
        before.rfind(char::is_whitespace).map_or(0, |index| index + 1)
    }

    fn cut(&mut self, from: usize) {
        self.text.replace_range(from..self.cursor, "");
        self.cursor = from;
    }

    fn delete_back(&mut self) {
        self.cut(self.previous());
    }

    fn delete_forward(&mut self) {
        let end = self.next();
        self.text.replace_range(self.cursor..end, "");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(field: &mut Field, keys: &str) {
        for key in keys.split(' ') {
            assert!(field.edit(key.parse().unwrap()), "{key}");
        }
    }

    #[test]
    fn edits_by_whole_characters() {
        let mut field = Field::with("aé漢");
        press(&mut field, "left backspace b");
        assert_eq!(field.text(), "ab漢");
        press(&mut field, "home delete end backspace");
        assert_eq!(field.text(), "b");
    }

    #[test]
    fn takes_back_words_and_lines() {
        let mut field = Field::with("one two ");
        press(&mut field, "ctrl-w");
        assert_eq!(field.text(), "one ");
        press(&mut field, "ctrl-u");
        assert!(field.is_empty());
    }

    #[test]
    fn shows_nothing_when_debugged_and_has_a_bound() {
        let field = Field::with(&"é".repeat(MOST_BYTES));
        assert_eq!(field.text().len(), MOST_BYTES);
        assert_eq!(format!("{field:?}"), format!("Field([{MOST_BYTES} bytes])"));
    }
}
