//! Wires the parts together.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::ExitCode;

use authdeck::cli::{Command, CommandLine};
use authdeck::commands::supervisor::Place;
use authdeck::commands::{
    api, askpass, browser, completions, configuration, deck, demo, demo_provider, detect, doctor, man,
    providers, proxy, scripted, serve, ssh, stop, ticket, upgrade,
};
use authdeck::error::Error;
use authdeck::keeper;
use authdeck::os::own_process;

fn main() -> ExitCode {
    own_process::forbid_dumps();
    let arguments: Vec<OsString> = std::env::args_os().collect();
    if let Some(code) = before_parsing(&arguments) {
        return code;
    }
    completions::answer_a_shell();
    let line = match CommandLine::read(&arguments) {
        Ok(line) => line,
        Err(code) => return code,
    };
    let place = if line.is_embedded() { Place::Embedded } else { Place::Background };
    let outcome = match line.command {
        None => deck::open(line.start.as_deref(), place),
        Some(Command::Login(login)) => deck::login(login, place),
        Some(Command::Run(run)) => deck::run(run, place),
        Some(Command::Serve(options)) => serve::run(&options),
        Some(Command::Stop(options)) => stop::run(&options),
        Some(Command::Ssh(options)) => ssh::run(options),
        Some(Command::Proxy) => proxy::run(),
        Some(Command::Upgrade) => upgrade::run(),
        Some(Command::Scripted(command)) => scripted::run(command),
        Some(Command::Ticket(options)) => ticket::run(&options),
        Some(Command::Api(options)) => api::run(&options.what),
        Some(Command::Providers(options)) => providers::run(&options),
        Some(Command::Detect(options)) => detect::run(&options),
        Some(Command::Askpass(options)) => askpass::run(options.prompt.as_deref()),
        Some(Command::Demo(_)) => demo::run(place),
        Some(Command::Doctor(options)) => doctor::run(&options),
        Some(Command::Config(options)) => configuration::run(&options.what),
        Some(Command::Completions(options)) => completions::run(&options),
        Some(Command::Man(options)) => man::run(&options),
        Some(Command::Keeper(options)) => return keeper::main(&options.directory),
        Some(Command::DemoProvider(options)) => return demo_provider::main(options.part),
    };
    end(outcome)
}

fn end(outcome: Result<(), Error>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => error.print(),
    }
}

/// What must not pay for the parsing of a command line: a keeper is to be up in a moment and single-threaded, and an
/// askpass program is called by its name, with a prompt that may look like an option.
fn before_parsing(arguments: &[OsString]) -> Option<ExitCode> {
    let name = arguments.first().map(Path::new).and_then(Path::file_name);
    if name == Some(OsStr::new(askpass::LINK_NAME)) {
        let prompt = arguments.get(1).map(|prompt| prompt.to_string_lossy());
        return Some(end(askpass::run(prompt.as_deref())));
    }
    if name.is_some_and(browser::is_opener) {
        return Some(end(browser::run(&arguments[1..])));
    }
    match arguments {
        [_, command, directory] if command == "keeper" => Some(keeper::main(Path::new(directory))),
        _ => None,
    }
}
