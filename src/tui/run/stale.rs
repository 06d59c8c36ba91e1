//! What has to be drawn after a message: as little as it takes.

use crate::tui::model::Model;
use crate::tui::msg::{Cmd, Msg};

/// What of the deck is not as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stale {
    Nothing,
    /// The child's screen, and nothing else.
    Pane,
    Everything,
}

/// How much of the deck a message can change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// A key, which may go to the child: then nothing changes but by its echo, which must not wait for a frame.
    Key,
    /// The child's screen.
    Pane,
    Everything,
}

impl Reach {
    pub(super) fn of(msg: &Msg, model: &Model) -> Self {
        match msg {
            Msg::Key(_) if model.pending.is_empty() => Self::Key,
            Msg::Screen(update) if !update.full => Self::Pane,
            Msg::Key(_)
            | Msg::Screen(_)
            | Msg::Paste(_)
            | Msg::Mouse(_)
            | Msg::Resize(..)
            | Msg::Tick
            | Msg::Snapshot(_)
            | Msg::Event(_)
            | Msg::Disconnected(_)
            | Msg::Complaint(_)
            | Msg::Notice(_)
            | Msg::CannotSuspend
            | Msg::Host(..)
            | Msg::Listening(..)
            | Msg::CallbackTaken(_)
            | Msg::Answered(..)
            | Msg::Copied(_)
            | Msg::Opened(_)
            | Msg::Saved(_) => Self::Everything,
        }
    }

    /// Says what has to be drawn, given what was ordered.
    pub(super) fn stale(self, orders: &[Cmd]) -> Stale {
        let only_told = orders.iter().all(|order| matches!(order, Cmd::Tell(_)));
        match self {
            Self::Key if only_told && !orders.is_empty() => Stale::Nothing,
            Self::Pane => Stale::Pane,
            Self::Key | Self::Everything => Stale::Everything,
        }
    }
}
