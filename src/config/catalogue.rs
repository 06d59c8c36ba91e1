//! The catalogue of providers: one TOML file for each login CLI, built in, and the person's own files over them.
//!
//! ```text
//! src/config/providers/*.toml          built in, read from the program itself
//! ~/.config/authdeck/providers/*.toml  the person's own: a new id adds a provider, a known id replaces it
//! ```
//!
//! A built-in entry is parsed when it is first asked for: start-up pays for the providers in use only. A mistake in
//! a person's file is a message that names the file, the line and the field; that file is left out and everything
//! else still loads. `README` and `authdeck providers` are made from this, and [`mod@file`] documents every field.

mod current;
mod embedded;
pub mod file;

pub use current::CurrentCatalogue;

use std::fs;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use crate::core::ids::ProviderId;
use crate::core::provider::Provider;
use crate::os::files;

/// All providers by id, in the order of their ids.
#[derive(Debug)]
pub struct Catalogue {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    id: String,
    text: &'static str,
    parsed: OnceLock<Option<Arc<Provider>>>,
}

impl Catalogue {
    /// Returns the built-in catalogue.
    pub fn built_in() -> Self {
        let entries = embedded::FILES
            .iter()
            .map(|(id, text)| Entry { id: (*id).to_owned(), text, parsed: OnceLock::new() })
            .collect();
        Self { entries }
    }

    /// Returns the catalogue with the person's own files over the built-in ones, and one message for each mistake.
    ///
    /// `folder` is the one that holds the `*.toml` files; one that is not there means no files. Reads files.
    pub fn load(folder: Option<&Path>) -> (Self, Vec<String>) {
        let mut catalogue = Self::built_in();
        let mut messages = Vec::new();
        let Some(folder) = folder else { return (catalogue, messages) };
        for path in own_files(folder, &mut messages) {
            match files::read_text(&path) {
                Ok(text) => match file::parse(&path, &text) {
                    Ok(provider) => catalogue.put(provider),
                    Err(mistakes) => messages.extend(mistakes),
                },
                Err(reason) => messages.push(format!(
                    "{} cannot be read: {reason}. This provider file is left out.",
                    path.display()
                )),
            }
        }
        (catalogue, messages)
    }

    /// Returns the provider of this id.
    pub fn get(&self, id: &str) -> Option<Arc<Provider>> {
        let at = self.entries.binary_search_by(|entry| entry.id.as_str().cmp(id)).ok()?;
        self.entries[at].provider()
    }

    /// Returns all ids in order.
    pub fn ids(&self) -> impl Iterator<Item = ProviderId> + '_ {
        self.entries.iter().map(|entry| ProviderId::new(entry.id.clone()))
    }

    /// Returns all providers in the order of their ids; parses what was not parsed yet.
    pub fn all(&self) -> impl Iterator<Item = Arc<Provider>> + '_ {
        self.entries.iter().filter_map(Entry::provider)
    }

    /// Returns the provider whose login a command line starts; the most specific one if several fit.
    pub fn recognise(&self, command_line: &str) -> Option<Arc<Provider>> {
        self.all()
            .filter_map(|provider| Some((provider.recognised_length(command_line)?, provider)))
            .max_by_key(|(length, _)| *length)
            .map(|(_, provider)| provider)
    }

    /// Returns the ids nearest to one that does not exist, for "did you mean" messages.
    pub fn suggestions(&self, wanted: &str) -> Vec<String> {
        let wanted = wanted.to_lowercase();
        self.entries
            .iter()
            .map(|entry| entry.id.clone())
            .filter(|id| !wanted.is_empty() && (id.contains(&wanted) || wanted.contains(id.as_str())))
            .take(5)
            .collect()
    }

    fn put(&mut self, provider: Provider) {
        let id = provider.id.as_str().to_owned();
        let entry = Entry { id, text: "", parsed: OnceLock::from(Some(Arc::new(provider))) };
        match self.entries.binary_search_by(|other| other.id.cmp(&entry.id)) {
            Ok(at) => self.entries[at] = entry,
            Err(at) => self.entries.insert(at, entry),
        }
    }
}

impl Entry {
    /// Built-in files are checked by a test, so one that does not parse cannot be shipped; it is left out if it is.
    fn provider(&self) -> Option<Arc<Provider>> {
        self.parsed.get_or_init(|| file::parse_trusted(&self.id, self.text).ok().map(Arc::new)).clone()
    }
}

fn own_files(folder: &Path, messages: &mut Vec<String>) -> Vec<std::path::PathBuf> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Vec::new(),
        Err(error) => {
            messages.push(format!(
                "{} cannot be read: {error}. Only the built-in providers are there.",
                folder.display()
            ));
            return Vec::new();
        }
    };
    let mut paths: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    paths.sort();
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_provider_file_is_forgotten_and_the_list_is_in_order() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/config/providers");
        let mut there: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
            .collect();
        there.sort();
        let listed: Vec<String> = embedded::FILES.iter().map(|(id, _)| (*id).to_owned()).collect();
        assert_eq!(listed, there, "src/config/catalogue/embedded.rs lists every file once, in order");
    }

    #[test]
    fn every_built_in_file_is_right_in_every_field() {
        for (id, text) in embedded::FILES {
            let path = Path::new("src/config/providers").join(format!("{id}.toml"));
            match file::parse(&path, text) {
                Ok(provider) => assert_eq!(provider.id.as_str(), *id, "the id is the file's name"),
                Err(mistakes) => panic!("{mistakes:#?}"),
            }
        }
    }

    #[test]
    fn a_person_adds_and_overrides_and_a_mistake_costs_only_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let good = "id = \"mine\"\ntitle = \"Mine\"\ncommand = [\"mine\", \"login\"]\nanswers = [\"polls\"]\n\
                    expected_hosts = [\"mine.example\"]\ninstall_hint = \"ask me\"\n";
        fs::write(folder.path().join("a.toml"), good).unwrap();
        fs::write(folder.path().join("b.toml"), good.replace("mine", "gh")).unwrap();
        fs::write(folder.path().join("c.toml"), good.replace("title", "titel")).unwrap();
        let (catalogue, messages) = Catalogue::load(Some(folder.path()));
        assert_eq!(catalogue.get("mine").unwrap().title, "Mine");
        assert_eq!(catalogue.get("gh").unwrap().command, ["gh", "login"]);
        assert!(catalogue.get("claude").is_some());
        assert_eq!(messages.len(), 1, "{messages:?}");
        assert!(messages[0].contains("c.toml, line 2: `titel`"), "{messages:?}");
    }

    #[test]
    fn a_missing_folder_means_the_built_in_ones() {
        let (catalogue, messages) = Catalogue::load(Some(Path::new("/nonexistent/providers")));
        assert!(messages.is_empty());
        assert!(catalogue.get("codex").is_some());
        assert!(catalogue.get("no-such-provider").is_none());
    }

    #[test]
    fn a_command_line_leads_to_its_provider() {
        let catalogue = Catalogue::built_in();
        assert_eq!(catalogue.recognise("claude setup-token").unwrap().id.as_str(), "claude-setup-token");
        assert_eq!(catalogue.recognise("gh auth login --web").unwrap().id.as_str(), "gh");
        assert!(catalogue.recognise("gh auth status").is_none());
        assert!(catalogue.recognise("apt-get install -y bc").is_none());
    }
}
