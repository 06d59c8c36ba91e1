//! A thin look at the child's bytes before the emulator reads them.
//!
//! The emulator's parser is good but trusting. The tap does four things it does not:
//! - an operating-system command (`ESC ]` …) is held back until its end came, and dropped if it is longer than the
//!   limit: the parser's own buffer for it has none;
//! - queries that the emulator ignores (`CSI > q`, `CSI 16 t`, `DCS + q`, `DCS $ q`) become one that it does pass on
//!   ([`Query`]), so that they are answered in the order they were asked;
//! - the count of `CSI n b` (repeat) is cut to one screen: eight bytes must not cost 65,535 characters of work;
//! - a character cut in two by the end of a piece waits for its rest (the parser, vte 0.15, may lose the one behind it).
//!
//! What it lets through does not depend on how the bytes were cut into pieces: whatever it cannot judge yet it holds.

use std::sync::LazyLock;

use memchr::memmem::Finder;
use memchr::{memchr, memchr_iter, memchr2, memchr3, memrchr};

use super::queries::{self, Query, STRING_BYTES};

const ESCAPE: u8 = 0x1B;
const BELL: u8 = 0x07;
const CANCEL: u8 = 0x18;
const SUBSTITUTE: u8 = 0x1A;
/// The longest control sequence that is looked at in full; 32 parameters of three digits fit. A repeat that is longer
/// costs the child so many bytes that it need not be cut.
const SEQUENCE_BYTES: usize = 160;
/// Ends whatever sequence the parser is in, and does nothing else.
const TERMINATOR: &[u8] = b"\x1b\\";

/// What was dropped in part and is still going on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Discarding {
    #[default]
    Nothing,
    Command,
}

/// The state between two pieces: what is held back, and what is being dropped.
#[derive(Debug, Default)]
pub(super) struct Tap {
    held: Vec<u8>,
    discarding: Discarding,
    /// The parser was already taken out of its sequence for the `ESC` that is held.
    terminated: bool,
}

/// Bounds that the tap enforces.
#[derive(Clone, Copy, Debug)]
pub(super) struct TapLimits {
    /// The longest operating-system command, in bytes without its introducer.
    pub command_bytes: usize,
    /// The most that one repeat sequence may repeat.
    pub repeats: usize,
}

/// What an escape sequence at the start of some bytes is.
enum Verdict {
    /// Nothing to do with it; goes on after so many bytes behind the `ESC`.
    Pass(usize),
    /// Its end is not here yet.
    Wait,
    /// So many bytes behind the `ESC` are replaced by these.
    Replace(usize, Vec<u8>),
    /// So many bytes behind the `ESC` are dropped, and what follows until the end of the sequence.
    Drop(usize, Discarding),
}

impl Tap {
    /// Gives `bytes` on to `emulate`, in as few pieces as possible.
    pub fn feed(&mut self, bytes: &[u8], limits: TapLimits, emulate: &mut impl FnMut(&[u8])) {
        if !self.held.is_empty() {
            let mut joined = std::mem::take(&mut self.held);
            joined.extend_from_slice(bytes);
            self.pass(&joined, limits, emulate);
        } else if self.discarding == Discarding::Nothing && is_harmless(bytes) {
            // Only what the end of the piece may have cut in two is looked at.
            let (settled, last) = bytes.split_at(memrchr(ESCAPE, bytes).unwrap_or(0));
            emulate_some(settled, emulate);
            self.pass(last, limits, emulate);
        } else {
            self.pass(bytes, limits, emulate);
        }
    }

    fn pass(&mut self, bytes: &[u8], limits: TapLimits, emulate: &mut impl FnMut(&[u8])) {
        // All before `given` was given on or dropped; all before `at` was judged.
        let mut given = self.skip_discarded(bytes);
        let mut at = given;
        // It is about the first byte, if that is an ESC.
        let first_terminated = std::mem::take(&mut self.terminated);
        while let Some(offset) = find_escape(&bytes[at..]) {
            let escape = at + offset;
            if is_ordinary_sequence(&bytes[escape + 1..]) {
                at = escape + 4;
                continue;
            }
            let terminated = first_terminated && escape == 0;
            let executed = junk(&bytes[escape + 1..]);
            let behind = escape + 1 + executed;
            if executed > 0 {
                emulate_some(&bytes[given..escape], emulate);
                execute_first(&bytes[escape + 1..behind], terminated, emulate);
                given = behind;
            }
            match judge(&bytes[behind..], limits) {
                Verdict::Pass(length) => {
                    if executed > 0 {
                        emulate(&[ESCAPE]);
                    }
                    at = behind + length;
                    continue;
                }
                Verdict::Wait => {
                    emulate_some(&bytes[given..escape.max(given)], emulate);
                    self.terminated = terminated || executed > 0;
                    self.held.push(ESCAPE);
                    self.held.extend_from_slice(&bytes[behind..]);
                    return;
                }
                Verdict::Replace(length, replacement) => {
                    emulate_some(&bytes[given..escape.max(given)], emulate);
                    emulate(&replacement);
                    given = behind + length;
                }
                Verdict::Drop(length, discarding) => {
                    emulate_some(&bytes[given..escape.max(given)], emulate);
                    emulate(TERMINATOR);
                    self.discarding = discarding;
                    given = behind + length;
                    given += self.skip_discarded(&bytes[given..]);
                }
            }
            at = given;
        }
        let rest = &bytes[given..];
        let (whole, partial) = rest.split_at(rest.len() - incomplete_end(rest));
        emulate_some(whole, emulate);
        self.held.extend_from_slice(partial);
    }

