//! What is asked about sessions, and how it is answered.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::core::ids::{BundleId, ProviderId, SessionId};
use crate::core::secret::Secret;
use crate::core::status::Status;
use crate::protocol::frame::{Payload, room_for};
use crate::protocol::request::{Addressed, Addressee};
use crate::protocol::screen::Row;

macro_rules! about_a_session {
    ($($params:ident)*) => {
        $(impl Addressed for $params {
            fn addressee(&self) -> Addressee<'_> {
                Addressee::Session(&self.session_id)
            }

            fn readdress(&mut self, rename: &dyn Fn(&str) -> String) {
                self.session_id = SessionId::new(rename(self.session_id.as_str()));
            }
        })*
    };
}

about_a_session!(SessionRef Submit InputBytes Resize HistoryRange Search Kill Opened);

impl Addressed for StartSession {}

impl Addressed for Focus {
    fn addressee(&self) -> Addressee<'_> {
        self.session_id.as_ref().map_or(Addressee::Supervisor, Addressee::Session)
    }

    fn readdress(&mut self, rename: &dyn Fn(&str) -> String) {
        self.session_id = self.session_id.take().map(|id| SessionId::new(rename(id.as_str())));
    }
}

/// Names a session.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionRef {
    /// Which one.
    pub session_id: SessionId,
}

/// What to start.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct StartSession {
    /// An entry of the catalogue. Absent: `command` says it all.
    pub provider_id: Option<ProviderId>,
    /// The command; with a provider it replaces the catalogue's.
    pub command: Vec<String>,
    /// The person's name for it.
    pub name: Option<String>,
    /// The folder to start in; the home folder if absent.
    pub directory: Option<String>,
    /// The environment of whoever asks, to inherit in place of the supervisor's own, which may be days old.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inherited: Option<Inherited>,
    /// Variables set on top of that.
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

/// A whole environment. It may have secrets in it, so it is not shown.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Inherited(pub Vec<(String, String)>);

impl std::fmt::Debug for Inherited {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Inherited({} variables)", self.0.len())
    }
}

/// The answer to `session.start` (behaviour S1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Started {
    /// The new session.
    pub session_id: SessionId,
    /// The URL to open, if one was seen already; null until then.
    pub auth_url: Option<String>,
}

/// The answer to `session.poll` (behaviour S2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Polled {
    /// The provider, or null for any other command.
    pub provider_id: Option<ProviderId>,
    /// The status, flattened.
    #[serde(flatten)]
    pub status: Status,
    /// What of it could not be killed, one line each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub survivors: Vec<String>,
}

/// A paste.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Submit {
    /// For which session.
    pub session_id: SessionId,
    /// What was pasted, as it came.
    pub text: Secret,
    /// The person was asked: a callback may go to a listener of which nobody can see whether it belongs to the
    /// session, such as a container's port.
    #[serde(default)]
    pub unseen_listener: bool,
}

impl Payload for Submit {
    fn room(&self) -> usize {
        room_for(&self.text)
    }

    fn form(&self) -> impl Serialize + '_ {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Form<'a> {
            session_id: &'a SessionId,
            text: &'a str,
            #[serde(skip_serializing_if = "std::ops::Not::not")]
            unseen_listener: bool,
        }
        let unseen_listener = self.unseen_listener;
        Form { session_id: &self.session_id, text: self.text.secret(), unseen_listener }
    }
}

/// Where a paste went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Destination {
    /// To the child's standard input.
    Stdin,
    /// To the child's loopback listener, as the browser would have done.
    Loopback,
}

/// The answer to `session.submit`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InputBytes {
    /// For which session.
    pub session_id: SessionId,
    /// The bytes in base64 (RFC 4648 section 4).
    pub base64: Secret,
}

impl Payload for InputBytes {
    fn room(&self) -> usize {
        room_for(&self.base64)
    }

    fn form(&self) -> impl Serialize + '_ {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Form<'a> {
            session_id: &'a SessionId,
            base64: &'a str,
        }
        Form { session_id: &self.session_id, base64: self.base64.secret() }
    }
}

/// A new terminal size.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
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
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Focus {
    /// The session; null for none.
    pub session_id: Option<SessionId>,
    /// This client says `screen.taken` for each update that asks for it
    /// ([`ScreenUpdate::acknowledge`](crate::protocol::screen::ScreenUpdate::acknowledge)), and the next one waits for
    /// that. Without, the next one waits until the last was written to the connection.
    #[serde(default)]
    pub acknowledged: bool,
}

/// A stretch of history.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Search {
    /// Of which session.
    pub session_id: SessionId,
    /// The text, compared without regard to case unless it has a capital in it.
    pub text: String,
}

/// The answer to `session.search`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SearchResult {
    /// Absolute numbers of the matching lines, oldest first; at most 1,000, the newest ones.
    pub lines: Vec<u64>,
}

/// The text of a transcript or a recording: megabytes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct WholeText(pub String);

impl Payload for WholeText {
    /// To grow into it would take twice as much.
    fn room(&self) -> usize {
        self.0.len() / 8 * 9
    }

    fn form(&self) -> impl Serialize + '_ {
        &self.0
    }
}

/// A kill.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Kill {
    /// Whose child.
    pub session_id: SessionId,
    /// At once, without asking politely first.
    #[serde(default)]
    pub force: bool,
}

/// What a child wanted to open in a browser.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Opened {
    /// The session that it runs in.
    pub session_id: SessionId,
    /// The URL, or whatever else was to be opened, as the browser's command line has it.
    pub url: String,
}
