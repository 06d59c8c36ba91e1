//! One client: requests in; answers, events and screens out.
//!
//! Everything that is sent goes through one short queue. Only while it is empty are further answers, events and
//! screens fetched; so a client that does not read costs a few frames of memory, the events it misses become one
//! fresh snapshot, and nobody else notices.

mod draining;
mod request_queue;

use std::collections::VecDeque;
use std::pin::Pin;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use serde_json::Value;
use tokio::sync::oneshot;

pub use self::draining::Stream;
use self::draining::{Draining, Waits};
use self::request_queue::{Pending, RequestQueue, work_on};
use super::places::{Place, Use};
use super::registry::{Arrival, Slot};
use super::screens::Screens;
use super::{Caller, Context, Standing, greeting};
use crate::driver::{Connection, Identity, Subscription, Told};
use crate::protocol::decode;
use crate::protocol::encode;
use crate::protocol::error::{self, RpcError};
use crate::protocol::frame::Frame;
use crate::protocol::method::{Method, Request, challenge, server, session, terminal};
use crate::protocol::request::Hello;
use crate::wire::{Happening, LONGEST_FRAME, Wire};

/// Frames that wait to be written at most; with more, nothing more is read from this client.
const LONGEST_QUEUE: usize = 32;

/// Requests of one client that are worked on at the same time at most; with more, nothing more is read from it.
const MOST_PENDING: usize = 64;

/// Keys and sizes of one client that wait for a child that takes nothing at most.
const MOST_TYPED: usize = 1024;

/// Challenges for whose end one client waits at the same time at most.
const MOST_WAITING: usize = 256;

/// How long a goodbye may take.
const GOODBYE_LIMIT: Duration = Duration::from_secs(1);

/// The same for a call of `challenge.wait`, with its number in [`Waits`].
type PendingWait = Pin<Box<dyn Future<Output = (u64, Option<Frame>)> + Send>>;

/// Serves one client until it or the supervisor goes away. The opening handshake is done; `unread` came in behind it.
pub(super) async fn serve<S: Stream>(
    stream: S,
    unread: &[u8],
    context: Context,
    caller: Caller,
    arrival: Arrival,
    place: &Place,
) {
    let (wire, identity, has_spoken) = match caller.standing {
        Standing::Proven(identity) => (Wire::resume(stream, unread, LONGEST_FRAME), identity, false),
        Standing::Promised => match greeting::introduce(stream, unread, context.handle()).await {
            Some((wire, identity)) if place.prove(Use::Connection).is_ok() => (wire, identity, true),
            Some(_) | None => return,
        },
    };
    let connected = context.handle().connect(identity.clone(), caller.process_id).await;
    let Ok(connection) = connected else { return };
    let mut client = ServedClient::new(context, caller.process_id, identity, connection);
    drop(arrival);
    client.has_spoken = has_spoken;
    client.serve(wire).await;
}

/// What is known of one client.
struct ServedClient {
    context: Context,
    slot: Slot,
    draining: Draining,
    process_id: Option<u32>,
    identity: Identity,
    connection: Connection,
    /// The client has asked for something already, so `hello` comes too late.
    has_spoken: bool,
    subscription: Option<Subscription>,
    pending: FuturesUnordered<Pending>,
    /// What is typed: keys must not overtake each other.
    typing: RequestQueue,
    /// What may have an answer of megabytes, of which only one is to be in memory.
    fetching: RequestQueue,
    /// The calls of `challenge.wait`: they take minutes, so they are counted by themselves.
    waiting: FuturesUnordered<PendingWait>,
    /// What they wait for.
    waits: Waits,
    last_wait: u64,
    /// The call that asked for another process in this one's place, and why it was refused.
    upgrading: Option<(Option<Value>, oneshot::Receiver<String>)>,
    queue: VecDeque<Frame>,
    screens: Screens,
    /// Events were dropped, and the client was not told yet that everything starts over.
    lagged: bool,
    /// Once everything queued is written, the connection ends.
    ending: bool,
}

impl ServedClient {
    fn new(context: Context, process_id: Option<u32>, identity: Identity, connection: Connection) -> Self {
        Self {
            slot: context.registry().join(),
            context,
            draining: Draining::default(),
            process_id,
            identity,
            connection,
            has_spoken: false,
            subscription: None,
            pending: FuturesUnordered::new(),
            typing: RequestQueue::default(),
            fetching: RequestQueue::default(),
            waiting: FuturesUnordered::new(),
            waits: Waits::new(),
            last_wait: 0,
            upgrading: None,
            queue: VecDeque::new(),
            screens: Screens::default(),
            lagged: false,
            ending: false,
        }
    }

