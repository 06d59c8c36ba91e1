#![allow(unsafe_code, reason = "fork and the calls that are allowed after it are only in the C library")]
//! Restores the person's terminal if the deck is killed.
//!
//! A panic hook covers panics; nothing inside a process covers SIGKILL, an abort or the out-of-memory killer. So a
//! tiny second process is forked before the first one has threads. It remembers how the terminal was set, and waits
//! on a pipe. A goodbye through the pipe ends it silently. If the pipe closes without one, the deck is dead, and the
//! guard leaves the alternate screen and switches off what the deck may have switched on. It sets the terminal's
//! modes back only if they still are what the deck made them: a shell that has taken over is not fought.
//!
//! It has a session of its own, so that a kill of the deck's whole process group does not take it along.

use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

use crate::os::processes::{self, OpenProcess};

/// The word through the pipe that says goodbye.
const GOODBYE: u8 = b'q';

/// How long the guard may take to end once it was told.
const GOODBYE_LIMIT: Duration = Duration::from_secs(1);

/// How long the guard may take to write to a terminal that does not take anything, in seconds.
const RESTORE_LIMIT: u32 = 5;

/// What brings a terminal back, in this order: synchronized output ends, the keyboard's flags are popped (they
/// belong to the alternate screen), mouse, focus and paste reports stop, colours reset, the main screen, the cursor.
const RESTORE: &[u8] =
    b"\x1b[?2026l\x1b[<1u\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1015l\x1b[?1004l\
\x1b[?2004l\x1b[0m\x1b[?1049l\x1b[?25h";

/// The guard of one terminal. Dropping it says goodbye.
#[derive(Debug)]
pub struct TerminalGuard {
    pipe: Option<OwnedFd>,
    process: Pid,
}

impl TerminalGuard {
    /// Starts the guard of `terminal`, which must not have been changed yet. Call it first in `main`: the process
    /// must have no other thread.
    ///
    /// # Errors
    /// It is no terminal, there are other threads already, or the system has no room for another process.
    pub fn spawn(terminal: BorrowedFd<'_>) -> io::Result<Self> {
        // SAFETY: the process has one thread, as is checked, so the copy is whole.
        unsafe {
            require_one_thread()?;
            Self::fork(terminal)
        }
    }

    /// # Safety
    /// After the fork the copy only makes system calls, so it may be called beside other threads; but a lock that
    /// one of them holds stays locked in the copy.
    unsafe fn fork(terminal: BorrowedFd<'_>) -> io::Result<Self> {
        let saved = attributes(terminal.as_raw_fd()).ok_or_else(io::Error::last_os_error)?;
        let (reading, writing) = pipe_with(PipeFlags::CLOEXEC)?;
        // SAFETY: see above.
        match unsafe { libc::fork() } {
            -1 => Err(io::Error::last_os_error()),
            0 => guard(terminal.as_raw_fd(), reading.as_raw_fd(), &saved),
            process => {
                let process =
                    Pid::from_raw(process).ok_or_else(|| io::Error::other("fork returned no process"))?;
                Ok(Self { pipe: Some(writing), process })
            }
        }
    }

    /// Says goodbye: the terminal has been restored by its user. Returns when the guard is gone.
    pub fn disarm(self) {
        drop(self);
    }
}

impl Drop for TerminalGuard {
    fn drop(&mut self) {
        if let Some(pipe) = self.pipe.take() {
            let _ = rustix::io::write(pipe.as_fd(), &[GOODBYE]);
        }
        // It ends at once on the word, unless somebody has stopped it.
        let _ = kill_process(self.process, Signal::CONT);
        let ended =
            OpenProcess::of(processes::number(self.process)).is_none_or(|guard| guard.wait(GOODBYE_LIMIT));
        if !ended {
            let _ = kill_process(self.process, Signal::KILL);
        }
        let _ = rustix::io::retry_on_intr(|| waitpid(Some(self.process), WaitOptions::empty()));
    }
}

fn require_one_thread() -> io::Result<()> {
    let threads = std::fs::read_dir("/proc/self/task").map_or(1, Iterator::count);
    if threads == 1 {
        return Ok(());
    }
    Err(io::Error::other("the terminal's guard must be started before any thread"))
}

