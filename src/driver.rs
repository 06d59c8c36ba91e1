//! Everything that touches the world on the engine's behalf: the supervisor's runtime.
//!
//! ```text
//! Connection ──commands──> runtime (owns the engine, the clock, randomness) ──orders──> session task ── keeper
//!   ^ ^  └────────────────── keys, questions about the screen ───────────────────────────^ │
//!   │ └──events (numbered)──────┘ effects run as tasks, results return as inputs            │
//!   └────screen updates (state, not a queue) ───────────────────────────────────────────────┘
//! ```
//!
//! | module | what it does |
//! | --- | --- |
//! | [`handle`] | what the server part calls: connections, requests, events, screens |
//! | `runtime` | owns the engine; runs its orders |
//! | `session_task` | one session: screen, findings, recording, updates for clients |
//! | `moved` | what goes over to the process that takes this one's place |
//! | `launch`, `providers` | looks up what is to be started, and what is installed |
//! | `program` | this program's file, held open |
//! | `requester` | who asks |
//! | [`left_behind`] | ends what a killed keeper left |
//! | [`saved`] | what the next supervisor must know |
//! | [`screen_slot`] | where a session task leaves a screen update for one client |
//! | `scope` | what a client may do that came in with a ticket for one provider |
//! | [`auth_check`] | asks the provider itself whether, and as whom, one is logged in |
//! | [`replay`] | hands a callback to the child's loopback listener |
//! | [`store`] | who is logged in where |
//! | `listeners` | whose what listens on this machine's loopback is |
//! | `panics` | makes a task's panic an answer |
//! | [`recording`] | what a session printed, and when |
//! | [`keeper_link`] | starts, finds and talks to keepers |
//! | [`platform`] | what else needs the C library: the terminal's guard, watched descriptors |
//! | [`environment`], [`paths`] | what children inherit; the supervisor's folders |
//! | [`settings`] | every limit of this part, with its default |
//!
//! Nothing here knows who is connected or how bytes reach a client.

pub mod auth_check;
mod clock;
mod command;
pub mod environment;
mod fact;
pub mod handle;
mod identity;
pub mod keeper_link;
mod launch;
pub mod left_behind;
mod listeners;
mod moved;
pub mod panics;
pub mod paths;
mod plain_text;
pub mod platform;
mod program;
mod providers;
pub mod recording;
pub mod replay;
mod requester;
mod runtime;
pub mod saved;
mod scope;
pub mod screen_slot;
mod session_task;
mod sessions;
pub mod settings;
pub mod store;
mod subscription;

pub use handle::{Connection, Handle, Reattached, Verdict};
pub use identity::Identity;
pub use moved::MovedRuntime;
pub use settings::DriverSettings;
pub use subscription::{Subscription, Told, Untaken};

use std::collections::BTreeSet;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::mpsc;

use self::paths::{PathError, Paths};
use self::runtime::{Ears, Runtime};
use self::sessions::Sessions;
use crate::core::ids::ClientId;
use crate::core::token::InternalCredential;
use crate::os::own_process;

/// How many commands of clients may wait for the runtime; a further one waits with its client.
const COMMAND_QUEUE: usize = 256;

/// Starts the supervisor's runtime on the current tokio runtime. `executable` is this very program: it is started
/// again as keeper, and linked as the askpass program of every child.
///
/// Sessions of an earlier supervisor are taken over before this returns, so the first snapshot has them.
///
/// # Errors
/// The folders cannot be made safe, or another supervisor serves them already.
pub async fn start(settings: DriverSettings, executable: PathBuf) -> Result<Handle, StartError> {
    let paths = Paths::prepare(&settings, &executable)?;
    let (handle, mut runtime, ears) = assemble(settings, paths)?;
    runtime.adopt().await;
    tokio::spawn(runtime.run(ears));
    Ok(handle)
}

/// A supervisor that is to take another process's place. Everything is built that can fail, and nothing is touched of
/// what the other one has.
pub struct Successor {
    handle: Handle,
    runtime: Runtime,
    ears: Ears,
    moved: MovedRuntime,
}

impl Successor {
    /// Builds it from what the other process knew ([`Handle::hand_over`]) and the lock of its folder.
    ///
    /// # Errors
    /// The folder is not safe any more.
    pub fn build(
        settings: DriverSettings,
        executable: &Path,
        moved: MovedRuntime,
        lock: OwnedFd,
    ) -> Result<Self, StartError> {
        let paths =
            Paths::inherit(moved.runtime_directory.clone(), moved.state_directory.clone(), executable, lock)?;
        let (handle, runtime, ears) = assemble(settings, paths)?;
        Ok(Self { handle, runtime, ears, moved })
    }

    /// Returns what the server part calls.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Takes the place: attaches to the keepers, and goes on. Returns the clients with these numbers: one that is dropped
    /// has gone. What the others parked waits on, so that they find it when they come again.
    pub async fn take_over(mut self, connected: &BTreeSet<u64>) -> Vec<(ClientId, Reattached)> {
        let clients = self.runtime.take_over(self.moved, connected, &self.handle).await;
        tokio::spawn(self.runtime.run(self.ears));
        clients
    }
}

fn assemble(settings: DriverSettings, paths: Paths) -> Result<(Handle, Runtime, Ears), StartError> {
    own_process::deny_reading();
    own_process::return_large_buffers();
    let open_files = own_process::raise_open_files();
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(|error| StartError::Randomness(error.to_string()))?;
    let mut credential = InternalCredential::default();
    credential.make(random);
    let (commands, commanded) = mpsc::channel(COMMAND_QUEUE);
    let (departures, departed) = mpsc::unbounded_channel();
    let sessions = Sessions::default();
    let socket = Arc::new(paths.supervisor_socket());
    let handle = Handle { commands, departures, sessions: sessions.clone(), socket };
    let (mut runtime, heard) = Runtime::new(settings, paths, credential, sessions);
    runtime.open_files = open_files;
    Ok((handle, runtime, Ears { commands: commanded, departures: departed, facts: heard }))
}

/// Why the supervisor did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A folder cannot be used, or is served already.
    #[error(transparent)]
    Folder(#[from] PathError),
    /// The system gives no randomness.
    #[error("the system gives no randomness for the internal credential: {0}")]
    Randomness(String),
}
