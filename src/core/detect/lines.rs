//! What a line says about the login: it waits for a person, it worked, it failed.
//!
//! The generic rules ask for more than a word. "error", "failed" and "denied" stand on the screens of dozens of
//! logins that go well, and "logged in" in every "You are not logged in".

use std::sync::LazyLock;

use regex::Regex;

use super::expression::fixed;
use super::hints::Hints;
use crate::core::finding::Expects;

/// What a line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Says {
    /// The child waits for this.
    Prompt(Expects),
    /// The login worked.
    Success {
        /// Who is logged in, if the line tells.
        identity: Option<String>,
    },
    /// The login failed.
    Failure,
}

/// What was read on a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reading {
    /// What it says.
    pub says: Says,
    /// Byte at which the statement begins.
    pub start: usize,
    /// Byte behind it.
    pub end: usize,
}

/// Takes the marks off the beginning of a line that say nothing: bars, bullets, spinners.
pub(super) fn undecorated(text: &str) -> &str {
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
pub(super) fn without_urls(text: &str) -> String {
    static URL: LazyLock<Regex> = LazyLock::new(|| fixed(r"https?://\S+"));
    if memchr::memmem::find(text.as_bytes(), b"://").is_none() {
        return text.to_owned();
    }
    URL.replace_all(text, |run: &regex::Captures<'_>| "#".repeat(run[0].len())).into_owned()
}

// ---- Success ----

static SUCCESS: LazyLock<[Regex; 4]> = LazyLock::new(|| {
    let begin = r"(?i)(?:^|[:>] )(?P<line>(?:[>✓✔√☑✅🎉*!▸ -]|\[?success\]?[!:.,]* |congratulations[!,.]* |done[!.] )*";
    [
        // "Logged in as x", "You are now signed in.", "Successfully logged into Start URL: …"
        fixed(&format!(
            r"{begin}(?:you(?:.re| are)(?: now)? )?(?:successfully )?(?:logged|signed) in(?:to)?\b(?:[ .!,:]|$))"
        )),
        fixed(&format!(
            r"{begin}(?:welcome\b.{{0,60}} )?you(?:.re| are)(?: now| successfully)* (?:authenticated|authori[sz]ed|logged in|signed in)\b)"
        )),
        // "Login successful", "Authentication complete.", "✓ Logged in"
        fixed(&format!(
            r"{begin}(?:browser |web |device )?(?:log-?in|sign-?in|authentication|authori[sz]ation)(?: was| has been| is)? (?:successful(?:ly)?|succeeded|completed?)(?:[^\w ]|$| (?:for|as|in|on|at|to|with|by|and|you)\b))"
        )),
        // "Successfully authenticated", "Success! … saved an API token", "… token created successfully"
        fixed(&format!(
            r"{begin}(?:success(?:fully\b|[!:.,]| [-–—]).{{0,60}}\b(?:log(?:ged)? ?in(?:to)?|sign(?:ed)? in|authenticated|authori[sz]ed|obtained .{{0,40}}\b(?:token|key)|saved .{{0,20}}\b(?:token|key)|credentials)\b|.{{0,60}}\b(?:token|credentials?|api key)\b.{{0,20}} (?:created|saved|stored|obtained) successfully|got code$|.{{1,60}} logged in successfully))"
        )),
    ]
});

/// Sentences about a success that did not happen (yet).
static NOT_YET: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r"(?i)\b(?:not|never|once|when|until|unless|if|after|before|ensure|sure|whether|please|should|must)\b.{0,40}\b(?:logged|signed|authenticated|authori[sz]ed|successful|log ?in)\b|\b(?:to|will|be) (?:be )?(?:logged|signed|authenticated|authori[sz]ed|log ?in)\b|\balready logged in, please\b|n.t\b.{0,20}\b(?:logged|signed)\b|\?$",
    )
});

