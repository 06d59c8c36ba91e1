//! The deck: a client that draws.
