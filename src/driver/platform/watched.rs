#![allow(
    unsafe_code,
    reason = "tokio asks whoever registers a descriptor to promise that it stays the same file"
)]
//! Descriptors that a tokio runtime watches.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::keeper::terminal::Terminal;

/// Watches a descriptor for input. Must be called within a tokio runtime. The descriptor is left as it is, blocking or
/// not.
///
/// # Errors
/// It is a file or a folder, which cannot be watched.
pub fn watch_input<D: Descriptor>(descriptor: D) -> io::Result<AsyncFd<D>> {
    // SAFETY: see `Descriptor`; nothing replaces it in the result.
    unsafe { AsyncFd::register_with_interest(descriptor, Interest::READABLE) }.map_err(io::Error::from)
}

/// Watches a descriptor for room to write. Must be called within a tokio runtime.
///
/// # Errors
/// It is a file or a folder, which cannot be watched.
pub fn watch_room<D: Descriptor>(descriptor: D) -> io::Result<AsyncFd<D>> {
    // SAFETY: see `Descriptor`; nothing replaces it in the result.
    unsafe { AsyncFd::register_with_interest(descriptor, Interest::WRITABLE) }.map_err(io::Error::from)
}

/// What is open and names one file for as long as it lives.
pub trait Descriptor: AsRawFd {}

impl Descriptor for OwnedFd {}

impl Descriptor for Arc<OwnedFd> {}

impl Descriptor for Arc<Terminal> {}
