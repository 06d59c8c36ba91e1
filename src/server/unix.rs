//! The Unix socket of this user: for askpass and its kin inside the sessions, and for a second deck.
//!
//! Three things keep others out: the folder (0700, checked by whoever made it), the socket's own mode (0600), and the
//! peer's uid, which the kernel reports for each connection.

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UnixListener;
use tokio::task::JoinHandle;

use super::places::{Capacity, Place, Places};
use super::{Context, Door, Peer, router};
use crate::driver::platform::local_socket::LocalSocket;
use crate::os::peers::PeerCredentials;

/// The socket's name in authdeck's runtime folder.
pub const SOCKET_NAME: &str = "supervisor.sock";

/// Clients that are served at the same time at most.
const CAPACITY: Capacity = Capacity { connections: 512, of_one_process: 256, calls: 64 };

/// How long to wait after a failure to accept, such as too many open files, before trying again.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A socket that is being served. Dropping it ends that, and removes the socket.
#[derive(Debug)]
pub struct Listening {
    path: PathBuf,
    /// Device and inode of the socket: another supervisor may have put its own in this place meanwhile. Absent once
    /// another process serves it.
    identity: Option<(u64, u64)>,
    listener: Arc<UnixListener>,
    task: JoinHandle<()>,
    clients: Clients,
}

/// Lets clients in, one place for each.
#[derive(Clone, Debug)]
struct Clients {
    context: Context,
    places: Places,
}

impl Listening {
    /// Serves a client that came another way than through the socket. Must be of this user.
    ///
    /// # Errors
    /// It is of somebody else.
    pub fn serve(&self, stream: LocalSocket) -> io::Result<()> {
        let peer = own_peer(&stream).ok_or(io::ErrorKind::PermissionDenied)?;
        self.clients.let_in(stream, peer);
        Ok(())
    }

    /// Makes one that lets nobody in until [`Self::resume`]. It may be gone from `path`: then nobody knocks.
    pub(super) fn paused(listener: UnixListener, path: &Path, context: impl Into<Context>) -> Self {
        let identity = identity_of(path).ok();
        let clients = Clients { context: context.into(), places: Places::new(CAPACITY) };
        let task = tokio::spawn(std::future::ready(()));
        Self { path: path.to_owned(), identity, listener: Arc::new(listener), task, clients }
    }

    /// Gives a place to a client that was served by another process before.
    pub(super) fn place(&self, process_id: Option<u32>) -> Place {
        self.clients.places.go_on(process_id)
    }

    /// Takes no further client, and waits until all that are there have gone, for as long as `limit` allows.
    pub async fn close(self, limit: Duration) {
        self.task.abort();
        // Whoever has not gone by then is cut off.
        let _ = tokio::time::timeout(limit, self.clients.places.wait_empty()).await;
    }

    /// Lets nobody in until [`Self::resume`]: who knocks waits.
    pub(super) async fn pause(&mut self) {
        self.task.abort();
        // Its only outcome is that it was ended.
        let _ = (&mut self.task).await;
    }

    pub(super) fn resume(&mut self) {
        self.task = tokio::spawn(accept(Arc::clone(&self.listener), self.clients.clone()));
    }

    /// Makes the socket again if somebody has removed it. Clients that are connected stay.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn renew(&mut self) -> io::Result<()> {
        if self.identity.is_none() || identity_of(&self.path).ok() == self.identity {
            return Ok(());
        }
        let listener = bind(&self.path)?;
        self.identity = Some(identity_of(&self.path)?);
        self.task.abort();
        self.listener = Arc::new(listener);
        self.resume();
        Ok(())
    }

    /// Leaves the socket to another process, which serves it.
    pub(super) fn leave(&mut self) {
        self.identity = None;
    }

    pub(super) fn descriptor(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
        // It may be gone with its folder, which is as good.
        if self.identity.is_some() && identity_of(&self.path).ok() == self.identity {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Serves clients on the socket `path`. The caller holds the lock of its folder, so a socket that lies there is of a
/// supervisor that has ended, and is replaced.
///
/// # Errors
/// The socket cannot be made.
pub fn listen(path: &Path, context: impl Into<Context>) -> io::Result<Listening> {
    let mut listening = Listening::paused(bind(path)?, path, context);
    listening.resume();
    Ok(listening)
}

/// Binds under another name first, so that nobody ever sees the socket without its mode, and a stale one is replaced
/// in one step.
fn bind(path: &Path) -> io::Result<UnixListener> {
    let fresh = path.with_extension("new");
    match std::fs::remove_file(&fresh) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let listener = UnixListener::bind(&fresh)?;
    std::fs::set_permissions(&fresh, std::fs::Permissions::from_mode(0o600))?;
    std::fs::rename(&fresh, path)?;
    Ok(listener)
}

fn identity_of(path: &Path) -> io::Result<(u64, u64)> {
    std::fs::symlink_metadata(path).map(|found| (found.dev(), found.ino()))
}

async fn accept(listener: Arc<UnixListener>, clients: Clients) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        // An error means that no further descriptor can be watched; whoever knocked is told by the end of it.
        let Ok(stream) = stream.into_std().and_then(LocalSocket::new) else { continue };
        let Some(peer) = own_peer(&stream) else { continue };
        clients.let_in(stream, peer);
    }
}

impl Clients {
    fn let_in(&self, stream: LocalSocket, peer: Peer) {
        let context = self.context.clone();
        let place = self.places.enter(peer.process_id);
        tokio::spawn(router::serve(stream, context, Door::Own(peer), place));
    }
}

/// Returns the peer if it is of this very user.
fn own_peer(stream: &LocalSocket) -> Option<Peer> {
    let credentials = PeerCredentials::of(stream).ok()?;
    credentials.is_own_user().then_some(Peer { process_id: credentials.process_id })
}
