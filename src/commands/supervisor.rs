//! The way to this user's supervisor: connects to the one that runs, or starts one in the background.
//!
//! Who starts one hands it one end of a socket pair as standard input: that is the first client's connection, so there
//! is nothing to poll. A byte through it says that the supervisor serves. If it closes without one, either another
//! supervisor was quicker, and serves by then, or it could not start, and its standard error says why.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as BlockingStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use tokio::io::AsyncReadExt as _;
use tokio::process::ChildStderr;
use tokio::time::{Instant, sleep, timeout};

use crate::client::{Client, ClientError, Events, connect_stream};
use crate::driver::paths;
use crate::driver::platform::local_socket::LocalSocket;
use crate::error::{Error, Kind};
use crate::keeper::COOKIE;
use crate::os::login_session::EndOfLogin;
use crate::os::own_process;
use crate::os::peers::PeerCredentials;

/// Through the first client's connection: the supervisor serves.
pub(super) const READY: u8 = b'+';

/// How long a supervisor may take to start, or another one to make way.
const START_LIMIT: Duration = Duration::from_secs(10);

/// How long a supervisor that works may take to say hello, on a machine that is busy.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// What to do about one that does not answer.
pub(super) const FORCE_HINT: &str =
    "try again if the machine is busy; `authdeck stop --force` ends its process, and its logins go on";

/// How long to wait before looking again for a supervisor that is about to end.
const HANDOVER_PAUSE: Duration = Duration::from_millis(20);

/// Variables of an outer session, of which the supervisor is no part: whoever ends what carries its cookie must not
/// find the supervisor.
const OF_AN_OUTER_SESSION: [&str; 3] = [COOKIE, "AUTHDECK_CREDENTIAL", "AUTHDECK_URL"];

/// Where the supervisor runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a process of its own, which stays.
    Background,
    /// In the deck's process, and with it, unless one runs already.
    Embedded,
}

/// Connects to this user's supervisor; starts one in the background if none runs.
///
/// # Errors
/// There is one that does not answer or speaks another version, or none can be started.
pub async fn connect_or_start() -> Result<(Client, Events), Error> {
    Approach::begin()?.finish().await
}

/// Starts a supervisor in the background with further arguments; none may run.
///
/// # Errors
/// It cannot be started.
pub(super) async fn start_with(arguments: &[String]) -> Result<(Client, Events), Error> {
    let starting = Starting::begin_with(arguments).map_err(|error| not_started(&error.to_string()))?;
    match starting.finish().await? {
        Some(connected) => greet(connected).await,
        None => Err(not_started("another one was quicker")),
    }
}

/// Connects to this user's supervisor; absent if none runs.
///
/// # Errors
/// There is one that does not answer or speaks another version.
pub async fn connect_running() -> Result<Option<(Client, Events)>, Error> {
    match connect_any().await? {
        Some(connected) => greet(connected).await.map(Some),
        None => Ok(None),
    }
}

/// The same whatever version it speaks: for the few requests that every version has.
///
/// # Errors
/// There is one that does not answer.
pub(super) async fn connect_any() -> Result<Option<(Client, Events)>, Error> {
    let Some((stream, socket)) = connect_in_any_place() else { return Ok(None) };
    match speak(stream, &socket).await? {
        Ok(connected) => Ok(Some(connected)),
        Err(error) if may_pass(&error) => Ok(None),
        Err(error) => Err(unusable(error)),
    }
}

/// A way to the supervisor that has been taken: there is a connection, or one is being started. Beginning early lets
/// the supervisor start while this process still gets ready.
pub(super) struct Approach {
    step: Step,
}

enum Step {
    /// To the socket of this path.
    Connected(BlockingStream, PathBuf),
    Starting(Starting),
}

/// A supervisor that is being started.
struct Starting {
    stream: BlockingStream,
    process: Child,
}

impl Approach {
    /// Takes the first step; waits for nothing.
    ///
    /// # Errors
    /// No process can be started.
    pub(super) fn begin() -> Result<Self, Error> {
        let step = match connect_in_any_place() {
            Some((stream, socket)) => Step::Connected(stream, socket),
            None => Step::Starting(Starting::begin().map_err(|error| not_started(&error.to_string()))?),
        };
        Ok(Self { step })
    }

