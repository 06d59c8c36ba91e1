//! One session's task: what its child prints becomes a screen, findings, a recording and updates for clients.
//!
//! ```text
//! keeper ──bytes──> screen ──replies owed──> keeper
//!                     ├── detection ──findings──> runtime (facts)
//!                     ├── recording
//!                     └── viewers (one slot each)
//! ```
//!
//! The engine never sees a byte, and this task knows no rule of logins. It sleeps until something happens: there is
//! no timer while the child is quiet and nobody waits.
//!
//! | module | what it does |
//! | --- | --- |
//! | `output` | takes what the keeper tells |
//! | `writing` | writes lines and keys to the child |
//! | `field` | sees whether a field took what was written to it |
//! | `asks` | answers clients |
//! | `viewers` | fills the slots of the clients that look at it |
//! | `detection` | looks for findings, and for secrets that must not be shown |
//! | `masks` | keeps secrets out of rows and recordings |

mod asks;
mod awaited;
mod detection;
mod field;
mod masks;
mod output;
mod viewers;
mod writing;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use self::awaited::{Awaited, reached};
use self::detection::{Detection, Noticed};
use self::field::Field;
use self::masks::Masks;
use self::viewers::Viewers;
use super::clock::Clock;
use super::fact::Fact;
use super::keeper_link::{KeeperEvent, KeeperEvents, KeeperHandle, KeeperHello};
use super::recording::Recording;
use super::saved::SavedFolder;
use super::sessions::{Mailbox, Order};
use super::settings::DriverSettings;
use crate::core::detect;
use crate::core::ids::SessionId;
use crate::core::input::{Input, SessionInput};
use crate::core::pacing::{Flow, Pacing};
use crate::core::provider::Provider;
use crate::core::screen::{Screen, ScreenLimits, Size};
use crate::core::secret::Secret;
use crate::core::time::Timestamp;

/// How often the engine is told that a person types.
const TYPING_INTERVAL: Duration = Duration::from_millis(250);

/// How often a screen is shown that goes by faster than it can be read.
const FLOOD_INTERVAL: Duration = Duration::from_millis(100);

/// A pause after which what a flood has left is shown.
const FLOOD_PAUSE: Duration = Duration::from_millis(10);

/// A keeper that is attached to.
pub(super) struct Attached {
    pub handle: KeeperHandle,
    pub events: KeeperEvents,
    pub hello: KeeperHello,
}

/// What a session's task works with.
pub(super) struct Setting {
    pub session_id: SessionId,
    pub settings: Arc<DriverSettings>,
    pub clock: Clock,
    pub facts: mpsc::Sender<Fact>,
    pub provider: Option<Arc<Provider>>,
    /// Where what it printed is kept when its keeper goes.
    pub saved: SavedFolder,
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
}

/// When the screen is to be looked at.
#[derive(Debug)]
struct Pace {
    /// How often.
    frames: Pacing,
    /// How much comes.
    flow: Flow,
    /// When the last look was taken.
    framed: Option<Instant>,
    /// Something came that was not looked at: when to look.
    frame_at: Option<Instant>,
    /// When the child will have been quiet for long enough to look once more.
    quiet_at: Option<Instant>,
    /// When a synchronized update is ended for the child.
    synchronized_until: Option<Instant>,
    /// When the engine was last told how much was printed.
    counted: Option<Instant>,
    /// A person types: when to look whether more was typed.
    typing_at: Option<Instant>,
    /// The rules that every frame is searched by were made ready.
    prepared: bool,
}

impl Pace {
    fn new(frames: Pacing) -> Self {
        Self {
            frames,
            flow: Flow::default(),
            framed: None,
            frame_at: None,
            quiet_at: None,
            synchronized_until: None,
            counted: None,
            typing_at: None,
            prepared: false,
        }
    }

    /// Notes that so many bytes came; returns when they are to be looked at.
    fn came(&mut self, bytes: usize, now: Instant, clock: Timestamp) -> Instant {
        let due = now + self.frames.wait(clock);
        if self.flow.is_flood_with(bytes, clock) {
            let latest = self.framed.map_or(now, |framed| framed + FLOOD_INTERVAL);
            let at = (now + FLOOD_PAUSE).min(latest).max(due);
            self.frame_at = Some(at);
            at
        } else {
            *self.frame_at.get_or_insert(due)
        }
    }
}