    /// Returns how many of the bytes belong to what is being dropped; ends the dropping at its end.
    fn skip_discarded(&mut self, bytes: &[u8]) -> usize {
        let end = match self.discarding {
            Discarding::Nothing => return 0,
            Discarding::Command => command_end(bytes),
        };
        match end {
            None => bytes.len(),
            Some(end) => {
                self.discarding = Discarding::Nothing;
                if bytes[end] == ESCAPE { end } else { end + 1 }
            }
        }
    }
}

/// Tells at the price of a few searches that nothing which begins in these bytes can be for the tap, but for what
/// their end cuts in two.
fn is_harmless(bytes: &[u8]) -> bool {
    static CELL_SIZE_QUERY: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"16t"));
    static CAPABILITY_QUERY: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\x1bP+q"));
    static SETTING_QUERY: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\x1bP$q"));
    // A repeat ends with `b` behind its count, or behind a control that is executed inside the sequence.
    let repeats = |at: usize| {
        at.checked_sub(1).is_none_or(|before| matches!(bytes[before], b'0'..=b';' | 0..=0x1F | 0x7F..=0xFF))
    };
    memchr2(b']', b'>', bytes).is_none()
        && !memchr_iter(b'b', bytes).any(repeats)
        && CELL_SIZE_QUERY.find(bytes).is_none()
        && CAPABILITY_QUERY.find(bytes).is_none()
        && SETTING_QUERY.find(bytes).is_none()
}

/// Finds the next `ESC`; sequences that follow each other closely are faster found byte by byte.
#[inline]
fn find_escape(bytes: &[u8]) -> Option<usize> {
    const NEAR: usize = 12;
    let near = bytes.len().min(NEAR);
    match bytes[..near].iter().position(|byte| *byte == ESCAPE) {
        None => memchr(ESCAPE, &bytes[near..]).map(|offset| near + offset),
        found => found,
    }
}

fn emulate_some(bytes: &[u8], emulate: &mut impl FnMut(&[u8])) {
    if !bytes.is_empty() {
        emulate(bytes);
    }
}

/// Lets the controls between an `ESC` and its introducer act before the `ESC`, which makes no difference once it has
/// ended whatever string the parser was in.
fn execute_first(junk: &[u8], terminated: bool, emulate: &mut impl FnMut(&[u8])) {
    if !terminated {
        emulate(TERMINATOR);
    }
    let controls: Vec<u8> = junk.iter().copied().filter(|byte| *byte < 0x20).collect();
    emulate(&controls);
}

/// Counts the bytes that leave the parser waiting for the introducer of an escape sequence.
fn junk(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .position(|byte| matches!(*byte, CANCEL | SUBSTITUTE | ESCAPE | 0x20..=0x7E))
        .unwrap_or(bytes.len())
}

/// Judges the escape sequence whose bytes behind the `ESC` are given.
fn judge(behind: &[u8], limits: TapLimits) -> Verdict {
    match behind.first() {
        None => Verdict::Wait,
        Some(b']') => judge_command(&behind[1..], limits),
        Some(b'[') => judge_sequence(&behind[1..], limits),
        Some(b'P') => judge_string(&behind[1..]),
        Some(_) => Verdict::Pass(0),
    }
}

/// The position of the byte that ends an operating-system command.
fn command_end(bytes: &[u8]) -> Option<usize> {
    let usual = memchr3(BELL, ESCAPE, CANCEL, bytes);
    let searched = &bytes[..usual.unwrap_or(bytes.len())];
    memchr2(SUBSTITUTE, SUBSTITUTE, searched).or(usual)
}

fn judge_command(content: &[u8], limits: TapLimits) -> Verdict {
    match command_end(content) {
        Some(end) if end <= limits.command_bytes => Verdict::Pass(1 + end),
        Some(_) => Verdict::Drop(1, Discarding::Command),
        None if content.len() > limits.command_bytes => Verdict::Drop(1, Discarding::Command),
        None => Verdict::Wait,
    }
}

