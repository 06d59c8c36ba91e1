//! `authdeck askpass PROMPT`: the program behind `SSH_ASKPASS`, `GIT_ASKPASS` and `SUDO_ASKPASS`.
//!
//! It parks a challenge with the supervisor, waits, and prints the answer on one line. What the callers make of it:
//!
//! | caller | yes | no |
//! | --- | --- | --- |
//! | ssh, a secret | a line and exit status 0 | any other exit status |
//! | ssh, `SSH_ASKPASS_PROMPT=confirm` | exit status 0, empty or `yes` | any other exit status: an empty line would approve |
//! | ssh, `SSH_ASKPASS_PROMPT=none` | it only shows something, until SIGTERM comes | |
//! | ssh, a host key | `yes`, or the fingerprint | nothing |
//! | git | a line and exit status 0 | any other exit status |
//! | sudo | a line | nothing at all: its exit status counts for nothing, and an empty line is a wrong password |
//!
//! So a refusal prints nothing and exits with [`Kind::Denied`], which is right for all of them.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::requester;
use crate::client::{Client, ClientError, connect_unix};
use crate::core::ids::{ChallengeId, SessionId};
use crate::core::secret::Secret;
use crate::error::{Error, Kind};
use crate::output;
use crate::protocol::error::{INTERNAL, UNAUTHENTICATED};
use crate::protocol::event::ChallengeOutcome;
use crate::protocol::request::{ChallengeAnswer, ParkChallenge, Parked};
use crate::protocol::snapshot::ChallengeKind;

/// How long a supervisor may be away, for a process inside a session: the person may be about to open the deck again.
const AWAY_LIMIT: Duration = Duration::from_secs(30);

/// How long to wait before looking for the supervisor again.
const AWAY_PAUSE: Duration = Duration::from_millis(200);

/// How long taking a challenge back may take.
const GOODBYE_LIMIT: Duration = Duration::from_secs(1);

/// The longest answer that ssh takes; it would use what is longer cut off (`readpass.c`).
const LONGEST_FOR_SSH: usize = 1023;

/// The longest prompt that is handed on, in bytes.
const LONGEST_PROMPT: usize = 4096;

/// What this process was told about its supervisor and its task.
#[derive(Debug)]
pub struct Surroundings {
    /// The supervisor's socket.
    pub socket: PathBuf,
    /// The internal credential (behaviour W2).
    pub credential: Option<Secret>,
    /// The session that this process runs in.
    pub session: Option<SessionId>,
    /// The value of `SSH_ASKPASS_PROMPT`.
    pub ssh_prompt: Option<String>,
}

impl Surroundings {
    /// Reads them from the environment. `fallback` is the socket for a process outside of any session.
    ///
    /// # Errors
    /// `AUTHDECK_URL` is of a form that this program does not know.
    pub fn of_this_process(fallback: impl FnOnce() -> PathBuf) -> Result<Self, Error> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let socket = match variable("AUTHDECK_URL") {
            None => fallback(),
            Some(url) => url.strip_prefix("unix:").map(PathBuf::from).ok_or_else(|| {
                Error::new(Kind::Usage, format!("AUTHDECK_URL is `{url}`, not `unix:` and a path"))
                    .hint("authdeck sets this variable in its sessions; unset it outside of them")
            })?,
        };
        Ok(Self {
            socket,
            credential: variable("AUTHDECK_CREDENTIAL").map(Secret::new),
            session: variable("AUTHDECK_SESSION").map(SessionId::new),
            ssh_prompt: variable("SSH_ASKPASS_PROMPT"),
        })
    }
}

/// What is asked, and how the answer is handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Question {
    /// A secret, printed as it is.
    Secret,
    /// A text that is not secret, printed as it is.
    Text,
    /// Approved by the exit status.
    Confirm,
    /// A host key: answered with `yes` or the fingerprint.
    HostKey,
    /// Nothing is asked.
    Notice,
}

