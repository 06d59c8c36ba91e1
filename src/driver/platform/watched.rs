#![allow(
    unsafe_code,
    reason = "tokio asks whoever registers a descriptor to promise that it stays the same file"
)]
//! Descriptors that a tokio runtime watches.

use std::io;
use std::os::fd::OwnedFd;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Watches a descriptor for input. Must be called within a tokio runtime. The descriptor is left as it is, blocking or
/// not.
///
/// # Errors
/// It is a file or a folder, which cannot be watched.
pub fn watch_input(descriptor: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an `OwnedFd` is open and names one file for as long as it lives, and nothing replaces it in the result.
    unsafe { AsyncFd::register_with_interest(descriptor, Interest::READABLE) }.map_err(io::Error::from)
}
