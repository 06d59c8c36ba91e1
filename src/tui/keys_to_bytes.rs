//! Encodes keys and pastes for a child, as xterm would in the modes that the child has set.

use super::keys::{Key, KeyPress};
use crate::protocol::screen::Modes;

/// Returns the bytes that a key sends.
pub fn encode(press: KeyPress, modes: Modes) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(8);
    match press.key {
        Key::Char(letter) => with_alt(press, &mut bytes, |bytes| char_bytes(letter, press.control, bytes)),
        Key::Enter => with_alt(press, &mut bytes, |bytes| bytes.push(b'\r')),
        Key::Escape => with_alt(press, &mut bytes, |bytes| bytes.push(0x1b)),
        Key::Tab => with_alt(press, &mut bytes, |bytes| bytes.push(b'\t')),
        Key::Backspace => {
            with_alt(press, &mut bytes, |bytes| bytes.push(if press.control { 0x08 } else { 0x7f }));
        }
        Key::BackTab => bytes.extend(b"\x1b[Z"),
        Key::Up => cursor(b'A', press, modes, &mut bytes),
        Key::Down => cursor(b'B', press, modes, &mut bytes),
        Key::Right => cursor(b'C', press, modes, &mut bytes),
        Key::Left => cursor(b'D', press, modes, &mut bytes),
        Key::Home => cursor(b'H', press, modes, &mut bytes),
        Key::End => cursor(b'F', press, modes, &mut bytes),
        Key::Insert => tilde(2, press, &mut bytes),
        Key::Delete => tilde(3, press, &mut bytes),
        Key::PageUp => tilde(5, press, &mut bytes),
        Key::PageDown => tilde(6, press, &mut bytes),
        Key::Function(number) => function(number, press, &mut bytes),
    }
    bytes
}

/// Returns the bytes of a paste. The marks are sent only to a child that switched mode 2004 on, and a paste cannot
/// end its own brackets; a line break is the Enter key, `\r`.
pub fn encode_paste(text: &str, modes: Modes) -> Vec<u8> {
    let text = text.replace("\r\n", "\r").replace('\n', "\r");
    let text: String =
        text.chars().filter(|letter| !letter.is_control() || matches!(letter, '\r' | '\t')).collect();
    if modes.bracketed_paste { format!("\x1b[200~{text}\x1b[201~").into_bytes() } else { text.into_bytes() }
}

fn with_alt(press: KeyPress, bytes: &mut Vec<u8>, put: impl FnOnce(&mut Vec<u8>)) {
    if press.alt {
        bytes.push(0x1b);
    }
    put(bytes);
}

fn char_bytes(letter: char, control: bool, bytes: &mut Vec<u8>) {
    let code = match letter {
        'a'..='z' if control => letter as u8 - b'a' + 1,
        '@' | ' ' if control => 0,
        '[' | '\\' | ']' | '^' | '_' if control => letter as u8 & 0x1f,
        '/' if control => 0x1f,
        '?' if control => 0x7f,
        _ => {
            bytes.extend(letter.encode_utf8(&mut [0; 4]).bytes());
            return;
        }
    };
    bytes.push(code);
}

/// xterm's modifier parameter: 1 + shift + 2 alt + 4 control.
fn modifier(press: KeyPress) -> u8 {
    1 + u8::from(press.shift) + 2 * u8::from(press.alt) + 4 * u8::from(press.control)
}

fn cursor(end: u8, press: KeyPress, modes: Modes, bytes: &mut Vec<u8>) {
    match modifier(press) {
        1 if modes.application_cursor => bytes.extend([0x1b, b'O', end]),
        1 => bytes.extend([0x1b, b'[', end]),
        held => bytes.extend(format!("\x1b[1;{held}{}", char::from(end)).bytes()),
    }
}

fn tilde(number: u8, press: KeyPress, bytes: &mut Vec<u8>) {
    match modifier(press) {
        1 => bytes.extend(format!("\x1b[{number}~").bytes()),
        held => bytes.extend(format!("\x1b[{number};{held}~").bytes()),
    }
}

fn function(number: u8, press: KeyPress, bytes: &mut Vec<u8>) {
    const TILDES: [u8; 20] = [15, 17, 18, 19, 20, 21, 23, 24, 25, 26, 28, 29, 31, 32, 33, 34, 42, 43, 44, 45];
    match (number, modifier(press)) {
        (1..=4, 1) => bytes.extend([0x1b, b'O', b'P' + number - 1]),
        (1..=4, held) => bytes.extend(format!("\x1b[1;{held}{}", char::from(b'P' + number - 1)).bytes()),
        (5..=24, _) => tilde(TILDES[usize::from(number) - 5], press, bytes),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(key: &str, modes: Modes) -> String {
        String::from_utf8(encode(key.parse().unwrap(), modes)).unwrap()
    }

    #[test]
    fn keys_are_encoded_as_xterm_does() {
        let plain = Modes::default();
        for (key, bytes) in [
            ("a", "a"),
            ("é", "é"),
            ("ctrl-c", "\x03"),
            ("ctrl-space", "\0"),
            ("ctrl-\\", "\x1c"),
            ("alt-b", "\x1bb"),
            ("enter", "\r"),
            ("esc", "\x1b"),
            ("backspace", "\x7f"),
            ("up", "\x1b[A"),
            ("ctrl-right", "\x1b[1;5C"),
            ("shift-up", "\x1b[1;2A"),
            ("delete", "\x1b[3~"),
            ("alt-pageup", "\x1b[5;3~"),
            ("f1", "\x1bOP"),
            ("f5", "\x1b[15~"),
            ("f12", "\x1b[24~"),
            ("backtab", "\x1b[Z"),
        ] {
            assert_eq!(sent(key, plain), bytes, "{key}");
        }
        let application = Modes { application_cursor: true, ..plain };
        assert_eq!(sent("up", application), "\x1bOA");
        assert_eq!(sent("home", application), "\x1bOH");
        assert_eq!(sent("ctrl-up", application), "\x1b[1;5A");
    }

    #[test]
    fn a_paste_is_bracketed_only_if_the_child_asked() {
        let plain = Modes::default();
        assert_eq!(encode_paste("a\nb\r\nc", plain), b"a\rb\rc");
        let bracketed = Modes { bracketed_paste: true, ..plain };
        assert_eq!(encode_paste("x\x1b[201~y", bracketed), b"\x1b[200~x[201~y\x1b[201~");
    }
}