/// A device control string is looked at only if it is a query: all others are the parser's affair.
fn judge_string(content: &[u8]) -> Verdict {
    let is_query = match content {
        [] | [b'+' | b'$'] => return Verdict::Wait,
        [b'+' | b'$', b'q', ..] => true,
        _ => false,
    };
    if !is_query {
        return Verdict::Pass(0);
    }
    let end =
        content.iter().take(STRING_BYTES).position(|byte| matches!(*byte, ESCAPE | CANCEL | SUBSTITUTE));
    match end {
        None if content.len() >= STRING_BYTES => Verdict::Pass(0),
        None => Verdict::Wait,
        Some(end) if content[end] != ESCAPE => Verdict::Pass(0),
        Some(end) => match content.get(end + 1) {
            None => Verdict::Wait,
            Some(b'\\') => {
                let asked = queries::of_string(&content[..end]);
                let marked = asked.into_iter().flat_map(Query::marked).collect();
                Verdict::Replace(1 + end + 2, marked)
            }
            Some(_) => Verdict::Pass(0),
        },
    }
}

/// Tells at a glance that a control sequence is none of those that the tap cares for, as almost all are.
///
/// Only a leading number of three digits can be an abusive count, and only `>` and `16` begin a marked query.
#[inline]
fn is_ordinary_sequence(behind: &[u8]) -> bool {
    let [b'[', first, second, third, ..] = *behind else { return false };
    let settled = |byte: u8| matches!(byte, 0x20..=0x2F | 0x3A..=0x7E);
    match first {
        b'>' | ESCAPE => false,
        b'1' if second == b'6' => false,
        _ if settled(first) => second != ESCAPE && third != ESCAPE,
        _ if settled(second) => third != ESCAPE,
        _ => second != ESCAPE && settled(third),
    }
}

fn ends_sequence(byte: u8) -> bool {
    matches!(byte, 0x40..=0x7E | ESCAPE | CANCEL | SUBSTITUTE)
}

fn judge_sequence(content: &[u8], limits: TapLimits) -> Verdict {
    let suspect = match content.first() {
        Some(b'>') => true,
        Some(b'1') if content.get(1).is_none_or(|byte| *byte == b'6') => true,
        _ => !content.iter().take(3).any(|byte| matches!(*byte, 0x20..=0x2F | 0x3A..=0x7E)),
    };
    if !suspect {
        return Verdict::Pass(1);
    }
    let Some(end) = content.iter().take(SEQUENCE_BYTES).position(|byte| ends_sequence(*byte)) else {
        return if content.len() >= SEQUENCE_BYTES { Verdict::Pass(1) } else { Verdict::Wait };
    };
    judge_complete(&content[..end], content[end], limits)
}

fn judge_complete(parameters: &[u8], last: u8, limits: TapLimits) -> Verdict {
    let length = 1 + parameters.len() + 1;
    let pass = Verdict::Pass(1 + parameters.len());
    match (last, parameters) {
        (b'q', [b'>'] | [b'>', b'0']) => Verdict::Replace(length, Query::Version.marked()),
        (b't', b"16") => Verdict::Replace(length, Query::CellSize.marked()),
        (b'b', _) => match repeat_count(parameters) {
            Some(count) if count > limits.repeats => {
                let mut replacement: Vec<u8> =
                    parameters.iter().copied().filter(|byte| *byte < 0x20).collect();
                replacement.extend_from_slice(format!("\x1b[{}b", limits.repeats).as_bytes());
                Verdict::Replace(length, replacement)
            }
            _ => pass,
        },
        _ => pass,
    }
}

/// The first parameter of a sequence without private marks, as the parser reads it.
fn repeat_count(parameters: &[u8]) -> Option<usize> {
    let mut count = 0_usize;
    for byte in parameters {
        match *byte {
            digit @ b'0'..=b'9' => count = count.saturating_mul(10).saturating_add(usize::from(digit - b'0')),
            b';' | b':' => break,
            0x20..=0x2F | 0x3C..=0x3F => return None,
            _ => {}
        }
    }
    Some(count)
}

