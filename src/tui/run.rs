//! The loop: takes everything that is there, then draws once, and only if something changed and the terminal has taken
//! the frame before.

use std::any::Any;
use std::future::Future;
use std::io::{self, Write as _};
use std::pin::Pin;
use std::time::Duration;

use crossterm::event::{Event as TerminalEvent, KeyEventKind};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

use super::canvas::Canvas;
use super::keys::KeyPress;
use super::model::Model;
use super::msg::{Cmd, Msg};
use super::pacing::Pacing;
use super::terminal::{Terminal, Told};
use super::update;
use crate::client::{Client, ClientEvent, Events};
use crate::config::Settings;
use crate::core::secret::Secret;
use crate::core::time::Timestamp;
use crate::error::{Error, Kind};
use crate::protocol::request::StartSession;

mod clock;
mod effects;
mod preferences;

use clock::Clock;
use effects::{Effects, Outcome};

/// Between two tries to reach a supervisor that is gone.
const RETRY: Duration = Duration::from_secs(1);

/// A new connection after one was lost.
pub type Reconnected = Pin<Box<dyn Future<Output = Result<(Client, Events), Error>> + Send>>;

/// What the deck is opened with.
pub struct Deck {
    /// Asks the supervisor.
    pub client: Client,
    /// What the supervisor tells. Nothing was subscribed to yet.
    pub events: Events,
    /// The person's settings.
    pub settings: Settings,
    /// What is to be started at once.
    pub start: Vec<StartSession>,
    /// What was wrong in the person's files, a sentence each.
    pub messages: Vec<String>,
    /// Whatever restores the terminal if this process is killed; held until the terminal is restored.
    pub guard: Option<Box<dyn Any + Send>>,
    /// Attaches to the supervisor that runs, or starts one, after the connection was lost.
    pub reconnect: Box<dyn FnMut() -> Reconnected + Send>,
}

/// How the deck ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Farewell {
    /// Sessions that go on without it.
    live_sessions: usize,
    /// The terminal went away, so nothing can be said to anybody.
    hung_up: bool,
    /// The supervisor was stopped, and the deck with it.
    stopped: bool,
}

/// Runs the deck until the person leaves or the terminal goes away. Sessions are not touched by either.
///
/// # Errors
/// There is no terminal, or the supervisor does not answer at all.
pub async fn run(deck: Deck) -> Result<(), Error> {
    let (settings, mut mistakes) = preferences::prepare(deck.settings);
    let no_terminal = |error| Error::new(Kind::Unavailable, "the terminal cannot be used").because(error);
    let size = Terminal::size().map_err(no_terminal)?;
    let (hang_up, terminate) = (listen(SignalKind::hangup())?, listen(SignalKind::terminate())?);
    let (terminal, told) = Terminal::enter(settings.mouse).map_err(no_terminal)?;
    let (effects, outcomes) = Effects::new(&settings);
    let canvas = Canvas::new(size, settings.surroundings.colours);
    let mut messages = deck.messages;
    messages.append(&mut mistakes);
    let mut running = Running {
        model: Model::new(settings, size, deck.start, messages),
        client: deck.client,
        effects,
        canvas,
        terminal,
        pacing: Pacing::default(),
        clock: Clock::start(),
        due: None,
        raw: Vec::new(),
        stale: Stale::Everything,
        writing: false,
        screen_undrawn: false,
        over: None,
    };
    let sources =
        Sources { told, outcomes, events: Some(deck.events), reconnect: deck.reconnect, hang_up, terminate };
    running.subscribe();
    let farewell = running.serve(sources).await;
    // The order matters: the guard may go only when there is nothing left to restore.
    drop(running);
    drop(deck.guard);
    say_farewell(farewell);
    Ok(())
}

fn listen(kind: SignalKind) -> Result<Signal, Error> {
    signal(kind).map_err(|error| Error::new(Kind::Failed, "signals cannot be listened for").because(error))
}

fn say_farewell(farewell: Farewell) {
    if farewell.stopped && !farewell.hung_up {
        // Whoever closed the output does not want to know.
        let _ = writeln!(io::stdout(), "The supervisor was stopped.");
    }
    let sentence = match farewell.live_sessions {
        _ if farewell.hung_up => return,
        0 => return,
        1 => "One session goes on; `authdeck` shows it again.".to_owned(),
        sessions => format!("{sessions} sessions go on; `authdeck` shows them again."),
    };
    // Whoever closed the output does not want to know.
    let _ = writeln!(io::stdout(), "{sentence}");
}

