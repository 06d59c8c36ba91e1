//! HTTP in front of the protocol, over any byte stream: who may come in, and to what.
//!
//! | address | what it is |
//! | --- | --- |
//! | `GET /api/ws` | the protocol over WebSocket: requests and answers, events, screens |
//! | `POST /api/rpc` | one call: a request as the body, its answer as the body |
//! | `POST /api/auth/ws-ticket` | a ticket for a client that comes over TCP |
//!
//! One request to a connection. After the upgrade the stream is the connection's alone: nothing of HTTP is left in
//! between.

use std::convert::Infallible;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::SEC_WEBSOCKET_PROTOCOL;
use hyper::http::request::Parts;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tungstenite::handshake::server::create_response;

use super::admission::{self, Caller, Standing};
use super::connection::Stream;
use super::http::{self, Body, Refusal};
use super::places::{Place, Use};
use super::registry::Arrival;
use super::{Context, Door, connection, one_call};
use crate::driver::Handle;
use crate::wire;

/// Where one call is made.
pub const CALL_PATH: &str = "/api/rpc";

/// Where a ticket is to be had.
pub const TICKET_PATH: &str = "/api/auth/ws-ticket";

/// How long a request's head may take.
const HEAD_LIMIT: Duration = Duration::from_secs(5);

/// The longest head, in bytes.
const LONGEST_HEAD: usize = 16 * 1024;

/// What the request's answer leaves to be done with the stream.
type Upgrade = Mutex<Option<Caller>>;

/// Serves whoever is at the other end of a stream, until it or the supervisor goes away. It counts as arriving from this
/// call on, not only once the future is polled.
pub(super) fn serve<S: Stream>(
    stream: S,
    context: Context,
    door: Door,
    place: Place,
) -> impl Future<Output = ()> {
    let arrival = context.registry().arrive();
    async move {
        tokio::select! {
            () = exchange(stream, context, door, arrival, &place) => {}
            () = place.evicted() => {}
        }
    }
}

async fn exchange<S: Stream>(stream: S, context: Context, door: Door, arrival: Arrival, place: &Place) {
    let handle = context.handle().clone();
    let upgrade = Upgrade::default();
    let service = service_fn(async |request| {
        let outcome = answer(request, &handle, &door, &upgrade, place).await;
        Ok::<_, Infallible>(outcome.unwrap_or_else(Refusal::answer))
    });
    let exchange = http1::Builder::new()
        .timer(TokioTimer::new())
        // Whoever sends a request and says that it sends no more still wants the answer.
        .half_close(true)
        .header_read_timeout(HEAD_LIMIT)
        .max_buf_size(LONGEST_HEAD)
        .serve_connection(TokioIo::new(stream), service);
    let Ok(parts) = exchange.without_shutdown().await else { return };
    let (stream, unread) = (parts.io.into_inner(), parts.read_buf);
    match upgrade.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(caller) => connection::serve(stream, &unread, context, caller, arrival, place).await,
        None => http::hang_up(stream).await,
    }
}

/// What can be asked for by HTTP.
#[derive(Clone, Copy)]
enum Target {
    WebSocket,
    Call,
    Ticket,
}

impl Target {
    fn of(path: &str) -> Option<Self> {
        match path {
            wire::PATH => Some(Self::WebSocket),
            CALL_PATH => Some(Self::Call),
            TICKET_PATH => Some(Self::Ticket),
            _ => None,
        }
    }

    fn method(self) -> &'static str {
        match self {
            Self::WebSocket => "GET",
            Self::Call | Self::Ticket => "POST",
        }
    }
}

/// Answers one request; a refusal is an answer too.
async fn answer(
    request: Request<Incoming>,
    handle: &Handle,
    door: &Door,
    upgrade: &Upgrade,
    place: &Place,
) -> Result<Response<Body>, Refusal> {
    let (head, body) = request.into_parts();
    admission::check_origin(&head, door)?;
    let target = Target::of(head.uri.path()).ok_or_else(nothing_here)?;
    if head.method != target.method() {
        return Err(Refusal::of_method(target.method()));
    }
    match target {
        Target::WebSocket => {
            // Nothing is used up by a handshake that fails for another reason.
            let answer = open(&head)?;
            place.check(Use::Connection)?;
            let caller = admission::admit_to_stay(&head, door, handle).await?;
            if let Standing::Proven(_) = caller.standing {
                place.prove(Use::Connection)?;
            }
            *upgrade.lock().unwrap_or_else(PoisonError::into_inner) = Some(caller);
            Ok(answer)
        }
        Target::Call | Target::Ticket => {
            place.check(Use::Call)?;
            let caller = admission::admit(&head, door, handle).await?;
            place.prove(Use::Call)?;
            match target {
                Target::Ticket => one_call::ticket(body, handle, caller).await,
                Target::Call | Target::WebSocket => one_call::answer(body, handle, caller).await,
            }
        }
    }
}

/// Makes the answer to an opening handshake (RFC 6455 section 4.2).
fn open(head: &Parts) -> Result<Response<Body>, Refusal> {
    let mut request = Request::new(());
    *request.method_mut() = head.method.clone();
    *request.version_mut() = head.version;
    *request.headers_mut() = head.headers.clone();
    match create_response(&request) {
        Ok(answer) => {
            let mut answer = answer.map(|()| Body::default());
            if let Some(protocol) = admission::subprotocol(head)? {
                answer.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, protocol);
            }
            Ok(answer)
        }
        Err(error) => {
            let text = format!(
                "This address speaks WebSocket, and this is none: {error}. To make one call, POST it to {CALL_PATH}."
            );
            Err(Refusal::new(StatusCode::UPGRADE_REQUIRED, text))
        }
    }
}

fn nothing_here() -> Refusal {
    let text = format!("There is nothing at this address. Connect to {} or POST to {CALL_PATH}.", wire::PATH);
    Refusal::new(StatusCode::NOT_FOUND, text)
}
