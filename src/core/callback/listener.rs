//! Whose listeners a callback may be handed to.
//!
//! A callback carries the code of a login. Another program that listens where the CLI does not, or not any more, must
//! not get it: an orphan of an earlier run, another user's process, whatever happens to hold the port. The kernel says
//! who holds a socket; this says what follows from that.

use std::net::IpAddr;

use crate::core::ids::SessionId;

/// Something that listens on a loopback address of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// The loopback address at which it is reached.
    pub address: IpAddr,
    /// The port.
    pub port: u16,
    /// Whose it is.
    pub owner: ListenerOwner,
}

/// Whose a listening socket is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListenerOwner {
    /// A process of a session holds it.
    Session {
        /// Which session.
        session_id: SessionId,
        /// Its name for people.
        title: String,
    },
    /// A program that belongs to no session.
    Program {
        /// Its name and process id.
        holder: String,
    },
    /// Nobody can see for whom it listens: a container, a forwarded port, a process of root.
    Unseen {
        /// What is known of it.
        holder: String,
    },
    /// A process of another user.
    OtherUser {
        /// The user's id.
        user_id: u32,
    },
}

impl ListenerOwner {
    /// Returns the session that it belongs to, if it does.
    pub fn session(&self) -> Option<&SessionId> {
        match self {
            Self::Session { session_id, .. } => Some(session_id),
            Self::Program { .. } | Self::Unseen { .. } | Self::OtherUser { .. } => None,
        }
    }
}

/// Whether a callback may be handed to what listens at an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Nothing listens there.
    Nobody,
    /// It belongs to the login.
    Admitted,
    /// It does not, or nobody can tell.
    Refused(ListenerOwner),
}

/// Decides whether a session's callback may go to what listens at an address. Every socket that may be reached there
/// must be the session's; `unseen` admits what nobody can look into as well, because the person was asked.
pub fn admission(
    listeners: &[Listener],
    address: IpAddr,
    port: u16,
    session_id: &SessionId,
    unseen: bool,
) -> Admission {
    let mut admission = Admission::Nobody;
    for listener in listeners.iter().filter(|listener| listener.address == address && listener.port == port) {
        let admitted = match &listener.owner {
            ListenerOwner::Session { session_id: owner, .. } => owner == session_id,
            ListenerOwner::Unseen { .. } => unseen,
            ListenerOwner::Program { .. } | ListenerOwner::OtherUser { .. } => false,
        };
        if !admitted {
            return Admission::Refused(listener.owner.clone());
        }
        admission = Admission::Admitted;
    }
    admission
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn only_the_sessions_own_listener_is_admitted() {
        let own = SessionId::new("auth-1");
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let at = |owner| vec![Listener { address, port: 1455, owner }];
        let session =
            |id: &str| ListenerOwner::Session { session_id: SessionId::new(id), title: "x".to_owned() };
        let unseen = ListenerOwner::Unseen { holder: "a process of root".to_owned() };
        let program = ListenerOwner::Program { holder: "nc (process 7)".to_owned() };
        let user = ListenerOwner::OtherUser { user_id: 65_534 };
        let decide = |listeners: &[Listener], asked| admission(listeners, address, 1455, &own, asked);
        assert_eq!(decide(&at(session("auth-1")), false), Admission::Admitted);
        assert_eq!(decide(&[], true), Admission::Nobody);
        assert_eq!(admission(&at(session("auth-1")), address, 1456, &own, false), Admission::Nobody);
        assert_eq!(decide(&at(unseen.clone()), true), Admission::Admitted);
        for (owner, asked) in [(session("auth-2"), true), (program, true), (user, true), (unseen, false)] {
            assert_eq!(decide(&at(owner.clone()), asked), Admission::Refused(owner));
        }
        let mixed = [at(session("auth-1")), at(session("auth-2"))].concat();
        assert_eq!(
            decide(&mixed, true),
            Admission::Refused(session("auth-2")),
            "the kernel may choose either"
        );
    }
}
