//! The place where a session task leaves a screen update for one client.
//!
//! It holds one update at most. The session task fills it only when the client has taken the last one, so a slow
//! client costs nothing and gets the newest state, and nobody waits for anybody.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::protocol::screen::ScreenUpdate;

/// What is between a session task and a client.
#[derive(Debug, Default)]
struct Contents {
    /// The update that the client has not taken yet.
    update: Option<ScreenUpdate>,
    /// The client waits for an update.
    wanted: bool,
    /// Something changed while the client did not wait; whoever fills the slot is to be told when it does.
    owed: bool,
}

/// One client's slot.
#[derive(Debug, Default)]
pub struct ScreenSlot {
    contents: Mutex<Contents>,
    /// Wakes the client: an update is there.
    filled: Notify,
    /// Wakes the session task: the client waits again and something is owed to it.
    asked: Notify,
}

impl ScreenSlot {
    fn lock(&self) -> MutexGuard<'_, Contents> {
        // A panic between lock and unlock cannot leave a half-made value: each section assigns whole fields.
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the next update, waiting for it as long as it takes. Cancelling loses nothing.
    pub async fn next(&self) -> ScreenUpdate {
        loop {
            let filled = self.filled.notified();
            {
                let mut contents = self.lock();
                if let Some(update) = contents.update.take() {
                    contents.wanted = false;
                    return update;
                }
                contents.wanted = true;
                if std::mem::take(&mut contents.owed) {
                    self.asked.notify_one();
                }
            }
            filled.await;
        }
    }

    /// Tells whether an update would be taken at once; if not, [`Self::asked`] will resolve when it would.
    pub fn is_wanted(&self) -> bool {
        let mut contents = self.lock();
        let wanted = contents.wanted && contents.update.is_none();
        contents.owed = !wanted;
        wanted
    }

    /// Leaves an update for the client, in place of one that was not taken.
    pub fn fill(&self, update: ScreenUpdate) {
        self.lock().update = Some(update);
        self.filled.notify_one();
    }

    /// Drops what was left for the client: it looks at something else now.
    pub fn clear(&self) {
        let mut contents = self.lock();
        contents.update = None;
        contents.owed = false;
    }

    /// Resolves when the client waits for an update that [`Self::is_wanted`] had refused.
    pub async fn asked(&self) {
        self.asked.notified().await;
    }
}
