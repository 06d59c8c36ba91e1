//! What the environment says about the terminal and the machine. Read once, by whoever calls; data from then on.

/// How many colours reach the terminal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Colours {
    /// None: `NO_COLOR` or a terminal without.
    None,
    /// The sixteen.
    Sixteen,
    /// The 256.
    #[default]
    Indexed,
    /// All.
    True,
}

/// The terminal and the machine around the deck.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// The deck runs inside tmux (`TMUX`).
    pub tmux: bool,
    /// The deck runs inside GNU screen (`STY`).
    pub screen: bool,
    /// The deck runs in an SSH session.
    pub ssh: bool,
    /// There is a desktop on this machine (`DISPLAY` or `WAYLAND_DISPLAY`).
    pub display: bool,
    /// The browser to start (`BROWSER`), if the person named one.
    pub browser: Option<String>,
    /// How many colours the terminal has.
    pub colours: Colours,
    /// Whether the locale is UTF-8, so that signs beyond ASCII can be drawn.
    pub unicode: bool,
    /// Whether the terminal says that its background is light (`COLORFGBG`).
    pub light: bool,
    /// Whether the terminal takes OSC 8, or at the least skips what it does not know.
    pub hyperlinks: bool,
}

impl Surroundings {
    /// Reads them from an environment.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| variable(name).is_some_and(|value| !value.is_empty());
        let term = variable("TERM").unwrap_or_default();
        Self {
            tmux: set("TMUX"),
            screen: set("STY"),
            ssh: set("SSH_CONNECTION") || set("SSH_CLIENT") || set("SSH_TTY"),
            display: set("DISPLAY") || set("WAYLAND_DISPLAY"),
            browser: variable("BROWSER").filter(|browser| !browser.is_empty()),
            colours: colours(set("NO_COLOR"), &term, &variable("COLORTERM").unwrap_or_default()),
            unicode: is_utf8(&variable),
            light: variable("COLORFGBG").is_some_and(|colours| is_light(&colours)),
            hyperlinks: skips_unknown_commands(&term),
        }
    }

    /// Tells whether a browser or the desktop's clipboard is where the person is.
    pub fn local_desktop(&self) -> bool {
        self.display && !self.ssh
    }

    /// Tells whether there is a browser here that the person sees.
    pub fn has_browser(&self) -> bool {
        !self.ssh && (self.display || self.browser.is_some())
    }

    /// Returns the theme that suits the terminal.
    pub fn default_theme(&self) -> &'static str {
        match self.colours {
            Colours::None => "monochrome",
            Colours::Sixteen => "sixteen",
            Colours::Indexed | Colours::True if self.light => "light",
            Colours::Indexed | Colours::True => "dark",
        }
    }
}

fn colours(refused: bool, term: &str, colorterm: &str) -> Colours {
    if refused || term.is_empty() || term == "dumb" || term.starts_with("vt") {
        Colours::None
    } else if colorterm == "truecolor" || colorterm == "24bit" || term.ends_with("-direct") {
        Colours::True
    } else if term.contains("256color")
        || ["alacritty", "xterm-kitty", "xterm-ghostty", "foot", "wezterm"].contains(&term)
    {
        Colours::Indexed
    } else {
        Colours::Sixteen
    }
}

/// The first of the three that is set decides, as in POSIX; none is the C locale.
fn is_utf8(variable: &impl Fn(&str) -> Option<String>) -> bool {
    let names = ["LC_ALL", "LC_CTYPE", "LANG"];
    let locale = names.iter().find_map(|name| variable(name).filter(|value| !value.is_empty()));
    let locale = locale.unwrap_or_default().to_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

/// The consoles of kernels and hardware print what they do not know of an operating-system command.
fn skips_unknown_commands(term: &str) -> bool {
    let prints = ["dumb", "linux", "vt", "cons", "sun", "wsvt"];
    !term.is_empty() && !prints.iter().any(|start| term.starts_with(start))
}

/// `COLORFGBG` is `foreground;background` in the sixteen; 7 and 15 are light.
fn is_light(colours: &str) -> bool {
    matches!(colours.rsplit(';').next(), Some("7" | "15"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Surroundings {
        Surroundings::read(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn colours_follow_the_terminal() {
        assert_eq!(read(&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")]).colours, Colours::True);
        assert_eq!(read(&[("TERM", "tmux-256color")]).colours, Colours::Indexed);
        assert_eq!(read(&[("TERM", "screen")]).default_theme(), "sixteen");
        assert_eq!(read(&[("TERM", "xterm-256color"), ("NO_COLOR", "1")]).default_theme(), "monochrome");
        assert_eq!(read(&[("TERM", "xterm-256color"), ("NO_COLOR", "")]).default_theme(), "dark");
        assert_eq!(read(&[("TERM", "xterm-256color"), ("COLORFGBG", "0;15")]).default_theme(), "light");
    }

    #[test]
    fn a_console_gets_no_links() {
        assert!(read(&[("TERM", "xterm-256color")]).hyperlinks);
        assert!(read(&[("TERM", "screen.xterm-256color")]).hyperlinks);
        for term in ["linux", "vt220", "dumb", ""] {
            assert!(!read(&[("TERM", term)]).hyperlinks, "{term}");
        }
    }

    #[test]
    fn the_first_locale_variable_decides() {
        assert!(read(&[("LANG", "en_US.UTF-8")]).unicode);
        assert!(!read(&[("LC_ALL", "C"), ("LANG", "en_US.UTF-8")]).unicode);
        assert!(!read(&[]).unicode);
    }

    #[test]
    fn a_forwarded_display_is_not_where_the_person_is() {
        assert!(read(&[("DISPLAY", ":0")]).local_desktop());
        assert!(!read(&[("DISPLAY", "localhost:10"), ("SSH_CONNECTION", "x")]).local_desktop());
    }
}
