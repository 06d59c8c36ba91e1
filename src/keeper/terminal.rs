#![allow(
    unsafe_code,
    reason = "code between fork and exec must not allocate, so it calls the C library directly"
)]
//! The pseudo-terminal and the child behind it.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use portable_pty::{PtySize, native_pty_system};
use rustix::fs::{Access, OFlags, access, fcntl_getfl, fcntl_setfl};
use rustix::process::Pid;
use rustix::pty::{OpenptFlags, ioctl_tiocgptpeer};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcgetpgrp, tcgetwinsize, tcsetwinsize, ttyname};

use super::spec::{Spec, StartFailure, StartReason};
use crate::os::paths::{NoProgram, find_program};

/// How the child's terminal treats input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TerminalMode {
    /// The child reads whole lines that the kernel edits (ICANON).
    pub canonical: bool,
    /// The terminal shows what is typed (ECHO); off where a password is asked.
    pub echo: bool,
}

/// Our end of a pseudo-terminal, the keeper's or a supervisor's, non-blocking.
#[derive(Debug)]
pub struct Terminal {
    master: OwnedFd,
}

impl AsFd for Terminal {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.master.as_fd()
    }
}

impl AsRawFd for Terminal {
    fn as_raw_fd(&self) -> RawFd {
        self.master.as_raw_fd()
    }
}

impl From<OwnedFd> for Terminal {
    /// Takes the descriptor that a keeper has handed over; it is non-blocking already.
    fn from(master: OwnedFd) -> Self {
        Self { master }
    }
}

impl Terminal {
    /// Opens a pseudo-terminal of this size; the second value is the child's end.
    ///
    /// # Errors
    /// The system has no pseudo-terminal left, or refuses one.
    pub fn open(columns: u16, rows: u16) -> io::Result<(Self, OwnedFd)> {
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).map_err(io::Error::other)?;
        let raw = pair
            .master
            .as_raw_fd()
            .ok_or_else(|| io::Error::other("the pseudo-terminal has no descriptor"))?;
        // SAFETY: `pair` owns the descriptor and outlives this borrow; the copy made from it is owned by us.
        let master = unsafe { BorrowedFd::borrow_raw(raw) }.try_clone_to_owned()?;
        fcntl_setfl(&master, fcntl_getfl(&master)? | OFlags::NONBLOCK)?;
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let slave = ioctl_tiocgptpeer(&master, flags)?;
        Ok((Self { master }, slave))
    }

    /// Reads what the child wrote. `Ok(None)`: nothing now. An error (EIO): nobody holds the other end.
    ///
    /// # Errors
    /// The other end is closed by everyone.
    pub fn read(&self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        match rustix::io::retry_on_intr(|| rustix::io::read(&self.master, &mut *buffer)) {
            Ok(0) => Err(io::Error::from_raw_os_error(libc::EIO)),
            Ok(count) => Ok(Some(count)),
            Err(rustix::io::Errno::AGAIN) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes what fits now. `Ok(0)`: nothing fits.
    ///
    /// # Errors
    /// The other end is closed by everyone.
    pub fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        match rustix::io::retry_on_intr(|| rustix::io::write(&self.master, bytes)) {
            Ok(count) => Ok(count),
            Err(rustix::io::Errno::AGAIN) => Ok(0),
            Err(error) => Err(error.into()),
        }
    }

    /// Tells how the child's end treats input.
    pub fn mode(&self) -> Option<TerminalMode> {
        let local = tcgetattr(&self.master).ok()?.local_modes;
        Some(TerminalMode {
            canonical: local.contains(LocalModes::ICANON),
            echo: local.contains(LocalModes::ECHO),
        })
    }

    /// Resizes; the kernel sends SIGWINCH to the foreground group.
    pub fn resize(&self, columns: u16, rows: u16) -> bool {
        let size = Winsize { ws_col: columns, ws_row: rows, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&self.master, size).is_ok()
    }

    /// Returns its columns and rows.
    pub fn size(&self) -> Option<(u16, u16)> {
        tcgetwinsize(&self.master).ok().map(|size| (size.ws_col, size.ws_row))
    }

    /// Returns another descriptor of it, for a supervisor.
    ///
    /// # Errors
    /// This process has too many.
    pub fn share(&self) -> io::Result<OwnedFd> {
        self.master.try_clone()
    }

    /// Returns the foreground process group.
    pub fn foreground(&self) -> Option<Pid> {
        tcgetpgrp(&self.master).ok()
    }
}

