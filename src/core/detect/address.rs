//! URLs on the screen, whole: trimmed of what surrounds them, and rejoined where the program broke them itself.
//!
//! The terminal's own wraps are joined already ([`super::screen_text`]). A program that lays text out itself (Ink, Rich,
//! clack) breaks a long URL at its own width and leaves no mark at the cut. The rules for joining:
//!
//! 1. Only the row directly below can continue, and only if it begins with characters of a URL, is not a URL of its
//!    own, stands in the same frame and not to the right of where the URL began.
//! 2. A piece that reaches the edge is continued by what begins the next row, unless that reads like a sentence.
//! 3. A piece that ends before the edge is continued only by a row that is nothing but URL, and only if a word
//!    wrapper would have broken there: at a `-`, `/`, `?`, `&`, … and because the next part did not fit.
//! 4. Pieces of one length below one another are continued by the row below them, wherever the edge is.
//! 5. A URL in brackets that are still open goes on to the bracket that closes them in the next row; if there is none
//!    there, it was cut, and nobody can open it.
//! 6. A URL that stops at a `?` or `&` is continued by a parameter.
//! 7. A URL cut inside of a `%XX` is always continued.

mod capture;
mod wrap;

use std::ops::Range;
use std::sync::LazyLock;

use memchr::memmem::Finder;
use regex::Regex;

pub(super) use self::capture::Captures;
use self::wrap::{Cut, closed_below, continuation};
use super::expression::fixed;
use super::screen_text::{Line, ScreenText};

/// A URL on the screen.
#[derive(Clone, Debug)]
pub(super) struct Address {
    /// The URL, byte for byte.
    pub text: String,
    /// Index of the line that it begins on.
    pub line: usize,
    /// Index of the line that it ends on.
    pub last: usize,
    /// Bytes of the first line's text that it covers.
    pub first_range: Range<usize>,
    /// Byte behind its last one, on its last line, trimmed characters included.
    pub last_end: usize,
    /// It ends where the cursor is, so more may follow.
    pub open: bool,
    /// The program cut it short (`…`), or it has a place holder in it: nobody can open it.
    pub cut_short: bool,
    /// It is the target of a hyperlink, not the text on the screen.
    pub from_link: bool,
    /// The hyperlink shows a URL with another host than its target has.
    pub disguised: bool,
}

static URL: LazyLock<Regex> = LazyLock::new(|| fixed(r"(?i)https?://[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+"));

/// Returns all URLs of a screen text in reading order.
pub(super) fn addresses(screen_text: &ScreenText) -> Vec<Address> {
    let mut found = Vec::new();
    let mut covered: Option<(usize, usize)> = None;
    for (index, line) in screen_text.lines.iter().enumerate() {
        if has_scheme(&line.text) {
            for run in URL.find_iter(&line.text) {
                if covered.is_some_and(|(last, end)| index < last || (index == last && run.start() < end)) {
                    continue;
                }
                let address = assemble(screen_text, index, run.range());
                covered = Some((address.last, address.last_end));
                found.push(address);
            }
        }
        links(screen_text, index, &mut found);
    }
    found
}

fn has_scheme(text: &str) -> bool {
    static SCHEME_END: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("://"));
    SCHEME_END.find(text.as_bytes()).is_some()
}

/// Makes one URL of a run of URL characters and the rows below that continue it.
pub(super) fn assemble(screen_text: &ScreenText, index: usize, run: Range<usize>) -> Address {
    let line = &screen_text.lines[index];
    let mut text = line.text[run.clone()].to_owned();
    let (mut last, mut last_end) = (index, run.end);
    let before = line.text[..run.start].chars().next_back();
    let closing = before.and_then(closing);
    if run.end == line.text.len() && line.rows == 1 {
        let mut cuts: Vec<Cut> =
            vec![Cut { start: line.indent + line.text[..run.start].chars().count(), end: line.end }];
        while let Some(next) = screen_text.lines.get(last + 1) {
            let above = &screen_text.lines[last];
            let bracket = closing.filter(|closing| !text.contains(*closing));
            let Some(length) = continuation(above, next, &text, &cuts)
                .or_else(|| closed_below(above, next, bracket?, &cuts))
            else {
                break;
            };
            text.push_str(&next.text[..length]);
            (last, last_end) = (last + 1, length);
            cuts.push(Cut { start: next.indent, end: next.end });
            if length < next.text.len() {
                break;
            }
        }
    }
    let end_line = &screen_text.lines[last];
    let behind = end_line.text[last_end..].chars().next();
    let ellipsis = behind == Some('…') && end_line.end + 1 >= end_line.edge;
    let template = matches!(behind, Some('{' | '<' | '$' | '\\' | '^'));
    let open = end_line.has_cursor && last_end == end_line.text.len();
    let unclosed = closing.is_some_and(|closing| !text.contains(closing) && behind != Some(closing))
        && is_at_edge(screen_text, last, last_end);
    let kept = trimmed(&text, before);
    let first_end = run.end.min(run.start + kept);
    text.truncate(kept);
    Address {
        cut_short: ellipsis || template || unclosed || has_broken_escape(&text) || has_variable(&text),
        text,
        line: index,
        last,
        first_range: run.start..first_end,
        last_end,
        open,
        from_link: false,
        disguised: false,
    }
}

