//! The deck stops and goes on, as every program of a shell does (SIGTSTP, SIGCONT): the terminal is given back and taken
//! anew. A stop that nobody can see coming (SIGSTOP) is made up for when it is over.

use tokio::signal::unix::SignalKind;

use super::Running;
use crate::os::own_process;
use crate::tui::msg::Msg;

/// Asks the deck to stop.
pub(super) const STOP: SignalKind = SignalKind::from_raw(own_process::STOP);

/// Comes when it goes on.
pub(super) const GO_ON: SignalKind = SignalKind::from_raw(own_process::GO_ON);

impl Running {
    /// Has the shell stop the deck with whatever else is of the same job; [`Self::suspend`] follows.
    pub(super) fn ask_to_stop(&mut self) {
        if !own_process::has_shell() || own_process::stop_job().is_err() {
            self.take(Msg::CannotSuspend);
        }
    }

    /// Stops. Without a shell nobody would let it go on.
    pub(super) fn suspend(&mut self) {
        if !own_process::has_shell() {
            return self.take(Msg::CannotSuspend);
        }
        self.suspended = true;
        self.terminal.give_back();
        own_process::stop();
    }

    /// Goes on, with a terminal that may be of another size and have anything on it.
    pub(super) fn resume(&mut self) {
        self.suspended = false;
        match self.terminal.take_again() {
            Ok((columns, rows)) => {
                self.canvas.forget();
                self.take(Msg::Resize(columns, rows));
            }
            // It is gone.
            Err(_) => self.over = Some(true),
        }
    }
}
