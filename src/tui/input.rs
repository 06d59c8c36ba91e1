//! What a person's terminal sends, as events: keys, the mouse, pastes. Pure: bytes in, events out.
//!
//! crossterm has a parser too, but only behind a reader that blocks between the halves of a sequence, never returns
//! when the terminal vanishes (its issue 793) and reads a paste again from its start for each byte. A deck that waits
//! for keys and for the supervisor at the same time can use none of that, so the forms are read here:
//!
//! | form | what it is |
//! | --- | --- |
//! | `ESC [ 1 ; M X`, `ESC O X` | arrows, Home, End, F1 to F4, with modifiers |
//! | `ESC [ N ; M ~` | Insert, Delete, Page Up, F5 to F20 … |
//! | `ESC [ C ; M u` | keys in kitty's form |
//! | `ESC [ < B ; X ; Y M` or `m` | the mouse (mode 1006) |
//! | `ESC [ 200 ~` … `ESC [ 201 ~` | a paste (mode 2004) |
//! | `ESC X` | Alt and a key |
//!
//! Whatever else is a control sequence (an answer to a question of somebody else's) means nothing here and is dropped.

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use zeroize::Zeroize as _;

/// The longest control sequence that is waited for, in bytes.
const LONGEST_SEQUENCE: usize = 64;

/// The longest paste that is taken, in bytes; the rest of a longer one is dropped.
pub const LONGEST_PASTE: usize = 1024 * 1024;

const PASTE_END: &[u8] = b"\x1b[201~";

/// Reads the bytes of a terminal, however they are cut into pieces.
#[derive(Debug, Default)]
pub struct InputParser {
    /// The beginning of something whose end has not come.
    begun: Vec<u8>,
    /// The paste that is coming in.
    paste: Option<Vec<u8>>,
}

impl InputParser {
    /// Takes the bytes of one read and adds what they mean to `events`.
    ///
    /// Alt and a key come in one read. A read that begins with another key after one that ended with Escape is of a
    /// person who pressed both; only the rest of a control sequence belongs to that Escape.
    pub fn feed(&mut self, bytes: &[u8], events: &mut Vec<Event>) {
        let goes_on = matches!(bytes.first(), Some(b'[' | b'O'));
        if self.paste.is_none() && self.begun == [0x1b] && !goes_on {
            self.give_up(events);
        }
        for byte in bytes {
            if self.paste.is_some() {
                self.take_pasted(*byte, events);
            } else {
                self.begun.push(*byte);
                self.take_begun(events);
            }
        }
    }

    /// Tells whether a key may be over although more could follow: Escape alone, or Alt and a bracket. Call
    /// [`Self::give_up`] if nothing follows within some milliseconds.
    pub fn is_waiting(&self) -> bool {
        self.paste.is_none() && !self.begun.is_empty()
    }

    /// Takes what has begun for all there is.
    pub fn give_up(&mut self, events: &mut Vec<Event>) {
        let begun = std::mem::take(&mut self.begun);
        match begun.as_slice() {
            [0x1b] => events.push(key(KeyCode::Esc, KeyModifiers::NONE)),
            [0x1b, 0x1b] => {
                events.extend([key(KeyCode::Esc, KeyModifiers::NONE), key(KeyCode::Esc, KeyModifiers::NONE)]);
            }
            [0x1b, letter @ (b'[' | b'O')] => {
                events.push(key(KeyCode::Char(char::from(*letter)), KeyModifiers::ALT));
            }
            // Half a sequence or half a character is nothing.
            _ => {}
        }
    }

    fn take_begun(&mut self, events: &mut Vec<Event>) {
        let meaning = match self.begun.as_slice() {
            [0x1b, rest @ ..] => after_escape(rest),
            bytes => character(bytes).map(|found| found.map(|letter| plain(letter, KeyModifiers::NONE))),
        };
        match meaning {
            Meaning::Begun if self.begun.len() < LONGEST_SEQUENCE => return,
            Meaning::Begun | Meaning::Nothing => {}
            Meaning::PasteBegins => self.paste = Some(Vec::new()),
            Meaning::Event(event) => events.push(event),
            Meaning::EscapeThen => {
                // The second Escape may be the beginning of something by itself.
                events.push(key(KeyCode::Esc, KeyModifiers::NONE));
                self.begun.remove(0);
                return;
            }
        }
        self.begun.clear();
    }

