//! The loop: takes everything that is there, then draws once, and only if something changed and the terminal has taken
//! the frame before.

use std::any::Any;
use std::os::fd::OwnedFd;
use std::time::Duration;

use crossterm::event::{Event as TerminalEvent, KeyEventKind};
use tokio::io::unix::AsyncFd;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

use super::canvas::Canvas;
use super::keys::KeyPress;
use super::model::{HostIndex, Model};
use super::msg::{Ask, Cmd, HostNews, Msg};
use super::terminal::{Ears, Terminal, Told, clamp};
use super::update;
use crate::client::ClientError;
use crate::config::Settings;
use crate::core::ids::SessionId;
use crate::core::pacing::Pacing;
use crate::core::secret::Secret;
use crate::core::time::Timestamp;
use crate::error::{Error, Kind};
use crate::protocol::method::{Request, session};
use crate::protocol::request::StartSession;

mod callbacks;
mod clock;
mod effects;
mod farewell;
mod hosts;
mod notices;
mod outcome;
mod preferences;
mod stale;
mod suspend;

use callbacks::Callbacks;
pub use callbacks::PortHolder;
use clock::Clock;
use effects::Effects;
pub use effects::Origin;
use farewell::{Farewell, say_farewell};
use hosts::Hosts;
pub use hosts::{Attachment, Reconnect, Reconnected};
use notices::Notices;
use outcome::Outcome;
use stale::{Reach, Stale};

/// The time between two frames when there is always something new.
const FRAME_INTERVAL: Duration = Duration::from_millis(16);

/// Frames that may follow each other at once after quiet. A session's start is half a dozen changes of the list within
/// some milliseconds, and what its child says first comes behind them.
const FRAME_BURST: u8 = 8;

/// What the deck is opened with.
pub struct Deck {
    /// The supervisors: one, or one for each host.
    pub supervisors: Vec<Attachment>,
    /// They are on other machines, and who listens on a port of this one is told by this.
    pub remote: Option<PortHolder>,
    /// The terminal's input.
    pub input: AsyncFd<OwnedFd>,
    /// The person's settings.
    pub settings: Settings,
    /// What is to be started at once.
    pub start: Vec<StartSession>,
    /// What everything that is started inherits; absent where the supervisor is on another machine.
    pub origin: Option<Origin>,
    /// What was wrong in the person's files, a sentence each.
    pub messages: Vec<String>,
    /// What is to be told while the deck is open: what a program says that may not write on the terminal.
    pub notices: Option<mpsc::Receiver<String>>,
    /// Whatever restores the terminal if this process is killed; held until the terminal is restored.
    pub guard: Option<Box<dyn Any + Send>>,
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
    let (stop, go_on) = (listen(suspend::STOP)?, listen(suspend::GO_ON)?);
    let (terminal, ears) = Terminal::enter(settings.mouse, deck.input).map_err(no_terminal)?;
    let (effects, outcomes) = Effects::new(&settings, deck.origin);
    let canvas = Canvas::new(size, settings.surroundings.colours);
    let mut messages = deck.messages;
    messages.append(&mut mistakes);
    let mut model = Model::new(settings, size, deck.start, messages);
    let callbacks = deck.remote.map(|holder| effects.callbacks(holder));
    if callbacks.is_some() {
        model.reach_out(deck.supervisors.iter().map(|supervisor| supervisor.name.clone()).collect());
    }
    let mut running = Running {
        model,
        hosts: Hosts::attach(deck.supervisors),
        focused: 0,
        callbacks,
        effects,
        canvas,
        terminal,
        pacing: Pacing::new(FRAME_INTERVAL, FRAME_BURST),
        clock: Clock::start(),
        due: None,
        raw: Vec::new(),
        stale: Stale::Everything,
        writing: false,
        screen_undrawn: false,
        over: None,
        suspended: false,
    };
    let sources = Sources { ears, outcomes, notices: Notices(deck.notices), hang_up, terminate, stop, go_on };
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

struct Sources {
    ears: Ears,
    outcomes: mpsc::UnboundedReceiver<Outcome>,
    notices: Notices,
    hang_up: Signal,
    terminate: Signal,
    stop: Signal,
    go_on: Signal,
}

struct Running {
    model: Model,
    hosts: Hosts,
    /// The host that sends a session's screen.
    focused: HostIndex,
    /// On the laptop's side: what waits for callbacks here.
    callbacks: Option<Callbacks>,
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
    /// The terminal is the shell's.
    suspended: bool,
}

impl Running {
    async fn serve(&mut self, mut sources: Sources) -> Farewell {
        loop {
            self.paint();
            if let Some(hung_up) = self.over {
                let (stopped, remote) = (self.model.stopped, self.model.remote);
                return Farewell { live_sessions: self.model.live_count(), hung_up, stopped, remote };
            }
            let frame_wait =
                (self.stale != Stale::Nothing && !self.writing).then(|| self.pacing.wait(self.clock.now()));
            let tick_wait = self.due.map(|due| self.clock.now().until(due));
            tokio::select! {
                biased;
                told = sources.ears.next() => {
                    self.told(told);
                    // A key for the child goes out before anything else is looked at.
                    if self.stale == Stale::Nothing {
                        tokio::task::yield_now().await;
                    }
                }
                outcome = sources.outcomes.recv() => self.outcome(outcome),
                notice = sources.notices.next() => self.take(Msg::Notice(notice)),
                (host, told) = self.hosts.next(), if !self.screen_undrawn => self.host_told(host, told),
                _ = sources.hang_up.recv() => self.over = Some(true),
                _ = sources.terminate.recv() => self.over = Some(false),
                _ = sources.stop.recv() => self.suspend(),
                _ = sources.go_on.recv() => self.resume(),
                () = sleep(frame_wait), if frame_wait.is_some() => {}
                () = sleep(tick_wait), if tick_wait.is_some() => self.take(Msg::Tick),
            }
            self.drain(&mut sources);
        }
    }

