//! One connection to a supervisor: frames in, frames out, nothing blocking.

use std::io::{self, IoSlice, Read as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use super::wire::{self, HEADER, Kind, LONGEST_PAYLOAD, Report};
use crate::os::descriptors::{self, SendFlags};
use crate::os::peers::{self, PeerCredentials};
use crate::os::processes::OpenProcess;

/// The most bytes of reports that may wait for a supervisor that does not read.
const MOST_WAITING: usize = 4 * 1024 * 1024;

/// A frame from the other side.
pub struct Frame {
    /// What it carries; `None`: a kind that this version does not know.
    pub kind: Option<Kind>,
    /// The payload.
    pub payload: Vec<u8>,
}

/// One connection.
pub struct Connection {
    stream: UnixStream,
    /// When it was accepted, on the keeper's clock.
    pub accepted: Duration,
    /// The number under which it is attached.
    pub attachment: u64,
    /// The process at the other end; absent where the kernel does not say.
    process: Option<OpenProcess>,
    incoming: Vec<u8>,
    outgoing: Vec<u8>,
    /// Go out with the next byte.
    handed: Vec<OwnedFd>,
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
            accepted: now,
            attachment: 0,
            process: peers::process(&stream),
            stream,
            incoming: Vec::new(),
            outgoing: Vec::new(),
            handed: Vec::new(),
        })
    }

    /// Sends descriptors along with the first byte of what is reported next.
    pub fn hand(&mut self, descriptors: Vec<OwnedFd>) {
        self.handed = descriptors;
    }

    /// Takes out the process at the other end.
    pub fn into_process(self) -> Option<OpenProcess> {
        self.process
    }

    /// Returns the process at the other end, to be watched for its end.
    pub fn process(&self) -> Option<&OpenProcess> {
        self.process.as_ref()
    }

    /// Reads what is there and returns the whole frames.
    ///
    /// # Errors
    /// The connection ended, or the other side does not keep to the protocol.
    pub fn receive(&mut self) -> io::Result<Vec<Frame>> {
        let mut chunk = [0u8; 4 * 1024];
        let mut frames = Vec::new();
        // A few rounds only, so that one busy supervisor does not hold everything else up.
        for _ in 0..8 {
            match self.stream.read(&mut chunk) {
                // What came before the end is obeyed; the end is found again.
                Ok(0) if !frames.is_empty() => break,
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
        self.incoming.drain(..taken);
        if self.incoming.is_empty() {
            self.incoming = Vec::new();
        }
        Ok(())
    }

    /// Queues a report.
    pub fn report(&mut self, report: &Report) {
        self.outgoing.extend_from_slice(&wire::report_frame(report));
    }

    /// Tells whether something could be written if the socket took it.
    pub fn wants_to_write(&self) -> bool {
        !self.outgoing.is_empty()
    }

    /// Writes until nothing is left or the socket is full.
    ///
    /// # Errors
    /// The connection ended, or the supervisor has not read its reports for too long.
    pub fn flush(&mut self) -> io::Result<()> {
        while !self.outgoing.is_empty() {
            match self.write() {
                Ok(written) => {
                    self.handed.clear();
                    self.outgoing.drain(..written);
                }
                Err(rustix::io::Errno::AGAIN) if self.outgoing.len() > MOST_WAITING => {
                    return Err(io::Error::from(io::ErrorKind::TimedOut));
                }
                Err(rustix::io::Errno::AGAIN) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
        self.outgoing = Vec::new();
        Ok(())
    }

    fn write(&self) -> Result<usize, rustix::io::Errno> {
        let handed: Vec<BorrowedFd<'_>> = self.handed.iter().map(AsFd::as_fd).collect();
        descriptors::send(&self.stream, &[IoSlice::new(&self.outgoing)], &handed, SendFlags::empty())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::keeper::wire::Order;

    fn pair() -> (Connection, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        theirs.set_nonblocking(true).unwrap();
        (Connection::accept(ours, Duration::ZERO).unwrap(), theirs)
    }

    #[test]
    fn frames_are_whole_however_they_arrive_and_the_last_ones_come_before_the_end() {
        let (mut connection, mut supervisor) = pair();
        let frame = wire::order_frame(&Order::Kill { force: true });
        let (first, second) = frame.split_at(7);
        supervisor.write_all(first).unwrap();
        assert!(connection.receive().unwrap().is_empty());
        supervisor.write_all(second).unwrap();
        supervisor.write_all(&frame).unwrap();
        drop(supervisor);
        assert_eq!(connection.receive().unwrap().len(), 2);
        assert!(connection.receive().is_err());
    }

    #[test]
    fn a_giant_frame_ends_the_connection() {
        let (mut connection, mut supervisor) = pair();
        supervisor.write_all(&wire::header(Kind::Order, LONGEST_PAYLOAD + 1)).unwrap();
        assert!(connection.receive().is_err());
    }

    #[test]
    fn a_supervisor_that_reads_late_gets_every_report_in_order() {
        let (mut connection, mut supervisor) = pair();
        for _ in 0..20_000 {
            connection.report(&Report::LimitReached);
        }
        connection.flush().unwrap();
        assert!(connection.wants_to_write(), "the socket took everything, so nothing was tried");
        let expected = wire::report_frame(&Report::LimitReached).repeat(20_000);
        let mut got = Vec::new();
        while got.len() < expected.len() {
            let _ = supervisor.read_to_end(&mut got);
            connection.flush().unwrap();
        }
        assert!(got == expected, "bytes came in another order");
    }

    #[test]
    fn the_process_at_the_other_end_is_known_to_live() {
        let (connection, _supervisor) = pair();
        assert!(!connection.process().unwrap().has_ended());
    }
}
