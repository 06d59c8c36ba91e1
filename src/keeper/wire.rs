//! What crosses the socket between a keeper and its supervisor.
//!
//! A frame is a `u32` length in network order (of what follows the kind), a `u8` kind and a payload:
//!
//! | kind | direction | payload |
//! | --- | --- | --- |
//! | 1 order | to the keeper | JSON: [`Order`] |
//! | 3 report | from the keeper | JSON: [`Report`] |
//!
//! The child's own bytes never cross it: with [`Report::Hello`] come the file of the ring and the terminal itself
//! (`SCM_RIGHTS`), and while a supervisor is attached it alone reads and writes the terminal.
//!
//! Integers are in network order. The first frame must be [`Order::Attach`], and its answer is [`Report::Hello`] or
//! [`Report::Refused`]. Unknown kinds and unknown orders or reports are skipped, so that a newer supervisor can
//! adopt the sessions of an older one; [`VERSION`] rises when that would no longer be true.

use std::time::Duration;

use serde::{Deserialize, Serialize, Serializer};

use super::spec::Variables;
use crate::core::input::KeeperTime;
use crate::core::secret::Secret;

mod frame;

pub use frame::{HEADER, Kind, header, parse_header};

/// The protocol's version, told in `attach` and in `hello`.
pub const VERSION: u16 = 2;

/// The longest payload that either side accepts, in bytes.
pub const LONGEST_PAYLOAD: usize = 1024 * 1024 + 64;

/// What a supervisor orders.
#[derive(Serialize, Deserialize)]
#[serde(tag = "order", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Order {
    /// First frame: takes the session over. Whoever is attached has to let go of the terminal first.
    Attach {
        /// The supervisor's [`VERSION`].
        version: u16,
        /// The one-time token out of the session's folder.
        token: String,
        /// The first byte wanted; absent: the oldest that is kept.
        from: Option<u64>,
    },
    /// Ends the child with everything it started; ends in [`Report::KillFinished`].
    Kill {
        /// At once, without TERM and grace.
        force: bool,
    },
    /// Sets the time limit, counted from the session's start.
    Limit {
        /// In milliseconds.
        milliseconds: u64,
    },
    /// The answer to [`Report::LetGo`], and the last word of this supervisor: it does not touch the terminal any more.
    HasLetGo {
        /// The offset behind the last byte that it read.
        offset: u64,
    },
    /// The child has ended and this supervisor has read what it wrote: nothing more is awaited from the terminal.
    OutputEnded {
        /// The offset behind the last byte.
        offset: u64,
    },
    /// Makes the session's folder, socket and token again where somebody has removed them.
    Remake,
    /// Forgets an ended session: the keeper removes the folder and exits. Refused while the child runs.
    Release,
}

/// What a keeper reports.
#[derive(Serialize, Deserialize)]
#[serde(tag = "report", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Report {
    /// The answer to [`Order::Attach`], with the ring's file and, while it is open, the terminal. `limit-reached`,
    /// `exited` and `kill-finished` follow, as far as they have happened already.
    Hello(Box<Hello>),
    /// An order was not carried out.
    Refused(Refusal),
    /// The child ended. Output may still follow.
    Exited(Exit),
    /// The time limit has passed; the child is being ended.
    LimitReached,
    /// A kill is over, one way or the other.
    KillFinished(KillReport),
    /// Another supervisor attaches: let go of the terminal, answer [`Order::HasLetGo`]. The connection is over then.
    LetGo,
    /// The session is forgotten; the connection closes.
    Released,
}

