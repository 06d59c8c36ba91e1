//! What counts down, and when a text of it changes next: the deck sleeps until then.

use std::time::Duration;

use super::{Entry, Group, Model};
use crate::core::time::Timestamp;
use crate::tui::text;

/// Below this a time left is shown by the second, whatever the session does.
const NEARLY_UP: Duration = Duration::from_secs(60);

/// A time left, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeLeft {
    /// The text: `8:41` or `9 min`.
    pub text: String,
    /// It is nearly up.
    pub expiring: bool,
}

impl Model {
    /// Returns how much time an entry has left: by the second if the person is waited for or it is nearly up, by the
    /// minute otherwise, because what moves draws the eye.
    pub fn time_left(&self, entry: &Entry<'_>, now: Timestamp) -> Option<TimeLeft> {
        let (left, exact) = self.left(entry, now)?;
        let text = if exact { text::countdown(left) } else { text::roughly(left) };
        Some(TimeLeft { text, expiring: left <= NEARLY_UP })
    }

    fn left(&self, entry: &Entry<'_>, now: Timestamp) -> Option<(Duration, bool)> {
        let left = self.supervisor_time(now).until(deadline(entry)?);
        let waited_for = match entry.group() {
            Group::Challenges | Group::Waiting => true,
            Group::Working | Group::Over => false,
        };
        Some((left, waited_for || left <= NEARLY_UP))
    }

    /// Returns when a text that is shown changes next, if one does.
    pub fn next_tick(&self, now: Timestamp) -> Option<Timestamp> {
        self.entries().iter().filter_map(|entry| self.change(entry, now)).min()
    }

    fn change(&self, entry: &Entry<'_>, now: Timestamp) -> Option<Timestamp> {
        let (left, exact) = self.left(entry, now)?;
        if left.is_zero() {
            return None;
        }
        let unit: u128 = if exact { 1_000 } else { 60_000 };
        let shown = self.selection == Some(entry.item()) || exact;
        let left = left.as_millis();
        let until_change = match left % unit {
            0 => unit,
            part => part,
        };
        // Where only the last minute is shown, nothing changes before it begins.
        let wait = if shown { until_change } else { left - NEARLY_UP.as_millis() };
        Some(now.after(Duration::from_millis(u64::try_from(wait.max(1)).unwrap_or(u64::MAX))))
    }

    /// Returns the time left of what is selected.
    pub fn selected_time_left(&self, now: Timestamp) -> Option<TimeLeft> {
        let selection = self.selection.as_ref()?;
        let entry = self.entries().into_iter().find(|entry| entry.item() == *selection)?;
        self.time_left(&entry, now)
    }
}

fn deadline(entry: &Entry<'_>) -> Option<Timestamp> {
    match entry {
        Entry::Challenge(challenge) => Some(challenge.expires_at),
        Entry::Session(session) if session.status.is_terminal() => None,
        Entry::Session(session) => session.deadline_at,
    }
}