    /// Goes on until there is a connection.
    ///
    /// # Errors
    /// See [`connect_or_start`].
    pub(super) async fn finish(self) -> Result<(Client, Events), Error> {
        let begun = Instant::now();
        let Self { mut step } = self;
        loop {
            let failure = match step {
                Step::Connected(stream, socket) => {
                    match say_hello(speak(stream, &socket).await?).await {
                        Ok(connected) => return Ok(connected),
                        // It may have been about to end.
                        Err(error) if may_pass(&error) => unusable(error),
                        Err(error) => return Err(unusable(error)),
                    }
                }
                Step::Starting(starting) => match starting.finish().await? {
                    Some(connected) => return greet(connected).await,
                    None => not_started("another one holds its place, and does not answer").hint(FORCE_HINT),
                },
            };
            if begun.elapsed() >= START_LIMIT {
                return Err(failure);
            }
            step = Self::begin()?.step;
            if matches!(step, Step::Starting(_)) {
                // Whoever was quicker serves by now; else it is one that is about to end.
                sleep(HANDOVER_PAUSE).await;
            }
        }
    }
}

impl Starting {
    fn begin() -> io::Result<Self> {
        Self::begin_with(&[])
    }

    fn begin_with(arguments: &[String]) -> io::Result<Self> {
        let (stream, far) = BlockingStream::pair()?;
        let program = super::own_program().map_err(io::Error::other)?;
        let mut command = match EndOfLogin::of_this_process() {
            EndOfLogin::GoOn | EndOfLogin::Killed => Command::new(program),
            EndOfLogin::KilledInSession => outside_of_the_session(&program),
        };
        command.args(["serve", "--detached"]).args(arguments).current_dir("/");
        for variable in OF_AN_OUTER_SESSION {
            command.env_remove(variable);
        }
        own_process::give_back_limits(&mut command);
        let process =
            command.stdin(OwnedFd::from(far)).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        Ok(Self { stream, process })
    }

    /// Waits until it serves. Absent: another supervisor was quicker.
    async fn finish(mut self) -> Result<Option<(Client, Events)>, Error> {
        let mut stream = LocalSocket::new(self.stream).map_err(no_connection)?;
        let errors = self.process.stderr.take();
        let mut byte = [0];
        match timeout(START_LIMIT, stream.read(&mut byte)).await {
            Err(_) => {
                // It is ours to end, and it has begun nothing.
                let _ = self.process.kill();
                reap(self.process);
                Err(not_started(&format!("it was not ready within {} s", START_LIMIT.as_secs())))
            }
            Ok(Ok(1)) if byte == [READY] => {
                reap(self.process);
                Client::connect(stream).await.map(Some).map_err(unusable)
            }
            Ok(_) => {
                let text = read_all(errors).await;
                reap(self.process);
                if text.is_empty() { Ok(None) } else { Err(not_started(&text)) }
            }
        }
    }
}

/// Starts a program as one of the user's own manager, which the end of this login leaves alone. It is executed in the
/// place of `systemd-run`, with the same descriptors.
fn outside_of_the_session(program: &Path) -> Command {
    let mut command = Command::new("systemd-run");
    command.args(["--user", "--scope", "--quiet", "--collect", "--"]).arg(program);
    command
}

/// Warns of what the end of this login will do to everything that is started now; absent if it does nothing.
pub(super) fn warning_of_the_end_of_login() -> Option<String> {
    match EndOfLogin::of_this_process() {
        EndOfLogin::GoOn | EndOfLogin::KilledInSession => None,
        EndOfLogin::Killed => Some(
            "This machine ends everything you started when you log out (KillUserProcesses), logins too. \
             `loginctl enable-linger`, then `authdeck stop` and `authdeck`, keeps them."
                .to_owned(),
        ),
    }
}

/// Waits beside everything else for the supervisor to end: it may well do so before this process, and who started it
/// has to ask for its exit status.
fn reap(mut process: Child) {
    // An error means that there is a dead entry in the process table until this process ends.
    let _ = std::thread::Builder::new()
        .name("reaper".into())
        .stack_size(64 * 1024)
        .spawn(move || drop(process.wait()));
}

