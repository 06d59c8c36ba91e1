//! Which rules a line can match at all, from one pass over it.
//!
//! A build log has thousands of lines and none of them is about a login. Before the expressions of
//! [`super::lines`] and [`super::secrets`] see a line, one automaton says which groups of words are on it.

use std::sync::LazyLock;

use aho_corasick::automaton::{Automaton as _, OverlappingState};
use aho_corasick::dfa::DFA;
use aho_corasick::{Anchored, Input};

/// The groups of words on a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Hints(u8);

impl Hints {
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
    ("logged in", Hints::SUCCESS | Hints::LOGIN),
    ("signed in", Hints::SUCCESS | Hints::LOGIN),
    ("log in", Hints::LOGIN),
    ("log-in", Hints::LOGIN),
    ("login", Hints::LOGIN),
    ("logging in", Hints::LOGIN),
    ("sign in", Hints::LOGIN),
    ("sign-in", Hints::LOGIN),
    ("signin", Hints::LOGIN),
    ("authenticated", Hints::SUCCESS),
    ("authorized", Hints::SUCCESS),
    ("authorised", Hints::SUCCESS),
    ("successful", Hints::SUCCESS),
    ("success", Hints::SUCCESS),
    ("succeeded", Hints::SUCCESS),
    ("complete", Hints::SUCCESS),
    ("got code", Hints::SUCCESS),
    ("auth", Hints::LOGIN),
    ("sso", Hints::LOGIN),
    ("one-time", Hints::LOGIN),
    ("device code", Hints::LOGIN),
    ("verification code", Hints::LOGIN),
    ("fail", Hints::FAILURE),
    ("error", Hints::FAILURE),
    ("denied", Hints::FAILURE),
    ("expired", Hints::FAILURE | Hints::CUE),
    ("timed out", Hints::FAILURE),
    ("timeout", Hints::FAILURE),
    ("rejected", Hints::FAILURE | Hints::CUE),
    ("cancel", Hints::FAILURE),
    ("refused", Hints::FAILURE),
    ("unsuccessful", Hints::FAILURE),
    ("unable", Hints::FAILURE),
    ("could", Hints::FAILURE),
    ("cannot", Hints::FAILURE),
    ("declined", Hints::FAILURE),
    ("invalid", Hints::FAILURE | Hints::CUE),
    ("not valid", Hints::FAILURE | Hints::CUE),
    ("not a valid", Hints::FAILURE),
    ("unauthorized", Hints::FAILURE),
    ("consent_", Hints::FAILURE),
    ("_unavailable", Hints::FAILURE),
    ("retry", Hints::CUE),
    ("try again", Hints::CUE),
    ("trying again", Hints::CUE),
    ("incorrect", Hints::CUE),
    ("wrong", Hints::CUE),
    ("instead", Hints::CUE),
    ("falling back", Hints::CUE),
    ("new ", Hints::CUE),
    ("press", Hints::PROMPT),
    ("hit", Hints::PROMPT),
    ("tap", Hints::PROMPT),
    ("arrow", Hints::PROMPT),
    ("y/n", Hints::PROMPT),
    ("yes/no", Hints::PROMPT),
    ("to select", Hints::PROMPT),
    ("token", Hints::SECRET | Hints::LOGIN),
    ("key", Hints::SECRET),
    ("secret", Hints::SECRET),
    ("password", Hints::SECRET),
    ("credential", Hints::LOGIN),
    ("api ", Hints::LOGIN),
    ("sk-", Hints::SECRET),
    ("gh", Hints::SECRET),
    ("npm_", Hints::SECRET),
    ("ia", Hints::SECRET),
    ("eyj", Hints::SECRET),
    ("hf_", Hints::SECRET),
    ("glpat", Hints::SECRET),
    ("xox", Hints::SECRET),
    ("ya29", Hints::SECRET),
    ("_v1_", Hints::SECRET),
    ("k_live", Hints::SECRET),
    ("k_test", Hints::SECRET),
    ("aiza", Hints::SECRET),
    ("pypi-", Hints::SECRET),
    ("_pat_", Hints::SECRET),
    ("fm1_", Hints::SECRET),
    ("fm2_", Hints::SECRET),
    ("hvs.", Hints::SECRET),
    ("dapi", Hints::SECRET),
    ("sbp_", Hints::SECRET),
    ("nfp_", Hints::SECRET),
    ("dp.", Hints::SECRET),
    ("sg.", Hints::SECRET),
];

static AUTOMATON: LazyLock<DFA> = LazyLock::new(|| {
    DFA::builder()
        .ascii_case_insensitive(true)
        .build(WORDS.iter().map(|(word, _)| word))
        .expect("invariant: some dozen short words make a small automaton")
});

/// Returns the groups of words that are on a line.
pub(super) fn hints(text: &str) -> Hints {
    let automaton = &*AUTOMATON;
    let input = Input::new(text).anchored(Anchored::No);
    let mut state = OverlappingState::start();
    let mut found = 0;
    loop {
        // The automaton was built for unanchored overlapping searches, so an error cannot come.
        if automaton.try_find_overlapping(&input, &mut state).is_err() {
            return Hints(u8::MAX);
        }
        match state.get_match() {
            Some(word) => found |= WORDS[word.pattern().as_usize()].1,
            None => break,
        }
    }
    if text.trim_end().ends_with([':', '>', '?', ')', '🔑', '_', '*', '●', '•', '█'])
        || text.starts_with("? ")
    {
        found |= Hints::PROMPT;
    }
    Hints(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_groups_are_those_of_the_words() {
        assert_eq!(hints("Compiling widgets v0.4.2"), Hints::default());
        assert!(hints("You are now LOGGED IN.").success());
        assert!(hints("User denied authorization").failure());
        assert!(hints("Press Enter to open").prompt() && hints("Your thing:").prompt());
        assert!(hints("the code has expired").cue() && hints("the code has expired").failure());
        assert!(hints("Your API key").secret() && hints("one-time password").login());
    }
}
