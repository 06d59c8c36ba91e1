use std::time::Duration;

use super::attached;
use crate::core::engine::trial::{Trial, authorize, facts, finding};
use crate::core::finding::{Expects, FindingKind, Source};
use crate::core::input::SessionInput;
use crate::core::login::LoginFacts;
use crate::core::provider::Answer;
use crate::core::status::Status;
use crate::core::view::Waiting;

const SHOWN: &str = "https://sample.test/a?redirect_uri=https%3A%2F%2Fsample.test%2Fcode&state=s";

fn url_available(url: &str) -> Status {
    Status::UrlAvailable { auth_url: url.to_owned() }
}

fn code_emitted(code: &str, url: &str) -> Status {
    Status::CodeEmitted { device_code: code.to_owned(), verification_url: url.to_owned() }
}

#[test]
fn the_first_url_wins() {
    let mut trial = Trial::running(facts());
    trial.find(FindingKind::AuthorizeUrl, &authorize("one"));
    trial
        .find(FindingKind::AuthorizeUrl, &authorize("two"))
        .find(FindingKind::VerificationUrl, "https://x.test/");
    assert_eq!(trial.status(), url_available(&authorize("one")));
    assert_eq!(trial.view().url.map(|url| url.url), Some(authorize("one")));
}

#[test]
fn a_url_moves_nothing_but_pending() {
    let mut trial = Trial::running(facts());
    trial.find(FindingKind::DeviceCode, "ABCD-1234").find(FindingKind::AuthorizeUrl, &authorize("one"));
    assert_eq!(trial.status(), code_emitted("ABCD-1234", "https://sample.test/device"));
}

#[test]
fn another_state_after_a_complaint_is_a_new_attempt() {
    let mut trial = Trial::running(facts());
    trial.find(FindingKind::AuthorizeUrl, &authorize("one")).find(FindingKind::Failure, "Invalid code");
    trial.find(FindingKind::AuthorizeUrl, &authorize("one"));
    assert_eq!(trial.status(), url_available(&authorize("one")), "the same URL again is no new attempt");
    trial.find(FindingKind::AuthorizeUrl, &authorize("two"));
    assert_eq!(trial.status(), url_available(&authorize("two")));
    trial.find(FindingKind::AuthorizeUrl, &authorize("three"));
    assert_eq!(
        trial.status(),
        url_available(&authorize("two")),
        "without a complaint the first one wins again"
    );
    trial.find(FindingKind::Failure, "Invalid code").find(FindingKind::AuthorizeUrl, &authorize("one"));
    assert_eq!(trial.status(), url_available(&authorize("two")), "what was given up does not come back");
}

#[test]
fn the_detector_may_say_that_an_attempt_was_given_up() {
    let mut trial = Trial::running(facts());
    trial.find(FindingKind::AuthorizeUrl, &authorize("one"));
    let mut found = finding(FindingKind::AuthorizeUrl, &authorize("two"));
    found.new_attempt = true;
    trial.tell(SessionInput::Found(Box::new(found)));
    assert_eq!(trial.status(), url_available(&authorize("two")));
}

#[test]
fn a_complaint_makes_no_new_attempt_of_some_other_page() {
    let mut trial = Trial::running(facts());
    trial
        .find(FindingKind::AuthorizeUrl, &authorize("one"))
        .find(FindingKind::Failure, "Error: update check");
    trial.find(FindingKind::AuthorizeUrl, &authorize("two").replace("sample.test", "docs.test"));
    assert_eq!(trial.status(), url_available(&authorize("one")));
}

#[test]
fn a_url_that_takes_anothers_place_makes_both_disputed() {
    let mut trial = Trial::running(facts());
    trial.find(FindingKind::AuthorizeUrl, &authorize("one"));
    let mut found = finding(FindingKind::AuthorizeUrl, &authorize("two").replace("sample.test", "evil.test"));
    found.disputed = true;
    found.reason = Some("it was printed over another URL".to_owned());
    trial.tell(SessionInput::Found(Box::new(found)));
    let url = trial.view().url.unwrap();
    assert_eq!((url.url, url.disputed), (authorize("one"), true));
    assert_eq!(url.reason, "it was printed over another URL");
    trial.find_from(Source::Browser, FindingKind::AuthorizeUrl, &authorize("one"));
    assert!(!trial.view().url.unwrap().disputed, "the browser's settles it");
}

