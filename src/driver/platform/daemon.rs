#![allow(unsafe_code, reason = "close_range is only in the C library")]
//! Leaves behind whoever started a background process.

use std::fs::OpenOptions;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream;

/// Leaves the starter's descriptors, session and folder: the end of its terminal, of its SSH connection or of its
/// process group is no business of ours then. Call it first of all: nothing but the standard streams stays open.
pub fn leave_starter() {
    // SAFETY: the caller has opened nothing yet, so none above the standard streams is in use.
    unsafe {
        libc::syscall(libc::SYS_close_range, 3u32, u32::MAX, 0u32);
    }
    // An error means that the starter has seen to it: this process leads a session already.
    let _ = rustix::process::setsid();
    let _ = rustix::process::chdir("/");
}

/// Takes the socket that the starter left as standard input, and puts `/dev/null` in its place and in that of standard
/// output.
///
/// # Errors
/// Standard input is no socket, or `/dev/null` cannot be opened.
pub fn take_socket_of_starter() -> io::Result<UnixStream> {
    let stdin = io::stdin();
    rustix::net::sockopt::socket_type(stdin.as_fd())?;
    let taken: OwnedFd = stdin.as_fd().try_clone_to_owned()?;
    let null = OpenOptions::new().read(true).write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdin(null.as_fd())?;
    rustix::stdio::dup2_stdout(null.as_fd())?;
    Ok(UnixStream::from(taken))
}

/// Ends what the starter can read of standard error.
pub fn leave_standard_error() {
    if let Ok(null) = OpenOptions::new().read(true).write(true).open("/dev/null") {
        let _ = rustix::stdio::dup2_stderr(null.as_fd());
    }
}
