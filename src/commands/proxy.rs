//! `authdeck proxy`: one client's bytes between standard input and output and this user's supervisor. What `authdeck
//! ssh` starts on the other machine.

use tokio::io::{AsyncWriteExt as _, copy};
use tokio::net::UnixStream;

use super::supervisor::connect_or_start;
use crate::driver::paths;
use crate::error::{Error, Kind};
use crate::output;
use crate::protocol::VERSION;

/// How the line begins that comes before the bytes. What stands before it was printed by the other machine's shell.
pub(super) const GREETING: &str = "authdeck-proxy ";

/// Carries bytes until either side ends.
///
/// # Errors
/// There is no supervisor, and none can be started.
pub fn run() -> Result<(), Error> {
    if output::is_terminal() {
        return Err(Error::new(Kind::Usage, "`authdeck proxy` speaks to a program, and this is a terminal")
            .hint("`authdeck ssh HOST` starts it on the other machine"));
    }
    let runtime = super::current_thread_runtime()?;
    let outcome = runtime.block_on(carry());
    // A thread may be waiting for standard input, and is not waited for.
    runtime.shutdown_background();
    outcome
}

async fn connect() -> Result<UnixStream, Error> {
    for socket in paths::supervisor_sockets() {
        if let Ok(stream) = UnixStream::connect(&socket).await {
            return Ok(stream);
        }
    }
    let place = paths::supervisor_socket();
    Err(Error::new(Kind::Unavailable, format!("no connection to {}", place.display())))
}

async fn carry() -> Result<(), Error> {
    drop(connect_or_start().await?);
    let mut stream = connect().await?;
    let (mut from_supervisor, mut to_supervisor) = stream.split();
    let (mut input, mut output) = (tokio::io::stdin(), tokio::io::stdout());
    let greeting = format!("\n{GREETING}{} {VERSION}\n", env!("CARGO_PKG_VERSION"));
    let to_client = async {
        output.write_all(greeting.as_bytes()).await?;
        output.flush().await?;
        copy(&mut from_supervisor, &mut output).await
    };
    // An error means that one side has gone, which is how each connection ends.
    tokio::select! {
        _ = to_client => {}
        _ = copy(&mut input, &mut to_supervisor) => {}
    }
    Ok(())
}
