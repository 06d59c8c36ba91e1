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
//! wires them. All but the pure ones may ask [`os`], which uses none. A test reads the `use` lines and fails if an arrow points the wrong way.

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