#[test]
fn a_replay_after_two_renewals_changes_nothing() {
    let play = |trial: &mut Trial| {
        for state in ["one", "two", "three"] {
            trial
                .find(FindingKind::AuthorizeUrl, &authorize(state))
                .find(FindingKind::Failure, "Invalid code");
        }
    };
    let mut trial = Trial::running(facts());
    play(&mut trial);
    let mut next = trial.restarted(attached());
    play(&mut next);
    assert_eq!(next.status(), url_available(&authorize("three")));
}

#[test]
fn the_first_code_wins_until_it_expires() {
    let mut trial = Trial::running(facts());
    trial.find(FindingKind::DeviceCode, "AAAA-1111").find(FindingKind::DeviceCode, "BBBB-2222");
    assert_eq!(trial.view().code.as_deref(), Some("AAAA-1111"));
    trial.find(FindingKind::Failure, "The code expired").find(FindingKind::DeviceCode, "BBBB-2222");
    assert_eq!(trial.status(), code_emitted("BBBB-2222", "https://sample.test/device"));
    trial.find(FindingKind::Failure, "The code expired").find(FindingKind::DeviceCode, "AAAA-1111");
    assert_eq!(trial.view().code.as_deref(), Some("BBBB-2222"), "an expired code does not come back");
}

#[test]
fn a_code_moves_url_available_and_prefers_what_the_cli_names() {
    let mut trial = Trial::running(facts());
    trial
        .find(FindingKind::VerificationUrl, "https://ghe.test/device")
        .find(FindingKind::DeviceCode, "AAAA-1111");
    assert_eq!(trial.status(), code_emitted("AAAA-1111", "https://ghe.test/device"));

    let mut named = Trial::running(facts());
    let mut found = finding(FindingKind::DeviceCode, "AAAA-1111");
    found.verification_url =
        Some(crate::core::detect::verdict::view("https://named.test/d".to_owned(), None));
    named.tell(SessionInput::Found(Box::new(found)));
    assert_eq!(named.status(), code_emitted("AAAA-1111", "https://named.test/d"));
    assert_eq!(named.view().url.map(|url| url.host).as_deref(), Some("named.test"));
}

#[test]
fn the_catalogues_url_stands_in_until_the_cli_names_its_own() {
    let mut trial = Trial::running(facts());
    trial.find(FindingKind::DeviceCode, "AAAA-1111");
    assert_eq!(trial.status(), code_emitted("AAAA-1111", "https://sample.test/device"));
    trial.find(FindingKind::VerificationUrl, "https://ghe.test/device");
    assert_eq!(trial.status(), code_emitted("AAAA-1111", "https://ghe.test/device"));
    trial.find(FindingKind::VerificationUrl, "https://other.test/device");
    assert_eq!(trial.status(), code_emitted("AAAA-1111", "https://ghe.test/device"));
}

#[test]
fn a_cut_url_is_made_whole_by_the_browsers_and_another_one_is_not_taken() {
    let whole = authorize("s");
    let mut trial = Trial::running(facts());
    trial.find(FindingKind::AuthorizeUrl, &whole[..60]);
    trial.find_from(
        Source::Browser,
        FindingKind::AuthorizeUrl,
        &authorize("other").replace("sample", "evil"),
    );
    assert_eq!(trial.status(), url_available(&whole[..60]));
    trial.find_from(Source::Browser, FindingKind::AuthorizeUrl, &whole);
    assert_eq!(trial.status(), url_available(&whole));
}

