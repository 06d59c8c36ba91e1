//! Does what the ladder says: runs tmux, asks the desktop, writes the file.

use std::path::{Path, PathBuf};

use super::program::{DEADLINE, Done, run};
use super::{Report, Wrapping, ladder, osc52, sentence, tmux};
use crate::config::ClipboardWay;
use crate::os::files::{private_folder, write_private};
use crate::tui::surroundings::Surroundings;

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
