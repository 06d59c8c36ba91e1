//! Without the deck: a script or an agent starts a login in one call and finishes it in another.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use serde_json::Value;

use super::common::env::{AUTHDECK, Home};
use super::common::peer;
use super::common::process;
use super::common::tmux::{Terminal, Tmux};
use super::common::vendor::{Mode, Vendor};
use super::common::wait::GENEROUS;
use super::common::wait::wait_for;

/// Somebody who calls authdeck again and again, in a network namespace if there is a prefix.
struct Caller {
    home: Home,
    prefix: Vec<String>,
}

/// What one call came to.
struct Called {
    code: Option<i32>,
    output: String,
    errors: String,
}

impl Called {
    fn json(&self) -> Value {
        serde_json::from_str(&self.output).unwrap_or_else(|_| panic!("{} {}", self.output, self.errors))
    }

    /// Makes sure of the exit code.
    fn ends_with(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{} {}", self.output, self.errors);
        self
    }
}

impl Caller {
    /// One who finds authdeck on the PATH, as its demo provider must.
    fn new(prefix: Vec<String>) -> Self {
        let folder = std::path::Path::new(AUTHDECK).parent().unwrap().display().to_string();
        let home = Home::new();
        let path = home.variables().iter().find(|(name, _)| name == "PATH").unwrap().1.clone();
        let demo = home.work().display().to_string();
        Self { home: home.with("PATH", format!("{folder}:{path}")).with("DEMO_CONFIG_HOME", demo), prefix }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let words: Vec<&str> = self.prefix.iter().map(String::as_str).chain([AUTHDECK]).collect();
        let mut command = self.home.command(words[0]);
        command.args(&words[1..]).args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn call_with(&self, input: &str, arguments: &[&str]) -> Called {
        let mut process = self.command(arguments).stdin(Stdio::piped()).spawn().unwrap();
        // One that reads nothing may have ended already.
        let _ = process.stdin.take().unwrap().write_all(input.as_bytes());
        let output = process.wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Called { code: output.status.code(), output: text(output.stdout), errors: text(output.stderr) }
    }

    fn call(&self, arguments: &[&str]) -> Called {
        self.call_with("", arguments)
    }
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}"))
}

#[test]
fn a_detached_start_returns_where_nothing_is_found_and_says_what_the_screen_says() {
    let home = Home::new();
    let script = "echo one; echo still asking the server; exec sleep 1000";
    let output = home.authdeck(["run", "--detach", "--", "sh", "-c", script]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("Its screen says last: still asking the server"), "{said}");
    assert!(said.contains("authdeck wait --detach auth-"), "{said}");
}

#[test]
fn a_login_is_started_in_one_call_and_finished_in_another() {
    let caller = Caller::new(Vec::new());
    let started = caller.call(&["login", "demo-loopback", "--detach", "--json"]).ends_with(0).json();
    let id = text(&started, "sessionId");
    assert_eq!(text(&started, "waiting"), "open-url-then-paste");

    let polled = caller.call(&["poll", id, "--json"]).ends_with(0).json();
    let expected = serde_json::json!({
        "providerId": "demo-loopback", "status": "url-available", "authUrl": started["authUrl"]
    });
    assert_eq!(polled, expected);
    let spoken = caller.call(&["poll", id]).ends_with(0).output;
    assert!(spoken.starts_with("status: url-available\nauthUrl: https://"), "{spoken}");

    let refused = caller.call(&["submit", id, "http://127.0.0.1:1/other?code=1&state=2"]).ends_with(5);
    assert!(refused.errors.contains("Nothing was sent"), "{}", refused.errors);
    caller.call_with("demo-code-1234\n", &["submit", id, "-"]).ends_with(0);
    let ended = caller.call(&["wait", id, "--json", "--timeout", "60"]).ends_with(0).json();
    assert_eq!((text(&ended, "status"), text(&ended, "email")), ("success", "demo@example.com"));

    let listed = caller.call(&["sessions", "--json"]).json();
    assert_eq!(listed["sessions"][0]["sessionId"], id);
    let transcript = caller.call(&["transcript", id]).ends_with(0).output;
    assert!(transcript.contains("Successfully logged in") && !transcript.contains("demo-code-1234"));
    caller.call(&["submit", id, "demo-code-1234"]).ends_with(1);
}

