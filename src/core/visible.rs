//! What cannot be seen, made visible: the one table of invisible characters, and the two ways in which text is made
//! fit for a terminal.
//!
//! A character without a look of its own can change how its neighbours read: bidirectional controls turn a URL
//! around, zero-width ones hide the difference between two hosts. For people each becomes an escape such as
//! `<U+202E>`; for programs that read JSON everything beyond ASCII becomes `\u202e`.

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::ops::Deref;

use serde::Serialize;
use unicode_width::UnicodeWidthChar as _;

/// More combining marks on one character than any language needs; the rest is dropped.
const MOST_COMBINING: usize = 8;

/// Tells whether a character is a format character: one that is not seen itself and changes what is seen. These are
/// the bidirectional controls, the zero-width characters, fillers, tags and interlinear marks of Unicode 16. The
/// selectors U+FE00 to U+FE0F are not among them: emoji need them ([`is_presentation_hint`]).
#[inline]
pub fn is_format_character(character: char) -> bool {
    matches!(u32::from(character),
        0x00AD | 0x034F | 0x061C | 0x115F | 0x1160 | 0x17B4 | 0x17B5 | 0x180B..=0x180F | 0x200B..=0x200F
        | 0x2028..=0x202E | 0x2060..=0x206F | 0x3164 | 0xFEFF | 0xFFA0 | 0xFFF0..=0xFFFB
        | 0x1_BCA0..=0x1_BCA3 | 0x1_D173..=0x1_D17A | 0xE_0000..=0xE_0FFF)
}

/// Tells whether a character only says how the one before it is drawn: joiners and variation selectors.
#[inline]
pub fn is_presentation_hint(character: char) -> bool {
    matches!(character, '\u{200C}' | '\u{200D}' | '\u{FE00}'..='\u{FE0F}' | '\u{180B}'..='\u{180D}' | '\u{180F}')
}

/// Writes the visible escape of a character, such as `<U+202E>`.
pub fn push_escape(text: &mut String, character: char) {
    // Writing to a text cannot fail.
    let _ = write!(text, "<U+{:04X}>", u32::from(character));
}

/// Returns text in which every control, bidirectional and zero-width character stands as `<U+202E>`, line ends too.
pub fn visible(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(render(text, LineEnds::Escaped, usize::MAX))
}

/// Makes one line of what somebody else wrote: what cannot be seen becomes visible, line ends and tabs become spaces,
/// and after `longest` characters it ends with `…`.
pub fn visible_line(text: &str, longest: usize) -> String {
    render(text.trim_end(), LineEnds::Spaces, longest)
}

/// The same, but line ends stay line ends.
pub fn visible_text(text: &str, longest: usize) -> String {
    render(text.trim_end(), LineEnds::Kept, longest)
}

/// What becomes of line ends and tabs.
#[derive(Clone, Copy)]
enum LineEnds {
    Escaped,
    Spaces,
    Kept,
}

fn render(text: &str, line_ends: LineEnds, longest: usize) -> String {
    let mut shown = String::with_capacity(text.len().min(longest.saturating_mul(4)));
    let mut combining = 0;
    let mut before = ' ';
    for (count, character) in text.chars().enumerate() {
        if count == longest {
            shown.push('…');
            break;
        }
        let selects = ('\u{FE00}'..='\u{FE0F}').contains(&character);
        combining = if character.width() == Some(0) { combining + 1 } else { 0 };
        match (character, line_ends) {
            ('\r', LineEnds::Spaces | LineEnds::Kept) => {}
            ('\n' | '\t', LineEnds::Spaces) => shown.push(' '),
            ('\n', LineEnds::Kept) => shown.push('\n'),
            ('\t', LineEnds::Kept) => shown.push_str("    "),
            // Behind ASCII a selector has nothing to select and can only deceive.
            _ if character.is_control()
                || is_format_character(character)
                || (selects && before.is_ascii()) =>
            {
                combining = 0;
                push_escape(&mut shown, character);
            }
            _ if combining > MOST_COMBINING => {}
            _ => shown.push(character),
        }
        if !selects {
            before = character;
        }
    }
    shown
}

/// Text that may be written to a terminal. Only the functions here make one, and each of them sanitises: whoever
/// prints takes this type and no other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TerminalText(String);

impl TerminalText {
    /// One line, without its end.
    pub fn line(text: &str) -> Self {
        Self(render(text, LineEnds::Spaces, usize::MAX))
    }

    /// Text that may have several lines. Tabs become spaces, because how far a tab goes is the terminal's affair.
    pub fn lines(text: &str) -> Self {
        Self(render(text, LineEnds::Kept, usize::MAX))
    }

    /// A word of a command line that a person may paste into a shell: quoted, unless it needs no quotes.
    pub fn shell_word(word: &str) -> Self {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._:-/".contains(&byte);
        if !word.is_empty() && word.bytes().all(plain) {
            return Self::line(word);
        }
        Self::line(&format!("'{}'", word.replace('\'', r"'\''")))
    }

    /// JSON on one line, everything beyond ASCII escaped.
    ///
    /// # Errors
    /// The value cannot be written as JSON.
    pub fn json(value: &impl Serialize) -> Result<Self, serde_json::Error> {
        serde_json::to_string(value).map(|text| Self(ascii_json(&text)))
    }