/// A session's task.
pub(super) struct SessionTask {
    setting: Setting,
    mailbox: Mailbox,
    keeper: Option<(KeeperHandle, KeeperEvents)>,
    /// When a kill of which the keeper reports nothing is done without it.
    kill_due: Option<Instant>,
    /// A keeper that does not answer yet, and what was to be killed meanwhile.
    awaited: Option<Awaited>,
    screen: Screen,
    detection: Detection,
    recording: Recording,
    masks: Masks,
    viewers: Viewers,
    pace: Pace,
    /// Wakes this task when a client waits for an update that is owed to it.
    wake: Arc<Notify>,
    /// Told whenever the child printed something; who waits for an echo listens.
    printed: Arc<Notify>,
    /// Fields that something is being typed into.
    fields: Vec<Arc<Field>>,
    /// Writes to the child that are under way.
    writes: JoinSet<()>,
    /// Questions of the child before this offset were answered by an earlier supervisor.
    replied_through: u64,
    /// Where the output ended when this supervisor attached: nobody is shown how an earlier one came there.
    known_until: u64,
    /// Offset behind the last byte that came.
    received: u64,
    /// The last offset that the engine was told of.
    told: u64,
    /// The output is over, or there was never any.
    output_ended: bool,
    /// The keeper may end when all its output was read.
    release_wanted: bool,
    /// The keeper was told to end.
    released: bool,
}

impl SessionTask {
    /// Makes the task of a session; without a keeper it only answers, with a blank screen.
    pub fn new(setting: Setting, mailbox: Mailbox, attached: Option<Attached>) -> Self {
        let size = Size { columns: setting.size.0, rows: setting.size.1 };
        let limits =
            ScreenLimits { history_lines: setting.settings.limits.history_lines, ..ScreenLimits::default() };
        let hello = attached.as_ref().map(|attached| &attached.hello);
        let start = hello.map_or(0, |hello| hello.resume_at);
        mailbox.keys.lead_to(attached.as_ref().map(|attached| attached.handle.clone()));
        Self {
            screen: Screen::new(size, limits),
            detection: Detection::new(setting.provider.clone()),
            recording: Recording::new(setting.settings.limits.recording_bytes, size),
            masks: Masks::default(),
            viewers: Viewers::new(setting.settings.frames()),
            pace: Pace::new(setting.settings.frames()),
            wake: Arc::new(Notify::new()),
            printed: Arc::new(Notify::new()),
            fields: Vec::new(),
            writes: JoinSet::new(),
            replied_through: hello.map_or(0, |hello| hello.replied_through),
            known_until: hello.map_or(0, |hello| hello.ring_end),
            received: start,
            told: start,
            output_ended: hello.is_none(),
            release_wanted: false,
            released: hello.is_none(),
            kill_due: None,
            awaited: None,
            keeper: attached.map(|attached| (attached.handle, attached.events)),
            setting,
            mailbox,
        }
    }

    /// Runs until the runtime forgets the session. `past` is what the keeper said on attaching.
    pub async fn run(mut self, past: Option<KeeperHello>) {
        if let Some(past) = past {
            self.on_past(&past).await;
        }
        loop {
            let due = self.due();
            tokio::select! {
                event = next_event(&mut self.keeper) => self.on_event(event).await,
                found = reached(&mut self.awaited) => self.on_reached(found).await,
                order = self.mailbox.orders.recv() => match order {
                    Some(Order::Forget) => return self.forget().await,
                    Some(order) => self.on_order(order).await,
                    None => return,
                },
                Some((ask, reply)) = self.mailbox.asks.recv() => self.on_ask(ask, reply),
                () = self.wake.notified() => self.serve_viewers(),
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => self.on_due().await,
            }
            while self.writes.try_join_next().is_some() {}
        }
    }

    async fn on_order(&mut self, order: Order) {
        match order {
            Order::WriteLine { delivery, text, hidden } => self.write_line(delivery, text, hidden),
            Order::Kill { force } => self.kill(force),
            Order::Release => self.release().await,
            Order::Focus { client, slot } => {
                self.viewers.add(client, slot);
                self.serve_viewers();
            }
            Order::Unfocus { client } => self.viewers.remove(client),
            Order::Typed => self.note_typing().await,
            Order::Mask(secret) => self.mask(&secret),
            Order::RemakeFolder => self.remake_folder(),
            Order::Opened(url) => {
                let noticed = self.detection.opened(&url);
                self.note(noticed).await;
            }
            Order::Forget => {}
        }
    }

