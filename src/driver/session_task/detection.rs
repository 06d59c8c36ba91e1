//! Feeds the detector and turns what it finds into facts for the engine.

use std::fmt;
use std::sync::Arc;

use crate::core::detect::Detector;
use crate::core::input::{Found as Finding, SessionInput};
use crate::core::provider::Provider;
use crate::core::screen::Screen;
use crate::core::secret::Secret;

/// What a look found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Facts, in order.
    pub inputs: Vec<SessionInput>,
    /// What must not be shown any more.
    pub secrets: Vec<Secret>,
}

/// The detector of one session.
pub(super) struct Detection {
    detector: Detector,
    /// Found while output came, and not told yet.
    untold: Vec<Finding>,
}

impl fmt::Debug for Detection {
    /// Shows no content: it may hold secrets.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Detection").field("untold", &self.untold.len()).finish_non_exhaustive()
    }
}

impl Detection {
    pub fn new(provider: Option<Arc<Provider>>) -> Self {
        Self { detector: Detector::new(provider), untold: Vec::new() }
    }

    /// Feeds output to the screen, looking at it wherever something would be overwritten unseen.
    pub fn feed(&mut self, screen: &mut Screen, bytes: &[u8]) {
        self.untold.extend(self.detector.feed(screen, bytes));
    }

    /// Returns what was found since the last look; `settled` if nothing more is expected for now, and then what
    /// stands on the screen counts as whole.
    pub fn look(&mut self, screen: &mut Screen, settled: bool) -> Found {
        if settled {
            self.untold.extend(self.detector.quiet(screen));
        }
        let mut inputs: Vec<SessionInput> = Vec::new();
        if self.detector.take_prompt_gone() {
            inputs.push(SessionInput::PromptGone);
        }
        inputs.extend(self.untold.drain(..).map(|found| SessionInput::Found(Box::new(found))));
        Found { inputs, secrets: self.detector.take_secrets() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::finding::FindingKind;
    use crate::core::screen::{ScreenLimits, Size};

    #[test]
    fn what_is_printed_becomes_facts_and_secrets() {
        let mut screen = Screen::new(Size { columns: 80, rows: 24 }, ScreenLimits::default());
        let mut detection = Detection::new(None);
        detection.feed(&mut screen, b"To sign in, visit https://a.example/login/device\r\n");
        detection.feed(&mut screen, b"and enter the code: WDJB-MJHT\r\n");
        let token = format!("gho_{}", "a1".repeat(18));
        detection.feed(&mut screen, format!("Your token: {token}\r\n").as_bytes());
        let found = detection.look(&mut screen, true);
        let kinds: Vec<FindingKind> = found
            .inputs
            .iter()
            .filter_map(|input| match input {
                SessionInput::Found(found) => Some(found.finding.kind),
                _ => None,
            })
            .collect();
        assert_eq!(kinds, [FindingKind::VerificationUrl, FindingKind::DeviceCode, FindingKind::Secret]);
        assert!(found.secrets.iter().any(|secret| secret.matches(&token)));
        assert!(detection.look(&mut screen, true).inputs.is_empty(), "each is told once");
    }
}
