//! `authdeck demo`: the deck with three scripted logins, on the very path of real ones.

use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use super::deck;
use super::supervisor::Place;
use crate::core::ids::ProviderId;
use crate::driver::paths;
use crate::error::{Error, Kind};
use crate::protocol::request::StartSession;

/// The variable that names the folder in which the demo provider remembers who is logged in.
pub const FOLDER_VARIABLE: &str = "DEMO_CONFIG_HOME";

/// The parts that are played, with the person's name for each.
const PARTS: [(&str, &str); 3] =
    [("device", "type in a code"), ("loopback", "paste a callback"), ("hang", "kill it with x")];

/// Opens the deck with one session for each part.
///
/// # Errors
/// There is no terminal, no folder for the demo, or no supervisor.
pub fn run(place: Place) -> Result<(), Error> {
    let executable = std::env::current_exe().map_err(|error| {
        Error::new(Kind::Failed, "this program does not find its own file").because(error)
    })?;
    let folder = demo_folder()?;
    deck::open_with(PARTS.map(|(part, name)| session(&executable, &folder, part, name)).into(), place)
}

fn session(executable: &Path, folder: &Path, part: &str, name: &str) -> StartSession {
    let text = |path: &Path| path.to_string_lossy().into_owned();
    StartSession {
        provider_id: Some(ProviderId::new(format!("demo-{part}"))),
        command: vec![text(executable), "demo-provider".into(), part.into()],
        name: Some(name.into()),
        environment: vec![
            (FOLDER_VARIABLE.into(), text(&folder.join(part))),
            // The auth check's command names the program only, and authdeck need not be installed.
            ("PATH".into(), path_with(executable)),
        ],
        ..StartSession::default()
    }
}

fn path_with(executable: &Path) -> String {
    let own = executable.parent().map(Path::to_owned);
    let known = std::env::var_os("PATH").unwrap_or_default();
    let folders = own.into_iter().chain(std::env::split_paths(&known));
    std::env::join_paths(folders).unwrap_or(known).to_string_lossy().into_owned()
}

/// A folder of its own beside the sessions, which is gone with them when the person logs out.
fn demo_folder() -> Result<PathBuf, Error> {
    let folder = paths::supervisor_socket().with_file_name("demo");
    for part in PARTS.map(|(part, _)| part) {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder.join(part)).map_err(
            |error| {
                Error::new(Kind::Failed, format!("the folder {} cannot be made", folder.display()))
                    .because(error)
            },
        )?;
    }
    Ok(folder)
}
