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

/// A CLI that shows a login whose callback goes to a port, and does not listen there.
fn naming(supervisor: &Supervisor, port: u16) -> SessionId {
    let session = supervisor.run_sample(&format!(
        "echo 'Open https://login.example.com/oauth/authorize?client_id=1&response_type=code&state=state-1&\
         redirect_uri=http%3A%2F%2Flocalhost%3A{port}%2Fcallback'; read line"
    ));
    supervisor.wait_view("the URL", &session, |view| view.url.is_some());
    session
}

#[test]
fn a_callback_is_not_handed_to_a_listener_that_is_not_the_sessions() {
    let supervisor = Supervisor::start_with_provider(&SAMPLE.replace("stdin-code", "loopback"));
    // An orphan of an earlier run: this very process.
    let orphan = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = orphan.local_addr().unwrap().port();
    let session = naming(&supervisor, port);
    let pasted = format!("http://localhost:{port}/callback?code=canary&state=state-1");
    let refusal: RpcError = supervisor.submit::<Submitted>(&session, &pasted).unwrap_err();
    assert_eq!(refusal.code, error::PASTE_REFUSED);
    assert!(refusal.message.contains("does not belong to this login"), "{}", refusal.message);
    assert!(refusal.message.contains(&std::process::id().to_string()), "{}", refusal.message);
    orphan.set_nonblocking(true).unwrap();
    assert!(orphan.accept().is_err(), "nobody has connected");
}

#[test]
fn of_twenty_callbacks_in_parallel_the_listener_gets_one() {
    let (supervisor, session, port) = start();
    let pasted = format!("http://localhost:{port}/callback?code=canary-code-1&state=state-1");
    let delivered = std::thread::scope(|scope| {
        let submit =
            || supervisor.submit::<Submitted>(&session, &pasted).is_ok_and(|submitted| submitted.delivered);
        let threads: Vec<_> = (0..20).map(|_| scope.spawn(submit)).collect();
        threads.into_iter().map(|thread| usize::from(thread.join().unwrap())).sum::<usize>()
    });
    assert_eq!(delivered, 1);
    supervisor.wait_over(&session);
    let transcript = supervisor.transcript(&session);
    assert_eq!(transcript.matches("asked /callback").count(), 1, "{transcript}");
}

#[test]
fn a_listener_that_answers_nonsense_or_nothing_has_got_the_callback() {
    for (answer, wanted) in [
        (
            "HTTP/1.1 400 Bad Request\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\nffffffffffffffff\\r\\nabc",
            "it answered 400",
        ),
        ("", "closed without answering"),
    ] {
        let supervisor = Supervisor::start_with_provider(&SAMPLE.replace("stdin-code", "loopback"));
        let script = format!(
            r#"
import socket, sys
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen()
print("Open https://login.example.com/oauth/authorize?response_type=code&state=state-1&redirect_uri=http%3A%2F%2Flocalhost%3A" + str(s.getsockname()[1]) + "%2Fcallback", flush=True)
c, _ = s.accept(); c.recv(9999); c.sendall(b"{answer}")
if not b"{answer}": c.close()
sys.stdin.readline()
"#
        );
        supervisor.home.write_file("work/odd.py", &script);
        let session = supervisor.run_sample("exec python3 odd.py");
        let view = supervisor.wait_view("the URL", &session, |view| view.url.is_some());
        let port = authdeck::core::callback::LoopbackEnd::of(&view.url.unwrap().url).unwrap().port;
        let pasted = format!("http://localhost:{port}/callback?code=canary&state=state-1");
        let submitted: Submitted = supervisor.submit(&session, &pasted).unwrap();
        assert!(submitted.delivered && submitted.message.contains(wanted), "{}", submitted.message);
    }
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
