//! What the palette lists: every action and every URL and code on the deck.

use crate::tui::action::Action;
use crate::tui::availability;
use crate::tui::model::Model;
use crate::tui::palette::{Does, PaletteEntry};
use crate::tui::text;

/// Lists the findings that are on the deck and every action; those that can be run first.
pub fn entries(model: &Model) -> Vec<PaletteEntry> {
    let mut entries = findings(model);
    let actions = Action::ALL.iter().filter(|action| !action.is_for_dialogs());
    entries.extend(actions.map(|action| PaletteEntry {
        does: Does::Run(*action),
        label: action.doc().trim_end_matches('.').to_owned(),
        name: action.name().to_owned(),
        keys: model.keymap.keys_of(*action).into_iter().next().unwrap_or_default(),
        unavailable: availability::of(*action, model).err(),
    }));
    entries.sort_by_key(|entry| entry.unavailable.is_some());
    entries
}

fn findings(model: &Model) -> Vec<PaletteEntry> {
    let mut entries = Vec::new();
    for session in model.sessions.iter().filter(|session| !session.status.is_terminal()) {
        let (title, name) = Model::title_of(session);
        let mut add = |action: Action, label: String| {
            entries.push(PaletteEntry {
                does: Does::RunOn(session.session_id.clone(), action),
                label,
                name: action.name().to_owned(),
                keys: String::new(),
                unavailable: None,
            });
        };
        let name = name.map(|name| format!(" · {name}")).unwrap_or_default();
        add(Action::PaneFocus, format!("Go to {title}{name}"));
        if let Some(code) = &session.code {
            add(Action::CodeCopy, format!("Copy {title}'s code {}", text::visible(code)));
        }
        if session.carry.is_some() && session.url.is_none() {
            add(Action::UrlCopy, format!("Copy what {title} wants carried"));
            add(Action::UrlScan, format!("Scan what {title} wants carried"));
        }
        if let Some(url) = &session.url {
            let host = text::visible(&url.host).into_owned();
            add(Action::UrlCopy, format!("Copy {title}'s URL at {host}"));
            add(Action::UrlOpen, format!("Open {title}'s URL at {host}"));
            add(Action::UrlScan, format!("Scan {title}'s URL at {host}"));
        }
    }
    entries
}
