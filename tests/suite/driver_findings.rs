//! What a child shows becomes the session's status, and what must not be shown is not (behaviour S2, S4, S5, S10).

use authdeck::core::ids::{ProviderId, SessionId};
use authdeck::core::status::Status;
use authdeck::protocol::method::{Request, session, terminal};
use authdeck::protocol::request::{Focus, SessionRef, StartSession, Submitted};
use serde_json::Value;

use crate::common::supervisor::{SAMPLE, Supervisor, shell};

const URL: &str = "https://login.example.com/oauth/authorize?client_id=1&response_type=code&state=s1";

#[test]
fn s02_a_poll_is_the_provider_and_the_flattened_status() {
    let supervisor = Supervisor::start_with_provider(SAMPLE);
    let session = supervisor.run_sample(&format!("echo 'Open {URL}'; read line"));
    supervisor.wait_view("the URL", &session, |view| matches!(view.status, Status::UrlAvailable { .. }));
    let poll: Value = supervisor
        .ask(Request::Session(session::Request::Poll(SessionRef { session_id: session.clone() })))
        .unwrap();
    assert_eq!(poll, serde_json::json!({"providerId": "sample", "status": "url-available", "authUrl": URL}));
}

#[test]
fn s04_the_first_url_wins() {
    let supervisor = Supervisor::start_with_provider(SAMPLE);
    let session = supervisor.run_sample(&format!(
        "echo 'Open {URL}'; read line; echo 'Open https://login.example.com/oauth/authorize?client_id=2&state=s2'; \
         echo and so on; read line"
    ));
    supervisor.wait_view("the URL", &session, |view| matches!(view.status, Status::UrlAvailable { .. }));
    assert!(supervisor.type_text(&session, "\r"));
    supervisor.wait_transcript(&session, "and so on");
    let session = supervisor.wait_view("the output was looked at", &session, |view| view.output_bytes > 160);
    assert_eq!(session.status, Status::UrlAvailable { auth_url: URL.into() });
}

#[test]
fn s05_a_code_without_a_url_gets_the_providers_own() {
    let supervisor = Supervisor::start();
    let start = StartSession {
        provider_id: Some(ProviderId::new("gh")),
        ..shell("echo '! Copy your one-time code: ABCD-1234'; read line")
    };
    let session = supervisor.try_start(start).unwrap();
    let view =
        supervisor.wait_view("the code", &session, |view| matches!(view.status, Status::CodeEmitted { .. }));
    assert_eq!(
        view.status,
        Status::CodeEmitted {
            device_code: "ABCD-1234".into(),
            verification_url: "https://github.com/login/device".into(),
        }
    );
}

#[test]
fn s10_what_is_pasted_reaches_the_child_and_a_dead_child_takes_nothing() {
    let supervisor = Supervisor::start_with_provider(SAMPLE);
    let session = supervisor.run_sample(&format!(
        "echo 'Open {URL}'; printf 'Paste the code here: '; read code; echo \"got <$code>\"; read line"
    ));
    supervisor.wait_view("the prompt", &session, |view| view.prompt.is_some());
    let submitted: Submitted = supervisor.submit(&session, "ABC-12345678").unwrap();
    assert!(submitted.delivered, "{submitted:?}");
    let transcript = supervisor.wait_transcript(&session, "got <");
    assert!(!transcript.contains("ABC-12345678"), "what was submitted is masked: {transcript}");
    assert!(transcript.contains("got <••••••••••••>"), "{transcript}");
    assert!(supervisor.type_text(&session, "\r"));
    supervisor.wait_over(&session);
    assert!(!supervisor.type_text(&session, "x"));
    assert!(!supervisor.type_text(&SessionId::new("auth-unknown"), "x"));
}

#[test]
fn a_token_that_the_child_prints_is_never_shown() {
    let supervisor = Supervisor::start();
    let token = ["sk", "ant", "oat01", "canary0123456789canary"].join("-");
    let session =
        supervisor.run(&format!("echo ready; read line; echo 'Your token: {token}'; echo end; read line"));
    let focus = Focus { session_id: Some(session.clone()), acknowledged: false };
    assert!(supervisor.ask::<bool>(Request::Session(session::Request::Focus(focus))).unwrap());
    supervisor.wait_transcript(&session, "ready");
    assert!(supervisor.type_text(&session, "\r"));
    loop {
        let update = supervisor.block_on(supervisor.connection().next_screen());
        let text = serde_json::to_string(&update).unwrap();
        assert!(!text.contains("canary"), "{text}");
        if text.contains("end") {
            break;
        }
    }
    let transcript = supervisor.wait_transcript(&session, "end");
    assert!(!transcript.contains("canary"), "{transcript}");
    let of = SessionRef { session_id: session };
    let recording: String = supervisor.ask(Request::Terminal(terminal::Request::Recording(of))).unwrap();
    assert!(!recording.contains("canary"), "{recording}");
}