impl Question {
    fn of(ssh_prompt: Option<&str>, prompt: &str) -> Self {
        match ssh_prompt {
            Some("confirm") => Self::Confirm,
            Some("none") => Self::Notice,
            Some(_) | None if is_host_key(prompt) => Self::HostKey,
            Some(_) | None if prompt.starts_with("Username for ") => Self::Text,
            Some(_) | None => Self::Secret,
        }
    }

    fn kind(self) -> ChallengeKind {
        match self {
            Self::Secret => ChallengeKind::Secret,
            Self::Text => ChallengeKind::Text,
            Self::Confirm | Self::HostKey => ChallengeKind::Confirm,
            Self::Notice => ChallengeKind::Notice,
        }
    }

    /// The line to print for an answer; an error means that the answer is a no, or cannot be handed over.
    fn line(self, answer: &Secret, title: &str) -> Result<Zeroizing<String>, Error> {
        let text = answer.secret();
        if text.contains(['\n', '\r', '\0']) {
            return Err(Error::new(Kind::Failed, "the answer has a line break in it and was not used")
                .hint("ask again and paste the answer without the line break"));
        }
        if title.starts_with("ssh") && text.len() > LONGEST_FOR_SSH {
            let text = format!("the answer has more than the {LONGEST_FOR_SSH} bytes that ssh takes");
            return Err(Error::new(Kind::Failed, text));
        }
        let said = match self {
            Self::Secret | Self::Text => text,
            Self::Confirm | Self::HostKey if text.is_empty() || text.eq_ignore_ascii_case("yes") => "yes",
            Self::HostKey if text.eq_ignore_ascii_case("no") => return Err(refused()),
            Self::HostKey => text,
            Self::Confirm => return Err(refused()),
            Self::Notice => return Ok(Zeroizing::default()),
        };
        let mut line = Zeroizing::new(String::with_capacity(said.len() + 1));
        line.push_str(said);
        line.push('\n');
        Ok(line)
    }
}

/// ssh asks for a host key with `(yes/no/[fingerprint])?`, and after an answer that it did not understand with
/// `Please type 'yes', 'no' or the fingerprint:` (`sshconnect.c`).
fn is_host_key(prompt: &str) -> bool {
    prompt.contains("(yes/no")
        || prompt.starts_with("Please type 'yes', 'no'")
        || prompt.starts_with("Please type 'yes' or 'no'")
}

fn refused() -> Error {
    Error::new(Kind::Denied, "the request was refused in authdeck")
}

/// Asks, waits, and prints the answer.
///
/// # Errors
/// There is no supervisor, or no answer. Nothing was printed then.
pub async fn run(prompt: &str, surroundings: Surroundings) -> Result<(), Error> {
    let requester = requester::of_this_process();
    let title = requester::title(&requester);
    let question = Question::of(surroundings.ssh_prompt.as_deref(), prompt);
    let challenge = ParkChallenge {
        challenge_id: ChallengeId::new(Uuid::new_v4().to_string()),
        owner: None,
        kind: question.kind(),
        title: title.clone(),
        message: bounded(prompt).to_owned(),
        origin: None,
        realm: None,
        proxy: false,
        requester: Some(requester),
        limit_seconds: None,
    };
    let answer = match ask_until_answered(&surroundings, &challenge).await? {
        ChallengeAnswer::Answered { secret, user: _ } => secret,
        ChallengeAnswer::Ended(outcome) => return Err(ended(outcome)),
    };
    let line = question.line(&answer, &title)?;
    output::hand_over(&line).map_err(|error| {
        Error::new(Kind::Failed, "the answer could not be handed over: the program that asked is gone")
            .because(error)
    })
}

fn bounded(prompt: &str) -> &str {
    let mut end = prompt.len().min(LONGEST_PROMPT);
    while !prompt.is_char_boundary(end) {
        end -= 1;
    }
    &prompt[..end]
}

fn ended(outcome: ChallengeOutcome) -> Error {
    match outcome {
        ChallengeOutcome::Expired => Error::new(Kind::Denied, "nobody answered in authdeck in time")
            .hint("start it again, and answer in the deck's list of challenges"),
        ChallengeOutcome::Answered | ChallengeOutcome::Denied => refused(),
        ChallengeOutcome::Cancelled | ChallengeOutcome::Superseded => {
            Error::new(Kind::Denied, "the request was taken back in authdeck")
        }
    }
}

