//! The generic rules on what CLIs print that nobody recorded (`tests/corpus/*.toml`), at several widths and as
//! several programs would lay it out.

use std::fs;
use std::path::Path;

use authdeck::commands::detect::{Input, Piece, Report, detect};
use authdeck::core::finding::{Finding, FindingKind};
use authdeck::core::screen::Size;
use serde::Deserialize;

#[derive(Deserialize)]
struct Cases {
    case: Vec<Case>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    text: String,
    #[serde(default)]
    columns: Vec<u16>,
    #[serde(default)]
    reflow: bool,
    #[serde(default)]
    authorize: Vec<String>,
    #[serde(default)]
    verification: Vec<String>,
    code: Option<String>,
    success: Option<String>,
    identity: Option<String>,
    failure: Option<String>,
    #[serde(default)]
    expects: Vec<String>,
}

fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let files = ["read.toml", "unseen.toml"].map(|name| fs::read_to_string(folder.join(name)).unwrap());
    files.iter().flat_map(|text| toml::from_str::<Cases>(text).unwrap().case).collect()
}

fn run(text: &str, columns: u16) -> Report {
    let text = text.replace('\n', "\r\n");
    let size = Size { columns, rows: 24 };
    let pieces = vec![Piece::Output(text.into_bytes())];
    detect(&Input { size, command: None, pieces }, None, None)
}

fn differences(case: &Case, report: &Report) -> Vec<String> {
    let texts = |kind: FindingKind| -> Vec<String> {
        report
            .findings
            .iter()
            .filter(|finding| finding.kind == kind)
            .map(|finding| finding.text.clone())
            .collect()
    };
    let mut wrong = Vec::new();
    let mut compare = |what: &str, got: Vec<String>, wanted: Vec<String>| {
        if got != wanted {
            wrong.push(format!("{what} {got:?}\n        instead of {wanted:?}"));
        }
    };
    compare("authorize", texts(FindingKind::AuthorizeUrl), case.authorize.clone());
    compare("verification", texts(FindingKind::VerificationUrl), case.verification.clone());
    compare("code", texts(FindingKind::DeviceCode), case.code.clone().into_iter().collect());
    compare("failure", texts(FindingKind::Failure), case.failure.clone().into_iter().collect());
    let successes: Vec<&Finding> =
        report.findings.iter().filter(|finding| finding.kind == FindingKind::Success).collect();
    let named = successes.iter().find(|finding| Some(finding.text.as_str()) == case.success.as_deref());
    match (&case.success, named) {
        (Some(_), Some(finding)) => compare(
            "identity",
            finding.identity.clone().into_iter().collect(),
            case.identity.clone().into_iter().collect(),
        ),
        (wanted, _) => compare("success", texts(FindingKind::Success), wanted.clone().into_iter().collect()),
    }
    let expects = report
        .findings
        .iter()
        .filter_map(|finding| finding.expects)
        .map(|expects| serde_json::to_value(expects).unwrap().as_str().unwrap().to_owned());
    compare("expects", expects.collect(), case.expects.clone());
    compare("secrets", texts(FindingKind::Secret), Vec::new());
    wrong
}

/// A URL's line broken into pieces of a width, as programs do that break text themselves.
fn broken(text: &str, width: usize, before: &str, after: impl Fn(usize) -> String) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let bare = line.trim();
        let pieces: Vec<String> = if bare.starts_with("https://") {
            bare.as_bytes().chunks(width).map(|piece| String::from_utf8_lossy(piece).into_owned()).collect()
        } else {
            words(bare, width)
        };
        for piece in pieces {
            let fill = after(width - piece.chars().count());
            out.push_str(&format!("{before}{piece}{fill}\n"));
        }
    }
    out
}

fn words(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.last_mut().unwrap();
        if !last.is_empty() && last.chars().count() + 1 + word.chars().count() > width {
            lines.push(word.to_owned());
        } else {
            if !last.is_empty() {
                last.push(' ');
            }
            last.push_str(word);
        }
    }
    lines
}

fn report_all(wrong: &[String]) {
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

fn check(wrong: &mut Vec<String>, case: &Case, how: &str, text: &str, columns: u16) {
    let report = run(text, columns);
    let differences = differences(case, &report);
    if !differences.is_empty() {
        wrong.push(format!("{} ({how}, {columns} columns)\n    {}", case.name, differences.join("\n    ")));
    }
}

#[test]
fn what_was_read_is_found_at_every_width() {
    let mut wrong = Vec::new();
    for case in cases() {
        let columns =
            if case.columns.is_empty() { vec![60, 71, 80, 99, 120, 200] } else { case.columns.clone() };
        for columns in columns {
            check(&mut wrong, &case, "wrapped by the terminal", &case.text, columns);
        }
    }
    report_all(&wrong);
}

#[test]
fn what_a_program_breaks_itself_is_found_whole() {
    let mut wrong = Vec::new();
    for case in cases().into_iter().filter(|case| case.reflow) {
        // Prompts and outcomes are broken too; the URL is what this is about.
        let case = Case { expects: Vec::new(), ..case };
        for columns in [60_u16, 63, 80, 97, 120] {
            let width = usize::from(columns);
            let spaces = |count: usize| " ".repeat(count);
            let nothing = |_: usize| String::new();
            let layouts = [
                ("cut at the width", broken(&case.text, width, "", nothing)),
                ("cut at the width, indented", broken(&case.text, width - 2, "  ", nothing)),
                ("in a frame", broken(&case.text, width - 4, "│ ", |count| format!("{} │", spaces(count)))),
                (
                    "in a wider frame",
                    broken(&case.text, width - 10, "  ┃  ", |count| format!("{}  ┃", spaces(count))),
                ),
                (
                    "beside a scroll bar",
                    broken(&case.text, width - 5, "  ", |count| format!("{} ░", spaces(count))),
                ),
                (
                    "in a frame with a scroll bar",
                    broken(&case.text, width - 6, "│ ", |count| format!("{} ░│", spaces(count))),
                ),
                ("with the last column free", broken(&case.text, width - 1, "", nothing)),
                ("behind a bar", broken(&case.text, width - 3, "│  ", nothing)),
            ];
            for (how, text) in layouts {
                let report = run(&text, columns);
                let urls: Vec<&str> = report
                    .findings
                    .iter()
                    .filter(|finding| {
                        matches!(finding.kind, FindingKind::AuthorizeUrl | FindingKind::VerificationUrl)
                    })
                    .map(|finding| finding.text.as_str())
                    .collect();
                let wanted: Vec<&str> =
                    case.authorize.iter().chain(&case.verification).map(String::as_str).collect();
                if urls != wanted {
                    wrong.push(format!(
                        "{} ({how}, {columns} columns)\n    {urls:?}\n    instead of {wanted:?}",
                        case.name
                    ));
                }
            }
        }
    }
    report_all(&wrong);
}
