//! The supervisor's heart: one task that owns the engine, the clock and all randomness.
//!
//! It takes commands of clients and facts from the tasks that it started, feeds the engine, runs what the engine
//! orders and sleeps until the engine's next deadline. It never waits for anything else: whatever takes time is a
//! task whose result comes back as a fact.
//!
//! | module | what it does |
//! | --- | --- |
//! | `requests` | turns a client's request into an input, a question to a session's task, or an answer |
//! | `effects` | runs the engine's orders |
//! | `adopt` | takes over the sessions of an earlier supervisor |
//! | `handover` | hands everything over to the process that takes this one's place |
//! | `replies` | carries the engine's answers to whoever waits |
//! | `tickets` | mints and redeems the tickets of outside clients |
//! | `clients` | who is connected, what they look at and what they parked |

mod adopt;
pub mod clients;
mod effects;
pub mod handover;
mod place;
mod replies;
mod requests;
mod tickets;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

use self::clients::Clients;
use self::replies::Replies;
use super::auth_check::CheckReport;
use super::clock::Clock;
use super::command::{AnswerSender, Command, HandOver};
use super::fact::Fact;
use super::launch::Launch;
use super::paths::Paths;
use super::saved::SavedFolder;
use super::sessions::Sessions;
use super::settings::DriverSettings;
use super::store::Store;
use crate::core::engine::Engine;
use crate::core::ids::{BundleId, ClientId, SessionId};
use crate::core::input::{CheckOutcome, Input, SessionInput, StartSession};
use crate::core::secret::Secret;
use crate::core::token::InternalCredential;
use crate::core::token::ticket::Tickets;
use crate::core::view::{BundleView, Event, Level};
use crate::os::own_process;
use crate::protocol::event::NumberedEvent;
use crate::protocol::method::supervisor;
use crate::protocol::snapshot::Snapshot;

/// How many facts may wait for the runtime; who has a further one waits.
const FACT_QUEUE: usize = 256;

/// Notices that are kept for the first who subscribes.
const MOST_UNHEARD: usize = 50;

/// How long after a session's end memory is given back: its neighbours may be about to end too.
const TRIM_PAUSE: Duration = Duration::from_secs(2);

/// What the runtime keeps of a session that the engine knows.
pub(super) struct Live {
    /// How it was, or is to be, started.
    pub launch: Launch,
    /// The credential that its children carry.
    pub credential: Secret,
    /// The auth check, while it runs: dropping it kills it.
    pub check: Option<oneshot::Sender<()>>,
}

/// The runtime.
pub(super) struct Runtime {
    pub engine: Engine,
    pub clock: Clock,
    pub settings: Arc<DriverSettings>,
    pub paths: Paths,
    pub store: Store,
    pub saved: SavedFolder,
    /// The soft limit of open files before this process raised it; children get it back.
    pub open_files: Option<u64>,
    pub credential: InternalCredential,
    pub tickets: Tickets,
    pub facts: mpsc::Sender<Fact>,
    pub replies: Replies,
    pub clients: Clients,
    pub sessions: Sessions,
    pub live: HashMap<SessionId, Live>,
    pub tasks: JoinSet<()>,
    events: broadcast::Sender<NumberedEvent>,
    sequence: u64,
    bundles: Vec<BundleView>,
    host: String,
    /// It was told to stop.
    stopping: bool,
    /// It was told to hand everything over, and has not come to it yet.
    handing_over: Option<HandOver>,
    /// What is found is known to every subscriber, so nobody is told.
    muted: bool,
    /// Notices that came when nobody had subscribed.
    unheard: VecDeque<Event>,
    /// When free memory is given back.
    trim_at: Option<Instant>,
    /// Its place was emptied and could not be made again, which everybody was told.
    lost_place: bool,
    /// Since when there was nothing to do and nobody to do it for.
    idle_since: Option<Instant>,
}

/// Everything through which the runtime hears.
pub(super) struct Ears {
    pub commands: mpsc::Receiver<Command>,
    pub departures: mpsc::UnboundedReceiver<ClientId>,
    pub facts: mpsc::Receiver<Fact>,
}

