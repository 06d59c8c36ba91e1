//! The ground floor: what the operating system knows, asked for in one place.
//!
//! | module | what it says or does |
//! | --- | --- |
//! | [`descriptors`] | bytes and the descriptors that go along with them over a Unix socket |
//! | [`files`] | files that a person wrote, and those that are for this user alone |
//! | [`login_session`] | the login session of this process, and what ends with it |
//! | [`own_process`] | what this process sets for itself: its name, who may read it, its limits |
//! | [`paths`] | where a program's file is |
//! | [`peers`] | who is at the other end of a Unix socket |
//! | [`ports`] | who listens on a port |
//! | [`processes`] | other processes: parents, children, names, when they started |
//!
//! It knows nothing of logins and uses no other part. What only Linux has (`/proc`, pidfd, `SO_PEERCRED`) stands behind
//! these names, so that another system is a matter of these files.

pub mod descriptors;
pub mod files;
pub mod login_session;
pub mod own_process;
pub mod paths;
pub mod peers;
pub mod ports;
pub mod processes;
