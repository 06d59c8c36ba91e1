//! The client's side of the opening handshake (RFC 6455 section 4.1).

use hyper::header::SEC_WEBSOCKET_ACCEPT;
use hyper::{Request, StatusCode};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tungstenite::handshake::client::{Response, generate_key, generate_request};
use tungstenite::handshake::derive_accept_key;
use tungstenite::handshake::machine::TryParse as _;

use super::{PATH, WireError};

/// The longest answer, in bytes.
const LONGEST_ANSWER: usize = 64 * 1024;

/// Opens the connection. Returns what came in behind the answer.
pub(super) async fn open<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S) -> Result<Vec<u8>, WireError> {
    let key = generate_key();
    let request = Request::builder()
        .uri(format!("ws://authdeck{PATH}"))
        .header("Host", "authdeck")
        .header("Connection", "Upgrade")
        .header("Upgrade", "websocket")
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Key", &key)
        .body(())
        .expect("invariant: the parts are written here");
    let (request, _) = generate_request(request).map_err(|error| WireError::Foreign(error.to_string()))?;
    stream.write_all(&request).await?;
    stream.flush().await?;
    let mut bytes = Vec::new();
    let (length, answer) = loop {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(WireError::Ended);
        }
        match Response::try_parse(&bytes) {
            Ok(Some(parsed)) => break parsed,
            Ok(None) if bytes.len() < LONGEST_ANSWER => {}
            Ok(None) => return Err(WireError::Foreign("its answer is too long".into())),
            Err(error) => return Err(WireError::Foreign(error.to_string())),
        }
    };
    if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Err(WireError::Foreign(format!("it answers with {}", answer.status())));
    }
    let accepted = answer.headers().get(SEC_WEBSOCKET_ACCEPT);
    if accepted.is_none_or(|accepted| accepted.as_bytes() != derive_accept_key(key.as_bytes()).as_bytes()) {
        return Err(WireError::Foreign("it does not speak WebSocket".into()));
    }
    Ok(bytes.split_off(length))
}
