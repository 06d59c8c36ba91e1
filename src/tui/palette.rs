//! The palette: every action and every URL and code on the deck, by name.

use super::action::{Action, Reason};
use super::chooser::Choice;
use super::model::Model;
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

/// Lists the findings that are on the deck and every action; those that can be run first.
pub fn entries(model: &Model) -> Vec<PaletteEntry> {
    let mut entries = findings(model);
    let actions = Action::ALL.iter().filter(|action| !action.is_for_dialogs());
    entries.extend(actions.map(|action| PaletteEntry {
        does: Does::Run(*action),
        label: action.doc().trim_end_matches('.').to_owned(),
        name: action.name().to_owned(),
        keys: model.keymap.keys_of(*action).into_iter().next().unwrap_or_default(),
        unavailable: action.availability(model).err(),
    }));
    entries.sort_by_key(|entry| entry.unavailable.is_some());
    entries
}

fn findings(model: &Model) -> Vec<PaletteEntry> {
    let mut entries = Vec::new();
    for session in model.sessions.iter().filter(|session| !session.status.is_terminal()) {
        let (title, _) = Model::title_of(session);
        let mut add = |action: Action, label: String| {
            entries.push(PaletteEntry {
                does: Does::RunOn(session.session_id.clone(), action),
                label,
                name: action.name().to_owned(),
                keys: String::new(),
                unavailable: None,
            });
        };
        if let Some(code) = &session.code {
            add(Action::CodeCopy, format!("Copy {title}'s code {}", super::text::visible(code)));
        }
        if let Some(url) = &session.url {
            let host = super::text::visible(&url.host).into_owned();
            add(Action::UrlCopy, format!("Copy {title}'s URL at {host}"));
            add(Action::UrlOpen, format!("Open {title}'s URL at {host}"));
            add(Action::UrlScan, format!("Scan {title}'s URL at {host}"));
        }
    }
    entries
}
