//! Where the tasks of the sessions are reached: by clients directly, so that a key press waits for nobody else, and
//! by the runtime.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::sync::{mpsc, oneshot};
use zeroize::Zeroizing;

use super::command::AnswerSender;
use super::keeper_link::{InputOutcome, KeeperHandle};
use super::screen_slot::ScreenSlot;
use crate::core::ids::{ClientId, SessionId};
use crate::core::input::DeliveryId;
use crate::core::secret::Secret;
use crate::protocol::error::{self, RpcError};
use crate::protocol::method::{Method, Response, terminal};
use crate::protocol::request::{Addressee, InputBytes};

/// Bytes of a line that a terminal certainly hands over whole.
const LONGEST_LINE: usize = 4_095;

/// How many questions of clients may wait for one session; a further one waits with its client.
const ASK_QUEUE: usize = 64;

/// What the runtime orders a session's task to do.
#[derive(Debug)]
pub(super) enum Order {
    /// Writes a line for the engine.
    WriteLine { delivery: DeliveryId, text: Secret, hidden: bool },
    /// Kills the child.
    Kill { force: bool },
    /// Lets the keeper end, once all that it holds was read.
    Release,
    /// Lets the keeper end, whatever it holds, and ends the task.
    Forget,
    /// Begins to fill a client's slot.
    Focus { client: ClientId, slot: Arc<ScreenSlot> },
    /// Ceases to.
    Unfocus { client: ClientId },
    /// Notes that a person typed into the child.
    Typed,
    /// Takes a URL that the child handed to a browser.
    Opened(String),
    /// Makes the session's folder again, if somebody has emptied it.
    RemakeFolder,
    /// Keeps a text out of everything that is shown from now on.
    Mask(Secret),
}

/// The way of keys to a session's child: straight to its keeper, so that a key waits for no task.
#[derive(Debug, Default)]
pub(super) struct Keys {
    /// The keeper, while the child takes input.
    keeper: Mutex<Option<KeeperHandle>>,
    /// The session's task knows that a person types, and looks for itself whether more was typed.
    known: AtomicBool,
    /// Something was typed that it has not seen to.
    more: AtomicBool,
}

impl Keys {
    /// Opens the way, or closes it.
    pub fn lead_to(&self, keeper: Option<KeeperHandle>) {
        *self.keeper.lock().unwrap_or_else(PoisonError::into_inner) = keeper;
    }

    /// Tells whether something was typed since the last call. If not, the next key sends [`Order::Typed`] again.
    pub fn were_typed(&self) -> bool {
        if self.more.swap(false, Ordering::AcqRel) {
            return true;
        }
        self.known.store(false, Ordering::Release);
        // A key that came in between has seen that this was known.
        let late = self.more.swap(false, Ordering::AcqRel);
        if late {
            self.known.store(true, Ordering::Release);
        }
        late
    }

    /// Notes a key; returns whether the session's task has to be told.
    fn note(&self) -> bool {
        self.more.store(true, Ordering::Release);
        !self.known.swap(true, Ordering::AcqRel)
    }

    fn keeper(&self) -> Option<KeeperHandle> {
        self.keeper.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The ways into a session's task.
#[derive(Clone, Debug)]
pub(super) struct Port {
    pub keys: Arc<Keys>,
    /// From clients: bounded, they wait.
    pub asks: mpsc::Sender<(terminal::Request, AnswerSender)>,
    /// From the runtime, which must not wait. Unbounded; the engine orders a handful of things for each session.
    pub orders: mpsc::UnboundedSender<Order>,
}

impl Port {
    /// Sees to it that the session's task knows that a person types.
    fn note_typing(&self) {
        if self.keys.note() {
            // An error means that the session was removed meanwhile.
            let _ = self.orders.send(Order::Typed);
        }
    }
}

/// The session task's ends of a [`Port`].
#[derive(Debug)]
pub(super) struct Mailbox {
    pub keys: Arc<Keys>,
    pub asks: mpsc::Receiver<(terminal::Request, AnswerSender)>,
    pub orders: mpsc::UnboundedReceiver<Order>,
}

/// Makes both ends.
pub(super) fn port() -> (Port, Mailbox) {
    let (asks, asked) = mpsc::channel(ASK_QUEUE);
    let (orders, ordered) = mpsc::unbounded_channel();
    let keys = Arc::new(Keys::default());
    (Port { keys: Arc::clone(&keys), asks, orders }, Mailbox { keys, asks: asked, orders: ordered })
}

/// All sessions that have a task.
#[derive(Clone, Debug, Default)]
pub(super) struct Sessions(Arc<RwLock<HashMap<SessionId, Port>>>);

impl Sessions {
    pub fn insert(&self, session_id: SessionId, port: Port) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(session_id, port);
    }

    pub fn remove(&self, session_id: &SessionId) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(session_id);
    }

