//! The catalogue as the person's files make it now: a supervisor lives for days, and a file that is added or mended
//! meanwhile counts from the next login on.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use super::Catalogue;

/// What tells that a file is another one: its name, when it was written, how long it is.
type Stamp = (OsString, Option<SystemTime>, u64);

/// A catalogue that follows a folder.
#[derive(Debug)]
pub struct CurrentCatalogue {
    folder: Option<PathBuf>,
    read: Mutex<(Vec<Stamp>, Arc<Catalogue>)>,
}

impl CurrentCatalogue {
    /// Follows the folder with the person's own files; what is wrong in them is left out. Reads files.
    pub fn of(folder: Option<PathBuf>) -> Self {
        let stamps = stamps(folder.as_ref());
        let (catalogue, _) = Catalogue::load(folder.as_deref());
        Self { folder, read: Mutex::new((stamps, Arc::new(catalogue))) }
    }

    /// Returns the catalogue; reads the files again if any of them has changed.
    pub fn now(&self) -> Arc<Catalogue> {
        let stamps = stamps(self.folder.as_ref());
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if read.0 != stamps {
            let (catalogue, _) = Catalogue::load(self.folder.as_deref());
            *read = (stamps, Arc::new(catalogue));
        }
        Arc::clone(&read.1)
    }
}

impl From<Catalogue> for CurrentCatalogue {
    /// One that follows nothing.
    fn from(catalogue: Catalogue) -> Self {
        Self { folder: None, read: Mutex::new((Vec::new(), Arc::new(catalogue))) }
    }
}

fn stamps(folder: Option<&PathBuf>) -> Vec<Stamp> {
    let entries = folder.and_then(|folder| std::fs::read_dir(folder).ok()).into_iter().flatten().flatten();
    let mut stamps: Vec<Stamp> = entries
        .filter_map(|entry| {
            // Through a link: the file behind it is what is read.
            let found = std::fs::metadata(entry.path()).ok()?;
            Some((entry.file_name(), found.modified().ok(), found.len()))
        })
        .collect();
    stamps.sort();
    stamps
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINE: &str = "id = \"mine\"\ntitle = \"Mine\"\ncommand = [\"mine\"]\nanswers = [\"polls\"]\n\
                        expected_hosts = []\ninstall_hint = \"none\"\n";

    #[test]
    fn a_file_counts_from_when_it_is_there_until_it_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let current = CurrentCatalogue::of(Some(folder.path().join("providers")));
        assert!(current.now().get("mine").is_none());
        let before = current.now();
        assert!(Arc::ptr_eq(&before, &current.now()), "nothing is read again while nothing changes");

        std::fs::create_dir(folder.path().join("providers")).unwrap();
        let file = folder.path().join("providers/mine.toml");
        std::fs::write(&file, MINE).unwrap();
        assert_eq!(current.now().get("mine").unwrap().title, "Mine");
        std::fs::write(&file, MINE.replace("\"Mine\"", "\"Changed\"")).unwrap();
        assert_eq!(current.now().get("mine").unwrap().title, "Changed");
        std::fs::remove_file(&file).unwrap();
        assert!(current.now().get("mine").is_none());
        assert!(current.now().get("gh").is_some());
    }
}
