//! The deck in a real terminal.

use std::ops::Deref;

use super::env::{AUTHDECK, Home};
use super::tmux::{Terminal, Tmux};
use super::wait::{GENEROUS, wait_for};

/// How the deck shows that a session stands: a sign and a word.
#[derive(Clone, Copy, Debug)]
pub enum State {
    /// A URL waits for the person.
    OpenUrl,
    /// A device code waits for the person.
    EnterCode,
    /// Finished, checked and stored.
    LoggedIn,
    /// Ended without success.
    Failed,
    /// Killed by the person.
    Killed,
    /// Ended well, and nothing shows that anybody has logged in.
    NotProven,
    /// Ended well, and showed nothing to log in with.
    Ended,
}

impl State {
    fn sign_and_word(self) -> (char, &'static str) {
        match self {
            Self::OpenUrl => ('◆', "open URL"),
            Self::EnterCode => ('◆', "enter code"),
            Self::LoggedIn => ('✓', "logged in"),
            Self::Failed => ('✗', "failed"),
            Self::Killed => ('–', "killed"),
            Self::NotProven => ('?', "ended, not proven"),
            Self::Ended => ('–', "ended (exit 0)"),
        }
    }

    /// Tells whether the list or the card shows it: the sign, and after it the word, which in the list may stand below.
    pub fn is_on(self, screen: &str) -> bool {
        let (sign, word) = self.sign_and_word();
        let lines: Vec<&str> = screen.lines().collect();
        lines.iter().enumerate().any(|(at, line)| {
            let Some(after) = line.find(sign).map(|found| &line[found..]) else { return false };
            let below = lines.get(at + 1).and_then(|next| next.split('│').next()).unwrap_or_default();
            after.contains(word) || below.contains(word)
        })
    }
}

/// `authdeck` running in a tmux of its own. All that a [`Tmux`] can do, it can.
pub struct Deck<'a> {
    tmux: Tmux<'a>,
}

impl<'a> Deck<'a> {
    /// Starts `authdeck` with these arguments in this terminal, with `set-clipboard on` so that a copy can be read back.
    pub fn start_in(home: &'a Home, terminal: &Terminal<'_>, arguments: &[&str]) -> Self {
        let config = [terminal.config, &["set -g set-clipboard on"]].concat();
        let terminal = Terminal { config: &config, ..*terminal };
        let tmux = Tmux::start(home, &terminal, &[&[AUTHDECK], arguments].concat());
        Self { tmux }
    }

    /// The same at 100 columns and 30 rows.
    pub fn start(home: &'a Home, arguments: &[&str]) -> Self {
        Self::start_in(home, &Terminal::default(), arguments)
    }

    /// Presses `key` again and again until the screen satisfies `predicate`: for a key that must not be lost, but may
    /// come before the deck is ready for it. Only for keys that do no harm twice.
    pub fn press_until(&self, key: &str, what: &str, predicate: impl Fn(&str) -> bool) -> String {
        wait_for(what, GENEROUS, || {
            let screen = self.screen();
            if predicate(&screen) {
                return Ok(screen);
            }
            self.press(&[key]);
            Err(screen)
        })
    }

    /// Waits until the list shows a session in this state.
    pub fn wait_state(&self, state: State) -> String {
        self.wait(&format!("a session that is {state:?}"), |screen| state.is_on(screen))
    }

    /// Presses a copying key once and returns what arrived in the clipboard.
    pub fn copy(&self, key: &str, what: &str, is_it: impl Fn(&str) -> bool) -> String {
        self.forget_clipboard();
        self.press(&[key]);
        let copied = self.wait_clipboard(what, |_| true);
        assert!(is_it(&copied), "this is not {what}: {copied:?}\n{}", self.screen());
        copied
    }

    /// Presses a copying key until what arrives is the right thing: for what the deck is about to find.
    pub fn copy_until(&self, key: &str, what: &str, is_it: impl Fn(&str) -> bool) -> String {
        wait_for(&format!("{what} in the clipboard"), GENEROUS, || {
            self.press(&[key]);
            match self.clipboard() {
                Some(text) if is_it(&text) => Ok(text),
                other => Err(format!("clipboard: {other:?}\n{}", self.screen())),
            }
        })
    }

    /// Opens the paste dialog, pastes and hands in.
    pub fn paste_answer(&self, text: &str) {
        self.press(&["p"]);
        self.wait_text("Paste");
        self.paste(text);
        self.press(&["Enter"]);
    }

    /// Selects the challenge that waits.
    pub fn select_challenge(&self) {
        self.press(&["a"]);
    }

    /// Opens the waiting challenge, types the answer, returns the screen as it was then, and hands it in.
    pub fn answer_challenge(&self, text: &str) -> String {
        self.select_challenge();
        self.press(&["Enter"]);
        self.wait_text("enter");
        self.type_text(text);
        let screen = self.screen();
        self.press(&["Enter"]);
        screen
    }

    /// Types keys into the child, and takes the keyboard back.
    pub fn type_into_child(&self, keys: &[&str]) {
        self.press(&["i"]);
        self.wait_text("ctrl-]");
        self.press(keys);
        self.press(&["C-]"]);
    }

    /// Kills the selected session: asks once.
    pub fn kill(&self) {
        self.press(&["x"]);
        self.wait_text("and everything it started?");
        self.press(&["y"]);
    }

    /// Waits until the deck has ended by itself.
    pub fn wait_over(&self) {
        wait_for("the deck has ended", GENEROUS, || if self.is_over() { Ok(()) } else { Err(self.screen()) });
    }
}

impl<'a> Deref for Deck<'a> {
    type Target = Tmux<'a>;

    fn deref(&self) -> &Tmux<'a> {
        &self.tmux
    }
}
