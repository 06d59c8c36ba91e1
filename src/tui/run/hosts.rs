//! The supervisors that the deck shows: attaches to each, listens to all, and reaches out again for one that was lost.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::client::{Client, ClientEvent, Events};
use crate::error::Error;
use crate::protocol::event::Event;
use crate::protocol::snapshot::Snapshot;
use crate::tui::model::HostIndex;
use crate::tui::msg::{HostNews, Msg};

/// Between two tries to reach a supervisor that is gone, at first; doubled up to [`LONGEST_RETRY`].
const RETRY: Duration = Duration::from_secs(1);

/// Between two tries at most.
const LONGEST_RETRY: Duration = Duration::from_secs(30);

/// A new connection after one was lost.
pub type Reconnected = Pin<Box<dyn Future<Output = Result<(Client, Events), Error>> + Send>>;

/// Attaches to a supervisor once more.
pub type Reconnect = Box<dyn FnMut() -> Reconnected + Send>;

/// One supervisor.
pub struct Attachment {
    /// The host's name, as the person gave it; not shown if there is one supervisor only.
    pub name: String,
    /// The connection, to which nothing was subscribed yet, or why there is none.
    pub connection: Result<(Client, Events), Error>,
    /// Attaches to the supervisor that runs, or starts one, after the connection was lost.
    pub reconnect: Reconnect,
}

/// What is told.
pub(super) enum Told {
    /// The whole state, at the start and after a reconnect.
    Snapshot(Box<Snapshot>),
    /// Something happened.
    Event(ClientEvent),
    /// It is not reached.
    Failed(String),
}

struct Member {
    client: Option<Client>,
    events: Option<Events>,
    reconnect: Option<Reconnect>,
}

/// What comes of trying to attach.
struct Arrival {
    host: HostIndex,
    outcome: Result<Attached, Error>,
}

struct Attached {
    connection: (Client, Events),
    snapshot: Snapshot,
    reconnect: Reconnect,
}

/// All of them.
pub(super) struct Hosts {
    members: Vec<Member>,
    arrivals: mpsc::UnboundedReceiver<Arrival>,
    arrived: mpsc::UnboundedSender<Arrival>,
}

impl Hosts {
    /// Attaches to all at the same time.
    pub(super) fn attach(attachments: Vec<Attachment>) -> Self {
        let (arrived, arrivals) = mpsc::unbounded_channel();
        let mut hosts = Self { members: Vec::new(), arrivals, arrived };
        for (host, attachment) in attachments.into_iter().enumerate() {
            let Attachment { name: _, connection, reconnect } = attachment;
            // Asked at once: the first requests may be sent before the state is there.
            let client = connection.as_ref().ok().map(|(client, _)| client.clone());
            hosts.members.push(Member { client, events: None, reconnect: None });
            tokio::spawn(attach(host, Some(connection), reconnect, hosts.arrived.clone()));
        }
        hosts
    }

    /// Returns whom to ask; absent if it is not reached.
    pub(super) fn client(&self, host: HostIndex) -> Option<&Client> {
        self.members.get(host)?.client.as_ref()
    }

    /// Waits for the next thing that one of them tells. Cancelling loses nothing. As with [`Events::next`], asking
    /// for more says that the last screen update was drawn.
    pub(super) async fn next(&mut self) -> (HostIndex, Told) {
        loop {
            let (arrivals, members) = (&mut self.arrivals, &mut self.members);
            let told = {
                let mut listening: Vec<_> = members
                    .iter_mut()
                    .enumerate()
                    .filter_map(|(host, member)| Some((host, Box::pin(member.events.as_mut()?.next()))))
                    .collect();
                let mut arriving = Box::pin(arrivals.recv());
                poll_fn(|context| {
                    for (host, event) in &mut listening {
                        if let Poll::Ready(event) = event.as_mut().poll(context) {
                            return Poll::Ready(Err((*host, event)));
                        }
                    }
                    arriving.as_mut().poll(context).map(Ok)
                })
                .await
            };
            match told {
                Err((host, event)) => return (host, self.event(host, event)),
                Ok(Some(arrival)) => return self.arrival(arrival),
                // This very struct holds a sender.
                Ok(None) => std::future::pending().await,
            }
        }
    }

