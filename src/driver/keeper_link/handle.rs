//! Gives orders to a keeper and writes to its child.

use std::os::fd::AsFd as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::Signal;
use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, sleep};

use super::input::{Done, InputOutcome, InputQueue, LONGEST_INPUT};
use super::{KeeperError, KeeperHello};
use crate::driver::platform::local_socket::SocketOutput;
use crate::driver::platform::watched::watch_room;
use crate::keeper::ring::Mapping;
use crate::keeper::terminal::{Terminal, TerminalMode};
use crate::keeper::wire::{self, Order};
use crate::os::processes::OpenProcess;

/// How soon a terminal that takes nothing is tried again, whatever the kernel says of it.
const TRY_AGAIN: Duration = Duration::from_millis(100);

/// Gives orders to a keeper and writes to its child. Clones share the connection, which ends when the
/// [`super::KeeperEvents`] are dropped.
#[derive(Clone)]
pub struct KeeperHandle {
    shared: Arc<Shared>,
}

impl std::fmt::Debug for KeeperHandle {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("KeeperHandle").finish_non_exhaustive()
    }
}

struct Shared {
    directory: PathBuf,
    orders: SocketOutput,
    keeper_process_id: u32,
    /// The times of the queue count from here.
    since: Instant,
    ring: Arc<Mapping>,
    writer: Mutex<Writer>,
    /// Told when nothing waits to be written any more.
    settled: Notify,
}

/// The way of bytes to the child, in order.
struct Writer {
    /// Absent once nobody reads any more.
    terminal: Option<Arc<Terminal>>,
    queue: InputQueue<Piece>,
    /// A task waits for the terminal to take more.
    waits: bool,
}

/// What is known of a piece of input besides its bytes.
#[derive(Default)]
struct Piece {
    /// Who waits for the outcome.
    asker: Option<oneshot::Sender<InputOutcome>>,
    /// It answers the child's questions before this offset.
    replies_through: Option<u64>,
}

