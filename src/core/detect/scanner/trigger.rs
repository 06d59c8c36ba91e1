//! The words without which no rule can match, and where in a stream the first of them ends.
//!
//! An automaton would have to take every byte of everything that a child prints. Instead, three bytes are looked up at
//! every second place: a word of three letters or more has all three of one such place in it, or two of them and the
//! byte behind. Only where the lookup says that this may be so, the automaton follows the stream.

use std::sync::LazyLock;

use aho_corasick::Anchored;
use aho_corasick::automaton::{Automaton as _, StateID};
use aho_corasick::dfa::DFA;

/// Words one of which stands in everything that a rule can match. ASCII case does not matter.
///
/// Words that any log is full of ("token", "login", "success") are not among them: what the rules look for never
/// says them alone.
const TRIGGERS: [&str; 37] = [
    "http",
    "code",
    "logged in",
    "signed in",
    "successful",
    "succeeded",
    "success!",
    "success:",
    "authenticated",
    "authorized",
    "authorised",
    "tion complete",
    "login complete",
    "sign-in complete",
    "failed",
    "failure",
    "denied",
    "expired",
    "timed out",
    "rejected",
    "refused",
    "cancelled",
    "canceled",
    "unable to",
    "invalid",
    "error",
    "paste",
    "press ",
    "enter ",
    "password",
    "passphrase",
    "y/n",
    "access token",
    "your token",
    "token:",
    "token for",
    "api key",
];

static SEARCH: LazyLock<Search> = LazyLock::new(Search::new);

/// A search for the first trigger that goes on over any number of pieces.
#[derive(Clone, Debug)]
pub(super) struct TriggerSearch {
    state: StateID,
}

impl TriggerSearch {
    /// Begins a search: a trigger that begins before the next byte is not found.
    pub fn new() -> Self {
        Self { state: SEARCH.start }
    }

    /// Returns the place behind the first trigger, and begins anew there; `None` if there is none yet.
    pub fn find(&mut self, bytes: &[u8]) -> Option<usize> {
        let found = SEARCH.find(&mut self.state, bytes);
        if found.is_some() {
            self.state = SEARCH.start;
        }
        found
    }
}

/// Bits of the lookup: 8 KiB, which stay in the fastest cache.
const LOOKUP_BITS: u32 = 16;
/// Three bytes without the bit that tells lower case from upper case.
const THREE_BYTES: u64 = 0xDF_DFDF;

struct Search {
    automaton: DFA,
    start: StateID,
    /// A bit for each fingerprint that three bytes of a trigger have.
    lookup: Box<[u64; 1 << (LOOKUP_BITS - 6)]>,
}

impl Search {
    fn new() -> Self {
        let automaton = DFA::builder()
            .ascii_case_insensitive(true)
            .build(TRIGGERS)
            .expect("invariant: a score of short words makes a small automaton");
        let start = automaton
            .start_state(Anchored::No)
            .expect("invariant: the automaton was built for unanchored searches");
        let mut search = Self { automaton, start, lookup: Box::new([0; 1 << (LOOKUP_BITS - 6)]) };
        for word in TRIGGERS.map(str::as_bytes) {
            search.expect([word[0], word[1], word[2]]);
            match word.get(3) {
                Some(fourth) => search.expect([word[1], word[2], *fourth]),
                None => (0..=u8::MAX).for_each(|any| search.expect([word[1], word[2], any])),
            }
        }
        search
    }

    fn expect(&mut self, [first, second, third]: [u8; 3]) {
        let index = fingerprint(u64::from_le_bytes([first, second, third, 0, 0, 0, 0, 0]));
        self.lookup[index >> 6] |= 1 << (index & 63);
    }

    /// Whether the three lowest bytes may be of a trigger: its first three, or its second to fourth.
    #[inline]
    fn may_be(&self, bytes: u64) -> bool {
        let index = fingerprint(bytes);
        self.lookup[index >> 6] >> (index & 63) & 1 == 1
    }

