//! Messages with descriptors between the two processes, over a socket pair. Blocks, with a deadline for each call.

use std::io::{self, IoSlice, Read as _, Write as _};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::Instant;

use zeroize::Zeroizing;

use super::Message;
use crate::os::descriptors::{self, SendFlags};

/// The longest message, in bytes: a connection with a long queue.
const LONGEST: usize = 64 * 1024 * 1024;

/// Bytes of a message's length, which stands before it.
const HEADER: usize = 4;

/// One end of the socket pair.
#[derive(Debug)]
pub(super) struct Channel(UnixStream);

impl Channel {
    pub(super) fn new(stream: UnixStream) -> io::Result<Self> {
        stream.set_nonblocking(false)?;
        Ok(Self(stream))
    }

    /// Sends a message, with a descriptor if one belongs to it.
    pub(super) fn send(
        &mut self,
        message: &Message,
        descriptor: Option<BorrowedFd<'_>>,
        deadline: Instant,
    ) -> io::Result<()> {
        let mut bytes = Zeroizing::new(vec![0; HEADER]);
        serde_json::to_writer(&mut *bytes, message)?;
        let length = u32::try_from(bytes.len() - HEADER).map_err(io::Error::other)?;
        bytes[..HEADER].copy_from_slice(&length.to_le_bytes());
        self.0.set_write_timeout(Some(rest(deadline)?))?;
        let along = descriptor.as_slice();
        let sent = descriptors::send(&self.0, &[IoSlice::new(&bytes)], along, SendFlags::empty())?;
        let mut rest_of_it = &bytes[sent..];
        while !rest_of_it.is_empty() {
            self.0.set_write_timeout(Some(rest(deadline)?))?;
            let sent = self.0.write(rest_of_it)?;
            rest_of_it = &rest_of_it[sent..];
        }
        Ok(())
    }

    /// Receives a message, and the descriptor that came with it.
    pub(super) fn receive(&mut self, deadline: Instant) -> io::Result<(Message, Option<OwnedFd>)> {
        let mut header = [0; HEADER];
        let mut descriptor = None;
        let mut filled = 0;
        while filled < HEADER {
            self.0.set_read_timeout(Some(rest(deadline)?))?;
            let (count, mut sent_along) = descriptors::receive(&self.0, &mut header[filled..])?;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            descriptor = sent_along.pop().or(descriptor);
            filled += count;
        }
        let length = usize::try_from(u32::from_le_bytes(header)).unwrap_or(usize::MAX);
        if length > LONGEST {
            return Err(io::Error::other("a message is too long"));
        }
        let mut bytes = Zeroizing::new(vec![0; length]);
        let mut filled = 0;
        while filled < length {
            self.0.set_read_timeout(Some(rest(deadline)?))?;
            match self.0.read(&mut bytes[filled..])? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => filled += read,
            }
        }
        Ok((serde_json::from_slice(&bytes)?, descriptor))
    }
}

/// Returns the time that is left; a socket's own limit cannot be zero.
fn rest(deadline: Instant) -> io::Result<std::time::Duration> {
    let rest = deadline.saturating_duration_since(Instant::now());
    if rest.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(rest) }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::fd::AsFd as _;
    use std::time::Duration;

    use super::*;
    use crate::core::secret::Secret;
    use crate::server::handoff::Item;

    fn pair() -> (Channel, Channel) {
        let (one, other) = UnixStream::pair().unwrap();
        (Channel::new(one).unwrap(), Channel::new(other).unwrap())
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(20)
    }

    #[test]
    fn each_message_comes_with_its_own_descriptor() {
        let (mut near, mut far) = pair();
        let folder = tempfile::tempdir().unwrap();
        let send = |near: &mut Channel, number: usize| {
            let path = folder.path().join(number.to_string());
            std::fs::write(&path, number.to_string()).unwrap();
            let item = Item::Loopback { allowed: vec!["x".repeat(number * 50_000)] };
            let message = Message::Item { token: Secret::new(number.to_string()), item: Box::new(item) };
            near.send(&message, Some(File::open(path).unwrap().as_fd()), soon()).unwrap();
        };
        std::thread::scope(|scope| {
            scope.spawn(|| {
                (0..20).for_each(|number| send(&mut near, number));
                near.send(&Message::End {}, None, soon()).unwrap();
                drop(near);
            });
            receive_all(&mut far);
        });
    }

    fn receive_all(far: &mut Channel) {
        for number in 0..20 {
            let (message, descriptor) = far.receive(soon()).unwrap();
            let mut text = String::new();
            File::from(descriptor.unwrap()).read_to_string(&mut text).unwrap();
            assert_eq!(text, number.to_string());
            assert!(matches!(message, Message::Item { token, .. } if token.secret() == text));
        }
        let (message, descriptor) = far.receive(soon()).unwrap();
        assert!(matches!(message, Message::End {}) && descriptor.is_none());
        assert_eq!(far.receive(soon()).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn nothing_is_waited_for_longer_than_until_the_deadline() {
        let (mut near, mut far) = pair();
        let short = || Instant::now() + Duration::from_millis(20);
        let late = far.receive(short()).unwrap_err().kind();
        assert!(matches!(late, io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut), "{late:?}");
        let item = Item::Loopback { allowed: vec!["x".repeat(10_000_000)] };
        let long = Message::Item { token: Secret::new("t"), item: Box::new(item) };
        let late = near.send(&long, None, short()).unwrap_err().kind();
        assert!(matches!(late, io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut), "{late:?}");
    }
}
