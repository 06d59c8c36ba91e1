//! The loop: one `poll`, then whatever is ready, then whatever is due.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::Pid;

use super::connection::Connection;
use super::ladder::{Ladder, Left, Step};
use super::processes;
use super::reader::{Attaching, Reader};
use super::ring::{Ring, Taken};
use super::signals::Signals;
use super::spec::Spec;
use super::terminal::Terminal;
use super::token::Token;
use super::wire::{Exit, KillHow, KillReport, Report};

/// How long a new connection may take to show its token.
const HANDSHAKE: Duration = Duration::from_secs(2);
/// The most connections that may be about to show a token.
pub const MOST_GUESTS: usize = 8;
/// A read that returns less than this has emptied the terminal, or nearly so: to ask again at once would cost an echo
/// more time than it takes to wait for the next bytes.
pub const WHOLE_READ: u64 = 1024;
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
    pub(super) reader: Reader,
    /// The supervisor that waits for the one before to let go.
    pub(super) attaching: Option<Attaching>,
    /// How many supervisors were ever attached.
    pub(super) attachments: u64,
    pub(super) terminal: Option<Terminal>,
    pub(super) ring: Ring,
    pub(super) ring_file: OwnedFd,
    pub(super) ladder: Ladder,
    pub(super) child: Pid,
    pub(super) exit: Option<Exit>,
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
}

/// What `poll` found.
#[derive(Default)]
struct Ready {
    signals: bool,
    listener: bool,
    terminal: bool,
    supervisor: bool,
    /// The process of the supervisor that has the terminal has ended.
    reader_ended: bool,
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
        if ready.reader_ended {
            self.on_reader_ended();
        }
        self.attach_next();
        self.on_deadlines();
        self.flush();
    }

    fn wait(&self) -> Ready {
        let mut watched = Vec::with_capacity(5 + self.guests.len());
        watched.push(PollFd::new(&self.signals, PollFlags::IN));
        watched.push(PollFd::new(&self.listener, PollFlags::IN));
        let supervisor = self.reader.supervisor().map(|connection| {
            let out = connection.wants_to_write();
            watched.push(PollFd::new(
                connection,
                if out { PollFlags::IN | PollFlags::OUT } else { PollFlags::IN },
            ));
            watched.len() - 1
        });
        let process = self.reader.process().map(|process| {
            watched.push(PollFd::new(process, PollFlags::IN));
            watched.len() - 1
        });
        let terminal = self.readable_terminal().map(|terminal| {
            watched.push(PollFd::new(terminal, PollFlags::IN));
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
            reader_ended: process.is_some_and(happened),
            terminal: terminal.is_some_and(happened),
            guests: (guests..watched.len()).any(happened),
        }
    }

    /// Returns the terminal if there is something to wait for. One that a supervisor reads, that is paused or hung up is
    /// not watched at all: `poll` would report the hang-up again and again.
    fn readable_terminal(&self) -> Option<&Terminal> {
        let may = self.reader.is_keeper() && self.reopen.is_none() && self.ring.room(self.floor()) > 0;
        self.terminal.as_ref().filter(|_| may)
    }

    /// Returns the offset from which on nothing may be overwritten: everything is kept for the first supervisor, and the
    /// child waits for it. Once it has left again the oldest output gives way.
    pub(super) fn floor(&self) -> Option<u64> {
        (self.attachments == 0).then_some(0)
    }

    fn next_deadline(&self) -> Option<Duration> {
        let limit = (self.exit.is_none() && !self.limit_reached).then_some(self.spec.limit);
        let reopen = self.reopen.map(|(at, _)| at);
        let drain = self.is_draining().then_some(self.drain_until);
        let guests = self.guests.iter().map(|guest| guest.accepted + HANDSHAKE).min();
        [limit, reopen, drain, guests, self.ladder.deadline(), self.linger_deadline()]
            .into_iter()
            .flatten()
            .min()
    }

    fn linger_deadline(&self) -> Option<Duration> {
        let alone = self.exit.is_some() && self.reader.is_keeper() && !self.ladder.is_climbing();
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
        if self.is_draining() && now >= self.drain_until {
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

    /// The same, until a read returns less than `least` bytes. Not while a supervisor reads.
    fn read_terminal(&mut self, least: u64) {
        let floor = self.floor();
        let Some(terminal) = self.terminal.as_ref().filter(|_| self.reader.is_keeper()) else { return };
        let (count, taken) = self.ring.take(floor, least, |stretch| terminal.read(stretch));
        match taken {
            Taken::Enough if count == 0 => {}
            Taken::Enough | Taken::All => self.reopen = None,
            Taken::HungUp => self.on_hang_up(),
        }
    }

    /// Tells whether the child has ended and this process waits for what is left of its output.
    fn is_draining(&self) -> bool {
        self.exit.is_some() && self.terminal.is_some() && self.reader.is_keeper()
    }

    /// Everyone closed the child's end. If the child still runs it may open it again (`/dev/tty`).
    fn on_hang_up(&mut self) {
        if self.exit.is_some() {
            return self.end_output();
        }
        let pause = self.reopen.map_or(REOPEN.0, |(_, pause)| (pause * 2).min(REOPEN.1));
        self.reopen = Some((self.now() + pause, pause));
    }

    /// The time after the child's end is over: whoever still holds the terminal open is not waited for. The first
    /// supervisor is: what the child wrote before its end may still be in the terminal.
    fn drain(&mut self) {
        self.read_output();
        if self.ring.room(self.floor()) == 0 {
            self.drain_until = self.now().saturating_add(self.spec.drain);
        } else {
            self.end_output();
        }
    }

    /// Closes the terminal, as closing a window would.
    pub(super) fn end_output(&mut self) {
        self.terminal = None;
    }

    /// Tells the supervisor, if one is attached.
    pub(super) fn tell(&mut self, report: &Report) {
        if let Some(supervisor) = self.reader.supervisor_mut() {
            supervisor.report(report);
        }
    }

    /// Writes what there is to say. A supervisor that is gone changes nothing for the session.
    pub(super) fn flush(&mut self) {
        if self.reader.supervisor_mut().is_some_and(|supervisor| supervisor.flush().is_err()) {
            self.lose_supervisor();
        }
    }
}

fn timespec(duration: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(duration.subsec_nanos()),
    }
}
