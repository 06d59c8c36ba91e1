//! What the next supervisor must know of each session, in the folder `saved`, readable by the owner only: a file for
//! each session, and for one that is over a second one with what it printed.
//!
//! It is not kept in the session's own folder, because that one is the keeper's and goes with it, while a session
//! that is over stays on the list. A file is replaced as a whole; it is not synced to the disk, because the folder
//! does not outlive the machine anyway.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::core::ids::SessionId;
use crate::core::saved_session::SavedSession;

/// The longest file that is read, in bytes.
const LONGEST: u64 = 4 * 1024 * 1024;

/// One session's file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SavedFile {
    /// The engine's view.
    pub session: SavedSession,
    /// The folder that the child was started in, for its auth check.
    pub directory: PathBuf,
}

/// The folder of the files.
#[derive(Clone, Debug)]
pub struct SavedFolder(PathBuf);

impl SavedFolder {
    /// Names the folder; it must be there.
    pub fn new(path: PathBuf) -> Self {
        Self(path)
    }

    fn path(&self, session_id: &SessionId) -> PathBuf {
        self.0.join(format!("{session_id}.json"))
    }

    /// Tells whether a session has a file.
    pub fn is_there(&self, session_id: &SessionId) -> bool {
        self.path(session_id).exists()
    }

    /// Replaces a session's file.
    ///
    /// # Errors
    /// It cannot be written; the earlier one stays.
    pub fn write(&self, session_id: &SessionId, file: &SavedFile) -> io::Result<()> {
        replace(&self.path(session_id), &serde_json::to_vec(file)?)
    }

    /// Keeps what a session printed, as an asciicast without secrets, for when its keeper is gone.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write_recording(&self, session_id: &SessionId, asciicast: &str) -> io::Result<()> {
        replace(&self.recording(session_id), asciicast.as_bytes())
    }

    /// Reads what a session printed; absent if nothing was kept.
    pub fn read_recording(&self, session_id: &SessionId) -> Option<Vec<u8>> {
        read_bounded(&self.recording(session_id)).ok()
    }

    /// Tells whether what a session printed was kept.
    pub fn has_recording(&self, session_id: &SessionId) -> bool {
        self.recording(session_id).exists()
    }

    fn recording(&self, session_id: &SessionId) -> PathBuf {
        self.0.join(format!("{session_id}.cast"))
    }

    /// Removes a session's files; those that are not there are fine.
    pub fn remove(&self, session_id: &SessionId) {
        for path in [self.path(session_id), self.recording(session_id)] {
            // An error means that it is not there, or that the next supervisor finds an ended session once more.
            let _ = std::fs::remove_file(path);
        }
    }

    /// Reads all files, the longest running session first. One that cannot be read is told in the second list.
    pub fn read_all(&self) -> (Vec<SavedFile>, Vec<String>) {
        let mut files = Vec::new();
        let mut unreadable = Vec::new();
        for entry in std::fs::read_dir(&self.0).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            match read(&path) {
                Ok(file) => files.push(file),
                Err(error) => unreadable.push(format!("{} cannot be read: {error}", path.display())),
            }
        }
        files.sort_by_key(|file: &SavedFile| file.session.started_at);
        (files, unreadable)
    }
}

fn read(path: &Path) -> io::Result<SavedFile> {
    Ok(serde_json::from_slice(&read_bounded(path)?)?)
}

fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    File::open(path)?.take(LONGEST).read_to_end(&mut text)?;
    Ok(text)
}

fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(".new");
    let mut output = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
    output.write_all(text)?;
    std::fs::rename(fresh, path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::time::Duration;

    use super::*;
    use crate::core::ids::BundleId;
    use crate::core::login::{LoginFacts, LoginPlan};
    use crate::core::time::Timestamp;

    fn file(id: &str, started_at: u64) -> SavedFile {
        let plan = LoginPlan {
            session_id: SessionId::new(id),
            bundle_id: BundleId::new("bundle-1"),
            into_bundle: None,
            facts: LoginFacts::default(),
            command: vec!["sh".into()],
            name: None,
            limit_seconds: None,
        };
        let session = SavedSession::new(plan, Timestamp(started_at), Duration::from_secs(1));
        SavedFile { session, directory: "/".into() }
    }

    #[test]
    fn what_was_written_is_read_back_in_the_order_of_the_starts() {
        let folder = tempfile::tempdir().unwrap();
        let saved = SavedFolder::new(folder.path().to_owned());
        for (id, at) in [("auth-b", 2), ("auth-a", 3), ("auth-c", 1), ("auth-b", 2)] {
            saved.write(&SessionId::new(id), &file(id, at)).unwrap();
        }
        saved.remove(&SessionId::new("auth-c"));
        std::fs::write(folder.path().join("auth-broken.json"), "{").unwrap();
        let (files, unreadable) = saved.read_all();
        let ids: Vec<&str> = files.iter().map(|file| file.session.plan.session_id.as_str()).collect();
        assert_eq!(ids, ["auth-b", "auth-a"]);
        assert_eq!(unreadable.len(), 1);
        let mode = std::fs::metadata(folder.path().join("auth-b.json")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
