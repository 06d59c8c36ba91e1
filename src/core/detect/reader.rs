//! From the screen text to candidates: which URL is the one to open, and which code goes with it. What the lines say is read
//! in `lines`.

mod codes;
mod lines;

use std::collections::HashSet;

use regex::Regex;

use super::address::{Address, Captures, addresses};
use super::carry::{Carried, carried};
use super::code::{self, Code};
use super::ranking::{self, Around};
use super::screen_text::ScreenText;
use super::statements::Readings;
use super::verdict::judge;
use crate::core::finding::{Finding, FindingKind, Source};
use crate::core::input::Found;
use crate::core::provider::{PatternKind, Provider};
use crate::core::secret::Secret;

/// Lines between a URL and a code that still belong together.
const TOGETHER: usize = 10;

/// A finding that may not be complete yet.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    /// What would be reported.
    pub found: Found,
    /// More of it may follow.
    pub open: bool,
    /// The rows that a URL stands on: the first one, and the one behind the last.
    pub rows: Option<(u64, u64)>,
}

impl Candidate {
    /// Whether this is a URL that took the place of another one on the screen.
    pub fn replaces(&self, earlier: &Self) -> bool {
        let (Some(now), Some(before)) = (self.rows, earlier.rows) else { return false };
        now.0 < before.1 && before.0 < now.1 && !self.continues(earlier) && !self.found.new_attempt
    }

    /// Whether this is the earlier one, or the earlier one and what followed.
    pub fn continues(&self, earlier: &Self) -> bool {
        let (now, before) = (&self.found.finding, &earlier.found.finding);
        let urls = [FindingKind::AuthorizeUrl, FindingKind::VerificationUrl];
        let same = now.kind == before.kind || (urls.contains(&now.kind) && urls.contains(&before.kind));
        same && now.text.starts_with(&before.text)
    }
}

/// What earlier looks found out.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// The URL that counts, and the lines it stood on.
    pub(super) authorize: Option<Placed>,
    pub(super) verification: Option<Placed>,
    pub(super) code: Option<KnownCode>,
    /// The CLI gave its attempt up since the newest URL or code.
    pub(super) gave_up: bool,
    /// The CLI said since then that the login worked.
    pub(super) succeeded: bool,
    /// Lines that said so, so that a line that stays on the screen says it once.
    pub(super) cues: HashSet<(u64, String)>,
    /// Who it is, said before the success line.
    pub(super) identity: Option<String>,
    pub(super) about_login: bool,
    pub(super) readings: Readings,
    /// Secrets that were printed, to be masked; taken by [`super::Detector::take_secrets`].
    pub(super) secrets: Vec<Secret>,
}

/// The code that counts.
#[derive(Clone, Debug)]
pub(super) struct KnownCode {
    text: String,
    /// The words that called it a code.
    label: String,
    /// The line that it stood on.
    number: u64,
    /// It was read out of a URL, which may mean another one by it.
    is_of_url: bool,
}

/// A URL and where it stood.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    url: String,
    first: u64,
    last: u64,
}

impl Memory {
    /// A URL handed to a browser is a verification URL if the one on the screen is, or if it carries a code.
    pub fn role_of_opened(&mut self, url: &str) -> FindingKind {
        let known = self.verification.as_ref().is_some_and(|placed| url.starts_with(&placed.url));
        let device = known || code::code_in_url(url).is_some() || ranking::is_device_page(url);
        if device && !ranking::is_complete_request(url) {
            FindingKind::VerificationUrl
        } else {
            FindingKind::AuthorizeUrl
        }
    }

    /// Whether a login was seen at all.
    pub fn is_of_login(&self) -> bool {
        self.authorize.is_some() || self.verification.is_some() || self.code.is_some()
    }

    fn current(&mut self, kind: FindingKind) -> &mut Option<Placed> {
        if kind == FindingKind::VerificationUrl { &mut self.verification } else { &mut self.authorize }
    }
}

/// Returns the candidates of a screen text in reading order, and how many of its lines rules had to read.
pub(super) fn candidates(
    screen_text: &ScreenText,
    provider: Option<&Provider>,
    captures: &Captures,
    memory: &mut Memory,
    cursor: u64,
) -> (Vec<Candidate>, usize) {
    Reader::new(screen_text, provider, captures, memory, cursor).read()
}

