//! Speaks to a supervisor over any byte stream: requests and their answers, events, screens. Knows nothing of what is
//! drawn.
//!
//! [`Client::connect`] gives two things: the [`Client`], cheap to clone, which asks; and the [`Events`], which tell.
//! Events are to be taken all the time: once [`EVENT_ROOM`] of them lie there, nothing more is read from the
//! supervisor, answers included, until one is taken.

mod calls;

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::de::DeserializeOwned;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::os::peers::PeerCredentials;
use crate::protocol::decode::{self, FromServer};
use crate::protocol::encode;
use crate::protocol::error::RpcError;
use crate::protocol::event::NumberedEvent;
use crate::protocol::frame::Frame;
use crate::protocol::method::{Method, Request, server};
use crate::protocol::request::Nothing;
use crate::protocol::screen::ScreenUpdate;
use crate::protocol::snapshot::Snapshot;
use crate::wire::{Happening, Stream, Wire, WireError};

/// Events that may lie there untaken.
pub const EVENT_ROOM: usize = 1024;

/// Requests that may wait to be written.
const REQUEST_ROOM: usize = 1024;

/// How long an answer may take. The supervisor answers everything but `challenge.wait` and a paste's replay at once.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);

/// How long a goodbye may take.
const GOODBYE_LIMIT: Duration = Duration::from_millis(500);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// There is no supervisor to speak to.
    #[error("no supervisor answers at {path}")]
    Unreachable {
        /// The socket's path.
        path: String,
        /// Why not.
        source: io::Error,
    },
    /// The socket is somebody else's.
    #[error("the socket {path} belongs to another user, so it is not used")]
    Foreign {
        /// The socket's path.
        path: String,
    },
    /// The connection was not made.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The supervisor refused.
    #[error("{}", .0.message)]
    Refused(RpcError),
    /// The connection ended before the answer came.
    #[error("the connection to the supervisor ended")]
    Closed,
    /// Too many requests wait to be written.
    #[error("the supervisor does not read what is sent to it")]
    Busy,
    /// The answer did not come in time.
    #[error("the supervisor did not answer within {} s", ANSWER_LIMIT.as_secs())]
    Slow,
}

/// What the supervisor tells unasked.
#[derive(Debug)]
pub enum ClientEvent {
    /// Something happened.
    Event(Box<NumberedEvent>),
    /// What changed on the focused session's screen.
    Screen(Box<ScreenUpdate>),
    /// Something that was told and not asked cannot be done.
    Complaint(RpcError),
    /// Events were dropped: everything starts over from here.
    Resync(Box<Snapshot>),
    /// The connection is over, with a sentence that says why. The last event.
    Closed(String),
}

/// Asks a supervisor. Clones share one connection, which ends with the last of them and the [`Events`].
#[derive(Clone, Debug)]
pub struct Client {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    requests: mpsc::Sender<Frame>,
    waiting: Waiting,
    next_id: AtomicU64,
}

/// The requests whose answer is awaited.
type Waiting = Arc<Mutex<HashMap<u64, oneshot::Sender<Frame>>>>;

/// An answer that is on its way.
#[derive(Debug)]
pub struct Pending {
    answer: oneshot::Receiver<Frame>,
}

impl Pending {
    /// Waits for the answer, as long as it takes.
    ///
    /// # Errors
    /// The supervisor refused, or the connection ended.
    pub async fn wait<T: DeserializeOwned>(self) -> Result<T, ClientError> {
        let text = self.answer.await.map_err(|_| ClientError::Closed)?;
        decode::answer(&text).map_err(ClientError::Refused)
    }
}

impl Client {
    /// Opens a connection over a byte stream. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// The other side does not answer as a supervisor does.
    pub async fn connect<S>(stream: S) -> Result<(Self, Events), ClientError>
    where
        S: Stream + Send + 'static,
    {
        let wire = Wire::connect(stream).await?;
        let (requests, outbox) = mpsc::channel(REQUEST_ROOM);
        let (told, receiver) = mpsc::channel(EVENT_ROOM);
        let waiting = Waiting::default();
        tokio::spawn(carry(wire, outbox, told, Arc::clone(&waiting)));
        let next_id = AtomicU64::new(1);
        let client = Self { shared: Arc::new(Shared { requests, waiting, next_id }) };
        let events = Events { receiver, client: client.clone(), owes_taken: false };
        Ok((client, events))
    }

