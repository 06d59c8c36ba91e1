//! The one-time token that a supervisor shows when it attaches.
//!
//! It lies in the session's folder as `token`. Each successful attach spends it: the next one is in the file before
//! the attach is answered. A wrong token spends nothing. The folder and the peer's uid are the lock; the token sees
//! to it that a supervisor which attaches has read this very folder now, and that no old reading of it is of use.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::core::secret::Secret;

/// The file's name in the session's folder.
pub const FILE: &str = "token";

/// The current token and where the next one is written.
pub struct Token {
    path: PathBuf,
    current: Secret,
}

impl Token {
    /// Draws the first token and writes it into `directory`.
    ///
    /// # Errors
    /// There is no randomness, or the file cannot be written.
    pub fn create(directory: &Path) -> io::Result<Self> {
        let mut token = Self { path: directory.join(FILE), current: Secret::default() };
        token.rotate()?;
        Ok(token)
    }

    /// Tells whether this is the current token.
    pub fn matches(&self, presented: &str) -> bool {
        !self.current.is_empty() && self.current.matches(presented)
    }

    /// Replaces the token. If that fails, the current one stays valid.
    ///
    /// # Errors
    /// There is no randomness, or the file cannot be written.
    pub fn rotate(&mut self) -> io::Result<()> {
        let next = draw()?;
        let beside = self.path.with_extension("new");
        let _ = fs::remove_file(&beside);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
        file.write_all(next.secret().as_bytes())?;
        fs::rename(&beside, &self.path)?;
        self.current = next;
        Ok(())
    }
}

/// Draws 32 random bytes as hexadecimal digits.
fn draw() -> io::Result<Secret> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut bytes = [0u8; 32];
    getrandom::fill(&mut bytes).map_err(|error| io::Error::other(format!("no randomness: {error}")))?;
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    Ok(Secret::new(bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect::<String>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_token_is_new_and_the_file_holds_the_current_one() {
        let folder = tempfile::tempdir().unwrap();
        let mut token = Token::create(folder.path()).unwrap();
        let first = fs::read_to_string(folder.path().join(FILE)).unwrap();
        assert_eq!(first.len(), 64);
        assert!(token.matches(&first));
        assert!(!token.matches(""));
        token.rotate().unwrap();
        let second = fs::read_to_string(folder.path().join(FILE)).unwrap();
        assert!(token.matches(&second) && !token.matches(&first));
    }

    #[test]
    fn a_token_that_cannot_be_replaced_stays_valid() {
        let folder = tempfile::tempdir().unwrap();
        let mut token = Token::create(folder.path()).unwrap();
        let first = fs::read_to_string(folder.path().join(FILE)).unwrap();
        fs::remove_dir_all(folder.path()).unwrap();
        assert!(token.rotate().is_err());
        assert!(token.matches(&first));
    }
}
