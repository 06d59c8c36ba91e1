//! A byte stream that knows at any time which bytes belong to no whole message yet, so that the connection can be given
//! to another process without one of them being lost.
//!
//! The library reads as much as it gets and keeps it to itself; it therefore gets no more than the frame that it needs,
//! and what it got of an unfinished message is remembered here. What it wants to write and the other side does not take
//! yet is taken from it when the connection is given up, and not before: it may be megabytes.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncBufRead as _, AsyncRead, AsyncWrite, BufReader, ReadBuf};

/// Bytes of the buffer. A longer frame goes past it, straight to whoever reads.
const BUFFER: usize = 16 * 1024;

/// The bit that marks a message's last frame (RFC 6455 section 5.2).
const LAST_OF_MESSAGE: u8 = 0x80;

/// The bit that marks a control frame, which may come between the frames of a message (RFC 6455 section 5.5).
const CONTROL: u8 = 0x08;

/// The bit that marks a masked payload.
const MASKED: u8 = 0x80;

/// The stream.
#[derive(Debug)]
pub(super) struct Frames<S> {
    /// Its buffer is of one byte, past which every read goes, if there is a cutter, which has its own.
    stream: BufReader<S>,
    /// Absent where nobody will give the connection up: everything is handed on as it comes.
    cutter: Option<Box<Cutter>>,
    /// What was written and the stream has not taken yet.
    unsent: VecDeque<u8>,
    /// Everything is taken that is written, whether or not the stream does.
    takes_all: bool,
}

/// Finds where frames end.
#[derive(Debug)]
struct Cutter {
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    /// Bytes of the current frame that are still to be handed on.
    rest: u64,
    /// A frame of a message was handed on, and not its last one.
    in_message: bool,
    /// What was handed on of a message that is not whole yet.
    unfinished: Vec<u8>,
}

impl<S: AsyncRead> Frames<S> {
    /// Makes the end of a connection that may be given up; `unread` is handed on first.
    pub(super) fn new(stream: S, unread: &[u8]) -> Self {
        let mut buffer = vec![0; BUFFER.max(unread.len())].into_boxed_slice();
        buffer[..unread.len()].copy_from_slice(unread);
        let cutter = Cutter {
            buffer,
            start: 0,
            end: unread.len(),
            rest: 0,
            in_message: false,
            unfinished: Vec::new(),
        };
        let stream = BufReader::with_capacity(1, stream);
        Self { stream, cutter: Some(Box::new(cutter)), unsent: VecDeque::new(), takes_all: false }
    }

    /// Makes the end of a connection that is never given up.
    pub(super) fn plain(stream: S) -> Self {
        let stream = BufReader::with_capacity(BUFFER, stream);
        Self { stream, cutter: None, unsent: VecDeque::new(), takes_all: false }
    }

    /// Returns the stream.
    pub(super) fn stream(&self) -> &S {
        self.stream.get_ref()
    }

    /// Returns the stream.
    pub(super) fn stream_mut(&mut self) -> &mut S {
        self.stream.get_mut()
    }

    /// Returns what was read from the stream and belongs to no whole message that was handed on. Of what was handed on
    /// whole, whoever reads has made messages by the time it waits for more.
    pub(super) fn unread(&self) -> Vec<u8> {
        let Some(cutter) = &self.cutter else { return Vec::new() };
        [&cutter.unfinished[..], cutter.buffered()].concat()
    }

    /// Returns what was written and the stream has not taken yet.
    pub(super) fn unsent(&self) -> Vec<u8> {
        self.unsent.iter().copied().collect()
    }

    /// From now on takes everything that is written, or again only what the stream takes.
    pub(super) fn take_all(&mut self, all: bool) {
        self.takes_all = all;
    }

    /// Writes this first.
    pub(super) fn resend(&mut self, bytes: &[u8]) {
        self.unsent.extend(bytes);
    }

    /// Returns the stream and what was read from it and not handed on.
    pub(super) fn into_parts(self) -> (S, Vec<u8>) {
        let unread = self.unread();
        (self.stream.into_inner(), unread)
    }
}

impl<S: AsyncRead + Unpin> Frames<S> {
    /// Waits until a read returns something: bytes, the end or an error. To ask costs less than a read by the library,
    /// which wipes its buffer before each.
    ///
    /// # Errors
    /// The stream is broken.
    pub(super) fn poll_readable(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { stream, cutter, .. } = self;
        match cutter {
            Some(cutter) => cutter.poll_readable(Pin::new(stream), context),
            None => Pin::new(stream).poll_fill_buf(context).map_ok(drop),
        }
    }
}

