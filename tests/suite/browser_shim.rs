//! What children open in a browser comes to their session, exactly, and nothing is opened on this machine.

use std::process::Stdio;
use std::time::{Duration, Instant};

use authdeck::core::ids::SessionId;
use authdeck::core::status::Status;
use authdeck::driver::Identity;
use authdeck::driver::paths::OPENER_NAMES;
use authdeck::protocol::event::Event;
use authdeck::protocol::method::{Request, session};
use authdeck::protocol::request::Opened;

use super::common::env::{AUTHDECK, Home};
use super::common::peer;
use super::common::served::{Served, Watcher};
use super::common::supervisor::{SAMPLE, Supervisor};

/// Long, and with everything in it that a shell, a `printf` or a list of browsers could take for something else.
const URL: &str = "https://login.example.com/oauth/authorize?client_id=1&response_type=code&state=a%2Bb:c%s&scope=x%20y\
                   &redirect_uri=http%3A%2F%2Flocalhost%3A1455%2Fcb&nonce='$HOME'";

/// Waits for the URL of a session, and returns it.
async fn url_of(deck: &mut Watcher, session: &SessionId) -> String {
    deck.wait_event("the session's URL", |event| match event {
        Event::SessionChanged { session: view } if view.session_id == *session => match &view.status {
            Status::UrlAvailable { auth_url } => Some(auth_url.clone()),
            _ => None,
        },
        _ => None,
    })
    .await
}

async fn transcript_with(deck: &Watcher, session: &SessionId, text: &str) -> String {
    let limit = Instant::now() + super::common::wait::GENEROUS;
    loop {
        let transcript = deck.client.transcript(session).await.unwrap();
        if transcript.contains(text) {
            return transcript;
        }
        assert!(Instant::now() < limit, "no {text:?} in {transcript}");
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
}

#[tokio::test]
async fn each_opener_reports_the_exact_url_and_ends_with_0() {
    let home = Home::new();
    let served = Served::start(&home).await;
    let mut deck = served.watch().await;
    home.write_file("work/url", URL);
    for opener in OPENER_NAMES.into_iter().chain(["$BROWSER", "$GH_BROWSER"]) {
        let script = format!("{opener} \"$(cat {}/url)\"; echo status $?; read line", home.work().display());
        let session = deck.start(&script).await;
        assert_eq!(url_of(&mut deck, &session).await, URL, "{opener}");
        transcript_with(&deck, &session, "status 0").await;
        assert!(deck.client.remove(&session).await.unwrap());
    }
    served.stop().await;
}

#[tokio::test]
async fn what_is_no_web_address_is_refused_and_told() {
    let home = Home::new();
    let served = Served::start(&home).await;
    let mut deck = served.watch().await;
    let session = deck.start("xdg-open /etc/passwd; echo status $?; read line").await;
    let told = deck
        .wait_event("a notice", |event| match event {
            Event::Notice { text, session_id, .. } if session_id.as_ref() == Some(&session) => {
                Some(text.clone())
            }
            _ => None,
        })
        .await;
    assert!(told.contains("\"/etc/passwd\", which is no web address; nothing was opened"), "{told}");
    let transcript = transcript_with(&deck, &session, "status 1").await;
    assert!(transcript.contains("/etc/passwd is no web address, and was not opened"), "{transcript}");
    served.stop().await;
}

#[test]
fn only_a_process_of_the_session_can_say_what_it_opened() {
    let supervisor = Supervisor::start();
    let session = supervisor.run("read line");
    let other = supervisor.run("read line");
    let opened = |id: &SessionId| {
        Request::Session(session::Request::Opened(Opened { session_id: id.clone(), url: URL.into() }))
    };
    let ask = |identity| supervisor.block_on(supervisor.connect(identity).call(opened(&session)));
    ask(Identity::Local).unwrap_err();
    ask(Identity::Internal { session: Some(other) }).unwrap_err();
    ask(Identity::Internal { session: None }).unwrap_err();
    ask(Identity::Internal { session: Some(session.clone()) }).unwrap();
    let is_there = |status: &Status| matches!(status, Status::UrlAvailable { auth_url } if auth_url == URL);
    supervisor.wait_view("the URL", &session, |view| is_there(&view.status));
}

#[test]
fn a_setting_or_the_catalogue_turns_it_off_for_a_provider() {
    let shown = |description: &str, off_for: &str| {
        let supervisor = Supervisor::start_with(|home, settings| {
            home.write_file("providers/sample.toml", description);
            let folder = home.path().join("providers");
            settings.catalogue =
                std::sync::Arc::new(authdeck::config::catalogue::Catalogue::load(Some(&folder)).0.into());
            settings.browser.shim_off_for = off_for.split_whitespace().map(str::to_owned).collect();
        });
        let session = supervisor.run_sample("echo \"<$BROWSER|$PATH>\"; echo end; read line");
        supervisor.wait_transcript(&session, "end").contains("/browser")
    };
    assert!(shown(SAMPLE, "other"));
    assert!(!shown(SAMPLE, "other sample"));
    assert!(!shown(&SAMPLE.replace("title", "browser_shim = false\ntitle"), ""));
}

/// A CLI that waits for its browser must not wait for a supervisor that hangs.
#[test]
fn a_supervisor_that_hangs_holds_nobody_up() {
    let home = Home::new();
    let socket = home.runtime().join("hung.sock");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let opener = home.work().join("xdg-open");
    std::os::unix::fs::symlink(AUTHDECK, &opener).unwrap();
    let started = Instant::now();
    let output = home
        .command(&opener)
        .arg(URL)
        .env("AUTHDECK_URL", format!("unix:{}", socket.display()))
        .env("AUTHDECK_SESSION", "auth-1")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(started.elapsed() < Duration::from_secs(20));
    assert_eq!(output.status.code(), Some(4), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stderr).contains("did not answer within 2 s"));
}

