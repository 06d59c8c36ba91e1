//! What the engine orders: coarse, and safe to do twice.
//!
//! The runtime runs them in the order given and reports results as inputs. It never decides anything: where an
//! order can fail, the failure is an input too.

use super::callback::CallbackRequest;
use super::ids::{BundleId, ChallengeId, SessionId};
use super::input::{DeliveryId, ReplyId};
use super::saved_session::SavedSession;
use super::secret::Secret;
use super::view::{ChallengeOutcome, Event};

/// One order.
#[derive(Debug)]
pub enum Effect {
    /// Start the session's keeper and, in it, the child; the runtime kept the command, folder and environment of
    /// the [`super::input::StartSession`] under this id. Reported with `KeeperReady` or `StartFailed`.
    StartKeeper {
        /// Whose.
        session_id: SessionId,
        /// The limit that the keeper enforces on its own clock.
        limit: std::time::Duration,
    },
    /// Write a line to the child's terminal and end it with a carriage return. All of it or nothing: refuse what
    /// the terminal's line discipline would cut. Reported with `Delivered`.
    WriteLine {
        /// Whose child.
        session_id: SessionId,
        /// Which delivery.
        delivery: DeliveryId,
        /// The text; empty for the Enter key alone.
        text: Secret,
        /// The CLI asks for a secret, so its field may show nothing of it.
        hidden: bool,
    },
    /// Play the browser's last request to the child's loopback listener. Reported with `Delivered`.
    ReplayCallback {
        /// Whose child.
        session_id: SessionId,
        /// Which delivery.
        delivery: DeliveryId,
        /// The request.
        request: CallbackRequest,
    },
    /// Close the child's input and kill it with everything it started. Reported with `KillFinished`. While a polite
    /// kill is under way, a forced one shortens it; any other repetition changes nothing.
    KillChild {
        /// Whose.
        session_id: SessionId,
        /// At once, without asking politely first.
        force: bool,
    },
    /// Let the keeper end. What the child left running on purpose goes on. The session's screen and transcript stay
    /// readable.
    ReleaseKeeper {
        /// Whose.
        session_id: SessionId,
    },
    /// Run the provider's auth check in the child's environment. Reported with `CheckFinished`.
    RunCheck {
        /// Whose.
        session_id: SessionId,
        /// How long it may take; then it is killed with all it started.
        limit: std::time::Duration,
    },
    /// Kill the auth check, if it runs. Nothing is reported.
    StopCheck {
        /// Whose.
        session_id: SessionId,
    },
    /// Watch whether a process of the session listens on a port. Reported with `ListenersGone` once none does.
    WatchListeners {
        /// Whose.
        session_id: SessionId,
    },
    /// Store the login. Reported with `BundleStored` or `BundleNotStored`.
    StoreBundle(BundleRecord),
    /// Replace the session's saved state. Nothing is reported; a failure to write is the runtime's to tell.
    SaveSession(Box<SavedSession>),
    /// Forget the session: its folder, screen and transcript, the internal credential it was given.
    ForgetSession {
        /// Which one.
        session_id: SessionId,
    },
    /// Tell every subscriber.
    Publish(Event),
    /// Answer whoever asked.
    Reply {
        /// Whom.
        to: ReplyId,
        /// With what.
        value: Reply,
    },
}

/// A login to store: inserted under its id, or updated if it is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BundleRecord {
    /// For which session.
    pub session_id: SessionId,
    /// Under which id.
    pub bundle_id: BundleId,
    /// The provider, or the command's name.
    pub provider: String,
    /// Who is logged in, if known; an update without it keeps what is there.
    pub identity: Option<String>,
    /// The configuration folder, if it is not the default.
    pub configuration_folder: Option<String>,
}

/// An answer.
#[derive(Debug)]
pub enum Reply {
    /// To `Start`.
    Started {
        /// The new session.
        session_id: SessionId,
        /// The URL, if one was seen already.
        auth_url: Option<String>,
    },
    /// To `Cancel`, `Kill` and `Remove`.
    Done(bool),
    /// To `Submit`.
    Submitted {
        /// Whether it was delivered.
        delivered: bool,
        /// Whether it went to the loopback listener; otherwise to the child's terminal.
        to_loopback: bool,
        /// A sentence for the person.
        message: String,
    },
    /// To `Park`.
    Parked {
        /// The id it is parked under.
        challenge_id: ChallengeId,
        /// The arming epoch.
        epoch: u64,
    },
    /// To `Wait`: somebody answered. The only place where an answer's secret leaves the engine.
    Answer {
        /// The user name, for HTTP.
        user: Option<String>,
        /// The secret or text; empty for a plain yes.
        secret: Secret,
    },
    /// To `Wait`: it ended otherwise.
    Ended(ChallengeOutcome),
    /// To `Answer` and `Cancel` of a challenge.
    Taken(Taking),
    /// To `OwnerClosed` and `CountPending`.
    Count(u64),
    /// It is refused.
    Refused(Refusal),
}

/// Whether an attempt to take a challenge won (behaviour C3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taking {
    /// It did.
    Won,
    /// Somebody or something else was faster.
    TooLate,
    /// No challenge of that id is remembered.
    Unknown,
}

/// Why something is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The kind, from which the runtime chooses the code on the wire.
    pub kind: RefusalKind,
    /// One or two sentences for a person: what failed, why, what to do next.
    pub message: String,
}

/// The kinds of refusal; each has its code on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalKind {
    /// There is no session or challenge of that id.
    NotFound,
    /// A pasted text does not fit; nothing was sent.
    PasteRefused,
    /// A pasted text fits, and the person is to be asked before it is sent.
    AskFirst,
    /// The child could not be started.
    CannotStart,
    /// A bound was reached.
    LimitReached,
    /// The challenge is over, and its end was told already.
    TooLate,
    /// Only its owner may do that.
    NotTheOwner,
    /// An answer that the requester's protocol cannot carry.
    InvalidAnswer,
}
