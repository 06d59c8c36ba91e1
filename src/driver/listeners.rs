//! Whose what listens on this machine's loopback is: a session's, or somebody else's.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::core::callback::{Listener, ListenerOwner};
use crate::core::ids::SessionId;
use crate::keeper::COOKIE;
use crate::os::ports::{Socket, holders, named, reached_at, sockets};
use crate::os::processes;

/// Programs that listen on behalf of something that is not below them: containers, other machines.
const FORWARDERS: [&str; 10] = [
    "docker-proxy",
    "rootlessport",
    "slirp4netns",
    "pasta",
    "passt",
    "gvproxy",
    "conmon",
    "socat",
    "ssh",
    "sshd",
];

/// How many parents of a process are looked at.
const MOST_PARENTS: usize = 64;

/// A session, by the process that it runs.
#[derive(Clone, Debug)]
pub struct SessionRoot {
    /// Its id.
    pub session_id: SessionId,
    /// Its name for people.
    pub title: String,
    /// Its child's process id; absent if that has ended.
    pub process_id: Option<u32>,
}

/// Lists what a connection to a loopback address of this machine would reach, and whose each is. Reads the tables of
/// the kernel and every process of this user; it may take a few milliseconds, and blocks.
pub fn listeners(sessions: &[SessionRoot]) -> Vec<Listener> {
    listeners_among(&sockets(), sessions)
}

/// The same, for one port.
pub fn listeners_on(port: u16, sessions: &[SessionRoot]) -> Vec<Listener> {
    let on_port: Vec<Socket> = sockets().into_iter().filter(|socket| socket.port == port).collect();
    listeners_among(&on_port, sessions)
}

/// Tells whether a process that carries a session's mark, `NAME=value` in its environment, listens on any port.
pub fn marked_listens(mark: &[u8]) -> bool {
    let holders = holders(&sockets());
    let mut ids: Vec<u32> = holders.into_values().flatten().collect();
    ids.sort_unstable();
    ids.dedup();
    ids.into_iter().any(|process_id| processes::has_variable(process_id, mark))
}

fn listeners_among(sockets: &[Socket], sessions: &[SessionRoot]) -> Vec<Listener> {
    let reached = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)]
        .into_iter()
        .flat_map(|address| reached_at(address, sockets))
        .collect::<Vec<_>>();
    if reached.is_empty() {
        return Vec::new();
    }
    let holders = holders(sockets);
    let roots = Roots::of(sessions);
    let listener = |(address, socket): (IpAddr, Socket)| {
        let held_by = holders.get(&socket.inode).map_or(&[][..], Vec::as_slice);
        Listener { address, port: socket.port, owner: roots.owner(&socket, held_by) }
    };
    reached.into_iter().map(listener).collect()
}

/// The sessions' trees: a child, and the keeper above it, to which what the child leaves behind is given.
struct Roots<'a> {
    sessions: &'a [SessionRoot],
    trees: HashMap<u32, &'a SessionRoot>,
}

impl<'a> Roots<'a> {
    fn of(sessions: &'a [SessionRoot]) -> Self {
        let mut trees = HashMap::new();
        for session in sessions {
            let Some(id) = session.process_id.filter(|id| processes::is_alive(*id)) else { continue };
            trees.insert(id, session);
            let keeper =
                processes::parent(id).filter(|id| processes::name(*id).as_deref() == Some("authdeck-keeper"));
            trees.extend(keeper.map(|keeper| (keeper, session)));
        }
        Self { sessions, trees }
    }

    /// Says whose a socket is, by the processes that hold it.
    fn owner(&self, socket: &Socket, held_by: &[u32]) -> ListenerOwner {
        if let Some(session) = held_by.iter().find_map(|id| self.session_of(*id)) {
            return ListenerOwner::Session {
                session_id: session.session_id.clone(),
                title: session.title.clone(),
            };
        }
        let own = rustix::process::geteuid().as_raw();
        match held_by.first() {
            Some(id) => {
                let forwards = processes::name(*id).is_some_and(|name| FORWARDERS.contains(&name.as_str()));
                let holder = named(*id);
                if forwards { ListenerOwner::Unseen { holder } } else { ListenerOwner::Program { holder } }
            }
            None if socket.user_id == own => {
                ListenerOwner::Unseen { holder: "a process that cannot be looked into".to_owned() }
            }
            None if socket.user_id == 0 => ListenerOwner::Unseen { holder: "a process of root".to_owned() },
            None => ListenerOwner::OtherUser { user_id: socket.user_id },
        }
    }

    /// Finds the session that a process belongs to: by its parents, or by the mark that its environment carries.
    fn session_of(&self, process_id: u32) -> Option<&'a SessionRoot> {
        let mut parents = processes::with_parents(process_id).take(MOST_PARENTS);
        parents.find_map(|id| self.trees.get(&id).copied()).or_else(|| {
            self.sessions.iter().find(|session| {
                let mark = format!("{COOKIE}={}", session.session_id);
                processes::has_variable(process_id, mark.as_bytes())
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::process::{Command, Stdio};

    use super::*;

    fn session(id: &str, process_id: Option<u32>) -> SessionRoot {
        SessionRoot { session_id: SessionId::new(id), title: "Sample".to_owned(), process_id }
    }

    fn owners(port: u16, sessions: &[SessionRoot]) -> Vec<(String, ListenerOwner)> {
        let listeners = listeners_on(port, sessions);
        listeners.into_iter().map(|listener| (listener.address.to_string(), listener.owner)).collect()
    }

    #[test]
    fn a_listener_below_a_sessions_process_is_the_sessions_and_any_other_is_named() {
        let listener = TcpListener::bind("[::]:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let own = session("auth-own", Some(std::process::id()));
        let found = owners(port, std::slice::from_ref(&own));
        let is_own = |owner: &ListenerOwner| owner.session() == Some(&own.session_id);
        assert!(found.iter().all(|(_, owner)| is_own(owner)), "{found:?}");
        let addresses: Vec<&str> = found.iter().map(|(address, _)| address.as_str()).collect();
        assert_eq!(addresses, ["127.0.0.1", "::1"], "one that is bound to all is reached on both");
        let foreign = owners(port, &[session("auth-other", None)]);
        assert!(
            matches!(&foreign[0].1, ListenerOwner::Program { holder } if holder.contains("process")),
            "{foreign:?}"
        );
    }

    #[test]
    fn the_mark_of_a_session_tells_what_has_left_its_tree() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let id = format!("auth-port-{}", std::process::id());
        let script = "import sys, socket\ns = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen()\n\
                      print(s.getsockname()[1], flush=True)\nsys.stdin.read()";
        let mut child = Command::new("python3")
            .args(["-c", script])
            .env(COOKIE, &id)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut output = std::io::BufReader::new(child.stdout.take().unwrap());
        std::io::BufRead::read_line(&mut output, &mut line).unwrap();
        let its_port: u16 = line.trim().parse().unwrap();
        let sessions = [session(&id, None)];
        let owner = |port| owners(port, &sessions).remove(0).1;
        assert_eq!(owner(its_port).session(), Some(&sessions[0].session_id));
        assert_eq!(owner(port).session(), None);
        drop(child.stdin.take());
        child.wait().unwrap();
    }
}
