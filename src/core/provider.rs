//! An entry of the provider catalogue, resolved: what authdeck knows about one login CLI.
//!
//! How a file becomes an entry is the configuration's business (`config::catalogue`); this is what the rest of the
//! program reads. Only what is special about a CLI stands in its entry: the generic rules of [`super::detect`] find
//! the URL and the code of a CLI that nobody described.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use regex::Regex;
use serde::{Deserialize, Serialize};

use super::finding::Expects;
use super::ids::ProviderId;

/// What authdeck knows about one login CLI.
#[derive(Clone, Debug)]
pub struct Provider {
    /// Its name in the catalogue and in `authdeck login NAME`.
    pub id: ProviderId,
    /// Its name for people.
    pub title: String,
    /// The program and its arguments; the program is looked up on `PATH`.
    pub command: Vec<String>,
    /// The ways in which it takes what the browser ended on; the one to prefer first.
    pub answers: Vec<Answer>,
    /// The hosts of its login pages. A host matches if it is one of them or a subdomain of one.
    pub expected_hosts: Vec<String>,
    /// Where its device code is typed in, for CLIs that show a code and no URL (behaviour S5).
    pub verification_url: Option<String>,
    /// The command that proves who is logged in (behaviour S6); none means that the exit status alone decides.
    pub auth_check: Option<AuthCheck>,
    /// The environment variable that names its configuration folder, so that a bundle can have one of its own.
    pub configuration_folder: Option<String>,
    /// How to install it, in one line for a person.
    pub install_hint: String,
    /// Variables that are set for the child, such as one that stops it from opening a browser by itself.
    pub environment: BTreeMap<String, String>,
    /// Whether what it opens in a browser is reported to its session instead.
    pub browser_shim: bool,
    /// Whether exit status 0 is believed where there is no auth check. By default only if no success line is known:
    /// some CLIs end a denied login with 0 (opencode 1.18).
    pub exit_decides: bool,
    /// Whether it goes on running after a login that succeeded, as programs do that log in on the way to work.
    pub stays_open: bool,
    /// What a person types into it, or does, to begin again after a failure.
    pub retry_hint: Option<String>,
    /// Whether it waits for the Enter key before it shows or opens anything.
    pub enter_to_continue: bool,
    /// Beginnings of command lines that mean this provider, for recordings that carry their command.
    pub recognised_by: Vec<String>,
    /// What is special about its output.
    pub patterns: Vec<Pattern>,
}

/// How a CLI takes what the browser ended on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// It reads the code (or `code#state`) from its terminal.
    StdinCode,
    /// It reads the whole URL that the browser ended on from its terminal.
    StdinCallbackUrl,
    /// It reads a token or an API key from its terminal.
    StdinSecret,
    /// It listens on a loopback port for the browser's redirect.
    Loopback,
    /// It asks the vendor by itself until the person is done.
    Polls,
    /// It waits for Enter, then asks the vendor by itself.
    EnterThenPolls,
}

/// A command that proves who is logged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthCheck {
    /// The program and its arguments; exit status 0 means logged in.
    pub command: Vec<String>,
    /// A regular expression whose first group is the identity in the command's output.
    pub identity: Option<String>,
    /// Exit status 0 is not enough: the identity must be there too. For commands that end with 0 either way.
    pub requires_identity: bool,
}

/// What a catalogue pattern says about the line that it matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PatternKind {
    /// The URL on (or after) the matching line is the login URL.
    AuthorizeUrl,
    /// The URL on (or after) the matching line is where the device code goes.
    VerificationUrl,
    /// The first group is the device code.
    DeviceCode,
    /// The child waits for a person; `expects` says for what.
    Prompt,
    /// The login succeeded; the group `identity`, if there is one, says who.
    Success,
    /// The login failed.
    Failure,
    /// The line looks like a finding of the generic rules and is none.
    Ignore,
}

