//! A home folder and an environment that owe nothing to the machine that runs the tests.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::wait::wait_until;
use super::{peer, process};

/// The program under test.
pub const AUTHDECK: &str = env!("CARGO_BIN_EXE_authdeck");

/// The variable by which every process that a test caused is found again, whatever became of its parents. Its name
/// does not begin with `AUTHDECK_`: those are not handed on to a session's child.
pub const TAG: &str = "AD_TEST_TAG";

/// A private home folder with its environment. When it is dropped, every process that carries its tag is ended.
pub struct Home {
    folder: TempDir,
    tag: String,
    variables: Vec<(String, String)>,
}

impl Home {
    /// Makes an empty home. The folder's name is short: a Unix socket's path may have 107 bytes.
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("ad-").tempdir().unwrap();
        let tag = folder.path().file_name().unwrap().to_string_lossy().into_owned();
        let at = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
        for name in ["home", "run", "work"] {
            fs::create_dir(folder.path().join(name)).unwrap();
            fs::set_permissions(folder.path().join(name), fs::Permissions::from_mode(0o700)).unwrap();
        }
        let variables = [
            ("HOME", at("home")),
            ("XDG_RUNTIME_DIR", at("run")),
            ("AUTHDECK_RUNTIME_DIR", at("run/authdeck")),
            ("PATH", format!("{}:{}", peer::npm_programs().display(), std::env::var("PATH").unwrap())),
            ("LANG", "C.UTF-8".into()),
            ("TZ", "UTC".into()),
            ("TERM", "xterm-256color".into()),
            ("SHELL", "/bin/sh".into()),
            ("USER", "tester".into()),
            (TAG, tag.clone()),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value)).to_vec();
        Self { folder, tag, variables }
    }

    /// Sets a variable for everything that is started from now on.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl AsRef<str>) -> Self {
        self.variables.retain(|(known, _)| known != name);
        self.variables.push((name.to_owned(), value.as_ref().to_owned()));
        self
    }

    /// The folder that holds everything: `home`, `run` (for sockets), `work`.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The value of `HOME`.
    pub fn home(&self) -> PathBuf {
        self.path().join("home")
    }

    /// The value of `XDG_RUNTIME_DIR`.
    pub fn runtime(&self) -> PathBuf {
        self.path().join("run")
    }

    /// A folder for the test's own files.
    pub fn work(&self) -> PathBuf {
        self.path().join("work")
    }

    /// The variables, for whoever starts a process.
    pub fn variables(&self) -> &[(String, String)] {
        &self.variables
    }

    /// A command with this environment and no other, in the work folder.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.current_dir(self.work());
        command
    }

    /// The program under test with these arguments.
    pub fn authdeck<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = self.command(AUTHDECK);
        command.args(arguments);
        command
    }

    /// Writes `~/.config/authdeck/config.toml`.
    pub fn write_config(&self, text: &str) {
        self.write_file("home/.config/authdeck/config.toml", text);
    }

    /// Writes a file below [`Self::path`], with the folders it needs.
    pub fn write_file(&self, relative: &str, text: &str) -> PathBuf {
        let path = self.path().join(relative);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// Writes an executable script below [`Self::path`].
    pub fn write_script(&self, relative: &str, text: &str) -> PathBuf {
        let path = self.write_file(relative, text);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// Every live process that was started from here, directly or not.
    pub fn processes(&self) -> Vec<process::Process> {
        process::tagged(&self.tag)
    }

    /// The background supervisors that were started from here.
    pub fn supervisors(&self) -> Vec<process::Process> {
        self.processes().into_iter().filter(|process| process.is_authdeck("serve")).collect()
    }

    /// Kills the background supervisor, of which there must be one, and returns its process id.
    pub fn kill_supervisor(&self) -> u32 {
        let supervisors = self.supervisors();
        let [supervisor] = &supervisors[..] else {
            panic!("not one supervisor:\n{}", process::list(&self.processes()))
        };
        process::signal(supervisor.id, "KILL");
        wait_until("the supervisor is dead", || !process::is_alive(supervisor.id), String::new);
        supervisor.id
    }

    /// Those of [`Self::processes`] that are neither authdeck nor the test's own scaffolding: the sessions' children.
    pub fn children(&self) -> Vec<process::Process> {
        self.processes().into_iter().filter(|process| !process.is_scaffolding()).collect()
    }
}

impl Drop for Home {
    /// Where the kernel does not let a test see a supervisor's environment, stopping it in good order is what ends it.
    fn drop(&mut self) {
        if self.runtime().join("authdeck/supervisor.sock").exists() {
            let stopping =
                self.authdeck(["stop", "--yes"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
            let _it_may_be_in_this_very_process = stopping;
        }
        process::end(|| self.processes());
    }
}
