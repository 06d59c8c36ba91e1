//! Tickets: with one of them an outside client, such as a page in a browser, comes in once (behaviour W1).
//!
//! A ticket is bound to a user and, if whoever mints it wants that, to a provider: then the client sees and starts
//! logins of that provider only. Clock and randomness are arguments. Every presented value is compared with every
//! pending ticket in constant time, and an unknown, a used and an expired one get the same answer.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::core::ids::ProviderId;
use crate::core::secret::{self, Secret};
use crate::core::time::Timestamp;

/// How long a ticket is valid.
pub const TICKET_LIFETIME: Duration = Duration::from_secs(30);

/// How many tickets may be pending.
pub const MOST_TICKETS: usize = 1024;

/// How many characters of a refused ticket are shown.
const SHOWN: usize = 8;

/// Whom a ticket lets in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketHolder {
    /// The user in whose name it was minted.
    pub user: String,
    /// The only provider whose logins it opens; absent: all of them.
    pub provider: Option<ProviderId>,
}

/// A fresh ticket. It is written as it is only for the process that takes this one's place.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ticket {
    /// What is to be presented: 32 random bytes in base64url without padding (RFC 4648 section 5).
    #[serde(with = "secret::exposed")]
    pub value: Secret,
    /// Whom it lets in.
    pub holder: TicketHolder,
    /// From when on it is refused.
    pub expires_at: Timestamp,
}

/// No further ticket can be minted: too many are pending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{MOST_TICKETS} tickets wait to be used already; one that is not used ends after {} s", TICKET_LIFETIME.as_secs())]
pub struct TooManyTickets;

/// A ticket was not accepted. It shows the beginning of what was presented, so that it can be found again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the ticket {shown} is not valid: it is unknown, was used, or is older than {} s; get a new one", TICKET_LIFETIME.as_secs())]
pub struct TicketRefused {
    shown: String,
}

/// All pending tickets.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Tickets {
    pending: Vec<Ticket>,
}

impl Tickets {
    /// Makes a ticket from 32 random bytes.
    ///
    /// # Errors
    /// Too many are pending.
    pub fn mint(
        &mut self,
        now: Timestamp,
        random: [u8; 32],
        holder: TicketHolder,
    ) -> Result<Ticket, TooManyTickets> {
        self.forget_expired(now);
        if self.pending.len() >= MOST_TICKETS {
            return Err(TooManyTickets);
        }
        let value = Secret::new(URL_SAFE_NO_PAD.encode(random));
        let ticket = Ticket { value, holder, expires_at: now.after(TICKET_LIFETIME) };
        self.pending.push(ticket.clone());
        Ok(ticket)
    }

    /// Uses a ticket up, and tells whom it lets in.
    ///
    /// # Errors
    /// It is unknown, used, expired or empty.
    pub fn redeem(&mut self, now: Timestamp, presented: &Secret) -> Result<TicketHolder, TicketRefused> {
        self.forget_expired(now);
        let mut found = None;
        for (at, ticket) in self.pending.iter().enumerate() {
            if ticket.value.matches(presented.secret()) {
                found = Some(at);
            }
        }
        let found = found.ok_or_else(|| TicketRefused { shown: beginning(presented.secret()) })?;
        Ok(self.pending.swap_remove(found).holder)
    }

    /// Counts what is pending.
    pub fn pending(&self, now: Timestamp) -> usize {
        self.pending.iter().filter(|ticket| now < ticket.expires_at).count()
    }

    fn forget_expired(&mut self, now: Timestamp) {
        self.pending.retain(|ticket| now < ticket.expires_at);
    }
}

