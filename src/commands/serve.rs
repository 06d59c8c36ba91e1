//! `authdeck serve`: the supervisor in a process of its own.

use std::io::Write as _;
use std::net::SocketAddr;
use std::os::unix::net::UnixStream as BlockingStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::UnixStream;
use tokio::signal::unix::{SignalKind, signal};

use super::supervisor::{self, READY};
use crate::cli::Serve;
use crate::config;
use crate::config::catalogue::CurrentCatalogue;
use crate::driver::paths::{PathError, Turn};
use crate::driver::platform::{self, daemon};
use crate::driver::{self, DriverSettings, Handle, StartError, paths};
use crate::error::{Error, Kind};
use crate::server::tcp::{self, Gate, ListenError};
use crate::server::unix::{self, Listening};

/// How long clients have to take what they were told last.
const GOODBYE_LIMIT: Duration = Duration::from_secs(2);

/// How long tasks may take to notice that the program ends.
const END_LIMIT: Duration = Duration::from_millis(200);

/// Runs the supervisor, here or in the background.
///
/// # Errors
/// It cannot be started; in the foreground also if another one runs.
pub fn run(options: &Serve) -> Result<(), Error> {
    if options.detached {
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
    super::print_line(&format!(
        "The supervisor runs in the background and listens on {address}. `authdeck ticket` prints a ticket."
    ));
    Ok(())
}

/// Opens the TCP address, if one was asked for.
async fn listen(options: &Serve, handle: &Handle) -> Result<Option<tcp::Listening>, Error> {
    let Some(address) = options.listen else { return Ok(None) };
    let listening = tcp::listen(address, &options.allow_origin, handle).await.map_err(not_listened)?;
    if options.foreground {
        super::print_line(&format!(
            "Listening on {}. `authdeck ticket` prints a ticket.",
            listening.address()
        ));
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
    let socket = paths::default_supervisor_socket();
    // Whoever closed the output does not want to know.
    let _ = writeln!(
        std::io::stdout(),
        "The supervisor {how} and serves {}. `authdeck` opens the deck, `authdeck stop` ends it.",
        socket.display()
    );
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
    platform::deny_reading();
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
    let handle = match driver::start(settings, executable).await {
        Ok(handle) => handle,
        // Whoever asked for a supervisor finds that one.
        Err(StartError::Folder(PathError::Served { .. })) if first.is_some() => return Ok(()),
        Err(error) => return Err(not_started(error)),
    };
    let socket = handle.supervisor_socket().to_owned();
    let listening = unix::listen(&socket, &handle).map_err(|error| no_socket(&socket, error))?;
    let _over_tcp = match listen(options, &handle).await {
        Ok(over_tcp) => over_tcp,
        Err(error) => {
            handle.stop().await;
            return Err(error);
        }
    };
    drop(turn);
    if let Some(first) = first {
        // An error means that it has gone already.
        let _ = let_in(first, &listening).await;
        daemon::leave_standard_error();
    }
    until_stopped(&handle).await;
    listening.close(GOODBYE_LIMIT).await;
    Ok(())
}

async fn let_in(first: BlockingStream, listening: &Listening) -> std::io::Result<()> {
    first.set_nonblocking(true)?;
    let mut first = UnixStream::from_std(first)?;
    first.write_all(&[READY]).await?;
    listening.serve(first)
}

/// Waits until the supervisor has stopped, which signals cause too.
async fn until_stopped(handle: &Handle) {
    let caught = [SignalKind::terminate(), SignalKind::interrupt()].map(signal);
    let [Ok(mut terminate), Ok(mut interrupt)] = caught else { return handle.stopped().await };
    tokio::select! {
        () = handle.stopped() => {}
        _ = terminate.recv() => handle.stop_for_good().await,
        _ = interrupt.recv() => handle.stop_for_good().await,
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
