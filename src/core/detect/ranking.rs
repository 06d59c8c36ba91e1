//! Whether a URL is a login URL, and of which kind.

mod rules;
mod weigh;

use std::sync::LazyLock;

use regex::Regex;
use url::Url;

use self::rules::{Place, RULED_OUT};
use self::weigh::{Balance, weigh};
use super::address::Address;
use super::expression::fixed;
use super::screen_text::ScreenText;
use super::statements::{undecorated, without_urls};
use super::verdict::is_loopback;
use crate::core::provider::Provider;

/// Bytes of a line before and after a URL that count as its context.
const NEARBY: usize = 240;

/// The words around a URL.
#[derive(Debug, Default)]
pub(super) struct Around {
    /// Its own line before it.
    before: String,
    /// Its own line behind it.
    after: String,
    /// The nearest line above with words on it, if the URL begins its own line.
    label: String,
    /// The line above that one, if it is directly above.
    above: String,
    /// The nearest line below.
    below: String,
    /// Nothing else stands on its line.
    alone: bool,
}

impl Around {
    /// Collects the words around a URL.
    pub fn of(screen_text: &ScreenText, address: &Address) -> Self {
        let line = &screen_text.lines[address.line];
        let before = tail(&line.text[..address.first_range.start]).to_owned();
        let end_line = &screen_text.lines[address.last].text;
        let after = head(&end_line[address.last_end.min(end_line.len())..]).to_owned();
        static NAMED: LazyLock<Regex> = LazyLock::new(|| {
            fixed(
                r"(?i)^\W*(?:(?:info|notice|note|warn(?:ing)?)\b\W*)?(?:(?:login|auth\w*|verification|sign-?in|device|sso|oauth) )?(?:url|uri|link|address) *(?:[:=→]|=>|->) *$",
            )
        });
        let begins =
            undecorated(&before).chars().filter(|c| c.is_alphabetic()).count() < 3 || NAMED.is_match(&before);
        let mut around = Self {
            alone: begins && !after.contains(|c: char| c.is_alphabetic()),
            before,
            after,
            ..Self::default()
        };
        if begins {
            around.look_up(screen_text, address.line);
        }
        let below = screen_text.lines[address.last + 1..].iter().take(4).find(|line| !line.is_empty());
        around.below = below.map(|line| head(&line.text).to_owned()).unwrap_or_default();
        around
    }

    fn look_up(&mut self, screen_text: &ScreenText, index: usize) {
        let from = index.saturating_sub(4);
        let Some(at) = (from..index).rev().find(|above| !screen_text.lines[*above].is_empty()) else {
            return;
        };
        self.label = tail(&screen_text.lines[at].text).to_owned();
        if let Some(above) = at.checked_sub(1).map(|above| &screen_text.lines[above])
            && !above.is_empty()
            && !above.text.ends_with(['.', ':', '!', '?'])
        {
            self.above = tail(&above.text).to_owned();
        }
    }

    /// The texts that a catalogue pattern about a URL is tried on.
    pub fn own_and_label(&self) -> impl Iterator<Item = &str> {
        [self.before.as_str(), self.label.as_str(), self.after.as_str()]
            .into_iter()
            .filter(|text| !text.is_empty())
    }

    /// Whether the words behind it say that a code is to be typed there.
    pub fn names_code(&self) -> bool {
        static NAMES: LazyLock<Regex> =
            LazyLock::new(|| fixed(r"(?i)^[^.]{0,24}\b(?:enter|confirm|use|with)\b.{0,24}\bcode\b [A-Z0-9]"));
        NAMES.is_match(&self.after)
    }

    /// Whether it is set in the marks of documentation.
    fn is_marked_up(&self) -> bool {
        self.before.ends_with('`') && self.after.starts_with('`')
    }

    fn words(&self) -> String {
        without_urls(&[&self.above, &self.label, &self.before, &self.after].map(String::as_str).join(" "))
    }
}

fn tail(text: &str) -> &str {
    let mut from = text.len().saturating_sub(NEARBY);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    &text[from..]
}

fn head(text: &str) -> &str {
    let mut to = text.len().min(NEARBY);
    while !text.is_char_boundary(to) {
        to -= 1;
    }
    &text[..to]
}

/// What it weighs that a URL is set as documentation sets code.
const MARKED_UP: i32 = 8;

/// Words that only a login uses; an invitation without them needs a URL with the looks of one.
static LOGIN: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r"(?i)\b(?:log ?in(?:to)?|login|log into|sign ?in|sign-in|signin|authenticat\w+|authori[sz]\w+|verification|activate|one-time|sso|oauth|oidc|saml|headless|approve|device code)\b|\b(?:paste|enter) (?:the|your) (?:\w+ )?(?:token|api key)\b",
    )
});

