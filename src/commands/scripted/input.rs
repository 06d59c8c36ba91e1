//! What is read from standard input: a secret that is not echoed, or lines as they come.

use std::io::{BufRead as _, IsTerminal as _, Read as _};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use tokio::sync::{mpsc, oneshot};
use zeroize::Zeroizing;

use crate::core::secret::Secret;
use crate::core::visible::TerminalText;
use crate::error::{Error, Kind};
use crate::output;

/// The longest text that is read, in bytes: more than any code, callback URL or password has.
const LONGEST: u64 = 64 * 1024;

/// A terminal hands a line over only up to this many bytes, and drops the rest (`N_TTY_BUF_SIZE`, termios(3)).
const LONGEST_TERMINAL_LINE: usize = 4095;

/// Tells whether a person types at standard input.
pub(super) fn is_terminal() -> bool {
    std::io::stdin().is_terminal()
}

/// Keeps the terminal from showing what is typed, until it is dropped.
pub(super) struct Hidden(Option<Termios>);

impl Hidden {
    pub(super) fn new() -> Self {
        let input = std::io::stdin();
        let before = tcgetattr(&input).ok();
        if let Some(before) = &before {
            let mut hidden = before.clone();
            hidden.local_modes.remove(LocalModes::ECHO);
            // An error means that there is no terminal, and nothing to hide from it.
            let _ = tcsetattr(&input, OptionalActions::Now, &hidden);
        }
        Self(before)
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, before);
        }
    }
}

/// Returns a text of the command line; `-` or none means standard input.
pub(super) async fn text(argument: Option<String>, prompt: &TerminalText) -> Result<Secret, Error> {
    match argument {
        Some(text) if text != "-" => Ok(Secret::new(text)),
        Some(_) | None => read(prompt, false).await,
    }
}

/// Reads a secret; on a terminal one line that is not shown.
pub(super) async fn secret(prompt: &TerminalText) -> Result<Secret, Error> {
    read(prompt, true).await
}

async fn read(prompt: &TerminalText, hide: bool) -> Result<Secret, Error> {
    let terminal = is_terminal();
    let hidden = (terminal && hide).then(Hidden::new);
    if terminal {
        // Without a prompt it is still read.
        output::complain(prompt);
    }
    // A thread of its own: it may wait for ever, and must not keep this process from ending.
    let (sender, receiver) = oneshot::channel();
    std::thread::spawn(move || sender.send(if terminal { read_line() } else { read_all() }));
    let outcome = tokio::select! {
        read = receiver => read.unwrap_or_else(|_| Ok(None)),
        _ = tokio::signal::ctrl_c() => Err(Error::new(Kind::Denied, "nothing was sent")),
    };
    if hidden.is_some() {
        drop(hidden);
        output::complain(&TerminalText::default().ended());
    }
    Ok(outcome?.unwrap_or_default())
}

/// Reads to the end, and takes the end of the last line off.
fn read_all() -> Result<Option<Secret>, Error> {
    let mut text = Zeroizing::new(String::new());
    let read = std::io::stdin().lock().take(LONGEST + 1).read_to_string(&mut text);
    read.map_err(|error| Error::new(Kind::Input, "standard input cannot be read").because(error))?;
    if text.len() as u64 > LONGEST {
        let text = format!("standard input has more than the {LONGEST} bytes that are taken");
        return Err(Error::new(Kind::Input, text));
    }
    Ok(Some(Secret::new(without_end(&text))))
}

/// Reads a line; absent at the end of the input.
fn read_line() -> Result<Option<Secret>, Error> {
    let mut line = Zeroizing::new(String::with_capacity(LONGEST_TERMINAL_LINE + 1));
    let read = std::io::stdin().lock().take(LONGEST).read_line(&mut line);
    let count =
        read.map_err(|error| Error::new(Kind::Input, "standard input cannot be read").because(error))?;
    if count >= LONGEST_TERMINAL_LINE && is_terminal() {
        return Err(Error::new(
            Kind::Input,
            "the terminal cut what was pasted off: it passes 4095 bytes only",
        )
        .hint("put it into a file and hand that to `authdeck submit ID -`"));
    }
    Ok((count > 0).then(|| Secret::new(without_end(&line))))
}

fn without_end(text: &str) -> &str {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.strip_suffix('\r').unwrap_or(text)
}

/// The lines of standard input as they come.
pub(super) struct Lines(mpsc::Receiver<Result<Secret, Error>>);

impl Lines {
    /// Begins to read.
    pub(super) fn begin() -> Self {
        let (sender, lines) = mpsc::channel(1);
        std::thread::spawn(move || {
            while let Some(line) = read_line().transpose() {
                let over = line.as_ref().is_err_and(|error| error.kind() != Kind::Input || !is_terminal());
                if sender.blocking_send(line).is_err() || over {
                    return;
                }
            }
        });
        Self(lines)
    }

    /// Waits for the next line, for ever once there is none any more.
    pub(super) async fn next(&mut self) -> Result<Secret, Error> {
        match self.0.recv().await {
            Some(line) => line,
            None => std::future::pending().await,
        }
    }
}
