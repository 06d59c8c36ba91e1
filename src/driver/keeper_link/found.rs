//! Which sessions there are: one folder each.

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::attachment::{KeeperEvents, attach};
use super::frames::{connect, reachable};
use super::{KeeperHandle, KeeperHello};
use crate::core::ids::SessionId;
use crate::keeper::PROCESS;
use crate::os::processes::{self, ProcessIdentity};

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

/// Returns the keeper of a session's folder, whether it answers or not; absent if it has ended, or does not say who it is.
pub fn process(directory: &Path) -> Option<ProcessIdentity> {
    let identity: Option<ProcessIdentity> =
        fs::read(directory.join(PROCESS)).ok().and_then(|text| serde_json::from_slice(&text).ok());
    match identity {
        Some(identity) => Some(identity).filter(|identity| identity.is_alive()),
        // The folder may have been emptied.
        None => processes::all().find(|id| is_keeper_of(*id, directory)).and_then(ProcessIdentity::of),
    }
}

fn is_keeper_of(process_id: u32, directory: &Path) -> bool {
    let arguments = fs::read(format!("/proc/{process_id}/cmdline")).unwrap_or_default();
    let mut arguments = arguments.split(|byte| *byte == 0).skip(1);
    arguments.next() == Some(b"keeper") && arguments.next() == Some(directory.as_os_str().as_bytes())
}

/// Tells whether it is proved that a session's keeper is gone: nobody listens, and its process has ended. One that is
/// stopped, or has no time to answer, is not gone. Reads `/proc`.
pub fn is_gone(directory: &Path) -> bool {
    let nobody_listens = matches!(
        connect(directory).map_err(|error| error.kind()),
        Err(io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound)
    );
    nobody_listens && process(directory).is_none()
}

/// Attaches to a keeper as soon as it answers, however long that takes; absent once it is proved that it is gone.
pub async fn reach(directory: &Path) -> Option<(KeeperHandle, KeeperEvents, KeeperHello)> {
    const LONGEST_PAUSE: Duration = Duration::from_secs(2);
    let mut pause = Duration::from_millis(20);
    loop {
        if let Ok(attached) = attach(directory, Some(0)).await {
            return Some(attached);
        }
        let folder = directory.to_owned();
        if tokio::task::spawn_blocking(move || is_gone(&folder)).await.unwrap_or(false) {
            return None;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
