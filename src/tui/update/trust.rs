//! Whom to believe about a URL. A verdict is made where it is used: what the supervisor of another machine says of a URL
//! can make it worse here, never better.

use crate::core::detect::judge;
use crate::core::finding::Verdict;
use crate::core::visible::is_format_character;
use crate::protocol::snapshot::{SessionView, UrlView};
use crate::tui::model::Model;

/// Judges the URL of a session of another machine by this machine's own catalogue.
pub fn judged_here(model: &Model, session: &mut SessionView) {
    let (true, Some(url)) = (model.remote, &mut session.url) else { return };
    let catalogue = model.settings.catalogue.as_deref();
    let provider = session.provider_id.as_ref().and_then(|id| catalogue?.get(id.as_str()));
    let judged = judge(&url.url, provider.as_deref(), false);
    url.host = judged.host.unwrap_or_default();
    if url.verdict != Verdict::Suspicious || judged.verdict == Verdict::Suspicious {
        (url.verdict, url.reason) = (judged.verdict, judged.reason);
    }
}

/// Says what a person should read before a URL is used; absent if there is nothing against it.
pub fn doubt(url: &UrlView) -> Option<String> {
    let disputed =
        "What the CLI drew on its screen and what it sent differ, so this URL may not be the one it means.";
    match url.verdict {
        _ if url.disputed => Some(disputed.to_owned()),
        Verdict::Suspicious => Some(format!("This URL is suspicious: {}.", url.reason)),
        Verdict::Expected | Verdict::Unknown => None,
    }
}

/// Tells whether a text does nothing but stand there once it is pasted: no line break, nothing that cannot be seen.
pub fn is_plain(text: &str) -> bool {
    !text.chars().any(|letter| letter.is_control() || letter.is_whitespace() || is_format_character(letter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_break_or_what_is_hidden_is_not_plain() {
        assert!(is_plain("https://example.com/?a=b%20c") && is_plain("ABCD-1234"));
        for text in ["https://example.com/\nrm -rf", "a b", "a\u{1b}[2J", "a\u{202e}b", "a\u{200b}", "\u{9b}"]
        {
            assert!(!is_plain(text), "{text:?}");
        }
    }
}
