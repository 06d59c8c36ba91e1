//! Orders about sessions and challenges.

use super::trust;
use crate::core::ids::{ChallengeId, SessionId};
use crate::core::secret::Secret;
use crate::protocol::event::Level;
use crate::protocol::method::{Method as _, Request, challenge, session, supervisor, terminal};
use crate::protocol::request::{
    AnswerChallenge, ChallengeRef, Kill, Nothing, SessionRef, StartSession, Submit,
};
use crate::protocol::snapshot::{ChallengeKind, SessionView, UrlView};
use crate::tui::chooser::Chooser;
use crate::tui::dialog::{Answer, Confirm, Confirmed, Dialog, Paste};
use crate::tui::field::Field;
use crate::tui::model::Model;
use crate::tui::msg::{Ask, Cmd};
use crate::tui::picker;
use crate::tui::text::visible;
use crate::tui::view::layout;

/// Sends a request.
pub fn request(orders: &mut Vec<Cmd>, ask: Ask, request: Request) {
    orders.push(Cmd::Request(ask, Box::new(request)));
}

/// Starts a session in a terminal of the pane's size, and selects it.
pub fn start(model: &Model, what: StartSession, orders: &mut Vec<Cmd>) {
    request(orders, Ask::Start, Request::Supervisor(supervisor::Request::Start(in_the_pane(model, what))));
}

/// Starts several, and selects the first: their answers may come in any order.
pub fn start_all(model: &Model, all: Vec<StartSession>, orders: &mut Vec<Cmd>) {
    for (at, what) in all.into_iter().enumerate() {
        let ask = if at == 0 { Ask::Start } else { Ask::Plain };
        request(orders, ask, Request::Supervisor(supervisor::Request::Start(in_the_pane(model, what))));
    }
}

fn in_the_pane(model: &Model, mut what: StartSession) -> StartSession {
    (what.columns, what.rows) = layout::child_size(model);
    what
}

/// Opens the picker; the catalogue is asked for anew, because something may have been installed.
pub fn open_picker(model: &mut Model, orders: &mut Vec<Cmd>) {
    let entries = picker::entries(model.providers.as_deref().unwrap_or_default());
    model.dialog = Some(Dialog::Picker(Chooser::new(entries)));
    request(orders, Ask::Providers, supervisor::Providers::request(Nothing {}));
}

/// Starts the selected session's login once more.
pub fn restart(model: &mut Model, orders: &mut Vec<Cmd>) {
    let Some(session) = model.selected_session() else { return };
    // What is shown has secrets masked, so it is not always what was started.
    let masked = session.command.iter().any(|word| word.contains('•'));
    if masked && session.provider_id.is_none() {
        model.say(
            Level::Warning,
            "Its command has a secret in it that is not kept here; start it again yourself.",
        );
        return;
    }
    let what = StartSession {
        provider_id: session.provider_id.clone(),
        command: if masked { Vec::new() } else { session.command.clone() },
        name: session.name.clone(),
        ..StartSession::default()
    };
    start(model, what, orders);
}

/// Asks before a kill.
pub fn ask_kill(model: &mut Model) {
    let Some(session) = model.selected_session() else { return };
    let (title, _) = Model::title_of(session);
    model.dialog = Some(Dialog::Confirm(Confirm {
        question: format!("Kill {title} and everything it started?"),
        detail: vec!["It is asked to end, and two seconds later it is forced to.".into()],
        safe: "Keep it running",
        other: "Kill it",
        other_selected: true,
        then: Confirmed::Kill(session.session_id.clone()),
    }));
}

/// Kills.
pub fn kill(session_id: SessionId, force: bool, orders: &mut Vec<Cmd>) {
    request(
        orders,
        Ask::Kill(session_id.clone()),
        Request::Session(session::Request::Kill(Kill { session_id, force })),
    );
}

/// Kills the selected session at once.
pub fn kill_now(model: &Model, orders: &mut Vec<Cmd>) {
    if let Some(session) = model.selected_session() {
        kill(session.session_id.clone(), true, orders);
    }
}

/// Takes the selected session off the list.
pub fn remove(model: &Model, orders: &mut Vec<Cmd>) {
    with_reference(model, orders, |_| Ask::Plain, session::Remove::request);
}

/// Asks what the selected session waits for.
pub fn explain(model: &Model, orders: &mut Vec<Cmd>) {
    with_reference(model, orders, Ask::Explain, session::Explain::request);
}

