//! What the tests stand on: waiting for a named condition, a home of their own, real terminals and real peers.

#![allow(dead_code, reason = "the parts are for every test of the suite, also for those that come later")]

pub mod deck;
pub mod env;
pub mod http;
pub mod keeper;
pub mod peer;
pub mod process;
pub mod pty;
pub mod remote;
pub mod served;
pub mod servers;
pub mod supervisor;
pub mod tmux;
pub mod trees;
pub mod vendor;
pub mod wait;
