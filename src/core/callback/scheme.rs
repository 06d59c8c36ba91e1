//! Callbacks of a scheme of the CLI's own (RFC 8252 section 7.1): `globalprotectcallback:…`, `com.example.app:/cb?…`. No
//! browser here can follow them, so CLIs that run on another machine ask for them.

use super::address::{decode, single, state_of};
use super::{Delivery, PasteContext, PasteRefusal, plain};
use crate::core::finding::Expects;
use crate::core::secret::Secret;

/// Schemes that are no callback of a CLI: what they name is run, opened or fetched.
const OTHERS: [&str; 24] = [
    "http",
    "https",
    "javascript",
    "vbscript",
    "data",
    "file",
    "blob",
    "about",
    "view-source",
    "mailto",
    "ftp",
    "ftps",
    "sftp",
    "ssh",
    "telnet",
    "tel",
    "sms",
    "smb",
    "nfs",
    "ws",
    "wss",
    "ldap",
    "jar",
    "chrome",
];

/// The least that follows the scheme; a code may have a colon in it too.
const LEAST: usize = 8;

/// Tells whether a text is a callback of a scheme of its own.
pub(super) fn is_callback(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let lower = scheme.to_ascii_lowercase();
    let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    let is_scheme = scheme.len() >= 3
        && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(letters);
    let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
    let is_port =
        !port.is_empty() && (rest.len() == port.len() || rest[port.len()..].starts_with(['/', '?']));
    is_scheme && !is_port && lower != "localhost" && !OTHERS.contains(&lower.as_str()) && rest.len() >= LEAST
}

/// Judges such a callback: it goes to the CLI's prompt as it is.
pub(super) fn judge(pasted: &Secret, context: &PasteContext<'_>) -> Result<Delivery, PasteRefusal> {
    belongs(pasted.secret(), context)?;
    match context.expects {
        Some(Expects::Code | Expects::CallbackUrl | Expects::Secret) => {}
        // A prompt may have escaped the detector, and nothing else takes such a URL.
        None if context.answers.is_empty() && !context.authorize_urls.is_empty() => {}
        Some(Expects::Choice | Expects::Enter) | None => plain::wanted(context)?,
    }
    Ok(Delivery::Stdin { text: pasted.clone(), what: "the URL" })
}

/// Checks its `state`, if it has one and the login has one.
fn belongs(text: &str, context: &PasteContext<'_>) -> Result<(), PasteRefusal> {
    let (_, rest) = text.split_once(':').unwrap_or_default();
    let query = rest.split_once('?').map_or(rest, |(_, query)| query);
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let parameters: Vec<_> =
        pairs.filter_map(|(name, value)| Some((decode(name).ok()?, decode(value).ok()?))).collect();
    let Some(state) = single(&parameters, "state") else { return Ok(()) };
    let is = |url: &&str| state_of(url).is_some_and(|own| Secret::new(own).matches(&state));
    let has_state = context.authorize_urls.iter().any(|url| state_of(url).is_some());
    if !has_state || context.authorize_urls.iter().any(is) {
        return Ok(());
    }
    let superseded = context.superseded_urls.iter().any(is);
    Err(if superseded { PasteRefusal::Superseded } else { PasteRefusal::StateWrong })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemes_of_clis_are_told_from_others() {
        for text in [
            "globalprotectcallback:cas-as=1&un=dev&token=abc",
            "globalprotectcallback:PHNhbWw+PC9zYW1sPg==",
            "com.example.app:/oauth2redirect?code=abc",
            "vscode://vendor.login/cb?code=abc",
        ] {
            assert!(is_callback(text), "{text}");
        }
        for text in [
            "http://localhost:1/?code=a",
            "localhost:1455/cb?code=abc",
            "example.com:8080/cb?code=abc",
            "javascript:alert(1)//abcdefgh",
            "data:text/html,abcdefgh",
            "file:///etc/passwd",
            "ab:cdefghijklm",
            "abc:def",
            "a code: abcdefghij",
            "SSH://example.com/abcdefg",
        ] {
            assert!(!is_callback(text), "{text}");
        }
    }
}
