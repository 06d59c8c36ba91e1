//! The mirror of one child's screen: rows as they came, and the history that was looked at.

use std::collections::BTreeMap;

use crate::core::ids::SessionId;
use crate::protocol::request::History;
use crate::protocol::screen::{Cursor, Modes, Row, ScreenUpdate};

/// Lines of history that are kept here; older ones are asked for again when somebody scrolls there.
const MOST_CACHED: usize = 4_000;
/// Lines asked for at once.
const STRETCH: u32 = 300;

/// What is known of the focused session's screen.
#[derive(Debug, Default)]
pub struct Pane {
    /// Whose screen it is.
    pub session: Option<SessionId>,
    /// Where the child's cursor is, if it shows one.
    pub cursor: Option<Cursor>,
    /// How the child wants keys.
    pub modes: Modes,
    /// Columns of the child's terminal; zero until the first update came.
    pub columns: u16,
    screen: Vec<Row>,
    history: BTreeMap<u64, Row>,
    history_start: u64,
    screen_start: u64,
    /// The first line shown, if the view is not live.
    top: Option<u64>,
    asked: bool,
}

impl Pane {
    /// Starts over for another session.
    pub fn turn_to(&mut self, session: Option<SessionId>) {
        *self = Self { session, ..Self::default() };
    }

    /// Takes an update; one for another session changes nothing.
    pub fn apply(&mut self, update: ScreenUpdate) {
        if self.session.as_ref() != Some(&update.session_id) {
            return;
        }
        if update.columns != self.columns {
            // The lines were broken anew, so their numbers mean something else.
            self.history.clear();
            self.top = None;
        }
        if update.full {
            self.screen.clear();
        }
        self.columns = update.columns;
        self.screen.resize_with(usize::from(update.rows), blank);
        for row in update.changed {
            if let Some(place) =
                usize::try_from(row.number).ok().and_then(|number| self.screen.get_mut(number))
            {
                *place = row;
            }
        }
        self.cursor = update.cursor;
        self.modes = update.modes;
        self.history_start = update.history_start;
        self.screen_start = update.screen_start;
        self.top = self.top.map(|top| top.max(update.history_start));
    }

    /// Takes an answer about the history.
    pub fn remember(&mut self, session: &SessionId, history: History) {
        if self.session.as_ref() != Some(session) {
            return;
        }
        self.asked = false;
        if self.history.len() > MOST_CACHED {
            self.history.clear();
        }
        self.history_start = history.history_start;
        for row in history.lines {
            self.history.insert(row.number, row);
        }
    }

    /// Forgets that something was asked for, because the answer will not come.
    pub fn give_up(&mut self) {
        self.asked = false;
    }

    /// Returns the line of an absolute number, if it is known here.
    pub fn line(&self, number: u64) -> Option<&Row> {
        match number.checked_sub(self.screen_start) {
            Some(row) => usize::try_from(row).ok().and_then(|row| self.screen.get(row)),
            None => self.history.get(&number),
        }
    }

    /// Returns the absolute number of the line in the screen's first row.
    pub fn screen_start(&self) -> u64 {
        self.screen_start
    }

    /// Tells whether the view is not the live screen.
    pub fn is_scrolled(&self) -> bool {
        self.top.is_some()
    }

    /// Returns how many lines the view is above the live screen.
    pub fn lines_above(&self, height: u16) -> u64 {
        self.live_top(height).saturating_sub(self.top(height))
    }

    /// Returns the absolute number of the first line to show in so many rows.
    pub fn top(&self, height: u16) -> u64 {
        self.top.unwrap_or_else(|| self.live_top(height))
    }

    /// The live view shows the end of what the child has drawn, so a short pane shows the prompt and not the banner.
    fn live_top(&self, height: u16) -> u64 {
        let last_text = self.screen.iter().rposition(|row| !row.runs.is_empty()).map_or(0, |last| last + 1);
        let cursor = self.cursor.map_or(0, |cursor| usize::from(cursor.row) + 1);
        let used = last_text.max(cursor);
        self.screen_start + u64::try_from(used.saturating_sub(usize::from(height))).unwrap_or(0)
    }

