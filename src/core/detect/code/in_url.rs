//! The device code that a URL carries.

use std::sync::LazyLock;

use regex::Regex;

use super::form;
use crate::core::detect::expression::fixed;

/// Returns the device code that a URL carries: `user_code=…`, `code=…` on a device page, or the last part of a
/// short link that is nothing but a code.
pub(in crate::core::detect) fn code_in_url(url: &str) -> Option<String> {
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

/// Whether a URL says of its parameter that it is the code of a person (RFC 8628 section 3.3.1).
pub(in crate::core::detect) fn names_user_code(url: &str) -> bool {
    static NAMED: LazyLock<Regex> = LazyLock::new(|| fixed(r"(?i)user_?code|[?&]otc="));
    NAMED.is_match(url)
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
