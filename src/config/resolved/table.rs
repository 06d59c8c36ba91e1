//! The table of settings: each with its name, its default, its meaning, and how a value of the file becomes it.

use std::time::Duration;

use super::{ClipboardWay, Settings};
use crate::config::raw::RawValue;

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
    pub(super) apply: Apply,
}

/// Every setting, in the order of the documentation.
pub static SETTINGS: &[Setting] = &[
    Setting {
        name: "version",
        default: "1",
        about: "The form of this file; there is one so far.",
        apply: |_, value| match value {
            RawValue::Number(1) => Ok(()),
            RawValue::Number(_) | RawValue::Text(_) | RawValue::Truth(_) | RawValue::Other(_) => {
                Err("1".into())
            }
        },
    },
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
        default: "30",
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
        name: "limits.idle_seconds",
        default: "900",
        about: "A background supervisor with nothing live, nothing parked and nobody attached ends after this.",
        apply: |to, value| seconds(&mut to.limits.idle, value, 7 * 24 * 3600),
    },
    Setting {
        name: "clipboard.way",
        default: "\"auto\"",
        about: "How text is copied: auto, tmux, osc52, desktop or file.",
        apply: |to, value| clipboard(&mut to.clipboard, value),
    },
    Setting {
        name: "browser.shim",
        default: "true",
        about: "What a CLI opens in a browser is shown in its card; nothing is opened on this machine.",
        apply: |to, value| truth(&mut to.browser.shim, value),
    },
    Setting {
        name: "browser.shim_off_for",
        default: "\"\"",
        about: "Providers for which that is not so, by their ids: \"codex gh\".",
        apply: |to, value| match value {
            RawValue::Text(ids) => {
                to.browser.shim_off_for = ids.split_whitespace().map(str::to_owned).collect();
                Ok(())
            }
            RawValue::Number(_) | RawValue::Truth(_) | RawValue::Other(_) => {
                Err("ids of providers in one text".into())
            }
        },
    },
    Setting {
        name: "ssh.connect_seconds",
        default: "20",
        about: "`authdeck ssh` gives a host up for now that takes longer to connect.",
        apply: |to, value| seconds(&mut to.ssh_connect, value, 600),
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
    Setting {
        name: "deck.hyperlinks",
        default: "true",
        about: "Whether the card's URL is a link (OSC 8) that the terminal can open.",
        apply: |to, value| truth(&mut to.hyperlinks, value),
    },
];

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

fn clipboard(into: &mut Option<ClipboardWay>, value: &RawValue) -> Result<(), String> {
    let wanted = || {
        let names: Vec<_> = ClipboardWay::CHOICES.iter().map(|(name, _)| format!("\"{name}\"")).collect();
        format!("one of {}", names.join(", "))
    };
    let RawValue::Text(text) = value else { return Err(wanted()) };
    *into = ClipboardWay::CHOICES.iter().find(|(name, _)| name == text).ok_or_else(wanted)?.1;
    Ok(())
}
