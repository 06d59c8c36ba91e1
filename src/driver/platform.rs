//! What the supervisor and the deck do with the C library, besides what `os` knows.
//!
//! | module | what it does |
//! | --- | --- |
//! | [`daemon`] | leaves behind whoever started a background process |
//! | [`guard`] | restores the person's terminal if the deck is killed |
//! | [`local_socket`] | a Unix socket whose writer is not woken up by its reader |
//! | [`watched`] | descriptors that a runtime watches |
//!
//! The commands hand what these return to the deck, which knows nothing of this part.

pub mod daemon;
pub mod guard;
pub mod local_socket;
pub mod watched;
