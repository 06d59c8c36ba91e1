//! Whether a row continues the URL of the row above that a program broke by itself. [`super`] has the rules.

use std::sync::LazyLock;

use regex::Regex;

use crate::core::detect::expression::fixed;
use crate::core::detect::screen_text::Line;

/// Whether a character can stand in a URL.
pub(super) fn is_url_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~:/?#[]@!$&'()*+,;=%".contains(c)
}

/// The columns that one piece of a URL covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cut {
    /// Column of its first character.
    pub start: usize,
    /// Column behind its last one.
    pub end: usize,
}

/// A piece this short says nothing about the width at which its program breaks.
const SHORTEST_OWN_WIDTH: usize = 40;

/// Where word wrappers break inside of a word.
const BREAKS: &str = "-/?&=.%_,+";

static SENTENCE_WORD: LazyLock<Regex> =
    LazyLock::new(|| fixed(r"^(?:[A-Z][a-z']{2,}[.:!?,]*|[a-z']+(?:[.:!?,]+))$"));

static CODE: LazyLock<Regex> = LazyLock::new(|| fixed(r"^[A-Z0-9]{3,5}(?:-[A-Z0-9]{3,5}){1,2}$"));

/// Returns how many bytes of `next` continue `url`, whose newest piece ends `line`; none if it does not go on.
pub(super) fn continuation(line: &Line, next: &Line, url: &str, cuts: &[Cut]) -> Option<usize> {
    let began = cuts.first().map_or(0, |cut| cut.start);
    if !next.shares_frame(line) || next.indent > began || next.text.is_empty() {
        return None;
    }
    let length = next.text.find(|c| !is_url_char(c)).unwrap_or(next.text.len());
    let run = &next.text[..length];
    let begins_anew = run.starts_with("http://") || run.starts_with("https://");
    if length == 0 || (begins_anew && !is_value_missing(line, url)) {
        return None;
    }
    let whole = length == next.text.len();
    if is_ruler(run) || (!whole && (is_ordinal(run) || run.starts_with('('))) {
        return None;
    }
    let goes_on = is_inside_escape(url)
        || broke_at_parameter(url, run)
        || if line.end >= line.edge || (whole && line.end + 1 >= line.edge) {
            if whole {
                !reads_as_word(run) || is_tail(run, cuts.len()) || is_code_missing(url)
            } else {
                is_clearly_url(run, cuts.len())
            }
        } else {
            whole && !reads_as_word(run) && (wrapper_broke(line, url, run) || same_width(cuts, next, url))
        };
    goes_on.then_some(length)
}

/// Whether a program that leaves a margin of its own at the right may have broken a line where it ends.
pub(super) fn is_near_edge(line: &Line) -> bool {
    const MARGIN: usize = 4;
    line.end + MARGIN >= line.edge
}

/// Returns how many bytes of `next` continue a URL in brackets that are still open, if they are closed there.
pub(super) fn closed_below(line: &Line, next: &Line, closing: char, cuts: &[Cut]) -> Option<usize> {
    let began = cuts.first().map_or(0, |cut| cut.start);
    let length = next.text.find(|c| !is_url_char(c)).unwrap_or(next.text.len());
    let run = &next.text[..length];
    let closes = run.contains(closing) || next.text[length..].starts_with(closing);
    let broken = is_near_edge(line) || next.end == line.end;
    (closes && broken && next.shares_frame(line) && next.indent <= began && !run.contains("://"))
        .then_some(length)
}

/// A program that breaks a URL where its parameters begin, whether or not the next one fits.
fn broke_at_parameter(url: &str, run: &str) -> bool {
    static PARAMETER: LazyLock<Regex> = LazyLock::new(|| fixed(r"^[\w.%-]{1,40}=\S"));
    static AND_PARAMETER: LazyLock<Regex> = LazyLock::new(|| fixed(r"^[?&][\w.%-]{1,40}=\S"));
    (url.ends_with(['?', '&']) && PARAMETER.is_match(run)) || AND_PARAMETER.is_match(run)
}

/// A query that stops behind a `=` at the edge: what follows is its value, a URL too (`redirect_uri=http://…`).
fn is_value_missing(line: &Line, url: &str) -> bool {
    url.ends_with('=') && url.contains('?') && line.end + 1 >= line.edge
}

/// A line of one sign, which separates.
fn is_ruler(run: &str) -> bool {
    const SHORTEST: usize = 4;
    let first = run.chars().next().unwrap_or_default();
    run.len() >= SHORTEST && "-=_*~.#+".contains(first) && run.chars().all(|c| c == first)
}

/// "2." in front of the next step.
fn is_ordinal(run: &str) -> bool {
    let number = run.trim_end_matches(['.', ')', ':']);
    number.len() < run.len()
        && (1..=2).contains(&number.len())
        && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// A query that stops inside of its code, which is shown nowhere else then.
fn is_code_missing(url: &str) -> bool {
    static CODE_VALUE: LazyLock<Regex> = LazyLock::new(|| fixed(r"[?&]user_?code=[A-Z0-9-]{0,8}$"));
    CODE_VALUE.is_match(url)
}

/// A `%` with one digit or none at the end: the rest of the escape must follow.
fn is_inside_escape(url: &str) -> bool {
    let tail: Vec<char> = url.chars().rev().take(2).collect();
    tail.first() == Some(&'%') || (tail.get(1) == Some(&'%') && tail[0].is_ascii_hexdigit())
}

/// Small letters and a full stop below a URL that was cut before: its last letters, in a sentence of its program's.
fn is_tail(run: &str, pieces: usize) -> bool {
    pieces > 1 && run.starts_with(|c: char| c.is_ascii_lowercase()) && run.len() <= 12
}

fn reads_as_word(run: &str) -> bool {
    SENTENCE_WORD.is_match(run) || CODE.is_match(run)
}

/// A row with more text behind its first run: that run must have the looks of a URL's middle.
fn is_clearly_url(run: &str, pieces: usize) -> bool {
    let core = run.trim_end_matches(['.', ',', ':', ';', '!', '?', ')', '\'']);
    let marked = core.contains(|c: char| c.is_ascii_digit() || "%=&/_~#".contains(c));
    let mixed =
        core.chars().skip(1).any(|c| c.is_ascii_uppercase()) && core.chars().any(|c| c.is_ascii_lowercase());
    (marked || mixed || (pieces > 1 && !reads_as_word(core))) && !CODE.is_match(core)
}

/// A word wrapper breaks at one of [`BREAKS`], and only if the part up to the next one does not fit.
fn wrapper_broke(line: &Line, url: &str, run: &str) -> bool {
    let at_break = url.ends_with(|c| BREAKS.contains(c)) || run.starts_with(|c| BREAKS.contains(c));
    let room = line.edge.saturating_sub(line.end);
    let part =
        run.char_indices().skip(1).find(|(_, c)| BREAKS.contains(*c)).map_or(run.len(), |(at, _)| at + 1);
    at_break && part > room
}

/// Pieces of one length mean a width of the program's own; a single long piece of a query does if its continuation
/// has the marks of one.
fn same_width(cuts: &[Cut], next: &Line, url: &str) -> bool {
    let Some(last) = cuts.last() else { return false };
    if last.end - last.start.min(last.end) < SHORTEST_OWN_WIDTH || next.end > last.end {
        return false;
    }
    match cuts {
        [_] => url.contains('?') && next.text.contains(['=', '&', '%']),
        _ => cuts[1..].iter().all(|cut| cut.end == last.end) && next.indent == last.start,
    }
}