    fn take_pasted(&mut self, byte: u8, events: &mut Vec<Event>) {
        let Some(paste) = &mut self.paste else { return };
        self.begun.push(byte);
        if PASTE_END.starts_with(&self.begun) {
            if self.begun.len() < PASTE_END.len() {
                return;
            }
            self.begun.clear();
            let text = String::from_utf8_lossy(paste).into_owned();
            paste.zeroize();
            self.paste = None;
            events.push(Event::Paste(text));
            return;
        }
        // What looked like the end was text; its last byte may begin the end.
        let kept = usize::from(byte == PASTE_END[0] && self.begun.len() > 1);
        let text = self.begun.len() - kept;
        if paste.len() + text <= LONGEST_PASTE {
            paste.extend_from_slice(&self.begun[..text]);
        }
        self.begun.drain(..text);
    }
}

/// What bytes mean.
#[derive(Debug)]
enum Meaning {
    /// More has to come.
    Begun,
    /// Nothing that anybody here wants to know.
    Nothing,
    PasteBegins,
    /// Escape, and then something that begins with Escape.
    EscapeThen,
    Event(Event),
}

impl From<Option<Event>> for Meaning {
    fn from(event: Option<Event>) -> Self {
        event.map_or(Self::Nothing, Self::Event)
    }
}

fn key(code: KeyCode, modifiers: KeyModifiers) -> Event {
    Event::Key(KeyEvent::new(code, modifiers))
}

/// A character in UTF-8 that may have begun only; absent if it cannot be one.
enum Character {
    Begun,
    Whole(Option<char>),
}

impl Character {
    fn map(self, meaning: impl FnOnce(Option<char>) -> Option<Event>) -> Meaning {
        match self {
            Self::Begun => Meaning::Begun,
            Self::Whole(letter) => meaning(letter).into(),
        }
    }
}

fn character(bytes: &[u8]) -> Character {
    let length = match bytes.first() {
        Some(0xc2..=0xdf) => 2,
        Some(0xe0..=0xef) => 3,
        Some(0xf0..=0xf4) => 4,
        Some(_) => 1,
        None => return Character::Begun,
    };
    match std::str::from_utf8(bytes) {
        Ok(text) => Character::Whole(text.chars().next()),
        Err(error) if error.error_len().is_none() && bytes.len() < length => Character::Begun,
        Err(_) => Character::Whole(None),
    }
}

/// A character with or without Alt; the control characters are keys.
fn plain(letter: char, held: KeyModifiers) -> Event {
    let (code, modifiers) = match letter {
        '\r' => (KeyCode::Enter, held),
        '\t' => (KeyCode::Tab, held),
        '\u{7f}' => (KeyCode::Backspace, held),
        '\0' => (KeyCode::Char(' '), held | KeyModifiers::CONTROL),
        '\u{1}'..='\u{1a}' => (shifted(letter, 0x60), held | KeyModifiers::CONTROL),
        // The signs \ ] ^ _.
        '\u{1c}'..='\u{1f}' => (shifted(letter, 0x40), held | KeyModifiers::CONTROL),
        letter if letter.is_uppercase() => (KeyCode::Char(letter), held | KeyModifiers::SHIFT),
        letter => (KeyCode::Char(letter), held),
    };
    key(code, modifiers)
}

fn shifted(letter: char, by: u32) -> KeyCode {
    KeyCode::Char(char::from_u32(u32::from(letter) + by).unwrap_or(letter))
}

fn after_escape(bytes: &[u8]) -> Meaning {
    match bytes {
        [] | [b'[' | b'O'] | [0x1b] => Meaning::Begun,
        [b'[', rest @ ..] => control_sequence(rest),
        [b'O', letter] => named(*letter, KeyModifiers::NONE).map(|code| key(code, KeyModifiers::NONE)).into(),
        // Escape twice, then a sequence: Alt and that key for some terminals, but Escape first for a person.
        [0x1b, ..] => Meaning::EscapeThen,
        text => character(text).map(|letter| letter.map(|letter| plain(letter, KeyModifiers::ALT))),
    }
}

/// The rest of `ESC [` … with its final byte, if that has come.
fn control_sequence(bytes: &[u8]) -> Meaning {
    let [parameters @ .., last] = bytes else { return Meaning::Begun };
    match last {
        // The Linux console's F1 to F5: `ESC [ [ A`.
        b'[' if parameters.is_empty() => Meaning::Begun,
        b'A'..=b'E' if parameters == b"[" => {
            Meaning::Event(key(KeyCode::F(last - b'A' + 1), KeyModifiers::NONE))
        }
        0x40..=0x7e => meaning_of(parameters, *last),
        0x20..=0x3f => Meaning::Begun,
        _ => Meaning::Nothing,
    }
}

