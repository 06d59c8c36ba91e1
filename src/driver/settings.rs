//! What the supervisor's runtime works with.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::config::catalogue::{Catalogue, CurrentCatalogue};
use crate::config::{Browser, Limits};
use crate::core::limits;
use crate::core::pacing::Pacing;

/// Screens that a client may be sent at once after quiet: a blank one, and what the child says first.
const FRAME_BURST: u8 = 3;

/// How the supervisor works. [`Default`] is what a person gets who configured nothing.
#[derive(Clone, Debug)]
pub struct DriverSettings {
    /// Folder of the sockets and session folders; absent: the place of this user
    /// ([`super::paths::supervisor_socket`]).
    pub runtime_directory: Option<PathBuf>,
    /// Folder of the store; absent: `$XDG_STATE_HOME/authdeck`, or `~/.local/state/authdeck`.
    pub state_directory: Option<PathBuf>,
    /// The environment that children inherit; absent: the supervisor's own.
    pub environment: Option<Vec<(OsString, OsString)>>,
    /// The providers.
    pub catalogue: Arc<CurrentCatalogue>,
    /// The limits of the configuration file.
    pub limits: Limits,
    /// What becomes of URLs that children open in a browser.
    pub browser: Browser,
    /// How long a keeper may take to start its child, or to answer when it is attached to.
    pub keeper_limit: Duration,
    /// How long a child must be quiet before its screen is looked at once more, between two frames.
    pub quiet: Duration,
    /// How long a synchronized update (DECSET 2026) may hold the screen back.
    pub synchronized_update_limit: Duration,
    /// Whether it ends by itself after [`Limits::idle`]; one inside a deck ends with the deck.
    pub ends_when_idle: bool,
    /// How many events a slow client may lag behind before it gets a new snapshot instead.
    pub event_backlog: usize,
}

impl Default for DriverSettings {
    fn default() -> Self {
        Self {
            runtime_directory: None,
            state_directory: None,
            environment: None,
            catalogue: Arc::new(Catalogue::built_in().into()),
            limits: Limits::default(),
            browser: Browser::default(),
            keeper_limit: Duration::from_secs(10),
            quiet: Duration::from_millis(50),
            synchronized_update_limit: Duration::from_millis(150),
            ends_when_idle: false,
            event_backlog: 1_024,
        }
    }
}

impl DriverSettings {
    /// Returns how often a client is sent a screen: the setting's rate, and a few at once after quiet.
    pub fn frames(&self) -> Pacing {
        Pacing::new(Duration::from_secs(1) / self.limits.frames_per_second.max(1), FRAME_BURST)
    }

    /// Returns the limits as the engine takes them. Where it waits for something that has a limit of its own, it
    /// waits a little longer, so that the one who knows why is the one who tells.
    pub(super) fn engine_limits(&self) -> limits::Limits {
        let margin = Duration::from_secs(5);
        limits::Limits {
            session: self.limits.session,
            start: self.keeper_limit + margin,
            check: self.limits.check,
            delivery: self.limits.replay.max(self.limits.write) + margin,
            kill: self.limits.kill_grace + self.limits.kill + margin,
            challenge: self.limits.challenge,
            challenges: self.limits.challenges,
            live_sessions: self.limits.live_sessions,
            ended_sessions: self.limits.ended_sessions,
            ..limits::Limits::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_configured_nothing_gets_the_documented_limits() {
        assert_eq!(DriverSettings::default().engine_limits(), limits::Limits::default());
    }
}