/// A URL that is taken for a login URL.
pub(super) struct Taken {
    address: Address,
    kind: FindingKind,
}

impl Taken {
    /// Whether it ends above a line.
    pub fn is_above(&self, index: usize) -> bool {
        self.address.last < index
    }
}

/// Reads one screen text.
pub(super) struct Reader<'a> {
    pub(super) screen_text: &'a ScreenText,
    pub(super) provider: Option<&'a Provider>,
    captures: &'a Captures,
    pub(super) memory: &'a mut Memory,
    cursor: u64,
    pub(super) taken: Vec<Taken>,
    pub(super) codes: Vec<Code>,
    pub(super) carried: Vec<Carried>,
    /// Lines that are the middle or the end of a URL.
    pub(super) inside_url: HashSet<usize>,
    pub(super) last_text: usize,
    pub(super) out: Vec<Candidate>,
    /// Lines that had telling words on them, and URLs: what a look costs.
    pub(super) lines_read: usize,
}

impl<'a> Reader<'a> {
    fn new(
        screen_text: &'a ScreenText,
        provider: Option<&'a Provider>,
        captures: &'a Captures,
        memory: &'a mut Memory,
        cursor: u64,
    ) -> Self {
        let last_text = screen_text.lines.iter().rposition(|line| !line.is_empty()).unwrap_or(0);
        Self {
            screen_text,
            provider,
            captures,
            memory,
            cursor,
            taken: Vec::new(),
            codes: Vec::new(),
            carried: carried(screen_text),
            inside_url: HashSet::new(),
            last_text,
            out: Vec::new(),
            lines_read: 0,
        }
    }

    fn read(mut self) -> (Vec<Candidate>, usize) {
        self.find_urls_and_codes();
        let mut index = 0;
        while index < self.screen_text.lines.len() {
            self.urls_at(index);
            self.codes_at(index);
            self.carried_at(index);
            index = self.statement_at(index);
        }
        self.memory.readings.forget_others();
        (self.out, self.lines_read)
    }

    // ---- URLs and codes ----

    fn find_urls_and_codes(&mut self) {
        let all = addresses(self.screen_text);
        self.lines_read += all.len();
        for address in &all {
            self.inside_url.extend(address.line + 1..=address.last);
        }
        for carried in &self.carried {
            self.inside_url.extend(carried.line + 1..=carried.last);
        }
        let in_url = |line: usize, at: usize| {
            all.iter().any(|address| {
                (address.line == line && address.first_range.contains(&at))
                    || (line > address.line && line < address.last)
                    || (line == address.last && line > address.line && at < address.last_end)
            })
        };
        self.codes = code::codes(self.screen_text, &in_url);
        self.add_provider_codes();
        for address in all {
            if let Some(kind) = self.kind_of(&address) {
                self.taken.push(Taken { address, kind });
            }
        }
        let near = |code: &Code, taken: &[Taken]| {
            taken.iter().any(|taken| {
                code.line.abs_diff(taken.address.line).min(code.line.abs_diff(taken.address.last)) <= TOGETHER
            })
        };
        let seen_login = self.memory.authorize.is_some() || self.memory.verification.is_some();
        let (taken, screen_text) = (&self.taken, self.screen_text);
        self.codes.retain(|code| {
            code.certain
                || seen_login
                || near(code, taken)
                || (code.is_usual && code::is_beside_login(screen_text, code))
        });
    }

    fn add_provider_codes(&mut self) {
        for (index, line) in self.screen_text.lines.iter().enumerate() {
            let whole = line.whole();
            for pattern in self.patterns(PatternKind::DeviceCode) {
                let Some(code) = pattern.captures(&whole).and_then(|found| found.get(1)) else {
                    continue;
                };
                if self.codes.iter().any(|other| other.line == index) {
                    continue;
                }
                let text = code.as_str().to_owned();
                self.codes.push(Code { text, line: index, label: index, certain: true, is_usual: true });
            }
        }
        self.codes.sort_by_key(|code| code.line);
    }

    pub(super) fn patterns(&self, kind: PatternKind) -> impl Iterator<Item = &'a Regex> + use<'a> {
        self.provider
            .into_iter()
            .flat_map(|provider| provider.patterns.iter())
            .filter(move |pattern| pattern.kind == kind)
            .filter_map(|pattern| pattern.compiled())
    }