fn meaning_of(parameters: &[u8], last: u8) -> Meaning {
    if let Some(report) = parameters.strip_prefix(b"<") {
        return mouse(&numbers(report), last).map(Event::Mouse).into();
    }
    if parameters.iter().any(|byte| !matches!(byte, b'0'..=b'9' | b';' | b':')) {
        return Meaning::Nothing;
    }
    let numbers = numbers(parameters);
    let first = numbers.first().copied().unwrap_or(0);
    let held = modifiers(numbers.get(1).copied().unwrap_or(1));
    match last {
        b'~' if first == 200 => Meaning::PasteBegins,
        b'~' => numbered(first).map(|code| key(code, held)).into(),
        b'u' => kitty(first, held).into(),
        b'Z' => Meaning::Event(key(KeyCode::BackTab, held | KeyModifiers::SHIFT)),
        b'I' if parameters.is_empty() => Meaning::Event(Event::FocusGained),
        b'O' if parameters.is_empty() => Meaning::Event(Event::FocusLost),
        letter => named(letter, held).map(|code| key(code, held)).into(),
    }
}

/// The numbers between semicolons; of `A:B` the first.
fn numbers(parameters: &[u8]) -> Vec<u16> {
    parameters
        .split(|byte| *byte == b';')
        .map(|number| {
            let digits = number.iter().take_while(|byte| byte.is_ascii_digit());
            digits.fold(0, |sum: u16, digit| sum.saturating_mul(10).saturating_add(u16::from(digit - b'0')))
        })
        .collect()
}

/// The modifiers as xterm counts them: one more than the sum of Shift 1, Alt 2, Control 4.
fn modifiers(number: u16) -> KeyModifiers {
    let bits = number.saturating_sub(1);
    let mut held = KeyModifiers::NONE;
    for (bit, modifier) in [(1, KeyModifiers::SHIFT), (2, KeyModifiers::ALT), (4, KeyModifiers::CONTROL)] {
        if bits & bit != 0 {
            held |= modifier;
        }
    }
    held
}

/// Keys with a letter at their end. A cursor report (`R` with parameters) looks like F3 and is none.
fn named(letter: u8, held: KeyModifiers) -> Option<KeyCode> {
    Some(match letter {
        b'A' => KeyCode::Up,
        b'B' => KeyCode::Down,
        b'C' => KeyCode::Right,
        b'D' => KeyCode::Left,
        b'F' => KeyCode::End,
        b'H' => KeyCode::Home,
        b'M' if held.is_empty() => KeyCode::Enter,
        b'P' => KeyCode::F(1),
        b'Q' => KeyCode::F(2),
        b'R' if held.is_empty() => KeyCode::F(3),
        b'S' => KeyCode::F(4),
        _ => return None,
    })
}

/// Keys with a number before `~`.
fn numbered(number: u16) -> Option<KeyCode> {
    let function = |number: u16, by: u16| u8::try_from(number - by).map(KeyCode::F).ok();
    match number {
        1 | 7 => Some(KeyCode::Home),
        2 => Some(KeyCode::Insert),
        3 => Some(KeyCode::Delete),
        4 | 8 => Some(KeyCode::End),
        5 => Some(KeyCode::PageUp),
        6 => Some(KeyCode::PageDown),
        11..=15 => function(number, 10),
        17..=21 => function(number, 11),
        23..=26 => function(number, 12),
        28..=29 => function(number, 13),
        31..=34 => function(number, 14),
        _ => None,
    }
}

/// A key in kitty's form, which some terminals use for a few keys without being asked.
fn kitty(code: u16, held: KeyModifiers) -> Option<Event> {
    let code = match code {
        13 => KeyCode::Enter,
        27 => KeyCode::Esc,
        9 if held.contains(KeyModifiers::SHIFT) => KeyCode::BackTab,
        9 => KeyCode::Tab,
        127 => KeyCode::Backspace,
        code => KeyCode::Char(char::from_u32(u32::from(code)).filter(|letter| !letter.is_control())?),
    };
    Some(key(code, held))
}

