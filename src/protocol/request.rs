//! What a client can ask for. The method's name stands in front of each variant.

use serde::{Deserialize, Serialize};

use super::screen::Row;
use super::snapshot::{BundleView, ChallengeKind, ProviderView, Requester, SessionView};
use crate::core::ids::{BundleId, ChallengeId, ProviderId, SessionId};
use crate::core::secret::Secret;
use crate::core::status::Status;
use crate::core::time::Timestamp;

/// A request. Its parameters are an object; unknown fields are ignored.
///
/// There is neither `Serialize` nor `Deserialize`: some requests carry secrets, which no intermediate value may hold.
/// [`super::encode`] writes them, [`super::decode`] reads them.
#[derive(Clone, Debug)]
pub enum Request {
    /// `hello`: says who is there; the first call on a connection that has to show a credential. Answers
    /// [`Welcome`].
    Hello(Hello),
    /// `events.subscribe`: answers with a snapshot; events follow.
    EventsSubscribe {},
    /// `session.start`: starts a login; answers [`Started`].
    SessionStart(StartSession),
    /// `session.poll`: answers [`Polled`], or null for an unknown id (behaviour S11).
    SessionPoll(SessionRef),
    /// `session.list`: answers all sessions.
    SessionList {},
    /// `session.submit`: hands in what a person pasted; answers [`Submitted`].
    SessionSubmit(Submit),
    /// `session.input`: types bytes into the child as they are; answers a boolean.
    SessionInput(InputBytes),
    /// `session.resize`: resizes the child's terminal; answers a boolean.
    SessionResize(Resize),
    /// `session.focus`: makes this client get the session's screen (or none); answers true. A full screen update
    /// follows.
    SessionFocus(Focus),
    /// `session.screen`: answers the whole screen as a [`super::screen::ScreenUpdate`].
    SessionScreen(SessionRef),
    /// `session.history`: answers lines of the history as [`History`].
    SessionHistory(HistoryRange),
    /// `session.search`: answers the absolute numbers of the lines that have the text in them, as [`SearchResult`].
    SessionSearch(Search),
    /// `session.transcript`: answers the transcript as text, secrets masked.
    SessionTranscript(SessionRef),
    /// `session.recording`: answers the recording as an asciicast v2 file's text, secrets masked.
    SessionRecording(SessionRef),
    /// `session.cancel`: ends the attempt as `cancelled by user` (behaviour S9); answers a boolean.
    SessionCancel(SessionRef),
    /// `session.kill`: kills the child with all it started; answers a boolean.
    SessionKill(Kill),
    /// `session.remove`: takes a session off the list (kills what is left of it); answers a boolean.
    SessionRemove(SessionRef),
    /// `session.explain`: answers in a few sentences what the session waits for and why.
    SessionExplain(SessionRef),
    /// `session.opened`, from a process of the session itself: what it wanted to open in a browser; answers a boolean:
    /// whether it is a web address, which is then exact and outranks the screen.
    SessionOpened(Opened),
    /// `provider.list`: answers the catalogue: installed providers first.
    ProviderList {},
    /// `bundle.list`: answers the stored logins.
    BundleList {},
    /// `challenge.park`: parks a challenge; answers [`Parked`].
    ChallengePark(ParkChallenge),
    /// `challenge.wait`: waits until a parked challenge ends; answers [`ChallengeAnswer`] to its owner only.
    ChallengeWait(ChallengeRef),
    /// `challenge.answer`: answers a challenge; the result is a boolean: whether this call was the one that took it.
    ChallengeAnswer(AnswerChallenge),
    /// `challenge.cancel`: refuses or takes back a challenge; the result is a boolean.
    ChallengeCancel(ChallengeRef),
    /// `challenge.cancelOwner`: cancels all challenges of an owner; answers how many.
    ChallengeCancelOwner(OwnerRef),
    /// `challenge.pending`: answers how many are parked.
    ChallengePending {},
    /// `ticket.mint`: answers a [`MintedTicket`] with which an outside client comes in once.
    TicketMint(MintTicket),
    /// `screen.taken`, wants no answer: the last screen update was drawn, the next one may come (see
    /// [`Focus::acknowledged`]).
    ScreenTaken {},
}

