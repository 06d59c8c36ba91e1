//! Whether a line waits for a person, and for what.

use std::sync::LazyLock;

use regex::Regex;

use super::{Reading, Says};
use crate::core::detect::expression::fixed;
use crate::core::finding::Expects;

/// Longest prompt, in bytes; a longer line that ends in a colon explains something.
const LONGEST_PROMPT: usize = 120;

/// Ends of lines at which a person types.
const TAIL: &str = r#"\s*[:>?)]*\s*[:>?🔑](?:\s+[_*●•█]+)?$"#;

static ASKS_URL: LazyLock<Regex> = LazyLock::new(|| {
    fixed(&format!(
        r"(?i)\b(?:paste|enter|type|input|provide|insert)\b.{{0,70}}\b(?:url|uri|address|link)\b.{{0,50}}?{TAIL}|\b(?:url|uri|address|link)\b.{{0,60}}\bpaste\b.{{0,30}}?{TAIL}"
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
    fixed(
        r"(?i)\b(?:paste|enter|type|input|provide|insert)\b (?:the |your |that )?(?:[\w-]+ )?code\b [^.:]{0,16}\(",
    )
});
static ASKS_CODE: LazyLock<Regex> = LazyLock::new(|| {
    fixed(&format!(
        r"(?i)\b(?:paste|enter|type|input|provide|insert)\b.{{0,60}}?\b\w*code\b.{{0,50}}?{TAIL}|\bcode\b.{{0,60}}\bpaste\b.{{0,30}}?{TAIL}|^[?>*\s]*(?:[\w-]+[ _-])?code ?>$|\b(?:otp|one-time (?:password|passcode)|mfa token)\b.{{0,30}}?{TAIL}|\b(?:authori[sz]ation|authentication|access|verification|one-time|security)(?: access)? code\b.{{0,60}}?{TAIL}"
    ))
});
static ASKS_SECRET: LazyLock<Regex> = LazyLock::new(|| {
    fixed(&format!(
        r"(?i)\b(?:paste|enter|type|input|provide|insert)\b.{{0,60}}?\b(?:tokens?|api[ -]?keys?|access keys?|password|passphrase|passcode|secret)\b.{{0,60}}?{TAIL}|\b(?:tokens?|api[ -]?keys?)\b.{{0,60}}\bpaste it\b.{{0,40}}?{TAIL}|^[?>*\s]*(?:\[\w+\] )?(?:enter )?(?:(?:the|your|master) ){{0,2}}(?:password|passphrase|pin) (?:for|of|to) .{{1,70}}?{TAIL}|^[?>*\s]*(?:\w+_)?(?:(?:your|the|api|access|auth\w*|personal|cli|new|user|account|[\w.@-]+'s) ){{0,3}}(?:token|password|passphrase|api[ -]?key|secret)\b(?: (?:for|of|from) \S+)?{TAIL}"
    ))
});
static ASKS_ENTER: LazyLock<Regex> =
    LazyLock::new(|| fixed(r"(?i)\b(?:press|hit|tap)\b[^.+]{0,12}?<?\b(?:enter|return|any key)\b>?"));
static ASKS_CHOICE: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r"(?i)[\[(](?:y/n|yes/no)[\])]|\(use arrow keys\)|\buse arrow-?keys\b|\[use arrows\b|\buse arrows\b|\(use enter to select\)|^\? [^?]{3,120}\?$",
    )
});

/// The same without a sign at the end: a survey's question, or an instruction above a field.
static AT_CURSOR: LazyLock<[(Expects, Regex); 3]> = LazyLock::new(|| {
    [
        (
            Expects::CallbackUrl,
            fixed(
                r"(?i)\b(?:paste|enter|insert|copy)\b.{0,40}\b(?:redirect\w*|callback|full|resulting|whole|final) (?:\w+ )?(?:url|uri|address|link)\b.{0,40}$",
            ),
        ),
        (
            Expects::Code,
            fixed(
                r"(?i)\b(?:paste|enter|type|input|provide|insert)\b.{0,40}\b(?:code|otp|passcode)\b(?: (?:here|below|from|shown|you|that|displayed|in|on|sent).{0,50})?[.:]?$|\bcode\b.{0,60}\b(?:paste|enter|type) it\b.{0,24}$|^[?>* ]*(?:[\w-]+ ){0,2}(?:verification|authorization|authorisation|authentication|challenge|security|access|one-time) code[.:…]*$",
            ),
        ),
        (
            Expects::Secret,
            fixed(
                r"(?i)\b(?:paste|enter|type|input|provide|insert)\b.{0,40}\b(?:token|api[ -]?key|access key|password|passphrase|secret)\b(?: (?:here|below|for|from|of).{0,40})?[.:]?$|^\? (?:[\w-]+ ){0,3}(?:token|api[ -]?key|password|passphrase|secret)(?: \[\? for help\])?$",
            ),
        ),
    ]
});

