//! This very program, held open: its file may be deleted or replaced while logins live, and keepers, askpass and the
//! browser's stand-ins go on as the version that runs.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// The program that keepers and a session's helpers are.
#[derive(Debug)]
pub struct Program {
    path: PathBuf,
    /// Absent if this user may execute it and not read it; then it has to stay where it is.
    file: Option<File>,
}

impl Program {
    /// Holds the program of this path.
    pub fn hold(path: &Path) -> Self {
        Self { path: path.to_owned(), file: File::open(path).ok() }
    }

    /// Returns where it was, for a person.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns a path by which this process can start it, whatever became of the file.
    pub fn start_path(&self) -> PathBuf {
        let held = self.file.as_ref().filter(|_| !self.is_in_place());
        held.map_or_else(|| self.path.clone(), |file| format!("/proc/self/fd/{}", file.as_raw_fd()).into())
    }

    /// Tells whether its file is where it was.
    pub fn is_in_place(&self) -> bool {
        let Some(file) = &self.file else { return true };
        let identity = |found: fs::Metadata| (found.dev(), found.ino());
        let there = fs::metadata(&self.path).map(identity);
        // What stands below `/proc/self` is another file for each process.
        !self.path.starts_with("/proc")
            && there.is_ok_and(|there| file.metadata().map(identity).is_ok_and(|held| held == there))
    }

    /// Writes a copy that other processes can start, in one step.
    pub(super) fn copy_to(&self, path: &Path) -> io::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        if fs::metadata(path).is_ok_and(|there| file.metadata().is_ok_and(|held| held.len() == there.len())) {
            return Ok(());
        }
        let fresh = path.with_extension("new");
        let mut output =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o700).open(&fresh)?;
        // By a descriptor of its own: the position of the one that is held stays.
        io::copy(&mut File::open(format!("/proc/self/fd/{}", file.as_raw_fd()))?, &mut output)?;
        fs::rename(fresh, path)
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_program_is_started_and_copied_after_its_file_was_deleted_or_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("program");
        fs::copy("/bin/echo", &path).unwrap();
        let program = Program::hold(&path);
        assert!(program.is_in_place() && program.start_path() == path);
        fs::remove_file(&path).unwrap();
        assert!(!program.is_in_place());
        let says =
            |path: &Path| String::from_utf8(Command::new(path).arg("here").output().unwrap().stdout).unwrap();
        assert_eq!(says(&program.start_path()), "here\n");
        fs::copy("/bin/false", &path).unwrap();
        assert!(!program.is_in_place());
        let copy = folder.path().join("copy");
        program.copy_to(&copy).unwrap();
        assert_eq!(says(&copy), "here\n");
        program.copy_to(&copy).unwrap();
    }
}
