//! `--embedded`: attaches to the supervisor that runs, or becomes it.

use std::path::PathBuf;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::serve::{no_socket, not_started};
use super::supervisor::{greet, unusable};
use crate::client::{Client, ClientError, Events, connect_unix};
use crate::driver::paths::PathError;
use crate::driver::{self, DriverSettings, Handle, StartError, paths};
use crate::error::Error;
use crate::server::{self, unix::Listening};

/// How long another supervisor may take to start or to end.
const HANDOVER_LIMIT: Duration = Duration::from_secs(10);

/// How long to wait before looking again.
const HANDOVER_PAUSE: Duration = Duration::from_millis(20);

/// The way to a supervisor that may be this very process.
pub(super) struct EmbeddedSupervisor {
    settings: DriverSettings,
    executable: PathBuf,
    embedded: Option<Embedded>,
}

/// A supervisor in this very process.
struct Embedded {
    handle: Handle,
    /// Other processes of this user reach it by the socket for as long as this is there.
    _listening: Listening,
}

impl EmbeddedSupervisor {
    /// Prepares the way; nothing is started yet. `executable` is this very program.
    pub(super) fn new(settings: DriverSettings, executable: PathBuf) -> Self {
        Self { settings, executable, embedded: None }
    }

    /// Connects to the supervisor of this user; starts one in this process if there is none.
    ///
    /// # Errors
    /// There is one that does not answer or speaks another version, or none can be started.
    pub(super) async fn connect(&mut self) -> Result<(Client, Events), Error> {
        // Whoever asks again has lost the connection: a supervisor of this process has ended then.
        self.stop().await;
        let started = Instant::now();
        loop {
            for socket in paths::supervisor_sockets() {
                match connect_unix(&socket).await {
                    Ok(connected) => return greet(connected).await,
                    Err(ClientError::Unreachable { .. } | ClientError::Closed) => {}
                    Err(error) => return Err(unusable(error)),
                }
            }
            match driver::start(self.settings.clone(), self.executable.clone()).await {
                Ok(handle) => return self.embed(handle).await,
                // Another one holds the folder and does not serve it yet, or not any more.
                Err(error) if is_served(&error) && started.elapsed() < HANDOVER_LIMIT => {
                    sleep(HANDOVER_PAUSE).await;
                }
                Err(error) => return Err(not_started(error)),
            }
        }
    }

    /// Ends the supervisor of this process, if there is one. Its sessions go on.
    pub(super) async fn stop(&mut self) {
        if let Some(embedded) = self.embedded.take() {
            embedded.handle.stop().await;
        }
    }

    async fn embed(&mut self, handle: Handle) -> Result<(Client, Events), Error> {
        let socket = handle.supervisor_socket();
        let listening = server::unix::listen(socket, &handle).map_err(|error| no_socket(socket, error))?;
        let stream = server::embedded(&handle);
        self.embedded = Some(Embedded { handle, _listening: listening });
        Client::connect(stream).await.map_err(unusable)
    }
}

fn is_served(error: &StartError) -> bool {
    matches!(error, StartError::Folder(PathError::Served { .. }))
}
