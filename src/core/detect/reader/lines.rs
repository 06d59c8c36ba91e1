//! What the lines of the screen say, as candidates: prompts, success, failure, secrets, and hints that an attempt is over.

use std::collections::HashSet;
use std::ops::Range;

use super::{Candidate, Reader, plain};
use crate::core::detect::screen_text::{Line, ScreenText};
use crate::core::detect::secrets;
use crate::core::detect::statements::{
    Reading, Says, gives_up, identity, is_journal, opens_browser, tries_again, undecorated,
};
use crate::core::finding::{Expects, Finding, FindingKind};
use crate::core::input::Found;
use crate::core::provider::PatternKind;
use crate::core::secret::Secret;
use crate::core::tokens::MASK;

/// Rows between a question and the field below it, at most.
const FIELD_BELOW: u64 = 4;

/// Lines that are remembered for having given an attempt up; a login that starts over more often is no login.
const MOST_CUES: usize = 512;

impl Reader<'_> {
    /// Reads the statement that begins at a line; returns the line behind it.
    pub(super) fn statement_at(&mut self, index: usize) -> usize {
        let line = &self.screen_text.lines[index];
        if line.is_empty() || self.inside_url.contains(&index) {
            return index + 1;
        }
        let statement = Statement::at(self.screen_text, index, &self.inside_url);
        let text = statement.text.as_str();
        let said = self.memory.readings.of(text);
        let keywords = said.keywords;
        self.lines_read += usize::from(keywords.any());
        if self.patterns(PatternKind::Ignore).any(|regex| regex.is_match(text)) {
            return statement.next;
        }
        self.memory.about_login |= said.is_about_login(text);
        if keywords.secret()
            && let Some(identity) = said.identity(text)
        {
            self.memory.identity = Some(identity.clone());
        }
        let by_provider = self.provider_says(&statement);
        // The middle of a paragraph was read with its beginning.
        let goes_on = index > 0
            && text.starts_with(char::is_lowercase)
            && (wraps_into(self.screen_text, index) || is_prose_above(self.screen_text, index));
        if !by_provider && !goes_on {
            self.generic_says(&statement, said.readings(text));
            if said.readings(text).is_empty() && !line.prefix.is_empty() && !is_journal(text) {
                let bare = statement.without_prefix(line);
                let readings = self.memory.readings.of(&bare.text);
                self.generic_says(&bare, readings.readings(&bare.text));
            }
        }
        if keywords.cue() {
            self.cue(&statement, &said.masked);
        }
        if keywords.secret() {
            self.secret(&statement, said.secrets(text));
        }
        index + 1
    }

    fn cue(&mut self, statement: &Statement, masked: &str) {
        let attempt = self.memory.authorize.is_some()
            || self.memory.verification.is_some()
            || self.memory.code.is_some();
        if attempt
            && !statement.open
            && gives_up(masked)
            && self.memory.cues.len() < MOST_CUES
            && self.memory.cues.insert((statement.number, statement.text.clone()))
        {
            self.memory.gave_up = true;
        }
    }

    /// Applies the provider's own rules about lines; tells whether one matched.
    fn provider_says(&mut self, statement: &Statement) -> bool {
        let Some(provider) = self.provider else { return false };
        let mut matched = false;
        for pattern in &provider.patterns {
            let says = match pattern.kind {
                PatternKind::Prompt => FindingKind::Prompt,
                PatternKind::Success => FindingKind::Success,
                PatternKind::Failure => FindingKind::Failure,
                PatternKind::AuthorizeUrl
                | PatternKind::VerificationUrl
                | PatternKind::DeviceCode
                | PatternKind::Ignore => continue,
            };
            let Some(found) = pattern.compiled().and_then(|regex| regex.captures(&statement.text)) else {
                continue;
            };
            matched = true;
            let text = match (found.name("line"), says) {
                (Some(line), _) => line.as_str(),
                (None, FindingKind::Prompt) => &statement.text[..found.get(0).map_or(0, |whole| whole.end())],
                (None, _) => behind_prompt(&statement.text, found.get(0).map_or(0, |whole| whole.start())),
            };
            let identity = found
                .name("identity")
                .map(|identity| identity.as_str().trim_end_matches(['.', '!', ',']).to_owned())
                .or_else(|| if says == FindingKind::Success { identity(text) } else { None });
            self.say(says, text.trim(), pattern.expects, identity, statement);
        }
        matched
    }

    fn generic_says(&mut self, statement: &Statement, readings: &[Reading]) {
        for reading in readings {
            let text = statement.text[reading.start..reading.end].trim();
            match &reading.says {
                Says::Prompt(expects) => self.prompt(*expects, text, statement),
                Says::PromptAtCursor(expects) if self.is_cursor_at(statement) => {
                    self.prompt(*expects, text, statement);
                }
                Says::PromptAtCursor(_) => {}
                Says::SuccessAfterLogin { identity } if self.is_after_login(statement) => {
                    self.say(FindingKind::Success, text, None, identity.clone(), statement);
                }
                Says::SuccessAfterLogin { .. } => {}
                Says::Success { identity } => {
                    self.say(FindingKind::Success, text, None, identity.clone(), statement);
                }
                Says::Failure if self.is_tried_again(statement) => self.memory.gave_up = true,
                Says::Failure => {
                    let whole = self.whole_failure(statement, text);
                    self.say(FindingKind::Failure, &whole, None, None, statement);
                }
            }
        }
    }

    /// Whether the cursor stands behind a question, or in a field right below it with nothing else there.
    fn is_cursor_at(&self, statement: &Statement) -> bool {
        let lines = &self.screen_text.lines;
        if statement.open {
            return !lines[statement.next.min(lines.len())..].iter().any(|line| !line.is_empty());
        }
        let mut below = lines[statement.next.min(lines.len())..].iter();
        let Some(field) = below.find(|line| line.has_cursor || !line.text.is_empty()) else { return false };
        let is_field = field.text.is_empty()
            || field.text.starts_with(['>', '❯', '›', '»', '▸', '?', '$', ':', '→'])
            || field.frame.is_some();
        field.has_cursor && is_field && field.number <= statement.number + FIELD_BELOW
    }

    /// Whether a login was seen above a statement.
    fn is_after_login(&self, statement: &Statement) -> bool {
        self.taken.iter().any(|taken| taken.is_above(statement.index)) || self.memory.is_of_login()
    }

    /// A failure is not the end if the CLI says in the next line that it tries again.
    fn is_tried_again(&self, statement: &Statement) -> bool {
        self.screen_text.lines[statement.next.min(self.screen_text.lines.len())..]
            .iter()
            .filter(|line| !line.is_empty())
            .take(1)
            .any(|line| tries_again(&line.text))
    }

    /// A failure that a CLI breaks over several rows of one indentation: from the row that begins with "Error".
    fn whole_failure(&self, statement: &Statement, text: &str) -> String {
        if !text.starts_with('{') {
            return text.to_owned();
        }
        let line = &self.screen_text.lines[statement.index];
        let mut whole = text.to_owned();
        for (index, above) in self.screen_text.lines[..statement.index].iter().enumerate().rev().take(4) {
            if above.is_empty() || above.indent != line.indent {
                break;
            }
            let space = if self.inside_url.contains(&(index + 1)) { "" } else { " " };
            whole = format!("{}{space}{whole}", above.text);
            if above.text.to_lowercase().starts_with("error") {
                return whole;
            }
        }
        text.to_owned()
    }

    fn prompt(&mut self, expects: Expects, text: &str, statement: &Statement) {
        let announces_code =
            self.codes.iter().any(|code| code.label >= statement.index && code.label < statement.next);
        // Nobody but a login asks for a password with the cursor behind the question.
        let asks_for_password = expects == Expects::Secret && statement.open;
        let about_login = self.provider.is_some()
            || asks_for_password
            || (expects == Expects::Enter && opens_browser(text))
            || self.memory.about_login
            || !self.taken.is_empty()
            || !self.codes.is_empty()
            || !self.carried.is_empty()
            || self.memory.authorize.is_some()
            || self.memory.verification.is_some();
        let is_near_end = self.last_text.saturating_sub(statement.index) <= 12;
        if expects == Expects::Code && announces_code || !about_login || !is_near_end {
            return;
        }
        self.say(FindingKind::Prompt, text, Some(expects), None, statement);
    }

    fn say(
        &mut self,
        kind: FindingKind,
        text: &str,
        expects: Option<Expects>,
        identity: Option<String>,
        statement: &Statement,
    ) {
        let identity = match kind {
            FindingKind::Success => identity.or_else(|| self.memory.identity.clone()),
            _ => None,
        };
        let finding = Finding { expects, identity, ..plain(kind, secrets::masked(text)) };
        let open = statement.open && (kind != FindingKind::Prompt || !is_marked(text));
        self.memory.gave_up |= kind == FindingKind::Failure && !open;
        self.memory.succeeded |= kind == FindingKind::Success && !open;
        self.out.push(Candidate { found: Found::plain(finding), open, rows: None });
    }

    /// A token on the statement's lines, or on the lines below one that announces it.
    fn secret(&mut self, statement: &Statement, spans: &[Range<usize>]) {
        let (mut values, mut open) = (Vec::new(), statement.open);
        for span in spans {
            let mut value = statement.text[span.clone()].to_owned();
            if span.end == statement.text.len() {
                open |= self.append_pieces(statement.next, &mut value);
            }
            values.push(value);
        }
        let text = if spans.is_empty() {
            let below = statement.next..(statement.next + 3).min(self.screen_text.lines.len());
            let Some(first) = below.into_iter().find(|index| !self.screen_text.lines[*index].is_empty())
            else {
                return;
            };
            let line = &self.screen_text.lines[first];
            if !secrets::announces(&statement.text) || !secrets::is_value(&line.text) {
                return;
            }
            let mut value = line.text.clone();
            open |= line.has_cursor || self.append_pieces(first + 1, &mut value);
            values.push(value);
            format!("{} {}", statement.text, MASK)
        } else {
            secrets::masked(&statement.text)
        };
        if !open {
            self.memory.secrets.extend(values.into_iter().map(Secret::new));
        }
        self.out.push(Candidate { found: Found::plain(plain(FindingKind::Secret, text)), open, rows: None });
    }

    /// Appends the rows that continue a token which its program broke; tells whether more may come.
    fn append_pieces(&self, from: usize, value: &mut String) -> bool {
        let lines = &self.screen_text.lines;
        for (index, line) in lines.iter().enumerate().skip(from) {
            let above = &lines[index - 1];
            if above.end + 2 < above.edge || !secrets::is_piece(&line.text) {
                return false;
            }
            value.push_str(&line.text);
            if line.has_cursor {
                return true;
            }
        }
        false
    }
}