    /// Takes all that is there, so that a burst is drawn once.
    fn drain(&mut self, sources: &mut Sources) {
        while self.over.is_none()
            && let Some(told) = sources.ears.try_next()
        {
            self.told(told);
        }
        while let Ok(outcome) = sources.outcomes.try_recv() {
            self.outcome(Some(outcome));
        }
        while !self.screen_undrawn
            && let Some((host, told)) = self.hosts.try_next()
        {
            self.host_told(host, told);
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

    fn host_told(&mut self, host: HostIndex, told: hosts::Told) {
        let several = self.model.hosts.are_several();
        let msg = match told {
            hosts::Told::Snapshot(snapshot) if several => Msg::Host(host, HostNews::Snapshot(snapshot)),
            hosts::Told::Snapshot(snapshot) => Msg::Snapshot(snapshot),
            hosts::Told::Failed(reason) if several => Msg::Host(host, HostNews::Trouble(reason)),
            hosts::Told::Failed(reason) => Msg::Disconnected(reason),
            hosts::Told::Event(event) => match hosts::message(event, several.then_some(host)) {
                Some(Msg::Screen(mut update)) if several => {
                    let own = self.model.hosts.find_id(host, update.session_id.as_str());
                    update.session_id = SessionId::new(own);
                    Msg::Screen(update)
                }
                Some(msg) => msg,
                None => return,
            },
        };
        self.screen_undrawn |= matches!(msg, Msg::Screen(_));
        self.take(msg);
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
            Cmd::Request(ask, mut request) => {
                self.effects.fill_in(&mut request);
                self.request(ask, &request);
            }
            Cmd::Tell(request) => self.tell(&request),
            Cmd::Copy { what, text } => self.effects.copy(what, text),
            Cmd::Open(url) => self.effects.open(url),
            Cmd::Listen { session_id, url, open } => self.listen(session_id, url, open),
            Cmd::StopListening(session_id) => {
                if let Some(callbacks) = &mut self.callbacks {
                    callbacks.stop(&session_id);
                }
            }
            Cmd::Save { name, content } => self.effects.save(name, content),
            Cmd::Notify(text) => self.raw.extend(self.effects.notification(&text)),
            Cmd::Redraw => self.canvas.forget(),
            Cmd::Suspend => self.ask_to_stop(),
            Cmd::Quit => self.over = Some(false),
        }
    }

    /// Sends a request to the host that it is for. One host at a time sends a screen.
    fn request(&mut self, ask: Ask, request: &Request) {
        let host = match request {
            Request::Session(session::Request::Focus(focus)) if focus.session_id.is_none() => self.focused,
            Request::Session(session::Request::Focus(_)) => {
                let host = self.model.host_for(request);
                let before = std::mem::replace(&mut self.focused, host);
                if before != host
                    && let Some(client) = self.hosts.client(before)
                {
                    // An error means that its connection is over, and with it the screen.
                    let _ = client.focus(None);
                }
                host
            }
            _ => self.model.host_for(request),
        };
        let mut request = request.clone();
        self.model.hosts.address(&mut request);
        self.effects.request(self.hosts.client(host), ask, &request);
    }

    /// Sends a request to which no answer is wanted.
    fn tell(&mut self, request: &Request) {
        let client = self.hosts.client(self.model.host_for(request));
        let mut request = request.clone();
        self.model.hosts.address(&mut request);
        let told = client.map_or(Err(ClientError::Closed), |client| client.tell(&request));
        if let Err(error) = told {
            self.effects.complain(error);
        }
    }

    fn listen(&mut self, session_id: SessionId, url: String, open: bool) {
        let host = self.model.host_of(&session_id);
        let (Some(callbacks), Some(client)) = (&mut self.callbacks, self.hosts.client(host)) else { return };
        let theirs = SessionId::new(self.model.hosts.their_id(session_id.as_str()));
        let outcome = callbacks.listen(session_id.clone(), theirs, &url, client.clone());
        if open && outcome.is_ok() {
            self.effects.open(url);
        }
        self.effects.bring(Msg::Listening(session_id, outcome));
    }

    /// Draws if something changed, the rate allows it, and the terminal has taken the frame before.
    fn paint(&mut self) {
        let now = self.clock.now();
        let nothing_new = self.stale == Stale::Nothing && self.raw.is_empty();
        if self.suspended || self.writing || nothing_new || !self.pacing.wait(now).is_zero() {
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
            self.pacing.shown(now);
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
        TerminalEvent::Resize(columns, rows) => {
            let (columns, rows) = clamp(columns, rows);
            Some(Msg::Resize(columns, rows))
        }
        TerminalEvent::FocusGained | TerminalEvent::FocusLost => None,
    }
}

async fn sleep(wait: Option<Duration>) {
    tokio::time::sleep(wait.unwrap_or_default()).await;
}
