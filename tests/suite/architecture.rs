//! The rules of the source that no compiler checks: no forgotten test file, arrows, purity, size, words.

use std::fs;
use std::path::{Path, PathBuf};

mod circles;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files below a folder whose name ends so, sorted.
fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().to_string_lossy().into_owned()
}

#[test]
fn no_test_file_is_forgotten() {
    let forgotten: Vec<String> = files("tests/suite", ".rs")
        .iter()
        .filter(|path| !path.ends_with("main.rs"))
        .filter(|path| {
            let name = path.file_stem().unwrap().to_string_lossy();
            let parent = path.parent().unwrap();
            let lists =
                if parent.ends_with("suite") { parent.join("main.rs") } else { parent.with_extension("rs") };
            let lists = fs::read_to_string(lists).unwrap_or_default();
            !lists.lines().any(|line| line == format!("mod {name};") || line == format!("pub mod {name};"))
        })
        .map(|path| shown(path))
        .collect();
    assert!(forgotten.is_empty(), "not listed as a module, so never run: {forgotten:?}");
}

/// What each part may use of the others. `main` and `lib` wire and are not asked.
const ARROWS: &[(&str, &[&str])] = &[
    ("os", &[]),
    ("core", &[]),
    ("protocol", &["core"]),
    ("keeper", &["os", "core"]),
    ("config", &["os", "core"]),
    ("driver", &["os", "core", "protocol", "config", "keeper"]),
    ("wire", &["os", "protocol"]),
    ("server", &["os", "core", "protocol", "config", "driver", "wire"]),
    ("client", &["os", "core", "protocol", "wire"]),
    ("tui", &["os", "core", "protocol", "config", "client"]),
    ("helper", &["os", "core", "protocol", "client"]),
];

/// The file's lines of product code with their numbers: no comments, nothing from the tests' module on.
fn product_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let end = text.find("#[cfg(test)]\nmod tests").unwrap_or(text.len());
    text[..end].lines().enumerate().map(|(at, line)| (at + 1, line)).filter(|(_, line)| !is_comment(line))
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with("//")
}

/// The part that a source file belongs to: `driver` for `src/driver.rs` and all below `src/driver/`.
fn part(path: &Path) -> String {
    let below = path.strip_prefix(root().join("src")).unwrap();
    below.iter().next().unwrap().to_string_lossy().trim_end_matches(".rs").to_owned()
}

fn is_test_file(path: &Path) -> bool {
    path.file_stem().is_some_and(|stem| stem == "tests")
        || path.parent().and_then(Path::file_name).is_some_and(|folder| folder == "tests")
}

/// Product files below `src/`.
fn sources() -> impl Iterator<Item = (PathBuf, String)> {
    files("src", ".rs").into_iter().filter(|path| !is_test_file(path)).map(|path| {
        let text = fs::read_to_string(&path).unwrap();
        (path, text)
    })
}

/// The parts that a line names: after `crate::`, or inside `use crate::{…}`.
fn parts_named(line: &str) -> Vec<&str> {
    let mut named = Vec::new();
    for (at, _) in line.match_indices("crate::") {
        let rest = &line[at + "crate::".len()..];
        let group = rest.strip_prefix('{').map(|inside| inside.split('}').next().unwrap_or(inside));
        let names = group.map_or_else(|| vec![rest], |inside| inside.split(',').map(str::trim).collect());
        named.extend(names.into_iter().map(|name| {
            let end = name.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(name.len());
            &name[..end]
        }));
    }
    named
}

