//! Sessions by the numbers of behaviour S: what goes in, what is shown and ordered.

use std::time::Duration;

use crate::core::input::{AdoptedKeeper, KeeperTime};

mod endings;
mod evidence;
mod findings;
mod flow;
mod pastes;

/// A keeper that was found again just after the start.
fn attached() -> AdoptedKeeper {
    let time = KeeperTime { elapsed: Duration::ZERO, limit: Duration::from_secs(600) };
    AdoptedKeeper::Attached { process_id: 42, time }
}
