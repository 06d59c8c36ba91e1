//! `authdeck api`: what the supervisor's API is.

use crate::cli::ApiPart;
use crate::error::{Error, Kind};
use crate::protocol::schema;

/// Prints what is asked for.
///
/// # Errors
/// It cannot be written as JSON.
pub fn run(what: &ApiPart) -> Result<(), Error> {
    match what {
        ApiPart::Schema => {
            let text = serde_json::to_string_pretty(&schema::document())
                .map_err(|error| Error::new(Kind::Failed, "the schema cannot be written").because(error))?;
            super::print_line(&text);
            Ok(())
        }
    }
}
