//! Tokens and passwords that a program prints, to be masked wherever its output is shown or kept.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::expression::fixed;
use crate::core::tokens::{MASK, token_spans};

/// Values in JSON or assignments whose name tells what they are.
static NAMED: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r#"(?i)["']?\b\w*(?:access_?token|refresh_?token|id_?token|client_?secret|api_?key|auth_?token|session_?token|private_?key|password)["']?\s*[:=]\s*["']([^"'\s]{8,})["']"#,
    )
});

/// "token: VALUE" on one line; the value has to look like one.
static LABELLED: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r"(?i)\b(?:tokens?|api[ -]?keys?|secret(?: key)?|password)\b[^:=\n]{0,40}[:=] ?([A-Za-z0-9_\-.+/=~]{20,})",
    )
});

/// The line above a token that stands on a line of its own.
static ANNOUNCES: LazyLock<Regex> =
    LazyLock::new(|| fixed(r"(?i)\b(?:token|api key|secret(?: key)?|password)\b[^:]{0,40}:$"));

static VALUE: LazyLock<Regex> = LazyLock::new(|| fixed(r"^[A-Za-z0-9_\-.+/=~]{16,}$"));

static URL: LazyLock<Regex> = LazyLock::new(|| fixed(r"https?://\S+"));

/// Returns the byte ranges of a text that hold secrets, in order. What is inside of a URL is left alone: a login URL
/// is worthless without it, and the person has to open it.
pub fn secret_spans(text: &str) -> Vec<Range<usize>> {
    if !may_hold_secret(text) {
        return Vec::new();
    }
    let urls: Vec<Range<usize>> = URL.find_iter(text).map(|run| run.range()).collect();
    let outside =
        |span: &Range<usize>| !urls.iter().any(|url| url.start <= span.start && span.end <= url.end);
    let mut spans: Vec<Range<usize>> = token_spans(text).collect();
    spans.extend(NAMED.captures_iter(text).filter_map(|found| Some(found.get(1)?.range())));
    spans.extend(
        LABELLED
            .captures_iter(text)
            .filter_map(|found| found.get(1))
            .filter(|value| is_random(value.as_str()))
            .map(|value| value.range()),
    );
    spans.retain(outside);
    spans.sort_by_key(|span| (span.start, span.end));
    spans.dedup_by(|next, kept| {
        let overlaps = next.start < kept.end;
        if overlaps {
            kept.end = kept.end.max(next.end);
        }
        overlaps
    });
    spans
}

/// Compiles the expressions and lets them run once, which takes milliseconds: to be called while nobody waits.
pub fn prepare() {
    let sample = "https://host.example/path token: a1b2c3d4e5f6a7b8c9d0 \"password\": \"a1b2c3d4e5f6\"";
    let found = secret_spans(sample);
    debug_assert_eq!(found.len(), 2, "the sample must pass every expression");
}

/// Whether there is a stretch of characters that is long enough for any of the rules. Most of what is printed has none,
/// and the first look at a new session must not wait until the expressions are compiled.
pub fn may_hold_secret(text: &str) -> bool {
    /// The shortest token with a beginning of its own or a label before it, in bytes.
    const SHORTEST: usize = 16;
    /// The shortest value in quotes, in bytes.
    const SHORTEST_QUOTED: usize = 8;
    if text.contains(['"', '\'']) {
        text.split([' ', '\t', '"', '\'']).any(|word| word.len() >= SHORTEST_QUOTED)
    } else {
        // No token has anything but ASCII in it.
        text.split(|c: char| !c.is_ascii_graphic()).any(|word| word.len() >= SHORTEST)
    }
}

/// Whether a line announces a secret on the next one.
pub(super) fn announces(text: &str) -> bool {
    ANNOUNCES.is_match(text)
}

/// Whether a line is nothing but a value.
pub(super) fn is_value(text: &str) -> bool {
    VALUE.is_match(text)
}

/// Whether a row is nothing but characters of a token, so that it may be the rest of one.
pub(super) fn is_piece(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "_-.+/=~".contains(c))
}

/// Letters and digits mixed, unlike words, paths and versions.
fn is_random(value: &str) -> bool {
    value.contains(|c: char| c.is_ascii_digit())
        && value.contains(|c: char| c.is_ascii_alphabetic())
        && !value.contains('/')
}

/// Returns the text with every secret replaced by [`MASK`].
pub fn masked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for span in secret_spans(text) {
        out.push_str(&text[at..span.start]);
        out.push_str(MASK);
        at = span.end;
    }
    out.push_str(&text[at..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_masked_and_the_rest_stays() {
        let ghost = format!("gho_{}", "a1".repeat(18));
        assert_eq!(masked(&format!("token {ghost} saved")), format!("token {MASK} saved"));
        assert_eq!(
            masked("{\"access_token\":\"fake-access-token\",\"token_type\":\"Bearer\"}"),
            format!("{{\"access_token\":\"{MASK}\",\"token_type\":\"Bearer\"}}")
        );
        let value = "f4k3".repeat(8);
        assert_eq!(masked(&format!("Your API key: {value}")), format!("Your API key: {MASK}"));
    }

    #[test]
    fn urls_words_and_hashes_stay() {
        for text in [
            "https://a.example/login?token=0123456789abcdef0123456789abcdef",
            "The token is stored in /home/dev/.config/tool/credentials.json",
            "commit 348a799310cf1cea0f183d63e24f329ca3955b9c",
            "token type: Bearer",
        ] {
            assert_eq!(masked(text), text);
        }
    }
}
