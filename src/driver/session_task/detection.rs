//! Turns what the detector finds into facts for the engine.

use std::sync::Arc;

use crate::core::detect::Detector;
use crate::core::input::{Found, SessionInput};
use crate::core::provider::Provider;
use crate::core::screen::Screen;
use crate::core::secret::Secret;

/// What came of feeding or looking.
#[derive(Debug, Default)]
pub(super) struct Noticed {
    /// Facts, in order.
    pub inputs: Vec<SessionInput>,
    /// What must not be shown any more.
    pub secrets: Vec<Secret>,
}

/// URLs that one child may open before the further ones are passed over.
const MOST_OPENED: usize = 256;

/// The detector of one session.
pub(super) struct Detection {
    detector: Detector,
    /// How many URLs the child has opened.
    opened: usize,
}

impl Detection {
    pub fn new(provider: Option<Arc<Provider>>) -> Self {
        Self { detector: Detector::new(provider), opened: 0 }
    }

    /// Feeds the screen; the detector looks at it whenever the bytes themselves call for it.
    pub fn feed(&mut self, screen: &mut Screen, bytes: &[u8]) -> Noticed {
        let found = self.detector.feed(screen, bytes);
        self.noticed(found)
    }

    /// Looks because the child is quiet: what it waits for is on the screen.
    pub fn quiet(&mut self, screen: &Screen) -> Noticed {
        let found = self.detector.quiet(screen);
        self.noticed(found)
    }

    /// Tells whether a look at the screen would find nothing new.
    pub fn has_seen(&mut self, screen: &Screen) -> bool {
        self.detector.has_seen(screen)
    }

    /// Looks for the last time.
    pub fn finish(&mut self, screen: &mut Screen) -> Noticed {
        let found = self.detector.finish(screen);
        self.noticed(found)
    }

    /// Takes a URL that the child handed to a browser. Only so many count: each is remembered.
    pub fn opened(&mut self, url: &str) -> Noticed {
        self.opened += 1;
        if self.opened > MOST_OPENED {
            return Noticed::default();
        }
        let found = self.detector.opened(url).into_iter().collect();
        self.noticed(found)
    }

    fn noticed(&mut self, found: Vec<Found>) -> Noticed {
        let mut inputs: Vec<SessionInput> = Vec::new();
        if self.detector.take_prompt_gone() {
            inputs.push(SessionInput::PromptGone);
        }
        inputs.extend(found.into_iter().map(|found| SessionInput::Found(Box::new(found))));
        Noticed { inputs, secrets: self.detector.take_secrets() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::finding::FindingKind;
    use crate::core::screen::{ScreenLimits, Size};

    fn kinds(noticed: &Noticed) -> Vec<FindingKind> {
        let kind = |input: &SessionInput| match input {
            SessionInput::Found(found) => Some(found.finding.kind),
            _ => None,
        };
        noticed.inputs.iter().filter_map(kind).collect()
    }

    #[test]
    fn what_is_printed_becomes_facts_and_secrets_once() {
        let mut screen = Screen::new(Size { columns: 80, rows: 24 }, ScreenLimits::default());
        let mut detection = Detection::new(None);
        let token = format!("gho_{}", "a1".repeat(18));
        let text = format!(
            "To sign in, visit https://a.example/login/device\r\nand enter the code: WDJB-MJHT\r\nYour token: {token}\r\n"
        );
        let fed = detection.feed(&mut screen, text.as_bytes());
        let settled = detection.quiet(&screen);
        let expected = [FindingKind::VerificationUrl, FindingKind::DeviceCode, FindingKind::Secret];
        assert_eq!([kinds(&fed), kinds(&settled)].concat(), expected);
        assert!(fed.secrets.iter().chain(&settled.secrets).any(|secret| secret.matches(&token)));
        assert!(kinds(&detection.finish(&mut screen)).is_empty());
    }
}
