//! What reaches the deck, and what it orders. Pure data between `update` and the loop that runs it.

use crossterm::event::MouseEvent;
use serde_json::Value;

use super::clipboard::Report;
use super::keys::KeyPress;
use super::model::HostIndex;
use crate::core::ids::SessionId;
use crate::core::secret::Secret;
use crate::protocol::error::RpcError;
use crate::protocol::event::{Event, NumberedEvent};
use crate::protocol::method::Request;
use crate::protocol::screen::ScreenUpdate;
use crate::protocol::snapshot::Snapshot;

/// Something that reaches the deck.
#[derive(Debug)]
pub enum Msg {
    // --- The person ---
    /// A key was pressed.
    Key(KeyPress),
    /// The terminal handed in a bracketed paste.
    Paste(Secret),
    /// The mouse did something.
    Mouse(MouseEvent),
    /// The terminal has a new size: columns, rows.
    Resize(u16, u16),
    // --- Time ---
    /// A text that counts down has to change.
    Tick,
    // --- The supervisor ---
    /// The whole state: at the start, after a gap, after a reconnect.
    Snapshot(Box<Snapshot>),
    /// Something happened.
    Event(Box<NumberedEvent>),
    /// The focused session's screen changed.
    Screen(Box<ScreenUpdate>),
    /// The supervisor is gone; the sentence says why.
    Disconnected(String),
    /// The supervisor cannot do what it was told.
    Complaint(RpcError),
    /// A program beside the deck said something, such as ssh.
    Notice(String),
    /// There is no shell that could let the deck go on, so it cannot stop.
    CannotSuspend,
    /// One of several hosts told something.
    Host(HostIndex, HostNews),
    /// A request was answered.
    Answered(Ask, Result<Value, RpcError>),
    // --- What the loop did on order ---
    /// A copy went out, or did not.
    Copied(Report),
    /// A browser was started, or not; the sentence says so.
    Opened(Result<String, String>),
    /// A recording was written to this file, or not.
    Saved(Result<String, String>),
    /// The port of a login's callback is listened on here, or why it is not.
    Listening(SessionId, Result<u16, String>),
    /// A browser's callback was handed to its session; what came of it, in a sentence.
    CallbackTaken(Result<String, String>),
}

/// What one of several hosts tells.
#[derive(Debug)]
pub enum HostNews {
    /// Its whole state.
    Snapshot(Box<Snapshot>),
    /// Something happened there.
    Event(Box<Event>),
    /// It is not reached; the sentence says why.
    Trouble(String),
}

/// What a request was for, so that its answer finds its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Only a refusal is of interest.
    Plain,
    /// A new session, to be selected.
    Start,
    /// A paste, from the dialog that still shows it.
    Submit(SessionId),
    /// A polite or a forced kill.
    Kill(SessionId),
    /// A stretch of history.
    History(SessionId),
    /// A search for this text.
    Search(SessionId, String),
    /// Sentences about a session.
    Explain(SessionId),
    /// A recording to save.
    Recording(SessionId),
    /// The providers for the picker.
    Providers,
    /// An answer to, or a refusal of, a challenge.
    Challenge,
    /// A new snapshot, after a gap in the events.
    Resync,
}

/// An order that `update` gives.
#[derive(Debug)]
pub enum Cmd {
    /// Send this and bring the answer back.
    Request(Ask, Box<Request>),
    /// Send this; only a complaint about it is of interest. Nothing on the deck changes with it.
    Tell(Box<Request>),
    /// Put this into the person's clipboard.
    Copy {
        /// What it is: `URL` or `code`.
        what: &'static str,
        /// The text, byte for byte.
        text: String,
    },
    /// Open this URL in a browser.
    Open(String),
    /// Wait here for the callback of this login, which runs elsewhere.
    Listen {
        /// Whose.
        session_id: SessionId,
        /// Its authorize URL.
        url: String,
        /// Open it in the browser once the port is listened on.
        open: bool,
    },
    /// Wait for it no longer.
    StopListening(SessionId),
    /// Write a recording to a file.
    Save {
        /// The file's name without folder.
        name: String,
        /// What to write.
        content: String,
    },
    /// Call the person: something waits.
    Notify(String),
    /// Draw everything anew.
    Redraw,
    /// Stop, and leave the terminal to the shell meanwhile.
    Suspend,
    /// Leave the deck.
    Quit,
}