fn attributes(terminal: libc::c_int) -> Option<libc::termios> {
    // SAFETY: all-zero is a valid termios, and the call fills it or fails.
    unsafe {
        let mut found: libc::termios = std::mem::zeroed();
        (libc::tcgetattr(terminal, &raw mut found) == 0).then_some(found)
    }
}

/// The guard's whole life. Nothing here allocates or locks.
fn guard(terminal: libc::c_int, pipe: libc::c_int, saved: &libc::termios) -> ! {
    const IGNORED: [libc::c_int; 8] = [
        libc::SIGINT,
        libc::SIGTERM,
        libc::SIGHUP,
        libc::SIGQUIT,
        libc::SIGPIPE,
        libc::SIGTSTP,
        libc::SIGTTIN,
        libc::SIGTTOU,
    ];
    // SAFETY: system calls on descriptors of this process; 10 and 11 are made here and the others closed, so that
    // the guard holds neither the pipe's other end nor anything else of the deck's.
    unsafe {
        libc::setsid();
        for signal in IGNORED {
            libc::signal(signal, libc::SIG_IGN);
        }
        libc::prctl(libc::PR_SET_NAME, c"authdeck-guard".as_ptr());
        let (own_terminal, own_pipe) =
            (libc::fcntl(terminal, libc::F_DUPFD, 10), libc::fcntl(pipe, libc::F_DUPFD, 10));
        close_all_but(own_terminal, own_pipe);
        libc::chdir(c"/".as_ptr());
        if !deck_said_goodbye(own_pipe) {
            libc::alarm(RESTORE_LIMIT);
            restore(own_terminal, saved);
        }
        libc::_exit(0)
    }
}

/// # Safety
/// Nothing that is closed may be used afterwards.
unsafe fn close_all_but(one: libc::c_int, other: libc::c_int) {
    let (low, high) = (one.min(other).cast_unsigned(), one.max(other).cast_unsigned());
    // SAFETY: closing is what the caller promised to be allowed.
    unsafe {
        libc::syscall(libc::SYS_close_range, 0u32, low - 1, 0u32);
        if high > low + 1 {
            libc::syscall(libc::SYS_close_range, low + 1, high - 1, 0u32);
        }
        libc::syscall(libc::SYS_close_range, high + 1, u32::MAX, 0u32);
    }
}

/// Waits for the word, or for the pipe's other end to close.
fn deck_said_goodbye(pipe: libc::c_int) -> bool {
    let mut word = 0u8;
    loop {
        // SAFETY: one byte is read into one byte.
        let count = unsafe { libc::read(pipe, (&raw mut word).cast(), 1) };
        let interrupted = count < 0 && io::Error::last_os_error().raw_os_error() == Some(libc::EINTR);
        if !interrupted {
            return count == 1 && word == GOODBYE;
        }
    }
}

fn restore(terminal: libc::c_int, saved: &libc::termios) {
    // SAFETY: the bytes are static; the structures live on the stack until the calls return.
    unsafe {
        let mut rest = RESTORE;
        while !rest.is_empty() {
            let written = libc::write(terminal, rest.as_ptr().cast(), rest.len());
            let Ok(written) = usize::try_from(written) else { break };
            rest = &rest[written..];
        }
        let mut raw = *saved;
        libc::cfmakeraw(&raw mut raw);
        if attributes(terminal).is_some_and(|now| same_modes(&now, &raw)) {
            libc::tcsetattr(terminal, libc::TCSANOW, saved);
            // Mouse reports and half-read keys would otherwise be typed into the shell.
            libc::tcflush(terminal, libc::TCIFLUSH);
        }
    }
}