static IDENTITY: LazyLock<[Regex; 4]> = LazyLock::new(|| {
    let name = r#"['"\[(<`]?(?P<identity>[^\s'"\])>`,]+)"#;
    [
        fixed(&format!(r"(?i)\b(?:as|for)(?: the)?(?: user| account)?:? {name}")),
        fixed(r"(?i)\bstart url: (?P<identity>\S+)"),
        fixed(r#"(?P<identity>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)"#),
        fixed(r"(?i)\bwelcome (?:back,? |to [\w ]+, )(?P<identity>[\w.@+-]+)"),
    ]
});

/// Who a success line names.
pub(super) fn identity(text: &str) -> Option<String> {
    static PERSON: LazyLock<Regex> =
        LazyLock::new(|| fixed(r"(?i)\b(?:as|for) [^()]+ [(<](?P<identity>[\w.+-]+@[\w.-]+)[)>]"));
    let found = PERSON.captures(text).or_else(|| IDENTITY.iter().find_map(|regex| regex.captures(text)))?;
    let identity = found.name("identity")?.as_str().trim_end_matches(['.', '!', ',', ';', ':']);
    let plain = identity.len() >= 2
        && !matches!(identity, "the" | "a" | "an" | "your" | "this" | "future" | "further");
    plain.then(|| identity.to_owned())
}

/// A line before the success line that names who it is ("Retrieved token for user x").
pub(super) fn identity_in_passing(text: &str) -> Option<String> {
    static LINE: LazyLock<Regex> = LazyLock::new(|| {
        fixed(r"(?i)\b(?:retrieved|got|received|obtained) (?:\w+ )?token for (?:user )?(?P<identity>\S+)")
    });
    let found = LINE.captures(text)?;
    Some(found["identity"].trim_end_matches(['.', '!', ',']).to_owned())
}

fn success(masked: &str, text: &str) -> Option<Reading> {
    let found = SUCCESS.iter().find_map(|regex| regex.captures(masked))?;
    let line = found.name("line")?;
    if NOT_YET.is_match(line.as_str()) {
        return None;
    }
    let identity = identity(&text[line.start()..]);
    Some(Reading { says: Says::Success { identity }, start: line.start(), end: text.len() })
}

// ---- Failure ----

static FAILURE: LazyLock<[Regex; 7]> = LazyLock::new(|| {
    let login = r"(?:log(?:ging)?[ -]?in|login|sign(?:ing)?[ -]?in|signin|authenticat(?:ion|e|ing)|authori[sz](?:ation|e|ing)|oauth|sso|credentials?|device (?:code|auth|flow))";
    [
        // "Login failed", "authorization denied by user", "the pending authorization … has expired"
        fixed(&format!(
            r"(?i)\b{login}\b[^.]{{0,48}}?\b(?:failed|(?:was |were )?denied|(?:has |have )expired|expired|timed out|timeout|rejected|(?:was )?cancell?ed|refused|unsuccessful)\b"
        )),
        // "failed to authenticate", "Error logging in", "Unable to log in"
        fixed(&format!(
            r"(?i)\b(?:failed|unable|error|could ?n.t|could not|cannot|failure)\b(?: to| while| during| in| waiting for| starting| the| \w+){{0,4}} {login}\b"
        )),
        // "OAuth error: …", "login error: …"
        fixed(&format!(r"(?i)\b{login} (?:error|failure)\b")),
        // The error codes of RFC 6749 and RFC 8628.
        fixed(
            r"(?i)\b(?:access_denied|invalid_grant|expired_token|invalid_client|unauthorized_client|invalid_scope|consent_required|temporarily_unavailable)\b",
        ),
        // "User denied authorization", "The user denied the request", "Consent denied"
        fixed(
            r"(?i)\b(?:user|you|vendor|server) (?:has |have )?(?:denied|cancell?ed|rejected|declined|refused)\b|\b(?:consent|request|access) (?:was )?denied\b|\bdenied the (?:request|authorization)\b",
        ),
        // "JSONHTTPError: Service Unavailable"
        fixed(
            r"(?i)\b\w*error:? (?:http )?(?:\d{3} )?(?:service unavailable|unauthorized|forbidden|bad gateway|gateway time-?out|too many requests)\b",
        ),
        // "Token is invalid", "That's not a valid token!", "Invalid code"
        fixed(
            r"(?i)\b(?:token|api key|code|credentials?)\b (?:is|are|was|were) (?:invalid|expired|rejected|not valid)\b|\binvalid (?:access |api |auth\w* )?(?:token|key|code|credentials?)\b|\bnot a valid (?:token|code|key)\b",
        ),
    ]
});

/// Lines with the words of a failure that are none.
static NO_FAILURE: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r#"(?i)\b(?:if|when|once|unless|in case|until|whether)\b|\bwill (?:expire|be)\b|\b(?:fail\w*|unable|could ?n.t|could not|cannot|error)\b.{0,24}\b(?:open|launch)\w*\b|\bretrying\b|\bretry \(|^\s*[{\["]"|^\s*"[\w.-]+"\s*:|^\s*-{1,2}\w|::|\?$|\bexit(?:ed)? code 0\b|\bassert|\bnot logged in\b|\bwarning\b|^npm (?:err!|error) [a-z]+ [a-z]|===|;$"#,
    )
});

