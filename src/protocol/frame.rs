//! The JSON-RPC 2.0 envelope.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::RpcError;

/// A request as it comes in, before its method is known.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct RequestFrame {
    /// Always `"2.0"`.
    pub jsonrpc: String,
    /// Chosen by the client; the answer carries it. Absent: no answer is wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Value>,
    /// A name in the style `session.start`.
    pub method: String,
    /// The method's parameters; an object.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub params: Value,
}

/// An answer.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct ResponseFrame {
    /// Always `"2.0"`.
    pub jsonrpc: String,
    /// The request's id.
    pub id: Value,
    /// The result; absent if `error` is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Value>,
    /// The refusal; absent if `result` is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<RpcError>,
}

/// Something that the supervisor tells unasked: method `event` or `screen`.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct NotificationFrame {
    /// Always `"2.0"`.
    pub jsonrpc: String,
    /// `event` ([`super::event::NumberedEvent`]), `screen` ([`super::screen::ScreenUpdate`]) or `resync`
    /// ([`super::snapshot::Snapshot`]: events were dropped for this client, start over from here).
    pub method: String,
    /// What is told.
    pub params: Value,
}
