//! Fills the slots of the clients that look at a session's screen.

use std::sync::Arc;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::masks::Masks;
use crate::core::ids::{ClientId, SessionId};
use crate::core::pacing::Pacing;
use crate::core::screen::{Row, Screen, Size};
use crate::core::time::Timestamp;
use crate::driver::screen_slot::ScreenSlot;
use crate::protocol::screen::ScreenUpdate;

/// One client that looks.
#[derive(Debug)]
struct Viewer {
    client: ClientId,
    slot: Arc<ScreenSlot>,
    /// What it has seen: the generation, and the size at that time. Absent: nothing.
    seen: Option<(u64, Size)>,
    /// When it may get the next one.
    pacing: Pacing,
    /// An update is owed to it at this time.
    due: Option<Instant>,
}

/// All of them.
#[derive(Debug)]
pub(super) struct Viewers {
    /// The pacing of one that has got nothing yet.
    pacing: Pacing,
    viewers: Vec<Viewer>,
}

impl Viewers {
    /// Makes an empty list; nobody gets updates faster than that.
    pub fn new(pacing: Pacing) -> Self {
        Self { pacing, viewers: Vec::new() }
    }

    pub fn add(&mut self, client: ClientId, slot: Arc<ScreenSlot>) {
        self.remove(client);
        self.viewers.push(Viewer { client, slot, seen: None, pacing: self.pacing, due: None });
    }

    pub fn remove(&mut self, client: ClientId) {
        self.viewers.retain(|viewer| viewer.client != client);
    }

    /// Sends everything again: what was shown before must not be shown any more.
    pub fn start_over(&mut self) {
        self.viewers.iter_mut().for_each(|viewer| viewer.seen = None);
    }

    /// Returns when the next update is owed.
    pub fn due(&self) -> Option<Instant> {
        self.viewers.iter().filter_map(|viewer| viewer.due).min()
    }

    /// Gives every client what it has not seen, if it waits for it and its time has come. For one that does not wait,
    /// `wake` is told as soon as it does.
    pub fn serve(
        &mut self,
        session_id: &SessionId,
        screen: &mut Screen,
        masks: &Masks,
        wake: &Arc<Notify>,
        now: Timestamp,
    ) {
        if self.viewers.is_empty() {
            return;
        }
        let generation = screen.look();
        let size = screen.size();
        for viewer in &mut self.viewers {
            viewer.due = None;
            if viewer.seen == Some((generation, size)) {
                continue;
            }
            let wait = viewer.pacing.wait(now);
            if !wait.is_zero() {
                viewer.due = Some(Instant::now() + wait);
            } else if viewer.slot.is_wanted(wake) {
                let since = viewer.seen.filter(|(_, seen)| *seen == size).map(|(seen, _)| seen);
                viewer.slot.fill(update(session_id, screen, masks, generation, since));
                viewer.seen = Some((generation, size));
                viewer.pacing.shown(now);
            }
        }
    }
}

/// Makes the update from what a client has seen to the present; the whole screen if it has seen nothing.
///
/// `generation` is what the screen's last look returned.
pub(super) fn update(
    session_id: &SessionId,
    screen: &Screen,
    masks: &Masks,
    generation: u64,
    since: Option<u64>,
) -> ScreenUpdate {
    let size = screen.size();
    let start = screen.screen_start();
    let numbers: Vec<u16> = match since {
        Some(since) => screen.changed_rows(since).collect(),
        None => (0..size.rows).collect(),
    };
    let is_blank = |row: &Row| row.runs.is_empty() && !row.wrapped;
    let row = |number: u16| Some((start + u64::from(number), screen.visible_row(number)?));
    let rows: Vec<(u64, Row)> = numbers.into_iter().filter_map(row).collect();
    let covered = masks.covered_on(screen, &rows);
    let shown = rows.into_iter().map(|(number, row)| covered.row(number, row));
    let changed = shown.filter(|row| since.is_some() || !is_blank(row)).collect();
    ScreenUpdate {
        session_id: session_id.clone(),
        generation,
        columns: size.columns,
        rows: size.rows,
        full: since.is_none(),
        changed,
        cursor: screen.cursor(),
        modes: screen.modes(),
        history_start: screen.history_start(),
        screen_start: start,
        acknowledge: false,
    }
}
