//! What the deck is told about the person's wishes and the terminal it runs in.

use std::path::PathBuf;
use std::sync::Arc;

use super::surroundings::Surroundings;
use super::theme::Source;
use crate::config::catalogue::Catalogue;
use crate::config::{ClipboardWay, KeyBinding};

/// Everything that is settled before the deck opens.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The theme's name; absent: chosen by what the terminal can do.
    pub theme: Option<String>,
    /// The person's own themes.
    pub themes: Vec<Source>,
    /// The configuration file's name, for mistakes in its keys.
    pub configuration_file: String,
    /// The person's own keys.
    pub keys: Vec<KeyBinding>,
    /// Ring the bell when something waits.
    pub bell: bool,
    /// Send an OSC 9 notification when something waits.
    pub osc9: bool,
    /// Take the mouse.
    pub mouse: bool,
    /// Make the card's URL a link (OSC 8).
    pub hyperlinks: bool,
    /// The way to copy; absent: chosen by what is there.
    pub copy: Option<ClipboardWay>,
    /// Where recordings are saved.
    pub recordings: PathBuf,
    /// Where the clipboard's file goes if nothing else is there; a folder of the person's own.
    pub private_folder: PathBuf,
    /// The catalogue of this machine, by which URLs of other machines are judged; absent: no host is expected.
    pub catalogue: Option<Arc<Catalogue>>,
    /// The terminal and the machine around.
    pub surroundings: Surroundings,
}
