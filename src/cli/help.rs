//! The help of the program itself: its commands in groups, and examples.

use std::fmt::Write as _;

use clap::Command;

/// The commands by what a person wants, in the order of the help. A test compares them with the command line.
const GROUPS: &[(&str, &[&str])] = &[
    ("Log in", &["login", "run", "ssh", "demo", "providers"]),
    (
        "Without the deck",
        &["sessions", "poll", "wait", "submit", "type", "transcript", "cancel", "kill", "detect"],
    ),
    ("Questions", &["challenges", "answer", "deny", "askpass"]),
    ("The supervisor", &["serve", "stop", "upgrade", "ticket", "api", "proxy"]),
    ("Setting up", &["doctor", "config", "completions", "man"]),
];

const EXAMPLES: &str = "Examples:
  authdeck                           open the deck; n starts a login
  authdeck login codex               the deck with that login started
  authdeck run -- gcloud auth login  any other command
  authdeck ssh devbox                the deck here, the logins there
  authdeck login gh --detach         start it and return; see authdeck wait gh";

const EXIT_CODES: &str = "Exit codes:
  0  done
  1  failed
  2  wrong command line, or it names something that does not exist
  3  a file cannot be read or understood
  4  no terminal or no supervisor
  5  refused, or nobody answered in time
  6  not over within the time to wait for it";

/// Gives the program's own help its groups.
pub fn with_groups(command: Command) -> Command {
    let listed = listing(&command);
    command
        .help_template(format!(
            "{{about}}\n\n{{usage-heading}} {{usage}}\n\n{listed}Options:\n{{options}}\n\n{EXAMPLES}\n\n{EXIT_CODES}\n"
        ))
        .disable_help_subcommand(true)
}

fn listing(command: &Command) -> String {
    let all = || GROUPS.iter().flat_map(|(_, names)| names.iter());
    let width = all().map(|name| name.len()).max().unwrap_or(0);
    GROUPS.iter().fold(String::new(), |mut text, (title, names)| {
        // Writing to a text cannot fail.
        let _ = writeln!(text, "{title}:");
        for name in *names {
            let about = command.find_subcommand(name).and_then(Command::get_about);
            let about = about.map(ToString::to_string).unwrap_or_default();
            let _ = writeln!(text, "  {name:width$}  {about}");
        }
        text + "\n"
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::CommandLine;

    #[test]
    fn every_command_stands_in_one_group() {
        let command = CommandLine::command();
        let shown = command.get_subcommands().filter(|command| !command.is_hide_set());
        let mut there: Vec<&str> = shown.map(Command::get_name).collect();
        let mut listed: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        there.sort_unstable();
        listed.sort_unstable();
        assert_eq!(listed, there);
    }

    #[test]
    fn the_help_fits_a_terminal_of_eighty_columns() {
        let mut command = with_groups(CommandLine::command()).term_width(80);
        let help = command.render_help().to_string();
        let wide: Vec<&str> = help.lines().filter(|line| line.chars().count() > 80).collect();
        assert!(wide.is_empty(), "{wide:#?}");
        assert!(help.contains("Log in:\n  login "), "{help}");
    }
}
