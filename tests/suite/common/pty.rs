//! A terminal that is nothing but its two ends: what a program writes to it is there byte for byte.

use std::os::fd::{AsFd as _, OwnedFd};
use std::process::Child;
use std::sync::Mutex;

use rustix::fs::{OFlags, fcntl_setfl};
use rustix::pty::{OpenptFlags, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

use super::env::Home;
use super::wait::{GENEROUS, wait_for};

/// A program on a terminal of its own, 100 columns and 30 rows.
pub struct Pty {
    master: Option<OwnedFd>,
    written: Mutex<Vec<u8>>,
    /// The program.
    pub process: Child,
}

/// How a terminal treats what is typed.
#[derive(Clone, Copy, Debug)]
pub struct Modes {
    /// Line by line.
    pub canonical: bool,
    /// Shown as it is typed.
    pub echo: bool,
}

impl Pty {
    /// Starts a program as leader of a session. `controlling` makes the terminal its controlling one; else the kernel
    /// sends it no SIGHUP when the terminal goes.
    pub fn start(home: &Home, controlling: bool, command: &[&str]) -> Self {
        // Neither end may be inherited, or the terminal would outlive its closing here.
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let master = openpt(flags).unwrap();
        unlockpt(&master).unwrap();
        let slave = ioctl_tiocgptpeer(&master, flags).unwrap();
        let size = Winsize { ws_row: 30, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&slave, size).unwrap();
        fcntl_setfl(&master, OFlags::NONBLOCK).unwrap();
        let end = || slave.as_fd().try_clone_to_owned().unwrap();
        let how: &[&str] = if controlling { &["--ctty"] } else { &[] };
        let process = home
            .command("setsid")
            .args(how)
            .args(command)
            .stdin(end())
            .stdout(end())
            .stderr(end())
            .spawn()
            .unwrap();
        Self { master: Some(master), written: Mutex::default(), process }
    }

    /// Everything that was written to the terminal so far.
    pub fn written(&self) -> Vec<u8> {
        let mut written = self.written.lock().unwrap();
        let mut buffer = [0u8; 65_536];
        while let Some(master) = &self.master
            && let Ok(count @ 1..) = rustix::io::read(master, &mut buffer)
        {
            written.extend_from_slice(&buffer[..count]);
        }
        written.clone()
    }

    /// Waits until what was written satisfies `predicate`.
    pub fn wait_written(&self, what: &str, predicate: impl Fn(&str) -> bool) -> String {
        wait_for(what, GENEROUS, || {
            let written = String::from_utf8_lossy(&self.written()).into_owned();
            if predicate(&written) { Ok(written) } else { Err(format!("{written:?}")) }
        })
    }

    /// How the terminal treats what is typed.
    pub fn modes(&self) -> Modes {
        let local = tcgetattr(self.master.as_ref().unwrap()).unwrap().local_modes;
        Modes { canonical: local.contains(LocalModes::ICANON), echo: local.contains(LocalModes::ECHO) }
    }

    /// Types bytes.
    pub fn type_bytes(&self, bytes: &[u8]) {
        rustix::io::write(self.master.as_ref().unwrap(), bytes).unwrap();
    }

    /// Takes the terminal away.
    pub fn close(&mut self) {
        self.master = None;
    }
}
