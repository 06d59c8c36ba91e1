//! The Unix socket of this user: for askpass and its kin inside the sessions, and for a second deck.
//!
//! Three things keep others out: the folder (0700, checked by whoever made it), the socket's own mode (0600), and the
//! peer's uid, which the kernel reports for each connection.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::{Door, Peer, router};
use crate::driver::Handle;

/// The socket's name in authdeck's runtime folder.
pub const SOCKET_NAME: &str = "supervisor.sock";

/// Clients that are served at the same time at most.
const MOST_CLIENTS: usize = 512;

/// How long to wait after a failure to accept, such as too many open files, before trying again.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A socket that is being served. Dropping it ends that, and removes the socket.
#[derive(Debug)]
pub struct Listening {
    path: PathBuf,
    task: JoinHandle<()>,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
        // It may be gone with its folder, which is as good.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Serves clients on the socket `path`. The caller holds the lock of its folder, so a socket that lies there is of a
/// supervisor that has ended, and is replaced.
///
/// # Errors
/// The socket cannot be made.
pub fn listen(path: &Path, handle: &Handle) -> io::Result<Listening> {
    let listener = bind(path)?;
    let task = tokio::spawn(accept(listener, handle.clone()));
    Ok(Listening { path: path.to_owned(), task })
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

async fn accept(listener: UnixListener, handle: Handle) {
    let places = Arc::new(Semaphore::new(MOST_CLIENTS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let Some(peer) = own_peer(&stream) else { continue };
        let handle = handle.clone();
        tokio::spawn(async move {
            router::serve(stream, handle, Door::Own(peer)).await;
            drop(place);
        });
    }
}

/// Returns the peer if it is of this very user.
fn own_peer(stream: &UnixStream) -> Option<Peer> {
    let credentials = stream.peer_cred().ok()?;
    if credentials.uid() != rustix::process::geteuid().as_raw() {
        return None;
    }
    Some(Peer { process_id: credentials.pid().and_then(|id| u32::try_from(id).ok()) })
}
