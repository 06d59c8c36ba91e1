//! Copies this program to a machine where there is none, or an older one. It is asked for each time.

use std::process::Stdio;

use tokio::io::AsyncReadExt as _;

use super::link::{Asking, Link, Unreached, listen};
use crate::error::{Error, Kind};

/// Where it goes: the folder of a person's own programs (XDG Base Directory Specification).
const PLACE: &str = "~/.local/bin/authdeck";

/// What to ask before copying; absent where copying would not help.
pub(super) fn question(host: &str, unreached: &Unreached) -> Option<String> {
    let there = match unreached {
        Unreached::Missing => "There is no authdeck".to_owned(),
        Unreached::Older(None) => "There is an older authdeck".to_owned(),
        Unreached::Older(Some(version)) => format!("There is an older authdeck ({version})"),
        Unreached::NotLetIn(_) | Unreached::Other(_) => return None,
    };
    Some(format!("{there} on {host}. Copy this one ({}) to {PLACE} there?", env!("CARGO_PKG_VERSION")))
}

/// Copies it, and makes sure that it runs there.
///
/// # Errors
/// The machine is of another kind, or it cannot be written or run there.
pub(super) async fn install(link: &Link) -> Result<(), Error> {
    let failed = |text: String| Error::new(Kind::Failed, text);
    let kind = run(link, "uname -sm", Stdio::null()).await?;
    let own = rustix::system::uname();
    let own = format!("{} {}", own.sysname().to_string_lossy(), own.machine().to_string_lossy());
    // A careless shell prints things of its own before.
    let kind = kind.lines().last().unwrap_or_default().trim();
    if kind != own {
        return Err(failed(format!("it is a machine of another kind ({kind}, and this is {own})"))
            .hint("build authdeck there: cargo install authdeck"));
    }
    let program = std::env::current_exe().and_then(std::fs::File::open);
    let program = program.map_err(|error| failed("this program cannot be read".into()).because(error))?;
    // In the place of the old one only once it is whole and is known to run.
    let script = "set -e; umask 077; mkdir -p \"$HOME/.local/bin\"; new=\"$HOME/.local/bin/.authdeck.$$\"; \
                  trap 'rm -f \"$new\"' EXIT; cat >\"$new\"; chmod 755 \"$new\"; \"$new\" --version; \
                  mv \"$new\" \"$HOME/.local/bin/authdeck\"";
    run(link, script, Stdio::from(program)).await.map(drop)
}

/// Runs a script there, and returns what it prints. What it complains about is for the person to see.
async fn run(link: &Link, script: &str, input: Stdio) -> Result<String, Error> {
    let failed = |text: &str| Error::new(Kind::Failed, format!("{}: {text}", link.host));
    let mut process = link
        .command(script, Asking::ThePerson)
        .stdin(input)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| failed("ssh cannot be started").because(error))?;
    let mut complaint = Vec::new();
    let errors = process.stderr.take();
    let shown = async {
        if let Some(mut errors) = errors {
            listen(&mut errors, &mut complaint, Asking::ThePerson).await;
        }
    };
    let output = process.stdout.take();
    let read = async {
        let mut text = String::new();
        if let Some(output) = output {
            output.take(64 * 1024).read_to_string(&mut text).await?;
        }
        Ok::<_, std::io::Error>(text)
    };
    let (text, ()) = tokio::join!(read, shown);
    let text = text.map_err(|error| failed("what it says cannot be read").because(error))?;
    let status = process.wait().await.map_err(|error| failed("ssh cannot be waited for").because(error))?;
    if status.success() { Ok(text) } else { Err(failed(&format!("it could not be copied ({status})"))) }
}
