//! Where a program's file is, as `execvp` looks for it (execvp(3)).

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

/// Why a program cannot be started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoProgram {
    /// There is no file of that name.
    Missing {
        /// The folders that were looked in, or the one path, in words.
        looked_in: String,
    },
    /// There is a file, and this user may not execute it.
    NotExecutable(PathBuf),
    /// There is a folder of that name, and nothing else.
    Folder(PathBuf),
}

impl fmt::Display for NoProgram {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { looked_in } => write!(formatter, "it was looked for in {looked_in}"),
            Self::NotExecutable(path) => {
                write!(formatter, "{} may not be executed; check its permissions (chmod +x)", path.display())
            }
            Self::Folder(path) => {
                write!(formatter, "{} is a folder, not a program; name a file in it", path.display())
            }
        }
    }
}

/// Finds a program: by its path if there is a slash in it, else in the folders of `path`. Relative ones start at
/// `directory`.
///
/// An empty folder would mean `directory` itself (POSIX); it is skipped, because a login is not started from there by
/// accident.
///
/// # Errors
/// It is not there, or what is there cannot be executed.
pub fn find_program(program: &str, path: Option<&OsStr>, directory: &Path) -> Result<PathBuf, NoProgram> {
    if program.contains('/') {
        let full = directory.join(program);
        return match look_at(&full) {
            Found::Program => Ok(full),
            Found::NotExecutable => Err(NoProgram::NotExecutable(full)),
            Found::Folder => Err(NoProgram::Folder(full)),
            Found::Nothing => Err(NoProgram::Missing { looked_in: full.display().to_string() }),
        };
    }
    let folders: Vec<PathBuf> = std::env::split_paths(path.unwrap_or_default())
        .filter(|folder| !folder.as_os_str().is_empty())
        .collect();
    let mut refused = None;
    for folder in &folders {
        let full = directory.join(folder).join(program);
        match look_at(&full) {
            Found::Program => return Ok(full),
            Found::NotExecutable => refused = refused.or(Some(full)),
            // A folder on the PATH may hold folders of any name; the shell says "command not found" too.
            Found::Folder | Found::Nothing => {}
        }
    }
    Err(refused.map_or_else(|| missing(&folders), NoProgram::NotExecutable))
}

fn missing(folders: &[PathBuf]) -> NoProgram {
    let names: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
    let looked_in = if names.is_empty() { "an empty PATH".to_owned() } else { names.join(", ") };
    NoProgram::Missing { looked_in }
}

enum Found {
    Program,
    NotExecutable,
    Folder,
    Nothing,
}

fn look_at(path: &Path) -> Found {
    match path.metadata() {
        Ok(found) if found.is_dir() => Found::Folder,
        Ok(_) if access(path, Access::EXEC_OK).is_ok() => Found::Program,
        Ok(_) => Found::NotExecutable,
        Err(_) => Found::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_program_is_found_on_the_path_or_by_its_own_path() {
        let root = Path::new("/");
        let path = Some(OsStr::new("/nonexistent:/bin"));
        assert!(find_program("sh", path, root).is_ok());
        assert!(find_program("/bin/sh", None, root).is_ok());
        assert!(find_program("bin/sh", None, root).is_ok());
        let looked_in = |outcome| match outcome {
            Err(NoProgram::Missing { looked_in }) => looked_in,
            other => panic!("{other:?}"),
        };
        assert_eq!(looked_in(find_program("no-such-command", path, root)), "/nonexistent, /bin");
        assert_eq!(looked_in(find_program("sh", None, root)), "an empty PATH");
        assert_eq!(looked_in(find_program("/no/such", None, root)), "/no/such");
    }

    #[test]
    fn a_folder_or_a_file_without_permission_is_not_called_missing() {
        let folder = tempfile::tempdir().unwrap();
        let plain = folder.path().join("plain");
        fs::write(&plain, "").unwrap();
        fs::set_permissions(&plain, fs::Permissions::from_mode(0o644)).unwrap();
        let here = folder.path();
        assert_eq!(find_program("./plain", None, here), Err(NoProgram::NotExecutable(here.join("./plain"))));
        let by_name = find_program("plain", Some(here.as_os_str()), here);
        assert_eq!(by_name, Err(NoProgram::NotExecutable(plain)));
        assert_eq!(find_program("/tmp", None, here), Err(NoProgram::Folder("/tmp".into())));
    }

    #[test]
    fn a_program_behind_a_file_that_is_none_is_found() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("sh"), "").unwrap();
        let path = format!("{}:/bin", folder.path().display());
        assert_eq!(find_program("sh", Some(OsStr::new(&path)), Path::new("/")), Ok("/bin/sh".into()));
    }
}
