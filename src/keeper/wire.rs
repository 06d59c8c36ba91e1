//! What crosses the socket between a keeper and its supervisor.
//!
//! A frame is a `u32` length in network order (of what follows the kind), a `u8` kind and a payload:
//!
//! | kind | direction | payload |
//! | --- | --- | --- |
//! | 1 order | to the keeper | JSON: [`Order`] |
//! | 2 input | to the keeper | `u32` id, `u8` input kind, `u64` offset, the bytes |
//! | 3 report | from the keeper | JSON: [`Report`] |
//! | 4 output | from the keeper | `u64` absolute offset of the first byte, the bytes |
//!
//! Integers are in network order. The first frame must be [`Order::Attach`], and its answer is [`Report::Hello`] or
//! [`Report::Refused`]. Unknown kinds and unknown orders or reports are skipped, so that a newer supervisor can
//! adopt the sessions of an older one; [`VERSION`] rises when that would no longer be true.

use std::time::Duration;

use serde::{Deserialize, Serialize, Serializer};

use super::spec::Variables;
use crate::core::secret::Secret;

mod frame;

pub use frame::{HEADER, Kind, header, parse_header};

/// The protocol's version, told in `attach` and in `hello`.
pub const VERSION: u16 = 1;

/// The longest payload that either side accepts, in bytes.
pub const LONGEST_PAYLOAD: usize = 1024 * 1024 + 64;

/// The most bytes that one input may carry.
pub const LONGEST_INPUT: usize = 1024 * 1024;

/// What a supervisor orders.
#[derive(Serialize, Deserialize)]
#[serde(tag = "order", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Order {
    /// First frame: takes the session over. Whoever was attached before is dropped.
    Attach {
        /// The supervisor's [`VERSION`].
        version: u16,
        /// The one-time token out of the session's folder.
        token: String,
        /// The first byte wanted; absent: the oldest that is kept.
        from: Option<u64>,
        /// How many bytes of output may be under way before the supervisor says that it consumed some.
        window: u64,
        /// The supervisor wants to write keys to the terminal itself: its descriptor comes with the first byte of the
        /// answer (`SCM_RIGHTS`), unless it is closed already.
        #[serde(default)]
        terminal: bool,
    },
    /// Resizes the terminal.
    Resize {
        /// Columns.
        columns: u16,
        /// Rows.
        rows: u16,
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
    /// Says that the output before this offset has been dealt with.
    Consumed {
        /// The absolute offset.
        offset: u64,
    },
    /// Asks for [`Report::Mode`].
    Mode {
        /// Comes back in the answer.
        id: u32,
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
    /// The answer to [`Order::Attach`]. `limit-reached`, `exited`, `kill-finished` and `output-ended` follow, as
    /// far as they have happened already.
    Hello(Box<Hello>),
    /// An order was not carried out.
    Refused(Refusal),
    /// The child ended. Output may still follow.
    Exited(Exit),
    /// Nothing more will come from the terminal; stands behind the last output.
    OutputEnded {
        /// The offset behind the last byte.
        offset: u64,
    },
    /// The time limit has passed; the child is being ended.
    LimitReached,
    /// A kill is over, one way or the other.
    KillFinished(KillReport),
    /// What became of an input.
    InputDone {
        /// The input's id.
        id: u32,
        /// The outcome.
        outcome: InputOutcome,
    },
    /// How the terminal treats input now.
    Mode {
        /// The question's id.
        id: u32,
        /// The answer; absent once the terminal is closed.
        mode: Option<TerminalMode>,
    },
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
    /// How many bytes are kept at most.
    pub ring_bytes: u64,
    /// Where the output of this connection starts: what was asked for, or later if that is no longer kept.
    pub resume_at: u64,
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

/// What an input is, which decides the checks it must pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputKind {
    /// The terminal's own answer to a question of the child.
    TerminalReply {
        /// The question and all before it end here in the output.
        through: u64,
    },
    /// Keys that a person presses.
    Keys,
    /// A whole line, pasted or made; must fit into the terminal's line buffer.
    Line,
}

/// What became of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum InputOutcome {
    /// The terminal took all of it.
    Written,
    /// Nothing was written: the child reads whole lines, and this one would be cut off by the kernel.
    LineTooLong {
        /// The longest line that fits, in bytes, the line's end included.
        limit: u32,
    },
    /// Nobody is there to read: the child ended or closed its terminal.
    Closed,
    /// The child did not read in time; the rest was dropped.
    Deadline {
        /// How many bytes the terminal took.
        written: u32,
    },
    /// Nothing was written: too much is waiting already.
    Full,
}

