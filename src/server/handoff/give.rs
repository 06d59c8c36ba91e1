//! The old process's side.

use std::io::Read as _;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::channel::Channel;
use super::{FORMAT, HandoffError, Item, Message};
use crate::core::time::Timestamp;
use crate::core::token::handoff::{ACKNOWLEDGE_LIMIT, ConsumeError, HandoffToken, HandoffTokens};
use crate::driver::MovedRuntime;
use crate::os::own_process;
use crate::server::moved::DrainedConnection;
use crate::server::{Context, tcp, unix};

/// How long connections that still speak HTTP are waited for.
const ARRIVE_LIMIT: Duration = Duration::from_secs(1);

/// How long the calls that are being worked on, and the sessions that are being started, may take.
const DRAIN_LIMIT: Duration = Duration::from_secs(5);

/// How long a thread may take to be there.
const THREAD_LIMIT: Duration = Duration::from_secs(3);

/// The longest report that is read of a program that ended, in bytes.
const LONGEST_REPORT: usize = 16 * 1024;

/// The listening sockets of a supervisor, and what it serves connections with.
#[derive(Debug)]
pub struct Acceptor {
    /// What every connection is served with.
    pub context: Context,
    /// The Unix socket.
    pub unix: unix::Listening,
    /// The TCP sockets.
    pub loopback: Vec<tcp::Listening>,
}

impl Acceptor {
    async fn pause(&mut self) {
        self.unix.pause().await;
        for listening in &mut self.loopback {
            listening.pause().await;
        }
    }

    /// Lets clients in again, and lets every connection go on.
    pub(super) fn resume(&mut self) {
        self.context.registry().resume();
        self.unix.resume();
        self.loopback.iter_mut().for_each(tcp::Listening::resume);
    }

    /// Leaves everything to the other process.
    fn leave(&mut self) {
        self.context.registry().leave();
        self.unix.leave();
    }
}

/// Has another process of `executable` take over everything. When this returns without an error, it serves, and this
/// process is to end without a word. With an error everything goes on here, and the other process is gone.
///
/// # Errors
/// The other process was not started, ended, was too slow, or did not prove that it has everything; or this one is busy.
pub async fn give(acceptor: &mut Acceptor, executable: &Path) -> Result<(), HandoffError> {
    let mut successor = Successor::start(executable).await?;
    acceptor.pause().await;
    match hand_over(acceptor, &mut successor).await {
        Ok(()) => {
            acceptor.leave();
            Ok(())
        }
        Err(error) => {
            let error = successor.end(error).await;
            acceptor.resume();
            Err(error)
        }
    }
}

async fn hand_over(acceptor: &Acceptor, successor: &mut Successor) -> Result<(), HandoffError> {
    let registry = acceptor.context.registry();
    registry.wait_arrived(ARRIVE_LIMIT).await;
    if !registry.drain(DRAIN_LIMIT).await {
        return Err(HandoffError::Busy);
    }
    let handle = acceptor.context.handle();
    timeout(DRAIN_LIMIT, handle.settle_keys()).await.map_err(|_| HandoffError::Busy)?;
    let (runtime, lock, verdict) = timeout(DRAIN_LIMIT, handle.hand_over())
        .await
        .map_err(|_| HandoffError::Busy)?
        .ok_or(HandoffError::Stopped)?;
    // Nothing happens any more, so what each client was not told yet is complete.
    let connections = registry.export().await;
    successor.offer(Offer { runtime, descriptors: descriptors(acceptor, lock, connections)? }).await?;
    // From here on there is no way back. If the other process ends now, it is as if this one had been killed: the
    // keepers hold every session, and clients start another supervisor.
    verdict.taken(handle).await;
    Ok(())
}

fn descriptors(
    acceptor: &Acceptor,
    lock: OwnedFd,
    connections: Vec<DrainedConnection>,
) -> Result<Vec<(Item, OwnedFd)>, HandoffError> {
    let copy = |descriptor: BorrowedFd<'_>| descriptor.try_clone_to_owned();
    let mut all = vec![(Item::Lock {}, lock), (Item::Listener {}, copy(acceptor.unix.descriptor())?)];
    for listening in &acceptor.loopback {
        let allowed = listening.allowed().to_vec();
        all.push((Item::Loopback { allowed }, copy(listening.descriptor())?));
    }
    all.extend(connections.into_iter().map(|DrainedConnection { descriptor, state }| {
        (Item::Connection { state: Box::new(state) }, descriptor)
    }));
    Ok(all)
}

/// Everything that goes over.
struct Offer {
    runtime: MovedRuntime,
    descriptors: Vec<(Item, OwnedFd)>,
}

/// The process that is to take over.
struct Successor {
    process: Child,
    /// Absent while it is used on another thread.
    channel: Option<Channel>,
}

impl Successor {
    /// Starts it, and waits until it is ready: whoever is not costs the clients nothing.
    async fn start(executable: &Path) -> Result<Self, HandoffError> {
        let (near, far) = UnixStream::pair()?;
        let mut command = Command::new(executable);
        own_process::give_back_limits(&mut command);
        let process = command
            .args(["serve", "--take-over"])
            .current_dir("/")
            .stdin(OwnedFd::from(far))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(HandoffError::NotStarted)?;
        // It holds the other end too, and whoever reads this one would not see it closed.
        drop(command);
        let mut successor = Self { process, channel: Some(Channel::new(near)?) };
        let ready =
            successor.with_channel(|channel| match channel.receive(Instant::now() + ACKNOWLEDGE_LIMIT)? {
                (Message::Hello { format: FORMAT }, None) => Ok(()),
                _ => Err(HandoffError::Foreign),
            });
        match ready.await {
            Ok(()) => Ok(successor),
            Err(error) => Err(successor.end(error).await),
        }
    }

