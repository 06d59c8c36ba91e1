//! What differs between operating systems, and everything of the supervisor and the deck that needs the C library.
//!
//! | module | what it does |
//! | --- | --- |
//! | [`daemon`] | leaves behind whoever started a background process |
//! | [`guard`] | restores the person's terminal if the deck is killed |
//! | [`local_socket`] | a Unix socket whose writer is not woken up by its reader |
//! | [`watched`] | descriptors that a runtime watches |
//! | `linux` | processes and limits as Linux shows them in `/proc` |
//!
//! The commands hand what these return to the deck, which knows nothing of this part.

pub mod daemon;
pub mod guard;
#[cfg(target_os = "linux")]
mod linux;
pub mod local_socket;
pub mod watched;

#[cfg(target_os = "linux")]
pub use linux::{
    EndedMarked, PeerCredentials, deny_reading, end_marked, marked, peer_credentials, port_holder,
    raise_open_files, requester, return_large_buffers, set_process_name,
};
