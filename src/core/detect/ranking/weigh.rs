//! Weighs a text against the rules of [`super::rules`].

use std::sync::LazyLock;

use regex::Regex;

use super::rules::{Place, RULES, Rule};
use crate::core::detect::expression::fixed;

/// The rules of one place, ready to be used.
struct Compiled {
    place: Place,
    weight: i32,
    regex: Regex,
}

static COMPILED: LazyLock<Vec<Compiled>> = LazyLock::new(|| {
    let compile = |rule: &Rule| {
        // The request methods are capital letters in requests; as small letters they are English.
        let flags = if rule.regex.contains("GET|POST") { "" } else { "(?i)" };
        let regex = fixed(&format!("{flags}{}", rule.regex));
        Compiled { place: rule.place, weight: rule.weight, regex }
    };
    RULES.iter().map(compile).collect()
});

/// What a place says: the sum for, and the strongest against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Balance {
    /// Sum of the positive weights.
    pub good: i32,
    /// Sum of the negative weights.
    pub bad: i32,
}

/// Weighs a text against the rules of a place.
pub(super) fn weigh(place: Place, text: &str) -> Balance {
    let mut balance = Balance::default();
    for rule in COMPILED.iter().filter(|rule| rule.place == place) {
        if rule.regex.is_match(text) {
            if rule.weight > 0 {
                balance.good += rule.weight;
            } else {
                balance.bad += rule.weight;
            }
        }
    }
    balance
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_in_its_example_and_not_in_its_counter_example() {
        for (rule, compiled) in RULES.iter().zip(COMPILED.iter()) {
            assert!(
                compiled.regex.is_match(rule.example),
                "{:?} should match {:?}",
                rule.regex,
                rule.example
            );
            assert!(
                !compiled.regex.is_match(rule.counter_example),
                "{:?} should not match {:?}",
                rule.regex,
                rule.counter_example
            );
        }
    }
}