/// Asks for the selected session's recording.
pub fn save_recording(model: &Model, orders: &mut Vec<Cmd>) {
    with_reference(model, orders, Ask::Recording, terminal::Recording::request);
}

fn with_reference(
    model: &Model,
    orders: &mut Vec<Cmd>,
    ask: impl FnOnce(SessionId) -> Ask,
    make: impl FnOnce(SessionRef) -> Request,
) {
    if let Some(session) = model.selected_session() {
        let session_id = session.session_id.clone();
        request(orders, ask(session_id.clone()), make(SessionRef { session_id }));
    }
}

/// Copies the URL; one that is disputed or suspicious only after a question.
pub fn copy_url(model: &mut Model, orders: &mut Vec<Cmd>) {
    if model.selected_session().is_some_and(|session| session.url.is_none()) {
        return copy_carried(model, orders);
    }
    let Some(url) = selected_url(model) else { return };
    let then = Confirmed::CopyUrl(url.url.clone());
    match question(&url, "Copy it all the same?", "Do not copy", "Copy it", then) {
        Some(question) => model.dialog = Some(question),
        None => orders.push(Cmd::Copy { what: "URL", text: url.url }),
    }
}

/// Returns the URL of the selected session, unless it would do more than stand there where it is pasted.
fn selected_url(model: &mut Model) -> Option<UrlView> {
    let url = model.selected_session()?.url.clone()?;
    if trust::is_plain(&url.url) {
        return Some(url);
    }
    model.say(Level::Error, "The URL has a line break or something invisible in it and is not used.");
    None
}

/// Copies the device code.
pub fn copy_code(model: &mut Model, orders: &mut Vec<Cmd>) {
    let Some(code) = model.selected_session().and_then(|session| session.code.clone()) else {
        return copy_carried(model, orders);
    };
    if trust::is_plain(&code) {
        orders.push(Cmd::Copy { what: "code", text: code });
    } else {
        model.say(Level::Error, "The code has a line break or something invisible in it and is not copied.");
    }
}

/// Copies what is to be carried elsewhere.
fn copy_carried(model: &mut Model, orders: &mut Vec<Cmd>) {
    let Some(carry) = model.selected_session().and_then(|session| session.carry.clone()) else { return };
    if trust::is_plain(&carry) {
        let what = if carry.contains("://") { "link" } else { "command" };
        orders.push(Cmd::Copy { what, text: carry });
    } else {
        model.say(Level::Error, "It has a line break or something invisible in it and is not copied.");
    }
}

/// Opens the URL where the deck runs, if a browser there is one that the person sees.
pub fn open_url(model: &mut Model, orders: &mut Vec<Cmd>) {
    let Some(url) = selected_url(model) else { return };
    let around = &model.settings.surroundings;
    if !around.has_browser() {
        let why = if around.ssh { "you are connected over SSH" } else { "there is no desktop here" };
        model.say(Level::Warning, format!("No browser to open it in: {why}. Copy it (u) or scan it (s)."));
        return;
    }
    let then = Confirmed::OpenUrl(url.url.clone());
    match question(&url, "Open it all the same?", "Do not open", "Open it", then) {
        Some(question) => model.dialog = Some(question),
        None => orders.push(Cmd::Open(url.url)),
    }
}

/// Asks before a URL is used that something speaks against.
fn question(
    url: &UrlView,
    question: &str,
    safe: &'static str,
    other: &'static str,
    then: Confirmed,
) -> Option<Dialog> {
    let detail = vec![visible(&trust::doubt(url)?).into_owned(), visible(&url.url).into_owned()];
    Some(Dialog::Confirm(Confirm {
        question: question.into(),
        detail,
        safe,
        other,
        other_selected: false,
        then,
    }))
}

/// Shows the URL as a QR code; one that is disputed or suspicious only after a question.
pub fn scan_url(model: &mut Model) {
    let carry = model
        .selected_session()
        .filter(|session| session.url.is_none())
        .and_then(|session| session.carry.clone());
    if let Some(url) = carry.filter(|carry| trust::is_plain(carry)) {
        model.dialog = Some(Dialog::Scan { url, code: None });
        return;
    }
    let Some(url) = selected_url(model) else { return };
    let code = model.selected_session().and_then(|session| session.code.clone());
    let then = Confirmed::ScanUrl { url: url.url.clone(), code: code.clone() };
    model.dialog = question(&url, "Show its QR code all the same?", "Do not show", "Show it", then)
        .or(Some(Dialog::Scan { url: url.url, code }));
}

