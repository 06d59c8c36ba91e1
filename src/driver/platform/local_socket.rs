#![allow(unsafe_code, reason = "a runtime's read buffer takes what was read only on the reader's word")]
//! A connected Unix socket that a runtime watches for input alone.
//!
//! The kernel wakes whoever watches a socket for room each time the other side has read from it, whether or not there
//! was a lack of room. Between processes that pass a key on from one to the next, that would wake each sender up once
//! more, at the very moment when the receiver wants the processor. So nobody watches for room unless a write found
//! none.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use rustix::net::Shutdown;
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};

use super::watched::{watch_input, watch_room};
use crate::os::descriptors::{self, SendFlags};

/// The socket.
#[derive(Debug)]
pub struct LocalSocket {
    input: AsyncFd<Arc<OwnedFd>>,
    output: SocketOutput,
    /// There while a write waits for room.
    room: Option<AsyncFd<OwnedFd>>,
}

/// Writes to a [`LocalSocket`], for whoever does not read from it too. Clones share the socket, which stays open as
/// long as one of them is there.
#[derive(Clone, Debug)]
pub struct SocketOutput {
    socket: Arc<OwnedFd>,
}

impl LocalSocket {
    /// Watches a connected socket. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// It cannot be watched.
    pub fn new(stream: UnixStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        let socket = Arc::new(OwnedFd::from(stream));
        let input = watch_input(Arc::clone(&socket))?;
        let output = SocketOutput { socket };
        Ok(Self { input, output, room: None })
    }

    /// Reads what is there, with the descriptors that were sent along with it. Cancelling loses nothing.
    ///
    /// # Errors
    /// The connection is broken.
    pub async fn receive(&self, out: &mut [u8]) -> io::Result<(usize, Vec<OwnedFd>)> {
        self.input.async_io(Interest::READABLE, |socket| descriptors::receive(socket, out)).await
    }

    /// Returns the way to write to it beside whoever reads.
    pub fn output(&self) -> SocketOutput {
        self.output.clone()
    }
}

impl SocketOutput {
    /// Writes what fits now, and returns how many bytes that was.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] if nothing fits; anything else means that the connection is over.
    pub fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match rustix::net::send(&self.socket, bytes, SendFlags::NOSIGNAL | SendFlags::DONTWAIT) {
                Err(rustix::io::Errno::INTR) => {}
                outcome => return Ok(outcome?),
            }
        }
    }

    /// Ends the connection, both ways, whoever else holds it.
    pub fn shut_down(&self) {
        // An error means that it is over already.
        let _ = rustix::net::shutdown(&self.socket, Shutdown::Both);
    }

    /// Waits until something fits, or the connection is over.
    ///
    /// # Errors
    /// It cannot be watched.
    pub async fn room(&self) -> io::Result<()> {
        self.watch_room()?.writable().await.map(drop)
    }

    /// A runtime knows descriptors by their numbers, and has this one already.
    fn watch_room(&self) -> io::Result<AsyncFd<OwnedFd>> {
        watch_room(self.socket.try_clone()?)
    }
}

impl AsFd for LocalSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.output.socket.as_fd()
    }
}

impl AsyncRead for LocalSocket {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            let mut ready = ready!(self.input.poll_read_ready(context))?;
            // SAFETY: nothing is written to it but by the read, which only fills it.
            let room = unsafe { out.unfilled_mut() };
            match rustix::io::read(ready.get_inner(), &mut *room).map(|(read, rest)| (read.len(), rest.len()))
            {
                Ok((count, rest)) => {
                    // Whatever comes after a read that was not filled is told anew.
                    if count > 0 && rest > 0 {
                        ready.clear_ready();
                    }
                    // SAFETY: the read has filled that many bytes from the start on.
                    unsafe { out.assume_init(count) };
                    out.advance(count);
                    return Poll::Ready(Ok(()));
                }
                Err(rustix::io::Errno::AGAIN) => ready.clear_ready(),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Poll::Ready(Err(error.into())),
            }
        }
    }
}

impl AsyncWrite for LocalSocket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        loop {
            match self.output.try_write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                outcome => {
                    self.room = None;
                    return Poll::Ready(outcome);
                }
            }
            if self.room.is_none() {
                self.room = Some(self.output.watch_room()?);
            }
            if let Some(room) = &self.room {
                // The write above found no room, so what was known of it is out of date.
                ready!(room.poll_write_ready(context))?.clear_ready();
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(rustix::net::shutdown(&self.output.socket, Shutdown::Write).map_err(io::Error::from))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    fn pair() -> (LocalSocket, LocalSocket) {
        let (near, far) = UnixStream::pair().unwrap();
        (LocalSocket::new(near).unwrap(), LocalSocket::new(far).unwrap())
    }

    #[tokio::test]
    async fn megabytes_go_both_ways_at_once_through_small_reads() {
        let (near, far) = pair();
        let sent: Vec<u8> = (0..3_000_000_u32).map(|at| (at % 251) as u8).collect();
        let talk = |socket: LocalSocket, sent: Vec<u8>| async move {
            let (mut read, mut write) = tokio::io::split(socket);
            let writing = async {
                write.write_all(&sent).await.unwrap();
                write.shutdown().await.unwrap();
            };
            let reading = async {
                let mut got = Vec::new();
                let mut piece = [0; 7_777];
                while let count @ 1.. = read.read(&mut piece).await.unwrap() {
                    got.extend_from_slice(&piece[..count]);
                }
                got
            };
            tokio::join!(writing, reading).1
        };
        let (one, other) = tokio::join!(talk(near, sent.clone()), talk(far, sent.clone()));
        assert!(one == sent && other == sent, "bytes were lost or changed");
    }

    #[tokio::test]
    async fn whoever_writes_beside_the_reader_learns_of_room_and_of_the_end() {
        let (near, mut far) = pair();
        let output = near.output();
        let piece = vec![1; 64 * 1024];
        let mut sent = 0;
        while let Ok(count) = output.try_write(&piece) {
            sent += count;
        }
        let mut got = vec![0; sent];
        let (room, read) = tokio::join!(output.room(), far.read_exact(&mut got));
        room.unwrap();
        assert_eq!(read.unwrap(), sent);
        assert!(output.try_write(b"x").is_ok());
        drop(far);
        output.room().await.unwrap();
        let error = output.try_write(b"x").unwrap_err();
        assert_ne!(error.kind(), io::ErrorKind::WouldBlock);
    }
}
