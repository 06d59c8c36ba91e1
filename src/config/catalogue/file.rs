//! One provider file: its fields, and what is wrong with them.
//!
//! | field | what it is | default |
//! | --- | --- | --- |
//! | `id` | the name in `authdeck login NAME`: lower case letters, digits, `-` | required |
//! | `title` | the name for people | required |
//! | `command` | program and arguments, each an element of the list | required |
//! | `answers` | how it takes the answer, best first: `stdin-code`, `stdin-callback-url`, `stdin-secret`, `loopback`, `polls`, `enter-then-polls` | required |
//! | `expected_hosts` | hosts of its login pages; subdomains count | required, may be empty |
//! | `install_hint` | how to install it, one line | required |
//! | `verification_url` | where its device code goes if the CLI does not say | none |
//! | `configuration_folder` | environment variable that names its configuration folder | none |
//! | `environment` | table of variables set for the child | empty |
//! | `browser_shim` | what it opens in a browser is reported to its session; `false` leaves `BROWSER` and `PATH` alone | `true` |
//! | `enter_to_continue` | it waits for Enter before it shows or opens anything | `false` |
//! | `exit_decides` | exit status 0 is believed where there is no auth check | `true` if no success pattern is there |
//! | `stays_open` | it goes on running after a login that succeeded | `false` |
//! | `retry_hint` | what a person does to begin again after a failure | none |
//! | `recognised_by` | beginnings of command lines that mean this provider | the command up to its first option |
//! | `[auth_check]` | `command` that exits 0 when logged in, `identity` expression for its output, `requires_identity` if it exits 0 either way | none |
//! | `[[pattern]]` | `kind`, `regex`, `expects`, `example`, `counter_example` | none |
//!
//! A pattern's `kind` is `authorize-url`, `verification-url`, `device-code`, `prompt`, `success`, `failure` or
//! `ignore`; `expects` (prompts only) is `code`, `callback-url`, `enter`, `secret` or `choice`. Expressions are those
//! of the `regex` crate and see one logical line at a time.

use std::collections::BTreeMap;
use std::path::Path;

use regex::Regex;
use serde::Deserialize;
use toml::Spanned;