struct Sources {
    told: mpsc::UnboundedReceiver<Told>,
    outcomes: mpsc::UnboundedReceiver<Outcome>,
    events: Option<Events>,
    reconnect: Box<dyn FnMut() -> Reconnected + Send>,
    hang_up: Signal,
    terminate: Signal,
}

/// What of the deck is not as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stale {
    Nothing,
    /// The child's screen, and nothing else.
    Pane,
    Everything,
}

/// How much of the deck a message can change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// A key, which may go to the child: then nothing changes but by its echo, which must not wait for a frame.
    Key,
    /// The child's screen.
    Pane,
    Everything,
}

impl Reach {
    fn of(msg: &Msg, model: &Model) -> Self {
        match msg {
            Msg::Key(_) if model.pending.is_empty() => Self::Key,
            Msg::Screen(update) if !update.full => Self::Pane,
            Msg::Key(_)
            | Msg::Screen(_)
            | Msg::Paste(_)
            | Msg::Mouse(_)
            | Msg::Resize(..)
            | Msg::Tick
            | Msg::Snapshot(_)
            | Msg::Event(_)
            | Msg::Disconnected(_)
            | Msg::Complaint(_)
            | Msg::Answered(..)
            | Msg::Copied(_)
            | Msg::Opened(_)
            | Msg::Saved(_) => Self::Everything,
        }
    }

    /// Says what has to be drawn, given what was ordered.
    fn stale(self, orders: &[Cmd]) -> Stale {
        let only_told = orders.iter().all(|order| matches!(order, Cmd::Tell(_)));
        match self {
            Self::Key if only_told && !orders.is_empty() => Stale::Nothing,
            Self::Pane => Stale::Pane,
            Self::Key | Self::Everything => Stale::Everything,
        }
    }
}

struct Running {
    model: Model,
    client: Client,
    effects: Effects,
    canvas: Canvas,
    terminal: Terminal,
    pacing: Pacing,
    clock: Clock,
    /// When a text that counts down changes.
    due: Option<Timestamp>,
    /// Bytes for the terminal that are no frame: a copy, a bell.
    raw: Vec<u8>,
    stale: Stale,
    writing: bool,
    /// A screen update came that no written frame shows; the next one is asked for after that.
    screen_undrawn: bool,
    over: Option<bool>,
}

impl Running {
    async fn serve(&mut self, mut sources: Sources) -> Farewell {
        loop {
            self.paint();
            if let Some(hung_up) = self.over {
                let stopped = self.model.stopped;
                return Farewell { live_sessions: self.model.live_count(), hung_up, stopped };
            }
            let frame_wait =
                (self.stale != Stale::Nothing && !self.writing).then(|| self.pacing.wait(self.clock.now()));
            let tick_wait = self.due.map(|due| self.clock.now().until(due));
            tokio::select! {
                biased;
                told = sources.told.recv() => self.told(told.unwrap_or(Told::HungUp)),
                outcome = sources.outcomes.recv() => self.outcome(outcome),
                event = next(&mut sources.events), if !self.screen_undrawn => {
                    self.event(event, &mut sources.events);
                }
                connection = reconnect(sources.reconnect.as_mut()), if sources.events.is_none() => {
                    self.client = connection.0;
                    sources.events = Some(connection.1);
                    self.subscribe();
                }
                _ = sources.hang_up.recv() => self.over = Some(true),
                _ = sources.terminate.recv() => self.over = Some(false),
                () = sleep(frame_wait), if frame_wait.is_some() => {}
                () = sleep(tick_wait), if tick_wait.is_some() => self.take(Msg::Tick),
            }
            self.drain(&mut sources);
        }
    }

    /// Takes all that is there, so that a burst is drawn once.
    fn drain(&mut self, sources: &mut Sources) {
        while let Ok(told) = sources.told.try_recv() {
            self.told(told);
        }
        while let Ok(outcome) = sources.outcomes.try_recv() {
            self.outcome(Some(outcome));
        }
        while !self.screen_undrawn
            && let Some(event) = sources.events.as_mut().and_then(Events::try_next)
        {
            self.event(Some(event), &mut sources.events);
        }
    }

    fn told(&mut self, told: Told) {
        match told {
            Told::Event(event) => {
                if let Some(msg) = from_terminal(event) {
                    self.take(msg);
                }
            }
            Told::Written => {
                self.writing = false;
                // What came while it was written is in no frame yet.
                self.screen_undrawn &= self.stale != Stale::Nothing;
            }
            Told::HungUp => self.over = Some(true),
        }
    }

