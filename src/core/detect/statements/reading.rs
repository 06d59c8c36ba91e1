//! What a line of text says by itself, remembered from one look at the screen to the next.
//!
//! Most lines of a screen are the same at the next look, and reading one with all expressions costs more than all else.
//! Nothing here depends on anything but the text.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, LazyLock, OnceLock};

use regex::Regex;

use super::Reading;
use super::keywords::{Keywords, keywords};
use super::outcomes::{self, failure, success, success_after_login};
use super::prompts::{self, prompt};
use crate::core::detect::expression::fixed;
use crate::core::detect::secrets;

/// Takes the marks off the beginning of a line that say nothing: bars, bullets, spinners.
pub(in crate::core::detect) fn undecorated(text: &str) -> &str {
    text.trim_start_matches(|c: char| {
        matches!(
            c,
            ' ' | '│'
                | '┃'
                | '║'
                | '└'
                | '├'
                | '┌'
                | '╭'
                | '╰'
                | '◇'
                | '◆'
                | '◈'
                | '●'
                | '○'
                | '◉'
                | '■'
                | '□'
                | '▪'
                | '▫'
                | '▲'
                | '△'
                | '▸'
                | '▹'
                | '►'
                | '▶'
                | '›'
                | '»'
                | '•'
                | '·'
                | '◒'
                | '◐'
                | '◓'
                | '◑'
                | '\u{2800}'..='\u{28ff}'
        )
    })
}

/// Replaces URLs by signs of the same length, so that words inside of them say nothing.
pub(in crate::core::detect) fn without_urls(text: &str) -> String {
    static URL: LazyLock<Regex> = LazyLock::new(|| fixed(r"https?://\S+"));
    if memchr::memmem::find(text.as_bytes(), b"://").is_none() {
        return text.to_owned();
    }
    URL.replace_all(text, |run: &regex::Captures<'_>| "#".repeat(run[0].len())).into_owned()
}

/// What a service of the machine told the journal is about somebody else's login (RFC 3164 section 4.1, RFC 5424).
pub(in crate::core::detect) fn is_journal(text: &str) -> bool {
    static JOURNAL: LazyLock<Regex> = LazyLock::new(|| {
        fixed(
            r"^(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:?\d\d)) \S+ [\w./@-]+(?:\(\w+\))?(?:\[\d+\])?: ",
        )
    });
    text.as_bytes().get(3).is_some_and(|byte| matches!(byte, b' ' | b'0'..=b'9')) && JOURNAL.is_match(text)
}

/// Reads one line by the generic rules. `text` is undecorated, `masked` is it without URLs.
fn read(text: &str, masked: &str, keywords: Keywords) -> Vec<Reading> {
    let mut readings = Vec::new();
    if is_journal(text) {
        return readings;
    }
    let succeeded = if keywords.success() {
        success(masked, text).or_else(|| success_after_login(masked, text))
    } else {
        None
    };
    let outcome = succeeded.or_else(|| if keywords.failure() { failure(masked) } else { None });
    let asked = if keywords.prompt() { prompt(masked) } else { None }.filter(|asked| match &outcome {
        // A prompt that was answered: the outcome stands on its row.
        Some(outcome) => outcome.start >= asked.end,
        None => true,
    });
    readings.extend(asked);
    readings.extend(outcome);
    readings
}

/// What one text says. Each part is read when it is asked for, because that may compile expressions.
pub(in crate::core::detect) struct LineReading {
    /// The groups of words on it.
    pub keywords: Keywords,
    /// The text without URLs.
    pub masked: String,
    about_login: OnceLock<bool>,
    identity: OnceLock<Option<String>>,
    readings: OnceLock<Vec<Reading>>,
    secrets: OnceLock<Vec<Range<usize>>>,
}

impl LineReading {
    fn of(text: &str) -> Self {
        Self {
            keywords: keywords(text),
            masked: without_urls(text),
            about_login: OnceLock::new(),
            identity: OnceLock::new(),
            readings: OnceLock::new(),
            secrets: OnceLock::new(),
        }
    }

    /// Whether it is about a login at all; `text` is the same as ever, as in all that follow.
    pub fn is_about_login(&self, text: &str) -> bool {
        self.keywords.login() && *self.about_login.get_or_init(|| prompts::is_about_login(text))
    }

    /// Who it names in passing.
    pub fn identity(&self, text: &str) -> Option<&String> {
        self.identity.get_or_init(|| outcomes::identity_in_passing(text)).as_ref()
    }

    /// What the generic rules read on it.
    pub fn readings(&self, text: &str) -> &[Reading] {
        self.readings.get_or_init(|| read(text, &self.masked, self.keywords))
    }

    /// The bytes of it that are secret.
    pub fn secrets(&self, text: &str) -> &[Range<usize>] {
        self.secrets.get_or_init(|| secrets::secret_spans(text))
    }
}

/// What the texts of the last look said, and those of the one that is going on.
#[derive(Default)]
pub(in crate::core::detect) struct Readings {
    /// With the number of the look that last asked.
    texts: HashMap<String, (u64, Arc<LineReading>)>,
    looks: u64,
}

impl fmt::Debug for Readings {
    /// Shows no content: it may hold secrets.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Readings").field("texts", &self.texts.len()).finish_non_exhaustive()
    }
}