/// The bracket that closes one.
fn closing(opening: char) -> Option<char> {
    match opening {
        '(' => Some(')'),
        '[' => Some(']'),
        '<' => Some('>'),
        _ => None,
    }
}

/// Whether a line that was broken by its program ends at its edge, in the middle of a text.
fn is_at_edge(screen_text: &ScreenText, last: usize, last_end: usize) -> bool {
    let line = &screen_text.lines[last];
    let goes_on =
        screen_text.lines.get(last + 1).is_some_and(|next| !next.is_empty() && next.shares_frame(line));
    last_end == line.text.len() && line.rows == 1 && wrap::is_near_edge(line) && goes_on
}

/// How much of a run of URL characters is the URL: quotes, brackets and punctuation around it are not.
fn trimmed(run: &str, before: Option<char>) -> usize {
    let mut end = run.len();
    if before == Some('\'')
        && let Some(at) = run.find('\'')
    {
        end = at;
    }
    let mut round = 0_i32;
    let mut square = 0_i32;
    for (at, c) in run[..end].char_indices() {
        match c {
            '(' => round += 1,
            ')' => round -= 1,
            '[' => square += 1,
            ']' => square -= 1,
            _ => {}
        }
        if round < 0 || square < 0 {
            end = at;
            break;
        }
    }
    loop {
        let kept = run[..end].trim_end_matches(['.', ',', ';', ':', '!', '?', '\'', '*', '(', '[']).len();
        if kept == end {
            return end;
        }
        end = kept;
    }
}

/// Whether a `%` stands without its two hexadecimal digits, as in a format string.
fn has_broken_escape(url: &str) -> bool {
    let bytes = url.as_bytes();
    bytes.iter().enumerate().any(|(at, byte)| {
        *byte == b'%' && !(1..=2).all(|offset| bytes.get(at + offset).is_some_and(u8::is_ascii_hexdigit))
    })
}

/// Whether the name of a variable stands where its value should (`?rd=https://$host$request_uri`).
fn has_variable(url: &str) -> bool {
    let bytes = url.as_bytes();
    bytes.iter().enumerate().any(|(at, byte)| {
        *byte == b'$'
            && at > 0
            && matches!(bytes[at - 1], b'=' | b'/')
            && bytes.get(at + 1).is_some_and(|next| next.is_ascii_lowercase() || *next == b'_')
    })
}

/// Adds the hyperlinks of a line whose target is not what they show, and repairs URLs that are shown in part.
fn links(screen_text: &ScreenText, index: usize, found: &mut Vec<Address>) {
    let line = &screen_text.lines[index];
    for link in &line.links {
        if !link.uri.starts_with("http") || URL.find(&link.uri).is_none_or(|run| run.len() != link.uri.len())
        {
            continue;
        }
        if found.iter().any(|other| other.text == link.uri && index >= other.line && index <= other.last) {
            continue;
        }
        let shown = line.text[link.range.clone()].trim();
        let overlapping = found.iter_mut().find(|other| {
            other.line == index
                && other.first_range.start < link.range.end
                && other.first_range.end > link.range.start
        });
        match overlapping {
            Some(other) if link.uri.starts_with(shown.trim_end_matches(['…', '.'])) => {
                other.text.clone_from(&link.uri);
                other.cut_short = false;
                other.from_link = true;
            }
            Some(other) => {
                let disguised = host(&other.text) != host(&link.uri);
                let address = from_link(line, index, link.range.clone(), &link.uri, disguised);
                other.disguised |= disguised;
                found.push(address);
            }
            None if continues_link(screen_text, index, &link.uri) => {}
            None => found.push(from_link(line, index, link.range.clone(), &link.uri, false)),
        }
    }
}

/// Whether the same link already began on the row above.
fn continues_link(screen_text: &ScreenText, index: usize, uri: &str) -> bool {
    index > 0 && screen_text.lines[index - 1].links.last().is_some_and(|link| link.uri == uri)
}

fn from_link(line: &Line, index: usize, range: Range<usize>, uri: &str, disguised: bool) -> Address {
    Address {
        text: uri.to_owned(),
        line: index,
        last: index,
        last_end: range.end.min(line.text.len()),
        first_range: range,
        open: false,
        cut_short: false,
        from_link: true,
        disguised,
    }
}

fn host(url: &str) -> Option<String> {
    url::Url::parse(url).ok()?.host_str().map(str::to_owned)
}
