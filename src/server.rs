//! Serves clients: one protocol over any byte stream.
//!
//! | module | what it does |
//! | --- | --- |
//! | [`router`] | HTTP in front: which address, who may come in |
//! | [`connection`] | one client: requests in; answers, events and screens out |
//! | [`handoff`] | gives every connection to another process, or takes them over |
//! | `moved` | what goes over of a connection |
//! | `context`, `registry` | what a connection is served with; the list of all of them |
//! | `one_call` | a client that makes one call and goes |
//! | `screens` | whose turn it is with the focused session's screen |
//! | `places` | how many connections there may be |
//! | `greeting` | what a client says of itself, and whether it is true |
//! | [`tcp`] | loopback TCP, on request: Host, then Origin, then a credential |
//! | [`unix`] | the Unix socket of this user |
//!
//! The server translates and nothing else: what a request means is the driver's business. The deck inside this very
//! process speaks the same bytes through [`embedded`].

mod admission;
pub mod connection;
mod context;
mod greeting;
pub mod handoff;
mod http;
mod moved;
mod one_call;
mod places;
mod registry;
pub mod router;
mod screens;
pub mod tcp;
pub mod unix;

pub use context::{Context, UpgradeOrder};

pub use admission::{Caller, SUBPROTOCOL, SUBPROTOCOL_HELLO, Standing, TICKET_PREFIX};

use std::sync::Arc;

use serde_json::Value;
use tokio::io::DuplexStream;

use self::places::{Capacity, Places};
use crate::driver::Handle;
use crate::protocol::encode;
use crate::protocol::error::RpcError;
use crate::protocol::frame::Frame;
use crate::protocol::method::Response;

/// Bytes in flight between the embedded deck and its server; a whole screen in full colour fits.
const EMBEDDED_BUFFER: usize = 256 * 1024;

/// Who is at the other end, as the kernel says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Peer {
    /// Its process id, if known.
    pub process_id: Option<u32>,
}

/// How a client comes in, which decides what it has to show.
#[derive(Clone, Debug)]
pub enum Door {
    /// The Unix socket, or this very process: the kernel says that it is a process of this user.
    Own(Peer),
    /// Loopback TCP, where anybody on this machine, and any page in a browser, may knock.
    Loopback(Arc<tcp::Gate>),
}

/// Serves a client inside this process. Returns the client's end of the connection.
pub fn embedded(handle: &Handle) -> DuplexStream {
    let (client, server) = tokio::io::duplex(EMBEDDED_BUFFER);
    let peer = Peer { process_id: Some(std::process::id()) };
    let place = Places::new(Capacity { connections: 1, of_one_process: 1, calls: 1 }).enter(peer.process_id);
    tokio::spawn(router::serve(server, handle.into(), Door::Own(peer), place));
    client
}

/// Writes the answer to a request.
fn written(id: &Value, outcome: &Result<Response, RpcError>) -> Frame {
    match outcome {
        Ok(response) => encode::response(id, response),
        Err(reason) => encode::refusal(id, reason),
    }
}
