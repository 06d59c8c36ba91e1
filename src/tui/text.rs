//! Text for cells: whatever a child, a requester or a file says is made visible ([`visible`]) before it reaches a cell, and
//! cut by display width.

use std::borrow::Cow;
use std::time::Duration;

use strsim::levenshtein;
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

pub use crate::core::visible::visible;

/// Returns how many columns the text takes.
pub fn width(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.width() }
}

/// Cuts text to a number of columns; what was cut is replaced by `mark`, which must be one column wide.
pub fn cut<'a>(text: &'a str, columns: usize, mark: &str) -> Cow<'a, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    if columns == 0 {
        return Cow::Borrowed("");
    }
    let mut kept = String::new();
    let mut used = 0;
    for cluster in text.graphemes(true) {
        let wide = cluster.width();
        if used + wide > columns - 1 {
            break;
        }
        used += wide;
        kept.push_str(cluster);
    }
    kept.push_str(mark);
    Cow::Owned(kept)
}

/// Breaks text at spaces into lines of at most `columns`; a word that is too long is broken where it must be.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let needed = if line.is_empty() { width(word) } else { width(&line) + 1 + width(word) };
        if needed <= columns {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        break_word(word, columns, &mut lines, &mut line);
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

fn break_word(word: &str, columns: usize, lines: &mut Vec<String>, line: &mut String) {
    for cluster in word.graphemes(true) {
        if width(line) + cluster.width() > columns && !line.is_empty() {
            lines.push(std::mem::take(line));
        }
        line.push_str(cluster);
    }
}

/// Writes a countdown: `8:41`, `1:02:03`. A started second counts as a whole one.
pub fn countdown(left: Duration) -> String {
    let seconds = left.as_millis().div_ceil(1000);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

/// Writes a time left that need not be exact: `9 min`, `2 h`.
pub fn roughly(left: Duration) -> String {
    let minutes = left.as_millis().div_ceil(60_000);
    if minutes < 120 { format!("{minutes} min") } else { format!("{} h", minutes / 60) }
}

/// Writes how long ago something was: `just now`, `5 min ago`, `3 h ago`, `12 d ago`.
pub fn ago(passed: Duration) -> String {
    let minutes = passed.as_secs() / 60;
    match minutes {
        0 => "just now".into(),
        1..=119 => format!("{minutes} min ago"),
        120..=2879 => format!("{} h ago", minutes / 60),
        _ => format!("{} d ago", minutes / 1440),
    }
}

/// Returns the name out of `names` that is nearest to what was written, if one is near enough to be meant.
pub fn nearest<'a>(written: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    names
        .map(|name| (levenshtein(written, name), name))
        .min()
        .filter(|(distance, name)| *distance <= name.len().max(3) / 3)
        .map(|(_, name)| name)
}

/// Splits a command line as a shell would: blanks part, quotes and backslashes keep together. Nothing is expanded.
///
/// # Errors
/// A sentence if a quote is left open.
pub fn split_command(line: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match letter {
            ' ' | '\t' => words.extend(word.take()),
            '\'' => quoted(&mut letters, '\'', word.get_or_insert_default())?,
            '"' => quoted(&mut letters, '"', word.get_or_insert_default())?,
            '\\' => word.get_or_insert_default().extend(letters.next()),
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    Ok(words)
}

fn quoted(letters: &mut std::str::Chars<'_>, end: char, word: &mut String) -> Result<(), String> {
    while let Some(letter) = letters.next() {
        match letter {
            letter if letter == end => return Ok(()),
            '\\' if end == '"' => word.extend(letters.next()),
            other => word.push(other),
        }
    }
    Err(format!("The quote {end} is not closed."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_by_columns_not_by_letters() {
        assert_eq!(cut("hello", 5, "…"), "hello");
        assert_eq!(cut("hello!", 5, "…"), "hell…");
        assert_eq!(cut("漢字漢字", 5, "…"), "漢字…");
        assert_eq!(cut("漢字漢字", 4, "…"), "漢…");
        assert_eq!(cut("abc", 0, "…"), "");
    }

    #[test]
    fn wraps_at_spaces() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefgh ij", 3), ["abc", "def", "gh", "ij"]);
    }

    #[test]
    fn countdowns_round_up() {
        assert_eq!(countdown(Duration::from_millis(59_001)), "1:00");
        assert_eq!(countdown(Duration::from_secs(521)), "8:41");
        assert_eq!(countdown(Duration::ZERO), "0:00");
        assert_eq!(countdown(Duration::from_secs(3723)), "1:02:03");
    }

    #[test]
    fn a_command_line_is_split_as_a_shell_would() {
        assert_eq!(split_command(r#"a 'b c' "d \" e" f\ g ''"#).unwrap(), ["a", "b c", "d \" e", "f g", ""]);
        assert_eq!(split_command("  ").unwrap(), Vec::<String>::new());
        assert!(split_command("echo 'x").is_err());
    }

    #[test]
    fn the_nearest_name_is_offered() {
        assert_eq!(nearest("sesion.kill", ["session.kill", "url.copy"].into_iter()), Some("session.kill"));
        assert_eq!(nearest("banana", ["session.kill", "url.copy"].into_iter()), None);
    }
}
