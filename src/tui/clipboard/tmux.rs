//! Copying inside tmux: to the outermost tmux that can be reached, and whether it lets the text out.
//!
//! `load-buffer -w` has tmux send OSC 52 to its terminal, without a selection: mosh takes `c` only and drops it. With
//! `set-clipboard off` tmux sends nothing. Where the deck may write to the terminal behind (`allow-passthrough`), it
//! sends the sequence itself; else the person is told the one line that is missing.

use super::program::{Done, run};
use super::{Wrapping, osc52, past_tmux};
use crate::os::processes;

/// How many times tmux may run inside of tmux.
const DEEPEST: usize = 4;

/// What a tmux and its client say of themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Way {
    /// Whether it is the tmux that the deck runs in.
    nearest: bool,
    /// The option `set-clipboard`: `on`, `external` or `off`.
    set_clipboard: String,
    /// The option `terminal-overrides`.
    overrides: String,
    /// What the client's terminal can do, as tmux knows it; empty where this tmux does not say.
    features: String,
    /// The client's `TERM`.
    terminal: String,
    /// The client came by mosh.
    mosh: bool,
    /// Programs may write to the terminal behind (`allow-passthrough`).
    passthrough: bool,
}

/// What is missing on the way to the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Obstacle {
    /// `set-clipboard` is off.
    Off,
    /// mosh drops a sequence without a selection.
    Mosh,
    /// tmux does not know that its terminal has a clipboard.
    NoFeature,
    /// The terminal is another tmux or GNU screen, on another machine.
    Nested,
}

impl Way {
    fn obstacle(&self) -> Option<Obstacle> {
        let names_selection = self.overrides.contains("52;c;");
        let has_sequence = self.overrides.contains("Ms=") || self.features.contains("clipboard");
        if self.set_clipboard == "off" {
            Some(Obstacle::Off)
        } else if self.mosh && !names_selection {
            Some(Obstacle::Mosh)
        } else if !self.features.is_empty() && !has_sequence {
            Some(Obstacle::NoFeature)
        } else if ["screen", "tmux"].iter().any(|name| self.terminal.starts_with(name)) {
            Some(Obstacle::Nested)
        } else {
            None
        }
    }
}

impl Obstacle {
    /// Says what is in the way, and the one line that mends it.
    fn advice(self, terminal: &str) -> String {
        match self {
            Self::Off => {
                "it stays inside tmux, whose set-clipboard is off: `tmux set -s set-clipboard external` lets it out".into()
            }
            Self::Mosh => "mosh drops what tmux sends: `tmux set -as terminal-overrides ',*:Ms=\\E]52;c;%p2%s\\7'` mends it, \
                           after the next attach"
                .into(),
            Self::NoFeature => format!(
                "tmux does not know that {terminal} has a clipboard: `tmux set -as terminal-features ',{terminal}:clipboard'` \
                 tells it, after the next attach"
            ),
            Self::Nested => {
                "this tmux runs inside another one, which must let it through: there `tmux set -s set-clipboard on`".into()
            }
        }
    }
}

/// Puts a text into tmux's buffer and on to the terminal, as far out as can be reached.
pub(super) async fn copy(text: &str) -> Result<Done, String> {
    let mut socket: Option<String> = None;
    let mut seen = Vec::new();
    let mut way = Way::default();
    for level in 0..DEEPEST {
        let loaded = tmux(socket.as_deref(), &["load-buffer", "-w", "-"], text).await;
        match loaded {
            Ok(_) => {}
            // The one around it is of no use; what the nearest one has stays.
            Err(_) if level > 0 => break,
            Err(failure) => return Err(failure),
        }
        let client = client(socket.as_deref()).await;
        way = ask(socket.as_deref(), level == 0, &client).await;
        seen.extend(socket.clone());
        let around = client.process_id.and_then(|id| processes::variable(id, "TMUX"));
        let around = around.and_then(|value| value.split(',').next().map(str::to_owned));
        match around.filter(|path| !path.is_empty() && !seen.contains(path)) {
            Some(around) => socket = Some(around),
            None => break,
        }
    }
    Ok(done(&way, text))
}

