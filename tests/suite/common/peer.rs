//! Programs that a test needs beside authdeck. A missing one fails in CI, and is a loud, counted skip elsewhere.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Tells whether all of these programs are there; otherwise says what is missing, and that the test is skipped.
///
/// `needs` are names on the PATH, or `root` for the right to make network namespaces. In CI (variable `CI` set) a
/// missing peer is a failure. Use it as a test's first line: `if !peer::has("name of the test", &["tmux"]) { return }`.
pub fn has(test: &str, needs: &[&str]) -> bool {
    let missing: Vec<&str> = needs.iter().copied().filter(|need| !is_there(need)).collect();
    if missing.is_empty() {
        return true;
    }
    let missing = missing.join(", ");
    assert!(std::env::var_os("CI").is_none(), "{test} needs {missing}; tests/run installs it");
    let line = format!("SKIPPED {test}: needs {missing} (tests/run installs what is missing)\n");
    // Written past the test harness, which hides what a passing test prints.
    std::io::stderr().write_all(line.as_bytes()).unwrap();
    if let Some(record) = std::env::var_os("AUTHDECK_SKIPPED") {
        OpenOptions::new()
            .append(true)
            .create(true)
            .open(record)
            .unwrap()
            .write_all(line.as_bytes())
            .unwrap();
    }
    false
}

fn is_there(need: &str) -> bool {
    match need {
        "root" => is_root(),
        "oidc-provider" => npm_packages().join("oidc-provider").is_dir(),
        program => find(program).is_some(),
    }
}

fn is_root() -> bool {
    // The owner of this process's own entry in /proc is its effective user.
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").is_ok_and(|entry| entry.uid() == 0)
}

/// Finds a program on the PATH.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let folders =
        [npm_programs()].into_iter().chain(std::env::split_paths(&path)).chain([PathBuf::from("/usr/sbin")]);
    folders.map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// The folder with the peers' start scripts.
pub fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers")
}

/// Where `tests/run` puts the packages of `tests/peers/package.json`.
pub fn npm_packages() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/peers/node_modules")
}

/// Where their programs are.
pub fn npm_programs() -> PathBuf {
    npm_packages().join(".bin")
}

/// Holds a name for itself, across all test processes of this machine, until it is dropped: a fixed port, say.
pub struct Exclusive(#[allow(dead_code, reason = "the lock is in the open file")] File);

/// Waits until no other test holds `name`.
pub fn exclusive(name: &str) -> Exclusive {
    let path = std::env::temp_dir().join(format!("authdeck-test-{name}.lock"));
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(path).unwrap();
    file.lock().unwrap();
    Exclusive(file)
}
