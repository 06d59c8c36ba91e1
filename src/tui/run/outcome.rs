//! What an order of `update` led to.

use crate::tui::msg::Msg;

/// What an order led to.
#[derive(Debug)]
pub enum Outcome {
    /// A message for `update`.
    Msg(Msg),
    /// Bytes for the terminal, then a message.
    Write(Vec<u8>, Msg),
}
