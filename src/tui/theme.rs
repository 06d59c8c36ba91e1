//! Code names roles; a theme says how a role looks.

use std::collections::BTreeMap;

use ratatui::style::Style;

mod parse;

pub use parse::{Source, load};

macro_rules! roles {
    ($($variant:ident, $name:literal, $doc:literal;)*) => {
        /// What a piece of the deck is, as far as its look goes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Role {
            $(#[doc = $doc] $variant,)*
        }

        impl Role {
            /// Every role.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Returns its dotted name in a theme file.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

roles! {
    Text, "text", "Plain text, and what stands behind everything.";
    TextQuiet, "text.quiet", "What is there to be looked up, not read.";
    TextStrong, "text.strong", "Titles and what matters in a sentence.";
    Ui, "ui", "The deck's own parts.";
    UiHeader, "ui.header", "The line at the top.";
    UiHeaderName, "ui.header.name", "The program's name in it.";
    UiRule, "ui.rule", "Lines between parts.";
    UiRuleFocus, "ui.rule.focus", "The line beside the part that has the keys.";
    UiGroup, "ui.group", "A group's title in the list.";
    UiSelection, "ui.selection", "The selected entry, the list having the keys.";
    UiSelectionAway, "ui.selection.away", "The selected entry, the keys being elsewhere.";
    UiKey, "ui.key", "A key to press.";
    UiLabel, "ui.label", "What that key does.";
    UiDialog, "ui.dialog", "A dialog's background and text.";
    UiDialogFrame, "ui.dialog.frame", "A dialog's frame.";
    UiField, "ui.field", "A line to type into.";
    UiButton, "ui.button", "A choice in a dialog.";
    UiButtonSelected, "ui.button.selected", "The choice that Enter takes.";
    State, "state", "A session's state.";
    StateWaiting, "state.waiting", "It waits for the person.";
    StateWorking, "state.working", "The CLI works.";
    StateSuccess, "state.success", "Logged in.";
    StateFailed, "state.failed", "Ended without a login.";
    StateOver, "state.over", "Ended on the person's own order.";
    StateExpiring, "state.expiring", "Its time is nearly up.";
    Card, "card", "The card over the pane.";
    CardUrl, "card.url", "The URL but for its host.";
    CardHost, "card.host", "The URL's host.";
    CardCode, "card.code", "The device code.";
    Verdict, "verdict", "What is thought of a host.";
    VerdictExpected, "verdict.expected", "The provider's own.";
    VerdictUnknown, "verdict.unknown", "Not listed for this provider.";
    VerdictSuspicious, "verdict.suspicious", "Something speaks against it.";
    Quote, "quote", "Somebody else's words.";
    Status, "status", "The status line.";
    StatusInfo, "status.info", "Good to know.";
    StatusWarning, "status.warning", "Not as it should be.";
    StatusError, "status.error", "Something failed.";
    PaneBadge, "pane.badge", "Says that the keys go to the child, or that the view is not live.";
    PaneMatch, "pane.match", "A match of the search.";
    PaneMatchCurrent, "pane.match.current", "The match one is at.";
    QrCode, "qr", "A QR code: dark on light, whatever the theme.";
}

/// How every role looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Theme {
    /// Its name: the file's name without `.toml`.
    pub name: String,
    /// Whether no colour is to reach the terminal, the child's included.
    pub colourless: bool,
    styles: BTreeMap<Role, Style>,
}

impl Theme {
    /// Returns how a role looks: its own entry, or that of the nearest parent (`ui.key` falls back to `ui`).
    pub fn style(&self, role: Role) -> Style {
        self.styles.get(&role).copied().unwrap_or_default()
    }

    /// Returns the roles that neither the theme nor what it inherits mentions.
    pub fn missing(&self) -> Vec<Role> {
        Role::ALL.iter().copied().filter(|role| !self.styles.contains_key(role)).collect()
    }
}

/// The themes that come with the program: name and file.
pub const BUNDLED: [(&str, &str); 9] = [
    ("dark", include_str!("../../themes/dark.toml")),
    ("light", include_str!("../../themes/light.toml")),
    ("high-contrast", include_str!("../../themes/high-contrast.toml")),
    ("sixteen", include_str!("../../themes/sixteen.toml")),
    ("monochrome", include_str!("../../themes/monochrome.toml")),
    ("gruvbox", include_str!("../../themes/gruvbox.toml")),
    ("nord", include_str!("../../themes/nord.toml")),
    ("dracula", include_str!("../../themes/dracula.toml")),
    ("catppuccin", include_str!("../../themes/catppuccin.toml")),
];

/// Every theme there is, the bundled ones first, and one of them in use.
#[derive(Clone, Debug)]
pub struct Themes {
    all: Vec<Theme>,
    current: usize,
}

impl Themes {
    /// Loads the bundled themes and a person's own (name, path, text). What is wrong is a warning each.
    pub fn with(own: &[Source]) -> (Self, Vec<String>) {
        let bundled = BUNDLED.iter().map(|(name, text)| Source {
            name: (*name).to_owned(),
            file: format!("themes/{name}.toml"),
            text: (*text).to_owned(),
        });
        // A person's theme of a bundled name replaces it, and may inherit it no more.
        let mut sources: Vec<Source> =
            bundled.filter(|theme| own.iter().all(|own| own.name != theme.name)).collect();
        sources.extend(own.iter().cloned());
        let mut warnings = Vec::new();
        let all = sources.iter().map(|source| load(&source.name, &sources, &mut warnings)).collect();
        (Self { all, current: 0 }, warnings)
    }

    /// Returns the one in use.
    pub fn current(&self) -> &Theme {
        &self.all[self.current]
    }

    /// Returns all of them.
    pub fn all(&self) -> &[Theme] {
        &self.all
    }

    /// Uses the theme of that name, if there is one.
    pub fn choose(&mut self, name: &str) -> bool {
        let found = self.all.iter().position(|theme| theme.name == name);
        self.current = found.unwrap_or(self.current);
        found.is_some()
    }

    /// Uses the next one.
    pub fn next(&mut self) {
        self.current = (self.current + 1) % self.all.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bundled_themes_have_every_role_and_no_warning() {
        let (themes, warnings) = Themes::with(&[]);
        assert_eq!(warnings, Vec::<String>::new());
        for theme in themes.all() {
            assert_eq!(theme.missing(), Vec::<Role>::new(), "{}", theme.name);
        }
    }

    #[test]
    fn the_monochrome_theme_has_no_colour() {
        let (mut themes, _) = Themes::with(&[]);
        assert!(themes.choose("monochrome"));
        assert!(themes.current().colourless);
        for role in Role::ALL {
            let style = themes.current().style(*role);
            let coloured = |colour| !matches!(colour, None | Some(ratatui::style::Color::Reset));
            assert!(!coloured(style.fg) && !coloured(style.bg), "{}", role.name());
        }
    }

    #[test]
    fn the_next_theme_goes_round() {
        let (mut themes, _) = Themes::with(&[]);
        for _ in 0..themes.all().len() {
            themes.next();
        }
        assert_eq!(themes.current().name, "dark");
        assert!(!themes.choose("no such theme"));
    }
}
