//! Processes as the kernel shows them: found by a tag in their environment, counted, ended by process id.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;
use std::{fmt, fs};

use super::env::{AUTHDECK, TAG};
use super::wait::wait_for;

/// A live process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its id.
    pub id: u32,
    /// Its arguments, joined by blanks.
    pub command: String,
    /// Its program, if the kernel tells.
    pub program: Option<PathBuf>,
}

impl Process {
    /// Tells whether it is authdeck (deck, keeper, helper) or tmux: what a test needs, not what it watches.
    pub fn is_scaffolding(&self) -> bool {
        let Some(program) = &self.program else { return false };
        let program = program.to_string_lossy();
        program.trim_end_matches(" (deleted)") == AUTHDECK || program.ends_with("/tmux")
    }

    /// Tells whether it is an authdeck process with this first argument, such as `keeper`; the guard of a deck's
    /// terminal, which is a copy of the deck, is none.
    pub fn is_authdeck(&self, argument: &str) -> bool {
        let name = fs::read_to_string(format!("/proc/{}/comm", self.id)).unwrap_or_default();
        let mut words = self.command.split(' ');
        words.next() == Some(AUTHDECK) && words.next() == Some(argument) && name != "authdeck-guard\n"
    }
}

impl fmt::Display for Process {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.id, self.command)
    }
}

/// Lists processes, one a line, for a failed test's report.
pub fn list(processes: &[Process]) -> String {
    processes.iter().map(|process| format!("{process}\n")).collect()
}

/// All live processes with this tag in their environment or, as a path's part, in their arguments: a keeper that was
/// started by a supervisor inside the test itself has it only there. Zombies are not alive.
pub fn tagged(tag: &str) -> Vec<Process> {
    let cookie = format!("{TAG}={tag}").into_bytes();
    let has_cookie = |environment: &[u8]| environment.split(|byte| *byte == 0).any(|one| one == cookie);
    let part = format!("/{tag}/").into_bytes();
    let has_part = |arguments: &[u8]| arguments.windows(part.len()).any(|one| one == part);
    let mut found: Vec<Process> = fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|id: &u32| *id != std::process::id() && is_alive(*id))
        .filter(|id| {
            fs::read(format!("/proc/{id}/environ")).is_ok_and(|environment| has_cookie(&environment))
                || fs::read(format!("/proc/{id}/cmdline")).is_ok_and(|arguments| has_part(&arguments))
        })
        .filter_map(describe)
        .collect();
    found.sort_by_key(|process| process.id);
    found
}

fn describe(id: u32) -> Option<Process> {
    let command = fs::read(format!("/proc/{id}/cmdline")).ok()?;
    let command = String::from_utf8_lossy(&command).trim_end_matches('\0').replace('\0', " ");
    let program = match fs::read_link(format!("/proc/{id}/exe")) {
        Ok(program) => Some(program),
        // It has given its memory back and is about to be a zombie.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        Err(_) => None,
    };
    Some(Process { id, command, program })
}

/// Tells whether the process runs; a zombie does not.
pub fn is_alive(id: u32) -> bool {
    let Ok(stat) = fs::read_to_string(format!("/proc/{id}/stat")) else { return false };
    let state = stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
    !matches!(state, None | Some('Z' | 'X'))
}

/// Sends a signal (`KILL`, `TERM`, `STOP`, …) to one process.
pub fn signal(id: u32, name: &str) {
    let sent = Command::new("kill").arg(format!("-{name}")).arg(id.to_string()).output().unwrap();
    assert!(
        sent.status.success() || !is_alive(id),
        "kill -{name} {id}: {}",
        String::from_utf8_lossy(&sent.stderr)
    );
}

/// SIGKILLs what `remaining` lists, again and again, until it lists nothing.
pub fn end(remaining: impl Fn() -> Vec<Process>) {
    if std::thread::panicking() {
        // A second panic would hide the first one's report: kill for a few rounds, do not judge.
        for _ in 0..5 {
            remaining().iter().for_each(kill_quietly);
        }
        return;
    }
    wait_for("every process of the test is gone", Duration::from_secs(20), || {
        let left = remaining();
        left.iter().for_each(kill_quietly);
        if left.is_empty() { Ok(()) } else { Err(list(&left)) }
    });
}

fn kill_quietly(process: &Process) {
    let _already_gone = Command::new("kill").arg("-KILL").arg(process.id.to_string()).output();
}