/// Asks again under the same id when the supervisor went away meanwhile, for as long as [`AWAY_LIMIT`] allows.
async fn ask_until_answered(
    surroundings: &Surroundings,
    challenge: &ParkChallenge,
) -> Result<ChallengeAnswer, Error> {
    let mut stop = std::pin::pin!(stopped());
    let mut away_since = Instant::now();
    loop {
        let failure = match ask(surroundings, challenge, stop.as_mut()).await {
            Ok(Some(answer)) => return Ok(answer),
            Ok(None) => {
                return Err(Error::new(Kind::Denied, "the program that asked took its question back"));
            }
            Err(failure) => failure,
        };
        if failure.was_parked {
            away_since = Instant::now();
        }
        let worth_it = failure.was_parked || surroundings.session.is_some();
        if !worth_it || !may_pass(&failure.error) || away_since.elapsed() >= AWAY_LIMIT {
            return Err(no_supervisor(&surroundings.socket, failure.error));
        }
        tokio::select! {
            () = sleep(AWAY_PAUSE) => {}
            () = stop.as_mut() => return Err(taken_back()),
        }
    }
}

fn taken_back() -> Error {
    Error::new(Kind::Denied, "the program that asked took its question back")
}

/// A question that got no answer.
struct Unanswered {
    error: ClientError,
    /// It was parked already, so that there was a supervisor.
    was_parked: bool,
}

/// Parks the challenge and waits; absent if the one who asked gave up meanwhile.
async fn ask(
    surroundings: &Surroundings,
    challenge: &ParkChallenge,
    stop: std::pin::Pin<&mut impl Future<Output = ()>>,
) -> Result<Option<ChallengeAnswer>, Unanswered> {
    let early = |error| Unanswered { error, was_parked: false };
    let (client, events) = connect_unix(&surroundings.socket).await.map_err(early)?;
    // Nothing was subscribed to, and what is not taken must not keep the answer back.
    drop(events);
    let credential = surroundings.credential.clone();
    client.hello(credential, surroundings.session.clone()).await.map_err(early)?;
    let parked = client.park_challenge(challenge.clone()).await.map_err(early)?;
    tokio::select! {
        answer = client.wait_challenge(&parked) => {
            answer.map(Some).map_err(|error| Unanswered { error, was_parked: true })
        }
        () = stop => {
            take_back(&client, &parked).await;
            Ok(None)
        }
    }
}

async fn take_back(client: &Client, parked: &Parked) {
    let taking_back = client.cancel_challenge(&parked.challenge_id, Some(parked.epoch));
    // The supervisor notices by itself that this process has ended, only later.
    let _ = tokio::time::timeout(GOODBYE_LIMIT, taking_back).await;
}

/// Tells whether the same may work in a moment: the supervisor may just be ending, a new one may be starting, and may
/// not have taken over yet the session that knows the credential.
fn may_pass(error: &ClientError) -> bool {
    match error {
        ClientError::Unreachable { .. } | ClientError::Closed | ClientError::Wire(_) => true,
        ClientError::Refused(reason) => matches!(reason.code, UNAUTHENTICATED | INTERNAL),
        ClientError::Foreign { .. } | ClientError::Busy | ClientError::Slow => false,
    }
}

fn no_supervisor(socket: &Path, error: ClientError) -> Error {
    let text = match &error {
        ClientError::Refused(_) | ClientError::Foreign { .. } => "the supervisor does not take the question",
        ClientError::Unreachable { .. }
        | ClientError::Closed
        | ClientError::Wire(_)
        | ClientError::Busy
        | ClientError::Slow => "there is no authdeck to ask in",
    };
    Error::new(Kind::Unavailable, text)
        .because(error)
        .hint(format!("open `authdeck` in another terminal (it serves {}), then try again", socket.display()))
}