/// A line that says that the program tries again by itself; what failed before it is not the end.
pub(super) fn tries_again(text: &str) -> bool {
    static AGAIN: LazyLock<Regex> = LazyLock::new(|| fixed(r"(?i)\bretrying\b|\btrying again\b"));
    AGAIN.is_match(text)
}

/// A line that gives the attempt up: what is printed after it belongs to a new one.
pub(super) fn gives_up(text: &str) -> bool {
    static CUE: LazyLock<Regex> = LazyLock::new(|| {
        fixed(
            r"(?i)\bretrying\b|\btrying again\b|\bretry\b|\btry again\b|\b(?:code|link|token|url|session|request)\b.{0,24}\b(?:has |was |is )?(?:expired|invalid|rejected|incorrect|not valid|wrong)\b|\b(?:invalid|wrong|incorrect|expired|rejected)\b.{0,16}\b(?:code|token|link)\b|\bnew (?:code|link|url)\b|\bcode below instead\b|\bfalling back\b",
        )
    });
    CUE.is_match(text)
}

fn failure(masked: &str) -> Option<Reading> {
    let found = FAILURE.iter().filter_map(|regex| regex.find(masked)).min_by_key(regex::Match::start)?;
    let start = statement_start(masked, found.start());
    // A manual page spreads its words over the line.
    let is_justified = masked.matches("  ").count() >= 2;
    if is_justified || NO_FAILURE.is_match(&masked[start..]) {
        return None;
    }
    Some(Reading { says: Says::Failure, start, end: masked.len() })
}

/// Where the statement around a match begins: behind a prompt that stands on the same row.
fn statement_start(masked: &str, at: usize) -> usize {
    static PROMPT: LazyLock<Regex> =
        LazyLock::new(|| fixed(r"^[^>]{3,80}(?:prompted|here|code|token|key) ?> ?"));
    PROMPT.find(masked).filter(|prompt| prompt.end() <= at).map_or(0, |prompt| prompt.end())
}

// ---- Prompts ----

/// Longest prompt, in bytes; a longer line that ends in a colon explains something.
const LONGEST_PROMPT: usize = 120;

/// Ends of lines at which a person types.
const TAIL: &str = r#"\s*[:>?)]*\s*[:>?🔑](?:\s+[_*●•█]+)?$"#;

static ASKS_URL: LazyLock<Regex> = LazyLock::new(|| {
    fixed(&format!(
        r"(?i)\b(?:paste|enter|type|input|provide)\b.{{0,70}}\b(?:url|uri|address|link)\b.{{0,50}}?{TAIL}|\b(?:url|uri|address|link)\b.{{0,60}}\bpaste\b.{{0,30}}?{TAIL}"
    ))
});
/// A line that tells the person to take a URL *to* the browser.
static SENDS_URL: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r"(?i)\b(?:into|in) (?:a|your|the|any) (?:\w+ )?browser\b|\b(?:following|this|below) (?:url|link|address)\b",
    )
});
/// What the browser ended on, by way of the same CLI on another machine (`gcloud auth login --no-browser`).
static ASKS_OUTPUT: LazyLock<Regex> = LazyLock::new(|| {
    fixed(&format!(r"(?i)\b(?:enter|paste)\b.{{0,20}}\boutput of the (?:above )?command\b.{{0,20}}?{TAIL}"))
});
/// "Enter code from server (might be in the address bar):"
static CODE_FIRST: LazyLock<Regex> = LazyLock::new(|| {
    fixed(r"(?i)\b(?:paste|enter|type|input|provide)\b (?:the |your |that )?(?:[\w-]+ )?code\b [^.:]{0,16}\(")
});
static ASKS_CODE: LazyLock<Regex> = LazyLock::new(|| {
    fixed(&format!(
        r"(?i)\b(?:paste|enter|type|input|provide)\b.{{0,60}}?\b\w*code\b.{{0,50}}?{TAIL}|\b(?:authori[sz]ation|authentication|access|verification|one-time|security)(?: access)? code\b.{{0,60}}?{TAIL}"
    ))
});
static ASKS_SECRET: LazyLock<Regex> = LazyLock::new(|| {
    fixed(&format!(
        r"(?i)\b(?:paste|enter|type|input|provide)\b.{{0,60}}?\b(?:tokens?|api[ -]?keys?|access keys?|password|passphrase|passcode|secret)\b.{{0,60}}?{TAIL}|\b(?:tokens?|api[ -]?keys?)\b.{{0,60}}\bpaste it\b.{{0,40}}?{TAIL}|^[?>*\s]*(?:\[\w+\] )?(?:enter )?(?:(?:the|your|master) ){{0,2}}(?:password|passphrase|pin) (?:for|of|to) .{{1,70}}?{TAIL}|^[?>*\s]*(?:(?:your|the|api|access|auth\w*|personal|cli|new|user|account|[\w.@-]+'s) ){{0,3}}(?:token|password|passphrase|api[ -]?key|secret)\b(?: (?:for|of|from) \S+)?{TAIL}"
    ))
});
static ASKS_ENTER: LazyLock<Regex> =
    LazyLock::new(|| fixed(r"(?i)\b(?:press|hit|tap)\b[^.+]{0,12}?<?\b(?:enter|return|any key)\b>?"));
