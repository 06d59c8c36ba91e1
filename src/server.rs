//! Serves clients: one protocol over any byte stream.
//!
//! | module | what it does |
//! | --- | --- |
//! | [`connection`] | one client: requests in; answers, events and screens out |
//! | [`unix`] | the Unix socket of this user |
//!
//! The server translates and nothing else: what a request means is the driver's business. The deck inside this very
//! process speaks the same bytes through [`embedded`].

pub mod connection;
pub mod unix;

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

/// Serves a client inside this process. Returns the client's end of the connection.
pub fn embedded(handle: &Handle) -> DuplexStream {
    let (client, server) = tokio::io::duplex(EMBEDDED_BUFFER);
    let peer = Peer { process_id: Some(std::process::id()) };
    tokio::spawn(connection::serve(server, handle.clone(), peer));
    client
}
