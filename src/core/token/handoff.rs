//! Handoff tokens: one process adopts another's connections (behaviour H).
//!
//! Each descriptor that goes over has a token of its own. Whoever takes it over presents the token; the one who gives
//! it away consumes it, or revokes it when the other has not acknowledged in time. Clock and randomness are arguments.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroize as _;

use crate::core::secret::Secret;
use crate::core::time::Timestamp;

/// How many tokens may be pending.
pub const MOST_PENDING: usize = 1024;

/// How long a token is valid.
pub const HANDOFF_LIFETIME: Duration = Duration::from_secs(30);

/// How long the other process has to present what it was given; then it is revoked.
pub const ACKNOWLEDGE_LIMIT: Duration = Duration::from_secs(5);

/// How many random candidates are tried before issuing is given up.
pub const MOST_CANDIDATES: usize = 16;

/// The shortest lifetime: with none at all, no token could ever be consumed.
const SHORTEST_LIFETIME: Duration = Duration::from_secs(1);

/// Bytes of a token.
const TOKEN_BYTES: usize = 16;

/// A token: 16 random bytes. Nothing of it is shown.
#[derive(Clone)]
pub struct HandoffToken([u8; TOKEN_BYTES]);

impl Drop for HandoffToken {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for HandoffToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("HandoffToken([redacted])")
    }
}

impl PartialEq for HandoffToken {
    /// Compares in constant time.
    fn eq(&self, other: &Self) -> bool {
        bool::from(self.0.ct_eq(&other.0))
    }
}

impl Eq for HandoffToken {}

impl HandoffToken {
    /// Returns it as text for the other process: base64url without padding (RFC 4648 section 5).
    pub fn text(&self) -> Secret {
        Secret::new(URL_SAFE_NO_PAD.encode(self.0))
    }

    /// Reads what the other process presents; absent if it cannot be a token.
    pub fn from_text(text: &Secret) -> Option<Self> {
        let mut bytes = URL_SAFE_NO_PAD.decode(text.secret()).ok()?;
        let token = <[u8; TOKEN_BYTES]>::try_from(&bytes[..]).ok().map(Self);
        bytes.zeroize();
        token
    }
}

/// Why no token was issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IssueError {
    /// As many as may be are pending.
    #[error("{limit} handoff tokens are pending already; wait until one is used or expires")]
    PendingLimitReached {
        /// How many may be.
        limit: usize,
    },
    /// Every random candidate was pending already.
    #[error(
        "{MOST_CANDIDATES} random handoff tokens in a row were pending already; the system's randomness is broken"
    )]
    CollisionExhausted,
}

/// Why a token was not consumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConsumeError {
    /// It is not the one that was expected. Neither of the two was consumed.
    #[error("the handoff token is not the one that was expected")]
    Mismatch,
    /// It came too late, and is gone now.
    #[error("the handoff token has expired")]
    Expired,
    /// It is unknown, was used already, or was revoked.
    #[error("the handoff token is not pending")]
    NotPending,
}

/// All pending tokens.
#[derive(Debug)]
pub struct HandoffTokens {
    capacity: usize,
    lifetime: Duration,
    pending: Vec<(HandoffToken, Timestamp)>,
}

impl Default for HandoffTokens {
    fn default() -> Self {
        Self::new(MOST_PENDING, HANDOFF_LIFETIME)
    }
}

impl HandoffTokens {
    /// Makes an empty store. A capacity of zero or above [`MOST_PENDING`], and a lifetime of next to nothing, are
    /// clamped to what works.
    pub fn new(capacity: usize, lifetime: Duration) -> Self {
        Self {
            capacity: capacity.clamp(1, MOST_PENDING),
            lifetime: lifetime.max(SHORTEST_LIFETIME),
            pending: Vec::new(),
        }
    }

    /// Issues a token; what has expired is forgotten first. `random` is asked for 16 fresh bytes, again if they collide.
    ///
    /// # Errors
    /// Too many are pending, or `random` gives nothing new.
    pub fn issue(
        &mut self,
        now: Timestamp,
        mut random: impl FnMut() -> [u8; TOKEN_BYTES],
    ) -> Result<HandoffToken, IssueError> {
        self.pending.retain(|(_, expires_at)| now < *expires_at);
        if self.pending.len() >= self.capacity {
            return Err(IssueError::PendingLimitReached { limit: self.capacity });
        }
        for _ in 0..MOST_CANDIDATES {
            let candidate = HandoffToken(random());
            if self.position(&candidate).is_none() {
                self.pending.push((candidate.clone(), now.after(self.lifetime)));
                return Ok(candidate);
            }
        }
        Err(IssueError::CollisionExhausted)
    }