/// Opens the dialog for a paste with some text in it already.
pub fn open_paste(model: &mut Model, text: &str) {
    let Some(session) = model.selected_session() else { return };
    model.dialog = Some(Dialog::Paste(Paste {
        session: session.session_id.clone(),
        field: Field::with(text),
        refusal: None,
        asks: false,
        sent: false,
    }));
}

/// Hands a paste in; the dialog stays until it is known to have been delivered.
pub fn submit(paste: &mut Paste, orders: &mut Vec<Cmd>) {
    if paste.sent || paste.field.is_empty() {
        return;
    }
    paste.sent = true;
    paste.refusal = None;
    let text = Secret::new(paste.field.text());
    let session_id = paste.session.clone();
    let unseen_listener = std::mem::take(&mut paste.asks);
    let submit = Submit { session_id: session_id.clone(), text, unseen_listener };
    request(orders, Ask::Submit(session_id), session::Submit::request(submit));
}

/// Opens the dialog that answers the selected challenge.
pub fn open_answer(model: &mut Model, orders: &mut Vec<Cmd>) {
    let Some(challenge) = model.selected_challenge().cloned() else { return };
    let (user, secret, masked) = match challenge.kind {
        ChallengeKind::Secret => (None, Some(Field::default()), true),
        ChallengeKind::Text => (None, Some(Field::default()), false),
        ChallengeKind::HttpBasic | ChallengeKind::HttpDigest => {
            (Some(Field::default()), Some(Field::default()), true)
        }
        ChallengeKind::Confirm => (None, None, false),
        ChallengeKind::Notice => return deny(challenge.challenge_id.clone(), challenge.epoch, orders),
    };
    model.dialog = Some(Dialog::Answer(Answer {
        challenge: challenge.challenge_id,
        epoch: challenge.epoch,
        at_secret: user.is_none(),
        user,
        secret,
        masked,
        yes: false,
    }));
}

/// Refuses the selected challenge.
pub fn ask_to_deny(model: &mut Model) {
    let Some(challenge) = model.selected_challenge() else { return };
    let then = Confirmed::Deny(challenge.challenge_id.clone(), challenge.epoch);
    model.dialog = Some(Dialog::Confirm(Confirm {
        question: format!("Refuse what {} asks for?", visible(&challenge.title)),
        detail: vec!["It is told that nobody answers, and will most likely give up.".into()],
        safe: "Let it wait",
        other: "Refuse it",
        other_selected: true,
        then,
    }));
}

/// Refuses a challenge.
pub fn deny(challenge_id: ChallengeId, epoch: u64, orders: &mut Vec<Cmd>) {
    let which = ChallengeRef { challenge_id, epoch: Some(epoch), owner: None };
    request(orders, Ask::Challenge, Request::Challenge(challenge::Request::Cancel(which)));
}

/// Sends the answer of a dialog.
pub fn send_answer(answer: &Answer, orders: &mut Vec<Cmd>) {
    if answer.is_question() && !answer.yes {
        let which =
            ChallengeRef { challenge_id: answer.challenge.clone(), epoch: Some(answer.epoch), owner: None };
        return request(orders, Ask::Challenge, Request::Challenge(challenge::Request::Cancel(which)));
    }
    let filled = AnswerChallenge {
        challenge_id: answer.challenge.clone(),
        epoch: Some(answer.epoch),
        user: answer.user.as_ref().map(|field| field.text().to_owned()),
        secret: answer.secret.as_ref().map(|field| Secret::new(field.text())),
    };
    request(orders, Ask::Challenge, Request::Challenge(challenge::Request::Answer(filled)));
}

/// Returns the name of a recording's file: what it is of, and when it was started.
pub fn recording_name(session: &SessionView) -> String {
    let (title, _) = Model::title_of(session);
    let clean: String =
        title.chars().filter(|letter| letter.is_ascii_alphanumeric() || *letter == '-').collect();
    let id = session.session_id.as_str();
    let short: String = id.strip_prefix("auth-").unwrap_or(id).chars().take(8).collect();
    let short: String = short.chars().filter(char::is_ascii_alphanumeric).collect();
    format!("{clean}-{short}.cast")
}
