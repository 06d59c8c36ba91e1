//! The stand-in for the vendors: a network namespace in which real CLIs finish real logins (`tests/peers/vendor`).

use std::path::PathBuf;
use std::process::{Command, Output};

use super::peer;

/// What the vendor does with device codes that are polled for.
#[derive(Clone, Copy, Debug)]
pub enum Mode {
    /// They stay unapproved.
    Pending,
    /// The person said yes.
    Success,
    /// The person said no; pasted and redirected codes are refused too.
    Denied,
    /// Pasted and redirected codes are refused.
    BadCode,
}

/// One namespace with its vendor. It is taken down, with everything that still runs in it, when dropped.
pub struct Vendor {
    namespace: String,
    script: PathBuf,
}

impl Vendor {
    /// The programs that [`peer::has`] must find for it.
    pub const NEEDS: [&'static str; 6] = ["root", "ip", "nsenter", "unshare", "openssl", "python3"];

    /// Starts one. `name` must be the test's own.
    pub fn up(name: &str) -> Self {
        let vendor = Self {
            namespace: format!("ad-{name}-{}", std::process::id()),
            script: peer::scripts().join("vendor/vendor"),
        };
        vendor.run_script(&["up"]);
        vendor
    }

    fn script(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(&self.script);
        command.args(arguments).env("VENDOR_NS", &self.namespace).env_remove("XDG_RUNTIME_DIR");
        command.output().unwrap()
    }

    fn run_script(&self, arguments: &[&str]) -> String {
        let output = self.script(arguments);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(
            output.status.success(),
            "vendor {arguments:?}: {}{}\n{}",
            text(&output.stdout),
            text(&output.stderr),
            if arguments == ["up"] { String::new() } else { self.log() }
        );
        text(&output.stdout)
    }

    /// What stands before a command that is to run inside.
    pub fn prefix(&self) -> Vec<String> {
        self.prefix_of(&["run", "--"])
    }

    /// The command line of one of the vendor's own commands.
    pub fn prefix_of(&self, command: &[&str]) -> Vec<String> {
        let variable = format!("VENDOR_NS={}", self.namespace);
        let words = ["env", &variable, &self.script.to_string_lossy()].map(str::to_owned);
        words.into_iter().chain(command.iter().map(|&word| word.to_owned())).collect()
    }

    /// Decides what the vendor does from now on.
    pub fn mode(&self, mode: Mode) {
        let word = match mode {
            Mode::Pending => "pending",
            Mode::Success => "success",
            Mode::Denied => "denied",
            Mode::BadCode => "badcode",
        };
        self.run_script(&["mode", word]);
    }

    /// Plays the browser after the person's yes: calls the URL's `redirect_uri` from inside.
    pub fn browse(&self, url: &str) -> String {
        self.run_script(&["browser", url])
    }

    /// Where the browser ends for this URL when it cannot reach the redirect: the callback URL, to be pasted.
    pub fn callback(&self, url: &str, answer: &[&str]) -> String {
        let shown = self.run_script(&[&["callback", url], answer].concat());
        shown.trim_end().to_owned()
    }

    /// The code that the vendor's page shows for this URL, to be pasted.
    pub fn code(&self, url: &str) -> String {
        let shown = self.browse(url);
        let code = shown.lines().find_map(|line| line.strip_prefix("paste: "));
        code.unwrap_or_else(|| panic!("the vendor shows no code: {shown}")).to_owned()
    }

    /// Tells whether something listens on this port, inside.
    pub fn is_listening(&self, port: u16) -> bool {
        const LISTEN: &str = "0A";
        let table = self.run_script(&["run", "--", "cat", "/proc/net/tcp"]);
        table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>()).any(|fields| {
            let local = fields.get(1).and_then(|address| address.rsplit(':').next());
            local == Some(format!("{port:04X}").as_str()) && fields.get(3) == Some(&LISTEN)
        })
    }

    /// The requests that the vendor saw, one a line.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&self.script(&["log"]).stdout).into_owned()
    }
}

impl Drop for Vendor {
    fn drop(&mut self) {
        let _nothing_left_to_report = self.script(&["down", "--all"]);
    }
}
