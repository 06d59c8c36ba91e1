//! Hands a callback URL to the child's loopback listener, as the browser would have done had it run on this box.
//!
//! Plain HTTP/1.1 over TCP to 127.0.0.1, then ::1, with the `Host` that the browser would have sent. A redirect is
//! followed only to the very same listener (codex ends its login when its own `/success` page is fetched); any other
//! target is reported and never contacted.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use url::Url;
use zeroize::Zeroizing;

mod response;

use response::{Response, ResponseError};

use crate::core::callback::CallbackRequest;
use crate::core::secret::Secret;

/// How many redirects to the same listener are followed.
const REDIRECTS: usize = 3;
/// How many bytes of an answer are read.
const ANSWER_BYTES: usize = 64 * 1024;

/// What the listener said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replayed {
    /// The HTTP status code of the last answer.
    pub status: u16,
    /// The page in one line, tags stripped and control characters removed; absent if it said nothing. For a redirect
    /// that was not followed, where it goes.
    pub page: Option<String>,
}

/// Why the callback was not taken.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// Not a request that may be replayed. The core checked it before, so this is a second lock on the same door.
    #[error("only http requests to this machine's loopback are replayed")]
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

/// Replays a callback that the core has recognised and checked. The whole exchange takes at most `limit`.
///
/// # Errors
/// See [`ReplayError`].
pub async fn replay(request: &CallbackRequest, limit: Duration) -> Result<Replayed, ReplayError> {
    let first = Target::new(request)?;
    let port = request.port;
    tokio::time::timeout(limit, follow(first, &request.addresses))
        .await
        .unwrap_or(Err(ReplayError::TimedOut { port, seconds: limit.as_secs() }))
}

async fn follow(mut target: Target, addresses: &[IpAddr]) -> Result<Replayed, ReplayError> {
    let mut followed = 0;
    loop {
        let response = fetch(&target, addresses).await?;
        let page = Some(response.line()).filter(|line| !line.is_empty());
        let Some(location) = response.redirect() else {
            return Ok(Replayed { status: response.status, page });
        };
        match target.sibling(location) {
            Some(next) if followed < REDIRECTS => target = next,
            Some(_) => return Ok(Replayed { status: response.status, page }),
            None => {
                let page = Some(format!("a redirect to {}, not followed", target.host_of(location)));
                return Ok(Replayed { status: response.status, page });
            }
        }
        followed += 1;
    }
}

/// A page of a loopback listener. It has the callback's code in it, so it is never shown and is wiped when dropped.
struct Target {
    host_header: String,
    port: u16,
    path_and_query: Secret,
}

impl Target {
    fn new(request: &CallbackRequest) -> Result<Self, ReplayError> {
        let target = Self {
            host_header: request.host_header.clone(),
            port: request.port,
            path_and_query: request.target.clone(),
        };
        let addresses_fit =
            request.addresses.iter().all(IpAddr::is_loopback) && !request.addresses.is_empty();
        let one_word = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        let path = target.path_and_query.secret();
        let fits = addresses_fit && one_word(&target.host_header) && one_word(path) && path.starts_with('/');
        if fits { Ok(target) } else { Err(ReplayError::NotLoopback) }
    }

    fn resolve(&self, location: &str) -> Option<Url> {
        let base =
            Url::parse(&format!("http://{}{}", self.host_header, self.path_and_query.secret())).ok()?;
        base.join(location).ok()
    }

    /// Resolves a redirect, if it stays with the same listener.
    fn sibling(&self, location: &str) -> Option<Self> {
        let url = self.resolve(location)?;
        let loopback = match url.host()? {
            url::Host::Domain(name) => name.eq_ignore_ascii_case("localhost"),
            url::Host::Ipv4(address) => address.is_loopback(),
            url::Host::Ipv6(address) => address.is_loopback(),
        };
        let same = url.scheme() == "http" && loopback && url.port_or_known_default() == Some(self.port);
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        same.then(|| Self {
            host_header: format!("{}:{}", url.host_str().unwrap_or("localhost"), self.port),
            port: self.port,
            path_and_query: Secret::new(format!("{}{query}", url.path())),
        })
    }

    fn host_of(&self, location: &str) -> String {
        let host = self.resolve(location).and_then(|url| url.host_str().map(str::to_owned));
        host.unwrap_or_else(|| "a place that is no URL".to_owned())
    }

    /// Writes the request. Neither part has a space or control character in it, so no line can be smuggled in.
    fn request(&self) -> Zeroizing<String> {
        Zeroizing::new(format!(
            "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: authdeck\r\nAccept: text/html,*/*\r\n\
             Connection: close\r\n\r\n",
            self.path_and_query.secret(),
            self.host_header,
        ))
    }
}

