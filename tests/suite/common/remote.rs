//! A host of its own, behind a real sshd: a network namespace with a vendor in it, and a home that is not the laptop's.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::env::{AUTHDECK, Home};
use super::peer;
use super::servers::free_port;
use super::vendor::Vendor;
use super::wait::{GENEROUS, wait_for};

/// An sshd on the loopback of the vendor's namespace.
pub struct RemoteHost {
    /// The home of whoever logs in there.
    pub home: Home,
    process: Child,
    config: PathBuf,
}

impl RemoteHost {
    /// What [`peer::has`] must find for it, beside what the vendor needs.
    pub const NEEDS: [&'static str; 3] = ["ssh", "sshd", "ssh-keygen"];

    /// Starts it, and writes the ssh configuration of a laptop from which `box` is this host.
    pub fn start(laptop: &Home, vendor: &Vendor) -> Self {
        let home = Self::home();
        let folder = laptop.path().join("ssh");
        std::fs::create_dir(&folder).unwrap();
        for name in ["host", "key"] {
            let mut command = laptop.command("ssh-keygen");
            command.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(folder.join(name));
            assert!(command.status().unwrap().success());
        }
        let port = free_port();
        let at = folder.display();
        let variables: Vec<String> =
            home.variables().iter().map(|(name, value)| format!("{name}={value}")).collect();
        let server = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {at}/host\nPidFile none\nUsePAM no\nStrictModes no\n\
             AuthorizedKeysFile {at}/key.pub\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n\
             SetEnv {}\n",
            variables.join(" ")
        );
        let server = laptop.write_file("ssh/sshd_config", &server);
        let prefix = vendor.prefix().join(" ");
        let pipe = peer::scripts().join("tcp_pipe.py");
        let client = format!(
            "Host box\nHostName 127.0.0.1\nPort {port}\nIdentityFile {at}/key\nIdentitiesOnly yes\n\
             IdentityAgent none\nStrictHostKeyChecking accept-new\nUserKnownHostsFile {at}/known\n\
             ProxyCommand {prefix} {} %h %p\n",
            pipe.display()
        );
        let config = laptop.write_file("ssh/config", &client);
        // As root sshd wants its empty folder; the Debian package makes it when the service starts.
        let _not_root = std::fs::create_dir_all("/run/sshd");
        let words = vendor.prefix();
        let process = laptop
            .command(&words[0])
            .args(&words[1..])
            .arg(peer::find("sshd").unwrap())
            .args(["-D", "-e", "-f"])
            .arg(server)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let host = Self { home, process, config };
        wait_for("the host lets one in", GENEROUS, || {
            let output = host.command(laptop, "true").output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            if output.status.success() { Ok(()) } else { Err(said) }
        });
        host
    }

    /// authdeck is on the PATH there.
    fn home() -> Home {
        let home = Home::new();
        let path = home.variables().iter().find(|(name, _)| name == "PATH").unwrap().1.clone();
        let folder = Path::new(AUTHDECK).parent().unwrap().display().to_string();
        home.with("PATH", format!("{folder}:{path}"))
    }

    /// The ssh program with the laptop's configuration, for `authdeck ssh --ssh`.
    pub fn ssh(&self) -> String {
        format!("ssh -F {}", self.config.display())
    }

    /// Runs a command there.
    pub fn command(&self, laptop: &Home, remote: &str) -> Command {
        let mut command = laptop.command("ssh");
        command.arg("-F").arg(&self.config).args(["box", remote]).stdin(Stdio::null());
        command
    }
}

impl Drop for RemoteHost {
    fn drop(&mut self) {
        let _already_gone = self.process.kill();
        let _reaped = self.process.wait();
    }
}
