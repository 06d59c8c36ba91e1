//! One call by HTTP: the request in the body, the answer in the body.
//!
//! The caller is a client for as long as the call takes. What belongs to a connection that stays, such as events, is
//! refused with the way to it.

use hyper::Response;
use hyper::body::Incoming;

use super::admission::{Caller, Standing};
use super::http::{self, Body, Refusal};
use crate::driver::{Answer, Handle};
use crate::protocol::error::{self, RpcError};
use crate::protocol::request::Request;
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
        Ok(request) => perform(request, handle, caller).await,
        Err(reason) => Err(reason),
    };
    let Some(id) = call.id else { return Ok(http::nothing()) };
    Ok(http::json(match outcome {
        Ok(Answer::Value(value)) => encode::success(&id, &value),
        Ok(Answer::Challenge(ended)) => encode::challenge_answer(&id, &ended),
        Err(reason) => encode::refusal(&id, &reason),
    }))
}

async fn perform(request: Request, handle: &Handle, caller: Caller) -> Result<Answer, RpcError> {
    match request {
        Request::Hello(_)
        | Request::EventsSubscribe {}
        | Request::SessionFocus(_)
        | Request::ScreenTaken {} => Err(needs_connection()),
        request => {
            let Standing::Proven(identity) = caller.standing;
            handle.connect_once(identity, caller.process_id).await?.call(request).await
        }
    }
}

fn needs_connection() -> RpcError {
    let text = format!("this needs a connection that stays: open a WebSocket to {}", wire::PATH);
    RpcError::new(error::INVALID_REQUEST, text)
}
