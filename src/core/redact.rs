//! Text made fit to be shown, told or written: secrets masked, what cannot be seen made visible.

use std::ops::Range;

use super::secret::Secret;

/// What stands in the place of a secret, whatever its length.
pub const MASK: &str = "[secret]";

/// How many submitted texts are remembered for masking.
const REMEMBERED: usize = 32;

/// Shorter texts are not masked: they would hit innocent words. What is that short is no secret.
const SHORTEST: usize = 6;

/// How tokens of known vendors begin. What follows, up to the first character that no token has, is masked.
const TOKEN_PREFIXES: [&str; 28] = [
    "sk-ant-",
    "sk-proj-",
    "sk-or-",
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "gloas-",
    "npm_",
    "hf_",
    "xoxb-",
    "xoxp-",
    "xapp-",
    "ya29.",
    "1//0",
    "pypi-",
    "dop_v1_",
    "dckr_pat_",
    "shpat_",
    "fo1_",
    "sntrys_",
    "rnd_",
    "figd_",
    "AKIA",
    "eyJ",
];

/// How much must follow a prefix before it is taken for a token: less with a digit in it (`hf_hub_download` is none).
const TOKEN_BODY: usize = 20;
const TOKEN_BODY_WITH_DIGIT: usize = 12;

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

/// Cuts a URL down to what may stand in a log: scheme, host, port and path. User info, query and fragment are where
/// codes and tokens are.
pub fn redact_url(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return MASK.to_owned() };
    let end = rest.find(['?', '#']).unwrap_or(rest.len());
    let cut = if end < rest.len() { "?…" } else { "" };
    let slash = rest[..end].find('/').unwrap_or(end);
    let host = rest[..slash].rsplit_once('@').map_or(&rest[..slash], |(_, host)| host);
    visible_line(&format!("{scheme}://{host}{}{cut}", &rest[slash..end]), 300)
}

/// Masks stretches of a text, given as byte ranges in any order. A range that is not one of this text is ignored.
pub fn mask_spans(text: &str, spans: &[Range<usize>]) -> String {
    let mut sorted: Vec<&Range<usize>> =
        spans.iter().filter(|span| text.get((*span).clone()).is_some()).collect();
    sorted.sort_by_key(|span| (span.start, span.end));
    let mut masked = String::with_capacity(text.len());
    let mut done = 0;
    for span in sorted {
        if span.end <= done || span.is_empty() {
            continue;
        }
        if span.start >= done {
            masked.push_str(&text[done..span.start]);
            masked.push_str(MASK);
        }
        done = span.end;
    }
    masked.push_str(&text[done..]);
    masked
}

/// Finds tokens by how their vendors begin them.
pub fn token_spans(text: &str) -> Vec<Range<usize>> {
    let mut spans = Vec::new();
    for prefix in TOKEN_PREFIXES {
        for (start, _) in text.match_indices(prefix) {
            let inside_word = text[..start].chars().next_back().is_some_and(char::is_alphanumeric);
            let body = text[start + prefix.len()..].find(|character| !is_token_character(character));
            let end = body.map_or(text.len(), |body| start + prefix.len() + body);
            let body = &text[start + prefix.len()..end];
            let has_digit = body.bytes().any(|byte| byte.is_ascii_digit());
            let shortest = if has_digit { TOKEN_BODY_WITH_DIGIT } else { TOKEN_BODY };
            if !inside_word && body.len() >= shortest {
                spans.push(start..end);
            }
        }
    }
    spans
}

fn is_token_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.' | '/' | '+' | '=' | '~')
}

/// Masks tokens of known vendors.
pub fn mask_tokens(text: &str) -> String {
    mask_spans(text, &token_spans(text))
}

/// What a person submitted in one session: the child echoes it, and then it stands in the transcript.
#[derive(Debug, Default)]
pub struct SubmittedTexts {
    texts: Vec<Secret>,
}

