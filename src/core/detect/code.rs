//! Device codes: a short text that a label nearby calls a code.
//!
//! Forms alone prove nothing: serial numbers, ticket ids and parts of UUIDs look the same (the corpus has ten such
//! recordings). So a code is taken only where a label names it: on its own line directly before it, or on the line
//! above if the code stands alone. The weaker the form, the stronger the label has to be. A label that asks the
//! person to *type* a code ("Enter the authorization code:") names none: what stands behind it was typed.

use std::sync::LazyLock;

use memchr::memmem::Finder;
use regex::Regex;

use super::expression::fixed;
use super::screen_text::ScreenText;

/// A device code on the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Code {
    /// The code as shown.
    pub text: String,
    /// Index of the line it stands on.
    pub line: usize,
    /// Index of the line whose words call it a code.
    pub label: usize,
    /// The label and the form leave no doubt: a login page nearby is not needed.
    pub certain: bool,
}

/// How a text looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Form {
    /// Words joined by `-` or `_`, small hexadecimal, digits, one run of capitals: needs its label right before it.
    Weak,
    /// Groups of capitals and digits joined by `-`.
    Strong,
}

static STRONG: LazyLock<Regex> =
    LazyLock::new(|| fixed(r"^(?:[A-Z0-9]{3,5}(?:-[A-Z0-9]{3,6}){1,2}|[A-Z0-9]{2,4}(?:-[A-Z0-9]{2,4}){3})$"));

static WEAK: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r"^(?:[A-Z0-9]{5,10}|[0-9a-f]{6,8}|[0-9a-f]{4}|[0-9]{3}[- ][0-9]{3}|[a-z]{2,}(?:[-_][a-z]{2,}){1,6}|[A-Z]{2,}(?:-[A-Z]{2,}){1,3}|[A-Za-z0-9]{4}-[A-Za-z0-9]{4})$",
    )
});

/// A label that ends right before the code, on the code's own line.
static LABEL_BEFORE: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r#"(?i)\b(?:code|user ?code|pin)\b(?: ?\([^)]*\))?(?:,? (?:is|below|shown|following|in (?:the|your) browser|when (?:asked|prompted)(?: in (?:the|your) browser)?))* ?[:=→>-]* ?["'“`*\[(]*$"#,
    )
});

/// A verb that ends right before the code.
static VERB_BEFORE: LazyLock<Regex> =
    LazyLock::new(|| fixed(r#"(?i)\b(?:enter|confirm|type in|input):? ?["'“`*\[(]*$"#));

/// A label in a column of its own: "User code          ABCD-EFGH".
static COLUMN_BEFORE: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r"(?i)^\W*(?:user|device|verification|one-time|activation|pairing|login|confirmation) ?-?code {2,}$",
    )
});

/// A line that announces the code on the next one.
static ANNOUNCES: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r"(?i)\bcode\b.*(?::|\.\.\.|…)$|\b(?:enter|copy|confirm|use|type|input|compare|verify)\b.{0,40}\bcode\b|\bcode\b (?:is|below|shown)|^(?:your |the )?(?:\w+ ){0,3}code$",
    )
});

/// A line that asks the person to type a code in.
static ASKS: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r"(?i)\bauthori[sz]ation code\b|\b(?:enter|paste|type|input)\b (?:your|the|a)? ?(?:\w+ )?(?:code)\b.{0,12}(?:provided|from|shown in|received|you|here)|\b(?:enter|paste|type|input) (?:your|the) (?:verification|authentication|auth|login|access|security) code ?[:>?]|\bpaste\b|\baccess code\b|\bcode (?:provided|from|you|here)\b|\bonce finished\b",
    )
});

/// Codes of another kind, and lines that are no login.
static OTHER: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r#"(?i)\b(?:error|exit|status|return|source|response|country|area|zip|postal|promo|coupon|discount|gift|voucher|product|qr|bar|country|http|invite|serial|licen[cs]e|byte|machine|op|color|colour|language|currency|reason|result|stop|event|key|model|part|order|sku) code\b|\bcodes?\b of |\berror\b|\b(?:redeem|warranty|coupon|discount|promo|checkout|serial|licen[cs]e)\b|\bexpected\b.*\b(?:but|got)\b|\bassert\w*\b|\bpanicked\b|\blooks? like\b|\bexit(?:ed|s)? with\b|"(?:level|severity|logger|trace_id|msg)"\s*:"#,
    )
});

/// Words that only logins use for their codes.
static LOGIN_CODE: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r"(?i)\b(?:one-time|device|user|confirmation|pairing|verification|activation|login|auth|authentication|sign-?in)\b.{0,24}\bcode\b|\bcode\b.{0,40}\b(?:browser|authenticate|sign in|log in|expires)\b|\b(?:enter|confirm|copy)\b.{0,24}\bcode\b|^\W*code: \S+$",
    )
});

