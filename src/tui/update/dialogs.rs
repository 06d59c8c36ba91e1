//! What keys do in dialogs.

use super::{actions, sessions, supervisor};
use crate::core::secret::Secret;
use crate::protocol::method::{Request, terminal};
use crate::protocol::request::{Search as SearchRequest, StartSession};
use crate::tui::action::Action;
use crate::tui::chooser::{Choice, Chooser};
use crate::tui::dialog::{CommandLine, Confirm, Confirmed, Dialog, Paste, Reader};
use crate::tui::field::Field;
use crate::tui::keys::KeyPress;
use crate::tui::model::{Item, Model};
use crate::tui::msg::{Ask, Cmd};
use crate::tui::palette::{Does, PaletteEntry};
use crate::tui::picker::PickerEntry;
use crate::tui::text::split_command;
use crate::tui::view::Target;

/// Lines that a page of a reader or a chooser moves by.
const PAGE: u16 = 10;

/// Takes what is entered or selected.
pub fn accept(model: &mut Model, orders: &mut Vec<Cmd>) {
    let Some(dialog) = model.dialog.take() else { return };
    match dialog {
        Dialog::Help(_) | Dialog::Bundles(_) | Dialog::Text { .. } | Dialog::Scan { .. } => {}
        Dialog::Palette(chooser) => run_entry(model, chooser, orders),
        Dialog::Picker(chooser) => start_entry(model, chooser, orders),
        Dialog::Confirm(confirm) => confirmed(model, confirm, orders),
        Dialog::Paste(mut paste) => {
            sessions::submit(&mut paste, orders);
            model.dialog = Some(Dialog::Paste(paste));
        }
        Dialog::Command(line) => start_command(model, line, orders),
        Dialog::Answer(mut answer) => {
            if !answer.at_secret {
                answer.at_secret = true;
                model.dialog = Some(Dialog::Answer(answer));
            } else {
                sessions::send_answer(&answer, orders);
            }
        }
        Dialog::Search(field) => search(model, &field, orders),
    }
}

/// Closes the dialog and does nothing.
pub fn cancel(model: &mut Model) {
    model.dialog = None;
}

/// Refuses the challenge that asks; in other dialogs it means nothing.
pub fn deny(model: &mut Model, orders: &mut Vec<Cmd>) {
    if let Some(Dialog::Answer(answer)) = &model.dialog {
        sessions::deny(answer.challenge.clone(), answer.epoch, orders);
        model.dialog = None;
    }
}

/// Says yes to the question that is asked, whatever is selected.
pub fn say_yes(model: &mut Model, orders: &mut Vec<Cmd>) {
    answer(model, true, orders);
}

fn answer(model: &mut Model, yes: bool, orders: &mut Vec<Cmd>) {
    match &mut model.dialog {
        Some(Dialog::Confirm(confirm)) => confirm.other_selected = yes,
        Some(Dialog::Answer(answer)) if answer.is_question() => answer.yes = yes,
        Some(
            Dialog::Help(_)
            | Dialog::Bundles(_)
            | Dialog::Text { .. }
            | Dialog::Scan { .. }
            | Dialog::Palette(_)
            | Dialog::Picker(_)
            | Dialog::Paste(_)
            | Dialog::Command(_)
            | Dialog::Answer(_)
            | Dialog::Search(_),
        )
        | None => return,
    }
    accept(model, orders);
}

/// Takes a click while a dialog is open.
pub fn clicked(model: &mut Model, target: Target, orders: &mut Vec<Cmd>) {
    match target {
        Target::Outside => cancel(model),
        Target::Inside => {}
        Target::Answer(yes) => answer(model, yes, orders),
        Target::Choice(index) => {
            match &mut model.dialog {
                Some(Dialog::Palette(chooser)) => chooser.selected = index,
                Some(Dialog::Picker(chooser)) => chooser.selected = index,
                Some(
                    Dialog::Help(_)
                    | Dialog::Bundles(_)
                    | Dialog::Text { .. }
                    | Dialog::Scan { .. }
                    | Dialog::Confirm(_)
                    | Dialog::Paste(_)
                    | Dialog::Command(_)
                    | Dialog::Answer(_)
                    | Dialog::Search(_),
                )
                | None => return,
            }
            accept(model, orders);
        }
    }
}

/// Goes to the next entry, field or line, or to the one before.
pub fn step(model: &mut Model, by: isize) {
    let Some(dialog) = &mut model.dialog else { return };
    match dialog {
        Dialog::Help(reader) | Dialog::Bundles(reader) | Dialog::Text { reader, .. } => read_on(reader, by),
        Dialog::Scan { .. } | Dialog::Paste(_) | Dialog::Command(_) | Dialog::Search(_) => {}
        Dialog::Palette(chooser) => chooser.select(by),
        Dialog::Picker(chooser) => chooser.select(by),
        Dialog::Confirm(confirm) => confirm.other_selected = !confirm.other_selected,
        Dialog::Answer(answer) if answer.is_question() => answer.yes = !answer.yes,
        Dialog::Answer(answer) => answer.at_secret = answer.user.is_none() || !answer.at_secret,
    }
}

/// Goes a page on, or back.
pub fn page(model: &mut Model, by: isize) {
    let lines = by * isize::from(i16::try_from(PAGE).unwrap_or(1));
    match &mut model.dialog {
        Some(Dialog::Help(reader) | Dialog::Bundles(reader) | Dialog::Text { reader, .. }) => {
            read_on(reader, lines);
        }
        Some(Dialog::Palette(chooser)) => chooser.select(lines),
        Some(Dialog::Picker(chooser)) => chooser.select(lines),
        Some(
            Dialog::Scan { .. }
            | Dialog::Paste(_)
            | Dialog::Command(_)
            | Dialog::Search(_)
            | Dialog::Confirm(_)
            | Dialog::Answer(_),
        )
        | None => {}
    }
}

