//! This program called as `authdeck-browser`, `xdg-open` or one of their kin, inside a session.

use std::ffi::{OsStr, OsString};

use crate::driver::paths::{self, BROWSER_NAME, OPENER_NAMES};
use crate::error::{Error, Kind};
use crate::helper::askpass::Surroundings;
use crate::helper::browser;

/// Tells whether a program of this name opens a URL.
pub fn is_opener(name: &OsStr) -> bool {
    OPENER_NAMES.into_iter().chain([BROWSER_NAME]).any(|opener| name == opener)
}

/// Reports to the supervisor what was to be opened.
///
/// # Errors
/// It is no web address, or nobody can be told.
pub fn run(arguments: &[OsString]) -> Result<(), Error> {
    let surroundings = Surroundings::of_this_process(paths::supervisor_socket)?;
    let arguments: Vec<String> =
        arguments.iter().map(|argument| argument.to_string_lossy().into_owned()).collect();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::new(Kind::Failed, "this process cannot wait for an answer").because(error))?;
    runtime.block_on(browser::run(&arguments, &surroundings))
}
