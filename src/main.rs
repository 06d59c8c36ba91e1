//! Wires the parts together.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    // Before anything else is parsed or started: a keeper is to be up in a moment, small and single-threaded.
    let arguments: Vec<OsString> = std::env::args_os().collect();
    if let [_, command, directory] = arguments.as_slice()
        && command == "keeper"
    {
        return authdeck::keeper::main(Path::new(directory));
    }
    ExitCode::SUCCESS
}
