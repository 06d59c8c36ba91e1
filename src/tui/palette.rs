//! An entry of the palette: an action, or a URL or code on the deck, by name.

use super::action::{Action, Reason};
use super::chooser::Choice;
use crate::core::ids::SessionId;

/// What an entry of the palette does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Does {
    /// Runs an action, as its key would.
    Run(Action),
    /// Selects a session and runs an action on it.
    RunOn(SessionId, Action),
}

/// An entry of the palette.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaletteEntry {
    /// What it does.
    pub does: Does,
    /// What stands there.
    pub label: String,
    /// The action's name, or what the finding is.
    pub name: String,
    /// The keys that do the same.
    pub keys: String,
    /// Why it cannot be done now; it stays visible.
    pub unavailable: Option<Reason>,
}

impl Choice for PaletteEntry {
    fn searched(&self) -> String {
        format!("{} {}", self.label, self.name)
    }
}
