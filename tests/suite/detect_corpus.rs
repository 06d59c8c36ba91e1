//! The detector on recordings of real logins, and on recordings that are none.
//!
//! Every recording is read twice: by the generic rules alone, and with the rules of the provider that it names. The
//! ground truth is in the JSON file beside it; `tests/corpus/README.md` says where both come from.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use authdeck::commands::detect::{Input, Report, detect};
use authdeck::config::catalogue::Catalogue;
use authdeck::core::finding::{Finding, FindingKind};
use authdeck::core::provider::Provider;
use authdeck::core::status::Status;
use serde_json::Value;

/// One recording with its ground truth.
pub struct Case {
    pub name: String,
    pub input: Input,
    pub truth: Value,
}

pub fn cases(folder: &str) -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(folder);
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "cast"))
        .collect();
    paths.sort();
    paths
        .into_iter()
        .map(|path| Case {
            name: path.file_stem().unwrap().to_string_lossy().into_owned(),
            input: Input::of(&fs::read(&path).unwrap()).unwrap(),
            truth: serde_json::from_slice(&fs::read(path.with_extension("json")).unwrap()).unwrap(),
        })
        .collect()
}

fn texts(report: &Report, kind: FindingKind) -> Vec<&str> {
    report
        .findings
        .iter()
        .filter(|finding| finding.kind == kind)
        .map(|finding| finding.text.as_str())
        .collect()
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value[key].as_str()
}

/// Every way in which a report differs from the ground truth.
fn differences(case: &Case, report: &Report) -> Vec<String> {
    let expect = &case.truth["expect"];
    let mut wrong = Vec::new();
    for role in ["authorize", "verification"] {
        let kind = if role == "authorize" { FindingKind::AuthorizeUrl } else { FindingKind::VerificationUrl };
        let wanted: Vec<&str> = expect["urls"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|url| url["role"] == role)
            .map(|url| url["url"].as_str().unwrap())
            .collect();
        let got = texts(report, kind);
        for url in wanted.iter().filter(|url| !got.contains(url)) {
            wrong.push(format!("{role} missed: {url}"));
        }
        for url in got.iter().filter(|url| !wanted.contains(url)) {
            wrong.push(format!("{role} not true: {url}"));
        }
    }
    let codes = texts(report, FindingKind::DeviceCode);
    let code: Vec<&str> = text(expect, "device_code").into_iter().collect();
    if codes != code {
        wrong.push(format!("codes {codes:?} instead of {code:?}"));
    }
    wrong.extend(outcome_differences(expect, report));
    wrong.extend(status_differences(case, report));
    wrong
}

fn outcome_differences(expect: &Value, report: &Report) -> Vec<String> {
    let mut wrong = Vec::new();
    let findings =
        |kind| -> Vec<&Finding> { report.findings.iter().filter(|finding| finding.kind == kind).collect() };
    let (successes, failures) = (findings(FindingKind::Success), findings(FindingKind::Failure));
    let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text(expect, "success_line") {
        Some(line) => {
            let found = successes.iter().find(|finding| squeezed(&finding.text) == squeezed(line));
            match found {
                None => wrong
                    .push(format!("success {line:?} missed, got {:?}", texts(report, FindingKind::Success))),
                Some(found) if found.identity.as_deref() != text(expect, "success_identity") => {
                    wrong.push(format!("identity {:?} of {line:?}", found.identity));
                }
                Some(_) => {}
            }
        }
        None if !successes.is_empty() => {
            wrong.push(format!("success not true: {:?}", texts(report, FindingKind::Success)));
        }
        None => {}
    }
    match text(expect, "failure") {
        Some(line) if !failures.iter().any(|finding| squeezed(&finding.text) == squeezed(line)) => {
            wrong.push(format!("failure {line:?} missed, got {:?}", texts(report, FindingKind::Failure)));
        }
        None if !failures.is_empty() => {
            wrong.push(format!("failure not true: {:?}", texts(report, FindingKind::Failure)));
        }
        Some(_) | None => {}
    }
    wrong
}

/// The status must name the code, or the URL that was not superseded.
fn status_differences(case: &Case, report: &Report) -> Vec<String> {
    let expect = &case.truth["expect"];
    let current: Vec<&str> = expect["urls"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|url| url["role"] != "other" && url["superseded"] != true)
        .map(|url| url["url"].as_str().unwrap())
        .collect();
    let right = match &report.status {
        Status::CodeEmitted { device_code, .. } => text(expect, "device_code") == Some(device_code),
        Status::UrlAvailable { auth_url } => {
            text(expect, "device_code").is_none() && current.contains(&auth_url.as_str())
        }
        Status::Pending => text(expect, "device_code").is_none() && current.is_empty(),
        Status::Success { .. } | Status::Failed { .. } => false,
    };
    if right { Vec::new() } else { vec![format!("status {:?}", report.status)] }
}

fn try_all(title: &str, provider_of: impl Fn(&Case) -> Option<Arc<Provider>>) {
    let cases = cases("casts");
    assert!(cases.len() >= 300, "only {} recordings", cases.len());
    let mut report_text = String::new();
    let mut bad = 0;
    for case in &cases {
        let report = detect(&case.input, provider_of(case).as_ref(), None);
        let wrong = differences(case, &report);
        if !wrong.is_empty() {
            bad += 1;
            report_text.push_str(&format!("{}\n    {}\n", case.name, wrong.join("\n    ")));
        }
    }
    assert!(
        bad == 0,
        "{title}: {bad} of {} recordings differ from their ground truth\n{report_text}",
        cases.len()
    );
}

#[test]
fn every_login_is_found_by_the_generic_rules() {
    try_all("generic rules", |_| None);
}

#[test]
fn every_login_is_found_by_its_providers_rules() {
    let catalogue = Catalogue::built_in();
    try_all("provider rules", |case| {
        let cli = case.truth["cli"].as_str().unwrap();
        catalogue.get(cli).or_else(|| catalogue.recognise(case.truth["command"].as_str().unwrap()))
    });
}

#[test]
fn nothing_is_found_where_there_is_no_login() {
    let catalogue = Catalogue::built_in();
    let mut wrong = String::new();
    for case in cases("negative") {
        let by_provider = case.input.command.as_deref().and_then(|command| catalogue.recognise(command));
        for provider in [None, catalogue.get("gh"), catalogue.get("codex"), by_provider] {
            let report = detect(&case.input, provider.as_ref(), None);
            for finding in &report.findings {
                wrong.push_str(&format!("{}: {:?} {:?}\n", case.name, finding.kind, finding.text));
            }
        }
    }
    assert!(wrong.is_empty(), "found in recordings that are no logins:\n{wrong}");
}
