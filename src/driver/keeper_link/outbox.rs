//! Frames on their way to a keeper.
//!
//! Whoever has a frame writes it at once, unless others wait already: a key that is typed is with the keeper before
//! any task has to wake up. What the socket does not take is written by [`Outbox::run`].

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use zeroize::Zeroize as _;

use crate::driver::platform::local_socket::SocketOutput;

/// Bytes that may wait; whoever has more waits until there is room.
const MOST_WAITING: usize = 1024 * 1024;

/// The connection is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Over;

#[derive(Default)]
struct Waiting {
    /// What the socket has not taken. Input may be a password, so it is wiped.
    bytes: Vec<u8>,
    over: bool,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

/// The way out.
pub(super) struct Outbox {
    write: SocketOutput,
    waiting: Mutex<Waiting>,
    /// Wakes [`Self::run`].
    more: Notify,
    /// Wakes those that wait for room.
    room: Notify,
}

impl Outbox {
    pub fn new(write: SocketOutput) -> Self {
        Self { write, waiting: Mutex::default(), more: Notify::new(), room: Notify::new() }
    }

    /// Writes a frame, or puts it behind what waits; waits itself only while too much does.
    pub async fn send(&self, mut frame: Vec<u8>) -> Result<(), Over> {
        let outcome = loop {
            let room = self.room.notified();
            match self.try_send(&frame) {
                Ok(true) => break Ok(()),
                Ok(false) => room.await,
                Err(over) => break Err(over),
            }
        };
        frame.zeroize();
        outcome
    }

    /// Writes a frame, or puts it behind what waits; false if too much does.
    pub fn try_send(&self, frame: &[u8]) -> Result<bool, Over> {
        let mut waiting = self.waiting();
        if waiting.over {
            return Err(Over);
        }
        if !waiting.bytes.is_empty() {
            let fits = waiting.bytes.len() + frame.len() <= MOST_WAITING;
            if fits {
                waiting.bytes.extend_from_slice(frame);
            }
            return Ok(fits);
        }
        let written = match self.write.try_write(frame) {
            Ok(written) => written,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            Err(_) => {
                waiting.over = true;
                return Err(Over);
            }
        };
        if written < frame.len() {
            waiting.bytes.extend_from_slice(&frame[written..]);
            self.more.notify_one();
        }
        Ok(true)
    }

    /// Tells whether nothing waits: everything is with the keeper.
    pub fn is_empty(&self) -> bool {
        self.waiting().bytes.is_empty()
    }

    /// Writes what waits, until the connection is over.
    pub async fn run(&self) {
        loop {
            self.more.notified().await;
            while !self.waiting().bytes.is_empty() {
                if self.write.room().await.is_err() || self.write_waiting().is_err() {
                    self.close();
                    return;
                }
            }
            self.room.notify_waiters();
        }
    }

    fn write_waiting(&self) -> io::Result<()> {
        let mut waiting = self.waiting();
        let written = match self.write.try_write(&waiting.bytes) {
            Ok(written) => written,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            Err(error) => return Err(error),
        };
        waiting.bytes[..written].zeroize();
        waiting.bytes.drain(..written);
        Ok(())
    }

    /// Refuses everything from now on.
    pub fn close(&self) {
        let mut waiting = self.waiting();
        waiting.over = true;
        waiting.bytes.zeroize();
        drop(waiting);
        self.room.notify_waiters();
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // Each section leaves whole frames or the rest of one at the front.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use std::os::unix::net::UnixStream;
    use tokio::io::AsyncReadExt as _;

    use super::*;
    use crate::driver::platform::local_socket::LocalSocket;

    #[tokio::test]
    async fn frames_keep_their_order_whether_they_are_written_at_once_or_later() {
        let (near, far) = UnixStream::pair().unwrap();
        let (near, mut far) = (LocalSocket::new(near).unwrap(), LocalSocket::new(far).unwrap());
        let outbox = Arc::new(Outbox::new(near.output()));
        let running = tokio::spawn({
            let outbox = Arc::clone(&outbox);
            async move { outbox.run().await }
        });
        let frames: Vec<Vec<u8>> = (0..40u8).map(|number| vec![number; 100_000]).collect();
        let expected = frames.concat();
        let sending = tokio::spawn({
            let outbox = Arc::clone(&outbox);
            async move {
                for frame in frames {
                    outbox.send(frame).await.unwrap();
                }
            }
        });
        let mut got = vec![0; expected.len()];
        far.read_exact(&mut got).await.unwrap();
        sending.await.unwrap();
        assert!(got == expected, "bytes came in another order");
        drop(far);
        while outbox.try_send(b"x").is_ok() {
            tokio::task::yield_now().await;
        }
        assert_eq!(outbox.send(vec![1]).await, Err(Over));
        running.abort();
    }
}
