//! Takes over the sessions of an earlier supervisor: attaches to the keepers that live, and says of the others what
//! became of them.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::timeout;
use uuid::Uuid;

use super::{Live, Runtime};
use crate::core::ids::{BundleId, SessionId};
use crate::core::input::{Adopted, AdoptedKeeper, Input, SessionInput};
use crate::core::login::{LoginFacts, LoginPlan};
use crate::core::saved_session::SavedSession;
use crate::core::view::{ChildState, Event, Level};
use crate::driver::environment::Environment;
use crate::driver::keeper_link::{self, KeeperHello, Variables};
use crate::driver::launch::Launch;
use crate::driver::left_behind;
use crate::driver::saved::SavedFile;
use crate::driver::session_task::{Attached, SessionTask};
use crate::driver::sessions::port;
use crate::keeper::COOKIE;

/// How long keepers may take to answer before the others are shown without them.
const SOON: Duration = Duration::from_secs(1);

/// A session that was found.
struct FoundAgain {
    file: SavedFile,
    keeper: Found,
}

/// What was found of its keeper.
enum Found {
    Attached(Box<Attached>),
    /// It was not needed any more.
    Released,
    /// It does not answer, and nothing proves that it is gone. The session's folder.
    NotYet(PathBuf),
    Gone,
}

impl Runtime {
    /// Finds all sessions and feeds them to the engine. Reads the folders; asks all keepers at the same time.
    pub async fn adopt(&mut self) {
        let (mut files, unreadable) = self.saved.read_all();
        for text in unreadable {
            self.publish(Event::Notice { level: Level::Warning, text, session_id: None });
        }
        let folders = keeper_link::list(&self.paths.sessions()).unwrap_or_default();
        let known: BTreeSet<SessionId> = files.iter().map(|file| file.session.session_id().clone()).collect();
        for folder in folders.iter().filter(|folder| !known.contains(&folder.session_id)) {
            files.push(self.unknown_session(folder.session_id.clone()));
        }
        let mut asked = JoinSet::new();
        for (place, file) in files.into_iter().enumerate() {
            let directory = self.paths.session(file.session.session_id());
            asked.spawn(async move { (place, find_again(file, directory).await) });
        }
        let mut found = asked.join_all().await;
        found.sort_by_key(|(place, _)| *place);
        for (_, found) in found {
            self.take_in(found);
        }
        self.tell_of_ended_login();
    }

    /// Says what happened to logins that systemd-logind has killed with the session that they were started from.
    fn tell_of_ended_login(&mut self) {
        let lost = self.engine.sessions().iter().filter(|view| view.child == ChildState::Lost).count();
        if lost == 0 || !self.paths.login_has_ended() {
            return;
        }
        let what = if lost == 1 { "One login was".to_owned() } else { format!("{lost} logins were") };
        let text = format!(
            "{what} ended with the shell session that authdeck was started from: this machine kills what is left when you \
             log out (KillUserProcesses). `loginctl enable-linger` keeps them the next time."
        );
        self.publish(Event::Notice { level: Level::Warning, text, session_id: None });
    }

    /// Makes what is needed of a session whose keeper is there and whose file is not.
    fn unknown_session(&self, session_id: SessionId) -> SavedFile {
        let plan = LoginPlan {
            session_id,
            bundle_id: BundleId::from_uuid(Uuid::new_v4()),
            into_bundle: None,
            facts: LoginFacts { title: "unknown".into(), ..LoginFacts::default() },
            command: vec!["unknown".into()],
            name: None,
            limit_seconds: None,
        };
        let session = SavedSession::new(plan, self.clock.now(), self.settings.limits.session);
        SavedFile { session, directory: PathBuf::from("/") }
    }