/// Starts the child on its end of the terminal: own session, controlling terminal, default signals, exactly the
/// environment of the specification. Called while the keeper is single-threaded.
///
/// portable-pty's own spawn is not used: it sets `SHELL`, replaces a missing folder by the home directory, and
/// closes the pipe through which a failing exec would be reported.
///
/// # Errors
/// The command cannot be executed; the failure says why and what to do.
pub fn start(spec: &Spec, slave: &OwnedFd, umask: libc::mode_t) -> Result<Pid, StartFailure> {
    let program = spec.argv.first().filter(|name| !name.is_empty()).ok_or_else(|| StartFailure {
        reason: StartReason::Specification,
        message: "no command was given; say what to run".to_owned(),
    })?;
    check_working_directory(&spec.working_directory)?;
    let found = look_up(program, spec)?;
    let end = || slave.try_clone().map(Stdio::from).map_err(|error| system_failure(&error));
    let mut command = Command::new(found);
    command.arg0(program).args(&spec.argv[1..]);
    command.env_clear().envs(spec.environment.0.iter().map(|(name, value)| (name, value)));
    if spec.environment.0.iter().any(|(name, _)| name == "GPG_TTY")
        && let Ok(path) = ttyname(slave, Vec::new())
    {
        // Where it is wanted at all it is this terminal, or pinentry-curses would draw on another one.
        command.env("GPG_TTY", OsStr::from_bytes(path.as_bytes()));
    }
    command.current_dir(&spec.working_directory);
    command.stdin(end()?).stdout(end()?).stderr(end()?);
    let open_files = spec.open_files;
    // SAFETY: the closure runs between fork and exec; it only makes system calls and touches no memory of others.
    unsafe { command.pre_exec(move || become_session_leader(umask, open_files)) };
    let child = command.spawn().map_err(|error| execution_failure(program, &error))?;
    let number = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    number.ok_or_else(|| system_failure(&io::Error::other("the child has no process id")))
}

/// Runs in the child between fork and exec.
fn become_session_leader(umask: libc::mode_t, open_files: Option<u64>) -> io::Result<()> {
    const LAST_SIGNAL: libc::c_int = 64;
    for signal in 1..=LAST_SIGNAL {
        // SAFETY: resetting a disposition has no other effect; the numbers that cannot be reset are refused.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
    // What the keeper takes as data is blocked in it, and a mask survives exec.
    // SAFETY: the set is initialised before it is used.
    unsafe {
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut());
    }
    rustix::process::setsid()?;
    // SAFETY: descriptor 0 is the terminal's end by now and stays open.
    rustix::process::ioctl_tiocsctty(unsafe { BorrowedFd::borrow_raw(0) })?;
    // SAFETY: umask cannot fail and touches no memory.
    unsafe { libc::umask(umask) };
    crate::os::own_process::give_back_core_limit();
    if let Some(soft) = open_files {
        let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
        let limit = rustix::process::Rlimit { current: Some(soft), maximum: limit.maximum };
        let _ = rustix::process::setrlimit(rustix::process::Resource::Nofile, limit);
    }
    Ok(())
}

fn check_working_directory(directory: &Path) -> Result<(), StartFailure> {
    let usable = directory.is_dir() && access(directory, Access::EXEC_OK).is_ok();
    if usable {
        return Ok(());
    }
    Err(StartFailure {
        reason: StartReason::WorkingDirectory,
        message: format!(
            "cannot start in {}: it is no folder that can be entered; choose another one",
            directory.display()
        ),
    })
}

/// Finds the program's file, so that a failure can say where it was looked for.
fn look_up(program: &str, spec: &Spec) -> Result<PathBuf, StartFailure> {
    let path =
        spec.environment.0.iter().rev().find(|(name, _)| name == "PATH").map(|(_, value)| value.as_str());
    let path = path.unwrap_or("/usr/local/bin:/usr/bin:/bin");
    find_program(program, Some(OsStr::new(path)), &spec.working_directory).map_err(|missing| {
        let (reason, message) = match missing {
            NoProgram::Missing { .. } if program.contains('/') => (
                StartReason::CommandNotFound,
                format!("{program}: there is no such file; correct the path or install the program"),
            ),
            NoProgram::Missing { .. } => (
                StartReason::CommandNotFound,
                format!(
                    "{program}: command not found; looked in {path}; install it, or start authdeck where it is on \
                     the PATH"
                ),
            ),
            NoProgram::NotExecutable(_) | NoProgram::Folder(_) => {
                (StartReason::NotExecutable, missing.to_string())
            }
        };
        StartFailure { reason, message }
    })
}

/// Explains an error of exec itself: the file was found and looked right.
fn execution_failure(program: &str, error: &io::Error) -> StartFailure {
    let advice = match error.raw_os_error() {
        Some(libc::ENOENT) => {
            "the interpreter that its first line names, or its loader, is missing; install that"
        }
        Some(libc::ENOEXEC) => "it is no program for this machine and has no #! line; reinstall it",
        Some(libc::E2BIG) => "its arguments and environment are too large; make the environment smaller",
        Some(libc::EAGAIN | libc::ENOMEM) => {
            "the machine has no room for another process; end some and try again"
        }
        _ => "check that it runs in a shell",
    };
    StartFailure {
        reason: StartReason::NotExecutable,
        message: format!("{program} cannot be executed ({error}): {advice}"),
    }
}

/// Wraps an error of the system that has no better explanation.
pub fn system_failure(error: &io::Error) -> StartFailure {
    StartFailure {
        reason: StartReason::System,
        message: format!(
            "the system refused to start the session: {error}; try again, or end other sessions first"
        ),
    }
}
