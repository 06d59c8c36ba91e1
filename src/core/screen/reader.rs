//! Reads what makes up most of what children write straight into the emulator: text, line ends, and control sequences
//! of plain numbers. All else is the parser's affair.
//!
//! The parser takes a step of its machine for each byte of a sequence. Where it stands in its ground state, a sequence
//! that is here as a whole can be read at once instead. So the reader has to know where the parser stands: after a
//! whole sequence, and after a character that it printed, it is in its ground state; and `ESC \` brings it there, which
//! any sequence that begins may do first, because its own `ESC` ends whatever was going on just the same.

use alacritty_terminal::vte::ansi::{CharsetIndex, Handler as _, Processor, Timeout as _};
use memchr::memchr;

use super::Synchronized;
use super::emulator::Emulator;
use super::tap::incomplete_end;
use crate::core::leading::leading;

const ESCAPE: u8 = 0x1B;
/// Ends whatever the parser is in, and does nothing else.
const TERMINATOR: &[u8] = b"\x1b\\";
/// Does nothing, wherever the parser is.
const NOTHING: &[u8] = b"\0";
/// Numbers of a control sequence that are read here.
const NUMBERS: usize = 16;
/// The greatest number that is read here.
const GREATEST: u16 = 9_999;

/// The parser, and what has to be known to go past it.
pub(super) struct Reader {
    parser: Processor<Synchronized>,
    /// The parser is in no sequence and in no string.
    ground: bool,
    /// The last character that went past the parser, which does not know yet that it would have to repeat that one.
    unknown: Option<char>,
}

impl Reader {
    pub fn new() -> Self {
        Self { parser: Processor::new(), ground: true, unknown: None }
    }

    /// Takes bytes; a character must not be cut in two, unless an `ESC` follows.
    pub fn read(&mut self, emulator: &mut Emulator, bytes: &[u8]) {
        let mut rest = bytes;
        while let Some(first) = rest.first() {
            let taken = if self.pending() {
                self.hand_over(emulator, rest);
                rest.len()
            } else if *first == ESCAPE {
                self.sequence(emulator, rest)
            } else if self.ground {
                self.text(emulator, rest)
            } else {
                let end = memchr(ESCAPE, rest).unwrap_or(rest.len());
                self.hand_over(emulator, &rest[..end]);
                self.ground = self.settle(emulator, &rest[..end]);
                end
            };
            rest = &rest[taken..];
        }
    }

    /// Whether a synchronized update is going on.
    pub fn pending(&self) -> bool {
        self.parser.sync_timeout().pending_timeout()
    }

    /// Bytes that the synchronized update holds back.
    pub fn held_back(&self) -> usize {
        self.parser.sync_bytes_count()
    }

    /// Ends the synchronized update.
    pub fn end_synchronized_update(&mut self, emulator: &mut Emulator) {
        self.parser.stop_sync(emulator);
        self.ground = false;
    }

    /// Reads text up to the next `ESC`.
    fn text(&mut self, emulator: &mut Emulator, bytes: &[u8]) -> usize {
        let mut at = 0;
        // The lines up to here were counted.
        let mut counted = 0;
        while let Some(byte) = bytes.get(at) {
            match *byte {
                ESCAPE => break,
                b'\n' if at >= counted && bytes[..at].ends_with(b"\r") => {
                    at += 1;
                    if emulator.next_line() {
                        let lines = Lines::at_start(&bytes[at..], usize::from(emulator.columns()));
                        counted = at + lines.bytes;
                        at += self.make_room(emulator, &bytes[at..counted], lines.count);
                    }
                }
                b' '..=b'~' => {
                    let length = printable(&bytes[at..]);
                    emulator.print_ascii(&bytes[at..at + length]);
                    at += length;
                    self.unknown = Some(char::from(bytes[at - 1]));
                }
                0x80.. => {
                    let length = bytes[at..].iter().take_while(|byte| !byte.is_ascii()).count();
                    self.characters(emulator, &bytes[at..at + length]);
                    at += length;
                }
                0x7F => {
                    self.character(emulator, '\x7F');
                    at += 1;
                }
                control => {
                    execute(emulator, control);
                    at += 1;
                }
            }
        }
        at
    }

    /// Scrolls for these lines at once; those that will not be on the screen at the end go straight to history. Returns
    /// the bytes of those.
    fn make_room(&mut self, emulator: &mut Emulator, lines: &[u8], count: usize) -> usize {
        if count < 2 {
            return 0;
        }
        let Some(passing) = emulator.make_room(count) else { return 0 };
        let mut rest = lines;
        for _ in 0..passing {
            let end = memchr(b'\r', rest).unwrap_or(rest.len());
            emulator.history.push_plain(&rest[..end]);
            if let Some(last) = rest[..end].last() {
                self.unknown = Some(char::from(*last));
            }
            // Behind the end of the line, which has two bytes.
            rest = rest.get(end + 2..).unwrap_or_default();
        }
        lines.len() - rest.len()
    }

    /// Prints bytes outside ASCII; what is no character becomes a replacement character, as the parser does it.
    fn characters(&mut self, emulator: &mut Emulator, bytes: &[u8]) {
        if let Ok(text) = std::str::from_utf8(bytes) {
            return self.whole_characters(emulator, text);
        }
        for chunk in bytes.utf8_chunks() {
            self.whole_characters(emulator, chunk.valid());
            if !matches!(chunk.invalid(), [] | [0x80..=0x9F]) {
                self.character(emulator, char::REPLACEMENT_CHARACTER);
            }
        }
    }

