//! HTTP by hand: what a test sends is what it says.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::Path;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::wait::GENEROUS;

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// Sends a request as it stands and reads until the other side closes.
pub async fn exchange(mut stream: impl AsyncRead + AsyncWrite + Unpin, request: &str) -> Answer {
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    timeout(GENEROUS, stream.read_to_end(&mut bytes)).await.expect("no end of the answer").unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}

/// A request with a body, or without one.
pub fn request(method: &str, path: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("{method} {path} HTTP/1.1\r\nHost: authdeck\r\n{headers}Content-Length: {length}\r\n\r\n{body}")
}

/// Makes one call over a Unix socket.
pub async fn call(socket: &Path, body: &str) -> Answer {
    let stream = UnixStream::connect(socket).await.unwrap();
    exchange(stream, &request("POST", "/api/rpc", "", body)).await
}

/// A WebSocket over TCP whose opening handshake the test wrote itself.
#[derive(Debug)]
pub struct Socket {
    head: String,
    socket: WebSocketStream<TcpStream>,
    told: VecDeque<Value>,
}

impl Socket {
    /// Opens one with these headers and no other. Absent headers are absent.
    ///
    /// # Errors
    /// Returns the answer if it is another one than 101.
    pub async fn open(address: SocketAddr, path: &str, headers: &str) -> Result<Self, Answer> {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!(
            "GET {path} HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        let reading = async {
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.unwrap());
            }
        };
        timeout(GENEROUS, reading).await.expect("no end of the head");
        let head = String::from_utf8(head).unwrap();
        let status: u16 = head.split(' ').nth(1).unwrap().parse().unwrap();
        if status == 101 {
            let socket = WebSocketStream::from_raw_socket(stream, Role::Client, None).await;
            return Ok(Self { head, socket, told: VecDeque::new() });
        }
        let mut body = String::new();
        timeout(GENEROUS, stream.read_to_string(&mut body)).await.expect("no end of the answer").unwrap();
        Err(Answer { status, head, body })
    }

    /// The value of a header of the handshake's answer; `name` in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(known, _)| known.to_ascii_lowercase() == name).map(|(_, value)| value)
    }

    /// Says something and returns what comes back.
    pub async fn ask(&mut self, said: &Value) -> Value {
        self.socket.send(Message::text(said.to_string())).await.unwrap();
        self.hear().await.unwrap_or_else(|| panic!("no answer to {said}"))
    }

    /// Makes a call and returns its answer; what comes before it is kept for [`Self::told`].
    pub async fn call(&mut self, method: &str, params: Value) -> Value {
        let call = json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params});
        let mut told = self.ask(&call).await;
        while told["id"] != 7 {
            self.told.push_back(told);
            told = self.hear().await.unwrap_or_else(|| panic!("no answer to {call}"));
        }
        told
    }

    /// The next notification of this kind, also one that came before an answer.
    pub async fn told(&mut self, kind: &str) -> Value {
        loop {
            let told = match self.told.pop_front() {
                Some(told) => told,
                None => self.hear().await.unwrap_or_else(|| panic!("no {kind}")),
            };
            if told["method"] == kind {
                return told;
            }
        }
    }

    /// The next frame; absent if the connection ended.
    pub async fn hear(&mut self) -> Option<Value> {
        loop {
            match timeout(GENEROUS, self.socket.next()).await.expect("nothing came") {
                Some(Ok(Message::Text(text))) => return Some(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }
}
