//! Configuration: what the file says ([`raw`]), and what the program makes of it ([`resolved`]).
//!
//! The file is `config.toml` in [`folder`]. Nothing in it can keep authdeck from starting: a field that is unknown or
//! does not fit is reported with file, line and name, its default is used, and every other field still counts.

pub mod catalogue;
mod clipboard_way;
pub mod raw;
pub mod resolved;

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::os::files;

pub use clipboard_way::ClipboardWay;
pub use resolved::{Browser, KeyBinding, Limits, Settings};

/// Settings together with what was wrong in their file.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// The settings to work with.
    pub settings: Settings,
    /// One message for each mistake, naming file, line and field.
    pub messages: Vec<String>,
}

/// Returns the folder of authdeck's configuration: `$XDG_CONFIG_HOME/authdeck`, else `~/.config/authdeck` (XDG Base
/// Directory Specification). `variable` reads the environment; `None` if that names no absolute folder.
pub fn folder(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let absolute = |name: &str| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute("XDG_CONFIG_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".config")))
        .map(|base| base.join("authdeck"))
}

/// Loads the settings of this process's user. Reads the environment and the file.
pub fn load() -> Loaded {
    match folder(|name| std::env::var_os(name)) {
        Some(folder) => load_file(&folder.join("config.toml")),
        None => Loaded::default(),
    }
}

/// Loads the settings from a file. A file that is not there means the defaults.
pub fn load_file(path: &Path) -> Loaded {
    match read_text(path) {
        Ok(Some(text)) => parse(path, &text),
        Ok(None) => Loaded::default(),
        Err(reason) => Loaded {
            settings: Settings::default(),
            messages: vec![format!(
                "{} cannot be read: {reason}. The default settings are used.",
                path.display()
            )],
        },
    }
}

/// Makes settings of a file's text; `path` stands in the messages only.
pub fn parse(path: &Path, text: &str) -> Loaded {
    let (entries, mut mistakes) = raw::read(text);
    let (settings, more) = resolved::resolve(&entries);
    mistakes.extend(more);
    mistakes.sort_by_key(|mistake| mistake.line);
    let messages = mistakes.iter().map(|mistake| mistake.describe(path)).collect();
    Loaded { settings, messages }
}

/// Reads a file of settings; absent if there is none.
///
/// # Errors
/// Why it cannot be read, in words.
pub fn read_text(path: &Path) -> Result<Option<String>, String> {
    match files::read_text(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Duration;

    use super::*;

    fn messages(text: &str) -> Vec<String> {
        parse(Path::new("c.toml"), text).messages
    }

    #[test]
    fn a_missing_file_means_the_defaults_and_no_message() {
        let folder = tempfile::tempdir().unwrap();
        let loaded = load_file(&folder.path().join("config.toml"));
        assert_eq!(loaded.settings, Settings::default());
        assert!(loaded.messages.is_empty());
    }

    #[test]
    fn an_unreadable_file_is_a_message_and_never_a_failure() {
        let folder = tempfile::tempdir().unwrap();
        let loaded = load_file(folder.path());
        assert_eq!(loaded.settings, Settings::default());
        assert!(loaded.messages[0].contains("not a regular file"), "{:?}", loaded.messages);

        let path = folder.path().join("config.toml");
        fs::write(&path, b"[deck]\ntheme = \"\xff\"\n").unwrap();
        let loaded = load_file(&path);
        assert!(loaded.messages[0].contains("not UTF-8 text (at byte 16)"), "{:?}", loaded.messages);
    }

    #[test]
    fn an_unknown_field_names_file_line_field_and_the_nearest_name() {
        assert_eq!(
            messages("[limits]\nsession_secnds = 60\n"),
            ["c.toml, line 2: `limits.session_secnds` is not a setting. Did you mean \
                 `limits.session_seconds`?"]
        );
    }

    #[test]
    fn a_bad_value_costs_only_itself() {
        let loaded = parse(
            Path::new("c.toml"),
            "[limits]\nsession_seconds = \"long\"\nchallenge_seconds = 60\n[deck]\nmouse = 3\ntheme = \"light\"\n",
        );
        assert_eq!(
            loaded.messages,
            [
                "c.toml, line 2: `limits.session_seconds` must be a whole number from 1 to 604800, not a text; \
                 600 is used.",
                "c.toml, line 5: `deck.mouse` must be true or false, not a number; true is used.",
            ]
        );
        assert_eq!(loaded.settings.limits.challenge, Duration::from_secs(60));
        assert_eq!(loaded.settings.theme.as_deref(), Some("light"));
    }

    #[test]
    fn broken_toml_names_the_line() {
        let messages = messages("[limits]\nsession_seconds = = 5\n");
        assert!(messages[0].starts_with("c.toml, line 2: "), "{messages:?}");
    }

    #[test]
    fn the_folder_follows_the_xdg_rules() {
        let with = |pairs: &'static [(&str, &str)]| {
            folder(move |name| {
                pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value))
            })
        };
        assert_eq!(with(&[("XDG_CONFIG_HOME", "/c"), ("HOME", "/h")]), Some(PathBuf::from("/c/authdeck")));
        assert_eq!(
            with(&[("XDG_CONFIG_HOME", "relative"), ("HOME", "/h")]),
            Some(PathBuf::from("/h/.config/authdeck"))
        );
        assert_eq!(with(&[]), None);
    }
}
