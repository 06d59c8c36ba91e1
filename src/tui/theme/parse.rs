//! Reads theme files: `inherits`, `[palette]`, `[roles]`.

use std::collections::BTreeMap;

use ratatui::style::{Color, Modifier, Style};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Role, Theme};
use crate::tui::text::nearest;

/// A theme's file.
#[derive(Clone, Debug)]
pub struct Source {
    /// The theme's name.
    pub name: String,
    /// Where it stands, for warnings.
    pub file: String,
    /// What stands there.
    pub text: String,
}

/// What the files of one theme say, the inherited ones first, before colours are looked up.
#[derive(Default)]
struct Collected {
    colourless: bool,
    palette: BTreeMap<String, Color>,
    roles: BTreeMap<Role, RawStyle>,
}

#[derive(Clone, Default)]
struct RawStyle {
    foreground: Option<String>,
    background: Option<String>,
    modifiers: Modifier,
    at: String,
}

/// Loads a theme with what it inherits. What is wrong becomes a warning; the rest counts.
pub fn load(name: &str, sources: &[Source], warnings: &mut Vec<String>) -> Theme {
    let mut collected = Collected::default();
    collect(name, sources, &mut Vec::new(), &mut collected, warnings);
    let mut styles = BTreeMap::new();
    for role in Role::ALL {
        if let Some(raw) = inherited(*role, &collected.roles) {
            styles.insert(*role, resolve(raw, &collected.palette, warnings));
        }
    }
    warnings.dedup();
    Theme { name: name.to_owned(), colourless: collected.colourless, styles }
}

/// Finds a role's entry, or that of its nearest parent: `ui.rule.focus`, `ui.rule`, `ui`.
fn inherited(role: Role, roles: &BTreeMap<Role, RawStyle>) -> Option<&RawStyle> {
    let mut name = role.name();
    loop {
        if let Some(raw) = role_named(name).and_then(|role| roles.get(&role)) {
            return Some(raw);
        }
        name = &name[..name.rfind('.')?];
    }
}

fn role_named(name: &str) -> Option<Role> {
    Role::ALL.iter().copied().find(|role| role.name() == name)
}

fn collect<'a>(
    name: &'a str,
    sources: &'a [Source],
    chain: &mut Vec<&'a str>,
    into: &mut Collected,
    warnings: &mut Vec<String>,
) {
    if chain.contains(&name) {
        warnings.push(format!("theme {}: it inherits itself ({} > {name}).", chain[0], chain.join(" > ")));
        return;
    }
    chain.push(name);
    let Some(source) = sources.iter().find(|source| source.name == name) else {
        let near = nearest(name, sources.iter().map(|source| source.name.as_str()));
        let hint = near.map(|near| format!(" Did you mean `{near}`?")).unwrap_or_default();
        warnings.push(format!("theme {}: there is no theme `{name}` to inherit.{hint}", chain[0]));
        return;
    };
    let table = match DeTable::parse(&source.text) {
        Ok(table) => table.into_inner(),
        Err(error) => {
            let line = error.span().map_or(1, |span| line_of(&source.text, span.start));
            warnings.push(format!("{}:{line}: {}.", source.file, error.message()));
            return;
        }
    };
    if let Some(parent) = table.get("inherits").and_then(|value| value.get_ref().as_str()) {
        if let Some(parent) = sources.iter().find(|source| source.name == parent) {
            collect(&parent.name, sources, chain, into, warnings);
        } else {
            warnings.push(format!("{}: there is no theme `{parent}` to inherit.", source.file));
        }
    }
    read(source, &table, into, warnings);
}

