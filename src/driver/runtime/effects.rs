//! Runs the engine's orders. Each arm is one call; whatever takes time is a task whose result comes back as a fact.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use regex::Regex;
use tokio::sync::oneshot;

use super::{Fact, Runtime, check_outcome};
use crate::core::callback::{CallbackRequest, admission};
use crate::core::effect::{BundleRecord, Effect, Reply};
use crate::core::ids::SessionId;
use crate::core::input::{CheckOutcome, DeliveryId, DeliveryOutcome, Input, ReplyId, SessionInput};
use crate::core::provider::Provider;
use crate::core::saved_session::SavedSession;
use crate::core::secret::Secret;
use crate::core::view::{Event, Level};
use crate::driver::auth_check::{self, Check};
use crate::driver::environment::Supervisor;
use crate::driver::keeper_link::{self, KeeperError, KeeperHello, KeeperSpec};
use crate::driver::launch::Launch;
use crate::driver::listeners;
use crate::driver::listeners::listeners_on;
use crate::driver::panics::or_panic;
use crate::driver::paths::make_session_directory;
use crate::driver::replay::{self, Gate};
use crate::driver::saved::SavedFile;
use crate::driver::session_task::{Attached, SessionTask, Setting};
use crate::driver::sessions::{Mailbox, Order, port};
use crate::keeper::COOKIE;

/// How often it is looked whether something that a CLI left behind still listens.
const LISTENER_INTERVAL: Duration = Duration::from_secs(1);