    fn take_in(&mut self, found: FoundAgain) {
        let FoundAgain { file, keeper: found } = found;
        let (attached, not_yet) = match found {
            Found::Attached(attached) => (Some(*attached), None),
            Found::NotYet(folder) => (None, Some(folder)),
            Found::Released | Found::Gone => (None, None),
        };
        let session_id = file.session.session_id().clone();
        let size =
            attached.as_ref().map_or((80, 24), |attached| (attached.hello.columns, attached.hello.rows));
        let environment = attached.as_ref().and_then(|attached| attached.hello.environment.clone());
        let launch = Launch { as_started: environment.map(as_started), ..self.launch_again(&file, size) };
        let provider = launch.provider.clone();
        let keeper = match &attached {
            Some(attached) => AdoptedKeeper::Attached {
                process_id: attached.hello.child_process_id,
                time: attached.hello.time(),
            },
            None if not_yet.is_some() => AdoptedKeeper::Unreachable,
            None if file.session.status.is_terminal() => AdoptedKeeper::Released,
            None => AdoptedKeeper::Gone,
        };
        let credential =
            attached.as_ref().map(|attached| attached.hello.credential.clone()).unwrap_or_default();
        self.credential.adopt(session_id.clone(), credential.clone());
        self.live.insert(session_id.clone(), Live { launch, credential, check: None });
        if matches!(keeper, AdoptedKeeper::Gone) {
            let session_id = session_id.clone();
            self.tasks.spawn_blocking(move || drop(left_behind::end_marked(&session_id)));
        }
        let (port, mailbox) = port();
        self.sessions.insert(session_id.clone(), port);
        let past = attached.as_ref().map(|attached| attached.hello.clone());
        let mut task = SessionTask::new(self.setting(session_id, provider, size), mailbox, attached);
        match not_yet {
            Some(folder) => task.await_keeper(folder),
            None if past.is_none() => task.recall(),
            None => {}
        }
        self.feed(Input::Adopted(Box::new(Adopted { saved: file.session, keeper })));
        self.tasks.spawn(task.run(past));
    }

    /// A keeper that had not answered is attached to: what it alone knows is taken from it.
    pub fn on_reached(&mut self, session_id: &SessionId, hello: &KeeperHello) {
        self.credential.adopt(session_id.clone(), hello.credential.clone());
        if let Some(live) = self.live.get_mut(session_id) {
            live.credential = hello.credential.clone();
            live.launch.as_started = hello.environment.clone().map(as_started);
        }
        let input = SessionInput::KeeperReached { process_id: hello.child_process_id, time: hello.time() };
        self.feed_session(session_id, input);
    }

    /// Puts together what the auth check needs if the keeper does not tell the child's environment. No file keeps it,
    /// since it may be secret; the configuration folder, which decides whose login it is, stands in the plan.
    fn launch_again(&self, file: &SavedFile, size: (u16, u16)) -> Launch {
        let plan = &file.session.plan;
        let provider =
            plan.facts.provider_id.as_ref().and_then(|id| self.settings.catalogue.now().get(id.as_str()));
        let mut environment = match &self.settings.environment {
            Some(variables) => Environment::inherited(variables.iter().cloned()),
            None => Environment::inherited(std::env::vars_os()),
        };
        if let Some(provider) = &provider {
            for (name, value) in &provider.environment {
                environment.set(name, value);
            }
            let folder = plan.facts.configuration_folder.as_ref();
            if let (Some(variable), Some(folder)) = (&provider.configuration_folder, folder) {
                environment.set(variable, folder);
            }
        }
        Launch {
            provider,
            command: plan.command.clone(),
            directory: file.directory.clone(),
            environment,
            overrides: Vec::new(),
            as_started: None,
            size,
            name: plan.name.clone(),
            limit_seconds: plan.limit_seconds,
            into_bundle: plan.into_bundle.clone(),
        }
    }
}

/// The environment without the mark by which the keeper's own processes are found.
fn as_started(environment: Variables) -> Vec<(String, String)> {
    environment.0.into_iter().filter(|(name, _)| name != COOKIE).collect()
}

/// Attaches to a session's keeper, from the oldest byte that it keeps, if it answers soon.
async fn find_again(file: SavedFile, directory: PathBuf) -> FoundAgain {
    let attached = |(handle, events, hello)| Attached { handle, events, hello };
    if file.session.status.is_terminal() {
        // Its keeper was told to end, so that it does not answer proves enough.
        let answered = timeout(SOON, keeper_link::attach(&directory, Some(0))).await;
        let keeper = answered
            .ok()
            .and_then(Result::ok)
            .map_or(Found::Released, |found| Found::Attached(Box::new(attached(found))));
        return FoundAgain { file, keeper };
    }
    let keeper = match timeout(SOON, keeper_link::reach(&directory)).await {
        Ok(Some(found)) => Found::Attached(Box::new(attached(found))),
        Ok(None) => Found::Gone,
        Err(_) => Found::NotYet(directory),
    };
    FoundAgain { file, keeper }
}