fn done(way: &Way, text: &str) -> Done {
    let to = "to the tmux buffer".to_owned();
    match way.obstacle() {
        Some(_) if way.nearest && way.passthrough => {
            let terminal = past_tmux(&osc52(text, Wrapping::Plain));
            Done { to: "to the tmux buffer and by OSC 52".to_owned(), terminal, note: None }
        }
        Some(obstacle) => Done { to, terminal: Vec::new(), note: Some(obstacle.advice(&way.terminal)) },
        None => Done { to, terminal: Vec::new(), note: None },
    }
}

/// A tmux's client: the process that draws on a terminal.
#[derive(Debug, Default)]
struct Client {
    process_id: Option<u32>,
    terminal: String,
    features: String,
}

async fn client(socket: Option<&str>) -> Client {
    let format = "#{client_pid} #{client_termname} #{client_termfeatures}";
    let answer = tmux(socket, &["display-message", "-p", format], "").await.unwrap_or_default();
    let mut words = answer.split_whitespace().map(str::to_owned);
    Client {
        process_id: words.next().and_then(|id| id.parse().ok()),
        terminal: words.next().unwrap_or_default(),
        features: words.next().unwrap_or_default(),
    }
}

async fn ask(socket: Option<&str>, nearest: bool, client: &Client) -> Way {
    let show =
        async |arguments: &[&str]| tmux(socket, arguments, "").await.unwrap_or_default().trim().to_owned();
    let passthrough = show(&["show-options", "-Apv", "allow-passthrough"]).await;
    let came_by = |name: &str| {
        client.process_id.is_some_and(|id| {
            processes::with_parents(id).take(16).any(|id| processes::name(id).as_deref() == Some(name))
        })
    };
    Way {
        nearest,
        set_clipboard: show(&["show-options", "-sv", "set-clipboard"]).await,
        overrides: show(&["show-options", "-sv", "terminal-overrides"]).await,
        features: client.features.clone(),
        terminal: client.terminal.clone(),
        mosh: came_by("mosh-server"),
        passthrough: matches!(passthrough.as_str(), "on" | "all"),
    }
}

async fn tmux(socket: Option<&str>, arguments: &[&str], input: &str) -> Result<String, String> {
    let socket = socket.map(|socket| ["-S", socket]);
    let command: Vec<&str> =
        ["tmux"].into_iter().chain(socket.into_iter().flatten()).chain(arguments.iter().copied()).collect();
    run(&command, input).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Way {
        Way {
            nearest: true,
            set_clipboard: "external".to_owned(),
            features: "256,clipboard,title".to_owned(),
            terminal: "xterm-256color".to_owned(),
            ..Way::default()
        }
    }

    #[test]
    fn what_is_missing_is_said_in_one_line_and_got_round_where_that_is_allowed() {
        let cases = [
            (good(), None),
            (Way { set_clipboard: "off".to_owned(), ..good() }, Some("set-clipboard external")),
            (Way { mosh: true, ..good() }, Some("Ms=")),
            (Way { mosh: true, overrides: "*:Ms=\\E]52;c;%p2%s\\7".to_owned(), ..good() }, None),
            (Way { features: "256,title".to_owned(), ..good() }, Some("',xterm-256color:clipboard'")),
            (Way { features: "256".to_owned(), overrides: "*:Ms=x".to_owned(), ..good() }, None),
            (Way { terminal: "tmux-256color".to_owned(), ..good() }, Some("inside another one")),
            (Way { features: String::new(), ..good() }, None),
        ];
        for (way, words) in cases {
            let told = done(&way, "ABCD").note;
            assert_eq!(told.is_some(), words.is_some(), "{way:?}: {told:?}");
            assert!(words.is_none_or(|words| told.unwrap().contains(words)), "{way:?}");
            let open = done(&Way { passthrough: true, ..way.clone() }, "ABCD");
            assert_eq!((open.note, open.terminal.is_empty()), (None, words.is_none()), "{way:?}");
        }
    }
}
