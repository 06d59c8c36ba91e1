//! The bounds and time limits of the engine.

use std::time::Duration;

/// Every bound and time limit of the engine. What is a setting has its documented default here and nowhere else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long a login may take (behaviour S8).
    pub session: Duration,
    /// How long the keeper may take to start the child.
    pub start: Duration,
    /// How long output may still come after the child ended; a grandchild may hold the terminal open for ever.
    pub drain: Duration,
    /// How long an auth check may take.
    pub check: Duration,
    /// How long the runtime may take to report what it was ordered to do, beyond the limit it was given itself.
    pub report: Duration,
    /// How long a delivery may take: a write, or a loopback listener that redeems the code before it answers.
    pub delivery: Duration,
    /// How long a kill may take, from the first polite signal to the list of survivors.
    pub kill: Duration,
    /// How long the URL handed to a browser is held back where the CLI is known to show a better one: one that
    /// ends on a page with a code, for a person whose browser is on another machine.
    pub hold_url: Duration,
    /// How long a CLI must have waited with its URL or code on the screen before its end with exit status 0 counts as
    /// a login: nobody opens a page and logs in there in less.
    pub waited: Duration,
    /// How long the store is left alone after it failed, the first time; each further time twice as long.
    pub store_again: Duration,
    /// How long it is left alone at most.
    pub store_again_longest: Duration,
    /// How long a parked challenge waits at most (behaviour C2).
    pub challenge: Duration,
    /// Challenges parked at the same time.
    pub challenges: usize,
    /// Sessions that are not over, at the same time.
    pub live_sessions: usize,
    /// Sessions that are over and still listed; the oldest are dropped.
    pub ended_sessions: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            session: Duration::from_secs(600),
            start: Duration::from_secs(15),
            // The keeper ends the output itself soon after the child; this is for one that is stuck. Until then a slow
            // machine may take its time to read what the child has left.
            drain: Duration::from_secs(30),
            check: Duration::from_secs(20),
            report: Duration::from_secs(10),
            delivery: Duration::from_secs(35),
            kill: Duration::from_secs(12),
            // claude shows its own three seconds after it opened the other one.
            hold_url: Duration::from_secs(5),
            waited: Duration::from_secs(5),
            store_again: Duration::from_secs(1),
            store_again_longest: Duration::from_secs(60),
            challenge: Duration::from_secs(300),
            challenges: 1024,
            live_sessions: 256,
            ended_sessions: 256,
        }
    }
}