    /// Consumes a token that was presented where `expected` was.
    ///
    /// # Errors
    /// It is another one, has expired, or is not pending.
    pub fn consume(
        &mut self,
        now: Timestamp,
        presented: &HandoffToken,
        expected: &HandoffToken,
    ) -> Result<(), ConsumeError> {
        if presented != expected {
            return Err(ConsumeError::Mismatch);
        }
        let position = self.position(presented).ok_or(ConsumeError::NotPending)?;
        let (_, expires_at) = self.pending.swap_remove(position);
        if now < expires_at { Ok(()) } else { Err(ConsumeError::Expired) }
    }

    /// Ends a pending token because the handoff is given up; tells whether it was pending.
    pub fn revoke(&mut self, token: &HandoffToken) -> bool {
        let position = self.position(token);
        position.map(|position| self.pending.swap_remove(position)).is_some()
    }

    /// Returns how many are pending, expired ones among them that nothing has met yet.
    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    /// Compares with every pending one, so that the time it takes tells nothing.
    fn position(&self, token: &HandoffToken) -> Option<usize> {
        let mut found = None;
        for (at, (known, _)) in self.pending.iter().enumerate() {
            if known == token {
                found = Some(at);
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000);

    /// Bytes that are never the same twice.
    fn counting() -> impl FnMut() -> [u8; TOKEN_BYTES] {
        let mut next = 0_u128;
        move || {
            next += 1;
            next.to_be_bytes()
        }
    }

    #[test]
    fn nothing_of_it_is_in_its_debug_form_and_its_text_leads_back() {
        let mut tokens = HandoffTokens::default();
        let token = tokens.issue(NOW, || [0xab; 16]).unwrap();
        let debug = format!("{token:?} {tokens:?}");
        assert!(
            !debug.contains("171") && !debug.contains("ab") && !debug.contains(token.text().secret()),
            "{debug}"
        );
        assert_eq!(HandoffToken::from_text(&token.text()), Some(token));
        for wrong in ["", "AAAA", "not base64!", &"A".repeat(23)] {
            assert_eq!(HandoffToken::from_text(&Secret::new(wrong)), None, "{wrong}");
        }
    }

    #[test]
    fn zero_settings_are_clamped_to_what_works() {
        let mut tokens = HandoffTokens::new(0, Duration::ZERO);
        let token = tokens.issue(NOW, || [1; 16]).unwrap();
        assert_eq!(tokens.issue(NOW, || [2; 16]), Err(IssueError::PendingLimitReached { limit: 1 }));
        assert_eq!(tokens.consume(NOW, &token, &token), Ok(()));
        let mut random = counting();
        let mut tokens = HandoffTokens::new(usize::MAX, HANDOFF_LIFETIME);
        (0..1024).for_each(|_| drop(tokens.issue(NOW, &mut random).unwrap()));
        assert_eq!(tokens.issue(NOW, random), Err(IssueError::PendingLimitReached { limit: 1024 }));
    }

    #[test]
    fn issuing_forgets_what_has_expired() {
        let mut tokens = HandoffTokens::new(2, HANDOFF_LIFETIME);
        let mut random = counting();
        tokens.issue(NOW, &mut random).unwrap();
        tokens.issue(NOW.after(Duration::from_secs(1)), &mut random).unwrap();
        assert!(tokens.issue(NOW.after(Duration::from_millis(29_999)), &mut random).is_err());
        tokens.issue(NOW.after(HANDOFF_LIFETIME), &mut random).unwrap();
        assert_eq!(tokens.pending(), 2);
    }

    #[test]
    fn after_sixteen_candidates_that_collide_it_gives_up() {
        let mut tokens = HandoffTokens::default();
        tokens.issue(NOW, || [7; 16]).unwrap();
        let mut asked = 0;
        let stuck = tokens.issue(NOW, || {
            asked += 1;
            [7; 16]
        });
        assert_eq!((stuck, asked), (Err(IssueError::CollisionExhausted), 16));
        let mut asked = 0;
        let late = tokens.issue(NOW, || {
            asked += 1;
            if asked < 16 { [7; 16] } else { [8; 16] }
        });
        assert_eq!((late.is_ok(), asked), (true, 16));
    }

    #[test]
    fn it_is_consumed_once_and_a_mismatch_consumes_neither() {
        let mut tokens = HandoffTokens::default();
        let mut random = counting();
        let one = tokens.issue(NOW, &mut random).unwrap();
        let other = tokens.issue(NOW, &mut random).unwrap();
        assert_eq!(tokens.consume(NOW, &other, &one), Err(ConsumeError::Mismatch));
        assert_eq!(tokens.pending(), 2);
        assert_eq!(tokens.consume(NOW, &one, &one), Ok(()));
        assert_eq!(tokens.consume(NOW, &one, &one), Err(ConsumeError::NotPending));
        assert_eq!(tokens.consume(NOW, &other, &other), Ok(()));
    }

    #[test]
    fn an_expired_one_is_told_so_once_and_then_is_gone() {
        let mut tokens = HandoffTokens::default();
        let token = tokens.issue(NOW, || [1; 16]).unwrap();
        let late = NOW.after(HANDOFF_LIFETIME);
        assert_eq!(tokens.consume(late, &token, &token), Err(ConsumeError::Expired));
        assert_eq!(tokens.consume(NOW, &token, &token), Err(ConsumeError::NotPending));
    }

    #[test]
    fn a_revoked_one_is_not_pending_when_it_comes_late() {
        let mut tokens = HandoffTokens::default();
        let token = tokens.issue(NOW, || [1; 16]).unwrap();
        assert!(tokens.revoke(&token));
        assert!(!tokens.revoke(&token));
        let late = NOW.after(ACKNOWLEDGE_LIMIT);
        assert_eq!(tokens.consume(late, &token, &token), Err(ConsumeError::NotPending));
    }

    /// What is done to a store, with small numbers so that things collide.
    #[derive(Clone, Debug)]
    enum Step {
        Issue(u8),
        Consume { presented: u8, expected: u8 },
        Revoke(u8),
        Pass(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (0..6_u8).prop_map(Step::Issue),
            (0..6_u8, 0..6_u8).prop_map(|(presented, expected)| Step::Consume { presented, expected }),
            (0..6_u8).prop_map(|token| Step::Consume { presented: token, expected: token }),
            (0..6_u8).prop_map(Step::Revoke),
            (0..20_000_u64).prop_map(Step::Pass),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Compared with the plainest possible account: when each token was issued, if it is still to be used.
        #[test]
        fn a_token_is_redeemed_at_most_once_in_its_time_and_never_more_are_pending_than_may_be(
            steps in prop::collection::vec(step(), 0..200),
        ) {
            let mut tokens = HandoffTokens::new(4, HANDOFF_LIFETIME);
            let mut account = std::collections::BTreeMap::<u8, Timestamp>::new();
            let mut now = NOW;
            let is_over = |issued: Timestamp, now: Timestamp| now >= issued.after(HANDOFF_LIFETIME);
            for step in steps {
                match step {
                    Step::Issue(token) => {
                        account.retain(|_, issued| !is_over(*issued, now));
                        let full = account.len() >= 4;
                        let expected = match (full, account.contains_key(&token)) {
                            (true, _) => Err(IssueError::PendingLimitReached { limit: 4 }),
                            (false, true) => Err(IssueError::CollisionExhausted),
                            (false, false) => Ok(HandoffToken([token; 16])),
                        };
                        if expected.is_ok() {
                            account.insert(token, now);
                        }
                        prop_assert_eq!(tokens.issue(now, || [token; 16]), expected);
                    }
                    Step::Consume { presented, expected } => {
                        let outcome = if presented == expected {
                            match account.remove(&presented) {
                                None => Err(ConsumeError::NotPending),
                                Some(issued) if is_over(issued, now) => Err(ConsumeError::Expired),
                                Some(_) => Ok(()),
                            }
                        } else {
                            Err(ConsumeError::Mismatch)
                        };
                        let (presented, expected) = (HandoffToken([presented; 16]), HandoffToken([expected; 16]));
                        prop_assert_eq!(tokens.consume(now, &presented, &expected), outcome);
                    }
                    Step::Revoke(token) => {
                        let known = account.remove(&token).is_some();
                        prop_assert_eq!(tokens.revoke(&HandoffToken([token; 16])), known);
                    }
                    Step::Pass(milliseconds) => now = now.after(Duration::from_millis(milliseconds)),
                }
                prop_assert_eq!(tokens.pending(), account.len());
                prop_assert!(tokens.pending() <= 4);
            }
        }
    }
}
