//! The deck: a client that draws.
//!
//! `key -> keymap -> Action -> update(&mut Model, Msg) -> Cmd`, and `draw(&Model)` when something changed. The model,
//! `update`, the keymap, the theme and the view read no clock, no environment and no file; [`run`] does.

pub mod action;
pub mod availability;
pub mod backend;
pub mod canvas;
pub mod chooser;
pub mod clipboard;
pub mod dialog;

pub mod field;
pub mod input;
pub mod keymap;
pub mod keys;
pub mod keys_to_bytes;
pub mod model;
pub mod msg;
pub mod palette;
pub mod pane;
pub mod picker;
pub mod run;
pub mod settings;
pub mod surroundings;
pub mod terminal;
pub mod text;
pub mod theme;
pub mod update;
pub mod view;

pub use run::{Attachment, Deck, Origin, PortHolder, Reconnect, Reconnected, run};