    /// Takes what lies there without waiting.
    pub(super) fn try_next(&mut self) -> Option<(HostIndex, Told)> {
        if let Ok(arrival) = self.arrivals.try_recv() {
            return Some(self.arrival(arrival));
        }
        for host in 0..self.members.len() {
            if let Some(event) = self.members[host].events.as_mut().and_then(Events::try_next) {
                return Some((host, self.event(host, Some(event))));
            }
        }
        None
    }

    fn event(&mut self, host: HostIndex, event: Option<ClientEvent>) -> Told {
        let reason = match event {
            Some(ClientEvent::Closed(reason)) => reason,
            None => "it closed the connection".into(),
            Some(event) => {
                if is_stopping(&event) {
                    // Whoever stopped it wants no other one in its place.
                    self.members[host].reconnect = None;
                }
                return Told::Event(event);
            }
        };
        let member = &mut self.members[host];
        (member.client, member.events) = (None, None);
        if let Some(reconnect) = member.reconnect.take() {
            tokio::spawn(attach(host, None, reconnect, self.arrived.clone()));
        }
        Told::Event(ClientEvent::Closed(reason))
    }

    fn arrival(&mut self, arrival: Arrival) -> (HostIndex, Told) {
        let told = match arrival.outcome {
            Ok(Attached { connection: (client, events), snapshot, reconnect }) => {
                self.members[arrival.host] =
                    Member { client: Some(client), events: Some(events), reconnect: Some(reconnect) };
                Told::Snapshot(Box::new(snapshot))
            }
            Err(error) => Told::Failed(in_a_sentence(&error)),
        };
        (arrival.host, told)
    }
}

fn is_stopping(event: &ClientEvent) -> bool {
    matches!(event, ClientEvent::Event(numbered) if matches!(numbered.event, Event::SupervisorStopping {}))
}

/// Attaches and asks for the whole state, again and again until it works.
async fn attach(
    host: HostIndex,
    mut connection: Option<Result<(Client, Events), Error>>,
    mut reconnect: Reconnect,
    arrived: mpsc::UnboundedSender<Arrival>,
) {
    let mut pause = RETRY;
    loop {
        let connected = match connection.take() {
            Some(connected) => connected,
            None => reconnect().await,
        };
        let failure = match connected {
            Ok(connection) => match connection.0.subscribe().await {
                Ok(snapshot) => {
                    // An error means that the deck is closed.
                    let _ = arrived
                        .send(Arrival { host, outcome: Ok(Attached { connection, snapshot, reconnect }) });
                    return;
                }
                Err(error) => Error::new(crate::error::Kind::Unavailable, error.to_string()),
            },
            Err(error) => error,
        };
        if arrived.send(Arrival { host, outcome: Err(failure) }).is_err() {
            return;
        }
        tokio::time::sleep(pause).await;
        pause = (2 * pause).min(LONGEST_RETRY);
    }
}

/// The error and its causes on one line.
fn in_a_sentence(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// What a supervisor tells, as a message; `host` is its host if there are several.
pub(super) fn message(event: ClientEvent, host: Option<HostIndex>) -> Option<Msg> {
    Some(match (event, host) {
        (ClientEvent::Screen(update), _) => Msg::Screen(update),
        (ClientEvent::Complaint(error), _) => Msg::Complaint(error),
        (ClientEvent::Event(event), None) => Msg::Event(event),
        (ClientEvent::Resync(snapshot), None) => Msg::Snapshot(snapshot),
        (ClientEvent::Closed(reason), None) => Msg::Disconnected(reason),
        (ClientEvent::Event(event), Some(host)) => Msg::Host(host, HostNews::Event(Box::new(event.event))),
        (ClientEvent::Resync(snapshot), Some(host)) => Msg::Host(host, HostNews::Snapshot(snapshot)),
        (ClientEvent::Closed(reason), Some(host)) => Msg::Host(host, HostNews::Trouble(reason)),
    })
}