    async fn serve<S: Stream>(mut self, mut wire: Wire<S>) {
        while self.turn(&mut wire).await {}
        if !matches!(self.draining, Draining::Gone) {
            wire.close(GOODBYE_LIMIT).await;
        }
    }

    /// Waits for one thing to happen and sees to it. Returns false when the connection is over.
    async fn turn<S: Stream>(&mut self, wire: &mut Wire<S>) -> bool {
        match self.draining {
            Draining::Gone => return false,
            Draining::Still => {
                let order = self.slot.next().await;
                self.obey(order, wire);
                return true;
            }
            Draining::Not | Draining::Underway(_) | Draining::Drained => {}
        }
        if !wire.is_writing() && !self.send_next(wire) {
            return false;
        }
        let idle = self.queue.is_empty() && !wire.is_writing();
        let staying = self.draining.is_staying();
        self.typing.begin_next(&self.connection);
        if idle && staying {
            self.fetching.begin_next(&self.connection);
        }
        self.notice_drained();
        if idle && self.lagged {
            self.start_over().await;
            return true;
        }
        let pending = self.pending.len() + self.fetching.waiting.len();
        let read = staying && self.queue.len() < LONGEST_QUEUE && pending < MOST_PENDING && !self.ending;
        // On the way into another process what is worked on is finished, however slow the client is.
        let finish = idle || !staying;
        tokio::select! {
            order = self.slot.next() => self.obey(order, wire),
            happening = wire.next(read) => match happening {
                Happening::Text(text) => self.take(&text).await,
                Happening::NotText => self.complain(),
                Happening::Written => self.screens.written(),
                Happening::Closed(_) => return false,
            },
            Some(frame) = self.pending.next(), if finish && !self.pending.is_empty() => self.queue.extend(frame),
            Some((number, frame)) = self.waiting.next(), if idle && !self.waiting.is_empty() => {
                self.waits.remove(&number);
                self.queue.extend(frame);
            }
            Some(frame) = self.typing.working.next(), if finish && !self.typing.working.is_empty() => {
                self.queue.extend(frame);
            }
            Some(frame) = self.fetching.working.next(), if finish && !self.fetching.working.is_empty() => {
                self.queue.extend(frame);
            }
            reason = refused(&mut self.upgrading) => {
                let id = self.upgrading.take().and_then(|(id, _)| id);
                self.refuse(id.as_ref(), &RpcError::new(error::INTERNAL, reason));
            }
            told = next_told(&mut self.subscription), if idle => match told {
                Some(Told::Event(event)) => self.queue.push_back(encode::event(&event)),
                Some(Told::Resync(snapshot)) => self.queue.push_back(encode::resync(&snapshot)),
                None => self.ending = true,
            },
            update = self.connection.next_screen(), if idle && self.screens.may_send() => {
                self.queue.push_back(self.screens.send(update));
            }
        }
        true
    }

    /// Returns false when the connection is over: it broke, or it was to end once everything was written.
    fn send_next<S: Stream>(&mut self, wire: &mut Wire<S>) -> bool {
        match self.queue.pop_front() {
            Some(frame) => wire.send(&frame).is_ok(),
            None => !self.ending,
        }
    }

    fn complain(&mut self) {
        let reason = RpcError::new(error::INVALID_REQUEST, "this protocol has text frames only");
        self.queue.push_back(encode::refusal(&Value::Null, &reason));
        self.ending = true;
    }

    async fn take(&mut self, text: &[u8]) {
        let incoming = decode::request(text);
        let id = incoming.id;
        let request = match incoming.request {
            Ok(request) => request,
            Err(reason) => return self.refuse(id.as_ref(), &reason),
        };
        let first = !std::mem::replace(&mut self.has_spoken, true);
        if let Err(reason) = self.connection.check(&request) {
            return self.refuse(id.as_ref(), &reason);
        }
        match request {
            Request::Server(request) => self.see_to(id, request, first).await,
            Request::Supervisor(_) | Request::Session(_) | Request::Terminal(_) | Request::Challenge(_) => {
                self.pass_on(id, request);
            }
        }
    }

    /// Sees to what is for the server itself.
    async fn see_to(&mut self, id: Option<Value>, request: server::Request, first: bool) {
        match request {
            server::Request::Hello(hello) => self.hello(id.as_ref(), hello, first).await,
            server::Request::Subscribe(_) => self.subscribe(id.as_ref()).await,
            server::Request::Upgrade(to) => self.upgrade(id, to.executable),
            server::Request::ScreenTaken(_) => self.screens.taken(),
        }
    }

