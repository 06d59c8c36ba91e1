//! Does what `update` orders, each in a task of its own; what comes of it is a message again.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::process::Command;
use tokio::sync::mpsc;

use super::callbacks::{Callbacks, PortHolder};
use super::outcome::Outcome;
use crate::client::{Client, ClientError};
use crate::os::files::write_private;
use crate::os::own_process;
use crate::protocol::error::{INTERNAL, RpcError};
use crate::protocol::method::{Request, supervisor};
use crate::protocol::request::{Inherited, StartSession};
use crate::tui::clipboard::{Copier, perform};
use crate::tui::msg::{Ask, Msg};
use crate::tui::settings::Settings;
use crate::tui::text::visible;

/// A browser that has not failed by now has started.
const BROWSER_START: Duration = Duration::from_secs(2);

/// Runs orders.
#[derive(Debug)]
pub struct Effects {
    outcomes: mpsc::UnboundedSender<Outcome>,
    copier: Copier,
    recordings: PathBuf,
    browser: Option<String>,
    bell: bool,
    osc9: bool,
    origin: Option<Origin>,
}

/// What a session inherits that is started here.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// The working folder.
    pub directory: Option<String>,
    /// The environment.
    pub environment: Inherited,
}

impl Origin {
    /// Lets a session be started as from here, as far as nothing else was said.
    pub fn fill(&self, start: &mut StartSession) {
        start.directory = start.directory.take().or_else(|| self.directory.clone());
        start.inherited = start.inherited.take().or_else(|| Some(self.environment.clone()));
    }
}

impl Effects {
    /// Starts with what the settings say; outcomes come through the receiver.
    pub fn new(settings: &Settings, origin: Option<Origin>) -> (Self, mpsc::UnboundedReceiver<Outcome>) {
        let (outcomes, receiver) = mpsc::unbounded_channel();
        let around = &settings.surroundings;
        let effects = Self {
            outcomes,
            copier: Copier {
                surroundings: around.clone(),
                chosen: settings.copy,
                folder: settings.private_folder.clone(),
            },
            recordings: settings.recordings.clone(),
            browser: around.browser.clone(),
            origin,
            bell: settings.bell,
            // Between the deck and the terminal nobody else hands it on.
            osc9: settings.osc9 && !around.tmux && !around.screen,
        };
        (effects, receiver)
    }

    /// What waits for callbacks, with `holder` to name who holds a port.
    pub(super) fn callbacks(&self, holder: PortHolder) -> Callbacks {
        Callbacks::new(self.outcomes.clone(), holder)
    }

    /// Brings a message.
    pub fn bring(&self, msg: Msg) {
        // An error means that the deck is closed.
        let _ = self.outcomes.send(Outcome::Msg(msg));
    }

    /// Lets what is started be started as from the shell that the deck runs in.
    pub fn fill_in(&self, request: &mut Request) {
        if let (Request::Supervisor(supervisor::Request::Start(start)), Some(origin)) =
            (request, &self.origin)
        {
            origin.fill(start);
        }
    }

    /// Sends a request now; the answer follows. Absent: there is nobody to ask.
    pub fn request(&self, client: Option<&Client>, ask: Ask, request: &Request) {
        let outcomes = self.outcomes.clone();
        let begun = client.map_or(Err(ClientError::Closed), |client| client.begin(request));
        match begun {
            Ok(pending) => {
                tokio::spawn(async move {
                    let answer = pending.wait::<Value>().await.map_err(refusal);
                    let _ = outcomes.send(Outcome::Msg(Msg::Answered(ask, answer)));
                });
            }
            Err(error) => self.bring(Msg::Answered(ask, Err(refusal(error)))),
        }
    }

    /// Brings the word that something could not be told.
    pub fn complain(&self, error: ClientError) {
        self.bring(Msg::Complaint(refusal(error)));
    }

    /// Copies.
    pub fn copy(&self, what: &'static str, text: String) {
        let (outcomes, copier) = (self.outcomes.clone(), self.copier.clone());
        tokio::spawn(async move {
            let (report, bytes) = perform(&copier, what, &text).await;
            let _ = outcomes.send(Outcome::Write(bytes, Msg::Copied(report)));
        });
    }

