//! The supervisor's folders: made with mode 0700, and refused if they belong to anybody else.
//!
//! ```text
//! /tmp/authdeck-UID/                    or what AUTHDECK_RUNTIME_DIR names; see `place`
//!     starting.lock                     held while a supervisor starts, so that two at once race to one winner
//!     supervisor.lock                   held while a supervisor serves this folder
//!     supervisor.sock                   the server's socket
//!     login-session                     which login the supervisor was started in
//!     bin/authdeck-askpass              a link to this program, for children
//!     browser/xdg-open, …               links to this program, first on the children's PATH
//!     sessions/<sessionId>/             one session; its keeper's socket and token
//!     saved/<sessionId>.json            what the next supervisor must know of it
//! $XDG_STATE_HOME/authdeck/             or ~/.local/state/authdeck/
//!     authdeck.sqlite3                  who is logged in where
//! ```

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::Write as _;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

mod place;
mod watch;

pub use self::place::{
    Holder, PLACE, holder, ineffective_runtime_variable, supervisor_socket, supervisor_sockets,
};
pub use self::watch::PlaceWatch;
use super::program::Program;
use super::settings::DriverSettings;
use crate::core::ids::SessionId;
use crate::os::files::{UnsafeFolder, unsafe_folder};
use crate::os::login_session;
use crate::os::processes::ProcessIdentity;

/// The name that `BROWSER` leads to. It is none that Python's `webbrowser` knows, which would call it in its own way.
pub const BROWSER_NAME: &str = "authdeck-browser";

/// Held while a supervisor serves a folder.
const LOCK: &str = "supervisor.lock";

/// The programs by which CLIs open a URL.
pub const OPENER_NAMES: [&str; 6] =
    ["xdg-open", "open", "sensible-browser", "x-www-browser", "www-browser", "wslview"];

/// Why a folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PathError {
    /// It cannot be made or read.
    #[error("cannot use the folder {path}: {source}")]
    Unusable {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Somebody else could read it, or put things in it.
    #[error("the folder {path} is not safe: {why}; {remedy}, then start again")]
    Unsafe {
        /// Which one.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
        /// What to do about it.
        remedy: String,
    },
    /// Another supervisor serves it.
    #[error("another authdeck serves {path} already; attach to that one, or end it first")]
    Served {
        /// Which one.
        path: PathBuf,
    },
    /// There is no place for the store.
    #[error("neither XDG_STATE_HOME nor HOME is set, so there is no place to record logins; set one of them")]
    NoHome,
}

/// The folders of one supervisor. While it lives, no other supervisor can serve them.
#[derive(Debug)]
pub struct Paths {
    runtime: PathBuf,
    state: PathBuf,
    /// The login session is over that the supervisor before was started in.
    ended_login: bool,
    /// What the links lead to.
    program: Program,
    /// Its lock goes when the file is closed, also when the process is killed.
    lock: File,
}

impl Paths {
    /// Makes and checks all folders, and takes the lock.
    ///
    /// # Errors
    /// See [`PathError`].
    pub fn prepare(settings: &DriverSettings, executable: &Path) -> Result<Self, PathError> {
        let runtime = runtime_directory(settings);
        let state = match &settings.state_directory {
            Some(folder) => folder.clone(),
            None => default_state_directory()?,
        };
        make_private(&runtime)?;
        if settings.runtime_directory.is_none() {
            place::none_serves_an_older_one()?;
        }
        let lock = take_lock(&runtime)?;
        let ended_login = take_note_of_login(&runtime);
        let paths = Self { runtime, state, ended_login, program: Program::hold(executable), lock };
        paths.make_folders()?;
        Ok(paths)
    }

    /// The folders of the process whose place this one takes, with its lock, which was never open meanwhile. Nothing in
    /// them is changed before [`Self::make_folders`].
    ///
    /// # Errors
    /// The runtime folder is not safe any more.
    pub fn inherit(
        runtime: PathBuf,
        state: PathBuf,
        executable: &Path,
        lock: OwnedFd,
    ) -> Result<Self, PathError> {
        make_private(&runtime)?;
        let program = Program::hold(executable);
        Ok(Self { runtime, state, ended_login: false, program, lock: File::from(lock) })
    }

    /// Makes what is missing below the runtime folder, has its links lead to this program, and names this process as the
    /// one that serves.
    ///
    /// # Errors
    /// See [`PathError`].
    pub fn make_folders(&self) -> Result<(), PathError> {
        name_holder(&self.lock);
        make_private(&self.sessions())?;
        make_private(&self.saved())?;
        make_private(&self.runtime.join("bin"))?;
        make_private(&self.openers())?;
        let target = self.link_target()?;
        link(&target, &self.askpass())?;
        for name in OPENER_NAMES.into_iter().chain([BROWSER_NAME]) {
            link(&target, &self.openers().join(name))?;
        }
        Ok(())
    }

