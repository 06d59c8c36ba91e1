//! `authdeck man DIR`: the manual pages, made from the command line.

use std::path::Path;

use clap_mangen::Man as Page;

use crate::cli::{CommandLine, Man};
use crate::error::{Error, Kind};

/// Writes a page for the program and one for each command into a folder.
///
/// # Errors
/// The folder cannot be made, or a page cannot be written.
pub fn run(options: &Man) -> Result<(), Error> {
    let folder = &options.directory;
    std::fs::create_dir_all(folder).map_err(|error| not_written(folder, error))?;
    for (name, command) in pages() {
        let mut text = Vec::new();
        let path = folder.join(format!("{name}.1"));
        Page::new(command)
            .manual("authdeck")
            .render(&mut text)
            .and_then(|()| std::fs::write(&path, text))
            .map_err(|error| not_written(&path, error))?;
    }
    Ok(())
}

/// Each page's name and what it says.
fn pages() -> Vec<(String, clap::Command)> {
    let mut command = CommandLine::command_with_help().disable_help_subcommand(true);
    command.build();
    let of_commands = command.get_subcommands().filter(|command| !command.is_hide_set()).map(|command| {
        let name = format!("authdeck-{}", command.get_name());
        // A page's title is not a text that lives for ever to clap.
        (name.clone(), command.clone().name(name))
    });
    let of_commands: Vec<_> = of_commands.collect();
    std::iter::once(("authdeck".to_owned(), command)).chain(of_commands).collect()
}

fn not_written(path: &Path, error: std::io::Error) -> Error {
    Error::new(Kind::Failed, format!("{} cannot be written", path.display()))
        .because(error)
        .hint("name a folder that you may write to")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_page_and_what_is_for_authdeck_alone_has_none() {
        let folder = tempfile::tempdir().unwrap();
        run(&Man { directory: folder.path().join("man1") }).unwrap();
        let page = |name: &str| std::fs::read_to_string(folder.path().join("man1").join(name));
        assert!(page("authdeck.1").unwrap().contains("authdeck\\-login(1)"));
        assert!(page("authdeck-login.1").unwrap().contains("PROVIDER"));
        assert!(page("authdeck-keeper.1").is_err());
    }
}
