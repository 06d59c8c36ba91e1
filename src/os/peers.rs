#![allow(
    unsafe_code,
    reason = "rustix cannot express a peer of another process namespace, so getsockopt is called directly"
)]
//! Who is at the other end of a Unix socket (unix(7), `SO_PEERCRED`).

use std::io;
use std::os::fd::{AsFd, AsRawFd as _, FromRawFd as _, OwnedFd};

use super::processes::OpenProcess;

/// The other end of a Unix socket, as the kernel noted it when it connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerCredentials {
    /// The process; absent if it lives in another process namespace.
    pub process_id: Option<u32>,
    /// The user.
    pub user_id: u32,
}

impl PeerCredentials {
    /// Asks the kernel who connected.
    ///
    /// # Errors
    /// It is no connected Unix socket.
    pub fn of(socket: &impl AsFd) -> io::Result<Self> {
        let mut found = libc::ucred { pid: 0, uid: u32::MAX, gid: u32::MAX };
        option(socket, libc::SO_PEERCRED, &mut found)?;
        let process_id = u32::try_from(found.pid).ok().filter(|id| *id != 0);
        Ok(Self { process_id, user_id: found.uid })
    }

    /// Tells whether the peer runs as this process's own user.
    pub fn is_own_user(self) -> bool {
        self.user_id == rustix::process::geteuid().as_raw()
    }
}

/// Opens the process that connected: the very one that the kernel noted then, or where it cannot say so (before Linux
/// 6.5), the one that has its number now. Absent if it has ended, or lives in another process namespace.
pub fn process(socket: &impl AsFd) -> Option<OpenProcess> {
    /// Not in the C library yet (`asm-generic/socket.h`).
    const SO_PEERPIDFD: libc::c_int = 77;
    let mut descriptor: libc::c_int = -1;
    if option(socket, SO_PEERPIDFD, &mut descriptor).is_ok() && descriptor >= 0 {
        // SAFETY: the kernel made this descriptor for this call, so nobody else owns it.
        return Some(unsafe { OwnedFd::from_raw_fd(descriptor) }.into());
    }
    OpenProcess::of(PeerCredentials::of(socket).ok()?.process_id?)
}

/// Reads an option of a socket whose value is plain data.
fn option<T: Copy>(socket: &impl AsFd, name: libc::c_int, value: &mut T) -> io::Result<()> {
    let mut length = libc::socklen_t::try_from(size_of::<T>()).unwrap_or(0);
    let (value, socket): (*mut T, _) = (value, socket.as_fd().as_raw_fd());
    // SAFETY: the pointers name a live value of the length given, and the descriptor is open.
    let result = unsafe { libc::getsockopt(socket, libc::SOL_SOCKET, name, value.cast(), &raw mut length) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn the_kernel_says_who_is_at_the_other_end() {
        let (one, _other) = UnixStream::pair().unwrap();
        let peer = PeerCredentials::of(&one).unwrap();
        assert_eq!(peer.process_id, Some(std::process::id()));
        assert!(peer.is_own_user());
        assert!(!process(&one).unwrap().has_ended());
        assert!(!PeerCredentials { user_id: peer.user_id + 1, ..peer }.is_own_user());
    }
}
