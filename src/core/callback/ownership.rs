//! A callback that fits goes to the session's own listener, or nowhere.

use std::net::IpAddr;

use super::listener::{Admission, ListenerOwner, admission};
use super::{CallbackRequest, PasteContext, PasteRefusal};

/// Tells whether a process of the session, and nobody else, listens on a port.
pub(super) fn is_own_port(port: u16, context: &PasteContext<'_>) -> bool {
    CallbackRequest::ADDRESSES.iter().any(|address| admitted(*address, port, context) == Admission::Admitted)
}

/// Chooses the addresses at which a callback may be handed over. With nothing listening, both are tried: that nobody is
/// there is then said with the reason.
pub(super) fn addresses(port: u16, context: &PasteContext<'_>) -> Result<Vec<IpAddr>, PasteRefusal> {
    let mut own = Vec::new();
    let mut stranger = None;
    for address in CallbackRequest::ADDRESSES {
        match admitted(address, port, context) {
            Admission::Admitted => own.push(address),
            Admission::Nobody => {}
            Admission::Refused(owner) => stranger = stranger.or(Some(owner)),
        }
    }
    match stranger.filter(|_| own.is_empty()) {
        Some(owner) => Err(refusal(port, owner)),
        None if own.is_empty() => Ok(CallbackRequest::ADDRESSES.to_vec()),
        None => Ok(own),
    }
}

fn admitted(address: IpAddr, port: u16, context: &PasteContext<'_>) -> Admission {
    let Some(session_id) = context.session_id else { return Admission::Nobody };
    admission(context.listeners, address, port, session_id, context.unseen)
}

/// Says whose a port is that is not the login's.
pub(super) fn refusal(port: u16, owner: ListenerOwner) -> PasteRefusal {
    match owner {
        ListenerOwner::Session { session_id, title } => {
            PasteRefusal::PortOfOtherSession { port, session_id, title }
        }
        ListenerOwner::Program { holder } => PasteRefusal::PortOfOtherProgram { port, holder },
        ListenerOwner::Unseen { holder } => PasteRefusal::ListenerUnseen { port, holder },
        ListenerOwner::OtherUser { user_id } => {
            let holder = format!("a process of another user (id {user_id})");
            PasteRefusal::PortOfOtherProgram { port, holder }
        }
    }
}