    /// Works with the channel on a thread that may block.
    async fn with_channel<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Channel) -> Result<T, HandoffError> + Send + 'static,
    ) -> Result<T, HandoffError> {
        let mut channel = self.channel.take().ok_or_else(|| HandoffError::Ended(String::new()))?;
        let worked = spawn_blocking(move || {
            let outcome = work(&mut channel);
            (channel, outcome)
        });
        // The work has a deadline of its own; this is for a system that gives no thread to do it on. Whoever gives up
        // ends the other process, so what is done too late leads nowhere.
        let worked =
            timeout(ACKNOWLEDGE_LIMIT + THREAD_LIMIT, worked).await.map_err(|_| HandoffError::Late)?;
        let (channel, outcome) = worked.map_err(|_| HandoffError::Stopped)?;
        self.channel = Some(channel);
        outcome
    }

    async fn offer(&mut self, offer: Offer) -> Result<(), HandoffError> {
        self.with_channel(move |channel| transfer(channel, offer)).await
    }

    /// Ends it, whatever it does, and waits until it has ended: nobody else may hold what goes on here. Returns why, in
    /// its own words if it had any.
    async fn end(mut self, error: HandoffError) -> HandoffError {
        let ends_by_itself = matches!(error, HandoffError::Ended(_));
        let ended = spawn_blocking(move || {
            let errors = self.process.stderr.take().filter(|_| ends_by_itself);
            let report = errors.map(report_of).unwrap_or_default();
            // An error means that it has ended by itself.
            let _ = self.process.kill();
            let _ = self.process.wait();
            report
        });
        let report = timeout(THREAD_LIMIT, ended).await.ok().and_then(Result::ok).unwrap_or_default();
        if ends_by_itself { HandoffError::Ended(reason(&report)) } else { error }
    }
}

/// Reads what a program printed before it ended. Something that it started may hold the other end for ever.
fn report_of(mut errors: ChildStderr) -> String {
    let limit = Timespec { tv_sec: 0, tv_nsec: 200_000_000 };
    let mut report = Vec::new();
    let mut buffer = [0; 4096];
    while report.len() < LONGEST_REPORT {
        let mut watched = [PollFd::new(&errors, PollFlags::IN)];
        if !matches!(poll(&mut watched, Some(&limit)), Ok(1..)) {
            break;
        }
        match errors.read(&mut buffer) {
            Ok(read @ 1..) => report.extend_from_slice(&buffer[..read]),
            Ok(0) | Err(_) => break,
        }
    }
    String::from_utf8_lossy(&report).into_owned()
}

/// Puts what a program printed before it ended behind a sentence.
fn reason(report: &str) -> String {
    let report: Vec<&str> = report.lines().filter(|line| !line.trim().is_empty()).collect();
    if report.is_empty() { String::new() } else { format!(": {}", report.join("; ")) }
}

/// Sends everything, each descriptor with a token of its own, and consumes the tokens as they come back.
fn transfer(channel: &mut Channel, offer: Offer) -> Result<(), HandoffError> {
    let mut handoff = Handoff { begun: Instant::now(), tokens: HandoffTokens::default(), given: Vec::new() };
    let outcome = handoff.run(channel, offer);
    handoff.revoke();
    outcome
}

/// One handoff under way.
struct Handoff {
    begun: Instant,
    tokens: HandoffTokens,
    /// The tokens that went over, in order.
    given: Vec<HandoffToken>,
}

impl Handoff {
    fn now(&self) -> Timestamp {
        Timestamp(0).after(self.begun.elapsed())
    }

    fn run(&mut self, channel: &mut Channel, offer: Offer) -> Result<(), HandoffError> {
        let deadline = self.begun + ACKNOWLEDGE_LIMIT;
        let state = Message::State { runtime: Box::new(offer.runtime), limits: own_process::limits() };
        channel.send(&state, None, deadline)?;
        for (item, descriptor) in offer.descriptors {
            let token = self.issue()?;
            let message = Message::Item { token: token.text(), item: Box::new(item) };
            self.given.push(token);
            channel.send(&message, Some(descriptor.as_fd()), deadline)?;
        }
        channel.send(&Message::End {}, None, deadline)?;
        for expected in &self.given {
            let Message::Taken { token } = channel.receive(deadline)?.0 else {
                return Err(HandoffError::Foreign);
            };
            let presented = HandoffToken::from_text(&token).ok_or(ConsumeError::Mismatch)?;
            let now = Timestamp(0).after(self.begun.elapsed());
            self.tokens.consume(now, &presented, expected)?;
        }
        channel.send(&Message::Commit {}, None, deadline)?;
        Ok(())
    }

    fn issue(&mut self) -> Result<HandoffToken, HandoffError> {
        let mut failure = None;
        let now = self.now();
        let token = self.tokens.issue(now, || {
            let mut random = [0; 16];
            failure = getrandom::fill(&mut random).err().or(failure);
            random
        })?;
        match failure {
            None => Ok(token),
            Some(error) => Err(HandoffError::Channel(std::io::Error::other(error))),
        }
    }

    /// What was not consumed is of no use to whoever presents it late.
    fn revoke(&mut self) {
        for token in &self.given {
            self.tokens.revoke(token);
        }
    }
}
