//! Which of the things found count (behaviour S4, S5, S6).
//!
//! The first URL and the first code win, because the person has seen and copied them. They yield in two cases only:
//! the CLI gave its attempt up and began another (a rejected code, an expired device code), or the very same URL is
//! known more exactly (the browser opener's is byte for byte, the screen's may have been cut).

use super::{REMEMBERED, SeenCode, SeenPrompt, SeenUrl, Session, Stage, Turn, messages};
use crate::core::callback::{host_of, redirect_of, same_page, state_of};
use crate::core::finding::{FindingKind, Source, Verdict};
use crate::core::input::Found;
use crate::core::provider::Answer;
use crate::core::status::Status;
use crate::core::view::UrlView;

impl Session {
    pub(super) fn found(&mut self, turn: &mut Turn<'_>, found: Found) {
        if self.is_over() {
            return;
        }
        match found.finding.kind {
            FindingKind::AuthorizeUrl | FindingKind::VerificationUrl => self.found_url(turn, found),
            FindingKind::DeviceCode => self.found_code(found),
            FindingKind::Carry => self.found_carry(found.finding.text),
            FindingKind::Prompt => self.found_prompt(&found),
            FindingKind::Success => self.found_success(turn, &found),
            FindingKind::Failure => self.found_failure(&found),
            // Masking is done where text is kept; nothing of a session depends on it.
            FindingKind::Secret => {}
        }
        let seen = &mut self.saved.seen;
        if seen.url.is_some() || seen.code.is_some() || seen.held.is_some() {
            seen.acted_on_since.get_or_insert(turn.now);
        }
    }

    fn found_url(&mut self, turn: &mut Turn<'_>, found: Found) {
        let (announced, gave_up) = (found.new_attempt, self.saved.seen.gave_up);
        let url = seen_url(found);
        if url.kind == FindingKind::VerificationUrl {
            self.name_verification_url(&url.view);
        }
        let seen = &mut self.saved.seen;
        let Some(current) = &mut seen.url else {
            if self.waits_for_better(&url) {
                self.saved.seen.held = Some((url, turn.now.after(turn.limits.hold_url)));
            } else {
                self.set_url(url);
            }
            return;
        };
        if current.view.url == url.view.url {
            // The newest word on it counts, but what was handed to a browser is beyond dispute.
            current.view.disputed = url.view.disputed && current.source != Source::Browser;
        } else if seen.superseded.contains(&url.view.url) {
            // A replay of old output after a restart, or a redrawn screen.
        } else if (announced || (gave_up && same_page(&current.view.url, &url.view.url)))
            && is_other_attempt(current, &url)
        {
            self.renew_url(url);
        } else if is_same_but_exact(current, &url) {
            self.correct_url(url);
        } else {
            if url.view.disputed {
                // It took the first one's place on the screen: neither is to be copied blindly.
                current.view.disputed = true;
                current.view.reason.clone_from(&url.view.reason);
            }
            self.remember_other(url);
        }
    }

    /// Tells whether the CLI is known to show another URL than the one it hands to a browser, and a better one: its
    /// redirect leads to a page with a code, where the browser's leads to a port of this machine.
    fn waits_for_better(&self, url: &SeenUrl) -> bool {
        let reads_code = self.saved.plan.facts.answers.contains(&Answer::StdinCode);
        url.source == Source::Browser && url.kind == FindingKind::AuthorizeUrl && reads_code
    }

    pub(super) fn expire_held_url(&mut self, turn: &mut Turn<'_>) {
        if self.saved.seen.held.as_ref().is_some_and(|(_, until)| turn.now >= *until)
            && let Some((url, _)) = self.saved.seen.held.take()
        {
            self.set_url(url);
        }
    }

