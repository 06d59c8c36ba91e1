//! What the program makes of the configuration file: every setting with its default, its bounds and its meaning.

use std::time::Duration;

use super::raw::{Entry, Mistake, RawValue};

/// All settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Time limits and bounds.
    pub limits: Limits,
    /// How text gets into the person's clipboard.
    pub clipboard: ClipboardWay,
    /// Whether and how to call the person.
    pub notifications: Notifications,
    /// The theme's name; absent: the deck chooses by what the terminal can do.
    pub theme: Option<String>,
    /// Whether the deck takes the mouse; without, the terminal's own selection works.
    pub mouse: bool,
    /// The person's own keys, in the file's order; the deck knows what they mean.
    pub keys: Vec<KeyBinding>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            clipboard: ClipboardWay::default(),
            notifications: Notifications::default(),
            theme: None,
            mouse: true,
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
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            session: Duration::from_secs(600),
            challenge: Duration::from_secs(300),
            check: Duration::from_secs(20),
            write: Duration::from_secs(5),
            replay: Duration::from_secs(10),
            kill_grace: Duration::from_secs(2),
            kill: Duration::from_secs(5),
            live_sessions: 256,
            ended_sessions: 256,
            challenges: 1024,
            ring_bytes: 4 * 1024 * 1024,
            history_lines: 5_000,
            recording_bytes: 4 * 1024 * 1024,
            frames_per_second: 60,
        }
    }
}

/// A way into the person's clipboard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClipboardWay {
    /// Chosen by what is there.
    #[default]
    Auto,
    /// tmux's own buffer, which tmux hands to the terminal: `set-buffer -w`.
    Tmux,
    /// OSC 52, the terminal's escape sequence for it.
    Osc52,
    /// The desktop's clipboard.
    Desktop,
    /// A file that only the person can read.
    File,
}

impl ClipboardWay {
    /// Every way with its name in the configuration file.
    pub const NAMES: [(&'static str, Self); 5] = [
        ("auto", Self::Auto),
        ("tmux", Self::Tmux),
        ("osc52", Self::Osc52),
        ("desktop", Self::Desktop),
        ("file", Self::File),
    ];
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
    pub key: String,
    /// The action's name, or `none` to unbind the key.
    pub action: String,
    /// The line it stands on, so that a mistake in it can be named.
    pub line: usize,
}

/// How a value of the file becomes a setting. Tells in words what it must be if it does not fit.
type Apply = fn(&mut Settings, &RawValue) -> Result<(), String>;

/// One setting: the only place that knows its name, its default and its meaning.
pub struct Setting {
    /// Its name in the file: `limits.session_seconds`.
    pub name: &'static str,
    /// Its default as written in the file.
    pub default: &'static str,
    /// What it is, in one sentence.
    pub about: &'static str,
    apply: Apply,
}

/// Every setting, in the order of the documentation.
pub static SETTINGS: &[Setting] = &[
    Setting {
        name: "limits.session_seconds",
        default: "600",
        about: "A session that takes longer fails.",
        apply: |to, value| seconds(&mut to.limits.session, value, 7 * 24 * 3600),
    },
    Setting {
        name: "limits.challenge_seconds",
        default: "300",
        about: "A challenge that waits longer is cancelled.",
        apply: |to, value| seconds(&mut to.limits.challenge, value, 24 * 3600),
    },
    Setting {
        name: "limits.check_seconds",
        default: "20",
        about: "A provider's own check that takes longer counts as failed.",
        apply: |to, value| seconds(&mut to.limits.check, value, 600),
    },
    Setting {
        name: "limits.write_seconds",
        default: "5",
        about: "Input that a child does not take for this long is given up.",
        apply: |to, value| seconds(&mut to.limits.write, value, 600),
    },
    Setting {
        name: "limits.replay_seconds",
        default: "10",
        about: "A callback that a child's listener does not answer for this long is given up.",
        apply: |to, value| seconds(&mut to.limits.replay, value, 600),
    },
    Setting {
        name: "limits.kill_grace_seconds",
        default: "2",
        about: "The time between SIGTERM and SIGKILL.",
        apply: |to, value| seconds(&mut to.limits.kill_grace, value, 600),
    },
    Setting {
        name: "limits.kill_seconds",
        default: "5",
        about: "How long SIGKILL is repeated before survivors are reported.",
        apply: |to, value| seconds(&mut to.limits.kill, value, 600),
    },
    Setting {
        name: "limits.live_sessions",
        default: "256",
        about: "Sessions with a living child at once.",
        apply: |to, value| count(&mut to.limits.live_sessions, value, 1, 4096),
    },
    Setting {
        name: "limits.ended_sessions",
        default: "256",
        about: "Ended sessions that stay listed.",
        apply: |to, value| count(&mut to.limits.ended_sessions, value, 1, 100_000),
    },
    Setting {
        name: "limits.challenges",
        default: "1024",
        about: "Challenges parked at once.",
        apply: |to, value| count(&mut to.limits.challenges, value, 1, 65_536),
    },
    Setting {
        name: "limits.ring_bytes",
        default: "4194304",
        about: "Output that a keeper holds for a supervisor that is gone.",
        apply: |to, value| count(&mut to.limits.ring_bytes, value, 65_536, 256 * 1024 * 1024),
    },
    Setting {
        name: "limits.history_lines",
        default: "5000",
        about: "Lines of history that a session keeps.",
        apply: |to, value| count(&mut to.limits.history_lines, value, 100, 100_000),
    },
    Setting {
        name: "limits.recording_bytes",
        default: "4194304",
        about: "Output that is kept for a session's recording.",
        apply: |to, value| count(&mut to.limits.recording_bytes, value, 65_536, 256 * 1024 * 1024),
    },
    Setting {
        name: "limits.frames_per_second",
        default: "60",
        about: "Updates of a screen per second at most.",
        apply: |to, value| {
            let mut frames = 0;
            count(&mut frames, value, 1, 120)?;
            to.limits.frames_per_second = u32::try_from(frames).unwrap_or(u32::MAX);
            Ok(())
        },
    },
    Setting {
        name: "clipboard.way",
        default: "\"auto\"",
        about: "How text is copied: auto, tmux, osc52, desktop or file.",
        apply: |to, value| clipboard(&mut to.clipboard, value),
    },
    Setting {
        name: "notifications.bell",
        default: "true",
        about: "Rings the terminal's bell when something waits for you.",
        apply: |to, value| truth(&mut to.notifications.bell, value),
    },
    Setting {
        name: "notifications.osc9",
        default: "true",
        about: "Sends a notification through the terminal when something waits for you.",
        apply: |to, value| truth(&mut to.notifications.osc9, value),
    },
    Setting {
        name: "deck.theme",
        default: "chosen by the terminal",
        about: "The theme's name.",
        apply: |to, value| match value {
            RawValue::Text(name) if !name.is_empty() => {
                to.theme = Some(name.clone());
                Ok(())
            }
            RawValue::Text(_) | RawValue::Number(_) | RawValue::Truth(_) | RawValue::Other(_) => {
                Err("the name of a theme".into())
            }
        },
    },
    Setting {
        name: "deck.mouse",
        default: "true",
        about: "Whether the deck takes the mouse.",
        apply: |to, value| truth(&mut to.mouse, value),
    },
];

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
        key: key.to_owned(),
        action: action.clone(),
        line: entry.line,
    });
    Ok(())
}