impl Cutter {
    fn buffered(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Begins the next frame if it is all there, or too long ever to be.
    fn begin(&mut self) {
        let Some((length, first)) = frame_length(self.buffered()) else { return };
        if length > self.buffered().len() as u64 && length <= self.buffer.len() as u64 {
            return;
        }
        self.rest = length;
        if first & CONTROL == 0 {
            self.in_message = first & LAST_OF_MESSAGE == 0;
        }
    }

    /// Hands on what is there of the current frame.
    fn hand_on(&mut self, out: &mut ReadBuf<'_>) {
        let rest = usize::try_from(self.rest).unwrap_or(usize::MAX);
        let count = rest.min(self.end - self.start).min(out.remaining());
        let bytes = &self.buffer[self.start..self.start + count];
        out.put_slice(bytes);
        self.rest -= count as u64;
        if self.is_unfinished() {
            self.unfinished.extend_from_slice(bytes);
        } else {
            self.unfinished = Vec::new();
        }
        self.start += count;
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
    }

    fn is_unfinished(&self) -> bool {
        self.rest > 0 || self.in_message
    }

    /// Makes room behind what is there: a frame that is waited for fits into the whole buffer.
    fn room(&mut self) -> &mut [u8] {
        if self.end == self.buffer.len() {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        &mut self.buffer[self.end..]
    }
}

/// Returns the length of the frame that begins here, with its header, and its first byte; `None` if the header is not
/// all there.
fn frame_length(bytes: &[u8]) -> Option<(u64, u8)> {
    let (&first, &second) = (bytes.first()?, bytes.get(1)?);
    let mask = if second & MASKED == 0 { 0 } else { 4 };
    let (header, payload) = match second & !MASKED {
        126 => (4, u64::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?))),
        127 => (10, u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?)),
        short => (2, u64::from(short)),
    };
    // A length that no frame can have is the reader's to refuse; it must only not wrap around here.
    Some((payload.saturating_add(header + mask), first))
}

impl<S: AsyncRead + Unpin> AsyncRead for Frames<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { stream, cutter, .. } = self.get_mut();
        let stream = Pin::new(stream);
        let Some(cutter) = cutter else { return stream.poll_read(context, out) };
        if cutter.rest > 0 && cutter.start == cutter.end {
            return cutter.poll_past_buffer(stream, context, out);
        }
        ready!(cutter.poll_readable(stream, context))?;
        cutter.hand_on(out);
        Poll::Ready(Ok(()))
    }
}

impl Cutter {
    /// Hands on the rest of a frame of which nothing is in the buffer, without a detour.
    fn poll_past_buffer<S: AsyncRead>(
        &mut self,
        stream: Pin<&mut S>,
        context: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let rest = usize::try_from(self.rest).unwrap_or(usize::MAX).min(out.remaining());
        let mut part = ReadBuf::new(out.initialize_unfilled_to(rest));
        ready!(stream.poll_read(context, &mut part))?;
        let bytes = part.filled();
        let count = bytes.len();
        self.rest -= count as u64;
        if self.is_unfinished() {
            self.unfinished.extend_from_slice(bytes);
        } else {
            self.unfinished = Vec::new();
        }
        out.advance(count);
        Poll::Ready(Ok(()))
    }

