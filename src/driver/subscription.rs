//! What a client is told unasked.

use tokio::sync::{broadcast, mpsc, oneshot};

use super::command::Command;
use super::scope::{Narrowed, Scope};
use crate::protocol::event::NumberedEvent;
use crate::protocol::snapshot::Snapshot;

/// What a subscriber is told.
#[derive(Clone, Debug)]
pub enum Told {
    /// The next event.
    Event(NumberedEvent),
    /// The client lagged too far behind: everything starts over from here.
    Resync(Box<Snapshot>),
}

/// A client's stream of events.
#[derive(Debug)]
pub struct Subscription {
    /// Everything as of now; the events follow from its number.
    pub snapshot: Snapshot,
    events: broadcast::Receiver<NumberedEvent>,
    narrowed: Option<Narrowed>,
    commands: mpsc::Sender<Command>,
}

/// What a subscriber has not taken yet.
#[derive(Debug, Default)]
pub struct Untaken {
    /// The events, in order.
    pub events: Vec<NumberedEvent>,
    /// Some before them were dropped: the subscriber must start over.
    pub lagged: bool,
}

impl Subscription {
    pub(super) fn begin(
        commands: mpsc::Sender<Command>,
        scope: Option<Scope>,
        mut snapshot: Snapshot,
        events: broadcast::Receiver<NumberedEvent>,
    ) -> Self {
        let narrowed = scope.map(|scope| Narrowed::begin(scope, &mut snapshot));
        Self { snapshot, events, narrowed, commands }
    }

    /// Returns the number of the last event that a bounded client was told: it counts by itself.
    pub fn own_count(&self) -> Option<u64> {
        self.narrowed.as_ref().map(Narrowed::count)
    }

    /// Goes on with a bounded client's own count.
    pub fn go_on_from(&mut self, count: Option<u64>) {
        if let (Some(narrowed), Some(count)) = (&mut self.narrowed, count) {
            narrowed.go_on_from(count);
        }
    }

    /// Takes everything that lies there. For when nothing more can come.
    pub fn drain(&mut self) -> Untaken {
        let mut untaken = Untaken::default();
        loop {
            match self.events.try_recv() {
                Ok(event) => untaken.events.extend(match &mut self.narrowed {
                    Some(narrowed) => narrowed.tell(event.event),
                    None => Some(event),
                }),
                Err(broadcast::error::TryRecvError::Lagged(_)) => untaken.lagged = true,
                Err(broadcast::error::TryRecvError::Empty | broadcast::error::TryRecvError::Closed) => {
                    return untaken;
                }
            }
        }
    }

    /// Waits for what is told next; absent once the supervisor has stopped. Cancelling loses nothing but, at worst,
    /// a resync that comes again.
    pub async fn next(&mut self) -> Option<Told> {
        loop {
            match (self.events.recv().await, &mut self.narrowed) {
                (Ok(event), None) => return Some(Told::Event(event)),
                (Ok(event), Some(narrowed)) => {
                    if let Some(event) = narrowed.tell(event.event) {
                        return Some(Told::Event(event));
                    }
                }
                (Err(broadcast::error::RecvError::Lagged(_)), narrowed) => {
                    let (mut snapshot, events) = subscribe(&self.commands).await?;
                    self.events = events;
                    if let Some(narrowed) = narrowed {
                        narrowed.begin_again(&mut snapshot);
                    }
                    return Some(Told::Resync(Box::new(snapshot)));
                }
                (Err(broadcast::error::RecvError::Closed), _) => return None,
            }
        }
    }
}

/// Asks for everything as of now, and for what happens from then on; absent if the supervisor has stopped.
pub(super) async fn subscribe(
    commands: &mpsc::Sender<Command>,
) -> Option<(Snapshot, broadcast::Receiver<NumberedEvent>)> {
    let (reply, answer) = oneshot::channel();
    commands.send(Command::Subscribe { reply }).await.ok()?;
    answer.await.ok()
}
