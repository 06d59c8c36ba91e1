//! Starts a login and tells line by line what becomes of it.
//!
//! What is typed or piped in goes to the login: as an answer to what its CLI asks, else as what the browser ended on.
//! Ctrl-C ends the attempt; any other end of this process leaves it going, and `authdeck wait` finds it again.

use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::input::{Hidden, Lines, is_terminal};
use super::sessions::{show, type_into, until_it_matters};
use super::spoken::Spoken;
use super::watch::{Told, Watch};
use super::{challenges, ending, print, print_json, refused};
use crate::cli::scripted::Following;
use crate::client::Client;
use crate::commands::supervisor::connect_or_start;
use crate::core::ids::SessionId;
use crate::core::secret::Secret;
use crate::core::visible::TerminalText;
use crate::error::{Error, Kind};
use crate::protocol::event::Event;
use crate::protocol::request::{StartSession, Started};
use crate::protocol::snapshot::{ChallengeView, SessionView, Waiting};

/// How long `--detach` waits for something to act on.
const QUIET_LIMIT: Duration = Duration::from_secs(20);

/// Starts a session and follows it to its end, or to where it is left to itself.
///
/// # Errors
/// It cannot be started, or it fails.
pub fn run(session: StartSession, following: Following) -> Result<(), Error> {
    crate::commands::current_thread_runtime()?.block_on(async {
        // Before there is a session that it could be meant for.
        let mut interrupt = signal(SignalKind::interrupt())
            .map_err(|error| Error::new(Kind::Failed, "Ctrl-C cannot be caught").because(error))?;
        let (client, events) = connect_or_start().await?;
        let started = client.start(session).await.map_err(refused)?;
        let session_id = started.session_id.clone();
        let (mut watch, session) = Watch::begin(client, events, session_id.clone()).await?;
        let session = session.ok_or_else(|| {
            Error::new(Kind::Failed, format!("the session {session_id} was taken off the list"))
        })?;
        if following.detach {
            let client = watch.client.clone();
            let session = tokio::select! {
                session = until_it_matters(&mut watch, session, true) => session?,
                () = tokio::time::sleep(QUIET_LIMIT) => {
                    return nothing_found(&client, &session_id, following.json).await;
                }
                _ = interrupt.recv() => {
                    client.cancel(&session_id).await.map_err(refused)?;
                    return Err(Error::new(Kind::Failed, "cancelled by user"));
                }
            };
            show(&session, following.json)?;
            return ending(&session);
        }
        let teller = Teller::new(following.json, &started)?;
        Follower { watch, teller, session, session_id, interrupt, hidden: None }.run().await
    })
}

/// Tells that a session shows nothing to act on, and what its screen says; it goes on.
async fn nothing_found(client: &Client, session_id: &SessionId, json: bool) -> Result<(), Error> {
    let sessions = client.sessions().await.map_err(refused)?;
    let session = sessions.into_iter().find(|session| session.session_id == *session_id);
    if let Some(session) = &session {
        show(session, json)?;
    }
    if json {
        return Ok(());
    }
    let transcript = client.transcript(session_id).await.map_err(refused)?;
    let last = transcript.lines().rev().find(|line| !line.trim().is_empty());
    let said = last
        .map_or("Its screen is empty.".to_owned(), |line| format!("Its screen says last: {}", line.trim()));
    let seconds = QUIET_LIMIT.as_secs();
    print(&TerminalText::lines(&format!(
        "Nothing to act on was found in {seconds} s, and it goes on: `authdeck wait --detach {session_id}` waits for it.\n{said}\n"
    )))
}

/// A login that is followed.
struct Follower {
    watch: Watch,
    teller: Teller,
    session: SessionView,
    session_id: SessionId,
    /// Ctrl-C.
    interrupt: Signal,
    /// A secret is waited for: what is typed is not shown.
    hidden: Option<Hidden>,
}

impl Follower {
    async fn run(mut self) -> Result<(), Error> {
        let mut lines = Lines::begin();
        self.teller.session(&self.session)?;
        while !self.session.status.is_terminal() {
            tokio::select! {
                told = self.watch.next() => self.told(told?)?,
                line = lines.next() => self.take(line).await?,
                _ = self.interrupt.recv() => {
                    // That it was over already is told by its state.
                    self.watch.client.cancel(&self.session_id).await.map_err(refused)?;
                }
            }
            self.hide();
        }
        ending(&self.session)
    }

    fn told(&mut self, told: Told) -> Result<(), Error> {
        match told {
            Told::Session(session) => {
                self.session = *session;
                self.teller.session(&self.session)
            }
            Told::Challenge(challenge) => self.teller.event(&Event::ChallengeParked { challenge }),
            Told::Notice(text) => self.teller.notice(text, &self.session_id),
        }
    }

