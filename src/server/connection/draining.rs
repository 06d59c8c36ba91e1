//! A connection on its way into another process.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::{FutureExt as _, StreamExt as _};
use serde_json::Value;
use tokio::io::DuplexStream;
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use super::{ServedClient, work_on};
use crate::core::secret::Secret;
use crate::driver::platform::local_socket::LocalSocket;
use crate::driver::{Reattached, Subscription};
use crate::protocol::encode;
use crate::protocol::frame::Frame;
use crate::protocol::method::{Method as _, Request, challenge, server};
use crate::protocol::request::ChallengeRef;
use crate::server::Context;
use crate::server::moved::{DrainedConnection, MovedConnection, Transport};
use crate::server::registry::Order;
use crate::wire::{self, LONGEST_FRAME, Wire, WireState};

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
    pub(super) fn obey<S: Stream>(&mut self, order: Order, wire: &Wire<S>) {
        match order {
            Order::Drain(ready) => self.draining = Draining::Underway(ready),
            Order::Export(reply) => {
                self.draining = Draining::Still;
                // An error means that nobody goes on with it, which will be said.
                let _ = reply.send(self.drained(wire));
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

    fn drained<S: Stream>(&mut self, wire: &Wire<S>) -> Option<DrainedConnection> {
        while let Some(Some((number, frame))) = self.waiting.next().now_or_never() {
            self.waits.remove(&number);
            self.queue.extend(frame);
        }
        if let Some(subscription) = &mut self.subscription {
            let untaken = subscription.drain();
            self.lagged |= untaken.lagged;
            self.queue.extend(untaken.events.iter().map(encode::event));
        }
        // Whoever asked for the other process is answered by it.
        let upgraded = self.upgrading.as_ref().and_then(|(id, _)| id.as_ref());
        let answer = upgraded.map(|id| encode::response(id, &server::Upgrade::response(true)));
        let WireState { unread, unsent } = wire.state(self.queue.iter().chain(&answer)).ok()?;
        let (transport, descriptor) = wire.stream().descriptor()?;
        let waits =
            self.waits.values().map(|(id, of)| asked(id.as_ref(), &challenge::Wait::request(of.clone())));
        let fetches = self.fetching.waiting.iter().map(|(id, request)| asked(id.as_ref(), request));
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
            ending: self.ending,
            requests: waits.chain(fetches).collect(),
            unread: Secret::new(STANDARD.encode(unread)),
            unsent: Secret::new(STANDARD.encode(unsent)),
        };
        Some(DrainedConnection { descriptor: descriptor.try_clone_to_owned().ok()?, state })
    }
}

/// Writes a request again as it came.
fn asked(id: Option<&Value>, request: &Request) -> String {
    let mut frame: Value = serde_json::from_slice(&encode::request(None, request))
        .expect("invariant: what is written here is JSON");
    if let Some(id) = id {
        frame["id"] = id.clone();
    }
    frame.to_string()
}

impl MovedConnection {
    /// Makes its wire of the bytes that were on the way.
    ///
    /// # Errors
    /// They are no bytes.
    pub(in crate::server) fn wire<S: Stream>(&self, stream: S) -> io::Result<Wire<S>> {
        let decoded =
            |text: &Secret| STANDARD.decode(text.secret()).map(Frame::new).map_err(io::Error::other);
        let state = WireState { unread: decoded(&self.unread)?, unsent: decoded(&self.unsent)? };
        Ok(Wire::take_over(stream, &state, LONGEST_FRAME))
    }

    /// Goes on with it, until the client or the supervisor goes away.
    pub(in crate::server) async fn serve<S: Stream>(
        self,
        wire: Wire<S>,
        context: Context,
        reattached: Reattached,
    ) {
        let Reattached { connection, mut subscription } = reattached;
        subscription.go_on_from(self.own_count);
        let mut client = ServedClient::new(context, self.process_id, self.identity, connection);
        client.has_spoken = self.has_spoken;
        client.screens = self.screens;
        client.lagged = self.lagged;
        client.ending = self.ending;
        client.subscription = self.subscribed.then_some(subscription);
        for request in &self.requests {
            client.take(request.as_bytes()).await;
        }
        client.serve(wire).await;
    }
}

impl ServedClient {
    /// Waits for a challenge's end beside everything else.
    pub(super) fn wait(&mut self, id: Option<Value>, of: ChallengeRef) {
        self.last_wait += 1;
        let number = self.last_wait;
        let work = work_on(&self.connection, id.clone(), challenge::Wait::request(of.clone()));
        self.waits.insert(number, (id, of));
        self.waiting.push(Box::pin(async move { (number, work.await) }));
    }
}
