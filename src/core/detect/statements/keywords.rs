//! Which rules a line can match at all, from one pass over it.
//!
//! A build log has thousands of lines and none of them is about a login. Before the expressions of
//! [`super::outcomes`] and [`super::prompts`] and [`crate::core::detect::secrets`] see a line, one automaton says which groups of words are on it.

use std::sync::LazyLock;

use aho_corasick::automaton::{Automaton as _, OverlappingState};
use aho_corasick::dfa::DFA;
use aho_corasick::{Anchored, Input};

use crate::core::tokens::TOKEN_FORMS;

/// The groups of words on a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::core::detect) struct Keywords(u8);

impl Keywords {
    const SUCCESS: u8 = 1;
    const FAILURE: u8 = 2;
    const PROMPT: u8 = 4;
    const CUE: u8 = 8;
    const SECRET: u8 = 16;
    const LOGIN: u8 = 32;

    /// Some rule has to read it.
    pub fn any(self) -> bool {
        self.0 != 0
    }

    /// It may say that the login worked.
    pub fn success(self) -> bool {
        self.0 & Self::SUCCESS != 0
    }

    /// It may say that the login failed.
    pub fn failure(self) -> bool {
        self.0 & Self::FAILURE != 0
    }

    /// It may ask for something.
    pub fn prompt(self) -> bool {
        self.0 & Self::PROMPT != 0
    }

    /// It may give an attempt up.
    pub fn cue(self) -> bool {
        self.0 & Self::CUE != 0
    }

    /// It may hold or announce a secret.
    pub fn secret(self) -> bool {
        self.0 & Self::SECRET != 0
    }

    /// It may be about a login.
    pub fn login(self) -> bool {
        self.0 & Self::LOGIN != 0
    }
}

/// Words (ASCII case does not matter) and the groups that they belong to.
const WORDS: &[(&str, u8)] = &[
    ("logged in", Keywords::SUCCESS | Keywords::LOGIN),
    ("signed in", Keywords::SUCCESS | Keywords::LOGIN),
    ("log in", Keywords::LOGIN),
    ("log-in", Keywords::LOGIN),
    ("login", Keywords::LOGIN),
    ("logging in", Keywords::LOGIN),
    ("sign in", Keywords::LOGIN),
    ("sign-in", Keywords::LOGIN),
    ("signin", Keywords::LOGIN),
    ("authenticated", Keywords::SUCCESS),
    ("authorized", Keywords::SUCCESS),
    ("authorised", Keywords::SUCCESS),
    ("successful", Keywords::SUCCESS),
    ("success", Keywords::SUCCESS),
    ("succeeded", Keywords::SUCCESS),
    ("complete", Keywords::SUCCESS),
    ("got code", Keywords::SUCCESS),
    ("auth", Keywords::LOGIN),
    ("sso", Keywords::LOGIN),
    ("one-time", Keywords::LOGIN),
    ("device code", Keywords::LOGIN),
    ("verification code", Keywords::LOGIN),
    ("fail", Keywords::FAILURE),
    ("error", Keywords::FAILURE),
    ("denied", Keywords::FAILURE),
    ("expired", Keywords::FAILURE | Keywords::CUE),
    ("timed out", Keywords::FAILURE),
    ("timeout", Keywords::FAILURE),
    ("rejected", Keywords::FAILURE | Keywords::CUE),
    ("cancel", Keywords::FAILURE),
    ("refused", Keywords::FAILURE),
    ("unsuccessful", Keywords::FAILURE),
    ("unable", Keywords::FAILURE),
    ("could", Keywords::FAILURE),
    ("cannot", Keywords::FAILURE),
    ("declined", Keywords::FAILURE),
    ("invalid", Keywords::FAILURE | Keywords::CUE),
    ("not valid", Keywords::FAILURE | Keywords::CUE),
    ("not a valid", Keywords::FAILURE),
    ("unauthorized", Keywords::FAILURE),
    ("consent_", Keywords::FAILURE),
    ("_unavailable", Keywords::FAILURE),
    ("retry", Keywords::CUE),
    ("try again", Keywords::CUE),
    ("trying again", Keywords::CUE),
    ("incorrect", Keywords::CUE),
    ("wrong", Keywords::CUE),
    ("instead", Keywords::CUE),
    ("falling back", Keywords::CUE),
    ("new ", Keywords::CUE),
    ("otp", Keywords::PROMPT | Keywords::LOGIN),
    ("code", Keywords::PROMPT),
    ("paste", Keywords::PROMPT),
    ("enter ", Keywords::PROMPT),
    ("insert ", Keywords::PROMPT),
    ("token", Keywords::PROMPT),
    ("password", Keywords::PROMPT),
    ("linked", Keywords::SUCCESS),
    ("connected", Keywords::SUCCESS),
    ("paired", Keywords::SUCCESS),
    ("enrolled", Keywords::SUCCESS),
    ("registered", Keywords::SUCCESS),
    ("welcome", Keywords::SUCCESS),
    ("press", Keywords::PROMPT),
    ("hit", Keywords::PROMPT),
    ("tap", Keywords::PROMPT),
    ("arrow", Keywords::PROMPT),
    ("y/n", Keywords::PROMPT),
    ("yes/no", Keywords::PROMPT),
    ("to select", Keywords::PROMPT),
    ("token", Keywords::SECRET | Keywords::LOGIN),
    ("key", Keywords::SECRET),
    ("secret", Keywords::SECRET),
    ("password", Keywords::SECRET),
    ("credential", Keywords::LOGIN),
    ("api ", Keywords::LOGIN),
];

/// The words, and what tokens begin with.
fn words() -> impl Iterator<Item = (&'static str, u8)> {
    let tokens = TOKEN_FORMS.iter().flat_map(|form| form.parts).map(|part| (*part, Keywords::SECRET));
    WORDS.iter().copied().chain(tokens)
}

/// The groups of [`words`], by their numbers in the automaton.
static GROUPS: LazyLock<Vec<u8>> = LazyLock::new(|| words().map(|(_, groups)| groups).collect());

static AUTOMATON: LazyLock<DFA> = LazyLock::new(|| {
    DFA::builder()
        .ascii_case_insensitive(true)
        .build(words().map(|(word, _)| word))
        .expect("invariant: some dozen short words make a small automaton")
});

/// Returns the groups of words that are on a line.
pub(in crate::core::detect) fn keywords(text: &str) -> Keywords {
    let automaton = &*AUTOMATON;
    let input = Input::new(text).anchored(Anchored::No);
    let mut state = OverlappingState::start();
    let mut found = 0;
    loop {
        // The automaton was built for unanchored overlapping searches, so an error cannot come.
        if automaton.try_find_overlapping(&input, &mut state).is_err() {
            return Keywords(u8::MAX);
        }
        match state.get_match() {
            Some(word) => found |= GROUPS.get(word.pattern().as_usize()).copied().unwrap_or_default(),
            None => break,
        }
    }
    if text.trim_end().ends_with([':', '>', '?', ')', '🔑', '_', '*', '●', '•', '█'])
        || text.starts_with("? ")
    {
        found |= Keywords::PROMPT;
    }
    Keywords(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_groups_are_those_of_the_words() {
        assert_eq!(keywords("Compiling widgets v0.4.2"), Keywords::default());
        assert!(keywords("You are now LOGGED IN.").success());
        assert!(keywords("User denied authorization").failure());
        assert!(keywords("Press Enter to open").prompt() && keywords("Your thing:").prompt());
        assert!(keywords("the code has expired").cue() && keywords("the code has expired").failure());
        assert!(keywords("Your API key").secret() && keywords("one-time password").login());
    }
}