/// Whether a question ends in a sign behind which a person types; others may be the beginning of a longer line.
fn is_marked(text: &str) -> bool {
    !text.ends_with(|c: char| c.is_alphanumeric())
}

/// The text of an outcome that stands behind an answered prompt on the same row.
fn behind_prompt(text: &str, at: usize) -> &str {
    match text[..at].rfind("> ") {
        Some(mark) if text[..mark].contains(|c: char| c.is_alphabetic()) => &text[mark + 2..],
        Some(_) => text,
        None if text[at..].starts_with("> ") => &text[at + 2..],
        None => text,
    }
}

/// A line, with the rows below it that a word wrapper broke off.
struct Statement {
    text: String,
    index: usize,
    next: usize,
    number: u64,
    open: bool,
}

impl Statement {
    /// The statement without what a logger put before its line.
    fn without_prefix(&self, line: &Line) -> Self {
        let whole = line.whole();
        let rest = self.text.len().saturating_sub(undecorated(&whole).len());
        let below = &self.text[self.text.len() - rest..];
        Self { text: format!("{}{below}", undecorated(&line.text)), ..*self }
    }

    fn at(screen_text: &ScreenText, index: usize, inside_url: &HashSet<usize>) -> Self {
        let line = &screen_text.lines[index];
        let mut text = undecorated(&line.whole()).to_owned();
        let mut next = index + 1;
        let mut open = line.has_cursor;
        while next < screen_text.lines.len() && !inside_url.contains(&next) && wraps_into(screen_text, next) {
            text.push(' ');
            text.push_str(&screen_text.lines[next].text);
            open |= screen_text.lines[next].has_cursor;
            next += 1;
            if next - index > 6 {
                break;
            }
        }
        Self { text, index, next, number: line.number, open }
    }
}

