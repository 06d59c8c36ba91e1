//! What the engine is told: facts that happened in the world, and requests that somebody made.
//!
//! The runtime mints every id and draws all randomness *into* the input, stamps it with `now` and hands it to
//! [`super::engine::Engine::handle`]. A recorded list of `(now, Input)` is therefore a complete account of a bug.
//!
//! A request carries a [`ReplyId`]: the engine answers it exactly once, with an
//! [`Effect::Reply`](super::effect::Effect::Reply), at once or later. A fact about a session that is not there, or
//! that is over, changes nothing; it is never an error.

use std::time::Duration;

use super::callback::Listener;
use super::finding::Finding;
use super::ids::{ChallengeId, SessionId};
use super::login::{Exit, LoginPlan};
use super::saved_session::SavedSession;
use super::secret::Secret;
use super::view::{BundleView, ChallengeKind, Requester, UrlView};

/// Names an answer that somebody waits for; chosen by the runtime, never reused, opaque to the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReplyId(pub u64);

/// Names one delivery of something submitted; chosen by the engine, rises by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeliveryId(pub u64);

/// One thing that happened or is asked for.
#[derive(Debug)]
pub enum Input {
    /// Somebody starts a session.
    Start(Box<StartSession>),
    /// A session of an earlier supervisor was found. At start-up only, and one input for each session.
    Adopted(Box<Adopted>),
    /// Something about one session.
    Session {
        /// Which one.
        session_id: SessionId,
        /// What.
        input: SessionInput,
    },
    /// Something about parked challenges.
    Challenge(ChallengeInput),
    /// Time has passed. The runtime sends it when [`super::engine::Engine::next_deadline`] is reached; every other
    /// input looks at the deadlines too.
    Tick,
}

/// A session to start.
#[derive(Debug)]
pub struct StartSession {
    /// What it is to be.
    pub plan: LoginPlan,
    /// Answered with [`Reply::Started`](super::effect::Reply::Started) once the child runs, or with a refusal.
    pub reply: ReplyId,
}

/// A session of an earlier supervisor.
#[derive(Debug)]
pub struct Adopted {
    /// What the earlier supervisor last saved of it; [`SavedSession::new`] if that cannot be read.
    pub saved: SavedSession,
    /// What has become of its keeper.
    pub keeper: AdoptedKeeper,
}

/// A session's time as its keeper counts it, which no change of the machine's clock alters.
#[derive(Clone, Copy, Debug)]
pub struct KeeperTime {
    /// Since the start.
    pub elapsed: Duration,
    /// The limit, counted from the start.
    pub limit: Duration,
}

/// What has become of the keeper of an adopted session.
#[derive(Debug)]
pub enum AdoptedKeeper {
    /// It is attached again. Its output is detected anew from where its ring begins: what is known already changes
    /// nothing. What happened to the child meanwhile follows as inputs of its own.
    Attached {
        /// The child's process id.
        process_id: u32,
        /// The session's time by the keeper's own clock.
        time: KeeperTime,
    },
    /// It has not answered yet, and nothing proves that it is gone: [`SessionInput::KeeperReached`] or
    /// [`SessionInput::KeeperLost`] follows.
    Unreachable,
    /// It was not needed any more: the session was over and its keeper released.
    Released,
    /// It is gone without having been told to go.
    Gone,
}

/// A finding, with what the detector knows beyond the finding itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What was found.
    pub finding: Finding,
    /// The verdict on a URL in a few words, such as `expected for claude`.
    pub reason: Option<String>,
    /// The screen and the byte stream disagree about it.
    pub disputed: bool,
    /// For a device code: the verification URL that its own line, or the sentence around it, names.
    pub verification_url: Option<UrlView>,
    /// The detector saw the CLI give its attempt up before this (a rejected code, an expired device code). The
    /// engine concludes the same by itself from a failure line in between.
    pub new_attempt: bool,
}

impl Found {
    /// Wraps a finding of which nothing more is known.
    pub fn plain(finding: Finding) -> Self {
        Self { finding, reason: None, disputed: false, verification_url: None, new_attempt: false }
    }
}

/// What became of the provider's auth check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckOutcome {
    /// It says that somebody is logged in.
    Passed {
        /// Who, if it says so.
        identity: Option<String>,
    },
    /// It says that nobody is.
    Failed {
        /// The last line that it printed; empty if it printed nothing.
        last_line: String,
    },
    /// It did not end within its limit and was killed.
    TimedOut {
        /// The last line that it had printed until then.
        last_line: String,
    },
    /// It could not be run.
    NotRun {
        /// Why.
        error: String,
    },
}

/// What became of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeliveryOutcome {
    /// All of it was written to the child's terminal.
    Written,
    /// The child's input is closed, or there is no child (behaviour S10).
    Closed,
    /// The loopback listener answered.
    Answered {
        /// The HTTP status code.
        status: u16,
        /// The first words of its page, if it has any; the listener's own words.
        page: Option<String>,
    },
    /// The loopback listener has it, and gave no answer that says what it makes of it.
    Unanswered {
        /// What it did instead, as the end of a sentence: `closed without answering`.
        how: String,
    },
    /// It could not be delivered, and nothing reached the child.
    Failed {
        /// Why, in a sentence for a person.
        reason: String,
    },
}

/// What somebody pasted, with what was seen of the machine when it came.
#[derive(Clone, Debug)]
pub struct Paste {
    /// As it came.
    pub text: Secret,
    /// What listens on this machine's loopback.
    pub listeners: Vec<Listener>,
    /// The person was asked, and it may go to a listener that nobody can look into.
    pub unseen: bool,
    /// Who waits for the answer.
    pub reply: ReplyId,
}

