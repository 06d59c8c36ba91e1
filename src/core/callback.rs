//! What a person pastes: recognised, checked against the session's own authorize URLs, and turned into a delivery.
//!
//! The paste is the way back from a browser on another machine. It is also the way in for whoever gets a person to
//! paste something, so nothing is delivered that does not fit what this session's CLI showed: for a callback the
//! scheme, the loopback host, the port, the path and the `state` (compared in constant time), and for a code at
//! least that the CLI reads one. `error=` counts only with the right `state`; then it *is* delivered, because the CLI
//! must learn that the login was denied. Whatever is refused is refused whole, with a sentence that says why.

mod address;
mod clean;
mod elsewhere;
mod expected;
mod listener;
mod loopback;
mod ownership;
#[cfg(test)]
mod pastes;
mod plain;
mod scheme;
#[cfg(test)]
mod situations;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub use self::listener::{Admission, Listener, ListenerOwner, admission};
pub use self::loopback::LoopbackEnd;
pub(super) use address::{host_of, redirect_of, redirects_to_loopback, same_page, state_of};

use super::finding::Expects;
use super::ids::SessionId;
use super::provider::Answer;
use super::secret::Secret;

/// A browser's last request, to be played to a child's loopback listener.
#[derive(Clone, Debug)]
pub struct CallbackRequest {
    /// The `Host` header as the browser would have sent it: `localhost:1455`, `127.0.0.1:40111`, `[::1]:8080`.
    pub host_header: String,
    /// The port that the listener is on.
    pub port: u16,
    /// The request target: path and query, with the code in it.
    pub target: Secret,
    /// The addresses to try, in this order.
    pub addresses: Vec<IpAddr>,
    /// The person was asked, and what listens may be something that nobody can look into.
    pub unseen: bool,
}

impl CallbackRequest {
    /// The two loopback addresses, the one that most CLIs listen on first. `localhost` may be either (a CLI that
    /// listened on ::1 only was seen: cloudflare/workers-sdk issue 2874).
    const ADDRESSES: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
}

/// What is to be done with a paste.
#[derive(Clone, Debug)]
pub enum Delivery {
    /// Type it into the child's terminal, then Enter.
    Stdin {
        /// The text to type.
        text: Secret,
        /// What it is, for the person: `the code`.
        what: &'static str,
    },
    /// Play it to the child's loopback listener.
    Replay(CallbackRequest),
    /// Press Enter in the child's terminal: there is nothing to type.
    Confirmation,
}

impl Delivery {
    /// Returns what stands for the login in it, so that it is handed over once; absent for what may be typed again.
    pub fn proof(&self) -> Option<Secret> {
        match self {
            Self::Replay(request) => Some(expected::proof(request.target.secret())),
            Self::Stdin { text, .. } if text.secret().contains("state=") => {
                Some(expected::proof(text.secret()))
            }
            Self::Stdin { .. } | Self::Confirmation => None,
        }
    }
}

/// What the session knows, against which a paste is checked.
#[derive(Clone, Copy, Debug, Default)]
pub struct PasteContext<'a> {
    /// The authorize URLs of the current attempt: the one that is shown, and any other that the CLI gave (the one it
    /// hands to a browser may have another redirect).
    pub authorize_urls: &'a [&'a str],
    /// The authorize URLs of attempts that the CLI gave up.
    pub superseded_urls: &'a [&'a str],
    /// The ways in which the CLI takes its answer; empty if that is not known.
    pub answers: &'a [Answer],
    /// What the newest prompt takes, if there is one.
    pub expects: Option<Expects>,
    /// The words of that prompt.
    pub prompt: Option<&'a str>,
    /// The device code that is shown.
    pub device_code: Option<&'a str>,
    /// The session itself; absent in a trial without one, and then nothing that listens is looked at.
    pub session_id: Option<&'a SessionId>,
    /// What listens on this machine's loopback.
    pub listeners: &'a [Listener],
    /// The person was asked, and what listens may be something that nobody can look into.
    pub unseen: bool,
}

