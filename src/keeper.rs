//! The per-session process: `authdeck keeper DIR`. It holds the terminal, replays, limits, kills.
//!
//! A supervisor may be killed at any moment; a login must not die of it. So each session has a keeper, and only the
//! keeper holds what must outlive it: the terminal's other end, the parentage of everything the child starts, and the
//! last bytes of output. It is a guard, not a relay: the supervisor that attaches gets the terminal and the output's
//! memory, and reads and writes there itself. It knows nothing of logins. It is one thread around one `poll`, so that
//! two hundred of them fit into a small machine and a stranger can read it in ten minutes:
//!
//! | module | what it does |
//! | --- | --- |
//! | [`spec`] | what is to be started, as the spawner says it on standard input |
//! | `start` | becomes a daemon, binds the socket, starts the child |
//! | `terminal` | the pseudo-terminal, and the child's way from fork to exec |
//! | `serve` | the loop: output, deadlines, kills |
//! | `reader` | who reads the terminal: this process or the supervisor, never both |
//! | `attachment` | how the terminal goes to a supervisor, and comes back |
//! | `orders` | who may attach (uid, token), and what each order does |
//! | `connection` | frames in and out without blocking |
//! | [`wire`] | the frames themselves: the protocol |
//! | [`ring`] | the last bytes of output with absolute offsets, in memory that is shared with the supervisor |
//! | `ladder` | the rungs of a kill; pure |
//! | `processes` | reaping, asking, striking, naming survivors |
//! | `signals`, `token` | SIGCHLD and SIGTERM as data; the one-time token |
//!
//! # What holds
//! - **Output.** Every byte has an absolute offset. While a supervisor is attached it alone reads the terminal, so a child
//!   whose supervisor stands still waits, and nothing is lost. The moment it is gone (it let go, or its connection is
//!   closed and its process has ended) the keeper reads on, and the oldest bytes give way.
//! - **Attaching.** The peer's uid must be ours and its token the current one; the next token is in the file before
//!   the answer is sent. A wrong token spends nothing. A second supervisor with the right token takes over as soon as
//!   the first one has let go. A supervisor that crashes changes nothing.
//! - **Input.** The supervisor writes it, the keeper never does. Both close their end of the terminal when the output has
//!   ended, so that what is left of the child is hung up as ever.
//! - **Time limit.** It runs on this process's monotonic clock and fires with nobody attached.
//! - **Kill.** TERM to the child's group, the grace, then SIGKILL to every direct child until the kernel says that
//!   there is none (ECHILD). The keeper is the subreaper, so whatever is orphaned becomes a direct child. SIGTERM to
//!   the keeper does the same and then ends it.
//! - **A child that ends by itself.** What it left running on purpose (an agent, an updater) is left alone, as it
//!   would be in a terminal window that closes; a kill, a cancellation and the time limit end that too. The state
//!   and the output stay readable until a supervisor releases the session, or until nobody has attached for the
//!   specification's `linger` (a day).
//! - **If the keeper itself is killed**, the supervisor closes the terminal, which hangs up. What ignores that still
//!   carries [`COOKIE`] in its environment, by which `driver::left_behind` finds it.
//! - **Secrets.** The specification holds the environment and the credential: it comes through a pipe. The process
//!   cannot be read or dumped by others of the same uid, and writes nothing but its socket and its token.

mod attachment;
mod connection;
mod ladder;
mod orders;
mod processes;
mod reader;
pub mod ring;
mod serve;
mod signals;
pub mod spec;
mod start;
pub mod terminal;
mod token;
pub mod wire;

use std::path::Path;
use std::process::ExitCode;

pub use start::{PROCESS, SOCKET};
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
