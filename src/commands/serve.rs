//! `authdeck serve`: the supervisor in a process of its own.

use std::net::SocketAddr;
use std::os::unix::net::UnixStream as BlockingStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

use super::supervisor::{self, READY};
use crate::cli::Serve;
use crate::config;
use crate::config::catalogue::CurrentCatalogue;
use crate::driver::paths::{PathError, PlaceWatch, Turn};
use crate::driver::platform::daemon;
use crate::driver::platform::local_socket::LocalSocket;
use crate::driver::{self, DriverSettings, StartError, paths};
use crate::error::{Error, Kind};
use crate::os::own_process;
use crate::output;
use crate::server::handoff::{self, Acceptor};
use crate::server::tcp::{self, Gate, ListenError};
use crate::server::unix::{self, Listening};
use crate::server::{Context, UpgradeOrder};

/// How long clients have to take what they were told last.
const GOODBYE_LIMIT: Duration = Duration::from_secs(2);

/// How long tasks may take to notice that the program ends.
const END_LIMIT: Duration = Duration::from_millis(200);

/// Runs the supervisor, here or in the background.
///
/// # Errors
/// It cannot be started; in the foreground also if another one runs.
pub fn run(options: &Serve) -> Result<(), Error> {
    if options.take_over {
        taking_over()
    } else if options.detached {
        detached(options)
    } else if options.foreground {
        serve(options, None)
    } else if let Some(address) = options.listen {
        background_listening(options, address)
    } else {
        background()
    }
}

/// Starts one that listens on a TCP address too.
fn background_listening(options: &Serve, address: SocketAddr) -> Result<(), Error> {
    // Here it is told at once, and in plain words.
    Gate::new(address, &options.allow_origin).map_err(not_listened)?;
    if address.port() == 0 {
        return Err(Error::new(Kind::Usage, "in the background the port must be named")
            .hint("with `--foreground` port 0 takes a free one and says which"));
    }
    let allowed =
        options.allow_origin.iter().flat_map(|origin| ["--allow-origin".to_owned(), origin.clone()]);
    let arguments: Vec<String> =
        ["--listen".to_owned(), address.to_string()].into_iter().chain(allowed).collect();
    super::current_thread_runtime()?.block_on(async {
        if supervisor::connect_running().await?.is_some() {
            return Err(Error::new(Kind::Failed, "a supervisor runs already, and it was not told to listen")
                .hint("end it with `authdeck stop` (its logins go on), then start this one again"));
        }
        supervisor::start_with(&arguments).await
    })?;
    output::say(&format!(
        "The supervisor runs in the background and listens on {address}. `authdeck ticket` prints a ticket."
    ));
    Ok(())
}

/// Opens the TCP address, if one was asked for.
async fn listen(options: &Serve, context: &Context) -> Result<Option<tcp::Listening>, Error> {
    let Some(address) = options.listen else { return Ok(None) };
    let listening = tcp::listen(address, &options.allow_origin, context).await.map_err(not_listened)?;
    if options.foreground {
        output::say(&format!("Listening on {}. `authdeck ticket` prints a ticket.", listening.address()));
    }
    Ok(Some(listening))
}

fn not_listened(error: ListenError) -> Error {
    let kind = match &error {
        ListenError::NotLoopback(_) | ListenError::NoOrigin(_) => Kind::Usage,
        ListenError::Refused { .. } => Kind::Failed,
    };
    Error::new(kind, "no address can be listened on").because(error)
}

/// Starts one, unless there is one.
fn background() -> Result<(), Error> {
    let how = super::current_thread_runtime()?.block_on(async {
        if supervisor::connect_running().await?.is_some() {
            return Ok::<_, Error>("runs already");
        }
        supervisor::connect_or_start().await?;
        Ok("runs in the background")
    })?;
    if let Some(warning) = paths::ineffective_runtime_variable() {
        output::warn(&warning);
    }
    let socket = paths::supervisor_socket();
    output::say(&format!(
        "The supervisor {how} and serves {}. `authdeck` opens the deck, `authdeck stop` ends it.",
        socket.display()
    ));
    Ok(())
}

/// What [`supervisor::connect_or_start`] starts.
fn detached(options: &Serve) -> Result<(), Error> {
    daemon::leave_starter();
    let first = daemon::take_socket_of_starter().map_err(|error| {
        Error::new(Kind::Usage, "standard input is not the connection of whoever started this supervisor")
            .because(error)
            .hint("`authdeck serve` starts one in the background, `authdeck serve --foreground` here")
    })?;
    serve(options, Some(first))
}

/// Serves until it is told to stop. The first client is told by a byte when that begins.
fn serve(options: &Serve, first: Option<BlockingStream>) -> Result<(), Error> {
    own_process::deny_reading();
    let executable = super::own_program()?;
    // Whoever asked for an address expects it to stay.
    let settings = settings(first.is_some() && options.listen.is_none());
    let turn = Turn::wait(&settings).map_err(|error| not_started(StartError::Folder(error)))?;
    let runtime = super::full_runtime()?;
    let outcome = runtime.block_on(serve_until_stopped(options, settings, executable, turn, first));
    runtime.shutdown_timeout(END_LIMIT);
    outcome
}

