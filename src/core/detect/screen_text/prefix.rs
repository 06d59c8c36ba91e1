//! What loggers and containers put before every line: names, times, levels, files. It is taken off where it recurs.
//!
//! A service that is asked to log in prints its URL and code through its logger, and a container tool puts a name before
//! that. A code then no longer stands alone on its line, and a URL no longer begins one. A prefix is a row of *marks*
//! (a time, a level, a name …), and it counts only if another line nearby has the same row of marks, whatever they say:
//! one line that begins with a time is a text like any other.

use std::sync::LazyLock;

use regex::Regex;

use super::Line;
use crate::core::detect::expression::fixed;

/// Lines on either side among which the same marks have to recur.
const NEARBY: usize = 8;

/// Marks that one prefix has at most.
const MOST_MARKS: usize = 10;

/// The kinds of mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    /// `sync-1  | `
    Container,
    /// A date, a time, or both.
    Time,
    /// `INFO`, `[warn]`, `INFO[0012]`
    Level,
    /// `[pod/x/y]`, `(main)`
    Bracket,
    /// `auth.py:88`, `auth::login`, `c.e.LoginService`
    Place,
    /// `root`, `authd[1234]:`, in a row of other marks
    Name,
    /// `level=info`
    Field,
    /// `msg="`
    Message,
    /// `remote: `
    Tag,
}

/// One kind of mark and how it is written, with the blanks and signs that separate it from what follows.
struct Form {
    mark: Mark,
    /// It is looked for only behind one of another kind.
    inner: bool,
    regex: Regex,
}

static FORMS: LazyLock<Vec<Form>> = LazyLock::new(|| {
    let form = |mark, inner, pattern: &str| Form { mark, inner, regex: fixed(&format!("^(?:{pattern})")) };
    vec![
        form(Mark::Container, false, r"[\w.@/-]{1,64} *\|(?: |$)"),
        form(Mark::Time, false, &format!(r"\[\d\d:\d\d:\d\d(?:[.,]\d+)? {LEVEL}\]:?(?: |$)")),
        form(
            Mark::Time,
            false,
            &format!(
                r"[\[(]?(?:\d{{4}}[-/.]\d\d[-/.]\d\d[T ] ?)?\d\d:\d\d:\d\d(?:[.,]\d{{1,9}})?(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?[\])]?:?{END}"
            ),
        ),
        form(Mark::Time, false, r"(?:[A-Z][a-z]{2} )?[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d+)?(?: |$)"),
        form(Mark::Time, false, r"[IWEF]\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ [\w./-]+:\d+\](?: |$)"),
        form(Mark::Level, false, &format!(r"{LEVEL}\[\d{{4,}}\](?: +|$)")),
        form(
            Mark::Level,
            false,
            &format!(r"(?:[\[(<] ?{LEVEL} ?[\])>]:?|{LEVEL}:){END}|{LEVEL}:|{LEVEL}{END}"),
        ),
        form(Mark::Message, false, r#"(?:msg|message)=""#),
        form(
            Mark::Field,
            false,
            r#"(?:t|ts|time|timestamp|level|lvl|logger|caller|source|component|module|pid|app|svc|service)=(?:"[^"]*"|[^ "]+)(?: +|$)"#,
        ),
        form(Mark::Bracket, false, r"\[[\w./:@#+ -]{1,64}\]:?(?: +|$)"),
        form(Mark::Name, true, r"[\w.-]{1,40} [\w./@-]{1,40}\[\d+\]:(?: |$)"),
        form(Mark::Name, true, r"[\w./@-]{1,40}\[[\w.]+\]:(?: |$)"),
        form(Mark::Name, true, r"\d{1,7} +--- |-{1,3} "),
        form(Mark::Place, true, &format!(r"\[?[\w./<>-]*\w\.[a-z]{{1,4}}:\d+(?::\w+)?[\])]?:?{END}")),
        form(
            Mark::Place,
            true,
            &format!(r"(?:[\w$-]+(?:(?:\.|::)[\w$-]+)+|[\w.]+:[\w<>]+:\d+)(?: *:{END}|{END})"),
        ),
        form(Mark::Name, true, r"[a-z][\w.-]{0,40}(?: - |: ?)"),
        form(Mark::Tag, false, r"[a-z][a-z0-9_.-]{1,24}:(?: |$)"),
    ]
});

const LEVEL: &str = "(?:TRACE|DEBUG|DBG|INFO|INF|NOTICE|WARNING|WARN|WRN|ERROR|ERR|CRITICAL|FATAL|trace|debug|info|notice|warning|warn|error|fatal)";

/// What separates a mark from what follows.
const END: &str = r"(?: *(?:\||-{1,3}|:) | +|$)";

/// The beginning of a line that says something, in the form of a mark.
static SAYS_SOMETHING: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r"(?i)^[\[(]?[\w.-]*(?:code|url|uri|link|token|key|pin|passw|passphrase|user|error|fail|login|sign-?in|auth$|visit|open|step|note|email|https?|scheme|status|account|expires)[\w.-]*\]? *[:|]",
    )
});

