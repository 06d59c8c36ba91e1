//! Makes text from outside fit to stand in one line of ours: no escape sequence, no control character, nothing that
//! turns the reading direction or hides, and not too long.

use crate::core::visible::{is_format_character, push_escape};

/// Returns `text` in one line of at most `limit` characters, and `…` if there was more.
///
/// Escape sequences (ECMA-48) are dropped, control characters and runs of white space become one space, and
/// invisible characters become a visible escape such as `<U+202E>`.
pub fn one_line(text: &str, limit: usize) -> String {
    let mut line = String::new();
    let mut count = 0;
    let mut space_owed = false;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if character == '\u{1b}' {
            skip_sequence(&mut characters);
            continue;
        }
        if character.is_control() || character.is_whitespace() {
            space_owed = !line.is_empty();
            continue;
        }
        if count >= limit {
            line.push('…');
            break;
        }
        if std::mem::take(&mut space_owed) {
            line.push(' ');
            count += 1;
        }
        if is_format_character(character) {
            let before = line.len();
            push_escape(&mut line, character);
            count += line.len() - before;
        } else {
            count += 1;
            line.push(character);
        }
    }
    line
}

/// Skips what follows an ESC: a control sequence, a control string, or one character.
fn skip_sequence(characters: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match characters.next() {
        Some('[') => {
            characters.find(|character| ('\u{40}'..='\u{7e}').contains(character));
        }
        Some(']' | 'P' | '_' | '^' | 'X') => {
            while let Some(character) = characters.next() {
                if character == '\u{7}' {
                    return;
                }
                if character == '\u{1b}' {
                    characters.next_if_eq(&'\\');
                    return;
                }
            }
        }
        Some(_) | None => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_acts_on_a_terminal_is_left() {
        let text = "\u{1b}[1;31mRed\u{1b}[0m\t\u{7}\u{9b}bell \u{1b}]52;c;AAAA\u{7}\u{1b}]0;t\u{1b}\\ end\r\n\u{202e}";
        assert_eq!(one_line(text, 100), "Red bell end <U+202E>");
    }

    #[test]
    fn it_is_cut_at_the_limit_and_says_so() {
        assert_eq!(one_line("äbcdef", 3), "äbc…");
        assert_eq!(one_line("äbc  ", 3), "äbc");
    }

    #[test]
    fn an_unfinished_sequence_takes_the_rest() {
        assert_eq!(one_line("ok \u{1b}]0;never ends", 100), "ok");
        assert_eq!(one_line("ok \u{1b}", 100), "ok");
    }
}
