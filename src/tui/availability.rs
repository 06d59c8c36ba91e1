//! When an action can be run, and the reason if it cannot.

use super::action::{Action, Reason};
use super::model::{Focus, Model};
use crate::protocol::snapshot::{ChildState, SessionView};

const NO_SESSION: Reason = "No session is selected";
const NO_CHALLENGE: Reason = "No challenge is selected";
const NO_URL: Reason = "No URL was found yet";
const NOTHING_LISTED: Reason = "The list is empty";
const NO_DIALOG: Reason = "No dialog is open";

/// Tells whether an action can be run now.
///
/// # Errors
/// The reason why not, for the palette and the status line.
pub fn of(action: Action, model: &Model) -> Result<(), Reason> {
    match action {
        Action::SessionNew
        | Action::BundlesOpen
        | Action::ThemeNext
        | Action::MessagesOpen
        | Action::HelpOpen
        | Action::PaletteOpen
        | Action::DeckRedraw
        | Action::DeckSuspend
        | Action::DeckQuit => Ok(()),
        Action::HostNext => ensure(model.hosts.are_several(), "The deck shows one host only"),
        Action::SupervisorStop => ensure(model.disconnected.is_none(), "It is gone already"),
        Action::UrlOpen => has_url(session(model)?),
        Action::UrlCopy | Action::UrlScan => has_url_or_carry(session(model)?),
        Action::CodeCopy => has_code(session(model)?),
        Action::PasteOpen => takes_paste(model),
        Action::PaneType => running(model).map(|_| ()),
        Action::PaneTypeLeave => ensure(model.typing, "The keys go to the deck already"),
        Action::SessionKill | Action::SessionKillNow => killable(session(model)?),
        Action::SessionRestart => session(model).map(|_| ()),
        Action::SessionRemove => {
            ensure(session(model)?.status.is_terminal(), "It is not finished; kill it first")
        }
        Action::SessionExplain | Action::RecordingSave | Action::SearchOpen => session(model).map(|_| ()),
        Action::ChallengeAnswer | Action::ChallengeDeny => {
            model.selected_challenge().map(|_| ()).ok_or(NO_CHALLENGE)
        }
        Action::WaitingNext => ensure(model.waiting_count() > 0, "Nothing waits for you"),
        Action::ListDown | Action::ListUp | Action::ListFirst | Action::ListLast => {
            ensure(!model.entries().is_empty(), NOTHING_LISTED)
        }
        Action::FocusNext | Action::PaneFocus | Action::PaneZoom => {
            ensure(model.selection.is_some(), NOTHING_LISTED)
        }
        Action::PaneLeave => ensure(model.focus == Focus::Pane, "The list has the keys already"),
        Action::PaneUp
        | Action::PaneDown
        | Action::PanePageUp
        | Action::PanePageDown
        | Action::PaneTop
        | Action::PaneBottom => session(model).map(|_| ()),
        Action::SearchNext | Action::SearchPrevious | Action::SearchClose => {
            ensure(model.search.is_some(), "Nothing is searched for")
        }
        Action::DialogAccept
        | Action::DialogYes
        | Action::DialogCancel
        | Action::DialogDeny
        | Action::DialogNext
        | Action::DialogPrevious
        | Action::DialogPageDown
        | Action::DialogPageUp => ensure(model.dialog.is_some(), NO_DIALOG),
    }
}

fn ensure(holds: bool, reason: Reason) -> Result<(), Reason> {
    if holds { Ok(()) } else { Err(reason) }
}

fn session(model: &Model) -> Result<&SessionView, Reason> {
    model.selected_session().ok_or(NO_SESSION)
}

fn has_url(session: &SessionView) -> Result<(), Reason> {
    ensure(!session.status.is_terminal() || session.listening, "This login is over")?;
    session.url.as_ref().map(|_| ()).ok_or(NO_URL)
}

fn has_url_or_carry(session: &SessionView) -> Result<(), Reason> {
    has_url(session)
        .or_else(|reason| ensure(!session.status.is_terminal() && session.carry.is_some(), reason))
}

fn has_code(session: &SessionView) -> Result<(), Reason> {
    ensure(!session.status.is_terminal(), "This login is over")?;
    session.code.as_ref().or(session.carry.as_ref()).map(|_| ()).ok_or("No device code was found")
}

fn running(model: &Model) -> Result<&SessionView, Reason> {
    let session = session(model)?;
    match session.child {
        ChildState::Starting | ChildState::Running { .. } => Ok(session),
        ChildState::Ending => Err("It is being ended"),
        ChildState::Exited { .. } | ChildState::Killed | ChildState::Survived { .. } | ChildState::Lost => {
            Err("Its CLI has ended")
        }
    }
}

fn takes_paste(model: &Model) -> Result<(), Reason> {
    let session = session(model)?;
    if !session.listening {
        running(model)?;
    }
    ensure(session.takes_paste, "It does not wait for a paste")
}

fn killable(session: &SessionView) -> Result<(), Reason> {
    if session.listening {
        return Ok(());
    }
    match session.child {
        ChildState::Starting
        | ChildState::Running { .. }
        | ChildState::Ending
        | ChildState::Survived { .. } => Ok(()),
        ChildState::Exited { .. } | ChildState::Killed => Err("It has ended already"),
        ChildState::Lost => Err("Nothing is known of its process any more"),
    }
}
