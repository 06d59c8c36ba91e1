//! A supervisor's attachment to a keeper: it reads the child's terminal, and hears what the keeper reports.

use std::collections::VecDeque;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::io::AsyncWriteExt as _;
use tokio::io::unix::AsyncFd;
use tokio::time::{Instant, sleep_until, timeout};

use super::frames::{Incoming, connect};
use super::handle::KeeperHandle;
use super::{ANSWER_LIMIT, KeeperError, KeeperEvent};
use crate::driver::platform::local_socket::LocalSocket;
use crate::driver::platform::watched::watch_input;
use crate::keeper::TOKEN;
use crate::keeper::ring::{Ring, Taken};
use crate::keeper::terminal::Terminal;
use crate::keeper::wire::{self, Hello, Order, RefusalReason, Report};

/// How often an attach is tried again when another one took the token first.
const ATTEMPTS: u32 = 5;

/// A read that returns less than this has emptied the terminal, or nearly so: to ask again at once would cost an echo
/// more time than it takes to wait for the next bytes.
const WHOLE_READ: u64 = 1024;

/// The most bytes of output that are handed out at once.
const MOST_AT_ONCE: u64 = 64 * 1024;

/// How soon a terminal that its living child has closed is looked at again, at first and at most.
const REOPEN: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// What comes from a session, in order. Dropping it detaches; the session lives on.
pub struct KeeperEvents {
    socket: LocalSocket,
    incoming: Incoming,
    reports: VecDeque<KeeperEvent>,
    handle: KeeperHandle,
    ring: Ring,
    terminal: Watched,
    attachment: u64,
    drain: Duration,
    /// The end of the output that was handed out.
    handed_out: u64,
    /// The child has ended, and its output is awaited until then.
    drain_until: Option<Instant>,
    output: Output,
    /// The connection is over.
    over: bool,
}

/// How this process watches the child's terminal.
enum Watched {
    Open(AsyncFd<Arc<Terminal>>),
    /// Nobody holds the other end, and the child may open it again: it is looked at then, and after that pause.
    HungUp {
        terminal: Arc<Terminal>,
        at: Instant,
        pause: Duration,
    },
    Closed,
}

/// What is known of the output's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Output {
    GoesOn,
    Ended,
    /// That was told.
    Told,
}

impl Drop for KeeperEvents {
    fn drop(&mut self) {
        self.let_go();
        self.handle.hang_up();
    }
}

/// Attaches to the keeper of a session's folder. Output starts at `from`, or at the oldest byte that is kept;
/// [`Hello::resume_at`] says which it is. Whoever was attached before lets go first.
///
/// # Errors
/// The keeper is gone, refuses, or does not answer in time.
pub async fn attach(
    directory: &Path,
    from: Option<u64>,
) -> Result<(KeeperHandle, KeeperEvents, Hello), KeeperError> {
    let mut attempt = 1;
    loop {
        match timeout(ANSWER_LIMIT, try_attach(directory, from)).await {
            Ok(Err(KeeperError::Refused(refusal)))
                if refusal.reason == RefusalReason::Token && attempt < ATTEMPTS =>
            {
                attempt += 1;
            }
            Ok(result) => return result,
            Err(_) => return Err(KeeperError::TimedOut { what: "answer", limit: ANSWER_LIMIT }),
        }
    }
}

async fn try_attach(
    directory: &Path,
    from: Option<u64>,
) -> Result<(KeeperHandle, KeeperEvents, Hello), KeeperError> {
    let gone = |_| KeeperError::Gone { directory: directory.to_owned() };
    let stream = connect(directory).map_err(gone)?;
    let token = tokio::fs::read_to_string(directory.join(TOKEN)).await.map_err(gone)?;
    let mut socket = LocalSocket::new(stream)?;
    socket.write_all(&wire::order_frame(&Order::Attach { version: wire::VERSION, token, from })).await?;
    let (mut incoming, mut handed) = (Incoming::default(), Vec::new());
    let report = loop {
        let mut bytes = [0; 4 * 1024];
        let (count, descriptors) = socket.receive(&mut bytes).await?;
        if count == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        incoming.push(&bytes[..count]);
        handed.extend(descriptors);
        if let Some(report) = incoming.next()? {
            break report;
        }
    };
    match report {
        Report::Hello(hello) => begin(directory, socket, incoming, handed, *hello),
        Report::Refused(refusal) => Err(KeeperError::Refused(refusal)),
        Report::Exited(_)
        | Report::LimitReached
        | Report::KillFinished(_)
        | Report::LetGo
        | Report::Released => Err(io::Error::from(io::ErrorKind::InvalidData).into()),
    }
}

