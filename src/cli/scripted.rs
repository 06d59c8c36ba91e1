//! The commands that need no deck: for scripts, agents and screen readers.

use clap::{Args, Subcommand};

/// The commands that ask the supervisor one thing each.
#[derive(Debug, Subcommand)]
pub enum Scripted {
    /// List the sessions
    Sessions(Listing),
    /// Print a session's status
    Poll(OfSession),
    /// Wait until a session is over, or a person is needed (--detach)
    Wait(Wait),
    /// Print what a session's CLI has printed, secrets masked
    Transcript(OfSession),
    /// Hand in what the browser ended on: a URL, a code or code#state
    Submit(Submit),
    /// Type a line into a session's CLI, then Enter
    Type(Line),
    /// End a login attempt
    Cancel(OfSession),
    /// Kill a session's CLI with everything it started
    Kill(Kill),
    /// List what waits for a credential
    Challenges(Listing),
    /// Answer a challenge; the secret is read from standard input
    Answer(Answer),
    /// Refuse a challenge
    Deny(OfChallenge),
}

/// How a login is followed without the deck.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct Following {
    /// Print what happens line by line and take what is pasted, without the deck
    #[arg(long)]
    pub plain: bool,
    /// Print the API's events, one JSON object a line, without the deck
    #[arg(long)]
    pub json: bool,
    /// Return as soon as there is something for a person to do; the login goes on
    #[arg(long, short)]
    pub detach: bool,
}

impl Following {
    /// Tells whether there is to be no deck.
    pub fn is_wanted(self) -> bool {
        self.plain || self.json || self.detach
    }
}

/// A list.
#[derive(Debug, Args)]
pub struct Listing {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Something about one session.
#[derive(Debug, Args)]
pub struct OfSession {
    /// The session: its id or the beginning of it, its name, its provider, or `last`
    #[arg(value_name = "ID")]
    pub session: String,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `authdeck wait`.
#[derive(Debug, Args)]
pub struct Wait {
    /// Which session
    #[command(flatten)]
    pub of: OfSession,
    /// Return as soon as there is something for a person to do, too
    #[arg(long, short)]
    pub detach: bool,
    /// Seconds to wait at most
    #[arg(long, value_name = "SECONDS")]
    pub timeout: Option<u64>,
}

/// `authdeck submit`.
#[derive(Debug, Args)]
pub struct Submit {
    /// For which session, and what
    #[command(flatten)]
    pub line: Line,
    /// Hand a callback over although nobody can see whether the listener belongs to the login (a container's port)
    #[arg(long)]
    pub unseen_listener: bool,
}

/// `authdeck type`, and what `authdeck submit` has of it.
#[derive(Debug, Args)]
pub struct Line {
    /// Which session
    #[command(flatten)]
    pub of: OfSession,
    /// The text; `-`, or none at all, reads standard input, where other users of this machine do not see it
    #[arg(allow_hyphen_values = true)]
    pub text: Option<String>,
}

/// `authdeck kill`.
#[derive(Debug, Args)]
pub struct Kill {
    /// Which session
    #[command(flatten)]
    pub of: OfSession,
    /// At once, without asking it politely first
    #[arg(long, short)]
    pub force: bool,
}

/// Something about one challenge.
#[derive(Debug, Args)]
pub struct OfChallenge {
    /// The challenge: its id or the beginning of it, or `last`
    #[arg(value_name = "ID")]
    pub challenge: String,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `authdeck answer`.
#[derive(Debug, Args)]
pub struct Answer {
    /// Which challenge
    #[command(flatten)]
    pub of: OfChallenge,
    /// The user name, for HTTP
    #[arg(long)]
    pub user: Option<String>,
}