    /// JSON in lines that are indented, everything beyond ASCII escaped.
    ///
    /// # Errors
    /// The value cannot be written as JSON.
    pub fn indented_json(value: &impl Serialize) -> Result<Self, serde_json::Error> {
        serde_json::to_string_pretty(value).map(|text| Self(ascii_json(&text)))
    }

    /// Adds a line end.
    #[must_use]
    pub fn ended(mut self) -> Self {
        self.0.push('\n');
        self
    }
}

/// Escapes what stands beyond printable ASCII in JSON, which is only ever within a string (RFC 8259, section 7). What
/// stands below U+0020 in a string is escaped already; outside one there are only the line ends of indented JSON.
fn ascii_json(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        if character == '\n' || (' '..='~').contains(&character) {
            text.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            // Writing to a text cannot fail.
            let _ = write!(text, "\\u{unit:04x}");
        }
    }
    text
}

impl Deref for TerminalText {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TerminalText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

impl PartialEq<&str> for TerminalText {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

impl std::ops::Add for TerminalText {
    type Output = Self;

    fn add(mut self, other: Self) -> Self {
        self.0.push_str(&other.0);
        self
    }
}

impl FromIterator<Self> for TerminalText {
    fn from_iter<T: IntoIterator<Item = Self>>(pieces: T) -> Self {
        pieces.into_iter().fold(Self::default(), |all, piece| all + piece)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_cannot_be_seen_becomes_visible() {
        assert_eq!(visible_line("a\u{202e}b\u{1b}[31m\tc\nd\r\n", 100), "a<U+202E>b<U+001B>[31m c d");
        assert_eq!(visible_text("one\r\ntwo\u{200b}\n", 100), "one\ntwo<U+200B>");
        assert_eq!(visible_line("abcdef", 3), "abc…");
        assert_eq!(visible_line("abc", 3), "abc");
    }

    #[test]
    fn hidden_characters_are_shown() {
        assert_eq!(visible("a\u{202e}b\u{200b}c\x1b[31m"), "a<U+202E>b<U+200B>c<U+001B>[31m");
        assert_eq!(visible("näive 漢字"), "näive 漢字");
        assert_eq!(visible("\u{9b}x\u{feff}\n"), "<U+009B>x<U+FEFF><U+000A>");
        let flood = format!("a{}", "\u{301}".repeat(100));
        assert_eq!(visible(&flood).chars().count(), 1 + MOST_COMBINING);
    }

    #[test]
    fn a_selector_stays_behind_an_emoji_and_shows_behind_a_letter() {
        assert_eq!(visible("❤\u{fe0f}"), "❤\u{fe0f}");
        assert_eq!(visible("github.com/\u{fe0f}"), "github.com/<U+FE0F>");
    }

    #[test]
    fn a_word_for_a_shell_does_nothing_but_stand_there() {
        assert_eq!(TerminalText::shell_word("a-B.9:x_y"), "a-B.9:x_y");
        assert_eq!(TerminalText::shell_word("x; rm -rf ~"), "'x; rm -rf ~'");
        assert_eq!(TerminalText::shell_word("x'; id #"), r"'x'\''; id #'");
        assert_eq!(TerminalText::shell_word("x\n\x1b]52;c;aWQ=\x07"), "'x <U+001B>]52;c;aWQ=<U+0007>'");
        assert_eq!(TerminalText::shell_word(""), "''");
    }

    #[test]
    fn json_for_a_terminal_is_ascii_and_means_the_same() {
        let value = serde_json::json!({"ä\u{202e}": ["\u{9b}2J", "\u{7f}", "👩\u{200d}", "\x1b]0;x\x07"]});
        for text in [TerminalText::json(&value).unwrap(), TerminalText::indented_json(&value).unwrap()] {
            assert!(
                text.chars().all(|character| character == '\n' || (' '..='~').contains(&character)),
                "{text}"
            );
            assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
        }
    }

    /// Every character that one of the ways through shows must be one that can be seen.
    #[test]
    fn all_ways_use_one_table() {
        for character in
            ('\0'..=char::MAX).filter(|character| character.is_control() || is_format_character(*character))
        {
            let escape = format!("<U+{:04X}>", u32::from(character));
            assert_eq!(visible(&character.to_string()), escape);
            let is_line_end = matches!(character, '\n' | '\r' | '\t');
            assert!(is_line_end || *TerminalText::lines(&character.to_string()) == escape, "{escape}");
            assert!(is_line_end || *TerminalText::line(&character.to_string()) == escape, "{escape}");
        }
    }

    proptest! {
        #[test]
        fn nothing_invisible_is_left(text in "\\PC{0,40}|[\\x00-\\x{2100}\\x{feff}\\x{e0001}]{0,40}") {
            for shown in [visible_line(&text, 1000), visible(&text).into_owned(), TerminalText::line(&text).0] {
                prop_assert!(
                    !shown.chars().any(|shown| shown.is_control() || is_format_character(shown)), "{shown:?}"
                );
            }
            prop_assert!(!TerminalText::lines(&text).contains(|shown: char| shown.is_control() && shown != '\n'));
        }
    }
}
