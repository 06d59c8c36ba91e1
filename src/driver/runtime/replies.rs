//! Carries the engine's answers to whoever waits for them.

use std::collections::HashMap;

use crate::core::effect::{Refusal, RefusalKind, Reply, Taking};
use crate::core::ids::ClientId;
use crate::core::input::ReplyId;
use crate::driver::command::AnswerSender;
use crate::driver::moved::Parked;
use crate::protocol::error::{self, RpcError};
use crate::protocol::method::{Method, Response, challenge};
use crate::protocol::request::{self, ChallengeAnswer, Destination};

/// Who waits.
#[derive(Debug)]
struct Waiter {
    client: ClientId,
    reply: AnswerSender,
    /// Makes the method's response of the engine's reply.
    respond: fn(Reply) -> Result<Response, RpcError>,
    /// For a challenge that is being parked: its owner.
    owner: Option<String>,
}

/// Everybody who waits for an answer of the engine.
#[derive(Debug, Default)]
pub struct Replies {
    last: u64,
    waiters: HashMap<ReplyId, Waiter>,
}

impl Replies {
    /// Makes a name for an answer that nobody waits for.
    pub fn nobody(&mut self) -> ReplyId {
        self.last += 1;
        ReplyId(self.last)
    }

    /// Makes a name for an answer that a client waits for.
    pub fn expect<M>(&mut self, client: ClientId, reply: AnswerSender) -> ReplyId
    where
        M: Method<Answer: FromReply>,
    {
        let id = self.nobody();
        self.waiters.insert(id, Waiter { client, reply, respond: respond::<M>, owner: None });
        id
    }

    /// The same for a challenge that is being parked.
    pub fn expect_parked(&mut self, client: ClientId, reply: AnswerSender, owner: String) -> ReplyId {
        let id = self.nobody();
        let respond = respond::<challenge::Park>;
        self.waiters.insert(id, Waiter { client, reply, respond, owner: Some(owner) });
        id
    }

    /// Delivers an answer. Returns what a client has parked with it, if that is what it says; false beside it means
    /// that the client was gone before it could learn of it.
    pub fn deliver(&mut self, to: ReplyId, value: Reply) -> Option<(ClientId, Parked, bool)> {
        let waiter = self.waiters.remove(&to)?;
        let parked = match (&value, waiter.owner) {
            (Reply::Parked { challenge_id, epoch }, Some(owner)) => {
                Some(Parked { challenge_id: challenge_id.clone(), epoch: *epoch, owner })
            }
            _ => None,
        };
        let heard = waiter.reply.send((waiter.respond)(value)).is_ok();
        parked.map(|parked| (waiter.client, parked, heard))
    }
}

/// An answer that the engine gives.
pub trait FromReply: Sized {
    /// Takes it out of the engine's reply; absent: the engine replied something else.
    fn from_reply(reply: Reply) -> Option<Result<Self, RpcError>>;
}

impl FromReply for request::Started {
    fn from_reply(reply: Reply) -> Option<Result<Self, RpcError>> {
        let Reply::Started { session_id, auth_url } = reply else { return None };
        Some(Ok(Self { session_id, auth_url }))
    }
}

impl FromReply for bool {
    fn from_reply(reply: Reply) -> Option<Result<Self, RpcError>> {
        match reply {
            Reply::Done(done) => Some(Ok(done)),
            Reply::Taken(taking) => Some(taken(taking)),
            _ => None,
        }
    }
}

impl FromReply for request::Submitted {
    fn from_reply(reply: Reply) -> Option<Result<Self, RpcError>> {
        let Reply::Submitted { delivered, to_loopback, message } = reply else { return None };
        let destination = if to_loopback { Destination::Loopback } else { Destination::Stdin };
        Some(Ok(Self { delivered, destination, message }))
    }
}

impl FromReply for request::Parked {
    fn from_reply(reply: Reply) -> Option<Result<Self, RpcError>> {
        let Reply::Parked { challenge_id, epoch } = reply else { return None };
        Some(Ok(Self { challenge_id, epoch }))
    }
}

impl FromReply for ChallengeAnswer {
    fn from_reply(reply: Reply) -> Option<Result<Self, RpcError>> {
        match reply {
            Reply::Answer { user, secret } => Some(Ok(Self::Answered { user, secret })),
            Reply::Ended(outcome) => Some(Ok(Self::Ended(outcome))),
            _ => None,
        }
    }
}

impl FromReply for u64 {
    fn from_reply(reply: Reply) -> Option<Result<Self, RpcError>> {
        let Reply::Count(count) = reply else { return None };
        Some(Ok(count))
    }
}

fn respond<M: Method<Answer: FromReply>>(reply: Reply) -> Result<Response, RpcError> {
    if let Reply::Refused(refusal) = reply {
        return Err(refused(refusal));
    }
    let answer = M::Answer::from_reply(reply).unwrap_or_else(|| {
        let text =
            format!("the supervisor answered `{}` with something else; please report this", M::ROW.name);
        Err(RpcError::new(error::INTERNAL, text))
    });
    answer.map(M::response)
}

/// The one who took it is told true, everybody else false (behaviour C3).
fn taken(taking: Taking) -> Result<bool, RpcError> {
    match taking {
        Taking::Won => Ok(true),
        Taking::TooLate => Ok(false),
        Taking::Unknown => Err(RpcError::new(
            error::NOT_FOUND,
            "no challenge of that id is parked; it may have ended long ago",
        )),
    }
}

fn refused(refusal: Refusal) -> RpcError {
    let code = match refusal.kind {
        RefusalKind::NotFound => error::NOT_FOUND,
        RefusalKind::PasteRefused => error::PASTE_REFUSED,
        RefusalKind::AskFirst => error::ASK_FIRST,
        RefusalKind::CannotStart => error::CANNOT_START,
        RefusalKind::LimitReached => error::LIMIT_REACHED,
        RefusalKind::TooLate => error::TOO_LATE,
        RefusalKind::NotTheOwner => error::NOT_FOUND,
        RefusalKind::InvalidAnswer => error::INVALID_PARAMS,
    };
    RpcError::new(code, refusal.message)
}