impl Runtime {
    /// Does one thing that the engine ordered.
    pub fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::StartKeeper { session_id, limit } => self.start_keeper(session_id, limit),
            Effect::WriteLine { session_id, delivery, text, hidden } => {
                self.write_line(&session_id, delivery, text, hidden);
            }
            Effect::ReplayCallback { session_id, delivery, request } => {
                self.replay_callback(session_id, delivery, request);
            }
            Effect::KillChild { session_id, force } => self.kill_child(session_id, force),
            Effect::ReleaseKeeper { session_id } => {
                self.sessions.order(&session_id, Order::Release);
                self.trim_soon();
            }
            Effect::RunCheck { session_id, limit } => self.run_check(session_id, limit),
            Effect::StopCheck { session_id } => self.stop_check(&session_id),
            Effect::WatchListeners { session_id } => self.watch_listeners(session_id),
            Effect::StoreBundle(record) => self.store_bundle(record),
            Effect::SaveSession(saved) => self.save_session(*saved),
            Effect::ForgetSession { session_id } => self.forget_session(&session_id),
            Effect::Publish(event) => self.on_publish(event),
            Effect::Reply { to, value } => self.on_reply(to, value),
        }
    }

    /// Tells the engine a fact later on: an effect must not feed the engine while it is being performed.
    fn tell_later(&mut self, session_id: SessionId, input: SessionInput) {
        let facts = self.facts.clone();
        self.tasks.spawn(async move {
            // An error means that the runtime ended.
            let _ = facts.send(Fact::Input(Input::Session { session_id, input })).await;
        });
    }

    fn start_keeper(&mut self, session_id: SessionId, limit: Duration) {
        let Some(live) = self.live.get(&session_id) else {
            let error = "the order to start it was lost; start it again".to_owned();
            return self.tell_later(session_id, SessionInput::StartFailed { error });
        };
        let credential = live.credential.clone();
        let spec = self.keeper_spec(&session_id, &live.launch, &credential, limit);
        let setting = self.setting(session_id.clone(), live.launch.provider.clone(), live.launch.size);
        let (port, mailbox) = port();
        self.sessions.insert(session_id, port);
        let program = (self.paths.program().start_path(), self.paths.program().path().to_owned());
        self.tasks.spawn(start(program, spec, setting, mailbox));
    }

    fn keeper_spec(
        &self,
        session_id: &SessionId,
        launch: &Launch,
        credential: &Secret,
        limit: Duration,
    ) -> KeeperSpec {
        let limits = &self.settings.limits;
        let directory = self.paths.session(session_id);
        KeeperSpec {
            environment: self.child_environment(session_id, launch, credential).into(),
            working_directory: launch.directory.clone(),
            columns: launch.size.0,
            rows: launch.size.1,
            limit,
            grace: limits.kill_grace,
            kill_limit: limits.kill,
            input_limit: limits.write,
            ring_bytes: limits.ring_bytes,
            open_files: self.open_files,
            credential: credential.clone(),
            ..KeeperSpec::new(directory, session_id.clone(), launch.command.clone())
        }
    }

    /// Returns the whole environment of a session's processes.
    fn child_environment(
        &self,
        session_id: &SessionId,
        launch: &Launch,
        credential: &Secret,
    ) -> Vec<(String, String)> {
        if let Some(own) = &launch.as_started {
            return own.clone();
        }
        let mut environment = launch.environment.clone();
        let (socket, askpass) = (self.paths.supervisor_socket(), self.paths.askpass());
        environment.describe(session_id, &Supervisor { socket: &socket, askpass: &askpass, credential });
        let openers = self.reports_browser(launch).then(|| self.paths.openers());
        if let Some(openers) = &openers {
            environment.report_browser(openers);
        }
        for (name, value) in &launch.overrides {
            environment.set(name, value);
        }
        if let Some(openers) = &openers {
            environment.search_first(openers);
        }
        environment.variables().to_vec()
    }

    fn reports_browser(&self, launch: &Launch) -> bool {
        let browser = &self.settings.browser;
        let provider = launch.provider.as_ref();
        let off = provider.is_some_and(|provider| {
            !provider.browser_shim || browser.shim_off_for.iter().any(|id| id == provider.id.as_str())
        });
        browser.shim && !off
    }

    /// Returns what a session's task works with.
    pub fn setting(
        &self,
        session_id: SessionId,
        provider: Option<Arc<Provider>>,
        size: (u16, u16),
    ) -> Setting {
        Setting {
            session_id,
            settings: Arc::clone(&self.settings),
            clock: self.clock,
            facts: self.facts.clone(),
            provider,
            saved: self.saved.clone(),
            size,
        }
    }

    fn write_line(&mut self, session_id: &SessionId, delivery: DeliveryId, text: Secret, hidden: bool) {
        if !self.sessions.order(session_id, Order::WriteLine { delivery, text, hidden }) {
            let outcome = DeliveryOutcome::Closed;
            self.tell_later(session_id.clone(), SessionInput::Delivered { delivery, outcome });
        }
    }

    fn replay_callback(&mut self, session_id: SessionId, delivery: DeliveryId, request: CallbackRequest) {
        for secret in secrets_of(&request) {
            self.sessions.order(&session_id, Order::Mask(secret));
        }
        let (facts, limit) = (self.facts.clone(), self.settings.limits.replay);
        let gate = self.gate(session_id.clone(), request.unseen);
        self.tasks.spawn(async move {
            let outcome =
                or_panic(handed_over(&request, &gate, limit), |reason| DeliveryOutcome::Failed { reason })
                    .await;
            let input = SessionInput::Delivered { delivery, outcome };
            let _ = facts.send(Fact::Input(Input::Session { session_id, input })).await;
        });
    }

    /// Makes what decides at the last moment whether a listener is the session's.
    fn gate(&self, session_id: SessionId, unseen: bool) -> Gate {
        let sessions = self.session_roots();
        Arc::new(move |address, port| {
            let listeners = listeners_on(port, &sessions);
            admission(&listeners, address, port, &session_id, unseen)
        })
    }

    fn kill_child(&mut self, session_id: SessionId, force: bool) {
        if !self.sessions.order(&session_id, Order::Kill { force }) {
            self.tell_later(session_id, SessionInput::KillFinished { survivors: Vec::new() });
        }
    }

    fn run_check(&mut self, session_id: SessionId, limit: Duration) {
        let Some((live, check)) = self
            .live
            .get(&session_id)
            .and_then(|live| Some((live, live.launch.provider.as_ref()?.auth_check.clone()?)))
        else {
            let error = "the provider has no auth check".to_owned();
            let outcome = CheckOutcome::NotRun { error };
            return self.tell_later(session_id, SessionInput::CheckFinished(outcome));
        };
        let environment = self.child_environment(&session_id, &live.launch, &live.credential);
        let check = Check {
            command: check.command,
            environment: environment.into_iter().map(|(name, value)| (name.into(), value.into())).collect(),
            directory: live.launch.directory.clone(),
            identity: check.identity.and_then(|pattern| Regex::new(&pattern).ok()),
            requires_identity: check.requires_identity,
            limit,
        };
        let (stop, stopped) = oneshot::channel();
        if let Some(live) = self.live.get_mut(&session_id) {
            live.check = Some(stop);
        }
        let facts = self.facts.clone();
        self.tasks.spawn(async move {
            let check = async { check_outcome(auth_check::run(check).await) };
            let outcome = tokio::select! {
                outcome = or_panic(check, |error| CheckOutcome::NotRun { error }) => outcome,
                _ = stopped => return,
            };
            let input = SessionInput::CheckFinished(outcome);
            let _ = facts.send(Fact::Input(Input::Session { session_id, input })).await;
        });
    }

    fn stop_check(&mut self, session_id: &SessionId) {
        if let Some(live) = self.live.get_mut(session_id) {
            live.check = None;
        }
    }

    /// Looks now and then, in a task of its own, until nothing of the session listens any more.
    fn watch_listeners(&mut self, session_id: SessionId) {
        let facts = self.facts.clone();
        let mark = format!("{COOKIE}={session_id}").into_bytes();
        self.tasks.spawn(async move {
            loop {
                let mark = mark.clone();
                let listens = tokio::task::spawn_blocking(move || listeners::marked_listens(&mark)).await;
                if !listens.unwrap_or(false) || facts.is_closed() {
                    break;
                }
                tokio::time::sleep(LISTENER_INTERVAL).await;
            }
            // An error means that the runtime ended.
            let input = SessionInput::ListenersGone;
            let _ = facts.send(Fact::Input(Input::Session { session_id, input })).await;
        });
    }

    fn store_bundle(&mut self, record: BundleRecord) {
        let (store, facts, now) = (self.store.clone(), self.facts.clone(), self.clock.now());
        self.tasks.spawn(async move {
            let session_id = record.session_id.clone();
            let stored = async {
                match store.record(record, now).await {
                    Ok(bundle) => SessionInput::BundleStored { bundle: Box::new(bundle) },
                    Err(error) => SessionInput::BundleNotStored { error: error.to_string() },
                }
            };
            let input = or_panic(stored, |error| SessionInput::BundleNotStored { error }).await;
            let _ = facts.send(Fact::Input(Input::Session { session_id, input })).await;
        });
    }

    /// Writes before anybody is told, so that what a client has seen is what the next supervisor knows. The folder
    /// is in memory on nearly every system, and the file is small.
    pub(super) fn save_session(&mut self, saved: SavedSession) {
        let session_id = saved.plan.session_id.clone();
        let directory =
            self.live.get(&session_id).map_or_else(PathBuf::new, |live| live.launch.directory.clone());
        let file = SavedFile { session: saved, directory };
        if let Err(error) = self.saved.write(&session_id, &file) {
            let text = format!(
                "the state of {session_id} could not be saved: {error}; a restart would not know of it"
            );
            self.publish(Event::Notice { level: Level::Warning, text, session_id: Some(session_id) });
        }
    }

    fn forget_session(&mut self, session_id: &SessionId) {
        self.sessions.order(session_id, Order::Forget);
        self.sessions.remove(session_id);
        self.live.remove(session_id);
        self.credential.forget(session_id);
        self.saved.remove(session_id);
        self.trim_soon();
        self.clients.unfocus(session_id);
    }

    fn on_publish(&mut self, event: Event) {
        match &event {
            Event::ChallengeEnded { challenge_id, epoch, outcome: _ } => {
                self.clients.forget_parked(challenge_id, *epoch);
            }
            Event::SessionAdded { .. }
            | Event::SessionChanged { .. }
            | Event::SessionRemoved { .. }
            | Event::ChallengeParked { .. }
            | Event::BundleStored { .. }
            | Event::SupervisorStopping {}
            | Event::Notice { .. } => {}
        }
        self.publish(event);
    }

    fn on_reply(&mut self, to: ReplyId, value: Reply) {
        let Some((client, parked, heard)) = self.replies.deliver(to, value) else { return };
        match self.clients.get_mut(client) {
            Some(entry) if heard => entry.parked.push(parked),
            // Nobody is left to wait for it. The engine is not fed from within an effect, so this comes later.
            Some(_) | None => {
                let facts = self.facts.clone();
                self.tasks.spawn(async move {
                    let _ = facts.send(Fact::Abandoned(parked)).await;
                });
            }
        }
    }
}

