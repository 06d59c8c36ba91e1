//! Device codes: a short text that a label nearby calls a code.
//!
//! Forms alone prove nothing: serial numbers, ticket ids and parts of UUIDs look the same (the corpus has ten such
//! recordings). So a code is taken only where a label names it: on its own line directly before it, or on the line
//! above if the code stands alone. The weaker the form, the stronger the label has to be. A label that asks the
//! person to *type* a code ("Enter the authorization code:") names none: what stands behind it was typed.

mod in_url;

use std::sync::LazyLock;

use memchr::memmem::Finder;
use regex::Regex;

use super::expression::fixed;
use super::screen_text::ScreenText;

pub(super) use self::in_url::{code_in_url, names_user_code};

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
    /// Its form is the usual one, so that words about a browser or a login nearby are enough.
    pub is_usual: bool,
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
        r"^(?:[A-Z0-9]{5,10}|[0-9a-f]{6,8}|[0-9a-f]{4}|[0-9]{3}[- ][0-9]{3}|[a-z]{2,}(?:[-_][a-z]{2,}){1,6}|[A-Z]{2,}(?:-[A-Z]{2,}){1,3}|[A-Za-z0-9]{3,5}(?:-[A-Za-z0-9]{3,5}){1,2}|[A-Za-z0-9]{6,10})$",
    )
});

/// A label that ends right before the code, on the code's own line.
static LABEL_BEFORE: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r#"(?i)\b(?:code|user ?code|pin)\b(?: ?\([^)]*\))?(?:,? (?:is|below|shown|following|there|on the page|matches|in (?:the|your) browser|when (?:asked|prompted)(?: in (?:the|your) browser)?))* ?[:=→>-]* *["'“`*\[(]*$|\b(?:copy|use|enter) (?:this|the following) (?:\w+ )?code\b[^:]{0,40}: *$"#,
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
        r"(?i)\bauthori[sz]ation code\b|\b(?:enter|paste|type|input)\b (?:your|the|a)? ?(?:\w+ )?(?:code)\b.{0,12}\b(?:provided|from|shown in|received|you|here)|\b(?:enter|paste|type|input) (?:your|the) (?:verification|authentication|auth|login|access|security) code ?[:>?]|\bpaste\b|\baccess code\b|\bcode (?:provided|from|you|here)\b|\bonce finished\b",
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
        if let Some(code) = beside_label(screen_text, index, in_url)
            .or_else(|| below_label(screen_text, index, in_url))
            .or_else(|| behind_row(screen_text, index, in_url))
        {
            found.push(code);
        }
    }
    found
}

/// Whether the words around a code are about a browser or a login.
pub(super) fn is_beside_login(screen_text: &ScreenText, code: &Code) -> bool {
    const ABOVE: usize = 4;
    static LOGIN: LazyLock<Regex> = LazyLock::new(|| {
        fixed(
            r"(?i)\b(?:browser|sign(?:ing)?[ -]?in|log(?:ging)?[ -]?in|login|authenticat\w+|authori[sz]\w+)\b",
        )
    });
    let lines = &screen_text.lines[code.label.saturating_sub(ABOVE)..=code.line];
    lines.iter().any(|line| LOGIN.is_match(&line.text))
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
    // Words and names have capitals at their beginning only, and no digits among their letters.
    let small = text.chars().any(|c| c.is_ascii_lowercase());
    let is_mixed = small && (capitals > 0 || digits > 0) && !hexadecimal;
    if is_mixed && !is_mixed_code(text) {
        return None;
    }
    WEAK.is_match(text).then_some(Form::Weak)
}

/// Small letters beside capitals or digits in every part, as chance puts them.
fn is_mixed_code(text: &str) -> bool {
    let part = |part: &str| {
        let changes = |c: &u8| (c.is_ascii_lowercase(), c.is_ascii_digit());
        let kinds: Vec<_> = part.as_bytes().iter().map(changes).collect();
        let turns = kinds.windows(2).filter(|pair| pair[0] != pair[1]).count();
        turns >= 2 || (turns == 1 && !part.starts_with(char::is_uppercase))
    };
    text.split('-').all(part) || WORDS.is_match(text)
}

static WORDS: LazyLock<Regex> = LazyLock::new(|| fixed(r"^[a-z]{2,}(?:[-_][a-z]{2,}){1,6}$"));

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
        let word = two_threes(&text[start..]).unwrap_or(word);
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
            is_usual: form == Form::Strong,
        });
    }
    None
}

/// "482 913": digits in two groups of three.
fn two_threes(text: &str) -> Option<&str> {
    static THREES: LazyLock<Regex> = LazyLock::new(|| fixed(r"^[0-9]{3} [0-9]{3}(?:[^\w]|$)"));
    THREES.is_match(text).then(|| &text[..7])
}

/// "… and enter code" at the end of a row, and the code at the beginning of the next one.
fn behind_row(screen_text: &ScreenText, index: usize, in_url: &dyn Fn(usize, usize) -> bool) -> Option<Code> {
    let line = &screen_text.lines[index];
    let above = screen_text.lines[..index].last().filter(|above| !above.is_empty())?;
    let goes_on = !above.text.ends_with([':', '.', '!', '?', ')']);
    if !goes_on || !line.shares_frame(above) || !mentions_code(&above.text) || in_url(index, 0) {
        return None;
    }
    let (_, word) = words(&line.text).next()?;
    let candidate = bare(word);
    let form = form(candidate)?;
    let before = format!("{} ", above.text);
    let whole = format!("{before}{}", line.text);
    let labelled = LABEL_BEFORE.is_match(&before) && !is_other(&whole) && !ASKS.is_match(&before);
    if !labelled || (form == Form::Weak && !weak_is_a_code(candidate, &before)) {
        return None;
    }
    let certain = LOGIN_CODE.is_match(&whole);
    Some(Code {
        text: candidate.to_owned(),
        line: index,
        label: index - 1,
        certain,
        is_usual: form == Form::Strong,
    })
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
    static COPY_THIS: LazyLock<Regex> =
        LazyLock::new(|| fixed(r"(?i)\bcopy (?:this|the following) (?:\w+ )?code\b"));
    (form == Form::Strong && SHOWS.is_match(before)) || COPY_THIS.is_match(before)
}

/// Plain words and numbers need a label that ends in a colon, in "is", or in a verb's object.
fn weak_is_a_code(candidate: &str, before: &str) -> bool {
    static COLON: LazyLock<Regex> = LazyLock::new(|| {
        fixed(
            r#"(?i)(?:\bcode(?: is| matches)?(?: ?\([^)]*\))? ?(?:[:=→]|=>|->)|\bcode is|\bin your browser:|\bin the browser:|\bcopy (?:this|the following) (?:\w+ )?code\b[^:]{0,40}:) *["'“`*\[(]*$"#,
        )
    });
    static OBJECT: LazyLock<Regex> = LazyLock::new(|| {
        fixed(
            r#"(?i)\b(?:enter|use|confirm|input|type|copy|with) (?:the |this |your )?(?:[\w-]+ ){0,2}(?:code|pin)(?: below)?:? ?["'“`*\[(]*$"#,
        )
    });
    let capitals =
        candidate.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || "- ".contains(c));
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
    let certain = LOGIN_CODE.is_match(announced);
    Some(Code { text: candidate.to_owned(), line: index, label, certain, is_usual: form == Form::Strong })
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