    /// Scrolls by lines, negative being up; reaching the end makes the view live again.
    pub fn scroll(&mut self, lines: i64, height: u16) {
        self.show_from(self.top(height).saturating_add_signed(lines), height);
    }

    /// Shows a line near the middle of the view.
    pub fn reveal(&mut self, line: u64, height: u16) {
        let top = self.top(height);
        if (top..top + u64::from(height)).contains(&line) {
            return;
        }
        self.show_from(line.saturating_sub(u64::from(height) / 2), height);
    }

    /// Makes this the first line, as far as there are lines.
    pub fn show_from(&mut self, line: u64, height: u16) {
        let line = line.max(self.history_start);
        self.top = (line < self.live_top(height)).then_some(line);
    }

    /// Makes the view live.
    pub fn show_live(&mut self) {
        self.top = None;
    }

    /// Returns a stretch of history to ask for, if the view shows lines that are not here.
    pub fn ask(&mut self, height: u16) -> Option<(u64, u32)> {
        let top = self.top?;
        let end = (top + u64::from(height)).min(self.screen_start);
        if self.asked || (top..end).all(|number| self.history.contains_key(&number)) {
            return None;
        }
        self.asked = true;
        Some((
            top.saturating_sub(u64::from(STRETCH) / 2).max(self.history_start),
            STRETCH + u32::from(height),
        ))
    }
}

fn blank() -> Row {
    Row { number: 0, wrapped: false, runs: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::screen::Run;

    fn row(number: u64, text: &str) -> Row {
        Row { number, wrapped: false, runs: vec![Run { text: text.into(), style: Default::default() }] }
    }

    fn update(rows: u16, screen_start: u64, changed: Vec<Row>) -> ScreenUpdate {
        ScreenUpdate {
            session_id: SessionId::new("auth-1"),
            generation: 1,
            columns: 80,
            rows,
            full: true,
            changed,
            cursor: None,
            modes: Modes::default(),
            history_start: 0,
            screen_start,
            acknowledge: false,
        }
    }

    fn pane(screen_start: u64) -> Pane {
        let mut pane = Pane::default();
        pane.turn_to(Some(SessionId::new("auth-1")));
        pane.apply(update(10, screen_start, (0..10).map(|number| row(number, "x")).collect()));
        pane
    }

    #[test]
    fn a_short_view_shows_the_end_of_what_was_drawn() {
        let mut pane = Pane::default();
        pane.turn_to(Some(SessionId::new("auth-1")));
        pane.apply(update(24, 100, vec![row(0, "banner"), row(7, "prompt")]));
        assert_eq!(pane.top(10), 100);
        assert_eq!(pane.top(5), 103);
    }

    #[test]
    fn scrolling_up_asks_for_history_once_and_down_again_is_live() {
        let mut pane = pane(500);
        pane.scroll(-20, 10);
        assert_eq!((pane.top(10), pane.lines_above(10)), (480, 20));
        assert_eq!(pane.ask(10), Some((330, 310)));
        assert_eq!(pane.ask(10), None);
        let lines = (330..500).map(|number| row(number, "old")).collect();
        pane.remember(&SessionId::new("auth-1"), History { lines, history_start: 0, screen_start: 500 });
        assert_eq!(pane.ask(10), None);
        assert_eq!(pane.line(480).unwrap().runs[0].text, "old");
        pane.scroll(20, 10);
        assert!(!pane.is_scrolled());
    }

    #[test]
    fn scrolling_stops_at_the_oldest_line() {
        let mut pane = pane(5);
        pane.scroll(-100, 10);
        assert_eq!(pane.top(10), 0);
    }

    #[test]
    fn updates_of_another_session_change_nothing() {
        let mut pane = pane(0);
        pane.turn_to(Some(SessionId::new("auth-2")));
        pane.apply(update(10, 0, vec![row(0, "x")]));
        assert!(pane.line(0).is_none());
    }
}
