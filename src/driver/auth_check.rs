//! Runs a provider's own auth check: the command that says whether, and as whom, one is logged in (behaviour S6).
//!
//! It runs in the session's environment and folder with nothing to read, in a process group of its own, and is
//! killed with that group when its time is up or when nobody waits for it any more.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use regex::Regex;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, Command};

use super::plain_text::one_line;
use crate::os::own_process;

/// How much of each output stream is kept: its end.
const OUTPUT_BYTES: usize = 64 * 1024;
/// How many characters of the last line are shown.
const LINE_CHARACTERS: usize = 300;
/// How long to wait for the rest of the output once the command has ended; what it left running in the background
/// may hold the pipes open for ever.
const DRAIN_LIMIT: Duration = Duration::from_millis(200);

/// What to run.
#[derive(Clone, Debug)]
pub struct Check {
    /// The command.
    pub command: Vec<String>,
    /// Its whole environment.
    pub environment: Vec<(OsString, OsString)>,
    /// The folder to run in.
    pub directory: PathBuf,
    /// Finds who is logged in: its first group that takes part, or the whole match.
    pub identity: Option<Regex>,
    /// Exit status 0 confirms nothing without an identity: the command ends with 0 either way.
    pub requires_identity: bool,
    /// How long it may take.
    pub limit: Duration,
}

/// What it said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckReport {
    /// The exit status; absent if a signal ended it or its time was up.
    pub code: Option<i32>,
    /// Its own last line that is not empty, fit to be shown; empty if there is none.
    pub last_line: String,
    /// Who is logged in, if it said so.
    pub identity: Option<String>,
    /// Its time was up.
    pub timed_out: bool,
    /// Why it could not be run at all.
    pub not_run: Option<String>,
    /// It named nobody, and had to.
    pub named_nobody: bool,
}

impl CheckReport {
    /// Tells whether the login is confirmed.
    pub fn is_confirmed(&self) -> bool {
        self.code == Some(0) && !self.named_nobody
    }

    fn not_run(reason: String) -> Self {
        Self {
            code: None,
            last_line: String::new(),
            identity: None,
            timed_out: false,
            not_run: Some(reason),
            named_nobody: false,
        }
    }
}

/// Kills a command's process group when dropped.
struct Group(Option<Pid>);

