//! Mints and redeems tickets: the runtime has the clock and the randomness.

use super::Runtime;
use crate::core::ids::ClientId;
use crate::core::secret::Secret;
use crate::core::token::ticket::{Ticket, TicketHolder, TicketRefused};
use crate::driver::identity::Identity;
use crate::protocol::error::{self, RpcError};
use crate::protocol::request::{MintTicket, MintedTicket};

impl Runtime {
    /// Mints a ticket, as `ticket.mint` answers it.
    pub fn mint_ticket(&mut self, client: ClientId, wanted: MintTicket) -> Result<MintedTicket, RpcError> {
        if let Some(provider) = &wanted.provider_id
            && self.settings.catalogue.now().get(provider.as_str()).is_none()
        {
            let text = format!("there is no provider `{provider}`; provider.list names all");
            return Err(RpcError::new(error::NOT_FOUND, text));
        }
        let provider = match self.clients.get(client).map(|client| &client.identity) {
            // A ticket begets no ticket that opens more than it does itself.
            Some(Identity::Ticket(TicketHolder { provider: Some(own), .. })) => Some(own.clone()),
            Some(Identity::Ticket(_) | Identity::Local | Identity::Internal { .. }) | None => {
                wanted.provider_id
            }
        };
        let mut random = [0; 32];
        getrandom::fill(&mut random).map_err(|reason| {
            RpcError::new(error::INTERNAL, format!("the system gives no randomness for a ticket: {reason}"))
        })?;
        let user = rustix::process::geteuid().as_raw().to_string();
        self.tickets
            .mint(self.clock.now(), random, TicketHolder { user, provider })
            .map(|Ticket { value, holder, expires_at }| MintedTicket {
                ticket: value,
                user: holder.user,
                provider_id: holder.provider,
                expires_at,
            })
            .map_err(|full| RpcError::new(error::LIMIT_REACHED, full.to_string()))
    }

    /// Uses up a ticket.
    pub fn redeem(&mut self, presented: &Secret) -> Result<Identity, TicketRefused> {
        self.tickets.redeem(self.clock.now(), presented).map(Identity::Ticket)
    }
}