    /// Sends a request now, before this returns; requests arrive in the order of these calls.
    ///
    /// # Errors
    /// The connection ended, or too much waits to be written.
    pub fn begin(&self, request: &Request) -> Result<Pending, ClientError> {
        let id = self.shared.next_id.fetch_add(1, Ordering::Relaxed);
        let (reply, answer) = oneshot::channel();
        lock(&self.shared.waiting).insert(id, reply);
        if let Err(error) = self.write(encode::request(Some(id), request)) {
            lock(&self.shared.waiting).remove(&id);
            return Err(error);
        }
        Ok(Pending { answer })
    }

    /// Sends a request to which no answer is wanted.
    ///
    /// # Errors
    /// The connection ended, or too much waits to be written.
    pub fn tell(&self, request: &Request) -> Result<(), ClientError> {
        self.write(encode::request(None, request))
    }

    /// Sends a request and waits for the answer, a minute at most.
    ///
    /// # Errors
    /// The supervisor refused, did not answer in time, or the connection ended.
    pub async fn call<M: Method>(&self, params: M::Params) -> Result<M::Answer, ClientError> {
        let pending = self.begin(&M::request(params))?;
        timeout(ANSWER_LIMIT, pending.wait()).await.map_err(|_| ClientError::Slow)?
    }

    fn write(&self, frame: Frame) -> Result<(), ClientError> {
        self.shared.requests.try_send(frame).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => ClientError::Busy,
            mpsc::error::TrySendError::Closed(_) => ClientError::Closed,
        })
    }
}

/// Connects to the supervisor that serves a Unix socket.
///
/// # Errors
/// Nobody serves it, or somebody else than this user does.
pub async fn connect_unix(path: &Path) -> Result<(Client, Events), ClientError> {
    let stream = tokio::net::UnixStream::connect(path)
        .await
        .map_err(|source| ClientError::Unreachable { path: path.display().to_string(), source })?;
    let owner = PeerCredentials::of(&stream).ok();
    connect_stream(stream, owner, path).await
}

/// Opens a connection over a stream that was connected to the Unix socket `path`; `owner` is whoever serves it, as the
/// kernel says.
///
/// # Errors
/// Somebody else than this user serves it, or whoever does is no supervisor.
pub async fn connect_stream<S>(
    stream: S,
    owner: Option<PeerCredentials>,
    path: &Path,
) -> Result<(Client, Events), ClientError>
where
    S: Stream + Send + 'static,
{
    let name = || path.display().to_string();
    if !owner.is_some_and(PeerCredentials::is_own_user) {
        return Err(ClientError::Foreign { path: name() });
    }
    Client::connect(stream).await
}

/// What the supervisor tells this client.
#[derive(Debug)]
pub struct Events {
    receiver: mpsc::Receiver<ClientEvent>,
    client: Client,
    owes_taken: bool,
}

impl Events {
    /// Waits for the next thing told; absent once the connection is over and everything was taken.
    ///
    /// Asking for the next one says that the last screen update was drawn, if the supervisor wants to know, so call this
    /// again only after drawing: it then sends the next update, with whatever changed meanwhile. Cancelling loses nothing.
    pub async fn next(&mut self) -> Option<ClientEvent> {
        if std::mem::take(&mut self.owes_taken) {
            // An error means that the connection is over, which the receiver tells.
            let _ = self.client.tell(&server::ScreenTaken::request(Nothing {}));
        }
        let event = self.receiver.recv().await;
        self.owes_taken = asks_for_word(event.as_ref());
        event
    }

    /// Takes what lies there without waiting.
    pub fn try_next(&mut self) -> Option<ClientEvent> {
        let event = self.receiver.try_recv().ok();
        self.owes_taken |= asks_for_word(event.as_ref());
        event
    }
}

