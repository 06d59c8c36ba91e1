//! A connection on its way into another process.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::{FutureExt as _, StreamExt as _};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::io::DuplexStream;
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use super::screens::Screens;
use super::{GOODBYE_LIMIT, ServedClient, work_on};
use crate::core::secret::{self, Secret};
use crate::driver::platform::local_socket::LocalSocket;
use crate::driver::{Identity, Reattached, Subscription};
use crate::protocol::decode;
use crate::protocol::encode::{self, Frame};
use crate::protocol::request::{ChallengeRef, Request};
use crate::server::Context;
use crate::server::registry::Order;
use crate::wire::{self, LONGEST_FRAME, Wire, WireState};

/// What carries a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transport {
    /// A Unix socket.
    Unix,
    /// TCP on loopback.
    Tcp,
}

/// A stream that a connection is served over.
pub trait Stream: wire::Stream {
    /// Returns the descriptor with which another process can go on; absent where there is none.
    fn descriptor(&self) -> Option<(Transport, BorrowedFd<'_>)>;
}

impl Stream for LocalSocket {
    fn descriptor(&self) -> Option<(Transport, BorrowedFd<'_>)> {
        Some((Transport::Unix, self.as_fd()))
    }
}

impl Stream for TcpStream {
    fn descriptor(&self) -> Option<(Transport, BorrowedFd<'_>)> {
        Some((Transport::Tcp, self.as_fd()))
    }
}

impl Stream for DuplexStream {
    fn descriptor(&self) -> Option<(Transport, BorrowedFd<'_>)> {
        None
    }
}

/// A connection with everything that another process needs to go on with it.
#[derive(Debug)]
pub struct DrainedConnection {
    pub(in crate::server) descriptor: OwnedFd,
    pub(in crate::server) state: MovedConnection,
}

/// How a connection stands. What was written and not read yet may have secrets in it.
#[derive(Debug, Serialize, Deserialize)]
pub struct MovedConnection {
    /// The client's number.
    pub(in crate::server) client: u64,
    pub(in crate::server) transport: Transport,
    identity: Identity,
    process_id: Option<u32>,
    has_spoken: bool,
    screens: Screens,
    subscribed: bool,
    /// For a client that counts its events by itself: the number of the last one.
    own_count: Option<u64>,
    lagged: bool,
    /// Calls of `challenge.wait` with the ids to answer under.
    waits: Vec<(Option<Value>, ChallengeRef)>,
    /// Requests that were not begun with yet, with the ids to answer under, each as a frame. They carry no secret.
    fetches: Vec<(Option<Value>, String)>,
    /// Frames that were not handed over for writing yet, one a line: JSON has no line break in it.
    #[serde(with = "secret::exposed")]
    queue: Secret,
    #[serde(with = "secret::exposed")]
    unread: Secret,
    #[serde(with = "secret::exposed")]
    unsent: Secret,
    writing: bool,
    ending: bool,
}

/// How far a connection is on its way.
#[derive(Debug, Default)]
pub(super) enum Draining {
    /// It stays.
    #[default]
    Not,
    /// It reads no more, and finishes what it was asked.
    Underway(oneshot::Sender<()>),
    /// It has nothing to finish.
    Drained,
    /// It stands still: how it stands was told.
    Still,
    /// It is gone.
    Gone,
}

impl Draining {
    /// Tells whether requests are taken.
    pub(super) fn is_staying(&self) -> bool {
        match self {
            Self::Not => true,
            Self::Underway(_) | Self::Drained | Self::Still | Self::Gone => false,
        }
    }
}

/// The calls of `challenge.wait` that have no answer yet, under a number each.
pub(super) type Waits = BTreeMap<u64, (Option<Value>, ChallengeRef)>;

impl ServedClient {
    /// Does what the registry says.
    pub(super) async fn obey<S: Stream>(&mut self, order: Order, wire: &mut Wire<S>) {
        match order {
            Order::Drain(ready) => self.draining = Draining::Underway(ready),
            Order::Export(reply) => {
                self.draining = Draining::Still;
                // An error means that nobody goes on with it, which will be said.
                let _ = reply.send(self.drained(wire).await);
            }
            Order::Resume => self.draining = Draining::Not,
            Order::Leave => self.draining = Draining::Gone,
        }
    }