/// Who is there.
#[derive(Clone, Debug, Deserialize)]
pub struct Hello {
    /// The client's protocol version.
    pub protocol: u32,
    /// The internal credential (behaviour W2), for a process that authdeck started.
    #[serde(default)]
    pub credential: Option<Secret>,
    /// A ticket (behaviour W1), for an outside client over TCP that has shown none on the way in.
    #[serde(default)]
    pub ticket: Option<Secret>,
    /// The session it runs in, from its environment.
    #[serde(default)]
    pub session: Option<SessionId>,
}

/// The answer to `hello`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// The supervisor's protocol version.
    pub protocol: u32,
    /// The supervisor's program and its version.
    pub program: String,
    /// As whom it takes the client: `local`, `server-internal` (behaviour W2) or `ticket` (W1).
    pub identity: String,
}

/// Names a session.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionRef {
    /// Which one.
    pub session_id: SessionId,
}

/// What to start.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StartSession {
    /// An entry of the catalogue. Absent: `command` says it all.
    pub provider_id: Option<ProviderId>,
    /// The command; with a provider it replaces the catalogue's.
    pub command: Vec<String>,
    /// The person's name for it.
    pub name: Option<String>,
    /// The folder to start in; the supervisor's own if absent.
    pub directory: Option<String>,
    /// Variables set on top of the supervisor's environment.
    pub environment: Vec<(String, String)>,
    /// Columns of the terminal; 80 if zero.
    pub columns: u16,
    /// Rows of the terminal; 24 if zero.
    pub rows: u16,
    /// The time limit in seconds; the setting's if absent.
    pub limit_seconds: Option<u64>,
    /// A bundle that a success updates instead of making another (behaviour S12).
    pub into_bundle_id: Option<BundleId>,
}

/// The answer to `session.start` (behaviour S1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Started {
    /// The new session.
    pub session_id: SessionId,
    /// The URL to open, if one was seen already; null until then.
    pub auth_url: Option<String>,
}

/// The answer to `session.poll` (behaviour S2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Polled {
    /// The provider, or null for any other command.
    pub provider_id: Option<ProviderId>,
    /// The status, flattened.
    #[serde(flatten)]
    pub status: Status,
}

/// A paste.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Submit {
    /// For which session.
    pub session_id: SessionId,
    /// What was pasted, as it came.
    pub text: Secret,
}

/// Where a paste went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Destination {
    /// To the child's standard input.
    Stdin,
    /// To the child's loopback listener, as the browser would have done.
    Loopback,
}

/// The answer to `session.submit`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Submitted {
    /// Whether it was delivered.
    pub delivered: bool,
    /// Where to.
    pub destination: Destination,
    /// A sentence: what was sent, and the listener's answer if there was one.
    pub message: String,
}

/// Bytes for the child.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InputBytes {
    /// For which session.
    pub session_id: SessionId,
    /// The bytes in base64 (RFC 4648 section 4).
    pub base64: Secret,
}

/// A new terminal size.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Resize {
    /// Of which session.
    pub session_id: SessionId,
    /// Columns.
    pub columns: u16,
    /// Rows.
    pub rows: u16,
}

/// Whose screen this client wants.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Focus {
    /// The session; null for none.
    pub session_id: Option<SessionId>,
    /// This client says `screen.taken` after each update, and the next one waits for it. Without, the next one waits
    /// until the last was written to the connection.
    #[serde(default)]
    pub acknowledged: bool,
}

/// A stretch of history.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HistoryRange {
    /// Of which session.
    pub session_id: SessionId,
    /// Absolute number of the first line.
    pub first: u64,
    /// How many lines; at most 1,000 are answered.
    pub count: u32,
}

/// The answer to `session.history`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct History {
    /// The lines, `number` absolute. Lines that are no longer kept are absent.
    pub lines: Vec<Row>,
    /// The oldest line that is kept.
    pub history_start: u64,
    /// The first line of the screen.
    pub screen_start: u64,
}