/// Decides whether a URL is one to open for a login. `named` tells that the catalogue's own rule announces it.
pub(super) fn is_login(url: &str, around: &Around, named: bool, provider: Option<&Provider>) -> bool {
    let Ok(parsed) = Url::parse(url) else { return false };
    if named {
        return true;
    }
    let shape = weigh(Place::Url, url);
    let before = weigh(Place::Before, &around.before);
    if shape.bad <= RULED_OUT || before.bad <= RULED_OUT {
        return false;
    }
    let words = around.words();
    let said = weigh(Place::Words, &words);
    if said.bad <= RULED_OUT {
        return false;
    }
    let below = weigh(Place::Words, &without_urls(&around.below));
    let context = context(said, before, below) - if around.is_marked_up() { MARKED_UP } else { 0 };
    if is_loopback(&parsed) {
        return is_own_login_page(&parsed, &words, said)
            || is_opened_login_page(&words, said, &around.below)
            || is_issuer_or_login_path(url, &words, said, context);
    }
    let expected =
        provider.is_some_and(|provider| provider.expects_host(parsed.host_str().unwrap_or_default()));
    let shape = shape.good + shape.bad + if expected { 2 } else { 0 };
    let both = shape >= 2 && context >= 3 && shape + context >= 7;
    let strong_shape = around.alone && shape >= 7 && context >= 0;
    let strong_words = shape >= 0 && context >= 7 && LOGIN.is_match(&words);
    both || strong_shape || strong_words
}

fn context(said: Balance, before: Balance, below: Balance) -> i32 {
    said.good.min(12) + said.bad + before.good + before.bad + below.good.min(2)
}

/// A loopback URL is mostly where the CLI listens; some CLIs begin the login there and say so (rclone, tsh,
/// kubelogin).
fn is_own_login_page(url: &Url, words: &str, said: Balance) -> bool {
    static TOLD: LazyLock<Regex> = LazyLock::new(|| {
        fixed(
            r"(?i)\b(?:the following|this|the) (?:url|link)\b|\bauthenticate\b|\blog ?in\b|\bsign ?in\b|\bauthorize\b",
        )
    });
    let served = url.path().starts_with("/lab")
        || url.path().starts_with("/tree")
        || url.path().starts_with("/notebooks");
    said.bad == 0 && said.good >= 7 && TOLD.is_match(words) && !served
}

/// An issuer that runs on this machine, or a page whose path says that one logs in there, to which the words send.
fn is_issuer_or_login_path(url: &str, words: &str, said: Balance, context: i32) -> bool {
    static PATH: LazyLock<Regex> = LazyLock::new(|| {
        fixed(
            r"(?i)^https?://[^/?#]+/(?:[\w.-]+/)*(?:log-?in|sign-?in|sso|o?auth2?|oidc|device|activate|authori[sz]e)(?:/(?:start|begin|login|authori[sz]e))?/?(?:\?|$)",
        )
    });
    static SENT: LazyLock<Regex> = LazyLock::new(|| {
        fixed(
            r"(?i)\b(?:open|visit|go to|navigate to|browse to|point your|head to)\b.{0,40}$|\b(?:open|visit|go to|browse to)\b",
        )
    });
    let is_request = is_complete_request(url) && url.contains("client_id=");
    (is_request && context >= 3)
        || (PATH.is_match(url) && SENT.is_match(words) && said.bad > RULED_OUT && context >= 0)
}

/// "Opened URL: http://127.0.0.1:5000", and below it "Please use the browser to log in."
fn is_opened_login_page(words: &str, said: Balance, below: &str) -> bool {
    static OPENED: LazyLock<Regex> = LazyLock::new(|| fixed(r"(?i)\b(?:opened|opening)\b"));
    static LOG_IN: LazyLock<Regex> = LazyLock::new(|| {
        fixed(r"(?i)\bbrowser\b.{0,12}\bto (?:log|sign) in\b|\b(?:log|sign) in\b.{0,24}\bbrowser\b")
    });
    said.bad == 0 && OPENED.is_match(words) && LOG_IN.is_match(below)
}

/// A whole authorization request (RFC 6749 section 4.1.1): whatever is printed beside it, it is no page for a code.
pub(super) fn is_complete_request(url: &str) -> bool {
    static REQUEST: LazyLock<Regex> =
        LazyLock::new(|| fixed(r"(?i)[?&](?:response_type|redirect_ur[il]|code_challenge|callback_url)="));
    REQUEST.is_match(url)
}

/// Whether the URL itself says that a code is typed in there.
pub(super) fn is_device_page(url: &str) -> bool {
    static PAGE: LazyLock<Regex> = LazyLock::new(|| {
        fixed(
            r"(?i)user_?code|[/#](?:device|devicelogin|activate(?:-\w+)*|activation|authorize_device|device-code)/?(?:[?#]|$)|^https?://(?:[\w-]+\.)*device\.",
        )
    });
    PAGE.is_match(url)
}

/// Whether a login URL is one at which a device code is typed in or compared.
pub(super) fn is_verification(url: &str, has_code: bool) -> bool {
    if is_complete_request(url) {
        return false;
    }
    has_code || is_device_page(url) || super::code::code_in_url(url).is_some()
}

/// Whether two URLs are requests to the same page, so that the later one may be a new attempt of the same login.
pub(super) fn is_same_endpoint(one: &str, other: &str) -> bool {
    let parts = |url: &str| {
        let url = Url::parse(url).ok()?;
        Some((url.host_str()?.to_owned(), url.path().split('/').take(3).collect::<Vec<_>>().join("/")))
    };
    parts(one).is_some() && parts(one) == parts(other)
}
