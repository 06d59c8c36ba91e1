//! What the runtime is told to do, and the answers that it gives.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use tokio::sync::{broadcast, oneshot};

use super::identity::Identity;
use super::moved::MovedRuntime;
use super::screen_slot::ScreenSlot;
use crate::core::ids::{ClientId, SessionId};
use crate::core::secret::Secret;
use crate::core::token::ticket::TicketRefused;
use crate::protocol::error::RpcError;
use crate::protocol::event::NumberedEvent;
use crate::protocol::method::{Request, Response};
use crate::protocol::snapshot::Snapshot;

/// Who waits for an answer, and how it comes back.
pub(super) type AnswerSender = oneshot::Sender<Result<Response, RpcError>>;

/// An order to the runtime.
#[derive(Debug)]
pub(super) enum Command {
    /// A client is there.
    Connect {
        identity: Identity,
        process_id: Option<u32>,
        /// It makes one call and goes.
        once: bool,
        slot: Arc<ScreenSlot>,
        reply: oneshot::Sender<ClientId>,
    },
    /// A client asks.
    Call { client: ClientId, request: Box<Request>, reply: AnswerSender },
    /// A client wants to know everything from now on.
    Subscribe { reply: oneshot::Sender<(Snapshot, broadcast::Receiver<NumberedEvent>)> },
    /// A client shows the internal credential.
    Authenticate { credential: Secret, session: Option<SessionId>, reply: oneshot::Sender<Option<Identity>> },
    /// An outside client presents a ticket.
    Redeem { presented: Secret, reply: oneshot::Sender<Result<Identity, TicketRefused>> },
    /// The supervisor is to stop; its sessions go on. If `announced`, every subscriber is told first.
    Stop { announced: bool, reply: oneshot::Sender<()> },
    /// Another process takes this one's place.
    HandOver(HandOver),
    /// Something was removed from the place; what is missing is to be made again.
    RemakePlace { reply: oneshot::Sender<()> },
}

/// The order to hand everything over.
#[derive(Debug)]
pub struct HandOver {
    /// Gets what goes over, and the folder's lock, as soon as no session is in the middle of its start.
    pub ready: oneshot::Sender<(MovedRuntime, OwnedFd)>,
    /// True: the other process has it. False or dropped: it does not, and everything goes on here.
    pub verdict: oneshot::Receiver<bool>,
}
