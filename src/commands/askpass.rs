//! `authdeck askpass PROMPT`, and the same program called as `authdeck-askpass`.

use crate::driver::paths;
use crate::error::{Error, Kind};
use crate::helper::askpass::{self, Surroundings};
use crate::os::own_process;

/// The name under which a link to this program is an askpass program.
pub const LINK_NAME: &str = "authdeck-askpass";

/// Asks in the deck and prints the answer.
///
/// # Errors
/// There is no supervisor, or no answer.
pub fn run(prompt: Option<&str>) -> Result<(), Error> {
    own_process::deny_reading();
    let surroundings = Surroundings::of_this_process(paths::supervisor_socket)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::new(Kind::Failed, "this process cannot wait for an answer").because(error))?;
    runtime.block_on(askpass::run(prompt.unwrap_or_default(), surroundings))
}
