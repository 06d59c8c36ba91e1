//! A child's environment, and where its command is found.

use std::ffi::OsString;
use std::path::Path;

use crate::core::ids::SessionId;
use crate::core::secret::Secret;
use crate::driver::paths::{BROWSER_NAME, PLACE};

/// Variables of the person's own terminal. The child has another one behind it, and must not be led to write to the
/// person's, nor to believe in a multiplexer that does not see it.
const OF_THE_OUTER_TERMINAL: &[&str] = &[
    "COLUMNS",
    "LINES",
    "GPG_TTY",
    "SSH_TTY",
    "STY",
    "TERMCAP",
    "TERM_PROGRAM",
    "TERM_PROGRAM_VERSION",
    "TERM_SESSION_ID",
    "TMUX",
    "TMUX_PANE",
    "VTE_VERSION",
    "WINDOW",
    "WINDOWID",
];

/// The same, by their beginnings.
const OF_THE_OUTER_TERMINAL_BEGINNING: &[&str] =
    &["ALACRITTY_", "AUTHDECK_", "GHOSTTY_", "ITERM_", "KITTY_", "KONSOLE_", "WEZTERM_", "ZELLIJ"];

/// What of this supervisor a child is told.
#[derive(Debug)]
pub struct Supervisor<'a> {
    /// The supervisor's socket.
    pub socket: &'a Path,
    /// The program that asks for passwords.
    pub askpass: &'a Path,
    /// The internal credential (behaviour W2): it leaves the process only through this environment.
    pub credential: &'a Secret,
}

/// A whole environment, in order, each name once. It has the internal credential in it, so it is not shown.
#[derive(Clone, Default)]
pub struct Environment(Vec<(String, String)>);

impl std::fmt::Debug for Environment {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Environment({} variables)", self.0.len())
    }
}

impl Environment {
    /// Takes over what a child may inherit. Variables that are no UTF-8 are left out.
    pub fn inherited(from: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let mut environment = Self::default();
        for (name, value) in from {
            let (Ok(name), Ok(value)) = (name.into_string(), value.into_string()) else { continue };
            let outer = OF_THE_OUTER_TERMINAL.contains(&name.as_str())
                || OF_THE_OUTER_TERMINAL_BEGINNING.iter().any(|beginning| name.starts_with(beginning));
            if !outer {
                environment.set(name, value);
            }
        }
        environment
    }

    /// Sets a variable.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        let (name, value) = (name.into(), value.into());
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = value,
            None => self.0.push((name, value)),
        }
    }

    /// Tells the child about its terminal and about the supervisor.
    pub fn describe(&mut self, session_id: &SessionId, supervisor: &Supervisor<'_>) {
        self.set("TERM", "xterm-256color");
        self.set("COLORTERM", "truecolor");
        self.set("AUTHDECK_URL", format!("unix:{}", supervisor.socket.display()));
        self.set("AUTHDECK_CREDENTIAL", supervisor.credential.secret());
        self.set("AUTHDECK_SESSION", session_id.as_str());
        if let Some(place) = supervisor.socket.parent() {
            self.set(PLACE, place.to_string_lossy());
        }
        for variable in ["SSH_ASKPASS", "GIT_ASKPASS", "SUDO_ASKPASS"] {
            self.set(variable, supervisor.askpass.to_string_lossy());
        }
        // The keeper puts the path of the session's own terminal in: what is inherited names the deck's.
        self.set("GPG_TTY", "");
        // Without it ssh asks on the terminal, where nobody may be looking.
        self.set("SSH_ASKPASS_REQUIRE", "force");
    }

    /// Makes whatever the child opens in a browser come to the programs in the folder `openers`.
    pub fn report_browser(&mut self, openers: &Path) {
        let program = openers.join(BROWSER_NAME).to_string_lossy().into_owned();
        // gh reads its own variable first; Python splits `BROWSER` at colons and `%s`, which the path has none of.
        self.set("GH_BROWSER", program.as_str());
        self.set("BROWSER", program);
    }

    /// Puts a folder in front of the `PATH`.
    pub fn search_first(&mut self, folder: &Path) {
        let path = match self.get("PATH") {
            Some(path) if !path.is_empty() => format!("{}:{path}", folder.display()),
            Some(_) | None => folder.display().to_string(),
        };
        self.set("PATH", path);
    }

    /// Returns a variable's value.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Returns all of it.
    pub fn variables(&self) -> &[(String, String)] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Environment {
        Environment::inherited(pairs.iter().map(|(name, value)| (name.into(), value.into())))
    }

    #[test]
    fn a_child_does_not_inherit_the_persons_terminal_or_an_outer_credential() {
        let environment = of(&[
            ("HOME", "/home/a"),
            ("TMUX", "/tmp/tmux-0/default"),
            ("SSH_TTY", "/dev/pts/1"),
            ("SSH_CONNECTION", "192.0.2.1 1 192.0.2.2 22"),
            ("AUTHDECK_CREDENTIAL", "outer"),
            ("ZELLIJ_SESSION_NAME", "x"),
        ]);
        let names: Vec<&str> = environment.variables().iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["HOME", "SSH_CONNECTION"]);
    }

    #[test]
    fn a_child_learns_where_to_ask_and_the_last_word_counts() {
        let mut environment = of(&[("TERM", "dumb")]);
        let credential = Secret::new("canary-value");
        let supervisor = Supervisor {
            socket: Path::new("/run/authdeck/supervisor.sock"),
            askpass: Path::new("/run/authdeck/bin/authdeck-askpass"),
            credential: &credential,
        };
        environment.describe(&SessionId::new("auth-1"), &supervisor);
        assert_eq!(environment.get("TERM"), Some("xterm-256color"));
        assert_eq!(environment.get("AUTHDECK_URL"), Some("unix:/run/authdeck/supervisor.sock"));
        assert_eq!(environment.get("SUDO_ASKPASS"), Some("/run/authdeck/bin/authdeck-askpass"));
        environment.set("TERM", "vt100");
        assert_eq!(environment.get("TERM"), Some("vt100"));
        assert!(!format!("{environment:?}").contains("canary-value"));
    }

    #[test]
    fn what_the_child_opens_is_reported_whatever_it_calls() {
        let mut environment = of(&[("PATH", "/usr/bin:/bin"), ("BROWSER", "w3m")]);
        environment.report_browser(Path::new("/run/authdeck/browser"));
        environment.search_first(Path::new("/run/authdeck/browser"));
        let program = Some("/run/authdeck/browser/authdeck-browser");
        assert_eq!((environment.get("BROWSER"), environment.get("GH_BROWSER")), (program, program));
        assert_eq!(environment.get("PATH"), Some("/run/authdeck/browser:/usr/bin:/bin"));
        let mut bare = of(&[]);
        bare.search_first(Path::new("/b"));
        assert_eq!(bare.get("PATH"), Some("/b"), "an empty entry would be the working folder");
    }
}
