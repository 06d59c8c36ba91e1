//! Every request as a function with its own answer.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::{Client, ClientError, Pending};
use crate::core::ids::{ChallengeId, ProviderId, SessionId};
use crate::core::secret::Secret;
use crate::protocol::VERSION;
use crate::protocol::method::{Method as _, challenge, server, session, supervisor, terminal};
use crate::protocol::request::{
    AnswerChallenge, BundleList, ChallengeAnswer, ChallengeList, ChallengeRef, Focus, Hello, History,
    HistoryRange, InputBytes, Kill, MintTicket, MintedTicket, Nothing, Opened, OwnerRef, ParkChallenge,
    Parked, Polled, ProviderList, Resize, Search, SearchResult, SessionList, SessionRef, StartSession,
    Started, Submit, Submitted, Upgrade, Welcome, WholeText,
};
use crate::protocol::screen::ScreenUpdate;
use crate::protocol::snapshot::{BundleView, ChallengeView, ProviderView, SessionView, Snapshot};

/// What a call comes to.
type Outcome<T> = Result<T, ClientError>;

impl Client {
    /// Says who is there: the credential that the supervisor gave to the session's children (behaviour W2).
    pub async fn hello(&self, credential: Option<Secret>, session: Option<SessionId>) -> Outcome<Welcome> {
        self.call::<server::Hello>(Hello { protocol: VERSION, credential, ticket: None, session }).await
    }

    /// Returns everything as of now, and begins to tell what happens from then on.
    pub async fn subscribe(&self) -> Outcome<Snapshot> {
        self.call::<server::Subscribe>(Nothing {}).await
    }

    /// Starts a session.
    pub async fn start(&self, session: StartSession) -> Outcome<Started> {
        self.call::<supervisor::Start>(session).await
    }

    /// Returns a session's status; absent if there is no such session.
    pub async fn poll(&self, session_id: &SessionId) -> Outcome<Option<Polled>> {
        self.call::<session::Poll>(reference(session_id)).await
    }

    /// Returns all sessions, oldest first.
    pub async fn sessions(&self) -> Outcome<Vec<SessionView>> {
        self.call::<supervisor::Sessions>(Nothing {}).await.map(|SessionList { sessions }| sessions)
    }

    /// Hands in what a person pasted.
    pub async fn submit(&self, session_id: &SessionId, text: Secret) -> Outcome<Submitted> {
        let session_id = session_id.clone();
        self.call::<session::Submit>(Submit { session_id, text, unseen_listener: false }).await
    }

    /// Hands in what a person pasted, to a listener that nobody can look into as well: the person was asked.
    pub async fn submit_unseen(&self, session_id: &SessionId, text: Secret) -> Outcome<Submitted> {
        let session_id = session_id.clone();
        self.call::<session::Submit>(Submit { session_id, text, unseen_listener: true }).await
    }

    /// Types bytes into the child. Sent before this returns, so that keys stay in order; the answer (whether the child
    /// takes input) may be awaited or dropped.
    ///
    /// # Errors
    /// The connection ended, or too much waits to be written.
    pub fn input(&self, session_id: &SessionId, bytes: &[u8]) -> Outcome<Pending> {
        let mut base64 = Zeroizing::new(String::with_capacity(4 * bytes.len().div_ceil(3)));
        STANDARD.encode_string(bytes, &mut base64);
        let base64 = Secret::new(std::mem::take(&mut *base64));
        self.begin(&terminal::Input::request(InputBytes { session_id: session_id.clone(), base64 }))
    }

    /// Resizes the child's terminal. Sent before this returns.
    ///
    /// # Errors
    /// The connection ended, or too much waits to be written.
    pub fn resize(&self, session_id: &SessionId, columns: u16, rows: u16) -> Outcome<Pending> {
        let resize = Resize { session_id: session_id.clone(), columns, rows };
        self.begin(&terminal::Resize::request(resize))
    }

    /// Makes this client get the session's screen, or none. Sent before this returns; a full screen update follows.
    ///
    /// # Errors
    /// The connection ended, or too much waits to be written.
    pub fn focus(&self, session_id: Option<&SessionId>) -> Outcome<Pending> {
        let focus = Focus { session_id: session_id.cloned(), acknowledged: true };
        self.begin(&session::Focus::request(focus))
    }

    /// Returns a session's whole screen.
    pub async fn screen(&self, session_id: &SessionId) -> Outcome<ScreenUpdate> {
        self.call::<terminal::Screen>(reference(session_id)).await
    }

    /// Returns lines of a session's history; `first` is absolute.
    pub async fn history(&self, session_id: &SessionId, first: u64, count: u32) -> Outcome<History> {
        let range = HistoryRange { session_id: session_id.clone(), first, count };
        self.call::<terminal::History>(range).await
    }

    /// Searches a session's transcript.
    pub async fn search(&self, session_id: &SessionId, text: &str) -> Outcome<SearchResult> {
        let search = Search { session_id: session_id.clone(), text: text.to_owned() };
        self.call::<terminal::Search>(search).await
    }

