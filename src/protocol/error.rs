//! The codes with which a request is refused.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A refusal, as it stands in a JSON-RPC answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RpcError {
    /// One of the constants of this module.
    pub code: i32,
    /// One or two sentences for a person: what failed, why, and what to do next.
    pub message: String,
}

impl RpcError {
    /// Makes a refusal of the given code.
    pub fn new(code: i32, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

/// The text is no JSON (JSON-RPC 2.0, section 5.1).
pub const PARSE: i32 = -32700;
/// It is JSON and no request (JSON-RPC 2.0, section 5.1).
pub const INVALID_REQUEST: i32 = -32600;
/// No such method (JSON-RPC 2.0, section 5.1).
pub const METHOD_NOT_FOUND: i32 = -32601;
/// The method's parameters do not fit (JSON-RPC 2.0, section 5.1).
pub const INVALID_PARAMS: i32 = -32602;
/// The supervisor failed to do it.
pub const INTERNAL: i32 = -32603;
/// The connection did not show a valid credential.
pub const UNAUTHENTICATED: i32 = -32001;
/// There is no session, challenge or bundle of that id.
pub const NOT_FOUND: i32 = -32002;
/// A pasted text was refused and nothing was sent to the child.
pub const PASTE_REFUSED: i32 = -32003;
/// A pasted text fits, but only the person can say whether what it would be handed to belongs to the login. Ask, then
/// submit it again with `unseenListener`.
pub const ASK_FIRST: i32 = -32008;
/// The command or provider to start does not exist.
pub const CANNOT_START: i32 = -32004;
/// A bound was reached: too many sessions, challenges or tickets.
pub const LIMIT_REACHED: i32 = -32005;
/// This client may not do that: its ticket opens less, or it is a process of a session.
pub const FORBIDDEN: i32 = -32007;
/// The challenge was already answered, cancelled or expired.
pub const TOO_LATE: i32 = -32006;
