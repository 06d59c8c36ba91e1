//! Copying: which ways there are, in which order they are tried, and what is said about it.
//!
//! No way can be verified from here but the file, so the status line says what was done, how many bytes, and how the
//! text ends; it never says that the text is in the clipboard.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::surroundings::Surroundings;
use super::text;
use crate::config::ClipboardWay;

mod perform;
mod program;
mod tmux;

pub use perform::{Copier, perform};

/// What became of a copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Whether anything was done.
    pub done: bool,
    /// The sentence for the status line.
    pub text: String,
}

/// Returns the ways to try, the best first; a way that the person chose is tried first.
pub fn ladder(surroundings: &Surroundings, chosen: Option<ClipboardWay>) -> Vec<ClipboardWay> {
    let mut ways: Vec<ClipboardWay> = chosen.into_iter().collect();
    let fitting = [
        (ClipboardWay::Tmux, surroundings.tmux),
        (ClipboardWay::Desktop, surroundings.local_desktop() && !surroundings.tmux),
        (ClipboardWay::Osc52, true),
        (ClipboardWay::File, true),
    ];
    for (way, fits) in fitting {
        if fits && !ways.contains(&way) {
            ways.push(way);
        }
    }
    ways
}

/// How the sequence has to be wrapped to get through what is between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrapping {
    /// Straight to the terminal.
    Plain,
    /// Plain for tmux itself, and once more in its passthrough envelope for the terminal behind.
    Tmux,
    /// In pieces that GNU screen hands on; a single one leaks on the screen beyond 768 bytes.
    Screen,
}

/// Bytes of the sequence that one DCS for GNU screen carries.
const SCREEN_PIECE: usize = 240;

/// Writes the OSC 52 sequence for a text: selector `c` (mosh takes no other), ended by BEL.
pub fn osc52(text: &str, wrapping: Wrapping) -> Vec<u8> {
    let sequence = format!("\x1b]52;c;{}\x07", STANDARD.encode(text));
    match wrapping {
        Wrapping::Plain => sequence.into_bytes(),
        Wrapping::Tmux => {
            let mut both = sequence.clone().into_bytes();
            both.extend(past_tmux(sequence.as_bytes()));
            both
        }
        Wrapping::Screen => {
            let pieces = sequence.as_bytes().chunks(SCREEN_PIECE);
            pieces.flat_map(|piece| [b"\x1bP", piece, b"\x1b\\"].concat()).collect()
        }
    }
}

/// Wraps a sequence so that tmux hands it on to the terminal behind, if it may.
fn past_tmux(sequence: &[u8]) -> Vec<u8> {
    let inner = String::from_utf8_lossy(sequence).replace('\x1b', "\x1b\x1b");
    format!("\x1bPtmux;{inner}\x1b\\").into_bytes()
}

/// Writes the sentence for the status line.
pub fn sentence(copied: &str, to: &str, verified: bool) -> String {
    let ending: String = {
        let letters: Vec<char> = copied.chars().collect();
        letters[letters.len().saturating_sub(6)..].iter().collect()
    };
    let cut = if copied.chars().count() > 6 { "…" } else { "" };
    let doubt = if verified { "" } else { " (cannot verify the terminal)" };
    format!("copied {} B {to}, ends {cut}{}{doubt}", copied.len(), text::visible(&ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ladder_follows_what_is_there() {
        let plain = Surroundings::default();
        assert_eq!(ladder(&plain, None), [ClipboardWay::Osc52, ClipboardWay::File]);
        let tmux = Surroundings { tmux: true, display: true, ..plain.clone() };
        assert_eq!(ladder(&tmux, None), [ClipboardWay::Tmux, ClipboardWay::Osc52, ClipboardWay::File]);
        let desktop = Surroundings { display: true, ..plain.clone() };
        assert_eq!(ladder(&desktop, None), [ClipboardWay::Desktop, ClipboardWay::Osc52, ClipboardWay::File]);
        let ssh = Surroundings { display: true, ssh: true, ..plain };
        assert_eq!(ladder(&ssh, None), [ClipboardWay::Osc52, ClipboardWay::File]);
        assert_eq!(
            ladder(&tmux, Some(ClipboardWay::File)),
            [ClipboardWay::File, ClipboardWay::Tmux, ClipboardWay::Osc52]
        );
    }

    #[test]
    fn the_sequence_is_exact_however_it_is_wrapped() {
        assert_eq!(osc52("hi", Wrapping::Plain), b"\x1b]52;c;aGk=\x07");
        assert_eq!(osc52("hi", Wrapping::Tmux), b"\x1b]52;c;aGk=\x07\x1bPtmux;\x1b\x1b]52;c;aGk=\x07\x1b\\");
        let long = "x".repeat(2_000);
        let wrapped = osc52(&long, Wrapping::Screen);
        let joined = String::from_utf8(wrapped).unwrap().replace("\x1b\\\x1bP", "");
        assert_eq!(
            joined,
            format!("\x1bP{}\x1b\\", String::from_utf8(osc52(&long, Wrapping::Plain)).unwrap())
        );
    }

    #[test]
    fn the_sentence_says_way_bytes_and_end() {
        assert_eq!(
            sentence("https://example.com/?state=v_xyZ9", "to the tmux buffer", false),
            "copied 33 B to the tmux buffer, ends …v_xyZ9 (cannot verify the terminal)"
        );
    }
}
