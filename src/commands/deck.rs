//! `authdeck`, `authdeck login`, `authdeck run`: the deck, with or without something started in it.

use std::io::IsTerminal as _;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::unix::AsyncFd;
use tokio::sync::Mutex;

use super::embedded::EmbeddedSupervisor;
use super::scripted::follow;
use super::supervisor::{Approach, Place, connect_or_start, warning_of_the_end_of_login};
use crate::cli::scripted::Following;
use crate::cli::{Login, Run};
use crate::client::{Client, Events};
use crate::config::catalogue::{Catalogue, CurrentCatalogue};
use crate::config::{self, Settings};
use crate::core::ids::{BundleId, ProviderId};
use crate::core::provider::Provider;
use crate::driver::platform::guard::TerminalGuard;
use crate::driver::platform::watched::watch_input;
use crate::driver::{DriverSettings, paths};
use crate::error::{Error, Kind};
use crate::os::files;
use crate::os::own_process;
use crate::output;
use crate::protocol::request::StartSession;
use crate::tui::{self, Attachment, Deck};

/// How long tasks may take to notice that the program ends; one of them may be stuck in a terminal that is gone.
const END_LIMIT: Duration = Duration::from_millis(200);

/// What was read before the deck opens.
pub(super) struct Prepared {
    pub settings: Settings,
    catalogue: Catalogue,
    pub messages: Vec<String>,
}

/// Opens the deck, with the commands of a file started if one is named.
///
/// # Errors
/// There is no terminal, or no supervisor can be had; or the file cannot be read or understood.
pub fn open(start: Option<&Path>, place: Place) -> Result<(), Error> {
    let sessions = start.map_or_else(|| Ok(Vec::new()), commands_of)?;
    run_deck(Way::begin(place)?, prepare(), sessions)
}

/// Reads what to start from a file: one a line, a JSON array of words or an object like `session.start` takes.
fn commands_of(file: &Path) -> Result<Vec<StartSession>, Error> {
    let wrong = |what: &str| Error::new(Kind::Input, format!("{} {what}", file.display()));
    let text = files::read_text(file).map_err(|error| wrong("cannot be read").because(error))?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(at, line)| match start_of(line) {
            Ok(session) if session.command.is_empty() && session.provider_id.is_none() => {
                Err(wrong(&format!("starts nothing in line {}", at + 1)))
            }
            Ok(session) => Ok(session),
            Err(error) => Err(wrong(&format!("is not understood in line {}", at + 1)).because(error).hint(
                "a line is a command, [\"gh\", \"auth\", \"login\"], or a provider, {\"providerId\": \"gh\"}",
            )),
        })
        .collect()
}

fn start_of(line: &str) -> Result<StartSession, serde_json::Error> {
    if line.trim_start().starts_with('[') {
        return Ok(StartSession { command: serde_json::from_str(line)?, ..StartSession::default() });
    }
    serde_json::from_str(line)
}

/// Opens the deck with a provider's login started.
///
/// # Errors
/// As [`open`]; or there is no such provider.
pub fn login(login: Login, place: Place) -> Result<(), Error> {
    let prepared = prepare();
    let Some(provider) = prepared.catalogue.get(&login.provider) else {
        return Err(unknown_provider(&prepared.catalogue, &login.provider));
    };
    let session = StartSession {
        provider_id: Some(provider.id.clone()),
        command: with_arguments(&provider, login.arguments),
        name: login.name,
        into_bundle_id: login.into.map(BundleId::new),
        ..StartSession::default()
    };
    start(prepared, session, login.following, place)
}

/// Opens the deck with any command started.
///
/// # Errors
/// As [`open`].
pub fn run(run: Run, place: Place) -> Result<(), Error> {
    let session = StartSession { command: run.command, name: run.name, ..StartSession::default() };
    start(prepare(), session, run.following, place)
}