/// Connects to this user's supervisor, wherever it may live. Returns the socket's path too.
fn connect_in_any_place() -> Option<(BlockingStream, PathBuf)> {
    paths::supervisor_sockets().find_map(|socket| Some((connect(&socket).ok()?, socket)))
}

/// Connects without waiting: a supervisor that takes nobody in must not hold this process up.
fn connect(path: &Path) -> io::Result<BlockingStream> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    rustix::net::connect(&socket, &SocketAddrUnix::new(path)?)?;
    Ok(BlockingStream::from(socket))
}

/// Begins to speak over a connection to the socket `path`. The outer error: there are too many descriptors.
async fn speak(stream: BlockingStream, path: &Path) -> Result<Result<(Client, Events), ClientError>, Error> {
    let owner = PeerCredentials::of(&stream).ok();
    let stream = LocalSocket::new(stream).map_err(no_connection)?;
    Ok(in_time(connect_stream(stream, owner, path)).await)
}

/// Waits for an answer no longer than a supervisor takes that works.
pub(super) async fn in_time<T>(
    asked: impl Future<Output = Result<T, ClientError>>,
) -> Result<T, ClientError> {
    timeout(ANSWER_LIMIT, asked).await.unwrap_or(Err(ClientError::Slow))
}

async fn read_all(errors: Option<std::process::ChildStderr>) -> String {
    let mut text = Vec::new();
    if let Some(Ok(errors)) = errors.map(ChildStderr::from_std) {
        // What cannot be read is not told.
        let _ = timeout(START_LIMIT, errors.take(64 * 1024).read_to_end(&mut text)).await;
    }
    String::from_utf8_lossy(&text).into_owned()
}

/// Makes sure that both sides speak the same version.
pub(super) async fn greet(connected: (Client, Events)) -> Result<(Client, Events), Error> {
    say_hello(Ok(connected)).await.map_err(unusable)
}

async fn say_hello(
    connected: Result<(Client, Events), ClientError>,
) -> Result<(Client, Events), ClientError> {
    let (client, events) = connected?;
    in_time(client.hello(None, None)).await?;
    Ok((client, events))
}

/// Tells whether the supervisor was about to end, so that it is worth to look again.
fn may_pass(error: &ClientError) -> bool {
    match error {
        ClientError::Unreachable { .. } | ClientError::Closed => true,
        ClientError::Wire(error) => error.is_end(),
        ClientError::Refused(_) | ClientError::Foreign { .. } | ClientError::Busy | ClientError::Slow => {
            false
        }
    }
}

pub(super) fn unusable(error: ClientError) -> Error {
    let hint = match &error {
        // It answers, in another version's way.
        ClientError::Refused(_) => {
            "`authdeck upgrade` puts this program in its place; `authdeck stop` ends it, and its logins go on"
        }
        ClientError::Foreign { .. } => {
            "that user or root can end it; AUTHDECK_RUNTIME_DIR names another folder for yours"
        }
        ClientError::Wire(_)
        | ClientError::Slow
        | ClientError::Busy
        | ClientError::Closed
        | ClientError::Unreachable { .. } => FORCE_HINT,
    };
    Error::new(Kind::Unavailable, "the supervisor that runs already cannot be used").because(error).hint(hint)
}

fn no_connection(error: io::Error) -> Error {
    Error::new(Kind::Failed, "no connection to the supervisor can be made").because(error)
}

/// Makes an error of what a supervisor that could not start has printed: its own report, or a sentence.
fn not_started(report: &str) -> Error {
    let mut error = Error::new(Kind::Failed, "the supervisor could not be started");
    let mut causes = Vec::new();
    for line in report.lines() {
        match line.split_once(": ") {
            Some(("Hint", hint)) => error = error.hint(hint),
            Some(("Error" | "Caused by", cause)) => causes.push(cause),
            Some(_) | None => causes.push(line),
        }
    }
    error.because(causes.join(": "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_of_a_supervisor_that_could_not_start_is_handed_on() {
        let report =
            Error::new(Kind::Failed, "no room").because("the disk is full").hint("empty it").report();
        assert_eq!(
            not_started(&report).report(),
            "Error: the supervisor could not be started\nCaused by: no room: the disk is full\nHint: empty it\n"
        );
    }
}