/// One rule about a CLI's output. It is matched on logical lines, never on raw bytes.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// What a match means.
    pub kind: PatternKind,
    /// The regular expression, as in the file.
    pub regex: String,
    /// What a prompt takes; meaningful for [`PatternKind::Prompt`] only.
    pub expects: Option<Expects>,
    /// A line that matches.
    pub example: String,
    /// A line that looks alike and must not match.
    pub counter_example: String,
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    /// Makes a rule. The expression is compiled when it is first used, because start-up must not pay for 80 CLIs.
    pub fn new(
        kind: PatternKind,
        regex: impl Into<String>,
        expects: Option<Expects>,
        example: impl Into<String>,
        counter_example: impl Into<String>,
    ) -> Self {
        Self {
            kind,
            regex: regex.into(),
            expects,
            example: example.into(),
            counter_example: counter_example.into(),
            compiled: OnceLock::new(),
        }
    }

    /// Returns the compiled expression; none if it does not compile, which the loader reports.
    pub fn compiled(&self) -> Option<&Regex> {
        self.compiled.get_or_init(|| Regex::new(&self.regex).ok()).as_ref()
    }
}

impl Provider {
    /// Tells whether a host (ASCII form, lower case) is one of this provider's login hosts or a subdomain of one.
    pub fn expects_host(&self, host: &str) -> bool {
        self.expected_hosts.iter().any(|expected| {
            host == expected
                || host.strip_suffix(expected.as_str()).is_some_and(|subdomain| subdomain.ends_with('.'))
        })
    }

    /// Tells how many words of a command line, as a recording carries it, name this provider's login; none if it
    /// does not start it.
    pub fn recognised_length(&self, command_line: &str) -> Option<usize> {
        let words: Vec<&str> = command_line.split_whitespace().collect();
        let first = words.first()?;
        let program = first.rsplit('/').next().unwrap_or(first);
        self.recognised_by
            .iter()
            .filter_map(|beginning| {
                let wanted: Vec<&str> = beginning.split_whitespace().collect();
                let fits = wanted.first() == Some(&program)
                    && words.len() >= wanted.len()
                    && wanted.iter().zip(&words).skip(1).all(|(want, word)| want == word);
                fits.then_some(wanted.len())
            })
            .max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provider(hosts: &[&str], recognised_by: &[&str]) -> Provider {
        Provider {
            id: ProviderId::new("sample"),
            title: "Sample".into(),
            command: vec!["sample".into()],
            answers: vec![Answer::Polls],
            expected_hosts: hosts.iter().map(ToString::to_string).collect(),
            verification_url: None,
            auth_check: None,
            configuration_folder: None,
            install_hint: String::new(),
            environment: BTreeMap::new(),
            browser_shim: true,
            exit_decides: true,
            stays_open: false,
            retry_hint: None,
            enter_to_continue: false,
            recognised_by: recognised_by.iter().map(ToString::to_string).collect(),
            patterns: Vec::new(),
        }
    }

    #[test]
    fn a_subdomain_is_expected_and_a_look_alike_is_not() {
        let provider = provider(&["example.com"], &[]);
        assert!(provider.expects_host("example.com"));
        assert!(provider.expects_host("login.example.com"));
        assert!(!provider.expects_host("badexample.com"));
        assert!(!provider.expects_host("example.com.evil.test"));
    }

    #[test]
    fn a_command_line_is_recognised_by_its_beginning() {
        let provider = provider(&[], &["gh auth login"]);
        assert_eq!(provider.recognised_length("gh auth login --web"), Some(3));
        assert_eq!(provider.recognised_length("/usr/bin/gh auth login"), Some(3));
        assert_eq!(provider.recognised_length("gh auth status"), None);
        assert_eq!(provider.recognised_length(""), None);
    }

    #[test]
    fn an_expression_that_does_not_compile_is_none() {
        assert!(Pattern::new(PatternKind::Success, "(", None, "", "").compiled().is_none());
    }
}
