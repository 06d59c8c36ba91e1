//! The detector on what people reported that it failed on: recordings (`tests/corpus/reports/`), and texts of the same
//! kinds (`tests/corpus/reported.toml`) at many widths and behind the prefixes that loggers and containers put.

use std::fs;
use std::path::{Path, PathBuf};

use authdeck::commands::detect::{Input, Piece, Report, detect};
use authdeck::core::finding::{Finding, FindingKind};
use authdeck::core::screen::Size;
use serde::Deserialize;

/// What must be found, no more.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    /// URLs to open.
    #[serde(default)]
    url: Vec<String>,
    /// URLs that may be found beside them.
    #[serde(default)]
    url_any: Vec<String>,
    #[serde(default)]
    code: Vec<String>,
    /// Codes that must not be found; none but those of `code` may be, but this one is the trap.
    #[serde(default)]
    nocode: Vec<String>,
    /// What the newest prompt takes.
    prompt: Option<String>,
    #[serde(default)]
    carry: Vec<String>,
    #[serde(default)]
    success: bool,
    #[serde(default)]
    failure: bool,
}

#[derive(Deserialize)]
struct Recording {
    #[expect(dead_code, reason = "says what the recording is")]
    situation: String,
    expect: Expect,
}

#[derive(Clone, Deserialize)]
struct Case {
    name: String,
    text: String,
    /// The widths of the terminal.
    #[serde(default)]
    columns: Vec<u16>,
    /// Try it behind the prefixes of loggers too.
    #[serde(default)]
    prefixed: bool,
    #[serde(flatten)]
    expect: Expect,
}

#[derive(Deserialize)]
struct Cases {
    case: Vec<Case>,
}

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus")
}

fn table() -> Vec<Case> {
    toml::from_str::<Cases>(&fs::read_to_string(corpus().join("reported.toml")).unwrap()).unwrap().case
}

fn texts(report: &Report, is: impl Fn(FindingKind) -> bool) -> Vec<&str> {
    let findings = report.findings.iter().filter(|finding| is(finding.kind));
    findings.map(|finding| finding.text.as_str()).collect()
}

fn newest_prompt(report: &Report) -> Option<String> {
    let expects = report.findings.iter().rev().find_map(|finding: &Finding| finding.expects)?;
    Some(serde_json::to_value(expects).unwrap().as_str().unwrap().to_owned())
}

/// Each way in which a report differs from what must be found. A recording says nothing of what it is not about.
fn differences(expect: &Expect, report: &Report, is_whole: bool) -> Vec<String> {
    let mut wrong = Vec::new();
    let urls = texts(report, |kind| matches!(kind, FindingKind::AuthorizeUrl | FindingKind::VerificationUrl));
    let missed = |wanted: &[String], got: &[&str]| -> Vec<String> {
        wanted.iter().filter(|text| !got.contains(&text.as_str())).cloned().collect()
    };
    for url in missed(&expect.url, &urls) {
        wrong.push(format!("URL missed: {url}"));
    }
    for url in urls.iter().filter(|url| !expect.url.iter().chain(&expect.url_any).any(|other| other == *url))
    {
        wrong.push(format!("URL not true: {url}"));
    }
    let codes = texts(report, |kind| kind == FindingKind::DeviceCode);
    if codes != expect.code || codes.iter().any(|code| expect.nocode.iter().any(|other| other == code)) {
        wrong.push(format!("codes {codes:?} instead of {:?}", expect.code));
    }
    let carried = texts(report, |kind| kind == FindingKind::Carry);
    if carried != expect.carry {
        wrong.push(format!("to carry {carried:?} instead of {:?}", expect.carry));
    }
    if (is_whole || expect.prompt.is_some()) && newest_prompt(report) != expect.prompt {
        wrong.push(format!("prompt {:?} instead of {:?}", newest_prompt(report), expect.prompt));
    }
    let successes = texts(report, |kind| kind == FindingKind::Success);
    if successes.is_empty() == expect.success {
        wrong.push(format!("success {successes:?} instead of {}", expect.success));
    }
    let failures = texts(report, |kind| kind == FindingKind::Failure);
    if failures.is_empty() == expect.failure {
        wrong.push(format!("failure {failures:?} instead of {}", expect.failure));
    }
    wrong
}

