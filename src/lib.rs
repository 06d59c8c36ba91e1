//! authdeck supervises login flows on headless boxes: this is the map of its source.
//!
//! | module | what it is | what it must not know |
//! | --- | --- | --- |
//! | [`core`] | the rules: sessions, challenges, detection, the child's screen | clock, randomness, files, environment, runtime |
//! | [`protocol`] | what crosses the wire, as data | anything but the core's vocabulary |
//! | [`os`] | what the operating system knows: peers, processes, descriptors, paths | everything else of authdeck |
//! | [`keeper`] | the process per session that holds the PTY | the rules of logins |
//! | [`driver`] | does what the engine orders: keepers, checks, replay, store | who is connected |
//! | [`server`] | serves clients | how a session works |
//! | [`client`] | speaks to a server | what is drawn |
//! | [`tui`] | the deck | anything but the client |
//! | [`helper`] | `askpass` and its kin | anything but the client |
//! | [`wire`] | text frames over any byte stream, for server and client | what the frames say |
//! | [`config`] | settings, catalogue | what is done with them |
//! | [`cli`], [`commands`] | the command line, and what each command puts together | |
//! | [`error`], [`output`] | what ends the program, with the exit codes; the only printer | |
//!
//! `core <- protocol <- {driver, server, client}`, `wire <- {server, client}`, `client <- {tui, helper}`, and `main`
//! wires them. All but the pure ones may ask [`os`], which uses none. A test reads the `use` lines and fails if an arrow
//! points the wrong way.
//!
//! A *keeper* is the process that holds one session's terminal and outlives the supervisor; the *deck* is the
//! full-screen program. These are the five ways through the source.
//!
//! **Output, to the screen.** `driver/keeper_link/attachment.rs` reads the child's terminal into the shared ring
//! (`keeper/ring.rs`). `driver/session_task/output.rs` feeds it to the emulator (`core/screen.rs`) and, when it settles,
//! to the detector (`core/detect/reader.rs`). What is found goes to the engine (`core/engine.rs`, `core/session/findings.rs`),
//! changed rows to whoever looks (`driver/screen_slot.rs`, `server/screens.rs`).
//! `tui/update/server.rs` takes both in, and `tui/view.rs` draws.
//!
//! **A key.** `tui/input.rs` parses it, `tui/keymap.rs` finds the action and `tui/update/keys.rs` runs it, or, while the
//! person types into the child, makes bytes of it (`tui/keys_to_bytes.rs`).
//! They go as `session.input` (`protocol/method.rs`) through `server/connection.rs`
//! to `driver/sessions.rs`, and from `driver/keeper_link/input.rs` straight into the child's terminal.
//!
//! **A paste.** `tui/update/sessions.rs` sends what the browser ended on; `core/session/submit.rs` has it judged.
//! `core/callback.rs` recognises it and `core/callback/expected.rs` compares it with the login's own URL.
//! It goes to the child's input (`driver/session_task/writing.rs`), or, if `driver/listeners.rs` finds that the
//! port belongs to the session, to its listener (`driver/replay.rs`), once.
//!
//! **A parked question.** `helper/askpass.rs` is what ssh and git start; it parks and waits. `driver/requester.rs` reads
//! from the kernel who asks, `core/challenge.rs` keeps the question until one of answer, refusal, time and owner wins.
//! `tui/view/challenge.rs` shows it, `tui/update/sessions.rs` answers it, and the helper prints the answer.
//!
//! **An upgrade.** `commands/upgrade.rs` asks for it. `server/handoff/give.rs` starts the new program and stops taking
//! requests; `server/handoff/take.rs` builds in the new one everything that can fail, and acknowledges with one token for
//! each connection (`core/token/handoff.rs`). Sessions go over by their keepers (`driver/runtime/handover.rs`,
//! `driver/runtime/adopt.rs`), connections with what of them was unread and unsent (`server/moved.rs`).

pub mod cli;
#[allow(clippy::disallowed_methods, reason = "waits for answers with deadlines")]
pub mod client;
#[allow(
    clippy::disallowed_methods,
    reason = "starts the program: reads the environment that everything else is told"
)]
pub mod commands;
#[allow(clippy::disallowed_methods, reason = "reads the file that the environment names")]
pub mod config;
pub mod core;
#[allow(clippy::disallowed_methods, reason = "owns the clock, randomness and the environment")]
pub mod driver;
pub mod error;
#[allow(clippy::disallowed_methods, reason = "is told by its environment whom to ask")]
pub mod helper;
#[allow(clippy::disallowed_methods, reason = "keeps the session's time limit on its own clock")]
pub mod keeper;
#[allow(clippy::disallowed_methods, reason = "asks the system")]
pub mod os;
pub mod output;
pub mod protocol;
#[allow(clippy::disallowed_methods, reason = "waits for clients with deadlines")]
pub mod server;
#[allow(
    clippy::disallowed_methods,
    reason = "reads the terminal's environment and the clock in its outermost loop; `architecture` names its pure files"
)]
pub mod tui;
pub mod wire;
