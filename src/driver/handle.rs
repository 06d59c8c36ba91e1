//! What the server part calls: one [`Handle`] for the supervisor, one [`Connection`] for each client.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::{broadcast, mpsc, oneshot};

use super::command::{Command, HandOver};
use super::identity::Identity;
use super::moved::MovedRuntime;
use super::scope::Scope;
use super::screen_slot::ScreenSlot;
use super::sessions::{Sessions, unknown};
use super::subscription::{Subscription, subscribe};
use crate::core::ids::{ClientId, SessionId};
use crate::core::secret::Secret;
use crate::protocol::error::{self, RpcError};
use crate::protocol::event::NumberedEvent;
use crate::protocol::method::{Caller, Method as _, Request, Response, session};
use crate::protocol::request::SessionRef;
use crate::protocol::screen::ScreenUpdate;
use crate::protocol::snapshot::Snapshot;

/// The supervisor, as seen by the server. Cheap to clone; the runtime ends with [`Handle::stop`].
#[derive(Clone, Debug)]
pub struct Handle {
    pub(super) commands: mpsc::Sender<Command>,
    /// The sessions' tasks, which are asked directly about screens and keys.
    pub(super) sessions: Sessions,
    pub(super) socket: Arc<PathBuf>,
    /// Clients that went away. Unbounded, because a drop cannot wait; bounded by the number of connections.
    pub(super) departures: mpsc::UnboundedSender<ClientId>,
}

impl Handle {
    /// Registers a client. `process_id` is the peer's, as the kernel reports it, for naming who asks.
    ///
    /// # Errors
    /// The supervisor has stopped.
    pub async fn connect(&self, identity: Identity, process_id: Option<u32>) -> Result<Connection, RpcError> {
        self.register(identity, process_id, false).await
    }

    /// Registers a client that makes one call and goes. What it parks outlives it: its owner is named in the call, and
    /// another call may wait for the end under that name.
    ///
    /// # Errors
    /// The supervisor has stopped.
    pub async fn connect_once(
        &self,
        identity: Identity,
        process_id: Option<u32>,
    ) -> Result<Connection, RpcError> {
        self.register(identity, process_id, true).await
    }

    async fn register(
        &self,
        identity: Identity,
        process_id: Option<u32>,
        once: bool,
    ) -> Result<Connection, RpcError> {
        let slot = Arc::new(ScreenSlot::default());
        let (caller, scope) = (identity.caller(), Scope::of(&identity));
        let (reply, answer) = oneshot::channel();
        let order = Command::Connect { identity, process_id, once, slot: Arc::clone(&slot), reply };
        self.commands.send(order).await.map_err(|_| stopped())?;
        let client = answer.await.map_err(|_| stopped())?;
        Ok(Connection { shared: Arc::new(Shared { handle: self.clone(), client, caller, scope, slot }) })
    }

