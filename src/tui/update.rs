//! What changes when something reaches the deck. Pure: the clock is an argument, orders are returned.

use super::model::Model;
use super::msg::{Cmd, Msg};
use crate::core::time::Timestamp;
use crate::protocol::event::Level;

mod actions;
mod answers;
mod callbacks;
mod dialogs;
mod follow;
mod hosts;
mod keys;
mod mouse;
mod palette;
mod scroll;
mod server;
mod sessions;
mod supervisor;
mod trust;

/// Takes a message; what it returns is to be done in order.
pub fn update(model: &mut Model, msg: Msg, now: Timestamp) -> Vec<Cmd> {
    let mut orders = Vec::new();
    match msg {
        Msg::Key(press) => keys::pressed(model, press, &mut orders),
        Msg::Paste(text) => keys::pasted(model, &text, &mut orders),
        Msg::Mouse(event) => mouse::moved(model, event, now, &mut orders),
        Msg::Resize(columns, rows) => model.size = (columns, rows),
        Msg::Tick => {}
        Msg::Snapshot(snapshot) => server::snapshot(model, *snapshot, now, &mut orders),
        Msg::Event(event) => server::event(model, *event, &mut orders),
        Msg::Screen(update) => model.pane.apply(*update),
        Msg::Disconnected(reason) => server::disconnected(model, reason),
        Msg::Complaint(error) => model.say(Level::Error, error.message),
        Msg::Notice(text) => model.say(Level::Warning, text),
        Msg::CannotSuspend => {
            model.say(
                Level::Warning,
                "No shell started this deck that could bring it back. `q` leaves it; logins go on.",
            );
        }
        Msg::Host(host, news) => hosts::told(model, host, news, now, &mut orders),
        Msg::Answered(ask, answer) => answers::answered(model, ask, answer, now, &mut orders),
        Msg::Copied(report) => {
            model.say(if report.done { Level::Info } else { Level::Error }, report.text);
        }
        Msg::Listening(session_id, outcome) => callbacks::listening(model, &session_id, outcome),
        Msg::Opened(outcome) | Msg::Saved(outcome) | Msg::CallbackTaken(outcome) => {
            say_outcome(model, outcome);
        }
    }
    callbacks::follow(model, true, &mut orders);
    follow::follow(model, &mut orders);
    orders
}

fn say_outcome(model: &mut Model, outcome: Result<String, String>) {
    match outcome {
        Ok(text) => model.say(Level::Info, text),
        Err(text) => model.say(Level::Error, text),
    }
}
