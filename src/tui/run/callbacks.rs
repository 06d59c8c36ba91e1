//! Waits on ports of this machine for what a browser brings back to logins that run elsewhere, and hands it to their
//! supervisors.
//!
//! Any page of the browser can ask these ports for something, so nothing is handed on but a request that names this
//! machine (`Host`), the login's own path and its own `state`; the supervisor checks all of it once more.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::HOST;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::outcome::Outcome;
use crate::client::Client;
use crate::core::callback::LoopbackEnd;
use crate::core::ids::SessionId;
use crate::core::secret::Secret;
use crate::tui::msg::Msg;

/// Connections to one port at the same time.
const MOST_CONNECTIONS: usize = 16;

/// How long a connection may last: longer than a CLI takes to redeem its code.
const CONNECTION_LIMIT: Duration = Duration::from_secs(90);

/// Says who listens on a port of this machine, for a person: `firefox (process 4711)`.
pub type PortHolder = fn(u16) -> Option<String>;

/// A login that waits.
#[derive(Clone)]
struct Waiting {
    session_id: SessionId,
    /// What its host calls it.
    theirs: SessionId,
    end: LoopbackEnd,
    client: Client,
    /// A callback is being handed in. If the host is this very machine, that may lead here again, for ever.
    busy: Arc<AtomicBool>,
}

/// The logins that wait on one port, and what listens there until none is left.
struct Port {
    waiting: Shared,
    _listening: JoinSet<()>,
}

type Shared = Arc<Mutex<Vec<Waiting>>>;

/// All ports.
pub(super) struct Callbacks {
    ports: HashMap<u16, Port>,
    outcomes: mpsc::UnboundedSender<Outcome>,
    holder: PortHolder,
}

impl Callbacks {
    pub(super) fn new(outcomes: mpsc::UnboundedSender<Outcome>, holder: PortHolder) -> Self {
        Self { ports: HashMap::new(), outcomes, holder }
    }

    /// Begins to wait for a login's callback. Returns the port. `theirs` is what its host calls the session.
    ///
    /// # Errors
    /// The port is taken; the sentence says by whom.
    pub(super) fn listen(
        &mut self,
        session_id: SessionId,
        theirs: SessionId,
        url: &str,
        client: Client,
    ) -> Result<u16, String> {
        let end = LoopbackEnd::of(url).ok_or("The login does not end on a port of this machine.")?;
        let port = end.port;
        if !self.ports.contains_key(&port) {
            let opened = self.open(port)?;
            self.ports.insert(port, opened);
        }
        if let Some(opened) = self.ports.get(&port) {
            lock(&opened.waiting).push(Waiting { session_id, theirs, end, client, busy: Arc::default() });
        }
        Ok(port)
    }

    /// Ceases to wait. What is being answered is answered to its end.
    pub(super) fn stop(&mut self, session_id: &SessionId) {
        self.ports.retain(|_, port| {
            let mut waiting = lock(&port.waiting);
            waiting.retain(|login| login.session_id != *session_id);
            !waiting.is_empty()
        });
    }

    /// Listens on both loopback addresses: a browser may take `localhost` for either.
    fn open(&self, port: u16) -> Result<Port, String> {
        let waiting = Shared::default();
        let mut listening = JoinSet::new();
        let addresses =
            [SocketAddr::from((Ipv4Addr::LOCALHOST, port)), SocketAddr::from((Ipv6Addr::LOCALHOST, port))];
        for address in addresses {
            match bind(address) {
                Ok(listener) => {
                    listening.spawn(accept(listener, Arc::clone(&waiting), self.outcomes.clone()));
                }
                // A machine without IPv6.
                Err(error) if error.kind() == std::io::ErrorKind::AddrNotAvailable && address.is_ipv6() => {}
                Err(error) => return Err(self.not_opened(port, &error)),
            }
        }
        Ok(Port { waiting, _listening: listening })
    }

    fn not_opened(&self, port: u16, error: &std::io::Error) -> String {
        if error.kind() != std::io::ErrorKind::AddrInUse {
            return format!("Port {port} cannot be listened on here ({error}).");
        }
        match (self.holder)(port) {
            Some(holder) => format!("Port {port} is taken here by {holder}."),
            None => format!("Port {port} is taken here, by a process of another user."),
        }
    }
}

