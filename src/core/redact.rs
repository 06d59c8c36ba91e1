//! Text made fit to be shown, told or written: what cannot be seen is made visible.

/// Tells whether a character is a format character: one that is not seen itself and changes what is seen. These are
/// the bidirectional controls, the zero-width characters, fillers, tags and interlinear marks of Unicode 16. Variation selectors are
/// not among them: emoji need them, and they change nothing but a shape.
pub fn is_format_character(character: char) -> bool {
    matches!(u32::from(character),
        0x00AD | 0x034F | 0x061C | 0x115F | 0x1160 | 0x17B4 | 0x17B5 | 0x180B..=0x180F | 0x200B..=0x200F
        | 0x2028..=0x202E | 0x2060..=0x206F | 0x3164 | 0xFEFF | 0xFFA0 | 0xFFF0..=0xFFFB
        | 0x1_D173..=0x1_D17A | 0xE_0000..=0xE_0FFF)
}

/// Makes one line of what somebody else wrote: control and format characters become visible (`<U+202E>`), line ends
/// become spaces, and after `longest` characters it ends with `…`.
pub fn visible_line(text: &str, longest: usize) -> String {
    visible(text, longest, false)
}

/// The same, but line ends stay line ends.
pub fn visible_text(text: &str, longest: usize) -> String {
    visible(text, longest, true)
}

fn visible(text: &str, longest: usize, keep_lines: bool) -> String {
    let mut shown = String::with_capacity(text.len().min(longest.saturating_mul(4)));
    for (count, character) in text.trim_end().chars().enumerate() {
        if count == longest {
            shown.push('…');
            break;
        }
        match character {
            '\r' => {}
            '\n' if keep_lines => shown.push('\n'),
            '\n' | '\t' => shown.push(' '),
            other if other.is_control() || is_format_character(other) => {
                shown.push_str(&format!("<U+{:04X}>", u32::from(other)));
            }
            other => shown.push(other),
        }
    }
    shown
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

    proptest! {
        #[test]
        fn nothing_invisible_is_left(text in "\\PC{0,40}|[\\x00-\\x{2100}\\x{feff}\\x{e0001}]{0,40}") {
            let shown = visible_line(&text, 1000);
            prop_assert!(!shown.chars().any(|shown| shown.is_control() || is_format_character(shown)), "{shown:?}");
        }
    }
}