/// Whether the line above is prose that does not end there, as in an indented manual page.
fn is_prose_above(screen_text: &ScreenText, index: usize) -> bool {
    const MARGIN: usize = 4;
    let (above, line) = (&screen_text.lines[index - 1], &screen_text.lines[index]);
    let unended = above.text.ends_with(|c: char| c.is_alphanumeric() || c == ',');
    line.indent >= MARGIN && above.indent >= MARGIN && unended && above.text.split_whitespace().count() >= 6
}

/// Whether a word wrapper broke the line above: its next word would not have fit.
fn wraps_into(screen_text: &ScreenText, next: usize) -> bool {
    let (line, below) = (&screen_text.lines[next - 1], &screen_text.lines[next]);
    if below.is_empty() || !below.prefix.is_empty() || !below.shares_frame(line) || line.rows > 1 {
        return false;
    }
    let word = below.text.split(' ').next().map_or(0, |word| word.chars().count());
    let begins =
        below.text.starts_with(|c: char| c.is_lowercase() || c.is_ascii_digit() || "'\"(`".contains(c))
            || (below.text.starts_with(char::is_uppercase)
                && !line.text.ends_with([')', ']', '"', '…'])
                && !line.text.rsplit(' ').next().is_some_and(|last| last.contains("://")));
    let is_sentence = line.text.contains(' ') && !line.text.ends_with(['.', ':', '!', '?', '>']);
    begins && is_sentence && below.indent <= line.indent + 2 && line.end + 1 + word > line.edge
}
