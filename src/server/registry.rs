//! All connections that are served, for when another process is to go on with them.
//!
//! ```text
//! drain: read no more, finish what was asked ──> export: hold still, return the state ──> leave, or resume
//! ```

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::timeout;

use super::moved::DrainedConnection;

/// What a connection is told.
#[derive(Debug)]
pub(super) enum Order {
    /// Take no further request, finish those that are worked on, and say so.
    Drain(oneshot::Sender<()>),
    /// Hold still, and return what another process needs to go on; absent if it cannot.
    Export(oneshot::Sender<Option<DrainedConnection>>),
    /// Go on.
    Resume,
    /// The connection is another process's now: go without a word.
    Leave,
}

/// The connections.
#[derive(Clone, Debug, Default)]
pub(super) struct Registry(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    slots: Mutex<Slots>,
    /// Told when one that was arriving has arrived or gone.
    arrived: Notify,
}

#[derive(Debug, Default)]
struct Slots {
    last: u64,
    taken: BTreeMap<u64, mpsc::UnboundedSender<Order>>,
    /// Those that still speak HTTP.
    arriving: usize,
}

/// One connection's entry, for as long as it is served.
#[derive(Debug)]
pub(super) struct Slot {
    registry: Registry,
    number: u64,
    orders: mpsc::UnboundedReceiver<Order>,
}

/// A connection that still speaks HTTP.
#[derive(Debug)]
pub(super) struct Arrival(Registry);

impl Registry {
    fn lock(&self) -> MutexGuard<'_, Slots> {
        // Every section below is one or two whole assignments.
        self.0.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a connection that has just come in.
    pub(super) fn arrive(&self) -> Arrival {
        self.lock().arriving += 1;
        Arrival(self.clone())
    }

    /// Enters a connection.
    pub(super) fn join(&self) -> Slot {
        let (sender, orders) = mpsc::unbounded_channel();
        let mut slots = self.lock();
        slots.last += 1;
        let number = slots.last;
        slots.taken.insert(number, sender);
        drop(slots);
        Slot { registry: self.clone(), number, orders }
    }

    /// Waits until nobody speaks HTTP any more, for as long as `limit` allows.
    pub(super) async fn wait_arrived(&self, limit: Duration) {
        let all = async {
            loop {
                let arrived = self.0.arrived.notified();
                if self.lock().arriving == 0 {
                    return;
                }
                arrived.await;
            }
        };
        // Who has not arrived by then is cut off, and comes again.
        let _ = timeout(limit, all).await;
    }

    /// Waits until every connection has finished what it was asked; false if one has not within `limit`.
    pub(super) async fn drain(&self, limit: Duration) -> bool {
        let quiet = self.ask(Order::Drain);
        let all = async {
            for one in quiet {
                // An error means that it has gone.
                let _ = one.await;
            }
        };
        timeout(limit, all).await.is_ok()
    }

    /// Holds every connection still and collects what another process needs.
    pub(super) async fn export(&self) -> Vec<DrainedConnection> {
        let mut drained = Vec::new();
        for one in self.ask(Order::Export) {
            drained.extend(one.await.ok().flatten());
        }
        drained
    }

    fn ask<T>(&self, order: impl Fn(oneshot::Sender<T>) -> Order) -> Vec<oneshot::Receiver<T>> {
        let ask = |sender: &mpsc::UnboundedSender<Order>| {
            let (reply, answer) = oneshot::channel();
            // An error means that it is just going.
            let _ = sender.send(order(reply));
            answer
        };
        self.lock().taken.values().map(ask).collect()
    }

    /// Lets every connection go on.
    pub(super) fn resume(&self) {
        self.tell(|| Order::Resume);
    }

    /// Ends this process's part in every connection.
    pub(super) fn leave(&self) {
        self.tell(|| Order::Leave);
    }

    fn tell(&self, order: impl Fn() -> Order) {
        for sender in self.lock().taken.values() {
            // An error means that it is just going.
            let _ = sender.send(order());
        }
    }
}

impl Slot {
    /// Waits for the next order.
    pub(super) async fn next(&mut self) -> Order {
        match self.orders.recv().await {
            Some(order) => order,
            // The registry holds the other end for as long as this slot is taken.
            None => std::future::pending().await,
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.registry.lock().taken.remove(&self.number);
    }
}

impl Drop for Arrival {
    fn drop(&mut self) {
        self.0.lock().arriving -= 1;
        self.0.0.arrived.notify_waiters();
    }
}
