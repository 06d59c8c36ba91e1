//! Finds URLs, codes, prompts and outcomes on a child's screen.
//!
//! The child's bytes cross these rooms, each once:
//!
//! ```text
//! bytes -> scanner: when to look -> screen text: rows as lines, and whether they are as they were
//!            -> address: URLs, whole        \
//!            -> code: device codes           > reader: candidates -> reported once
//!            -> statements: prompts, outcomes /    (ranking: which URL is the one, by weighted rules)
//! ```
//!
//! [`Detector::feed`] takes the child's bytes, hands them on to the [`Screen`] and looks at it whenever the stream
//! itself says so ([`scanner`]): the result is the same however the bytes are cut into pieces. A live session looks
//! once more when the child has been quiet ([`Detector::quiet`]) and at its end ([`Detector::finish`]).
//!
//! The rules are general; a provider's own patterns (`core::provider`) come first where there are some. What a rule
//! found is reported once, as a [`Found`].

mod address;
mod carry;
mod code;
mod expression;
mod ranking;
mod reader;
pub mod replay;
mod scanner;
mod screen_text;
pub mod secrets;
mod settled_output;
mod statements;
pub mod verdict;

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use self::address::Captures;
use self::reader::{Candidate, Memory};
use self::scanner::Scanner;
use self::screen_text::ScreenText;
use self::settled_output::SettledOutput;
use self::statements::is_answered;
use super::finding::{Finding, FindingKind, Source};
use super::input::Found;
use super::provider::Provider;
use super::screen::Screen;
use super::secret::Secret;

pub use self::secrets::{may_hold_secret, prepare, secret_spans};
pub use self::verdict::{Judged, judge};

/// Rows above what changed that are read again, for the words that announce what stands below them.
const CONTEXT_ROWS: u64 = 8;

/// Rows that one look reads at most; what is above was looked at before, or scrolled by too fast to matter.
const MOST_ROWS: u64 = 512;

/// Findings that are reported at most: a child that prints more of them is no login, and nobody could use them.
const MOST_REPORTED: usize = 512;

/// What the detector knows about a login that is going on.
pub struct Detector {
    provider: Option<Arc<Provider>>,
    scanner: Scanner,
    captures: Captures,
    memory: Memory,
    /// Kind and text of everything reported.
    reported: HashSet<(FindingKind, String)>,
    /// Found at the last look, but its end may not have been printed yet.
    unsettled: Vec<Candidate>,
    /// First row that the next look reads.
    unread: u64,
    prompt: Option<String>,
    prompt_gone: bool,
    /// Lines that rules read in the last look.
    lines_read: usize,
    /// The screen at the last look.
    settled_output: SettledOutput,
    /// The last look left nothing unsettled.
    settled: bool,
    /// Looks in a row that found the screen saying the same.
    same_looks: u32,
}

/// Why a look is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moment {
    /// In the middle of the stream: the line that the cursor is on may go on.
    Flowing,
    /// The child is quiet or has ended: what is there is all there is.
    Still,
}

impl Detector {
    /// Makes a detector for one session; without a provider the generic rules work alone.
    pub fn new(provider: Option<Arc<Provider>>) -> Self {
        Self {
            provider,
            scanner: Scanner::new(),
            captures: Captures::new(),
            memory: Memory::default(),
            reported: HashSet::new(),
            unsettled: Vec::new(),
            unread: 0,
            prompt: None,
            prompt_gone: false,
            lines_read: 0,
            settled_output: SettledOutput::default(),
            settled: false,
            same_looks: 0,
        }
    }

    /// Feeds the child's bytes to its screen and returns what was found on the way.
    pub fn feed(&mut self, screen: &mut Screen, bytes: &[u8]) -> Vec<Found> {
        let mut found = Vec::new();
        let mut rest = bytes;
        while !rest.is_empty() {
            let step = self.scanner.step(rest);
            self.captures.feed(&rest[..step.length]);
            screen.feed(&rest[..step.length]);
            rest = &rest[step.length..];
            if step.look {
                found.extend(self.look(screen, Moment::Flowing));
                self.scanner.pay(std::mem::take(&mut self.lines_read));
            }
        }
        found
    }

    /// Looks because the child has been quiet for a while (50 ms are right): what it waits for is on the screen.
    pub fn quiet(&mut self, screen: &Screen) -> Vec<Found> {
        self.look(screen, Moment::Still)
    }

    /// Looks for the last time: the child's output has ended.
    pub fn finish(&mut self, screen: &mut Screen) -> Vec<Found> {
        screen.end_synchronized_update();
        self.look(screen, Moment::Still)
    }

    /// Takes a URL that the child handed to a browser opener: exact, and it outranks the screen.
    pub fn opened(&mut self, url: &str) -> Option<Found> {
        let kind = self.memory.role_of_opened(url);
        let judged = judge(url, self.provider.as_deref(), false);
        let finding = Finding {
            kind,
            text: url.to_owned(),
            host: judged.host,
            verdict: Some(judged.verdict),
            expects: None,
            identity: None,
            source: Source::Browser,
        };
        self.reported.insert((kind, url.to_owned()));
        Some(Found { reason: Some(judged.reason), ..Found::plain(finding) })
    }

