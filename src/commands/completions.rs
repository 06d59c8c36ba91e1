//! `authdeck completions SHELL`: what a shell needs to complete the command line, providers, sessions and challenges
//! too. The shell then asks this program itself, with the variable `COMPLETE` set, what may come next.

use std::time::Duration;

use clap::builder::StyledStr;
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};
use clap_complete::env::{CompleteEnv, Shells};

use super::supervisor;
use crate::cli::{CommandLine, Completions};
use crate::client::Client;
use crate::config;
use crate::config::catalogue::Catalogue;
use crate::core::reference::{LAST, short};
use crate::core::visible::{TerminalText, visible_line};
use crate::error::{Error, Kind};
use crate::output;

/// The variable by which a shell asks.
const VARIABLE: &str = "COMPLETE";

/// How long a person who pressed Tab waits for the supervisor.
const LIMIT: Duration = Duration::from_millis(500);

/// What is said about a candidate at most, in characters.
const LONGEST_HELP: usize = 200;

/// Prints the lines that a shell reads once.
///
/// # Errors
/// Standard output is closed.
pub fn run(options: &Completions) -> Result<(), Error> {
    let mut lines = Vec::new();
    let shells = Shells::builtins();
    let shell = shells.completer(&options.shell).expect("invariant: the parser let only these shells pass");
    shell
        .write_registration(VARIABLE, "authdeck", "authdeck", "authdeck", &mut lines)
        .and_then(|()| output::print(&TerminalText::lines(&String::from_utf8_lossy(&lines))))
        .map_err(|error| Error::new(Kind::Failed, "the lines could not be printed").because(error))
}

/// Answers a shell that asks what may come next, and ends the process then. Otherwise does nothing.
pub fn answer_a_shell() {
    if std::env::var_os(VARIABLE).is_some() {
        CompleteEnv::with_factory(command).var(VARIABLE).complete();
    }
}

/// The command line with what may stand in each place.
fn command() -> clap::Command {
    let names: Vec<String> = CommandLine::command_with_help()
        .get_subcommands()
        .map(|command| command.get_name().to_owned())
        .collect();
    names.into_iter().fold(CommandLine::command_with_help(), |command, name| {
        command.mut_subcommand(name, |command| {
            command.mut_args(|argument| match argument.get_id().as_str() {
                "provider" => argument.add(ArgValueCandidates::new(providers)),
                "session" => argument.add(ArgValueCandidates::new(sessions)),
                "challenge" => argument.add(ArgValueCandidates::new(challenges)),
                "into" => argument.add(ArgValueCandidates::new(bundles)),
                _ => argument,
            })
        })
    })
}

fn candidate(value: &str, help: &str) -> CompletionCandidate {
    CompletionCandidate::new(value).help(Some(StyledStr::from(visible_line(help, LONGEST_HELP))))
}

fn providers() -> Vec<CompletionCandidate> {
    let folder = config::folder(|name| std::env::var_os(name)).map(|folder| folder.join("providers"));
    let (catalogue, _) = Catalogue::load(folder.as_deref());
    catalogue.all().map(|provider| candidate(provider.id.as_str(), &provider.title)).collect()
}

fn sessions() -> Vec<CompletionCandidate> {
    let sessions = asked(async |client| client.sessions().await.ok()).unwrap_or_default();
    let ids = || sessions.iter().map(|session| session.session_id.as_str());
    let listed = sessions.iter().map(|session| {
        let what =
            session.name.as_deref().or(session.command.first().map(String::as_str)).unwrap_or_default();
        candidate(short(session.session_id.as_str(), ids()), &format!("{what}: {}", session.waiting_text))
    });
    let last = (!sessions.is_empty()).then(|| candidate(LAST, "the newest one"));
    listed.chain(last).collect()
}

fn challenges() -> Vec<CompletionCandidate> {
    let challenges = asked(async |client| client.subscribe().await.ok()).map(|snapshot| snapshot.challenges);
    let listed = challenges.unwrap_or_default();
    listed.iter().map(|challenge| candidate(challenge.challenge_id.as_str(), &challenge.message)).collect()
}

fn bundles() -> Vec<CompletionCandidate> {
    let bundles = asked(async |client| client.bundles().await.ok()).unwrap_or_default();
    let listed = bundles.iter().map(|bundle| {
        let identity = bundle.identity.as_deref().unwrap_or_default();
        candidate(bundle.bundle_id.as_str(), identity)
    });
    listed.collect()
}

/// Asks the supervisor that runs; absent if none does, or it does not answer while a person waits.
fn asked<T>(ask: impl AsyncFnOnce(Client) -> Option<T>) -> Option<T> {
    let runtime = super::current_thread_runtime().ok()?;
    runtime.block_on(async {
        let answer = async {
            let (client, _events) = supervisor::connect_running().await.ok()??;
            ask(client).await
        };
        tokio::time::timeout(LIMIT, answer).await.ok()?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_that_names_a_provider_offers_the_catalogue() {
        let command = command();
        let login = command.find_subcommand("login").unwrap();
        let provider = login.get_arguments().find(|argument| argument.get_id() == "provider").unwrap();
        let candidates = provider.get::<ArgValueCandidates>().unwrap().candidates();
        assert!(candidates.iter().any(|candidate| candidate.get_value() == "codex"));
        for (name, place) in [("kill", "session"), ("answer", "challenge"), ("login", "into")] {
            let command = command.find_subcommand(name).unwrap();
            let argument = command.get_arguments().find(|argument| argument.get_id() == place).unwrap();
            assert!(argument.get::<ArgValueCandidates>().is_some(), "{name} {place}");
        }
    }
}
