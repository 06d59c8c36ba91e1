//! The limits of the supervisor's runtime. Each one is a setting of the configuration file.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// How the supervisor works. [`Default`] is what a person gets who configured nothing.
#[derive(Clone, Debug)]
pub struct DriverSettings {
    /// Folder of the sockets and session folders; absent: `$XDG_RUNTIME_DIR/authdeck`, or `/tmp/authdeck-UID`.
    pub runtime_directory: Option<PathBuf>,
    /// Folder of the store; absent: `$XDG_STATE_HOME/authdeck`, or `~/.local/state/authdeck`.
    pub state_directory: Option<PathBuf>,
    /// The environment that children inherit; absent: the supervisor's own.
    pub environment: Option<Vec<(OsString, OsString)>>,
    /// How old a session may become (behaviour S8).
    pub session_limit: Duration,
    /// How many sessions may live at the same time.
    pub live_sessions: usize,
    /// How long a parked challenge waits at most (behaviour C2).
    pub challenge_limit: Duration,
    /// How long a provider's auth check may take (behaviour S6).
    pub check_limit: Duration,
    /// How long a replay to a child's loopback listener may take; it may redeem the code before it answers.
    pub replay_limit: Duration,
    /// How long a keeper may take to answer after it was started.
    pub keeper_start_limit: Duration,
    /// Least time between two screen updates for one client.
    pub frame_interval: Duration,
    /// How long a child must be quiet before its screen is looked at outside of the frames.
    pub quiet: Duration,
    /// How long a synchronized update (DECSET 2026) may hold the screen back.
    pub synchronized_update_limit: Duration,
    /// How many bytes of output a session's recording keeps; the oldest go first.
    pub recording_bytes: usize,
    /// How many bytes of output the keeper keeps for the next supervisor.
    pub keeper_ring_bytes: usize,
    /// How many lines of history a session's screen keeps.
    pub history_lines: usize,
    /// How many events a slow client may lag behind before it gets a new snapshot instead.
    pub event_backlog: usize,
}

impl Default for DriverSettings {
    fn default() -> Self {
        Self {
            runtime_directory: None,
            state_directory: None,
            environment: None,
            session_limit: Duration::from_secs(600),
            live_sessions: 256,
            challenge_limit: Duration::from_secs(300),
            check_limit: Duration::from_secs(20),
            replay_limit: Duration::from_secs(30),
            keeper_start_limit: Duration::from_secs(10),
            frame_interval: Duration::from_micros(16_667),
            quiet: Duration::from_millis(50),
            synchronized_update_limit: Duration::from_millis(150),
            recording_bytes: 4 << 20,
            keeper_ring_bytes: 4 << 20,
            history_lines: 5_000,
            event_backlog: 1_024,
        }
    }
}
