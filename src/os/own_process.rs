#![allow(
    unsafe_code,
    reason = "the C library's allocator, and what a child does before it executes its program"
)]
//! What this process sets for itself.

use std::ffi::CStr;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::sync::OnceLock;

use std::io;

use rustix::process::{
    DumpableBehavior, Resource, Rlimit, Signal, getpgid, getpgrp, getpid, getrlimit, getsid, kill_process,
    kill_process_group, set_dumpable_behavior, setrlimit,
};

use serde::{Deserialize, Serialize};

use super::processes;

/// The number of the signal that asks a job to stop (SIGTSTP).
pub const STOP: i32 = libc::SIGTSTP;

/// The number of the signal that lets it go on (SIGCONT).
pub const GO_ON: i32 = libc::SIGCONT;

/// Raises the soft limit of open files to the hard one and returns the soft limit as it was. Children get it back
/// (`KeeperSpec::open_files`): some programs close every descriptor up to the limit one by one.
pub fn raise_open_files() -> Option<u64> {
    let before = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: before.maximum, maximum: before.maximum });
    before.current
}

/// How much of the system this process may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceLimits {
    /// Bytes of address space (`RLIMIT_AS`).
    address_space: Option<u64>,
    /// Bytes of data (`RLIMIT_DATA`).
    data: Option<u64>,
    /// Processes and threads of this user (`RLIMIT_NPROC`).
    processes: Option<u64>,
    /// Open files (`RLIMIT_NOFILE`), which may be raised to this.
    open_files: Option<u64>,
}

/// A limit that is lower than it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "it may use {what} only up to {now}, less than the supervisor may: start it with the same limits (ulimit)"
)]
pub struct LowerLimit {
    what: &'static str,
    now: u64,
}

/// Returns the limits of this process.
pub fn limits() -> ResourceLimits {
    ResourceLimits {
        address_space: getrlimit(Resource::As).current,
        data: getrlimit(Resource::Data).current,
        processes: getrlimit(Resource::Nproc).current,
        open_files: getrlimit(Resource::Nofile).maximum,
    }
}

impl ResourceLimits {
    /// Makes sure that they are at least those of another process.
    ///
    /// # Errors
    /// One is lower.
    pub fn suffice(&self, other: &Self) -> Result<(), LowerLimit> {
        for (what, now, wanted) in [
            ("address space", self.address_space, other.address_space),
            ("memory for data", self.data, other.data),
            ("processes", self.processes, other.processes),
            ("open files", self.open_files, other.open_files),
        ] {
            match now {
                Some(now) if wanted.is_none_or(|wanted| now < wanted) => {
                    return Err(LowerLimit { what, now });
                }
                Some(_) | None => {}
            }
        }
        Ok(())
    }
}

/// Lets large buffers (a recording, a snapshot) go back to the system as soon as they are freed. The C library would
/// otherwise learn from the first one to keep the next ones, in pieces.
pub fn return_large_buffers() {
    #[cfg(target_env = "gnu")]
    {
        /// Bytes from which on a buffer has pages of its own.
        const LARGE: libc::c_int = 256 * 1024;
        // SAFETY: mallopt takes two numbers, may be called at any time, and leaves memory that is in use alone.
        unsafe { libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE) };
    }
}

/// The soft limit of core dumps that this process was started with.
static CORE_LIMIT: OnceLock<Rlimit> = OnceLock::new();

/// Keeps this process from being dumped and read, from its first moment on: what is typed, piped or answered here may
/// be a secret. [`give_back_limits`] lets children have the limit of core dumps as this process had it.
pub fn forbid_dumps() {
    let before = getrlimit(Resource::Core);
    let maximum = before.maximum;
    // The hard limit stays, so that children can have the soft one back.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum });
    // A second call would only find the limit that the first one set.
    let _ = CORE_LIMIT.set(before);
    deny_reading();
}

/// Lets a child start with the limit of core dumps that this process was started with.
pub fn give_back_limits(command: &mut Command) -> &mut Command {
    // SAFETY: the closure runs between fork and exec; it makes one system call and touches no memory of others.
    unsafe {
        command.pre_exec(|| {
            give_back_core_limit();
            Ok(())
        })
    }
}

/// The same, for a process that is about to execute another program.
pub fn give_back_core_limit() {
    if let Some(before) = CORE_LIMIT.get() {
        let _ = setrlimit(Resource::Core, *before);
    }
}

/// Starts a child in a session of its own, so that it has no terminal that it could write on or read from.
pub fn take_terminal_away(command: &mut Command) -> &mut Command {
    // SAFETY: the closure runs between fork and exec; it makes one system call and touches no memory of others.
    unsafe { command.pre_exec(|| rustix::process::setsid().map(drop).map_err(Into::into)) }
}

/// Keeps other processes of the same user from reading this one's memory, and the kernel from dumping it.
/// Children are readable again once they execute another program.
pub fn deny_reading() {
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}

/// Gives memory that is free back to the system: the C library keeps it for later, in pieces.
pub fn return_free_memory() {
    #[cfg(target_env = "gnu")]
    // SAFETY: it takes a number, may be called at any time, and leaves memory that is in use alone.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Tells whether a shell started this process as a job that it can let go on: some parent in the same session is in
/// another process group. The kernel calls the others orphaned, and does not stop them either.
pub fn has_shell() -> bool {
    let (session, group) = (getsid(None), getpgrp());
    let parents = processes::with_parents(std::process::id()).skip(1).filter_map(processes::pid);
    let of_session = parents.take_while(|parent| session.is_ok() && getsid(Some(*parent)) == session);
    of_session.into_iter().any(|parent| getpgid(Some(parent)).is_ok_and(|other| other != group))
}

/// Asks every process of this one's job to stop, this one too.
///
/// # Errors
/// The system refuses.
pub fn stop_job() -> io::Result<()> {
    Ok(kill_process_group(getpgrp(), Signal::TSTP)?)
}

/// Stops this process; returns when it goes on.
pub fn stop() {
    // Nobody can refuse a signal to itself.
    let _ = kill_process(getpid(), Signal::STOP);
}

/// Says what to do where the system has no more of something; absent for any other error.
pub fn shortage(error: &io::Error) -> Option<&'static str> {
    match error.raw_os_error()? {
        libc::EMFILE => {
            Some("this process has too many files open: end some sessions, or raise its limit (ulimit -n)")
        }
        libc::ENFILE => Some("the machine has too many files open: end some programs"),
        libc::ENOMEM => Some("the machine has no memory left: end some programs"),
        libc::EAGAIN => Some(
            "the machine or its limits allow no further process: end some, or raise the limit (ulimit -u)",
        ),
        libc::ENOSPC | libc::EDQUOT => Some("the disk is full: make room"),
        _ => None,
    }
}

/// Names the process for `ps` and `top`; the kernel keeps 15 bytes.
pub fn set_name(name: &CStr) {
    let _ = rustix::thread::set_name(name);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shortage_is_called_one_and_nothing_else_is() {
        let advice = |number| shortage(&io::Error::from_raw_os_error(number));
        assert!(advice(libc::EMFILE).unwrap().contains("ulimit -n"));
        assert!(advice(libc::EAGAIN).unwrap().contains("ulimit -u"));
        assert!(advice(libc::ENOMEM).unwrap().contains("memory"));
        assert_eq!(advice(libc::ENOENT), None);
        assert_eq!(shortage(&io::Error::other("x")), None);
    }
}
