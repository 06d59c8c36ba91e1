//! What a line of text says about a login, by its words alone: it asks for something, it worked, it failed.

mod keywords;
mod outcomes;
mod prompts;
mod reading;

use crate::core::finding::Expects;

pub(super) use self::keywords::keywords;
pub(super) use self::outcomes::{gives_up, identity, tries_again};
pub(super) use self::prompts::{is_answered, opens_browser};
pub(super) use self::reading::{Readings, is_journal, undecorated, without_urls};

/// What a line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Says {
    /// The child waits for this.
    Prompt(Expects),
    /// The child waits for this if the cursor stands behind it, or in a field below it.
    PromptAtCursor(Expects),
    /// The login worked.
    Success {
        /// Who is logged in, if the line tells.
        identity: Option<String>,
    },
    /// The login worked, if there was one: in other words that mean so.
    SuccessAfterLogin {
        /// Who is logged in, if the line tells.
        identity: Option<String>,
    },
    /// The login failed.
    Failure,
}

/// What was read on a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reading {
    /// What it says.
    pub says: Says,
    /// Byte at which the statement begins.
    pub start: usize,
    /// Byte behind it.
    pub end: usize,
}
