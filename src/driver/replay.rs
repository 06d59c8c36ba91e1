//! Hands a callback URL to the child's loopback listener, as the browser would have done had it run on this box.
//!
//! Plain HTTP/1.1 over TCP to 127.0.0.1, then ::1, with the `Host` that the browser would have sent. A redirect is
//! followed only to the very same listener (codex ends its login when its own `/success` page is fetched); any other
//! target is reported and never contacted.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use url::Url;

mod response;

use response::{Response, ResponseError};

/// How many redirects to the same listener are followed.
const REDIRECTS: usize = 3;
/// How many bytes of an answer are read.
const ANSWER_BYTES: usize = 64 * 1024;

/// What the listener said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replayed {
    /// The HTTP status code of the last answer.
    pub status: u16,
    /// The answer in one line, tags stripped and control characters removed; empty if it said nothing.
    pub text: String,
    /// The host of a redirect that was not followed.
    pub redirect: Option<String>,
}

impl Replayed {
    /// Tells whether the listener took the callback.
    pub fn is_accepted(&self) -> bool {
        (200..400).contains(&self.status)
    }

    /// Returns the sentence for the person: `HTTP 200: "You can close this window"`.
    pub fn message(&self) -> String {
        match (&self.redirect, self.text.as_str()) {
            (Some(host), _) => format!("HTTP {}, a redirect to {host} that was not followed", self.status),
            (None, "") => format!("HTTP {}", self.status),
            (None, text) => format!("HTTP {}: \"{text}\"", self.status),
        }
    }
}

/// Why the callback was not taken.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// Not a URL that may be replayed. The core checked it before, so this is a second lock on the same door.
    #[error("only http URLs of this machine's loopback are replayed")]
    NotLoopback,
    /// Nobody listens.
    #[error(
        "nothing listens on port {port} any more: the CLI has given this attempt up, or ended; start the login again"
    )]
    ListenerGone {
        /// The port.
        port: u16,
    },
    /// The listener took the connection and did not answer in time.
    #[error(
        "the CLI's listener on port {port} did not answer within {seconds} s; look at its screen, or kill it and start again"
    )]
    TimedOut {
        /// The port.
        port: u16,
        /// The limit.
        seconds: u64,
    },
    /// The connection broke.
    #[error("the connection to the CLI's listener on port {port} broke: {source}; look at its screen")]
    Broken {
        /// The port.
        port: u16,
        /// What the system said.
        source: std::io::Error,
    },
    /// The answer is not HTTP.
    #[error("what listens on port {port} does not speak HTTP; look at the CLI's screen")]
    NotHttp {
        /// The port.
        port: u16,
    },
}

/// Replays `callback`, which the core has recognised and checked.
///
/// # Errors
/// See [`ReplayError`].
pub async fn replay(callback: &str, limit: Duration) -> Result<Replayed, ReplayError> {
    let first = Target::parse(callback)?;
    let port = first.port;
    tokio::time::timeout(limit, follow(first))
        .await
        .unwrap_or(Err(ReplayError::TimedOut { port, seconds: limit.as_secs() }))
}

async fn follow(mut target: Target) -> Result<Replayed, ReplayError> {
    let mut followed = 0;
    loop {
        let response = fetch(&target).await?;
        let Some(location) = response.redirect() else {
            return Ok(Replayed { status: response.status, text: response.line(), redirect: None });
        };
        match target.sibling(location) {
            Some(next) if followed < REDIRECTS => target = next,
            Some(_) => {
                return Ok(Replayed { status: response.status, text: response.line(), redirect: None });
            }
            None => {
                let host = target.host_of(location);
                return Ok(Replayed { status: response.status, text: String::new(), redirect: Some(host) });
            }
        }
        followed += 1;
    }
}

/// A page of a loopback listener.
#[derive(Clone, Debug)]
struct Target {
    url: Url,
    port: u16,
}

