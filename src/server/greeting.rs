//! `hello`: what a client says of itself, and whether it is true.

use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::driver::{Handle, Identity};
use crate::protocol::decode::{self, Incoming};
use crate::protocol::error::{self, RpcError};
use crate::protocol::method::{Method as _, Request, server};
use crate::protocol::request::{Hello, Welcome};
use crate::protocol::{VERSION, encode};
use crate::wire::{Happening, LONGEST_FRAME, Wire};

/// How long a client may take to show the credential that it promised.
const HELLO_LIMIT: Duration = Duration::from_secs(5);

/// The longest frame from a client that has shown nothing yet, in bytes.
const LONGEST_HELLO: usize = 4096;

/// How long a goodbye may take.
const GOODBYE_LIMIT: Duration = Duration::from_secs(1);

/// Waits for the first frame of a client that promised its credential in it. Absent: it did not keep its promise, was
/// told so, and is gone.
pub(super) async fn introduce<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    unread: &[u8],
    handle: &Handle,
) -> Option<(Wire<S>, Identity)> {
    let mut wire = Wire::resume(stream, unread, LONGEST_HELLO);
    let first = tokio::time::timeout(HELLO_LIMIT, wire.next(true)).await;
    let incoming = match first {
        Ok(Happening::Text(text)) => decode::request(&text),
        Ok(Happening::Closed(_)) => return None,
        Ok(Happening::NotText | Happening::Written) | Err(_) => {
            Incoming { id: Some(Value::Null), request: Err(promised()) }
        }
    };
    let proven = match incoming.request {
        Ok(Request::Server(server::Request::Hello(hello))) => {
            examine(handle, hello).await.and_then(|shown| shown.ok_or_else(promised))
        }
        Ok(_) => Err(promised()),
        Err(reason) => Err(reason),
    };
    let id = incoming.id.unwrap_or_default();
    let frame = match &proven {
        Ok(identity) => encode::response(&id, &server::Hello::response(welcome(identity))),
        Err(reason) => encode::refusal(&id, reason),
    };
    wire.send(&frame).ok()?;
    let written = tokio::time::timeout(HELLO_LIMIT, wire.next(false)).await;
    match (proven, written) {
        (Ok(identity), Ok(Happening::Written)) => {
            wire.set_longest(LONGEST_FRAME);
            Some((wire, identity))
        }
        _ => {
            wire.close(GOODBYE_LIMIT).await;
            None
        }
    }
}

/// Checks the version, and the credential if one is shown. Absent: none is.
///
/// # Errors
/// The versions differ, or the credential is not valid.
pub(super) async fn examine(handle: &Handle, hello: Hello) -> Result<Option<Identity>, RpcError> {
    if hello.protocol != VERSION {
        let text = format!(
            "this supervisor speaks version {VERSION} of the protocol and the client version {}; \
             restart the older one",
            hello.protocol
        );
        return Err(RpcError::new(error::INVALID_REQUEST, text));
    }
    if let Some(credential) = hello.credential {
        return match handle.authenticate(credential, hello.session).await {
            Some(identity) => Ok(Some(identity)),
            None => Err(RpcError::new(
                error::UNAUTHENTICATED,
                "the credential is not this supervisor's; it is of one that has ended",
            )),
        };
    }
    let Some(ticket) = hello.ticket else { return Ok(None) };
    match handle.redeem(ticket).await {
        Ok(identity) => Ok(Some(identity)),
        Err(reason) => Err(RpcError::new(error::UNAUTHENTICATED, reason)),
    }
}

/// Answers `hello`.
pub(super) fn welcome(identity: &Identity) -> Welcome {
    Welcome {
        protocol: VERSION,
        program: concat!("authdeck ", env!("CARGO_PKG_VERSION")).to_owned(),
        identity: identity.name().to_owned(),
    }
}

fn promised() -> RpcError {
    let text = "the first frame must be `hello` with a `ticket` or a `credential`, and soon";
    RpcError::new(error::UNAUTHENTICATED, text)
}
