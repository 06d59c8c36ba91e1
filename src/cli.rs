//! The command line, as data.

pub mod help;
pub mod scripted;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use self::scripted::{Following, Scripted};
use crate::core::visible::{TerminalText, visible};
use crate::error::Kind;
use crate::output;

/// Supervises login flows on headless boxes in one full-screen terminal program.
#[derive(Debug, Parser)]
#[command(name = "authdeck", bin_name = "authdeck", version = VERSION, about, max_term_width = 100)]
pub struct CommandLine {
    /// What to do; without a command the deck opens.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Where the supervisor runs
    #[command(flatten)]
    pub placement: Placement,
    /// Open the deck with everything in a file started: one a line, a JSON array of words or {"providerId": "gh"}
    #[arg(long, value_name = "FILE")]
    pub start: Option<PathBuf>,
}

/// The version, with the commit, its date and the target where they are known.
const VERSION: &str = env!("AUTHDECK_VERSION");

/// Where the supervisor of a deck runs.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct Placement {
    /// Keep everything in this process, without a supervisor in the background
    #[arg(long)]
    pub embedded: bool,
}

impl CommandLine {
    /// Reads the command line.
    ///
    /// # Errors
    /// The code to end the process with, after what is wrong with it or the help that it asks for was printed.
    pub fn read(arguments: &[OsString]) -> Result<Self, ExitCode> {
        Self::understand(arguments).map_err(|error| {
            if error.use_stderr() {
                output::complain(&complaint(&error, arguments));
            } else {
                // Help has nothing but words of this program in it, and bold ones among them.
                let _ = error.print();
            }
            ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(Kind::Usage.exit_code()))
        })
    }

    fn understand(arguments: &[OsString]) -> Result<Self, clap::Error> {
        let mut matches = Self::command_with_help().try_get_matches_from(arguments)?;
        let line = Self::from_arg_matches_mut(&mut matches)?;
        if let Some(command) = &line.command {
            let conflict = |text: &str| Err(Self::command().error(ErrorKind::ArgumentConflict, text));
            if line.start.is_some() {
                return conflict("--start opens the deck by itself and goes with no command");
            }
            if line.placement.embedded && !command.opens_a_deck() {
                return conflict("--embedded is for what opens a deck: no command, login, run or demo");
            }
        }
        Ok(line)
    }

    /// The command line as clap has it, with the program's own help in groups.
    pub fn command_with_help() -> clap::Command {
        help::with_groups(Self::command())
    }

    /// Tells whether the supervisor is to run in the deck's own process.
    pub fn is_embedded(&self) -> bool {
        let of_command = match &self.command {
            Some(Command::Login(login)) => login.placement.embedded,
            Some(Command::Run(run)) => run.placement.embedded,
            Some(Command::Demo(demo)) => demo.placement.embedded,
            Some(_) | None => false,
        };
        self.placement.embedded || of_command
    }
}

impl Command {
    fn opens_a_deck(&self) -> bool {
        matches!(self, Self::Login(_) | Self::Run(_) | Self::Demo(_))
    }
}