fn read(source: &Source, table: &DeTable<'_>, into: &mut Collected, warnings: &mut Vec<String>) {
    for (key, value) in table {
        let at = format!("{}:{}", source.file, line_of(&source.text, key.span().start));
        match (key.get_ref().as_ref(), value.get_ref()) {
            ("inherits", DeValue::String(_)) => {}
            ("colourless", DeValue::Boolean(truth)) => into.colourless = *truth,
            ("palette", DeValue::Table(entries)) => read_palette(source, entries, into, warnings),
            ("roles", DeValue::Table(entries)) => read_roles(source, entries, into, warnings),
            (other, _) => warnings.push(format!(
                "{at}: `{other}` is not known here; a theme has `inherits`, `colourless`, `[palette]` and `[roles]`."
            )),
        }
    }
}

fn read_palette(source: &Source, entries: &DeTable<'_>, into: &mut Collected, warnings: &mut Vec<String>) {
    for (key, value) in entries {
        match value.get_ref().as_str().and_then(parse_colour) {
            Some(colour) => drop(into.palette.insert(key.get_ref().to_string(), colour)),
            None => warnings.push(format!(
                "{}:{}: `{}` must be a colour: `#rrggbb`, `red`, `bright-red`, a number from 0 to 255, or `default`.",
                source.file,
                line_of(&source.text, key.span().start),
                key.get_ref()
            )),
        }
    }
}

fn read_roles(source: &Source, entries: &DeTable<'_>, into: &mut Collected, warnings: &mut Vec<String>) {
    for (key, value) in entries {
        let at = format!("{}:{}", source.file, line_of(&source.text, key.span().start));
        let Some(role) = role_named(key.get_ref()) else {
            let near = nearest(key.get_ref(), Role::ALL.iter().map(|role| role.name()));
            let hint = near.map(|near| format!(" Did you mean `{near}`?")).unwrap_or_default();
            warnings.push(format!("{at}: `{}` is not a role.{hint}", key.get_ref()));
            continue;
        };
        match raw_style(value, at.clone()) {
            Ok(style) => drop(into.roles.insert(role, style)),
            Err(mistake) => warnings.push(format!("{at}: {mistake}")),
        }
    }
}

fn raw_style(value: &Spanned<DeValue<'_>>, at: String) -> Result<RawStyle, String> {
    let mut style = RawStyle { at, ..RawStyle::default() };
    match value.get_ref() {
        DeValue::String(colour) => style.foreground = Some(colour.to_string()),
        DeValue::Table(fields) => {
            for (key, value) in fields {
                match (key.get_ref().as_ref(), value.get_ref()) {
                    ("fg", DeValue::String(colour)) => style.foreground = Some(colour.to_string()),
                    ("bg", DeValue::String(colour)) => style.background = Some(colour.to_string()),
                    ("bold", DeValue::Boolean(true)) => style.modifiers |= Modifier::BOLD,
                    ("dim", DeValue::Boolean(true)) => style.modifiers |= Modifier::DIM,
                    ("italic", DeValue::Boolean(true)) => style.modifiers |= Modifier::ITALIC,
                    ("underline", DeValue::Boolean(true)) => style.modifiers |= Modifier::UNDERLINED,
                    ("reverse", DeValue::Boolean(true)) => style.modifiers |= Modifier::REVERSED,
                    (other, _) => {
                        return Err(format!(
                            "`{other}` does not fit; a style has `fg`, `bg`, and `bold`, `dim`, `italic`, `underline` or `reverse` = true."
                        ));
                    }
                }
            }
        }
        _ => return Err("a style is a colour in quotes or a table.".into()),
    }
    Ok(style)
}

fn resolve(raw: &RawStyle, palette: &BTreeMap<String, Color>, warnings: &mut Vec<String>) -> Style {
    let mut style = Style::default().add_modifier(raw.modifiers);
    let mut colour = |name: &String| {
        let found = palette.get(name).copied().or_else(|| parse_colour(name));
        if found.is_none() {
            let near = nearest(name, palette.keys().map(String::as_str));
            let hint = near.map(|near| format!(" Did you mean `{near}`?")).unwrap_or_default();
            warnings.push(format!("{}: `{name}` is neither in the palette nor a colour.{hint}", raw.at));
        }
        found
    };
    style.fg = raw.foreground.as_ref().and_then(&mut colour);
    style.bg = raw.background.as_ref().and_then(&mut colour);
    style
}

