//! Runs an action, however it was chosen: by key, palette or mouse.

use super::{dialogs, hosts, palette, scroll, sessions, supervisor};
use crate::protocol::event::Level;
use crate::tui::action::Action;
use crate::tui::availability;
use crate::tui::chooser::Chooser;
use crate::tui::dialog::{Dialog, Reader};
use crate::tui::field::Field;
use crate::tui::model::{Entry, Focus, Group, Item, Model};
use crate::tui::msg::Cmd;

/// Runs an action if it is available, and says why if it is not.
pub fn run(model: &mut Model, action: Action, orders: &mut Vec<Cmd>) {
    match availability::of(action, model) {
        Ok(()) => {
            model.status = None;
            perform(model, action, orders);
        }
        Err(reason) => model.say(Level::Warning, format!("{reason}.")),
    }
}

fn perform(model: &mut Model, action: Action, orders: &mut Vec<Cmd>) {
    match action {
        Action::SessionNew => sessions::open_picker(model, orders),
        Action::UrlCopy => sessions::copy_url(model, orders),
        Action::CodeCopy => sessions::copy_code(model, orders),
        Action::UrlOpen => sessions::open_url(model, orders),
        Action::UrlScan => sessions::scan_url(model),
        Action::PasteOpen => sessions::open_paste(model, ""),
        Action::PaneType => start_typing(model),
        Action::PaneTypeLeave => model.typing = false,
        Action::SessionKill => sessions::ask_kill(model),
        Action::SessionKillNow => sessions::kill_now(model, orders),
        Action::SessionRestart => sessions::restart(model, orders),
        Action::SessionRemove => sessions::remove(model, orders),
        Action::SessionExplain => sessions::explain(model, orders),
        Action::ChallengeAnswer => sessions::open_answer(model, orders),
        Action::ChallengeDeny => sessions::ask_to_deny(model),
        Action::WaitingNext => next_waiting(model),
        Action::ListDown => select_by(model, 1),
        Action::ListUp => select_by(model, -1),
        Action::ListFirst => select_by(model, isize::MIN),
        Action::ListLast => select_by(model, isize::MAX),
        Action::FocusNext => focus_next(model),
        Action::PaneFocus => model.focus = Focus::Pane,
        Action::PaneLeave => model.focus = Focus::List,
        Action::PaneZoom => model.zoomed = !model.zoomed,
        Action::PaneUp => scroll::by_lines(model, -1),
        Action::PaneDown => scroll::by_lines(model, 1),
        Action::PanePageUp => scroll::by_pages(model, -1),
        Action::PanePageDown => scroll::by_pages(model, 1),
        Action::PaneTop => scroll::to_top(model),
        Action::PaneBottom => model.pane.show_live(),
        Action::SearchOpen => model.dialog = Some(Dialog::Search(Field::default())),
        Action::SearchNext => scroll::next_match(model, 1),
        Action::SearchPrevious => scroll::next_match(model, -1),
        Action::SearchClose => scroll::close_search(model),
        Action::RecordingSave => sessions::save_recording(model, orders),
        Action::BundlesOpen => model.dialog = Some(Dialog::Bundles(Reader::default())),
        Action::HostNext => hosts::choose_next(model),
        Action::ThemeNext => next_theme(model),
        Action::MessagesOpen => open_messages(model),
        Action::HelpOpen => model.dialog = Some(Dialog::Help(Reader::default())),
        Action::PaletteOpen => model.dialog = Some(Dialog::Palette(Chooser::new(palette::entries(model)))),
        Action::DeckRedraw => orders.push(Cmd::Redraw),
        Action::DeckSuspend => orders.push(Cmd::Suspend),
        Action::SupervisorStop => supervisor::stop(model, orders),
        Action::DeckQuit => orders.push(Cmd::Quit),
        Action::DialogAccept => dialogs::accept(model, orders),
        Action::DialogCancel => dialogs::cancel(model),
        Action::DialogYes => dialogs::say_yes(model, orders),
        Action::DialogDeny => dialogs::deny(model, orders),
        Action::DialogNext => dialogs::step(model, 1),
        Action::DialogPrevious => dialogs::step(model, -1),
        Action::DialogPageDown => dialogs::page(model, 1),
        Action::DialogPageUp => dialogs::page(model, -1),
    }
}

fn start_typing(model: &mut Model) {
    model.typing = true;
    model.focus = Focus::Pane;
    model.pane.show_live();
}

fn focus_next(model: &mut Model) {
    model.focus = match model.focus {
        Focus::List => Focus::Pane,
        Focus::Pane => Focus::List,
    };
}

fn next_theme(model: &mut Model) {
    model.themes.next();
    let name = model.themes.current().name.clone();
    model.say(Level::Info, format!("Theme {name}; set `deck.theme` in the configuration to keep it."));
}

fn open_messages(model: &mut Model) {
    let paragraphs: Vec<String> = model.messages.iter().rev().map(|message| message.text.clone()).collect();
    let title = "Messages, the newest first".to_owned();
    model.dialog = Some(Dialog::Text { title, paragraphs, reader: Reader::default() });
}

fn select_by(model: &mut Model, by: isize) {
    let entries = model.entries();
    let at = entries.iter().position(|entry| Some(entry.item()) == model.selection).unwrap_or(0);
    let next = at.saturating_add_signed(by).min(entries.len().saturating_sub(1));
    let next = entries.get(next).map(Entry::item);
    select(model, next);
}

/// Selects an entry of the list.
pub fn select(model: &mut Model, item: Option<Item>) {
    if item.is_some() && item != model.selection {
        model.typing = false;
        model.selection = item;
    }
}

fn next_waiting(model: &mut Model) {
    let entries = model.entries();
    let waits = |entry: &&Entry<'_>| matches!(entry.group(), Group::Challenges | Group::Waiting);
    let waiting: Vec<Item> = entries.iter().filter(waits).map(Entry::item).collect();
    let at = waiting.iter().position(|item| Some(item) == model.selection.as_ref());
    let next = at.map_or(0, |at| (at + 1) % waiting.len().max(1));
    select(model, waiting.get(next).cloned());
}

/// Moves the selection by the wheel.
pub fn scroll_list(model: &mut Model, by: isize) {
    select_by(model, by);
}