    /// Opens a URL in the browser of this machine.
    pub fn open(&self, url: String) {
        let (outcomes, browser) = (self.outcomes.clone(), self.browser.clone());
        tokio::spawn(async move {
            let opened = open(browser.as_deref().unwrap_or("xdg-open"), &url).await;
            let _ = outcomes.send(Outcome::Msg(Msg::Opened(opened)));
        });
    }

    /// Writes a recording.
    pub fn save(&self, name: String, content: String) {
        let (outcomes, folder) = (self.outcomes.clone(), self.recordings.clone());
        tokio::task::spawn_blocking(move || {
            let saved = save(&folder, &name, &content);
            let _ = outcomes.send(Outcome::Msg(Msg::Saved(saved)));
        });
    }

    /// Returns the bytes that call the person.
    pub fn notification(&self, text: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        if self.osc9 {
            bytes.extend(format!("\x1b]9;authdeck: {}\x07", visible(text)).into_bytes());
        }
        if self.bell {
            bytes.push(0x07);
        }
        bytes
    }
}

fn refusal(error: ClientError) -> RpcError {
    match error {
        ClientError::Refused(refusal) => refusal,
        other => RpcError::new(INTERNAL, format!("{other}.")),
    }
}

/// Starts a browser. `BROWSER` may have arguments, `%s` standing for the URL; there is no shell in between.
async fn open(browser: &str, url: &str) -> Result<String, String> {
    if !(url.starts_with("https://") || url.starts_with("http://")) {
        return Err("Only http and https are opened; copy it if you trust it (u).".into());
    }
    let first = browser.split(':').next().unwrap_or(browser);
    let mut words: Vec<String> = first.split_whitespace().map(|word| word.replace("%s", url)).collect();
    if !first.contains("%s") {
        words.push(url.to_owned());
    }
    let name = words[0].clone();
    let mut program = Command::new(&name);
    // Nothing writes on the terminal that the deck draws on.
    own_process::take_terminal_away(own_process::give_back_limits(program.as_std_mut()));
    let mut child = program
        .args(&words[1..])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| {
            format!("{name} could not be started ({error}). Copy the URL (u) or scan it (s).")
        })?;
    match tokio::time::timeout(BROWSER_START, child.wait()).await {
        Ok(Ok(status)) if !status.success() => {
            Err(format!("{name} could not open it ({status}). Copy the URL (u) or scan it (s)."))
        }
        Ok(_) | Err(_) => Ok(format!("Handed to {name}.")),
    }
}

fn save(folder: &Path, name: &str, content: &str) -> Result<String, String> {
    let (stem, ending) = name.rsplit_once('.').unwrap_or((name, "cast"));
    let named = |number: u32| match number {
        1 => folder.join(name),
        number => folder.join(format!("{stem}-{number}.{ending}")),
    };
    let path = (1..1_000).map(named).find(|path| !path.exists()).unwrap_or_else(|| folder.join(name));
    match write_private(&path, content.as_bytes()) {
        Ok(()) => Ok(format!("Saved {} ({} B, secrets masked).", path.display(), content.len())),
        Err(error) => Err(format!("Could not save {}: {error}.", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_never_replaces_another() {
        let folder = tempfile::tempdir().unwrap();
        assert!(save(folder.path(), "gh-1.cast", "one").unwrap().contains("gh-1.cast (3 B"));
        assert!(save(folder.path(), "gh-1.cast", "two").unwrap().contains("gh-1-2.cast"));
        assert_eq!(std::fs::read_to_string(folder.path().join("gh-1.cast")).unwrap(), "one");
    }

    #[tokio::test]
    async fn only_web_addresses_are_opened() {
        assert!(open("true", "javascript:alert(1)").await.is_err());
        assert_eq!(open("true", "https://example.com").await.unwrap(), "Handed to true.");
        assert!(open("false", "https://example.com").await.unwrap_err().contains("could not open it"));
        assert!(
            open("authdeck-no-browser", "https://example.com")
                .await
                .unwrap_err()
                .contains("could not be started")
        );
    }
}