    fn find(&self, state: &mut StateID, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        // The automaton goes on at least so far, and as long as something is in the making.
        let mut until = 0;
        loop {
            while at < until || *state != self.start {
                *state = self.automaton.next_state(Anchored::No, *state, *bytes.get(at)?);
                at += 1;
                if self.automaton.is_special(*state) && self.automaton.is_match(*state) {
                    return Some(at);
                }
            }
            if at == bytes.len() {
                return None;
            }
            (at, until) = self.skip(bytes, at);
        }
    }

    /// Returns the next place at which a trigger may begin, and how far to go on from there at least.
    fn skip(&self, bytes: &[u8], from: usize) -> (usize, usize) {
        let mut at = from;
        while let Some(block) = bytes[at..].first_chunk() {
            let block = u64::from_le_bytes(*block);
            let places = [self.may_be(block), self.may_be(block >> 16), self.may_be(block >> 32)];
            if places[0] | places[1] | places[2] {
                let place = at + if places[0] { 0 } else { 2 + 2 * usize::from(!places[1]) };
                return (from.max(place.saturating_sub(1)), place + 1);
            }
            at += 6;
        }
        (from.max(at.saturating_sub(1)), bytes.len())
    }
}

/// The index in the lookup of the three lowest bytes, whatever their case.
#[inline]
fn fingerprint(bytes: u64) -> usize {
    let mixed = (bytes & THREE_BYTES).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    usize::try_from(mixed >> (u64::BITS - LOOKUP_BITS)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Where triggers end, as the automaton alone finds them.
    fn by_automaton(bytes: &[u8]) -> Vec<usize> {
        let mut state = SEARCH.start;
        let mut found = Vec::new();
        for (at, byte) in bytes.iter().enumerate() {
            state = SEARCH.automaton.next_state(Anchored::No, state, *byte);
            if SEARCH.automaton.is_match(state) {
                found.push(at + 1);
                state = SEARCH.start;
            }
        }
        found
    }

    fn by_search<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Vec<usize> {
        let mut search = TriggerSearch::new();
        let mut found = Vec::new();
        let mut before = 0;
        for piece in pieces {
            let mut at = 0;
            while let Some(behind) = search.find(&piece[at..]) {
                at += behind;
                found.push(before + at);
            }
            before += piece.len();
        }
        found
    }

    #[test]
    fn every_trigger_is_found_in_either_case_at_any_place() {
        for word in TRIGGERS {
            for before in 0..20 {
                let text = format!("{}{word}{}", " ".repeat(before), "x".repeat(before % 7));
                for text in [text.to_ascii_uppercase(), text] {
                    assert_eq!(by_search(std::iter::once(text.as_bytes())).len(), 1, "{text:?}");
                }
            }
        }
    }

    fn stream() -> impl Strategy<Value = Vec<u8>> {
        let beginning = (prop::sample::select(TRIGGERS.to_vec()), 1_usize..17)
            .prop_map(|(word, length)| word.as_bytes()[..length.min(word.len())].to_vec());
        let ending = (prop::sample::select(TRIGGERS.to_vec()), 0_usize..16)
            .prop_map(|(word, start)| word.as_bytes()[start.min(word.len())..].to_ascii_uppercase());
        let piece = prop_oneof![
            4 => beginning,
            2 => ending,
            1 => "[a-z0-9 /:!-]{1,12}".prop_map(String::into_bytes),
            1 => prop::collection::vec(any::<u8>(), 1..9),
        ];
        prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn the_search_finds_what_the_automaton_finds_in_any_pieces(
            bytes in stream(),
            lengths in prop::collection::vec(1_usize..40, 1..8),
        ) {
            let expected = by_automaton(&bytes);
            prop_assert_eq!(&by_search(std::iter::once(bytes.as_slice())), &expected);
            let mut rest = bytes.as_slice();
            let pieces = lengths.iter().cycle().map_while(|length| {
                let (piece, behind) = rest.split_at_checked((*length).min(rest.len()))?;
                rest = behind;
                (!piece.is_empty()).then_some(piece)
            });
            prop_assert_eq!(by_search(pieces), expected);
        }
    }
}