/// The mouse in the form of mode 1006: button and modifiers, column and row from 1, `M` pressed or `m` released.
fn mouse(numbers: &[u16], last: u8) -> Option<MouseEvent> {
    let [buttons, column, row] = *numbers else { return None };
    let released = match last {
        b'M' => false,
        b'm' => true,
        _ => return None,
    };
    let button = match buttons & 3 {
        0 => Some(MouseButton::Left),
        1 => Some(MouseButton::Middle),
        2 => Some(MouseButton::Right),
        _ => None,
    };
    let kind = match (buttons & !0b1_1111, button) {
        (0, Some(button)) if released => MouseEventKind::Up(button),
        (0, Some(button)) => MouseEventKind::Down(button),
        (32, Some(button)) => MouseEventKind::Drag(button),
        (32, None) => MouseEventKind::Moved,
        (64, Some(MouseButton::Left)) => MouseEventKind::ScrollUp,
        (64, Some(MouseButton::Middle)) => MouseEventKind::ScrollDown,
        (64, Some(MouseButton::Right)) => MouseEventKind::ScrollLeft,
        (64, None) => MouseEventKind::ScrollRight,
        _ => return None,
    };
    let mut modifiers = KeyModifiers::NONE;
    for (bit, modifier) in [(4, KeyModifiers::SHIFT), (8, KeyModifiers::ALT), (16, KeyModifiers::CONTROL)] {
        if buttons & bit != 0 {
            modifiers |= modifier;
        }
    }
    Some(MouseEvent { kind, column: column.checked_sub(1)?, row: row.checked_sub(1)?, modifiers })
}

#[cfg(test)]
mod tests {
    use crossterm::event::KeyEventKind;
    use proptest::prelude::*;

    use super::*;

    fn read(bytes: &[u8]) -> Vec<Event> {
        let (mut parser, mut events) = (InputParser::default(), Vec::new());
        parser.feed(bytes, &mut events);
        parser.give_up(&mut events);
        events
    }

    fn keys(bytes: &[u8]) -> Vec<(KeyCode, KeyModifiers)> {
        let event = |event: Event| match event {
            Event::Key(key) if key.kind == KeyEventKind::Press => (key.code, key.modifiers),
            other => panic!("{other:?}"),
        };
        read(bytes).into_iter().map(event).collect()
    }

    #[test]
    fn letters_and_control_characters() {
        use KeyModifiers as M;
        for (bytes, code, modifiers) in [
            (&b"a"[..], KeyCode::Char('a'), M::NONE),
            (b"G", KeyCode::Char('G'), M::SHIFT),
            ("ü".as_bytes(), KeyCode::Char('ü'), M::NONE),
            ("漢".as_bytes(), KeyCode::Char('漢'), M::NONE),
            (b"\r", KeyCode::Enter, M::NONE),
            (b"\t", KeyCode::Tab, M::NONE),
            (b"\x7f", KeyCode::Backspace, M::NONE),
            (b"\x03", KeyCode::Char('c'), M::CONTROL),
            (b"\n", KeyCode::Char('j'), M::CONTROL),
            (b"\x1d", KeyCode::Char(']'), M::CONTROL),
            (b"\0", KeyCode::Char(' '), M::CONTROL),
            (b"\x1b", KeyCode::Esc, M::NONE),
            (b"\x1bx", KeyCode::Char('x'), M::ALT),
            ("\x1bé".as_bytes(), KeyCode::Char('é'), M::ALT),
            (b"\x1b[", KeyCode::Char('['), M::ALT),
        ] {
            assert_eq!(keys(bytes), [(code, modifiers)], "{bytes:?}");
        }
    }

    #[test]
    fn sequences_in_the_forms_that_terminals_use() {
        use KeyModifiers as M;
        for (bytes, code, modifiers) in [
            (&b"\x1b[A"[..], KeyCode::Up, M::NONE),
            (b"\x1bOA", KeyCode::Up, M::NONE),
            (b"\x1b[1;5D", KeyCode::Left, M::CONTROL),
            (b"\x1b[1;2F", KeyCode::End, M::SHIFT),
            (b"\x1b[3~", KeyCode::Delete, M::NONE),
            (b"\x1b[6;3~", KeyCode::PageDown, M::ALT),
            (b"\x1b[Z", KeyCode::BackTab, M::SHIFT),
            (b"\x1bOP", KeyCode::F(1), M::NONE),
            (b"\x1b[[E", KeyCode::F(5), M::NONE),
            (b"\x1b[15~", KeyCode::F(5), M::NONE),
            (b"\x1b[24~", KeyCode::F(12), M::NONE),
            (b"\x1b[97;5u", KeyCode::Char('a'), M::CONTROL),
            (b"\x1b[27u", KeyCode::Esc, M::NONE),
        ] {
            assert_eq!(keys(bytes), [(code, modifiers)], "{bytes:?}");
        }
        assert_eq!(keys(b"\x1b\x1b[A"), [(KeyCode::Esc, M::NONE), (KeyCode::Up, M::NONE)]);
        assert_eq!(keys(b"\x1b\x1b"), [(KeyCode::Esc, M::NONE), (KeyCode::Esc, M::NONE)]);
    }

