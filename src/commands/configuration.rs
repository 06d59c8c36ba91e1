//! `authdeck config`: where the settings' file is, what holds, whether it is sound, and an editor for it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Map, Value, json};

use crate::cli::ConfigPart;
use crate::config::raw::{Entry, RawValue};
use crate::config::resolved::{SETTINGS, Setting};
use crate::config::{self, raw};
use crate::error::{Error, Kind};
use crate::os::own_process;
use crate::output;

/// Does what is asked for.
///
/// # Errors
/// There is no place for the file, it cannot be read or written, or something in it is wrong.
pub fn run(part: &ConfigPart) -> Result<(), Error> {
    match part {
        ConfigPart::Path => file().map(|path| output::say(&path.to_string_lossy())),
        ConfigPart::Print => print(&file()?),
        ConfigPart::Check => check(&file()?),
        ConfigPart::Edit => edit(&file()?),
        ConfigPart::Schema => {
            output::say_lines(&format!("{:#}", schema()));
            Ok(())
        }
    }
}

fn file() -> Result<PathBuf, Error> {
    config::folder(|name| std::env::var_os(name)).map(|folder| folder.join("config.toml")).ok_or_else(|| {
        Error::new(Kind::Input, "there is no place for the settings")
            .because("neither XDG_CONFIG_HOME nor HOME is set")
            .hint("set HOME to your home folder")
    })
}

fn print(path: &Path) -> Result<(), Error> {
    let text = match config::read_text(path) {
        Ok(text) => text.unwrap_or_default(),
        Err(reason) => return Err(unreadable(path, &reason)),
    };
    output::say_lines(annotated(&raw::read(&text).0).trim_end());
    Ok(())
}

fn check(path: &Path) -> Result<(), Error> {
    let messages = config::load_file(path).messages;
    if messages.is_empty() {
        let what = if path.exists() { "is sound" } else { "is not there: the defaults hold" };
        output::say(&format!("{} {what}.", path.display()));
        return Ok(());
    }
    let error = Error::new(Kind::Input, "the settings have mistakes; for each the default holds");
    Err(error.because(messages.join("\n")).hint("`authdeck config edit` opens the file"))
}

fn edit(path: &Path) -> Result<(), Error> {
    if !path.exists() {
        let folder = path.parent().unwrap_or(path);
        std::fs::create_dir_all(folder).and_then(|()| std::fs::write(path, annotated(&[]))).map_err(
            |error| Error::new(Kind::Input, format!("{} cannot be written", path.display())).because(error),
        )?;
    }
    let editor = ["VISUAL", "EDITOR"].into_iter().find_map(|name| std::env::var(name).ok());
    let editor = editor.filter(|editor| !editor.trim().is_empty()).unwrap_or_else(|| "vi".into());
    // The variable may hold options too, and is the shell's to take apart.
    let mut command = Command::new("/bin/sh");
    own_process::give_back_limits(&mut command);
    let status = command.args(["-c", &format!("{editor} \"$1\""), "sh"]).arg(path).status();
    match status {
        Ok(status) if status.success() => check(path),
        Ok(status) => {
            Err(Error::new(Kind::Failed, format!("the editor {editor} failed")).because(status.to_string()))
        }
        Err(error) => Err(Error::new(Kind::Failed, "no shell can be started").because(error)),
    }
    .map_err(|error| error.hint("set EDITOR to your editor"))
}

fn unreadable(path: &Path, reason: &str) -> Error {
    Error::new(Kind::Input, format!("{} cannot be read", path.display())).because(reason.to_owned())
}

/// Every setting with its meaning: as the file has it, or its default as a comment.
fn annotated(entries: &[Entry]) -> String {
    let mut text = String::new();
    let mut table = "";
    for setting in SETTINGS {
        let (of, name) = setting.name.rsplit_once('.').unwrap_or(("", setting.name));
        if of != table {
            // Writing to a text cannot fail.
            let _ = writeln!(text, "\n[{of}]");
            table = of;
        }
        let _ = writeln!(text, "# {}", setting.about);
        let _ = match entries.iter().find(|entry| entry.name() == setting.name) {
            Some(entry) => writeln!(text, "{name} = {}", written(&entry.value)),
            None => writeln!(text, "# {name} = {}", setting.default),
        };
    }
    text + &keys(entries)
}

/// The person's own keys, which are no settings of the table.
fn keys(entries: &[Entry]) -> String {
    let mut text = String::new();
    let mut context = "";
    for entry in entries.iter().filter(|entry| entry.path.first().is_some_and(|first| first == "keys")) {
        let [_, of, key] = entry.path.as_slice() else { continue };
        if of != context {
            let _ = writeln!(text, "\n[keys.{of}]");
            context = of;
        }
        let _ = writeln!(text, "{key:?} = {}", written(&entry.value));
    }
    text
}

fn written(value: &RawValue) -> String {
    match value {
        RawValue::Text(text) => toml::Value::from(text.as_str()).to_string(),
        RawValue::Number(number) => number.to_string(),
        RawValue::Truth(truth) => truth.to_string(),
        RawValue::Other(form) => format!("# {form}"),
    }
}

/// What a file of settings may hold, as a JSON schema for editors.
fn schema() -> Value {
    let mut tables = Map::new();
    let mut own = Map::new();
    for setting in SETTINGS {
        match setting.name.rsplit_once('.') {
            None => drop(own.insert(setting.name.into(), described(setting))),
            Some((table, name)) => {
                let table = tables.entry(table).or_insert_with(
                    || json!({ "type": "object", "additionalProperties": false, "properties": {} }),
                );
                table["properties"][name] = described(setting);
            }
        }
    }
    own.extend(tables);
    let keys = json!({ "type": "object", "additionalProperties": { "type": "string" } });
    own.insert("keys".into(), json!({ "type": "object", "additionalProperties": keys }));
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "authdeck's config.toml",
        "type": "object",
        "additionalProperties": false,
        "properties": own,
    })
}

fn described(setting: &Setting) -> Value {
    let form = match serde_json::from_str::<Value>(setting.default) {
        Ok(Value::Number(_)) => "integer",
        Ok(Value::Bool(_)) => "boolean",
        _ => "string",
    };
    json!({ "type": form, "description": setting.about, "default": serde_json::from_str::<Value>(setting.default).ok() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_a_file_of_settings_that_means_the_same() {
        let text = "[limits]\nsession_seconds = 60\n\n[clipboard]\nway = \"file\"\n\n[keys.sessions]\nK = \"session.kill\"\n";
        let printed = annotated(&raw::read(text).0);
        let (before, after) = (config::parse(Path::new("a"), text), config::parse(Path::new("b"), &printed));
        assert!(after.messages.is_empty(), "{:?}\n{printed}", after.messages);
        assert_eq!(after.settings.limits, before.settings.limits);
        assert_eq!(after.settings.clipboard, before.settings.clipboard);
        assert_eq!(after.settings.keys.len(), 1, "{printed}");
        assert!(printed.contains("# challenge_seconds = 300"), "{printed}");
    }

    #[test]
    fn the_schema_takes_a_sound_file_and_no_unknown_setting() {
        let schema = schema();
        let takes = |value: Value| jsonschema::is_valid(&schema, &value);
        assert!(takes(
            json!({ "version": 1, "limits": { "session_seconds": 60 }, "deck": { "mouse": false } })
        ));
        assert!(takes(json!({ "keys": { "sessions": { "K": "session.kill" } } })));
        assert!(!takes(json!({ "limits": { "session_secnds": 60 } })));
        assert!(!takes(json!({ "deck": { "mouse": 3 } })));
    }
}
