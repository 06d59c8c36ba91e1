//! Who is connected, what they look at, and what they parked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::core::ids::{ChallengeId, ClientId, SessionId};
use crate::driver::identity::Identity;
use crate::driver::moved::{MovedClient, MovedClients, Parked};
use crate::driver::screen_slot::ScreenSlot;

/// One client.
#[derive(Debug)]
pub struct Client {
    pub identity: Identity,
    /// The process at the other end, as the kernel names it.
    pub process_id: Option<u32>,
    /// It makes one call and goes; what it parked waits on.
    pub once: bool,
    pub slot: Arc<ScreenSlot>,
    /// The session whose screen it gets.
    pub focus: Option<SessionId>,
    /// What it parked and may wait for. It goes when the client goes, because nobody is left to be answered.
    pub parked: Vec<Parked>,
}

impl Client {
    /// Returns the session that the client runs in.
    pub fn session(&self) -> Option<&SessionId> {
        match &self.identity {
            Identity::Local | Identity::Ticket(_) => None,
            Identity::Internal { session } => session.as_ref(),
        }
    }
}

/// All clients.
#[derive(Debug, Default)]
pub struct Clients {
    last: u64,
    clients: BTreeMap<ClientId, Client>,
}

impl Clients {
    /// Copies all of them.
    pub fn to_move(&self) -> MovedClients {
        let moved = |(client, entry): (&ClientId, &Client)| MovedClient {
            client: client.0,
            identity: entry.identity.clone(),
            process_id: entry.process_id,
            once: entry.once,
            focus: entry.focus.clone(),
            parked: entry.parked.clone(),
        };
        MovedClients { last: self.last, clients: self.clients.iter().map(moved).collect() }
    }

    /// Takes over the clients of an earlier process, of whom these are connected. Returns their numbers. What the others
    /// parked waits on.
    pub fn take_over(&mut self, moved: MovedClients, connected: &BTreeSet<u64>) -> Vec<ClientId> {
        self.last = moved.last;
        let is_connected = |moved: &MovedClient| connected.contains(&moved.client);
        for MovedClient { client, identity, process_id, once, focus, parked } in
            moved.clients.into_iter().filter(is_connected)
        {
            let (client, slot) = (ClientId(client), Arc::new(ScreenSlot::default()));
            self.clients.insert(client, Client { identity, process_id, once, slot, focus, parked });
        }
        self.clients.keys().copied().collect()
    }

    pub fn add(
        &mut self,
        identity: Identity,
        process_id: Option<u32>,
        once: bool,
        slot: Arc<ScreenSlot>,
    ) -> ClientId {
        self.last += 1;
        let client = ClientId(self.last);
        let entry = Client { identity, process_id, once, slot, focus: None, parked: Vec::new() };
        self.clients.insert(client, entry);
        client
    }

    pub fn remove(&mut self, client: ClientId) -> Option<Client> {
        self.clients.remove(&client)
    }

    pub fn is_empty(&self) -> bool {
        self.clients.is_empty()
    }

    pub fn get(&self, client: ClientId) -> Option<&Client> {
        self.clients.get(&client)
    }

    pub fn get_mut(&mut self, client: ClientId) -> Option<&mut Client> {
        self.clients.get_mut(&client)
    }

    /// Returns the owner under which a client parks: the session that it runs in, or itself (behaviour C1).
    pub fn owner(&self, client: ClientId) -> String {
        let session = self.get(client).and_then(Client::session);
        session.map_or_else(|| format!("client-{}", client.0), ToString::to_string)
    }

    /// Returns the owner in whose name a client speaks: the session that it runs in and no other, or whom it names.
    pub fn speaks_for(&self, client: ClientId, named: Option<String>) -> Option<String> {
        let session = self.get(client).and_then(Client::session);
        session.map(ToString::to_string).or(named)
    }

    /// Returns the owner under which a client parked a challenge.
    pub fn owner_of(&self, client: ClientId, challenge_id: &ChallengeId) -> String {
        let parked = self.get(client).and_then(|client| {
            client.parked.iter().rev().find(|parked| parked.challenge_id == *challenge_id)
        });
        parked.map_or_else(|| self.owner(client), |parked| parked.owner.clone())
    }

    /// Forgets a challenge that has ended.
    pub fn forget_parked(&mut self, challenge_id: &ChallengeId, epoch: u64) {
        for client in self.clients.values_mut() {
            client.parked.retain(|parked| parked.challenge_id != *challenge_id || parked.epoch != epoch);
        }
    }

    /// Ends everybody's view of a session that is no more.
    pub fn unfocus(&mut self, session_id: &SessionId) {
        for client in self.clients.values_mut().filter(|client| client.focus.as_ref() == Some(session_id)) {
            client.focus = None;
            client.slot.clear();
        }
    }
}
