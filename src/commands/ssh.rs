//! `authdeck ssh HOST…`: the deck here, the sessions there. OpenSSH is the transport, with the person's own
//! configuration; on the other side `authdeck proxy` finds or starts the supervisor.
//!
//! | module | what it does |
//! | --- | --- |
//! | `link` | one connection over ssh |
//! | `install` | copies this program to where there is none, or an older one |
//!
//! All hosts are tried at once, without questions (`BatchMode`). Where ssh itself has to ask for a password or about a
//! host key, it is tried once more, one after the other, so that it can. Then the deck opens and the terminal is its
//! own: a connection that is lost later is made again without questions, or not at all.

mod install;
mod link;

use std::io::IsTerminal as _;
use std::os::fd::AsFd as _;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::mpsc;

use self::link::{Asking, Link, Unreached};
use super::deck::prepare;
use crate::cli::Ssh;
use crate::client::{Client, Events};
use crate::core::ids::ProviderId;
use crate::core::visible::TerminalText;
use crate::driver::platform::guard::TerminalGuard;
use crate::error::{Error, Kind};
use crate::os::own_process;
use crate::os::ports::port_holder;
use crate::output;
use crate::protocol::request::StartSession;
use crate::tui::{self, Attachment, Deck};

/// How long tasks may take to notice that the program ends.
const END_LIMIT: Duration = Duration::from_millis(200);

/// What ssh says and the deck has not shown yet, in lines; more is dropped.
const MOST_NOTICES: usize = 16;

type Connected = (Client, Events);

/// Opens the deck over the supervisors of other machines.
///
/// # Errors
/// There is no terminal, or none of the hosts is reached.
pub fn run(options: Ssh) -> Result<(), Error> {
    if !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
        return Err(Error::new(Kind::Unavailable, "the deck needs a terminal, and there is none here")
            .hint("a script calls the commands there: ssh HOST authdeck sessions --json"));
    }
    let prepared = prepare();
    let start = match &options.login {
        // Whether there is such a provider is for the host to say.
        Some(provider) => {
            vec![StartSession {
                provider_id: Some(ProviderId::new(provider.as_str())),
                ..StartSession::default()
            }]
        }
        None => Vec::new(),
    };
    let (said, notices) = mpsc::channel(MOST_NOTICES);
    let links = links(options, prepared.settings.ssh_connect, &said)?;
    own_process::deny_reading();
    // Before there are threads: the guard is a copy of this process.
    let guard = TerminalGuard::spawn(std::io::stdout().as_fd()).ok();
    let runtime = super::full_runtime()?;
    let outcome = runtime.block_on(async {
        let reached = reach_all(&links).await?;
        let supervisors = links.into_iter().zip(reached).map(attachment).collect();
        let deck = Deck {
            supervisors,
            remote: Some(port_holder),
            input: super::deck::terminal_input()?,
            settings: prepared.settings,
            start,
            origin: None,
            messages: prepared.messages,
            notices: Some(notices),
            guard: guard.map(|guard| Box::new(guard) as _),
        };
        tui::run(deck).await
    });
    runtime.shutdown_timeout(END_LIMIT);
    outcome
}

fn links(options: Ssh, limit: Duration, said: &mpsc::Sender<String>) -> Result<Vec<Link>, Error> {
    let ssh: Vec<String> = options.ssh.split_whitespace().map(str::to_owned).collect();
    if ssh.is_empty() {
        return Err(Error::new(Kind::Usage, "`--ssh` names no program"));
    }
    let link = |host: String| {
        if host.starts_with('-') {
            // ssh would take it for an option.
            return Err(Error::new(Kind::Usage, format!("`{host}` is no host")));
        }
        Ok(Link { host, ssh: ssh.clone(), limit, said: said.clone() })
    };
    options.hosts.into_iter().map(link).collect()
}

fn attachment((link, connection): (Link, Result<Connected, Unreached>)) -> Attachment {
    let name = link.host.clone();
    let connection = connection.map_err(|unreached| unreached.error());
    let reconnect = move || -> tui::Reconnected {
        let link = link.clone();
        Box::pin(async move { link.connect(Asking::Nothing).await.map_err(|unreached| unreached.error()) })
    };
    Attachment { name, connection, reconnect: Box::new(reconnect) }
}

/// Reaches as many as can be; with the person's help where that is needed.
async fn reach_all(links: &[Link]) -> Result<Vec<Result<Connected, Unreached>>, Error> {
    let mut reached = join_all(links.iter().map(|link| link.connect(Asking::Nothing))).await;
    for (link, outcome) in links.iter().zip(&mut reached) {
        if matches!(outcome, Err(Unreached::NotLetIn(_))) {
            say(&format!("{}: ssh may have something to ask.", link.host));
            *outcome = link.connect(Asking::ThePerson).await;
        }
        if let Err(unreached) = outcome
            && let Some(question) = install::question(&link.host, unreached)
            && ask(&question)
        {
            *outcome = match install::install(link).await {
                Ok(()) => link.connect(Asking::ThePerson).await,
                Err(error) => Err(Unreached::Other(error.to_string())),
            };
        }
        if let Err(unreached) = outcome {
            say(&format!("{}: {}", link.host, unreached.reason()));
        }
    }
    if reached.iter().any(Result::is_ok) {
        return Ok(reached);
    }
    let text = if links.len() == 1 { "the host is not reached" } else { "none of the hosts is reached" };
    Err(Error::new(Kind::Unavailable, text)
        .hint("what ssh says stands above; try: ssh HOST authdeck --version"))
}

fn say(text: &str) {
    output::complain(&TerminalText::lines(text.trim_end()).ended());
}

/// Asks a question whose safe answer is no.
fn ask(question: &str) -> bool {
    output::complain(&TerminalText::line(&format!("{question} [y/N] ")));
    let mut answer = String::new();
    let read = std::io::stdin().read_line(&mut answer);
    read.is_ok() && matches!(answer.trim(), "y" | "Y" | "yes")
}
