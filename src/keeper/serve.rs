//! The loop: one `poll`, then whatever is ready, then whatever is due.

use std::os::unix::net::UnixListener;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::Pid;

use super::connection::Connection;
use super::input::InputQueue;
use super::ladder::{Ladder, Left, Step};
use super::processes;
use super::ring::Ring;
use super::signals::Signals;
use super::spec::Spec;
use super::terminal::Terminal;
use super::token::Token;
use super::wire::{Exit, InputOutcome, KillHow, KillReport, Report};

/// How long a new connection may take to show its token.
const HANDSHAKE: Duration = Duration::from_secs(2);
/// The most connections that may be about to show a token.
pub const MOST_GUESTS: usize = 8;
/// The most that is read from the terminal before others get their turn.
const READ_AT_ONCE: usize = 64 * 1024;
/// A read that returns less than this has emptied the terminal, or nearly so: to ask again at once would cost an echo
/// more time than it takes to wait for the next bytes.
const WHOLE_READ: usize = 1024;
/// How soon a terminal that its living child has closed is looked at again, at first and at most.
const REOPEN: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// A session's keeper. Times are counted from its start.
pub struct Keeper {
    pub(super) spec: Spec,
    pub(super) clock: Instant,
    pub(super) started_at: u64,
    pub(super) signals: Signals,
    pub(super) listener: UnixListener,
    pub(super) token: Token,
    pub(super) guests: Vec<Connection>,
    pub(super) supervisor: Option<Connection>,
    /// Whether a supervisor was ever attached.
    pub(super) was_attached: bool,
    pub(super) terminal: Option<Terminal>,
    pub(super) ring: Ring,
    pub(super) input: InputQueue,
    pub(super) ladder: Ladder,
    pub(super) child: Pid,
    pub(super) exit: Option<Exit>,
    pub(super) replied_through: u64,
    pub(super) limit_reached: bool,
    pub(super) kill_begun: Duration,
    pub(super) last_kill: Option<KillReport>,
    /// The end of the drain, once the child ended and while the terminal is open.
    pub(super) drain_until: Duration,
    /// When a terminal closed by its living child is looked at again, and the pause after that.
    pub(super) reopen: Option<(Duration, Duration)>,
    /// Since when an ended session has had no supervisor.
    pub(super) alone_since: Duration,
    /// SIGTERM came: end the session, then this process.
    pub(super) ending: bool,
    pub(super) over: bool,
    pub(super) buffer: Vec<u8>,
}

/// What `poll` found.
#[derive(Default)]
struct Ready {
    signals: bool,
    listener: bool,
    terminal: bool,
    supervisor: bool,
    guests: bool,
}

impl Keeper {
    /// Serves until the session is released, or has lingered long enough.
    pub fn run(mut self) {
        while !self.over {
            let ready = self.wait();
            self.turn(&ready);
        }
    }

    pub(super) fn now(&self) -> Duration {
        self.clock.elapsed()
    }

    fn turn(&mut self, ready: &Ready) {
        if ready.signals {
            self.on_signals();
        }
        if ready.listener {
            self.accept();
        }
        if ready.guests {
            self.hear_guests();
        }
        if ready.supervisor {
            self.hear_supervisor();
        }
        if ready.terminal {
            self.read_terminal(WHOLE_READ);
        }
        self.write_input();
        self.on_deadlines();
        self.flush();
    }

    fn wait(&self) -> Ready {
        let mut watched = Vec::with_capacity(4 + self.guests.len());
        watched.push(PollFd::new(&self.signals, PollFlags::IN));
        watched.push(PollFd::new(&self.listener, PollFlags::IN));
        let supervisor = self.supervisor.as_ref().map(|connection| {
            let out = connection.wants_to_write(&self.ring);
            watched.push(PollFd::new(
                connection,
                if out { PollFlags::IN | PollFlags::OUT } else { PollFlags::IN },
            ));
            watched.len() - 1
        });
        let terminal = self.terminal_interest().map(|(terminal, interest)| {
            watched.push(PollFd::new(terminal, interest));
            watched.len() - 1
        });
        let guests = watched.len();
        watched.extend(self.guests.iter().map(|guest| PollFd::new(guest, PollFlags::IN)));
        let timeout = self.next_deadline().map(|deadline| timespec(deadline.saturating_sub(self.now())));
        if poll(&mut watched, timeout.as_ref()).is_err() {
            return Ready::default();
        }
        let happened = |index: usize| !watched[index].revents().is_empty();
        Ready {
            signals: happened(0),
            listener: happened(1),
            supervisor: supervisor.is_some_and(happened),
            terminal: terminal.is_some_and(|index| {
                watched[index].revents().intersects(PollFlags::IN | PollFlags::HUP | PollFlags::ERR)
            }),
            guests: (guests..watched.len()).any(happened),
        }
    }

