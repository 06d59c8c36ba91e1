//! Text frames of WebSocket (RFC 6455) over any byte stream: what server and client share.
//!
//! Reading and writing make progress in one place, [`Wire::next`], so that neither needs a task of its own: a key that
//! is typed takes no more turns through the scheduler than it must.
//!
//! The server's end begins behind the opening handshake, which is HTTP and the router's business: [`Wire::resume`]. At
//! any time another process can go on with it: from the stream, what was read of an unfinished message and what the
//! other side has not taken yet, [`Wire::state`].

mod frames;

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::{Sink as _, Stream as _};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Bytes, Error as SocketError, Message, Utf8Bytes};

use self::frames::Frames;
use crate::protocol::encode::Frame;

/// Where a supervisor serves this protocol.
pub const PATH: &str = "/api/ws";

/// The longest frame that is taken from whoever has shown who it is, in bytes.
pub const LONGEST_FRAME: usize = 16 * 1024 * 1024;

/// How long the opening handshake may take.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(5);

/// Bytes of the buffer for reading, which the library wipes before each read; most frames are shorter.
const READ_BUFFER: usize = 4 * 1024;

/// Why a connection does not work.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// The other side did not finish the opening handshake in time.
    #[error("the other side did not answer within {} s", HANDSHAKE_LIMIT.as_secs())]
    Slow,
    /// The other side does not speak WebSocket, or broke off.
    #[error("the connection failed: {0}")]
    Socket(#[from] Box<SocketError>),
}

impl WireError {
    /// Tells whether the other side is gone, as opposed to being slow or speaking something else.
    pub fn is_end(&self) -> bool {
        match self {
            Self::Slow => false,
            Self::Socket(error) => {
                matches!(
                    **error,
                    SocketError::ConnectionClosed | SocketError::AlreadyClosed | SocketError::Io(_)
                ) || matches!(**error, SocketError::Protocol(ProtocolError::HandshakeIncomplete))
            }
        }
    }
}

impl From<SocketError> for WireError {
    fn from(error: SocketError) -> Self {
        Self::Socket(Box::new(error))
    }
}

/// A byte stream to another process.
pub trait Stream: AsyncRead + AsyncWrite + Unpin {}

impl<S: AsyncRead + AsyncWrite + Unpin> Stream for S {}

/// What happened on the connection.
#[derive(Debug)]
pub enum Happening {
    /// A text frame came in.
    Text(Bytes),
    /// A frame came in that is not text, which this protocol does not have.
    NotText,
    /// All that was sent has been handed to the stream.
    Written,
    /// The connection is over; with the reason if it was not closed in good order.
    Closed(Option<WireError>),
}

/// What another process needs to go on with a connection, besides the stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WireState {
    /// What was read and belongs to no message that was taken.
    pub unread: Vec<u8>,
    /// What was handed over for writing and the other side has not taken.
    pub unsent: Vec<u8>,
    /// Something was handed over and [`Happening::Written`] has not been told yet.
    pub writing: bool,
}

/// One end of a connection.
#[derive(Debug)]
pub struct Wire<S> {
    socket: WebSocketStream<Frames<S>>,
    writing: bool,
    /// The library has taken all that there was, and has nothing to answer.
    drained: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    /// Makes the server's end of a connection whose opening handshake is done. `unread` is what came in behind it, or
    /// what [`Self::into_parts`] returned; `longest` is the longest frame that is taken, in bytes.
    pub async fn resume(stream: S, unread: &[u8], longest: usize) -> Self {
        let frames = Frames::new(stream, unread);
        let settings = settings(longest);
        let socket = WebSocketStream::from_raw_socket(frames, Role::Server, Some(settings)).await;
        Self { socket, writing: false, drained: false }
    }

    /// Opens a connection to a supervisor.
    ///
    /// # Errors
    /// The other side is too slow or speaks something else.
    pub async fn connect(stream: S) -> Result<Self, WireError> {
        let address = format!("ws://authdeck{PATH}");
        let (frames, settings) = (Frames::plain(stream), settings(LONGEST_FRAME));
        let handshake = tokio_tungstenite::client_async_with_config(address, frames, Some(settings));
        let (socket, _) =
            tokio::time::timeout(HANDSHAKE_LIMIT, handshake).await.map_err(|_| WireError::Slow)??;
        Ok(Self { socket, writing: false, drained: false })
    }

