//! URLs as they stand in the byte stream, to be compared with what the grid shows.
//!
//! A child can print one URL and let the grid show another: with carriage returns, backspaces and cursor moves inside
//! of it. The grid is what the person sees, the stream is what was said; where they disagree, nothing is copied
//! without a question.

use std::collections::VecDeque;
use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::wrap::is_url_char;

/// Captures that are kept.
const MOST: usize = 64;

/// Longest URL that is captured, in bytes.
const LONGEST: usize = 16 * 1024;

static HTTP: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"http"));

/// What ended a captured URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Text that cannot be in a URL: it was whole.
    Text,
    /// A line end or a cursor move: it may go on elsewhere.
    Break,
}

#[derive(Clone, Debug)]
struct Capture {
    text: String,
    end: End,
}

/// Where in an escape sequence inside of a URL the stream is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Escape {
    None,
    Begun,
    Sequence,
    Command,
    Ending,
}

/// The URLs of the stream, newest last.
#[derive(Clone, Debug)]
pub(in crate::core::detect) struct Captures {
    kept: VecDeque<Capture>,
    /// How much of "http" was seen at the end of the last piece.
    begun: usize,
    current: Option<String>,
    escape: Escape,
}

impl Captures {
    pub fn new() -> Self {
        Self { kept: VecDeque::new(), begun: 0, current: None, escape: Escape::None }
    }

    /// Takes the next bytes of the stream.
    pub fn feed(&mut self, bytes: &[u8]) {
        let mut at = 0;
        while at < bytes.len() {
            if self.current.is_some() {
                self.take(bytes[at]);
                at += 1;
            } else if self.begun > 0 {
                self.begin(bytes[at]);
                at += 1;
            } else {
                match HTTP.find(&bytes[at..]) {
                    Some(found) => {
                        at += found + 4;
                        self.current = Some("http".to_owned());
                        self.escape = Escape::None;
                    }
                    None => return self.remember_tail(&bytes[at..]),
                }
            }
        }
    }

    /// Tells whether the stream contradicts a URL that the grid shows.
    pub fn contradict(&self, url: &str) -> bool {
        let open = self.current.as_ref().is_some_and(|text| agrees(text, End::Break, url));
        !open && !self.kept.iter().any(|capture| agrees(&capture.text, capture.end, url))
    }

    fn remember_tail(&mut self, rest: &[u8]) {
        self.begun = (1..4).rev().find(|length| rest.ends_with(&b"http"[..*length])).unwrap_or(0);
    }

    /// One byte while the word "http" may be in the making across two pieces.
    fn begin(&mut self, byte: u8) {
        if byte == b"http"[self.begun] {
            self.begun += 1;
        } else {
            self.begun = usize::from(byte == b'h');
        }
        if self.begun == 4 {
            self.begun = 0;
            self.current = Some("http".to_owned());
            self.escape = Escape::None;
        }
    }

    fn take(&mut self, byte: u8) {
        match self.escape {
            Escape::None => self.take_text(byte),
            Escape::Begun => match byte {
                b'[' => self.escape = Escape::Sequence,
                b']' => self.escape = Escape::Command,
                b'\\' => self.escape = Escape::None,
                _ => self.finish(End::Break),
            },
            Escape::Sequence => match byte {
                b'm' => self.escape = Escape::None,
                0x20..=0x3f => {}
                _ => self.finish(End::Break),
            },
            Escape::Command => match byte {
                0x07 => self.escape = Escape::None,
                0x1b => self.escape = Escape::Ending,
                _ => {}
            },
            Escape::Ending => {
                self.escape = if byte == b'\\' { Escape::None } else { Escape::Command };
            }
        }
    }

    fn take_text(&mut self, byte: u8) {
        match byte {
            0x1b => self.escape = Escape::Begun,
            _ if is_url_char(char::from(byte)) => {
                if let Some(current) = &mut self.current
                    && current.len() < LONGEST
                {
                    current.push(char::from(byte));
                }
            }
            b'\r' | b'\n' | 0x08 | 0x0b | 0x0c => self.finish(End::Break),
            _ => self.finish(End::Text),
        }
    }

    fn finish(&mut self, end: End) {
        self.escape = Escape::None;
        let Some(text) = self.current.take() else { return };
        if !text.contains("://") {
            return;
        }
        if self.kept.len() == MOST {
            self.kept.pop_front();
        }
        self.kept.push_back(Capture { text, end });
    }
}

/// Whether a captured text and a URL of the grid can be the same.
fn agrees(captured: &str, end: End, url: &str) -> bool {
    match captured.strip_prefix(url) {
        // The grid's URL is trimmed of punctuation, so a few characters may be left over.
        Some(rest) => rest.chars().all(|c| !c.is_ascii_alphanumeric()),
        None => end == End::Break && url.starts_with(captured),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contradict(stream: &[u8], url: &str) -> bool {
        let mut captures = Captures::new();
        for byte in stream {
            captures.feed(&[*byte]);
        }
        let mut whole = Captures::new();
        whole.feed(stream);
        assert_eq!(captures.contradict(url), whole.contradict(url), "the pieces make a difference");
        whole.contradict(url)
    }

    #[test]
    fn plain_coloured_and_broken_urls_agree() {
        assert!(!contradict(b"see https://a.example/x?y=z.\r\n", "https://a.example/x?y=z"));
        assert!(!contradict(b"\x1b[4mhttps://a.exam\x1b[1mple/x\x1b[0m\n", "https://a.example/x"));
        assert!(!contradict(b"https://a.example/long-\r\r\nrest ", "https://a.example/long-rest"));
    }

    #[test]
    fn overwritten_urls_are_contradicted() {
        assert!(contradict(b"https://evil.example/login\x08\x08", "https://evil.example/logic"));
        assert!(contradict(b"https://evil.example/aaaa\x1b[9Dgood", "https://good.example/aaaa"));
        assert!(contradict(b"https://a.example/x?y=secret \x1b[K", "https://a.example/x"));
    }
}
