//! What goes from one process to the next of a connection. Data only: [`super::connection`] makes it and goes on with it.

use std::os::fd::OwnedFd;

use serde::{Deserialize, Serialize};

use super::screens::Screens;
use crate::core::secret::{self, Secret};
use crate::driver::Identity;

/// What carries a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transport {
    /// A Unix socket.
    Unix,
    /// TCP on loopback.
    Tcp,
}

/// A connection with everything that another process needs to go on with it.
#[derive(Debug)]
pub struct DrainedConnection {
    pub(super) descriptor: OwnedFd,
    pub(super) state: MovedConnection,
}

/// How a connection stands. What was written and not read yet may have secrets in it.
#[derive(Debug, Serialize, Deserialize)]
pub struct MovedConnection {
    /// The client's number.
    pub(super) client: u64,
    pub(super) transport: Transport,
    pub(super) identity: Identity,
    pub(super) process_id: Option<u32>,
    pub(super) has_spoken: bool,
    pub(super) screens: Screens,
    pub(super) subscribed: bool,
    /// For a client that counts its events by itself: the number of the last one.
    pub(super) own_count: Option<u64>,
    pub(super) lagged: bool,
    pub(super) ending: bool,
    /// Requests that are not answered and have changed nothing yet, as they came. They carry no secret.
    pub(super) requests: Vec<String>,
    /// Bytes that were read and belong to no whole message, in base64.
    #[serde(with = "secret::exposed")]
    pub(super) unread: Secret,
    /// Bytes to be written, in base64.
    #[serde(with = "secret::exposed")]
    pub(super) unsent: Secret,
}