fn report_all(wrong: &[String]) {
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn what_people_reported_is_found() {
    let mut wrong = Vec::new();
    let mut tried = 0;
    let mut paths: Vec<PathBuf> =
        fs::read_dir(corpus().join("reports")).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths.iter().filter(|path| path.extension().is_some_and(|ending| ending == "cast")) {
        let name = path.file_stem().unwrap().to_string_lossy();
        let (case, _) = name.rsplit_once('-').unwrap();
        let truth = fs::read_to_string(path.with_file_name(format!("{case}.json"))).unwrap();
        let truth: Recording = serde_json::from_str(&truth).unwrap();
        let report = detect(&Input::of(&fs::read(path).unwrap()).unwrap(), None, None);
        let differences = differences(&truth.expect, &report, false);
        tried += 1;
        if !differences.is_empty() {
            wrong.push(format!("{name}\n    {}", differences.join("\n    ")));
        }
    }
    assert!(tried >= 30, "only {tried} recordings");
    report_all(&wrong);
}

fn run(text: &str, columns: u16) -> Report {
    let pieces = vec![Piece::Output(text.replace('\n', "\r\n").into_bytes())];
    detect(&Input { size: Size { columns, rows: 24 }, command: None, pieces }, None, None)
}

/// None at which a tab of a logger falls on the last column, where a terminal swallows it.
const WIDTHS: [u16; 7] = [40, 59, 72, 80, 100, 132, 200];

#[test]
fn what_is_of_the_same_kinds_is_found_at_every_width() {
    let mut wrong = Vec::new();
    for case in table() {
        let widths = if case.columns.is_empty() { WIDTHS.to_vec() } else { case.columns.clone() };
        for columns in widths {
            let differences = differences(&case.expect, &run(&case.text, columns), true);
            if !differences.is_empty() {
                wrong.push(format!("{} ({columns} columns)\n    {}", case.name, differences.join("\n    ")));
            }
        }
    }
    report_all(&wrong);
}

/// A logger: the line that it makes of the text of line `n`.
type Logger = (&'static str, fn(usize, &str) -> String);

/// Loggers and containers whose prefixes change from line to line, or do not.
const LOGGERS: &[Logger] = &[
    ("docker compose", |_, text| format!("sync-1  | {text}")),
    ("docker compose, coloured", |_, text| format!("\x1b[36mauth-server-1  |\x1b[0m {text}")),
    ("kubectl logs --prefix", |_, text| format!("[pod/authd-7c9d5b-x2x4q/app] {text}")),
    ("kubectl logs --timestamps", |n, text| format!("2026-08-14T09:12:4{}.10123{n}567Z {text}", n % 10)),
    ("the journal", |n, text| format!("Aug 14 09:12:4{} devbox authd[1234]: {text}", n % 10)),
    ("logrus on a terminal", |n, text| format!("\x1b[36mINFO\x1b[0m[{n:04}] {text}")),
    ("logrus in a file", |n, text| {
        let text = text.replace('"', "\\\"");
        format!("time=\"2026-08-14T09:12:4{}Z\" level=info msg=\"{text}\"", n % 10)
    }),
    ("slog", |n, text| format!("time=2026-08-14T09:12:44.10{}Z level=INFO msg=\"{text}\"", n % 10)),
    ("zap", |n, text| format!("2026-08-14T09:12:44.10{}Z\tINFO\tauth/login.go:{}\t{text}", n % 10, n + 8)),
    ("glog", |n, text| format!("I0814 09:12:44.1012{:02}   12345 login.go:{}] {text}", n, n + 90)),
    ("Python's logging", |n, text| {
        format!("2026-08-14 09:12:4{},10{} - root - INFO - {text}", n % 10, n % 7)
    }),
    ("Python's basic logging", |_, text| format!("INFO:root:{text}")),
    ("Python's logging with lines", |n, text| {
        format!("2026-08-14 09:12:44,10{} INFO auth.py:{} {text}", n % 10, 88 + n)
    }),
    ("loguru", |n, text| {
        format!("2026-08-14 09:12:44.10{} | INFO     | auth:login:{} - {text}", n % 10, 8 + n)
    }),
    ("tracing", |n, text| format!("2026-08-14T09:12:44.10123{}Z  INFO authd::login: {text}", n % 10)),
    ("a game server", |n, text| format!("[09:12:4{}] [Server thread/INFO]: {text}", n % 10)),
    ("a game server, shorter", |n, text| format!("[09:12:4{} INFO]: {text}", n % 10)),
    ("Spring", |n, text| {
        format!(
            "2026-08-14 09:12:44.10{}  INFO 1 --- [           main] c.e.auth.LoginService : {text}",
            n % 10
        )
    }),
    ("a level", |_, text| format!("[INFO] {text}")),
    ("a level and a colon", |_, text| format!("INFO: {text}")),
    ("Go's log", |n, text| format!("2026/08/14 09:12:4{} {text}", n % 10)),
    ("a tag", |_, text| format!("[auth] {text}")),
    ("Heroku", |n, text| format!("2026-08-14T09:12:44.10123{}+00:00 app[web.1]: {text}", n % 10)),
    ("git's remote", |_, text| format!("remote: {text}")),
    ("a container and a logger", |n, text| {
        format!("sync-1  | 2026-08-14 09:12:44,10{} INFO auth.py:{} {text}", n % 10, 88 + n)
    }),
    ("a container and a logger with levels that change", |n, text| {
        let level = ["INFO", "WARNING", "DEBUG"][n % 3];
        format!("sync-{} | 2026-08-14T09:12:44Z {level} {text}", 1 + n % 2)
    }),
];

#[test]
fn what_stands_behind_prefixes_is_found() {
    let mut wrong = Vec::new();
    let cases: Vec<Case> = table().into_iter().filter(|case| case.prefixed).collect();
    assert!(cases.len() >= 8, "only {} cases", cases.len());
    for case in cases {
        for (logger, line) in LOGGERS {
            let lines = case.text.trim_matches('\n').split('\n').enumerate();
            let text: String = lines.map(|(n, text)| format!("{}\n", line(n, text))).collect();
            for columns in WIDTHS {
                let differences = differences(&case.expect, &run(&text, columns), true);
                if !differences.is_empty() {
                    let what = differences.join("\n    ");
                    wrong.push(format!("{} behind {logger} ({columns} columns)\n    {what}", case.name));
                }
            }
        }
    }
    report_all(&wrong);
}
