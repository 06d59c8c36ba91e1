//! Does what the ladder says: runs tmux, asks the desktop, writes the file.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use super::{Report, Wrapping, ladder, osc52, sentence, tmux};
use crate::config::ClipboardWay;
use crate::os::files::{private_folder, write_private};
use crate::os::own_process;
use crate::tui::surroundings::Surroundings;

/// A program that has not answered by now never will.
const DEADLINE: Duration = Duration::from_secs(2);

/// What copying needs to know.
#[derive(Clone, Debug)]
pub struct Copier {
    /// The terminal and the machine around.
    pub surroundings: Surroundings,
    /// The person's choice.
    pub chosen: Option<ClipboardWay>,
    /// The folder for the file.
    pub folder: PathBuf,
}

/// Copies by the first way that works; returns what to say, and bytes for the terminal if it is to do it.
pub async fn perform(copier: &Copier, what: &str, text: &str) -> (Report, Vec<u8>) {
    let mut failures = Vec::new();
    for way in ladder(&copier.surroundings, copier.chosen) {
        match attempt(copier, way, text).await {
            Ok(done) => {
                let verified = matches!(way, ClipboardWay::File | ClipboardWay::Desktop);
                let said = sentence(text, &done.to, verified);
                // What is missing goes first: the line may be cut.
                let said = done.note.map_or(said, |note| format!("copied to tmux only: {note}"));
                return (Report { done: true, text: said }, done.terminal);
            }
            Err(failure) => failures.push(failure),
        }
    }
    (Report { done: false, text: format!("{what} not copied: {}", failures.join("; ")) }, Vec::new())
}

/// What was done.
pub(super) struct Done {
    pub(super) to: String,
    /// What the terminal is to be given.
    pub(super) terminal: Vec<u8>,
    /// What is in the way, and what to do about it.
    pub(super) note: Option<String>,
}

async fn attempt(copier: &Copier, way: ClipboardWay, text: &str) -> Result<Done, String> {
    match way {
        ClipboardWay::Tmux => tmux::copy(text).await,
        ClipboardWay::Osc52 => Ok(terminal(&copier.surroundings, text).await),
        ClipboardWay::Desktop => desktop(text.to_owned()).await,
        ClipboardWay::File => file(&copier.folder, text),
    }
}

async fn terminal(surroundings: &Surroundings, text: &str) -> Done {
    let wrapping = if surroundings.tmux {
        let allowed = run(&["tmux", "show-options", "-Apv", "allow-passthrough"], "").await;
        if allowed.is_ok_and(|answer| answer.trim() != "off") { Wrapping::Tmux } else { Wrapping::Plain }
    } else if surroundings.screen {
        Wrapping::Screen
    } else {
        Wrapping::Plain
    };
    Done { to: "by OSC 52".into(), terminal: osc52(text, wrapping), note: None }
}

/// Runs a program that takes its text from standard input, so that it is in no argument list.
pub(super) async fn run(command: &[&str], input: &str) -> Result<String, String> {
    let name = command[0];
    let mut program = Command::new(name);
    own_process::give_back_limits(program.as_std_mut());
    let mut child = program
        .args(&command[1..])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("{name} could not be started ({error})"))?;
    let stdin = child.stdin.take();
    let work = async {
        if let Some(mut stdin) = stdin {
            stdin.write_all(input.as_bytes()).await?;
        }
        child.wait_with_output().await
    };
    let output = match tokio::time::timeout(DEADLINE, work).await {
        Ok(Ok(output)) => output,
        Ok(Err(error)) => return Err(format!("{name} failed ({error})")),
        Err(_) => return Err(format!("{name} did not answer within {} s", DEADLINE.as_secs())),
    };
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr).lines().next_back().unwrap_or_default().to_owned();
    Err(format!("{name} refused ({})", crate::tui::text::visible(&said)))
}

/// The desktop's clipboard dies with its owner, so it is kept until the next copy replaces it.
async fn desktop(text: String) -> Result<Done, String> {
    static OWNER: std::sync::Mutex<Option<arboard::Clipboard>> = std::sync::Mutex::new(None);
    let work = tokio::task::spawn_blocking(move || {
        let mut clipboard = arboard::Clipboard::new().map_err(|error| error.to_string())?;
        clipboard.set_text(text).map_err(|error| error.to_string())?;
        if let Ok(mut owner) = OWNER.lock() {
            *owner = Some(clipboard);
        }
        Ok::<(), String>(())
    });
    match tokio::time::timeout(DEADLINE, work).await {
        Ok(Ok(Ok(()))) => {
            Ok(Done { to: "to the desktop's clipboard".into(), terminal: Vec::new(), note: None })
        }
        Ok(Ok(Err(error))) => Err(format!("the desktop refused ({error})")),
        Ok(Err(error)) => Err(format!("the desktop failed ({error})")),
        Err(_) => Err(format!("the desktop did not answer within {} s", DEADLINE.as_secs())),
    }
}

fn file(folder: &Path, text: &str) -> Result<Done, String> {
    let path = folder.join("clipboard");
    private_folder(folder)
        .and_then(|()| write_private(&path, text.as_bytes()))
        .map_err(|error| format!("{} ({error})", path.display()))?;
    Ok(Done { to: format!("to {}", path.display()), terminal: Vec::new(), note: None })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[tokio::test]
    async fn the_file_is_the_persons_own() {
        let folder = tempfile::tempdir().unwrap();
        let copier = Copier {
            surroundings: Surroundings::default(),
            chosen: Some(ClipboardWay::File),
            folder: folder.path().join("new"),
        };
        let (report, bytes) = perform(&copier, "code", "ABCD-1234").await;
        assert!(report.done && bytes.is_empty());
        let path = folder.path().join("new/clipboard");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "ABCD-1234");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[tokio::test]
    async fn a_failing_program_is_named() {
        let failure = run(&["false"], "").await.unwrap_err();
        assert!(failure.starts_with("false refused"), "{failure}");
        let failure = run(&["authdeck-no-such-program"], "").await.unwrap_err();
        assert!(failure.contains("could not be started"), "{failure}");
    }
}
