//! The keeper's children: finding, reaping, asking, striking.
//!
//! The keeper is the child subreaper of everything that its session starts, so whatever loses its parent becomes a
//! direct child here. Killing all direct children again and again therefore comes to an end, and the kernel tells
//! when: `waitpid` fails with ECHILD. A scan of `/proc` cannot tell, because it is not a snapshot: a tree that
//! re-forks slips through it. A direct child that has not been waited for keeps its process id, so a signal sent
//! from this single thread can never reach a stranger.

use rustix::process::{Pid, Signal, WaitOptions, kill_process, kill_process_group, wait};

use super::ladder::Left;
use super::wire::{Exit, Survivor};
use crate::os::processes;

/// The most survivors that are named.
const MOST_SURVIVORS: usize = 64;

/// Waits for every child that has ended, without blocking, and shows each to `ended`.
pub fn reap(mut ended: impl FnMut(Pid, Exit)) -> Left {
    // __WALL: also children made by clone with another exit signal than SIGCHLD.
    let options = WaitOptions::NOHANG | WaitOptions::from_bits_retain(libc::__WALL.cast_unsigned());
    let mut left = Left::Same;
    loop {
        match wait(options) {
            Ok(Some((pid, status))) => {
                ended(pid, Exit { code: status.exit_status(), signal: status.terminating_signal() });
                left = Left::Fewer;
            }
            Ok(None) => return left,
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => return Left::Nothing,
        }
    }
}

/// Asks with TERM: the leader's group, the terminal's foreground group, and every direct child that is in neither.
///
/// CONT follows, because a stopped process would not see the question. `leader` is absent once it has been reaped:
/// its number could name another group by then.
pub fn ask(leader: Option<Pid>, foreground: Option<Pid>) {
    let groups = [leader, foreground.filter(|group| Some(*group) != leader)];
    for group in groups.into_iter().flatten() {
        let _ = kill_process_group(group, Signal::TERM);
        let _ = kill_process_group(group, Signal::CONT);
    }
    for child in children(None).into_iter().filter(|child| Some(*child) != leader) {
        let _ = kill_process(child, Signal::TERM);
        let _ = kill_process(child, Signal::CONT);
    }
}

/// Sends SIGKILL to every direct child, and past a child that belongs to somebody else to its children.
pub fn strike() {
    for child in children(None) {
        if kill_process(child, Signal::KILL) == Err(rustix::io::Errno::PERM) {
            strike_below(child, 0);
        }
    }
}

/// A setuid program (`sudo`) cannot be killed, but what it started under our own uid can.
fn strike_below(parent: Pid, depth: usize) {
    const DEEPEST: usize = 16;
    for child in children(Some(parent)) {
        if kill_process(child, Signal::KILL).is_err() && depth < DEEPEST {
            strike_below(child, depth + 1);
        }
    }
}

/// Lists the direct children of a process, or of this one.
fn children(of: Option<Pid>) -> Vec<Pid> {
    let parent = of.map_or_else(std::process::id, processes::number);
    processes::children(parent).into_iter().filter_map(processes::pid).collect()
}

/// Names what is left after a kill gave up, and says of each why it is still there.
pub fn survivors() -> Vec<Survivor> {
    children(None).into_iter().take(MOST_SURVIVORS).map(survivor).collect()
}

fn survivor(pid: Pid) -> Survivor {
    let process_id = processes::number(pid);
    let refused = kill_process(pid, Signal::KILL) == Err(rustix::io::Errno::PERM);
    let reason = if refused {
        "it runs as another user; only that user or root can end it"
    } else {
        match processes::state(process_id) {
            Some('D') => "it waits in the kernel for a device or a file system",
            Some('t') => "a debugger holds it",
            Some(_) => "it has not ended yet although SIGKILL was sent",
            None => "it is just ending",
        }
    };
    Survivor { process_id, name: processes::name(process_id).unwrap_or_default(), reason: reason.to_owned() }
}