impl KeeperHandle {
    pub(super) fn new(
        directory: PathBuf,
        orders: SocketOutput,
        ring: Arc<Mapping>,
        terminal: Option<Arc<Terminal>>,
        hello: &KeeperHello,
    ) -> Self {
        let open_line = usize::try_from(ring.open_line()).unwrap_or(0);
        let queue = InputQueue::new(hello.input_limit, open_line);
        let shared = Shared {
            directory,
            orders,
            keeper_process_id: hello.keeper_process_id,
            since: Instant::now(),
            ring,
            writer: Mutex::new(Writer { terminal, queue, waits: false }),
            settled: Notify::new(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Returns the keeper's process id.
    pub fn keeper_process_id(&self) -> u32 {
        self.shared.keeper_process_id
    }

    /// Lets a keeper that was stopped go on.
    pub fn wake(&self) {
        if let Some(keeper) = OpenProcess::of(self.shared.keeper_process_id) {
            // An error means that it has ended. A process that is not stopped takes no notice.
            let _ = keeper.signal(Signal::CONT);
        }
    }

    /// Writes a line or a paste to the child and waits for the outcome, no longer than the session's limit for input.
    pub async fn write(&self, bytes: &[u8]) -> InputOutcome {
        if bytes.len() > LONGEST_INPUT {
            return InputOutcome::Full;
        }
        let (asker, outcome) = oneshot::channel();
        self.shared.push(Piece { asker: Some(asker), replies_through: None }, bytes);
        outcome.await.unwrap_or(InputOutcome::Closed)
    }

    /// Types keys into the child, at once if it reads; false if nobody reads any more or too much waits already.
    pub fn type_keys(&self, keys: &[u8]) -> bool {
        keys.chunks(LONGEST_INPUT).all(|piece| self.shared.push(Piece::default(), piece))
    }

    /// Answers the child's questions to its terminal before the offset `through`.
    pub fn reply(&self, bytes: &[u8], through: u64) {
        self.shared.push(Piece { asker: None, replies_through: Some(through) }, bytes);
    }

    /// Waits until the terminal has taken all that was typed, or nobody reads any more.
    pub async fn settled(&self) {
        loop {
            let settled = self.shared.settled.notified();
            if !self.shared.writer().queue.is_waiting() {
                return;
            }
            settled.await;
        }
    }

    /// Resizes the child's terminal; false once it is closed.
    pub fn resize(&self, columns: u16, rows: u16) -> bool {
        self.shared.writer().terminal.as_ref().is_some_and(|terminal| terminal.resize(columns, rows))
    }

    /// Tells how the child's terminal treats input; absent once it is closed.
    pub fn terminal_mode(&self) -> Option<TerminalMode> {
        self.shared.writer().terminal.as_ref()?.mode()
    }

    /// Ends the child with everything it started; [`super::KeeperEvent::KillFinished`] tells how that ended. A second
    /// call with `force` cuts the grace of the first one short.
    ///
    /// # Errors
    /// The keeper is gone, or takes no orders.
    pub fn kill(&self, force: bool) -> Result<(), KeeperError> {
        self.order(&Order::Kill { force })
    }

    /// Changes the time limit, counted from the session's start.
    ///
    /// # Errors
    /// The keeper is gone, or takes no orders.
    pub fn limit(&self, limit: Duration) -> Result<(), KeeperError> {
        let milliseconds = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
        self.order(&Order::Limit { milliseconds })
    }

    /// Forgets an ended session: the keeper removes its folder and exits ([`super::KeeperEvent::Released`]). While the
    /// child runs it refuses ([`super::KeeperEvent::Refused`]).
    ///
    /// # Errors
    /// The keeper is gone, or takes no orders.
    pub fn release(&self) -> Result<(), KeeperError> {
        self.order(&Order::Release)
    }

    /// Has the keeper make its folder, socket and token again where they are missing.
    ///
    /// # Errors
    /// The keeper is gone, or takes no orders.
    pub fn remake(&self) -> Result<(), KeeperError> {
        self.order(&Order::Remake)
    }

    /// Sends an order. It is so short that the socket takes all of it or nothing.
    pub(super) fn order(&self, order: &Order) -> Result<(), KeeperError> {
        let frame = wire::order_frame(order);
        match self.shared.orders.try_write(&frame) {
            Ok(written) if written == frame.len() => Ok(()),
            Ok(_) | Err(_) => Err(KeeperError::Deaf { directory: self.shared.directory.clone() }),
        }
    }

    /// Closes this process's end of the terminal, and gives up what waits to be written.
    pub(super) fn close_terminal(&self) {
        let mut writer = self.shared.writer();
        writer.terminal = None;
        let given_up = writer.queue.close();
        drop(writer);
        self.shared.tell(given_up);
    }

    /// Ends the connection although clones of this are still there.
    pub(super) fn hang_up(&self) {
        self.close_terminal();
        self.shared.orders.shut_down();
    }
}

impl Shared {
    fn writer(&self) -> MutexGuard<'_, Writer> {
        // Each section leaves whole pieces, or the rest of one at the front.
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes a piece behind those that wait; false if it was not taken.
    fn push(self: &Arc<Self>, piece: Piece, bytes: &[u8]) -> bool {
        let mut writer = self.writer();
        if writer.terminal.is_none() {
            drop(writer);
            self.tell(vec![(piece, InputOutcome::Closed)]);
            return false;
        }
        if let Err(refused) = writer.queue.push(self.since.elapsed(), piece, bytes) {
            drop(writer);
            self.tell(vec![refused]);
            return false;
        }
        // What waits already is written by the task that waits.
        if !writer.waits {
            let done = self.write(&mut writer);
            writer.waits = writer.queue.is_waiting();
            if writer.waits {
                tokio::spawn(Arc::clone(self).write_the_rest());
            }
            drop(writer);
            self.tell(done);
        }
        true
    }

    fn write(&self, writer: &mut Writer) -> Vec<Done<Piece>> {
        let Some(terminal) = writer.terminal.clone() else { return writer.queue.close() };
        let done = writer.queue.write(self.since.elapsed(), &*terminal, |piece| {
            if let Some(through) = piece.replies_through {
                self.ring.note_replied(through);
            }
        });
        self.ring.note_open_line(u32::try_from(writer.queue.open_line()).unwrap_or(u32::MAX));
        done
    }

    /// Writes what the terminal did not take at once, until nothing is left.
    async fn write_the_rest(self: Arc<Self>) {
        loop {
            self.room().await;
            let mut writer = self.writer();
            let done = self.write(&mut writer);
            writer.waits = writer.queue.is_waiting();
            let waits = writer.waits;
            drop(writer);
            self.tell(done);
            if !waits {
                return self.settled.notify_waiters();
            }
        }
    }

    /// Waits until the terminal may take more, or the piece at the front is to be given up.
    async fn room(&self) {
        let (copy, deadline) = {
            let writer = self.writer();
            // A runtime knows descriptors by their numbers, and has the terminal's own already.
            let copy =
                writer.terminal.as_ref().and_then(|terminal| terminal.as_fd().try_clone_to_owned().ok());
            (copy, writer.queue.deadline())
        };
        let rest = deadline.unwrap_or_default().saturating_sub(self.since.elapsed());
        let limit = sleep(rest.min(TRY_AGAIN));
        match copy.map(watch_room) {
            Some(Ok(room)) => tokio::select! {
                _ = room.writable() => {}
                () = limit => {}
            },
            Some(Err(_)) | None => limit.await,
        }
    }

    fn tell(&self, done: Vec<Done<Piece>>) {
        for (piece, outcome) in done {
            if let Some(asker) = piece.asker {
                // Whoever asked may have given up.
                let _ = asker.send(outcome);
            }
        }
    }
}
