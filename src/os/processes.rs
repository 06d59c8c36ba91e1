//! Other processes, as the kernel shows them (proc(5)), and signals that reach nobody else (pidfd_open(2)).

use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use serde::{Deserialize, Serialize};

/// One process and no other: its number is given to somebody else after its end, its number and start time together
/// are not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProcessIdentity {
    /// Its number.
    pub process_id: u32,
    /// When it started, in ticks since the machine did.
    pub start_time: u64,
}

impl ProcessIdentity {
    /// Returns the process that has this number now; absent if none has.
    pub fn of(process_id: u32) -> Option<Self> {
        let start_time = stat(process_id)?.start_time;
        Some(Self { process_id, start_time })
    }

    /// Returns this process. Absent where there is no `/proc`.
    pub fn own() -> Option<Self> {
        Self::of(std::process::id())
    }

    /// Tells whether it is still there and has not ended. A stopped process has not.
    pub fn is_alive(self) -> bool {
        stat(self.process_id).is_some_and(|found| found.start_time == self.start_time && !found.has_ended())
    }

    /// Opens it, so that a signal cannot reach another process. Absent if it has ended.
    pub fn open(self) -> Option<OpenProcess> {
        // Opened first, proved second: what has the number then is what was opened.
        let opened = OpenProcess::of(self.process_id)?;
        self.is_alive().then_some(opened)
    }
}

/// A process that is held by a descriptor: its number is given to nobody else meanwhile.
#[derive(Debug)]
pub struct OpenProcess(OwnedFd);

impl OpenProcess {
    /// Opens the process that has this number now.
    pub fn of(process_id: u32) -> Option<Self> {
        pidfd_open(pid(process_id)?, PidfdFlags::empty()).ok().map(Self)
    }

    /// Tells whether it has ended, however long its parent takes to notice.
    pub fn has_ended(&self) -> bool {
        self.wait(Duration::ZERO)
    }

    /// Sends it a signal.
    ///
    /// # Errors
    /// It has ended, or belongs to another user.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        Ok(pidfd_send_signal(&self.0, signal)?)
    }

    /// Waits for its end; tells whether that came within the limit. Blocks.
    pub fn wait(&self, limit: Duration) -> bool {
        let mut watched = [PollFd::new(&self.0, PollFlags::IN)];
        let limit = Timespec {
            tv_sec: i64::try_from(limit.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(limit.subsec_nanos()),
        };
        matches!(rustix::io::retry_on_intr(|| poll(&mut watched, Some(&limit))), Ok(1))
    }
}

impl From<OwnedFd> for OpenProcess {
    fn from(descriptor: OwnedFd) -> Self {
        Self(descriptor)
    }
}