#[test]
fn codex_is_started_in_one_call_and_finished_in_another() {
    let needs = [&["codex"][..], &Vendor::NEEDS].concat();
    if !peer::has("codex_is_started_in_one_call_and_finished_in_another", &needs) {
        return;
    }
    let vendor = Vendor::up("sx");
    let caller = Caller::new(vendor.prefix());
    let started = caller.call(&["login", "codex", "--detach", "--json"]).ends_with(0).json();
    let id = text(&started, "sessionId");
    // The person opens the URL somewhere, and tells where the browser ended.
    let callback = vendor.callback(text(&started, "authUrl"), &[]);
    let submitted = caller.call_with(&callback, &["submit", id, "--json"]).ends_with(0).json();
    assert_eq!((&submitted["delivered"], text(&submitted, "destination")), (&true.into(), "loopback"));
    caller.call(&["wait", id, "--timeout", "60"]).ends_with(0);
    assert_eq!(text(&caller.call(&["poll", id, "--json"]).json(), "status"), "success");
}

#[test]
fn gh_is_answered_and_finished_call_by_call() {
    let needs = [&["gh"][..], &Vendor::NEEDS].concat();
    if !peer::has("gh_is_answered_and_finished_call_by_call", &needs) {
        return;
    }
    let vendor = Vendor::up("sg");
    let caller = Caller::new(vendor.prefix());
    let started = caller.call(&["login", "gh", "--detach", "--json"]).ends_with(0).json();
    let id = text(&started, "sessionId");
    assert_eq!(text(&started, "waiting"), "prompt", "{started}");
    assert!(text(&started, "prompt").contains("Authenticate Git"), "{started}");
    caller.call(&["type", id, "n"]).ends_with(0);
    wait_for("the device code", GENEROUS, || {
        let polled = caller.call(&["poll", id, "--json"]).json();
        if text(&polled, "status") == "code-emitted" { Ok(()) } else { Err(polled.to_string()) }
    });
    let polled = caller.call(&["poll", id, "--json"]).json();
    assert_eq!(text(&polled, "deviceCode"), "WDJB-MJHT");
    assert_eq!(text(&polled, "verificationUrl"), "https://github.com/login/device");
    caller.call(&["type", id]).ends_with(0);
    vendor.mode(Mode::Success);
    caller.call(&["wait", id, "--timeout", "60"]).ends_with(0);
    assert_eq!(text(&caller.call(&["poll", id, "--json"]).json(), "email"), "octocat");
}

#[test]
fn a_login_is_told_line_by_line_and_takes_what_is_piped_in() {
    let caller = Caller::new(Vec::new());
    let mut process =
        caller.command(&["login", "demo-loopback", "--plain"]).stdin(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map(Result::unwrap);
    let until = |lines: &mut dyn Iterator<Item = String>, wanted: &str| {
        let before: Vec<String> = lines.take_while(|line| !line.starts_with(wanted)).collect();
        before.join("\n")
    };
    assert!(lines.next().unwrap().starts_with("Session: auth-"));
    until(&mut lines, "URL: https://demo.authdeck.example/authorize?");
    until(&mut lines, "Waiting for you: open the URL, then paste the code it shows.");
    let mut input = process.stdin.take().unwrap();
    input.write_all(b"not a code\n").unwrap();
    until(&mut lines, "Error: Nothing was sent:");
    input.write_all(b"demo-code-1234\n").unwrap();
    until(&mut lines, "Logged in as demo@example.com.");
    assert_eq!(process.wait().unwrap().code(), Some(0));
}

#[test]
fn the_events_are_one_json_object_a_line() {
    let caller = Caller::new(Vec::new());
    let called = caller.call_with("\n", &["login", "demo-device", "--json"]).ends_with(0);
    let lines: Vec<Value> = called.output.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines[0]["sessionId"].is_string() && lines[0]["authUrl"].is_null(), "{}", lines[0]);
    let is_changed = |line: &&Value| line["type"] == "session-changed";
    let statuses: Vec<&str> =
        lines.iter().filter(is_changed).map(|line| text(&line["session"], "status")).collect();
    assert_eq!(statuses.first(), Some(&"pending"));
    assert!(statuses.contains(&"code-emitted"), "{statuses:?}");
    assert_eq!(statuses.last(), Some(&"success"));
}

