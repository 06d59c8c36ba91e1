//! The deck in a real terminal.

use std::ops::Deref;

use super::env::{AUTHDECK, Home};
use super::tmux::{Terminal, Tmux};
use super::wait::{GENEROUS, wait_for};

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
