//! A session's changes as lines for a person: each says what is new, and nothing is said twice.

use crate::core::visible::TerminalText;
use crate::protocol::snapshot::{SessionView, UrlView};

/// What was said of a session already.
#[derive(Debug, Default)]
pub(super) struct Spoken {
    code: Option<String>,
    url: Option<UrlView>,
    prompt: Option<String>,
    waiting: String,
}

impl Spoken {
    /// Returns what is new, in the order in which a person needs it.
    pub(super) fn lines(&mut self, session: &SessionView) -> Vec<TerminalText> {
        let mut lines = Vec::new();
        if self.url != session.url {
            lines.extend(session.url.iter().flat_map(url_lines));
            self.url.clone_from(&session.url);
        }
        if self.code != session.code {
            lines.extend(session.code.iter().map(|code| TerminalText::line(&format!("Code: {code}"))));
            self.code.clone_from(&session.code);
        }
        if self.prompt != session.prompt {
            lines.extend(
                session.prompt.iter().map(|prompt| TerminalText::line(&format!("It asks: {prompt}"))),
            );
            self.prompt.clone_from(&session.prompt);
        }
        if self.waiting != session.waiting_text {
            lines.push(sentence(&session.waiting_text));
            self.waiting.clone_from(&session.waiting_text);
        }
        lines
    }
}

fn url_lines(url: &UrlView) -> [TerminalText; 2] {
    let dispute = if url.disputed { "; screen and output disagree about it, so read it well" } else { "" };
    // The URL stands alone on its line, so that it can be taken from there as it is.
    [
        TerminalText::line(&format!("URL: {}", url.url)),
        TerminalText::line(&format!("Host: {} ({}{dispute})", url.host, url.reason)),
    ]
}

fn sentence(text: &str) -> TerminalText {
    let mut characters = text.chars();
    let first: String = characters.next().into_iter().flat_map(char::to_uppercase).collect();
    TerminalText::line(&format!("{first}{}.", characters.as_str().trim_end_matches('.')))
}