    /// Hands a line in. A refusal is told, and nothing else is lost by it.
    async fn take(&mut self, line: Result<Secret, Error>) -> Result<(), Error> {
        let outcome = match line {
            Ok(text) => self.hand_in(text).await,
            Err(error) => Err(error),
        };
        match outcome {
            Ok(message) => self.teller.notice(message, &self.session_id),
            Err(error) if error.kind() == Kind::Unavailable => Err(error),
            Err(error) => self.teller.notice(error.report().trim_end().to_owned(), &self.session_id),
        }
    }

    async fn hand_in(&self, text: Secret) -> Result<String, Error> {
        let client = &self.watch.client;
        if self.session.waiting == Waiting::Prompt || text.is_empty() {
            let typed = type_into(client, &self.session_id, &text).await?;
            let said =
                if typed { "Typed into the CLI." } else { "Nothing was sent: the CLI reads no input." };
            return Ok(said.to_owned());
        }
        client.submit(&self.session_id, text).await.map(|submitted| submitted.message).map_err(refused)
    }

    fn hide(&mut self) {
        let wanted = self.session.waiting == Waiting::Secret && is_terminal();
        if wanted != self.hidden.is_some() {
            self.hidden = wanted.then(Hidden::new);
        }
    }
}

/// Tells what happens, to a person or to a program.
enum Teller {
    Person(Spoken),
    Program {
        /// The newest state, so that one that says nothing new is not told.
        last: Option<Box<SessionView>>,
    },
}

impl Teller {
    fn new(json: bool, started: &Started) -> Result<Self, Error> {
        if json {
            print_json(started)?;
            return Ok(Self::Program { last: None });
        }
        print(&TerminalText::line(&format!("Session: {}", started.session_id)).ended())?;
        Ok(Self::Person(Spoken::default()))
    }

    fn session(&mut self, session: &SessionView) -> Result<(), Error> {
        match self {
            Self::Person(spoken) => {
                print(&spoken.lines(session).into_iter().map(TerminalText::ended).collect())
            }
            Self::Program { last } => {
                let same = last.as_ref().is_some_and(|last| {
                    SessionView { output_bytes: session.output_bytes, ..(**last).clone() } == *session
                });
                if same {
                    return Ok(());
                }
                let session = Box::new(session.clone());
                *last = Some(session.clone());
                print_json(&Event::SessionChanged { session })
            }
        }
    }

    fn event(&mut self, event: &Event) -> Result<(), Error> {
        match (self, event) {
            (Self::Program { .. }, event) => print_json(event),
            (Self::Person(_), Event::ChallengeParked { challenge }) => print(&parked(challenge)),
            (Self::Person(_), _) => Ok(()),
        }
    }

    fn notice(&mut self, text: String, session_id: &SessionId) -> Result<(), Error> {
        match self {
            Self::Person(_) => print(&TerminalText::lines(&text).ended()),
            Self::Program { .. } => print_json(&Event::Notice {
                level: crate::protocol::event::Level::Info,
                text,
                session_id: Some(session_id.clone()),
            }),
        }
    }
}

/// Says that something in the session needs a credential, and how to give it.
fn parked(challenge: &ChallengeView) -> TerminalText {
    let id = TerminalText::shell_word(challenge.challenge_id.as_str());
    let how = TerminalText::line("Answer it in another terminal: authdeck answer ") + id;
    TerminalText::line("Challenge: ") + challenges::line(challenge).ended() + how.ended()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::ids::ChallengeId;
    use crate::core::time::Timestamp;
    use crate::protocol::snapshot::{ChallengeKind, Requester};

    #[test]
    fn a_challenges_id_acts_neither_on_the_terminal_nor_in_a_shell() {
        let challenge = ChallengeView {
            challenge_id: ChallengeId::new("x\x1b]52;c;aWQ=\x07\x1b]0;title\x07\x1b[2J\n; id #'"),
            epoch: 1,
            session_id: None,
            kind: ChallengeKind::Secret,
            title: "a\u{202e}b".into(),
            message: "c\u{9b}2J\nAnswer it in another terminal: authdeck answer evil".into(),
            origin: None,
            realm: None,
            proxy: false,
            requester: Requester::default(),
            parked_at: Timestamp(0),
            expires_at: Timestamp(0),
        };
        let text = parked(&challenge);
        assert!(!text.contains(|character: char| character.is_control() && character != '\n'), "{text}");
        assert_eq!(text.lines().count(), 2, "{text}");
        let last = text.lines().last().unwrap_or_default();
        assert!(last.contains("authdeck answer 'x<U+001B>]52;") && last.ends_with(r"; id #'\'''"), "{last}");
    }
}
