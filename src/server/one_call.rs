//! One call by HTTP: the request in the body, the answer in the body.
//!
//! The caller is a client for as long as the call takes. What belongs to a connection that stays, such as events, is
//! refused with the way to it.

use hyper::body::Incoming;
use hyper::{Response, StatusCode};

use super::admission::{Caller, Standing};
use super::http::{self, Body, Refusal};
use super::written;
use crate::driver::Handle;
use crate::driver::panics::or_panic;
use crate::protocol::error::{self, RpcError};
use crate::protocol::method::{self, Method as _, Request, session, supervisor};
use crate::protocol::request::MintTicket;
use crate::protocol::{decode, encode};
use crate::wire;

/// Answers the call. What is wrong with the call itself stands in the answer as JSON-RPC has it.
///
/// # Errors
/// The body cannot be read.
pub(super) async fn answer(
    incoming: Incoming,
    handle: &Handle,
    caller: Caller,
) -> Result<Response<Body>, Refusal> {
    let body = http::body(incoming).await?;
    let call = decode::request(&body);
    let outcome = match call.request {
        Ok(request) => {
            or_panic(perform(request, handle, caller), |reason| Err(RpcError::new(error::INTERNAL, reason)))
                .await
        }
        Err(reason) => Err(reason),
    };
    Ok(call.id.map_or_else(http::nothing, |id| http::json(written(&id, &outcome))))
}

/// Mints a ticket for whoever asks by HTTP alone. The body may name a provider, or be empty.
///
/// # Errors
/// The body cannot be read or understood, or no ticket can be had.
pub(super) async fn ticket(
    incoming: Incoming,
    handle: &Handle,
    caller: Caller,
) -> Result<Response<Body>, Refusal> {
    let body = http::body(incoming).await?;
    let wanted = if body.is_empty() { Ok(MintTicket::default()) } else { serde_json::from_slice(&body) };
    let wanted = wanted.map_err(|reason| {
        Refusal::new(StatusCode::BAD_REQUEST, format!("The body is not understood: {reason}."))
    })?;
    match perform(supervisor::MintTicket::request(wanted), handle, caller).await {
        Ok(method::Response::Supervisor(supervisor::Response::MintTicket(ticket))) => {
            Ok(http::json(encode::bare(&ticket)))
        }
        Ok(_) => Err(Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "No ticket was made. Try again.")),
        Err(reason) => Err(Refusal::new(StatusCode::BAD_REQUEST, format!("No ticket: {}.", reason.message))),
    }
}

async fn perform(request: Request, handle: &Handle, caller: Caller) -> Result<method::Response, RpcError> {
    match request {
        Request::Server(_) | Request::Session(session::Request::Focus(_)) => Err(needs_connection()),
        request => {
            let Standing::Proven(identity) = caller.standing else { return Err(needs_connection()) };
            handle.connect_once(identity, caller.process_id).await?.call(request).await
        }
    }
}

fn needs_connection() -> RpcError {
    let text = format!("this needs a connection that stays: open a WebSocket to {}", wire::PATH);
    RpcError::new(error::INVALID_REQUEST, text)
}
