//! Who listens on a port of this machine (proc(5), `/proc/net/tcp`).

use std::collections::HashMap;
use std::fs;
use std::net::IpAddr;

use super::processes;

/// The state of a listening socket in `/proc/net/tcp` (`TCP_LISTEN` in the kernel's `tcp_states.h`).
const LISTENING: &str = "0A";

/// A socket that listens, as the kernel lists it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Socket {
    /// The address that it is bound to.
    pub address: IpAddr,
    /// The port.
    pub port: u16,
    /// Whose process made it.
    pub user_id: u32,
    /// Its number among the kernel's sockets.
    pub inode: u64,
}

/// Returns who listens on a port, for a person: `firefox (process 4711)`. Absent if nobody does, or if it is a process
/// of another user.
pub fn port_holder(port: u16) -> Option<String> {
    let sockets: Vec<Socket> = sockets().into_iter().filter(|socket| socket.port == port).collect();
    let holders = holders(&sockets);
    let id = sockets.iter().find_map(|socket| holders.get(&socket.inode)?.first())?;
    Some(named(*id))
}

/// Names a process for a person: `firefox (process 4711)`.
pub fn named(process_id: u32) -> String {
    let name = processes::name(process_id).unwrap_or_else(|| "a program without a name".into());
    format!("{name} (process {process_id})")
}

/// Returns the sockets that a connection to an address may reach: the kernel takes the one that fits most closely.
pub fn reached_at(address: IpAddr, sockets: &[Socket]) -> Vec<(IpAddr, Socket)> {
    let nearest = |socket: &&Socket| {
        let distance = distance(socket, address);
        let same_port = sockets.iter().filter(|other| other.port == socket.port);
        distance.is_some() && same_port.filter_map(|other| self::distance(other, address)).min() == distance
    };
    sockets.iter().filter(nearest).map(|socket| (address, *socket)).collect()
}

/// Tells how closely a socket's address fits; absent if a connection never reaches it. An IPv6 socket that is bound to
/// all takes IPv4 as well, unless one of IPv4 is there.
fn distance(socket: &Socket, address: IpAddr) -> Option<u8> {
    match socket.address {
        bound if bound.to_canonical() == address => Some(0),
        bound if bound.is_unspecified() && bound.is_ipv4() == address.is_ipv4() => Some(1),
        bound if bound.is_unspecified() && bound.is_ipv6() => Some(2),
        _ => None,
    }
}

/// Reads the sockets that listen, of both protocols.
pub fn sockets() -> Vec<Socket> {
    ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|table| fs::read_to_string(table).ok())
        .flat_map(|table| table.lines().skip(1).filter_map(socket).collect::<Vec<_>>())
        .collect()
}

/// Reads one line of a table.
fn socket(line: &str) -> Option<Socket> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    if fields.get(3) != Some(&LISTENING) {
        return None;
    }
    let (address, port) = fields.get(1)?.rsplit_once(':')?;
    Some(Socket {
        address: ip_address(address)?,
        port: u16::from_str_radix(port, 16).ok()?,
        user_id: fields.get(7)?.parse().ok()?,
        inode: fields.get(9)?.parse().ok()?,
    })
}

/// Reads an address: words of 32 bits in the machine's own byte order.
fn ip_address(text: &str) -> Option<IpAddr> {
    let words: Vec<u32> = (0..text.len() / 8)
        .map(|at| u32::from_str_radix(text.get(at * 8..at * 8 + 8)?, 16).ok())
        .collect::<Option<_>>()?;
    let bytes: Vec<u8> = words.into_iter().flat_map(u32::to_ne_bytes).collect();
    match bytes.len() {
        4 => <[u8; 4]>::try_from(bytes).ok().map(IpAddr::from),
        16 => <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from),
        _ => None,
    }
}

/// Finds the processes that hold sockets, by inode. Of other users' processes the kernel shows none.
pub fn holders(sockets: &[Socket]) -> HashMap<u64, Vec<u32>> {
    let mut holders: HashMap<u64, Vec<u32>> = HashMap::new();
    if sockets.is_empty() {
        return holders;
    }
    let wanted = |inode: &u64| sockets.iter().any(|socket| socket.inode == *inode);
    for id in processes::all() {
        let descriptors = fs::read_dir(format!("/proc/{id}/fd")).into_iter().flatten().flatten();
        let inodes =
            descriptors.filter_map(|descriptor| socket_inode(&fs::read_link(descriptor.path()).ok()?));
        for inode in inodes.filter(wanted) {
            let held_by = holders.entry(inode).or_default();
            if held_by.last() != Some(&id) {
                held_by.push(id);
            }
        }
    }
    holders
}

fn socket_inode(target: &std::path::Path) -> Option<u64> {
    target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
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

    #[test]
    fn addresses_are_read_as_the_kernel_writes_them() {
        let line = "  0: 0100007F:05AF 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000 0 4711 1 0 100 0";
        let six = "  1: 00000000000000000000000001000000:05AF 00000000000000000000000000000000:0000 0A \
                   00000000:00000000 00:00000000 00000000     0 0 4712 1 0 100 0";
        let read =
            |line| socket(line).map(|socket| (socket.address.to_string(), socket.port, socket.user_id));
        if cfg!(target_endian = "little") {
            assert_eq!(read(line), Some(("127.0.0.1".to_owned(), 1455, 1000)));
            assert_eq!(read(six), Some(("::1".to_owned(), 1455, 0)));
        }
        assert_eq!(socket(&line.replace(" 0A ", " 01 ")), None);
    }

    #[test]
    fn the_socket_of_the_very_address_is_the_one_that_is_reached() {
        let socket =
            |address: &str, inode| Socket { address: address.parse().unwrap(), port: 1, user_id: 0, inode };
        let all = [socket("::", 1), socket("127.0.0.1", 2), socket("0.0.0.0", 3)];
        let inodes = |address: &str| -> Vec<u64> {
            reached_at(address.parse().unwrap(), &all).into_iter().map(|(_, socket)| socket.inode).collect()
        };
        assert_eq!(inodes("127.0.0.1"), [2]);
        assert_eq!(inodes("::1"), [1]);
    }
}
