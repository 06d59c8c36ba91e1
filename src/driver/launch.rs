//! Turns a request to start a login into something that can be started: which command, found where, with what.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::environment::Environment;
use super::settings::DriverSettings;
use crate::core::ids::{BundleId, SessionId};
use crate::core::login::{LoginFacts, LoginPlan};
use crate::core::provider::Provider;
use crate::os::paths::{NoProgram, find_program};
use crate::protocol::error::{self, RpcError};
use crate::protocol::request::{Inherited, StartSession};

/// The size of a terminal that nobody asked a size for.
const DEFAULT_SIZE: (u16, u16) = (80, 24);
/// The largest terminal; the emulator's memory grows with it.
const LARGEST_SIDE: u16 = 1_000;

/// All that is needed to start a child and, later, its auth check.
#[derive(Clone)]
pub struct Launch {
    /// The catalogue's entry, if it is a provider's login.
    pub provider: Option<Arc<Provider>>,
    /// The command.
    pub command: Vec<String>,
    /// The folder to start in.
    pub directory: PathBuf,
    /// The environment, but for what belongs to one session.
    pub environment: Environment,
    /// Variables that the request set: they have the last word.
    pub overrides: Vec<(String, String)>,
    /// The whole environment that the child was started with, if its keeper told it to this supervisor, which did
    /// not start it.
    pub as_started: Option<Vec<(String, String)>>,
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// The person's name for it.
    pub name: Option<String>,
    /// The time limit in seconds, if it is not the setting's.
    pub limit_seconds: Option<u64>,
    /// The bundle to update.
    pub into_bundle: Option<BundleId>,
}

impl Launch {
    /// Looks everything up. Reads the file system.
    ///
    /// # Errors
    /// There is no such provider, command or folder: a refusal that says what to do.
    pub fn prepare(request: StartSession, settings: &DriverSettings) -> Result<Self, RpcError> {
        let provider = match &request.provider_id {
            Some(id) => Some(
                settings
                    .catalogue
                    .now()
                    .get(id.as_str())
                    .ok_or_else(|| no_provider(id.as_str(), settings))?,
            ),
            None => None,
        };
        let command = match (&provider, request.command.is_empty()) {
            (_, false) => request.command,
            (Some(provider), true) => provider.command.clone(),
            (None, true) => {
                return Err(cannot("neither a provider nor a command was named; name one of them"));
            }
        };
        let mut environment = match (request.inherited, &settings.environment) {
            (Some(Inherited(variables)), _) => {
                Environment::inherited(variables.into_iter().map(|(name, value)| (name.into(), value.into())))
            }
            (None, Some(variables)) => Environment::inherited(variables.iter().cloned()),
            (None, None) => Environment::inherited(std::env::vars_os()),
        };
        let directory = directory(request.directory.as_deref().or_else(|| environment.get("HOME")))?;
        for (name, value) in provider.iter().flat_map(|provider| &provider.environment) {
            environment.set(name, value);
        }
        let last = |name| request.environment.iter().rev().find(|(known, _)| known == name);
        let path = last("PATH").map(|(_, value)| value.as_str()).or_else(|| environment.get("PATH"));
        let program = command.first().map_or("", String::as_str);
        find_program(program, path.map(OsStr::new), &directory)
            .map_err(|missing| cannot(&no_program(program, &missing, provider.as_deref())))?;
        let side = |asked: u16, default| if asked == 0 { default } else { asked.min(LARGEST_SIDE) };
        Ok(Self {
            provider,
            command,
            directory,
            environment,
            overrides: request.environment,
            as_started: None,
            size: (side(request.columns, DEFAULT_SIZE.0), side(request.rows, DEFAULT_SIZE.1)),
            name: request.name,
            limit_seconds: request.limit_seconds,
            into_bundle: request.into_bundle_id,
        })
    }

    /// Returns what the engine has to know, under fresh ids.
    pub fn plan(&self, session_id: SessionId, bundle_id: BundleId) -> LoginPlan {
        LoginPlan {
            session_id,
            bundle_id,
            into_bundle: self.into_bundle.clone(),
            facts: self.facts(),
            command: self.command.clone(),
            name: self.name.clone(),
            limit_seconds: self.limit_seconds,
        }
    }

    fn facts(&self) -> LoginFacts {
        let Some(provider) = &self.provider else {
            let program = self.command.first().map_or("", String::as_str);
            let title = program.rsplit('/').next().unwrap_or(program).to_owned();
            return LoginFacts { title, exit_decides: true, ..LoginFacts::default() };
        };
        let folder = provider.configuration_folder.as_deref().and_then(|variable| self.variable(variable));
        LoginFacts {
            provider_id: Some(provider.id.clone()),
            title: provider.title.clone(),
            answers: provider.answers.clone(),
            verification_url: provider.verification_url.clone(),
            auth_check: provider.auth_check.is_some(),
            exit_decides: provider.exit_decides,
            stays_open: provider.stays_open,
            retry_hint: provider.retry_hint.clone(),
            configuration_folder: folder.map(str::to_owned),
        }
    }

