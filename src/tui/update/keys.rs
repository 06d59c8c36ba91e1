//! Keys and pastes: to the child, into a field, or to an action.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{actions, dialogs, sessions};
use crate::core::ids::SessionId;
use crate::core::secret::Secret;
use crate::protocol::event::Level;
use crate::protocol::method::{Request, terminal};
use crate::protocol::request::InputBytes;
use crate::tui::action::Action;
use crate::tui::availability;
use crate::tui::keymap::Lookup;
use crate::tui::keys::{Key, KeyPress};
use crate::tui::keys_to_bytes::{encode, encode_paste};
use crate::tui::model::Model;
use crate::tui::msg::Cmd;

/// Takes a key.
pub fn pressed(model: &mut Model, press: KeyPress, orders: &mut Vec<Cmd>) {
    if !model.pending.is_empty() && press == KeyPress::plain(Key::Escape) {
        model.pending.clear();
        return;
    }
    model.pending.push(press);
    match model.keymap.look_up(&model.contexts(), &model.pending) {
        Lookup::Matched(action) => {
            model.pending.clear();
            actions::run(model, action, orders);
        }
        Lookup::Pending => {}
        Lookup::NotFound => {
            let presses = std::mem::take(&mut model.pending);
            unbound(model, &presses, orders);
        }
    }
}

/// Keys without a meaning of ours are what is typed.
fn unbound(model: &mut Model, presses: &[KeyPress], orders: &mut Vec<Cmd>) {
    for press in presses {
        if model.dialog.is_some() {
            dialogs::typed(model, *press);
        } else if model.typing {
            let bytes = encode(*press, model.pane.modes);
            send(model, &bytes, orders);
        }
    }
}

/// Takes a bracketed paste of the person's terminal.
pub fn pasted(model: &mut Model, text: &Secret, orders: &mut Vec<Cmd>) {
    model.pending.clear();
    if model.dialog.is_some() {
        dialogs::pasted(model, text);
    } else if model.typing {
        let bytes = encode_paste(text.secret(), model.pane.modes);
        send(model, &bytes, orders);
    } else if availability::of(Action::PasteOpen, model).is_ok() {
        sessions::open_paste(model, text.secret());
    } else {
        model.say(
            Level::Warning,
            "Nothing here waits for a paste; select a session, or press i to type into it.",
        );
    }
}

/// Sends bytes to the child that is typed into.
pub fn send(model: &Model, bytes: &[u8], orders: &mut Vec<Cmd>) {
    let Some(session_id): Option<SessionId> = model.pane.session.clone().filter(|_| !bytes.is_empty()) else {
        return;
    };
    let base64 = Secret::new(STANDARD.encode(bytes));
    orders.push(Cmd::Tell(Box::new(Request::Terminal(terminal::Request::Input(InputBytes {
        session_id,
        base64,
    })))));
}
