//! One connection over ssh.

use std::pin::Pin;
use std::process::Stdio;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, BufReader, Join, ReadBuf, join,
};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::client::{Client, Events};
use crate::commands::proxy::GREETING;
use crate::core::visible::{TerminalText, visible_line};
use crate::error::{Error, Kind};
use crate::os::own_process;
use crate::output;
use crate::protocol::VERSION;

/// What the other machine's shell may print before the greeting at most, in bytes.
const MOST_NOISE: usize = 64 * 1024;

/// How much is read of what ssh complains about.
const MOST_COMPLAINT: usize = 16 * 1024;

/// How much of a line is taken at a time, in bytes, and how much of it is told, in characters.
const LONGEST_LINE: u64 = 4 * 1024;
const MOST_SAID: usize = 300;

/// How long ssh may take to end once its output is closed.
const END_LIMIT: Duration = Duration::from_secs(5);

/// The exit status of a shell that does not find a command (POSIX), and that of ssh's own failures (ssh(1)).
const NOT_FOUND: i32 = 127;
const OF_SSH: i32 = 255;

/// The exit status of a command line that an older authdeck does not know.
const UNKNOWN_COMMAND: i32 = 2;

/// Whom ssh may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asking {
    /// Nobody: what would need an answer fails.
    Nothing,
    /// The person at the terminal, who sees what it prints, too.
    ThePerson,
}

/// The way to one host.
#[derive(Clone, Debug)]
pub(super) struct Link {
    /// The host, as the person gave it.
    pub host: String,
    /// The ssh program and its options.
    pub ssh: Vec<String>,
    /// How long a connection may take.
    pub limit: Duration,
    /// Where what ssh says later goes, while the deck has the terminal.
    pub said: mpsc::Sender<String>,
}

/// Why a host is not reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unreached {
    /// ssh is not let in without questions; its own words.
    NotLetIn(String),
    /// There is no authdeck.
    Missing,
    /// The authdeck there is older; its version, if it said one.
    Older(Option<String>),
    /// Anything else, in a sentence.
    Other(String),
}

impl Unreached {
    /// Says why, in a sentence without the host.
    pub(super) fn reason(&self) -> String {
        match self {
            Self::Missing => "there is no authdeck there".to_owned(),
            Self::Older(None) => "the authdeck there is an older one".to_owned(),
            Self::Older(Some(version)) => format!("the authdeck there is an older one ({version})"),
            Self::NotLetIn(why) | Self::Other(why) => why.clone(),
        }
    }

    /// Makes an error of it.
    pub(super) fn error(&self) -> Error {
        Error::new(Kind::Unavailable, self.reason())
    }
}

impl Link {
    /// A command line that runs a script of the POSIX shell there, whatever the login shell is.
    pub(super) fn command(&self, script: &str, asking: Asking) -> Command {
        let mut command = Command::new(&self.ssh[0]);
        command.args(&self.ssh[1..]);
        if asking == Asking::Nothing {
            command.args(["-o", "BatchMode=yes"]);
        }
        let quoted = script.replace('\'', r"'\''");
        command.args(["-T", "--", &self.host, &format!("exec sh -c '{quoted}'")]);
        own_process::give_back_limits(command.as_std_mut());
        if asking == Asking::Nothing {
            // Neither ssh nor what it starts writes on the terminal that the deck draws on.
            own_process::take_terminal_away(command.as_std_mut());
        }
        command.kill_on_drop(true);
        command
    }

    /// Connects to the supervisor there; one is started if none runs.
    pub(super) async fn connect(&self, asking: Asking) -> Result<(Client, Events), Unreached> {
        match asking {
            Asking::Nothing => timeout(self.limit, self.begin(asking)).await.unwrap_or_else(|_| {
                Err(Unreached::Other(format!("no answer within {} s", self.limit.as_secs())))
            }),
            // The person may take as long as it takes, and has Ctrl-C.
            Asking::ThePerson => self.begin(asking).await,
        }
    }

