//! Writes what crosses the wire. Requests and answers that carry a secret are written here and nowhere else, each by
//! its own lines, into buffers that are zeroised.

use serde::Serialize;
use serde_json::Value;
use zeroize::Zeroizing;

use super::error::RpcError;
use super::event::{ChallengeOutcome, NumberedEvent};
use super::method;
use super::request::{AnswerChallenge, ChallengeAnswer, Hello, InputBytes, Request, Submit};
use super::screen::ScreenUpdate;
use super::snapshot::Snapshot;
use crate::core::ids::{ChallengeId, ProviderId, SessionId};
use crate::core::secret::Secret;
use crate::core::time::Timestamp;
use crate::core::token::ticket::Ticket;
use crate::core::visible::visible_text;

/// The version of JSON-RPC, as it stands in each frame.
pub const JSON_RPC: &str = "2.0";

/// The longest reason of a refusal, in characters.
const LONGEST_REASON: usize = 2_000;

/// Text of a frame, zeroised when dropped.
pub type Frame = Zeroizing<Vec<u8>>;

#[derive(Serialize)]
struct Call<'a, P> {
    jsonrpc: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<u64>,
    method: &'a str,
    params: P,
}

#[derive(Serialize)]
struct Success<'a, R> {
    jsonrpc: &'a str,
    id: &'a Value,
    result: R,
}

#[derive(Serialize)]
struct Refusal<'a> {
    jsonrpc: &'a str,
    id: &'a Value,
    error: &'a RpcError,
}

#[derive(Serialize)]
struct Nothing {}

#[derive(Serialize)]
struct HelloParams<'a> {
    protocol: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    credential: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ticket: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<&'a SessionId>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SubmitParams<'a> {
    session_id: &'a SessionId,
    text: &'a str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    unseen_listener: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InputParams<'a> {
    session_id: &'a SessionId,
    base64: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AnswerParams<'a> {
    challenge_id: &'a ChallengeId,
    #[serde(skip_serializing_if = "Option::is_none")]
    epoch: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<&'a str>,
}

#[derive(Serialize)]
struct WaitResult<'a> {
    outcome: ChallengeOutcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TicketResult<'a> {
    ticket: &'a str,
    user: &'a str,
    provider_id: Option<&'a ProviderId>,
    expires_at: Timestamp,
}

impl<'a> TicketResult<'a> {
    fn of(ticket: &'a Ticket) -> Self {
        Self {
            ticket: ticket.value.secret(),
            user: &ticket.holder.user,
            provider_id: ticket.holder.provider.as_ref(),
            expires_at: ticket.expires_at,
        }
    }
}

/// Writes a request. Without an id no answer is wanted.
pub fn request(id: Option<u64>, request: &Request) -> Frame {
    match request {
        Request::Hello(params) => hello(id, params),
        Request::EventsSubscribe {} => call(id, method::EVENTS_SUBSCRIBE, Nothing {}, 0),
        Request::SessionStart(params) => call(id, method::SESSION_START, params, 0),
        Request::SessionPoll(params) => call(id, method::SESSION_POLL, params, 0),
        Request::SessionList {} => call(id, method::SESSION_LIST, Nothing {}, 0),
        Request::SessionSubmit(params) => submit(id, params),
        Request::SessionInput(params) => input(id, params),
        Request::SessionResize(params) => call(id, method::SESSION_RESIZE, params, 0),
        Request::SessionFocus(params) => call(id, method::SESSION_FOCUS, params, 0),
        Request::SessionScreen(params) => call(id, method::SESSION_SCREEN, params, 0),
        Request::SessionHistory(params) => call(id, method::SESSION_HISTORY, params, 0),
        Request::SessionSearch(params) => call(id, method::SESSION_SEARCH, params, 0),
        Request::SessionTranscript(params) => call(id, method::SESSION_TRANSCRIPT, params, 0),
        Request::SessionRecording(params) => call(id, method::SESSION_RECORDING, params, 0),
        Request::SessionCancel(params) => call(id, method::SESSION_CANCEL, params, 0),
        Request::SessionKill(params) => call(id, method::SESSION_KILL, params, 0),
        Request::SessionRemove(params) => call(id, method::SESSION_REMOVE, params, 0),
        Request::SessionExplain(params) => call(id, method::SESSION_EXPLAIN, params, 0),
        Request::SessionOpened(params) => call(id, method::SESSION_OPENED, params, 0),
        Request::ProviderList {} => call(id, method::PROVIDER_LIST, Nothing {}, 0),
        Request::BundleList {} => call(id, method::BUNDLE_LIST, Nothing {}, 0),
        Request::ChallengePark(params) => call(id, method::CHALLENGE_PARK, params, 0),
        Request::ChallengeWait(params) => call(id, method::CHALLENGE_WAIT, params, 0),
        Request::ChallengeAnswer(params) => answer(id, params),
        Request::ChallengeCancel(params) => call(id, method::CHALLENGE_CANCEL, params, 0),
        Request::ChallengeCancelOwner(params) => call(id, method::CHALLENGE_CANCEL_OWNER, params, 0),
        Request::ChallengeList {} => call(id, method::CHALLENGE_LIST, Nothing {}, 0),
        Request::ChallengePending {} => call(id, method::CHALLENGE_PENDING, Nothing {}, 0),
        Request::TicketMint(params) => call(id, method::TICKET_MINT, params, 0),
        Request::SupervisorStop {} => call(id, method::SUPERVISOR_STOP, Nothing {}, 0),
        Request::SupervisorUpgrade(params) => call(id, method::SUPERVISOR_UPGRADE, params, 0),
        Request::ScreenTaken {} => call(id, method::SCREEN_TAKEN, Nothing {}, 0),
    }
}

