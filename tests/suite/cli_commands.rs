//! The command line from outside: what is printed, to whom, and the exit codes that scripts rely on.

use std::process::{Command, Output, Stdio};

use super::common::env::Home;

fn run(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).output().unwrap()
}

fn errors(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Runs it and makes sure that it failed with this exit code and printed nothing to standard output.
fn fails(command: &mut Command, code: i32) -> String {
    let output = run(command);
    let errors = errors(&output);
    assert_eq!(output.status.code(), Some(code), "{errors}");
    assert!(output.stdout.is_empty(), "{:?}", String::from_utf8_lossy(&output.stdout));
    errors
}

#[test]
fn without_a_terminal_the_deck_says_so() {
    let home = Home::new();
    let errors = fails(&mut home.authdeck([]), 4);
    assert!(errors.starts_with("Error: the deck needs a terminal"), "{errors}");
    assert!(errors.contains("Hint: "), "{errors}");
}

#[test]
fn an_unknown_provider_is_refused_before_anything_is_drawn() {
    let home = Home::new();
    let errors = fails(&mut home.authdeck(["login", "cluade"]), 2);
    assert!(errors.contains("there is no provider `cluade`"), "{errors}");
    assert!(errors.contains("did you mean `claude`?"), "{errors}");
}

#[test]
fn a_wrong_command_line_is_code_2() {
    let home = Home::new();
    for line in [&["frobnicate"][..], &["login"], &["run"], &["--nope"]] {
        fails(&mut home.authdeck(line.iter().copied()), 2);
    }
}

#[test]
fn askpass_without_a_supervisor_prints_nothing_and_fails() {
    let home = Home::new();
    let errors = fails(&mut home.authdeck(["askpass", "Password: "]), 4);
    assert!(errors.contains("there is no authdeck to ask in"), "{errors}");
    assert!(errors.contains("open `authdeck` in another terminal"), "{errors}");
}

#[test]
fn askpass_knows_its_link_and_takes_any_prompt() {
    let home = Home::new();
    let link = home.work().join("authdeck-askpass");
    std::os::unix::fs::symlink(super::common::env::AUTHDECK, &link).unwrap();
    let errors = fails(home.command(&link).arg("--help"), 4);
    assert!(errors.contains("there is no authdeck to ask in"), "{errors}");
}

#[test]
fn askpass_refuses_an_address_that_it_does_not_know() {
    let home = Home::new().with("AUTHDECK_URL", "https://example.com/");
    let errors = fails(&mut home.authdeck(["askpass", "Password: "]), 2);
    assert!(errors.contains("AUTHDECK_URL is `https://example.com/`"), "{errors}");
}

#[test]
fn providers_are_listed_for_people_and_for_scripts() {
    let home = Home::new().with("PATH", "/nonexistent");
    home.write_script("bin/gh", "#!/bin/sh\n");
    let home = home.with("PATH", "/nonexistent");
    let with_gh = format!("{}:/nonexistent", home.path().join("bin").display());
    let output = run(home.authdeck(["providers", "--json"]).env("PATH", with_gh));
    let listed: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&listed[0]["providerId"], &listed[0]["installed"]), (&"gh".into(), &true.into()));
    assert!(listed[1..].iter().all(|provider| provider["installed"] == false));

    let table = String::from_utf8(run(&mut home.authdeck(["providers"])).stdout).unwrap();
    assert!(table.lines().any(|line| line.starts_with("codex ") && line.contains("npm install")), "{table}");
}

#[test]
fn a_mistake_in_a_provider_file_is_a_warning_and_the_rest_is_listed() {
    let home = Home::new();
    home.write_file("home/.config/authdeck/providers/mine.toml", "id = \"mine\"\ntitle = 3\n");
    let output = run(&mut home.authdeck(["providers"]));
    assert_eq!(output.status.code(), Some(0));
    let errors = errors(&output);
    assert!(errors.starts_with("Warning: ") && errors.contains("mine.toml, line 2"), "{errors}");
    assert!(String::from_utf8(output.stdout).unwrap().contains("codex"));
}

#[test]
fn the_doctor_says_what_to_mend_and_ends_by_it() {
    let home = Home::new();
    let doctor = |home: &Home| {
        let output = home.authdeck(["doctor", "--json"]).output().unwrap();
        let findings: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        (output.status.code(), findings)
    };
    let of = |findings: &serde_json::Value, about: &str| {
        let all = findings.as_array().unwrap();
        all.iter().find(|finding| finding["about"] == about).unwrap_or_else(|| panic!("{findings:#}")).clone()
    };
    let (_, findings) = doctor(&home);
    assert_eq!(of(&findings, "settings")["health"], "good");
    assert_eq!(of(&findings, "supervisor")["text"], "none runs; the first login starts one");

    home.write_config("[limits]\nsession_seconds = \"long\"\n");
    let (code, findings) = doctor(&home);
    assert_eq!(code, Some(1));
    let settings = of(&findings, "settings");
    assert_eq!((&settings["health"], settings["fix"].is_string()), (&"bad".into(), true), "{settings}");
}