/// The state of a session, as its keeper knows it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hello {
    /// The keeper's [`VERSION`].
    pub version: u16,
    /// The keeper's own process id.
    pub keeper_process_id: u32,
    /// The child's process id; also its process group and session while it runs.
    pub child_process_id: u32,
    /// The oldest byte that is kept.
    pub ring_start: u64,
    /// The offset behind the newest byte.
    pub ring_end: u64,
    /// The number under which this supervisor may begin to read ([`super::ring::Mapping::begin`]).
    pub attachment: u64,
    /// Where the output starts: what was asked for, or later if that is no longer kept.
    pub resume_at: u64,
    /// How long the child may take to read an input.
    pub input_limit: Duration,
    /// How long output is awaited after the child ended, if something it left running holds the terminal open.
    pub drain: Duration,
    /// The child's questions before this offset have been answered by an earlier supervisor.
    pub replied_through: u64,
    /// The session's internal credential (behaviour W2).
    #[serde(serialize_with = "exposed")]
    pub credential: Secret,
    /// The child's whole environment, for the auth check that a later supervisor runs; absent if it is too long for
    /// a frame.
    #[serde(default)]
    pub environment: Option<Variables>,
    /// When the child was started, in milliseconds since the Unix epoch.
    pub started_at: u64,
    /// How long ago that is on the keeper's monotonic clock.
    pub elapsed: Duration,
    /// The time limit, counted from the start.
    pub limit: Duration,
    /// The terminal's columns.
    pub columns: u16,
    /// The terminal's rows.
    pub rows: u16,
    /// How the child ended, if it did.
    pub exit: Option<Exit>,
    /// Whether nothing more will come from the terminal.
    pub output_ended: bool,
    /// Whether the time limit ended the child.
    pub limit_reached: bool,
    /// Whether a kill is going on.
    pub killing: bool,
    /// How the last kill ended, if there was one.
    pub kill: Option<KillReport>,
}

impl Hello {
    /// Returns the session's time by the keeper's own clock.
    pub fn time(&self) -> KeeperTime {
        KeeperTime { elapsed: self.elapsed, limit: self.limit }
    }
}

/// The one place where the credential is written: to a supervisor that has shown uid and token.
fn exposed<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.secret())
}

/// How a child ended: by itself with a status, or by a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Exit {
    /// The exit status, if it exited.
    pub code: Option<i32>,
    /// The signal's number, if one ended it.
    pub signal: Option<i32>,
}

/// How a kill ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KillReport {
    /// What it took.
    pub how: KillHow,
    /// How long it took.
    pub took: Duration,
    /// What is still there; empty unless the keeper gave up.
    pub survivors: Vec<Survivor>,
}

/// What it took to end everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KillHow {
    /// TERM was enough, or nothing was left to end.
    Politely,
    /// It took SIGKILL; nothing is left (the kernel says so: ECHILD).
    Forcibly,
    /// Something is still there.
    GaveUp,
}

/// A process that could not be ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Survivor {
    /// Its process id.
    pub process_id: u32,
    /// Its name, as the kernel has it.
    pub name: String,
    /// Why it is still there, in a few words.
    pub reason: String,
}

/// Why an order was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Refusal {
    /// The reason for programs.
    pub reason: RefusalReason,
    /// The reason for people.
    pub message: String,
}

/// The reasons for a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RefusalReason {
    /// The token is not the current one.
    Token,
    /// The first frame was not `attach`, or makes no sense.
    Protocol,
    /// The child still runs.
    StillRunning,
}

/// Makes a JSON frame; the types here have nothing in them that JSON could refuse.
fn json_frame(kind: Kind, value: &impl Serialize) -> Vec<u8> {
    let payload = serde_json::to_vec(value).unwrap_or_default();
    let mut frame = Vec::with_capacity(HEADER + payload.len());
    frame.extend_from_slice(&header(kind, payload.len()));
    frame.extend_from_slice(&payload);
    frame
}

/// Makes an order's frame.
pub fn order_frame(order: &Order) -> Vec<u8> {
    json_frame(Kind::Order, order)
}

/// Makes a report's frame.
pub fn report_frame(report: &Report) -> Vec<u8> {
    json_frame(Kind::Report, report)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_reads_back() {
        let (length, code) = parse_header(header(Kind::Report, 70_000));
        assert_eq!((length, Kind::from_code(code)), (70_000, Some(Kind::Report)));
        assert_eq!(Kind::from_code(99), None);
    }

    #[test]
    fn an_unknown_order_is_an_error_to_skip() {
        assert!(serde_json::from_str::<Order>(r#"{"order":"dance"}"#).is_err());
        let order = serde_json::from_str::<Order>(r#"{"order":"kill","force":true,"later":1}"#).unwrap();
        assert!(matches!(order, Order::Kill { force: true }));
    }
}