/// Returns the device codes of a screen text. `in_url` tells, for a line, which of its bytes belong to URLs.
pub(super) fn codes(screen_text: &ScreenText, in_url: &dyn Fn(usize, usize) -> bool) -> Vec<Code> {
    let mut found = Vec::new();
    for index in 0..screen_text.lines.len() {
        if let Some(code) =
            beside_label(screen_text, index, in_url).or_else(|| below_label(screen_text, index, in_url))
        {
            found.push(code);
        }
    }
    found
}

fn form(text: &str) -> Option<Form> {
    if is_place_holder(text) {
        return None;
    }
    let capitals = text.chars().filter(char::is_ascii_uppercase).count();
    let digits = text.chars().filter(char::is_ascii_digit).count();
    if STRONG.is_match(text) && capitals + digits >= 6 && (capitals > 0 || text.len() <= 9) {
        return Some(Form::Strong);
    }
    let hexadecimal = text.chars().all(|c| c.is_ascii_digit() || matches!(c, 'a'..='f'));
    if hexadecimal && (digits == 0 || (text.len() == 4 && digits == 4)) {
        return None;
    }
    WEAK.is_match(text).then_some(Form::Weak)
}

/// "XXXX-XXXX" stands for a code.
fn is_place_holder(text: &str) -> bool {
    text.chars().all(|c| matches!(c, 'X' | 'x' | '-' | '_'))
}

/// The characters around a code that are not part of it.
fn bare(text: &str) -> &str {
    text.trim_matches(|c: char| !c.is_ascii_alphanumeric())
}

fn is_other(text: &str) -> bool {
    OTHER.is_match(text)
}

/// "…enter the code ABCD-EFGH…", "Code: ABCD-EFGH".
fn beside_label(
    screen_text: &ScreenText,
    index: usize,
    in_url: &dyn Fn(usize, usize) -> bool,
) -> Option<Code> {
    let text = screen_text.lines[index].text.as_str();
    if !mentions_code(text) || is_other(text) {
        return None;
    }
    for (start, word) in words(text) {
        if start == 0 || in_url(index, start) {
            continue;
        }
        let candidate = bare(word);
        let Some(form) = form(candidate) else { continue };
        let before = &text[..start];
        let column = COLUMN_BEFORE.is_match(before);
        let object = is_object(candidate, before, &text[start + word.len()..]);
        let labelled = column
            || object
            || LABEL_BEFORE.is_match(before)
            || (form == Form::Strong && VERB_BEFORE.is_match(before));
        if !labelled || (ASKS.is_match(before) && !is_shown(before, form)) {
            continue;
        }
        if form == Form::Weak && !object && !weak_is_a_code(candidate, before) {
            continue;
        }
        return Some(Code {
            text: candidate.to_owned(),
            line: index,
            label: index,
            certain: LOGIN_CODE.is_match(text),
        });
    }
    None
}

/// "Enter F5B8BZYV device code in …".
fn is_object(candidate: &str, before: &str, after: &str) -> bool {
    static VERB: LazyLock<Regex> =
        LazyLock::new(|| fixed(r#"(?i)\b(?:enter|use|type in|confirm|input) (?:the )?["'“`*\[(]*$"#));
    static NOUN: LazyLock<Regex> = LazyLock::new(|| {
        fixed(
            r"(?i)^ (?:as (?:the |your )?)?(?:device|user|verification|one-time|activation|pairing|login) code\b",
        )
    });
    let capitals = candidate.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '-');
    capitals && VERB.is_match(before) && NOUN.is_match(after)
}

/// "Enter the verification code: ABCD-EFGH" asks; "Your verification code: ABCD-EFGH" shows.
fn is_shown(before: &str, form: Form) -> bool {
    static SHOWS: LazyLock<Regex> = LazyLock::new(|| {
        fixed(
            r"(?i)\bcode is\b|\b(?:this|following)\b.{0,20}\bcode\b|\b(?:visit|open|go to|page|http\S+)\b.*\bcode\b",
        )
    });
    form == Form::Strong && SHOWS.is_match(before)
}

/// Plain words and numbers need a label that ends in a colon, in "is", or in a verb's object.
fn weak_is_a_code(candidate: &str, before: &str) -> bool {
    static COLON: LazyLock<Regex> = LazyLock::new(|| {
        fixed(
            r#"(?i)(?:\bcode(?: is)?(?: ?\([^)]*\))? ?[:=]|\bcode is|\bin your browser:|\bin the browser:) ?["'“`*\[(]*$"#,
        )
    });
    static OBJECT: LazyLock<Regex> = LazyLock::new(|| {
        fixed(
            r#"(?i)\b(?:enter|use|confirm|input|type|copy|with) (?:the |this |your )?(?:[\w-]+ ){0,2}(?:code|pin)(?: below)?:? ?["'“`*\[(]*$"#,
        )
    });
    let capitals = candidate.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '-');
    COLON.is_match(before) || (capitals && OBJECT.is_match(before))
}