fn settings(ends_when_idle: bool) -> DriverSettings {
    let config::Loaded { settings, messages: _ } = config::load();
    let folder = config::folder(|name| std::env::var_os(name)).map(|folder| folder.join("providers"));
    DriverSettings {
        limits: settings.limits,
        browser: settings.browser,
        // What is wrong in these files is told by the deck, which reads them too.
        catalogue: Arc::new(CurrentCatalogue::of(folder)),
        ends_when_idle,
        ..DriverSettings::default()
    }
}

async fn serve_until_stopped(
    options: &Serve,
    settings: DriverSettings,
    executable: PathBuf,
    turn: Turn,
    first: Option<BlockingStream>,
) -> Result<(), Error> {
    let handle = match driver::start(settings, executable.clone()).await {
        Ok(handle) => handle,
        // Whoever asked for a supervisor finds that one.
        Err(StartError::Folder(PathError::Served { .. })) if first.is_some() => return Ok(()),
        Err(error) => return Err(not_started(error)),
    };
    let (context, upgrades) = match first {
        Some(_) => Context::replaceable(&handle),
        // A service manager would believe that its supervisor has ended.
        None => (Context::from(&handle), mpsc::channel(1).1),
    };
    let socket = handle.supervisor_socket().to_owned();
    let unix = unix::listen(&socket, &context).map_err(|error| no_socket(&socket, error))?;
    let loopback = match listen(options, &context).await {
        Ok(loopback) => loopback.into_iter().collect(),
        Err(error) => {
            handle.stop().await;
            return Err(error);
        }
    };
    drop(turn);
    if let Some(first) = first {
        // An error means that it has gone already.
        let _ = let_in(first, &unix).await;
        daemon::leave_standard_error();
    }
    run_acceptor(Acceptor { context, unix, loopback }, upgrades, &executable).await;
    Ok(())
}

async fn let_in(first: BlockingStream, listening: &Listening) -> std::io::Result<()> {
    let mut first = LocalSocket::new(first)?;
    first.write_all(&[READY]).await?;
    listening.serve(first)
}

/// What [`handoff::give`] starts: a supervisor that takes the place of the one that runs.
fn taking_over() -> Result<(), Error> {
    daemon::leave_starter();
    own_process::deny_reading();
    let failed = |error: Box<dyn std::error::Error + Send + Sync>| {
        Error::new(Kind::Failed, "the supervisor's place could not be taken").because(error)
    };
    let executable = super::own_program()?;
    let settings = settings(true);
    let stream = daemon::take_socket_of_starter().map_err(|error| failed(error.into()))?;
    let runtime = super::full_runtime()?;
    let outcome = runtime.block_on(async {
        let taken = handoff::take(stream, settings, &executable);
        let taken = taken.map_err(|error| failed(error.into()))?;
        daemon::leave_standard_error();
        let (acceptor, upgrades) = taken.serve().await;
        run_acceptor(acceptor, upgrades, &executable).await;
        Ok(())
    });
    runtime.shutdown_timeout(END_LIMIT);
    outcome
}

/// Serves until the supervisor has stopped, which signals cause too, or until another process has taken its place.
async fn run_acceptor(mut acceptor: Acceptor, mut upgrades: mpsc::Receiver<UpgradeOrder>, executable: &Path) {
    let handle = acceptor.context.handle().clone();
    let Ok(mut signals) = Signals::listen() else {
        handle.stopped().await;
        return acceptor.unix.close(GOODBYE_LIMIT).await;
    };
    // Without it an emptied folder is not noticed; the supervisor serves all the same.
    let mut place =
        handle.supervisor_socket().parent().and_then(|place| PlaceWatch::new(place, executable).ok());
    loop {
        tokio::select! {
            () = handle.stopped() => break,
            () = emptied(&mut place) => {
                handle.remake_place().await;
                // It is tried again when the next thing is removed.
                let _ = acceptor.unix.renew();
            }
            () = signals.next() => {
                handle.stop_for_good().await;
                break;
            }
            Some(UpgradeOrder { executable: wanted, refused }) = upgrades.recv() => {
                let executable = wanted.as_deref().unwrap_or(executable);
                match handoff::give(&mut acceptor, executable).await {
                    Ok(()) => return,
                    // Whoever asked may have gone.
                    Err(error) => drop(refused.send(error.to_string())),
                }
            }
        }
    }
    acceptor.unix.close(GOODBYE_LIMIT).await;
}

async fn emptied(place: &mut Option<PlaceWatch>) {
    match place {
        Some(place) => place.emptied().await,
        None => std::future::pending().await,
    }
}

/// The signals that end a supervisor in good order.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> std::io::Result<Self> {
        let (terminate, interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        Ok(Self { terminate, interrupt })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

pub(super) fn not_started(error: StartError) -> Error {
    Error::new(Kind::Failed, "the supervisor could not be started").because(error)
}

pub(super) fn no_socket(socket: &Path, error: std::io::Error) -> Error {
    Error::new(Kind::Failed, format!("the socket {} cannot be made", socket.display()))
        .because(error)
        .hint("its folder must be yours, on a file system with sockets and not full")
}
