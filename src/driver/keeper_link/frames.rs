//! The bytes of a connection to a keeper: frames in, frames out, answers to whoever asked.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Cursor};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::net::UnixStream as BlockingStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt as _, BufReader, Chain};
use tokio::sync::{mpsc, oneshot};

use super::KeeperEvent;
use crate::driver::platform::local_socket::LocalSocket;
use crate::keeper::SOCKET;
use crate::keeper::wire::{
    self, InputOutcome, Kind, LONGEST_PAYLOAD, OUTPUT_HEADER, RefusalReason, Report, TerminalMode,
};

/// What comes from a keeper: what came with the terminal's descriptor, then the rest.
pub(super) type Incoming = BufReader<Chain<Cursor<Vec<u8>>, LocalSocket>>;

/// What keepers answer, to whoever asked, and what decides who writes the next key.
#[derive(Default)]
pub(super) struct Waiting {
    /// Inputs that are not written yet, with who waits for that, if anybody does.
    pub(super) inputs: HashMap<u32, Option<oneshot::Sender<InputOutcome>>>,
    pub(super) modes: HashMap<u32, oneshot::Sender<Option<TerminalMode>>>,
    /// Behind the last of them the keeper may have inputs about which it will say nothing.
    pub(super) untold: bool,
    /// The child's terminal, to write keys to it directly. Gone as soon as the keeper gives its own up, so that the
    /// child's end is hung up.
    pub(super) terminal: Option<OwnedFd>,
    pub(super) over: bool,
}

pub(super) struct Shared {
    pub(super) waiting: Mutex<Waiting>,
    pub(super) next_id: AtomicU32,
    pub(super) directory: PathBuf,
}

impl Shared {
    pub(super) fn waiting(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

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

async fn read_frame(read: &mut Incoming) -> io::Result<(Option<Kind>, usize)> {
    let mut header = [0; wire::HEADER];
    read.read_exact(&mut header).await?;
    let (length, code) = wire::parse_header(header);
    if length > LONGEST_PAYLOAD {
        return Err(io::Error::from(io::ErrorKind::InvalidData));
    }
    Ok((Kind::from_code(code), length))
}

async fn read_payload(read: &mut Incoming, length: usize) -> io::Result<Vec<u8>> {
    let mut payload = Vec::with_capacity(length);
    let read = read.take(length as u64).read_to_end(&mut payload).await?;
    if read == length { Ok(payload) } else { Err(io::Error::from(io::ErrorKind::UnexpectedEof)) }
}

/// Reads the first report of a connection; anything else is nothing.
pub(super) async fn next_report(read: &mut Incoming) -> io::Result<Option<Report>> {
    let (kind, length) = read_frame(read).await?;
    let payload = read_payload(read, length).await?;
    match kind {
        Some(Kind::Report) => Ok(serde_json::from_slice(&payload).ok()),
        Some(Kind::Order | Kind::Input | Kind::Output) | None => Ok(None),
    }
}

/// Reads until the connection ends, then lets everyone who waits know.
pub(super) async fn read_frames(
    mut read: Incoming,
    events: mpsc::UnboundedSender<KeeperEvent>,
    shared: Arc<Shared>,
) {
    while let Ok((kind, length)) = read_frame(&mut read).await {
        let received = match kind {
            Some(Kind::Output) => read_output(&mut read, length).await.map(Some),
            Some(Kind::Report) => {
                let payload = read_payload(&mut read, length).await;
                payload.map(|payload| {
                    serde_json::from_slice(&payload).ok().and_then(|report| answer(&shared, report))
                })
            }
            Some(Kind::Order | Kind::Input) | None => read_payload(&mut read, length).await.map(|_| None),
        };
        let Ok(received) = received else { break };
        if received.is_some_and(|event| events.send(event).is_err()) {
            break;
        }
    }
    let mut waiting = shared.waiting();
    *waiting = Waiting { over: true, ..Waiting::default() };
}

async fn read_output(read: &mut Incoming, length: usize) -> io::Result<KeeperEvent> {
    let offset = read.read_u64().await?;
    let bytes = read_payload(read, length.saturating_sub(OUTPUT_HEADER)).await?;
    Ok(KeeperEvent::Output { offset, bytes })
}

/// Gives an answer to whoever asked; what nobody asked for is an event.
fn answer(shared: &Shared, report: Report) -> Option<KeeperEvent> {
    match report {
        Report::InputDone { id, outcome } => {
            if let Some(Some(asker)) = shared.waiting().inputs.remove(&id) {
                let _ = asker.send(outcome);
            }
            None
        }
        Report::Mode { id, mode } => {
            if let Some(asker) = shared.waiting().modes.remove(&id) {
                let _ = asker.send(mode);
            }
            None
        }
        Report::Hello(_) => None,
        Report::Refused(refusal) => {
            if refusal.reason == RefusalReason::Superseded {
                shared.waiting().terminal = None;
            }
            Some(KeeperEvent::Refused(refusal))
        }
        Report::Exited(exit) => Some(KeeperEvent::Exited(exit)),
        Report::OutputEnded { offset } => {
            shared.waiting().terminal = None;
            Some(KeeperEvent::OutputEnded { offset })
        }
        Report::LimitReached => Some(KeeperEvent::LimitReached),
        Report::KillFinished(report) => Some(KeeperEvent::KillFinished(report)),
        Report::Released => Some(KeeperEvent::Released),
    }
}
