//! Pastes as people reported them: each child is a CLI that took what the browser ended on in its own way.

use authdeck::core::ids::SessionId;
use authdeck::core::secret::Secret;
use authdeck::protocol::error::RpcError;
use authdeck::protocol::method::{Method as _, terminal};
use authdeck::protocol::request::{Destination, InputBytes, Submitted};
use base64::Engine as _;

use crate::common::supervisor::Supervisor;

/// Starts a command that is in no catalogue, and waits until its prompt, or else its URL, is seen.
fn start(supervisor: &Supervisor, script: &str, prompts: bool) -> SessionId {
    supervisor.home.write_file("work/login.py", script);
    let session = supervisor.run("exec python3 -u login.py");
    supervisor.wait_view("what it shows", &session, |view| {
        if prompts { view.prompt.is_some() } else { view.url.is_some() }
    });
    session
}

fn read(supervisor: &Supervisor, name: &str) -> String {
    std::fs::read_to_string(supervisor.home.work().join(name)).unwrap()
}

fn taken(supervisor: &Supervisor, session: &SessionId, paste: &str) -> Submitted {
    supervisor.submit(session, paste).unwrap_or_else(|error: RpcError| panic!("{}", error.message))
}

/// Waits for the end and reads what the child wrote down.
fn got(supervisor: &Supervisor, session: &SessionId) -> String {
    supervisor.wait_over(session);
    read(supervisor, "got")
}

#[test]
fn a_pasted_url_gives_its_code_to_the_prompt_where_nobody_listens() {
    let supervisor = Supervisor::start();
    let script = r#"
print("Open this URL to log in:\nhttps://accounts.example.com/o/oauth2/v2/auth?client_id=1&response_type=code&state=st-1&redirect_uri=http%3A%2F%2Flocalhost%3A8085%2Foauth2callback\n")
open("got", "w").write(input("Paste the authorization code here: "))
"#;
    let session = start(&supervisor, script, true);
    let paste = "http://localhost:8085/oauth2callback?state=st-1&code=4%2F0Abc-def&scope=email";
    assert!(taken(&supervisor, &session, paste).delivered);
    assert_eq!(got(&supervisor, &session), "4/0Abc-def");
}

#[test]
fn what_cannot_be_seen_at_the_end_of_a_code_is_left_out() {
    let supervisor = Supervisor::start();
    let script = r#"
print("Visit https://login.example.com/oauth/authorize?response_type=code&redirect_uri=https%3A%2F%2Flogin.example.com%2Fcode&state=s\n")
open("got", "w").write(input("Enter the code from your e-mail: "))
"#;
    let session = start(&supervisor, script, true);
    assert!(taken(&supervisor, &session, "\u{feff}Ab12-Cd34\u{ad}\u{200b}\n").delivered);
    assert_eq!(got(&supervisor, &session), "Ab12-Cd34");
}

#[test]
fn a_callback_of_the_clis_own_scheme_is_typed() {
    let supervisor = Supervisor::start();
    let script = r#"
print("Please open the following URL in a browser:\nhttps://login.example.com/saml/start?SAMLRequest=abc123&RelayState=x\n")
open("got", "w").write(input("Paste the callback URL (globalprotectcallback:...) here: "))
"#;
    let session = start(&supervisor, script, true);
    let paste = "globalprotectcallback:cas-as=1&un=dev&token=ey.abc-def_g";
    assert!(taken(&supervisor, &session, paste).delivered);
    assert_eq!(got(&supervisor, &session), paste);
}

/// A CLI that reads keys, asked for pastes to be marked, and drops them.
const DROPS_PASTES: &str = r#"
import os, re, sys, termios, tty
tty.setraw(0)
os.write(1, b"Open https://login.example.com/oauth/authorize?response_type=code&state=s&redirect_uri=https%3A%2F%2Flogin.example.com%2Fcode\r\n\r\n\x1b[?2004h")
os.write(1, b"Paste code here if prompted > ")
taken, pending = b"", b""
while True:
    pending += os.read(0, 4096)
    pending = re.sub(rb"\x1b\[200~.*?\x1b\[201~", b"", pending, flags=re.S)
    if b"\x1b[200~" in pending: continue
    taken += pending
    os.write(1, b"*" * len(pending.strip(b"\r")))
    pending = b""
    if taken.endswith(b"\r"): break
open("got", "wb").write(taken.strip(b"\r"))
"#;

#[test]
fn a_code_is_typed_where_the_field_drops_a_paste() {
    let supervisor = Supervisor::start();
    let session = start(&supervisor, DROPS_PASTES, true);
    assert!(taken(&supervisor, &session, "the-code-1234").delivered);
    assert_eq!(got(&supervisor, &session), "the-code-1234");
}