async fn handed_over(request: &CallbackRequest, gate: &Gate, limit: Duration) -> DeliveryOutcome {
    match replay::replay(request, gate, limit).await {
        Ok(replayed) => DeliveryOutcome::Answered { status: replayed.status, page: replayed.page },
        Err(error) => match error.after_sending() {
            Some(how) => DeliveryOutcome::Unanswered { how },
            None => DeliveryOutcome::Failed { reason: error.to_string() },
        },
    }
}

/// Starts a keeper and attaches to it, then serves the session until it is forgotten.
async fn start(program: (PathBuf, PathBuf), spec: KeeperSpec, setting: Setting, mailbox: Mailbox) {
    let (facts, session_id) = (setting.facts.clone(), setting.session_id.clone());
    let started = or_panic(spawn_and_attach(&program, &spec), Err).await;
    drop(spec);
    let (attached, input) = match started {
        Ok(attached) => {
            let input = SessionInput::KeeperReady { process_id: attached.hello.child_process_id };
            (Some(attached), input)
        }
        Err(error) => (None, SessionInput::StartFailed { error }),
    };
    let past: Option<KeeperHello> = attached.as_ref().map(|attached| attached.hello.clone());
    // An error means that the runtime ended.
    let _ = facts.send(Fact::Input(Input::Session { session_id, input })).await;
    SessionTask::new(setting, mailbox, attached).run(past).await;
}

