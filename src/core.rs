//! The pure heart of authdeck: what happened goes in, what is to be done comes out.
//!
//! Nothing below this module reads a clock, draws randomness, opens a file, looks at the environment or awaits.
//! `now` and fresh ids are arguments. That is what makes every rule here testable in microseconds, and a recorded
//! list of inputs a complete description of a bug.

pub mod asciicast;
pub mod callback;
pub mod challenge;
pub mod detect;
pub mod effect;
pub mod engine;
pub mod finding;
pub mod ids;
pub mod input;
mod leading;
pub mod limits;
pub mod login;
pub mod pacing;
pub mod provider;
pub mod reference;
pub mod saved_session;
pub mod screen;
pub mod secret;
pub mod session;
pub mod status;
pub mod time;
pub mod token;
pub mod tokens;
pub mod view;
pub mod visible;
