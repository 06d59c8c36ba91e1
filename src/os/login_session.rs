//! The login session that this process runs in, and what systemd-logind does when it ends (logind.conf(5),
//! `KillUserProcesses`; loginctl(1), `enable-linger`).

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// What becomes of a user's processes when the login session ends that they were started in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndOfLogin {
    /// They go on, or nobody keeps login sessions here.
    GoOn,
    /// They are killed, and those of the user's own manager are not: whoever is started there goes on (`systemd-run --user
    /// --scope`).
    KilledInSession,
    /// They are killed, and the user's own manager ends with the last session.
    Killed,
}

impl EndOfLogin {
    /// Asks logind, if this process runs in one of its sessions.
    pub fn of_this_process() -> Self {
        let manager = ("/org/freedesktop/login1", "org.freedesktop.login1.Manager");
        if !scope().is_some_and(|scope| is_of_session(&scope))
            || property(manager, "KillUserProcesses") != Some(true)
        {
            return Self::GoOn;
        }
        let user = format!("/org/freedesktop/login1/user/_{}", rustix::process::geteuid().as_raw());
        match property((&user, "org.freedesktop.login1.User"), "Linger") {
            Some(true) => Self::KilledInSession,
            Some(false) | None => Self::Killed,
        }
    }
}

/// Reads a property that is true or false; absent if nobody answers.
fn property((object, interface): (&str, &str), name: &str) -> Option<bool> {
    let asked = Command::new("busctl")
        .args(["--system", "--timeout=2", "get-property", "org.freedesktop.login1", object, interface, name])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    match asked.stdout.as_slice() {
        b"b true\n" => Some(true),
        b"b false\n" => Some(false),
        _ => None,
    }
}

/// Returns the control group of the login session that this process runs in, or of the user's own manager, which ends
/// with the last session; absent outside of both.
pub fn scope() -> Option<String> {
    login_scope(&fs::read_to_string("/proc/self/cgroup").ok()?)
}

fn login_scope(groups: &str) -> Option<String> {
    let group = groups.lines().find_map(|line| line.strip_prefix("0::"))?;
    let is_of_manager = group.split('/').any(|part| part.starts_with("user@"));
    (is_of_session(group) || is_of_manager).then(|| group.to_owned())
}

fn is_of_session(scope: &str) -> bool {
    scope.split('/').any(|part| part.starts_with("session-") && part.ends_with(".scope"))
}

/// Tells whether that login session is over, with everything that ran in it.
pub fn is_over(scope: &str) -> bool {
    let root = Path::new("/sys/fs/cgroup");
    // Only there are the names of `/proc/self/cgroup` paths below this folder.
    root.join("cgroup.controllers").exists() && !root.join(scope.trim_start_matches('/')).exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_session_is_told_from_a_service() {
        let session = "0::/user.slice/user-1000.slice/session-5.scope\n";
        assert_eq!(login_scope(session).as_deref(), Some("/user.slice/user-1000.slice/session-5.scope"));
        assert!(is_of_session(session.trim_end()));
        let manager = "/user.slice/user-1000.slice/user@1000.service/app.slice/run-r1.scope";
        assert_eq!(login_scope(&format!("0::{manager}\n")).as_deref(), Some(manager));
        assert!(!is_of_session(manager));
        assert_eq!(login_scope("0::/system.slice/cron.service\n"), None);
        assert_eq!(login_scope(""), None);
    }
}
