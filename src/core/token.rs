//! Credentials of the local API: [`ticket`]s for outside clients (behaviour W1), and the internal one (W2); and the tokens
//! with which one supervisor hands its connections to the next ([`handoff`], behaviour H).
//!
//! Processes that authdeck itself starts show it on every connection. It is made once per supervisor from randomness
//! that the runtime drew, compared in constant time, and leaves the process in a child's environment only. A child
//! of an earlier supervisor still has that one's: its keeper holds it in memory and hands it to the next supervisor,
//! which accepts it from that session's processes and from nobody else.

pub mod handoff;
pub mod ticket;

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::ids::SessionId;
use super::secret::Secret;

/// What a process that showed a valid internal credential is called in every record.
pub const INTERNAL_IDENTITY: &str = "server-internal";

/// The internal credential of this supervisor, and those of adopted sessions.
#[derive(Debug, Default)]
pub struct InternalCredential {
    own: Option<Secret>,
    adopted: BTreeMap<SessionId, Secret>,
}

impl InternalCredential {
    /// Makes the credential, unless it is there already. Before this, every value is refused.
    pub fn make(&mut self, random: [u8; 32]) -> &Secret {
        self.own.get_or_insert_with(|| Secret::new(URL_SAFE_NO_PAD.encode(random)))
    }

    /// Returns the credential, to be put into a child's environment or handed to its keeper, and nowhere else.
    pub fn own(&self) -> Option<&Secret> {
        self.own.as_ref()
    }

    /// Accepts the credential with which an earlier supervisor started a session. An empty one is not accepted.
    pub fn adopt(&mut self, session: SessionId, credential: Secret) {
        if !credential.is_empty() {
            self.adopted.insert(session, credential);
        }
    }

    /// Accepts a session's adopted credential no longer.
    pub fn forget(&mut self, session: &SessionId) {
        self.adopted.remove(session);
    }

    /// Tells whether the credential is valid for a process that says it runs in `session`. Both comparisons are
    /// made, whatever the first one says, and each takes time that depends on lengths only.
    #[must_use]
    pub fn accepts(&self, presented: &Secret, session: Option<&SessionId>) -> bool {
        let matches = |known: Option<&Secret>| known.is_some_and(|known| known.matches(presented.secret()));
        let own = matches(self.own.as_ref());
        let adopted = matches(session.and_then(|session| self.adopted.get(session)));
        !presented.is_empty() && (own | adopted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::new(text)
    }

    #[test]
    fn every_value_is_refused_before_it_is_made() {
        let credential = InternalCredential::default();
        for value in ["", "A", &URL_SAFE_NO_PAD.encode([0; 32])] {
            assert!(!credential.accepts(&secret(value), None), "{value}");
        }
    }

    #[test]
    fn it_is_made_once_and_may_be_shown_again_and_again() {
        let mut credential = InternalCredential::default();
        let first = credential.make([7; 32]).clone();
        let second = credential.make([8; 32]).clone();
        assert_eq!(first.secret(), second.secret());
        assert_eq!(first.len(), 43, "32 bytes, base64url without padding");
        assert!(credential.accepts(&first, None) && credential.accepts(&first, None));
        assert!(credential.accepts(&first, Some(&SessionId::new("auth-any"))));
    }

    #[test]
    fn another_value_is_refused() {
        let mut credential = InternalCredential::default();
        let right = credential.make([7; 32]).secret().to_owned();
        for wrong in [String::new(), right[..42].to_owned(), format!("{right}A"), right.to_lowercase()] {
            assert!(!credential.accepts(&secret(&wrong), None), "{wrong}");
        }
    }

    #[test]
    fn an_adopted_one_counts_for_its_session_only() {
        let mut credential = InternalCredential::default();
        let (one, two) = (SessionId::new("auth-1"), SessionId::new("auth-2"));
        credential.adopt(one.clone(), secret("old"));
        credential.adopt(two.clone(), Secret::default());
        assert!(credential.accepts(&secret("old"), Some(&one)));
        assert!(!credential.accepts(&secret("old"), Some(&two)));
        assert!(!credential.accepts(&secret("old"), None));
        assert!(!credential.accepts(&secret(""), Some(&two)));
        credential.forget(&one);
        assert!(!credential.accepts(&secret("old"), Some(&one)));
    }

    #[test]
    fn nothing_of_it_is_in_its_debug_form() {
        let mut credential = InternalCredential::default();
        let shown = credential.make([9; 32]).secret().to_owned();
        credential.adopt(SessionId::new("auth-1"), secret("canary"));
        let debug = format!("{credential:?}");
        assert!(!debug.contains(&shown) && !debug.contains("canary"), "{debug}");
    }
}