/// What is wrong with a command line. It repeats arguments, which may have come from anywhere: none makes up a line.
fn complaint(error: &clap::Error, arguments: &[OsString]) -> TerminalText {
    let mut text = error.render().to_string();
    let values = arguments.iter().map(|argument| argument.to_string_lossy());
    for value in values.filter(|value| value.contains('\n')) {
        text = text.replace(&*value, &visible(&value));
    }
    TerminalText::lines(&text)
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Open the deck with a provider's login started
    Login(Login),
    /// Open the deck with any command started
    Run(Run),
    /// List the providers that authdeck knows
    Providers(Providers),
    /// Print what is found in a recording (asciicast v2 or plain text)
    Detect(Detect),
    /// Ask for a secret in the deck and print it, for ssh, git and sudo
    Askpass(Askpass),
    /// Open the deck here over the supervisors of other machines, by ssh
    Ssh(Ssh),
    /// Carry one client's bytes; started by `authdeck ssh` on the host
    Proxy,
    /// What scripts and agents use
    #[command(flatten)]
    Scripted(Scripted),
    /// Open the deck with three scripted logins to try it with
    Demo(Demo),
    /// Run the supervisor in the background, where every deck finds it
    Serve(Serve),
    /// End the background supervisor; its logins go on
    Stop(Stop),
    /// Put this version in the running supervisor's place; all goes on
    Upgrade,
    /// Print a ticket that lets one client in over TCP, within 30 s
    Ticket(Ticket),
    /// Say what the supervisor's API is
    Api(Api),
    /// Look at what logins depend on here, and say what to mend
    Doctor(Doctor),
    /// Show, check and edit the settings
    Config(Config),
    /// Print what a shell needs to complete commands and names
    Completions(Completions),
    /// Write the manual pages into a folder
    Man(Man),
    /// Hold one session's terminal; started by authdeck itself
    #[command(hide = true)]
    Keeper(Keeper),
    /// Play a provider's CLI; started by `authdeck demo`
    #[command(hide = true)]
    DemoProvider(DemoProvider),
}

/// `authdeck login`.
#[derive(Debug, Args)]
pub struct Login {
    /// The provider's name in the catalogue, such as `claude` or `gh`
    pub provider: String,
    /// Your own name for this login
    #[arg(long)]
    pub name: Option<String>,
    /// The stored login that a success updates instead of making another
    #[arg(long, value_name = "BUNDLE")]
    pub into: Option<String>,
    /// Whether and how to do without the deck
    #[command(flatten)]
    pub following: Following,
    /// Where the supervisor runs
    #[command(flatten)]
    pub placement: Placement,
    /// Further arguments for the provider's command, after `--`
    #[arg(last = true)]
    pub arguments: Vec<String>,
}

/// `authdeck run`.
#[derive(Debug, Args)]
pub struct Run {
    /// Your own name for it
    #[arg(long)]
    pub name: Option<String>,
    /// Whether and how to do without the deck
    #[command(flatten)]
    pub following: Following,
    /// Where the supervisor runs
    #[command(flatten)]
    pub placement: Placement,
    /// The command, after `--`
    #[arg(last = true, required = true, value_name = "CMD")]
    pub command: Vec<String>,
}

/// `authdeck demo`.
#[derive(Debug, Args)]
pub struct Demo {
    /// Where the supervisor runs
    #[command(flatten)]
    pub placement: Placement,
}

/// `authdeck ssh`.
#[derive(Debug, Args)]
pub struct Ssh {
    /// The hosts, as ssh takes them: `box`, `me@box`, a name from your ssh configuration
    #[arg(required = true, value_name = "HOST")]
    pub hosts: Vec<String>,
    /// Start this provider's login on the first of them
    #[arg(long, value_name = "PROVIDER")]
    pub login: Option<String>,
    /// The ssh program and its options
    #[arg(long, value_name = "COMMAND", default_value = "ssh")]
    pub ssh: String,
}

