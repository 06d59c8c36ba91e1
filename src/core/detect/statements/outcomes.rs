//! Whether a line says that the login worked, or that it failed.
//!
//! The rules ask for more than a word. "error", "failed" and "denied" stand on the screens of dozens of logins that go
//! well, and "logged in" in every "You are not logged in".

use std::sync::LazyLock;

use regex::Regex;

use super::{Reading, Says};
use crate::core::detect::expression::fixed;

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

/// Sentences about a link that is not made (yet).
static NOT_DONE: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r"(?i)\b(?:not|never|once|when|until|unless|if|after|before|ensure|whether|please|should|must|no|dis)\b.{0,40}(?:linked|connected|paired|enrolled|registered)\b|\b(?:to|will|be) (?:be )?(?:linked|connected|paired|enrolled|registered)\b|disconnected",
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
pub(in crate::core::detect) fn identity(text: &str) -> Option<String> {
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

/// Reads a line as one that says that the login worked.
pub(super) fn success(masked: &str, text: &str) -> Option<Reading> {
    let found = SUCCESS.iter().find_map(|regex| regex.captures(masked))?;
    let line = found.name("line")?;
    if NOT_YET.is_match(line.as_str()) {
        return None;
    }
    let identity = identity(&text[line.start()..]);
    Some(Reading { says: Says::Success { identity }, start: line.start(), end: text.len() })
}

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
pub(in crate::core::detect) fn tries_again(text: &str) -> bool {
    static AGAIN: LazyLock<Regex> = LazyLock::new(|| fixed(r"(?i)\bretrying\b|\btrying again\b"));
    AGAIN.is_match(text)
}

/// A line that gives the attempt up: what is printed after it belongs to a new one.
pub(in crate::core::detect) fn gives_up(text: &str) -> bool {
    static CUE: LazyLock<Regex> = LazyLock::new(|| {
        fixed(
            r"(?i)\bretrying\b|\btrying again\b|\bretry\b|\btry again\b|\b(?:code|link|token|url|session|request)\b.{0,24}\b(?:has |was |is )?(?:expired|invalid|rejected|incorrect|not valid|wrong)\b|\b(?:invalid|wrong|incorrect|expired|rejected)\b.{0,16}\b(?:code|token|link)\b|\bnew (?:code|link|url)\b|\bcode below instead\b|\bfalling back\b",
        )
    });
    CUE.is_match(text)
}

/// What means a success only where a login came before it.
static AFTER_LOGIN: LazyLock<[Regex; 3]> = LazyLock::new(|| {
    let done = "(?:linked|connected|paired|enrolled|registered)";
    let mark = "(?:[>✓✔√☑✅🎉*! -]|\\[?success\\]?[!:.,]* |done[!.] )";
    [
        // "This computer is now linked to X.", "Your account has been connected!", "Device successfully linked."
        fixed(&format!(
            r"(?i)^{mark}*(?:(?:this|your|the) )?(?:\w+ )?(?:computer|device|machine|account|box|cli|client|workspace|host|node|bot|server|phone|agent|instance|app)\b(?: [^.,:;]{{1,40}}?)?(?: (?:is|was|has been|are|now))*(?: now| successfully)* {done}\b(?: successfully)?(?: (?:to|with|as|on)\b.*|[.!,].*)?$"
        )),
        // "✓ Connected to X as dev", "Successfully linked", "You are now connected."
        fixed(&format!(
            r"(?i)^(?:{mark}+|successfully |you(?:.re| are) (?:now |successfully ){{1,2}})(?:now |successfully )*{done}\b(?: (?:to|with|as|on)\b.*|[.!,].*)?$|^{done} (?:to|with) .{{1,60}} as \S+$"
        )),
        // "Welcome, Dev!", "Welcome back, Dev"
        fixed(&format!(
            r"^{mark}*[Ww]elcome,? (?:back,? )?(?P<identity>[A-Z][\w.@-]*(?: [A-Z][\w.-]*)?|[\w.+-]+@[\w.-]+)[!.]*$"
        )),
    ]
});

/// Reads a line as one that says that a login worked which came before it.
pub(super) fn success_after_login(masked: &str, text: &str) -> Option<Reading> {
    let found = AFTER_LOGIN.iter().find_map(|regex| regex.captures(masked))?;
    if NOT_YET.is_match(masked) || NOT_DONE.is_match(masked) {
        return None;
    }
    let named = found.name("identity").map(|name| name.as_str().to_owned());
    let says = Says::SuccessAfterLogin { identity: named.or_else(|| identity(text)) };
    Some(Reading { says, start: 0, end: text.len() })
}

/// Reads a line as one that says that the login failed.
pub(super) fn failure(masked: &str) -> Option<Reading> {
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
