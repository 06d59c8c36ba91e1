//! Bytes over a Unix socket, and the descriptors that go along with them (unix(7), `SCM_RIGHTS`).

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

pub use rustix::net::SendFlags;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, recvmsg,
    sendmsg,
};

/// The most descriptors that go along with one message.
pub const MOST: usize = 4;

/// Writes what fits, with descriptors along with the first byte of it. The end of the other side is an error, never a
/// signal. Waits for room if the socket does and the flags do not forbid it.
///
/// # Errors
/// Nothing fits now, the connection is over, or there are more than [`MOST`] descriptors.
pub fn send(
    socket: impl AsFd,
    parts: &[IoSlice<'_>],
    descriptors: &[BorrowedFd<'_>],
    flags: SendFlags,
) -> rustix::io::Result<usize> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let fits = descriptors.len() <= MOST;
    if !fits || (!descriptors.is_empty() && !control.push(SendAncillaryMessage::ScmRights(descriptors))) {
        return Err(rustix::io::Errno::INVAL);
    }
    rustix::io::retry_on_intr(|| sendmsg(socket.as_fd(), parts, &mut control, flags | SendFlags::NOSIGNAL))
}

/// Reads what is there, with the descriptors that were sent along with it, in their order. Waits for something if the
/// socket does.
///
/// # Errors
/// There is nothing to read now, or the connection is broken.
pub fn receive(socket: impl AsFd, out: &mut [u8]) -> io::Result<(usize, Vec<OwnedFd>)> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut parts = [IoSliceMut::new(out)];
    let received = rustix::io::retry_on_intr(|| {
        recvmsg(socket.as_fd(), &mut parts, &mut control, RecvFlags::CMSG_CLOEXEC)
    })?;
    let descriptors = control.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(descriptors) => Some(descriptors),
        _ => None,
    });
    Ok((received.bytes, descriptors.flatten().collect()))
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn several_descriptors_arrive_in_their_order_and_too_many_are_refused() {
        let (near, far) = UnixStream::pair().unwrap();
        let files: Vec<File> = (1..=5)
            .map(|length| {
                let file = tempfile::tempfile().unwrap();
                file.set_len(length).unwrap();
                file
            })
            .collect();
        let all: Vec<BorrowedFd<'_>> = files.iter().map(AsFd::as_fd).collect();
        assert!(send(&near, &[IoSlice::new(b"x")], &all, SendFlags::empty()).is_err());
        assert_eq!(send(&near, &[IoSlice::new(b"xy")], &all[..3], SendFlags::empty()), Ok(2));
        let mut out = [0; 8];
        let (count, descriptors) = receive(&far, &mut out).unwrap();
        let lengths: Vec<u64> =
            descriptors.into_iter().map(|fd| File::from(fd).metadata().unwrap().len()).collect();
        assert_eq!((count, lengths), (2, vec![1, 2, 3]));
        drop(near);
        assert_eq!(receive(&far, &mut out).unwrap().0, 0);
    }
}