fn unknown(name: &str) -> String {
    let near = SETTINGS
        .iter()
        .map(|setting| (distance(name, setting.name), setting.name))
        .min()
        .filter(|(distance, near)| *distance <= near.len() / 3);
    match near {
        Some((_, near)) => format!("`{name}` is not a setting. Did you mean `{near}`?"),
        None => format!("`{name}` is not a setting; it is ignored."),
    }
}

/// Returns how many letters must be put in, taken out or changed to make one text of the other (Levenshtein).
pub fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, letter) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for (column, other) in right.iter().enumerate() {
            let change = diagonal + usize::from(letter != *other);
            diagonal = row[column + 1];
            row[column + 1] = change.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[right.len()]
}

fn seconds(into: &mut Duration, value: &RawValue, most: usize) -> Result<(), String> {
    let mut number = 0;
    count(&mut number, value, 1, most)?;
    *into = Duration::from_secs(u64::try_from(number).unwrap_or(u64::MAX));
    Ok(())
}

fn count(into: &mut usize, value: &RawValue, least: usize, most: usize) -> Result<(), String> {
    let wanted = || format!("a whole number from {least} to {most}");
    let RawValue::Number(number) = value else { return Err(wanted()) };
    match usize::try_from(*number) {
        Ok(number) if (least..=most).contains(&number) => *into = number,
        Ok(_) | Err(_) => return Err(wanted()),
    }
    Ok(())
}

fn truth(into: &mut bool, value: &RawValue) -> Result<(), String> {
    let RawValue::Truth(truth) = value else { return Err("true or false".into()) };
    *into = *truth;
    Ok(())
}

fn clipboard(into: &mut ClipboardWay, value: &RawValue) -> Result<(), String> {
    let wanted = || {
        let names: Vec<_> = ClipboardWay::NAMES.iter().map(|(name, _)| format!("\"{name}\"")).collect();
        format!("one of {}", names.join(", "))
    };
    let RawValue::Text(text) = value else { return Err(wanted()) };
    *into = ClipboardWay::NAMES.iter().find(|(name, _)| name == text).ok_or_else(wanted)?.1;
    Ok(())
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
                key: "K".into(),
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

    #[test]
    fn distance_counts_letters() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("same", "same"), 0);
    }
}