    /// Returns the program's file, or a copy of it if that was deleted or replaced.
    fn link_target(&self) -> Result<PathBuf, PathError> {
        if self.program.is_in_place() {
            return Ok(self.program.path().to_owned());
        }
        let copy = self.runtime.join("bin/authdeck");
        self.program.copy_to(&copy).map_err(|source| unusable(&copy, source))?;
        Ok(copy)
    }

    /// Tells whether the supervisor before ran in a login session that is over, with everything in it.
    pub fn login_has_ended(&self) -> bool {
        self.ended_login
    }

    /// Returns this very program.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// Makes what somebody has removed, and locks the folder again if its lock was removed too. Whatever is there stays
    /// as it is.
    ///
    /// # Errors
    /// See [`PathError`]; another supervisor may have been quicker.
    pub fn remake(&mut self) -> Result<(), PathError> {
        make_private(&self.runtime)?;
        if !self.holds_lock() {
            self.lock = take_lock(&self.runtime)?;
        }
        self.make_folders()
    }

    fn holds_lock(&self) -> bool {
        let identity = |found: std::fs::Metadata| (found.dev(), found.ino());
        let there = std::fs::symlink_metadata(self.runtime.join(LOCK)).map(identity);
        there.is_ok_and(|there| self.lock.metadata().map(identity).is_ok_and(|held| held == there))
    }

    /// Copies the lock for the process that takes this one's place: the folder stays locked until both have closed it.
    ///
    /// # Errors
    /// There is no descriptor left.
    pub fn lock(&self) -> std::io::Result<OwnedFd> {
        self.lock.try_clone().map(OwnedFd::from)
    }

    /// Returns the folder of sockets and sessions.
    pub fn runtime(&self) -> &Path {
        &self.runtime
    }

    /// Returns the folder of the store; it is made when the store is opened.
    pub fn state(&self) -> &Path {
        &self.state
    }

    /// Returns the socket that the server listens on.
    pub fn supervisor_socket(&self) -> PathBuf {
        self.runtime.join("supervisor.sock")
    }

    /// Returns the program that children call when they need a password.
    pub fn askpass(&self) -> PathBuf {
        self.runtime.join("bin/authdeck-askpass")
    }

    /// Returns the folder of the programs that report what is opened in a browser.
    pub fn openers(&self) -> PathBuf {
        self.runtime.join("browser")
    }

    /// Returns the folder that holds one folder for each session.
    pub fn sessions(&self) -> PathBuf {
        self.runtime.join("sessions")
    }

    /// Returns the folder of what the next supervisor must know.
    pub fn saved(&self) -> PathBuf {
        self.runtime.join("saved")
    }

    /// Returns a session's folder.
    pub fn session(&self, session_id: &SessionId) -> PathBuf {
        self.sessions().join(session_id.as_str())
    }
}

fn runtime_directory(settings: &DriverSettings) -> PathBuf {
    match &settings.runtime_directory {
        Some(folder) => folder.clone(),
        None => place::runtime_directory(),
    }
}

/// A supervisor's turn to start. While it is held, no other one that waits for its turn starts.
#[derive(Debug)]
pub struct Turn {
    /// Its lock goes when the file is closed, also when the process is killed.
    _lock: File,
}

impl Turn {
    /// Waits until every other supervisor that is starting serves or has given up. Blocks.
    ///
    /// # Errors
    /// The folder cannot be made safe.
    pub fn wait(settings: &DriverSettings) -> Result<Self, PathError> {
        let runtime = runtime_directory(settings);
        make_private(&runtime)?;
        let path = runtime.join("starting.lock");
        let file = open_lock(&path)?;
        file.lock().map_err(|source| unusable(&path, source))?;
        Ok(Self { _lock: file })
    }
}

/// Makes a new session's folder; it must not be there yet.
///
/// # Errors
/// It cannot be made.
pub fn make_session_directory(path: &Path) -> Result<(), PathError> {
    DirBuilder::new().mode(0o700).create(path).map_err(|source| unusable(path, source))
}

fn unusable(path: &Path, source: std::io::Error) -> PathError {
    PathError::Unusable { path: path.to_owned(), source }
}

