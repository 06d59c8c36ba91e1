//! Text messages of WebSocket (RFC 6455) over any byte stream: what server and client share.
//!
//! Reading and writing make progress in one place, [`Wire::next`], so that neither needs a task of its own: a key that
//! is typed takes no more turns through the scheduler than it must.
//!
//! What was read and is no whole message yet, and what is not written yet, lies in two buffers here and nowhere else.
//! So at any time another process can go on with a connection, from the stream and these bytes: [`Wire::state`].

mod handshake;
mod message;

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tungstenite::protocol::frame::coding::{Control, Data, OpCode};

pub use self::message::MessageError;
use self::message::{Incoming, Message, Outgoing, Role};
use crate::protocol::frame::Frame;

/// Where a supervisor serves this protocol.
pub const PATH: &str = "/api/ws";

/// The longest frame that is taken from whoever has shown who it is, in bytes.
pub const LONGEST_FRAME: usize = 16 * 1024 * 1024;

/// How long the opening handshake may take.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(5);

/// Bytes that may wait to be written while pings are still answered: whoever asks and does not read gets no more.
const MOST_ANSWERS: usize = 64 * 1024;

/// Why a connection does not work.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// The other side did not finish the opening handshake in time.
    #[error("the other side did not answer within {} s", HANDSHAKE_LIMIT.as_secs())]
    Slow,
    /// The other side ended the connection before it was open.
    #[error("the other side closed the connection")]
    Ended,
    /// The stream broke.
    #[error("the connection failed: {0}")]
    Stream(#[from] io::Error),
    /// The other side is no supervisor.
    #[error("the other side is no supervisor: {0}")]
    Foreign(String),
    /// The other side does not keep to the protocol.
    #[error("the connection failed: {0}")]
    Message(#[from] MessageError),
}

impl WireError {
    /// Tells whether the other side is gone, as opposed to being slow or speaking something else.
    pub fn is_end(&self) -> bool {
        match self {
            Self::Ended | Self::Stream(_) => true,
            Self::Slow | Self::Foreign(_) | Self::Message(_) => false,
        }
    }
}

/// A byte stream to another process.
pub trait Stream: AsyncRead + AsyncWrite + Unpin {}

impl<S: AsyncRead + AsyncWrite + Unpin> Stream for S {}

/// What happened on the connection.
#[derive(Debug)]
pub enum Happening {
    /// A text frame came in.
    Text(Frame),
    /// A frame came in that is not text, which this protocol does not have.
    NotText,
    /// All that was sent has been handed to the stream.
    Written,
    /// The connection is over; with the reason if it was not closed in good order.
    Closed(Option<WireError>),
}

/// What another process needs to go on with a connection, besides the stream.
#[derive(Debug)]
pub struct WireState {
    /// What was read and belongs to no message that was taken.
    pub unread: Frame,
    /// What the other side has not taken yet.
    pub unsent: Frame,
}

/// One end of a connection.
#[derive(Debug)]
pub struct Wire<S> {
    stream: S,
    incoming: Incoming,
    outgoing: Outgoing,
    /// Something was sent, and [`Happening::Written`] was not told yet.
    writing: bool,
    /// The goodbye is said.
    closing: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    /// Makes the server's end of a connection whose opening handshake is done. `unread` is what came in behind it;
    /// `longest` is the longest message that is taken, in bytes.
    pub fn resume(stream: S, unread: &[u8], longest: usize) -> Self {
        Self::new(stream, Role::Server, unread, longest)
    }

    /// Opens a connection to a supervisor.
    ///
    /// # Errors
    /// The other side is too slow or speaks something else.
    pub async fn connect(mut stream: S) -> Result<Self, WireError> {
        let opening = tokio::time::timeout(HANDSHAKE_LIMIT, handshake::open(&mut stream));
        let unread = opening.await.map_err(|_| WireError::Slow)??;
        Ok(Self::new(stream, Role::Client, &unread, LONGEST_FRAME))
    }

    /// Goes on where another process stopped: [`Self::state`]. [`Happening::Written`] is told once what was left to be
    /// written is, even if that is nothing.
    pub fn take_over(stream: S, state: &WireState, longest: usize) -> Self {
        let outgoing = Outgoing::new(Role::Server, &state.unsent);
        Self { outgoing, writing: true, ..Self::resume(stream, &state.unread, longest) }
    }

    fn new(stream: S, role: Role, unread: &[u8], longest: usize) -> Self {
        let incoming = Incoming::new(role, unread, longest);
        Self { stream, incoming, outgoing: Outgoing::new(role, &[]), writing: false, closing: false }
    }

    /// Takes messages up to this length from now on, in bytes.
    pub fn set_longest(&mut self, longest: usize) {
        self.incoming.set_longest(longest);
    }

    /// Hands a frame over for writing. It goes out while [`Self::next`] is awaited.
    ///
    /// # Errors
    /// The system gives no randomness to mask it with.
    pub fn send(&mut self, frame: &Frame) -> Result<(), WireError> {
        self.writing = true;
        Ok(self.outgoing.add(OpCode::Data(Data::Text), frame)?)
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

    /// Returns what another process needs to go on, besides the stream, as if `queued` had been sent too. Nothing
    /// changes here.
    ///
    /// # Errors
    /// Never at a server's end, which needs no randomness.
    pub fn state<'a>(&self, queued: impl Iterator<Item = &'a Frame>) -> io::Result<WireState> {
        Ok(WireState { unread: self.incoming.unread(), unsent: self.outgoing.unsent_with(queued)? })
    }

    /// Returns the stream.
    pub fn stream(&self) -> &S {
        &self.stream
    }

    /// Says goodbye and writes what is left, for as long as `limit` allows.
    pub async fn close(mut self, limit: Duration) {
        // An error means that there is no randomness; the connection ends either way.
        let _ = self.say_goodbye();
        let goodbye = poll_fn(|context| {
            ready!(self.poll_write(context))?;
            Pin::new(&mut self.stream).poll_shutdown(context)
        });
        let _ = tokio::time::timeout(limit, goodbye).await;
    }

    fn say_goodbye(&mut self) -> io::Result<()> {
        if std::mem::replace(&mut self.closing, true) {
            return Ok(());
        }
        self.outgoing.add(OpCode::Control(Control::Close), &[])
    }

    /// Writes until nothing is left.
    fn poll_write(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.outgoing.unsent().is_empty() {
            match ready!(Pin::new(&mut self.stream).poll_write(context, self.outgoing.unsent()))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                count => self.outgoing.written(count),
            }
        }
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll(&mut self, context: &mut Context<'_>, read: bool) -> Poll<Happening> {
        loop {
            if self.writing || !self.outgoing.unsent().is_empty() {
                match self.poll_write(context) {
                    Poll::Ready(Ok(())) if std::mem::take(&mut self.writing) => {
                        return Poll::Ready(Happening::Written);
                    }
                    Poll::Ready(Ok(())) | Poll::Pending => {}
                    Poll::Ready(Err(error)) => return Poll::Ready(Happening::Closed(Some(error.into()))),
                }
            }
            if !read {
                return Poll::Pending;
            }
            match ready!(self.poll_message(context)) {
                Ok(Some(Message::Text(text))) => return Poll::Ready(Happening::Text(text)),
                Ok(Some(Message::Binary)) => return Poll::Ready(Happening::NotText),
                Ok(Some(Message::Pong)) => {}
                Ok(Some(Message::Ping(payload))) => {
                    if let Err(error) = self.answer_ping(&payload) {
                        return Poll::Ready(Happening::Closed(Some(error.into())));
                    }
                }
                Ok(Some(Message::Close)) | Ok(None) => return Poll::Ready(Happening::Closed(None)),
                Err(error) => return Poll::Ready(Happening::Closed(Some(error))),
            }
        }
    }

    /// Reads until there is a message; absent at the end of the stream.
    fn poll_message(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<Message>, WireError>> {
        loop {
            if let Some(message) = self.incoming.next()? {
                return Poll::Ready(Ok(Some(message)));
            }
            let mut room = ReadBuf::new(self.incoming.room());
            ready!(Pin::new(&mut self.stream).poll_read(context, &mut room))?;
            match room.filled().len() {
                0 => return Poll::Ready(Ok(None)),
                count => self.incoming.filled(count),
            }
        }
    }

    fn answer_ping(&mut self, payload: &[u8]) -> io::Result<()> {
        if self.outgoing.unsent().len() > MOST_ANSWERS {
            return Ok(());
        }
        self.outgoing.add(OpCode::Control(Control::Pong), payload)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{SinkExt as _, StreamExt as _};
    use tokio::io::DuplexStream;
    use tokio_tungstenite::WebSocketStream;
    use tokio_tungstenite::tungstenite::Message as Peer;
    use tokio_tungstenite::tungstenite::protocol::Role as PeerRole;

    use super::*;

    const LENGTHS: [usize; 6] = [0, 125, 126, 65_535, 65_536, 300_000];

    async fn server() -> (Wire<DuplexStream>, WebSocketStream<DuplexStream>) {
        let (near, far) = tokio::io::duplex(1000);
        let peer = WebSocketStream::from_raw_socket(far, PeerRole::Client, None).await;
        (Wire::resume(near, &[], LONGEST_FRAME), peer)
    }

    async fn send(wire: &mut Wire<DuplexStream>, text: &str) {
        wire.send(&Frame::new(text.as_bytes().to_vec())).unwrap();
        assert!(matches!(wire.next(false).await, Happening::Written));
    }

    async fn talk(mut wire: Wire<DuplexStream>, mut peer: WebSocketStream<DuplexStream>) {
        for length in LENGTHS {
            let text = "ä".repeat(length / 2);
            let (sent, heard) = tokio::join!(peer.send(Peer::text(text.clone())), wire.next(true));
            sent.unwrap();
            assert!(
                matches!(heard, Happening::Text(heard) if heard.as_slice() == text.as_bytes()),
                "{length}"
            );
            let (heard, ()) = tokio::join!(peer.next(), send(&mut wire, &text));
            assert_eq!(heard.unwrap().unwrap(), Peer::text(text));
        }
        peer.send(Peer::Ping(b"there?".as_slice().into())).await.unwrap();
        let asked = tokio::spawn(async move { (wire.next(true).await, wire) });
        assert_eq!(peer.next().await.unwrap().unwrap(), Peer::Pong(b"there?".as_slice().into()));
        peer.close(None).await.unwrap();
        let (heard, wire) = asked.await.unwrap();
        assert!(matches!(heard, Happening::Closed(None)), "{heard:?}");
        wire.close(Duration::from_secs(5)).await;
        assert!(matches!(peer.next().await, Some(Ok(Peer::Close(None))) | None));
    }

    #[tokio::test]
    async fn another_library_understands_both_ends() {
        let (wire, peer) = server().await;
        talk(wire, peer).await;
        let (near, far) = tokio::io::duplex(1000);
        let (wire, peer) = tokio::join!(Wire::connect(near), tokio_tungstenite::accept_async(far));
        talk(wire.unwrap(), peer.unwrap()).await;
    }

    #[tokio::test]
    async fn what_the_other_side_does_not_take_goes_over_and_arrives_once() {
        let (mut wire, mut peer) = server().await;
        let frame = |text: &str| Frame::new(text.repeat(2_000).into_bytes());
        wire.send(&frame("a")).unwrap();
        // It takes as much as the stream holds, and stops within the frame.
        let stopped = poll_fn(|context| Poll::Ready(wire.poll(context, false).is_pending())).await;
        assert!(stopped);
        let queued = [frame("b")];
        let state = wire.state(queued.iter()).unwrap();
        assert!(state.unsent.len() < 4_000, "{}", state.unsent.len());
        let Wire { stream, .. } = wire;
        let mut next = Wire::take_over(stream, &state, LONGEST_FRAME);
        let writing = async {
            assert!(matches!(next.next(false).await, Happening::Written));
            next.send(&frame("c")).unwrap();
            assert!(matches!(next.next(false).await, Happening::Written));
        };
        let hearing = async {
            for text in ["a", "b", "c"] {
                assert_eq!(peer.next().await.unwrap().unwrap(), Peer::text(text.repeat(2_000)));
            }
        };
        tokio::join!(writing, hearing);
    }

    #[tokio::test]
    async fn whoever_pings_and_does_not_read_gets_a_bounded_number_of_answers() {
        let (mut wire, peer) = server().await;
        let pinging = tokio::spawn(async move {
            let (mut ping, _unread) = peer.split();
            for _ in 0..2_000 {
                ping.feed(Peer::Ping(vec![b'x'; 100].into())).await.unwrap();
            }
            ping.flush().await.unwrap();
            ping.send(Peer::text("done")).await.unwrap();
            (ping, _unread)
        });
        assert!(matches!(wire.next(true).await, Happening::Text(_)));
        assert!(wire.outgoing.unsent().len() <= MOST_ANSWERS + 200, "{}", wire.outgoing.unsent().len());
        drop(pinging.await.unwrap());
    }

    #[tokio::test]
    async fn whoever_is_no_supervisor_is_named_as_that() {
        for (answer, end) in
            [("HTTP/1.1 403 Forbidden\r\n\r\n", false), ("SSH-2.0-x\r\n\r\n", false), ("", true)]
        {
            let (near, mut far) = tokio::io::duplex(1000);
            let serving = async {
                tokio::io::AsyncWriteExt::write_all(&mut far, answer.as_bytes()).await.unwrap();
                tokio::io::AsyncWriteExt::shutdown(&mut far).await.unwrap();
            };
            let (wire, ()) = tokio::join!(Wire::connect(near), serving);
            assert_eq!(wire.unwrap_err().is_end(), end, "{answer}");
        }
    }
}
