//! Real servers on loopback: an OpenID provider, an sshd, a git repository behind a password.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};

use super::env::Home;
use super::peer;
use super::wait::{GENEROUS, wait_for};

/// A server that says `READY PORT` and ends with its standard input.
struct Announced {
    process: Child,
    port: u16,
    // Kept open: a server that prints something later must not die of it.
    _output: BufReader<ChildStdout>,
}

impl Announced {
    fn start(mut command: Command) -> Self {
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let port =
            output.by_ref().lines().find_map(|line| line.unwrap().strip_prefix("READY ")?.parse().ok());
        Self { process, port: port.expect("the server says its port"), _output: output }
    }
}

impl Drop for Announced {
    fn drop(&mut self) {
        let _already_gone = self.process.kill();
        let _reaped = self.process.wait();
    }
}

/// npm's `oidc-provider`: a certified OpenID provider with device flow (`tests/peers/op.mjs`).
pub struct OpenIdProvider(Announced);

impl OpenIdProvider {
    /// What [`peer::has`] must find for it.
    pub const NEEDS: [&'static str; 3] = ["node", "oidc-provider", "curl"];

    /// Starts it on a free port.
    pub fn start(home: &Home) -> Self {
        let mut command = home.command("node");
        command.arg(peer::scripts().join("op.mjs")).arg(peer::npm_packages()).stderr(Stdio::null());
        Self(Announced::start(command))
    }

    /// The issuer's URL.
    pub fn issuer(&self) -> String {
        format!("http://127.0.0.1:{}", self.0.port)
    }

    /// The person goes to the verification page, types the code in and says yes.
    pub fn approve(&self, home: &Home, code: &str) {
        let mut command = home.command(peer::scripts().join("approve_device.sh"));
        let output = command.args([&self.issuer(), code]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "the code {code} is not approved: {said}");
    }
}

/// A repository at `http://127.0.0.1:PORT/repo.git`, behind HTTP Basic (`alice`, `s3cret`).
pub struct GitServer(Announced);

impl GitServer {
    /// What [`peer::has`] must find for it.
    pub const NEEDS: [&'static str; 2] = ["git", "python3"];

    /// Makes a repository with one file, `proof.txt`, and serves it.
    pub fn start(home: &Home) -> Self {
        let script = "set -e; git init -q -b main source; cd source; echo cloned > proof.txt; git add proof.txt
            git -c user.name=t -c user.email=t@example.com commit -q -m one
            mkdir ../served; git clone -q --bare . ../served/repo.git; git -C ../served/repo.git update-server-info";
        let made = home.command("sh").args(["-c", script]).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let mut command = home.command("python3");
        command.arg(peer::scripts().join("git_server.py")).arg(home.work().join("served"));
        Self(Announced::start(command))
    }

    /// The repository's URL.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/repo.git", self.0.port)
    }
}

/// An sshd on loopback that lets in whoever has the key `key`, which is locked by the passphrase `keypass`.
pub struct SshServer {
    process: Child,
    port: u16,
    folder: PathBuf,
}

impl SshServer {
    /// What [`peer::has`] must find for it.
    pub const NEEDS: [&'static str; 3] = ["ssh", "sshd", "ssh-keygen"];

    /// Makes keys and starts it.
    pub fn start(home: &Home) -> Self {
        let folder = home.path().join("ssh");
        std::fs::create_dir(&folder).unwrap();
        for (name, passphrase) in [("host", ""), ("key", "keypass")] {
            let mut command = home.command("ssh-keygen");
            command.args(["-q", "-t", "ed25519", "-N", passphrase, "-f"]).arg(folder.join(name));
            assert!(command.status().unwrap().success());
        }
        let port = free_port();
        let at = folder.display();
        let config = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {at}/host\nPidFile none\nUsePAM no\nStrictModes no\n\
             AuthorizedKeysFile {at}/key.pub\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n"
        );
        let config = home.write_file("ssh/sshd_config", &config);
        // As root sshd wants its empty folder; the Debian package makes it when the service starts.
        let _not_root = std::fs::create_dir_all("/run/sshd");
        let mut command = home.command(peer::find("sshd").unwrap());
        let process = command.args(["-D", "-e", "-f"]).arg(config).stderr(Stdio::null()).spawn().unwrap();
        wait_for("sshd listens", GENEROUS, || {
            TcpStream::connect(("127.0.0.1", port)).map(drop).map_err(|error| error.to_string())
        });
        Self { process, port, folder }
    }

    /// The server's own processes that serve connections just now.
    pub fn connections(&self) -> Vec<u32> {
        let read =
            |id: u32, file: &str| std::fs::read_to_string(format!("/proc/{id}/{file}")).unwrap_or_default();
        let parent = |id: u32| {
            let stat = read(id, "stat");
            let after = stat.rsplit_once(") ").map(|(_, rest)| rest.to_owned()).unwrap_or_default();
            after.split(' ').nth(1).and_then(|parent| parent.parse::<u32>().ok()).unwrap_or_default()
        };
        let is_ours = |id: u32| {
            std::iter::successors(Some(id), |id| Some(parent(*id)).filter(|parent| *parent > 1))
                .skip(1)
                .any(|ancestor| ancestor == self.process.id())
        };
        let all = std::fs::read_dir("/proc").unwrap().flatten();
        all.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .filter(|id| read(*id, "comm").starts_with("sshd") && is_ours(*id))
            .collect()
    }

    /// A command line that logs in with the key and runs `remote`. It reads nobody's configuration.
    pub fn login(&self, remote: &str) -> Vec<String> {
        let at = self.folder.display();
        let line = format!(
            "ssh -F /dev/null -p {} -i {at}/key -o IdentitiesOnly=yes -o IdentityAgent=none \
             -o StrictHostKeyChecking=accept-new -o UserKnownHostsFile={at}/known 127.0.0.1",
            self.port
        );
        line.split_whitespace().map(str::to_owned).chain([remote.to_owned()]).collect()
    }
}

impl Drop for SshServer {
    fn drop(&mut self) {
        let _already_gone = self.process.kill();
        let _reaped = self.process.wait();
    }
}

/// A port that nothing listens on just now.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