impl SubmittedTexts {
    /// Remembers a text, and its two halves if it is `code#state`. The oldest are forgotten.
    pub fn remember(&mut self, text: &Secret) {
        let whole = text.secret().trim();
        let halves = whole.split_once('#').map(|(code, _)| code);
        for part in [Some(whole), halves].into_iter().flatten() {
            let known = self.texts.iter().any(|known| known.matches(part));
            if part.len() >= SHORTEST && !known {
                self.texts.push(Secret::new(part));
            }
        }
        let excess = self.texts.len().saturating_sub(REMEMBERED);
        self.texts.drain(..excess);
    }

    /// Masks every remembered text and every token of a known vendor.
    pub fn mask(&self, text: &str) -> String {
        let mut spans = token_spans(text);
        for secret in &self.texts {
            let found = text.match_indices(secret.secret());
            spans.extend(found.map(|(start, found)| start..start + found.len()));
        }
        mask_spans(text, &spans)
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
    fn a_logged_url_has_no_query() {
        let url = "http://user:pw@localhost:1455/auth/callback?code=canary&state=canary#canary";
        assert_eq!(redact_url(url), "http://localhost:1455/auth/callback?…");
        assert_eq!(redact_url("https://example.com"), "https://example.com");
        assert_eq!(redact_url("canary"), MASK);
    }

    #[test]
    fn spans_may_overlap_and_may_be_wrong() {
        assert_eq!(mask_spans("0123456789", &[6..8, 1..3, 2..4]), "0[secret]45[secret]89");
        assert_eq!(mask_spans("äb", &[0..1, 5..9]), "äb");
    }

    #[test]
    fn vendors_tokens_are_masked_and_words_are_not() {
        let token = format!("export TOKEN={}{}", "sk-ant-", "x".repeat(40));
        assert_eq!(mask_tokens(&token), "export TOKEN=[secret]");
        for innocent in ["task-ant-hill", "hf_hub_download", "sk-ant-", "keyJourney", "npm_config"] {
            assert_eq!(mask_tokens(innocent), innocent);
        }
    }

    #[test]
    fn what_was_submitted_is_masked_wherever_it_is_echoed() {
        let mut texts = SubmittedTexts::default();
        texts.remember(&Secret::new("canary-code#canary-state\n"));
        assert_eq!(texts.mask("> canary-code#canary-state"), "> [secret]");
        assert_eq!(texts.mask("got canary-code."), "got [secret].");
        texts.remember(&Secret::new("y"));
        assert_eq!(texts.mask("yes"), "yes");
    }

    #[test]
    fn only_so_many_texts_are_remembered() {
        let mut texts = SubmittedTexts::default();
        for number in 0..100 {
            texts.remember(&Secret::new(format!("canary-{number:04}")));
        }
        assert_eq!(texts.texts.len(), REMEMBERED);
        assert_eq!(texts.mask("canary-0099"), MASK);
    }

    proptest! {
        #[test]
        fn nothing_invisible_is_left(text in "\\PC{0,40}|[\\x00-\\x{2100}\\x{feff}\\x{e0001}]{0,40}") {
            let shown = visible_line(&text, 1000);
            prop_assert!(!shown.chars().any(|shown| shown.is_control() || is_format_character(shown)), "{shown:?}");
        }

        #[test]
        fn masking_never_panics_and_leaves_nothing_of_a_span(
            text in "\\PC{0,30}", spans in prop::collection::vec((0usize..60, 0usize..60), 0..5)
        ) {
            let spans: Vec<_> = spans.into_iter().map(|(start, length)| start..start + length).collect();
            let masked = mask_spans(&text, &spans);
            if spans.iter().any(|span| span.contains(&0) && span.end >= text.len() && text.get(span.clone()).is_some())
                && !text.is_empty()
            {
                prop_assert_eq!(masked, MASK);
            }
        }
    }
}