#[test]
fn ctrl_c_ends_the_attempt_and_any_other_end_of_the_follower_does_not() {
    let caller = Caller::new(Vec::new());
    let follow = || {
        let arguments = ["run", "--plain", "--", "sh", "-c", "echo ready; read line"];
        let mut process = caller.command(&arguments).stdin(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        (process, output, line.trim_start_matches("Session: ").trim().to_owned())
    };
    let status = |id: &str| text(&caller.call(&["poll", id, "--json"]).json(), "status").to_owned();

    let (mut process, _output, id) = follow();
    process::signal(process.id(), "HUP");
    assert_eq!(process.wait().unwrap().code(), None);
    assert_eq!(status(&id), "pending");
    caller.call(&["wait", &id, "--timeout", "1"]).ends_with(6);
    caller.call(&["kill", &id, "--force"]).ends_with(0);

    let (mut process, _output, id) = follow();
    process::signal(process.id(), "INT");
    assert_eq!(process.wait().unwrap().code(), Some(1));
    assert_eq!(status(&id), "failed");
    caller.call(&["cancel", &id]).ends_with(1);
    caller.call(&["wait", &id]).ends_with(1);
}

#[test]
fn what_is_not_there_is_told_by_the_exit_code() {
    let caller = Caller::new(Vec::new());
    assert_eq!(caller.call(&["poll", "auth-none", "--json"]).ends_with(2).json(), Value::Null);
    let commands = ["poll", "wait", "transcript", "cancel", "kill", "type", "submit", "answer", "deny"];
    for command in commands {
        let called = caller.call(&[command, "none"]).ends_with(2);
        assert!(called.output.is_empty(), "{command}: {}", called.output);
        let noun = if ["answer", "deny"].contains(&command) { "challenge" } else { "session" };
        assert!(called.errors.starts_with(&format!("Error: there is no {noun} none")), "{}", called.errors);
    }
    assert_eq!(caller.call(&["cancel", "none", "--json"]).ends_with(2).json(), Value::Bool(false));
    caller.call(&["login", "no-such-provider", "--plain"]).ends_with(2);
    caller.call(&["run", "--plain", "--", "no-such-command"]).ends_with(2);
}

#[test]
fn a_challenge_is_answered_from_standard_input_or_refused() {
    let caller = Caller::new(Vec::new());
    let script = "\"$SSH_ASKPASS\" 'Enter passphrase for key: ' >got; echo $? >status; read line";
    let start = || {
        let process = caller
            .command(&["run", "--json", "--", "sh", "-c", script])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let challenge = wait_for("the challenge", GENEROUS, || {
            let listed = caller.call(&["challenges", "--json"]).json();
            listed["challenges"].get(0).cloned().ok_or_else(|| listed.to_string())
        });
        (process, challenge)
    };
    let status = || {
        let file = caller.home.work().join("status");
        wait_for("askpass has ended", GENEROUS, || {
            let text = std::fs::read_to_string(&file).unwrap_or_default();
            if text.ends_with('\n') { Ok(text.trim().to_owned()) } else { Err(text) }
        })
    };

    let (mut process, challenge) = start();
    assert_eq!(text(&challenge, "kind"), "secret");
    let spoken = caller.call(&["challenges"]).output;
    assert!(spoken.contains("asks: “Enter passphrase for key:”"), "{spoken}");
    caller.call_with("hunter 2\n", &["answer", text(&challenge, "challengeId")]).ends_with(0);
    assert_eq!(status(), "0");
    assert_eq!(std::fs::read_to_string(caller.home.work().join("got")).unwrap(), "hunter 2\n");
    process.kill().unwrap();
    process.wait().unwrap();

    std::fs::remove_file(caller.home.work().join("status")).unwrap();
    let (mut process, challenge) = start();
    caller.call(&["deny", text(&challenge, "challengeId")]).ends_with(0);
    assert_ne!(status(), "0");
    let gone = caller.call(&["deny", text(&challenge, "challengeId")]).ends_with(2);
    assert!(gone.errors.contains("answered or given up already"), "{}", gone.errors);
    process.kill().unwrap();
    process.wait().unwrap();
}

#[test]
fn who_only_reads_starts_no_supervisor() {
    let caller = Caller::new(Vec::new());
    assert!(caller.call(&["sessions"]).ends_with(0).output.starts_with("No sessions."));
    assert_eq!(caller.call(&["sessions", "--json"]).json(), serde_json::json!({ "sessions": [] }));
    assert!(caller.call(&["challenges"]).ends_with(0).output.starts_with("No challenges"));
    for command in ["poll", "wait", "transcript", "answer", "deny"] {
        caller.call(&[command, "last"]).ends_with(2);
    }
    assert_eq!(caller.call(&["stop"]).ends_with(0).output, "No supervisor runs.\n");
}

#[test]
fn a_session_is_named_as_people_do() {
    let caller = Caller::new(Vec::new());
    let run = |name: &str| {
        let arguments = ["login", "demo-loopback", "--detach", "--json", "--name", name];
        text(&caller.call(&arguments).ends_with(0).json(), "sessionId").to_owned()
    };
    let (first, second) = (run("first"), run("second"));
    let url_of = |named: &str| {
        text(&caller.call(&["poll", named, "--json"]).ends_with(0).json(), "authUrl").to_owned()
    };
    assert_ne!(url_of(&first), url_of(&second));
    for named in ["first", &first, &first[..30], &first["auth-".len()..20]] {
        assert_eq!(url_of(named), url_of(&first), "{named}");
    }
    assert_eq!(url_of("last"), url_of(&second));
    let several = caller.call(&["poll", "demo-loopback"]).ends_with(2).errors;
    assert!(several.contains(&first) && several.contains(&second), "{several}");

    let table = caller.call(&["sessions"]).ends_with(0).output;
    let mut lines = table.lines();
    assert!(lines.next().unwrap().starts_with("id "), "{table}");
    let row = lines.next().unwrap();
    let (short, rest) = row.split_once(' ').unwrap();
    assert!(rest.contains("first") && rest.contains("demo-loopback"), "{table}");
    assert_eq!(url_of(short), url_of(&first), "{table}");

    caller.call(&["kill", "first"]).ends_with(0);
    caller.call(&["wait", "first"]).ends_with(1);
    assert_eq!(url_of("demo-loopback"), url_of(&second), "of two the live one is meant");
    caller.call(&["stop", "--all", "--yes"]).ends_with(0);
    caller.call(&["wait", "second"]).ends_with(1);
}

/// The supervisor may be replaced while somebody waits: the wait goes on with the next one.
#[test]
fn a_wait_survives_the_supervisors_death() {
    let caller = Caller::new(Vec::new());
    let started = caller.call(&["login", "demo-loopback", "--detach", "--json"]).ends_with(0).json();
    let id = text(&started, "sessionId");
    let waiting = caller.command(&["wait", id, "--json"]).stdin(Stdio::null()).spawn().unwrap();
    caller.home.kill_supervisor();
    caller.call(&["submit", id, "demo-code-1234"]).ends_with(0);
    let output = waiting.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let ended: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(text(&ended, "email"), "demo@example.com");
}

#[test]
fn an_answer_that_is_typed_at_a_terminal_is_not_shown() {
    if !peer::has("an_answer_that_is_typed_at_a_terminal_is_not_shown", &["tmux"]) {
        return;
    }
    let caller = Caller::new(Vec::new());
    let script = "\"$SSH_ASKPASS\" 'Enter passphrase for key: ' >got; read line";
    let arguments = ["run", "--json", "--", "sh", "-c", script];
    let mut process = caller.command(&arguments).stdin(Stdio::piped()).spawn().unwrap();
    let challenge = wait_for("the challenge", GENEROUS, || {
        let listed = caller.call(&["challenges", "--json"]).json();
        listed["challenges"].get(0).cloned().ok_or_else(|| listed.to_string())
    });
    let id = text(&challenge, "challengeId").to_owned();
    let terminal = Tmux::start(&caller.home, &Terminal::default(), &[AUTHDECK, "answer", &id]);
    terminal.wait_text("Answer (not shown):");
    terminal.type_text("hunter2");
    terminal.press(&["Enter"]);
    let got = caller.home.work().join("got");
    wait_for("the answer arrives", GENEROUS, || {
        let text = std::fs::read_to_string(&got).unwrap_or_default();
        if text == "hunter2\n" { Ok(()) } else { Err(format!("{text:?}\n{}", terminal.screen())) }
    });
    assert!(!terminal.screen().contains("hunter2"), "{}", terminal.screen());
    process.kill().unwrap();
    process.wait().unwrap();
}
