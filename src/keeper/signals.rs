#![allow(unsafe_code, reason = "signal sets and signalfd are only in the C library")]
//! The keeper's signals: what ends others leaves it alone, and what it has to know arrives as data.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd as _, OwnedFd};

/// SIGCHLD and SIGTERM as a descriptor.
pub struct Signals {
    descriptor: OwnedFd,
}

/// What has arrived.
#[derive(Clone, Copy, Debug, Default)]
pub struct Arrived {
    /// A child ended, or several.
    pub child: bool,
    /// Somebody asks this keeper to end, with its session.
    pub terminate: bool,
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

impl Signals {
    /// Ignores what a vanishing terminal, shell or reader sends, and takes SIGCHLD and SIGTERM as data.
    ///
    /// # Errors
    /// The system has no descriptor left.
    pub fn take() -> io::Result<Self> {
        const IGNORED: [libc::c_int; 8] = [
            libc::SIGHUP,
            libc::SIGINT,
            libc::SIGQUIT,
            libc::SIGPIPE,
            libc::SIGTSTP,
            libc::SIGTTIN,
            libc::SIGTTOU,
            libc::SIGUSR1,
        ];
        for signal in IGNORED {
            // SAFETY: ignoring a signal installs no code.
            unsafe { libc::signal(signal, libc::SIG_IGN) };
        }
        // SAFETY: the set is initialised by sigemptyset before it is used, and lives until the calls return; the
        // descriptor is new and owned by nobody else.
        let descriptor = unsafe {
            let mut set: libc::sigset_t = std::mem::zeroed();
            libc::sigemptyset(&raw mut set);
            libc::sigaddset(&raw mut set, libc::SIGCHLD);
            libc::sigaddset(&raw mut set, libc::SIGTERM);
            // An ignored SIGCHLD, as a careless starter may leave it, would make the kernel reap in our place.
            libc::signal(libc::SIGCHLD, libc::SIG_DFL);
            libc::sigprocmask(libc::SIG_SETMASK, &raw const set, std::ptr::null_mut());
            libc::signalfd(-1, &raw const set, libc::SFD_NONBLOCK | libc::SFD_CLOEXEC)
        };
        if descriptor < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: signalfd returned a new descriptor.
        Ok(Self { descriptor: unsafe { OwnedFd::from_raw_fd(descriptor) } })
    }

    /// Reads what has arrived.
    pub fn read(&self) -> Arrived {
        let mut arrived = Arrived::default();
        let mut record = [0u8; size_of::<libc::signalfd_siginfo>()];
        while rustix::io::read(&self.descriptor, &mut record).is_ok_and(|count| count == record.len()) {
            let number = u32::from_ne_bytes([record[0], record[1], record[2], record[3]]);
            arrived.child |= number == libc::SIGCHLD.cast_unsigned();
            arrived.terminate |= number == libc::SIGTERM.cast_unsigned();
        }
        arrived
    }
}