/// A code alone on its line, below a line that announces it.
fn below_label(
    screen_text: &ScreenText,
    index: usize,
    in_url: &dyn Fn(usize, usize) -> bool,
) -> Option<Code> {
    let text = screen_text.lines[index].text.as_str();
    if text.len() > 80 || text.is_empty() {
        return None;
    }
    let (_, candidate) = alone(text)?;
    let form = form(candidate)?;
    if in_url(index, 0) {
        return None;
    }
    let label = label_above(screen_text, index, in_url)?;
    let announced = screen_text.lines[label].text.trim_end_matches(['·', '─', '-', ' ']);
    if !ANNOUNCES.is_match(announced) || ASKS.is_match(announced) || is_other(announced) {
        return None;
    }
    if form == Form::Weak && !announced.ends_with([':', ')', '.']) {
        return None;
    }
    Some(Code { text: candidate.to_owned(), line: index, label, certain: LOGIN_CODE.is_match(announced) })
}

/// The one word of a line that has nothing else but signs around it.
fn alone(text: &str) -> Option<(usize, &str)> {
    let mut candidates = words(text).filter(|(_, word)| word.contains(|c: char| c.is_ascii_alphanumeric()));
    let (start, word) = candidates.next()?;
    let none_else = candidates.next().is_none();
    none_else.then(|| (start, bare(word)))
}

/// The nearest line above with words on it, over at most three empty ones and the rows of a URL.
fn label_above(
    screen_text: &ScreenText,
    index: usize,
    in_url: &dyn Fn(usize, usize) -> bool,
) -> Option<usize> {
    let mut empty = 0;
    for above in (0..index).rev() {
        if screen_text.lines[above].is_empty() {
            empty += 1;
        } else if !in_url(above, 0) {
            return Some(above);
        }
        if empty > 3 {
            break;
        }
    }
    None
}

fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split(' ').scan(0, |at, word| {
        let start = *at;
        *at += word.len() + 1;
        Some((start, word))
    })
}

