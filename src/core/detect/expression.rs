//! The rules' regular expressions, compiled small.
//!
//! Everything that the rules match (labels, tokens, codes, URLs) is ASCII. Unicode classes would make the automata a
//! hundred times larger, and slower to build, for nothing.

use regex::Regex;

/// Compiles a fixed expression; `\w`, `\d`, `\W` and `\b` mean ASCII.
pub(super) fn fixed(pattern: &str) -> Regex {
    Regex::new(&ascii(pattern)).expect("invariant: the tests compile every fixed expression")
}

fn ascii(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() * 2);
    let mut in_class = false;
    let mut characters = pattern.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' => match (characters.next(), in_class) {
                (Some('w'), true) => out.push_str("0-9A-Za-z_"),
                (Some('w'), false) => out.push_str("[0-9A-Za-z_]"),
                (Some('d'), true) => out.push_str("0-9"),
                (Some('d'), false) => out.push_str("[0-9]"),
                (Some('W'), false) => out.push_str("[^0-9A-Za-z_]"),
                (Some('b'), false) => out.push_str(r"(?-u:\b)"),
                (Some(other), _) => {
                    out.push('\\');
                    out.push(other);
                }
                (None, _) => out.push('\\'),
            },
            '[' if !in_class => {
                in_class = true;
                out.push(c);
            }
            ']' if in_class => {
                in_class = false;
                out.push(c);
            }
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_become_ascii_inside_and_outside_of_brackets() {
        assert_eq!(ascii(r"\w+[\w-]\d[^\d]\\w\W"), r"[0-9A-Za-z_]+[0-9A-Za-z_-][0-9][^0-9]\\w[^0-9A-Za-z_]");
        assert!(fixed(r"^\w{3}$").is_match("abc"));
        assert!(!fixed(r"^\w{3}$").is_match("äöü"));
    }
}
