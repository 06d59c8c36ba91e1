//! Where a user's supervisor is: one place for each user id, whatever the environment is.
//!
//! `su -`, cron, ssh and a desktop have different environments and reach one supervisor all the same, and the place
//! outlives a login: `/tmp/authdeck-UID`, as tmux does it. `$XDG_RUNTIME_DIR` does neither.

use std::path::{Path, PathBuf};

use super::PathError;
use crate::os::processes::ProcessIdentity;

/// The variable that names another folder, for whoever wants a supervisor of its own.
pub const PLACE: &str = "AUTHDECK_RUNTIME_DIR";

const SOCKET: &str = "supervisor.sock";

fn absolute(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute())
}

fn user_id() -> u32 {
    rustix::process::geteuid().as_raw()
}

pub(super) fn runtime_directory() -> PathBuf {
    absolute(PLACE).unwrap_or_else(|| PathBuf::from(format!("/tmp/authdeck-{}", user_id())))
}

/// Where a supervisor of an earlier version may live. None if the person named a place.
fn older_places() -> Vec<PathBuf> {
    if absolute(PLACE).is_some() {
        return Vec::new();
    }
    let of_the_login = [absolute("XDG_RUNTIME_DIR"), Some(PathBuf::from(format!("/run/user/{}", user_id())))];
    let mut places: Vec<PathBuf> =
        of_the_login.into_iter().flatten().map(|folder| folder.join("authdeck")).collect();
    places.dedup();
    places
}

/// Returns the socket on which this user's supervisor is reached, whether or not one runs.
pub fn supervisor_socket() -> PathBuf {
    runtime_directory().join(SOCKET)
}

/// Returns every socket on which this user's supervisor may be reached: that of its place first.
pub fn supervisor_sockets() -> impl Iterator<Item = PathBuf> {
    std::iter::once(runtime_directory()).chain(older_places()).map(|place| place.join(SOCKET))
}

/// Makes sure that none lives in an older place.
pub(super) fn none_serves_an_older_one() -> Result<(), PathError> {
    match older_places().into_iter().find(|place| is_locked(place)) {
        Some(path) => Err(PathError::Served { path }),
        None => Ok(()),
    }
}

fn is_locked(place: &Path) -> bool {
    // Without a lock file, or one that cannot be opened, no supervisor of this user serves it.
    std::fs::File::open(place.join(super::LOCK))
        .is_ok_and(|file| matches!(file.try_lock(), Err(std::fs::TryLockError::WouldBlock)))
}

/// Who holds the lock of this user's supervisor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    /// No supervisor runs.
    Nobody,
    /// This process.
    Process(ProcessIdentity),
    /// Somebody holds this lock, and it does not say who.
    Unnamed(PathBuf),
}

/// Finds the supervisor's process without asking it: it may be stopped, or stuck.
pub fn holder() -> Holder {
    let places = std::iter::once(runtime_directory()).chain(older_places());
    let Some(place) = places.into_iter().find(|place| is_locked(place)) else { return Holder::Nobody };
    let lock = place.join(super::LOCK);
    let named = std::fs::read(&lock).ok().and_then(|text| serde_json::from_slice(&text).ok());
    named.map_or(Holder::Unnamed(lock), Holder::Process)
}

/// Says that `XDG_RUNTIME_DIR` changes nothing, if somebody may believe that it does: it names another folder than
/// every login of this user gets, and no place was named.
pub fn ineffective_runtime_variable() -> Option<String> {
    let named = absolute("XDG_RUNTIME_DIR")?;
    let usual = named == Path::new("/run/user").join(user_id().to_string());
    (!usual && absolute(PLACE).is_none()).then(|| {
        format!(
            "XDG_RUNTIME_DIR ({}) does not change where the supervisor is, which is {} for every login of this user; \
             {PLACE} names another folder",
            named.display(),
            runtime_directory().display()
        )
    })
}