/// Why a paste is refused. Nothing of the paste is in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasteRefusal {
    /// There is nothing in it.
    #[error("nothing was pasted; copy what the browser ended on and paste that")]
    Empty,
    /// It is longer than anything that fits.
    #[error("it is longer than {} bytes, which no code or callback URL is", clean::LONGEST)]
    TooLong,
    /// It has characters in it that cannot be seen.
    #[error("it has a control or invisible character in it; copy it again, as plain text")]
    ControlCharacter,
    /// It has characters in it that no URL and no code has.
    #[error("it has a character in it that no code or URL has; copy it again, and nothing around it")]
    NotAscii,
    /// There is other text beside it.
    #[error("there is a space in it, so something else was copied too; copy only the code or the URL")]
    InnerSpace,
    /// It is two URLs.
    #[error("there is more than one URL in it; copy only what the browser's address bar shows")]
    TwoUrls,
    /// It is no URL that can be judged.
    #[error("it looks like a URL and is not a valid one; copy the whole address bar")]
    NotAUrl,
    /// Its encoding is broken.
    #[error("the URL's encoding is broken; copy the whole address bar again")]
    BrokenEncoding,
    /// It is another scheme than `http` or `https`.
    #[error("only http and https URLs can be the end of a login")]
    WrongScheme,
    /// It is `https` to a loopback listener.
    #[error("it begins with https, and the CLI's listener on this machine speaks plain http")]
    SecureLoopback,
    /// It has a user name before the host.
    #[error("the URL carries a user name before the host, which no login's end has")]
    UserInfo,
    /// It has a fragment.
    #[error("the URL has a part after '#', which a browser never sends to a listener")]
    Fragment,
    /// The CLI showed nothing that this could be the answer to.
    #[error("the CLI has shown no login URL yet that this could be the end of")]
    NothingShown,
    /// It is the login URL itself.
    #[error("this is the login URL itself; open it in a browser, log in, and paste what the browser ends on")]
    LoginUrlItself,
    /// It is the device code.
    #[error("this is the code that goes into the web page, not into the CLI")]
    DeviceCodeItself,
    /// It leads somewhere else.
    #[error(
        "the URL leads to {found}, and this login ends on {expected}: log in at the URL that is shown, and paste what the \
         address bar shows then"
    )]
    WrongHost {
        /// The host on which the login ends, or that of its URL.
        expected: String,
        /// The paste's host.
        found: String,
    },
    /// It is another port.
    #[error("the URL has port {found}, and this login's listener is on port {expected}")]
    WrongPort {
        /// The listener's port.
        expected: u16,
        /// The paste's port.
        found: u16,
    },
    /// It is another path.
    #[error("the URL's path is not the one that this login's redirect has")]
    WrongPath,
    /// The URL sends nobody to this machine.
    #[error(
        "this login does not send the browser to this machine, so there is no listener to play the URL to"
    )]
    NoListener,
    /// A parameter stands there twice.
    #[error("a parameter stands more than once in the URL, which RFC 6749 section 3.1 forbids")]
    DuplicateParameter,
    /// There is no `state`.
    #[error("there is no `state` in the URL, so nothing shows that it belongs to this login")]
    StateMissing,
    /// It is another `state`.
    #[error("its `state` is another one than this login's: it is the end of some other login")]
    StateWrong,
    /// It belongs to an attempt that is over.
    #[error("it belongs to an attempt that the CLI has given up; open the URL that is shown now")]
    Superseded,
    /// There is neither a code nor an error.
    #[error("there is neither a code nor an error in the URL; was the login finished in the browser?")]
    NoCode,
    /// The vendor's page says that the login was denied, and the CLI has no way to be told.
    #[error("the vendor denied the login; the CLI cannot be told so this way: cancel it, and start again")]
    Denied,
    /// Another session of this deck holds the port.
    #[error(
        "port {port} is held by another login of this deck, \"{title}\": end that one, and start this one again"
    )]
    PortOfOtherSession {
        /// The port.
        port: u16,
        /// Which session.
        session_id: SessionId,
        /// Its name for people.
        title: String,
    },
    /// A program that belongs to no session holds the port.
    #[error(
        "port {port} is held by {holder}, which does not belong to this login: end it, and start the login again"
    )]
    PortOfOtherProgram {
        /// The port.
        port: u16,
        /// Which program.
        holder: String,
    },
    /// Nobody can see whether what holds the port belongs to the login. The person is to be asked.
    #[error(
        "port {port} is held by {holder}, and whether that belongs to this login cannot be seen; \
         hand it over only if you know that it does (a container's port, say)"
    )]
    ListenerUnseen {
        /// The port.
        port: u16,
        /// What is known of the holder.
        holder: String,
    },
    /// It is only a part of a URL.
    #[error("it is only a part of a URL; paste the whole address bar, from http:// on")]
    PartOfUrl,
    /// The CLI wants the whole URL.
    #[error("the CLI asks for the whole URL that the browser ended on, not for a part of it")]
    WholeUrlWanted,
    /// The CLI reads no code.
    #[error("this CLI reads no code; it waits for the browser's redirect, so paste the whole URL")]
    NoCodeWanted,
    /// The CLI finds out by itself.
    #[error("this CLI finds out by itself when the login is done; there is nothing to paste")]
    NothingWanted,
    /// The CLI asks a question.
    #[error("the CLI asks a question; answer it in its own pane")]
    QuestionOpen,
}

/// Recognises a paste and decides what is to be done with it.
///
/// # Errors
/// It does not fit. Nothing may be sent to the child then.
pub fn recognise(paste: &Secret, context: &PasteContext<'_>) -> Result<Delivery, PasteRefusal> {
    if context.expects == Some(Expects::Secret) {
        let text = Secret::new(clean::line(paste.secret())?);
        if !text.is_empty() && as_url(text.secret()).is_none() {
            return Ok(Delivery::Stdin { text, what: "the token" });
        }
    }
    let text = Secret::new(clean::clean(paste.secret())?);
    if text.is_empty() {
        return plain::empty(context);
    }
    if !text.secret().is_ascii() {
        return Err(PasteRefusal::NotAscii);
    }
    if text.secret().contains([' ', '\t']) {
        return Err(PasteRefusal::InnerSpace);
    }
    if scheme::is_callback(text.secret()) {
        return scheme::judge(&text, context);
    }
    match as_url(text.secret()) {
        Some(url) => expected::judge(&url, context, elsewhere::judge),
        None => plain::judge(&text, context),
    }
}

/// Takes a text for a URL if it begins like one. Browsers leave the scheme out in what they show.
fn as_url(text: &str) -> Option<Secret> {
    let lower = text.get(..text.len().min(16)).unwrap_or_default().to_ascii_lowercase();
    let bare = ["localhost:", "localhost/", "127.0.0.1:", "127.0.0.1/", "[::1]:", "[::1]/"];
    if bare.iter().any(|host| lower.starts_with(host)) {
        return Some(Secret::new(format!("http://{text}")));
    }
    let schemed = text.find("://").is_some_and(|at| !text[..at].contains(['?', '#', '=', '/']));
    let opaque = ["javascript:", "data:", "mailto:", "file:", "http:", "https:"];
    (schemed || opaque.iter().any(|scheme| lower.starts_with(scheme))).then(|| Secret::new(text))
}
