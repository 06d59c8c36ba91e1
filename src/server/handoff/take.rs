//! The new process's side.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as BlockingStream;
use std::path::Path;
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio::sync::mpsc;

use super::channel::Channel;
use super::{Acceptor, FORMAT, HandoffError, Item, Message};
use crate::core::secret::Secret;
use crate::driver::platform::local_socket::LocalSocket;
use crate::driver::{DriverSettings, MovedRuntime, Reattached, StartError, Successor};
use crate::os::own_process::{self, LowerLimit};
use crate::server::moved::{MovedConnection, Transport};
use crate::server::{Context, UpgradeOrder, tcp, unix};
use crate::wire::Wire;

/// How long the old process may take for each thing that it says: longer than it takes to give up.
const LIMIT: Duration = Duration::from_secs(30);

/// Everything that another process had, ready to be served.
pub struct Taken {
    supervisor: Successor,
    acceptor: Acceptor,
    upgrades: mpsc::Receiver<UpgradeOrder>,
    connections: Vec<(MovedConnection, Carried)>,
}

/// A connection over its stream.
enum Carried {
    Unix(Wire<LocalSocket>),
    Tcp(Wire<TcpStream>),
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

/// Takes over from the process at the other end, within a tokio runtime; `executable` is this very program. Blocks until
/// the other one has committed. Until then nothing of what it gave is touched; but everything is built that can fail, so
/// that the other one goes on if it does.
///
/// # Errors
/// The other process has given up, or says something else; or something cannot be built here.
pub fn take(stream: BlockingStream, settings: DriverSettings, executable: &Path) -> Result<Taken, TakeError> {
    // Each connection comes as a descriptor.
    own_process::raise_open_files();
    let mut channel = Channel::new(stream).map_err(HandoffError::from)?;
    say(&mut channel, &Message::Hello { format: FORMAT })?;
    let (Message::State { runtime, limits }, None) = hear(&mut channel)? else { return Err(foreign()) };
    own_process::limits().suffice(&limits)?;
    let mut items = Items::default();
    loop {
        match hear(&mut channel)? {
            (Message::Item { token, item }, Some(descriptor)) => items.add(token, *item, descriptor),
            (Message::Item { .. }, None) => return Err(TakeError::DescriptorLost),
            (Message::End {}, None) => break,
            _ => return Err(foreign()),
        }
    }
    let tokens = std::mem::take(&mut items.tokens);
    let taken = items.build(settings, executable, *runtime)?;
    for token in tokens {
        say(&mut channel, &Message::Taken { token })?;
    }
    let (Message::Commit {}, None) = hear(&mut channel)? else { return Err(foreign()) };
    Ok(taken)
}

fn say(channel: &mut Channel, message: &Message) -> Result<(), HandoffError> {
    Ok(channel.send(message, None, soon())?)
}

fn hear(channel: &mut Channel) -> Result<(Message, Option<OwnedFd>), HandoffError> {
    Ok(channel.receive(soon())?)
}

fn foreign() -> TakeError {
    HandoffError::Foreign.into()
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

impl Items {
    fn build(
        self,
        mut settings: DriverSettings,
        executable: &Path,
        runtime: MovedRuntime,
    ) -> Result<Taken, TakeError> {
        let (Some(lock), Some(listener)) = (self.lock, self.listener) else { return Err(foreign()) };
        // Whoever asked for an address expects it to stay.
        settings.ends_when_idle = self.loopback.is_empty();
        let supervisor =
            Successor::build(settings, executable, runtime, lock).map_err(TakeError::Supervisor)?;
        let (context, upgrades) = Context::replaceable(supervisor.handle());
        let socket = supervisor.handle().supervisor_socket();
        let unix = unix::Listening::paused(UnixListener::from_std(listener.into())?, socket, &context);
        let mut loopback = Vec::new();
        for (allowed, listener) in self.loopback {
            let listener = TcpListener::from_std(listener.into())?;
            loopback.push(tcp::Listening::paused(listener, &allowed, &context)?);
        }
        let mut connections = Vec::new();
        for (state, descriptor) in self.connections {
            let carried = match state.transport {
                Transport::Unix => Carried::Unix(state.wire(LocalSocket::new(descriptor.into())?)?),
                Transport::Tcp => Carried::Tcp(state.wire(TcpStream::from_std(descriptor.into())?)?),
            };
            connections.push((state, carried));
        }
        Ok(Taken { supervisor, acceptor: Acceptor { context, unix, loopback }, upgrades, connections })
    }
}

impl Taken {
    /// Goes on with everything. What fails from here on costs its own connection and no other.
    pub async fn serve(self) -> (Acceptor, mpsc::Receiver<UpgradeOrder>) {
        let Self { supervisor, mut acceptor, upgrades, connections } = self;
        let connected = connections.iter().map(|(state, _)| state.client).collect();
        let clients = supervisor.take_over(&connected).await;
        let mut clients: BTreeMap<u64, Reattached> =
            clients.into_iter().map(|(client, reattached)| (client.0, reattached)).collect();
        for (state, carried) in connections {
            // One that is not known to the runtime has gone while the other process handed over.
            let Some(reattached) = clients.remove(&state.client) else { continue };
            acceptor.go_on(state, carried, reattached);
        }
        acceptor.resume();
        (acceptor, upgrades)
    }
}

impl Acceptor {
    fn go_on(&self, state: MovedConnection, carried: Carried, reattached: Reattached) {
        let context = self.context.clone();
        match carried {
            Carried::Unix(wire) => {
                let place = self.unix.place(state.process_id);
                tokio::spawn(async move {
                    state.serve(wire, context, reattached).await;
                    drop(place);
                });
            }
            Carried::Tcp(wire) => {
                let place = self.loopback.iter().map(tcp::Listening::place).next();
                tokio::spawn(async move {
                    state.serve(wire, context, reattached).await;
                    drop(place);
                });
            }
        }
    }
}

/// Why nothing is taken over.
#[derive(Debug, thiserror::Error)]
pub enum TakeError {
    /// The other process gave up, or it is none that is known.
    #[error(transparent)]
    Handoff(#[from] HandoffError),
    /// The supervisor cannot be built.
    #[error(transparent)]
    Supervisor(StartError),
    /// This process may use less than the other one, which might not be enough for what runs.
    #[error("{0}")]
    Limits(#[from] LowerLimit),
    /// A descriptor did not arrive with its message: too many are open.
    #[error("this process may not open as many files as the supervisor has connections")]
    DescriptorLost,
    /// A socket cannot be used.
    #[error("a socket that was handed over cannot be used: {0}")]
    Socket(#[from] std::io::Error),
    /// An address cannot be served.
    #[error(transparent)]
    Loopback(#[from] tcp::ListenError),
}
