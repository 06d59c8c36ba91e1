//! What the engine shows of its state, and what it tells of each change: the plain data that clients get.
//!
//! The protocol re-exports these types, so that they are on the wire what they are here: no secret is in them, and
//! their names are never changed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::finding::{Expects, Verdict};
use super::ids::{BundleId, ChallengeId, ProviderId, SessionId};
use super::status::Status;
use super::time::Timestamp;

/// What the child process is doing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "state", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum ChildState {
    /// The keeper is being started.
    Starting,
    /// It runs.
    Running {
        /// Its process id.
        process_id: u32,
    },
    /// It is being ended: first politely, then not.
    Ending,
    /// It ended by itself.
    Exited {
        /// Its exit status; absent if a signal ended it.
        code: Option<i32>,
        /// The signal's number that ended it.
        signal: Option<i32>,
    },
    /// It was ended with everything it had started.
    Killed,
    /// It was to be ended, and these processes are still there (process id and name).
    Survived {
        /// What could not be killed, and why, one line each.
        survivors: Vec<String>,
    },
    /// Its keeper is gone, so nothing is known of it.
    Lost,
}

impl ChildState {
    /// Returns what could not be killed, one line each.
    pub fn survivors(&self) -> &[String] {
        match self {
            Self::Survived { survivors } => survivors,
            Self::Starting
            | Self::Running { .. }
            | Self::Ending
            | Self::Exited { .. }
            | Self::Killed
            | Self::Lost => &[],
        }
    }
}

/// A URL of the card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UrlView {
    /// The URL, byte for byte.
    pub url: String,
    /// Its host in ASCII.
    pub host: String,
    /// What is thought of the host.
    pub verdict: Verdict,
    /// The verdict in a sentence, such as `expected for claude` or `it carries a user name before the host`.
    pub reason: String,
    /// The screen and the byte stream disagree about it: it is shown, and not copied without asking.
    #[serde(default)]
    pub disputed: bool,
}

/// What a session waits for, from the person's side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Waiting {
    /// Nothing to do yet: the CLI has shown nothing to act on.
    Child,
    /// Open the URL; the CLI notices by itself.
    OpenUrl,
    /// Open the URL, then paste what the browser ended on or shows.
    OpenUrlThenPaste,
    /// Open the URL and type in (or compare) the code.
    EnterCode,
    /// Carry a link or command to where it belongs; the CLI notices, or asks for what came of it.
    Carry,
    /// The CLI asks something: answer in its pane.
    Prompt,
    /// Paste a token or password.
    Secret,
    /// Something was submitted; it is on its way, or the CLI's listener has not answered yet.
    Delivering,
    /// Something was submitted; the CLI works on it.
    Submitted,
    /// The CLI ended; the provider's own check runs.
    Checking,
    /// Over.
    Finished,
}

impl Waiting {
    /// Tells whether the person has to do something.
    pub fn needs_person(self) -> bool {
        match self {
            Self::OpenUrl
            | Self::OpenUrlThenPaste
            | Self::EnterCode
            | Self::Carry
            | Self::Prompt
            | Self::Secret => true,
            Self::Child | Self::Delivering | Self::Submitted | Self::Checking | Self::Finished => false,
        }
    }
}

/// How a session ended, more exactly than its status tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SessionOutcome {
    /// Somebody is logged in.
    LoggedIn,
    /// It failed, was cancelled or took too long.
    Failed,
    /// The CLI asked somebody to log in and ended with exit status 0, and nothing proves that anybody did.
    NotProven,
    /// The command ended with exit status 0 and showed nothing to log in with.
    NothingShown,
}

/// One login session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionView {
    /// Its id.
    pub session_id: SessionId,
    /// The catalogue's entry; absent for any other command.
    pub provider_id: Option<ProviderId>,
    /// The person's own name for it (`--name`), if any.
    pub name: Option<String>,
    /// The command line as shown to people; never with a secret in it.
    pub command: Vec<String>,
    /// Its status, flattened.
    #[serde(flatten)]
    pub status: Status,
    /// When it was started.
    pub started_at: Timestamp,
    /// When it will time out; absent once it is over.
    pub deadline_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// What it waits for.
    pub waiting: Waiting,
    /// The same in words: `waiting for you: open the URL, then paste what the browser ends on`.
    pub waiting_text: String,
    /// The URL to open: authorize URL or verification URL.
    pub url: Option<UrlView>,
    /// The device code.
    pub code: Option<String>,
    /// What is no web page, but to be carried elsewhere: a link for another program, a command for a chat, a port
    /// forwarding for the laptop. It is never opened.
    #[serde(default)]
    pub carry: Option<String>,
    /// What the newest prompt takes.
    pub expects: Option<Expects>,
    /// The newest prompt's line, quoted from the child.
    pub prompt: Option<String>,
    /// Who the child says is logged in, or whom the check named.
    pub identity: Option<String>,
    /// The child's last failure line, quoted.
    pub failure: Option<String>,
    /// The child process.
    pub child: ChildState,
    /// Bytes of output so far.
    pub output_bytes: u64,
    /// Whether something happened that this person has not looked at.
    #[serde(default)]
    pub attention: bool,
    /// What to do next, once it is over badly.
    pub advice: Option<String>,
    /// Whether a paste has a place to go: `session.submit` is what it waits for.
    #[serde(default)]
    pub takes_paste: bool,
    /// How it ended; absent while it is not over.
    #[serde(default)]
    pub outcome: Option<SessionOutcome>,
    /// The CLI has ended and a process that it left behind listens for the browser: the URL may still be opened.
    #[serde(default)]
    pub listening: bool,
    /// What a person should know of a login that succeeded, such as that it is not recorded yet.
    #[serde(default)]
    pub warning: Option<String>,
}

