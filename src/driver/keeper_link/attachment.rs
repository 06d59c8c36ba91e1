//! A connection to a keeper.

use std::io::{self, Cursor};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustix::termios::{LocalModes, tcgetattr};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::frames::{Incoming, Shared, Waiting, connect, next_report, read_frames};
use super::outbox::{Outbox, Over};
use super::{ANSWER_LIMIT, KeeperError, KeeperEvent, WINDOW};
use crate::driver::platform::local_socket::{LocalSocket, SocketOutput};
use crate::keeper::TOKEN;
use crate::keeper::wire::{
    self, Hello, InputKind, InputOutcome, LONGEST_INPUT, Order, RefusalReason, Report, TerminalMode,
};

/// How often an attach is tried again when another one took the token first.
const ATTEMPTS: u32 = 5;

/// Gives orders to a keeper. Clones share the connection, which ends when the [`KeeperEvents`] are dropped.
#[derive(Clone)]
pub struct KeeperHandle {
    outbox: Arc<Outbox>,
    shared: Arc<Shared>,
}

impl std::fmt::Debug for KeeperHandle {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("KeeperHandle").finish_non_exhaustive()
    }
}

/// What comes from a keeper, in order. Dropping it detaches; the session lives on.
pub struct KeeperEvents {
    events: mpsc::UnboundedReceiver<KeeperEvent>,
    handle: KeeperHandle,
    /// The end of the last output handed out.
    handed_out: u64,
    /// The end of what the keeper was told of.
    told: u64,
    /// After how many bytes it is told: often enough that it never has to wait for that.
    step: u64,
    tasks: [JoinHandle<()>; 2],
}

impl Drop for KeeperEvents {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
        self.handle.outbox.close();
        let mut waiting = self.handle.shared.waiting();
        *waiting = Waiting { over: true, ..Waiting::default() };
    }
}

/// Attaches to the keeper of a session's folder. Output starts at `from`, or at the oldest byte that is kept;
/// [`Hello::resume_at`] says which it is. Whoever was attached before is dropped.
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
    let attach = Order::Attach { version: wire::VERSION, token, from, window: WINDOW, terminal: true };
    socket.write_all(&wire::order_frame(&attach)).await?;
    let write = socket.output();
    let mut first = vec![0; 4 * 1024];
    let (count, terminal) = socket.receive(&mut first).await?;
    first.truncate(count);
    let mut read = BufReader::with_capacity(64 * 1024, Cursor::new(first).chain(socket));
    let hello = match next_report(&mut read).await? {
        Some(Report::Hello(hello)) => *hello,
        Some(Report::Refused(refusal)) => return Err(KeeperError::Refused(refusal)),
        Some(
            Report::Exited(_)
            | Report::OutputEnded { .. }
            | Report::LimitReached
            | Report::KillFinished(_)
            | Report::InputDone { .. }
            | Report::Mode { .. }
            | Report::Released,
        )
        | None => return Err(io::Error::from(io::ErrorKind::InvalidData).into()),
    };
    let (handle, events) = serve(read, write, directory, &hello);
    {
        let mut waiting = handle.shared.waiting();
        waiting.terminal = terminal.filter(|_| !hello.output_ended);
        // Of whoever was attached before.
        waiting.untold = true;
    }
    Ok((handle, events, hello))
}

impl Waiting {
    /// Notes that the keeper is handed an input that it will tell of when it is written; with that, everything before
    /// is written too.
    fn note_told(&mut self, id: u32, asker: Option<oneshot::Sender<InputOutcome>>) {
        self.inputs.insert(id, asker);
        self.untold = false;
    }
}

/// Tells whether the child reads keys one by one; lines are the business of the keeper, which sees to long ones.
fn reads_keys(terminal: &OwnedFd) -> bool {
    tcgetattr(terminal).is_ok_and(|attributes| !attributes.local_modes.contains(LocalModes::ICANON))
}

