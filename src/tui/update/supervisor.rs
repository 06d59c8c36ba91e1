//! Ends the supervisor.

use super::sessions::request;
use crate::protocol::method::{Method as _, supervisor};
use crate::protocol::request::Nothing;
use crate::tui::dialog::{Confirm, Confirmed, Dialog};
use crate::tui::model::Model;
use crate::tui::msg::{Ask, Cmd};

/// Ends the supervisor; asks first if that touches anything.
pub fn stop(model: &mut Model, orders: &mut Vec<Cmd>) {
    let (live, parked) = (model.live_count(), model.challenges.len());
    if live == 0 && parked == 0 {
        return stop_now(orders);
    }
    let mut detail = Vec::new();
    if live > 0 {
        detail.push(format!(
            "{} until the time limit; the next `authdeck` shows {} again.",
            if live == 1 {
                "One login is live and goes on".to_owned()
            } else {
                format!("{live} logins are live and go on")
            },
            if live == 1 { "it" } else { "them" },
        ));
    }
    if parked > 0 {
        detail.push("What waits for an answer in the list is cancelled.".to_owned());
    }
    model.dialog = Some(Dialog::Confirm(Confirm {
        question: "Stop the supervisor and close every deck?".to_owned(),
        detail,
        safe: "Keep it",
        other: "Stop it",
        other_selected: false,
        then: Confirmed::StopSupervisor,
    }));
}

/// Ends the supervisor.
pub fn stop_now(orders: &mut Vec<Cmd>) {
    request(orders, Ask::Plain, supervisor::Stop::request(Nothing {}));
}