/// Returns the first characters in quotes: a quarter at most, for it may be another secret that was shown by mistake.
fn beginning(presented: &str) -> String {
    let count = SHOWN.min(presented.chars().count() / 4);
    let shown: String = presented.chars().filter(char::is_ascii_graphic).take(count).collect();
    format!("`{shown}…`")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn holder() -> TicketHolder {
        TicketHolder { user: "1000".into(), provider: Some(ProviderId::new("gh")) }
    }

    fn at(seconds: f64) -> Timestamp {
        Timestamp(1_000_000).after(Duration::from_secs_f64(seconds))
    }

    #[test]
    fn it_lets_its_holder_in_once() {
        let mut tickets = Tickets::default();
        let ticket = tickets.mint(at(0.0), [7; 32], holder()).unwrap();
        assert_eq!(ticket.value.len(), 43, "32 bytes, base64url without padding");
        assert_eq!(tickets.redeem(at(1.0), &ticket.value), Ok(holder()));
        assert!(tickets.redeem(at(1.0), &ticket.value).is_err());
        assert_eq!(tickets.pending(at(1.0)), 0);
    }

    #[test]
    fn it_is_valid_for_thirty_seconds_and_not_a_moment_longer() {
        let mut tickets = Tickets::default();
        let early = tickets.mint(at(0.0), [1; 32], holder()).unwrap();
        let late = tickets.mint(at(0.0), [2; 32], holder()).unwrap();
        assert_eq!(tickets.redeem(at(29.999), &early.value), Ok(holder()));
        assert!(tickets.redeem(at(30.0), &late.value).is_err());
    }

    #[test]
    fn unknown_used_expired_and_empty_ones_get_the_same_answer_and_touch_no_other() {
        let mut tickets = Tickets::default();
        let used = tickets.mint(at(0.0), [1; 32], holder()).unwrap();
        tickets.redeem(at(0.0), &used.value).unwrap();
        let expired = tickets.mint(at(0.0), [2; 32], holder()).unwrap();
        let valid = tickets.mint(at(31.0), [3; 32], holder()).unwrap();
        let unknown = Secret::new(URL_SAFE_NO_PAD.encode([9; 32]));
        let shape = |refused: TicketRefused| {
            let text = refused.to_string();
            let (before, rest) = text.split_once('`').unwrap();
            (before.to_owned(), rest.split_once('`').unwrap().1.to_owned())
        };
        let answers: Vec<_> = [&used.value, &expired.value, &unknown, &Secret::default()]
            .map(|value| shape(tickets.redeem(at(31.0), value).unwrap_err()))
            .into();
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
        assert_eq!(tickets.redeem(at(31.0), &valid.value), Ok(holder()));
    }

    #[test]
    fn no_replay_of_a_thousand_is_accepted() {
        let mut tickets = Tickets::default();
        let mut accepted = 0;
        for number in 0..1000_u32 {
            let mut random = [0; 32];
            random[..4].copy_from_slice(&number.to_be_bytes());
            let ticket = tickets.mint(at(0.0), random, holder()).unwrap();
            tickets.redeem(at(0.0), &ticket.value).unwrap();
            accepted += u32::from(tickets.redeem(at(0.0), &ticket.value).is_ok());
        }
        assert_eq!(accepted, 0);
    }

    #[test]
    fn there_is_a_bound_and_time_makes_room_again() {
        let mut tickets = Tickets::default();
        let mint = |tickets: &mut Tickets, now, number: usize| {
            let mut random = [0; 32];
            random[..8].copy_from_slice(&number.to_be_bytes());
            tickets.mint(now, random, holder()).map(|_| ())
        };
        for number in 0..MOST_TICKETS {
            mint(&mut tickets, at(0.0), number).unwrap();
        }
        assert_eq!(mint(&mut tickets, at(29.9), MOST_TICKETS), Err(TooManyTickets));
        assert_eq!(mint(&mut tickets, at(30.0), MOST_TICKETS), Ok(()));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_refusal_shows_eight_characters_at_most(random: [u8; 32], other in any::<String>()) {
            let mut tickets = Tickets::default();
            let unknown = URL_SAFE_NO_PAD.encode(random);
            let text = tickets.redeem(at(0.0), &Secret::new(unknown.clone())).unwrap_err().to_string();
            prop_assert!(text.contains(&unknown[..8]) && !text.contains(&unknown[..9]), "{}", text);
            let text = tickets.redeem(at(0.0), &Secret::new(other)).unwrap_err().to_string();
            let shown = text.split('`').nth(1).unwrap();
            prop_assert!(shown.chars().count() <= 9 && !text.contains(char::is_control), "{}", text);
        }

        #[test]
        fn nothing_of_it_is_in_any_debug_form(random: [u8; 32]) {
            let mut tickets = Tickets::default();
            let ticket = tickets.mint(at(0.0), random, holder()).unwrap();
            let shown = format!("{ticket:?} {tickets:?}");
            prop_assert!(!shown.contains(&ticket.value.secret()[..12]));
        }
    }
}
