//! What a person names a session or a challenge by: the whole id, enough of its beginning, their own name for it, the
//! provider's name, or `last`.

use std::fmt;

/// The newest one.
pub const LAST: &str = "last";

/// Every id is shown by at least this many characters, so that it stays the same when a few more come.
const SHORTEST: usize = 4;

/// What can be named: its id and what else it is known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named<'a> {
    /// Its id, whole.
    pub id: &'a str,
    /// The person's own name for it.
    pub name: Option<&'a str>,
    /// What it is of: the provider's name, or the program's.
    pub kind: Option<&'a str>,
    /// It is not over. Of several that fit, a single one of these is meant.
    pub live: bool,
}

/// Why a text names nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unresolved {
    /// Nothing fits.
    Unknown,
    /// Several fit, and none more than the others: their ids.
    Ambiguous(Vec<String>),
}

impl fmt::Display for Unresolved {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => formatter.write_str("nothing is called so"),
            Self::Ambiguous(ids) => write!(formatter, "it could be {}", ids.join(" or ")),
        }
    }
}

/// Finds what a text names among all that there is, oldest first; returns its place.
///
/// # Errors
/// Nothing fits, or several do.
pub fn resolve(text: &str, all: &[Named<'_>]) -> Result<usize, Unresolved> {
    if let Some(at) = all.iter().position(|one| one.id == text) {
        return Ok(at);
    }
    if text == LAST {
        return all.len().checked_sub(1).ok_or(Unresolved::Unknown);
    }
    let ways: [&dyn Fn(&Named<'_>) -> bool; 3] = [
        &|one| one.name == Some(text),
        &|one| !text.is_empty() && (one.id.starts_with(text) || bare(one.id).starts_with(text)),
        &|one| one.kind == Some(text),
    ];
    for fits in ways {
        let found: Vec<usize> = (0..all.len()).filter(|at| fits(&all[*at])).collect();
        match found[..] {
            [] => {}
            [at] => return Ok(at),
            _ => return the_live_one(&found, all),
        }
    }
    Err(Unresolved::Unknown)
}

fn the_live_one(found: &[usize], all: &[Named<'_>]) -> Result<usize, Unresolved> {
    let live: Vec<usize> = found.iter().copied().filter(|at| all[*at].live).collect();
    match live[..] {
        [at] => Ok(at),
        _ => Err(Unresolved::Ambiguous(found.iter().map(|at| all[*at].id.to_owned()).collect())),
    }
}

/// Returns the shortest beginning of an id that names it among all ids, without `auth-`; four characters at least.
pub fn short<'a>(id: &'a str, all: impl Iterator<Item = &'a str>) -> &'a str {
    let own = bare(id);
    let shared = all.filter(|other| *other != id).map(|other| common(own, bare(other))).max().unwrap_or(0);
    let length = (shared + 1).max(SHORTEST);
    own.char_indices().nth(length).map_or(own, |(end, _)| &own[..end])
}

fn bare(id: &str) -> &str {
    id.strip_prefix("auth-").unwrap_or(id)
}

fn common(one: &str, other: &str) -> usize {
    one.chars().zip(other.chars()).take_while(|(one, other)| one == other).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named<'a>(id: &'a str, name: Option<&'a str>, kind: &'a str, live: bool) -> Named<'a> {
        Named { id, name, kind: Some(kind), live }
    }

    fn three() -> [Named<'static>; 3] {
        [
            named("auth-11aa22bb", Some("work"), "claude", false),
            named("auth-11cc33dd", None, "claude", true),
            named("auth-4455", Some("claude"), "gh", true),
        ]
    }

    #[test]
    fn a_session_is_found_by_whatever_names_it_alone() {
        let all = three();
        for (text, at) in [
            ("auth-11cc33dd", 1),
            ("auth-11c", 1),
            ("11a", 0),
            ("work", 0),
            ("gh", 2),
            ("last", 2),
            ("4", 2),
            ("claude", 2), // The person's own name goes before the provider's.
        ] {
            assert_eq!(resolve(text, &all), Ok(at), "{text}");
        }
    }

    #[test]
    fn of_several_the_live_one_is_meant_and_never_a_guess() {
        let mut all = three();
        all[2].name = None;
        assert_eq!(resolve("claude", &all), Ok(1), "the other one is over");
        assert_eq!(resolve("11", &all), Ok(1));
        all[0].live = true;
        let both = Unresolved::Ambiguous(vec!["auth-11aa22bb".into(), "auth-11cc33dd".into()]);
        assert_eq!(resolve("claude", &all), Err(both.clone()));
        assert_eq!(resolve("auth-11", &all), Err(both));
        for unknown in ["", "nobody", "auth-9", "11aa22bbb"] {
            assert_eq!(resolve(unknown, &all), Err(Unresolved::Unknown), "{unknown}");
        }
        assert_eq!(resolve(LAST, &[]), Err(Unresolved::Unknown));
    }

    #[test]
    fn a_short_id_names_its_session_and_no_other() {
        let all = three();
        let ids = || all.iter().map(|one| one.id);
        assert_eq!(short("auth-11aa22bb", ids()), "11aa");
        assert_eq!(short("auth-4455", ids()), "4455");
        let near = ["auth-abcdef01", "auth-abcdef02"];
        assert_eq!(short(near[0], near.into_iter()), "abcdef01");
        assert_eq!(short("weird-é", ["weird-é"].into_iter()), "weir");
    }
}