    /// Checks the internal credential that a client showed in `hello` (behaviour W2). Absent: refused.
    pub async fn authenticate(&self, credential: Secret, session: Option<SessionId>) -> Option<Identity> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(Command::Authenticate { credential, session, reply }).await.ok()?;
        answer.await.ok().flatten()
    }

    /// Uses up a ticket that an outside client presented (behaviour W1).
    ///
    /// # Errors
    /// It is not valid, or the supervisor has stopped; in a sentence, for a refusal.
    pub async fn redeem(&self, presented: Secret) -> Result<Identity, String> {
        let (reply, answer) = oneshot::channel();
        let order = Command::Redeem { presented, reply };
        self.commands.send(order).await.map_err(|_| stopped().message)?;
        let outcome = answer.await.map_err(|_| stopped().message)?;
        outcome.map_err(|refused| refused.to_string())
    }

    /// Returns the path of the socket that children look for the supervisor on; the server listens there.
    pub fn supervisor_socket(&self) -> &Path {
        &self.socket
    }

    /// Stops the supervisor so that another one may take its place. Its keepers, and what they hold, go on.
    pub async fn stop(&self) {
        self.order_stop(false).await;
    }

    /// Stops the supervisor and tells every subscriber that no other one is to take its place.
    pub async fn stop_for_good(&self) {
        self.order_stop(true).await;
    }

    /// Waits until the sessions' keepers have read all that was typed; call it when nothing more is typed.
    pub async fn settle_keys(&self) {
        self.sessions.settle_keys().await;
    }

    /// Makes again what is missing in the supervisor's place but the server's own socket.
    pub async fn remake_place(&self) {
        let (reply, done) = oneshot::channel();
        // An error means that the supervisor stops.
        if self.commands.send(Command::RemakePlace { reply }).await.is_ok() {
            let _ = done.await;
        }
    }

    /// Stands everything still and returns what another process needs to take this one's place, with the lock of the
    /// folder. Absent if the supervisor stops. Until the [`Verdict`] is told, nothing moves.
    pub async fn hand_over(&self) -> Option<(MovedRuntime, OwnedFd, Verdict)> {
        let (ready, moved) = oneshot::channel();
        let (told, verdict) = oneshot::channel();
        self.commands.send(Command::HandOver(HandOver { ready, verdict })).await.ok()?;
        let (moved, lock) = moved.await.ok()?;
        Some((moved, lock, Verdict(told)))
    }

    /// Makes the connection of a client that an earlier process had.
    pub(super) fn reattach(
        &self,
        client: ClientId,
        identity: &Identity,
        slot: Arc<ScreenSlot>,
    ) -> Connection {
        let (caller, scope) = (identity.caller(), Scope::of(identity));
        Connection { shared: Arc::new(Shared { handle: self.clone(), client, caller, scope, slot }) }
    }

    /// Resolves when the supervisor has stopped, whoever told it to.
    pub async fn stopped(&self) {
        self.commands.closed().await;
    }

    async fn order_stop(&self, announced: bool) {
        let (reply, done) = oneshot::channel();
        if self.commands.send(Command::Stop { announced, reply }).await.is_ok() {
            // An error means that it stopped without an answer, which is what was asked for.
            let _ = done.await;
        }
    }
}

/// Whether another process has taken over. Dropped, it has not.
#[derive(Debug)]
pub struct Verdict(oneshot::Sender<bool>);

impl Verdict {
    /// The other process has everything: this supervisor ends without a word to anybody. Resolves when it has let go of
    /// its keepers.
    pub async fn taken(self, handle: &Handle) {
        // An error means that it has ended already.
        let _ = self.0.send(true);
        handle.stopped().await;
    }
}

#[derive(Debug)]
struct Shared {
    handle: Handle,
    client: ClientId,
    caller: Caller,
    /// What it may see and do, if not everything.
    scope: Option<Scope>,
    slot: Arc<ScreenSlot>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        // An error means that the supervisor stopped, and with it everything this client owned.
        let _ = self.handle.departures.send(self.client);
    }
}

/// One client. Clones share it, so that requests may run at the same time; with the last clone the client is gone,
/// and the challenges it owns are cancelled (behaviour C5).
#[derive(Clone, Debug)]
pub struct Connection {
    shared: Arc<Shared>,
}

impl Connection {
    /// Returns the client's number.
    pub fn client(&self) -> ClientId {
        self.shared.client
    }

    /// Checks whether this client may make a request at all, as the table of methods says.
    ///
    /// # Errors
    /// It may not: the refusal.
    pub fn check(&self, request: &Request) -> Result<(), RpcError> {
        if request.row().callers.contains(&self.shared.caller) {
            return Ok(());
        }
        let text = match (self.shared.caller, &self.shared.scope) {
            (Caller::Provider, Some(scope)) => return Err(scope.refusal()),
            (Caller::Session, _) => "a process inside of a session may not do that",
            (Caller::User, _) => "only a process of the session itself may do that",
            (Caller::Ticket | Caller::Provider, _) => {
                "only a process of this user, over the Unix socket, or of a session may do that"
            }
        };
        Err(RpcError::new(error::FORBIDDEN, text))
    }