async fn spawn_and_attach((file, name): &(PathBuf, PathBuf), spec: &KeeperSpec) -> Result<Attached, String> {
    make_session_directory(&spec.directory).map_err(|error| error.to_string())?;
    let started = async {
        keeper_link::spawn_as(file, name, spec).await?;
        keeper_link::attach(&spec.directory, Some(0)).await
    };
    match started.await {
        Ok((handle, events, hello)) => Ok(Attached { handle, events, hello }),
        Err(error) => {
            if !matches!(error, KeeperError::Connection(_) | KeeperError::TimedOut { .. }) {
                // An error means that the keeper has removed its folder itself.
                let _ = std::fs::remove_dir_all(&spec.directory);
            }
            Err(error.to_string())
        }
    }
}

/// Returns what of a callback must not be shown: the values that stand for the login.
fn secrets_of(request: &CallbackRequest) -> Vec<Secret> {
    let target = request.target.secret();
    let query = target.split_once('?').map_or("", |(_, query)| query);
    let named = |name: &str| ["code", "token", "access_token", "id_token", "jwt"].contains(&name);
    url::form_urlencoded::parse(query.as_bytes())
        .filter(|(name, _)| named(name))
        .map(|(_, value)| Secret::new(value.into_owned()))
        .collect()
}
