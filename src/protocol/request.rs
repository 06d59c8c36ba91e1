//! What the methods take and answer. The table of them is [`super::method`].

mod challenge;
mod session;

use schemars::JsonSchema;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize};

pub use self::challenge::{AnswerChallenge, ChallengeAnswer, ChallengeRef, OwnerRef, ParkChallenge, Parked};
pub use self::session::{
    Destination, Focus, History, HistoryRange, Inherited, InputBytes, Kill, Opened, Polled, Resize, Search,
    SearchResult, SessionRef, StartSession, Started, Submit, Submitted, WholeText,
};
use super::frame::{Payload, room_for};
use super::snapshot::{BundleView, ChallengeView, ProviderView, SessionView};
use crate::core::ids::{ChallengeId, ProviderId, SessionId};
use crate::core::secret::Secret;
use crate::core::time::Timestamp;

/// What a request is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Addressee<'a> {
    /// No session and no challenge, or several.
    Supervisor,
    /// One session.
    Session(&'a SessionId),
    /// One challenge.
    Challenge(&'a ChallengeId),
}

/// Parameters, which say what they are about.
pub trait Addressed {
    /// Returns what they are about.
    fn addressee(&self) -> Addressee<'_> {
        Addressee::Supervisor
    }

    /// Replaces the id of what they are about: another machine may call it by another one.
    fn readdress(&mut self, _rename: &dyn Fn(&str) -> String) {}
}

/// No parameters; whatever comes instead is not looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Nothing {}

impl Addressed for Nothing {}

impl<'de> Deserialize<'de> for Nothing {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self {})
    }
}

/// Which program is to take the supervisor's place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Upgrade {
    /// Its absolute path; the file that the supervisor itself was started from if absent.
    pub executable: Option<String>,
}

impl Addressed for Upgrade {}

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

impl Addressed for Hello {}

impl Payload for Hello {
    fn room(&self) -> usize {
        self.credential.iter().chain(&self.ticket).map(room_for).sum()
    }

    fn form(&self) -> impl Serialize + '_ {
        #[derive(Serialize)]
        struct Form<'a> {
            protocol: u32,
            #[serde(skip_serializing_if = "Option::is_none")]
            credential: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            ticket: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            session: Option<&'a SessionId>,
        }
        Form {
            protocol: self.protocol,
            credential: self.credential.as_ref().map(Secret::secret),
            ticket: self.ticket.as_ref().map(Secret::secret),
            session: self.session.as_ref(),
        }
    }
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

impl Addressed for MintTicket {}

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

impl Payload for MintedTicket {
    fn room(&self) -> usize {
        room_for(&self.ticket)
    }

    fn form(&self) -> impl Serialize + '_ {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Form<'a> {
            ticket: &'a str,
            user: &'a str,
            provider_id: Option<&'a ProviderId>,
            expires_at: Timestamp,
        }
        Form {
            ticket: self.ticket.secret(),
            user: &self.user,
            provider_id: self.provider_id.as_ref(),
            expires_at: self.expires_at,
        }
    }
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
