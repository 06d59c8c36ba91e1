//! `authdeck api`: what the supervisor's API is.

use crate::cli::ApiPart;
use crate::core::visible::TerminalText;
use crate::error::{Error, Kind};
use crate::output;
use crate::protocol::schema;

/// Prints what is asked for.
///
/// # Errors
/// It cannot be written as JSON.
pub fn run(what: &ApiPart) -> Result<(), Error> {
    match what {
        ApiPart::Schema => {
            let text = TerminalText::indented_json(&schema::document())
                .map_err(|error| Error::new(Kind::Failed, "the schema cannot be written").because(error))?;
            output::print(&text.ended())
                .map_err(|error| Error::new(Kind::Failed, "the schema could not be printed").because(error))
        }
    }
}