#[test]
fn the_arrows_between_the_parts_point_the_right_way() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let part = part(&path);
        let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == part) else { continue };
        for (number, line) in product_lines(&text) {
            for named in parts_named(line) {
                let is_part = ARROWS.iter().any(|(name, _)| *name == named) || named == "cli";
                if is_part && named != part && !allowed.contains(&named) {
                    wrong.push(format!(
                        "{}:{number}: {part} must not know {named}: {}",
                        shown(&path),
                        line.trim()
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_line_names_the_parts_that_it_uses() {
    assert_eq!(parts_named("use crate::core::ids::SessionId;"), ["core"]);
    assert_eq!(parts_named("use crate::{core, driver::Handle};"), ["core", "driver"]);
    assert_eq!(parts_named("let x = crate::tui::run(crate::config::load());"), ["tui", "config"]);
}

/// What the pure parts must not touch: the clock, randomness, files, environment, processes, network, a runtime.
const IMPURE: &[&str] = &[
    "std::env",
    "std::fs",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "ToSocketAddrs",
    "UnixStream",
    "std::process",
    "std::thread",
    "std::io::stdin",
    "std::io::stdout",
    "SystemTime",
    "Instant::now",
    "tokio",
    "getrandom",
    "new_v4",
    "rustix",
    "libc::",
    "crate::os",
];

/// Files of the deck that touch the world; all others of `src/tui/` are pure.
const DECK_DOES_THINGS: &[&str] = &["run", "terminal", "clipboard", "opener", "theme_files"];

fn is_pure(path: &Path) -> bool {
    let below = path.strip_prefix(root().join("src")).unwrap();
    let mut names = below.iter().map(|name| name.to_string_lossy().trim_end_matches(".rs").to_owned());
    match names.next().as_deref() {
        Some("core" | "protocol") => true,
        Some("tui") => names.next().is_some_and(|name| !DECK_DOES_THINGS.contains(&name.as_str())),
        _ => false,
    }
}

#[test]
fn the_pure_parts_touch_nothing_outside() {
    let mut wrong = Vec::new();
    for (path, text) in sources().filter(|(path, _)| is_pure(path)) {
        for (number, line) in product_lines(&text) {
            wrong.extend(
                IMPURE
                    .iter()
                    .filter(|word| line.contains(*word))
                    .map(|word| format!("{}:{number}: {word}: {}", shown(&path), line.trim())),
            );
        }
    }
    assert!(wrong.is_empty(), "these are arguments, not to be fetched:\n{}", wrong.join("\n"));
}

/// Where code may be that the compiler cannot check.
const UNSAFE: &[&str] = &["src/os/", "src/keeper/", "src/driver/platform/"];

#[test]
fn unchecked_code_stands_on_the_ground_floor_alone() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        if UNSAFE.iter().any(|folder| shown(&path).starts_with(folder)) {
            continue;
        }
        let unchecked = |line: &str| line.contains("unsafe {") || line.contains("unsafe fn");
        let lines = product_lines(&text).filter(|(_, line)| unchecked(line));
        wrong.extend(lines.map(|(number, line)| format!("{}:{number}: {}", shown(&path), line.trim())));
    }
    assert!(wrong.is_empty(), "move it to {UNSAFE:?}:\n{}", wrong.join("\n"));
}

#[test]
fn the_keeper_needs_no_runtime() {
    let uses = sources().filter(|(path, _)| part(path) == "keeper");
    let wrong: Vec<_> =
        uses.filter(|(_, text)| product_lines(text).any(|(_, line)| line.contains("tokio"))).collect();
    assert!(wrong.is_empty(), "{:?}", wrong.iter().map(|(path, _)| shown(path)).collect::<Vec<_>>());
}

/// Lines of a source file without its tests.
const LONGEST_FILE: usize = 400;

#[test]
fn no_source_file_is_too_long() {
    let long: Vec<String> = sources()
        .map(|(path, text)| {
            let end = text.find("#[cfg(test)]\nmod tests").unwrap_or(text.len());
            (shown(&path), text[..end].trim_end().lines().count())
        })
        .filter(|(_, lines)| *lines > LONGEST_FILE)
        .map(|(path, lines)| format!("{path}: {lines}"))
        .collect();
    assert!(long.is_empty(), "over {LONGEST_FILE} lines without tests:\n{}", long.join("\n"));
}

#[test]
fn modules_stand_beside_their_folders() {
    let inside: Vec<String> = [files("src", "/mod.rs"), files("tests", "/mod.rs")]
        .concat()
        .iter()
        .map(|path| shown(path))
        .collect();
    assert!(inside.is_empty(), "foo.rs stands beside foo/, there is no foo/mod.rs: {inside:?}");
}

#[test]
fn no_test_is_switched_off() {
    let marks = [["#[ig", "nore"].concat(), ["#[ignore", " ="].concat()];
    let off: Vec<String> = [files("src", ".rs"), files("tests", ".rs")]
        .concat()
        .iter()
        .filter(|path| {
            let text = fs::read_to_string(path).unwrap();
            text.lines().any(|line| marks.iter().any(|mark| line.trim_start().starts_with(mark.as_str())))
        })
        .map(|path| shown(path))
        .collect();
    assert!(off.is_empty(), "{off:?}");
}

/// Files that stand in the repository, as git lists them; all text.
fn committed_files() -> Vec<PathBuf> {
    let listed =
        std::process::Command::new("git").args(["ls-files", "-z"]).current_dir(root()).output().unwrap();
    assert!(listed.status.success(), "git ls-files: {}", String::from_utf8_lossy(&listed.stderr));
    let names = String::from_utf8(listed.stdout).unwrap();
    names
        .split('\0')
        .filter(|name| !name.is_empty())
        .map(|name| root().join(name))
        .filter(|path| path.is_file())
        .collect()
}

#[test]
fn nothing_of_one_machine_stands_in_the_repository() {
    // In two halves, so that this file does not name them.
    let words = [
        ["/ro", "ot/"],
        ["/wo", "rk/"],
        ["/tmp/", "wt"],
        ["registry.", "npmjs"],
        ["static.", "crates.io"],
        ["pypi.", "org"],
    ];
    let words = words.map(|halves| halves.concat());
    let mut found = Vec::new();
    for path in committed_files().iter().filter(|path| !path.ends_with("Cargo.lock")) {
        let Ok(text) = fs::read_to_string(path) else { continue };
        for (at, line) in text.lines().enumerate() {
            if let Some(word) = words.iter().find(|word| line.contains(word.as_str())) {
                found.push(format!("{}:{}: {word}", shown(path), at + 1));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// What writes on a standard stream or the terminal without a look at what it writes.
const PRINTS: &[&str] = &[
    "println!",
    "print!(",
    "io::stdout",
    "io::stderr",
    "use std::io::{stdout",
    "use std::io::{stderr",
    "stdio::stdout",
    "stdio::stderr",
    "stdio::raw_stdout",
    "/dev/tty",
    "STDOUT_FILENO",
    "STDERR_FILENO",
];

/// Who may all the same, and why. All others print a `TerminalText`, which only `core::visible` makes, with `output`.
const PRINTERS: &[(&str, &str)] = &[
    ("src/output.rs", "is the printer"),
    ("src/build.rs", "speaks to cargo"),
    ("src/tui/terminal.rs", "writes the frames of the deck, whose cells `tui/backend.rs` checks, and modes"),
    ("src/keeper/start.rs", "reports to the process that started it, over a pipe"),
    ("src/commands/proxy.rs", "carries the bytes of a connection, and refuses a terminal"),
];

#[test]
fn only_sanitised_text_is_printed() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let path = shown(&path);
        if PRINTERS.iter().any(|(printer, _)| *printer == path) {
            continue;
        }
        for (number, line) in product_lines(&text) {
            // What only asks what the stream is, or hands its descriptor to the process that restores the terminal.
            let rest = line.replace("io::stdout().is_terminal()", "").replace("io::stdout().as_fd()", "");
            if PRINTS.iter().any(|word| rest.contains(word)) {
                wrong.push(format!("{path}:{number}: {}", line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "print a TerminalText with `output` instead:\n{}", wrong.join("\n"));
    let makers: Vec<String> = sources()
        .filter(|(path, _)| shown(path) != "src/core/visible.rs")
        .filter(|(_, text)| text.contains("TerminalText("))
        .map(|(path, _)| shown(&path))
        .collect();
    assert!(makers.is_empty(), "only `core::visible` makes a TerminalText: {makers:?}");
}
