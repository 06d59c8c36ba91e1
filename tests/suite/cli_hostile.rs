//! What others wrote acts on no terminal: hostile text goes through every command, as a name, an argument, a title in
//! a file, a child's output, a requester's words.

use std::process::{Output, Stdio};

use super::common::env::Home;

/// What somebody might write who wants more than to be read.
const HOSTILE: &[&str] = &[
    "\u{1b}]52;c;aWQ=\u{7}",
    "\u{1b}]0;title\u{7}\u{1b}[2J\u{1b}[H",
    "\u{1b}]8;;https://evil.example\u{1b}\\github.com\u{1b}]8;;\u{1b}\\",
    "\u{9b}2J\u{9d}52;c;aWQ=\u{9c}",
    "\u{1b}P$q\"p\u{1b}\\\u{1b}_x\u{1b}\\\u{1b}^y\u{1b}\\",
    "\u{1b}c\u{1b}[6n\u{1b}[21t\u{5}",
    "moc.buhtig\u{202e}",
    "git\u{200b}hub\u{2066}.com\u{feff}\u{e0041}\u{ad}\u{61c}",
    "x\rError: no\u{8}\u{8}\u{b}\u{c}",
    "x\nHint: run evil; y",
    "\u{7f}\u{84}\u{85}\u{90}\u{98}",
];

fn run(home: &Home, arguments: &[&str]) -> Output {
    home.authdeck(arguments.iter().copied()).stdin(Stdio::null()).output().unwrap()
}

