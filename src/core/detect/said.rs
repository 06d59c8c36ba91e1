//! What texts say by themselves, remembered from one look at the screen to the next.
//!
//! Most lines of a screen are the same at the next look, and reading one with all expressions costs more than all else.
//! Nothing here depends on anything but the text.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use super::hints::{Hints, hints};
use super::lines::{self, Reading};
use super::secrets;

/// What one text says. Each part is read when it is asked for, because that may compile expressions.
pub(super) struct Said {
    /// The groups of words on it.
    pub hints: Hints,
    /// The text without URLs.
    pub masked: String,
    about_login: OnceLock<bool>,
    identity: OnceLock<Option<String>>,
    readings: OnceLock<Vec<Reading>>,
    secrets: OnceLock<Vec<Range<usize>>>,
}

impl Said {
    fn by(text: &str) -> Self {
        Self {
            hints: hints(text),
            masked: lines::without_urls(text),
            about_login: OnceLock::new(),
            identity: OnceLock::new(),
            readings: OnceLock::new(),
            secrets: OnceLock::new(),
        }
    }

    /// Whether it is about a login at all; `text` is the same as ever, as in all that follow.
    pub fn is_about_login(&self, text: &str) -> bool {
        self.hints.login() && *self.about_login.get_or_init(|| lines::is_about_login(text))
    }

    /// Who it names in passing.
    pub fn identity(&self, text: &str) -> Option<&String> {
        self.identity.get_or_init(|| lines::identity_in_passing(text)).as_ref()
    }

    /// What the generic rules read on it.
    pub fn readings(&self, text: &str) -> &[Reading] {
        self.readings.get_or_init(|| lines::read(text, &self.masked, self.hints))
    }

    /// The bytes of it that are secret.
    pub fn secrets(&self, text: &str) -> &[Range<usize>] {
        self.secrets.get_or_init(|| secrets::secret_spans(text))
    }
}

/// What the texts of the last look said, and those of the one that is going on.
#[derive(Default)]
pub(super) struct Sayings {
    /// With the number of the look that last asked.
    texts: HashMap<String, (u64, Arc<Said>)>,
    looks: u64,
}

impl fmt::Debug for Sayings {
    /// Shows no content: it may hold secrets.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Sayings").field("texts", &self.texts.len()).finish_non_exhaustive()
    }
}

impl Sayings {
    /// Returns what a text says.
    pub fn of(&mut self, text: &str) -> Arc<Said> {
        if let Some((look, said)) = self.texts.get_mut(text) {
            *look = self.looks;
            return Arc::clone(said);
        }
        let said = Arc::new(Said::by(text));
        self.texts.insert(text.to_owned(), (self.looks, Arc::clone(&said)));
        said
    }

    /// Forgets, at the end of a look, what was not on the page.
    pub fn forget_others(&mut self) {
        self.texts.retain(|_, (look, _)| *look == self.looks);
        self.looks += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_read_once_while_it_stays_on_the_page() {
        let mut sayings = Sayings::default();
        let text = "Logged in as octocat";
        let first = sayings.of(text);
        assert_eq!(first.readings(text).len(), 1);
        assert!(Arc::ptr_eq(&first, &sayings.of(text)));
        sayings.forget_others();
        assert!(Arc::ptr_eq(&first, &sayings.of(text)));
        sayings.forget_others();
        sayings.forget_others();
        assert!(!Arc::ptr_eq(&first, &sayings.of(text)));
    }
}