impl AsFd for OpenProcess {
    /// Readable once the process has ended.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// What `/proc/ID/stat` says.
struct Stat {
    state: char,
    parent: u32,
    start_time: u64,
}

impl Stat {
    fn has_ended(&self) -> bool {
        matches!(self.state, 'Z' | 'X')
    }
}

/// The name before the fields may hold any character, so they are looked for behind its last parenthesis.
fn stat(process_id: u32) -> Option<Stat> {
    let text = fs::read(format!("/proc/{process_id}/stat")).ok()?;
    let text = String::from_utf8_lossy(&text);
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_ascii_whitespace().collect();
    let state = fields.first()?.chars().next()?;
    // The state is the third field, the parent the fourth, the start the twenty-second.
    Some(Stat { state, parent: fields.get(1)?.parse().ok()?, start_time: fields.get(19)?.parse().ok()? })
}

/// Lists the numbers of all processes. It is no snapshot: one that forks meanwhile may be missed.
pub fn all() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// Returns the state's letter: `R`, `S`, `D`, `T`, `t`, `Z` (proc(5)).
pub fn state(process_id: u32) -> Option<char> {
    stat(process_id).map(|found| found.state)
}

/// Tells whether it is there and has not ended.
pub fn is_alive(process_id: u32) -> bool {
    stat(process_id).is_some_and(|found| !found.has_ended())
}

/// Returns a process's parent; 0 if it has none.
pub fn parent(process_id: u32) -> Option<u32> {
    stat(process_id).map(|found| found.parent)
}

/// Returns a process and its parents, nearest first, up to the one below the first process of all.
pub fn with_parents(process_id: u32) -> impl Iterator<Item = u32> {
    let below_first = |id: u32| (id > 1).then_some(id);
    std::iter::successors(below_first(process_id), move |id| parent(*id).and_then(below_first))
}

/// Lists the direct children of a process.
pub fn children(process_id: u32) -> Vec<u32> {
    children_by_task(Path::new(&format!("/proc/{process_id}/task")))
        .unwrap_or_else(|_| children_by_scan(process_id))
}

/// Reads `task/*/children`; an error where the kernel has no such file (CONFIG_PROC_CHILDREN).
fn children_by_task(tasks: &Path) -> io::Result<Vec<u32>> {
    let mut found = Vec::new();
    for task in fs::read_dir(tasks)? {
        let listed = fs::read_to_string(task?.path().join("children"))?;
        found.extend(listed.split_ascii_whitespace().filter_map(|id| id.parse::<u32>().ok()));
    }
    Ok(found)
}

/// Looks at the parent of every process there is. It may miss one.
fn children_by_scan(process_id: u32) -> Vec<u32> {
    all().filter(|id| parent(*id) == Some(process_id)).collect()
}

/// Returns a process's name. The kernel cuts it after 15 bytes; the program's file may know the rest.
pub fn name(process_id: u32) -> Option<String> {
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

/// Returns a process's working folder, if the kernel shows it.
pub fn working_directory(process_id: u32) -> Option<PathBuf> {
    fs::read_link(format!("/proc/{process_id}/cwd")).ok()
}

/// Tells whether a process was started with a variable, `NAME=value`, in its environment.
pub fn has_variable(process_id: u32, variable: &[u8]) -> bool {
    fs::read(format!("/proc/{process_id}/environ"))
        .is_ok_and(|environment| environment.split(|byte| *byte == 0).any(|found| found == variable))
}

/// Returns a variable of the environment that a process was started with, if the kernel shows it.
pub fn variable(process_id: u32, name: &str) -> Option<String> {
    let environment = fs::read(format!("/proc/{process_id}/environ")).ok()?;
    let named = |entry: &[u8]| entry.strip_prefix(name.as_bytes())?.strip_prefix(b"=").map(<[u8]>::to_vec);
    let value = environment.split(|byte| *byte == 0).find_map(named)?;
    Some(String::from_utf8_lossy(&value).into_owned())
}

/// Makes a number one that the kernel takes.
pub fn pid(process_id: u32) -> Option<Pid> {
    i32::try_from(process_id).ok().and_then(Pid::from_raw)
}

/// Returns the number behind a [`Pid`].
pub fn number(pid: Pid) -> u32 {
    pid.as_raw_nonzero().get().cast_unsigned()
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn both_ways_find_the_same_child() {
        let mut child = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let own = std::process::id();
        assert!(children(own).contains(&child.id()));
        assert!(children_by_scan(own).contains(&child.id()));
        assert_eq!(with_parents(child.id()).take(2).collect::<Vec<_>>(), [child.id(), own]);
        drop(child.stdin.take());
        child.wait().unwrap();
        assert!(!children(own).contains(&child.id()));
        assert_eq!(parent(child.id()), None);
    }

    #[test]
    fn a_process_is_itself_until_its_end_and_nobody_else() {
        let mut child = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let identity = ProcessIdentity::of(child.id()).unwrap();
        let stranger = ProcessIdentity { start_time: identity.start_time + 1, ..identity };
        assert!(identity.is_alive() && !stranger.is_alive() && stranger.open().is_none());
        let opened = identity.open().unwrap();
        opened.signal(Signal::STOP).unwrap();
        assert!(identity.is_alive(), "a stopped process is there");
        assert!(!opened.has_ended());
        opened.signal(Signal::KILL).unwrap();
        assert!(opened.wait(Duration::from_secs(60)));
        assert!(!identity.is_alive(), "nobody has asked for its exit status yet, and it has ended");
        child.wait().unwrap();
        assert_eq!(ProcessIdentity::of(child.id()), None);
    }
}
