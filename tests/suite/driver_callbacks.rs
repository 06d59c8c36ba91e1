//! What the browser ended on is pasted and played to the listener that the child opened, or refused.

use authdeck::core::ids::SessionId;
use authdeck::core::status::Status;
use authdeck::protocol::error::{self, RpcError};
use authdeck::protocol::request::{Destination, Submitted};

use crate::common::supervisor::{SAMPLE, Supervisor};

/// A CLI that listens on a loopback port and logs in when the browser comes back with the right state.
const LISTENER: &str = r#"
import http.server, sys, urllib.parse
class Callback(http.server.BaseHTTPRequestHandler):
    def log_message(self, *arguments): pass
    def do_GET(self):
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query))
        print("asked", self.path.split("?")[0], "at", self.headers["Host"].split(":")[0], flush=True)
        fits = query.get("state") == "state-1"
        self.send_response(200 if fits else 400)
        self.end_headers()
        self.wfile.write(b"<p>You can close this window</p>" if fits else b"wrong state")
        self.server.done = fits
server = http.server.HTTPServer(("127.0.0.1", 0), Callback)
server.done = False
redirect = urllib.parse.quote("http://localhost:%d/callback" % server.server_port, safe="")
print("Open https://login.example.com/oauth/authorize?client_id=1&response_type=code&state=state-1&redirect_uri=" + redirect, flush=True)
while not server.done: server.handle_request()
open("logged-in", "w").write("Logged in as a@example.com\n")
"#;

fn start() -> (Supervisor, SessionId, u16) {
    let supervisor = Supervisor::start_with_provider(&SAMPLE.replace("stdin-code", "loopback"));
    supervisor.home.write_file("work/login.py", LISTENER);
    let session = supervisor.run_sample("exec python3 login.py");
    let view = supervisor.wait_view("the URL", &session, |view| view.url.is_some());
    let url = url::Url::parse(&view.url.unwrap().url).unwrap();
    let redirect = url.query_pairs().find(|(name, _)| name == "redirect_uri").unwrap().1.into_owned();
    let port = url::Url::parse(&redirect).unwrap().port().unwrap();
    (supervisor, session, port)
}

#[test]
fn a_callback_is_played_to_the_childs_listener_and_its_answer_is_shown() {
    let (supervisor, session, port) = start();
    let pasted = format!("http://localhost:{port}/callback?code=canary-code-1&state=state-1");
    let submitted: Submitted = supervisor.submit(&session, &pasted).unwrap();
    assert!(submitted.delivered, "{submitted:?}");
    assert_eq!(submitted.destination, Destination::Loopback);
    assert!(submitted.message.contains("You can close this window"), "{}", submitted.message);
    assert!(matches!(supervisor.wait_over(&session), Status::Success { .. }));
    let transcript = supervisor.transcript(&session);
    assert!(transcript.contains("asked /callback at localhost"), "{transcript}");
    assert!(!transcript.contains("canary"), "{transcript}");
}

#[test]
fn a_callback_of_another_login_is_refused_and_nothing_is_sent() {
    let (supervisor, session, port) = start();
    for wrong in [
        format!("http://localhost:{port}/callback?code=c&state=state-2"),
        format!("http://localhost:{}/callback?code=c&state=state-1", port ^ 1),
        format!("http://login.example.com:{port}/callback?code=c&state=state-1"),
        format!("http://localhost:{port}/elsewhere?code=c&state=state-1"),
    ] {
        let refusal: RpcError = supervisor.submit::<Submitted>(&session, &wrong).unwrap_err();
        assert_eq!(refusal.code, error::PASTE_REFUSED, "{wrong}: {}", refusal.message);
    }
    assert!(!supervisor.transcript(&session).contains("asked"), "{}", supervisor.transcript(&session));
}

#[test]
fn a_listener_that_is_gone_is_named() {
    let supervisor = Supervisor::start_with_provider(&SAMPLE.replace("stdin-code", "loopback"));
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let session = supervisor.run_sample(&format!(
        "echo 'Open https://login.example.com/oauth/authorize?client_id=1&response_type=code&state=state-1&\
         redirect_uri=http%3A%2F%2Flocalhost%3A{port}%2Fcallback'; read line"
    ));
    supervisor.wait_view("the URL", &session, |view| view.url.is_some());
    let pasted = format!("http://localhost:{port}/callback?code=c&state=state-1");
    let submitted: Submitted = supervisor.submit(&session, &pasted).unwrap();
    assert!(!submitted.delivered);
    assert!(submitted.message.contains(&format!("nothing listens on port {port}")), "{}", submitted.message);
}
