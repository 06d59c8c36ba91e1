//! The place where a session task leaves a screen update for one client.
//!
//! It holds one update at most. The session task fills it only when the client has taken the last one, so a slow
//! client costs nothing and gets the newest state, and nobody waits for anybody.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::protocol::screen::ScreenUpdate;

/// What is between a session task and a client.
#[derive(Debug, Default)]
struct Contents {
    /// The update that the client has not taken yet.
    update: Option<ScreenUpdate>,
    /// The client waits for an update.
    wanted: bool,
    /// Something changed while the client did not wait: whom to wake when it waits again.
    owed_by: Option<Arc<Notify>>,
}

/// One client's slot.
#[derive(Debug, Default)]
pub struct ScreenSlot {
    contents: Mutex<Contents>,
    /// Wakes the client: an update is there.
    filled: Notify,
}

impl ScreenSlot {
    fn lock(&self) -> MutexGuard<'_, Contents> {
        // A panic between lock and unlock cannot leave a half-made value: each section assigns whole fields.
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the next update, waiting for it as long as it takes. Cancelling loses nothing.
    pub async fn next(&self) -> ScreenUpdate {
        loop {
            if let Some(update) = self.take_or_want() {
                return update;
            }
            self.filled.notified().await;
        }
    }

    fn take_or_want(&self) -> Option<ScreenUpdate> {
        let mut contents = self.lock();
        let update = contents.update.take();
        contents.wanted = update.is_none();
        if contents.wanted
            && let Some(task) = contents.owed_by.take()
        {
            task.notify_one();
        }
        update
    }

    /// Tells whether the client waits. If it does not, `task` is woken as soon as it does.
    pub fn is_wanted(&self, task: &Arc<Notify>) -> bool {
        let mut contents = self.lock();
        let wanted = contents.wanted && contents.update.is_none();
        contents.owed_by = (!wanted).then(|| Arc::clone(task));
        wanted
    }

    /// Leaves an update for the client, in place of one that was not taken.
    pub fn fill(&self, update: ScreenUpdate) {
        self.lock().update = Some(update);
        // The permit is kept if the client is not waiting just now, and then wakes it for nothing at most once.
        self.filled.notify_one();
    }

    /// Drops what was left for the client: it looks at something else now.
    pub fn clear(&self) {
        let mut contents = self.lock();
        contents.update = None;
        contents.owed_by = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::ids::SessionId;
    use crate::protocol::screen::Modes;

    fn update(generation: u64) -> ScreenUpdate {
        ScreenUpdate {
            session_id: SessionId::new("auth-1"),
            generation,
            columns: 80,
            rows: 24,
            full: false,
            changed: Vec::new(),
            cursor: None,
            modes: Modes::default(),
            history_start: 0,
            screen_start: 0,
            acknowledge: false,
        }
    }

    #[tokio::test]
    async fn a_client_gets_one_update_at_a_time_and_the_task_learns_when_it_wants_the_next() {
        let slot = Arc::new(ScreenSlot::default());
        let task = Arc::new(Notify::new());
        assert!(!slot.is_wanted(&task), "nobody waits yet");
        let waiting = tokio::spawn({
            let slot = Arc::clone(&slot);
            async move { slot.next().await.generation }
        });
        task.notified().await;
        assert!(slot.is_wanted(&task));
        slot.fill(update(1));
        assert!(!slot.is_wanted(&task), "one update is there and not taken");
        assert_eq!(waiting.await.unwrap(), 1);
        slot.fill(update(2));
        slot.clear();
        slot.fill(update(3));
        assert_eq!(slot.next().await.generation, 3);
    }
}
