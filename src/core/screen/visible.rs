//! What a character of the child becomes before a person sees it.
//!
//! A terminal cell may hold characters that have no look of their own but change how their neighbours read:
//! bidirectional controls turn a URL around, zero-width ones hide a difference between two hosts. None of them ever
//! leaves this module; they become visible escapes such as `<U+202E>`, in the pane and in the text that is searched,
//! so that what is matched, shown and copied is one and the same.

use unicode_width::UnicodeWidthChar as _;

pub(super) use crate::core::visible::push_escape;
use crate::core::visible::{is_format_character, is_presentation_hint};

/// What happens to a character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// It stands as it is: an ordinary character, or a combining mark.
    Plain,
    /// It vanishes: a hint about the look of the emoji or letter before it, with no meaning of its own.
    Dropped,
    /// It is replaced by its visible escape.
    Escaped,
}

/// Columns that a character takes on the emulator's grid; 0 for combining marks and format characters.
#[inline]
pub(super) fn columns_of(character: char) -> usize {
    match character {
        // What most texts consist of is known without a look into tables: ASCII, Latin, Greek, Cyrillic; lines, bars
        // and spinners; Chinese and Korean.
        ' '..='~'
        | '\u{AE}'..='\u{2FF}'
        | '\u{391}'..='\u{482}'
        | '\u{2500}'..='\u{25FC}'
        | '\u{2800}'..='\u{28FF}' => 1,
        '\u{4E00}'..='\u{9FFF}' | '\u{AC00}'..='\u{D7A3}' => 2,
        _ => character.width().unwrap_or(0),
    }
}

/// Decides what a character becomes; `base` is the character of the cell that it stands in.
pub(super) fn shown(character: char, base: char) -> Shown {
    if (' '..='~').contains(&character) {
        return Shown::Plain;
    }
    if is_presentation_hint(character) {
        // Behind an emoji or a letter of a joining script it only says how to draw; behind ASCII it can only deceive.
        return if base.is_ascii() { Shown::Escaped } else { Shown::Dropped };
    }
    if character.is_control() || is_format_character(character) { Shown::Escaped } else { Shown::Plain }
}

/// Makes a line of text from elsewhere (a window title) fit to be shown, cut after `limit` characters.
pub(super) fn sanitised(text: &str, limit: usize) -> String {
    let mut clean = String::new();
    let mut base = ' ';
    for character in text.chars().take(limit) {
        match shown(character, base) {
            Shown::Plain => clean.push(character),
            Shown::Dropped => {}
            Shown::Escaped => push_escape(&mut clean, character),
        }
        if columns_of(character) > 0 {
            base = character;
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_those_of_the_emulator() {
        for character in '\0'..=char::MAX {
            let expected = character.width().unwrap_or(0);
            assert_eq!(columns_of(character), expected, "{:04X}", u32::from(character));
        }
    }

    #[test]
    fn what_has_no_look_is_shown_as_an_escape() {
        for (character, base, expected) in [
            ('a', 'a', Shown::Plain),
            ('é', 'a', Shown::Plain),
            ('\u{301}', 'e', Shown::Plain),
            ('\u{202E}', 'a', Shown::Escaped),
            ('\u{200B}', '👩', Shown::Escaped),
            ('\u{200D}', '👩', Shown::Dropped),
            ('\u{200D}', 'e', Shown::Escaped),
            ('\u{FE0F}', '❤', Shown::Dropped),
            ('\u{FE0F}', '/', Shown::Escaped),
            ('\u{9B}', 'a', Shown::Escaped),
            ('\u{E0041}', 'a', Shown::Escaped),
            ('\u{2028}', 'a', Shown::Escaped),
        ] {
            assert_eq!(shown(character, base), expected, "{:04X} after {base}", u32::from(character));
        }
    }

    #[test]
    fn every_format_character_that_a_terminal_makes_zero_wide_is_escaped_or_dropped() {
        let bidirectional = ['\u{61C}', '\u{200E}', '\u{200F}']
            .into_iter()
            .chain('\u{202A}'..='\u{202E}')
            .chain('\u{2066}'..='\u{2069}');
        for character in bidirectional.chain(['\u{200B}', '\u{2060}', '\u{FEFF}']) {
            assert_eq!(shown(character, 'é'), Shown::Escaped, "{:04X}", u32::from(character));
        }
    }

    #[test]
    fn a_title_is_one_clean_short_line() {
        assert_eq!(sanitised("a\u{202E}b\nc", 10), "a<U+202E>b<U+000A>c");
        assert_eq!(sanitised("abcdef", 3), "abc");
    }
}
