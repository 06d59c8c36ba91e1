//! Keys as the deck names them: `j`, `G`, `ctrl-]`, `alt-x`, `pageup`, `f1`.

use std::fmt;
use std::str::FromStr;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// A key without its modifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// A letter, digit or sign; the shift key is already in it.
    Char(char),
    /// F1 to F24.
    Function(u8),
    /// Enter.
    Enter,
    /// Escape.
    Escape,
    /// Tab.
    Tab,
    /// Shift and Tab.
    BackTab,
    /// Backspace.
    Backspace,
    /// Delete.
    Delete,
    /// Insert.
    Insert,
    /// Arrow up.
    Up,
    /// Arrow down.
    Down,
    /// Arrow left.
    Left,
    /// Arrow right.
    Right,
    /// Home.
    Home,
    /// End.
    End,
    /// Page up.
    PageUp,
    /// Page down.
    PageDown,
}

/// The names of the keys that are not letters; `space` is one too, because a blank separates keys.
const NAMES: [(&str, Key); 17] = [
    ("enter", Key::Enter),
    ("esc", Key::Escape),
    ("tab", Key::Tab),
    ("backtab", Key::BackTab),
    ("backspace", Key::Backspace),
    ("delete", Key::Delete),
    ("insert", Key::Insert),
    ("up", Key::Up),
    ("down", Key::Down),
    ("left", Key::Left),
    ("right", Key::Right),
    ("home", Key::Home),
    ("end", Key::End),
    ("pageup", Key::PageUp),
    ("pagedown", Key::PageDown),
    ("space", Key::Char(' ')),
    ("minus", Key::Char('-')),
];

/// A key with its modifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyPress {
    /// The key.
    pub key: Key,
    /// Control was held.
    pub control: bool,
    /// Alt was held.
    pub alt: bool,
    /// Shift was held; only for keys whose meaning does not have it already.
    pub shift: bool,
}

impl KeyPress {
    /// A key alone.
    pub fn plain(key: Key) -> Self {
        Self { key, control: false, alt: false, shift: false }
    }

    /// Takes a key event of the terminal; releases and keys without a meaning here are nothing.
    pub fn from_event(event: &KeyEvent) -> Option<Self> {
        if event.kind == KeyEventKind::Release {
            return None;
        }
        let key = named(event.code)?;
        let shift = event.modifiers.contains(KeyModifiers::SHIFT);
        let control = event.modifiers.contains(KeyModifiers::CONTROL);
        Some(Self {
            key: control_letter(key, control),
            control,
            alt: event.modifiers.contains(KeyModifiers::ALT),
            shift: shift && !matches!(key, Key::Char(_) | Key::BackTab),
        })
    }
}

fn named(code: KeyCode) -> Option<Key> {
    Some(match code {
        KeyCode::Char(letter) => Key::Char(letter),
        KeyCode::F(number) => Key::Function(number),
        KeyCode::Enter => Key::Enter,
        KeyCode::Esc => Key::Escape,
        KeyCode::Tab => Key::Tab,
        KeyCode::BackTab => Key::BackTab,
        KeyCode::Backspace => Key::Backspace,
        KeyCode::Delete => Key::Delete,
        KeyCode::Insert => Key::Insert,
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::Left => Key::Left,
        KeyCode::Right => Key::Right,
        KeyCode::Home => Key::Home,
        KeyCode::End => Key::End,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        _ => return None,
    })
}

/// Control makes no difference between capitals and small letters.
fn control_letter(key: Key, control: bool) -> Key {
    match key {
        Key::Char(letter) if control => Key::Char(letter.to_ascii_lowercase()),
        other => other,
    }
}

impl fmt::Display for KeyPress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (held, name) in [(self.control, "ctrl-"), (self.alt, "alt-"), (self.shift, "shift-")] {
            if held {
                formatter.write_str(name)?;
            }
        }
        match (NAMES.iter().find(|(_, key)| *key == self.key), self.key) {
            (Some((name, _)), _) => formatter.write_str(name),
            (None, Key::Function(number)) => write!(formatter, "f{number}"),
            (None, Key::Char(letter)) => write!(formatter, "{letter}"),
            (None, other) => write!(formatter, "{other:?}"),
        }
    }
}

impl FromStr for KeyPress {
    type Err = String;

    fn from_str(written: &str) -> Result<Self, String> {
        let mut press = Self::plain(Key::Enter);
        let mut rest = written;
        loop {
            let (held, after) = match rest.split_once('-') {
                Some(("ctrl", after)) => (&mut press.control, after),
                Some(("alt", after)) => (&mut press.alt, after),
                Some(("shift", after)) => (&mut press.shift, after),
                Some(_) | None => break,
            };
            *held = true;
            rest = after;
        }
        press.key = parse_key(rest).ok_or_else(|| unknown_key(written, rest))?;
        Ok(press)
    }
}

fn parse_key(name: &str) -> Option<Key> {
    if let Some((_, key)) = NAMES.iter().find(|(known, _)| *known == name) {
        return Some(*key);
    }
    if let Some(number) = name.strip_prefix('f').and_then(|digits| digits.parse::<u8>().ok()) {
        return (1..=24).contains(&number).then_some(Key::Function(number));
    }
    let mut letters = name.chars();
    match (letters.next(), letters.next()) {
        (Some(letter), None) if !letter.is_control() => Some(Key::Char(letter)),
        _ => None,
    }
}

fn unknown_key(written: &str, rest: &str) -> String {
    match super::text::nearest(rest, NAMES.iter().map(|(name, _)| *name)) {
        Some(near) => format!("`{written}` is not a key. Did you mean `{near}`?"),
        None => {
            format!("`{written}` is not a key; keys are written like `j`, `G`, `ctrl-k`, `pageup`, `f1`.")
        }
    }
}

/// Reads keys that are pressed one after the other: `g g`.
///
/// # Errors
/// A sentence that names what is not a key.
pub fn parse_sequence(written: &str) -> Result<Vec<KeyPress>, String> {
    let presses: Vec<KeyPress> = written.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    if presses.is_empty() { Err("no key is named.".into()) } else { Ok(presses) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_can_be_read_again() {
        for written in
            ["j", "G", "ctrl-]", "alt-x", "ctrl-alt-left", "pageup", "f12", "space", "minus", "?", "shift-up"]
        {
            let press: KeyPress = written.parse().unwrap();
            assert_eq!(press.to_string(), written);
        }
    }

    #[test]
    fn the_escape_chord_of_the_terminal_is_recognised() {
        let (mut parser, mut events) = (crate::tui::input::InputParser::default(), Vec::new());
        parser.feed(b"\x1d", &mut events);
        let [crossterm::event::Event::Key(event)] = &events[..] else { panic!("{events:?}") };
        assert_eq!(KeyPress::from_event(event).unwrap().to_string(), "ctrl-]");
    }

    #[test]
    fn mistakes_name_the_nearest_key() {
        assert_eq!("pagup".parse::<KeyPress>().unwrap_err(), "`pagup` is not a key. Did you mean `pageup`?");
        assert!("hello".parse::<KeyPress>().unwrap_err().contains("keys are written like"));
    }
}
