//! Who a client is.

use serde::{Deserialize, Serialize};

use crate::core::ids::SessionId;
use crate::core::token::INTERNAL_IDENTITY;
use crate::core::token::ticket::TicketHolder;
use crate::protocol::method::Caller;

/// Who a client is, as far as the server could prove it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Identity {
    /// A process of this user, by the socket's permissions and the peer's uid, or the deck in this very process.
    Local,
    /// A process that authdeck itself started, by the internal credential (behaviour W2: `server-internal`).
    Internal {
        /// The session it runs in.
        session: Option<SessionId>,
    },
    /// An outside client that presented a ticket (behaviour W1).
    Ticket(TicketHolder),
}

impl Identity {
    /// Returns its name, as it is recorded and told.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Internal { .. } => INTERNAL_IDENTITY,
            Self::Ticket(_) => "ticket",
        }
    }

    /// Returns what kind of client it is, for the table of methods.
    pub(super) fn caller(&self) -> Caller {
        match self {
            Self::Local => Caller::User,
            Self::Internal { .. } => Caller::Session,
            Self::Ticket(TicketHolder { provider: None, .. }) => Caller::Ticket,
            Self::Ticket(TicketHolder { provider: Some(_), .. }) => Caller::Provider,
        }
    }
}
