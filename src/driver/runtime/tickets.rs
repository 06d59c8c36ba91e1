//! Mints and redeems tickets: the runtime has the clock and the randomness.

use super::{Runtime, answer};
use crate::core::ids::ClientId;
use crate::core::secret::Secret;
use crate::core::token::ticket::{Ticket, TicketHolder, TicketRefused};
use crate::driver::command::Answer;
use crate::driver::command::AnswerSender;
use crate::driver::identity::Identity;
use crate::protocol::error::{self, RpcError};
use crate::protocol::request::MintTicket;

impl Runtime {
    /// Answers `ticket.mint`.
    pub fn mint_ticket(&mut self, client: ClientId, wanted: MintTicket, reply: AnswerSender) {
        answer(reply, self.mint(client, wanted).map(Answer::Ticket));
    }

    fn mint(&mut self, client: ClientId, wanted: MintTicket) -> Result<Ticket, RpcError> {
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
            .map_err(|full| RpcError::new(error::LIMIT_REACHED, full.to_string()))
    }

    /// Uses up a ticket.
    pub fn redeem(&mut self, presented: &Secret) -> Result<Identity, TicketRefused> {
        self.tickets.redeem(self.clock.now(), presented).map(Identity::Ticket)
    }
}
