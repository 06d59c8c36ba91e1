//! Files that a person wrote, read so that an odd one does no harm: a FIFO would be waited for without end, a link to
//! `/dev/zero` would fill the memory.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

/// The largest file of settings, a provider, a theme or a list that is read, in bytes. A larger one is something else.
pub const LARGEST_TEXT: u64 = 1024 * 1024;

/// Reads a regular file of at most [`LARGEST_TEXT`] bytes of UTF-8.
///
/// # Errors
/// Why it cannot be read; the message has no path in it.
pub fn read_text(path: &Path) -> io::Result<String> {
    // Without O_NONBLOCK a FIFO would be waited for already here.
    let flags = libc::O_NONBLOCK | libc::O_NOCTTY | libc::O_CLOEXEC;
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len().min(LARGEST_TEXT)).unwrap_or(0));
    // It may grow while it is read.
    file.take(LARGEST_TEXT + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST_TEXT {
        return Err(io::Error::other(format!("it has more than {LARGEST_TEXT} bytes")));
    }
    String::from_utf8(bytes).map_err(|error| {
        io::Error::other(format!("it is not UTF-8 text (at byte {})", error.utf8_error().valid_up_to()))
    })
}

/// Says what makes a folder unsafe for what is private; absent if it is this user's alone. A link is no folder.
///
/// # Errors
/// It is not there, or cannot be looked at.
pub fn unsafe_folder(path: &Path) -> io::Result<Option<UnsafeFolder>> {
    let found = fs::symlink_metadata(path)?;
    Ok(if !found.is_dir() {
        Some(UnsafeFolder::NoFolder)
    } else if found.uid() != rustix::process::geteuid().as_raw() {
        Some(UnsafeFolder::OfAnotherUser)
    } else if found.mode() & 0o077 != 0 {
        Some(UnsafeFolder::OpenToOthers)
    } else {
        None
    })
}

/// What is wrong with a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnsafeFolder {
    /// It is a link or a file.
    NoFolder,
    /// Somebody else can replace what is in it.
    OfAnotherUser,
    /// Others may enter it.
    OpenToOthers,
}

impl UnsafeFolder {
    /// Says so.
    pub fn reason(self) -> &'static str {
        match self {
            Self::NoFolder => "it is no folder",
            Self::OfAnotherUser => "it belongs to another user",
            Self::OpenToOthers => "other users may enter it",
        }
    }
}

/// Makes a folder for what is private, unless it is there, and checks that it is this user's alone.
///
/// # Errors
/// The folder is not safe, or what the system says.
pub fn private_folder(folder: &Path) -> io::Result<()> {
    if let Some(parent) = folder.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
    }
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let Some(problem) = unsafe_folder(folder)? else { return Ok(()) };
    let text = format!("the folder {} is not safe: {}", folder.display(), problem.reason());
    Err(io::Error::new(io::ErrorKind::PermissionDenied, text))
}

/// Writes a file that only its owner can read, in place of whatever stood there; the folder is made if it is missing.
///
/// # Errors
/// What the system says.
pub fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    // `create_new` follows no link that somebody put there in between.
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600).custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC);
    options.open(path)?.write_all(content)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn odd_files_are_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        rustix::fs::mknodat(
            rustix::fs::CWD,
            at("fifo"),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::from_raw_mode(0o600),
            0,
        )
        .unwrap();
        symlink("/dev/zero", at("zero")).unwrap();
        symlink("/dev/tty", at("terminal")).unwrap();
        fs::create_dir(at("folder")).unwrap();
        for name in ["fifo", "zero", "folder"] {
            let error = read_text(&at(name)).unwrap_err();
            assert_eq!(error.to_string(), "it is not a regular file", "{name}");
        }
        assert!(read_text(&at("terminal")).is_err());
        fs::write(at("large"), vec![b'#'; 1024 * 1024 + 1]).unwrap();
        assert_eq!(read_text(&at("large")).unwrap_err().to_string(), "it has more than 1048576 bytes");
        fs::write(at("full"), vec![b'#'; 1024 * 1024]).unwrap();
        assert_eq!(read_text(&at("full")).unwrap().len(), 1024 * 1024);
        symlink(at("full"), at("link")).unwrap();
        assert!(read_text(&at("link")).is_ok(), "settings may be kept elsewhere");
    }

    #[test]
    fn what_is_private_goes_through_no_link_and_into_no_open_folder() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("elsewhere")).unwrap();
        fs::set_permissions(at("elsewhere"), fs::Permissions::from_mode(0o700)).unwrap();
        symlink(at("elsewhere"), at("linked")).unwrap();
        assert!(private_folder(&at("linked")).is_err());

        fs::create_dir(at("open")).unwrap();
        fs::set_permissions(at("open"), fs::Permissions::from_mode(0o777)).unwrap();
        let error = private_folder(&at("open")).unwrap_err();
        assert!(error.to_string().contains("other users may enter it"), "{error}");

        private_folder(&at("new/private")).unwrap();
        assert_eq!(fs::metadata(at("new/private")).unwrap().permissions().mode() & 0o777, 0o700);
        fs::write(at("victim"), "before").unwrap();
        fs::create_dir(at("own")).unwrap();
        fs::set_permissions(at("own"), fs::Permissions::from_mode(0o700)).unwrap();
        symlink(at("victim"), at("own/clipboard")).unwrap();
        write_private(&at("own/clipboard"), b"code").unwrap();
        assert_eq!(fs::read_to_string(at("victim")).unwrap(), "before");
        assert_eq!(fs::metadata(at("own/clipboard")).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
