//! A list that narrows as one types.

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

use super::field::Field;

/// Something that can be found by typing.
pub trait Choice {
    /// Returns the text that is searched.
    fn searched(&self) -> String;

    /// Tells whether it stays whatever is typed, at the end unless its own name is typed.
    fn always(&self) -> bool {
        false
    }
}

/// Letters from which on the name of a choice that always stays is taken to be meant.
const NAMED: usize = 3;

/// Choices, what was typed, and which one is selected.
#[derive(Debug)]
pub struct Chooser<T> {
    /// What is typed.
    pub field: Field,
    /// All choices, in their order.
    pub all: Vec<T>,
    /// The indices of those that match, the best first.
    pub matching: Vec<usize>,
    /// Which of `matching` is selected.
    pub selected: usize,
}

impl<T: Choice> Chooser<T> {
    /// Starts with all choices.
    pub fn new(all: Vec<T>) -> Self {
        let mut chooser = Self { field: Field::default(), all, matching: Vec::new(), selected: 0 };
        chooser.narrow();
        chooser
    }

    /// Finds anew what matches, after the field or the choices changed.
    pub fn narrow(&mut self) {
        let pattern = Pattern::parse(self.field.text(), CaseMatching::Ignore, Normalization::Smart);
        let mut matcher = Matcher::new(Config::DEFAULT);
        let mut buffer = Vec::new();
        let mut scored: Vec<(u32, usize)> = Vec::new();
        let typed = self.field.text().to_lowercase();
        // Two letters begin many names; what is longer is meant.
        let named = if typed.len() >= NAMED { typed } else { "\0".to_owned() };
        for (index, choice) in self.all.iter().enumerate() {
            let text = choice.searched();
            let score = pattern.score(Utf32Str::new(&text, &mut buffer), &mut matcher);
            match score {
                _ if choice.always() && text.starts_with(&named) => scored.push((u32::MAX, index)),
                _ if choice.always() => scored.push((0, index)),
                Some(score) => scored.push((score + 1, index)),
                None => {}
            }
        }
        if !self.field.is_empty() {
            scored.sort_by(|left, right| right.0.cmp(&left.0).then(left.1.cmp(&right.1)));
        }
        self.matching = scored.into_iter().map(|(_, index)| index).collect();
        self.selected = 0;
    }

    /// Replaces the choices and keeps what was typed.
    pub fn refill(&mut self, all: Vec<T>) {
        self.all = all;
        self.narrow();
    }

    /// Moves the selection; it stops at the ends.
    pub fn select(&mut self, by: isize) {
        let last = self.matching.len().saturating_sub(1);
        self.selected = self.selected.saturating_add_signed(by).min(last);
    }

    /// Returns what is selected.
    pub fn chosen(&self) -> Option<&T> {
        self.matching.get(self.selected).and_then(|index| self.all.get(*index))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Name(&'static str);

    impl Choice for Name {
        fn searched(&self) -> String {
            self.0.into()
        }

        fn always(&self) -> bool {
            self.0 == "any command"
        }
    }

    #[test]
    fn typing_narrows_and_the_fixed_choice_stays_last() {
        let mut chooser = Chooser::new(vec![Name("claude"), Name("gcloud"), Name("gh"), Name("any command")]);
        assert_eq!(chooser.matching.len(), 4);
        chooser.field.insert("gcl");
        chooser.narrow();
        assert_eq!(chooser.chosen().unwrap().0, "gcloud");
        chooser.select(10);
        assert_eq!(chooser.chosen().unwrap().0, "any command");
        chooser.select(-10);
        assert_eq!(chooser.selected, 0);
    }

    #[test]
    fn the_fixed_choice_is_first_when_its_name_is_typed() {
        let mut chooser = Chooser::new(vec![Name("anaconda yes"), Name("any command")]);
        chooser.field.insert("an");
        chooser.narrow();
        assert_eq!(chooser.chosen().unwrap().0, "anaconda yes");
        chooser.field.insert("y");
        chooser.narrow();
        assert_eq!(chooser.chosen().unwrap().0, "any command");
    }
}