    /// Returns a session's transcript as text, secrets masked.
    pub async fn transcript(&self, session_id: &SessionId) -> Outcome<String> {
        self.call::<terminal::Transcript>(reference(session_id)).await.map(|WholeText(text)| text)
    }

    /// Returns a session's recording as an asciicast v2 file's text, secrets masked.
    pub async fn recording(&self, session_id: &SessionId) -> Outcome<String> {
        self.call::<terminal::Recording>(reference(session_id)).await.map(|WholeText(text)| text)
    }

    /// Ends an attempt; tells whether this call did it.
    pub async fn cancel(&self, session_id: &SessionId) -> Outcome<bool> {
        self.call::<session::Cancel>(reference(session_id)).await
    }

    /// Kills a session's child with all it started, politely first unless forced.
    pub async fn kill(&self, session_id: &SessionId, force: bool) -> Outcome<bool> {
        self.call::<session::Kill>(Kill { session_id: session_id.clone(), force }).await
    }

    /// Takes a session off the list.
    pub async fn remove(&self, session_id: &SessionId) -> Outcome<bool> {
        self.call::<session::Remove>(reference(session_id)).await
    }

    /// Says in a few sentences what a session waits for and why.
    pub async fn explain(&self, session_id: &SessionId) -> Outcome<String> {
        self.call::<session::Explain>(reference(session_id)).await
    }

    /// Reports what a process of the session wanted to open in a browser; tells whether it is a web address.
    pub async fn opened(&self, session_id: &SessionId, url: &str) -> Outcome<bool> {
        let opened = Opened { session_id: session_id.clone(), url: url.to_owned() };
        self.call::<session::Opened>(opened).await
    }

    /// Returns the catalogue, installed providers first.
    pub async fn providers(&self) -> Outcome<Vec<ProviderView>> {
        self.call::<supervisor::Providers>(Nothing {}).await.map(|ProviderList { providers }| providers)
    }

    /// Returns the stored logins.
    pub async fn bundles(&self) -> Outcome<Vec<BundleView>> {
        self.call::<supervisor::Bundles>(Nothing {}).await.map(|BundleList { bundles }| bundles)
    }

    /// Parks a challenge.
    pub async fn park_challenge(&self, challenge: ParkChallenge) -> Outcome<Parked> {
        self.call::<challenge::Park>(challenge).await
    }

    /// Waits until a challenge that this client parked ends. It ends by itself when its time is over.
    pub async fn wait_challenge(&self, parked: &Parked) -> Outcome<ChallengeAnswer> {
        let reference = challenge(&parked.challenge_id, Some(parked.epoch));
        self.begin(&challenge::Wait::request(reference))?.wait().await
    }

    /// Answers a challenge; tells whether this call was the one that took it.
    pub async fn answer_challenge(&self, answer: AnswerChallenge) -> Outcome<bool> {
        self.call::<challenge::Answer>(answer).await
    }

    /// Refuses or takes back a challenge; tells whether this call was the one that took it.
    pub async fn cancel_challenge(&self, id: &ChallengeId, epoch: Option<u64>) -> Outcome<bool> {
        self.call::<challenge::Cancel>(challenge(id, epoch)).await
    }

    /// Cancels all challenges of an owner; returns how many.
    pub async fn cancel_owner(&self, owner: &str) -> Outcome<u64> {
        self.call::<supervisor::CancelOwner>(OwnerRef { owner: owner.to_owned() }).await
    }

    /// Mints a ticket with which an outside client comes in once; for the logins of one provider, or for everything.
    pub async fn mint_ticket(&self, provider_id: Option<ProviderId>) -> Outcome<MintedTicket> {
        self.call::<supervisor::MintTicket>(MintTicket { provider_id }).await
    }

    /// Has another process take the supervisor's place; absent: of the file that the supervisor was started from.
    pub async fn upgrade_supervisor(&self, executable: Option<String>) -> Outcome<bool> {
        self.call::<server::Upgrade>(Upgrade { executable }).await
    }

    /// Ends the supervisor; its sessions go on. Every subscriber is told.
    pub async fn stop_supervisor(&self) -> Outcome<bool> {
        self.call::<supervisor::Stop>(Nothing {}).await
    }

    /// Returns what is parked, oldest first.
    pub async fn challenges(&self) -> Outcome<Vec<ChallengeView>> {
        self.call::<supervisor::Challenges>(Nothing {}).await.map(|ChallengeList { challenges }| challenges)
    }

    /// Returns how many challenges are parked.
    pub async fn pending_challenges(&self) -> Outcome<u64> {
        self.call::<supervisor::Pending>(Nothing {}).await
    }
}

fn reference(session_id: &SessionId) -> SessionRef {
    SessionRef { session_id: session_id.clone() }
}

fn challenge(challenge_id: &ChallengeId, epoch: Option<u64>) -> ChallengeRef {
    ChallengeRef { challenge_id: challenge_id.clone(), epoch, owner: None }
}
