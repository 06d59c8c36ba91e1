#![allow(
    unsafe_code,
    reason = "rustix cannot express a peer of another process namespace, so getsockopt is called directly"
)]
//! Who is at the other end of a Unix socket (unix(7), `SO_PEERCRED`).

use std::io;
use std::os::fd::{AsFd, AsRawFd as _};

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
        let mut length = libc::socklen_t::try_from(size_of::<libc::ucred>()).unwrap_or(0);
        // SAFETY: the pointers name a live structure of the length given, and the descriptor is open.
        let result = unsafe {
            libc::getsockopt(
                socket.as_fd().as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_PEERCRED,
                (&raw mut found).cast(),
                &raw mut length,
            )
        };
        if result != 0 {
            return Err(io::Error::last_os_error());
        }
        let process_id = u32::try_from(found.pid).ok().filter(|id| *id != 0);
        Ok(Self { process_id, user_id: found.uid })
    }

    /// Tells whether the peer runs as this process's own user.
    pub fn is_own_user(self) -> bool {
        self.user_id == rustix::process::geteuid().as_raw()
    }
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
        assert!(!PeerCredentials { user_id: peer.user_id + 1, ..peer }.is_own_user());
    }
}