/// Starts one session, in the deck or without.
fn start(prepared: Prepared, session: StartSession, following: Following, place: Place) -> Result<(), Error> {
    match place {
        Place::Background | Place::Embedded if !following.is_wanted() => {
            run_deck(Way::begin(place)?, prepared, vec![session])
        }
        Place::Background => {
            // A mistake in the configuration keeps nobody from logging in.
            prepared.messages.iter().for_each(|message| output::warn(message));
            follow::run(super::from_here(session), following)
        }
        Place::Embedded => {
            Err(Error::new(Kind::Usage, "without the deck the login needs a supervisor in the background")
                .hint("leave out `--embedded`"))
        }
    }
}

/// Opens the deck with several sessions started.
///
/// # Errors
/// As [`open`].
pub(super) fn open_with(sessions: Vec<StartSession>, place: Place) -> Result<(), Error> {
    run_deck(Way::begin(place)?, prepare(), sessions)
}

fn provider_folder() -> Option<PathBuf> {
    config::folder(|name| std::env::var_os(name)).map(|folder| folder.join("providers"))
}

/// Reads the person's files; what is wrong in them is a sentence each.
pub(super) fn prepare() -> Prepared {
    let config::Loaded { settings, mut messages } = config::load();
    let (catalogue, more) = Catalogue::load(provider_folder().as_deref());
    messages.extend(more);
    messages.extend(paths::ineffective_runtime_variable());
    Prepared { settings, catalogue, messages }
}

/// Without further arguments the catalogue's own command is used, by whoever runs the supervisor.
fn with_arguments(provider: &Provider, arguments: Vec<String>) -> Vec<String> {
    if arguments.is_empty() {
        return Vec::new();
    }
    provider.command.iter().cloned().chain(arguments).collect()
}

fn unknown_provider(catalogue: &Catalogue, wanted: &str) -> Error {
    let mut error = Error::new(Kind::Usage, format!("there is no provider `{wanted}`"));
    let near = suggestions(catalogue, wanted);
    if !near.is_empty() {
        error = error.hint(format!("did you mean {}?", near.join(" or ")));
    }
    error.hint("`authdeck providers` lists them all; `authdeck run -- CMD` runs any other command")
}

fn suggestions(catalogue: &Catalogue, wanted: &str) -> Vec<String> {
    let quoted = |ids: Vec<String>| ids.iter().map(|id| format!("`{id}`")).collect::<Vec<_>>();
    let parts = catalogue.suggestions(wanted);
    if !parts.is_empty() {
        return quoted(parts);
    }
    let near = |id: &ProviderId| strsim::levenshtein(wanted, id.as_str()) <= 2;
    quoted(catalogue.ids().filter(near).map(|id| id.to_string()).take(3).collect())
}

/// The way to the supervisor, begun before anything else is got ready.
enum Way {
    Background(Approach),
    Embedded,
}

impl Way {
    /// Takes the first step, where there is a terminal to open the deck in.
    fn begin(place: Place) -> Result<Self, Error> {
        if !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
            return Err(Error::new(Kind::Unavailable, "the deck needs a terminal, and there is none here").hint(
                "run it in a terminal or with `ssh -t`; `authdeck detect` and `authdeck providers` need none",
            ));
        }
        match place {
            Place::Background => Approach::begin().map(Self::Background),
            Place::Embedded => Ok(Self::Embedded),
        }
    }
}

fn run_deck(way: Way, prepared: Prepared, start: Vec<StartSession>) -> Result<(), Error> {
    own_process::deny_reading();
    // Before there are threads: the guard is a copy of this process.
    let guard = TerminalGuard::spawn(std::io::stdout().as_fd()).ok();
    let runtime = match &way {
        // One thread: a key must not wait for another one to wake up.
        Way::Background(_) => super::current_thread_runtime(),
        Way::Embedded => super::full_runtime(),
    }?;
    let outcome = runtime.block_on(async {
        match way {
            Way::Background(approach) => in_background(approach, prepared, start, guard).await,
            Way::Embedded => in_this_process(prepared, start, guard).await,
        }
    });
    runtime.shutdown_timeout(END_LIMIT);
    outcome
}