impl Readings {
    /// Returns what a text says.
    pub fn of(&mut self, text: &str) -> Arc<LineReading> {
        if let Some((look, said)) = self.texts.get_mut(text) {
            *look = self.looks;
            return Arc::clone(said);
        }
        let said = Arc::new(LineReading::of(text));
        self.texts.insert(text.to_owned(), (self.looks, Arc::clone(&said)));
        said
    }

    /// Forgets, at the end of a look, what was not on the page.
    pub fn forget_others(&mut self) {
        self.texts.retain(|_, (look, _)| *look == self.looks);
        self.looks += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::detect::statements::Says;
    use crate::core::finding::Expects;

    fn says(text: &str) -> Vec<Says> {
        let text = undecorated(text);
        read(text, &without_urls(text), keywords(text)).into_iter().map(|reading| reading.says).collect()
    }

    fn success(identity: Option<&str>) -> Says {
        Says::Success { identity: identity.map(str::to_owned) }
    }

    #[test]
    fn success_lines_and_who_they_name() {
        for (line, identity) in [
            ("✓ Logged in as octocat", Some("octocat")),
            ("You are now logged in as [dev@example.com].", Some("dev@example.com")),
            (
                "Successfully logged into Start URL: https://example.awsapps.com/start",
                Some("https://example.awsapps.com/start"),
            ),
            ("Logged in on https://npm.example.com/.", None),
            ("Login successful.", None),
            ("◇  Login successful", None),
            ("Paste code here if prompted > Login successful.", None),
            ("Successfully logged in", None),
            (">>> Success! Turborepo CLI authorized for dev@example.com", Some("dev@example.com")),
            ("Congratulations! You are now signed in.", None),
            ("Success! Terraform has obtained and saved an API token.", None),
            ("Success! Logged in to HCP Terraform", None),
            ("You are now logged into your Netlify account!", None),
            ("✓ Long-lived authentication token created successfully!", None),
            ("2026/11/22 05:44:07 NOTICE: Got code", None),
            ("'dev@example.com' logged in successfully", Some("dev@example.com")),
            ("  ✓ Signed in as Dev Example (dev@example.com)", Some("dev@example.com")),
            ("Login Succeeded", None),
            ("✓ Authentication complete.", None),
            ("Welcome to Coder, dev! You're authenticated.", Some("dev")),
            ("Logged in as dev. Credentials saved to /home/dev/.netrc.", Some("dev")),
            ("Success! You are now authenticated. The token information displayed below", None),
            ("successfully logged in as dev@example.com", Some("dev@example.com")),
        ] {
            assert_eq!(says(line), [success(identity)], "{line}");
        }
    }

    #[test]
    fn lines_that_only_talk_about_a_success() {
        for line in [
            "You are not logged into any GitHub hosts. Run gh auth login to authenticate.",
            "Not logged in",
            "Once you've logged in, return here and you'll be ready to start using new Semgrep rules.",
            "If login is successful, Terraform will store the token in plain text in",
            "Successfully installed blinker-1.9.0 requests-2.34.2",
            "Terraform will now wait for the host to signal that login was successful.",
            "Please make sure you are logged in",
            "2026-01-15T00:00:01Z WARN auth::completed: success pending client login provider",
            "TRACE auth::session: login completed retry authorize pending account worker",
        ] {
            assert!(!says(line).iter().any(|says| matches!(says, Says::Success { .. })), "{line}");
        }
    }

    #[test]
    fn failure_lines() {
        for line in [
            "DeviceFlowDenied: User denied authorization",
            "The pending authorization to retrieve an SSO token has expired. The device authorization flow to retrieve an SSO token must be restarted.",
            "Login failed: Request failed with status code 400",
            "OAuth error: Request failed with status code 400",
            "Error logging in: device code request failed with status 503 Service Unavailable",
            "Login failed: Error: access_denied",
            "failed waiting for authentication: The user denied the request",
            "ERROR: (gcloud.auth.login) (invalid_grant) Malformed auth code.",
            "failed to authenticate via web browser: The user denied the request (access_denied)",
            "{ error: 'The login was denied' }",
            "Error: Login failed: Authorization was denied. Please try again.",
            "■  Failed to authorize",
            "Error: Token is invalid: unauthorized",
            "× authorization denied by user",
            "Error: access_denied: The user denied the request",
            "✘ [ERROR] Error: Consent denied. You must grant consent to Wrangler in order to login.",
            "login timed out after 5 minutes",
            "Login expired, please try again",
            "failed to log in, please try again",
            "Authentication timed out. No code received from OpenRouter.",
        ] {
            assert_eq!(says(line), [Says::Failure], "{line}");
        }
    }

    #[test]
    fn lines_with_the_words_of_a_failure_that_are_none() {
        for line in [
            "Error: Dist tag \"latest\" not found",
            "! Failed opening a web browser at https://github.com/login/device",
            "If the browser failed to open, please visit the URL above directly in your browser.",
            "Failed to authenticate with user code. Retrying...",
            "Error status 404: {\"error\": \"not_found\", \"message\": \"Not Found\"}",
            "test auth::tests::expired_token_is_an_error ... FAILED",
            "FAILED test_ids.py::test_login_url_is_built - AssertionError: https://login.exam",
            "Your code will expire after 10 minutes.",
            "⚠  Unable to fetch the CLI MOTD and remote config. This is not a fatal error",
            "Error: Download failed! Server Response: 404 Not Found",
            "npm error This is an error with npm itself. Please report this error at:",
        ] {
            assert!(!says(line).contains(&Says::Failure), "{line}");
        }
    }

    #[test]
    fn prompts_and_what_they_take() {
        for (line, expects) in [
            ("Paste code here if prompted >", Expects::Code),
            ("? Access code from browser:", Expects::Code),
            ("Once finished, enter the verification code provided in your browser:", Expects::Code),
            ("Enter the authorization code:", Expects::Code),
            ("◆  Enter your verification code:", Expects::Code),
            ("? Enter authorization code:", Expects::Code),
            ("One-time code >", Expects::Code),
            ("Authorization code:", Expects::Code),
            ("? After authorizing, copy the URL from your browser and paste it here:", Expects::CallbackUrl),
            ("Enter the response uri from your browser:", Expects::CallbackUrl),
            ("Press Enter to open github.com in your browser...", Expects::Enter),
            ("Press ENTER to open in the browser...", Expects::Enter),
            ("heroku: Press any key to open up the browser to login or q to exit", Expects::Enter),
            ("Press Enter to retry.", Expects::Enter),
            ("wandb: Paste your API key and hit enter:", Expects::Secret),
            ("> Paste your token here:", Expects::Secret),
            ("? Token for app.terraform.io 🔑", Expects::Secret),
            ("Token for app.terraform.io:", Expects::Secret),
            ("Password:", Expects::Secret),
            ("System keychain unavailable. Store token in plaintext config file? (y/N)", Expects::Choice),
            ("? How would you like to log in? [Use arrows, Enter to confirm]", Expects::Choice),
        ] {
            assert_eq!(says(line), [Says::Prompt(expects)], "{line}");
        }
    }

    #[test]
    fn a_line_that_asks_for_nothing() {
        for line in ["press h + enter to show help", "Store this token securely.", "  Then enter it"] {
            assert!(says(line).is_empty(), "{line}");
        }
    }

    #[test]
    fn a_text_is_read_once_while_it_stays_on_the_page() {
        let mut readings = Readings::default();
        let text = "Logged in as octocat";
        let first = readings.of(text);
        assert_eq!(first.readings(text).len(), 1);
        assert!(Arc::ptr_eq(&first, &readings.of(text)));
        readings.forget_others();
        assert!(Arc::ptr_eq(&first, &readings.of(text)));
        readings.forget_others();
        readings.forget_others();
        assert!(!Arc::ptr_eq(&first, &readings.of(text)));
    }
}