async fn connect(port: u16, addresses: &[IpAddr]) -> Result<TcpStream, ReplayError> {
    for address in addresses {
        // Whatever the first one fails with, the next may be where the child listens.
        if let Ok(stream) = TcpStream::connect(SocketAddr::new(*address, port)).await {
            return Ok(stream);
        }
    }
    Err(ReplayError::ListenerGone { port })
}

async fn fetch(target: &Target, addresses: &[IpAddr]) -> Result<Response, ReplayError> {
    let port = target.port;
    let broken = |source| ReplayError::Broken { port, source };
    let mut stream = connect(port, addresses).await?;
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
    use std::net::{Ipv4Addr, Ipv6Addr};
    use tokio::net::TcpListener;

    fn callback(port: u16, target: &str) -> CallbackRequest {
        CallbackRequest {
            host_header: format!("localhost:{port}"),
            port,
            target: Secret::new(target),
            addresses: vec![IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)],
        }
    }

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
        let replayed = replay(&callback(port, path), Duration::from_secs(10)).await.unwrap();
        (replayed, server.await.unwrap())
    }

    fn page(body: &str) -> String {
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
    }

    #[tokio::test]
    async fn the_listener_gets_the_callback_with_the_browsers_host_and_its_answer_is_shown() {
        let answer = page("<html><title>x</title><p>You can   close this&nbsp;window</p></html>");
        let (replayed, requests) = exchange("127.0.0.1", "/callback?code=a%2Fb&state=s", vec![answer]).await;
        assert_eq!((replayed.status, replayed.page.as_deref()), (200, Some("You can close this window")));
        assert!(requests[0].starts_with("GET /callback?code=a%2Fb&state=s HTTP/1.1\r\nHost: localhost:"));
    }

    #[tokio::test]
    async fn a_listener_on_the_other_loopback_address_is_found() {
        let (replayed, _) = exchange("::1", "/cb?code=1", vec![page("done")]).await;
        assert_eq!(replayed.page.as_deref(), Some("done"));
    }

    #[tokio::test]
    async fn a_redirect_to_the_same_listener_is_followed() {
        let hop =
            "HTTP/1.1 302 Found\r\nLocation: http://localhost:PORT/success?id=1\r\nContent-Length: 0\r\n\r\n";
        let (replayed, requests) =
            exchange("127.0.0.1", "/cb?code=1", vec![hop.into(), page("Signed in")]).await;
        assert_eq!(replayed.page.as_deref(), Some("Signed in"));
        assert!(requests[1].starts_with("GET /success?id=1 HTTP/1.1\r\n"));
    }

    #[tokio::test]
    async fn a_redirect_to_anywhere_else_is_reported_and_not_followed() {
        let hop = "HTTP/1.1 302 Found\r\nLocation: https://example.com/next?token=1\r\n\r\n";
        let (replayed, _) = exchange("127.0.0.1", "/cb?code=1", vec![hop.into()]).await;
        assert_eq!(replayed.status, 302);
        assert_eq!(replayed.page.as_deref(), Some("a redirect to example.com, not followed"));
    }

    #[tokio::test]
    async fn a_refusal_is_no_success() {
        let answer = "HTTP/1.1 400 Bad Request\r\n\r\nState mismatch".to_owned();
        let (replayed, _) = exchange("127.0.0.1", "/cb?code=1", vec![answer]).await;
        assert_eq!((replayed.status, replayed.page.as_deref()), (400, Some("State mismatch")));
    }

    #[tokio::test]
    async fn without_a_listener_the_error_says_so() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let error = replay(&callback(port, "/"), Duration::from_secs(10)).await.unwrap_err();
        assert!(matches!(error, ReplayError::ListenerGone { .. }), "{error}");
    }

    #[tokio::test]
    async fn a_listener_that_never_answers_is_given_up() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let error = replay(&callback(port, "/"), Duration::from_millis(50)).await.unwrap_err();
        assert!(matches!(error, ReplayError::TimedOut { .. }), "{error}");
    }

    #[tokio::test]
    async fn something_that_is_no_http_is_named() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = tokio::spawn(serve(listener, vec!["SSH-2.0-OpenSSH\r\n".into()]));
        let error = replay(&callback(port, "/"), Duration::from_secs(10)).await.unwrap_err();
        assert!(matches!(error, ReplayError::NotHttp { .. }), "{error}");
        server.await.unwrap();
    }

    #[tokio::test]
    async fn other_machines_are_never_contacted() {
        let good = callback(80, "/");
        let elsewhere = CallbackRequest { addresses: vec!["192.0.2.1".parse().unwrap()], ..good.clone() };
        let nowhere = CallbackRequest { addresses: Vec::new(), ..good.clone() };
        let smuggled = CallbackRequest { target: Secret::new("/ HTTP/1.1\r\nHost: x\r\n\r\n"), ..good };
        for request in [elsewhere, nowhere, smuggled] {
            let error = replay(&request, Duration::from_secs(1)).await.unwrap_err();
            assert!(matches!(error, ReplayError::NotLoopback), "{error}");
        }
    }
}
