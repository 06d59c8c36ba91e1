//! A real browser before the TCP port: what a page of another origin can do, and one whose name was rebound.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::process::{Child, Stdio};

use authdeck::client::Client;
use authdeck::server::tcp;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::common::env::Home;
use super::common::http::exchange;
use super::common::peer;
use super::common::served::Served;
use super::common::wait::GENEROUS;

/// Tries every WebSocket that it is given, one after the other, reports what became of each, and goes to the next page.
const PAGE: &str = "<!doctype html><script>
const { attempts, next } = JOB;
const attempt = ({ url, ticket }) => new Promise((tell) => {
  const socket = new WebSocket(url, ['authdeck', 'ticket.' + ticket]);
  socket.onerror = () => tell('refused');
  socket.onopen = () => socket.send('{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"session.list\"}');
  socket.onmessage = (message) => { tell(socket.protocol + ' ' + message.data); socket.close(); };
});
(async () => {
  for (const one of attempts) {
    const body = JSON.stringify({ name: one.name, outcome: await attempt(one) });
    await fetch('/report', { method: 'POST', body });
  }
  location = next;
})();
</script>";

/// A page by the host that serves it, and the attempts that it makes.
type Pages = HashMap<String, Value>;

/// Serves the pages, whatever name they are asked for by, and passes on what they report.
async fn serve_pages(listener: TcpListener, pages: Pages, reports: mpsc::Sender<Value>) {
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        let (head, body) = read_request(&mut stream).await;
        let line = |name: &str| {
            head.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim().to_owned()
        };
        let page = match head.split(' ').nth(1) {
            Some("/report") => {
                reports.send(serde_json::from_slice(&body).unwrap()).await.unwrap();
                String::new()
            }
            Some("/page") => PAGE.replace("JOB", &pages[&line("Host:")].to_string()),
            _ => String::new(),
        };
        let length = page.len();
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{page}"
        );
        // The browser may have gone on already.
        let _ = stream.write_all(answer.as_bytes()).await;
    }
}

async fn read_request(stream: &mut TcpStream) -> (String, Vec<u8>) {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let length = head
                .lines()
                .find_map(|line| line.to_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
            let body = end + 4..end + 4 + length.unwrap_or(0);
            if bytes.len() >= body.end {
                return (head, bytes[body].to_vec());
            }
        }
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return (String::new(), Vec::new());
        }
    }
}

/// A headless Chromium for which every name is this machine.
struct Browser(Child);

impl Browser {
    fn start(home: &Home, address: &str) -> Self {
        let mut command = home.command("chromium");
        command.args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--host-resolver-rules=MAP *.test 127.0.0.1",
            // Without it headless Chromium prints the first page and ends.
            "--remote-debugging-port=0",
        ]);
        command.arg(format!("--user-data-dir={}", home.work().join("chromium").display())).arg(address);
        Self(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _already_gone = self.0.kill();
        let _reaped = self.0.wait();
    }
}

async fn ticket(client: &Client) -> String {
    client.mint_ticket(None).await.unwrap().ticket.secret().to_owned()
}

/// Whether a ticket is good for one call now.
async fn is_unused(address: SocketAddr, ticket: &str) -> bool {
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"session.list"}"#;
    let request = format!(
        "POST /api/rpc HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {ticket}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    exchange(TcpStream::connect(address).await.unwrap(), &request).await.status == 200
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_page_of_an_allowed_origin_gets_in_even_with_a_valid_ticket() {
    if !peer::has("only_a_page_of_an_allowed_origin_gets_in_even_with_a_valid_ticket", &["chromium"]) {
        return;
    }
    let home = Home::new();
    let supervisor = Served::start(&home).await;
    let (client, _events) = supervisor.connect().await;
    let pages = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = pages.local_addr().unwrap().port();
    let allowed = format!("http://panel.test:{port}");
    let over_tcp = tcp::listen("127.0.0.1:0".parse().unwrap(), &[allowed], &supervisor.handle).await.unwrap();
    let address = over_tcp.address();

    let (own, rebound) =
        (format!("ws://{address}/api/ws"), format!("ws://evil.test:{}/api/ws", address.port()));
    let mut tickets = HashMap::new();
    let mut attempts = Vec::new();
    for (page, name, url) in [
        ("127.0.0.1", "another port of this machine", &own),
        ("evil.test", "a foreign origin", &own),
        ("evil.test", "a rebound name", &rebound),
        ("panel.test", "an allowed origin by a rebound name", &rebound),
        ("panel.test", "an allowed origin", &own),
    ] {
        let ticket = ticket(&client).await;
        attempts.push((page, json!({"name": name, "url": url, "ticket": ticket})));
        tickets.insert(name, ticket);
    }
    let page = |host: &str, next: &str| {
        let mine: Vec<&Value> =
            attempts.iter().filter(|(page, _)| *page == host).map(|(_, attempt)| attempt).collect();
        (format!("{host}:{port}"), json!({"attempts": mine, "next": format!("http://{next}:{port}/page")}))
    };
    let served = Pages::from([
        page("127.0.0.1", "evil.test"),
        page("evil.test", "panel.test"),
        page("panel.test", "end.test"),
        (format!("end.test:{port}"), json!({"attempts": [], "next": "about:blank"})),
    ]);
    let (reports, mut reported) = mpsc::channel(16);
    tokio::spawn(serve_pages(pages, served, reports));

    let _browser = Browser::start(&home, &format!("http://127.0.0.1:{port}/page"));
    for (_, attempt) in &attempts {
        let report = timeout(GENEROUS, reported.recv()).await.expect("no word of the browser").unwrap();
        assert_eq!(report["name"], attempt["name"]);
        let (name, outcome) = (attempt["name"].as_str().unwrap(), report["outcome"].as_str().unwrap());
        let legal = name == "an allowed origin";
        if legal {
            assert!(outcome.starts_with("authdeck {") && outcome.contains("sessions"), "{report}");
        } else {
            assert_eq!(outcome, "refused", "{name}");
        }
        assert_eq!(is_unused(address, &tickets[name]).await, !legal, "{name}: the ticket");
    }
}
