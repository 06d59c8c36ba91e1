//! When to look at the screen: decided by what the bytes say, never by how they were cut into pieces.
//!
//! Matching is done on the grid, but the grid forgets: a spinner's next frame overwrites the line, a menu clears the
//! screen, the alternate screen comes and goes. Looking after every piece of output would be slow and would depend
//! on how the pieces fall. So the byte stream is watched for two things:
//!
//! - a *trigger*: one of a few words without which no rule can match ([`trigger`]);
//! - after a trigger, a *turn*: the control that is about to destroy what is on the screen (cursor to the left, up or
//!   to a place, erase, delete, scroll down, other screen), or as many lines or bytes that history could run full.
//!
//! A look is due right before a turn. Both are functions of the stream alone, and so is the budget: rules may read
//! [`BURST`] lines in a burst, and one more with every [`EARNED_BY_BYTES`] of the stream. A flood that is full of telling
//! words scrolls by unread once the budget is spent; what it leaves on the screen is read when the child is quiet.

mod trigger;

use self::trigger::TriggerSearch;
use crate::core::leading::leading;

/// Lines that may pass between a trigger and the look. History keeps many more.
const MOST_LINES: u32 = 256;

/// Bytes that may pass between a trigger and the look.
const MOST_BYTES: u32 = 16 * 1024;

/// Lines that rules may read in a burst: a few minutes of any login, and some milliseconds of work.
const BURST: i64 = 4_096;

/// Bytes of the stream with which the reading of one more line is earned.
const EARNED_BY_BYTES: u64 = 4 * 1024;

/// How far into a control sequence the stream is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Control {
    #[default]
    None,
    /// A carriage return: destructive unless a newline, an erase of nothing or another one follows.
    Return,
    Escape,
    /// `ESC [`, with what decides about it: its first number, and whether it is a private one.
    Sequence {
        first: u16,
        private: bool,
        more: bool,
    },
}

/// The state of the watch between two pieces of output.
#[derive(Clone, Debug)]
pub(super) struct Scanner {
    words: TriggerSearch,
    triggered: bool,
    control: Control,
    lines: u32,
    bytes: u32,
    offset: u64,
    /// Lines that may still be read; below zero after a look that had more to read than was left.
    budget: i64,
    earned_at: u64,
}

/// How much to feed to the screen before what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// Bytes to feed.
    pub length: usize,
    /// Whether a look is due after them.
    pub look: bool,
}

impl Scanner {
    pub fn new() -> Self {
        Self {
            words: TriggerSearch::new(),
            triggered: false,
            control: Control::None,
            lines: 0,
            bytes: 0,
            offset: 0,
            budget: BURST,
            earned_at: 0,
        }
    }

    /// Returns the bytes of the stream that were watched so far.
    #[cfg(test)]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Returns the next step for a piece of output; `length` may be 0 if a look is due at once.
    pub fn step(&mut self, bytes: &[u8]) -> Step {
        let mut at = 0;
        if !self.triggered {
            match self.words.find(bytes) {
                Some(behind) => {
                    at = behind;
                    self.trigger();
                }
                None => at = bytes.len(),
            }
        }
        while at < bytes.len() {
            let text = self.skip_text(&bytes[at..]);
            at += text;
            if text == 0 {
                if self.turns(bytes[at]) && self.may_look(at) {
                    return self.stop(at);
                }
                at += 1;
            }
            if self.lines >= MOST_LINES || self.bytes >= MOST_BYTES {
                if self.may_look(at) {
                    return self.stop(at);
                }
                self.trigger();
            }
        }
        self.offset += at as u64;
        Step { length: at, look: false }
    }

    /// Says that the last look left something unsettled: the next turn is looked at too, trigger or not.
    pub fn stay_alert(&mut self) {
        self.trigger();
    }

    /// Forgets the trigger after a look that was not asked for by [`Self::step`].
    pub fn looked(&mut self) {
        self.triggered = false;
        self.words = TriggerSearch::new();
    }

    fn stop(&mut self, at: usize) -> Step {
        self.offset += at as u64;
        self.looked();
        Step { length: at, look: true }
    }

    fn trigger(&mut self) {
        (self.triggered, self.control, self.lines, self.bytes) = (true, Control::None, 0, 0);
    }

    /// Takes what has no control in it; returns how much that is.
    fn skip_text(&mut self, bytes: &[u8]) -> usize {
        if self.control != Control::None {
            return 0;
        }
        let room = (MOST_BYTES - self.bytes) as usize;
        let text = leading(&bytes[..room.min(bytes.len())], |byte| *byte >= 0x20);
        // No more than the room, which fits.
        self.bytes += text as u32;
        text
    }

