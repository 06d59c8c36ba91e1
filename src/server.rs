//! Serves clients: one protocol over any byte stream.
//!
//! | module | what it does |
//! | --- | --- |
//! | [`router`] | HTTP in front: which address, who may come in |
//! | [`connection`] | one client: requests in; answers, events and screens out |
//! | `one_call` | a client that makes one call and goes |
//! | [`unix`] | the Unix socket of this user |
//!
//! The server translates and nothing else: what a request means is the driver's business. The deck inside this very
//! process speaks the same bytes through [`embedded`].

mod admission;
pub mod connection;
mod http;
mod one_call;
pub mod router;
pub mod unix;

pub use admission::{Caller, Standing};

use tokio::io::DuplexStream;

use crate::driver::Handle;

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
}

/// Serves a client inside this process. Returns the client's end of the connection.
pub fn embedded(handle: &Handle) -> DuplexStream {
    let (client, server) = tokio::io::duplex(EMBEDDED_BUFFER);
    let peer = Peer { process_id: Some(std::process::id()) };
    tokio::spawn(router::serve(server, handle.clone(), Door::Own(peer)));
    client
}
