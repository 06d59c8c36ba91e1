//! Where a browser ends that follows an authorize URL, if that is a port of the machine that it runs on: for whoever
//! wants to wait there in the place of a CLI that listens on another machine.

use super::address::{Address, state_of};
use super::expected::Expected;

/// The end of a login on a loopback port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoopbackEnd {
    /// The port.
    pub port: u16,
    /// The path; absent if any may come.
    pub path: Option<String>,
    /// The `state` that must come back with it, if the URL has one.
    pub state: Option<String>,
}

impl LoopbackEnd {
    /// Reads it from an authorize URL; absent if the login ends elsewhere. A URL that leads to the CLI's own listener
    /// at once is none: what the browser asks for there is not the login's end yet.
    pub fn of(authorize_url: &str) -> Option<Self> {
        if Address::parse(authorize_url).ok()?.is_loopback() {
            return None;
        }
        Expected::of(authorize_url).into_iter().find_map(|expected| {
            let address = Address::parse(&expected.redirect).ok()?;
            let plain = address.is_loopback() && !address.secure;
            plain.then(|| Self {
                port: address.port,
                path: (!expected.any_path).then(|| address.path.to_owned()),
                state: expected.state,
            })
        })
    }

    /// Tells whether a request to the port is this login's end. `target` is path and query, as in the request's first
    /// line. Its `state` is compared once more, in constant time, by the supervisor that it is handed to.
    pub fn is_reached_by(&self, target: &str) -> bool {
        let url = format!("http://localhost:{}{target}", self.port);
        let Ok(address) = Address::parse(&url) else { return false };
        let right_path = self.path.as_deref().is_none_or(|path| path == address.path);
        right_path && !address.query.is_empty() && (self.state.is_none() || state_of(&url) == self.state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODEX: &str = "https://auth.openai.com/oauth/authorize?client_id=a&state=s%2B1\
                         &redirect_uri=http%3A%2F%2Flocalhost%3A1455%2Fauth%2Fcallback";

    #[test]
    fn a_port_of_this_machine_is_read_from_the_redirect() {
        let end = LoopbackEnd::of(CODEX).unwrap();
        assert_eq!(
            (end.port, end.path.as_deref(), end.state.as_deref()),
            (1455, Some("/auth/callback"), Some("s+1"))
        );
        let ported = LoopbackEnd::of("https://a.example/login?port=8123").unwrap();
        assert_eq!((ported.port, ported.path, ported.state), (8123, None, None));
    }

    #[test]
    fn other_ends_are_none() {
        for url in [
            "https://a.example/authorize?redirect_uri=https%3A%2F%2Fa.example%2Fcallback&state=1",
            "https://a.example/authorize?redirect_uri=https%3A%2F%2Flocalhost%3A1%2F&state=1",
            "http://127.0.0.1:53682/auth?state=1",
            "https://a.example/device",
            "no URL",
        ] {
            assert_eq!(LoopbackEnd::of(url), None, "{url}");
        }
    }

    #[test]
    fn only_this_logins_own_callback_reaches_it() {
        let end = LoopbackEnd::of(CODEX).unwrap();
        assert!(end.is_reached_by("/auth/callback?code=1&state=s%2B1"));
        assert!(end.is_reached_by("/auth/callback?error=access_denied&state=s%2B1"));
        for target in [
            "/auth/callback?code=1&state=other",
            "/auth/callback?code=1",
            "/auth/callback",
            "/favicon.ico",
            "/auth/callback?code=1&state=s%2B1&state=s%2B1",
            "*",
        ] {
            assert!(!end.is_reached_by(target), "{target}");
        }
    }
}