async fn in_background(
    approach: Approach,
    mut prepared: Prepared,
    start: Vec<StartSession>,
    guard: Option<TerminalGuard>,
) -> Result<(), Error> {
    let connected = approach.finish().await?;
    prepared.messages.extend(warning_of_the_end_of_login());
    let reconnect = || -> tui::Reconnected { Box::pin(connect_or_start()) };
    tui::run(deck(connected, Box::new(reconnect), prepared, start, guard)?).await
}

async fn in_this_process(
    prepared: Prepared,
    start: Vec<StartSession>,
    guard: Option<TerminalGuard>,
) -> Result<(), Error> {
    let settings = DriverSettings {
        limits: prepared.settings.limits.clone(),
        browser: prepared.settings.browser.clone(),
        catalogue: Arc::new(CurrentCatalogue::of(provider_folder())),
        ..DriverSettings::default()
    };
    let mut supervisor = EmbeddedSupervisor::new(settings, super::own_program()?);
    let connected = supervisor.connect().await?;
    let supervisor = Arc::new(Mutex::new(supervisor));
    let reconnect = {
        let supervisor = Arc::clone(&supervisor);
        move || -> tui::Reconnected {
            let supervisor = Arc::clone(&supervisor);
            Box::pin(async move { supervisor.lock().await.connect().await })
        }
    };
    let outcome = match deck(connected, Box::new(reconnect), prepared, start, guard) {
        Ok(deck) => tui::run(deck).await,
        Err(error) => Err(error),
    };
    supervisor.lock().await.stop().await;
    outcome
}

fn deck(
    connected: (Client, Events),
    reconnect: tui::Reconnect,
    prepared: Prepared,
    start: Vec<StartSession>,
    guard: Option<TerminalGuard>,
) -> Result<Deck, Error> {
    let supervisor = Attachment { name: String::new(), connection: Ok(connected), reconnect };
    Ok(Deck {
        supervisors: vec![supervisor],
        remote: None,
        input: terminal_input()?,
        settings: prepared.settings,
        start,
        origin: Some(super::origin()),
        messages: prepared.messages,
        notices: None,
        guard: guard.map(|guard| Box::new(guard) as _),
    })
}

/// The terminal's input for a deck. Must be called within a tokio runtime.
pub(super) fn terminal_input() -> Result<AsyncFd<OwnedFd>, Error> {
    let input = std::io::stdin().as_fd().try_clone_to_owned().and_then(watch_input);
    input.map_err(|error| Error::new(Kind::Unavailable, "the terminal cannot be used").because(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_provider_is_told_with_its_neighbours() {
        let catalogue = Catalogue::built_in();
        let report = unknown_provider(&catalogue, "cluade").report();
        assert!(report.contains("there is no provider `cluade`"), "{report}");
        assert!(report.contains("did you mean `claude`?"), "{report}");
        assert!(unknown_provider(&catalogue, "zzzzzzzz").report().contains("authdeck providers"));
    }

    #[test]
    fn a_file_of_commands_starts_each_and_names_the_line_that_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("start");
        std::fs::write(&file, "[\"sh\", \"-c\", \"echo a b\"]\n\n{\"providerId\": \"gh\"}\n").unwrap();
        let commands: Vec<_> =
            commands_of(&file).unwrap().into_iter().map(|session| session.command).collect();
        assert_eq!(commands, [vec!["sh", "-c", "echo a b"], vec![]]);
        assert_eq!(commands_of(&file).unwrap()[1].provider_id, Some(ProviderId::new("gh")));

        std::fs::write(&file, "[\"sh\"]\nsh -c x\n").unwrap();
        let error = commands_of(&file).unwrap_err();
        assert_eq!(error.kind(), Kind::Input);
        assert!(error.report().contains("line 2"), "{}", error.report());
    }

    #[test]
    fn further_arguments_follow_the_catalogues_command() {
        let catalogue = Catalogue::built_in();
        let provider = catalogue.get("codex").unwrap();
        assert!(with_arguments(&provider, Vec::new()).is_empty());
        assert_eq!(
            with_arguments(&provider, vec!["--device-auth".into()]),
            ["codex", "login", "--device-auth"]
        );
    }
}
