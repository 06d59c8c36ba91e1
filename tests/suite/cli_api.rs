//! The API from the command line: a supervisor that listens, a ticket, the schema.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use serde_json::Value;

use super::common::env::{AUTHDECK, Home};
use super::common::peer;

/// `authdeck serve --foreground`, and the address that it said.
struct Serving {
    process: Child,
    address: String,
}

impl Serving {
    fn start(home: &Home) -> Self {
        let mut command = home.authdeck(["serve", "--foreground", "--listen", "127.0.0.1:0"]);
        let errors = std::fs::File::create(home.path().join("errors")).unwrap();
        let mut process = command.stdout(Stdio::piped()).stderr(errors).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.strip_prefix("Listening on ").and_then(|rest| rest.split(". ").next());
        let address = address.unwrap_or_else(|| panic!("no address: {line:?}")).to_owned();
        Self { process, address }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _already_gone = self.process.kill();
        let _reaped = self.process.wait();
    }
}

/// The files below a folder that have a text in them.
fn files_with(folder: &Path, text: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            found.extend(files_with(&entry.path(), text));
        } else if kind.is_file() {
            let bytes = std::fs::read(entry.path()).unwrap();
            if String::from_utf8_lossy(&bytes).contains(text) {
                found.push(entry.path());
            }
        }
    }
    found
}

#[test]
fn a_ticket_from_the_command_line_is_good_for_one_call_by_curl() {
    if !peer::has("a_ticket_from_the_command_line_is_good_for_one_call_by_curl", &["curl"]) {
        return;
    }
    let home = Home::new();
    let serving = Serving::start(&home);
    let printed = home.authdeck(["ticket"]).output().unwrap();
    assert!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
    let ticket = String::from_utf8(printed.stdout).unwrap().trim().to_owned();
    assert_eq!(ticket.len(), 43, "{ticket}");
    let call = || {
        let mut curl = home.command("curl");
        curl.args(["--silent", "--write-out", "%{http_code}", "--oauth2-bearer", &ticket]);
        curl.args(["--data", r#"{"jsonrpc":"2.0","id":1,"method":"session.list"}"#]);
        let output = curl.arg(format!("http://{}/api/rpc", serving.address)).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(call(), r#"{"jsonrpc":"2.0","id":1,"result":{"sessions":[]}}200"#);
    assert!(call().ends_with("401"));
    // In the address too, where a log would have it: nothing of it is in any file, and errors are in one of them.
    let in_address = home.authdeck(["ticket"]).output().unwrap();
    let in_address = String::from_utf8(in_address.stdout).unwrap().trim().to_owned();
    let mut curl = home.command("curl");
    curl.args(["--silent", "--max-time", "1", "--include", "--http1.1"]);
    for header in ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"] {
        curl.args(["--header", header]);
    }
    curl.args(["--header", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]);
    let output = curl.arg(format!("http://{}/api/ws?ticket={in_address}", serving.address)).output().unwrap();
    assert!(output.stdout.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&output.stdout));
    for one in [&ticket, &in_address] {
        let found: Vec<_> = files_with(home.path(), one);
        assert!(found.is_empty(), "{found:?}");
    }

    let of_one = home.authdeck(["ticket", "--provider", "gh", "--json"]).output().unwrap();
    let of_one: Value = serde_json::from_slice(&of_one.stdout).unwrap();
    assert_eq!(of_one["providerId"], "gh");
    assert!(of_one["expiresAt"].is_u64(), "{of_one}");
    let unknown = home.authdeck(["ticket", "--provider", "nope"]).output().unwrap();
    assert_eq!(unknown.status.code(), Some(5), "{}", String::from_utf8_lossy(&unknown.stderr));
}

#[test]
fn the_lines_of_the_readme_work() {
    if !peer::has("the_lines_of_the_readme_work", &["curl"]) {
        return;
    }
    let home = Home::new();
    home.write_script("bin/gh", "#!/bin/sh\nexec cat\n");
    let own = Path::new(AUTHDECK).parent().unwrap();
    let path = format!("{}:{}:/usr/bin:/bin", home.path().join("bin").display(), own.display());
    let home = home.with("PATH", path);
    let serving = Serving::start(&home);
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let text = std::fs::read_to_string(readme).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("curl ")).collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    let answers = lines.iter().map(|line| {
        let place = home.runtime().join("authdeck");
        let line = line.replace("127.0.0.1:8414", &serving.address);
        let line = line.replace("/tmp/authdeck-$(id -u)", &place.to_string_lossy());
        let output = home.command("sh").args(["-c", &line]).output().unwrap();
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
        assert!(answer["result"].is_object(), "{line}: {answer}");
        answer["result"].clone()
    });
    let answers: Vec<Value> = answers.collect();
    assert!(answers[0]["sessionId"].is_string() && answers[1]["epoch"].is_u64(), "{answers:?}");
    assert_eq!(answers[2]["sessions"].as_array().unwrap().len(), 1, "{answers:?}");
}

#[test]
fn what_others_could_reach_is_not_listened_on() {
    let home = Home::new();
    for (arguments, said) in [
        (&["serve", "--listen", "0.0.0.0:8414"][..], "use 127.0.0.1 or [::1]"),
        (&["serve", "--foreground", "--listen", "[::]:8414"], "use 127.0.0.1 or [::1]"),
        (&["serve", "--listen", "127.0.0.1:8414", "--allow-origin", "*"], "no origin of a web page"),
        (&["serve", "--listen", "127.0.0.1:0"], "the port must be named"),
    ] {
        let output = home.authdeck(arguments.iter().copied()).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && text.contains(said), "{arguments:?}: {text}");
    }
    let nobody = home.authdeck(["ticket"]).output().unwrap();
    assert_eq!(nobody.status.code(), Some(4), "{}", String::from_utf8_lossy(&nobody.stderr));
}

#[test]
fn the_schema_is_printed_whole() {
    let home = Home::new();
    let output = home.authdeck(["api", "schema"]).output().unwrap();
    let schema: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(schema, authdeck::protocol::schema::document());
    for method in ["session.start", "challenge.park", "ticket.mint", "events.subscribe"] {
        assert!(schema["methods"][method]["params"].is_object(), "{method}");
    }
}
