//! The per-session process: `authdeck keeper DIR`. It holds the terminal, replays, limits, kills.
//!
//! A supervisor may be killed at any moment; a login must not die of it. So each session has a keeper, and only the
//! keeper holds what cannot be taken over: the terminal's other end, the parentage of everything the child starts,
//! and the output that nobody has read yet. It knows nothing of logins. It is one thread around one `poll`, so that
//! two hundred of them fit into a small machine and a stranger can read it in ten minutes:
//!
//! | module | what it does |
//! | --- | --- |
//! | [`spec`] | what is to be started, as the spawner says it on standard input |
//! | `start` | becomes a daemon, binds the socket, starts the child |
//! | `terminal` | the pseudo-terminal, and the child's way from fork to exec |
//! | `serve` | the loop: output, input, deadlines, kills |
//! | `orders` | who may attach (uid, token), and what each order does |
//! | `connection` | frames in and out without blocking or copying output |
//! | [`wire`] | the frames themselves: the protocol |
//! | `ring` | the last bytes of output with absolute offsets |
//! | `input` | bytes to the child: in order, in time, never cut off by the kernel |
//! | `ladder` | the rungs of a kill; pure |
//! | `processes` | reaping, asking, striking, naming survivors |
//! | `signals`, `token` | SIGCHLD and SIGTERM as data; the one-time token |
//!
//! # What holds
//! - **Output.** Every byte has an absolute offset. While a supervisor is attached, nothing it has not consumed is
//!   overwritten: the child waits instead. While none is attached, the oldest bytes give way.
//! - **Attaching.** The peer's uid must be ours and its token the current one; the next token is in the file before
//!   the answer is sent. A wrong token spends nothing. A second supervisor with the right token takes over. A
//!   supervisor that crashes changes nothing.
//! - **Keys.** A supervisor may ask for the terminal's descriptor, to write single keys to a child that reads them one by
//!   one. It gives it up when the output has ended, so that what is left of the child is hung up as ever. Lines, pastes
//!   and whatever a child does not read at once go through the keeper alone.
//! - **Time limit.** It runs on this process's monotonic clock and fires with nobody attached.
//! - **Kill.** TERM to the child's group, the grace, then SIGKILL to every direct child until the kernel says that
//!   there is none (ECHILD). The keeper is the subreaper, so whatever is orphaned becomes a direct child. SIGTERM to
//!   the keeper does the same and then ends it.
//! - **A child that ends by itself.** What it left running on purpose (an agent, an updater) is left alone, as it
//!   would be in a terminal window that closes; a kill, a cancellation and the time limit end that too. The state
//!   and the output stay readable until a supervisor releases the session, or until nobody has attached for the
//!   specification's `linger` (a day).
//! - **If the keeper itself is killed**, the terminal hangs up. What ignores that still carries [`COOKIE`] in its
//!   environment, by which `driver::left_behind` finds it.
//! - **Secrets.** The specification holds the environment and the credential: it comes through a pipe. The process
//!   cannot be read or dumped by others of the same uid, and writes nothing but its socket and its token.

mod connection;
mod input;
mod ladder;
mod orders;
mod processes;
mod ring;
mod serve;
mod signals;
pub mod spec;
mod start;
mod terminal;
mod token;
pub mod wire;

use std::path::Path;
use std::process::ExitCode;

pub use start::SOCKET;
pub use token::FILE as TOKEN;

/// The variable that marks every process of a session: its value is the session's id.
pub const COOKIE: &str = "AUTHDECK_SESSION";

/// Runs a keeper for the session's folder. Standard input holds the [`spec::Spec`] as JSON; standard output gets
/// one [`spec::StartReport`]. In the calling process it returns at once, in the daemon when the session is over.
pub fn main(directory: &Path) -> ExitCode {
    match start::start(directory) {
        Ok(keeper) => {
            keeper.run();
            start::remove(directory);
            ExitCode::SUCCESS
        }
        Err(_) => ExitCode::FAILURE,
    }
}
