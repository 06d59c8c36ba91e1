//! A supervisor inside of the test, with real keepers, that can be killed and started again.

use std::sync::Arc;
use std::time::Duration;

use authdeck::config::catalogue::Catalogue;
use authdeck::core::ids::{ProviderId, SessionId};
use authdeck::core::secret::Secret;
use authdeck::core::status::Status;
use authdeck::driver::{self, Connection, DriverSettings, Handle, Identity};
use authdeck::protocol::error::RpcError;
use authdeck::protocol::method::{Method as _, Request, session, supervisor, terminal};
use authdeck::protocol::request::{InputBytes, SessionRef, StartSession, Started, Submit};
use authdeck::protocol::screen::{Row, ScreenUpdate};
use authdeck::protocol::snapshot::SessionView;
use authdeck::protocol::{decode, encode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::DeserializeOwned;
use tokio::runtime::{Builder, Runtime};

use super::env::{AUTHDECK, Home};
use super::process;
use super::wait::{GENEROUS, wait_for};

/// A provider whose check passes once its CLI has left a file behind.
pub const SAMPLE: &str = r#"
id = "sample"
title = "Sample"
command = ["sample-cli", "login"]
answers = ["stdin-code"]
expected_hosts = ["login.example.com"]
install_hint = "apt install sample-cli"

[auth_check]
command = ["/bin/sh", "-c", "cat logged-in || { echo not logged in >&2; exit 1; }"]
identity = 'Logged in as (\S+)'
"#;

/// A supervisor and one client of it.
pub struct Supervisor {
    pub home: Home,
    settings: DriverSettings,
    running: Option<Running>,
}

struct Running {
    runtime: Runtime,
    handle: Handle,
    connection: Connection,
}

impl Supervisor {
    /// Starts one with the default settings.
    pub fn start() -> Self {
        Self::start_with(|_, _| {})
    }

    /// Starts one that knows a provider `sample`, described by the rest of its file.
    pub fn start_with_provider(description: &str) -> Self {
        Self::start_with(|home, settings| {
            home.write_file("providers/sample.toml", description);
            let (catalogue, mistakes) = Catalogue::load(Some(&home.path().join("providers")));
            assert!(mistakes.is_empty(), "{mistakes:?}");
            settings.catalogue = Arc::new(catalogue.into());
        })
    }

    /// Starts one with settings of the test's own.
    pub fn start_with(change: impl FnOnce(&Home, &mut DriverSettings)) -> Self {
        let home = Home::new();
        let environment = home.variables().iter().map(|(name, value)| (name.into(), value.into()));
        let mut settings = DriverSettings {
            runtime_directory: Some(home.runtime().join("authdeck")),
            state_directory: Some(home.home().join("state/authdeck")),
            environment: Some(environment.collect()),
            ..DriverSettings::default()
        };
        change(&home, &mut settings);
        let mut supervisor = Self { home, settings, running: None };
        supervisor.restart();
        supervisor
    }

    /// Starts the supervisor again.
    pub fn restart(&mut self) {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let settings = self.settings.clone();
        let (handle, connection) = runtime.block_on(async {
            let handle = driver::start(settings, AUTHDECK.into()).await.unwrap();
            let connection = handle.connect(Identity::Local, None).await.unwrap();
            (handle, connection)
        });
        self.running = Some(Running { runtime, handle, connection });
    }

    /// Ends it without giving it a chance to do anything more, as SIGKILL would.
    pub fn kill(&mut self) {
        let Running { runtime, handle, connection } = self.running.take().unwrap();
        runtime.shutdown_timeout(GENEROUS);
        drop((handle, connection));
    }

    /// Ends it in good order.
    pub fn stop(&mut self) {
        let Running { runtime, handle, connection } = self.running.take().unwrap();
        runtime.block_on(handle.stop());
        drop((handle, connection));
    }

    /// The keepers of this supervisor's sessions. They inherit the test's own environment, so it is their argument
    /// that tells whose they are.
    pub fn keepers(&self) -> Vec<u32> {
        let ours = self.home.path().to_string_lossy().into_owned();
        let entries = std::fs::read_dir("/proc").unwrap();
        let ids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        ids.filter(|id: &u32| {
            let command = std::fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
            let command = String::from_utf8_lossy(&command);
            command.split('\0').nth(1) == Some("keeper") && command.contains(&ours) && process::is_alive(*id)
        })
        .collect()
    }

    pub fn settings(&mut self) -> &mut DriverSettings {
        &mut self.settings
    }

    fn running(&self) -> &Running {
        self.running.as_ref().unwrap()
    }

    pub fn handle(&self) -> &Handle {
        &self.running().handle
    }

    pub fn connection(&self) -> &Connection {
        &self.running().connection
    }

    pub fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.running().runtime.block_on(async {
            tokio::time::timeout(GENEROUS, future).await.expect("an answer within the generous limit")
        })
    }

    /// Connects another client.
    pub fn connect(&self, identity: Identity) -> Connection {
        self.block_on(self.handle().connect(identity, Some(std::process::id()))).unwrap()
    }

    /// Asks for something and reads the answer.
    pub fn ask<T: DeserializeOwned>(&self, request: Request) -> Result<T, RpcError> {
        ask(self, self.connection(), request)
    }

    /// Starts a session.
    pub fn try_start(&self, start: StartSession) -> Result<SessionId, RpcError> {
        let start = StartSession { directory: Some(self.home.work().display().to_string()), ..start };
        self.ask::<Started>(Request::Supervisor(supervisor::Request::Start(start)))
            .map(|started| started.session_id)
    }

    /// Starts a session with a shell script.
    pub fn run(&self, script: &str) -> SessionId {
        self.try_start(shell(script)).unwrap()
    }

    /// Starts a session of the provider `sample` with a shell script in place of its command.
    pub fn run_sample(&self, script: &str) -> SessionId {
        let provider_id = Some(ProviderId::new("sample"));
        self.try_start(StartSession { provider_id, ..shell(script) }).unwrap()
    }

    /// Returns a session as clients see it.
    pub fn view(&self, session: &SessionId) -> Option<SessionView> {
        let snapshot = self.block_on(self.connection().subscribe()).unwrap().snapshot;
        snapshot.sessions.into_iter().find(|view| view.session_id == *session)
    }

    /// Waits until a session is as it should be.
    pub fn wait_view(
        &self,
        what: &str,
        session: &SessionId,
        is: impl Fn(&SessionView) -> bool,
    ) -> SessionView {
        self.wait_view_within(GENEROUS, what, session, is)
    }

    /// The same with a limit of the test's own, for what is much work in a build without optimization.
    pub fn wait_view_within(
        &self,
        limit: Duration,
        what: &str,
        session: &SessionId,
        is: impl Fn(&SessionView) -> bool,
    ) -> SessionView {
        wait_for(what, limit, || {
            let view = self.view(session).ok_or("no such session")?;
            if is(&view) {
                return Ok(view);
            }
            Err(format!("{view:#?}\n{}", self.screen(session)))
        })
    }

    /// Waits until a session is over and returns its status.
    pub fn wait_over(&self, session: &SessionId) -> Status {
        self.wait_view("the session is over", session, |view| view.status.is_terminal()).status
    }

    /// Waits until the transcript has a text in it, and returns it.
    pub fn wait_transcript(&self, session: &SessionId, text: &str) -> String {
        wait_for(&format!("{text:?} in the transcript"), GENEROUS, || {
            let transcript = self.transcript(session);
            if transcript.contains(text) { Ok(transcript) } else { Err(transcript) }
        })
    }

    /// Returns the text of a session's screen.
    pub fn screen(&self, session: &SessionId) -> String {
        let of = SessionRef { session_id: session.clone() };
        let screen: Result<ScreenUpdate, RpcError> =
            self.ask(Request::Terminal(terminal::Request::Screen(of)));
        let rows = screen.map(|screen| screen.changed).unwrap_or_default();
        let text = |row: &Row| row.runs.iter().map(|run| run.text.as_str()).collect::<String>();
        rows.iter().map(text).collect::<Vec<_>>().join("\n")
    }

    pub fn transcript(&self, session: &SessionId) -> String {
        let of = SessionRef { session_id: session.clone() };
        self.ask(Request::Terminal(terminal::Request::Transcript(of)))
            .unwrap_or_else(|error: RpcError| error.message)
    }

    /// Types into a session's child.
    pub fn type_text(&self, session: &SessionId, text: &str) -> bool {
        let base64 = Secret::new(STANDARD.encode(text));
        self.ask(Request::Terminal(terminal::Request::Input(InputBytes {
            session_id: session.clone(),
            base64,
        })))
        .unwrap()
    }

    /// Asks something about a session whose answer is a boolean.
    pub fn ask_whether(&self, session: &SessionId, request: impl FnOnce(SessionRef) -> Request) -> bool {
        self.ask(request(SessionRef { session_id: session.clone() })).unwrap()
    }

    pub fn submit<T: DeserializeOwned>(&self, session: &SessionId, text: &str) -> Result<T, RpcError> {
        let (session_id, text) = (session.clone(), Secret::new(text));
        self.ask(session::Submit::request(Submit { session_id, text, unseen_listener: false }))
    }
}

impl Drop for Supervisor {
    /// Ends what a keeper would go on holding.
    fn drop(&mut self) {
        if let Some(Running { runtime, .. }) = self.running.take() {
            runtime.shutdown_timeout(GENEROUS);
        }
        self.keepers().into_iter().for_each(|keeper| process::signal(keeper, "KILL"));
    }
}

/// Asks for something over a connection and reads the answer, as a client would.
pub fn ask<T: DeserializeOwned>(
    supervisor: &Supervisor,
    connection: &Connection,
    request: Request,
) -> Result<T, RpcError> {
    let response = supervisor.block_on(connection.call(request))?;
    decode::answer(&encode::response(&1.into(), &response))
}

/// A session that runs a shell script.
pub fn shell(script: &str) -> StartSession {
    StartSession { command: vec!["/bin/sh".into(), "-c".into(), script.into()], ..StartSession::default() }
}

/// A short time, for limits that are to run out.
pub const SHORT: Duration = Duration::from_millis(400);
