//! The list: what stands in it, in which order, and the state of each as glyph, word and role.

use super::{Item, Model};
use crate::core::status::Status;
use crate::protocol::snapshot::{ChallengeView, ChildState, SessionOutcome, SessionView, Waiting};
use crate::tui::theme::Role;

/// The list's groups, in eye order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Challenges: somebody is blocked until the person answers.
    Challenges,
    /// Sessions that wait for the person.
    Waiting,
    /// Sessions that work.
    Working,
    /// Sessions that are over.
    Over,
}

impl Group {
    /// Returns its title.
    pub fn title(self) -> &'static str {
        match self {
            Self::Challenges => "Challenges",
            Self::Waiting => "Waiting for you",
            Self::Working => "Running",
            Self::Over => "Finished",
        }
    }
}

/// One line of the list.
#[derive(Clone, Copy, Debug)]
pub enum Entry<'a> {
    /// A session.
    Session(&'a SessionView),
    /// A challenge.
    Challenge(&'a ChallengeView),
}

impl Entry<'_> {
    /// Returns what selecting it selects.
    pub fn item(&self) -> Item {
        match self {
            Self::Session(session) => Item::Session(session.session_id.clone()),
            Self::Challenge(challenge) => Item::Challenge(challenge.challenge_id.clone()),
        }
    }

    /// Returns its id.
    pub fn id(&self) -> &str {
        match self {
            Self::Session(session) => session.session_id.as_str(),
            Self::Challenge(challenge) => challenge.challenge_id.as_str(),
        }
    }

    /// Returns the group it stands in.
    pub fn group(&self) -> Group {
        match self {
            Self::Challenge(_) => Group::Challenges,
            Self::Session(session) if session.status.is_terminal() => Group::Over,
            Self::Session(session) if session.waiting.needs_person() => Group::Waiting,
            Self::Session(_) => Group::Working,
        }
    }
}

/// How a session stands: never by colour alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    /// Its sign.
    pub glyph: char,
    /// Its sign where there is only ASCII.
    pub ascii: char,
    /// Its word.
    pub word: &'static str,
    /// Its look.
    pub role: Role,
}

/// Returns how a session stands.
pub fn state_of(session: &SessionView) -> State {
    let state = |glyph, ascii, word, role| State { glyph, ascii, word, role };
    if let ChildState::Survived { .. } = session.child {
        return state('✗', 'x', "not killed", Role::StateFailed);
    }
    match &session.status {
        Status::Success { .. } => state('✓', '+', "logged in", Role::StateSuccess),
        Status::Failed { error } => failed(session, error),
        Status::Pending | Status::UrlAvailable { .. } | Status::CodeEmitted { .. } => live(session),
    }
}

fn failed(session: &SessionView, error: &str) -> State {
    let state = |glyph, ascii, word, role| State { glyph, ascii, word, role };
    if session.child == ChildState::Ending {
        state('○', 'o', "ending", Role::StateWorking)
    } else if error.starts_with("cancelled by user") {
        let word = if session.child == ChildState::Killed { "killed" } else { "cancelled" };
        state('–', '-', word, Role::StateOver)
    } else if session.outcome == Some(SessionOutcome::NotProven) {
        state('?', '?', "ended, not proven", Role::StatusWarning)
    } else if session.outcome == Some(SessionOutcome::NothingShown) {
        state('–', '-', "ended (exit 0)", Role::StateOver)
    } else if error.starts_with("auth session timed out") {
        state('✗', 'x', "timed out", Role::StateFailed)
    } else {
        state('✗', 'x', "failed", Role::StateFailed)
    }
}

fn live(session: &SessionView) -> State {
    let waiting = |word| State { glyph: '◆', ascii: '*', word, role: Role::StateWaiting };
    let working = |word| State { glyph: '○', ascii: 'o', word, role: Role::StateWorking };
    match (&session.child, session.waiting) {
        (ChildState::Ending, _) => working("ending"),
        (ChildState::Lost, _) => State { glyph: '✗', ascii: 'x', word: "lost", role: Role::StateFailed },
        (_, Waiting::OpenUrl | Waiting::OpenUrlThenPaste) => waiting("open URL"),
        (_, Waiting::EnterCode) => waiting("enter code"),
        (_, Waiting::Carry) => waiting("carry"),
        (_, Waiting::Prompt) => waiting("asks you"),
        (_, Waiting::Secret) => waiting("needs token"),
        (_, Waiting::Delivering) => working("delivering"),
        (_, Waiting::Submitted) => working("submitted"),
        (_, Waiting::Checking) => working("checking"),
        (ChildState::Starting, Waiting::Child) => working("starting"),
        (_, Waiting::Child) => working("running"),
        (_, Waiting::Finished) => working("finishing"),
    }
}

impl Model {
    /// Returns the list's lines in eye order: who is blocked, what waits for the person, what works, what is over.
    pub fn entries(&self) -> Vec<Entry<'_>> {
        let mut challenges: Vec<&ChallengeView> = self.challenges.iter().collect();
        challenges.sort_by_key(|challenge| challenge.expires_at);
        let mut entries: Vec<Entry<'_>> = challenges.into_iter().map(Entry::Challenge).collect();
        let sessions = self.sessions.iter().map(Entry::Session);
        entries.extend(sessions);
        entries.sort_by_key(|entry| (entry.group(), order(entry)));
        entries
    }

    /// Returns how many entries wait for the person.
    pub fn waiting_count(&self) -> usize {
        self.challenges.len()
            + self.sessions.iter().map(Entry::Session).filter(|entry| entry.group() == Group::Waiting).count()
    }

    /// Returns how many sessions are not over.
    pub fn live_count(&self) -> usize {
        self.sessions.iter().filter(|session| !session.status.is_terminal()).count()
    }

    /// Returns the name that a session goes by: the provider's or the command's, and the person's own.
    pub fn title_of(session: &SessionView) -> (String, Option<String>) {
        let program = session.command.first().map(|path| path.rsplit('/').next().unwrap_or(path).to_owned());
        let provider = session.provider_id.as_ref().map(|id| id.as_str().to_owned());
        let title = provider.or(program).unwrap_or_else(|| "session".into());
        let visible = |text: &str| crate::tui::text::visible(text).into_owned();
        (visible(&title), session.name.as_deref().map(visible))
    }
}

/// What is over stands newest first; the rest keeps the order it was started in.
fn order(entry: &Entry<'_>) -> i128 {
    match entry {
        Entry::Challenge(challenge) => i128::from(challenge.expires_at.0),
        Entry::Session(session) if session.status.is_terminal() => {
            -i128::from(session.ended_at.unwrap_or(session.started_at).0)
        }
        Entry::Session(session) => i128::from(session.started_at.0),
    }
}