    fn outcome(&mut self, outcome: Option<Outcome>) {
        match outcome {
            Some(Outcome::Msg(msg)) => self.take(msg),
            Some(Outcome::Write(bytes, msg)) => {
                self.raw.extend(bytes);
                self.take(msg);
            }
            None => {}
        }
    }

    fn event(&mut self, event: Option<ClientEvent>, events: &mut Option<Events>) {
        match event {
            Some(ClientEvent::Event(event)) => self.take(Msg::Event(event)),
            Some(ClientEvent::Screen(update)) => {
                self.screen_undrawn = true;
                self.take(Msg::Screen(update));
            }
            Some(ClientEvent::Resync(snapshot)) => self.take(Msg::Snapshot(snapshot)),
            Some(ClientEvent::Complaint(error)) => self.take(Msg::Complaint(error)),
            Some(ClientEvent::Closed(reason)) => {
                *events = None;
                self.take(Msg::Disconnected(reason));
            }
            None => {
                *events = None;
                self.take(Msg::Disconnected("it closed the connection".into()));
            }
        }
    }

    fn subscribe(&mut self) {
        self.effects.subscribe(&self.client);
    }

    fn take(&mut self, msg: Msg) {
        let now = self.clock.now();
        if let Msg::Resize(columns, rows) = msg {
            self.canvas.resize(columns, rows);
        }
        let reach = Reach::of(&msg, &self.model);
        let orders = update::update(&mut self.model, msg, now);
        self.stale = self.stale.max(reach.stale(&orders));
        for order in orders {
            self.perform(order);
        }
        self.due = self.model.next_tick(now);
    }

    fn perform(&mut self, order: Cmd) {
        match order {
            Cmd::Request(ask, request) => self.effects.request(&self.client, ask, &request),
            Cmd::Tell(request) => self.effects.tell(&self.client, &request),
            Cmd::Copy { what, text } => self.effects.copy(what, text),
            Cmd::Open(url) => self.effects.open(url),
            Cmd::Save { name, content } => self.effects.save(name, content),
            Cmd::Notify(text) => self.raw.extend(self.effects.notification(&text)),
            Cmd::Redraw => self.canvas.forget(),
            Cmd::Quit => self.over = Some(false),
        }
    }

    /// Draws if something changed, the rate allows it, and the terminal has taken the frame before.
    fn paint(&mut self) {
        let now = self.clock.now();
        let nothing_new = self.stale == Stale::Nothing && self.raw.is_empty();
        if self.writing || nothing_new || !self.pacing.wait(now).is_zero() {
            return;
        }
        let mut bytes = match self.stale {
            Stale::Nothing => Vec::new(),
            Stale::Pane => self.canvas.draw_pane(&self.model, now),
            Stale::Everything => self.canvas.draw(&self.model, now),
        };
        bytes.append(&mut self.raw);
        self.stale = Stale::Nothing;
        if !bytes.is_empty() {
            self.pacing.drew(now);
        }
        self.writing = !self.terminal.write(bytes);
        self.screen_undrawn &= self.writing;
    }
}

fn from_terminal(event: TerminalEvent) -> Option<Msg> {
    match event {
        TerminalEvent::Key(key) if key.kind == KeyEventKind::Release => None,
        TerminalEvent::Key(key) => KeyPress::from_event(&key).map(Msg::Key),
        TerminalEvent::Mouse(mouse) => Some(Msg::Mouse(mouse)),
        TerminalEvent::Paste(text) => Some(Msg::Paste(Secret::new(text))),
        TerminalEvent::Resize(columns, rows) => Some(Msg::Resize(columns, rows)),
        TerminalEvent::FocusGained | TerminalEvent::FocusLost => None,
    }
}

async fn next(events: &mut Option<Events>) -> Option<ClientEvent> {
    match events {
        Some(events) => events.next().await,
        None => std::future::pending().await,
    }
}

async fn reconnect(connect: &mut (dyn FnMut() -> Reconnected + Send)) -> (Client, Events) {
    loop {
        if let Ok(connection) = connect().await {
            return connection;
        }
        tokio::time::sleep(RETRY).await;
    }
}

async fn sleep(wait: Option<Duration>) {
    tokio::time::sleep(wait.unwrap_or_default()).await;
}