/// Makes sure that nothing printed does anything to a terminal but go to a new line.
fn assert_clean(what: &str, output: &Output) -> String {
    let mut all = String::new();
    for bytes in [&output.stdout, &output.stderr] {
        let text = String::from_utf8(bytes.clone()).unwrap();
        let acts = |character: char| {
            character.is_control() && character != '\n'
                || matches!(character, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
                || matches!(character, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}')
        };
        assert!(!text.contains(acts), "{what}: {text:?}");
        all.push_str(&text);
    }
    all
}

#[test]
fn arguments_that_are_echoed_do_nothing_to_a_terminal() {
    let home = Home::new();
    for &text in HOSTILE {
        for arguments in [
            &[text][..],
            &["login", text, "--plain"],
            &["detect", text],
            &["detect", "/dev/null", "--provider", text],
            &["ssh", text, "--ssh", text],
            &["serve", "--listen", text],
            &["poll", text],
            &["answer", text],
            &["run", "--plain", "--", text],
        ] {
            let said = assert_clean(&format!("{arguments:?}"), &run(&home, arguments));
            assert!(!said.is_empty(), "{arguments:?} said nothing");
            assert!(!said.lines().any(|line| line.starts_with("Hint: run evil")), "{said}");
        }
    }
}

#[test]
fn files_of_the_person_do_nothing_to_a_terminal() {
    let home = Home::new();
    for (number, text) in HOSTILE.iter().enumerate() {
        let quoted = serde_json::to_string(text).unwrap();
        let name = format!("home/.config/authdeck/providers/p{number}.toml");
        let description = format!(
            "id = \"p{number}\"\ntitle = {quoted}\ncommand = [\"no-such-{number}\"]\ninstall_hint = {quoted}\nanswers = [\"polls\"]\nexpected_hosts = [\"example.com\"]\n"
        );
        // TOML takes no control character but as an escape.
        home.write_file(&name, &description.replace('\u{7f}', "\\u007f"));
        home.write_file(
            &format!("home/.config/authdeck/providers/wrong{number}.toml"),
            &format!("x = {text}"),
        );
    }
    let listed = assert_clean("providers", &run(&home, &["providers"]));
    assert!(listed.contains("moc.buhtig<U+202E>"), "{listed}");
    assert_eq!(listed.matches("Warning: ").count(), HOSTILE.len(), "{listed}");
    let json = run(&home, &["providers", "--json"]);
    assert!(json.stdout.is_ascii());
    assert_clean("providers --json", &json);
}

#[test]
fn what_a_session_says_does_nothing_to_a_terminal() {
    let home = Home::new();
    for &text in HOSTILE {
        let script = format!("printf '%s\\n' \"$1\"; echo 'Error: {}' >&2; exit 1", text.replace('\'', ""));
        let words = ["run", "--plain", "--name", text, "--", "sh", "-c", script.as_str(), "x", text];
        let said = assert_clean("run --plain", &run(&home, &words));
        let id = said.lines().find_map(|line| line.strip_prefix("Session: ")).expect("a session").to_owned();
        let mut json = words;
        json[1] = "--json";
        for arguments in [
            &json[..],
            &["poll", &id],
            &["poll", &id, "--json"],
            &["wait", &id],
            &["wait", &id, "--json"],
            &["transcript", &id],
            &["transcript", &id, "--json"],
        ] {
            let output = run(&home, arguments);
            assert_clean(&format!("{arguments:?}"), &output);
            assert!(!arguments.contains(&"--json") || output.stdout.is_ascii(), "{arguments:?}");
        }
    }
    let listed = assert_clean("sessions", &run(&home, &["sessions"]));
    assert_eq!(listed.lines().count(), 1 + 2 * HOSTILE.len(), "{listed}");
    assert_clean("sessions --json", &run(&home, &["sessions", "--json"]));
}

#[test]
fn odd_files_among_the_persons_own_are_named_and_harm_nothing() {
    let home = Home::new();
    let script = "cd \"$HOME/.config/authdeck/providers\" && mkfifo pipe.toml && ln -s /dev/zero zero.toml && \
                  head -c 1048577 /dev/zero | tr '\\0' '#' >large.toml";
    home.write_file("home/.config/authdeck/providers/own.txt", "");
    assert!(home.command("sh").args(["-c", script]).status().unwrap().success());
    let output = run(&home, &["providers"]);
    assert!(output.status.success());
    let errors = String::from_utf8(output.stderr).unwrap();
    for (name, reason) in [
        ("pipe.toml", "not a regular file"),
        ("zero.toml", "not a regular file"),
        ("large.toml", "more than 1048576"),
    ] {
        assert!(errors.lines().any(|line| line.contains(name) && line.contains(reason)), "{name}: {errors}");
    }
}

#[test]
fn every_command_forbids_core_dumps_and_children_have_their_limit_back() {
    let home = Home::new();
    let authdeck = super::common::env::AUTHDECK;
    let limited = |script: &str| {
        let whole = format!("ulimit -S -c 77 2>/dev/null || ulimit -S -c 0; {script}");
        let output = home.command("bash").args(["-c", &whole]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let given = limited("ulimit -S -c").trim().to_owned();
    // Each reads its standard input, which stays open until its limits were looked at.
    for arguments in ["detect -", "detect - --json"] {
        let script = format!(
            "exec 3> >('{authdeck}' {arguments} >/dev/null 2>&1); child=$!; \
             for try in $(seq 500); do grep -q authdeck /proc/$child/cmdline && \
             grep -q 'core file size *0 ' /proc/$child/limits && break; sleep 0.01; done; \
             grep 'core file size' /proc/$child/limits; exec 3>&-"
        );
        let limits = limited(&script);
        assert!(
            limits.contains("Max core file size") && limits.split_whitespace().nth(4) == Some("0"),
            "{limits}"
        );
    }
    let child =
        limited(&format!("'{authdeck}' run --plain -- bash -c 'echo limit=$(ulimit -S -c)' </dev/null"));
    let id = child.lines().find_map(|line| line.strip_prefix("Session: ")).expect("a session");
    let output = run(&home, &["transcript", id]);
    let transcript = String::from_utf8(output.stdout).unwrap();
    assert!(transcript.contains(&format!("limit={given}")), "given {given}: {transcript}");
}