    /// Asks for something. What is addressed to the server is refused here: use [`Handle::authenticate`] and
    /// [`Self::subscribe`].
    ///
    /// `challenge.wait` takes as long as the challenge waits; run it beside other calls on a clone.
    ///
    /// # Errors
    /// A refusal, as it is to stand in the answer.
    pub async fn call(&self, request: Request) -> Result<Response, RpcError> {
        self.check(&request)?;
        let Some(scope) = &self.shared.scope else { return self.perform(request).await };
        if let Some(session_id) = scope.check(&request)? {
            let of = SessionRef { session_id: session_id.clone() };
            let polled = self.perform(session::Poll::request(of)).await?;
            match (&request, polled) {
                // A session of another provider is as good as none, which polls to nothing (behaviour S11).
                (
                    Request::Session(session::Request::Poll(_)),
                    Response::Session(session::Response::Poll(polled)),
                ) => {
                    return Ok(session::Poll::response(polled.filter(|polled| scope.is_own(Some(polled)))));
                }
                (_, Response::Session(session::Response::Poll(polled))) if scope.is_own(polled.as_ref()) => {}
                _ => return Err(unknown(session_id)),
            }
        }
        Ok(scope.narrow(self.perform(request).await?))
    }

    async fn perform(&self, request: Request) -> Result<Response, RpcError> {
        match request {
            Request::Terminal(request) => self.shared.handle.sessions.perform(request).await,
            request @ (Request::Server(_)
            | Request::Supervisor(_)
            | Request::Session(_)
            | Request::Challenge(_)) => self.call_runtime(request).await,
        }
    }

    /// The same as [`Self::call`] for a thread that has no async runtime of its own (behaviour C7). It blocks until the
    /// answer is there, and must not be called from within a runtime. Requests about a session's screen and keys are
    /// refused here.
    ///
    /// # Errors
    /// A refusal, as it is to stand in the answer.
    pub fn call_blocking(&self, request: Request) -> Result<Response, RpcError> {
        self.check(&request)?;
        let (reply, answer) = oneshot::channel();
        let order = Command::Call { client: self.shared.client, request: Box::new(request), reply };
        self.shared.handle.commands.blocking_send(order).map_err(|_| stopped())?;
        answer.blocking_recv().map_err(|_| stopped())?
    }

    async fn call_runtime(&self, request: Request) -> Result<Response, RpcError> {
        let (reply, answer) = oneshot::channel();
        let order = Command::Call { client: self.shared.client, request: Box::new(request), reply };
        self.shared.handle.commands.send(order).await.map_err(|_| stopped())?;
        // Whoever worked on it is gone without an answer.
        answer
            .await
            .map_err(|_| if self.shared.handle.commands.is_closed() { stopped() } else { panicked() })?
    }

    /// Begins to tell this client everything that happens.
    ///
    /// # Errors
    /// The supervisor has stopped.
    pub async fn subscribe(&self) -> Result<Subscription, RpcError> {
        let (snapshot, events) = subscribe(&self.shared.handle.commands).await.ok_or_else(stopped)?;
        Ok(self.subscribed(snapshot, events))
    }

    /// Makes a subscription of a snapshot and the events that follow it.
    pub(super) fn subscribed(
        &self,
        snapshot: Snapshot,
        events: broadcast::Receiver<NumberedEvent>,
    ) -> Subscription {
        let commands = self.shared.handle.commands.clone();
        Subscription::begin(commands, self.shared.scope.clone(), snapshot, events)
    }

    /// Waits for the next change of the focused session's screen (`session.focus`), as often as
    /// [`super::DriverSettings::frames`] allows. It is state, not a queue: an update holds whatever changed since the
    /// last one that was taken. Cancelling loses nothing.
    pub async fn next_screen(&self) -> ScreenUpdate {
        self.shared.slot.next().await
    }
}

/// A client that was connected to the runtime before, as the next runtime has it.
#[derive(Debug)]
pub struct Reattached {
    /// Its connection, under the same number.
    pub connection: Connection,
    /// For one that had subscribed: the events that follow the last one it was told.
    pub subscription: Subscription,
}

fn panicked() -> RpcError {
    let text = "authdeck failed at this itself; please report it, and try once more";
    RpcError::new(error::INTERNAL, text)
}

pub(super) fn stopped() -> RpcError {
    RpcError::new(error::INTERNAL, "the supervisor has stopped; start authdeck again")
}