    /// Says what to watch the terminal for. A terminal that is paused or hung up is not watched at all: `poll`
    /// would report the hang-up again and again.
    fn terminal_interest(&self) -> Option<(&Terminal, PollFlags)> {
        let terminal = self.terminal.as_ref()?;
        let mut interest = PollFlags::empty();
        if self.reopen.is_none() && self.room() > 0 {
            interest |= PollFlags::IN;
        }
        if self.reopen.is_none() && self.input.is_waiting() {
            interest |= PollFlags::OUT;
        }
        (!interest.is_empty()).then_some((terminal, interest))
    }

    /// Returns how much may be read now. An attached supervisor that lags makes the child wait, and so does one
    /// that has yet to come for the first time; once it has left again the oldest output gives way.
    fn room(&self) -> usize {
        let floor = match &self.supervisor {
            Some(supervisor) => supervisor.consumed(),
            None => (!self.was_attached).then_some(0),
        };
        self.ring.room(floor).min(READ_AT_ONCE)
    }

    fn next_deadline(&self) -> Option<Duration> {
        let limit = (self.exit.is_none() && !self.limit_reached).then_some(self.spec.limit);
        let reopen = self.reopen.map(|(at, _)| at);
        let drain = (self.exit.is_some() && self.terminal.is_some()).then_some(self.drain_until);
        let guests = self.guests.iter().map(|guest| guest.accepted + HANDSHAKE).min();
        let input = self.input.deadline();
        [limit, reopen, drain, guests, input, self.ladder.deadline(), self.linger_deadline()]
            .into_iter()
            .flatten()
            .min()
    }

    fn linger_deadline(&self) -> Option<Duration> {
        let alone = self.exit.is_some() && self.supervisor.is_none() && !self.ladder.is_climbing();
        alone.then(|| self.alone_since.saturating_add(self.spec.linger))
    }

    fn on_deadlines(&mut self) {
        let now = self.now();
        if self.exit.is_none() && !self.limit_reached && now >= self.spec.limit {
            self.limit_reached = true;
            self.tell(&Report::LimitReached);
            self.kill(false);
        }
        if self.reopen.is_some_and(|(at, _)| now >= at) {
            self.read_output();
        }
        if self.exit.is_some() && self.terminal.is_some() && now >= self.drain_until {
            self.drain();
        }
        if self.ladder.deadline().is_some_and(|deadline| now >= deadline) {
            self.look_after_children();
        }
        self.guests.retain(|guest| now < guest.accepted + HANDSHAKE);
        if self.linger_deadline().is_some_and(|deadline| now >= deadline) {
            self.over = true;
        }
    }

    fn on_signals(&mut self) {
        let arrived = self.signals.read();
        if arrived.child {
            self.look_after_children();
        }
        if arrived.terminate {
            self.ending = true;
            self.kill(false);
        }
    }

    /// Reaps, notes the child's own end, and lets a kill take its next step.
    fn look_after_children(&mut self) {
        let mut exit = None;
        let left = processes::reap(|pid, how| {
            if pid == self.child {
                exit = Some(how);
            }
        });
        if let Some(exit) = exit {
            self.on_exit(exit);
        } else if left == Left::Nothing && self.exit.is_none() {
            // Nothing else reaps, so this cannot be; but a session must never wait for a child that is not there.
            self.on_exit(Exit { code: None, signal: None });
        }
        let step = self.ladder.advance(self.now(), left);
        self.climb(step);
    }

    fn on_exit(&mut self, exit: Exit) {
        let now = self.now();
        self.exit = Some(exit);
        self.alone_since = now;
        self.drain_until = now.saturating_add(self.spec.drain);
        self.reopen = None;
        self.tell(&Report::Exited(exit));
        let given_up = self.input.close();
        self.tell_inputs(given_up);
        self.read_output();
    }

