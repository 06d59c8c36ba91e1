//! Loopback TCP, for clients that cannot open a Unix socket, such as a page in a browser. Only on request.
//!
//! Every user of the machine, and every web page that is open on it, can reach a loopback port. So each request is
//! looked at in this order, and the first thing that is wrong ends it:
//!
//! 1. `Host` must be this very address: a name that was rebound to it is another (DNS rebinding);
//! 2. `Origin`, which every browser sends, must be this address's own or one that was allowed;
//! 3. a credential: a ticket (behaviour W1), used up only now, or the internal one (W2).

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::sync::Arc;
use std::time::Duration;

use hyper::StatusCode;
use hyper::header::{HOST, HeaderName, ORIGIN};
use hyper::http::request::Parts;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use url::Url;

use super::http::Refusal;
use super::places::{Capacity, Place, Places};
use super::{Context, Door, router};

/// Clients that are served at the same time at most. Whose process is at the other end is not known.
const CAPACITY: Capacity = Capacity { connections: 128, of_one_process: 128, calls: 32 };

/// How long to wait after a failure to accept, such as too many open files, before trying again.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The port that a browser leaves out of an `http` address.
const DEFAULT_PORT: u16 = 80;

/// Why an address is not listened on.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Other machines could reach it.
    #[error("{0} is not a loopback address, and authdeck listens on no other: use 127.0.0.1 or [::1]")]
    NotLoopback(IpAddr),
    /// What was to be allowed is no origin of a web page.
    #[error(
        "`{0}` is no origin of a web page; one looks like `https://example.com` or `http://127.0.0.1:8080`"
    )]
    NoOrigin(String),
    /// The system refuses.
    #[error("{address} cannot be listened on: {source}")]
    Refused {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
}

/// What a request over TCP must be addressed to, and where it may come from.
#[derive(Debug, PartialEq, Eq)]
pub struct Gate {
    hosts: Vec<String>,
    origins: Vec<String>,
}

impl Gate {
    /// Makes the gate of an address. `allowed` are the origins of further web pages that may connect.
    ///
    /// # Errors
    /// The address is no loopback address, or an origin is none.
    pub fn new(address: SocketAddr, allowed: &[String]) -> Result<Self, ListenError> {
        if !address.ip().to_canonical().is_loopback() {
            return Err(ListenError::NotLoopback(address.ip()));
        }
        let port = address.port();
        let mut hosts = vec![address.to_string(), format!("localhost:{port}")];
        if port == DEFAULT_PORT {
            let short: Vec<String> =
                hosts.iter().map(|host| host.trim_end_matches(":80").to_owned()).collect();
            hosts.extend(short);
        }
        let mut origins: Vec<String> = hosts.iter().map(|host| format!("http://{host}")).collect();
        for origin in allowed {
            origins.push(as_browsers_write(origin)?);
        }
        Ok(Self { hosts, origins })
    }

    /// Checks where a request was addressed to, then where it comes from.
    ///
    /// # Errors
    /// It was meant for another address, or comes from a page that has no business here.
    pub(super) fn check(&self, head: &Parts) -> Result<(), Refusal> {
        let host = only(head, &HOST)?.ok_or_else(|| self.other_host(""))?;
        let named = head.uri.authority().map_or(host, hyper::http::uri::Authority::as_str);
        if !(self.is_host(host) && self.is_host(named)) {
            return Err(self.other_host(host));
        }
        match only(head, &ORIGIN)? {
            Some(origin) if !self.origins.iter().any(|known| known == origin) => Err(other_origin(origin)),
            Some(_) | None => Ok(()),
        }
    }

    fn is_host(&self, host: &str) -> bool {
        self.hosts.iter().any(|known| known.eq_ignore_ascii_case(host))
    }

    fn other_host(&self, host: &str) -> Refusal {
        let own = self.hosts.first().map_or("", String::as_str);
        let text =
            format!("The request is addressed to `{}` and not to {own}, so it is refused.", shown(host));
        Refusal::new(StatusCode::FORBIDDEN, text)
    }
}

fn other_origin(origin: &str) -> Refusal {
    let text = format!(
        "Pages of `{}` may not connect; `authdeck serve --allow-origin` allows an origin.",
        shown(origin)
    );
    Refusal::new(StatusCode::FORBIDDEN, text)
}

/// Returns a header that may be there once.
fn only<'a>(head: &'a Parts, name: &HeaderName) -> Result<Option<&'a str>, Refusal> {
    let mut values = head.headers.get_all(name).iter();
    let value = values.next().map(|value| value.to_str());
    match (value, values.next()) {
        (None, _) => Ok(None),
        (Some(Ok(value)), None) => Ok(Some(value)),
        (Some(_), _) => Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            format!("The header {name} is not readable text, or double."),
        )),
    }
}

/// Headers are ASCII here, and a person needs no more than the beginning.
fn shown(text: &str) -> String {
    text.chars().take(80).filter(|c| c.is_ascii_graphic() && *c != '`').collect()
}

