//! Any bytes as a frame from a client and as one from a supervisor.
#![no_main]

#[path = "../checks/protocol.rs"]
mod protocol;

libfuzzer_sys::fuzz_target!(|frame: &[u8]| protocol::check(frame));