    fn whole_characters(&mut self, emulator: &mut Emulator, text: &str) {
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let mut taken = emulator.print_run(rest);
            if taken > 0 {
                self.unknown = rest[..taken].chars().next_back();
            } else {
                taken = first.len_utf8();
                // Controls in two bytes (C1) do nothing.
                if !('\u{80}'..='\u{9F}').contains(&first) {
                    self.character(emulator, first);
                }
            }
            rest = &rest[taken..];
        }
    }

    fn character(&mut self, emulator: &mut Emulator, character: char) {
        emulator.print(character);
        self.unknown = Some(character);
    }

    /// Reads the sequence that begins with this `ESC`, or as much of it as is here.
    fn sequence(&mut self, emulator: &mut Emulator, bytes: &[u8]) -> usize {
        if !self.ground {
            self.parser.advance(emulator, TERMINATOR);
            self.ground = true;
        }
        if let Some(length) = plain_sequence(emulator, bytes) {
            return length;
        }
        let whole = sequence_length(bytes);
        let length = whole.unwrap_or_else(|| 1 + memchr(ESCAPE, &bytes[1..]).unwrap_or(bytes.len() - 1));
        self.hand_over(emulator, &bytes[..length]);
        self.ground = if whole.is_some() { !self.pending() } else { self.settle(emulator, &bytes[..length]) };
        length
    }

    /// Whether the parser is in its ground state after these bytes without an `ESC` but for the first: it is so once it
    /// printed one of them.
    fn settle(&mut self, emulator: &mut Emulator, bytes: &[u8]) -> bool {
        if !self.pending() && incomplete_end(bytes) > 0 {
            // The rest of the character is not to come.
            self.parser.advance(emulator, NOTHING);
        }
        emulator.printed && !self.pending()
    }

    /// Lets the parser read these bytes.
    fn hand_over(&mut self, emulator: &mut Emulator, bytes: &[u8]) {
        if let Some(character) = self.unknown.take() {
            emulator.deaf = true;
            self.parser.advance(emulator, character.encode_utf8(&mut [0; 4]).as_bytes());
            emulator.deaf = false;
        }
        emulator.printed = false;
        self.parser.advance(emulator, bytes);
    }
}

/// Reads a control sequence of plain numbers; returns its length, or nothing if it is none, or none that is known here.
#[inline]
fn plain_sequence(emulator: &mut Emulator, bytes: &[u8]) -> Option<usize> {
    let [ESCAPE, b'[', content @ ..] = bytes else { return None };
    let mut numbers = [0_u16; NUMBERS];
    let mut count = 0;
    let mut number = 0_u16;
    for (at, byte) in content.iter().enumerate() {
        match *byte {
            digit @ b'0'..=b'9' if number <= GREATEST / 10 => number = number * 10 + u16::from(digit - b'0'),
            b';' => {
                *numbers.get_mut(count)? = std::mem::take(&mut number);
                count += 1;
            }
            last @ b'@'..=b'~' => {
                *numbers.get_mut(count)? = number;
                return emulator.control(last, &numbers[..=count]).then_some(at + 3);
            }
            _ => return None,
        }
    }
    None
}

/// The length of the sequence that begins with this `ESC`, if it is whole and leaves the parser in its ground state.
fn sequence_length(bytes: &[u8]) -> Option<usize> {
    let behind = |start: usize, inside: std::ops::RangeInclusive<u8>, last: std::ops::RangeInclusive<u8>| {
        let end = start + bytes[start..].iter().position(|byte| !inside.contains(byte))?;
        last.contains(&bytes[end]).then_some(end + 1)
    };
    match *bytes.get(1)? {
        b'[' => behind(2, 0x20..=0x3F, 0x40..=0x7E),
        b']' => {
            let end = bytes[2..].iter().position(|byte| matches!(*byte, 0x07 | 0x18 | 0x1A | ESCAPE))?;
            (bytes[2 + end] == 0x07).then_some(2 + end + 1)
        }
        0x20..=0x2F => behind(1, 0x20..=0x2F, 0x30..=0x7E),
        // These begin a string.
        b'P' | b'X' | b'^' | b'_' => None,
        0x30..=0x7E => Some(2),
        _ => None,
    }
}

/// Lines of printable ASCII that fit the screen's width and end with CR LF.
struct Lines {
    count: usize,
    bytes: usize,
}

impl Lines {
    /// Counts those at the start of some bytes.
    fn at_start(bytes: &[u8], columns: usize) -> Self {
        let mut lines = Self { count: 0, bytes: 0 };
        loop {
            let rest = &bytes[lines.bytes..];
            let length = printable(rest);
            if length > columns || !rest[length..].starts_with(b"\r\n") {
                return lines;
            }
            lines.count += 1;
            lines.bytes += length + 2;
        }
    }
}

/// Counts the printable ASCII characters at the start.
#[inline]
fn printable(bytes: &[u8]) -> usize {
    let is_printable = |byte: &u8| matches!(*byte, b' '..=b'~');
    // Single characters between sequences are as frequent as long texts.
    if let Some(few) = bytes.iter().take(2).position(|byte| !is_printable(byte)) {
        return few;
    }
    leading(bytes, is_printable)
}

/// Does what a control says.
#[inline]
fn execute(emulator: &mut Emulator, control: u8) {
    match control {
        0x07 => emulator.bell(),
        0x08 => emulator.backspace(),
        b'\t' => emulator.put_tab(1),
        b'\n' | 0x0B | 0x0C => emulator.linefeed(),
        b'\r' => emulator.carriage_return(),
        0x0E => emulator.set_active_charset(CharsetIndex::G1),
        0x0F => emulator.set_active_charset(CharsetIndex::G0),
        0x1A => emulator.substitute(),
        _ => {}
    }
}
