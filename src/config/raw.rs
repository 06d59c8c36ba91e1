//! What the configuration file says, field by field with its line, before any of it has a meaning.

use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A value as it stands in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RawValue {
    /// A quoted text.
    Text(String),
    /// A whole number that fits.
    Number(i64),
    /// `true` or `false`.
    Truth(bool),
    /// Anything else, by its name in a sentence: `a list`.
    Other(&'static str),
}

impl RawValue {
    /// Names the value's form, for a sentence such as "not a text".
    pub fn form(&self) -> &'static str {
        match self {
            Self::Text(_) => "a text",
            Self::Number(_) => "a number",
            Self::Truth(_) => "true or false",
            Self::Other(form) => form,
        }
    }
}

/// One field of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The names of its tables and its own: `["limits", "session_seconds"]`.
    pub path: Vec<String>,
    /// The line it stands on, 1 based.
    pub line: usize,
    /// Its value.
    pub value: RawValue,
}

impl Entry {
    /// Returns the path as people write it: `limits.session_seconds`.
    pub fn name(&self) -> String {
        self.path.join(".")
    }
}

/// Something in the file that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The line, 1 based.
    pub line: usize,
    /// A sentence that names the field, if there is one.
    pub text: String,
}

impl Mistake {
    /// Returns the sentence with file and line in front of it.
    pub fn describe(&self, path: &Path) -> String {
        format!("{}, line {}: {}", path.display(), self.line, self.text)
    }
}

/// Reads a file's text. What is no TOML is a mistake each; the rest is still read.
pub fn read(text: &str) -> (Vec<Entry>, Vec<Mistake>) {
    let (document, errors) = DeTable::parse_recoverable(text);
    let mistakes = errors
        .iter()
        .map(|error| Mistake {
            line: line_of(text, error.span().map_or(0, |span| span.start)),
            text: format!("this is not TOML: {}.", error.message().trim_end_matches('.')),
        })
        .collect();
    let mut entries = Vec::new();
    collect(text, &mut Vec::new(), document.get_ref(), &mut entries);
    entries.sort_by_key(|entry| entry.line);
    (entries, mistakes)
}

/// Returns the number of the line, 1 based, in which a byte stands.
pub fn line_of(text: &str, offset: usize) -> usize {
    let before = &text.as_bytes()[..offset.min(text.len())];
    1 + memchr::memchr_iter(b'\n', before).count()
}

fn collect(text: &str, path: &mut Vec<String>, table: &DeTable<'_>, entries: &mut Vec<Entry>) {
    for (key, value) in table {
        path.push(key.get_ref().to_string());
        match value.get_ref() {
            DeValue::Table(inner) => collect(text, path, inner, entries),
            DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Array(_) => entries.push(Entry {
                path: path.clone(),
                line: line_of(text, key.span().start),
                value: plain(value),
            }),
        }
        path.pop();
    }
}

fn plain(value: &Spanned<DeValue<'_>>) -> RawValue {
    match value.get_ref() {
        DeValue::String(text) => RawValue::Text(text.to_string()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or(RawValue::Other("a number this large"), RawValue::Number),
        DeValue::Boolean(truth) => RawValue::Truth(*truth),
        DeValue::Float(_) => RawValue::Other("a fraction"),
        DeValue::Datetime(_) => RawValue::Other("a date"),
        DeValue::Array(_) => RawValue::Other("a list"),
        DeValue::Table(_) => RawValue::Other("a table"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_come_with_their_path_and_line() {
        let (entries, mistakes) = read("a = 1\n\n[keys.global]\n\"ctrl-c\" = \"deck.quit\"\n");
        assert!(mistakes.is_empty());
        assert_eq!(
            entries,
            [
                Entry { path: vec!["a".into()], line: 1, value: RawValue::Number(1) },
                Entry {
                    path: vec!["keys".into(), "global".into(), "ctrl-c".into()],
                    line: 4,
                    value: RawValue::Text("deck.quit".into()),
                },
            ]
        );
    }

    #[test]
    fn what_stands_after_a_mistake_is_still_read() {
        let (entries, mistakes) = read("a = = 1\nb = true\n");
        assert_eq!(mistakes[0].line, 1);
        assert!(entries.iter().any(|entry| entry.name() == "b" && entry.line == 2), "{entries:?}");
    }
}