#[test]
fn a_cli_that_reads_a_code_shows_the_better_url() {
    let reads_code = || LoginFacts { answers: vec![Answer::StdinCode, Answer::Loopback], ..facts() };
    let mut trial = Trial::running(reads_code());
    trial.find_from(Source::Browser, FindingKind::AuthorizeUrl, &authorize("s"));
    assert_eq!(trial.status(), Status::Pending);
    trial.find(FindingKind::AuthorizeUrl, SHOWN);
    assert_eq!(trial.status(), url_available(SHOWN));
    trial.pass(Duration::from_secs(10));
    assert_eq!(trial.status(), url_available(SHOWN));

    let mut silent = Trial::running(reads_code());
    silent
        .find_from(Source::Browser, FindingKind::AuthorizeUrl, &authorize("s"))
        .pass(Duration::from_secs(5));
    assert_eq!(silent.status(), url_available(&authorize("s")), "if no other one is shown, this one is");
}

#[test]
fn what_it_waits_for_is_said_in_words() {
    let words = |trial: &Trial| (trial.view().waiting, trial.view().waiting_text);
    let mut trial = Trial::running(facts());
    assert_eq!(words(&trial), (Waiting::Child, "waiting for Sample to show something to act on".to_owned()));
    trial.find(FindingKind::AuthorizeUrl, &authorize("s"));
    let text = "waiting for you: open the URL, then paste what the browser ends on";
    assert_eq!(words(&trial), (Waiting::OpenUrlThenPaste, text.to_owned()));
    trial.prompt("Overwrite? (y/N)", Expects::Choice);
    assert_eq!(trial.view().waiting, Waiting::Prompt);
    assert_eq!(trial.view().prompt.as_deref(), Some("Overwrite? (y/N)"));
    trial.prompt("Token:", Expects::Secret);
    assert_eq!(trial.view().waiting, Waiting::Secret);
    trial.tell(SessionInput::PromptGone);
    assert_eq!(trial.view().waiting, Waiting::OpenUrlThenPaste);
    trial.find(FindingKind::DeviceCode, "AAAA-1111");
    assert_eq!(trial.view().waiting, Waiting::EnterCode);
    trial.prompt("Press Enter", Expects::Enter);
    assert!(trial.view().waiting_text.ends_with("Sample waits for Enter"));

    let polls = LoginFacts { answers: vec![Answer::Polls], ..facts() };
    let mut trial = Trial::running(polls);
    trial.find(FindingKind::VerificationUrl, "https://sample.test/d?user_code=A");
    assert_eq!(trial.view().waiting, Waiting::OpenUrl);
}

#[test]
fn explain_says_what_was_seen_what_decides_and_how_long_is_left() {
    let mut trial = Trial::running(facts());
    trial.find(FindingKind::AuthorizeUrl, &authorize("s")).find(FindingKind::Failure, "Invalid code");
    trial.pass(Duration::from_secs(61));
    let explained = trial.engine.explain(trial.now, &trial.id).unwrap();
    for words in
        ["Waiting for you: open the URL", "sample.test", "“Invalid code”", "own check decides", "8:59", "42"]
    {
        assert!(explained.contains(words), "{words} in {explained}");
    }
}

#[test]
fn attention_is_drawn_by_news_and_spent_by_a_look() {
    let mut trial = Trial::running(facts());
    assert!(!trial.view().attention);
    trial.find(FindingKind::AuthorizeUrl, &authorize("s"));
    assert!(trial.view().attention);
    trial.tell(SessionInput::Looked);
    assert!(!trial.view().attention);
    trial.exit(1);
    assert!(trial.view().attention);
}

#[test]
fn what_is_to_be_carried_is_shown_and_the_newest_counts() {
    let mut trial = Trial::running(LoginFacts { answers: Vec::new(), ..facts() });
    assert_eq!(trial.view().waiting, Waiting::Child);
    trial.find(FindingKind::Carry, "kitapp://link?uuid=1").find(FindingKind::Carry, "kitapp://link?uuid=2");
    let view = trial.view();
    assert_eq!((view.carry.as_deref(), view.waiting), (Some("kitapp://link?uuid=2"), Waiting::Carry));
    assert!(view.attention && view.waiting_text.starts_with("waiting for you: take what is shown"));
    trial.find(FindingKind::AuthorizeUrl, &authorize("s"));
    assert_ne!(trial.view().waiting, Waiting::Carry, "a URL comes first");
    assert_eq!(trial.view().carry.as_deref(), Some("kitapp://link?uuid=2"));
}
