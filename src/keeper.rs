//! The per-session process: holds the PTY, replays, limits, kills.
