//! Which sessions there are: one folder each.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::frames::reachable;
use crate::core::ids::SessionId;

/// A session's folder as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundSession {
    /// The session, by the folder's name.
    pub session_id: SessionId,
    /// The folder.
    pub directory: PathBuf,
    /// Whether its keeper listens. If not, it was killed: what it left can be found by the cookie
    /// (`left_behind::end_marked`), and the folder is to be removed.
    pub alive: bool,
}

/// Lists the sessions of a folder, sorted by name. Folders that belong to somebody else are left out.
///
/// # Errors
/// The folder cannot be read; a missing one holds no sessions.
pub fn list(sessions: &Path) -> io::Result<Vec<FoundSession>> {
    let entries = match fs::read_dir(sessions) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    };
    let mut found: Vec<FoundSession> = entries.flatten().filter_map(|entry| session(&entry.path())).collect();
    found.sort_by(|one, other| one.session_id.cmp(&other.session_id));
    Ok(found)
}

fn session(directory: &Path) -> Option<FoundSession> {
    let metadata = fs::symlink_metadata(directory).ok()?;
    let ours = metadata.is_dir() && metadata.uid() == rustix::process::geteuid().as_raw();
    let name = directory.file_name()?.to_str()?;
    ours.then(|| FoundSession {
        session_id: SessionId::new(name),
        directory: directory.to_owned(),
        alive: reachable(directory),
    })
}
