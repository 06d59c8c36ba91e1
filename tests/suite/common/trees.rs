//! Process trees that do not want to end.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

fn fake(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fakes").join(name)
}

/// The command of a tree that ignores signals and has relatives in other groups and sessions. It prints `READY` when
/// it is complete: seven processes at the least.
pub fn nasty() -> Vec<String> {
    vec![fake("nasty.sh").display().to_string()]
}

/// The command of a tree whose chains re-fork twenty times a second, in new sessions; bounded to 10,000 links and 30 s. It
/// prints `READY` when they have begun.
pub fn moving() -> Vec<String> {
    [&chaser().display().to_string(), "2", "10000", "50000"].map(str::to_owned).into()
}

/// Compiles the moving tree with the C compiler that Rust links with anyway.
pub fn chaser() -> &'static Path {
    static BUILT: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    let (_, program) = BUILT.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("chaser");
        let built =
            Command::new("cc").arg("-O1").arg("-o").arg(&program).arg(fake("chaser.c")).output().unwrap();
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        (folder, program)
    });
    program
}