/// Resolves when this process is to end, or when nobody is left who would read the answer. The signals are caught from
/// this call on, not only once the future is polled.
fn stopped() -> impl Future<Output = ()> {
    let caught = [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()].map(signal);
    async move {
        let [Ok(mut terminate), Ok(mut interrupt), Ok(mut hang_up)] = caught else {
            return reader_gone().await;
        };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            _ = hang_up.recv() => {}
            () = reader_gone() => {}
        }
    }
}

/// Resolves when the reading end of standard output is closed. A thread waits for that, because a pipe's writing end
/// reports nothing but its end, and `/dev/null` not even that.
async fn reader_gone() {
    let (gone, notice) = oneshot::channel();
    let watch = std::thread::Builder::new().name("reader".into()).spawn(move || {
        if output::reader_ends() {
            // The other side is dropped only when the answer is there already.
            let _ = gone.send(());
        }
    });
    if watch.is_err() || notice.await.is_err() {
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST_KEY: &str = "The authenticity of host '[127.0.0.1]:2222 ([127.0.0.1]:2222)' can't be established.\n\
                            ED25519 key fingerprint is SHA256:x.\n\
                            Are you sure you want to continue connecting (yes/no/[fingerprint])? ";

    #[test]
    fn each_caller_is_understood() {
        let cases = [
            (None, "Enter passphrase for key 'ssh/k': ", Question::Secret),
            (None, "Password for 'http://alice@127.0.0.1:8084': ", Question::Secret),
            (None, "Username for 'http://127.0.0.1:8084': ", Question::Text),
            (None, "[sudo] password for adtest: ", Question::Secret),
            (None, HOST_KEY, Question::HostKey),
            (None, "Please type 'yes', 'no' or the fingerprint: ", Question::HostKey),
            (Some("confirm"), "Allow use of key root@vm?", Question::Confirm),
            (Some("none"), "Confirm user presence for key", Question::Notice),
        ];
        for (ssh_prompt, prompt, question) in cases {
            assert_eq!(Question::of(ssh_prompt, prompt), question, "{prompt}");
        }
    }

    fn line(question: Question, answer: &str) -> Result<String, Kind> {
        let line = question.line(&Secret::new(answer), "ssh");
        line.map(|line| line.to_string()).map_err(|error| error.kind())
    }

    #[test]
    fn answers_are_handed_over_as_each_caller_wants_them() {
        assert_eq!(line(Question::Secret, "hunter 2"), Ok("hunter 2\n".into()));
        assert_eq!(line(Question::Secret, ""), Ok("\n".into()));
        assert_eq!(line(Question::Confirm, ""), Ok("yes\n".into()));
        assert_eq!(line(Question::Confirm, "YES"), Ok("yes\n".into()));
        assert_eq!(line(Question::Confirm, "no"), Err(Kind::Denied));
        assert_eq!(line(Question::HostKey, ""), Ok("yes\n".into()));
        assert_eq!(line(Question::HostKey, "No"), Err(Kind::Denied));
        assert_eq!(line(Question::HostKey, "SHA256:abc"), Ok("SHA256:abc\n".into()));
        assert_eq!(line(Question::Notice, "seen"), Ok(String::new()));
    }

    #[test]
    fn an_answer_that_would_arrive_changed_is_not_handed_over() {
        assert_eq!(line(Question::Secret, "two\nlines"), Err(Kind::Failed));
        assert_eq!(line(Question::Secret, "nul\0"), Err(Kind::Failed));
        assert_eq!(line(Question::Secret, &"x".repeat(1024)), Err(Kind::Failed));
        assert!(line(Question::Secret, &"x".repeat(1023)).is_ok());
        assert!(Question::Secret.line(&Secret::new("x".repeat(5000)), "git").is_ok(), "git takes any length");
    }

    #[test]
    fn a_long_prompt_is_cut_at_a_character() {
        let prompt = "ä".repeat(LONGEST_PROMPT);
        assert_eq!(bounded(&prompt).len(), LONGEST_PROMPT);
        assert_eq!(bounded("short"), "short");
    }
}