/// A prefix: its marks, and how many bytes of the line it has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Prefix {
    marks: Vec<Mark>,
    length: usize,
}

impl Prefix {
    /// Reads the marks at the beginning of a line.
    fn of(text: &str) -> Self {
        let mut prefix = Self::default();
        while prefix.marks.len() < MOST_MARKS && prefix.length < text.len() {
            let rest = &text[prefix.length..];
            let Some((mark, length)) = mark_at(rest, &prefix.marks) else { break };
            prefix.length += length;
            prefix.marks.push(mark);
            if matches!(mark, Mark::Message | Mark::Tag) {
                break;
            }
        }
        prefix
    }

    /// How often it has to recur: the less its marks say, the more often.
    fn recurrences(&self) -> usize {
        match self.marks.as_slice() {
            [] => usize::MAX,
            [Mark::Tag | Mark::Bracket] => 2,
            _ => 1,
        }
    }

    /// Whether two lines may have theirs from the same writer. Places and names come and go.
    fn is_like(&self, other: &Self) -> bool {
        let firm = |mark: &&Mark| !matches!(mark, Mark::Place | Mark::Name);
        self.marks.iter().filter(firm).eq(other.marks.iter().filter(firm))
    }
}

fn mark_at(text: &str, before: &[Mark]) -> Option<(Mark, usize)> {
    let inner = !before.is_empty();
    let (mark, length) = FORMS
        .iter()
        .filter(|form| if inner { form.mark != Mark::Tag } else { !form.inner })
        .find_map(|form| form.regex.find(text).map(|found| (form.mark, found.end())))
        .filter(|(_, length)| *length > 0)?;
    let speaks = matches!(mark, Mark::Container | Mark::Bracket | Mark::Name | Mark::Tag)
        && SAYS_SOMETHING.is_match(text);
    // The level of an error is a part of what it says.
    let is_error = mark == Mark::Level && !inner && text.to_ascii_lowercase().starts_with(['e', 'c', 'f']);
    (!speaks && !is_error).then_some((mark, length))
}

/// Whether a line may begin with a mark at all: a quick look at most lines.
fn may_begin(text: &str) -> bool {
    static ANY: LazyLock<Regex> = LazyLock::new(|| {
        let forms: Vec<&str> =
            FORMS.iter().filter(|form| !form.inner).map(|form| form.regex.as_str()).collect();
        Regex::new(&forms.join("|")).expect("invariant: each of them was compiled")
    });
    ANY.is_match(text)
}

