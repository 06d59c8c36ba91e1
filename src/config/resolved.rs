//! What the program makes of the configuration file: every setting with its default, its bounds and its meaning.

mod table;

use std::time::Duration;

use strsim::levenshtein;

pub use self::table::{SETTINGS, Setting};
use super::clipboard_way::ClipboardWay;
use super::raw::{Entry, Mistake, RawValue};
use crate::core::limits;

/// All settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Time limits and bounds.
    pub limits: Limits,
    /// How text gets into the person's clipboard; absent: chosen by what is there.
    pub clipboard: Option<ClipboardWay>,
    /// What becomes of URLs that children open in a browser.
    pub browser: Browser,
    /// How long a connection over ssh may take that asks nobody anything.
    pub ssh_connect: Duration,
    /// Whether and how to call the person.
    pub notifications: Notifications,
    /// The theme's name; absent: the deck chooses by what the terminal can do.
    pub theme: Option<String>,
    /// Whether the deck takes the mouse; without, the terminal's own selection works.
    pub mouse: bool,
    /// Whether the card's URL is a link (OSC 8) for the terminal.
    pub hyperlinks: bool,
    /// The person's own keys, in the file's order; the deck knows what they mean.
    pub keys: Vec<KeyBinding>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            clipboard: None,
            browser: Browser::default(),
            ssh_connect: Duration::from_secs(20),
            notifications: Notifications::default(),
            theme: None,
            mouse: true,
            hyperlinks: true,
            keys: Vec::new(),
        }
    }
}

/// Time limits and bounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long a session may take before it fails (behaviour S8).
    pub session: Duration,
    /// How long a challenge stays parked (behaviour C2).
    pub challenge: Duration,
    /// How long a provider's auth check may take.
    pub check: Duration,
    /// How long a write to a child may be stuck.
    pub write: Duration,
    /// How long a replay to a child's loopback listener may take.
    pub replay: Duration,
    /// How long a child has between SIGTERM and SIGKILL.
    pub kill_grace: Duration,
    /// How long killing with SIGKILL is tried before the survivors are reported.
    pub kill: Duration,
    /// How many sessions may have a living child at once.
    pub live_sessions: usize,
    /// How many ended sessions stay listed; the oldest go first.
    pub ended_sessions: usize,
    /// How many challenges may be parked at once.
    pub challenges: usize,
    /// How much of a child's output a keeper holds for a supervisor that is gone, in bytes.
    pub ring_bytes: usize,
    /// How many lines of history a session keeps.
    pub history_lines: usize,
    /// How much of a session's output is kept for its recording, in bytes; the oldest goes first.
    pub recording_bytes: usize,
    /// How often a session's screen is sent to a client at most, per second.
    pub frames_per_second: u32,
    /// How long a background supervisor stays when nothing is live, nothing is parked and nobody is attached.
    pub idle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let engine = limits::Limits::default();
        Self {
            session: engine.session,
            challenge: engine.challenge,
            check: engine.check,
            write: Duration::from_secs(5),
            replay: Duration::from_secs(30),
            kill_grace: Duration::from_secs(2),
            kill: Duration::from_secs(5),
            live_sessions: engine.live_sessions,
            ended_sessions: engine.ended_sessions,
            challenges: engine.challenges,
            ring_bytes: 4 * 1024 * 1024,
            history_lines: 5_000,
            recording_bytes: 4 * 1024 * 1024,
            frames_per_second: 60,
            idle: Duration::from_secs(900),
        }
    }
}

/// What becomes of URLs that children open in a browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Browser {
    /// They are reported to the session, and nothing is opened on this machine.
    pub shim: bool,
    /// The ids of providers for which that is not so.
    pub shim_off_for: Vec<String>,
}

impl Default for Browser {
    fn default() -> Self {
        Self { shim: true, shim_off_for: Vec::new() }
    }
}

/// How to call the person when a URL or a code appears or a challenge parks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notifications {
    /// Rings the terminal's bell.
    pub bell: bool,
    /// Sends a desktop notification through the terminal (OSC 9).
    pub osc9: bool,
}

impl Default for Notifications {
    fn default() -> Self {
        Self { bell: true, osc9: true }
    }
}

