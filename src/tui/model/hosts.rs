//! Several hosts in one list: which of them something belongs to, and how each stands.
//!
//! A deck of one supervisor has none of this: there, the list is empty.

use std::collections::HashMap;

use super::{Item, Model};
use crate::core::ids::SessionId;
use crate::protocol::method::Request;
use crate::protocol::request::Addressee;

/// A host's place among the deck's hosts.
pub type HostIndex = usize;

/// One host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// The name that the person gave.
    pub name: String,
    /// Why it is not reached, if it is not.
    pub trouble: Option<String>,
    /// Its supervisor's clock minus the deck's, in milliseconds.
    pub clock_offset: i64,
}

/// All hosts.
#[derive(Clone, Debug, Default)]
pub struct Hosts {
    /// As the person named them; empty if there is one supervisor only.
    pub all: Vec<Host>,
    /// The host of every session and challenge that was ever told, by its id.
    pub of: HashMap<String, HostIndex>,
    /// What its host calls a thing whose id another host had used before.
    theirs: HashMap<String, String>,
    /// Where the next login is to be started, if the person chose.
    pub chosen: Option<HostIndex>,
}

impl Hosts {
    /// Makes them of their names, none reached yet.
    pub fn new(names: Vec<String>) -> Self {
        let host = |name| Host { name, trouble: None, clock_offset: 0 };
        Self { all: names.into_iter().map(host).collect(), ..Self::default() }
    }

    /// Returns the deck's own id of what a host calls by this one: the same, unless it is another host's already. So
    /// nothing that one host tells is ever taken for another one's.
    pub fn own_id(&mut self, host: HostIndex, theirs: &str) -> String {
        let own = self.find_id(host, theirs);
        if self.of.insert(own.clone(), host).is_none() && own != theirs {
            self.theirs.insert(own.clone(), theirs.to_owned());
        }
        own
    }

    /// The same, without a place for what was never told before.
    pub fn find_id(&self, host: HostIndex, theirs: &str) -> String {
        let mut own = theirs.to_owned();
        while self.of.get(&own).is_some_and(|of| *of != host || self.their_id(&own) != theirs) {
            own.push_str(&format!("~{host}"));
        }
        own
    }

    /// Returns what its host calls a thing.
    pub fn their_id<'a>(&'a self, own: &'a str) -> &'a str {
        self.theirs.get(own).map_or(own, String::as_str)
    }

    /// Lets a request name things as its host does.
    pub fn address(&self, request: &mut Request) {
        request.readdress(&|id| self.their_id(id).to_owned());
    }

    /// Tells whether there are several, so that it matters which one is meant.
    pub fn are_several(&self) -> bool {
        !self.all.is_empty()
    }

    /// Returns how many columns the longest name that is shown takes; none without hosts.
    pub fn column_width(&self) -> usize {
        const WIDEST: usize = 12;
        self.all.iter().map(|host| crate::tui::text::width(&host.name)).max().unwrap_or(0).min(WIDEST)
    }

    /// Returns the name of the host that something belongs to, by its id.
    pub fn name_of(&self, id: &str) -> Option<&str> {
        self.all.get(*self.of.get(id)?).map(|host| host.name.as_str())
    }
}

impl Model {
    /// Returns the host on which the next login is started: the chosen one, that of the selection, else the first that
    /// is reached.
    pub fn host_for_new(&self) -> HostIndex {
        let selected = self.selection.as_ref().and_then(|item| match item {
            Item::Session(id) => self.hosts.of.get(id.as_str()).copied(),
            Item::Challenge(id) => self.hosts.of.get(id.as_str()).copied(),
        });
        let reached = || self.hosts.all.iter().position(|host| host.trouble.is_none());
        self.hosts.chosen.or(selected).or_else(reached).unwrap_or(0)
    }

    /// Returns the host of a session; the first one if it is not known.
    pub fn host_of(&self, session_id: &SessionId) -> HostIndex {
        self.hosts.of.get(session_id.as_str()).copied().unwrap_or(0)
    }

    /// Returns the host that a request is for.
    pub fn host_for(&self, request: &Request) -> HostIndex {
        let of = |id: &str| self.hosts.of.get(id).copied();
        let host = match request.addressee() {
            Addressee::Session(id) => of(id.as_str()),
            Addressee::Challenge(id) => of(id.as_str()),
            Addressee::Supervisor => None,
        };
        host.unwrap_or_else(|| self.host_for_new())
    }
}