    async fn begin(&self, asking: Asking) -> Result<(Client, Events), Unreached> {
        // Not every shell without a terminal looks there.
        let script = "PATH=\"$HOME/.local/bin:$PATH\" exec authdeck proxy";
        let mut process = self
            .command(script, asking)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| Unreached::Other(format!("{} cannot be started: {error}", self.ssh[0])))?;
        let (Some(input), Some(mut output)) = (process.stdin.take(), process.stdout.take()) else {
            return Err(Unreached::Other("ssh has no input or output".into()));
        };
        let Some(mut errors) = process.stderr.take() else {
            return Err(Unreached::Other("ssh has no error stream".into()));
        };
        // Nothing that a host says reaches the terminal but through here: ssh hands on whatever it is sent.
        let mut complaint = Vec::new();
        let greeting = tokio::select! {
            greeting = greeting(&mut output) => greeting,
            () = listen(&mut errors, &mut complaint, asking) => None,
        };
        let Some(greeting) = greeting else {
            drop((input, output));
            return Err(why_not(process, errors, complaint, asking).await);
        };
        judge(&greeting)?;
        tokio::spawn(tell(errors, self.host.clone(), self.said.clone()));
        let transport = Transport { stream: join(output, input), _process: process };
        let (client, events) =
            Client::connect(transport).await.map_err(|error| Unreached::Other(error.to_string()))?;
        client.hello(None, None).await.map_err(|error| Unreached::Other(error.to_string()))?;
        Ok((client, events))
    }
}

/// Reads up to the greeting, and returns what stands after its beginning; absent if the output ends before.
async fn greeting(output: &mut ChildStdout) -> Option<String> {
    let mut line = Vec::new();
    for _ in 0..MOST_NOISE {
        // Byte by byte: what comes behind the greeting is not ours to take.
        match output.read_u8().await.ok()? {
            b'\n' => {
                let text = String::from_utf8_lossy(&line);
                if let Some(rest) = text.strip_prefix(GREETING) {
                    return Some(rest.trim_end().to_owned());
                }
                line.clear();
            }
            byte => line.push(byte),
        }
    }
    None
}

/// Tells whether one can work with what greets: `VERSION PROTOCOL`.
fn judge(greeting: &str) -> Result<(), Unreached> {
    let mut words = greeting.split(' ');
    let version = words.next().unwrap_or_default();
    let protocol = words.next().and_then(|number| number.parse::<u32>().ok()).unwrap_or(0);
    if protocol > VERSION {
        let text = format!("the authdeck there is a newer one ({version}); bring this one up to date");
        return Err(Unreached::Other(text));
    }
    if protocol < VERSION || numbers(version) < numbers(env!("CARGO_PKG_VERSION")) {
        return Err(Unreached::Older(Some(version.to_owned())));
    }
    Ok(())
}

fn numbers(version: &str) -> Vec<u64> {
    version.split(['.', '-', '+']).map_while(|part| part.parse().ok()).collect()
}

/// Makes sense of how ssh ended.
async fn why_not(
    mut process: Child,
    mut errors: ChildStderr,
    mut complaint: Vec<u8>,
    asking: Asking,
) -> Unreached {
    // What comes too late is not told.
    let _ = timeout(END_LIMIT, listen(&mut errors, &mut complaint, asking)).await;
    let complaint = String::from_utf8_lossy(&complaint);
    let status = timeout(END_LIMIT, process.wait()).await;
    let code = status.ok().and_then(Result::ok).and_then(|status| status.code());
    understand(code, &complaint)
}

fn understand(code: Option<i32>, complaint: &str) -> Unreached {
    let last = complaint.lines().rev().map(str::trim).find(|line| !line.is_empty());
    let asks =
        ["Permission denied", "Host key verification failed", "host key is known", "Too many authentication"];
    match code {
        Some(NOT_FOUND) => Unreached::Missing,
        Some(UNKNOWN_COMMAND) if last.is_none() || complaint.contains("proxy") => Unreached::Older(None),
        Some(OF_SSH) if asks.iter().any(|text| complaint.contains(text)) => {
            Unreached::NotLetIn(last.unwrap_or_default().to_owned())
        }
        _ => {
            let told = |line: &str| line.strip_prefix("Error: ").unwrap_or(line).to_owned();
            let first = complaint.lines().find(|line| line.starts_with("Error: "));
            Unreached::Other(first.or(last).map_or_else(|| "ssh ended without a word".into(), told))
        }
    }
}

