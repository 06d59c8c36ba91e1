//! What the deck takes from the environment and from the person's theme files, before it opens.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::config;
use crate::config::catalogue::Catalogue;
use crate::os::files;
use crate::tui::settings::Settings;
use crate::tui::surroundings::Surroundings;
use crate::tui::theme::Source;

/// Makes the deck's settings of the configuration and of what is around; mistakes are a sentence each.
#[expect(clippy::disallowed_methods, reason = "the deck's edge: everything behind it gets settings")]
pub fn prepare(configuration: config::Settings) -> (Settings, Vec<String>) {
    let variable = |name: &str| std::env::var(name).ok();
    let folder = config::folder(|name| std::env::var_os(name));
    let (themes, mistakes) =
        folder.as_deref().map(|folder| own_themes(&folder.join("themes"))).unwrap_or_default();
    // What is wrong in a provider's file is told by whoever starts logins.
    let (catalogue, _) = Catalogue::load(folder.as_deref().map(|folder| folder.join("providers")).as_deref());
    let surroundings = Surroundings::read(variable);
    let settings = Settings {
        theme: configuration.theme,
        themes,
        configuration_file: folder.unwrap_or_default().join("config.toml").display().to_string(),
        keys: configuration.keys,
        bell: configuration.notifications.bell,
        osc9: configuration.notifications.osc9,
        mouse: configuration.mouse,
        hyperlinks: configuration.hyperlinks && surroundings.hyperlinks,
        copy: configuration.clipboard,
        recordings: state_folder(&variable).join("recordings"),
        private_folder: private_folder(&variable),
        catalogue: Some(Arc::new(catalogue)),
        surroundings,
    };
    (settings, mistakes)
}

fn absolute(variable: &impl Fn(&str) -> Option<String>, name: &str) -> Option<PathBuf> {
    variable(name).map(PathBuf::from).filter(|path| path.is_absolute())
}

/// `$XDG_STATE_HOME/authdeck`, else `~/.local/state/authdeck` (XDG Base Directory Specification), else here.
fn state_folder(variable: &impl Fn(&str) -> Option<String>) -> PathBuf {
    absolute(variable, "XDG_STATE_HOME")
        .or_else(|| absolute(variable, "HOME").map(|home| home.join(".local/state")))
        .map_or_else(|| PathBuf::from("."), |state| state.join("authdeck"))
}

/// What is copied to a file should not outlive the login session where the system has a folder for that.
fn private_folder(variable: &impl Fn(&str) -> Option<String>) -> PathBuf {
    let runtime = absolute(variable, "XDG_RUNTIME_DIR").map(|folder| folder.join("authdeck"));
    runtime.unwrap_or_else(|| state_folder(variable))
}

fn own_themes(folder: &Path) -> (Vec<Source>, Vec<String>) {
    let (mut themes, mut mistakes) = (Vec::new(), Vec::new());
    // Without the folder there are no themes of one's own.
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().flatten().map(|file| file.path()).collect();
    files.sort();
    for path in files.iter().filter(|path| path.extension().is_some_and(|ending| ending == "toml")) {
        let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        match files::read_text(path) {
            Ok(text) => themes.push(Source { name, file: path.display().to_string(), text }),
            Err(reason) => mistakes.push(format!("{}: {reason}; the theme is left out.", path.display())),
        }
    }
    (themes, mistakes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_persons_themes_are_found_by_their_file_names() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("mine.toml"), "inherits = \"dark\"\n").unwrap();
        fs::write(folder.path().join("broken.toml"), [0xff, 0xfe]).unwrap();
        fs::write(folder.path().join("notes.txt"), "x").unwrap();
        let (themes, mistakes) = own_themes(folder.path());
        assert_eq!(themes.len(), 1);
        assert_eq!(themes[0].name, "mine");
        assert_eq!(mistakes.len(), 1);
        assert!(mistakes[0].contains("broken.toml"), "{mistakes:?}");
    }
}
