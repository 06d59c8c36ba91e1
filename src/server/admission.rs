//! Who may come in: where a request is addressed to, where it comes from, then what it shows.
//!
//! Over the Unix socket the kernel has said already whose process it is. Over TCP see [`super::tcp`].

use hyper::StatusCode;
use hyper::header::{AUTHORIZATION, HeaderName, HeaderValue, ORIGIN, SEC_WEBSOCKET_PROTOCOL};
use hyper::http::request::Parts;
use url::form_urlencoded;

use super::Door;
use super::http::Refusal;
use crate::core::ids::SessionId;
use crate::core::secret::Secret;
use crate::driver::{Handle, Identity};

/// The WebSocket subprotocol of a client that shows its credential on the way in.
pub const SUBPROTOCOL: &str = "authdeck";

/// The WebSocket subprotocol of a client that shows its credential in the first frame.
pub const SUBPROTOCOL_HELLO: &str = "authdeck-hello";

/// Stands before a ticket that is offered as a subprotocol: the only header that a page's script can choose.
pub const TICKET_PREFIX: &str = "ticket.";

/// Names the session of a process that shows the internal credential by HTTP.
const SESSION: HeaderName = HeaderName::from_static("authdeck-session");

/// Whoever was let in.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Who it is.
    pub standing: Standing,
    /// The process at the other end, if the kernel named it.
    pub process_id: Option<u32>,
}

/// What is known of a caller.
#[derive(Clone, Debug)]
pub enum Standing {
    /// It has shown what it had to.
    Proven(Identity),
    /// It says that it will show its credential in the first frame. Nothing is done for it before.
    Promised,
}

/// Checks where a request is addressed to and where it comes from. Only a browser sends `Origin`.
///
/// # Errors
/// It has no business here.
pub(super) fn check_origin(head: &Parts, door: &Door) -> Result<(), Refusal> {
    match door {
        Door::Own(_) if head.headers.contains_key(ORIGIN) => {
            Err(Refusal::new(StatusCode::FORBIDDEN, "No web page has any business on this socket."))
        }
        Door::Own(_) => Ok(()),
        Door::Loopback(gate) => gate.check(head),
    }
}

/// Finds out who makes a call, and uses up the ticket if one is shown.
///
/// # Errors
/// No valid credential is shown.
pub(super) async fn admit(head: &Parts, door: &Door, handle: &Handle) -> Result<Caller, Refusal> {
    match door {
        Door::Own(peer) => {
            Ok(Caller { standing: Standing::Proven(Identity::Local), process_id: peer.process_id })
        }
        Door::Loopback(_) => {
            let shown = credential(head).ok_or_else(nothing_shown)?;
            let identity = identify(head, shown, handle).await?;
            Ok(Caller { standing: Standing::Proven(identity), process_id: None })
        }
    }
}

/// The same for a WebSocket, whose client may show its credential in the first frame.
///
/// # Errors
/// No valid credential is shown, nor promised.
pub(super) async fn admit_to_stay(head: &Parts, door: &Door, handle: &Handle) -> Result<Caller, Refusal> {
    let promised = matches!(door, Door::Loopback(_))
        && credential(head).is_none()
        && offered(head).any(|protocol| protocol == SUBPROTOCOL_HELLO);
    if promised {
        return Ok(Caller { standing: Standing::Promised, process_id: None });
    }
    admit(head, door, handle).await
}

/// Chooses among the subprotocols that a client offers; a ticket is never said back.
///
/// # Errors
/// A ticket is offered and nothing else, so that the client could not be answered.
pub(super) fn subprotocol(head: &Parts) -> Result<Option<HeaderValue>, Refusal> {
    let known =
        [SUBPROTOCOL, SUBPROTOCOL_HELLO].into_iter().find(|known| offered(head).any(|one| one == *known));
    if known.is_none() && offered(head).any(|protocol| protocol.starts_with(TICKET_PREFIX)) {
        let text =
            format!("Offer the subprotocol `{SUBPROTOCOL}` beside the ticket; it is the one that is chosen.");
        return Err(Refusal::new(StatusCode::BAD_REQUEST, text));
    }
    Ok(known.map(HeaderValue::from_static))
}

fn offered(head: &Parts) -> impl Iterator<Item = &str> {
    let values = head.headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter();
    values.filter_map(|value| value.to_str().ok()).flat_map(|list| list.split(',')).map(str::trim)
}

/// Returns what a request shows: in `Authorization`, as a subprotocol, or, for clients that can do neither, in the
/// address.
fn credential(head: &Parts) -> Option<Secret> {
    bearer(head)
        .or_else(|| offered(head).find_map(|protocol| protocol.strip_prefix(TICKET_PREFIX)).map(Secret::new))
        .or_else(|| {
            let query = head.uri.query().unwrap_or_default();
            let mut pairs = form_urlencoded::parse(query.as_bytes());
            pairs.find(|(name, _)| name == "ticket").map(|(_, ticket)| Secret::new(ticket.into_owned()))
        })
}

/// RFC 6750 section 2.1.
fn bearer(head: &Parts) -> Option<Secret> {
    let (scheme, value) = head.headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| Secret::new(value.trim()))
}

async fn identify(head: &Parts, shown: Secret, handle: &Handle) -> Result<Identity, Refusal> {
    let session = head.headers.get(SESSION).and_then(|value| value.to_str().ok()).map(SessionId::new);
    if let Some(identity) = handle.authenticate(shown.clone(), session).await {
        return Ok(identity);
    }
    handle.redeem(shown).await.map_err(|reason| Refusal::of_credential(format!("Not let in: {reason}.")))
}

fn nothing_shown() -> Refusal {
    Refusal::of_credential("A ticket is needed; `authdeck ticket` prints one.")
}

#[cfg(test)]
mod tests {
    use hyper::Request;

    use super::*;

    fn head(uri: &str, headers: &[(&str, &str)]) -> Parts {
        let request =
            headers.iter().fold(Request::get(uri), |request, (name, value)| request.header(*name, *value));
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn a_credential_is_found_wherever_a_client_can_put_it() {
        let cases = [
            head("/api/ws", &[("authorization", "Bearer one")]),
            head("/api/ws", &[("authorization", "bearer  one ")]),
            head("/api/ws", &[("sec-websocket-protocol", "authdeck, ticket.one")]),
            head(
                "/api/ws",
                &[("sec-websocket-protocol", "authdeck"), ("sec-websocket-protocol", "ticket.one")],
            ),
            head("/api/ws?a=b&ticket=one", &[]),
            head("/api/ws?ticket=other", &[("authorization", "Bearer one")]),
        ];
        for head in cases {
            assert_eq!(credential(&head).unwrap().secret(), "one", "{head:?}");
        }
        for nothing in [head("/api/ws?tickets=one", &[]), head("/api/ws", &[("authorization", "Basic one")])]
        {
            assert!(credential(&nothing).is_none(), "{nothing:?}");
        }
    }

    #[test]
    fn a_ticket_is_never_said_back() {
        let offers = |list: &str| subprotocol(&head("/api/ws", &[("sec-websocket-protocol", list)]));
        assert_eq!(offers("ticket.one, authdeck").unwrap().unwrap(), "authdeck");
        assert_eq!(offers("authdeck-hello").unwrap().unwrap(), "authdeck-hello");
        assert_eq!(offers("graphql").unwrap(), None);
        assert!(offers("ticket.one").is_err());
    }
}
