//! `authdeck upgrade`: puts this program in the place of the background supervisor that runs.

use super::supervisor;
use crate::client::ClientError;
use crate::error::{Error, Kind};
use crate::output;

/// Has the supervisor replaced by a process of this very program. Every client and every login goes on.
///
/// # Errors
/// The supervisor cannot be replaced; then it goes on as it was.
pub fn run() -> Result<(), Error> {
    let executable = super::own_program()?.into_os_string().into_string().map_err(|_| {
        Error::new(Kind::Usage, "the path of this program is no UTF-8 text").hint("install it somewhere else")
    })?;
    super::current_thread_runtime()?.block_on(upgrade(executable))
}

async fn upgrade(executable: String) -> Result<(), Error> {
    let Some((client, events)) = supervisor::connect_any().await? else {
        output::say("No supervisor runs; the next one is this program.");
        return Ok(());
    };
    // Nothing is subscribed to, and what is not taken must not keep the answer back.
    drop(events);
    client.upgrade_supervisor(Some(executable)).await.map_err(not_replaced)?;
    output::say(concat!("The supervisor is authdeck ", env!("CARGO_PKG_VERSION"), " now."));
    Ok(())
}

fn not_replaced(error: ClientError) -> Error {
    Error::new(Kind::Failed, "the supervisor was not replaced, and goes on as it was")
        .because(error)
        .hint("`authdeck stop` ends it (its logins go on), and the next `authdeck` starts this program")
}