/// Reads what ssh complains about to its end, and shows it to a person whom ssh may ask.
pub(super) async fn listen(errors: &mut ChildStderr, complaint: &mut Vec<u8>, asking: Asking) {
    let mut bytes = [0; 1024];
    // An error means that ssh has ended.
    while let Ok(count @ 1..) = errors.read(&mut bytes).await {
        if asking == Asking::ThePerson {
            output::complain(&TerminalText::lines(&String::from_utf8_lossy(&bytes[..count])));
        }
        let room = MOST_COMPLAINT.saturating_sub(complaint.len());
        complaint.extend(&bytes[..count.min(room)]);
    }
}

/// Hands on what ssh says while the deck draws: line by line, made fit for a message. What is too much is dropped, and
/// never stops ssh.
async fn tell(errors: ChildStderr, host: String, said: mpsc::Sender<String>) {
    let mut lines = BufReader::new(errors);
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = (&mut lines).take(LONGEST_LINE).read_until(b'\n', &mut line).await;
        if !matches!(read, Ok(1..)) {
            return;
        }
        let text = visible_line(String::from_utf8_lossy(&line).trim(), MOST_SAID);
        if !text.is_empty() {
            let _ = said.try_send(format!("ssh to {host}: {text}"));
        }
    }
}

/// The bytes of a connection, and the ssh process that carries them: it ends with them.
struct Transport {
    stream: Join<ChildStdout, ChildStdin>,
    _process: Child,
}

impl AsyncRead for Transport {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Transport {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_in_which_ssh_ends_is_understood() {
        let cases = [
            (127, "sh: 1: exec: authdeck: not found\n", Unreached::Missing),
            (2, "error: unrecognized subcommand 'proxy'\n\nUsage: authdeck\n", Unreached::Older(None)),
            (
                255,
                "me@box: Permission denied (publickey).\r\n",
                Unreached::NotLetIn("me@box: Permission denied (publickey).".into()),
            ),
            (
                255,
                "Host key verification failed.\n",
                Unreached::NotLetIn("Host key verification failed.".into()),
            ),
            (
                255,
                "ssh: connect to host box port 22: Connection refused\n",
                Unreached::Other("ssh: connect to host box port 22: Connection refused".into()),
            ),
            (
                4,
                "Error: the supervisor could not be started\nHint: free some room\n",
                Unreached::Other("the supervisor could not be started".into()),
            ),
        ];
        for (code, complaint, expected) in cases {
            assert_eq!(understand(Some(code), complaint), expected, "{complaint}");
        }
        assert!(matches!(understand(None, ""), Unreached::Other(_)));
    }

    #[test]
    fn an_older_one_is_noticed_and_a_newer_protocol_is_not_guessed_at() {
        let own = env!("CARGO_PKG_VERSION");
        assert_eq!(judge(&format!("{own} {VERSION}")), Ok(()));
        assert_eq!(judge(&format!("99.0.0 {VERSION}")), Ok(()));
        assert_eq!(judge(&format!("0.0.9 {VERSION}")), Err(Unreached::Older(Some("0.0.9".into()))));
        assert_eq!(judge("9.0.0 0"), Err(Unreached::Older(Some("9.0.0".into()))));
        assert!(matches!(judge(&format!("{own} {}", VERSION + 1)), Err(Unreached::Other(_))));
    }

    #[test]
    fn a_script_survives_the_quoting() {
        let link = Link {
            host: "box".into(),
            ssh: vec!["ssh".into(), "-F".into(), "file".into()],
            limit: END_LIMIT,
            said: mpsc::channel(1).0,
        };
        let command = link.command("echo 'a b'", Asking::Nothing);
        let words: Vec<_> =
            command.as_std().get_args().map(|word| word.to_string_lossy().into_owned()).collect();
        let expected =
            ["-F", "file", "-o", "BatchMode=yes", "-T", "--", "box", r"exec sh -c 'echo '\''a b'\'''"];
        assert_eq!(words, expected);
    }
}
