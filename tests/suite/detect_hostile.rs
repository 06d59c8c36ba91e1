//! Output that wants to be taken for something else: overwritten URLs, look-alike hosts, decoy codes.

use authdeck::commands::detect::{Input, Piece, detect};
use authdeck::config::catalogue::Catalogue;
use authdeck::core::detect::{Detector, judge};
use authdeck::core::finding::{FindingKind, Verdict};
use authdeck::core::input::Found;
use authdeck::core::screen::{Screen, ScreenLimits, Size};

fn found(output: &str) -> Vec<Found> {
    let mut screen = Screen::new(Size { columns: 100, rows: 24 }, ScreenLimits::default());
    let mut detector = Detector::new(None);
    let mut found = detector.feed(&mut screen, output.as_bytes());
    found.extend(detector.finish(&mut screen));
    found
}

fn urls(found: &[Found]) -> Vec<(&str, bool)> {
    let is_url = |kind| matches!(kind, FindingKind::AuthorizeUrl | FindingKind::VerificationUrl);
    found
        .iter()
        .filter(|found| is_url(found.finding.kind))
        .map(|found| (found.finding.text.as_str(), found.disputed))
        .collect()
}

const HEAD: &str = "To log in, open this URL in your browser:\r\n";

#[test]
fn an_honest_url_is_not_disputed() {
    for output in [
        "https://login.example.com/oauth/authorize?client_id=1&state=abc\r\nWaiting\r\n",
        "\x1b[4mhttps://login.example.com/oauth/\x1b[1mauthorize?client_id=1&state=abc\x1b[0m.\r\nWaiting\r\n",
    ] {
        let found = found(&format!("{HEAD}{output}"));
        let wanted = "https://login.example.com/oauth/authorize?client_id=1&state=abc";
        assert_eq!(urls(&found), [(wanted, false)], "{output:?}");
    }
}

#[test]
fn a_url_that_was_written_over_is_disputed() {
    for output in [
        // The host is replaced by a cursor move.
        "https://login.example.com/oauth/authorize?client_id=1\x1b[9Gevil1.example.com\r\nWaiting\r\n",
        // The end is replaced by backspaces.
        "https://login.example.com/oauth/authorize?client_id=1\x08\x0823\r\nWaiting\r\n",
        // The row is written again from its beginning.
        "https://login.example.com/oauth/authorize?client_id=1\rhttps://evil1.example.com\r\nWaiting\r\n",
    ] {
        let found = found(&format!("{HEAD}{output}"));
        let last = *urls(&found).last().expect(output);
        assert!(last.1, "{output:?} gave {:?}", urls(&found));
    }
}

#[test]
fn a_url_that_is_replaced_by_another_is_reported_with_it() {
    let found = found(&format!(
        "{HEAD}https://login.example.com/oauth/authorize?client_id=1&state=a\r\x1b[2K\
         https://evil.example.net/oauth/authorize?client_id=1&state=a\r\nWaiting\r\n"
    ));
    let urls = urls(&found);
    assert_eq!(urls.len(), 2, "{urls:?}");
    assert!(urls[1].0.contains("evil") && urls[1].1, "{urls:?}");
}

#[test]
fn a_link_that_opens_another_host_than_it_shows_is_suspicious() {
    let found = found(&format!(
        "{HEAD}\x1b]8;;https://evil.example.net/oauth/authorize?client_id=1\x1b\\https://login.example.com/oauth/authorize?client_id=1\
         \x1b]8;;\x1b\\\r\nWaiting\r\n"
    ));
    assert!(!found.is_empty());
    for found in found.iter().filter(|found| found.finding.verdict.is_some()) {
        assert_eq!(found.finding.verdict, Some(Verdict::Suspicious), "{found:?}");
    }
}

#[test]
fn no_finding_has_a_control_character_in_it() {
    let found = found(
        "To log in, visit https://login.example.com/oauth/authorize?client_id=1\x1b[31m\x07 now\r\n\
         Logged in as dev\u{202e}@example.com\r\nEnter the code: ABCD-\u{200b}1234\r\n",
    );
    for found in &found {
        let text = &found.finding.text;
        assert!(!text.chars().any(|c| c.is_control() || ('\u{2000}'..='\u{206f}').contains(&c)), "{text:?}");
    }
}

#[test]
fn decoys_are_no_codes() {
    for line in [
        "Order ABCD-1234 was shipped",
        "Serial: 7XQK-93PM-Z2LD",
        "Error code: WXYZ-9876",
        "exit code 1234-5678",
        "commit ABCD-1234: rename token cache",
        "Use promo code SAVE-2024 at checkout",
        "Your licence code: VK7JG-NPHTM-C97JM",
        "HTTP status code 4040-5050",
        "CVE-2021-23337, GHSA-35JH-R3H4-6JHM",
        "trace 1818E811-892F-902B-D23F-0824128B2F33",
        "zip code: 12345-6789",
        "country code: ABCDE",
        "QR code: ABCD-EFGH",
        "user codes look like WDJB-MJHT.",
        "expected code ABCD-1234 but got WXYZ-9876",
        "The source code: ABCDEF",
        "bar code 1234-5678",
        "JIRA-1234 fixes ABCD-1234",
        "Enter the authorization code: ABCD-1234",
        "Paste the code here: ABCD-1234",
    ] {
        let codes: Vec<String> = found(&format!("{line}\r\n"))
            .into_iter()
            .filter(|found| found.finding.kind == FindingKind::DeviceCode)
            .map(|found| found.finding.text)
            .collect();
        assert!(codes.is_empty(), "{line:?} gave {codes:?}");
    }
}

