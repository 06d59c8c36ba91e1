//! What crosses the wire between a client and the supervisor: JSON-RPC 2.0 in WebSocket text frames.
//!
//! Pure data. A client sends [`request::Request`]s and gets one answer each; after `events.subscribe` it gets a
//! [`snapshot::Snapshot`] and then [`event::Event`]s with a sequence number that rises by one. Screens are not
//! events: they are state, sent as the rows that changed since the last frame that this client took
//! ([`screen::ScreenUpdate`]), so a slow client skips frames and never falls behind.
//!
//! Names and codes on the wire are never renamed and never reused. Unknown fields are ignored.

pub mod decode;
pub mod encode;
pub mod error;
pub mod event;
pub mod frame;
pub mod method;
pub mod request;
pub mod schema;
pub mod screen;
pub mod snapshot;

/// The version of this protocol; a client and a supervisor of different versions say so instead of guessing.
pub const VERSION: u32 = 1;