    /// Returns when something is to be done without anything happening.
    fn due(&self) -> Option<Instant> {
        let pace = [
            self.pace.frame_at,
            self.pace.quiet_at,
            self.pace.synchronized_until,
            self.pace.typing_at,
            self.kill_due,
        ];
        pace.into_iter().flatten().chain(self.viewers.due()).min()
    }

    async fn on_due(&mut self) {
        let now = Instant::now();
        let is_over = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        if is_over(self.pace.synchronized_until) {
            self.screen.end_synchronized_update();
            self.pace.frame_at = Some(now);
        }
        if is_over(self.pace.quiet_at) {
            self.pace.quiet_at = None;
            let noticed = self.detection.quiet(&self.screen);
            self.note(noticed).await;
            self.count(now, true).await;
            if !std::mem::replace(&mut self.pace.prepared, true) {
                // Else the first long word that is echoed waits for the rules that might cover it.
                self.writes.spawn_blocking(detect::prepare);
            }
        }
        if is_over(self.kill_due) {
            self.kill_without_keeper();
        }
        if is_over(self.pace.typing_at) {
            self.note_typing().await;
        }
        if is_over(self.pace.frame_at) {
            self.frame(now).await;
        } else {
            self.serve_viewers();
        }
    }

    /// Tells the engine that a person types, now and then: each key by itself would make keys slower.
    async fn note_typing(&mut self) {
        let typed = self.mailbox.keys.were_typed();
        self.pace.typing_at = typed.then(|| Instant::now() + TYPING_INTERVAL);
        if typed {
            self.tell(SessionInput::Typed).await;
        }
    }

    /// Shows what changed.
    async fn frame(&mut self, now: Instant) {
        self.pace.frame_at = None;
        self.pace.framed = Some(now);
        self.pace.frames.shown(self.setting.clock.now());
        let held_back = self.screen.pending_synchronized_update();
        self.pace.synchronized_until = held_back.then(|| {
            self.pace.synchronized_until.unwrap_or(now + self.setting.settings.synchronized_update_limit)
        });
        self.serve_viewers();
        self.count(now, false).await;
    }

    fn serve_viewers(&mut self) {
        if self.keeper.is_some() && self.received < self.known_until {
            return;
        }
        let now = self.setting.clock.now();
        self.viewers.serve(&self.setting.session_id, &mut self.screen, &self.masks, &self.wake, now);
    }

    /// Tells the engine what was noticed, and keeps secrets from being shown.
    async fn note(&mut self, noticed: Noticed) {
        for secret in noticed.secrets {
            self.mask(&secret);
        }
        for input in noticed.inputs {
            self.tell(input).await;
        }
    }

    /// Tells the engine how much was printed: once a second while it flows, and when it pauses.
    async fn count(&mut self, now: Instant, pause: bool) {
        const INTERVAL: Duration = Duration::from_secs(1);
        let due = pause || self.pace.counted.is_none_or(|at| now >= at + INTERVAL);
        if due && self.told != self.received {
            self.told = self.received;
            self.pace.counted = Some(now);
            self.tell(SessionInput::OutputAdvanced { bytes: self.received }).await;
        }
    }

    fn mask(&mut self, secret: &Secret) {
        if self.masks.add(secret) {
            self.viewers.start_over();
            self.serve_viewers();
        }
    }

    /// Tells the engine a fact. The runtime never waits for this task, so this cannot wait for ever.
    async fn tell(&self, input: SessionInput) {
        let session_id = self.setting.session_id.clone();
        // An error means that the runtime ended, and this task is about to.
        let _ = self.setting.facts.send(Fact::Input(Input::Session { session_id, input })).await;
    }
}

async fn next_event(keeper: &mut Option<(KeeperHandle, KeeperEvents)>) -> Option<KeeperEvent> {
    match keeper {
        Some((_, events)) => events.next().await,
        None => std::future::pending().await,
    }
}
