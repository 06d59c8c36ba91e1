//! What the keeper of a session left behind when it was killed itself.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::core::ids::SessionId;
use crate::keeper::COOKIE;
use crate::os::processes::{self, OpenProcess};

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
    let cookie = cookie(session_id);
    let own = std::process::id();
    processes::all()
        .filter(|id| *id != own && processes::is_alive(*id) && processes::has_variable(*id, &cookie))
        .collect()
}

fn cookie(session_id: &SessionId) -> Vec<u8> {
    format!("{COOKIE}={session_id}").into_bytes()
}

/// Ends them: SIGKILL to every process that carries the cookie, again and again until none is found or two seconds are
/// over. Blocks; call it where that is allowed.
///
/// This is second best. A keeper knows when nothing is left; a search through `/proc` does not.
pub fn end_marked(session_id: &SessionId) -> EndedMarked {
    const LIMIT: Duration = Duration::from_secs(2);
    let cookie = cookie(session_id);
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

/// Ends everything below a keeper that does not obey, then the keeper, then whatever carries the session's cookie. Blocks,
/// some seconds at most.
pub fn end_with_keeper(keeper: Option<u32>, session_id: &SessionId) -> EndedMarked {
    const LIMIT: Duration = Duration::from_secs(2);
    let until = Instant::now() + LIMIT;
    let mut ended = 0;
    let mut left = Vec::new();
    if let Some(keeper) = keeper {
        loop {
            left = below(keeper);
            if left.is_empty() || Instant::now() >= until {
                break;
            }
            ended += left.iter().filter(|id| end_below(**id, keeper)).count();
        }
        let process = OpenProcess::of(keeper).filter(|_| processes::name(keeper).as_deref() == Some(KEEPER));
        if let Some(process) = process.filter(|process| process.signal(Signal::KILL).is_ok()) {
            process.wait(LIMIT);
        }
    }
    let marked = end_marked(session_id);
    left.retain(|id| processes::is_alive(*id));
    left.extend(marked.left);
    left.sort_unstable();
    left.dedup();
    EndedMarked { ended: ended + marked.ended, left }
}

/// What keepers are called, as the kernel has it.
const KEEPER: &str = "authdeck-keeper";

/// Lists the live processes below a keeper.
fn below(keeper: u32) -> Vec<u32> {
    let is_below = |id: &u32| *id != keeper && processes::with_parents(*id).any(|parent| parent == keeper);
    processes::all().filter(|id| processes::is_alive(*id)).filter(is_below).collect()
}

/// Ends one of them. It is opened before its parents are looked at, so a number that was given to somebody else meanwhile
/// is not struck.
fn end_below(process_id: u32, keeper: u32) -> bool {
    const ROUND: Duration = Duration::from_millis(20);
    let Some(process) = OpenProcess::of(process_id) else { return false };
    let is_below = processes::with_parents(process_id).any(|parent| parent == keeper);
    let struck = is_below && process.signal(Signal::KILL).is_ok();
    if struck {
        process.wait(ROUND);
    }
    struck
}

/// Ends one process. It is opened before its environment is read, so a number that was given to somebody else
/// meanwhile is not struck.
fn end(process_id: u32, cookie: &[u8]) -> bool {
    const ROUND: Duration = Duration::from_millis(100);
    let Some(process) = OpenProcess::of(process_id) else { return false };
    let struck = processes::has_variable(process_id, cookie) && process.signal(Signal::KILL).is_ok();
    if struck {
        // What it was about to start is then there to be found by the next round.
        process.wait(ROUND);
    }
    struck
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

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
