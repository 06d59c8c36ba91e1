//! Hands everything over to the process that takes this one's place, or takes it over from the one before.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Runtime;
use crate::core::ids::ClientId;
use crate::core::view::{Event, Level};
use crate::driver::clock::Clock;
use crate::driver::command::HandOver;
use crate::driver::handle::{Handle, Reattached};
use crate::driver::moved::MovedRuntime;
use crate::driver::sessions::Order;

impl Runtime {
    /// Stands still until it is known whether the other process has everything. Returns true if so.
    pub async fn hand_over(&mut self, order: HandOver) -> bool {
        // Without the lock's copy nothing is handed over: the sender is dropped.
        let Ok(lock) = self.paths.lock() else { return false };
        let heard = order.ready.send((self.to_move(), lock)).is_ok();
        heard && order.verdict.await.unwrap_or(false)
    }

    fn to_move(&self) -> MovedRuntime {
        MovedRuntime {
            runtime_directory: self.paths.runtime().to_owned(),
            state_directory: self.paths.state().to_owned(),
            now: self.clock.now(),
            monotonic: Clock::monotonic(),
            sequence: self.sequence,
            open_files: self.open_files,
            clients: self.clients.to_move(),
            challenges: self.engine.challenges_to_move(),
            tickets: self.tickets.clone(),
            bundles: self.bundles.clone(),
        }
    }

    /// Goes on where another process stopped: its sessions, then everything else. No subscriber is told of what it
    /// knows. Returns the clients that are connected, with their numbers.
    pub async fn take_over(
        &mut self,
        moved: MovedRuntime,
        connected: &BTreeSet<u64>,
        handle: &Handle,
    ) -> Vec<(ClientId, Reattached)> {
        self.clock = Clock::resume(moved.now, moved.monotonic);
        self.open_files = moved.open_files;
        self.bundles = moved.bundles;
        self.tickets = moved.tickets;
        if let Err(error) = self.paths.make_folders() {
            // It costs children their askpass at worst; the sessions go on.
            self.publish(Event::Notice { level: Level::Error, text: error.to_string(), session_id: None });
        }
        self.muted = true;
        self.adopt().await;
        self.engine.take_over_challenges(moved.challenges);
        self.muted = false;
        self.sequence = moved.sequence;
        let clients = self.clients.take_over(moved.clients, connected);
        let snapshot = self.snapshot();
        let reattach = |client: ClientId| {
            let entry = self.clients.get(client)?;
            let slot = Arc::clone(&entry.slot);
            if let Some(session_id) = &entry.focus {
                self.sessions.order(session_id, Order::Focus { client, slot: Arc::clone(&slot) });
            }
            let connection = handle.reattach(client, &entry.identity, slot);
            let subscription = connection.subscribed(snapshot.clone(), self.events.subscribe());
            Some((client, Reattached { connection, subscription }))
        };
        clients.into_iter().filter_map(reattach).collect()
    }
}
