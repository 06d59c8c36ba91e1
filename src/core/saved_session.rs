//! What a session is made of, as it is saved for the next supervisor.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::finding::{Expects, FindingKind, Source};
use super::ids::SessionId;
use super::login::{Exit, LoginPlan};
use super::status::Status;
use super::time::Timestamp;
use super::view::{ChildState, SessionOutcome, UrlView};

/// All that the next supervisor must know of a session. It has no secret in it.
///
/// For the runtime it is opaque: written as it is to `state.json`, and read back from there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SavedSession {
    /// What it was to be.
    pub plan: LoginPlan,
    /// When it was started.
    pub started_at: Timestamp,
    /// When it times out.
    pub deadline_at: Timestamp,
    /// When it ended.
    #[serde(default)]
    pub ended_at: Option<Timestamp>,
    /// Where it stands.
    pub status: Status,
    pub(super) stage: Stage,
    pub(super) child: ChildState,
    #[serde(default)]
    pub(super) exit: Option<Exit>,
    #[serde(default)]
    pub(super) seen: Seen,
    #[serde(default)]
    pub(super) attention: bool,
    #[serde(default)]
    pub(super) advice: Option<String>,
    /// How it ended, where the status does not tell it.
    #[serde(default)]
    pub(super) unproven: Option<SessionOutcome>,
    /// A login that succeeded and does not stand in the store yet.
    #[serde(default)]
    pub(super) unrecorded: Option<Unrecorded>,
}

/// A record that could not be written, and when that is tried again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Unrecorded {
    /// Why, in the store's words.
    pub(super) error: String,
    /// How often it was tried.
    pub(super) tries: u32,
    pub(super) again_at: Timestamp,
}

/// How far a session has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case")]
pub(super) enum Stage {
    /// The keeper is being started.
    Starting { until: Timestamp },
    /// The child runs.
    Running,
    /// The child ended; what it printed last is still being read.
    Draining { until: Timestamp, latest: Timestamp },
    /// The auth check runs.
    Checking { until: Timestamp },
    /// The login is being stored.
    Storing { until: Timestamp },
    /// The status is terminal.
    Over,
}

/// What was seen of the child's output that counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Seen {
    /// The URL of the current attempt.
    pub(super) url: Option<SeenUrl>,
    /// Other URLs of the current attempt, such as the one handed to a browser.
    pub(super) others: Vec<SeenUrl>,
    /// A browser's URL that waits for the screen to show a better one, and until when.
    pub(super) held: Option<(SeenUrl, Timestamp)>,
    /// URLs of attempts that the CLI gave up.
    pub(super) superseded: Vec<String>,
    pub(super) code: Option<SeenCode>,
    /// Codes of attempts that the CLI gave up.
    pub(super) superseded_codes: Vec<String>,
    /// Whether the CLI complained since the current attempt's URL or code.
    pub(super) gave_up: bool,
    /// What is no web page, but to be carried elsewhere by the person.
    #[serde(default)]
    pub(super) carry: Option<String>,
    pub(super) prompt: Option<SeenPrompt>,
    pub(super) identity: Option<String>,
    pub(super) success_line: Option<String>,
    pub(super) failure_line: Option<String>,
    /// Whether the newest line that claims an outcome claims success.
    pub(super) claims_success: Option<bool>,
    /// Whether something was submitted to which the CLI has shown no reaction yet.
    pub(super) submitted: bool,
    /// What the CLI's listener said when it refused the last callback.
    pub(super) refused: Option<RefusedCallback>,
    /// When the first URL or code was there to act on.
    pub(super) acted_on_since: Option<Timestamp>,
    /// Whether the CLI ended after it had waited long enough for somebody to act.
    pub(super) waited: bool,
    /// Whether an answer was delivered, and nothing was said against it since.
    pub(super) answered: bool,
    /// What was said against the last answer.
    pub(super) rejection: Option<String>,
    /// The last lines of the output, fit to be quoted.
    pub(super) last_lines: Vec<String>,
}

/// A URL, with where it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SeenUrl {
    pub(super) view: UrlView,
    pub(super) kind: FindingKind,
    pub(super) source: Source,
}

/// A device code, with where it is typed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SeenCode {
    pub(super) code: String,
    pub(super) url: Option<UrlView>,
    /// Whether the URL stands in for one that the CLI has not named.
    pub(super) guessed: bool,
}

/// What the child asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SeenPrompt {
    pub(super) line: String,
    pub(super) expects: Option<Expects>,
}

/// The answer of a listener that did not take a callback.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RefusedCallback {
    /// The HTTP status code, 400 or more.
    pub(super) status: u16,
    /// Its own words, fit to be shown; empty if it said nothing.
    pub(super) words: String,
}

impl SavedSession {
    /// Makes the state of a session that has just been started, `limit` being the setting's.
    pub fn new(plan: LoginPlan, started_at: Timestamp, limit: Duration) -> Self {
        let limit = plan.limit_seconds.map_or(limit, Duration::from_secs);
        let deadline_at = started_at.after(limit);
        Self {
            plan,
            started_at,
            deadline_at,
            ended_at: None,
            status: Status::Pending,
            stage: Stage::Starting { until: deadline_at },
            child: ChildState::Starting,
            exit: None,
            seen: Seen::default(),
            attention: false,
            advice: None,
            unproven: None,
            unrecorded: None,
        }
    }

    /// Returns its id.
    pub fn session_id(&self) -> &SessionId {
        &self.plan.session_id
    }

    /// Returns the time limit in whole seconds, as it stands in the sentence about it.
    pub(super) fn limit_seconds(&self) -> u64 {
        self.started_at.until(self.deadline_at).as_secs()
    }

    /// Tells whether the next supervisor needs the session's keeper; if not, and it is gone, all is well.
    pub fn is_over(&self) -> bool {
        self.status.is_terminal()
    }
}
