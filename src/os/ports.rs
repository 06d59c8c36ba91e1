//! Who listens on a port of this machine (proc(5), `/proc/net/tcp`).

use std::fs;

use super::processes;

/// The state of a listening socket in `/proc/net/tcp` (`TCP_LISTEN` in the kernel's `tcp_states.h`).
const LISTENING: &str = "0A";

/// Returns who listens on a port, for a person: `firefox (process 4711)`. Absent if nobody does, or if it is a process
/// of another user.
pub fn port_holder(port: u16) -> Option<String> {
    let sockets: Vec<String> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|table| fs::read_to_string(table).ok())
        .flat_map(|table| listeners(&table, port))
        .collect();
    let id = processes::all().find(|id| holds(*id, &sockets))?;
    let name = processes::name(id).unwrap_or_else(|| "a program without a name".into());
    Some(format!("{name} (process {id})"))
}

/// Returns the sockets, as they stand in `/proc/ID/fd`, that a table says listen on a port.
fn listeners(table: &str, port: u16) -> Vec<String> {
    let socket = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (_, local) = fields.get(1)?.rsplit_once(':')?;
        let is_it = u16::from_str_radix(local, 16) == Ok(port) && fields.get(3) == Some(&LISTENING);
        is_it.then(|| format!("socket:[{}]", fields.get(9).copied().unwrap_or_default()))
    };
    table.lines().skip(1).filter_map(socket).collect()
}

fn holds(process_id: u32, sockets: &[String]) -> bool {
    let descriptors = fs::read_dir(format!("/proc/{process_id}/fd")).into_iter().flatten().flatten();
    descriptors
        .filter_map(|descriptor| fs::read_link(descriptor.path()).ok())
        .any(|target| sockets.iter().any(|socket| target.as_os_str() == socket.as_str()))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn the_holder_of_a_port_is_named() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let holder = port_holder(port).unwrap();
        assert!(holder.ends_with(&format!("(process {})", std::process::id())), "{holder}");
        drop(listener);
        assert_eq!(port_holder(port), None);
    }
}
