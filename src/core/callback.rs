//! What a person pastes: recognised, checked against the session's own authorize URL, and turned into a delivery.

use super::secret::Secret;

/// A browser's last request, to be played to a child's loopback listener.
#[derive(Clone, Debug)]
pub struct CallbackRequest {
    /// The `Host` header as the browser would have sent it: `localhost:1455`, `127.0.0.1:40111`, `[::1]:8080`.
    pub host_header: String,
    /// The port that the listener is on.
    pub port: u16,
    /// The request target: path and query, with the code in it.
    pub target: Secret,
    /// The addresses to try, in this order.
    pub addresses: Vec<std::net::IpAddr>,
}