    /// Starts to end the child and everything it started, or makes a running kill forceful.
    pub(super) fn kill(&mut self, force: bool) {
        if !self.ladder.is_climbing() {
            self.kill_begun = self.now();
        }
        let step = self.ladder.begin(self.now(), force);
        self.climb(step);
        self.look_after_children();
    }

    fn climb(&mut self, step: Step) {
        match step {
            Step::Rest => {}
            Step::Ask => {
                let leader = self.exit.is_none().then_some(self.child);
                let foreground = leader.and_then(|_| self.terminal.as_ref()?.foreground());
                processes::ask(leader, foreground);
            }
            Step::Strike => processes::strike(),
            Step::Finish(how) => self.on_kill_finished(how),
        }
    }

    fn on_kill_finished(&mut self, how: KillHow) {
        let survivors = match how {
            KillHow::Politely | KillHow::Forcibly => Vec::new(),
            KillHow::GaveUp => processes::survivors(),
        };
        let report = KillReport { how, took: self.now().saturating_sub(self.kill_begun), survivors };
        self.last_kill = Some(report.clone());
        self.alone_since = self.now();
        self.tell(&Report::KillFinished(report));
        self.over |= self.ending;
    }

    /// Reads all that the child wrote, as far as there is room.
    fn read_output(&mut self) {
        self.read_terminal(0);
    }

    /// The same, until a read returns less than `least` bytes.
    fn read_terminal(&mut self, least: usize) {
        let mut read = 0;
        while read < READ_AT_ONCE {
            let room = self.room();
            let Some(terminal) = self.terminal.as_ref().filter(|_| room > 0) else { return };
            match terminal.read(&mut self.buffer[..room]) {
                Ok(Some(count)) => {
                    self.ring.push(&self.buffer[..count]);
                    self.reopen = None;
                    read += count;
                    if count < least {
                        return;
                    }
                }
                Ok(None) => {
                    self.reopen = None;
                    return;
                }
                Err(_) => return self.on_hang_up(),
            }
        }
    }

    /// Everyone closed the child's end. If the child still runs it may open it again (`/dev/tty`).
    fn on_hang_up(&mut self) {
        if self.exit.is_some() {
            return self.end_output();
        }
        let pause = self.reopen.map_or(REOPEN.0, |(_, pause)| (pause * 2).min(REOPEN.1));
        self.reopen = Some((self.now() + pause, pause));
    }

    /// The time after the child's end is over: whoever still holds the terminal open is not waited for. A lagging
    /// supervisor is: what the child wrote before its end may still be in the terminal.
    fn drain(&mut self) {
        self.read_output();
        if self.room() == 0 {
            self.drain_until = self.now().saturating_add(self.spec.drain);
        } else {
            self.end_output();
        }
    }

    /// Closes the terminal, as closing a window would.
    fn end_output(&mut self) {
        self.terminal = None;
        self.ring.complete();
    }

    fn write_input(&mut self) {
        if !self.input.is_waiting() {
            return;
        }
        let now = self.now();
        let done = match &self.terminal {
            Some(terminal) => self.input.write(now, terminal),
            None => self.input.close(),
        };
        self.tell_inputs(done);
    }

    pub(super) fn tell_inputs(&mut self, done: Vec<(u32, InputOutcome)>) {
        // Nobody waits for the outcome of keys: a report would only wake the supervisor up before the echo.
        for (id, outcome) in done.into_iter().filter(|(id, _)| *id != 0) {
            self.tell(&Report::InputDone { id, outcome });
        }
    }

    /// Tells the supervisor, if one is attached.
    pub(super) fn tell(&mut self, report: &Report) {
        if let Some(supervisor) = &mut self.supervisor {
            supervisor.report(report);
        }
    }

    /// Writes what there is to say. A supervisor that is gone changes nothing for the session.
    pub(super) fn flush(&mut self) {
        if self.supervisor.as_mut().is_some_and(|supervisor| supervisor.flush(&self.ring).is_err()) {
            self.lose_supervisor();
        }
    }

    pub(super) fn lose_supervisor(&mut self) {
        self.supervisor = None;
        self.alone_since = self.now();
    }
}

fn timespec(duration: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(duration.subsec_nanos()),
    }
}