fn same_modes(one: &libc::termios, other: &libc::termios) -> bool {
    one.c_iflag == other.c_iflag && one.c_oflag == other.c_oflag && one.c_lflag == other.c_lflag
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Read as _;

    use rustix::pty::{OpenptFlags, ioctl_tiocgptpeer, openpt, unlockpt};

    use super::*;

    fn terminal() -> (File, OwnedFd) {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        unlockpt(&master).unwrap();
        let slave =
            ioctl_tiocgptpeer(&master, OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)
                .unwrap();
        (File::from(master), slave)
    }

    /// Everything that is written until nobody holds the terminal any more: the guard is gone by then.
    fn rest_of(master: &mut File, slave: OwnedFd) -> Vec<u8> {
        drop(slave);
        let mut all = Vec::new();
        let end = master.read_to_end(&mut all).unwrap_err();
        assert_eq!(end.raw_os_error(), Some(libc::EIO));
        all
    }

    fn holds(all: &[u8], needle: &[u8]) -> bool {
        all.windows(needle.len()).any(|window| window == needle)
    }

    fn set(slave: &OwnedFd, attributes: &libc::termios) {
        assert_eq!(unsafe { libc::tcsetattr(slave.as_raw_fd(), libc::TCSANOW, attributes) }, 0);
    }

    fn raw(saved: &libc::termios) -> libc::termios {
        let mut raw = *saved;
        unsafe { libc::cfmakeraw(&raw mut raw) };
        raw
    }

    /// A stand-in for the deck: starts a guard, makes the terminal raw, changes the screen, and is killed.
    fn killed_deck(slave: &OwnedFd, before_death: impl FnOnce()) {
        match unsafe { libc::fork() } {
            0 => {
                let saved = attributes(slave.as_raw_fd()).unwrap();
                let _guard = std::mem::ManuallyDrop::new(unsafe { TerminalGuard::fork(slave.as_fd()) });
                set(slave, &raw(&saved));
                let _ = rustix::io::write(slave, b"\x1b[?1049h\x1b[?1003h\x1b[?25lDECK");
                before_death();
                unsafe { libc::kill(libc::getpid(), libc::SIGKILL) };
            }
            deck => {
                let deck = Pid::from_raw(deck).unwrap();
                waitpid(Some(deck), WaitOptions::empty()).unwrap();
            }
        }
    }

    #[test]
    fn a_killed_deck_leaves_the_terminal_as_it_was() {
        let (mut master, slave) = terminal();
        let before = attributes(slave.as_raw_fd()).unwrap();
        killed_deck(&slave, || {});
        let written = rest_of(&mut master, slave);
        assert!(holds(&written, b"DECK") && holds(&written, b"\x1b[?1003l"));
        assert!(written.ends_with(b"\x1b[?1049l\x1b[?25h"));
        assert!(same_modes(&attributes(master.as_raw_fd()).unwrap(), &before));
    }

    #[test]
    fn a_shell_that_took_over_is_not_fought() {
        let (mut master, slave) = terminal();
        let mut shell = attributes(slave.as_raw_fd()).unwrap();
        shell.c_lflag &= !(libc::ICANON | libc::ECHO);
        killed_deck(&slave, || set(&slave, &shell));
        assert!(holds(&rest_of(&mut master, slave), b"\x1b[?1049l"));
        assert!(same_modes(&attributes(master.as_raw_fd()).unwrap(), &shell));
    }

    #[test]
    fn a_goodbye_changes_nothing() {
        let (mut master, slave) = terminal();
        let guard = unsafe { TerminalGuard::fork(slave.as_fd()) }.unwrap();
        let deck = raw(&attributes(slave.as_raw_fd()).unwrap());
        set(&slave, &deck);
        guard.disarm();
        rustix::io::write(&slave, b"end").unwrap();
        assert_eq!(rest_of(&mut master, slave), b"end");
        assert!(same_modes(&attributes(master.as_raw_fd()).unwrap(), &deck));
    }

    #[test]
    fn a_guard_that_was_stopped_does_not_hold_up_the_goodbye() {
        let (mut master, slave) = terminal();
        let guard = unsafe { TerminalGuard::fork(slave.as_fd()) }.unwrap();
        kill_process(guard.process, Signal::STOP).unwrap();
        let number = processes::number(guard.process);
        while processes::state(number) != Some('T') {
            std::thread::yield_now();
        }
        guard.disarm();
        assert_eq!(processes::state(number), None);
        assert_eq!(rest_of(&mut master, slave), b"");
    }

    #[test]
    fn no_terminal_no_guard() {
        let file = tempfile::tempfile().unwrap();
        assert!(unsafe { TerminalGuard::fork(file.as_fd()) }.is_err());
    }
}
