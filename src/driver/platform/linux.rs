#![allow(
    unsafe_code,
    reason = "rustix cannot express a peer of another process namespace, so getsockopt is called directly"
)]
//! Processes and limits as Linux shows them.

mod ports;

pub use self::ports::port_holder;

use std::ffi::CStr;
use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd as _};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{
    DumpableBehavior, Pid, PidfdFlags, Resource, Rlimit, Signal, getrlimit, pidfd_open, pidfd_send_signal,
    set_dumpable_behavior, setrlimit,
};

use crate::core::ids::SessionId;
use crate::keeper::COOKIE;
use crate::protocol::snapshot::Requester;

/// Who is at the other end of a Unix socket, as the kernel noted it when it connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerCredentials {
    /// The process; absent if it lives in another process namespace.
    pub process_id: Option<u32>,
    /// The user.
    pub user_id: u32,
}

/// Asks the kernel who connected (SO_PEERCRED).
///
/// # Errors
/// It is no connected Unix socket.
pub fn peer_credentials(socket: &impl AsFd) -> io::Result<PeerCredentials> {
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
    Ok(PeerCredentials { process_id, user_id: found.uid })
}

/// Raises the soft limit of open files to the hard one and returns the soft limit as it was. Children get it back
/// (`KeeperSpec::open_files`): some programs close every descriptor up to the limit one by one.
pub fn raise_open_files() -> Option<u64> {
    let before = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: before.maximum, maximum: before.maximum });
    before.current
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

/// Keeps other processes of the same user from reading this one's memory, and the kernel from dumping it.
/// Children are readable again once they execute another program.
pub fn deny_reading() {
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}

/// Names the process for `ps` and `top`; the kernel keeps 15 bytes.
pub fn set_process_name(name: &CStr) {
    let _ = rustix::thread::set_name(name);
}

/// How many parents are named.
const MOST_PARENTS: usize = 8;

/// Says who asks: the parents of a process, nearest first, and its working folder. Nothing is guessed: the chain
/// ends where the kernel shows no more, and at the session's keeper.
pub fn requester(process_id: u32) -> Requester {
    let directory = fs::read_link(format!("/proc/{process_id}/cwd")).ok();
    let mut chain = Vec::new();
    let mut next = parent(process_id);
    while let Some(id) = next.filter(|id| *id > 1 && chain.len() < MOST_PARENTS) {
        match name(id) {
            Some(name) if name != "authdeck-keeper" => chain.push(name),
            Some(_) | None => break,
        }
        next = parent(id);
    }
    Requester {
        process_id: Some(process_id),
        chain,
        directory: directory.map(|folder| folder.to_string_lossy().into_owned()),
    }
}

/// Reads a process's state letter and parent. The name before them may hold any character.
fn stat(process_id: u32) -> Option<(char, u32)> {
    let text = fs::read(format!("/proc/{process_id}/stat")).ok()?;
    let text = String::from_utf8_lossy(&text);
    let mut fields = text.rsplit_once(')')?.1.split_ascii_whitespace();
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}

fn parent(process_id: u32) -> Option<u32> {
    stat(process_id).map(|(_, parent)| parent)
}

/// Returns a process's name. The kernel cuts it after 15 bytes; the program's file may know the rest.
fn name(process_id: u32) -> Option<String> {
    const LONGEST: usize = 15;
    let short = fs::read(format!("/proc/{process_id}/comm")).ok()?;
    let short = String::from_utf8_lossy(&short).trim_end_matches('\n').to_owned();
    if short.len() < LONGEST {
        return Some(short);
    }
    let program = fs::read_link(format!("/proc/{process_id}/exe")).ok();
    let full =
        program.as_ref().and_then(|path| path.file_name()).map(|name| name.to_string_lossy().into_owned());
    Some(full.filter(|full| full.starts_with(&short)).unwrap_or(short))
}

/// What became of the processes of a session whose keeper is gone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EndedMarked {
    /// How many were ended.
    pub ended: usize,
    /// Those that are still there.
    pub left: Vec<u32>,
}