/// "After authenticating, copy the code … and paste it below": what comes before is the way to the code.
static AT_CURSOR_STARTS: LazyLock<Regex> = LazyLock::new(|| {
    fixed(r"(?i)^(?:after|once|when)\b[^,]{3,60}, (?:please )?(?:copy|paste|enter|insert)\b|\bbelow[.:]?$")
});

/// Sentences that tell what is to be done elsewhere or later.
static NO_PROMPT: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r"(?i)\b(?:once|when|after|if|until|waiting|wait|then|will|was|were|has been|have|had|you can|to|must|should|asked|prompted)\b.{0,32}\b(?:paste|enter|entered|type|typed|input|provide|insert)\w*\b|\bin(?:to)? (?:the|your|a) (?:web )?browser\b|\b(?:https?|visit|go to|open)\b",
    )
});

/// What was asked with a sign that an answer stands behind.
static ANSWER: LazyLock<Regex> =
    LazyLock::new(|| fixed(r"(?i)[\[(](?:y/n|yes/no)[\])] ?[:?>]? *(?:y|n|yes|no|true|false)$"));

/// Words without which a prompt is not one of a login.
static LOGIN_WORDS: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r"(?i)\b(?:log(?:ging|ged)? ?in(?:to)?|login|sign(?:ing)? ?in|authenticat\w*|authori[sz]\w*|oauth|sso|device code|one-time code|verification code|access token|api key|api token|credentials?|otp|one-time password|authenticator)\b",
    )
});

/// Whether a text is about a login at all.
pub(super) fn is_about_login(text: &str) -> bool {
    LOGIN_WORDS.is_match(text)
}

/// Reads a line as a prompt. `masked` is the line without URLs.
pub(super) fn prompt(masked: &str) -> Option<Reading> {
    let is_short = masked.bytes().filter(|byte| *byte != b'#').count() <= LONGEST_PROMPT;
    let found = [
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
    .find_map(|(expects, regex)| regex.find(masked).map(|found| (expects, found)));
    let Some((expects, found)) = found else { return at_cursor(masked, is_short) };
    let end = match expects {
        Expects::Enter | Expects::Choice => masked.len(),
        Expects::Code | Expects::CallbackUrl | Expects::Secret => found.end(),
    };
    Some(Reading { says: Says::Prompt(expects), start: 0, end })
}

fn at_cursor(masked: &str, is_short: bool) -> Option<Reading> {
    let is_prompt = |(_, regex): &&(Expects, Regex)| regex.is_match(masked);
    let (expects, _) = AT_CURSOR.iter().find(is_prompt).filter(|_| is_short)?;
    let starts = AT_CURSOR_STARTS.is_match(masked);
    (starts || !NO_PROMPT.is_match(masked)).then_some(Reading {
        says: Says::PromptAtCursor(*expects),
        start: 0,
        end: masked.len(),
    })
}

/// Whether an answer to a question of yes or no stands behind it.
pub(in crate::core::detect) fn is_answered(text: &str) -> bool {
    ANSWER.is_match(text)
}

/// Whether a line asks a person to open a page, or to press a key to do so.
pub(in crate::core::detect) fn opens_browser(text: &str) -> bool {
    static OPENS: LazyLock<Regex> =
        LazyLock::new(|| fixed(r"(?i)\b(?:browser|log ?in|login|sign ?in|authenticat\w+|authori[sz]\w+)\b"));
    OPENS.is_match(text)
}