    /// Makes a URL the one that is shown.
    fn set_url(&mut self, url: SeenUrl) {
        if let Some((held, _)) = self.saved.seen.held.take()
            && held.view.url != url.view.url
        {
            self.remember_other(held);
        }
        if matches!(self.saved.status, Status::Pending) {
            self.saved.status = Status::UrlAvailable { auth_url: url.view.url.clone() };
        }
        self.saved.seen.url = Some(url);
        self.progressed();
    }

    /// Begins a new attempt with another URL.
    fn renew_url(&mut self, url: SeenUrl) {
        let seen = &mut self.saved.seen;
        let old = seen.url.take().into_iter().chain(seen.others.drain(..));
        seen.superseded.extend(old.map(|old| old.view.url));
        if let Some(code) = seen.code.take() {
            seen.superseded_codes.push(code.code);
        }
        self.saved.status = Status::Pending;
        self.begin_attempt();
        self.set_url(url);
    }

    fn begin_attempt(&mut self) {
        let seen = &mut self.saved.seen;
        keep_newest(&mut seen.superseded);
        keep_newest(&mut seen.superseded_codes);
        seen.gave_up = false;
        seen.prompt = None;
        seen.held = None;
    }

    fn correct_url(&mut self, url: SeenUrl) {
        if let Status::UrlAvailable { auth_url } = &mut self.saved.status {
            *auth_url = url.view.url.clone();
        }
        self.saved.seen.url = Some(url);
    }

    fn remember_other(&mut self, url: SeenUrl) {
        let others = &mut self.saved.seen.others;
        if others.len() < REMEMBERED && !others.iter().any(|other| other.view.url == url.view.url) {
            others.push(url);
        }
    }

    fn found_code(&mut self, found: Found) {
        let seen = &mut self.saved.seen;
        let text = found.finding.text;
        if seen.superseded_codes.contains(&text) {
            return;
        }
        match &seen.code {
            Some(current) if current.code == text => {
                if let Some(url) = found.verification_url {
                    self.name_verification_url(&url);
                }
                return;
            }
            Some(_) if !(found.new_attempt || seen.gave_up) => return,
            Some(current) => {
                seen.superseded_codes.push(current.code.clone());
                self.begin_attempt();
            }
            None => {}
        }
        let (url, guessed) = self.verification_url(found.verification_url);
        let verification_url = url.as_ref().map(|url| url.url.clone()).unwrap_or_default();
        self.saved.status = Status::CodeEmitted { device_code: text.clone(), verification_url };
        self.saved.seen.code = Some(SeenCode { code: text, url, guessed });
        self.progressed();
    }

    /// Chooses where a code is typed in: what its own line names, what the CLI showed before, what the catalogue
    /// says. Only the first two are more than a guess.
    fn verification_url(&self, named: Option<UrlView>) -> (Option<UrlView>, bool) {
        let seen = &self.saved.seen;
        let mut shown = seen.url.iter().chain(&seen.others);
        if let Some(named) = named {
            let known = shown.find(|url| url.view.url == named.url).map(|url| url.view.clone());
            return (Some(known.unwrap_or(named)), false);
        }
        if let Some(url) = shown.find(|url| url.kind == FindingKind::VerificationUrl) {
            return (Some(url.view.clone()), false);
        }
        let default = self.saved.plan.facts.verification_url.clone().map(|url| UrlView {
            host: host_of(&url).unwrap_or_default(),
            url,
            verdict: Verdict::Expected,
            reason: format!("where {} takes its codes", messages::title(&self.saved.plan)),
            disputed: false,
        });
        (default.or_else(|| seen.url.as_ref().map(|url| url.view.clone())), true)
    }

    /// Replaces a guess by what the CLI itself names.
    fn name_verification_url(&mut self, named: &UrlView) {
        let Some(code) = self.saved.seen.code.as_mut().filter(|code| code.guessed) else { return };
        code.url = Some(named.clone());
        code.guessed = false;
        if let Status::CodeEmitted { verification_url, .. } = &mut self.saved.status {
            verification_url.clone_from(&named.url);
        }
    }