/// Starts the two tasks of a connection.
fn serve(
    read: Incoming,
    write: SocketOutput,
    directory: &Path,
    hello: &Hello,
) -> (KeeperHandle, KeeperEvents) {
    let (incoming, events) = mpsc::unbounded_channel();
    let shared = Arc::new(Shared {
        waiting: Mutex::default(),
        next_id: AtomicU32::new(1),
        directory: directory.to_owned(),
    });
    let reader = tokio::spawn(read_frames(read, incoming, Arc::clone(&shared)));
    let outbox = Arc::new(Outbox::new(write));
    let writer = tokio::spawn({
        let outbox = Arc::clone(&outbox);
        async move { outbox.run().await }
    });
    let handle = KeeperHandle { outbox, shared };
    let events = KeeperEvents {
        events,
        handle: handle.clone(),
        handed_out: hello.resume_at,
        told: hello.resume_at,
        step: hello.ring_bytes.min(WINDOW) / 4,
        tasks: [reader, writer],
    };
    (handle, events)
}

impl KeeperEvents {
    /// Returns the next event; `None` once the connection is over. Taking an event says that the ones before it
    /// have been dealt with: the keeper keeps what has not been, and makes the child wait when that grows too much.
    ///
    /// Dropping the returned future loses nothing.
    pub async fn next(&mut self) -> Option<KeeperEvent> {
        if let Some(frame) = self.consumed_frame() {
            let offset = self.handed_out;
            if self.handle.outbox.send(frame).await.is_ok() {
                self.told = offset;
            }
        }
        let event = self.events.recv().await?;
        Some(self.hand_out(event))
    }

    /// Returns an event if one is there, without waiting; otherwise like [`KeeperEvents::next`].
    pub fn try_next(&mut self) -> Option<KeeperEvent> {
        if let Some(frame) = self.consumed_frame()
            && self.handle.outbox.try_send(&frame) == Ok(true)
        {
            self.told = self.handed_out;
        }
        let event = self.events.try_recv().ok()?;
        Some(self.hand_out(event))
    }

    fn hand_out(&mut self, event: KeeperEvent) -> KeeperEvent {
        if let KeeperEvent::Output { offset, bytes } = &event {
            self.handed_out = offset + bytes.len() as u64;
        }
        event
    }

    fn consumed_frame(&self) -> Option<Vec<u8>> {
        let due = self.handed_out - self.told >= self.step.max(1);
        due.then(|| wire::order_frame(&Order::Consumed { offset: self.handed_out }))
    }
}

impl KeeperHandle {
    /// Writes to the child and waits for the outcome. The keeper bounds the wait (`input_limit`).
    ///
    /// # Errors
    /// The keeper is gone.
    pub async fn write(&self, bytes: &[u8], kind: InputKind) -> Result<InputOutcome, KeeperError> {
        if bytes.len() > LONGEST_INPUT {
            return Ok(InputOutcome::Full);
        }
        let id = self.next_id();
        let (sender, receiver) = oneshot::channel();
        self.wait_for(|waiting| waiting.note_told(id, Some(sender)))?;
        self.send(wire::input_frame(id, kind, bytes)).await?;
        receiver.await.map_err(|_| self.gone())
    }

    /// Types keys into the child: directly if it reads them one by one and nothing of what the keeper was handed can
    /// come behind them, otherwise through the keeper, which sees to whole lines and to a child that does not read.
    ///
    /// # Errors
    /// The keeper is gone.
    pub async fn type_keys(&self, keys: &[u8]) -> Result<(), KeeperError> {
        for piece in self.write_directly(keys).chunks(LONGEST_INPUT) {
            let id = self.note_passed_on();
            self.send(wire::input_frame(id, InputKind::Keys, piece)).await?;
        }
        Ok(())
    }

