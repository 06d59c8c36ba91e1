//! Writes what crosses the wire: requests, answers and notifications.

use serde::Serialize;
use serde_json::Value;

use super::error::RpcError;
use super::event::NumberedEvent;
use super::frame::{Call, Frame, JSON_RPC, Payload, call, write};
use super::method::{self, Request, Response};
use super::screen::ScreenUpdate;
use super::snapshot::Snapshot;
use crate::core::visible::visible_text;

/// The longest reason of a refusal, in characters.
const LONGEST_REASON: usize = 2_000;

#[derive(Serialize)]
struct Refusal<'a> {
    jsonrpc: &'a str,
    id: &'a Value,
    error: &'a RpcError,
}

/// Writes a request. Without an id no answer is wanted.
pub fn request(id: Option<u64>, request: &Request) -> Frame {
    request.write(id)
}

/// Writes the answer to a request that was done.
pub fn response(id: &Value, response: &Response) -> Frame {
    response.write(id)
}

/// Writes an answer by itself, for who asked by HTTP alone.
pub fn bare(answer: &impl Payload) -> Frame {
    write(&answer.form(), answer.room())
}

/// Writes the answer to a request that was refused. The reason may quote what came in, such as an id: it does not go
/// back at length, and nothing in it reaches a terminal as it is.
pub fn refusal(id: &Value, error: &RpcError) -> Frame {
    let error = RpcError::new(error.code, visible_text(&error.message, LONGEST_REASON));
    write(&Refusal { jsonrpc: JSON_RPC, id, error: &error }, 0)
}

/// Writes an event.
pub fn event(event: &NumberedEvent) -> Frame {
    call(None, method::EVENT, event)
}

/// Writes the notification that everything starts over.
pub fn resync(snapshot: &Snapshot) -> Frame {
    call(None, method::RESYNC, snapshot)
}

/// Writes what changed on a screen.
pub fn screen(update: &ScreenUpdate) -> Frame {
    let frame = Call { jsonrpc: JSON_RPC, id: None, method: method::SCREEN, params: update };
    write(&frame, 6 * 64 * update.changed.len())
}
