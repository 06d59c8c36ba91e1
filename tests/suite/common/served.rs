//! A supervisor in the test's own process as its clients see it: served on the home's socket.

use std::path::PathBuf;

use authdeck::client::{Client, ClientEvent, Events, connect_unix};
use authdeck::config::Limits;
use authdeck::core::ids::SessionId;
use authdeck::driver::{self, DriverSettings, Handle};
use authdeck::protocol::event::Event;
use authdeck::protocol::frame::Frame;
use authdeck::protocol::request::StartSession;
use authdeck::protocol::screen::ScreenUpdate;
use authdeck::protocol::snapshot::Snapshot;
use authdeck::server::unix::{self, Listening};
use authdeck::wire::{Happening, Wire};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::UnixStream;
use tokio::time::timeout;

use super::env::{AUTHDECK, Home};
use super::wait::GENEROUS;

/// A supervisor that serves the home's socket.
pub struct Served {
    pub handle: Handle,
    socket: PathBuf,
    _listening: Listening,
}

impl Served {
    /// Starts one with the default limits.
    pub async fn start(home: &Home) -> Self {
        Self::start_with(home, Limits::default()).await
    }

    /// Starts one with these limits.
    pub async fn start_with(home: &Home, limits: Limits) -> Self {
        let folder = home.runtime().join("authdeck");
        let environment = home.variables().iter().map(|(name, value)| (name.into(), value.into())).collect();
        let settings = DriverSettings {
            runtime_directory: Some(folder.clone()),
            state_directory: Some(home.path().join("state")),
            environment: Some(environment),
            limits,
            ..DriverSettings::default()
        };
        let handle = driver::start(settings, AUTHDECK.into()).await.unwrap();
        let socket = folder.join(unix::SOCKET_NAME);
        let listening = unix::listen(&socket, &handle).unwrap();
        Self { handle, socket, _listening: listening }
    }

    /// The socket's path.
    pub fn socket(&self) -> &std::path::Path {
        &self.socket
    }

    /// Connects as another process of this user would.
    pub async fn connect(&self) -> (Client, Events) {
        connect_unix(&self.socket).await.unwrap()
    }

    /// Connects and subscribes.
    pub async fn watch(&self) -> Watcher {
        let (client, events) = self.connect().await;
        let snapshot = client.subscribe().await.unwrap();
        Watcher { client, events, snapshot }
    }

    /// Ends it; its sessions go on.
    pub async fn stop(self) {
        self.handle.stop().await;
    }
}

/// A client that is told everything.
pub struct Watcher {
    pub client: Client,
    pub events: Events,
    /// Everything when it subscribed.
    pub snapshot: Snapshot,
}

impl Watcher {
    /// Starts a shell script in a session.
    pub async fn start(&self, script: &str) -> SessionId {
        let command = ["/bin/sh", "-c", script].map(str::to_owned).into();
        let session = StartSession { command, ..StartSession::default() };
        self.client.start(session).await.unwrap().session_id
    }

    /// Waits for an event that `pick` takes.
    pub async fn wait_event<T>(&mut self, what: &str, mut pick: impl FnMut(&Event) -> Option<T>) -> T {
        self.wait(what, |told| match told {
            ClientEvent::Event(event) => pick(&event.event),
            ClientEvent::Screen(_)
            | ClientEvent::Resync(_)
            | ClientEvent::Complaint(_)
            | ClientEvent::Closed(_) => None,
        })
        .await
    }

    /// Waits for a screen update that satisfies `predicate`.
    pub async fn wait_screen(
        &mut self,
        what: &str,
        predicate: impl Fn(&ScreenUpdate) -> bool,
    ) -> ScreenUpdate {
        self.wait(what, |told| match told {
            ClientEvent::Screen(update) if predicate(update) => Some((**update).clone()),
            ClientEvent::Screen(_)
            | ClientEvent::Event(_)
            | ClientEvent::Resync(_)
            | ClientEvent::Complaint(_)
            | ClientEvent::Closed(_) => None,
        })
        .await
    }

    async fn wait<T>(&mut self, what: &str, mut pick: impl FnMut(&ClientEvent) -> Option<T>) -> T {
        let mut seen = Vec::new();
        let waiting = async {
            loop {
                let told = self.events.next().await.expect("the connection ended");
                if let Some(found) = pick(&told) {
                    return found;
                }
                seen.push(format!("{told:?}"));
            }
        };
        match timeout(GENEROUS, waiting).await {
            Ok(found) => found,
            Err(_) => {
                panic!("not within {} s: {what}\n--- instead ---\n{}", GENEROUS.as_secs(), seen.join("\n"))
            }
        }
    }
}

/// A client that writes its own frames.
pub struct Raw<S>(Wire<S>);

impl Raw<UnixStream> {
    /// Connects to the supervisor's socket.
    pub async fn connect(supervisor: &Served) -> Self {
        Self::connect_to(supervisor.socket()).await
    }

    /// Connects to a socket.
    pub async fn connect_to(socket: &std::path::Path) -> Self {
        Self(Wire::connect(UnixStream::connect(socket).await.unwrap()).await.unwrap())
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Raw<S> {
    /// Sends a frame.
    pub async fn say(&mut self, text: &str) {
        self.0.send(&Frame::new(text.as_bytes().to_vec())).unwrap();
        while self.0.is_writing() {
            assert!(matches!(self.0.next(false).await, Happening::Written));
        }
    }

    /// The next frame; absent if the connection ended.
    pub async fn hear(&mut self) -> Option<Value> {
        loop {
            match timeout(GENEROUS, self.0.next(true)).await.expect("nothing came") {
                Happening::Text(text) => return Some(serde_json::from_slice(&text).unwrap()),
                Happening::Written => {}
                Happening::NotText => panic!("not text"),
                Happening::Closed(_) => return None,
            }
        }
    }
}

/// The text of the rows that an update changes, one line each.
pub fn text_of(update: &ScreenUpdate) -> String {
    let row = |row: &authdeck::protocol::screen::Row| {
        row.runs.iter().map(|run| run.text.as_str()).collect::<String>()
    };
    update.changed.iter().map(row).collect::<Vec<_>>().join("\n")
}
