//! The new process's side.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as BlockingStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio::sync::mpsc;

use super::channel::Channel;
use super::{Acceptor, FORMAT, HandoffError, Item, Message};
use crate::core::secret::Secret;
use crate::driver::platform::local_socket::LocalSocket;
use crate::driver::{self, DriverSettings, MovedRuntime, Reattached, StartError};
use crate::server::moved::{MovedConnection, Transport};
use crate::server::{Context, UpgradeOrder, tcp, unix};

/// How long the old process may take for each thing that it says: longer than it takes to give up.
const LIMIT: Duration = Duration::from_secs(30);

/// Everything that another process had, and that is this one's now.
#[derive(Debug)]
pub struct Taken {
    runtime: MovedRuntime,
    lock: OwnedFd,
    listener: OwnedFd,
    loopback: Vec<(Vec<String>, OwnedFd)>,
    connections: Vec<(MovedConnection, OwnedFd)>,
}

/// What has come so far.
#[derive(Default)]
struct Items {
    tokens: Vec<Secret>,
    lock: Option<OwnedFd>,
    listener: Option<OwnedFd>,
    loopback: Vec<(Vec<String>, OwnedFd)>,
    connections: Vec<(MovedConnection, OwnedFd)>,
}

/// Takes over from the process at the other end. Blocks until that one has committed; until then nothing of what it gave
/// is touched.
///
/// # Errors
/// It has given up, or says something else.
pub fn take(stream: BlockingStream) -> Result<Taken, HandoffError> {
    let mut channel = Channel::new(stream)?;
    channel.send(&Message::Hello { format: FORMAT }, None, soon())?;
    let (Message::State { runtime }, None) = channel.receive(soon())? else {
        return Err(HandoffError::Foreign);
    };
    let mut items = Items::default();
    loop {
        match channel.receive(soon())? {
            (Message::Item { token, item }, Some(descriptor)) => items.add(token, *item, descriptor),
            (Message::End {}, None) => break,
            _ => return Err(HandoffError::Foreign),
        }
    }
    let (Some(lock), Some(listener)) = (items.lock, items.listener) else {
        return Err(HandoffError::Foreign);
    };
    for token in items.tokens {
        channel.send(&Message::Taken { token }, None, soon())?;
    }
    let (Message::Commit {}, None) = channel.receive(soon())? else { return Err(HandoffError::Foreign) };
    let (loopback, connections) = (items.loopback, items.connections);
    Ok(Taken { runtime: *runtime, lock, listener, loopback, connections })
}

fn soon() -> Instant {
    Instant::now() + LIMIT
}

impl Items {
    fn add(&mut self, token: Secret, item: Item, descriptor: OwnedFd) {
        self.tokens.push(token);
        match item {
            Item::Lock {} => self.lock = Some(descriptor),
            Item::Listener {} => self.listener = Some(descriptor),
            Item::Loopback { allowed } => self.loopback.push((allowed, descriptor)),
            Item::Connection { state } => self.connections.push((*state, descriptor)),
        }
    }
}

impl Taken {
    /// Tells whether clients come in over TCP too.
    pub fn listens_on_loopback(&self) -> bool {
        !self.loopback.is_empty()
    }

    /// Goes on with everything, within a tokio runtime. `executable` is this very program.
    ///
    /// # Errors
    /// The supervisor cannot be started, or its sockets are none.
    pub async fn serve(
        self,
        settings: DriverSettings,
        executable: PathBuf,
    ) -> Result<(Acceptor, mpsc::Receiver<UpgradeOrder>), TakeError> {
        let taken = driver::take_over(settings, executable, self.runtime, self.lock).await;
        let (handle, clients) = taken.map_err(TakeError::Supervisor)?;
        let (context, orders) = Context::replaceable(&handle);
        let socket = handle.supervisor_socket().to_owned();
        let listener = UnixListener::from_std(self.listener.into())?;
        let unix = unix::serve(listener, &socket, &context)?;
        let mut loopback = Vec::new();
        for (allowed, listener) in self.loopback {
            let listener = TcpListener::from_std(listener.into())?;
            loopback.push(tcp::serve(listener, &allowed, &context)?);
        }
        let mut clients: BTreeMap<u64, Reattached> =
            clients.into_iter().map(|(client, reattached)| (client.0, reattached)).collect();
        let acceptor = Acceptor { context, unix, loopback };
        for (state, descriptor) in self.connections {
            // One that is not known to the runtime has gone while the other process handed over.
            let Some(reattached) = clients.remove(&state.client) else { continue };
            acceptor.go_on(state, descriptor, reattached)?;
        }
        Ok((acceptor, orders))
    }
}

impl Acceptor {
    fn go_on(
        &self,
        state: MovedConnection,
        descriptor: OwnedFd,
        reattached: Reattached,
    ) -> Result<(), TakeError> {
        let context = self.context.clone();
        match state.transport {
            Transport::Unix => {
                let wire = state.wire(LocalSocket::new(descriptor.into())?)?;
                let place = self.unix.place()?;
                tokio::spawn(async move {
                    state.serve(wire, context, reattached).await;
                    drop(place);
                });
            }
            Transport::Tcp => {
                let wire = state.wire(TcpStream::from_std(descriptor.into())?)?;
                tokio::spawn(state.serve(wire, context, reattached));
            }
        }
        Ok(())
    }
}

/// Why nothing is served of what was taken over.
#[derive(Debug, thiserror::Error)]
pub enum TakeError {
    /// The supervisor cannot be started.
    #[error(transparent)]
    Supervisor(StartError),
    /// A socket is none, or is not where it was.
    #[error("a socket that was handed over cannot be used: {0}")]
    Socket(#[from] std::io::Error),
    /// An address cannot be served.
    #[error(transparent)]
    Loopback(#[from] tcp::ListenError),
}