    /// Takes one byte; tells whether it completes a control that is about to destroy something.
    fn turns(&mut self, byte: u8) -> bool {
        self.bytes += 1;
        let before = self.control;
        self.control = Control::None;
        match before {
            Control::Return if byte == b'\r' => {
                self.control = Control::Return;
                false
            }
            Control::Return if byte != b'\n' => true,
            Control::None | Control::Return => self.begins(byte),
            Control::Escape => match byte {
                b'[' => {
                    self.control = Control::Sequence { first: 0, private: false, more: false };
                    false
                }
                // Reverse index, full reset, restore cursor, back index.
                b'M' | b'c' | b'8' | b'6' => true,
                _ => false,
            },
            Control::Sequence { first, private, more } => self.goes_on(byte, first, private, more),
        }
    }

    fn begins(&mut self, byte: u8) -> bool {
        match byte {
            b'\n' => self.lines += 1,
            b'\r' => self.control = Control::Return,
            0x1b => self.control = Control::Escape,
            0x08 => return true,
            _ => {}
        }
        false
    }

    fn goes_on(&mut self, byte: u8, first: u16, private: bool, more: bool) -> bool {
        match byte {
            b'0'..=b'9' if !more => {
                let first = first.saturating_mul(10).saturating_add(u16::from(byte - b'0'));
                self.control = Control::Sequence { first, private, more };
                false
            }
            b'0'..=b'9' | b';' | b':' => {
                self.control = Control::Sequence { first, private, more: true };
                false
            }
            0x20..=0x3f => {
                self.control = Control::Sequence { first, private: true, more };
                false
            }
            b'h' | b'l' => private && matches!(first, 47 | 1047 | 1049),
            b'G' => !private && first <= 1,
            b'A' | b'D' | b'F' | b'H' | b'J' | b'K' | b'L' | b'M' | b'P' | b'X' | b'@' | b'S' | b'T'
            | b'd' | b'f' | b'u' => !private,
            _ => false,
        }
    }

    /// Tells whether a look can be afforded after so many bytes of the piece.
    fn may_look(&mut self, at: usize) -> bool {
        let now = (self.offset + at as u64) / EARNED_BY_BYTES;
        let earned = i64::try_from(now - self.earned_at).unwrap_or(BURST);
        self.budget = self.budget.saturating_add(earned).min(BURST);
        self.earned_at = now;
        self.budget > 0
    }

    /// Pays for a look that [`Self::step`] asked for: one line for the look itself, and those that rules had to read.
    pub fn pay(&mut self, lines: usize) {
        let lines = i64::try_from(lines).unwrap_or(BURST);
        self.budget = self.budget.saturating_sub(lines.saturating_add(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The offsets at which looks are due.
    fn looks(stream: &[u8], piece: usize) -> Vec<u64> {
        let mut scanner = Scanner::new();
        let mut found = Vec::new();
        for piece in stream.chunks(piece) {
            let mut rest = piece;
            loop {
                let step = scanner.step(rest);
                rest = &rest[step.length..];
                if step.look {
                    scanner.pay(1);
                    found.push(scanner.offset());
                } else {
                    break;
                }
            }
        }
        found
    }

    #[test]
    fn a_look_is_due_before_what_was_triggered_is_destroyed() {
        assert_eq!(looks(b"see https://a\rgone", 99), [14]);
        assert_eq!(looks(b"see https://a\x1b[2Kgone", 99), [16]);
        assert_eq!(looks(b"see https://a\x1b[?1049l", 99), [20]);
    }

    #[test]
    fn newlines_colours_and_plain_text_destroy_nothing() {
        assert!(looks(b"see https://a\r\r\nnext\x1b[38;5;2mgreen\x1b[12Gword\x1b[?25l", 99).is_empty());
        assert!(looks(b"nothing of note\rspins\r", 99).is_empty());
    }

    #[test]
    fn the_pieces_make_no_difference() {
        let stream: Vec<u8> =
            b"Login at https://a\r\n\x1b[2K\x1b[1Acode: X\x08\x1b[H\x1b[Jtoken:\x1b[3;4Hdenied\rx".repeat(40);
        let whole = looks(&stream, stream.len());
        assert!(whole.len() > 40);
        for piece in 1..9 {
            assert_eq!(looks(&stream, piece), whole, "pieces of {piece}");
        }
    }

    #[test]
    fn a_long_stream_is_looked_at_now_and_then_and_not_for_every_line() {
        // One line in each look: two lines are paid, and one is earned with 4 KiB.
        let progress = b"get https://a/b\r".repeat(200_000);
        let looks = looks(&progress, 4096);
        assert!((2_000..2_600).contains(&looks.len()), "{}", looks.len());
        let scrolling = b"an http line\n".repeat(3000);
        assert!(self::looks(&scrolling, 4096).len() >= 10);
    }
}
