//! A child's screen as rows of styled runs.
//!
//! Text in a run has no control, bidirectional or zero-width character in it: the supervisor replaced them by a
//! visible escape such as `<U+202E>`, and masked secrets with `•`. A client may draw it as it is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::core::ids::SessionId;
pub use crate::core::screen::{Colour, Cursor, Modes, Row, Run, Style, attribute};

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// The rows of a session's screen that changed since the last update that this client got.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScreenUpdate {
    /// Whose screen.
    pub session_id: SessionId,
    /// Rises with every change.
    pub generation: u64,
    /// Columns of the child's terminal.
    pub columns: u16,
    /// Rows of the child's terminal.
    pub rows: u16,
    /// The whole screen is in `changed`; what is not named there is blank.
    #[serde(default, skip_serializing_if = "is_default")]
    pub full: bool,
    /// The rows that changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<Row>,
    /// The cursor, if the child shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Cursor>,
    /// The child's modes.
    #[serde(default, skip_serializing_if = "is_default")]
    pub modes: Modes,
    /// Absolute number of the oldest line that is kept.
    pub history_start: u64,
    /// Absolute number of the line in the screen's first row; lines from `history_start` up to here are history.
    pub screen_start: u64,
    /// The client is to say `screen.taken` when it has drawn this; the next update waits for it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub acknowledge: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_have_their_wire_form_and_are_read_back() {
        let cases =
            [(Colour::Default, "null"), (Colour::Indexed(9), "9"), (Colour::Rgb(1, 2, 255), "[1,2,255]")];
        for (colour, wire) in cases {
            assert_eq!(serde_json::to_string(&colour).unwrap(), wire);
            assert_eq!(serde_json::from_str::<Colour>(wire).unwrap(), colour);
        }
        for wrong in ["256", "-1", "[1,2]", "[1,2,3,4]", "[1,2,256]", "\"red\""] {
            assert!(serde_json::from_str::<Colour>(wrong).is_err(), "{wrong}");
        }
    }
}
