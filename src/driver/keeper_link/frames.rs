//! The bytes of a connection to a keeper: reports in, and how to get one.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::net::UnixStream as BlockingStream;
use std::path::Path;

use tokio::io::AsyncReadExt as _;

use crate::driver::platform::local_socket::LocalSocket;
use crate::keeper::SOCKET;
use crate::keeper::wire::{self, Kind, LONGEST_PAYLOAD, Report};

/// Connects to a session's socket. A path that is too long for a socket goes through the folder's descriptor.
pub(super) fn connect(directory: &Path) -> io::Result<BlockingStream> {
    const LONGEST_PATH: usize = 100;
    let path = directory.join(SOCKET);
    let stream = if path.as_os_str().len() <= LONGEST_PATH {
        BlockingStream::connect(path)?
    } else {
        let folder = File::open(directory)?;
        BlockingStream::connect(format!("/proc/self/fd/{}/{SOCKET}", folder.as_raw_fd()))?
    };
    Ok(stream)
}

/// Tells whether a keeper listens in the folder.
pub(super) fn reachable(directory: &Path) -> bool {
    connect(directory).is_ok()
}

/// What came from a keeper and is no whole report yet.
#[derive(Debug, Default)]
pub(super) struct Incoming(Vec<u8>);

impl Incoming {
    /// Takes what was read already.
    pub fn push(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// Waits for more. Cancelling loses nothing.
    ///
    /// # Errors
    /// The connection ended.
    pub async fn read(&mut self, socket: &mut LocalSocket) -> io::Result<()> {
        if self.0.capacity() == 0 {
            self.0.reserve(1024);
        }
        match socket.read_buf(&mut self.0).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }

    /// Takes the next whole report; absent if there is none yet. What this version does not know is passed over.
    ///
    /// # Errors
    /// The keeper does not keep to the protocol.
    pub fn next(&mut self) -> io::Result<Option<Report>> {
        while let Some((header, rest)) = self.0.split_first_chunk::<{ wire::HEADER }>() {
            let (length, code) = wire::parse_header(*header);
            if length > LONGEST_PAYLOAD {
                return Err(io::ErrorKind::InvalidData.into());
            }
            let Some(payload) = rest.get(..length) else { return Ok(None) };
            let report = match Kind::from_code(code) {
                Some(Kind::Report) => serde_json::from_slice(payload).ok(),
                Some(Kind::Order) | None => None,
            };
            self.0.drain(..wire::HEADER + length);
            if self.0.is_empty() {
                self.0 = Vec::new();
            }
            if report.is_some() {
                return Ok(report);
            }
        }
        Ok(None)
    }
}
