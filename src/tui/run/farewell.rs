//! What is said when the deck has given the terminal back.

use crate::output;

/// How the deck ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Farewell {
    /// Sessions that go on without it.
    pub live_sessions: usize,
    /// The terminal went away, so nothing can be said to anybody.
    pub hung_up: bool,
    /// The supervisor was stopped, and the deck with it.
    pub stopped: bool,
    /// They are on another machine.
    pub remote: bool,
}

pub(super) fn say_farewell(farewell: Farewell) {
    if farewell.stopped && !farewell.hung_up {
        output::say("The supervisor was stopped.");
    }
    let again = if farewell.remote { "`authdeck ssh`" } else { "`authdeck`" };
    let sentence = match farewell.live_sessions {
        _ if farewell.hung_up => return,
        0 => return,
        1 => format!("One session goes on; {again} shows it again."),
        sessions => format!("{sessions} sessions go on; {again} shows them again."),
    };
    output::say(&sentence);
}