/// How the child's terminal treats input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TerminalMode {
    /// The child reads whole lines that the kernel edits (ICANON).
    pub canonical: bool,
    /// The terminal shows what is typed (ECHO); off where a password is asked.
    pub echo: bool,
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
    /// The next token could not be written, so this one was not spent.
    TokenFile,
    /// The child still runs.
    StillRunning,
    /// Another supervisor attached; this connection is over.
    Superseded,
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

/// Bytes in front of an input's own.
const INPUT_HEADER: usize = 13;

/// Makes an input's frame.
pub fn input_frame(id: u32, kind: InputKind, bytes: &[u8]) -> Vec<u8> {
    let (code, through) = match kind {
        InputKind::TerminalReply { through } => (0u8, through),
        InputKind::Keys => (1, 0),
        InputKind::Line => (2, 0),
    };
    let mut frame = Vec::with_capacity(HEADER + INPUT_HEADER + bytes.len());
    frame.extend_from_slice(&header(Kind::Input, INPUT_HEADER + bytes.len()));
    frame.extend_from_slice(&id.to_be_bytes());
    frame.push(code);
    frame.extend_from_slice(&through.to_be_bytes());
    frame.extend_from_slice(bytes);
    frame
}

/// Reads an input's payload; `None` if it is malformed.
pub fn parse_input(payload: &[u8]) -> Option<(u32, InputKind, &[u8])> {
    let (id, rest) = payload.split_first_chunk::<4>()?;
    let (code, rest) = rest.split_first()?;
    let (through, bytes) = rest.split_first_chunk::<8>()?;
    let kind = match code {
        0 => InputKind::TerminalReply { through: u64::from_be_bytes(*through) },
        1 => InputKind::Keys,
        2 => InputKind::Line,
        _ => return None,
    };
    Some((u32::from_be_bytes(*id), kind, bytes))
}

/// Bytes in front of an output's own.
pub const OUTPUT_HEADER: usize = 8;

/// Makes what stands in front of an output frame's bytes.
pub fn output_prefix(offset: u64, length: usize) -> [u8; HEADER + OUTPUT_HEADER] {
    let mut prefix = [0; HEADER + OUTPUT_HEADER];
    prefix[..HEADER].copy_from_slice(&header(Kind::Output, OUTPUT_HEADER + length));
    prefix[HEADER..].copy_from_slice(&offset.to_be_bytes());
    prefix
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_reads_back() {
        let (length, code) = parse_header(header(Kind::Output, 70_000));
        assert_eq!((length, Kind::from_code(code)), (70_000, Some(Kind::Output)));
        assert_eq!(Kind::from_code(99), None);
    }

    #[test]
    fn an_input_reads_back_whatever_it_is() {
        for kind in [InputKind::Keys, InputKind::Line, InputKind::TerminalReply { through: 1 << 40 }] {
            let frame = input_frame(7, kind, b"bytes");
            let (id, read, bytes) = parse_input(&frame[HEADER..]).unwrap();
            assert_eq!((id, read, bytes), (7, kind, &b"bytes"[..]));
        }
    }

    #[test]
    fn a_malformed_input_is_nothing() {
        assert!(parse_input(b"").is_none());
        assert!(parse_input(b"\0\0\0\x01\x63\0\0\0\0\0\0\0\0x").is_none());
    }

    #[test]
    fn an_unknown_order_is_an_error_to_skip() {
        assert!(serde_json::from_str::<Order>(r#"{"order":"dance"}"#).is_err());
        let order = serde_json::from_str::<Order>(r#"{"order":"kill","force":true,"later":1}"#).unwrap();
        assert!(matches!(order, Order::Kill { force: true }));
    }
}
