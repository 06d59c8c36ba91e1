//! One supervisor for each user id, whatever the environment says; and folders of others in its place.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::common::env::{AUTHDECK, Home};
use super::common::{peer, process};

/// A user of the test's own, who has no entry in the password file and a private home.
struct User {
    id: u32,
    home: Home,
}

impl User {
    /// `number` sets the tests of one run apart.
    fn new(number: u32) -> Self {
        let id = 200_000 + std::process::id() % 100_000 * 10 + number;
        let home = Home::new();
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o711)).unwrap();
        for folder in ["home", "run", "work"] {
            chown(home.path().join(folder), Some(id), Some(id)).unwrap();
        }
        let program = home.path().join("authdeck");
        // The build's own folder may be closed to other users.
        fs::hard_link(AUTHDECK, &program).or_else(|_| fs::copy(AUTHDECK, &program).map(drop)).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let user = Self { id, home };
        assert!(!user.place().exists(), "left behind by another test: {}", user.place().display());
        user
    }

    /// Where this user's supervisor belongs.
    fn place(&self) -> PathBuf {
        PathBuf::from(format!("/tmp/authdeck-{}", self.id))
    }

    fn command(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Command {
        let mut command = Command::new("setpriv");
        let (user, group) = (format!("--reuid={}", self.id), format!("--regid={}", self.id));
        command.args([&user, &group, "--clear-groups", "--inh-caps=-all", "--"]);
        command.arg(self.home.path().join("authdeck")).args(arguments).current_dir("/");
        command.env_clear().env("PATH", "/usr/bin:/bin").envs(variables.iter().copied());
        command
    }

    /// Runs authdeck with exactly these variables.
    fn run(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Output {
        self.command(variables, arguments).output().unwrap()
    }

    fn supervisors(&self) -> Vec<u32> {
        let all = fs::read_dir("/proc").unwrap().flatten();
        all.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .filter(|id| process::is_alive(*id) && self.is_supervisor(*id))
            .collect()
    }

    fn is_supervisor(&self, id: u32) -> bool {
        let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
        let own = status.lines().any(|line| line.starts_with(&format!("Uid:\t{}\t", self.id)));
        own && fs::read(format!("/proc/{id}/cmdline"))
            .is_ok_and(|text| text.windows(7).any(|w| w == b"\0serve\0"))
    }
}

impl Drop for User {
    fn drop(&mut self) {
        for id in self.supervisors() {
            process::signal(id, "KILL");
        }
        let _it_may_not_be_there = fs::remove_dir_all(self.place());
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn said(output: &Output) -> String {
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

#[test]
fn every_way_to_log_in_reaches_one_supervisor() {
    if !peer::has("every_way_to_log_in_reaches_one_supervisor", &["root", "setpriv"]) {
        return;
    }
    let user = User::new(1);
    let home = user.home.home();
    let home = home.to_str().unwrap();
    let run = user.home.runtime();
    let desktop = [("HOME", home), ("XDG_RUNTIME_DIR", run.to_str().unwrap())];
    let started = user.run(&desktop, &["serve"]);
    assert!(said(&started).contains(&format!("{}/supervisor.sock", user.place().display())));
    let warning = text(&started.stderr);
    assert!(warning.contains("XDG_RUNTIME_DIR") && warning.contains("AUTHDECK_RUNTIME_DIR"), "{warning}");

    let cron = user.run(&[("HOME", home)], &["serve"]);
    assert!(said(&cron).contains("runs already"), "{}", text(&cron.stdout));
    assert!(cron.stderr.is_empty(), "{}", text(&cron.stderr));
    let elsewhere = [("HOME", "/"), ("XDG_RUNTIME_DIR", "/nonexistent")];
    assert!(said(&user.run(&elsewhere, &["serve"])).contains("runs already"));
    assert_eq!(user.supervisors().len(), 1);
}

#[test]
fn a_supervisor_in_an_older_place_is_found_and_no_second_one_is_started() {
    if !peer::has("a_supervisor_in_an_older_place_is_found", &["root", "setpriv"]) {
        return;
    }
    let user = User::new(2);
    let (home, run) = (user.home.home(), user.home.runtime());
    let (home, older) = (home.to_str().unwrap(), run.join("authdeck"));
    let named = [("HOME", home), ("AUTHDECK_RUNTIME_DIR", older.to_str().unwrap())];
    said(&user.run(&named, &["serve"]));
    let plain = [("HOME", home), ("XDG_RUNTIME_DIR", run.to_str().unwrap())];
    assert!(said(&user.run(&plain, &["serve"])).contains("runs already"));
    // One that holds the older place and does not answer now is no reason for a second one either.
    fs::rename(older.join("supervisor.sock"), older.join("hidden")).unwrap();
    let refused = user.run(&plain, &["serve", "--foreground"]);
    assert!(!refused.status.success());
    assert!(text(&refused.stderr).contains("another authdeck serves"), "{}", text(&refused.stderr));
    assert_eq!(user.supervisors().len(), 1);
}

#[test]
fn a_folder_that_somebody_else_made_in_the_place_is_not_used() {
    if !peer::has("a_folder_that_somebody_else_made_in_the_place_is_not_used", &["root", "setpriv"]) {
        return;
    }
    let user = User::new(3);
    let home = user.home.home();
    let refuses = |what: &str| {
        let refused = user.run(&[("HOME", home.to_str().unwrap())], &["serve"]);
        assert!(!refused.status.success(), "it serves from {what}");
        let why = text(&refused.stderr);
        assert!(why.contains(user.place().to_str().unwrap()) && why.contains("not safe"), "{what}: {why}");
        assert!(why.contains("AUTHDECK_RUNTIME_DIR") || why.contains("remove it"), "{what}: {why}");
    };
    let of_root = |path: &Path, mode: u32| {
        fs::create_dir(path).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    of_root(&user.place(), 0o777);
    refuses("another user's folder");
    assert_eq!(fs::read_dir(user.place()).unwrap().count(), 0, "something was put into it");
    fs::remove_dir(user.place()).unwrap();

    let trap = user.home.path().join("trap");
    of_root(&trap, 0o777);
    std::os::unix::fs::symlink(&trap, user.place()).unwrap();
    refuses("another user's link");
    assert_eq!(fs::read_dir(&trap).unwrap().count(), 0, "something was put behind it");
    fs::remove_file(user.place()).unwrap();

    fs::write(user.place(), "").unwrap();
    refuses("another user's file");
    fs::remove_file(user.place()).unwrap();
}
