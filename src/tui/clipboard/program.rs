//! A program that takes a text, and what is told of a copy.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::os::own_process;

/// A program that has not answered by now never will.
pub(super) const DEADLINE: Duration = Duration::from_secs(2);

/// What was done.
pub(super) struct Done {
    pub(super) to: String,
    /// What the terminal is to be given.
    pub(super) terminal: Vec<u8>,
    /// What is in the way, and what to do about it.
    pub(super) note: Option<String>,
}

/// Runs a program that takes its text from standard input, so that it is in no argument list.
pub(super) async fn run(command: &[&str], input: &str) -> Result<String, String> {
    let name = command[0];
    let mut program = Command::new(name);
    own_process::give_back_limits(program.as_std_mut());
    let mut child = program
        .args(&command[1..])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("{name} could not be started ({error})"))?;
    let stdin = child.stdin.take();
    let work = async {
        if let Some(mut stdin) = stdin {
            stdin.write_all(input.as_bytes()).await?;
        }
        child.wait_with_output().await
    };
    let output = match tokio::time::timeout(DEADLINE, work).await {
        Ok(Ok(output)) => output,
        Ok(Err(error)) => return Err(format!("{name} failed ({error})")),
        Err(_) => return Err(format!("{name} did not answer within {} s", DEADLINE.as_secs())),
    };
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr).lines().next_back().unwrap_or_default().to_owned();
    Err(format!("{name} refused ({})", crate::tui::text::visible(&said)))
}