/// What a challenge asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ChallengeKind {
    /// One secret: a password or passphrase.
    Secret,
    /// One line of text that is not secret, such as a user name.
    Text,
    /// Yes or no.
    Confirm,
    /// Nothing: it only tells something (`SSH_ASKPASS_PROMPT=none`).
    Notice,
    /// HTTP Basic: user and password.
    HttpBasic,
    /// HTTP Digest: user and password.
    HttpDigest,
}

/// Who asks: what the kernel says of the process, not what the process says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Requester {
    /// Process id of the asking process.
    pub process_id: Option<u32>,
    /// The chain of its parents, nearest first: `git-remote-http`, `git`, `bash`. `unknown` is never guessed.
    pub chain: Vec<String>,
    /// Its working folder.
    pub directory: Option<String>,
}

/// A parked challenge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChallengeView {
    /// Its request id.
    pub challenge_id: ChallengeId,
    /// The arming epoch: rises when a challenge is parked again under the same id.
    pub epoch: u64,
    /// The session it belongs to, if it comes from inside one.
    pub session_id: Option<SessionId>,
    /// What is asked for.
    pub kind: ChallengeKind,
    /// The short name in the list: `ssh`, `git`, `sudo`.
    pub title: String,
    /// The requester's own words; untrusted, control characters made visible.
    pub message: String,
    /// The origin, for HTTP: `https://example.com`.
    pub origin: Option<String>,
    /// The realm, for HTTP; untrusted.
    pub realm: Option<String>,
    /// For HTTP: a proxy asks (407), and not the server itself (401).
    #[serde(default)]
    pub proxy: bool,
    /// Who asks.
    pub requester: Requester,
    /// When it was parked.
    pub parked_at: Timestamp,
    /// When it is cancelled by itself.
    pub expires_at: Timestamp,
}

/// A stored login. No secret in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BundleView {
    /// Its id.
    pub bundle_id: BundleId,
    /// The provider, or the command's name for any other command.
    pub provider: String,
    /// Who is logged in, if known.
    pub identity: Option<String>,
    /// The configuration folder the login was made in, if it is not the default.
    pub configuration_folder: Option<String>,
    /// When it was first stored.
    pub created_at: Timestamp,
    /// When a login last updated it.
    pub updated_at: Timestamp,
}

/// How a parked challenge ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ChallengeOutcome {
    /// Somebody answered it.
    Answered,
    /// Somebody refused it.
    Denied,
    /// Its time ran out.
    Expired,
    /// Whoever parked it took it back, or its owner closed.
    Cancelled,
    /// It was parked again under the same id.
    Superseded,
}

/// How loud a notice is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Good to know.
    Info,
    /// Something is not as it should be.
    Warning,
    /// Something failed.
    Error,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Event {
    /// A session is new, or was found again after a restart.
    SessionAdded {
        /// It.
        session: Box<SessionView>,
    },
    /// Something about a session changed.
    SessionChanged {
        /// Its whole new state.
        session: Box<SessionView>,
    },
    /// A session was removed from the list.
    SessionRemoved {
        /// Which one.
        session_id: SessionId,
    },
    /// Something needs a credential and waits.
    ChallengeParked {
        /// It.
        challenge: Box<ChallengeView>,
    },
    /// A challenge waits no longer.
    ChallengeEnded {
        /// Which one.
        challenge_id: ChallengeId,
        /// Which arming of it.
        epoch: u64,
        /// How.
        outcome: ChallengeOutcome,
    },
    /// A login was stored or updated.
    BundleStored {
        /// It.
        bundle: Box<BundleView>,
    },
    /// The supervisor ends because somebody told it to: nobody is to start another one in its place.
    SupervisorStopping {},
    /// A sentence for the status line.
    Notice {
        /// How loud.
        level: Level,
        /// What.
        text: String,
        /// Whom it is about.
        session_id: Option<SessionId>,
    },
}