    /// Tells, once, that the newest prompt was answered or is off the screen.
    pub fn take_prompt_gone(&mut self) -> bool {
        std::mem::take(&mut self.prompt_gone)
    }

    /// Takes the secrets that were printed since the last call: they must not be shown or kept.
    pub fn take_secrets(&mut self) -> Vec<Secret> {
        std::mem::take(&mut self.memory.secrets)
    }

    /// Tells whether a look would find nothing new: the screen says what it said at the last look. Cheap for a screen
    /// that changes, since only one that said the same for a while is compared.
    pub fn has_seen(&mut self, screen: &Screen) -> bool {
        const A_WHILE: u32 = 3;
        self.same_looks >= A_WHILE && self.settled && self.settled_output.still_shows(screen)
    }

    fn look(&mut self, screen: &Screen, moment: Moment) -> Vec<Found> {
        if self.settled && self.settled_output.still_shows(screen) {
            self.scanner.looked();
            self.lines_read = 0;
            self.same_looks = self.same_looks.saturating_add(1);
            return Vec::new();
        }
        self.same_looks = 0;
        self.settled_output.renew(screen);
        let found = self.read(screen, moment);
        self.settled = self.unsettled.is_empty();
        found
    }

    fn read(&mut self, screen: &Screen, moment: Moment) -> Vec<Found> {
        let screen_text = self.screen_text(screen);
        let cursor = screen.screen_start() + u64::from(screen.cursor_place().row);
        let (candidates, lines_read) = reader::candidates(
            &screen_text,
            self.provider.as_deref(),
            &self.captures,
            &mut self.memory,
            cursor,
        );
        self.lines_read = lines_read;
        let mut found = Vec::new();
        let (open, mut settled): (Vec<_>, Vec<_>) =
            candidates.into_iter().partition(|candidate| moment == Moment::Flowing && candidate.open);
        // What was unsettled and is gone now was never continued: it stood there as it was.
        for vanished in std::mem::take(&mut self.unsettled) {
            let still = open.iter().chain(&settled).any(|candidate| candidate.continues(&vanished));
            if !still {
                for candidate in settled.iter_mut().filter(|candidate| candidate.replaces(&vanished)) {
                    candidate.found.disputed = true;
                }
                // What asked without a sign at its end was the beginning of a line.
                if vanished.found.finding.kind != FindingKind::Prompt {
                    self.report(vanished, &mut found);
                }
            }
        }
        for candidate in settled {
            self.report(candidate, &mut found);
        }
        self.unsettled = open;
        self.unread = screen.screen_start();
        self.scanner.looked();
        if !self.unsettled.is_empty() {
            self.scanner.stay_alert();
        }
        self.notice_prompt(&screen_text, screen);
        found
    }

    fn screen_text(&self, screen: &Screen) -> ScreenText {
        let end = screen.end();
        let oldest = screen.history_start().max(end.saturating_sub(MOST_ROWS));
        let mut from = self.unread.min(screen.screen_start()).saturating_sub(CONTEXT_ROWS).max(oldest);
        let furthest =
            from.saturating_sub((screen_text::LONGEST_LINE / usize::from(screen.size().columns)) as u64);
        while from > oldest.max(furthest) && screen.text_row(from - 1).is_some_and(|row| row.wrapped) {
            from -= 1;
        }
        let rows = (from..end).filter_map(|number| match self.settled_output.row(number) {
            Some(row) => Some(Cow::Borrowed(row)),
            None => screen.text_row(number).map(Cow::Owned),
        });
        let cursor = screen.screen_start() + u64::from(screen.cursor_place().row);
        ScreenText::of(rows, from, usize::from(screen.size().columns), cursor)
    }

    fn report(&mut self, candidate: Candidate, found: &mut Vec<Found>) {
        let finding = &candidate.found.finding;
        if finding.kind == FindingKind::Prompt {
            if self.prompt.as_ref() == Some(&finding.text) {
                return;
            }
            if is_answered(&finding.text) && !self.is_new_question(&finding.text) {
                return;
            }
            self.prompt = Some(finding.text.clone());
            self.prompt_gone = false;
        } else {
            let key = (finding.kind, finding.text.clone());
            if self.reported.len() >= MOST_REPORTED || !self.reported.insert(key) {
                return;
            }
        }
        found.push(candidate.found);
    }

    /// Whether a question that stands there with its answer was not reported without it.
    fn is_new_question(&mut self, text: &str) -> bool {
        let was_asked = self.prompt.as_ref().is_some_and(|prompt| text.starts_with(prompt.as_str()));
        !was_asked && self.reported.insert((FindingKind::Prompt, text.to_owned()))
    }

    fn notice_prompt(&mut self, screen_text: &ScreenText, screen: &Screen) {
        let Some(prompt) = &self.prompt else { return };
        let there = screen_text.lines.iter().any(|line| {
            let whole = line.whole();
            line.number + line.rows as u64 > screen.screen_start()
                && whole.contains(prompt.as_str())
                && !is_answered(&whole)
        });
        if !there {
            self.prompt = None;
            self.prompt_gone = true;
        }
    }
}