/// Counts the bytes at the end that begin a character but do not end it.
pub(crate) fn incomplete_end(bytes: &[u8]) -> usize {
    let tail = &bytes[bytes.len().saturating_sub(3)..];
    // The last byte that can begin a character decides; what follows it are its continuation bytes.
    let Some(start) = tail.iter().rposition(|byte| !matches!(byte, 0x80..=0xBF)) else { return 0 };
    match std::str::from_utf8(&tail[start..]) {
        Err(error) if error.error_len().is_none() => tail.len() - start,
        Ok(_) | Err(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: TapLimits = TapLimits { command_bytes: 16, repeats: 100 };

    fn through(pieces: &[&[u8]]) -> Vec<u8> {
        let mut tap = Tap::default();
        let mut out = Vec::new();
        for piece in pieces {
            tap.feed(piece, LIMITS, &mut |bytes: &[u8]| out.extend_from_slice(bytes));
            assert!(tap.held.len() <= 2 * SEQUENCE_BYTES, "held {}", tap.held.len());
        }
        out
    }

    fn both_ways(input: &[u8]) -> Vec<u8> {
        let whole = through(&[input]);
        let single: Vec<&[u8]> = input.chunks(1).collect();
        assert_eq!(through(&single), whole, "{:?}", String::from_utf8_lossy(input));
        whole
    }

    #[test]
    fn ordinary_bytes_pass_unchanged() {
        for input in [
            &b"plain text\r\n"[..],
            b"\x1b[31mred\x1b[0m \x1b[38;2;100;200;250mtrue\x1b[m",
            b"\x1b]8;;http://a\x07x\x1b]8;;\x07.",
            b"\x1b]0;title\x1b\\.",
            b"\x1b(0lqk\x1b(B",
            b"\x1bPq#0\x1b\\.",
            b"\x1b[100;20Hx",
            b"\x1b[>1u\x1b[>4;2m.",
            b"\x1b[16;1t.",
        ] {
            assert_eq!(both_ways(input), input);
        }
    }

    #[test]
    fn queries_the_emulator_ignores_are_marked() {
        assert_eq!(both_ways(b"a\x1b[>qb\x1b[>0qc"), b"a\x1b[?64001$pb\x1b[?64001$pc");
        assert_eq!(both_ways(b"\x1b[16t\x1b[14t"), b"\x1b[?64002$p\x1b[14t");
        assert_eq!(both_ways(b"a\x1bP+q544e;00\x1b\\b"), b"a\x1b[?64003$p\x1b[?64006$pb");
        assert_eq!(both_ways(b"a\x1bP$qm\x1b\\b"), b"a\x1b[?64007$pb");
    }

    #[test]
    fn strings_that_are_no_whole_query_pass() {
        let long = [&b"\x1bP+q"[..], &b"41".repeat(200), b"\x1b\\."].concat();
        for input in
            [&long[..], b"\x1bP+q54\x1b[31m.", b"\x1bP+q54\x18.", b"\x1bP+p\x1b\\.", b"\x1bP$\x1b\\."]
        {
            assert_eq!(both_ways(input), input);
        }
    }

    #[test]
    fn a_repeat_is_cut_to_the_limit() {
        assert_eq!(both_ways(b"x\x1b[65535by\x1b[0000099999;3b"), b"x\x1b[100by\x1b[100b");
        assert_eq!(both_ways(b"x\x1b[655\n35b"), b"x\n\x1b[100b");
        assert_eq!(both_ways(b"x\x1b[99b\x1b[100b"), b"x\x1b[99b\x1b[100b");
        assert_eq!(both_ways(b"x\x1b[\n\x1b[900b"), b"x\x1b[\n\x1b[100b");
    }

    #[test]
    fn a_command_beyond_the_limit_is_dropped_whole() {
        let long = [&b"a\x1b]0;"[..], &[b'x'; 500], b"\x07b"].concat();
        assert_eq!(both_ways(&long), b"a\x1b\\b");
        let endless = [&b"a\x1b]0;"[..], &[b'x'; 500], b"\x1b[31mb"].concat();
        assert_eq!(both_ways(&endless), b"a\x1b\\\x1b[31mb");
    }

    #[test]
    fn controls_inside_an_escape_do_not_hide_a_command() {
        let hidden = [&b"\x1b\n\0]0;"[..], &[b'x'; 500], b"\x07b"].concat();
        assert_eq!(both_ways(&hidden), b"\x1b\\\n\0\x1b\\b");
    }

    #[test]
    fn a_sequence_longer_than_any_real_one_is_the_parsers_affair() {
        let long = [&b"a\x1b[111"[..], &b";1".repeat(50_000), b"mb"].concat();
        assert_eq!(both_ways(&long), long);
    }

    #[test]
    fn a_glance_at_a_piece_misses_nothing() {
        let filler = "\x1b[38;5;100mword \x1b[10;20Hx".repeat(20);
        let long = "x".repeat(500);
        for (sequence, expected) in [
            ("\x1b[>q".to_owned(), "\x1b[?64001$p"),
            ("\x1b[16t".to_owned(), "\x1b[?64002$p"),
            ("\x1bP$qm\x1b\\".to_owned(), "\x1b[?64007$p"),
            ("\x1b[65535b".to_owned(), "\x1b[100b"),
            ("\x1b[65535;1b".to_owned(), "\x1b[100b"),
            (format!("\x1b]0;{long}\x07"), "\x1b\\"),
        ] {
            let around = |middle: &str| format!("{filler}{middle}{filler}").into_bytes();
            assert_eq!(both_ways(&around(&sequence)), around(expected), "{sequence:?}");
        }
    }
}