    /// Reads until the current frame, or the next one, can be handed on, or the stream ends.
    fn poll_readable<S: AsyncRead>(
        &mut self,
        mut stream: Pin<&mut S>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        if self.rest == 0 {
            self.begin();
        }
        while self.rest == 0 {
            let mut room = ReadBuf::new(self.room());
            ready!(stream.as_mut().poll_read(context, &mut room))?;
            let count = room.filled().len();
            if count == 0 {
                // The end of the stream; what is there of a frame is of no use to anybody.
                return Poll::Ready(Ok(()));
            }
            self.end += count;
            self.begin();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Frames<S> {
    /// Writes what waits, until nothing does or the stream takes no more.
    fn poll_unsent(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.unsent.is_empty() {
            let (bytes, _) = self.unsent.as_slices();
            let written = ready!(Pin::new(&mut self.stream).poll_write(context, bytes))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.unsent.drain(..written);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Frames<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if !self.takes_all {
            ready!(self.poll_unsent(context))?;
            return Pin::new(&mut self.stream).poll_write(context, bytes);
        }
        self.unsent.extend(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_unsent(context))?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_unsent(context))?;
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    /// A frame as a client writes it: masked with zeroes.
    fn frame(first: u8, length: usize) -> Vec<u8> {
        let mut bytes = vec![first];
        match (u8::try_from(length), u16::try_from(length)) {
            (Ok(short), _) if short < 126 => bytes.push(MASKED | short),
            (_, Ok(medium)) => {
                bytes.push(MASKED | 126);
                bytes.extend(medium.to_be_bytes());
            }
            _ => {
                bytes.push(MASKED | 127);
                bytes.extend((length as u64).to_be_bytes());
            }
        }
        bytes.extend([0; 4]);
        bytes.extend((0..length).map(|at| at as u8));
        bytes
    }

    /// Reads once.
    async fn read<S: AsyncRead + Unpin>(frames: &mut Frames<S>) -> Vec<u8> {
        let mut bytes = vec![0; 256 * 1024];
        let count = frames.read(&mut bytes).await.unwrap();
        bytes.truncate(count);
        bytes
    }

    #[tokio::test]
    async fn what_is_behind_a_frame_can_be_given_to_somebody_else() {
        let (mut near, far) = tokio::io::duplex(64 * 1024);
        let (first, second) = (frame(0x81, 300), frame(0x81, 5));
        near.write_all(&[&first[..], &second, &second[..4]].concat()).await.unwrap();
        let mut frames = Frames::new(far, &[]);
        assert_eq!(read(&mut frames).await, first);
        let (far, unread) = frames.into_parts();
        assert_eq!(unread, [&second[..], &second[..4]].concat());

        let mut next = Frames::new(far, &unread);
        assert_eq!(read(&mut next).await, second);
        near.write_all(&second[4..]).await.unwrap();
        assert_eq!(read(&mut next).await, second);
        assert!(next.into_parts().1.is_empty());
    }

    #[tokio::test]
    async fn what_was_handed_on_of_an_unfinished_message_is_remembered() {
        let (mut near, far) = tokio::io::duplex(256 * 1024);
        let mut frames = Frames::new(far, &[]);
        let parts = [frame(0x01, 3), frame(0x89, 0), frame(0x80, 3)];
        near.write_all(&parts.concat()).await.unwrap();
        for _ in 0..2 {
            read(&mut frames).await;
            assert_eq!(frames.unread(), parts.concat());
        }
        read(&mut frames).await;
        assert!(frames.unread().is_empty());
        // Longer than the buffer: it goes past it in pieces.
        let long = frame(0x81, 3 * BUFFER);
        near.write_all(&long[..BUFFER]).await.unwrap();
        let mut got = read(&mut frames).await;
        assert_eq!(frames.unread(), got);
        near.write_all(&long[BUFFER..]).await.unwrap();
        while got.len() < long.len() {
            assert_eq!(frames.unread(), got);
            got.extend(read(&mut frames).await);
        }
        assert_eq!(got, long);
        assert!(frames.unread().is_empty());
    }

    #[tokio::test]
    async fn what_the_other_side_does_not_take_is_here_and_nowhere_else() {
        let (near, mut far) = tokio::io::duplex(4);
        let mut frames = Frames::new(near, &[]);
        assert_eq!(frames.write(b"0123456789").await.unwrap(), 4);
        assert!(frames.unsent().is_empty());
        frames.take_all(true);
        assert_eq!(frames.write(b"456789").await.unwrap(), 6);
        assert_eq!(frames.unsent(), b"456789");
        let (near, _) = frames.into_parts();
        let mut next = Frames::new(near, &[]);
        next.resend(b"456789");
        let mut got = [0; 12];
        let write = async {
            next.write_all(b"ab").await.unwrap();
            next.flush().await.unwrap();
        };
        tokio::join!(write, far.read_exact(&mut got)).1.unwrap();
        assert_eq!(&got, b"0123456789ab");
    }

    #[tokio::test]
    async fn a_length_that_no_frame_can_have_reaches_the_reader() {
        let bytes = [&[0x81, 0xff][..], &[0xff; 8], &[0; 4]].concat();
        let mut frames = Frames::new(&bytes[..], &[]);
        assert_eq!(read(&mut frames).await, bytes);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_byte_is_handed_on_once_however_it_comes(
            lengths in prop::collection::vec(prop_oneof![0..200_usize, 16_000..17_000_usize, 60_000..70_000_usize], 0..8),
            pieces in prop::collection::vec(1..30_000_usize, 1..20),
        ) {
            let sent: Vec<u8> = lengths.iter().flat_map(|length| frame(0x81, *length)).collect();
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let got = runtime.block_on(async {
                let (mut near, far) = tokio::io::duplex(40_000);
                let mut frames = Frames::new(far, &[]);
                let mut got = Vec::new();
                let write = async {
                    let (mut rest, mut pieces) = (&sent[..], pieces.iter().cycle());
                    while !rest.is_empty() {
                        let piece = rest.len().min(*pieces.next().unwrap());
                        near.write_all(&rest[..piece]).await.unwrap();
                        rest = &rest[piece..];
                    }
                    drop(near);
                };
                tokio::join!(write, frames.read_to_end(&mut got)).1.unwrap();
                got
            });
            prop_assert_eq!(got, sent);
        }
    }
}