    /// Hands a frame over for writing. It goes out while [`Self::next`] is awaited.
    ///
    /// # Errors
    /// The connection is over.
    pub fn send(&mut self, frame: Frame) -> Result<(), WireError> {
        let text =
            Utf8Bytes::try_from(Bytes::from_owner(frame)).expect("invariant: JSON that serde wrote is UTF-8");
        self.writing = true;
        Pin::new(&mut self.socket).start_send(Message::Text(text)).map_err(WireError::from)
    }

    /// Tells whether something that was handed over is not written yet.
    pub fn is_writing(&self) -> bool {
        self.writing
    }

    /// Reads and writes until something happens. With `read` false it only writes: what comes in stays where it is,
    /// and the other side notices. Cancelling loses nothing.
    pub async fn next(&mut self, read: bool) -> Happening {
        poll_fn(|context| self.poll(context, read)).await
    }

    /// Goes on where another process stopped: [`Self::state`].
    pub async fn take_over(stream: S, state: WireState, longest: usize) -> Self {
        let mut frames = Frames::new(stream, &state.unread);
        frames.resend(&state.unsent);
        let socket = WebSocketStream::from_raw_socket(frames, Role::Server, Some(settings(longest))).await;
        Self { socket, writing: state.writing || !state.unsent.is_empty(), drained: false }
    }

    /// Returns what another process needs to go on, besides the stream. Nothing changes here.
    pub async fn state(&mut self) -> WireState {
        // What the library still holds back, such as the rest of a frame or the answer to a ping, is taken from it.
        self.socket.get_mut().take_all(true);
        poll_fn(|context| {
            let _ = Pin::new(&mut self.socket).poll_flush(context);
            Poll::Ready(())
        })
        .await;
        self.socket.get_mut().take_all(false);
        let frames = self.socket.get_ref();
        WireState { unread: frames.unread(), unsent: frames.unsent(), writing: self.writing }
    }

    /// Returns the stream.
    pub fn stream(&self) -> &S {
        self.socket.get_ref().stream()
    }

    /// Returns the stream, for what goes beside the bytes; bytes that are read from it or written to it are lost.
    pub fn stream_mut(&mut self) -> &mut S {
        self.socket.get_mut().stream_mut()
    }

    /// Gives the connection up: returns the stream, and what was read from it and belongs to no message that was taken,
    /// for [`Self::resume`].
    pub fn into_parts(self) -> (S, Vec<u8>) {
        self.socket.into_inner().into_parts()
    }

    /// Says goodbye and writes what is left, for as long as `limit` allows.
    pub async fn close(mut self, limit: Duration) {
        let goodbye = poll_fn(|context| Pin::new(&mut self.socket).poll_close(context));
        // The connection ends either way.
        let _ = tokio::time::timeout(limit, goodbye).await;
    }

    fn poll(&mut self, context: &mut Context<'_>, read: bool) -> Poll<Happening> {
        if self.writing {
            match Pin::new(&mut self.socket).poll_flush(context) {
                Poll::Ready(Ok(())) => {
                    self.writing = false;
                    return Poll::Ready(Happening::Written);
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Happening::Closed(Some(error.into()))),
                Poll::Pending => {}
            }
        }
        if !read {
            return Poll::Pending;
        }
        if std::mem::take(&mut self.drained) {
            match self.socket.get_mut().poll_readable(context) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => {
                    return Poll::Ready(Happening::Closed(Some(SocketError::Io(error).into())));
                }
                Poll::Pending => {
                    self.drained = true;
                    return Poll::Pending;
                }
            }
        }
        let mut answers = false;
        loop {
            return match Pin::new(&mut self.socket).poll_next(context) {
                Poll::Pending => {
                    // An answer that the stream has no room for is written by the next call.
                    self.drained = !answers;
                    Poll::Pending
                }
                Poll::Ready(Some(Ok(Message::Text(text)))) => Poll::Ready(Happening::Text(text.into())),
                Poll::Ready(Some(Ok(Message::Binary(_) | Message::Frame(_)))) => {
                    Poll::Ready(Happening::NotText)
                }
                // The library answers pings and goodbyes by itself.
                Poll::Ready(Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Close(_)))) => {
                    answers = true;
                    continue;
                }
                Poll::Ready(None) => Poll::Ready(Happening::Closed(None)),
                Poll::Ready(Some(Err(error))) => Poll::Ready(Happening::Closed(Some(error.into()))),
            };
        }
    }
}

fn settings(longest: usize) -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .max_message_size(Some(longest))
        .max_frame_size(Some(longest))
}
