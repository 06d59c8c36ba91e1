//! The demo's provider by itself: an ordinary CLI, with real signals, a real listener and a check of its own.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Stdio};

use rustix::process::Signal;

use super::common::env::Home;
use super::common::wait::wait_until;

/// A part being played, with its output line by line.
struct Played {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Played {
    fn start(home: &Home, part: &str) -> Self {
        let mut child = command(home, part).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { child, output }
    }

    /// Reads on until a line has this in it.
    fn line_with(&mut self, text: &str) -> String {
        let mut seen = String::new();
        loop {
            let mut line = String::new();
            assert!(self.output.read_line(&mut line).unwrap() > 0, "no `{text}` in: {seen}");
            if line.contains(text) {
                return line.trim().to_owned();
            }
            seen.push_str(&line);
        }
    }

    fn enter(&mut self, line: &str) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    fn exit_code(mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

fn command(home: &Home, part: &str) -> Command {
    let mut command = home.authdeck(["demo-provider", part]);
    command.env("DEMO_CONFIG_HOME", home.work());
    command
}

fn check(home: &Home) -> (Option<i32>, String) {
    let output = command(home, "check").output().unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

fn get(port: u16, target: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    // In one piece: the listener answers as soon as it has the first line, and closes.
    stream.write_all(format!("GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// The port and the state of the authorize URL that it printed.
fn port_and_state(url: &str) -> (u16, String) {
    let url = url::Url::parse(url).unwrap();
    let value = |name: &str| url.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned();
    assert_eq!(value("code_challenge_method"), "S256");
    assert_eq!(value("code_challenge").len(), 43);
    (url::Url::parse(&value("redirect_uri")).unwrap().port().unwrap(), value("state"))
}

#[test]
fn the_loopback_part_takes_only_its_own_callback() {
    let home = Home::new();
    let mut played = Played::start(&home, "loopback");
    let (port, state) = port_and_state(&played.line_with("https://demo.authdeck.example/authorize?"));
    assert_eq!(check(&home), (Some(1), "Not logged in\n".into()));

    assert!(get(port, "/callback?code=c&state=wrong").starts_with("HTTP/1.1 400 "));
    assert!(get(port, "/favicon.ico").starts_with("HTTP/1.1 404 "));
    let answer = get(port, &format!("/callback?code=c&state={state}"));
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.contains("You are logged in."), "{answer}");

    played.line_with("Successfully logged in as demo@example.com");
    assert_eq!(played.exit_code(), Some(0));
    assert_eq!(check(&home), (Some(0), "Logged in as demo@example.com\n".into()));
}

#[test]
fn the_loopback_part_takes_a_pasted_callback_or_code() {
    for paste in ["demo-code-1234", "callback"] {
        let home = Home::new();
        let mut played = Played::start(&home, "loopback");
        let (port, state) = port_and_state(&played.line_with("https://demo.authdeck.example/authorize?"));
        played.enter("http://127.0.0.1:1/callback?code=c&state=wrong");
        played.line_with("That does not belong to this login.");
        match paste {
            "callback" => played.enter(&format!("http://127.0.0.1:{port}/callback?code=c&state={state}")),
            code => played.enter(code),
        }
        played.line_with("Successfully logged in as demo@example.com");
        assert_eq!(played.exit_code(), Some(0));
    }
}

#[test]
fn a_denied_login_fails() {
    let home = Home::new();
    let mut played = Played::start(&home, "loopback");
    let (port, state) = port_and_state(&played.line_with("https://demo.authdeck.example/authorize?"));
    get(port, &format!("/callback?error=access_denied&state={state}"));
    played.line_with("Error logging in: access_denied");
    assert_eq!(played.exit_code(), Some(1));
    assert_eq!(check(&home).0, Some(1));
}

#[test]
fn the_device_part_is_approved_with_enter() {
    let home = Home::new();
    let mut played = Played::start(&home, "device");
    let line = played.line_with("one-time code: ");
    let code = line.rsplit(' ').next().unwrap();
    assert!(code.len() == 9 && code.as_bytes()[4] == b'-', "{line}");
    played.enter("");
    played.line_with("Successfully logged in as demo@example.com");
    assert_eq!(played.exit_code(), Some(0));
}

#[test]
fn the_hanging_part_ignores_polite_signals_and_is_not_alone() {
    let home = Home::new();
    let mut played = Played::start(&home, "hang");
    played.line_with("Contacting the login server...");
    let shown = || format!("{:?}", home.children());
    wait_until("it has a child of its own", || home.children().len() >= 3, shown);
    let status = std::fs::read_to_string(format!("/proc/{}/status", played.child.id())).unwrap();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap();
    let ignored = u64::from_str_radix(ignored.trim(), 16).unwrap();
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        assert!(ignored & (1 << (signal.as_raw() - 1)) != 0, "{signal:?} is not ignored");
    }
    played.child.kill().unwrap();
    played.child.wait().unwrap();
}