    #[test]
    fn escape_and_then_a_key_are_two_keys_if_they_come_one_after_the_other() {
        let (mut parser, mut events) = (InputParser::default(), Vec::new());
        for read in [&b"\x1b"[..], b"k", b"\x1b", b"[A"] {
            parser.feed(read, &mut events);
        }
        let none = KeyModifiers::NONE;
        let expected = [KeyCode::Esc, KeyCode::Char('k'), KeyCode::Up].map(|code| key(code, none));
        assert_eq!(events, expected);
    }

    #[test]
    fn answers_to_others_questions_and_broken_bytes_mean_nothing() {
        for bytes in [
            &b"\x1b[?62;22c"[..],
            b"\x1b[12;40R",
            b"\x1b[?2026;2$y",
            b"\x1b[99~",
            b"\xff\xfe",
            b"\xc3(",
            b"\x1b[<0;0;0M",
            b"\x1b[<300;1;1M",
        ] {
            let found: Vec<Event> = read(bytes);
            assert!(found.is_empty(), "{bytes:?}: {found:?}");
        }
        let long = [b"\x1b[".as_slice(), &[b'1'; 500]].concat();
        assert!(keys(&long).len() < 500);
    }

    #[test]
    fn the_mouse() {
        let mouse = |kind, column, row, modifiers| Event::Mouse(MouseEvent { kind, column, row, modifiers });
        let none = KeyModifiers::NONE;
        assert_eq!(
            read(b"\x1b[<0;12;3M\x1b[<0;12;3m"),
            [
                mouse(MouseEventKind::Down(MouseButton::Left), 11, 2, none),
                mouse(MouseEventKind::Up(MouseButton::Left), 11, 2, none),
            ]
        );
        assert_eq!(
            read(b"\x1b[<64;200;1M\x1b[<81;1;1M"),
            [
                mouse(MouseEventKind::ScrollUp, 199, 0, none),
                mouse(MouseEventKind::ScrollDown, 0, 0, KeyModifiers::CONTROL),
            ]
        );
    }

    #[test]
    fn a_paste_is_one_event_whatever_is_in_it() {
        let paste = |text: &str| [Event::Paste(text.to_owned())];
        assert_eq!(read(b"\x1b[200~a\rb\x1b[Ac\x1b\x1b[201~"), paste("a\rb\x1b[Ac\x1b"));
        assert_eq!(read(b"\x1b[200~\x1b[201~"), paste(""));
        let huge = [b"\x1b[200~".as_slice(), &vec![b'x'; LONGEST_PASTE + 500], b"\x1b[201~"].concat();
        assert!(matches!(&read(&huge)[..], [Event::Paste(text)] if text.len() <= LONGEST_PASTE));
    }

    proptest! {
        #[test]
        fn the_pieces_make_no_difference(bytes in prop::collection::vec(prop_oneof![
            Just(0x1bu8), Just(b'['), Just(b'O'), Just(b'<'), Just(b';'), Just(b'~'), Just(b'2'), Just(b'0'),
            Just(b'1'), any::<u8>(),
        ], 0..80), piece in 1usize..7) {
            let mut parser = InputParser::default();
            let mut events = Vec::new();
            // Where a read ends with Escape, the cut means something.
            let mut rest = bytes.as_slice();
            while !rest.is_empty() {
                let whole = |length: &usize| *length == rest.len() || rest[length - 1] != 0x1b;
                let length = (piece.min(rest.len())..=rest.len()).find(whole).unwrap_or(rest.len());
                parser.feed(&rest[..length], &mut events);
                rest = &rest[length..];
            }
            parser.give_up(&mut events);
            prop_assert_eq!(events, read(&bytes));
        }
    }
}
