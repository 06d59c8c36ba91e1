//! What proves a login, where no check of the provider's does, and how a session ended.
//!
//! Exit status 0 alone proves nothing: a command that prints a URL and leaves ends with 0, too. What counts is a line
//! that says so, an answer that was delivered and not rejected, or the patience of a CLI that showed a URL or a code
//! and did not end before somebody could have used it.

use super::{Keeper, Session, Stage, Turn, messages};
use crate::core::finding::Expects;
use crate::core::status::Status;
use crate::core::view::{ChildState, SessionOutcome, Waiting};

/// How many of the last lines are kept.
const LAST_LINES: usize = 12;

impl Session {
    /// Keeps what the child printed last.
    pub(super) fn keep_last_lines(&mut self, lines: &[String]) {
        let first = lines.len().saturating_sub(LAST_LINES);
        let lines = lines[first..].iter().map(|line| messages::quotable(line));
        self.saved.seen.last_lines = lines.filter(|line| !line.is_empty()).collect();
    }

    /// A person typed by hand: into a prompt for a code or a secret, that is an answer.
    pub(super) fn typed(&mut self) {
        self.saved.attention = false;
        let seen = &mut self.saved.seen;
        match seen.prompt.as_ref().and_then(|prompt| prompt.expects) {
            Some(Expects::Code | Expects::CallbackUrl | Expects::Secret) => seen.answered = true,
            Some(Expects::Enter | Expects::Choice) | None => {}
        }
    }

    /// Notes at the child's end whether it had waited for somebody.
    pub(super) fn note_waiting(&mut self, turn: &Turn<'_>) {
        let seen = &mut self.saved.seen;
        seen.waited = seen.acted_on_since.is_some_and(|since| since.until(turn.now) >= turn.limits.waited);
    }

    /// Tells whether exit status 0 means a login.
    pub(super) fn is_proven(&self) -> bool {
        let seen = &self.saved.seen;
        match seen.claims_success {
            Some(claims) => claims,
            None => self.saved.plan.facts.exit_decides && (seen.answered || seen.waited),
        }
    }

    /// Ends a session whose CLI ended with exit status 0 and has proven nothing.
    pub(super) fn end_unproven(&mut self, turn: &mut Turn<'_>) {
        let (error, advice) = messages::unproven_exit(&self.saved);
        let seen = &self.saved.seen;
        if seen.failure_line.is_none() {
            let shown = seen.acted_on_since.is_some();
            let outcome = if shown { SessionOutcome::NotProven } else { SessionOutcome::NothingShown };
            self.saved.unproven = Some(outcome);
        }
        self.fail(turn, error, Some(advice));
        self.saved.attention = self.saved.unproven != Some(SessionOutcome::NothingShown);
    }

    /// Tells how it ended.
    pub(super) fn outcome(&self) -> Option<SessionOutcome> {
        match &self.saved.status {
            Status::Success { .. } => Some(SessionOutcome::LoggedIn),
            Status::Failed { .. } => Some(self.saved.unproven.unwrap_or(SessionOutcome::Failed)),
            Status::Pending | Status::UrlAvailable { .. } | Status::CodeEmitted { .. } => None,
        }
    }

    /// Tells whether something that the CLI left behind may still wait for the browser.
    pub(super) fn is_listening(&self) -> bool {
        let unproven = self.saved.unproven == Some(SessionOutcome::NotProven);
        unproven && self.keeper == Keeper::Held && self.ending.is_none()
    }

    /// Tells whether a paste has a place to go.
    pub(super) fn takes_paste(&self) -> bool {
        if !matches!(self.saved.child, ChildState::Running { .. }) {
            return self.is_listening();
        }
        if !matches!(self.saved.stage, Stage::Starting { .. } | Stage::Running) {
            return false;
        }
        let waits_for_browser = match self.waiting() {
            Waiting::OpenUrl | Waiting::OpenUrlThenPaste | Waiting::Secret | Waiting::Carry => true,
            Waiting::Child
            | Waiting::EnterCode
            | Waiting::Prompt
            | Waiting::Delivering
            | Waiting::Submitted
            | Waiting::Checking
            | Waiting::Finished => false,
        };
        match self.saved.seen.prompt.as_ref().map(|prompt| prompt.expects) {
            Some(None | Some(Expects::Code | Expects::CallbackUrl | Expects::Secret)) => true,
            Some(Some(Expects::Enter | Expects::Choice)) | None => waits_for_browser,
        }
    }

    /// Says what a person should know of a login that succeeded.
    pub(super) fn warning(&self) -> Option<String> {
        self.saved.unrecorded.as_ref().map(|unrecorded| messages::unrecorded(&self.saved, &unrecorded.error))
    }
}
