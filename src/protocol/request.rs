//! What a client can ask for. The method's name stands in front of each variant.

mod challenge;
mod session;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::challenge::{AnswerChallenge, ChallengeAnswer, ChallengeRef, OwnerRef, ParkChallenge, Parked};
pub use self::session::{
    Destination, Focus, History, HistoryRange, Inherited, InputBytes, Kill, Opened, Polled, Resize, Search,
    SearchResult, SessionRef, StartSession, Started, Submit, Submitted,
};
use super::snapshot::{BundleView, ChallengeView, ProviderView, SessionView};
use crate::core::ids::{ProviderId, SessionId};
use crate::core::secret::Secret;
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
    /// `challenge.list`: answers what is parked.
    ChallengeList {},
    /// `challenge.pending`: answers how many are parked.
    ChallengePending {},
    /// `ticket.mint`: answers a [`MintedTicket`] with which an outside client comes in once.
    TicketMint(MintTicket),
    /// `supervisor.stop`: ends the supervisor; its sessions go on with their keepers, parked challenges are cancelled.
    /// Every subscriber is told. Answers true.
    SupervisorStop {},
    /// `supervisor.upgrade`: has another process of the program on disk take the supervisor's place. Every connection goes
    /// over. Answers true, from the other process, or refuses with the reason; then everything goes on as it was.
    SupervisorUpgrade(Upgrade),
    /// `screen.taken`, wants no answer: the last screen update was drawn, the next one may come (see
    /// [`Focus::acknowledged`]).
    ScreenTaken {},
}

/// Which program is to take the supervisor's place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Upgrade {
    /// Its absolute path; the file that the supervisor itself was started from if absent.
    pub executable: Option<String>,
}

/// Who is there.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Welcome {
    /// The supervisor's protocol version.
    pub protocol: u32,
    /// The supervisor's program and its version.
    pub program: String,
    /// As whom it takes the client: `local`, `server-internal` (behaviour W2) or `ticket` (W1).
    pub identity: String,
}

/// A ticket to mint.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct MintTicket {
    /// The only provider whose logins it opens; absent: everything.
    pub provider_id: Option<ProviderId>,
}

/// The answer to `ticket.mint`: what an outside client presents once, within 30 s.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SessionList {
    /// All of them, oldest first.
    pub sessions: Vec<SessionView>,
}

/// The answer to `challenge.list`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChallengeList {
    /// All of them, oldest first.
    pub challenges: Vec<ChallengeView>,
}

/// The answer to `provider.list`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProviderList {
    /// Installed ones first.
    pub providers: Vec<ProviderView>,
}

/// The answer to `bundle.list`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BundleList {
    /// All of them.
    pub bundles: Vec<BundleView>,
}