    pub fn get(&self, session_id: &SessionId) -> Option<Port> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(session_id).cloned()
    }

    /// Sees to a request about a session's terminal.
    pub async fn perform(&self, request: terminal::Request) -> Result<Response, RpcError> {
        match request {
            terminal::Request::Input(input) => {
                let typed = self.type_bytes(&input.session_id, &decoded(&input)?).await?;
                Ok(terminal::Input::response(typed))
            }
            // A session that is not there takes no size (behaviour S10): that is an answer, not an error.
            terminal::Request::Resize(_) => match self.ask(request).await {
                Err(refusal) if refusal.code == error::NOT_FOUND => Ok(terminal::Resize::response(false)),
                other => other,
            },
            request => self.ask(request).await,
        }
    }

    /// Types bytes into a session's child; false if nobody is there to read them (behaviour S10).
    ///
    /// # Errors
    /// The child reads whole lines, and one of them is so long that the kernel would cut it off. Nothing was typed.
    async fn type_bytes(&self, session_id: &SessionId, bytes: &[u8]) -> Result<bool, RpcError> {
        let Some(port) = self.get(session_id) else { return Ok(false) };
        let Some(keeper) = port.keys.keeper() else { return Ok(false) };
        let typed = if has_long_line(bytes) {
            match keeper.write(bytes).await {
                InputOutcome::Written => true,
                InputOutcome::Closed => false,
                refused => {
                    let text = format!("Nothing was typed: {}.", refused.reason());
                    return Err(RpcError::new(error::LIMIT_REACHED, text));
                }
            }
        } else {
            keeper.type_keys(bytes)
        };
        if typed {
            port.note_typing();
        }
        Ok(typed)
    }

    /// Waits until the children have read all keys that were typed, or had their time to; what waits when this process
    /// ends would be lost.
    pub async fn settle_keys(&self) {
        let ports: Vec<Port> =
            self.0.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        let settling =
            ports.iter().filter_map(|port| port.keys.keeper()).map(async |keeper| keeper.settled().await);
        futures_util::future::join_all(settling).await;
    }

    /// Asks a session's task and waits for its answer.
    async fn ask(&self, request: terminal::Request) -> Result<Response, RpcError> {
        let Addressee::Session(session_id) = request.addressee() else { return Err(not_here()) };
        let (session_id, (reply, answer)) = (session_id.clone(), oneshot::channel());
        let port = self.get(&session_id).ok_or_else(|| unknown(&session_id))?;
        port.asks.send((request, reply)).await.map_err(|_| unknown(&session_id))?;
        answer.await.map_err(|_| unknown(&session_id))?
    }

    /// Gives an order to all sessions.
    pub fn order_all(&self, order: impl Fn() -> Order) {
        for port in self.0.read().unwrap_or_else(PoisonError::into_inner).values() {
            // An error means that the session was removed meanwhile.
            let _ = port.orders.send(order());
        }
    }

    /// Gives an order; one for a session without a task goes nowhere, and false is returned.
    pub fn order(&self, session_id: &SessionId, order: Order) -> bool {
        self.get(session_id).is_some_and(|port| port.orders.send(order).is_ok())
    }
}

/// Tells whether a line is longer than what a terminal hands over of one (`N_TTY_BUF_SIZE`, termios(3)).
fn has_long_line(bytes: &[u8]) -> bool {
    bytes.split(|byte| matches!(byte, b'\r' | b'\n')).any(|line| line.len() >= LONGEST_LINE)
}

pub(super) fn unknown(session_id: &SessionId) -> RpcError {
    let text =
        format!("there is no session {session_id}, or it was removed; session.list names all that are there");
    RpcError::new(error::NOT_FOUND, text)
}

/// A request came to a place that does not see to it.
pub(super) fn not_here() -> RpcError {
    RpcError::new(error::INVALID_REQUEST, "this request is not for the supervisor's runtime")
}

/// Answers whoever asked, and may be gone.
pub(super) fn respond<M: Method>(reply: AnswerSender, outcome: Result<M::Answer, RpcError>) {
    let _ = reply.send(outcome.map(M::response));
}

fn decoded(input: &InputBytes) -> Result<Zeroizing<Vec<u8>>, RpcError> {
    STANDARD
        .decode(input.base64.secret())
        .map(Zeroizing::new)
        .map_err(|_| RpcError::new(error::INVALID_PARAMS, "`base64` is no base64 (RFC 4648 section 4)"))
}
