//! `authdeck detect` as people and scripts call it.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

fn authdeck(arguments: &[&str], input: &[u8]) -> Output {
    let home = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_authdeck"))
        .arg("detect")
        .args(arguments)
        .env("HOME", home.path())
        .env_remove("XDG_CONFIG_HOME")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn the_json_form_is_the_documented_one() {
    let input =
        b"! First copy your one-time code: WDJB-MJHT\nOpen this URL to continue in your web browser: \
                  https://github.com/login/device\n";
    let output = authdeck(&["-", "--provider", "gh", "--columns", "60", "--json"], input);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        report,
        json!({
            "provider": "gh",
            "columns": 60,
            "findings": [
                { "kind": "device-code", "text": "WDJB-MJHT", "source": "screen" },
                {
                    "kind": "verification-url",
                    "text": "https://github.com/login/device",
                    "host": "github.com",
                    "verdict": "expected",
                    "source": "screen",
                },
            ],
            "status": {
                "status": "code-emitted",
                "deviceCode": "WDJB-MJHT",
                "verificationUrl": "https://github.com/login/device",
            },
        })
    );
}

#[test]
fn a_recording_names_its_provider_and_its_width() {
    let cast = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/casts/gh-login-60.cast");
    let report = |arguments: &[&str]| -> Value {
        let mut all = vec![cast.to_str().unwrap(), "--json"];
        all.extend(arguments);
        serde_json::from_slice(&authdeck(&all, b"").stdout).unwrap()
    };
    let named = report(&[]);
    assert_eq!((&named["provider"], &named["columns"]), (&json!("gh"), &json!(60)));
    // The CLI shows no URL, so the provider's own default is used.
    assert_eq!(named["status"]["verificationUrl"], "https://github.com/login/device");
    let generic = report(&["--provider", "generic"]);
    assert_eq!(generic["provider"], Value::Null);
    assert_eq!(generic["status"]["deviceCode"], "WDJB-MJHT");
}

#[test]
fn nothing_found_is_said_and_is_no_error() {
    let output = authdeck(&["-"], b"Compiling widgets v0.4.2\n");
    assert!(output.status.success());
    assert!(text(&output.stdout).contains("nothing about a login was found"), "{}", text(&output.stdout));
}

#[test]
fn what_cannot_be_read_is_said_with_what_to_do() {
    for (arguments, code, said) in [
        (&["-", "--provider", "claud"][..], 2, "did you mean claude"),
        (&["/nonexistent/file.cast"], 3, "cannot be read"),
    ] {
        let output = authdeck(arguments, b"");
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
        assert!(text(&output.stderr).contains(said), "{}", text(&output.stderr));
    }
    let broken = authdeck(
        &["-"],
        b"{\"version\": 2, \"width\": 80, \"height\": 24}\n[0.1, \"o\"\n[0.2, \"o\", \"x\"]\n",
    );
    assert_eq!(broken.status.code(), Some(3));
    assert!(text(&broken.stderr).contains("line 2"), "{}", text(&broken.stderr));
}
