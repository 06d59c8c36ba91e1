//! The keeper's children: finding, reaping, asking, striking.
//!
//! The keeper is the child subreaper of everything that its session starts, so whatever loses its parent becomes a
//! direct child here. Killing all direct children again and again therefore comes to an end, and the kernel tells
//! when: `waitpid` fails with ECHILD. A scan of `/proc` cannot tell, because it is not a snapshot: a tree that
//! re-forks slips through it. A direct child that has not been waited for keeps its process id, so a signal sent
//! from this single thread can never reach a stranger.

use std::fs;
use std::io;
use std::path::Path;

use rustix::process::{Pid, Signal, WaitOptions, kill_process, kill_process_group, wait};

use super::ladder::Left;
use super::wire::{Exit, Survivor};

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
pub fn children(of: Option<Pid>) -> Vec<Pid> {
    let owner = of.map_or_else(|| "self".to_owned(), |pid| pid.as_raw_nonzero().to_string());
    match children_by_task(Path::new(&format!("/proc/{owner}/task"))) {
        Ok(found) => found,
        Err(_) => children_by_scan(of.unwrap_or_else(rustix::process::getpid)),
    }
}

/// Reads `task/*/children`; an error where the kernel has no such file (CONFIG_PROC_CHILDREN).
fn children_by_task(tasks: &Path) -> io::Result<Vec<Pid>> {
    let mut found = Vec::new();
    for task in fs::read_dir(tasks)? {
        let listed = fs::read_to_string(task?.path().join("children"))?;
        found.extend(listed.split_ascii_whitespace().filter_map(parse_pid));
    }
    Ok(found)
}

/// Looks at the parent of every process there is. It may miss one, which the next strike finds.
fn children_by_scan(parent: Pid) -> Vec<Pid> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let is_child = |pid: &Pid| stat_fields(*pid).is_some_and(|(_, below)| below == Some(parent));
    entries.flatten().filter_map(|entry| parse_pid(entry.file_name().to_str()?)).filter(is_child).collect()
}

fn parse_pid(text: &str) -> Option<Pid> {
    text.parse().ok().and_then(Pid::from_raw)
}

/// Reads the state's letter and the parent. The name before them may hold any character, so they are looked for
/// behind its last parenthesis.
fn stat_fields(pid: Pid) -> Option<(char, Option<Pid>)> {
    let stat = fs::read(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?;
    let stat = String::from_utf8_lossy(&stat);
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace();
    let state = fields.next()?.chars().next()?;
    Some((state, fields.next().and_then(parse_pid)))
}

/// Names what is left after a kill gave up, and says of each why it is still there.
pub fn survivors() -> Vec<Survivor> {
    children(None).into_iter().take(MOST_SURVIVORS).map(survivor).collect()
}

fn survivor(pid: Pid) -> Survivor {
    let name = fs::read(format!("/proc/{}/comm", pid.as_raw_nonzero())).unwrap_or_default();
    let refused = kill_process(pid, Signal::KILL) == Err(rustix::io::Errno::PERM);
    let reason = if refused {
        "it runs as another user; only that user or root can end it"
    } else {
        match stat_fields(pid) {
            Some(('D', _)) => "it waits in the kernel for a device or a file system",
            Some(('t', _)) => "a debugger holds it",
            Some(_) => "it has not ended yet although SIGKILL was sent",
            None => "it is just ending",
        }
    };
    Survivor {
        process_id: pid.as_raw_nonzero().get().cast_unsigned(),
        name: String::from_utf8_lossy(&name).trim_end().to_owned(),
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn both_ways_find_the_same_child() {
        let mut child = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let pid = parse_pid(&child.id().to_string()).unwrap();
        assert!(children(None).contains(&pid));
        assert!(children_by_scan(rustix::process::getpid()).contains(&pid));
        drop(child.stdin.take());
        child.wait().unwrap();
        assert!(!children(None).contains(&pid));
    }
}
