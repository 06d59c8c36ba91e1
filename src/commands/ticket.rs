//! `authdeck ticket`: lets an outside client in, once.

use zeroize::Zeroizing;

use super::supervisor;
use crate::cli::Ticket;
use crate::client::ClientError;
use crate::core::ids::ProviderId;
use crate::error::{Error, Kind};
use crate::output;
use crate::protocol::request::MintedTicket;

/// Prints a ticket of the supervisor that runs.
///
/// # Errors
/// None runs, or it gives no ticket.
pub fn run(options: &Ticket) -> Result<(), Error> {
    let ticket = super::current_thread_runtime()?.block_on(mint(options))?;
    let line = line(&ticket, options.json);
    output::hand_over(&line)
        .map_err(|error| Error::new(Kind::Failed, "the ticket could not be printed").because(error))
}

async fn mint(options: &Ticket) -> Result<MintedTicket, Error> {
    let Some((client, events)) = supervisor::connect_running().await? else {
        return Err(Error::new(Kind::Unavailable, "no supervisor runs, so there is nothing to come in to")
            .hint("`authdeck serve --listen 127.0.0.1:8414` starts one that takes clients with a ticket"));
    };
    // Nothing is subscribed to, and what is not taken must not keep the answer back.
    drop(events);
    client.mint_ticket(options.provider.clone().map(ProviderId::new)).await.map_err(|error| {
        let kind = match &error {
            ClientError::Refused(_) => Kind::Denied,
            ClientError::Unreachable { .. }
            | ClientError::Foreign { .. }
            | ClientError::Wire(_)
            | ClientError::Closed
            | ClientError::Busy
            | ClientError::Slow => Kind::Unavailable,
        };
        Error::new(kind, "the supervisor gives no ticket").because(error)
    })
}

/// A ticket is of characters that JSON needs not escape.
fn line(ticket: &MintedTicket, json: bool) -> Zeroizing<String> {
    let value = ticket.ticket.secret();
    let mut line = Zeroizing::new(String::with_capacity(256));
    if json {
        let provider = ticket.provider_id.as_ref().map(ProviderId::as_str);
        let rest = serde_json::json!({
            "user": ticket.user, "providerId": provider, "expiresAt": ticket.expires_at.0,
        });
        let rest = rest.to_string();
        line.push_str("{\"ticket\":\"");
        line.push_str(value);
        line.push_str("\",");
        line.push_str(rest.trim_start_matches('{'));
    } else {
        line.push_str(value);
    }
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::secret::Secret;
    use crate::core::time::Timestamp;

    #[test]
    fn a_ticket_is_a_line_or_an_object() {
        let ticket = MintedTicket {
            ticket: Secret::new("abc_-9"),
            user: "1000".into(),
            provider_id: Some(ProviderId::new("gh")),
            expires_at: Timestamp(7),
        };
        assert_eq!(*line(&ticket, false), "abc_-9\n");
        let read: serde_json::Value = serde_json::from_str(&line(&ticket, true)).unwrap();
        assert_eq!(
            read,
            serde_json::json!({"ticket": "abc_-9", "user": "1000", "providerId": "gh", "expiresAt": 7})
        );
    }
}