static ASKS_CHOICE: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r"(?i)[\[(](?:y/n|yes/no)[\])]|\(use arrow keys\)|\buse arrow-?keys\b|\[use arrows\b|\buse arrows\b|\(use enter to select\)|^\? [^?]{3,120}\?$",
    )
});

/// Words without which a prompt is not one of a login.
static LOGIN_WORDS: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r"(?i)\b(?:log(?:ging|ged)? ?in(?:to)?|login|sign(?:ing)? ?in|authenticat\w*|authori[sz]\w*|oauth|sso|device code|one-time code|verification code|access token|api key|api token|credentials?)\b",
    )
});

/// Whether a text is about a login at all.
pub(super) fn is_about_login(text: &str) -> bool {
    LOGIN_WORDS.is_match(text)
}

fn prompt(masked: &str) -> Option<Reading> {
    let is_short = masked.bytes().filter(|byte| *byte != b'#').count() <= LONGEST_PROMPT;
    let (expects, found) = [
        (Expects::Choice, &ASKS_CHOICE),
        (Expects::CallbackUrl, &ASKS_OUTPUT),
        (Expects::CallbackUrl, &ASKS_URL),
        (Expects::Code, &ASKS_CODE),
        (Expects::Secret, &ASKS_SECRET),
        (Expects::Enter, &ASKS_ENTER),
    ]
    .into_iter()
    .filter(|(expects, _)| {
        *expects != Expects::CallbackUrl || !(SENDS_URL.is_match(masked) || CODE_FIRST.is_match(masked))
    })
    .filter(|(expects, _)| matches!(expects, Expects::Choice | Expects::Enter) || is_short)
    .find_map(|(expects, regex)| regex.find(masked).map(|found| (expects, found)))?;
    let end = match expects {
        Expects::Enter | Expects::Choice => masked.len(),
        Expects::Code | Expects::CallbackUrl | Expects::Secret => found.end(),
    };
    Some(Reading { says: Says::Prompt(expects), start: 0, end })
}

/// What a service of the machine told the journal is about somebody else's login (RFC 3164 section 4.1, RFC 5424).
fn is_journal(text: &str) -> bool {
    static JOURNAL: LazyLock<Regex> = LazyLock::new(|| {
        fixed(
            r"^(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:?\d\d)) \S+ [\w./@-]+(?:\(\w+\))?(?:\[\d+\])?: ",
        )
    });
    text.as_bytes().get(3).is_some_and(|byte| matches!(byte, b' ' | b'0'..=b'9')) && JOURNAL.is_match(text)
}

/// Reads one line by the generic rules. `text` is undecorated, `masked` is it without URLs.
pub(super) fn read(text: &str, masked: &str, hints: Hints) -> Vec<Reading> {
    let mut readings = Vec::new();
    if is_journal(text) {
        return readings;
    }
    let succeeded = if hints.success() { success(masked, text) } else { None };
    let outcome = succeeded.or_else(|| if hints.failure() { failure(masked) } else { None });
    let asked = if hints.prompt() { prompt(masked) } else { None }.filter(|asked| match &outcome {
        // A prompt that was answered: the outcome stands on its row.
        Some(outcome) => outcome.start >= asked.end,
        None => true,
    });
    readings.extend(asked);
    readings.extend(outcome);
    readings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::detect::hints::hints;

    fn says(text: &str) -> Vec<Says> {
        let text = undecorated(text);
        read(text, &without_urls(text), hints(text)).into_iter().map(|reading| reading.says).collect()
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
}