#[test]
fn enter_is_not_pressed_on_a_field_that_did_not_change() {
    let supervisor = Supervisor::start();
    let deaf = DROPS_PASTES
        .replace("taken += pending", "taken += pending.replace(b'\\r', b'!')")
        .replace("os.write(1, b\"*\" * len(pending.strip(b\"\\r\")))", "open('seen', 'wb').write(taken)");
    let session = start(&supervisor, &deaf, true);
    let submitted = taken(&supervisor, &session, "the-code-1234");
    assert!(
        !submitted.delivered && submitted.message.contains("Enter was not pressed"),
        "{}",
        submitted.message
    );
    assert_eq!(read(&supervisor, "seen"), "the-code-1234");
}

#[test]
fn a_token_that_the_kernel_would_cut_is_refused_however_it_is_handed_in() {
    let supervisor = Supervisor::start();
    let script = "open('got', 'w').write(input('config_token> '))";
    supervisor.home.write_file("work/login.py", script);
    let session = supervisor.run("exec python3 -u login.py");
    supervisor.wait_transcript(&session, "config_token>");
    let token = "x".repeat(4_915);
    let base64 = Secret::new(base64::engine::general_purpose::STANDARD.encode(format!("{token}\r")));
    let input = InputBytes { session_id: session.clone(), base64 };
    let refusal = supervisor.ask::<bool>(terminal::Input::request(input)).unwrap_err();
    assert!(
        refusal.message.starts_with("Nothing was typed") && refusal.message.contains("4095"),
        "{}",
        refusal.message
    );
    assert!(supervisor.type_text(&session, &format!("{}\r", &token[..4_000])));
    assert_eq!(got(&supervisor, &session).len(), 4_000);
}

#[test]
fn gpg_asks_on_the_sessions_own_terminal() {
    let supervisor = Supervisor::start();
    let session = supervisor.run("test \"$GPG_TTY\" = \"$(tty)\" && echo the same terminal; read line");
    supervisor.wait_transcript(&session, "the same terminal");
}

/// A CLI whose page sends the browser on to the port that it listens on.
fn listener(url: &str) -> String {
    format!(
        r#"
import http.server
class Callback(http.server.BaseHTTPRequestHandler):
    def log_message(self, *arguments): pass
    def do_GET(self):
        open("got", "w").write(self.path)
        self.send_response(200); self.end_headers(); self.wfile.write(b"Signed in, close this window")
server = http.server.HTTPServer(("127.0.0.1", 0), Callback)
open("port", "w").write(str(server.server_port))
print("Open this URL in your browser to log in:\n" + "{url}".replace("PORT", str(server.server_port)) + "\n")
server.handle_request()
"#
    )
}

#[test]
fn a_port_on_which_the_session_listens_takes_the_callback_that_its_url_does_not_name() {
    for (url, target) in [
        (
            "https://art.example.com/oauth2/authorize?client_id=1&response_type=code&state=st-1&redirect_uri=https%3A%2F%2Fcli.example.io%2Fredirect.html",
            "/?code=abc&state=st-1",
        ),
        ("http://localhost:PORT/login", "/login-callback?code=abc&state=xyz"),
    ] {
        let supervisor = Supervisor::start();
        let session = start(&supervisor, &listener(url), false);
        let port = read(&supervisor, "port");
        let submitted = taken(&supervisor, &session, &format!("http://localhost:{port}{target}"));
        assert!(submitted.delivered && submitted.message.contains("Signed in"), "{}", submitted.message);
        assert_eq!(submitted.destination, Destination::Loopback);
        assert_eq!(got(&supervisor, &session), target);
    }
}

#[test]
fn a_whole_callback_url_gives_its_code_where_the_login_names_no_redirect() {
    let supervisor = Supervisor::start();
    let script = r#"
print("Opening a browser with\nhttps://app-api.example.net/web/v1/login?code_challenge=x1&code_challenge_method=S256&client=app\n")
print("Copy its 'code' query parameter, paste it below, and press Enter.\nMore than just the 'code' value will work as well, such as the entire URL.\n")
open("got", "w").write(input("Enter the code: "))
"#;
    let session = start(&supervisor, script, true);
    let paste = "https://app-api.example.net/web/v1/users/auth/callback?state=z&code=AbC-1_x";
    assert!(taken(&supervisor, &session, paste).delivered);
    assert!(got(&supervisor, &session).ends_with("AbC-1_x"));
}

#[test]
fn a_token_is_typed_where_the_page_shows_one() {
    let supervisor = Supervisor::start();
    let script = r#"
print("Paste this URL in a browser to log in:\nhttps://account.example.com/oauth2_user/authorize2?response_type=code&client_id=1&state=OK&scope=x&redirect_uri=https%3A%2F%2Fdev.example.io%2Fwithings.html&\n")
print("You will be redirected and shown a token; copy it and paste it here")
open("got", "w").write(input("Token : "))
"#;
    let session = start(&supervisor, script, true);
    assert!(taken(&supervisor, &session, "abc-token-123").delivered);
    assert_eq!(got(&supervisor, &session), "abc-token-123");
}