fn lock(waiting: &Shared) -> std::sync::MutexGuard<'_, Vec<Waiting>> {
    // Every section is one operation of the list, which leaves it whole.
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    let listener = std::net::TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}

async fn accept(listener: TcpListener, waiting: Shared, outcomes: mpsc::UnboundedSender<Outcome>) {
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        // An error is of one connection, or of this machine's open files; another one may come.
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let (waiting, outcomes) = (Arc::clone(&waiting), outcomes.clone());
        tokio::spawn(async move {
            // A browser that holds its connection open longer has its answer.
            let _ = timeout(CONNECTION_LIMIT, serve(stream, waiting, outcomes)).await;
            drop(place);
        });
    }
}

async fn serve(stream: TcpStream, waiting: Shared, outcomes: mpsc::UnboundedSender<Outcome>) {
    let service = service_fn(|request: Request<Incoming>| {
        let (waiting, outcomes) = (Arc::clone(&waiting), outcomes.clone());
        async move { Ok::<_, Infallible>(answer(&request, &waiting, &outcomes).await) }
    });
    let mut server = hyper::server::conn::http1::Builder::new();
    // An error is the browser's, which has gone.
    let _ = server
        .keep_alive(false)
        .max_buf_size(64 * 1024)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn answer(
    request: &Request<Incoming>,
    waiting: &Shared,
    outcomes: &mpsc::UnboundedSender<Outcome>,
) -> Response<Full<Bytes>> {
    let target = request.uri().path_and_query().map_or("", |target| target.as_str());
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    if request.method() != Method::GET {
        return page(StatusCode::METHOD_NOT_ALLOWED, "Only a browser's callback is taken here.");
    }
    if !is_this_machine(host) {
        return page(StatusCode::MISDIRECTED_REQUEST, "This address is not one of this machine.");
    }
    let login = lock(waiting).iter().find(|login| login.end.is_reached_by(target)).cloned();
    let Some(login) = login else {
        return page(StatusCode::NOT_FOUND, "No login that authdeck shows waits for this.");
    };
    if login.busy.swap(true, Ordering::Relaxed) {
        return page(StatusCode::CONFLICT, "This login has a callback that is being handed in.");
    }
    let url = Secret::new(format!("http://{host}{target}"));
    let (status, outcome) = match login.client.submit(&login.theirs, url).await {
        Ok(submitted) if submitted.delivered => (StatusCode::OK, Ok(submitted.message)),
        Ok(submitted) => (StatusCode::BAD_GATEWAY, Err(submitted.message)),
        Err(error) => (StatusCode::BAD_GATEWAY, Err(error.to_string())),
    };
    login.busy.store(false, Ordering::Relaxed);
    let shown = match &outcome {
        Ok(message) => page(status, &format!("{message} You can close this page.")),
        Err(message) => page(status, message),
    };
    // An error means that the deck is closed.
    let _ = outcomes.send(Outcome::Msg(Msg::CallbackTaken(outcome)));
    shown
}

/// A page elsewhere can lead a browser here under a name of its own; that name stands in `Host` then.
fn is_this_machine(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    name.eq_ignore_ascii_case("localhost") || matches!(name, "127.0.0.1" | "[::1]")
}

fn page(status: StatusCode, text: &str) -> Response<Full<Bytes>> {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let body = format!("<!doctype html><meta charset=\"utf-8\"><title>authdeck</title><p>{text}</p>\n");
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    for (name, value) in [
        ("content-type", "text/html; charset=utf-8"),
        ("content-security-policy", "default-src 'none'"),
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
    ] {
        response.headers_mut().insert(name, hyper::header::HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_taken() {
        for host in ["localhost:1455", "127.0.0.1:1455", "[::1]:1455", "LOCALHOST", "127.0.0.1"] {
            assert!(is_this_machine(host), "{host}");
        }
        for host in ["evil.example:1455", "localhost.evil.example:1455", "", "[::2]:1455", "127.0.0.2:1"] {
            assert!(!is_this_machine(host), "{host}");
        }
    }
}