impl Runtime {
    /// Makes a runtime and the channel through which its tasks tell it facts.
    pub fn new(
        settings: DriverSettings,
        paths: Paths,
        credential: InternalCredential,
        sessions: Sessions,
    ) -> (Self, mpsc::Receiver<Fact>) {
        let (facts, heard) = mpsc::channel(FACT_QUEUE);
        let runtime = Self {
            engine: Engine::new(settings.engine_limits()),
            clock: Clock::start(),
            store: Store::new(paths.state()),
            saved: SavedFolder::new(paths.saved()),
            open_files: None,
            paths,
            credential,
            tickets: Tickets::default(),
            facts,
            replies: Replies::default(),
            clients: Clients::default(),
            sessions,
            live: HashMap::new(),
            tasks: JoinSet::new(),
            events: broadcast::channel(settings.event_backlog.max(1)).0,
            sequence: 0,
            bundles: Vec::new(),
            stopping: false,
            handing_over: None,
            muted: false,
            unheard: VecDeque::new(),
            trim_at: None,
            lost_place: false,
            idle_since: None,
            host: rustix::system::uname().nodename().to_string_lossy().into_owned(),
            settings: Arc::new(settings),
        };
        (runtime, heard)
    }

    /// Runs until it is told to stop, has been idle for long enough, or nobody can tell it anything any more.
    pub async fn run(mut self, mut ears: Ears) {
        self.load_bundles();
        let stopped = loop {
            let deadline = self.engine.next_deadline().map(|at| self.clock.instant(at));
            let idle_end = self.idle_end();
            tokio::select! {
                command = ears.commands.recv() => match command {
                    Some(Command::Stop { announced, reply }) => {
                        if announced {
                            self.stop();
                        }
                        break Some(reply);
                    }
                    Some(command) => self.on_command(command),
                    None => break None,
                },
                () = sleep_until(idle_end.unwrap_or_else(Instant::now)), if idle_end.is_some() => break None,
                Some(fact) = ears.facts.recv() => self.on_fact(fact),
                Some(client) = ears.departures.recv() => {
                    self.on_departure(client);
                    self.trim_soon();
                }
                () = sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => {
                    self.feed(Input::Tick);
                }
                () = sleep_until(self.trim_at.unwrap_or_else(Instant::now)), if self.trim_at.is_some() => self.trim(),
            }
            while let Some(ended) = self.tasks.try_join_next() {
                self.tell_if_panicked(ended);
            }
            if self.stopping {
                break None;
            }
            if let Some(order) = self.handing_over.take_if(|_| !self.engine.is_starting())
                && self.hand_over(order).await
            {
                break None;
            }
        };
        self.tasks.shutdown().await;
        // The lock goes with the paths, so whoever waits for the answer can start the next supervisor.
        drop(self);
        if let Some(reply) = stopped {
            let _ = reply.send(());
        }
    }

    fn on_command(&mut self, command: Command) {
        match command {
            Command::Connect { identity, process_id, once, slot, reply } => {
                let client = self.clients.add(identity, process_id, once, slot);
                if reply.send(client).is_err() {
                    self.on_departure(client);
                }
            }
            Command::Call { client, request, reply } => self.on_request(client, *request, reply),
            Command::Subscribe { reply } => {
                // An error means that the client is gone, and that is told elsewhere.
                let _ = reply.send((self.snapshot(), self.events.subscribe()));
                self.tell_unheard();
            }
            Command::Authenticate { credential, session, reply } => {
                let _ = reply.send(self.authenticate(&credential, session));
            }
            Command::Redeem { presented, reply } => {
                let _ = reply.send(self.redeem(&presented));
            }
            Command::Stop { announced: _, reply } => drop(reply),
            Command::HandOver(order) => self.handing_over = Some(order),
            Command::RemakePlace { reply } => {
                self.remake_place();
                let _ = reply.send(());
            }
        }
    }

    /// A task that panics ends nothing else; that it did must not go unseen.
    fn tell_if_panicked(&mut self, ended: Result<(), JoinError>) {
        if let Err(error) = ended
            && error.is_panic()
        {
            let text = format!("authdeck failed at something itself ({error}); please report it");
            self.publish(Event::Notice { level: Level::Error, text, session_id: None });
        }
    }

    /// Tells every subscriber that this is the end, and ends after this turn.
    pub fn stop(&mut self) {
        if !std::mem::replace(&mut self.stopping, true) {
            self.publish(Event::SupervisorStopping {});
        }
    }

    /// Returns when to end because there is nothing to do; absent while there is, or if that is nobody's wish.
    fn idle_end(&mut self) -> Option<Instant> {
        if !self.settings.ends_when_idle || !self.clients.is_empty() || !self.engine.is_idle() {
            self.idle_since = None;
            return None;
        }
        Some(*self.idle_since.get_or_insert_with(Instant::now) + self.settings.limits.idle)
    }