/// Writes the answer to a request that was done.
pub fn success(id: &Value, result: &Value) -> Frame {
    // A recording has megabytes; to grow into them would take twice as much.
    let room = result.as_str().map_or(0, |text| text.len() / 8 * 9);
    write_into(Vec::with_capacity(512 + room), &Success { jsonrpc: JSON_RPC, id, result })
}

/// Writes the answer to `ticket.mint`.
pub fn ticket_answer(id: &Value, ticket: &Ticket) -> Frame {
    let result = TicketResult::of(ticket);
    write(&Success { jsonrpc: JSON_RPC, id, result }, ticket.value.len())
}

/// Writes a ticket by itself, for who asked by HTTP alone.
pub fn ticket(ticket: &Ticket) -> Frame {
    write(&TicketResult::of(ticket), ticket.value.len())
}

/// Writes the answer to `challenge.wait`.
pub fn challenge_answer(id: &Value, answer: &ChallengeAnswer) -> Frame {
    match answer {
        ChallengeAnswer::Answered { user, secret } => {
            let result = WaitResult {
                outcome: ChallengeOutcome::Answered,
                user: user.as_deref(),
                secret: Some(secret.secret()),
            };
            write(&Success { jsonrpc: JSON_RPC, id, result }, secret.len())
        }
        ChallengeAnswer::Ended(outcome) => {
            let result = WaitResult { outcome: *outcome, user: None, secret: None };
            write(&Success { jsonrpc: JSON_RPC, id, result }, 0)
        }
    }
}

/// Writes the answer to a request that was refused. The reason may quote what came in, such as an id: it does not go
/// back at length, and nothing in it reaches a terminal as it is.
pub fn refusal(id: &Value, error: &RpcError) -> Frame {
    let error = RpcError::new(error.code, visible_text(&error.message, LONGEST_REASON));
    write(&Refusal { jsonrpc: JSON_RPC, id, error: &error }, 0)
}

/// Writes an event.
pub fn event(event: &NumberedEvent) -> Frame {
    call(None, method::EVENT, event, 0)
}

/// Writes the notification that everything starts over.
pub fn resync(snapshot: &Snapshot) -> Frame {
    call(None, method::RESYNC, snapshot, 0)
}

/// Writes what changed on a screen.
pub fn screen(update: &ScreenUpdate) -> Frame {
    call(None, method::SCREEN, update, 64 * update.changed.len())
}

fn hello(id: Option<u64>, params: &Hello) -> Frame {
    let (credential, ticket) = (params.credential.as_ref(), params.ticket.as_ref());
    let wire = HelloParams {
        protocol: params.protocol,
        credential: credential.map(Secret::secret),
        ticket: ticket.map(Secret::secret),
        session: params.session.as_ref(),
    };
    let payload = credential.map_or(0, Secret::len) + ticket.map_or(0, Secret::len);
    call(id, method::HELLO, wire, payload)
}

fn submit(id: Option<u64>, params: &Submit) -> Frame {
    let wire = SubmitParams {
        session_id: &params.session_id,
        text: params.text.secret(),
        unseen_listener: params.unseen_listener,
    };
    call(id, method::SESSION_SUBMIT, wire, params.text.len())
}

fn input(id: Option<u64>, params: &InputBytes) -> Frame {
    let wire = InputParams { session_id: &params.session_id, base64: params.base64.secret() };
    call(id, method::SESSION_INPUT, wire, params.base64.len())
}

fn answer(id: Option<u64>, params: &AnswerChallenge) -> Frame {
    let secret = params.secret.as_ref();
    let wire = AnswerParams {
        challenge_id: &params.challenge_id,
        epoch: params.epoch,
        user: params.user.as_deref(),
        secret: secret.map(Secret::secret),
    };
    call(id, method::CHALLENGE_ANSWER, wire, secret.map_or(0, Secret::len))
}

fn call<P: Serialize>(id: Option<u64>, method: &str, params: P, payload: usize) -> Frame {
    write(&Call { jsonrpc: JSON_RPC, id, method, params }, payload)
}

/// A JSON string takes six bytes for one byte at most (`\u001b`), so that a buffer with a secret in it never moves
/// and leaves no copy behind.
fn write<T: Serialize>(frame: &T, payload: usize) -> Frame {
    write_into(Vec::with_capacity(512 + 6 * payload), frame)
}

fn write_into<T: Serialize>(buffer: Vec<u8>, frame: &T) -> Frame {
    let mut buffer = Zeroizing::new(buffer);
    serde_json::to_writer(&mut *buffer, frame)
        .expect("invariant: a frame has text keys only, and a vector takes every byte");
    buffer
}
