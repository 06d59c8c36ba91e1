//! No circles: two files of a folder do not need each other, neither directly nor by way of others. A file counts
//! together with the folder of its name.

use std::collections::{BTreeMap, BTreeSet};

use super::{product_lines, root, sources};

/// Circles that are there on purpose, each with its reason.
const ALLOWED: &[(&str, &[&str], &str)] = &[(
    "tui/update",
    &["actions", "dialogs"],
    "an action opens or accepts a dialog, and what a dialog offers is an action",
)];

/// A module's names from the crate down: `core`, `session`, `ending`.
type Module = Vec<String>;

/// Product modules, each with its text without comments and tests.
fn modules() -> BTreeMap<Module, String> {
    let mut modules = BTreeMap::new();
    for (path, text) in sources() {
        let below = path.strip_prefix(root().join("src")).unwrap().with_extension("");
        let names: Module = below.iter().map(|name| name.to_string_lossy().into_owned()).collect();
        if names != ["lib"] && names != ["main"] && !is_tests_only(&names, &modules) {
            let code: Vec<&str> = product_lines(&text).map(|(_, line)| line).collect();
            modules.insert(names, code.join("\n"));
        }
    }
    modules
}

/// Tells whether a module is compiled for tests only, which its parent says.
fn is_tests_only(module: &[String], known: &BTreeMap<Module, String>) -> bool {
    let Some((name, parent)) = module.split_last() else { return false };
    known.get(parent).is_some_and(|text| {
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        lines.windows(2).any(|pair| {
            pair[0] == "#[cfg(test)]" && pair[1].trim_start_matches(|c| c != 'm') == format!("mod {name};")
        })
    })
}

/// The paths that a text names: those of its `use` lines one by one, and those that begin with `crate`, `super` or
/// `self` anywhere else.
fn paths(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("use ") {
        let starts =
            rest[..at].chars().next_back().is_none_or(|before| !before.is_alphanumeric() && before != '_');
        rest = &rest[at + "use ".len()..];
        if let (true, Some(end)) = (starts, rest.find(';')) {
            let tree: String = rest[..end].split_whitespace().collect::<Vec<_>>().join(" ");
            found.extend(leaves(&tree));
            rest = &rest[end..];
        }
    }
    for root in ["crate::", "super::", "self::"] {
        found.extend(text.match_indices(root).map(|(at, _)| {
            let path = &text[at..];
            path[..path.find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':').unwrap_or(path.len())]
                .to_owned()
        }));
    }
    found
}

/// `a::{b, c::{d, e}}` as `a::b`, `a::c::d`, `a::c::e`.
fn leaves(tree: &str) -> Vec<String> {
    let Some((before, inside)) = tree.split_once('{') else { return vec![tree.trim().to_owned()] };
    let inside = inside.trim_end().strip_suffix('}').unwrap_or(inside);
    let (mut parts, mut depth) = (vec![String::new()], 0);
    for character in inside.chars() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        parts.last_mut().unwrap().push(character);
    }
    let parts = parts.iter().map(|part| part.trim()).filter(|part| !part.is_empty());
    parts.flat_map(leaves).map(|leaf| format!("{}{leaf}", before.trim())).collect()
}

/// The module that a path leads into, seen from another one.
fn target(from: &[String], path: &str, known: &BTreeMap<Module, String>) -> Option<Module> {
    let mut names = path.split("::").peekable();
    let mut at: Module = match names.next()? {
        "crate" => Vec::new(),
        "self" => from.to_vec(),
        "super" => from[..from.len() - 1].to_vec(),
        _ => return None,
    };
    while names.next_if_eq(&"super").is_some() {
        at.pop();
    }
    for name in names {
        at.push(name.to_owned());
        if !known.contains_key(&at) {
            at.pop();
            break;
        }
    }
    Some(at)
}

/// Who needs whom inside each folder.
type Needs = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

fn needs(modules: &BTreeMap<Module, String>) -> Needs {
    let mut needs = Needs::new();
    for (from, text) in modules {
        for to in paths(text).iter().filter_map(|path| target(from, path, modules)) {
            let shared = from.iter().zip(&to).take_while(|(one, other)| one == other).count();
            if let (true, Some(user), Some(used)) = (shared > 0, from.get(shared), to.get(shared)) {
                let folder = needs.entry(from[..shared].join("/")).or_default();
                folder.entry(user.clone()).or_default().insert(used.clone());
            }
        }
    }
    needs
}

/// Everything that a file needs, directly or by way of others.
fn reach(from: &str, needs: &BTreeMap<String, BTreeSet<String>>) -> BTreeSet<String> {
    let (mut seen, mut next) = (BTreeSet::new(), vec![from.to_owned()]);
    while let Some(at) = next.pop() {
        for needed in needs.get(&at).into_iter().flatten() {
            if seen.insert(needed.clone()) {
                next.push(needed.clone());
            }
        }
    }
    seen
}

/// The circles of a folder, each with its files.
fn circles(needs: &BTreeMap<String, BTreeSet<String>>) -> BTreeSet<Vec<String>> {
    let reached: BTreeMap<&String, BTreeSet<String>> =
        needs.keys().map(|file| (file, reach(file, needs))).collect();
    let in_circle = reached.iter().filter(|(file, reached)| reached.contains(**file));
    in_circle
        .map(|(file, reached_by_it)| {
            let back = |other: &&String| reached.get(other).is_some_and(|from| from.contains(*file));
            reached_by_it.iter().filter(back).cloned().collect()
        })
        .collect()
}

#[test]
fn the_files_of_a_folder_stand_in_no_circle() {
    let mut wrong = Vec::new();
    let mut found = BTreeSet::new();
    for (folder, needs) in needs(&modules()) {
        for circle in circles(&needs) {
            if ALLOWED.iter().any(|(place, files, _)| *place == folder && circle == *files) {
                found.insert(folder.clone());
            } else {
                wrong.push(format!("src/{folder}: {}", circle.join(", ")));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "files that need each other; move what both need into one of its own:\n{}",
        wrong.join("\n")
    );
    let gone: Vec<_> = ALLOWED.iter().filter(|(folder, _, _)| !found.contains(*folder)).collect();
    assert!(gone.is_empty(), "these circles are no more; take them off the list: {gone:?}");
}

#[test]
fn a_circle_by_way_of_a_third_file_is_found() {
    let modules: BTreeMap<Module, String> = [
        (vec!["part"], ""),
        (vec!["part", "one"], "use super::two::{Here, There};"),
        (vec!["part", "two"], "fn f() { crate::part::three::g() }"),
        (vec!["part", "three"], "use crate::part::{one::Deep, four};"),
        (vec!["part", "four"], ""),
    ]
    .map(|(names, text)| (names.into_iter().map(str::to_owned).collect(), text.to_owned()))
    .into();
    let needs = needs(&modules);
    assert_eq!(circles(&needs["part"]).into_iter().collect::<Vec<_>>(), [["one", "three", "two"]]);
}