/// codex prints its URL into a file here, so nothing but the browser shim can have told it.
#[tokio::test]
async fn codex_hands_its_exact_url_to_the_shim() {
    if !peer::has("codex_hands_its_exact_url_to_the_shim", &["codex"]) {
        return;
    }
    let _port = peer::exclusive("port-1455");
    let home = Home::new();
    let served = Served::start(&home).await;
    let mut deck = served.watch().await;
    let printed = home.work().join("printed");
    let session = deck.start(&format!("codex login >{} 2>&1", printed.display())).await;
    let url = url_of(&mut deck, &session).await;
    let printed = std::fs::read_to_string(printed).unwrap();
    let line = printed.split_whitespace().find(|word| word.starts_with("https://auth.openai.com/"));
    assert_eq!(line, Some(url.as_str()));
    assert!(deck.client.kill(&session, true).await.unwrap());
    served.stop().await;
}

#[tokio::test]
async fn gh_hands_its_url_to_the_shim() {
    if !peer::has("gh_hands_its_url_to_the_shim", &["gh"]) {
        return;
    }
    let home = Home::new().with("GH_TOKEN", "made-up");
    let served = Served::start(&home).await;
    let mut deck = served.watch().await;
    let session = deck.start("gh browse --repo owner/name >/dev/null 2>&1; echo status $?; read line").await;
    assert_eq!(url_of(&mut deck, &session).await, "https://github.com/owner/name");
    transcript_with(&deck, &session, "status 0").await;
    served.stop().await;
}

#[tokio::test]
async fn pythons_webbrowser_hands_its_url_to_the_shim() {
    if !peer::has("pythons_webbrowser_hands_its_url_to_the_shim", &["python3"]) {
        return;
    }
    let home = Home::new();
    home.write_file(
        "work/open.py",
        &format!("import webbrowser\nprint('opened', webbrowser.open({URL:?}))\n"),
    );
    let served = Served::start(&home).await;
    let mut deck = served.watch().await;
    let session = deck.start(&format!("python3 {}/open.py; read line", home.work().display())).await;
    assert_eq!(url_of(&mut deck, &session).await, URL);
    transcript_with(&deck, &session, "opened True").await;
    served.stop().await;
}
