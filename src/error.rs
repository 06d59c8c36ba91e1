//! What ends the program: one error type, one table of exit codes, one printer.
//!
//! ```text
//! Error: what failed
//! Caused by: why
//! Hint: what to do next
//! ```
//!
//! | exit code | kind | meaning |
//! | --- | --- | --- |
//! | 0 | | done |
//! | 1 | [`Kind::Failed`] | it was tried and failed |
//! | 2 | [`Kind::Usage`] | the command line makes no sense, or names something that does not exist |
//! | 3 | [`Kind::Input`] | a file cannot be read or understood |
//! | 4 | [`Kind::Unavailable`] | there is no terminal or no supervisor where one is needed |
//! | 5 | [`Kind::Denied`] | a person refused, or nobody answered in time |
//! | 6 | [`Kind::Unfinished`] | it goes on, and the time to wait for it is over |
//!
//! The codes are never renumbered.

use std::fmt::Write as _;
use std::process::ExitCode;

use crate::core::visible::TerminalText;
use crate::output;

/// The kinds of error, each with its own exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It was tried and failed.
    Failed,
    /// The command line makes no sense, or names something that does not exist.
    Usage,
    /// A file cannot be read or understood.
    Input,
    /// There is no terminal or no supervisor where one is needed.
    Unavailable,
    /// A person refused, or nobody answered in time.
    Denied,
    /// It goes on, and the time to wait for it is over.
    Unfinished,
}

impl Kind {
    /// Returns the process's exit code.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Input => 3,
            Self::Unavailable => 4,
            Self::Denied => 5,
            Self::Unfinished => 6,
        }
    }
}

/// An error that ends the program: what failed, why, and what to do next.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    kind: Kind,
    message: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
    hints: Vec<String>,
}

impl Error {
    /// Makes an error of a sentence about what failed, without a full stop.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None, hints: Vec::new() }
    }

    /// Adds why.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Adds a sentence about what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Returns the kind.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Returns the text that is printed: error, causes, hints. What cannot be seen, which may come from a child or a file
    /// name, is shown as escapes, and further lines of one sentence are indented: no file name makes up a hint.
    pub fn report(&self) -> TerminalText {
        let indented = |text: &str| text.trim_end().replace('\n', "\n  ");
        let mut report = format!("Error: {}\n", indented(&self.message));
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            // Writing to a text cannot fail.
            let _ = writeln!(report, "Caused by: {}", indented(&error.to_string()));
            cause = error.source();
        }
        for hint in &self.hints {
            let _ = writeln!(report, "Hint: {}", indented(hint));
        }
        TerminalText::lines(report.trim_end()).ended()
    }

    /// Prints the error to standard error and returns the exit code that belongs to it.
    pub fn print(&self) -> ExitCode {
        output::complain(&self.report());
        ExitCode::from(self.kind.exit_code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_says_what_why_and_what_next() {
        let error = Error::new(Kind::Usage, "there is no provider `clod`")
            .because(std::io::Error::other("the catalogue does not name it"))
            .hint("did you mean `claude`?");
        assert_eq!(
            error.report(),
            "Error: there is no provider `clod`\nCaused by: the catalogue does not name it\nHint: did you mean \
             `claude`?\n"
        );
    }

    #[test]
    fn nothing_foreign_reaches_the_terminal() {
        let report = Error::new(Kind::Failed, "bad \x1b]52;c;x\x07 \u{202e}txt \u{9b}1m").report();
        assert!(!report.chars().any(|character| character.is_control() && character != '\n'), "{report:?}");
        assert!(report.contains("<U+202E>txt"), "{report:?}");
    }

    #[test]
    fn exit_codes_are_distinct_and_never_zero() {
        let codes: Vec<u8> =
            [Kind::Failed, Kind::Usage, Kind::Input, Kind::Unavailable, Kind::Denied, Kind::Unfinished]
                .into_iter()
                .map(Kind::exit_code)
                .collect();
        assert_eq!(codes, [1, 2, 3, 4, 5, 6]);
    }
}