    fn kind_of(&self, address: &Address) -> Option<FindingKind> {
        let around = Around::of(self.screen_text, address);
        let said =
            |kind| self.patterns(kind).any(|regex| around.own_and_label().any(|text| regex.is_match(text)));
        if address.cut_short || said(PatternKind::Ignore) {
            return None;
        }
        let named = if said(PatternKind::VerificationUrl) {
            Some(FindingKind::VerificationUrl)
        } else {
            said(PatternKind::AuthorizeUrl).then_some(FindingKind::AuthorizeUrl)
        };
        if !ranking::is_login(&address.text, &around, named.is_some(), self.provider) {
            return None;
        }
        let near = |code: &Code| code.line.abs_diff(address.line).min(code.line.abs_diff(address.last));
        let has_code = self.codes.iter().any(|code| near(code) <= TOGETHER) || around.names_code();
        Some(match named {
            Some(FindingKind::VerificationUrl) => FindingKind::VerificationUrl,
            _ if ranking::is_verification(&address.text, has_code) => FindingKind::VerificationUrl,
            _ => FindingKind::AuthorizeUrl,
        })
    }

    fn urls_at(&mut self, index: usize) {
        let here: Vec<(Address, FindingKind)> = self
            .taken
            .iter()
            .filter(|taken| taken.address.line == index)
            .map(|taken| (taken.address.clone(), taken.kind))
            .collect();
        for (address, kind) in here {
            self.url(&address, kind);
        }
    }

    fn url(&mut self, address: &Address, kind: FindingKind) {
        let judged = judge(&address.text, self.provider, address.disguised);
        let open = self.is_open(address);
        let lines = &self.screen_text.lines;
        let first = lines[address.line].number;
        let last = lines[address.last].number + lines[address.last].rows as u64;
        let placed = Placed { url: address.text.clone(), first, last };
        let rows = Some((placed.first, placed.last));
        let (new_attempt, overwrites) = self.note_url(kind, placed, open);
        let disputed = overwrites || (!address.from_link && self.captures.contradict(&address.text));
        let finding = Finding {
            kind,
            text: address.text.clone(),
            host: judged.host,
            verdict: Some(judged.verdict),
            expects: None,
            identity: None,
            source: if address.from_link { Source::Osc8 } else { Source::Screen },
        };
        let found = Found { reason: Some(judged.reason), disputed, new_attempt, ..Found::plain(finding) };
        self.out.push(Candidate { found, open, rows });
        if kind == FindingKind::VerificationUrl {
            self.code_of_url(address, open);
        }
    }

    /// Remembers a URL; tells whether it begins a new attempt, and whether it took another one's place on the screen.
    fn note_url(&mut self, kind: FindingKind, placed: Placed, open: bool) -> (bool, bool) {
        if open {
            return (false, false);
        }
        let gave_up = self.memory.gave_up;
        let current = self.memory.current(kind);
        let Some(before) = current else {
            *current = Some(placed);
            return (false, false);
        };
        if before.url == placed.url {
            *before = placed;
            return (false, false);
        }
        let new_attempt = gave_up && ranking::is_same_endpoint(&before.url, &placed.url);
        let overlaps = before.first < placed.last && placed.first < before.last;
        let related = before.url.starts_with(&placed.url) || placed.url.starts_with(&before.url);
        if new_attempt {
            *current = Some(placed);
            self.memory.gave_up = false;
        }
        (new_attempt, overlaps && !related && !new_attempt)
    }

    /// More of the URL may come: the cursor stands at its end, or right below it with nothing there yet.
    fn is_open(&self, address: &Address) -> bool {
        let line = &self.screen_text.lines[address.last];
        let at_end = address.last_end >= line.text.trim_end_matches(['.', ')', '"', '\'']).len();
        let below = line.number + line.rows as u64;
        address.open || (at_end && line.rows == 1 && address.last >= self.last_text && self.cursor <= below)
    }

    fn carried_at(&mut self, index: usize) {
        let here = self.carried.iter().filter(|carried| carried.line == index);
        self.out.extend(here.map(|carried| Candidate {
            found: Found::plain(plain(FindingKind::Carry, carried.text.clone())),
            open: carried.open,
            rows: None,
        }));
    }
}

/// A finding with nothing but its kind and text.
pub(super) fn plain(kind: FindingKind, text: String) -> Finding {
    Finding { kind, text, host: None, verdict: None, expects: None, identity: None, source: Source::Screen }
}