/// Takes the prefixes off that recur among the lines.
pub(super) fn take_off(lines: &mut [Line]) {
    let prefixes: Vec<Prefix> = lines
        .iter()
        .map(|line| if may_begin(&line.text) { Prefix::of(&line.text) } else { Prefix::default() })
        .collect();
    for index in 0..lines.len() {
        let prefix = &prefixes[index];
        let needed = prefix.recurrences();
        let nearby = index.saturating_sub(NEARBY)..(index + NEARBY + 1).min(lines.len());
        let like = nearby.filter(|other| *other != index && prefixes[*other].is_like(prefix)).take(needed);
        if needed != usize::MAX && like.count() == needed {
            lines[index].take_prefix(prefix.length, prefix.marks.contains(&Mark::Message));
        }
    }
}

impl Line {
    /// Takes the first bytes off as a prefix, and what closes a quoted message behind it.
    fn take_prefix(&mut self, length: usize, is_quoted: bool) {
        let blanks = self.text[length..].len() - self.text[length..].trim_start().len();
        let from = length + blanks;
        let rest = self.text.split_off(from);
        self.indent += self.text.chars().count();
        self.prefix = std::mem::replace(&mut self.text, rest);
        self.links.retain(|link| link.range.start >= from);
        for link in &mut self.links {
            link.range = link.range.start - from..link.range.end - from;
        }
        if is_quoted && let Some(end) = closing_quote(&self.text) {
            self.suffix = self.text.split_off(end);
            self.links.retain(|link| link.range.end <= end);
        }
    }
}

/// The quote that closes a message; one that belongs to it has a backslash before it.
fn closing_quote(text: &str) -> Option<usize> {
    text.match_indices('"').map(|(at, _)| at).find(|at| !text[..*at].ends_with('\\'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bare(lines: &[&str]) -> Vec<String> {
        let line = |text: &&str| Line { text: (*text).to_owned(), rows: 1, ..Line::default() };
        let mut lines: Vec<Line> = lines.iter().map(line).collect();
        take_off(&mut lines);
        lines.into_iter().map(|line| line.text).collect()
    }

    #[test]
    fn what_recurs_is_taken_off() {
        for lines in [
            ["sync-1  | one", "sync-1  | two", "db-1  | three"],
            ["INFO[0001] one", "INFO[0002] two", "WARN[0011] three"],
            [
                "time=\"2026-08-14T09:12:44Z\" level=info msg=\"one\"",
                "time=\"2026-08-14T09:12:45Z\" level=info msg=\"two\"",
                "time=\"x\" level=warn msg=\"three\" user=dev",
            ],
            [
                "2026-08-14 09:12:44,101 - root - INFO - one",
                "2026-08-14 09:12:44,102 - root - INFO - two",
                "2026-08-14 09:12:44,103 - a.b - WARNING - three",
            ],
            ["INFO:root:one", "INFO:root:two", "INFO:kit.auth:three"],
            [
                "x-1 | 2026-08-14 09:12:44,101 INFO auth.py:88 one",
                "x-1 | 2026-08-14 09:12:44,101 INFO auth.py:9 two",
                "x-1 | 2026-08-14 09:12:44,101 INFO auth.py:188 three",
            ],
            [
                "[09:12:44] [Server thread/INFO]: one",
                "[09:12:45] [Server thread/INFO]: two",
                "[09:12:46] [main/WARN]: three",
            ],
            ["remote: one", "remote: two", "remote: three"],
        ] {
            assert_eq!(bare(&lines), ["one", "two", "three"], "{lines:?}");
        }
    }

    #[test]
    fn what_says_something_stays() {
        for lines in [
            &["2026-08-14 09:12:44 one line alone", "another"][..],
            &["URL: https://a.example", "Code: ABCD-EFGH", "Token: x"],
            &["url | https://a.example", "code | ABCD-EFGH"],
            &["[INFO] code: ABCD-EFGH", "no prefix"],
            &["ERROR: one", "ERROR: two"],
            &["1. one", "2. two"],
            &["- one", "- two"],
        ] {
            assert_eq!(bare(lines), lines);
        }
        assert_eq!(bare(&["[INFO] code: A", "[INFO] url: B"]), ["code: A", "url: B"]);
    }
}