fn asks_for_word(event: Option<&ClientEvent>) -> bool {
    matches!(event, Some(ClientEvent::Screen(update)) if update.acknowledge)
}

fn lock(waiting: &Waiting) -> MutexGuard<'_, HashMap<u64, oneshot::Sender<Frame>>> {
    // Every section below is one operation of the map, which leaves it whole.
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Carries frames both ways until one side is done.
async fn carry<S: Stream>(
    mut wire: Wire<S>,
    mut outbox: mpsc::Receiver<Frame>,
    told: mpsc::Sender<ClientEvent>,
    waiting: Waiting,
) {
    let mut untold = None;
    let reason = loop {
        tokio::select! {
            happening = wire.next(untold.is_none()) => match happening {
                Happening::Text(text) => untold = sort(text, &waiting),
                Happening::Written => {}
                Happening::NotText => break "the supervisor speaks another protocol".to_owned(),
                Happening::Closed(None) => break "the supervisor closed the connection".to_owned(),
                Happening::Closed(Some(error)) => break error.to_string(),
            },
            request = outbox.recv(), if !wire.is_writing() => match request {
                Some(frame) => {
                    if let Err(error) = wire.send(&frame) {
                        break error.to_string();
                    }
                }
                None => break "this side closed the connection".to_owned(),
            },
            room = told.reserve(), if untold.is_some() => match (room, untold.take()) {
                (Ok(room), Some(event)) => room.send(event),
                // Nobody listens, and nothing may keep the answers back.
                (Err(_), _) | (_, None) => {}
            },
        }
    };
    drop(outbox);
    lock(&waiting).clear();
    // Nobody may listen any more.
    let _ = told.try_send(ClientEvent::Closed(reason));
    wire.close(GOODBYE_LIMIT).await;
}

