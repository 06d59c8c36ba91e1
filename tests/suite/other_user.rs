//! Another user of the same machine gets nothing: no socket answers, no file and no process can be read.

use std::fs;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::common::env::{AUTHDECK, Home};
use super::common::peer;
use super::common::process::list;
use super::common::pty::Pty;
use super::common::wait::{GENEROUS, wait_for, wait_until};

/// Connects, asks as a client of the supervisor does, and prints what came of it.
const CLIENT: &str = r#"
import socket, sys
client = socket.socket(socket.AF_UNIX)
client.settimeout(30)
try:
    client.connect(sys.argv[1])
    client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                   b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
    answer = client.recv(64)
    print("answered" if answer else "closed")
except PermissionError:
    print("refused")
except ConnectionError:
    print("closed")
"#;

/// Runs a program as the user `nobody`.
fn as_nobody(program: &[&str]) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups", "--inh-caps=-all", "--"]);
    // What the own user has installed for itself, another one cannot run.
    command.args(program).current_dir("/").env("PATH", "/usr/bin:/bin");
    command
}

fn output(mut command: Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn nobody_connects(socket: &Path) -> String {
    output(as_nobody(&["python3", "-c", CLIENT, &socket.to_string_lossy()]))
}

fn owner_connects(socket: &Path) -> String {
    let mut command = Command::new("python3");
    command.args(["-c", CLIENT, &socket.to_string_lossy()]);
    output(command)
}

/// Everything below a folder, and the folder itself.
fn everything(folder: &Path) -> Vec<PathBuf> {
    let mut found = vec![folder.to_owned()];
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if entry.file_type().unwrap().is_dir() {
            found.extend(everything(&path));
        } else {
            found.push(path);
        }
    }
    found
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode()
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn another_user_reaches_no_socket_no_file_and_no_process() {
    let test = "another_user_reaches_no_socket_no_file_and_no_process";
    if !peer::has(test, &["root", "setpriv", "python3", "setsid"]) {
        return;
    }
    let home = Home::new();
    // With a umask that takes nothing away, only what authdeck itself says keeps others out.
    let script = format!("umask 000; exec {AUTHDECK} run -- sh -c 'echo Open; sleep 1000'");
    let _deck = Pty::start(&home, true, &["sh", "-c", &script]);
    let runtime = home.runtime().join("authdeck");
    let runs = || home.children().iter().any(|process| process.command == "sleep 1000");
    wait_until("the session runs", runs, || list(&home.processes()));
    let sockets = wait_for("the supervisor's socket and a keeper's", GENEROUS, || {
        let is_socket =
            |path: &PathBuf| fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket());
        let found: Vec<PathBuf> = everything(&runtime).into_iter().filter(is_socket).collect();
        if found.len() >= 2 { Ok(found) } else { Err(format!("{found:?}")) }
    });
    assert_eq!(owner_connects(&runtime.join("supervisor.sock")), "answered", "the owner is served");

    let mine = [runtime.clone(), home.home().join(".local/state/authdeck")];
    let open: Vec<String> = mine
        .iter()
        .flat_map(|folder| everything(folder))
        .filter(|path| path.exists() && !path.is_symlink() && mode(path) & 0o077 != 0)
        .map(|path| format!("{:o} {}", mode(&path), path.display()))
        .collect();
    assert!(open.is_empty(), "others may touch:\n{}", open.join("\n"));
    for socket in &sockets {
        assert_eq!(nobody_connects(socket), "refused", "{}", socket.display());
    }
    for process in home.processes().iter().filter(|process| process.is_scaffolding()) {
        for file in ["environ", "mem", "fd"] {
            let path = format!("/proc/{}/{file}", process.id);
            let read = as_nobody(&["ls", &format!("{path}/")]).output().unwrap().status.success()
                || as_nobody(&["cat", &path]).output().unwrap().status.success();
            assert!(!read, "{path} of {process}");
        }
    }

    // Were every door left open, the uid that the kernel tells is still another one.
    set_mode(home.path(), 0o711);
    set_mode(&home.runtime(), 0o711);
    for path in everything(&runtime).iter().filter(|path| path.is_dir()) {
        set_mode(path, 0o711);
    }
    for socket in &sockets {
        set_mode(socket, 0o666);
        assert_eq!(nobody_connects(socket), "closed", "{}", socket.display());
    }
    assert_eq!(owner_connects(&runtime.join("supervisor.sock")), "answered", "and the owner still is served");
}