    /// Writes to the child's terminal as much as it takes, if that may be done; returns the rest.
    fn write_directly<'a>(&self, keys: &'a [u8]) -> &'a [u8] {
        let waiting = self.shared.waiting();
        let Some(terminal) = &waiting.terminal else { return keys };
        if self.is_behind(&waiting) || !reads_keys(terminal) {
            return keys;
        }
        // An error means that nothing fits, or that the terminal is closed: the keeper knows.
        rustix::io::write(terminal, keys).map_or(keys, |written| &keys[written..])
    }

    /// Tells whether something that was handed to the keeper may not be written yet.
    fn is_behind(&self, waiting: &Waiting) -> bool {
        waiting.untold || !waiting.inputs.is_empty() || !self.outbox.is_empty()
    }

    /// Notes that keys go through the keeper; returns the id for them. Where keys could be written directly it is to tell
    /// when these are, and with them everything before; whoever reads lines will not have them directly soon.
    fn note_passed_on(&self) -> u32 {
        let mut waiting = self.shared.waiting();
        if waiting.terminal.as_ref().is_some_and(reads_keys) && !waiting.over {
            let id = self.next_id();
            waiting.note_told(id, None);
            id
        } else {
            waiting.untold = true;
            0
        }
    }

    /// Writes to the child without waiting for the outcome: keys and terminal replies.
    ///
    /// # Errors
    /// The keeper is gone.
    pub async fn send_input(&self, bytes: &[u8], kind: InputKind) -> Result<(), KeeperError> {
        self.shared.waiting().untold = true;
        for piece in bytes.chunks(LONGEST_INPUT) {
            self.send(wire::input_frame(0, kind, piece)).await?;
            // An input that is told of may have gone out first.
            self.shared.waiting().untold = true;
        }
        Ok(())
    }

    /// Resizes the child's terminal.
    ///
    /// # Errors
    /// The keeper is gone.
    pub async fn resize(&self, columns: u16, rows: u16) -> Result<(), KeeperError> {
        self.order(&Order::Resize { columns, rows }).await
    }

    /// Ends the child with everything it started; [`KeeperEvent::KillFinished`] tells how that ended. A second call
    /// with `force` cuts the grace of the first one short.
    ///
    /// # Errors
    /// The keeper is gone.
    pub async fn kill(&self, force: bool) -> Result<(), KeeperError> {
        self.order(&Order::Kill { force }).await
    }

    /// Changes the time limit, counted from the session's start.
    ///
    /// # Errors
    /// The keeper is gone.
    pub async fn limit(&self, limit: Duration) -> Result<(), KeeperError> {
        let milliseconds = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
        self.order(&Order::Limit { milliseconds }).await
    }

    /// Asks how the child's terminal treats input; `None` once it is closed.
    ///
    /// # Errors
    /// The keeper is gone or does not answer.
    pub async fn terminal_mode(&self) -> Result<Option<TerminalMode>, KeeperError> {
        let id = self.next_id();
        let (sender, receiver) = oneshot::channel();
        self.wait_for(|waiting| drop(waiting.modes.insert(id, sender)))?;
        self.order(&Order::Mode { id }).await?;
        match timeout(ANSWER_LIMIT, receiver).await {
            Ok(answer) => answer.map_err(|_| self.gone()),
            Err(_) => Err(KeeperError::TimedOut { what: "answer", limit: ANSWER_LIMIT }),
        }
    }

    /// Forgets an ended session: the keeper removes its folder and exits ([`KeeperEvent::Released`]). While the
    /// child runs it refuses ([`KeeperEvent::Refused`]).
    ///
    /// # Errors
    /// The keeper is gone.
    pub async fn release(&self) -> Result<(), KeeperError> {
        self.order(&Order::Release).await
    }

    /// Has the keeper make its folder, socket and token again where they are missing.
    ///
    /// # Errors
    /// The keeper is gone.
    pub async fn remake(&self) -> Result<(), KeeperError> {
        self.order(&Order::Remake).await
    }

    async fn order(&self, order: &Order) -> Result<(), KeeperError> {
        self.send(wire::order_frame(order)).await
    }

    async fn send(&self, frame: Vec<u8>) -> Result<(), KeeperError> {
        self.outbox.send(frame).await.map_err(|Over| self.gone())
    }

    fn next_id(&self) -> u32 {
        // 0 is for inputs whose outcome nobody waits for.
        self.shared.next_id.fetch_add(1, Ordering::Relaxed).max(1)
    }

    fn wait_for(&self, register: impl FnOnce(&mut Waiting)) -> Result<(), KeeperError> {
        let mut waiting = self.shared.waiting();
        if waiting.over {
            return Err(self.gone());
        }
        register(&mut waiting);
        Ok(())
    }

    fn gone(&self) -> KeeperError {
        KeeperError::Gone { directory: self.shared.directory.clone() }
    }
}