pub(super) fn mentions_code(text: &str) -> bool {
    static PARTS: LazyLock<[Finder<'static>; 4]> =
        LazyLock::new(|| ["ode", "ODE", "nter", "onfirm"].map(Finder::new));
    PARTS.iter().any(|part| part.find(text.as_bytes()).is_some())
}

/// Returns the device code that a URL carries: `user_code=…`, `code=…` on a device page, or the last part of a
/// short link that is nothing but a code.
pub(super) fn code_in_url(url: &str) -> Option<String> {
    let parsed = url::Url::parse(url).ok()?;
    let path = parsed.path().to_lowercase();
    let device_page = ["device", "activate", "verify", "link", "connect", "confirm", "pair"]
        .iter()
        .any(|word| path.contains(word) || parsed.fragment().is_some_and(|fragment| fragment.contains(word)));
    let query = parsed.query().unwrap_or_default();
    let fragment_query =
        parsed.fragment().and_then(|fragment| fragment.split_once('?')).map_or("", |(_, query)| query);
    for (name, value) in url::form_urlencoded::parse(query.as_bytes())
        .chain(url::form_urlencoded::parse(fragment_query.as_bytes()))
    {
        let name = name.to_lowercase();
        let named = name.contains("user_code") || name.contains("usercode") || name == "otc";
        let told = device_page || (path.contains("auth") && is_pair(&value));
        if (named || (told && matches!(name.as_str(), "code" | "c"))) && is_code_value(&value) {
            return Some(value.into_owned());
        }
    }
    short_link(&parsed)
}

/// The form that device codes have most often, and that authorization codes never have.
fn is_pair(value: &str) -> bool {
    static PAIR: LazyLock<Regex> = LazyLock::new(|| fixed(r"^[A-Z0-9]{4}-[A-Z0-9]{4}$"));
    PAIR.is_match(value)
}

fn is_code_value(value: &str) -> bool {
    (4..=32).contains(&value.len())
        && value.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
        && value != "true"
        && value != "false"
}

/// `https://link.example.com/XKRTP`: the host or the folder says that what follows is a code.
fn short_link(url: &url::Url) -> Option<String> {
    let host = url.host_str()?;
    let mut segments = url.path_segments()?.collect::<Vec<_>>();
    let last = segments.pop()?;
    let announced = host.starts_with("link.")
        || host.starts_with("device.")
        || segments.last().is_some_and(|folder| ["device", "activate", "link", "pair"].contains(folder));
    let capitals = last.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '-');
    (announced && url.query().is_none() && capitals && form(last).is_some()).then(|| last.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::detect::screen_text::Line;

    fn found(lines: &[&str]) -> Vec<String> {
        let lines =
            lines.iter().map(|text| Line { text: text.trim().to_owned(), rows: 1, ..Line::default() });
        let screen_text = ScreenText { lines: lines.collect() };
        codes(&screen_text, &|_, _| false).into_iter().map(|code| code.text).collect()
    }

    #[test]
    fn a_code_beside_its_label() {
        for (line, code) in [
            ("! First copy your one-time code: WDJB-MJHT", "WDJB-MJHT"),
            ("Your one-time device confirmation code is: LMNP-RSTV", "LMNP-RSTV"),
            (
                "To sign in, use a web browser to open the page https://microsoft.com/devicelogin and enter the code F7RKQ3HXN to authenticate.",
                "F7RKQ3HXN",
            ),
            ("●  Enter code: KWTR-VBN49", "KWTR-VBN49"),
            ("Visit https://vercel.com/oauth/device and confirm code BDSD-HQMK", "BDSD-HQMK"),
            ("Your pairing code is: enjoy-enough-outwit-win", "enjoy-enough-outwit-win"),
            ("When prompted, enter code RFK-BJB-YSYD", "RFK-BJB-YSYD"),
            ("Your activation code is \"ABCD-EFGH\". If you are not redirected", "ABCD-EFGH"),
            ("Confirmation Code: ABCDEFGH", "ABCDEFGH"),
            ("Please enter the following code when asked in your browser: ABCDEFGH", "ABCDEFGH"),
            (
                "Please visit https://github.com/login/device and enter code ABCD-1234 (copied to clipboard)",
                "ABCD-1234",
            ),
            (
                "To grant access to the server, please log into https://github.com/login/device and use code ABCD-1234",
                "ABCD-1234",
            ),
            ("Code: ABCD-EFGH", "ABCD-EFGH"),
            ("Enter the code JQXMT7", "JQXMT7"),
            ("Your verification code: 7f3a9c", "7f3a9c"),
            ("Enter this code: BRAVE-OTTER", "BRAVE-OTTER"),
        ] {
            assert_eq!(found(&[line]), [code], "{line}");
        }
    }

    #[test]
    fn a_code_below_its_label() {
        for (label, code) in [
            ("Then enter the code:", "FRDL-MWNP"),
            ("2. Enter this one-time code (expires in 15 minutes)", "KWTR-VBN49"),
            ("Your auth code is:", "crown_sense_vivid_mirror_tiny"),
            ("To verify your account, copy your one-time code:", "ABCD-EFGH"),
            ("The following code should be on clipboard already:", "ABCD-1234"),
            ("→ Enter this code:", "ABCD-EFGH"),
        ] {
            assert_eq!(found(&[label, "", code]), [code], "{label}");
        }
    }

    #[test]
    fn what_only_looks_like_a_code_is_none() {
        for lines in [
            &["Once finished, enter the verification code provided in your browser: ABCD-1234"][..],
            &["Enter the authorization code: WRONGCODE"],
            &["? Access code from browser: ABCD-1234"],
            &["◆  Enter your verification code:", "1234abcd"],
            &["1. Take note of your session ID:", "5A957"],
            &["Error E-4012 (code WXYZ-9876): see the manual"],
            &["Use code SAVE-2024 at https://shop.example.com/activate to redeem your warranty."],
            &["expected https://login.example.com/device but got code ABCD-1234"],
            &["background; user codes look like WDJB-MJHT."],
            &["exit code ABCDEF"],
            &["PowerEdge R640        8XKR-W2QP         ABCD-1234"],
            &[
                "Continue only if you started this login in Codex. If another person gave you this code, cancel.",
            ],
            &["use the device code flow with two-factor"],
        ] {
            assert!(found(lines).is_empty(), "{lines:?} gave {:?}", found(lines));
        }
    }

    #[test]
    fn a_code_inside_a_url() {
        for (url, code) in [
            ("https://vercel.com/oauth/device?user_code=BDSD-HQMK", Some("BDSD-HQMK")),
            ("https://buf.build/settings/user/device?code=ABCD-EFGH", Some("ABCD-EFGH")),
            ("https://view.awsapps.com/start/#/device?user_code=ABCD-EFGH", Some("ABCD-EFGH")),
            (
                "https://accounts.shopify.com/activate-with-code?device_code%5Buser_code%5D=ABCD-EFGH",
                Some("ABCD-EFGH"),
            ),
            ("https://link.tidal.com/XKRTP", Some("XKRTP")),
            ("https://claude.com/cai/oauth/authorize?code=true&client_id=1", None),
            ("https://github.com/login/device", None),
        ] {
            assert_eq!(code_in_url(url).as_deref(), code, "{url}");
        }
    }
}