/// `authdeck providers`.
#[derive(Debug, Args)]
pub struct Providers {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `authdeck detect`.
#[derive(Debug, Args)]
pub struct Detect {
    /// The recording; `-` reads standard input
    pub file: PathBuf,
    /// Use this provider's rules; without, the generic ones or those of the provider that the recording names
    #[arg(long, value_name = "ID")]
    pub provider: Option<String>,
    /// Columns of the terminal; the recording's own if absent
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub columns: Option<u16>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `authdeck askpass`.
#[derive(Debug, Args)]
pub struct Askpass {
    /// The question, as ssh, git and sudo hand it in
    #[arg(value_name = "PROMPT", allow_hyphen_values = true)]
    pub prompt: Option<String>,
}

/// `authdeck serve`.
#[derive(Clone, Debug, Default, Args)]
pub struct Serve {
    /// Stay in the foreground, for a service manager; it does not end by itself then
    #[arg(long)]
    pub foreground: bool,
    /// Listen on this loopback address too, such as 127.0.0.1:8414, for clients with a ticket
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: Option<SocketAddr>,
    /// Let pages of this origin connect, such as https://panel.example; may be repeated
    #[arg(long, value_name = "ORIGIN", requires = "listen")]
    pub allow_origin: Vec<String>,
    /// Standard input is the first client's connection; used by authdeck itself
    #[arg(long, hide = true, conflicts_with = "foreground")]
    pub detached: bool,
    /// Standard input leads to the supervisor whose place this one takes; used by authdeck itself
    #[arg(long, hide = true, conflicts_with_all = ["foreground", "detached", "listen"])]
    pub take_over: bool,
}

/// `authdeck stop`.
#[derive(Debug, Args)]
pub struct Stop {
    /// Do not ask, even if logins are live
    #[arg(long, short)]
    pub yes: bool,
    /// Kill every live login first, with everything it started
    #[arg(long)]
    pub all: bool,
    /// End the process of a supervisor that does not answer; its logins go on
    #[arg(long, conflicts_with_all = ["all", "yes"])]
    pub force: bool,
}

/// `authdeck ticket`.
#[derive(Debug, Args)]
pub struct Ticket {
    /// Let it open the logins of this provider only
    #[arg(long, value_name = "ID")]
    pub provider: Option<String>,
    /// Print JSON, with the moment from when on it is refused
    #[arg(long)]
    pub json: bool,
}

/// `authdeck api`.
#[derive(Debug, Args)]
pub struct Api {
    /// What to say
    #[command(subcommand)]
    pub what: ApiPart,
}

/// The parts of `authdeck api`.
#[derive(Debug, Subcommand)]
pub enum ApiPart {
    /// Print every method, event and error code with its JSON schema
    Schema,
}

/// `authdeck doctor`.
#[derive(Debug, Args)]
pub struct Doctor {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `authdeck config`.
#[derive(Debug, Args)]
pub struct Config {
    /// What to do
    #[command(subcommand)]
    pub what: ConfigPart,
}

/// The parts of `authdeck config`.
#[derive(Debug, Subcommand)]
pub enum ConfigPart {
    /// Print the path of the file
    Path,
    /// Print every setting: as the file has it, or its default as a comment
    Print,
    /// Say what is wrong in the file
    Check,
    /// Open the file in your editor (VISUAL, EDITOR), then check it
    Edit,
    /// Print a JSON schema of the file, for editors
    Schema,
}

/// `authdeck completions`.
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    #[arg(value_parser = ["bash", "elvish", "fish", "powershell", "zsh"])]
    pub shell: String,
}

/// `authdeck man`.
#[derive(Debug, Args)]
pub struct Man {
    /// The folder; it is made if it is not there
    #[arg(value_name = "DIR")]
    pub directory: PathBuf,
}

/// `authdeck keeper`.
#[derive(Debug, Args)]
pub struct Keeper {
    /// The session's folder
    pub directory: PathBuf,
}

/// `authdeck demo-provider`.
#[derive(Debug, Args)]
pub struct DemoProvider {
    /// Which part to play
    #[arg(value_enum)]
    pub part: DemoPart,
}

/// The parts that the demo provider plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum DemoPart {
    /// A device code that approves itself
    Device,
    /// A callback to a loopback listener
    Loopback,
    /// A child that hangs and has to be killed
    Hang,
    /// The provider's own check of who is logged in
    Check,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn what_comes_after_the_dashes_belongs_to_the_child() {
        let line = CommandLine::try_parse_from(["authdeck", "run", "--name", "x", "--", "sh", "-c", "echo"])
            .unwrap();
        assert!(matches!(
            line.command,
            Some(Command::Run(Run { name: Some(name), command, .. })) if name == "x" && command == ["sh", "-c", "echo"]
        ));
        let line =
            CommandLine::try_parse_from(["authdeck", "login", "gh", "--", "--scopes", "repo"]).unwrap();
        assert!(matches!(
            line.command,
            Some(Command::Login(Login { arguments, .. })) if arguments == ["--scopes", "repo"]
        ));
    }
}
