//! Everything that touches the world on the engine's behalf: the supervisor's runtime.
//!
//! ```text
//! Connection ──Command──> runtime (owns the engine, the clock, randomness) ──SessionCommand──> session task ── keeper
//!      ^                     │ effects run as tasks, results return as inputs                        │
//!      └──events (numbered)──┘                                                                       │
//!      └──screen updates (state, not a queue) ───────────────────────────────────────────────────────┘
//! ```
//!
//! | module | what it does |
//! | --- | --- |
//! | [`handle`] | what the server part calls: connections, requests, events, screens |
//! | [`screen_slot`] | where a session task leaves a screen update for one client |
//! | [`auth_check`] | asks the provider itself whether, and as whom, one is logged in |
//! | [`replay`] | hands a callback to the child's loopback listener |
//! | [`store`] | who is logged in where |
//! | [`recording`] | what a session printed, and when |
//! | [`keeper_link`] | starts, finds and talks to keepers |
//! | [`platform`] | what needs the C library: the terminal's guard, peers, processes |
//! | [`environment`], [`paths`] | what children inherit; the supervisor's folders |
//! | [`settings`] | every limit of this part, with its default |
//!
//! Nothing here knows who is connected or how bytes reach a client.

pub mod auth_check;
pub mod environment;
pub mod handle;
pub mod keeper_link;
pub mod paths;
mod plain_text;
pub mod platform;
pub mod recording;
pub mod replay;
pub mod screen_slot;
pub mod settings;
pub mod store;

pub use handle::{Answer, Connection, Handle, Identity, Subscription, Told};
pub use settings::DriverSettings;

use std::path::PathBuf;

/// Starts the supervisor's runtime on the current tokio runtime. `executable` is this very program: it is started
/// again as keeper, and linked as the askpass program of every child.
///
/// # Errors
/// The folders cannot be made safe, or another supervisor serves them already.
pub async fn start(settings: DriverSettings, executable: PathBuf) -> Result<Handle, StartError> {
    drop((settings, executable));
    std::future::ready(()).await;
    Err(StartError::Unfinished)
}

/// Why the supervisor did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The runtime is not there yet.
    #[error("the supervisor cannot be started in this build")]
    Unfinished,
}