#[test]
fn hosts_are_judged_for_what_they_are() {
    use Verdict::{Expected, Suspicious, Unknown};
    let catalogue = Catalogue::built_in();
    for (provider, url, verdict) in [
        ("claude", "https://claude.com/cai/oauth/authorize?code=true", Expected),
        ("claude", "https://claude.ai/oauth/authorize", Expected),
        ("claude", "https://console.anthropic.com/oauth/authorize", Expected),
        ("codex", "https://auth.openai.com/oauth/authorize?x=1", Expected),
        ("codex", "https://auth.openai.com/codex/device", Expected),
        ("gh", "https://github.com/login/device", Expected),
        ("gcloud", "https://accounts.google.com/o/oauth2/auth?x=1", Expected),
        ("wrangler", "https://dash.cloudflare.com/oauth2/auth?x=1", Expected),
        ("heroku", "https://cli-auth.heroku.com/auth/cli/browser/x", Expected),
        ("netlify", "https://app.netlify.com/authorize?ticket=x", Expected),
        ("vercel", "https://vercel.com/oauth/device?user_code=BDSD-HQMK", Expected),
        ("docker", "https://login.docker.com/activate", Expected),
        ("hf", "https://huggingface.co/oauth/device", Expected),
        ("snyk", "https://app.snyk.io/login?token=x", Expected),
        ("supabase", "https://supabase.com/dashboard/cli/login?session_id=x", Expected),
        ("tigris", "https://auth.storage.tigrisdata.io/activate", Expected),
        ("sanity", "https://api.sanity.io/v1/auth/login/github?x=1", Expected),
        ("az", "https://microsoft.com/devicelogin", Expected),
        ("aws", "https://device.sso.eu-west-1.amazonaws.com/", Expected),
        ("rclone", "http://127.0.0.1:53682/auth?state=x", Expected),
        ("gh", "https://github.example.com/login/device", Unknown),
        ("gh", "https://github.com.evil.example/login/device", Unknown),
        ("codex", "http://localhost:1455/auth", Unknown),
        ("gh", "https://github.com@evil.example/login/device", Suspicious),
        ("gh", "https://user:secret@github.com/login/device", Suspicious),
        ("gh", "http://github.com/login/device", Suspicious),
        ("gh", "https://gіthub.com/login/device", Suspicious),
        ("gh", "https://xn--gthub-cya.com/login/device", Suspicious),
        ("gh", "https://203.0.113.9/login/device", Suspicious),
        ("gh", "https://github.com\\@evil.example/login/device", Suspicious),
    ] {
        let provider = catalogue.get(provider);
        assert!(provider.is_some());
        assert_eq!(judge(url, provider.as_deref(), false).verdict, verdict, "{url}");
    }
    assert_eq!(judge("https://github.com/login/device", None, false).verdict, Unknown);
    assert_eq!(judge("https://github.com/login/device", None, true).verdict, Suspicious);
}

#[test]
fn a_look_alike_host_is_shown_in_its_ascii_form() {
    let judged = judge("https://gіthub.com/login", None, false);
    assert!(judged.host.is_some_and(|host| host.starts_with("xn--")));
}

#[test]
fn giant_lines_and_broken_bytes_are_survived() {
    let mut output = Vec::new();
    output.extend(std::iter::repeat_n(b'x', 200_000));
    output.extend(b"\r\n\xff\xfe\x00\x1b[999999999;1H\x1b]8;;https://a\x07\r\n");
    output.extend(HEAD.as_bytes());
    output.extend(b"https://login.example.com/oauth/authorize?client_id=1&state=abc\r\nWaiting\r\n");
    let size = Size { columns: 80, rows: 24 };
    let report = detect(&Input { size, command: None, pieces: vec![Piece::Output(output)] }, None, None);
    let url = "https://login.example.com/oauth/authorize?client_id=1&state=abc";
    assert!(report.findings.iter().any(|finding| finding.text == url), "{:?}", report.findings);
}

/// gh names the page after its code; what stands there is judged as any URL is.
#[test]
fn a_url_behind_a_code_is_judged_as_any_other() {
    let gh = Catalogue::built_in().get("gh");
    let view = |url: &str| {
        let mut screen = Screen::new(Size { columns: 120, rows: 24 }, ScreenLimits::default());
        let mut detector = Detector::new(gh.clone());
        let text = format!(
            "! First copy your one-time code: ABCD-1234\r\nOpen this URL to continue in your web browser: {url}\r\n"
        );
        let mut found = detector.feed(&mut screen, text.as_bytes());
        found.extend(detector.finish(&mut screen));
        let code = found.into_iter().find(|found| found.finding.kind == FindingKind::DeviceCode);
        code.expect("a code").verification_url.unwrap_or_else(|| panic!("no URL for the code: {url}"))
    };
    for (url, host, verdict) in [
        ("https://github.com/login/device", "github.com", Verdict::Expected),
        ("https://github.com@evil.example/login/device", "evil.example", Verdict::Suspicious),
        ("http://github.com/login/device", "github.com", Verdict::Suspicious),
        ("https://192.0.2.7/login/device", "192.0.2.7", Verdict::Suspicious),
        ("https://xn--gthub-n4a.com/login/device", "xn--gthub-n4a.com", Verdict::Suspicious),
        ("https://github.example/login/device", "github.example", Verdict::Unknown),
    ] {
        let view = view(url);
        assert_eq!((view.host.as_str(), view.verdict), (host, verdict), "{url}: {}", view.reason);
    }
}