use crate::core::finding::Expects;
use crate::core::ids::ProviderId;
use crate::core::provider::{Answer, AuthCheck, Pattern, PatternKind, Provider};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawProvider {
    id: Spanned<String>,
    title: String,
    command: Spanned<Vec<String>>,
    answers: Spanned<Vec<Answer>>,
    expected_hosts: Spanned<Vec<String>>,
    install_hint: String,
    verification_url: Option<Spanned<String>>,
    configuration_folder: Option<String>,
    #[serde(default)]
    environment: BTreeMap<String, String>,
    browser_shim: Option<bool>,
    #[serde(default)]
    enter_to_continue: bool,
    exit_decides: Option<bool>,
    #[serde(default)]
    stays_open: bool,
    retry_hint: Option<String>,
    #[serde(default)]
    recognised_by: Vec<String>,
    auth_check: Option<RawAuthCheck>,
    #[serde(default)]
    pattern: Vec<RawPattern>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAuthCheck {
    command: Spanned<Vec<String>>,
    identity: Option<Spanned<String>>,
    #[serde(default)]
    requires_identity: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPattern {
    kind: Spanned<PatternKind>,
    regex: Spanned<String>,
    expects: Option<Expects>,
    example: Spanned<String>,
    counter_example: Spanned<String>,
}

/// Reads one provider file and checks every field. `path` stands in the messages only.
///
/// # Errors
/// One message for each mistake, with file, line and field.
pub fn parse(path: &Path, text: &str) -> Result<Provider, Vec<String>> {
    let raw = read(path, text)?;
    let mut mistakes = Mistakes { path, text, found: Vec::new() };
    check(&raw, &mut mistakes);
    if mistakes.found.is_empty() { Ok(resolve(raw)) } else { Err(mistakes.found) }
}

/// Reads a built-in file. Its expressions and examples are not tried: a test does that once for all.
///
/// # Errors
/// As [`parse`].
pub fn parse_trusted(id: &str, text: &str) -> Result<Provider, Vec<String>> {
    read(Path::new(id), text).map(resolve)
}

fn read(path: &Path, text: &str) -> Result<RawProvider, Vec<String>> {
    toml::from_str(text).map_err(|error| {
        let span = error.span().unwrap_or(0..0);
        let line = line_of(text, span.start);
        let field = field_at(text, span.start);
        let said = error.message().lines().next().unwrap_or_default();
        let what = match said.strip_prefix("missing field ") {
            Some(missing) => format!("the field {missing} is missing"),
            None if field.is_empty() => said.to_owned(),
            None => format!("`{field}`: {said}"),
        };
        vec![format!("{}, line {line}: {what}. This provider file is left out.", path.display())]
    })
}

/// The messages of one file.
struct Mistakes<'a> {
    path: &'a Path,
    text: &'a str,
    found: Vec<String>,
}

impl Mistakes<'_> {
    fn at(&mut self, offset: usize, field: &str, what: &str) {
        let line = line_of(self.text, offset);
        self.found.push(format!(
            "{}, line {line}: `{field}` {what}. This provider file is left out.",
            self.path.display()
        ));
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

/// The name of the field on the line at `offset`: what stands before its `=`.
fn field_at(text: &str, offset: usize) -> &str {
    let offset = offset.min(text.len());
    let start = text[..offset].rfind('\n').map_or(0, |at| at + 1);
    let line = text[start..].lines().next().unwrap_or_default();
    line.split_once('=').map_or("", |(name, _)| name.trim())
}

fn check(raw: &RawProvider, mistakes: &mut Mistakes<'_>) {
    let id = raw.id.get_ref();
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if id.is_empty() || !id.chars().all(fits) {
        mistakes.at(raw.id.span().start, "id", "must be lower case letters, digits and `-`");
    }
    if raw.command.get_ref().is_empty() {
        mistakes.at(raw.command.span().start, "command", "must name a program");
    }
    if raw.answers.get_ref().is_empty() {
        mistakes.at(raw.answers.span().start, "answers", "must name one way at least");
    }
    for host in raw.expected_hosts.get_ref() {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-');
        if host.is_empty() || !host.chars().all(plain) {
            let what = format!("has {host:?}, which is not a host in lower case ASCII form");
            mistakes.at(raw.expected_hosts.span().start, "expected_hosts", &what);
        }
    }
    if let Some(address) = &raw.verification_url
        && url::Url::parse(address.get_ref()).is_err()
    {
        mistakes.at(address.span().start, "verification_url", "is not a URL");
    }
    check_auth(raw, mistakes);
    for pattern in &raw.pattern {
        check_pattern(pattern, mistakes);
    }
}

fn check_auth(raw: &RawProvider, mistakes: &mut Mistakes<'_>) {
    let Some(auth_check) = &raw.auth_check else { return };
    if auth_check.command.get_ref().is_empty() {
        mistakes.at(auth_check.command.span().start, "auth_check.command", "must name a program");
    }
    let Some(identity) = &auth_check.identity else {
        if auth_check.requires_identity {
            let at = auth_check.command.span().start;
            mistakes.at(at, "auth_check.requires_identity", "needs an `identity` expression");
        }
        return;
    };
    match Regex::new(identity.get_ref()) {
        Ok(regex) if regex.captures_len() >= 2 => {}
        Ok(_) => mistakes.at(identity.span().start, "auth_check.identity", "needs one group in brackets"),
        Err(_) => {
            mistakes.at(identity.span().start, "auth_check.identity", "is not a valid expression");
        }
    }
}

fn check_pattern(pattern: &RawPattern, mistakes: &mut Mistakes<'_>) {
    let kind = *pattern.kind.get_ref();
    if (kind == PatternKind::Prompt) != pattern.expects.is_some() {
        mistakes.at(pattern.kind.span().start, "expects", "belongs to prompts, and to each of them");
    }
    let regex = match Regex::new(pattern.regex.get_ref()) {
        Ok(regex) => regex,
        Err(error) => {
            let last = error.to_string();
            let why = last.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            return mistakes.at(
                pattern.regex.span().start,
                "regex",
                &format!("is not a valid expression: {why}"),
            );
        }
    };
    if kind == PatternKind::DeviceCode && regex.captures_len() < 2 {
        mistakes.at(pattern.regex.span().start, "regex", "needs the code in brackets, as its first group");
    }
    if !regex.is_match(pattern.example.get_ref()) {
        mistakes.at(pattern.example.span().start, "example", "does not match the expression");
    }
    if regex.is_match(pattern.counter_example.get_ref()) {
        mistakes.at(pattern.counter_example.span().start, "counter_example", "matches the expression");
    }
}

fn resolve(raw: RawProvider) -> Provider {
    let command = raw.command.into_inner();
    let recognised_by = if raw.recognised_by.is_empty() {
        vec![command.iter().take_while(|word| !word.starts_with('-')).cloned().collect::<Vec<_>>().join(" ")]
    } else {
        raw.recognised_by
    };
    Provider {
        id: ProviderId::new(raw.id.into_inner()),
        title: raw.title,
        command,
        answers: raw.answers.into_inner(),
        expected_hosts: raw.expected_hosts.into_inner(),
        verification_url: raw.verification_url.map(Spanned::into_inner),
        auth_check: raw.auth_check.map(|check| AuthCheck {
            command: check.command.into_inner(),
            identity: check.identity.map(Spanned::into_inner),
            requires_identity: check.requires_identity,
        }),
        configuration_folder: raw.configuration_folder,
        install_hint: raw.install_hint,
        environment: raw.environment,
        browser_shim: raw.browser_shim.unwrap_or(true),
        exit_decides: raw.exit_decides.unwrap_or_else(|| {
            raw.pattern.iter().all(|pattern| *pattern.kind.get_ref() != PatternKind::Success)
        }),
        stays_open: raw.stays_open,
        retry_hint: raw.retry_hint,
        enter_to_continue: raw.enter_to_continue,
        recognised_by,
        patterns: raw.pattern.into_iter().map(resolve_pattern).collect(),
    }
}

fn resolve_pattern(raw: RawPattern) -> Pattern {
    Pattern::new(
        raw.kind.into_inner(),
        raw.regex.into_inner(),
        raw.expects,
        raw.example.into_inner(),
        raw.counter_example.into_inner(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "id = \"x\"\ntitle = \"X\"\ncommand = [\"x\", \"login\", \"--web\"]\nanswers = [\"polls\"]\n\
                        expected_hosts = [\"x.example\"]\ninstall_hint = \"none\"\n";

    fn mistakes(tail: &str) -> Vec<String> {
        parse(Path::new("x.toml"), &format!("{HEAD}{tail}")).unwrap_err()
    }

    #[test]
    fn the_least_file_is_enough() {
        let provider = parse(Path::new("x.toml"), HEAD).unwrap();
        assert_eq!(provider.recognised_by, ["x login"]);
        assert!(provider.auth_check.is_none());
    }

    #[test]
    fn an_unknown_field_and_a_wrong_type_name_line_and_field() {
        let unknown = mistakes("colour = 3\n");
        assert!(unknown[0].starts_with("x.toml, line 7: `colour`: unknown field"), "{unknown:?}");
        let wrong = mistakes("enter_to_continue = \"yes\"\n");
        assert!(wrong[0].starts_with("x.toml, line 7: `enter_to_continue`: invalid type"), "{wrong:?}");
    }

    #[test]
    fn a_missing_field_is_named() {
        let said = parse(Path::new("x.toml"), "id = \"x\"\n").unwrap_err();
        assert!(said[0].contains("the field `title` is missing"), "{said:?}");
    }

    #[test]
    fn an_expression_and_its_examples_are_tried() {
        let pattern = |regex: &str, example: &str, counter: &str| {
            format!(
                "[[pattern]]\nkind = \"success\"\nregex = '{regex}'\nexample = \"{example}\"\n\
                 counter_example = \"{counter}\"\n"
            )
        };
        let said = mistakes(&pattern("(", "a", "b"));
        assert!(said[0].starts_with("x.toml, line 9: `regex` is not a valid expression"), "{said:?}");
        let said = mistakes(&pattern("a", "c", "a"));
        assert!(said[0].starts_with("x.toml, line 10: `example` does not match"), "{said:?}");
        assert!(said[1].starts_with("x.toml, line 11: `counter_example` matches"), "{said:?}");
    }

    #[test]
    fn a_code_needs_its_group_and_a_prompt_what_it_expects() {
        let said = mistakes(
            "[[pattern]]\nkind = \"device-code\"\nregex = 'code'\nexample = \"code\"\ncounter_example = \"x\"\n\
             [[pattern]]\nkind = \"prompt\"\nregex = 'a'\nexample = \"a\"\ncounter_example = \"b\"\n",
        );
        assert!(said[0].contains("line 9: `regex` needs the code in brackets"), "{said:?}");
        assert!(said[1].contains("line 13: `expects` belongs to prompts"), "{said:?}");
    }

    #[test]
    fn hosts_and_ids_are_plain() {
        let said = parse(Path::new("x.toml"), &HEAD.replace("x.example", "https://x.example")).unwrap_err();
        assert!(said[0].contains("line 5: `expected_hosts`"), "{said:?}");
        let said = parse(Path::new("x.toml"), &HEAD.replace("id = \"x\"", "id = \"X Y\"")).unwrap_err();
        assert!(said[0].contains("line 1: `id`"), "{said:?}");
    }
}
