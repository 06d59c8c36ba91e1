//! Which of a CLI's last lines says why it failed.

use std::sync::LazyLock;

use regex::Regex;

/// Words by which programs tell of failure, whatever they were doing.
static FAILURE: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r"(?i)\b(?:errors?|fail(?:ed|ure)?|denied|refused|rejected|invalid|expired|unauthorized|forbidden|fatal|panicked|abort(?:ed|ing)|cannot|could not|couldn't|unable to|timed out|not found|no such|unreachable)\b|\w(?:Error|Exception)\b",
    )
});

/// The last line of a Python traceback: `requests.exceptions.ConnectionError: …`.
static EXCEPTION: LazyLock<Regex> =
    LazyLock::new(|| fixed(r"^(?:\w+\.)*\w*(?:Error|Exception|Exit|Interrupt|Failure|Timeout)(?::|$)"));

/// Where a message begins that a spinner's line runs into.
static BEGINNING: LazyLock<Regex> = LazyLock::new(|| {
    fixed(r"(?:\b(?i:error|fatal|failed|failure|panic)\b\s*:?|(?:\w+\.)*\w+(?:Error|Exception):|[✗✖✘×❌])")
});

/// Signs that spinners are made of.
const SPINNER: &str = "|/-\\◐◓◑◒◴◷◶◵▖▘▝▗■□▪▫●○◉◌·•∙⣾";

/// Lines that only point elsewhere: they come last and say nothing themselves.
static POINTER: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r#"(?i)^(?:usage:|try ['`\"]|for more (?:info|help|details)|see (?:the |')?(?:log|docs?|https?)|run .{0,60}--(?:help|verbose|debug)|npm (?:err!|error) (?:a complete log|code|errno)|at .+:\d+:\d+\)?$|\s*$)"#,
    )
});

fn fixed(expression: &str) -> Regex {
    Regex::new(expression).expect("invariant: a test compiles the expressions")
}

/// Returns the line that says why, oldest line first: the last that is worded as a failure, else the last one.
pub(super) fn reason(lines: &[String]) -> Option<String> {
    let told = || lines.iter().rev().map(String::as_str).filter(|line| !POINTER.is_match(line));
    let worded = told().find(|line| EXCEPTION.is_match(line) || FAILURE.is_match(line));
    worded.or_else(|| told().next()).or_else(|| lines.last().map(String::as_str)).map(unglued)
}

/// Takes a spinner's line off the front of the message that was printed behind it.
fn unglued(line: &str) -> String {
    let spins = line
        .chars()
        .next()
        .is_some_and(|first| ('\u{2800}'..='\u{28ff}').contains(&first) || SPINNER.contains(first));
    let message = BEGINNING.find(line).filter(|found| spins && found.start() > 0);
    message.map_or(line, |found| &line[found.start()..]).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(lines: &[&str]) -> Option<String> {
        reason(&lines.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn the_line_that_says_why_is_found_among_the_last_ones() {
        for (lines, expected) in [
            (
                &[
                    "Opening browser",
                    "Error: EACCES: permission denied, open '/x'",
                    "    at open (fs.js:1:2)",
                ][..],
                "Error: EACCES: permission denied, open '/x'",
            ),
            (
                &[
                    "Traceback (most recent call last):",
                    "  File \"a.py\", line 3, in login",
                    "requests.exceptions.ConnectionError: proxy refused",
                    "",
                ][..],
                "requests.exceptions.ConnectionError: proxy refused",
            ),
            (
                &["⠙ Waiting for authentication...Error: the device code has run out"][..],
                "Error: the device code has run out",
            ),
            (&["| signing in✖ no seat left in this plan"][..], "✖ no seat left in this plan"),
            (
                &["Contacting the server", "You have no seat in this organisation."][..],
                "You have no seat in this organisation.",
            ),
            (&["fatal: no such remote", "Usage: tool login [OPTIONS]"][..], "fatal: no such remote"),
        ] {
            assert_eq!(of(lines).as_deref(), Some(expected));
        }
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn a_message_that_no_spinner_runs_into_stays_whole() {
        assert_eq!(of(&["Login failed: Error: timeout"]).as_deref(), Some("Login failed: Error: timeout"));
        assert_eq!(of(&["- item Error"]).as_deref(), Some("Error"));
    }
}