/// Begins to read with what a keeper handed over: the ring's file, then the terminal if it is open.
fn begin(
    directory: &Path,
    socket: LocalSocket,
    incoming: Incoming,
    handed: Vec<OwnedFd>,
    hello: Hello,
) -> Result<(KeeperHandle, KeeperEvents, Hello), KeeperError> {
    let mut handed = handed.into_iter();
    let lost = || io::Error::other("the session's output did not come along; too many files may be open");
    let mut ring = Ring::open(&handed.next().ok_or_else(lost)?)?;
    let terminal = handed.next().map(|terminal| Arc::new(Terminal::from(terminal)));
    if terminal.is_none() && !hello.output_ended {
        return Err(lost().into());
    }
    let watched = match &terminal {
        Some(terminal) => Watched::Open(watch_input(Arc::clone(terminal))?),
        None => Watched::Closed,
    };
    // From here on this process reads the terminal, unless the keeper has taken the offer back.
    if !ring.mapping().begin(hello.attachment) {
        return Err(io::Error::from(io::ErrorKind::ConnectionAborted).into());
    }
    ring.recover();
    let mapping = Arc::clone(ring.mapping());
    let handle = KeeperHandle::new(directory.to_owned(), socket.output(), mapping, terminal, &hello);
    let mut events = KeeperEvents {
        socket,
        incoming,
        reports: VecDeque::new(),
        handle: handle.clone(),
        ring,
        terminal: watched,
        attachment: hello.attachment,
        drain: hello.drain,
        handed_out: hello.resume_at,
        drain_until: None,
        output: if hello.output_ended { Output::Ended } else { Output::GoesOn },
        over: false,
    };
    // What came together with the answer.
    events.hear(Ok(()));
    Ok((handle, events, hello))
}

impl KeeperEvents {
    /// Returns the next event; `None` once the connection is over. More is read from the child when everything that was
    /// read has been handed out and this is called again, so a child whose output nobody takes has to wait.
    ///
    /// Dropping the returned future loses nothing.
    pub async fn next(&mut self) -> Option<KeeperEvent> {
        loop {
            if let Some(event) = self.ready() {
                return Some(event);
            }
            if self.over {
                return None;
            }
            self.wait().await;
        }
    }

    /// Returns the bytes of an output that [`Self::next`] has returned last.
    pub fn output(&self, from: u64, to: u64) -> &[u8] {
        self.ring.bytes(from, to)
    }

    /// Returns what is there without waiting.
    fn ready(&mut self) -> Option<KeeperEvent> {
        let end = self.ring.end();
        if self.handed_out < end {
            let from = self.handed_out.max(self.ring.start());
            let to = from + self.ring.bytes(from, end.min(from + MOST_AT_ONCE)).len() as u64;
            self.handed_out = to;
            return Some(KeeperEvent::Output { from, to });
        }
        if let Some(event) = self.reports.pop_front() {
            return Some(event);
        }
        (self.output == Output::Ended).then(|| {
            self.output = Output::Told;
            KeeperEvent::OutputEnded { offset: end }
        })
    }

    /// Waits for something to happen and sees to it. Each part can be cancelled at any point.
    async fn wait(&mut self) {
        let due = match &self.terminal {
            Watched::HungUp { at, .. } => Some(*at),
            Watched::Open(_) | Watched::Closed => None,
        };
        let due = due.into_iter().chain(self.drain_until).min();
        tokio::select! {
            biased;
            read = self.incoming.read(&mut self.socket) => self.hear(read),
            () = readable(&self.terminal) => self.fill(),
            () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => self.on_due(),
        }
    }

    fn hear(&mut self, read: io::Result<()>) {
        let mut outcome = read.and_then(|()| self.incoming.next());
        while let Ok(Some(report)) = outcome {
            self.on_report(report);
            outcome = self.incoming.next();
        }
        if outcome.is_err() && !self.over {
            self.lose_keeper();
        }
    }

