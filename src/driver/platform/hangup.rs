//! Tells when the person's terminal goes away.
//!
//! When a terminal vanishes (SSH dropped, a tmux pane killed), crossterm 0.29 keeps finding its descriptor ready
//! and never returns from `poll` (its issue 793). So a thread of its own waits for the hang-up alone: it sleeps in
//! the kernel until that happens, and wakes up for nothing else.

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::thread;

use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};

/// Waits for the hang-up of one terminal. Dropping it ends the wait.
#[derive(Debug)]
pub struct HangupWatch {
    stop: OwnedFd,
    thread: Option<thread::JoinHandle<()>>,
}

impl HangupWatch {
    /// Calls `then` on a thread of its own when `terminal` hangs up, at most once. SIGHUP is not looked at: it goes
    /// to the session's leader only, and `tokio::signal` can tell of it.
    ///
    /// # Errors
    /// The system has no descriptor or thread left.
    pub fn start(terminal: BorrowedFd<'_>, then: impl FnOnce() + Send + 'static) -> io::Result<Self> {
        let terminal = terminal.try_clone_to_owned()?;
        let stop = eventfd(0, EventfdFlags::CLOEXEC)?;
        let stopped = stop.try_clone()?;
        let wait = move || {
            if hung_up(&terminal, &stopped) {
                then();
            }
        };
        let thread = thread::Builder::new().name("hangup".to_owned()).stack_size(64 * 1024).spawn(wait)?;
        Ok(Self { stop, thread: Some(thread) })
    }
}

impl Drop for HangupWatch {
    fn drop(&mut self) {
        let _ = rustix::io::write(&self.stop, &1u64.to_ne_bytes());
        // The callback may be what drops this.
        if let Some(thread) =
            self.thread.take().filter(|thread| thread.thread().id() != thread::current().id())
        {
            let _ = thread.join();
        }
    }
}

/// Sleeps until the terminal hangs up (true), or until the wait is to end (false).
fn hung_up(terminal: &OwnedFd, stop: &OwnedFd) -> bool {
    loop {
        // No event is asked of the terminal: hang-up and error are reported in any case.
        let mut watched = [PollFd::new(terminal, PollFlags::empty()), PollFd::new(stop, PollFlags::IN)];
        match poll(&mut watched, None) {
            Ok(_) if !watched[1].revents().is_empty() => return false,
            Ok(_) if !watched[0].revents().is_empty() => return true,
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd as _;
    use std::sync::mpsc;
    use std::time::Duration;

    use rustix::pty::{OpenptFlags, ioctl_tiocgptpeer, openpt, unlockpt};

    use super::*;

    fn terminal() -> (OwnedFd, OwnedFd) {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        unlockpt(&master).unwrap();
        let slave = ioctl_tiocgptpeer(&master, OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        (master, slave)
    }

    #[test]
    fn a_terminal_that_goes_away_is_told_and_typing_is_not() {
        let (master, slave) = terminal();
        let (sender, told) = mpsc::channel();
        let _watch = HangupWatch::start(slave.as_fd(), move || sender.send(()).unwrap()).unwrap();
        rustix::io::write(&master, b"typed\n").unwrap();
        rustix::io::read(&slave, &mut [0u8; 16]).unwrap();
        assert!(told.try_recv().is_err());
        drop(master);
        told.recv_timeout(Duration::from_secs(60)).unwrap();
    }

    #[test]
    fn dropping_the_watch_ends_it_untold() {
        let (_master, slave) = terminal();
        let (sender, told) = mpsc::channel::<()>();
        drop(HangupWatch::start(slave.as_fd(), move || sender.send(()).unwrap()).unwrap());
        assert_eq!(told.recv(), Err(mpsc::RecvError));
    }
}
