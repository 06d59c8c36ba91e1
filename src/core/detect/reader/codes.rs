//! Which code counts, and which page it is for.

use super::{Candidate, KnownCode, Reader, Taken, plain};
use crate::core::detect::address::Address;
use crate::core::detect::code::{self, Code};
use crate::core::detect::verdict;
use crate::core::finding::FindingKind;
use crate::core::input::Found;

impl Reader<'_> {
    /// A code that is shown inside of the URL only is a finding too.
    pub(super) fn code_of_url(&mut self, address: &Address, open: bool) {
        let Some(text) = code::code_in_url(&address.text) else { return };
        let plain = |code: &str| code.replace('-', "").to_lowercase();
        if self.codes.iter().any(|code| plain(&code.text) == plain(&text))
            || self
                .memory
                .code
                .as_ref()
                .is_some_and(|known| plain(&known.text) == plain(&text) && known.text != text)
        {
            return;
        }
        // What is printed as the code beats a parameter which may mean another one.
        let is_named = code::names_user_code(&address.text);
        let is_other = |known: &KnownCode| !known.is_of_url && known.text != text;
        if !is_named && (!self.codes.is_empty() || self.memory.code.as_ref().is_some_and(is_other)) {
            return;
        }
        let code = Code { text, line: address.line, label: address.line, certain: true, is_usual: true };
        self.code(&code, Some(address.text.clone()), open, !is_named);
    }

    pub(super) fn codes_at(&mut self, index: usize) {
        let here: Vec<Code> = self.codes.iter().filter(|code| code.line == index).cloned().collect();
        for code in here {
            let address = self.verification_for(&code);
            let line = &self.screen_text.lines[index];
            let open = line.has_cursor && line.text.ends_with(&code.text);
            self.code(&code, address, open, false);
        }
    }

    fn verification_for(&self, code: &Code) -> Option<String> {
        self.taken
            .iter()
            .filter(|taken| taken.kind == FindingKind::VerificationUrl)
            .min_by_key(|taken| taken.address.line.abs_diff(code.line))
            .map(|taken| taken.address.text.clone())
            .or_else(|| self.memory.verification.as_ref().map(|placed| placed.url.clone()))
    }

    fn code(&mut self, code: &Code, verification_url: Option<String>, open: bool, is_of_url: bool) {
        let label = self.screen_text.lines[code.label].text.replace(&code.text, "");
        let number = self.screen_text.lines[code.line].number;
        let mut new_attempt = false;
        if !open {
            let known = self.memory.code.as_ref().filter(|known| known.text != code.text);
            new_attempt = known.is_some_and(|known| self.renews(known, code, &label, number, is_of_url));
            if new_attempt || self.memory.code.is_none() {
                self.memory.code = Some(KnownCode { text: code.text.clone(), label, number, is_of_url });
                self.memory.gave_up &= !new_attempt;
                self.memory.succeeded &= !new_attempt;
            }
        }
        let finding = plain(FindingKind::DeviceCode, code.text.clone());
        let verification_url = verification_url.map(|url| verdict::view(url, self.provider));
        let found = Found { verification_url, new_attempt, ..Found::plain(finding) };
        self.out.push(Candidate { found, open, rows: None });
    }
}

impl Reader<'_> {
    /// Whether a code takes the place of the one that counts: the attempt was given up or done, the same words call it
    /// a code, its page is named anew, or the other one was a parameter.
    fn renews(&self, known: &KnownCode, code: &Code, label: &str, number: u64, is_of_url: bool) -> bool {
        let lines = &self.screen_text.lines;
        let named_anew = |taken: &Taken| {
            let line = lines[taken.address.line].number;
            taken.kind == FindingKind::VerificationUrl && known.number < line && line <= number
        };
        self.memory.gave_up
            || (self.memory.succeeded && known.number < number)
            || (known.label == label && code.label == code.line)
            || (known.is_of_url && !is_of_url)
            || (!is_of_url && self.taken.iter().any(named_anew))
    }
}