    fn on_report(&mut self, report: Report) {
        match report {
            Report::Exited(exit) => {
                self.reports.push_back(KeeperEvent::Exited(exit));
                self.drain_until = Some(Instant::now() + self.drain);
                self.look_again();
            }
            Report::LetGo => {
                self.let_go();
                // An error means that the keeper is gone.
                let _ = self.handle.order(&Order::HasLetGo { offset: self.ring.end() });
                self.reports.push_back(KeeperEvent::Superseded);
                self.over = true;
            }
            Report::Hello(_) => {}
            Report::Refused(refusal) => self.reports.push_back(KeeperEvent::Refused(refusal)),
            Report::LimitReached => self.reports.push_back(KeeperEvent::LimitReached),
            Report::KillFinished(report) => self.reports.push_back(KeeperEvent::KillFinished(report)),
            Report::Released => self.reports.push_back(KeeperEvent::Released),
        }
    }

    /// Reads what the child wrote into the ring.
    fn fill(&mut self) {
        let Watched::Open(watched) = &self.terminal else { return };
        // Taken before the read: what the kernel tells after it is not forgotten with it.
        let ready = watched.readable().now_or_never();
        let (_, taken) = self.ring.take(None, WHOLE_READ, |stretch| watched.get_ref().read(stretch));
        match (taken, ready) {
            (Taken::All, Some(Ok(mut ready))) => ready.clear_ready(),
            (Taken::Enough | Taken::All, _) => {}
            (Taken::HungUp, _) => {
                let terminal = Arc::clone(watched.get_ref());
                self.on_hang_up(terminal, REOPEN.0);
            }
        }
    }

    /// Everyone closed the child's end. If the child still runs it may open it again (`/dev/tty`).
    fn on_hang_up(&mut self, terminal: Arc<Terminal>, pause: Duration) {
        if self.drain_until.is_some() {
            return self.end_output();
        }
        self.terminal = Watched::HungUp { terminal, at: Instant::now() + pause, pause };
    }

    /// Looks whether a terminal that was hung up has been opened again.
    fn look_again(&mut self) {
        let Watched::HungUp { terminal, pause, .. } = &self.terminal else { return };
        let (terminal, pause) = (Arc::clone(terminal), *pause);
        let (_, taken) = self.ring.take(None, WHOLE_READ, |stretch| terminal.read(stretch));
        match taken {
            Taken::HungUp => self.on_hang_up(terminal, (pause * 2).min(REOPEN.1)),
            Taken::Enough | Taken::All => match watch_input(Arc::clone(&terminal)) {
                Ok(watched) => self.terminal = Watched::Open(watched),
                // Nothing can be watched just now.
                Err(_) => self.on_hang_up(terminal, pause),
            },
        }
    }

    fn on_due(&mut self) {
        if self.drain_until.is_some_and(|until| until <= Instant::now()) {
            // Whoever still holds the terminal open is not waited for.
            self.fill();
            return self.end_output();
        }
        self.look_again();
    }

    /// Closes the terminal, as closing a window would; the keeper does the same then.
    fn end_output(&mut self) {
        self.drain_until = None;
        if self.output != Output::GoesOn {
            return;
        }
        self.output = Output::Ended;
        self.let_go();
        // An error means that the keeper is gone, and its end of the terminal is closed with it.
        let _ = self.handle.order(&Order::OutputEnded { offset: self.ring.end() });
    }

    /// Lets go of the terminal: from here on another process may read it.
    fn let_go(&mut self) {
        self.terminal = Watched::Closed;
        self.handle.close_terminal();
        self.ring.mapping().let_go(self.attachment);
    }

    /// The keeper is gone. What the child wrote so far is read; then the terminal is closed, so that the child is hung up.
    fn lose_keeper(&mut self) {
        self.fill();
        self.let_go();
        self.over = true;
    }
}

/// Resolves when there may be something to read.
async fn readable(terminal: &Watched) {
    match terminal {
        // An error means that the runtime ends.
        Watched::Open(watched) => drop(watched.readable().await),
        Watched::HungUp { .. } | Watched::Closed => std::future::pending().await,
    }
}