/// Returns an origin as a browser writes it (RFC 6454 section 6.2): no path, no default port.
fn as_browsers_write(origin: &str) -> Result<String, ListenError> {
    let wrong = || ListenError::NoOrigin(origin.to_owned());
    let url = Url::parse(origin).map_err(|_| wrong())?;
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    let nobody = url.username().is_empty() && url.password().is_none();
    if !(matches!(url.scheme(), "http" | "https") && bare && nobody) {
        return Err(wrong());
    }
    Ok(url.origin().ascii_serialization())
}

/// An address that is being served. Dropping it ends that; connections that are open go on.
#[derive(Debug)]
pub struct Listening {
    address: SocketAddr,
    listener: Arc<TcpListener>,
    allowed: Vec<String>,
    gate: Arc<Gate>,
    context: Context,
    places: Places,
    task: JoinHandle<()>,
}

impl Listening {
    /// Serves a socket that listens already, such as one that an earlier supervisor handed over. Lets nobody in until
    /// [`Self::resume`].
    pub(super) fn paused(
        listener: TcpListener,
        allowed: &[String],
        context: impl Into<Context>,
    ) -> Result<Self, ListenError> {
        let unknown = SocketAddr::from(([0, 0, 0, 0], 0));
        let address =
            listener.local_addr().map_err(|source| ListenError::Refused { address: unknown, source })?;
        let gate = Arc::new(Gate::new(address, allowed)?);
        let (allowed, context) = (allowed.to_vec(), context.into());
        let task = tokio::spawn(std::future::ready(()));
        let (listener, places) = (Arc::new(listener), Places::new(CAPACITY));
        Ok(Self { address, listener, allowed, gate, context, places, task })
    }

    /// Returns the address, with the port that the system chose if 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Lets nobody in until [`Self::resume`]: who knocks waits.
    pub(super) async fn pause(&mut self) {
        self.task.abort();
        // Its only outcome is that it was ended.
        let _ = (&mut self.task).await;
    }

    pub(super) fn resume(&mut self) {
        let listener = Arc::clone(&self.listener);
        let (gate, context) = (Arc::clone(&self.gate), self.context.clone());
        self.task = tokio::spawn(accept(listener, gate, context, self.places.clone()));
    }

    /// Gives a place to a client that was served by another process before.
    pub(super) fn place(&self) -> Place {
        self.places.go_on(None)
    }

    pub(super) fn descriptor(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }

    pub(super) fn allowed(&self) -> &[String] {
        &self.allowed
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Serves clients on a loopback address. `allowed` are the origins of web pages that may connect.
///
/// # Errors
/// The address is no loopback address or cannot be listened on, or an origin is none.
pub async fn listen(
    address: SocketAddr,
    allowed: &[String],
    context: impl Into<Context>,
) -> Result<Listening, ListenError> {
    // Before the port is open: what is refused must not have been reachable for a moment.
    Gate::new(address, allowed)?;
    let refused = |source| ListenError::Refused { address, source };
    let listener = TcpListener::bind(address).await.map_err(refused)?;
    let mut listening = Listening::paused(listener, allowed, context)?;
    listening.resume();
    Ok(listening)
}

async fn accept(listener: Arc<TcpListener>, gate: Arc<Gate>, context: Context, places: Places) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        // Without it a key waits for the last one's acknowledgement; where it cannot be set, it is only slower.
        let _ = stream.set_nodelay(true);
        let (context, door) = (context.clone(), Door::Loopback(Arc::clone(&gate)));
        tokio::spawn(router::serve(stream, context, door, places.enter(None)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(address: &str, allowed: &[&str]) -> Result<Gate, ListenError> {
        let allowed: Vec<String> = allowed.iter().map(|origin| (*origin).to_owned()).collect();
        Gate::new(address.parse().unwrap(), &allowed)
    }

    #[test]
    fn only_loopback_is_listened_on() {
        for address in ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "[::ffff:127.0.0.1]:1"] {
            assert!(gate(address, &[]).is_ok(), "{address}");
        }
        for address in
            ["0.0.0.0:1", "[::]:1", "192.0.2.1:1", "[::ffff:192.0.2.1]:1", "[fe80::1]:1", "10.0.0.1:1"]
        {
            let text = gate(address, &[]).unwrap_err().to_string();
            assert!(text.contains("use 127.0.0.1 or [::1]"), "{text}");
        }
    }

    #[test]
    fn an_allowed_origin_is_compared_as_browsers_write_it() {
        let gate = gate("127.0.0.1:9", &["https://Example.com:443/", "http://127.0.0.1:8080"]).unwrap();
        assert_eq!(
            gate.origins,
            ["http://127.0.0.1:9", "http://localhost:9", "https://example.com", "http://127.0.0.1:8080"]
        );
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        for wrong in
            ["null", "*", "example.com", "https://example.com/page", "file:///x", "https://a@b.example", ""]
        {
            assert!(matches!(gate("127.0.0.1:9", &[wrong]), Err(ListenError::NoOrigin(_))), "{wrong}");
        }
    }

    #[test]
    fn a_browser_leaves_out_the_default_port() {
        let gate = gate("[::1]:80", &[]).unwrap();
        for host in ["[::1]", "[::1]:80", "localhost", "LOCALHOST:80"] {
            assert!(gate.is_host(host), "{host}");
        }
        assert!(!gate.is_host("::1") && !gate.is_host("[::1]:8080") && !gate.is_host("evil.example:80"));
    }
}