    /// The newest counts: a CLI that starts over prints another one.
    fn found_carry(&mut self, text: String) {
        if self.saved.seen.carry.as_ref() != Some(&text) {
            self.saved.seen.carry = Some(text);
            self.progressed();
        }
    }

    fn found_prompt(&mut self, found: &Found) {
        let line = messages::quotable(&found.finding.text);
        let prompt = SeenPrompt { line, expects: found.finding.expects };
        if self.saved.seen.prompt.as_ref() != Some(&prompt) {
            self.saved.seen.prompt = Some(prompt);
            self.progressed();
        }
    }

    fn found_success(&mut self, turn: &mut Turn<'_>, found: &Found) {
        let seen = &mut self.saved.seen;
        if let Some(identity) = &found.finding.identity {
            seen.identity = Some(messages::quotable(identity));
        }
        seen.success_line = Some(messages::quotable(&found.finding.text));
        seen.claims_success = Some(true);
        seen.submitted = false;
        seen.rejection = None;
        let facts = &self.saved.plan.facts;
        if facts.stays_open && matches!(self.saved.stage, Stage::Running) {
            if facts.auth_check { self.check(turn) } else { self.store(turn) }
        }
    }

    fn found_failure(&mut self, found: &Found) {
        let title = messages::title(&self.saved.plan);
        let seen = &mut self.saved.seen;
        let line = messages::quotable(&found.finding.text);
        if seen.submitted || seen.answered {
            seen.rejection = Some(format!("{title} said “{line}”"));
        }
        seen.failure_line = Some(line);
        seen.claims_success = Some(false);
        seen.answered = false;
        seen.gave_up = seen.url.is_some() || seen.code.is_some();
        self.progressed();
    }

    /// The CLI moved on: what was submitted had its effect, and a person should look.
    fn progressed(&mut self) {
        self.saved.seen.submitted = false;
        self.saved.seen.refused = None;
        self.saved.attention = true;
    }

    /// Returns the URL of the card: where the code goes, or what is to be opened.
    pub(super) fn card_url(&self) -> Option<UrlView> {
        let seen = &self.saved.seen;
        let code = seen.code.as_ref().and_then(|code| code.url.as_ref());
        code.or(seen.url.as_ref().map(|url| &url.view)).cloned()
    }
}

fn seen_url(found: Found) -> SeenUrl {
    let finding = found.finding;
    let host = finding.host.or_else(|| host_of(&finding.text)).unwrap_or_default();
    let verdict = finding.verdict.unwrap_or(Verdict::Unknown);
    let reason = found.reason.unwrap_or_else(|| messages::verdict(verdict).to_owned());
    let view = UrlView { url: finding.text, host, verdict, reason, disputed: found.disputed };
    SeenUrl { view, kind: finding.kind, source: finding.source }
}

/// Tells whether a URL can only belong to another attempt: its `state` is another one. Without a `state` on either
/// side, another text is all there is to go by.
fn is_other_attempt(current: &SeenUrl, new: &SeenUrl) -> bool {
    current.kind == new.kind && {
        let (old_state, new_state) = (state_of(&current.view.url), state_of(&new.view.url));
        old_state != new_state || (old_state.is_none() && current.view.url != new.view.url)
    }
}

/// Tells whether two texts are the same URL, the second being exact: the same `state` and redirect, or the first
/// broken off.
fn is_same_but_exact(current: &SeenUrl, new: &SeenUrl) -> bool {
    if new.source != Source::Browser || current.source == Source::Browser || current.kind != new.kind {
        return false;
    }
    let (old, new) = (&current.view.url, &new.view.url);
    let same_state = state_of(old).is_some_and(|state| state_of(new) == Some(state));
    let same_redirect = redirect_of(old) == redirect_of(new);
    (same_state && same_redirect) || new.starts_with(old.as_str())
}

fn keep_newest(texts: &mut Vec<String>) {
    let excess = texts.len().saturating_sub(REMEMBERED);
    texts.drain(..excess);
}