/// Something about one session.
#[derive(Debug)]
pub enum SessionInput {
    /// The keeper runs and has started the child.
    KeeperReady {
        /// The child's process id.
        process_id: u32,
    },
    /// The child could not be started. Nothing is left of the keeper.
    StartFailed {
        /// Why, in a sentence, with what to do.
        error: String,
    },
    /// The detector found something.
    Found(Box<Found>),
    /// The newest prompt was answered or is off the screen.
    PromptGone,
    /// Output came.
    OutputAdvanced {
        /// Bytes of output so far, all of them.
        bytes: u64,
    },
    /// The child ended; its output may still come.
    ChildExited {
        /// How.
        exit: Exit,
    },
    /// The last lines that the child printed, oldest first; comes before [`Self::OutputEnded`].
    LastLines(Vec<String>),
    /// All output was read and looked at: nothing more will be found.
    OutputEnded,
    /// No process of the session listens on a port any more.
    ListenersGone,
    /// The keeper's clock says that the time is up; it kills already.
    LimitReached,
    /// A kill is over.
    KillFinished {
        /// What could not be killed and why, one line each.
        survivors: Vec<String>,
    },
    /// The keeper is gone without having been told to go.
    KeeperLost,
    /// A keeper that had not answered is attached again.
    KeeperReached {
        /// The child's process id.
        process_id: u32,
        /// The session's time by the keeper's own clock.
        time: KeeperTime,
    },
    /// The auth check is over.
    CheckFinished(CheckOutcome),
    /// The bundle stands in the store.
    BundleStored {
        /// As it stands there.
        bundle: Box<BundleView>,
    },
    /// The bundle could not be stored.
    BundleNotStored {
        /// Why.
        error: String,
    },
    /// A delivery is over.
    Delivered {
        /// Which one.
        delivery: DeliveryId,
        /// What became of it.
        outcome: DeliveryOutcome,
    },
    /// A person looks at it: it needs no attention any more.
    Looked,
    /// A person typed into the child by hand.
    Typed,
    /// Somebody pasted what the browser ended on. Answered with
    /// [`Reply::Submitted`](super::effect::Reply::Submitted) or a refusal.
    Submit(Box<Paste>),
    /// Somebody gives the login up (behaviour S9). Answered with a boolean: whether this changed the status.
    Cancel {
        /// Who waits for the answer.
        reply: ReplyId,
    },
    /// Somebody wants the child dead. Answered with a boolean: whether there was anything to kill.
    Kill {
        /// At once, without asking politely first.
        force: bool,
        /// Who waits for the answer.
        reply: ReplyId,
    },
    /// Somebody takes it off the list. Answered with a boolean: whether it was there.
    Remove {
        /// Who waits for the answer.
        reply: ReplyId,
    },
}

/// A challenge to park (behaviour C1).
#[derive(Clone, Debug)]
pub struct Park {
    /// The request id.
    pub challenge_id: ChallengeId,
    /// The session or client it belongs to, by a name that only the runtime gives: a session's is its id.
    pub owner: String,
    /// The session it comes from, if it comes from inside one.
    pub session_id: Option<SessionId>,
    /// What is asked for.
    pub kind: ChallengeKind,
    /// The short name in the list.
    pub title: String,
    /// The requester's own words.
    pub message: String,
    /// The origin, for HTTP.
    pub origin: Option<String>,
    /// The realm, for HTTP.
    pub realm: Option<String>,
    /// For HTTP: a proxy asks, and not the server itself.
    pub proxy: bool,
    /// Who asks.
    pub requester: Requester,
    /// How long it waits, if that is less than the setting.
    pub limit: Option<Duration>,
    /// Answered with [`Reply::Parked`](super::effect::Reply::Parked) or a refusal.
    pub reply: ReplyId,
}

/// Something about parked challenges.
#[derive(Debug)]
pub enum ChallengeInput {
    /// Something needs a credential.
    Park(Box<Park>),
    /// The owner waits for the end. Answered with [`Reply::Answer`](super::effect::Reply::Answer) or
    /// [`Reply::Ended`](super::effect::Reply::Ended), to nobody but the owner.
    Wait {
        /// For which one.
        challenge_id: ChallengeId,
        /// Which arming; absent: the newest.
        epoch: Option<u64>,
        /// Who asks; it must be the owner that parked it.
        owner: String,
        /// Who waits for the answer.
        reply: ReplyId,
    },
    /// A person answers. Answered with [`Reply::Taken`](super::effect::Reply::Taken).
    Answer {
        /// Which one.
        challenge_id: ChallengeId,
        /// Which arming; absent: the one that is parked now.
        epoch: Option<u64>,
        /// The user name, for HTTP.
        user: Option<String>,
        /// The secret or text; empty for a plain yes.
        secret: Secret,
        /// Who waits for the answer.
        reply: ReplyId,
    },
    /// Somebody refuses it or takes it back. Answered with [`Reply::Taken`](super::effect::Reply::Taken).
    Cancel {
        /// Which one.
        challenge_id: ChallengeId,
        /// Which arming; absent: the one that is parked now.
        epoch: Option<u64>,
        /// Who does it: the owner takes back, anybody else refuses.
        owner: Option<String>,
        /// Who waits for the answer.
        reply: ReplyId,
    },
    /// An owner closed (behaviour C5). Answered, if anybody wants to know, with the number cancelled.
    OwnerClosed {
        /// Which one.
        owner: String,
        /// Who waits for the answer.
        reply: Option<ReplyId>,
    },
    /// Somebody asks how many are parked (behaviour C6).
    CountPending {
        /// Who waits for the answer.
        reply: ReplyId,
    },
}