/// One line of a `[keys.CONTEXT]` table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyBinding {
    /// Where the key counts: `global`, `sessions`, …
    pub context: String,
    /// The key or keys as written: `ctrl-k`, `g g`.
    pub keys: String,
    /// The action's name, or `none` to unbind the key.
    pub action: String,
    /// The line it stands on, so that a mistake in it can be named.
    pub line: usize,
}

/// Makes settings of a file's fields. What does not fit is a mistake each, and its default is used.
pub fn resolve(entries: &[Entry]) -> (Settings, Vec<Mistake>) {
    let mut settings = Settings::default();
    let mut mistakes = Vec::new();
    for entry in entries {
        let outcome = match entry.path.as_slice() {
            [table, context, key] if table == "keys" => bind(&mut settings, entry, context, key),
            _ => set(&mut settings, entry),
        };
        if let Err(text) = outcome {
            mistakes.push(Mistake { line: entry.line, text });
        }
    }
    (settings, mistakes)
}

fn set(settings: &mut Settings, entry: &Entry) -> Result<(), String> {
    let name = entry.name();
    let Some(setting) = SETTINGS.iter().find(|setting| setting.name == name) else {
        return Err(unknown(&name));
    };
    (setting.apply)(settings, &entry.value).map_err(|wanted| {
        let found = match &entry.value {
            RawValue::Number(number) if wanted.starts_with("a whole number") => number.to_string(),
            RawValue::Text(text) if wanted.starts_with("one of") => format!("{text:?}"),
            RawValue::Text(_) | RawValue::Number(_) | RawValue::Truth(_) | RawValue::Other(_) => {
                entry.value.form().to_owned()
            }
        };
        format!("`{name}` must be {wanted}, not {found}; {} is used.", setting.default)
    })
}

fn bind(settings: &mut Settings, entry: &Entry, context: &str, key: &str) -> Result<(), String> {
    let RawValue::Text(action) = &entry.value else {
        return Err(format!(
            "`{}` must be the name of an action in quotes, or \"none\", not {}; the key keeps its meaning.",
            entry.name(),
            entry.value.form()
        ));
    };
    settings.keys.push(KeyBinding {
        context: context.to_owned(),
        keys: key.to_owned(),
        action: action.clone(),
        line: entry.line,
    });
    Ok(())
}

fn unknown(name: &str) -> String {
    let near = SETTINGS
        .iter()
        .map(|setting| (levenshtein(name, setting.name), setting.name))
        .min()
        .filter(|(distance, near)| *distance <= near.len() / 3);
    match near {
        Some((_, near)) => format!("`{name}` is not a setting. Did you mean `{near}`?"),
        None => format!("`{name}` is not a setting; it is ignored."),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::parse;

    use super::*;

    #[test]
    fn every_default_in_the_table_is_the_default() {
        for setting in SETTINGS.iter().filter(|setting| setting.name != "deck.theme") {
            let text = format!("{} = {}\n", setting.name, setting.default);
            let loaded = parse(Path::new("c.toml"), &text);
            assert!(loaded.messages.is_empty(), "{}: {:?}", setting.name, loaded.messages);
            assert_eq!(loaded.settings, Settings::default(), "{}", setting.name);
        }
    }

    #[test]
    fn keys_keep_their_context_and_line() {
        let loaded =
            parse(Path::new("c.toml"), "[keys.sessions]\nK = \"session.kill\"\n\"g g\" = \"none\"\nx = 3\n");
        assert_eq!(
            loaded.settings.keys[0],
            KeyBinding {
                context: "sessions".into(),
                keys: "K".into(),
                action: "session.kill".into(),
                line: 2
            }
        );
        assert_eq!(loaded.settings.keys[1].action, "none");
        assert!(loaded.messages[0].contains("line 4"), "{:?}", loaded.messages);
    }

    #[test]
    fn bounds_are_told() {
        let loaded =
            parse(Path::new("c.toml"), "limits.live_sessions = 0\nclipboard.way = \"carrier pigeon\"\n");
        assert!(loaded.messages[0].contains("from 1 to 4096, not 0; 256 is used"), "{:?}", loaded.messages);
        assert!(loaded.messages[1].contains("one of \"auto\", \"tmux\""), "{:?}", loaded.messages);
        assert_eq!(loaded.settings, Settings::default());
    }
}