    fn on_fact(&mut self, fact: Fact) {
        match fact {
            Fact::Input(input) => self.feed(input),
            Fact::Prepared { client, launch, reply } => self.on_prepared(client, *launch, reply),
            Fact::Abandoned(parked) => self.take_back(parked.challenge_id, parked.epoch, parked.owner),
            Fact::Bundles(bundles) => self.on_bundles(bundles),
            Fact::Reached { session_id, hello } => self.on_reached(&session_id, &hello),
            Fact::Notice { level, text, session_id } => {
                self.publish(Event::Notice { level, text, session_id });
            }
        }
    }

    /// Has free memory given back soon: a session has gone, or a client.
    pub fn trim_soon(&mut self) {
        self.trim_at.get_or_insert_with(|| Instant::now() + TRIM_PAUSE);
    }

    fn trim(&mut self) {
        self.trim_at = None;
        self.tasks.spawn_blocking(own_process::return_free_memory);
    }

    /// Gives the engine an input and does what it orders.
    pub fn feed(&mut self, input: Input) {
        let effects = self.engine.handle(self.clock.now(), input);
        for effect in effects {
            self.perform(effect);
        }
    }

    /// Gives the engine an input about a session.
    pub fn feed_session(&mut self, session_id: &SessionId, input: SessionInput) {
        self.feed(Input::Session { session_id: session_id.clone(), input });
    }

    /// Tells every subscriber.
    pub fn publish(&mut self, event: Event) {
        if self.muted {
            return;
        }
        if matches!(event, Event::Notice { .. }) && self.events.receiver_count() == 0 {
            self.keep_unheard(event);
            return;
        }
        self.sequence += 1;
        if let Event::BundleStored { bundle } = &event {
            self.remember_bundle(bundle);
        }
        // An error means that nobody has subscribed.
        let _ = self.events.send(NumberedEvent { sequence: self.sequence, event });
    }

    /// Keeps a notice until somebody can hear it; the newest ones, if nobody comes.
    fn keep_unheard(&mut self, event: Event) {
        if self.unheard.len() >= MOST_UNHEARD {
            self.unheard.pop_front();
        }
        self.unheard.push_back(event);
    }

    /// Tells what nobody has heard yet.
    fn tell_unheard(&mut self) {
        for event in std::mem::take(&mut self.unheard) {
            self.publish(event);
        }
    }

    fn remember_bundle(&mut self, bundle: &BundleView) {
        match self.bundles.iter_mut().find(|known| known.bundle_id == bundle.bundle_id) {
            Some(known) => known.clone_from(bundle),
            None => self.bundles.push(bundle.clone()),
        }
    }

    fn snapshot(&self) -> Snapshot {
        Snapshot {
            sequence: self.sequence,
            now: self.clock.now(),
            host: self.host.clone(),
            sessions: self.engine.sessions(),
            challenges: self.engine.challenges(),
            bundles: self.bundles.clone(),
        }
    }

    /// Reads the store beside everything else: the first screen does not wait for a file.
    fn load_bundles(&mut self) {
        let (store, facts) = (self.store.clone(), self.facts.clone());
        self.tasks.spawn(async move {
            let fact = match store.bundles().await {
                Ok(bundles) => Fact::Bundles(bundles),
                Err(error) => Fact::Notice { level: Level::Error, text: error.to_string(), session_id: None },
            };
            let _ = facts.send(fact).await;
        });
    }

    fn on_bundles(&mut self, bundles: Vec<BundleView>) {
        for bundle in bundles {
            if !self.bundles.iter().any(|known| known.bundle_id == bundle.bundle_id) {
                self.publish(Event::BundleStored { bundle: Box::new(bundle) });
            }
        }
    }

    /// Starts a login that was looked up.
    fn on_prepared(&mut self, client: ClientId, launch: Launch, reply: AnswerSender) {
        let session_id = SessionId::from_uuid(Uuid::new_v4());
        let plan = launch.plan(session_id.clone(), BundleId::from_uuid(Uuid::new_v4()));
        let credential = self.credential.own().cloned().unwrap_or_default();
        self.live.insert(session_id.clone(), Live { launch, credential, check: None });
        let reply = self.replies.expect::<supervisor::Start>(client, reply);
        self.feed(Input::Start(Box::new(StartSession { plan, reply })));
        if self.engine.session(&session_id).is_none() {
            self.live.remove(&session_id);
        }
    }
}

/// Says in the engine's words what became of an auth check.
fn check_outcome(report: CheckReport) -> CheckOutcome {
    if report.timed_out {
        CheckOutcome::TimedOut { last_line: report.last_line }
    } else if report.is_confirmed() {
        CheckOutcome::Passed { identity: report.identity }
    } else if let Some(error) = report.not_run {
        CheckOutcome::NotRun { error }
    } else {
        CheckOutcome::Failed { last_line: report.last_line }
    }
}
