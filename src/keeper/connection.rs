//! One connection to a supervisor: frames in, frames out, nothing blocking.
//!
//! Output is never copied into the connection: an output frame is a small prefix and a stretch of the ring, written
//! together by one `writev`. What else is to be said waits in front of the prefix or behind the stretch.

use std::io::{self, IoSlice, Read as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use super::ring::Ring;
use super::wire::{self, HEADER, Kind, LONGEST_PAYLOAD, Report};
use crate::os::descriptors::{self, SendFlags};
use crate::os::peers::PeerCredentials;

/// The most bytes of output in one frame.
const LONGEST_OUTPUT: u64 = 64 * 1024;
/// The most bytes of reports that may wait for a supervisor that does not read.
const MOST_WAITING: usize = 4 * 1024 * 1024;
/// What the kernel may hold for a supervisor that is busy, in bytes.
const SEND_BUFFER: usize = 512 * 1024;

/// A frame from the other side.
pub struct Frame {
    /// What it carries; `None`: a kind that this version does not know.
    pub kind: Option<Kind>,
    /// The payload.
    pub payload: Vec<u8>,
}

/// Where a supervisor stands in the output.
#[derive(Clone, Copy, Debug)]
struct Position {
    /// Everything before it was put into frames and written.
    sent: u64,
    /// The end of the frame that is being written; `sent` if none is.
    frame_end: u64,
    /// The supervisor is done with everything before it.
    consumed: u64,
    /// How far `sent` may be ahead of `consumed`.
    window: u64,
    /// The supervisor knows that nothing more will come.
    end_told: bool,
}

/// One connection.
pub struct Connection {
    stream: UnixStream,
    /// When it was accepted, on the keeper's clock.
    pub accepted: Duration,
    incoming: Vec<u8>,
    head: Vec<u8>,
    head_written: usize,
    tail: Vec<u8>,
    position: Option<Position>,
    /// Goes out with the next byte.
    lent: Option<OwnedFd>,
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

impl Connection {
    /// Takes an accepted stream, if its peer runs under our own uid.
    ///
    /// # Errors
    /// The peer is another user, or the socket is of no use.
    pub fn accept(stream: UnixStream, now: Duration) -> io::Result<Self> {
        if !PeerCredentials::of(&stream)?.is_own_user() {
            return Err(io::Error::from(io::ErrorKind::PermissionDenied));
        }
        stream.set_nonblocking(true)?;
        Ok(Self {
            stream,
            accepted: now,
            incoming: Vec::new(),
            head: Vec::new(),
            head_written: 0,
            tail: Vec::new(),
            position: None,
            lent: None,
        })
    }

    /// Sends a descriptor along with the first byte of what is reported next.
    pub fn lend(&mut self, descriptor: Option<OwnedFd>) {
        self.lent = descriptor;
    }

    /// Starts to send output from `from`, with at most `window` bytes under way.
    pub fn attach(&mut self, from: u64, window: u64) {
        let _ = rustix::net::sockopt::set_socket_send_buffer_size(&self.stream, SEND_BUFFER);
        self.position = Some(Position {
            sent: from,
            frame_end: from,
            consumed: from,
            window: window.max(1),
            end_told: false,
        });
    }

    /// Returns the offset before which the supervisor needs nothing any more.
    pub fn consumed(&self) -> Option<u64> {
        self.position.map(|position| position.consumed)
    }

    /// Notes how far the supervisor is. What it has not been sent it cannot have consumed.
    pub fn set_consumed(&mut self, offset: u64) {
        if let Some(position) = &mut self.position {
            position.consumed = offset.clamp(position.consumed, position.sent);
        }
    }

    /// Reads what is there and returns the whole frames.
    ///
    /// # Errors
    /// The connection ended, or the other side does not keep to the protocol.
    pub fn receive(&mut self) -> io::Result<Vec<Frame>> {
        let mut chunk = [0u8; 4 * 1024];
        let mut frames = Vec::new();
        // A few rounds only, so that one busy supervisor does not keep the child waiting.
        for _ in 0..8 {
            match self.stream.read(&mut chunk) {
                Ok(0) => return Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
                Ok(count) => {
                    self.incoming.extend_from_slice(&chunk[..count]);
                    self.take_frames(&mut frames)?;
                    if count < chunk.len() {
                        break;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(frames)
    }

    fn take_frames(&mut self, frames: &mut Vec<Frame>) -> io::Result<()> {
        let mut taken = 0;
        while let Some(header) = self.incoming[taken..].first_chunk::<HEADER>() {
            let (length, code) = wire::parse_header(*header);
            if length > LONGEST_PAYLOAD {
                return Err(io::Error::from(io::ErrorKind::InvalidData));
            }
            let Some(payload) = self.incoming.get(taken + HEADER..taken + HEADER + length) else { break };
            frames.push(Frame { kind: Kind::from_code(code), payload: payload.to_vec() });
            taken += HEADER + length;
        }
        // Input may be secret: what was taken is not left behind in the buffer.
        zeroize::Zeroize::zeroize(&mut self.incoming[..taken]);
        self.incoming.drain(..taken);
        if self.incoming.is_empty() {
            self.incoming = Vec::new();
        }
        Ok(())
    }

    /// Queues a report behind what is being written.
    pub fn report(&mut self, report: &Report) {
        let frame = wire::report_frame(report);
        let mid_frame = self.position.is_some_and(|position| position.frame_end > position.sent);
        let queue = if mid_frame || !self.tail.is_empty() { &mut self.tail } else { &mut self.head };
        queue.extend_from_slice(&frame);
    }

    /// Tells whether something could be written if the socket took it.
    pub fn wants_to_write(&self, ring: &Ring) -> bool {
        self.head_written < self.head.len()
            || !self.tail.is_empty()
            || self
                .position
                .is_some_and(|position| position.frame_end > position.sent || sendable(position, ring) > 0)
    }

    /// Writes until nothing is left or the socket is full.
    ///
    /// # Errors
    /// The connection ended, or the supervisor has not read its reports for too long.
    pub fn flush(&mut self, ring: &Ring) -> io::Result<()> {
        loop {
            self.open_frame(ring);
            let (first, second) = match self.position {
                Some(position) => ring.slices(position.sent, position.frame_end),
                None => (&[][..], &[][..]),
            };
            let head = &self.head[self.head_written..];
            if head.is_empty() && first.is_empty() && second.is_empty() {
                return Ok(());
            }
            let slices = [IoSlice::new(head), IoSlice::new(first), IoSlice::new(second)];
            match write(&self.stream, &slices, self.lent.as_ref()) {
                Ok(written) => {
                    self.lent = None;
                    self.advance(written);
                }
                Err(rustix::io::Errno::AGAIN) if self.head.len() + self.tail.len() > MOST_WAITING => {
                    return Err(io::Error::from(io::ErrorKind::TimedOut));
                }
                Err(rustix::io::Errno::AGAIN) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Starts the next output frame, if the last one is written and there is something to send.
    fn open_frame(&mut self, ring: &Ring) {
        let Some(position) = &mut self.position else { return };
        if position.frame_end > position.sent {
            return;
        }
        if !self.tail.is_empty() {
            self.head.append(&mut self.tail);
        }
        let length = sendable(*position, ring);
        if length > 0 {
            self.head
                .extend_from_slice(&wire::output_prefix(position.sent, usize::try_from(length).unwrap_or(0)));
            position.frame_end = position.sent + length;
        } else if end_due(*position, ring) {
            self.head.extend_from_slice(&wire::report_frame(&Report::OutputEnded { offset: position.sent }));
            position.end_told = true;
        }
    }

    fn advance(&mut self, written: usize) {
        let of_head = written.min(self.head.len() - self.head_written);
        self.head_written += of_head;
        if self.head_written == self.head.len() {
            self.head.clear();
            self.head_written = 0;
        }
        if let Some(position) = &mut self.position {
            position.sent += (written - of_head) as u64;
        }
    }
}

/// Writes what fits, with a descriptor if there is one to lend.
fn write(
    stream: &UnixStream,
    slices: &[IoSlice<'_>],
    lent: Option<&OwnedFd>,
) -> Result<usize, rustix::io::Errno> {
    let Some(lent) = lent else {
        return rustix::io::retry_on_intr(|| rustix::io::writev(stream, slices));
    };
    descriptors::send(stream, slices, &[lent.as_fd()], SendFlags::empty())
}

/// Returns how many bytes the next frame may have.
fn sendable(position: Position, ring: &Ring) -> u64 {
    let open = position.window.saturating_sub(position.sent - position.consumed);
    ring.end().saturating_sub(position.sent).min(open).min(LONGEST_OUTPUT)
}

/// Tells whether the end of the output is to be told now: behind its last byte, once.
fn end_due(position: Position, ring: &Ring) -> bool {
    ring.is_complete() && position.sent == ring.end() && !position.end_told
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn pair() -> (Connection, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        theirs.set_nonblocking(true).unwrap();
        (Connection::accept(ours, Duration::ZERO).unwrap(), theirs)
    }

    fn read_all(stream: &mut UnixStream) -> Vec<u8> {
        let mut all = Vec::new();
        let _ = stream.read_to_end(&mut all);
        all
    }

    fn frames(bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
        let mut rest = bytes;
        let mut found = Vec::new();
        while let Some((header, after)) = rest.split_first_chunk::<HEADER>() {
            let (length, code) = wire::parse_header(*header);
            found.push((code, after[..length].to_vec()));
            rest = &after[length..];
        }
        found
    }

    #[test]
    fn frames_are_whole_however_they_arrive() {
        let (mut connection, mut supervisor) = pair();
        let frame = wire::input_frame(1, wire::InputKind::Keys, b"hello");
        let (first, second) = frame.split_at(7);
        supervisor.write_all(first).unwrap();
        assert!(connection.receive().unwrap().is_empty());
        supervisor.write_all(second).unwrap();
        supervisor.write_all(&frame).unwrap();
        assert_eq!(connection.receive().unwrap().len(), 2);
    }

    #[test]
    fn a_giant_frame_ends_the_connection() {
        let (mut connection, mut supervisor) = pair();
        supervisor.write_all(&wire::header(Kind::Order, LONGEST_PAYLOAD + 1)).unwrap();
        assert!(connection.receive().is_err());
    }

    #[test]
    fn output_is_numbered_and_held_back_beyond_the_window() {
        let (mut connection, mut supervisor) = pair();
        let mut ring = Ring::new(8192);
        ring.push(b"0123456789");
        connection.attach(2, 4);
        connection.flush(&ring).unwrap();
        let sent = frames(&read_all(&mut supervisor));
        assert_eq!(sent, [(4, [&2u64.to_be_bytes()[..], b"2345"].concat())]);
        assert!(!connection.wants_to_write(&ring));
        connection.set_consumed(6);
        connection.flush(&ring).unwrap();
        assert_eq!(frames(&read_all(&mut supervisor))[0].1[8..], *b"6789");
    }

    #[test]
    fn a_supervisor_cannot_have_consumed_what_it_never_got() {
        let (mut connection, _supervisor) = pair();
        connection.attach(0, 100);
        connection.set_consumed(50);
        assert_eq!(connection.consumed(), Some(0));
    }

    #[test]
    fn the_end_is_told_behind_the_last_byte_and_once() {
        let (mut connection, mut supervisor) = pair();
        let mut ring = Ring::new(8192);
        ring.push(b"last");
        ring.complete();
        connection.attach(0, 3);
        connection.flush(&ring).unwrap();
        assert_eq!(frames(&read_all(&mut supervisor)).len(), 1, "a byte is still to come");
        connection.set_consumed(3);
        connection.flush(&ring).unwrap();
        connection.flush(&ring).unwrap();
        let sent: Vec<u8> = frames(&read_all(&mut supervisor)).iter().map(|(code, _)| *code).collect();
        assert_eq!(sent, [4, 3]);
    }

    #[test]
    fn reports_stand_between_output_frames_and_never_inside_one() {
        let (mut connection, mut supervisor) = pair();
        let mut ring = Ring::new(4 * 1024 * 1024);
        ring.push(&vec![7; 3 * 1024 * 1024]);
        connection.attach(0, u64::MAX);
        connection.flush(&ring).unwrap();
        connection.report(&Report::LimitReached);
        let mut bytes = Vec::new();
        while connection.wants_to_write(&ring) {
            bytes.extend(read_all(&mut supervisor));
            connection.flush(&ring).unwrap();
        }
        bytes.extend(read_all(&mut supervisor));
        let frames = frames(&bytes);
        let reports: Vec<_> = frames.iter().filter(|(code, _)| *code == 3).collect();
        assert_eq!(reports.len(), 1);
        let output: usize =
            frames.iter().filter(|(code, _)| *code == 4).map(|(_, payload)| payload.len() - 8).sum();
        assert_eq!(output, 3 * 1024 * 1024);
    }
}
