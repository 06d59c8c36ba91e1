//! The rules of the source that no compiler checks: no forgotten test file, arrows, purity, size, words.

use std::fs;
use std::path::{Path, PathBuf};

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
