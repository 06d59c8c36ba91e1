//! What the commands of the command line do: each puts together the parts that it needs.

pub mod api;
pub mod askpass;
pub mod browser;
pub mod completions;
pub mod configuration;
pub mod deck;
pub mod demo;
pub mod demo_provider;
pub mod detect;
pub mod doctor;
mod embedded;
pub mod man;
pub mod providers;
pub mod proxy;
pub mod scripted;
pub mod serve;
pub mod ssh;
pub mod stop;
pub mod supervisor;
pub mod ticket;
pub mod upgrade;

use std::path::{Path, PathBuf};

use tokio::runtime::{Builder, Runtime};

use crate::error::{Error, Kind};
use crate::protocol::request::{Inherited, StartSession};
use crate::tui::Origin;

/// Returns this very program's file.
fn own_program() -> Result<PathBuf, Error> {
    std::env::current_exe()
        .map(|path| replaced(&path).unwrap_or(path))
        // Deleted: this process can still start it.
        .map(|path| if path.exists() { path } else { PathBuf::from("/proc/self/exe") })
        .map_err(|error| Error::new(Kind::Failed, "this program does not find its own file").because(error))
}

/// Returns the file that stands where a program's own file was before somebody installed another version over it.
fn replaced(path: &Path) -> Option<PathBuf> {
    let before = path.to_str()?.strip_suffix(" (deleted)")?;
    Path::new(before).is_file().then(|| before.into())
}

/// What a session inherits that is started from this process: its folder and its environment.
fn origin() -> Origin {
    let directory =
        std::env::current_dir().ok().and_then(|folder| folder.into_os_string().into_string().ok());
    let variables = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    // The credential of an outer session is nobody's business.
    let environment = variables.filter(|(name, _)| !name.starts_with("AUTHDECK_")).collect();
    Origin { directory, environment: Inherited(environment) }
}

/// Lets a session be started as from the shell that this process runs in.
fn from_here(mut session: StartSession) -> StartSession {
    origin().fill(&mut session);
    session
}

/// A runtime for a command that only asks and waits.
fn current_thread_runtime() -> Result<Runtime, Error> {
    Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::new(Kind::Failed, "this process cannot wait for anything").because(error))
}

/// A runtime for a deck or a supervisor.
fn full_runtime() -> Result<Runtime, Error> {
    Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Error::new(Kind::Failed, "no threads can be started").because(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_was_installed_anew_is_found_where_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("authdeck");
        let gone = PathBuf::from(format!("{} (deleted)", path.display()));
        assert_eq!(replaced(&gone), None, "nothing is there");
        std::fs::write(&path, "").unwrap();
        assert_eq!(replaced(&gone), Some(path.clone()));
        assert_eq!(replaced(&path), None);
    }
}
