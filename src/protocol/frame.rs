//! The frames of the wire, whatever is in them: a call with its parameters, and the answer to it.
//!
//! Frames are zeroised. What carries a secret is no `Serialize`: it says itself, beside its type, how it is written
//! ([`Payload`]). Parameters are read straight into their type, so that no intermediate value holds a secret.

use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use zeroize::Zeroizing;

use super::error::{self, RpcError};
use crate::core::secret::Secret;
use crate::core::visible::visible_line;

/// The version of JSON-RPC, as it stands in each frame.
pub const JSON_RPC: &str = "2.0";

/// How much is shown of what is wrong with parameters. It may quote them, so what came in does not go back at length,
/// and nothing in it reaches a terminal as it is.
const SHOWN_CHARACTERS: usize = 200;

/// Text of a frame, zeroised when dropped.
pub type Frame = Zeroizing<Vec<u8>>;

#[derive(Serialize)]
pub(super) struct Call<'a, P> {
    pub jsonrpc: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<u64>,
    pub method: &'a str,
    pub params: P,
}

#[derive(Serialize)]
struct Success<'a, R> {
    jsonrpc: &'a str,
    id: &'a Value,
    result: R,
}

/// What goes out in a frame, as parameters or as an answer.
pub trait Payload {
    /// Bytes of text in it that may be many, or secret: the buffer is made so large that they are never moved.
    fn room(&self) -> usize {
        0
    }

    /// Returns it as it stands on the wire.
    fn form(&self) -> impl Serialize + '_;
}

/// What has no secret in it says itself how it is written.
impl<T: Serialize> Payload for T {
    fn form(&self) -> impl Serialize + '_ {
        self
    }
}

/// Writes a call of a method, or a notification.
pub(super) fn call<P: Payload>(id: Option<u64>, method: &str, params: &P) -> Frame {
    write(&Call { jsonrpc: JSON_RPC, id, method, params: params.form() }, params.room())
}

/// Writes the answer to a call.
pub(super) fn success<R: Payload>(id: &Value, result: &R) -> Frame {
    write(&Success { jsonrpc: JSON_RPC, id, result: result.form() }, result.room())
}

/// Writes a frame into a buffer with room for so many bytes of text beside the usual.
pub(super) fn write<T: Serialize>(frame: &T, room: usize) -> Frame {
    let mut buffer = Zeroizing::new(Vec::with_capacity(512 + room));
    serde_json::to_writer(&mut *buffer, frame)
        .expect("invariant: a frame has text keys only, and a vector takes every byte");
    buffer
}

/// The room that a secret takes. A JSON string takes six bytes for one byte at most (`\u001b`), so that a buffer with a
/// secret in it never moves and leaves no copy behind.
pub(super) fn room_for(secret: &Secret) -> usize {
    6 * secret.len()
}

#[derive(Deserialize)]
struct WithParams<T> {
    params: T,
}

/// Reads the parameters of a method.
pub(super) fn params<T: DeserializeOwned>(name: &str, text: &[u8]) -> Result<T, RpcError> {
    serde_json::from_slice::<WithParams<T>>(text).map(|frame| frame.params).map_err(|reason| {
        let reason = visible_line(without_position(&reason.to_string()), SHOWN_CHARACTERS);
        RpcError::new(error::INVALID_PARAMS, format!("the parameters of `{name}` do not fit: {reason}"))
    })
}

/// For a method that can do without parameters: JSON-RPC 2.0 lets a call leave them out (section 4).
pub(super) fn params_or_default<T: DeserializeOwned + Default>(
    name: &str,
    text: &[u8],
) -> Result<T, RpcError> {
    if has_params(text) { params(name, text) } else { Ok(T::default()) }
}

fn has_params(text: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Maybe {
        params: Option<IgnoredAny>,
    }
    serde_json::from_slice::<Maybe>(text).is_ok_and(|frame| frame.params.is_some())
}

/// The position in the frame means nothing to a person who wrote only the parameters.
fn without_position(reason: &str) -> &str {
    reason.rfind(" at line ").map_or(reason, |end| &reason[..end])
}