    fn variable(&self, name: &str) -> Option<&str> {
        let last = self.overrides.iter().rev().find(|(known, _)| known == name);
        last.map(|(_, value)| value.as_str()).or_else(|| self.environment.get(name))
    }
}

fn cannot(text: &str) -> RpcError {
    RpcError::new(error::CANNOT_START, text)
}

fn no_provider(id: &str, settings: &DriverSettings) -> RpcError {
    let near = settings.catalogue.now().suggestions(id);
    let hint = if near.is_empty() {
        "`authdeck providers` names all; any other command can be started with `authdeck run -- CMD`"
            .to_owned()
    } else {
        format!("did you mean {}?", near.join(", "))
    };
    cannot(&format!("there is no provider `{id}`; {hint}"))
}

fn no_program(program: &str, missing: &NoProgram, provider: Option<&Provider>) -> String {
    let NoProgram::Missing { looked_in } = missing else {
        return format!("the command `{program}` cannot be started: {missing}");
    };
    let hint = provider.map(|provider| provider.install_hint.as_str()).filter(|hint| !hint.is_empty());
    let advice =
        hint.map_or_else(|| "check its name, or install it".to_owned(), |hint| format!("install it: {hint}"));
    format!("the command `{program}` was not found; looked in {looked_in}; {advice}")
}

fn directory(asked: Option<&str>) -> Result<PathBuf, RpcError> {
    let Some(asked) = asked else {
        let current = std::env::current_dir();
        return current
            .map_err(|error| cannot(&format!("the working folder is gone ({error}); change to another")));
    };
    let path = Path::new(asked);
    match std::fs::metadata(path) {
        Ok(found) if found.is_dir() && path.is_absolute() => Ok(path.to_owned()),
        Ok(_) => Err(cannot(&format!("{asked} is no absolute path of a folder to start in; name another"))),
        Err(error) => Err(cannot(&format!("cannot start in {asked}: {error}; name another folder"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::ids::ProviderId;

    fn settings(path: &str) -> DriverSettings {
        let environment = Some(vec![("PATH".into(), path.into()), ("HOME".into(), "/".into())]);
        DriverSettings { environment, ..DriverSettings::default() }
    }

    fn refusal(request: StartSession, path: &str) -> String {
        let error = Launch::prepare(request, &settings(path)).err().unwrap();
        assert_eq!(error.code, error::CANNOT_START);
        error.message
    }

    #[test]
    fn a_missing_command_is_told_with_where_it_was_sought_and_how_to_get_it() {
        let request = StartSession { provider_id: Some(ProviderId::new("gh")), ..StartSession::default() };
        let text = refusal(request, "/nonexistent");
        assert!(text.contains("`gh` was not found; looked in /nonexistent; install it: "), "{text}");
        let request = StartSession { command: vec!["/no/such".into()], ..StartSession::default() };
        assert!(refusal(request, "/bin").contains("looked in /no/such"));
    }

    #[test]
    fn what_is_there_and_cannot_be_started_is_not_called_missing() {
        let start = |command: &str| StartSession { command: vec![command.into()], ..StartSession::default() };
        let text = refusal(start("/etc/passwd"), "/bin");
        assert!(text.contains("/etc/passwd may not be executed") && text.contains("chmod +x"), "{text}");
        let text = refusal(start("/tmp"), "/bin");
        assert!(text.contains("/tmp is a folder"), "{text}");
    }

    #[test]
    fn an_unknown_provider_is_told_with_what_may_be_meant() {
        let request = StartSession { provider_id: Some(ProviderId::new("claud")), ..StartSession::default() };
        assert!(refusal(request, "/bin").contains("did you mean claude"));
        assert!(refusal(StartSession::default(), "/bin").contains("neither a provider nor a command"));
    }

    #[test]
    fn a_folder_that_is_not_there_is_told() {
        let request = StartSession {
            command: vec!["sh".into()],
            directory: Some("/nonexistent".into()),
            ..StartSession::default()
        };
        assert!(refusal(request, "/bin").contains("cannot start in /nonexistent"));
    }

    #[test]
    fn the_requests_environment_has_the_last_word() {
        let request = StartSession {
            provider_id: Some(ProviderId::new("gh")),
            command: vec!["sh".into()],
            environment: vec![("PATH".into(), "/bin".into()), ("GH_CONFIG_DIR".into(), "/tmp/gh".into())],
            ..StartSession::default()
        };
        let launch = Launch::prepare(request, &settings("/nonexistent")).unwrap();
        let plan = launch.plan(SessionId::new("auth-1"), BundleId::new("bundle-1"));
        assert_eq!(plan.facts.configuration_folder.as_deref(), Some("/tmp/gh"));
        assert!(plan.facts.auth_check);
        assert_eq!(launch.size, (80, 24));
    }
}
