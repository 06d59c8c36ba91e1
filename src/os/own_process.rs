#![allow(unsafe_code, reason = "the C library's allocator can be set only through the C library")]
//! What this process sets for itself.

use std::ffi::CStr;

use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit};

/// Raises the soft limit of open files to the hard one and returns the soft limit as it was. Children get it back
/// (`KeeperSpec::open_files`): some programs close every descriptor up to the limit one by one.
pub fn raise_open_files() -> Option<u64> {
    let before = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: before.maximum, maximum: before.maximum });
    before.current
}

/// Lets large buffers (a recording, a snapshot) go back to the system as soon as they are freed. The C library would
/// otherwise learn from the first one to keep the next ones, in pieces.
pub fn return_large_buffers() {
    #[cfg(target_env = "gnu")]
    {
        /// Bytes from which on a buffer has pages of its own.
        const LARGE: libc::c_int = 256 * 1024;
        // SAFETY: mallopt takes two numbers, may be called at any time, and leaves memory that is in use alone.
        unsafe { libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE) };
    }
}

/// Keeps other processes of the same user from reading this one's memory, and the kernel from dumping it.
/// Children are readable again once they execute another program.
pub fn deny_reading() {
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}

/// Names the process for `ps` and `top`; the kernel keeps 15 bytes.
pub fn set_name(name: &CStr) {
    let _ = rustix::thread::set_name(name);
}