/// A search in the transcript.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Search {
    /// Of which session.
    pub session_id: SessionId,
    /// The text, compared without regard to case unless it has a capital in it.
    pub text: String,
}

/// The answer to `session.search`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SearchResult {
    /// Absolute numbers of the matching lines, oldest first; at most 1,000, the newest ones.
    pub lines: Vec<u64>,
}

/// A kill.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Kill {
    /// Whose child.
    pub session_id: SessionId,
    /// At once, without asking politely first.
    #[serde(default)]
    pub force: bool,
}

/// What a child wanted to open in a browser.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Opened {
    /// The session that it runs in.
    pub session_id: SessionId,
    /// The URL, or whatever else was to be opened, as the browser's command line has it.
    pub url: String,
}

/// Names a challenge.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChallengeRef {
    /// Which one.
    pub challenge_id: ChallengeId,
    /// Which arming; absent: whichever is parked now.
    #[serde(default)]
    pub epoch: Option<u64>,
    /// The owner that it was parked for; absent: whoever this connection parked it for. Not needed to refuse it.
    #[serde(default)]
    pub owner: Option<String>,
}

/// Names an owner.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OwnerRef {
    /// The owner's name, as given when parking.
    pub owner: String,
}

/// A challenge to park.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ParkChallenge {
    /// The request id; parking again under it supersedes (behaviour C4).
    pub challenge_id: ChallengeId,
    /// The owner; absent: the session of the connection, or the connection itself.
    #[serde(default)]
    pub owner: Option<String>,
    /// What is asked.
    pub kind: ChallengeKind,
    /// The short name: `ssh`, `git`, `sudo`.
    pub title: String,
    /// The prompt, in the requester's words.
    pub message: String,
    /// The origin, for HTTP.
    #[serde(default)]
    pub origin: Option<String>,
    /// The realm, for HTTP.
    #[serde(default)]
    pub realm: Option<String>,
    /// Who asks, where the supervisor cannot see it itself.
    #[serde(default)]
    pub requester: Option<Requester>,
    /// Seconds until it is cancelled by itself; bounded by the setting (300 by default).
    #[serde(default)]
    pub limit_seconds: Option<u64>,
}

/// The answer to `challenge.park`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Parked {
    /// The id it is parked under.
    pub challenge_id: ChallengeId,
    /// The arming epoch.
    pub epoch: u64,
}

/// An answer for a challenge.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AnswerChallenge {
    /// Which one.
    pub challenge_id: ChallengeId,
    /// Which arming; absent: whichever is parked now.
    #[serde(default)]
    pub epoch: Option<u64>,
    /// The user name, for HTTP.
    #[serde(default)]
    pub user: Option<String>,
    /// The secret or the text; absent for a plain yes.
    #[serde(default)]
    pub secret: Option<Secret>,
}

/// What `challenge.wait` answers, to the owner's connection only.
#[derive(Clone, Debug)]
pub enum ChallengeAnswer {
    /// Somebody answered.
    Answered {
        /// The user name, for HTTP.
        user: Option<String>,
        /// The secret or text; empty for a plain yes.
        secret: Secret,
    },
    /// It ended otherwise.
    Ended(super::event::ChallengeOutcome),
}

/// A ticket to mint.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MintTicket {
    /// The only provider whose logins it opens; absent: everything.
    pub provider_id: Option<ProviderId>,
}

/// The answer to `ticket.mint`: what an outside client presents once, within 30 s.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MintedTicket {
    /// What is to be presented.
    pub ticket: Secret,
    /// The user in whose name it was minted, by number.
    pub user: String,
    /// The only provider whose logins it opens; null: everything.
    pub provider_id: Option<ProviderId>,
    /// From when on it is refused.
    pub expires_at: Timestamp,
}

/// The answer to `session.list`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionList {
    /// All of them, oldest first.
    pub sessions: Vec<SessionView>,
}

/// The answer to `provider.list`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderList {
    /// Installed ones first.
    pub providers: Vec<ProviderView>,
}

/// The answer to `bundle.list`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BundleList {
    /// All of them.
    pub bundles: Vec<BundleView>,
}