impl Group {
    fn kill(&self) {
        if let Some(group) = self.0 {
            // An error means that nothing of the group is left.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Runs a check. Dropping the future kills it.
pub async fn run(check: Check) -> CheckReport {
    let Some((program, arguments)) = check.command.split_first() else {
        return CheckReport::not_run("the provider's auth check is empty".into());
    };
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .envs(check.environment.iter().map(|(name, value)| (name, value)))
        .current_dir(&check.directory)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    own_process::give_back_limits(command.as_std_mut());
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            return CheckReport::not_run(format!("the auth check `{program}` did not start: {error}"));
        }
    };
    let group = Group(child.id().and_then(|id| Pid::from_raw(id.cast_signed())));
    let output = Output::default();
    let readers = output.read_from(&mut child);
    let ended = tokio::time::timeout(check.limit, child.wait()).await;
    group.kill();
    // Output that is still held open belongs to a process that left the group; what was read until then has to do.
    let _ = tokio::time::timeout(DRAIN_LIMIT, readers).await;
    report(&check, ended.ok(), &output)
}

/// What the command printed.
#[derive(Debug, Default)]
struct Output {
    standard: Tail,
    error: Tail,
}

impl Output {
    /// Begins to read; the future resolves when both streams have ended.
    fn read_from(&self, child: &mut Child) -> impl Future<Output = ()> + use<> {
        let standard = tokio::spawn(self.standard.clone().fill(child.stdout.take()));
        let error = tokio::spawn(self.error.clone().fill(child.stderr.take()));
        async move {
            let _ = tokio::join!(standard, error);
        }
    }
}

/// The end of a stream.
#[derive(Clone, Debug, Default)]
struct Tail(Arc<Mutex<Vec<u8>>>);

impl Tail {
    async fn fill(self, stream: Option<impl AsyncRead + Unpin>) {
        let Some(mut stream) = stream else { return };
        let mut buffer = [0; 4096];
        while let Ok(read @ 1..) = stream.read(&mut buffer).await {
            let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            kept.extend_from_slice(&buffer[..read]);
            let excess = kept.len().saturating_sub(OUTPUT_BYTES);
            kept.drain(..excess);
        }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

fn report(check: &Check, ended: Option<std::io::Result<ExitStatus>>, output: &Output) -> CheckReport {
    let standard = output.standard.text();
    let error = output.error.text();
    let identity = check.identity.as_ref().and_then(|pattern| {
        [&standard, &error]
            .into_iter()
            .find_map(|text| first_group(pattern, text))
            .map(|name| one_line(&name, LINE_CHARACTERS))
    });
    let own_line = last_line(&error).or_else(|| last_line(&standard));
    match ended {
        Some(Ok(status)) => {
            // A check that succeeds says it on standard output, one that fails says why on standard error.
            let line = if status.success() { last_line(&standard).or(own_line) } else { own_line };
            let last_line = line.unwrap_or_default();
            let named_nobody = check.requires_identity && identity.is_none();
            CheckReport {
                code: status.code(),
                last_line,
                identity,
                timed_out: false,
                not_run: None,
                named_nobody,
            }
        }
        Some(Err(error)) => CheckReport::not_run(format!("the auth check could not be waited for: {error}")),
        None => CheckReport {
            code: None,
            last_line: own_line.unwrap_or_default(),
            identity: None,
            timed_out: true,
            not_run: None,
            named_nobody: false,
        },
    }
}

fn first_group(pattern: &Regex, text: &str) -> Option<String> {
    let found = pattern.captures(text)?;
    let group = found.iter().skip(1).flatten().next().or_else(|| found.get(0))?;
    Some(group.as_str().trim().to_owned()).filter(|name| !name.is_empty())
}

fn last_line(text: &str) -> Option<String> {
    text.lines().rev().map(|line| one_line(line, LINE_CHARACTERS)).find(|line| !line.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Check {
        Check {
            command: vec!["/bin/sh".into(), "-c".into(), script.into()],
            environment: vec![
                ("PATH".into(), "/usr/bin:/bin".into()),
                ("WHO".into(), "a@example.com".into()),
            ],
            directory: "/".into(),
            identity: Some(Regex::new(r"Logged in as (\S+)").unwrap()),
            requires_identity: false,
            limit: Duration::from_secs(20),
        }
    }

    #[tokio::test]
    async fn a_command_that_always_ends_with_zero_must_name_somebody() {
        let check = |script| Check { requires_identity: true, ..shell(script) };
        assert!(!run(check("echo Not logged in")).await.is_confirmed());
        assert!(run(check("echo Logged in as a@example.com")).await.is_confirmed());
    }

    #[tokio::test]
    async fn exit_status_zero_confirms_and_the_identity_is_read_from_either_stream() {
        for stream in ["", " >&2"] {
            let report = run(shell(&format!("echo Logged in as $WHO{stream}"))).await;
            assert!(report.is_confirmed(), "{report:?}");
            assert_eq!(report.identity.as_deref(), Some("a@example.com"));
        }
    }

    #[tokio::test]
    async fn a_refusal_is_told_in_the_checks_own_last_line() {
        let report =
            run(shell("echo checking; printf '\\033[31mnot logged in\\033[0m\n\n' >&2; exit 3")).await;
        assert_eq!(report.code, Some(3));
        assert_eq!(report.last_line, "not logged in");
    }

    #[tokio::test]
    async fn a_check_that_hangs_is_killed_with_what_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let fifo = folder.path().join("alive");
        rustix::fs::mkfifoat(rustix::fs::CWD, &fifo, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR)
            .unwrap();
        let script = format!("(trap '' TERM; exec 3>{}; sleep 1000) & echo half; wait", fifo.display());
        // Its end of file comes when the last process that holds the other end is dead.
        let all_dead = tokio::task::spawn_blocking(move || std::fs::read(fifo).unwrap());
        let report = run(Check { limit: Duration::from_millis(500), ..shell(&script) }).await;
        all_dead.await.unwrap();
        assert!(report.timed_out && !report.is_confirmed(), "{report:?}");
        assert_eq!(report.last_line, "half");
    }

    #[tokio::test]
    async fn what_it_leaves_in_the_background_holds_nobody_up() {
        let report = run(shell("sleep 1000 & echo done")).await;
        assert_eq!((report.code, report.last_line.as_str()), (Some(0), "done"));
    }

    #[tokio::test]
    async fn a_check_that_is_not_there_is_no_confirmation() {
        let report = run(Check { command: vec!["/nonexistent/check".into()], ..shell("") }).await;
        assert!(!report.is_confirmed());
        assert!(report.not_run.unwrap().contains("/nonexistent/check"));
    }

    #[tokio::test]
    async fn a_flood_is_not_kept() {
        let report = run(shell("head -c 1000000 /dev/zero | tr '\\0' 'x'; echo; echo end")).await;
        assert_eq!(report.last_line, "end");
    }
}
