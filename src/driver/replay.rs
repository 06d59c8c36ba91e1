//! Hands a callback URL to the child's loopback listener, as the browser would have done had it run on this box.
//!
//! Plain HTTP/1.1 over TCP to 127.0.0.1, then ::1, with the `Host` that the browser would have sent. A redirect is
//! followed only to the very same listener (codex ends its login when its own `/success` page is fetched); any other
//! target is reported and never contacted.
//!
//! Before a byte is sent the kernel is asked whose the listener is: once before the connection and once on it, so that
//! the answer is of what was connected to. Nothing is sent to a listener that is not the session's.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use url::Url;
use zeroize::Zeroizing;

mod response;

use response::{Response, ResponseError};

use crate::core::callback::{Admission, CallbackRequest, ListenerOwner};
use crate::core::secret::Secret;

/// How many redirects to the same listener are followed.
const REDIRECTS: usize = 3;
/// How many bytes of an answer are read.
const ANSWER_BYTES: usize = 64 * 1024;
/// How long the rest of an answer is waited for once its status is known.
const BODY_LIMIT: Duration = Duration::from_secs(2);

/// Says whether the session's callback may go to what listens at an address. It reads `/proc`, so it blocks.
pub type Gate = Arc<dyn Fn(IpAddr, u16) -> Admission + Send + Sync>;

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
    /// What listens is not the session's.
    #[error("port {port} is held by {holder}, which does not belong to this login, so nothing was sent")]
    NotOurs {
        /// The port.
        port: u16,
        /// Who holds it.
        holder: String,
    },
    /// The listener took the connection and the request, and closed without a word.
    #[error("the CLI's listener on port {port} closed without answering")]
    Closed {
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

impl ReplayError {
    /// Returns what the listener did with the request, as the end of a sentence, if it has got it or may have.
    pub fn after_sending(&self) -> Option<String> {
        match self {
            Self::NotLoopback | Self::ListenerGone { .. } | Self::NotOurs { .. } => None,
            Self::Closed { .. } => Some("closed without answering".to_owned()),
            Self::TimedOut { seconds, .. } => Some(format!("did not answer within {seconds} s")),
            Self::Broken { source, .. } => Some(format!("broke the connection off ({source})")),
            Self::NotHttp { .. } => Some("answered with something that is no HTTP".to_owned()),
        }
    }
}

/// Replays a callback that the core has recognised and checked. The whole exchange takes at most `limit`.
///
/// # Errors
/// See [`ReplayError`].
pub async fn replay(
    request: &CallbackRequest,
    gate: &Gate,
    limit: Duration,
) -> Result<Replayed, ReplayError> {
    let first = Target::new(request)?;
    let port = request.port;
    tokio::time::timeout(limit, follow(first, &request.addresses, gate))
        .await
        .unwrap_or(Err(ReplayError::TimedOut { port, seconds: limit.as_secs() }))
}

async fn follow(mut target: Target, addresses: &[IpAddr], gate: &Gate) -> Result<Replayed, ReplayError> {
    let (mut followed, mut answered) = (0, 0);
    loop {
        let response = match fetch(&target, addresses, gate).await {
            Ok(response) => response,
            // The callback itself was answered; only the page behind it is missing.
            Err(_) if followed > 0 => return Ok(Replayed { status: answered, page: None }),
            Err(error) => return Err(error),
        };
        answered = response.status;
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

/// Connects to the first address at which the session listens.
async fn connect(port: u16, addresses: &[IpAddr], gate: &Gate) -> Result<TcpStream, ReplayError> {
    let mut stranger = None;
    for address in addresses {
        let before = ask(gate, *address, port).await;
        if let Admission::Refused(owner) = before {
            stranger = stranger.or(Some(owner));
            continue;
        }
        // Whatever it fails with, the next address may be where the child listens.
        let Ok(stream) = TcpStream::connect(SocketAddr::new(*address, port)).await else { continue };
        match ask(gate, *address, port).await {
            Admission::Admitted if before == Admission::Admitted => return Ok(stream),
            Admission::Refused(owner) => stranger = stranger.or(Some(owner)),
            Admission::Admitted | Admission::Nobody => {}
        }
    }
    Err(match stranger {
        Some(owner) => ReplayError::NotOurs { port, holder: holder(owner) },
        None => ReplayError::ListenerGone { port },
    })
}

/// Asks beside everything else, for reading `/proc` takes a while. What cannot be asked is not admitted.
async fn ask(gate: &Gate, address: IpAddr, port: u16) -> Admission {
    let gate = Arc::clone(gate);
    tokio::task::spawn_blocking(move || gate(address, port)).await.unwrap_or(Admission::Nobody)
}

fn holder(owner: ListenerOwner) -> String {
    match owner {
        ListenerOwner::Session { title, .. } => format!("another login of this deck, \"{title}\""),
        ListenerOwner::Program { holder } | ListenerOwner::Unseen { holder } => holder,
        ListenerOwner::OtherUser { user_id } => format!("a process of another user (id {user_id})"),
    }
}

async fn fetch(target: &Target, addresses: &[IpAddr], gate: &Gate) -> Result<Response, ReplayError> {
    let port = target.port;
    let mut stream = connect(port, addresses, gate).await?;
    let broken = |source| ReplayError::Broken { port, source };
    stream.write_all(target.request().as_bytes()).await.map_err(broken)?;
    let mut received = Vec::new();
    // Once the status is known, what is missing is only the page.
    let mut until = None;
    loop {
        let enough = received.len() >= ANSWER_BYTES;
        if let Some(response) = parse(&received, enough, port)? {
            return Ok(response);
        }
        let known = parse(&received, true, port).ok().flatten();
        if known.is_some() && until.is_none() {
            until = Some(tokio::time::Instant::now() + BODY_LIMIT);
        }
        let read = match (known, until) {
            (Some(known), Some(until)) => {
                match tokio::time::timeout_at(until, stream.read_buf(&mut received)).await {
                    Ok(read) => read,
                    Err(_) => return Ok(known),
                }
            }
            (None | Some(_), _) => stream.read_buf(&mut received).await,
        };
        let read = match read {
            Ok(read) => read,
            // Some listeners exit right after their answer, and the kernel then resets the connection.
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => 0,
            Err(error) => return Err(broken(error)),
        };
        match read {
            0 if received.is_empty() => return Err(ReplayError::Closed { port }),
            0 => return parse(&received, true, port)?.ok_or(ReplayError::NotHttp { port }),
            _ => {}
        }
    }
}

fn parse(received: &[u8], complete: bool, port: u16) -> Result<Option<Response>, ReplayError> {
    Response::parse(received, complete).map_err(|ResponseError| ReplayError::NotHttp { port })
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
            unseen: false,
        }
    }

    /// A gate that lets everybody through.
    fn open() -> Gate {
        Arc::new(|_, _| Admission::Admitted)
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
        let replayed = replay(&callback(port, path), &open(), Duration::from_secs(10)).await.unwrap();
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
        let error = replay(&callback(port, "/"), &open(), Duration::from_secs(10)).await.unwrap_err();
        assert!(matches!(error, ReplayError::ListenerGone { .. }), "{error}");
    }

    #[tokio::test]
    async fn a_listener_that_never_answers_is_given_up() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let error = replay(&callback(port, "/"), &open(), Duration::from_millis(50)).await.unwrap_err();
        assert!(matches!(error, ReplayError::TimedOut { .. }), "{error}");
    }

    #[tokio::test]
    async fn something_that_is_no_http_is_named() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = tokio::spawn(serve(listener, vec!["SSH-2.0-OpenSSH\r\n".into()]));
        let error = replay(&callback(port, "/"), &open(), Duration::from_secs(10)).await.unwrap_err();
        assert!(matches!(error, ReplayError::NotHttp { .. }), "{error}");
        server.await.unwrap();
    }

    #[tokio::test]
    async fn nothing_is_sent_to_a_listener_that_is_not_the_sessions() {
        let stranger = || ListenerOwner::Program { holder: "nc (process 7)".to_owned() };
        let asked = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        // At first sight it is the session's: whoever took the port meanwhile is noticed all the same.
        let count = Arc::clone(&asked);
        let changing: Gate =
            Arc::new(move |_, _| match count.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
                0 => Admission::Admitted,
                _ => Admission::Refused(stranger()),
            });
        let closed: Gate = Arc::new(move |_, _| Admission::Refused(stranger()));
        for gate in [closed, changing] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let port = listener.local_addr().unwrap().port();
            let server = tokio::spawn(async move {
                let mut received = Vec::new();
                if let Ok((mut stream, _)) = listener.accept().await {
                    let _ = stream.read_to_end(&mut received).await;
                }
                received
            });
            let error =
                replay(&callback(port, "/cb?code=1"), &gate, Duration::from_secs(10)).await.unwrap_err();
            assert!(
                matches!(&error, ReplayError::NotOurs { holder, .. } if holder.starts_with("nc")),
                "{error}"
            );
            assert_eq!(error.after_sending(), None);
            drop(TcpStream::connect(("127.0.0.1", port)).await.ok());
            assert_eq!(server.await.unwrap(), b"");
        }
        assert!(asked.load(std::sync::atomic::Ordering::SeqCst) >= 2);
    }

    #[tokio::test]
    async fn a_listener_that_closes_without_a_word_has_got_it() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = tokio::spawn(serve(listener, vec![String::new()]));
        let error =
            replay(&callback(port, "/cb?code=1"), &open(), Duration::from_secs(10)).await.unwrap_err();
        assert_eq!(error.after_sending().as_deref(), Some("closed without answering"));
        server.await.unwrap();
    }

    #[tokio::test]
    async fn an_answer_whose_page_never_comes_is_told_by_its_status() {
        for framing in
            ["Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nx", "Content-Length: 99\r\n\r\nx"]
        {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let port = listener.local_addr().unwrap().port();
            let server = tokio::spawn(async move {
                let (mut stream, _) = listener.accept().await.unwrap();
                stream.write_all(format!("HTTP/1.1 400 Bad Request\r\n{framing}").as_bytes()).await.unwrap();
                stream.read_to_end(&mut Vec::new()).await.unwrap();
            });
            let replayed = replay(&callback(port, "/"), &open(), Duration::from_secs(30)).await.unwrap();
            assert_eq!(replayed.status, 400, "{framing}");
            server.await.unwrap();
        }
    }

    #[tokio::test]
    async fn other_machines_are_never_contacted() {
        let good = callback(80, "/");
        let elsewhere = CallbackRequest { addresses: vec!["192.0.2.1".parse().unwrap()], ..good.clone() };
        let nowhere = CallbackRequest { addresses: Vec::new(), ..good.clone() };
        let smuggled = CallbackRequest { target: Secret::new("/ HTTP/1.1\r\nHost: x\r\n\r\n"), ..good };
        for request in [elsewhere, nowhere, smuggled] {
            let error = replay(&request, &open(), Duration::from_secs(1)).await.unwrap_err();
            assert!(matches!(error, ReplayError::NotLoopback), "{error}");
        }
    }
}