    /// Says so, once everything that was asked is answered.
    pub(super) fn notice_drained(&mut self) {
        let idle = self.pending.is_empty() && self.typing.is_idle() && self.fetching.working.is_empty();
        if !idle || !matches!(self.draining, Draining::Underway(_)) {
            return;
        }
        if let Draining::Underway(ready) = std::mem::replace(&mut self.draining, Draining::Drained) {
            // An error means that it took too long for whoever asked, who will say so.
            let _ = ready.send(());
        }
    }

    async fn drained<S: Stream>(&mut self, wire: &mut Wire<S>) -> Option<DrainedConnection> {
        while let Some(Some((number, frame))) = self.waiting.next().now_or_never() {
            self.waits.remove(&number);
            self.queue.extend(frame);
        }
        if let Some(subscription) = &mut self.subscription {
            let untaken = subscription.drain();
            self.lagged |= untaken.lagged;
            self.queue.extend(untaken.events.iter().map(encode::event));
        }
        let WireState { unread, unsent, writing } = wire.state().await;
        let (transport, descriptor) = wire.stream().descriptor()?;
        let descriptor = descriptor.try_clone_to_owned().ok()?;
        let state = MovedConnection {
            client: self.connection.client().0,
            transport,
            identity: self.identity.clone(),
            process_id: self.process_id,
            has_spoken: self.has_spoken,
            screens: self.screens,
            subscribed: self.subscription.is_some(),
            own_count: self.subscription.as_ref().and_then(Subscription::own_count),
            lagged: self.lagged,
            waits: self.waits.values().cloned().collect(),
            fetches: self.fetching.waiting.iter().map(fetch_to_move).collect(),
            queue: self.queue_to_move(),
            unread: Secret::new(STANDARD.encode(unread)),
            unsent: Secret::new(STANDARD.encode(unsent)),
            writing,
            ending: self.ending,
        };
        Some(DrainedConnection { descriptor, state })
    }

    /// The frames to be written. Whoever asked for the other process is answered by it.
    fn queue_to_move(&self) -> Secret {
        let upgraded = self.upgrading.as_ref().and_then(|(id, _)| id.as_ref());
        let answer = upgraded.map(|id| encode::success(id, &Value::Bool(true)));
        let mut text = String::new();
        for frame in self.queue.iter().chain(&answer) {
            text.push_str(&String::from_utf8_lossy(frame));
            text.push('\n');
        }
        Secret::new(text)
    }
}

fn fetch_to_move((id, request): &(Option<Value>, Request)) -> (Option<Value>, String) {
    (id.clone(), String::from_utf8_lossy(&encode::request(None, request)).into_owned())
}

impl MovedConnection {
    /// Goes on with it over its stream, until the client or the supervisor goes away.
    pub(in crate::server) async fn serve<S: Stream>(
        self,
        stream: S,
        context: Context,
        reattached: Reattached,
    ) -> io::Result<()> {
        let decoded = |text: &Secret| STANDARD.decode(text.secret()).map_err(io::Error::other);
        let state = WireState {
            unread: decoded(&self.unread)?,
            unsent: decoded(&self.unsent)?,
            writing: self.writing,
        };
        let mut wire = Wire::take_over(stream, state, LONGEST_FRAME).await;
        let Reattached { connection, mut subscription } = reattached;
        subscription.go_on_from(self.own_count);
        let mut client = ServedClient::new(context, self.process_id, self.identity, connection);
        client.has_spoken = self.has_spoken;
        client.screens = self.screens;
        client.lagged = self.lagged;
        client.ending = self.ending;
        client.subscription = self.subscribed.then_some(subscription);
        client.queue = self.queue.secret().lines().map(|line| Frame::new(line.as_bytes().to_vec())).collect();
        for (id, text) in self.fetches {
            let request =
                decode::request(text.as_bytes()).request.map_err(|error| io::Error::other(error.message))?;
            client.fetching.waiting.push_back((id, request));
        }
        for (id, of) in self.waits {
            client.wait(id, of);
        }
        while client.turn(&mut wire).await {}
        if !matches!(client.draining, Draining::Gone) {
            wire.close(GOODBYE_LIMIT).await;
        }
        Ok(())
    }
}

impl ServedClient {
    /// Waits for a challenge's end beside everything else.
    pub(super) fn wait(&mut self, id: Option<Value>, of: ChallengeRef) {
        self.last_wait += 1;
        let number = self.last_wait;
        let work = work_on(&self.connection, id.clone(), Request::ChallengeWait(of.clone()));
        self.waits.insert(number, (id, of));
        self.waiting.push(Box::pin(async move { (number, work.await) }));
    }
}