fn read_on(reader: &mut Reader, by: isize) {
    let top = usize::from(reader.top).saturating_add_signed(by);
    reader.top = u16::try_from(top).unwrap_or(u16::MAX);
}

/// Takes a key that has no meaning of its own in the dialog.
pub fn typed(model: &mut Model, press: KeyPress) {
    if model.field().is_some_and(|field| field.edit(press)) {
        narrow(model);
    }
}

/// Takes a paste into the dialog's field; line breaks only where they are cleaned away later.
pub fn pasted(model: &mut Model, text: &Secret) {
    let whole = matches!(&model.dialog, Some(Dialog::Paste(_)));
    let Some(field) = model.field() else { return };
    if whole {
        field.insert(text.secret());
    } else {
        field.insert(text.secret().lines().next().unwrap_or_default());
    }
    narrow(model);
}

fn narrow(model: &mut Model) {
    match &mut model.dialog {
        Some(Dialog::Palette(chooser)) => chooser.narrow(),
        Some(Dialog::Picker(chooser)) => chooser.narrow(),
        Some(Dialog::Paste(Paste { refusal, asks, .. })) => (*refusal, *asks) = (None, false),
        Some(Dialog::Command(CommandLine { refusal, .. })) => *refusal = None,
        Some(
            Dialog::Help(_)
            | Dialog::Bundles(_)
            | Dialog::Text { .. }
            | Dialog::Scan { .. }
            | Dialog::Confirm(_)
            | Dialog::Answer(_)
            | Dialog::Search(_),
        )
        | None => {}
    }
}

fn keep<T: Choice>(chooser: Chooser<T>, wrap: impl FnOnce(Chooser<T>) -> Dialog) -> Option<Dialog> {
    Some(wrap(chooser))
}

fn run_entry(model: &mut Model, chooser: Chooser<PaletteEntry>, orders: &mut Vec<Cmd>) {
    let Some(entry) = chooser.chosen().cloned() else {
        model.dialog = keep(chooser, Dialog::Palette);
        return;
    };
    match entry.does {
        Does::Run(action)
            if action.is_dangerous() && action != Action::SessionKill && entry.unavailable.is_none() =>
        {
            model.dialog = Some(Dialog::Confirm(Confirm {
                question: format!("{}?", action.doc().trim_end_matches('.')),
                detail: Vec::new(),
                safe: "Do nothing",
                other: "Do it",
                other_selected: false,
                then: Confirmed::Run(action),
            }));
        }
        Does::Run(action) => actions::run(model, action, orders),
        Does::RunOn(session, action) => {
            actions::select(model, Some(Item::Session(session)));
            actions::run(model, action, orders);
        }
    }
}

fn start_entry(model: &mut Model, chooser: Chooser<PickerEntry>, orders: &mut Vec<Cmd>) {
    match chooser.chosen() {
        Some(PickerEntry::AnyCommand) => {
            model.dialog = Some(Dialog::Command(CommandLine::default()));
        }
        Some(PickerEntry::Provider(provider)) if provider.installed => {
            let what =
                StartSession { provider_id: Some(provider.provider_id.clone()), ..StartSession::default() };
            sessions::start(model, what, orders);
        }
        Some(PickerEntry::Provider(provider)) => {
            let (title, hint) = (provider.title.clone(), provider.install_hint.clone());
            let text = format!("{title} is not installed. Install it with: {hint}");
            model.say(crate::protocol::event::Level::Warning, text);
            model.dialog = keep(chooser, Dialog::Picker);
        }
        None => model.dialog = keep(chooser, Dialog::Picker),
    }
}

fn confirmed(model: &mut Model, confirm: Confirm, orders: &mut Vec<Cmd>) {
    if !confirm.other_selected {
        return;
    }
    match confirm.then {
        Confirmed::Kill(session_id) => sessions::kill(session_id, false, orders),
        Confirmed::CopyUrl(text) => orders.push(Cmd::Copy { what: "URL", text }),
        Confirmed::OpenUrl(url) => orders.push(Cmd::Open(url)),
        Confirmed::ScanUrl { url, code } => model.dialog = Some(Dialog::Scan { url, code }),
        Confirmed::Deny(challenge_id, epoch) => sessions::deny(challenge_id, epoch, orders),
        Confirmed::Run(action) => actions::run(model, action, orders),
        Confirmed::StopSupervisor => supervisor::stop_now(orders),
    }
}

fn start_command(model: &mut Model, mut line: CommandLine, orders: &mut Vec<Cmd>) {
    match split_command(line.field.text()) {
        Ok(command) if command.is_empty() || line.sent => {}
        Ok(command) => {
            sessions::start(model, StartSession { command, ..StartSession::default() }, orders);
            (line.sent, line.refusal) = (true, None);
        }
        Err(refusal) => line.refusal = Some(refusal),
    }
    model.dialog = Some(Dialog::Command(line));
}

fn search(model: &mut Model, field: &Field, orders: &mut Vec<Cmd>) {
    let Some(session_id) = model.selected_session().map(|session| session.session_id.clone()) else { return };
    if field.is_empty() {
        return;
    }
    let text = field.text().to_owned();
    let ask = Ask::Search(session_id.clone(), text.clone());
    sessions::request(
        orders,
        ask,
        Request::Terminal(terminal::Request::Search(SearchRequest { session_id, text })),
    );
}