/// Makes a folder, or checks one that is there already.
///
/// # Errors
/// It is a link, belongs to somebody else, or others may enter it.
pub fn make_private(path: &Path) -> Result<(), PathError> {
    if let Some(parent) = path.parent() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(parent)
            .map_err(|source| unusable(parent, source))?;
    }
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        Err(source) => return Err(unusable(path, source)),
    }
    let problem = unsafe_folder(path).map_err(|source| unusable(path, source))?;
    let Some(problem) = problem else { return Ok(()) };
    let remedy = match problem {
        UnsafeFolder::NoFolder => "remove it".to_owned(),
        UnsafeFolder::OfAnotherUser => {
            format!("have it removed by that user or by root, or let {PLACE} name another folder")
        }
        UnsafeFolder::OpenToOthers => {
            "look at what is in it, and remove it or close it (chmod 700)".to_owned()
        }
    };
    let why = problem.reason();
    Err(PathError::Unsafe { path: path.to_owned(), why, remedy })
}

fn default_state_directory() -> Result<PathBuf, PathError> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let folder =
        absolute("XDG_STATE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/state")));
    folder.map(|folder| folder.join("authdeck")).ok_or(PathError::NoHome)
}

fn take_lock(runtime: &Path) -> Result<File, PathError> {
    let path = runtime.join(LOCK);
    let file = open_lock(&path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(PathError::Served { path: runtime.to_owned() }),
        Err(TryLockError::Error(source)) => Err(unusable(&path, source)),
    }
}

/// Notes which login session this process runs in, and tells whether the one that was noted before is over. What cannot
/// be written is not told later.
fn take_note_of_login(runtime: &Path) -> bool {
    let note = runtime.join("login-session");
    let before = std::fs::read_to_string(&note).is_ok_and(|scope| login_session::is_over(&scope));
    let _ = match login_session::scope() {
        Some(scope) => std::fs::write(&note, scope),
        None => std::fs::remove_file(&note),
    };
    before
}

/// Writes into the lock which process holds it, for whoever has to end one that does not answer. On a full disk it is
/// not told.
fn name_holder(mut lock: &File) {
    let Some(text) = ProcessIdentity::own().and_then(|own| serde_json::to_vec(&own).ok()) else { return };
    let _ = lock.set_len(0).and_then(|()| lock.write_all(&text));
}

fn open_lock(path: &Path) -> Result<File, PathError> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW)
        .open(path)
        .map_err(|source| unusable(path, source))
}

/// Points a link at a program, replacing what an earlier supervisor left; children never see it missing.
fn link(target: &Path, path: &Path) -> Result<(), PathError> {
    if std::fs::read_link(path).is_ok_and(|found| found == target) {
        return Ok(());
    }
    let fresh = path.with_extension("new");
    match std::fs::remove_file(&fresh) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(source) => return Err(unusable(&fresh, source)),
    }
    std::os::unix::fs::symlink(target, &fresh).map_err(|source| unusable(&fresh, source))?;
    std::fs::rename(&fresh, path).map_err(|source| unusable(path, source))
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn settings(folder: &Path) -> DriverSettings {
        DriverSettings {
            runtime_directory: Some(folder.join("run/authdeck")),
            state_directory: Some(folder.join("state")),
            ..DriverSettings::default()
        }
    }

    #[test]
    fn one_supervisor_at_a_time_and_the_next_one_after_it() {
        let folder = tempfile::tempdir().unwrap();
        let first = Paths::prepare(&settings(folder.path()), Path::new("/bin/true")).unwrap();
        let second = Paths::prepare(&settings(folder.path()), Path::new("/bin/true"));
        assert!(matches!(second, Err(PathError::Served { .. })));
        drop(first);
        let third = Paths::prepare(&settings(folder.path()), Path::new("/bin/false")).unwrap();
        assert_eq!(std::fs::read_link(third.askpass()).unwrap(), Path::new("/bin/false"));
    }

    #[test]
    fn a_folder_that_others_may_enter_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let runtime = folder.path().join("run/authdeck");
        std::fs::create_dir_all(&runtime).unwrap();
        std::fs::set_permissions(&runtime, Permissions::from_mode(0o755)).unwrap();
        let refused = Paths::prepare(&settings(folder.path()), Path::new("/bin/true"));
        assert!(matches!(refused, Err(PathError::Unsafe { .. })));
    }

    #[test]
    fn a_link_to_a_folder_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let elsewhere = folder.path().join("elsewhere");
        DirBuilder::new().mode(0o700).create(&elsewhere).unwrap();
        let path = folder.path().join("authdeck");
        std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
        assert!(matches!(make_private(&path), Err(PathError::Unsafe { why: "it is no folder", .. })));
    }
}
