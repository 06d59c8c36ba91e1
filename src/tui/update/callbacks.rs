//! On the laptop's side: waits here for the browser's callback of a login that runs elsewhere, and only while that
//! login waits for it.

use crate::core::callback::LoopbackEnd;
use crate::core::finding::Verdict;
use crate::core::ids::SessionId;
use crate::protocol::event::Level;
use crate::protocol::snapshot::{SessionView, Waiting};
use crate::tui::model::Model;
use crate::tui::msg::Cmd;

/// The first port that any user may listen on (Linux, `ip_unprivileged_port_start`). Those below are the system's, and
/// are not taken for a host that asks for one.
const FIRST_PORT: u16 = 1024;

/// Sessions for which the browser is opened unasked, while the deck is open.
const MOST_OPENED: usize = 256;

/// Makes the listening ports those of the logins that wait. `open`: a login that is new here is opened in the browser
/// at once; what waited already when the deck came is not.
pub fn follow(model: &mut Model, open: bool, orders: &mut Vec<Cmd>) {
    if !model.remote {
        return;
    }
    let wanted: Vec<(SessionId, String, bool)> = model.sessions.iter().filter_map(wanted_by).collect();
    let gone: Vec<SessionId> = model
        .listening
        .iter()
        .filter(|(id, url)| !wanted.iter().any(|(wanted, now, _)| wanted == *id && now == *url))
        .map(|(id, _)| id.clone())
        .collect();
    for id in gone {
        model.listening.remove(&id);
        orders.push(Cmd::StopListening(id));
    }
    let has_browser = model.settings.surroundings.has_browser();
    for (session_id, url, trusted) in wanted {
        if model.listening.insert(session_id.clone(), url.clone()).is_none() {
            // By itself one page for each session at the most, whatever its host says next.
            let open = open && trusted && has_browser && model.opened.len() < MOST_OPENED;
            let open = open && model.opened.insert(session_id.clone());
            orders.push(Cmd::Listen { session_id, url, open });
        }
    }
}

/// Returns the URL whose end is to be waited for, and whether the browser may be led there without asking: only to the
/// provider's own hosts.
fn wanted_by(session: &SessionView) -> Option<(SessionId, String, bool)> {
    let waits = match session.waiting {
        Waiting::OpenUrl | Waiting::OpenUrlThenPaste => true,
        Waiting::EnterCode
        | Waiting::Carry
        | Waiting::Prompt
        | Waiting::Secret
        | Waiting::Child
        | Waiting::Delivering
        | Waiting::Submitted
        | Waiting::Checking
        | Waiting::Finished => false,
    };
    let url = session.url.as_ref().filter(|_| waits)?;
    LoopbackEnd::of(&url.url).filter(|end| end.port >= FIRST_PORT)?;
    let trusted = url.verdict == Verdict::Expected && !url.disputed && url.url.starts_with("https://");
    Some((session.session_id.clone(), url.url.clone(), trusted))
}

/// Says whether the port is listened on.
pub fn listening(model: &mut Model, session_id: &SessionId, outcome: Result<u16, String>) {
    let title = model.session(session_id).map_or_else(String::new, |session| Model::title_of(session).0);
    match outcome {
        Ok(port) => model.say(
            Level::Info,
            format!(
                "Waiting on port {port} here for what the browser brings back to {title}; no paste is needed."
            ),
        ),
        Err(reason) => {
            model.say(Level::Warning, format!("{reason} For {title}, paste what the browser ends on (p)."));
        }
    }
}
