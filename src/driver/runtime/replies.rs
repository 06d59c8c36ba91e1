//! Carries the engine's answers to whoever waits for them.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::Value;

use crate::core::effect::{Refusal, RefusalKind, Reply, Taking};
use crate::core::ids::ClientId;
use crate::core::input::ReplyId;
use crate::driver::command::Answer;
use crate::driver::command::AnswerSender;
use crate::driver::moved::Parked;
use crate::protocol::error::{self, RpcError};
use crate::protocol::request::{self, ChallengeAnswer, Destination};

/// Who waits.
#[derive(Debug)]
struct Waiter {
    client: ClientId,
    reply: AnswerSender,
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
    pub fn expect(&mut self, client: ClientId, reply: AnswerSender) -> ReplyId {
        let id = self.nobody();
        self.waiters.insert(id, Waiter { client, reply, owner: None });
        id
    }

    /// The same for a challenge that is being parked.
    pub fn expect_parked(&mut self, client: ClientId, reply: AnswerSender, owner: String) -> ReplyId {
        let id = self.nobody();
        self.waiters.insert(id, Waiter { client, reply, owner: Some(owner) });
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
        let heard = waiter.reply.send(answer(value)).is_ok();
        parked.map(|parked| (waiter.client, parked, heard))
    }
}

/// Writes a result for the wire.
pub fn value(result: &impl Serialize) -> Result<Answer, RpcError> {
    serde_json::to_value(result)
        .map(Answer::Value)
        .map_err(|error| RpcError::new(error::INTERNAL, format!("the answer could not be written: {error}")))
}

fn answer(reply: Reply) -> Result<Answer, RpcError> {
    match reply {
        Reply::Started { session_id, auth_url } => value(&request::Started { session_id, auth_url }),
        Reply::Done(done) => Ok(Answer::Value(Value::Bool(done))),
        Reply::Submitted { delivered, to_loopback, message } => {
            let destination = if to_loopback { Destination::Loopback } else { Destination::Stdin };
            value(&request::Submitted { delivered, destination, message })
        }
        Reply::Parked { challenge_id, epoch } => value(&request::Parked { challenge_id, epoch }),
        Reply::Answer { user, secret } => Ok(Answer::Challenge(ChallengeAnswer::Answered { user, secret })),
        Reply::Ended(outcome) => Ok(Answer::Challenge(ChallengeAnswer::Ended(outcome))),
        Reply::Taken(taking) => taken(taking),
        Reply::Count(count) => value(&count),
        Reply::Refused(refusal) => Err(refused(refusal)),
    }
}

/// The one who took it is told true, everybody else false (behaviour C3).
fn taken(taking: Taking) -> Result<Answer, RpcError> {
    match taking {
        Taking::Won => Ok(Answer::Value(Value::Bool(true))),
        Taking::TooLate => Ok(Answer::Value(Value::Bool(false))),
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