    /// Checks who is there (behaviour W2). Whoever shows a wrong credential is sent away.
    async fn hello(&mut self, id: Option<&Value>, hello: Hello, first: bool) {
        if !first {
            let reason = RpcError::new(error::INVALID_REQUEST, "`hello` must be the first request");
            return self.refuse(id, &reason);
        }
        match self.identify(hello).await {
            Ok(()) => self.answer::<server::Hello>(id, greeting::welcome(&self.identity)),
            Err(reason) => {
                self.ending = true;
                self.refuse(id, &reason);
            }
        }
    }

    async fn identify(&mut self, hello: Hello) -> Result<(), RpcError> {
        let Some(identity) = greeting::examine(self.context.handle(), hello).await? else { return Ok(()) };
        self.connection = self.context.handle().connect(identity.clone(), self.process_id).await?;
        self.identity = identity;
        Ok(())
    }

    async fn subscribe(&mut self, id: Option<&Value>) {
        match self.connection.subscribe().await {
            Ok(subscription) => {
                self.answer::<server::Subscribe>(id, subscription.snapshot.clone());
                self.subscription = Some(subscription);
            }
            Err(reason) => self.refuse(id, &reason),
        }
    }

    /// Tells the client that events were dropped and everything starts over.
    async fn start_over(&mut self) {
        self.lagged = false;
        let Ok(subscription) = self.connection.subscribe().await else { return };
        self.queue.push_back(encode::resync(&subscription.snapshot));
        self.subscription = Some(subscription);
    }

    /// Has another process take this one's place. If that works it is the other one that answers.
    fn upgrade(&mut self, id: Option<Value>, executable: Option<String>) {
        let outcome = match self.upgrading {
            Some(_) => Err("this client asked for that already".to_owned()),
            None => self.context.upgrade(executable),
        };
        match outcome {
            Ok(refused) => self.upgrading = Some((id, refused)),
            Err(reason) => self.refuse(id.as_ref(), &RpcError::new(error::INVALID_REQUEST, reason)),
        }
    }

    /// Hands a request to the driver. The answers come as they come.
    fn pass_on(&mut self, id: Option<Value>, request: Request) {
        match request {
            // A key is with the child's keeper before this connection looks at anything else.
            Request::Terminal(terminal::Request::Input(_) | terminal::Request::Resize(_)) => {
                if self.typing.waiting.len() >= MOST_TYPED {
                    let text =
                        "the child takes no input, and no more of it can wait; kill the session if it hangs";
                    // Whoever types wants no answer, but has to learn that keys are lost.
                    return self.refuse(Some(&id.unwrap_or_default()), &full(text));
                }
                self.queue.extend(self.typing.add(&self.connection, id, request));
            }
            Request::Challenge(challenge::Request::Wait(of)) => {
                if self.waiting.len() >= MOST_WAITING {
                    let text = "this client waits for too many challenges already";
                    return self.refuse(Some(&id.unwrap_or_default()), &full(text));
                }
                self.wait(id, of);
            }
            // Once too many of the others wait, nothing more is read.
            request if request.row().is_large => self.fetching.waiting.push_back((id, request)),
            request => {
                if let Request::Session(session::Request::Focus(focus)) = &request {
                    self.screens.refocus(focus.acknowledged);
                }
                self.pending.push(work_on(&self.connection, id, request));
            }
        }
    }

    fn answer<M: Method>(&mut self, id: Option<&Value>, answer: M::Answer) {
        self.queue.extend(id.map(|id| encode::response(id, &M::response(answer))));
    }

    fn refuse(&mut self, id: Option<&Value>, reason: &RpcError) {
        self.queue.extend(id.map(|id| encode::refusal(id, reason)));
    }
}

fn full(text: &str) -> RpcError {
    RpcError::new(error::LIMIT_REACHED, text)
}

/// Waits for the reason why no other process takes this one's place.
async fn refused(upgrading: &mut Option<(Option<Value>, oneshot::Receiver<String>)>) -> String {
    match upgrading {
        Some((_, refused)) => refused.await.unwrap_or_else(|_| "the upgrade was given up".to_owned()),
        None => std::future::pending().await,
    }
}

async fn next_told(subscription: &mut Option<Subscription>) -> Option<Told> {
    match subscription {
        Some(subscription) => subscription.next().await,
        None => std::future::pending().await,
    }
}