/// Reads a colour: `#rrggbb`, one of the sixteen by name, a number of the 256, or `default`.
fn parse_colour(written: &str) -> Option<Color> {
    const NAMES: [&str; 8] = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];
    if let Some(digits) = written.strip_prefix('#') {
        let value = u32::from_str_radix(digits, 16).ok().filter(|_| digits.len() == 6)?;
        let [_, red, green, blue] = value.to_be_bytes();
        return Some(Color::Rgb(red, green, blue));
    }
    if written == "default" {
        return Some(Color::Reset);
    }
    if let Ok(index) = written.parse::<u8>() {
        return Some(Color::Indexed(index));
    }
    let (name, first) = written.strip_prefix("bright-").map_or((written, 0), |name| (name, 8));
    let index = NAMES.iter().position(|known| *known == name)?;
    u8::try_from(index + first).ok().map(Color::Indexed)
}

fn line_of(text: &str, offset: usize) -> usize {
    1 + text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::super::Themes;
    use super::*;

    fn own(name: &str, text: &str) -> Source {
        Source { name: name.into(), file: format!("{name}.toml"), text: text.into() }
    }

    fn warnings(text: &str) -> Vec<String> {
        Themes::with(&[own("mine", text)]).1
    }

    #[test]
    fn a_theme_inherits_and_overrides() {
        let text = "inherits = \"dark\"\n[palette]\naccent = \"#010203\"\n[roles]\n\"quote\" = { fg = \"9\", bold = true }\n";
        let (mut themes, warnings) = Themes::with(&[own("mine", text)]);
        assert_eq!(warnings, Vec::<String>::new());
        assert!(themes.choose("mine"));
        let theme = themes.current();
        assert_eq!(theme.style(Role::UiKey).fg, Some(Color::Rgb(1, 2, 3)));
        assert_eq!(theme.style(Role::Quote).fg, Some(Color::Indexed(9)));
        assert!(theme.missing().is_empty());
    }

    #[test]
    fn a_role_falls_back_to_its_parent() {
        let (mut themes, warnings) =
            Themes::with(&[own("mine", "[roles]\nui = \"red\"\n\"ui.rule\" = \"blue\"\n")]);
        assert_eq!(warnings, Vec::<String>::new());
        themes.choose("mine");
        assert_eq!(themes.current().style(Role::UiRuleFocus).fg, Some(Color::Indexed(4)));
        assert_eq!(themes.current().style(Role::UiField).fg, Some(Color::Indexed(1)));
        assert!(themes.current().missing().contains(&Role::Text));
    }

    #[test]
    fn mistakes_are_warnings_with_file_and_line() {
        assert_eq!(
            warnings("inherits = \"dark\"\n[roles]\n\"ui.kex\" = \"red\"\n"),
            ["mine.toml:3: `ui.kex` is not a role. Did you mean `ui.key`?"]
        );
        assert_eq!(
            warnings("inherits = \"dark\"\n[roles]\n\"quote\" = \"acent\"\n"),
            ["mine.toml:3: `acent` is neither in the palette nor a colour. Did you mean `accent`?"]
        );
        assert!(warnings("[palette]\nx = \"#12\"\n")[0].starts_with("mine.toml:2: `x` must be a colour"));
        assert!(warnings("[palette\n")[0].starts_with("mine.toml:1: "));
        assert!(warnings("colour = 1\n")[0].contains("`colour` is not known here"));
    }

    #[test]
    fn a_circle_of_inheritance_is_noticed() {
        let (_, warnings) =
            Themes::with(&[own("one", "inherits = \"two\"\n"), own("two", "inherits = \"one\"\n")]);
        assert!(
            warnings.iter().any(|warning| warning.contains("inherits itself (one > two > one)")),
            "{warnings:?}"
        );
    }
}