/// Lists the live processes of this user that carry the session's cookie in their environment. A process that
/// cleared its environment is not among them; only its keeper could have found it.
pub fn marked(session_id: &SessionId) -> Vec<u32> {
    let cookie = format!("{COOKIE}={session_id}").into_bytes();
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|id| *id != std::process::id() && is_alive(*id) && carries(*id, &cookie))
        .collect()
}

fn is_alive(process_id: u32) -> bool {
    stat(process_id).is_some_and(|(state, _)| !matches!(state, 'Z' | 'X'))
}

fn carries(process_id: u32, cookie: &[u8]) -> bool {
    fs::read(format!("/proc/{process_id}/environ"))
        .is_ok_and(|environment| environment.split(|byte| *byte == 0).any(|variable| variable == cookie))
}

/// Ends what the keeper of a session left behind when it was killed itself: SIGKILL to every process that carries
/// the cookie, again and again until none is found or two seconds are over. Blocks; call it where that is allowed.
///
/// This is second best. A keeper knows when nothing is left; a search through `/proc` does not.
pub fn end_marked(session_id: &SessionId) -> EndedMarked {
    const LIMIT: Duration = Duration::from_secs(2);
    let cookie = format!("{COOKIE}={session_id}").into_bytes();
    let until = Instant::now() + LIMIT;
    let mut ended = 0;
    loop {
        let found = marked(session_id);
        if found.is_empty() || Instant::now() >= until {
            return EndedMarked { ended, left: found };
        }
        ended += found.into_iter().filter(|id| end(*id, &cookie)).count();
    }
}

/// Ends one process. The descriptor is opened before the environment is read, so a number that was given to
/// somebody else meanwhile is not struck.
fn end(process_id: u32, cookie: &[u8]) -> bool {
    let pid = i32::try_from(process_id).ok().and_then(Pid::from_raw);
    let Some(process) = pid.and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok()) else { return false };
    let sent = carries(process_id, cookie).then(|| pidfd_send_signal(&process, Signal::KILL));
    match sent {
        Some(Ok(())) => {
            // Ready once it has ended; what it was about to start is then there to be found by the next round.
            let mut watched = [rustix::event::PollFd::new(&process, rustix::event::PollFlags::IN)];
            let limit = rustix::event::Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
            let _: Result<usize, Errno> = rustix::event::poll(&mut watched, Some(&limit));
            true
        }
        Some(Err(_)) | None => false,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn the_kernel_says_who_is_at_the_other_end() {
        let (one, _other) = UnixStream::pair().unwrap();
        let peer = peer_credentials(&one).unwrap();
        assert_eq!(peer.process_id, Some(std::process::id()));
        assert_eq!(peer.user_id, rustix::process::geteuid().as_raw());
    }

    #[test]
    fn a_requester_has_its_parents_named_and_its_folder() {
        let mut child =
            Command::new("sh").args(["-c", "cat; :"]).current_dir("/").stdin(Stdio::piped()).spawn().unwrap();
        let asked = requester(child.id());
        assert_eq!(asked.directory.as_deref(), Some("/"));
        let own = name(std::process::id()).unwrap();
        assert_eq!(asked.chain.first(), Some(&own));
        drop(child.stdin.take());
        child.wait().unwrap();
    }

    #[test]
    fn a_process_that_is_gone_has_no_chain() {
        assert_eq!(requester(u32::MAX).chain, Vec::<String>::new());
    }

    #[test]
    fn what_carries_the_cookie_is_ended_and_nothing_else() {
        let session = SessionId::new(format!("auth-test-{}", std::process::id()));
        let start = |cookie: &str| {
            Command::new("sleep").arg("600").env(COOKIE, cookie).stdin(Stdio::null()).spawn().unwrap()
        };
        let mut marked_one = start(session.as_str());
        let mut other = start("auth-other");
        // A child carries the cookie once it has executed its program.
        while marked(&session).is_empty() {
            std::thread::yield_now();
        }
        let ended = end_marked(&session);
        assert_eq!((ended.ended, ended.left), (1, vec![]));
        assert!(marked_one.wait().unwrap().code().is_none());
        assert!(other.try_wait().unwrap().is_none());
        other.kill().unwrap();
        other.wait().unwrap();
    }
}
