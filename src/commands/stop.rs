//! `authdeck stop`: ends the background supervisor.

use std::io::IsTerminal as _;

use std::path::Path;
use std::time::Duration;

use rustix::process::Signal;

use super::supervisor;
use crate::cli::Stop;
use crate::client::{Client, ClientError};
use crate::core::ids::SessionId;
use crate::core::visible::TerminalText;
use crate::driver::paths::{self, Holder};
use crate::error::{Error, Kind};
use crate::output;

/// How long it may take to end in good order.
const POLITE_LIMIT: Duration = Duration::from_secs(2);

/// How long the kernel may take to end it.
const KILL_LIMIT: Duration = Duration::from_secs(10);

/// Ends the supervisor; asks first if logins are live or challenges parked.
///
/// # Errors
/// The person does not want it, cannot be asked, or the supervisor does not answer.
pub fn run(options: &Stop) -> Result<(), Error> {
    if options.force {
        return end_process();
    }
    super::current_thread_runtime()?.block_on(stop(options))
}

/// Ends the supervisor's process without asking it for anything.
fn end_process() -> Result<(), Error> {
    let identity = match paths::holder() {
        Holder::Nobody => return say("No supervisor runs."),
        Holder::Process(identity) => identity,
        Holder::Unnamed(lock) => return Err(unnamed(&lock)),
    };
    let Some(process) = identity.open() else { return say("No supervisor runs.") };
    let id = identity.process_id;
    let refused = |error| Error::new(Kind::Failed, format!("process {id} cannot be ended")).because(error);
    process.signal(Signal::TERM).map_err(refused)?;
    // One that is stopped or stuck does not hear it.
    if !process.wait(POLITE_LIMIT) {
        process.signal(Signal::KILL).map_err(refused)?;
        if !process.wait(KILL_LIMIT) {
            return Err(Error::new(
                Kind::Failed,
                format!("process {id} does not end, although it was killed"),
            )
            .hint("it waits in the kernel, for a disk as a rule; look at that"));
        }
    }
    say(&format!(
        "The supervisor (process {id}) was ended. Its logins go on; the next `authdeck` shows them."
    ))
}

fn unnamed(lock: &Path) -> Error {
    let lock = lock.display();
    Error::new(Kind::Failed, "a supervisor runs, and its process is not known")
        .because(format!("{lock} does not name it"))
        .hint(format!("`fuser {lock}` names the process; end that one with `kill -9`"))
}

async fn stop(options: &Stop) -> Result<(), Error> {
    let Some((client, events)) = supervisor::connect_any().await? else {
        return say("No supervisor runs.");
    };
    // Nothing is subscribed to, and what is not taken must not keep the answers back.
    drop(events);
    let live = supervisor::in_time(live(&client)).await.map_err(no_answer)?;
    let question =
        supervisor::in_time(question(&client, live.len(), options.all)).await.map_err(no_answer)?;
    if let Some(question) = question.filter(|_| !options.yes) {
        ask(&question)?;
    }
    if options.all {
        for session_id in &live {
            client.kill(session_id, false).await.map_err(no_answer)?;
        }
    }
    supervisor::in_time(client.stop_supervisor()).await.map_err(no_answer)?;
    say("The supervisor was stopped.")
}

/// Says what is touched by the end; absent if nothing is.
async fn question(client: &Client, live: usize, all: bool) -> Result<Option<String>, ClientError> {
    let parked = client.pending_challenges().await?;
    let logins = match live {
        0 => None,
        1 if all => Some("One login is live and will be killed.".to_owned()),
        live if all => Some(format!("{live} logins are live and will be killed.")),
        1 => Some(
            "One login is live; it goes on until its time limit, and the next `authdeck` shows it again."
                .to_owned(),
        ),
        live => Some(format!(
            "{live} logins are live; they go on until their time limits, and the next `authdeck` shows them again."
        )),
    };
    let challenges = (parked > 0).then(|| "What waits for an answer in the deck is cancelled.".to_owned());
    let touched: Vec<String> = logins.into_iter().chain(challenges).collect();
    Ok((!touched.is_empty()).then(|| touched.join("\n")))
}

/// The sessions that are not over.
async fn live(client: &Client) -> Result<Vec<SessionId>, ClientError> {
    let sessions = client.sessions().await?;
    let live = sessions.into_iter().filter(|session| !session.status.is_terminal());
    Ok(live.map(|session| session.session_id).collect())
}

fn ask(question: &str) -> Result<(), Error> {
    if !std::io::stdin().is_terminal() {
        return Err(Error::new(Kind::Denied, "there is nobody to ask whether to stop")
            .because(question)
            .hint("`authdeck stop --yes` does not ask"));
    }
    let asked = output::print(&TerminalText::lines(&format!("{question}\nStop it? [y/N] ")));
    let mut answer = String::new();
    let read = asked.and_then(|()| std::io::stdin().read_line(&mut answer));
    match read {
        Ok(_) if matches!(answer.trim(), "y" | "Y" | "yes") => Ok(()),
        Ok(_) => Err(Error::new(Kind::Denied, "it was not stopped")),
        Err(error) => Err(Error::new(Kind::Denied, "there is no answer").because(error)),
    }
}

fn no_answer(error: ClientError) -> Error {
    Error::new(Kind::Unavailable, "the supervisor does not answer")
        .because(error)
        .hint(supervisor::FORCE_HINT)
}

fn say(sentence: &str) -> Result<(), Error> {
    output::say(sentence);
    Ok(())
}