impl Target {
    fn parse(text: &str) -> Result<Self, ReplayError> {
        let url = Url::parse(text).map_err(|_| ReplayError::NotLoopback)?;
        let port = url.port_or_known_default().ok_or(ReplayError::NotLoopback)?;
        let loopback = match url.host() {
            Some(url::Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        if url.scheme() != "http" || !loopback {
            return Err(ReplayError::NotLoopback);
        }
        Ok(Self { url, port })
    }

    /// Resolves a redirect, if it stays with the same listener.
    fn sibling(&self, location: &str) -> Option<Self> {
        let next = Self::parse(self.url.join(location).ok()?.as_str()).ok()?;
        (next.port == self.port).then_some(next)
    }

    fn host_of(&self, location: &str) -> String {
        let host = self.url.join(location).ok().and_then(|url| url.host_str().map(str::to_owned));
        host.unwrap_or_else(|| "a place that is no URL".to_owned())
    }

    /// Writes the request. A parsed URL has no control character or space in it, so no line can be smuggled in.
    fn request(&self) -> String {
        let host = self.url.host_str().unwrap_or("localhost");
        let query = self.url.query().map(|query| format!("?{query}")).unwrap_or_default();
        format!(
            "GET {}{query} HTTP/1.1\r\nHost: {host}:{}\r\nUser-Agent: authdeck\r\nAccept: text/html,*/*\r\n\
             Connection: close\r\n\r\n",
            self.url.path(),
            self.port,
        )
    }
}

async fn connect(port: u16) -> Result<TcpStream, ReplayError> {
    let addresses = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
    for address in addresses {
        // Whatever the first one fails with, the second may be where the child listens.
        if let Ok(stream) = TcpStream::connect(SocketAddr::new(address, port)).await {
            return Ok(stream);
        }
    }
    Err(ReplayError::ListenerGone { port })
}

async fn fetch(target: &Target) -> Result<Response, ReplayError> {
    let port = target.port;
    let broken = |source| ReplayError::Broken { port, source };
    let mut stream = connect(port).await?;
    stream.write_all(target.request().as_bytes()).await.map_err(broken)?;
    let mut received = Vec::new();
    loop {
        match Response::parse(&received, received.len() >= ANSWER_BYTES) {
            Ok(Some(response)) => return Ok(response),
            Ok(None) => {}
            Err(ResponseError) => return Err(ReplayError::NotHttp { port }),
        }
        let read = match stream.read_buf(&mut received).await {
            Ok(read) => read,
            // Some listeners exit right after their answer, and the kernel then resets the connection.
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset && !received.is_empty() => 0,
            Err(error) => return Err(broken(error)),
        };
        if read == 0 {
            let last =
                Response::parse(&received, true).map_err(|ResponseError| ReplayError::NotHttp { port })?;
            return last.ok_or(ReplayError::NotHttp { port });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    /// Serves the given answers, one connection each, and returns the requests it saw.
    async fn serve(listener: TcpListener, answers: Vec<String>) -> Vec<String> {
        let mut requests = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                assert_ne!(stream.read_buf(&mut request).await.unwrap(), 0);
            }
            requests.push(String::from_utf8(request).unwrap());
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
        requests
    }

    async fn exchange(address: &str, path: &str, answers: Vec<String>) -> (Replayed, Vec<String>) {
        let listener = TcpListener::bind((address, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let answers = answers.iter().map(|answer| answer.replace("PORT", &port.to_string())).collect();
        let server = tokio::spawn(serve(listener, answers));
        let url = format!("http://localhost:{port}{path}");
        let replayed = replay(&url, Duration::from_secs(10)).await.unwrap();
        (replayed, server.await.unwrap())
    }

    fn page(body: &str) -> String {
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
    }

    #[tokio::test]
    async fn the_listener_gets_the_callback_with_the_browsers_host_and_its_answer_is_shown() {
        let answer = page("<html><title>x</title><p>You can   close this&nbsp;window</p></html>");
        let (replayed, requests) = exchange("127.0.0.1", "/callback?code=a%2Fb&state=s", vec![answer]).await;
        assert_eq!(replayed.message(), "HTTP 200: \"You can close this window\"");
        assert!(requests[0].starts_with("GET /callback?code=a%2Fb&state=s HTTP/1.1\r\nHost: localhost:"));
    }

    #[tokio::test]
    async fn a_listener_on_the_other_loopback_address_is_found() {
        let (replayed, _) = exchange("::1", "/cb?code=1", vec![page("done")]).await;
        assert_eq!(replayed.message(), "HTTP 200: \"done\"");
    }

    #[tokio::test]
    async fn a_redirect_to_the_same_listener_is_followed() {
        let hop =
            "HTTP/1.1 302 Found\r\nLocation: http://localhost:PORT/success?id=1\r\nContent-Length: 0\r\n\r\n";
        let (replayed, requests) =
            exchange("127.0.0.1", "/cb?code=1", vec![hop.into(), page("Signed in")]).await;
        assert_eq!(replayed.message(), "HTTP 200: \"Signed in\"");
        assert!(requests[1].starts_with("GET /success?id=1 HTTP/1.1\r\n"));
    }

    #[tokio::test]
    async fn a_redirect_to_anywhere_else_is_reported_and_not_followed() {
        let hop = "HTTP/1.1 302 Found\r\nLocation: https://example.com/next?token=1\r\n\r\n";
        let (replayed, _) = exchange("127.0.0.1", "/cb?code=1", vec![hop.into()]).await;
        assert_eq!(replayed.message(), "HTTP 302, a redirect to example.com that was not followed");
        assert!(replayed.is_accepted());
    }

    #[tokio::test]
    async fn a_refusal_is_no_success() {
        let answer = "HTTP/1.1 400 Bad Request\r\n\r\nState mismatch".to_owned();
        let (replayed, _) = exchange("127.0.0.1", "/cb?code=1", vec![answer]).await;
        assert!(!replayed.is_accepted());
        assert_eq!(replayed.message(), "HTTP 400: \"State mismatch\"");
    }

    #[tokio::test]
    async fn without_a_listener_the_error_says_so() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let error = replay(&format!("http://127.0.0.1:{port}/"), Duration::from_secs(10)).await.unwrap_err();
        assert!(matches!(error, ReplayError::ListenerGone { .. }), "{error}");
    }

    #[tokio::test]
    async fn a_listener_that_never_answers_is_given_up() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let error =
            replay(&format!("http://127.0.0.1:{port}/"), Duration::from_millis(50)).await.unwrap_err();
        assert!(matches!(error, ReplayError::TimedOut { .. }), "{error}");
    }

    #[tokio::test]
    async fn something_that_is_no_http_is_named() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = tokio::spawn(serve(listener, vec!["SSH-2.0-OpenSSH\r\n".into()]));
        let error = replay(&format!("http://127.0.0.1:{port}/"), Duration::from_secs(10)).await.unwrap_err();
        assert!(matches!(error, ReplayError::NotHttp { .. }), "{error}");
        server.await.unwrap();
    }

    #[tokio::test]
    async fn other_machines_are_never_contacted() {
        for url in ["http://example.com/", "https://localhost/", "http://192.0.2.1:80/", "file:///etc/passwd"]
        {
            let error = replay(url, Duration::from_secs(1)).await.unwrap_err();
            assert!(matches!(error, ReplayError::NotLoopback), "{url}: {error}");
        }
    }
}
