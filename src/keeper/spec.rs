//! What a keeper is to start and to keep, as its spawner says it on standard input.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize, Serializer};

use crate::core::ids::SessionId;
use crate::core::secret::Secret;

/// The longest environment that is kept after the start, in bytes: with every character escaped it fits in a frame.
const LONGEST_KEPT: usize = 128 * 1024;

/// The longest specification that is read, in bytes: an environment is at most 2 MiB on Linux by default.
pub const LONGEST_SPEC: u64 = 8 * 1024 * 1024;

/// What to start, and within which limits.
///
/// It crosses a pipe as JSON, never an argument list: the environment and the credential are secret.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Spec {
    /// The session's folder: exists, 0700, ours. It is the keeper's argument, not part of the JSON.
    #[serde(skip)]
    pub directory: PathBuf,
    /// The session.
    pub session_id: SessionId,
    /// The command and its arguments; the command is looked up in the `PATH` of `environment`.
    pub argv: Vec<String>,
    /// The child's whole environment. The link adds [`super::COOKIE`].
    pub environment: Variables,
    /// The folder to start in.
    pub working_directory: PathBuf,
    /// Columns of the terminal.
    pub columns: u16,
    /// Rows of the terminal.
    pub rows: u16,
    /// The session's time limit on the keeper's monotonic clock.
    pub limit: Duration,
    /// How long a polite kill waits before it stops being polite.
    pub grace: Duration,
    /// How long a kill strikes before it gives up and names what is left.
    pub kill_limit: Duration,
    /// How long the child may take to read an input.
    pub input_limit: Duration,
    /// How long output is awaited after the child ended, if something it left running holds the terminal open.
    pub drain: Duration,
    /// How long an ended session is kept with no supervisor attached.
    pub linger: Duration,
    /// How many bytes of output are kept for the next supervisor.
    pub ring_bytes: usize,
    /// The soft limit of open files that the child gets back; absent: as the keeper has it.
    pub open_files: Option<u64>,
    /// The internal credential, kept for the next supervisor.
    #[serde(serialize_with = "exposed")]
    pub credential: Secret,
}

impl Spec {
    /// Makes a specification with every limit at its default and an empty environment.
    pub fn new(directory: PathBuf, session_id: SessionId, argv: Vec<String>) -> Self {
        Self {
            directory,
            session_id,
            argv,
            environment: Variables::default(),
            working_directory: PathBuf::from("/"),
            columns: 80,
            rows: 24,
            limit: Duration::from_secs(600),
            grace: Duration::from_secs(2),
            kill_limit: Duration::from_secs(5),
            input_limit: Duration::from_secs(5),
            drain: Duration::from_millis(200),
            linger: Duration::from_secs(24 * 60 * 60),
            ring_bytes: 4 * 1024 * 1024,
            open_files: None,
            credential: Secret::default(),
        }
    }
}

/// An environment. What is in it may be secret: it is not shown, and crosses only the pipe to the keeper that is to
/// keep it and, from there, the socket to a supervisor that has shown uid and token.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Variables(pub Vec<(String, String)>);

impl Variables {
    /// Tells whether it is short enough to be kept and told.
    pub fn can_be_kept(&self) -> bool {
        self.0.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>() <= LONGEST_KEPT
    }
}

impl From<Vec<(String, String)>> for Variables {
    fn from(variables: Vec<(String, String)>) -> Self {
        Self(variables)
    }
}

impl std::fmt::Debug for Variables {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Variables({})", self.0.len())
    }
}

/// Writes the credential out: only into the pipe of the keeper that is to keep it.
fn exposed<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.secret())
}

/// What a keeper answers its spawner on standard output, once.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "start", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum StartReport {
    /// It listens, and the child runs.
    Listening {
        /// The child's process id.
        child_process_id: u32,
    },
    /// It gave up; nothing is left behind.
    Failed(StartFailure),
}

/// Why a session could not be started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StartFailure {
    /// The reason for programs.
    pub reason: StartReason,
    /// What failed, why, and what to do, for people.
    pub message: String,
}

/// The reasons why a start fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StartReason {
    /// The command is nowhere on the `PATH`, or not at the path given.
    CommandNotFound,
    /// The command is there and cannot be executed.
    NotExecutable,
    /// The folder to start in is not there or not accessible.
    WorkingDirectory,
    /// The session's folder is not safe or not writable.
    SessionDirectory,
    /// The specification makes no sense.
    Specification,
    /// The system refused something else.
    System,
}