/// Hands an answer to whoever waits for it; returns anything else.
fn sort(text: Frame, waiting: &Waiting) -> Option<ClientEvent> {
    match decode::from_server(&text) {
        Ok(FromServer::Answer(id)) => {
            if let Some(reply) = lock(waiting).remove(&id) {
                // Whoever waited may have given up.
                let _ = reply.send(text);
            }
            None
        }
        Ok(FromServer::Event(event)) => Some(ClientEvent::Event(event)),
        Ok(FromServer::Screen(update)) => Some(ClientEvent::Screen(update)),
        Ok(FromServer::Complaint(error)) => Some(ClientEvent::Complaint(error)),
        Ok(FromServer::Resync(snapshot)) => Some(ClientEvent::Resync(snapshot)),
        // From a newer supervisor: skipped, not fatal.
        Ok(FromServer::Unknown) | Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::DuplexStream;

    use super::*;
    use crate::core::ids::SessionId;
    use crate::protocol::error::NOT_FOUND;
    use crate::protocol::method::supervisor;
    use crate::wire::LONGEST_FRAME;

    /// The supervisor's end of a connection, played by the test.
    async fn pair() -> (Client, Events, Wire<DuplexStream>) {
        let (near, far) = tokio::io::duplex(4096);
        let (accepted, connected) = tokio::join!(tokio_tungstenite::accept_async(far), Client::connect(near));
        let (client, events) = connected.unwrap();
        (client, events, Wire::resume(accepted.unwrap().into_inner(), &[], LONGEST_FRAME))
    }

    async fn read(wire: &mut Wire<DuplexStream>) -> serde_json::Value {
        loop {
            match wire.next(true).await {
                Happening::Text(text) => return serde_json::from_slice(&text).unwrap(),
                Happening::Written => {}
                other => panic!("{other:?}"),
            }
        }
    }

    async fn say(wire: &mut Wire<DuplexStream>, text: &str) {
        wire.send(&Frame::new(text.as_bytes().to_vec())).unwrap();
        while wire.is_writing() {
            assert!(matches!(wire.next(false).await, Happening::Written));
        }
    }

    fn screen(generation: u64, acknowledge: bool) -> String {
        format!(
            r#"{{"jsonrpc":"2.0","method":"screen","params":{{"sessionId":"a","generation":{generation},
            "columns":80,"rows":24,"historyStart":0,"screenStart":0,"acknowledge":{acknowledge}}}}}"#
        )
    }

    #[tokio::test]
    async fn answers_find_their_requests_whatever_their_order() {
        let (client, _events, mut wire) = pair().await;
        let first = client.begin(&supervisor::Pending::request(Nothing {})).unwrap();
        let second = client.begin(&supervisor::Pending::request(Nothing {})).unwrap();
        let ids = [read(&mut wire).await["id"].clone(), read(&mut wire).await["id"].clone()];
        say(&mut wire, &format!(r#"{{"jsonrpc":"2.0","id":{},"result":2}}"#, ids[1])).await;
        let error = format!(r#"{{"code":{NOT_FOUND},"message":"gone"}}"#);
        say(&mut wire, &format!(r#"{{"jsonrpc":"2.0","id":{},"error":{error}}}"#, ids[0])).await;
        assert_eq!(second.wait::<u64>().await.unwrap(), 2);
        assert_eq!(first.wait::<u64>().await.unwrap_err().to_string(), "gone");
    }

    #[tokio::test]
    async fn a_screen_is_acknowledged_when_that_is_wanted_and_it_was_taken() {
        let (client, mut events, mut wire) = pair().await;
        say(&mut wire, &screen(0, false)).await;
        say(&mut wire, &screen(1, true)).await;
        assert!(matches!(events.next().await, Some(ClientEvent::Screen(update)) if update.generation == 0));
        assert!(matches!(events.next().await, Some(ClientEvent::Screen(update)) if update.generation == 1));
        client.focus(None).unwrap();
        let asked = read(&mut wire).await;
        assert_eq!(asked["method"], "session.focus", "nothing was taken before the deck asked for more");
        let (next, taken) = tokio::join!(events.next(), async {
            let taken = read(&mut wire).await;
            say(&mut wire, &screen(2, true)).await;
            taken
        });
        assert_eq!(taken["method"], "screen.taken");
        assert_eq!(taken.get("id"), None);
        assert!(matches!(next, Some(ClientEvent::Screen(update)) if update.generation == 2));
    }

    #[tokio::test]
    async fn what_this_client_does_not_know_is_skipped() {
        let (client, mut events, mut wire) = pair().await;
        say(&mut wire, r#"{"jsonrpc":"2.0","method":"later","params":{}}"#).await;
        say(&mut wire, r#"{"jsonrpc":"2.0","id":77,"result":true}"#).await;
        say(&mut wire, "no JSON at all").await;
        say(&mut wire, &screen(5, true)).await;
        assert!(matches!(events.next().await, Some(ClientEvent::Screen(_))));
        drop(client);
    }

    #[tokio::test]
    async fn whoever_waits_learns_that_the_connection_ended() {
        let (client, mut events, wire) = pair().await;
        let waiting = client.begin(&supervisor::Pending::request(Nothing {})).unwrap();
        drop(wire);
        assert!(matches!(waiting.wait::<u64>().await, Err(ClientError::Closed)));
        assert!(matches!(events.next().await, Some(ClientEvent::Closed(_))));
        assert!(events.next().await.is_none());
        assert!(matches!(client.pending_challenges().await, Err(ClientError::Closed)));
    }

    #[tokio::test]
    async fn typed_bytes_go_out_in_order_as_base64() {
        let (client, _events, mut wire) = pair().await;
        let session = SessionId::new("auth-1");
        for key in [b"a".as_slice(), b"\x1b[A", b"\r"] {
            client.input(&session, key).unwrap();
        }
        let mut typed = Vec::new();
        for _ in 0..3 {
            typed.push(read(&mut wire).await["params"]["base64"].as_str().unwrap().to_owned());
        }
        assert_eq!(typed, ["YQ==", "G1tB", "DQ=="]);
    }

    #[tokio::test]
    async fn nobody_serving_is_told_with_the_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("supervisor.sock");
        let error = connect_unix(&path).await.unwrap_err().to_string();
        assert!(
            error.starts_with("no supervisor answers at ") && error.contains("supervisor.sock"),
            "{error}"
        );
    }
}
