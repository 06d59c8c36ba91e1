//! What terminals, editors and chat programs do to a copied text, undone; and what must not be in one.

use super::PasteRefusal;
use crate::core::visible::is_format_character;

/// The most that is looked at. A terminal in canonical mode takes 4,095 bytes of a line; the keeper checks that,
/// because it alone knows the mode.
pub(super) const LONGEST: usize = 16 * 1024;

const PASTE_BEGINS: &str = "\u{1b}[200~";
const PASTE_ENDS: &str = "\u{1b}[201~";
const PAIRS: [(char, char); 6] = [('"', '"'), ('\'', '\''), ('`', '`'), ('<', '>'), ('(', ')'), ('[', ']')];

/// Takes off bracketed-paste marks, quotes and brackets around the text, and line breaks with the white space beside
/// them: a URL that was copied from a terminal has them where a row ended.
///
/// White space within a line stays: it means that something else was copied too.
pub(super) fn clean(pasted: &str) -> Result<String, PasteRefusal> {
    if pasted.len() > LONGEST {
        return Err(PasteRefusal::TooLong);
    }
    let unmarked = unmark(pasted.trim_matches(is_blank)).trim_matches(is_blank);
    let joined: String = unmarked.split(['\n', '\r']).map(|row| row.trim_matches([' ', '\t'])).collect();
    let text = unwrap(joined.trim_matches(is_blank));
    if text.chars().any(is_invisible) {
        return Err(PasteRefusal::ControlCharacter);
    }
    Ok(text.to_owned())
}

/// Takes off bracketed-paste marks and the line end, and nothing else: a password may well have quotes around it.
pub(super) fn line(pasted: &str) -> Result<String, PasteRefusal> {
    if pasted.len() > LONGEST {
        return Err(PasteRefusal::TooLong);
    }
    let line = unmark(pasted).trim_end_matches(['\n', '\r']).trim_matches(is_format_character);
    if line.chars().any(is_invisible) {
        return Err(PasteRefusal::ControlCharacter);
    }
    Ok(line.to_owned())
}

fn unmark(pasted: &str) -> &str {
    let unmarked = pasted.strip_prefix(PASTE_BEGINS).unwrap_or(pasted);
    unmarked.strip_suffix(PASTE_ENDS).unwrap_or(unmarked)
}

fn unwrap(text: &str) -> &str {
    let inner = PAIRS
        .iter()
        .find_map(|(open, close)| text.strip_prefix(*open)?.strip_suffix(*close))
        // An IPv6 address begins with a bracket of its own.
        .filter(|inner| !inner.is_empty() && !inner.contains(['[', ']']));
    inner.map_or(text, |inner| unwrap(inner.trim_matches(is_blank)))
}

/// Tells whether a character at the end of a text is there by accident: white space, and what e-mails and web pages put
/// beside a code (zero-width space, byte-order mark, soft hyphen).
fn is_blank(character: char) -> bool {
    character.is_whitespace() || is_format_character(character)
}

/// Tells whether a character cannot be seen, so that a person cannot know that it is there: control characters,
/// bidirectional controls, zero-width and other format characters.
fn is_invisible(character: char) -> bool {
    character.is_control() || is_format_character(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_copying_adds_is_taken_off() {
        for pasted in [
            "http://localhost:1/?code=abc",
            "  http://localhost:1/?code=abc\n",
            "\u{1b}[200~http://localhost:1/?code=abc\u{1b}[201~",
            "http://localhost:1/\r\n    ?code=abc   \n",
            "\"http://localhost:1/?code=abc\"",
            "<http://localhost:1/?code=abc>",
            "`http://localhost:1/?code=abc`",
        ] {
            assert_eq!(clean(pasted).ok().as_deref(), Some("http://localhost:1/?code=abc"), "{pasted:?}");
        }
        assert_eq!(clean("[::1]:80/x").ok().as_deref(), Some("[::1]:80/x"));
    }

    #[test]
    fn what_cannot_be_seen_is_refused() {
        for pasted in [
            "a\u{1b}[31mb",
            "a\u{0}b",
            "a\u{7f}b",
            "a\u{202e}b",
            "a\u{200b}b",
            "a\u{9b}b",
            "a\u{feff}b",
            "ab\u{0}",
        ] {
            assert_eq!(clean(pasted), Err(PasteRefusal::ControlCharacter), "{pasted:?}");
        }
    }

    #[test]
    fn what_cannot_be_seen_at_the_ends_goes_as_white_space_does() {
        for pasted in [
            "abc\u{200b}",
            "\u{feff}abc",
            "abc\u{ad}\n",
            "\u{200b} \u{a0}abc\u{2060}\u{3000}",
            "\"abc\u{200b}\"\u{200d}",
        ] {
            assert_eq!(clean(pasted).ok().as_deref(), Some("abc"), "{pasted:?}");
            assert_eq!(line("\u{feff}pass word \u{200b}\n").ok().as_deref(), Some("pass word "));
        }
    }

    #[test]
    fn the_bound_holds() {
        assert!(clean(&"a".repeat(LONGEST)).is_ok());
        assert_eq!(clean(&"a".repeat(LONGEST + 1)), Err(PasteRefusal::TooLong));
    }
}
