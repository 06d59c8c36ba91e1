//! Who may come in. Over the Unix socket the kernel has said already whose process it is.

use hyper::StatusCode;
use hyper::header::ORIGIN;
use hyper::http::request::Parts;

use super::Door;
use super::http::Refusal;
use crate::driver::{Handle, Identity};

/// Whoever was let in.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Who it is.
    pub standing: Standing,
    /// The process at the other end, if the kernel named it.
    pub process_id: Option<u32>,
}

/// What is known of a caller.
#[derive(Clone, Debug)]
pub enum Standing {
    /// It has shown what it had to.
    Proven(Identity),
}

/// Refuses web pages that have no business here. Only a browser sends `Origin`.
///
/// # Errors
/// It is a page.
pub(super) fn check_page(head: &Parts, door: &Door) -> Result<(), Refusal> {
    match door {
        Door::Own(_) if head.headers.contains_key(ORIGIN) => {
            Err(Refusal::new(StatusCode::FORBIDDEN, "No web page has any business on this socket."))
        }
        Door::Own(_) => Ok(()),
    }
}

/// Finds out who asks.
///
/// # Errors
/// It has not shown what it must.
pub(super) async fn admit(head: &Parts, door: &Door, handle: &Handle) -> Result<Caller, Refusal> {
    let _ = (head, handle);
    match door {
        Door::Own(peer) => {
            Ok(Caller { standing: Standing::Proven(Identity::Local), process_id: peer.process_id })
        }
    }
}
