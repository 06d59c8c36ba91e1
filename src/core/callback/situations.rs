//! Pastes of logins whose URL does not say by a redirect where the browser ends.

use std::net::Ipv4Addr;

use super::*;

const SAML: &str = "https://vpn.example.com/remote/saml/start?redirect=1";
const HOSTED: &str = "https://art.example.com/oauth2/authorize?client_id=1&response_type=code&state=own-state&redirect_uri=https%3A%2F%2Fcli.example.io%2Foauth-redirect.html";
const NO_REDIRECT: &str = "https://app-api.example.net/web/v1/login?code_challenge=x&client=app";
const HEADLESS: &str = "https://accounts.example.com/o/oauth2/v2/auth?client_id=1&response_type=code&state=own-state&redirect_uri=http%3A%2F%2Flocalhost%3A8085%2Foauth2callback";
const OWN_PAGE: &str = "http://localhost:10001/login";
const PORTED: &str = "https://login.example.com/cli?port=4000";

fn elsewhere(found: &str) -> PasteRefusal {
    PasteRefusal::WrongHost { expected: "app-api.example.net".to_owned(), found: found.to_owned() }
}

fn own() -> SessionId {
    SessionId::new("auth-1")
}

fn listening(port: u16) -> Vec<Listener> {
    let owner = ListenerOwner::Session { session_id: own(), title: "own".to_owned() };
    vec![Listener { address: IpAddr::V4(Ipv4Addr::LOCALHOST), port, owner }]
}

/// Decides on a paste for a session that shows a URL, listens on a port, and asks for something in some words.
fn decided(
    paste: &str,
    url: &str,
    port: Option<u16>,
    asks: Option<(Expects, &str)>,
) -> Result<String, PasteRefusal> {
    let (own, urls) = (own(), [url]);
    let listeners = port.map(listening).unwrap_or_default();
    let context = PasteContext {
        authorize_urls: &urls,
        expects: asks.map(|(expects, _)| expects),
        prompt: asks.map(|(_, words)| words),
        session_id: Some(&own),
        listeners: &listeners,
        ..PasteContext::default()
    };
    recognise(&Secret::new(paste), &context).map(|delivery| match delivery {
        Delivery::Stdin { text, .. } => format!("stdin {}", text.secret()),
        Delivery::Replay(request) => format!("GET {} to {}", request.target.secret(), request.host_header),
        Delivery::Confirmation => "enter".to_owned(),
    })
}

#[test]
fn a_port_on_which_the_session_listens_is_a_target() {
    for (paste, url, port, wanted) in [
        ("http://127.0.0.1:8020/?id=abc", SAML, 8020, "GET /?id=abc to 127.0.0.1:8020"),
        (
            "http://localhost:6414/?code=abc&state=own-state",
            HOSTED,
            6414,
            "GET /?code=abc&state=own-state to localhost:6414",
        ),
        (
            "http://localhost:9000/other?code=abc&state=own-state",
            HEADLESS,
            9000,
            "GET /other?code=abc&state=own-state to localhost:9000",
        ),
        (
            "http://localhost:10001/login-callback?code=abc&state=x",
            OWN_PAGE,
            10001,
            "GET /login-callback?code=abc&state=x to localhost:10001",
        ),
    ] {
        assert_eq!(decided(paste, url, Some(port), None).as_deref(), Ok(wanted), "{paste}");
    }
}

#[test]
fn a_port_alone_proves_nothing_where_the_login_has_more_to_show() {
    use PasteRefusal as No;
    for (paste, url, port, wanted) in [
        ("http://localhost:6414/?code=abc&state=other", HOSTED, Some(6414), No::StateWrong),
        ("http://localhost:6414/?code=abc", HOSTED, Some(6414), No::StateMissing),
        ("http://localhost:6414/?code=abc&state=own-state", HOSTED, None, No::NoListener),
        ("http://localhost:6414/?code=abc&state=own-state", HOSTED, Some(6415), No::NoListener),
        ("http://localhost:8020/?id=abc", SAML, None, No::NoListener),
        ("https://localhost:8020/?id=abc", SAML, Some(8020), No::SecureLoopback),
        ("http://localhost:8020/?id=abc#x", SAML, Some(8020), No::Fragment),
        ("http://localhost:8020/?id=abc&id=abc", SAML, Some(8020), No::DuplicateParameter),
        ("http://localhost:8020/flushall", SAML, Some(8020), No::NoCode),
        // The redirect of RFC 6749 is exact.
        ("http://localhost:8085/x?code=a&state=own-state", HEADLESS, Some(8085), No::WrongPath),
        // A port is named, and this is another one.
        ("http://localhost:4001/?code=a", PORTED, Some(4001), No::WrongPort { expected: 4000, found: 4001 }),
    ] {
        assert_eq!(decided(paste, url, port, None), Err(wanted), "{paste}");
    }
}

#[test]
fn without_a_listener_the_prompt_takes_what_it_asks_for() {
    let code = Some((Expects::Code, "Paste the authorization code here:"));
    let url = Some((Expects::CallbackUrl, "Paste the URL you were redirected to:"));
    let either = Some((Expects::Code, "Paste the code or the full redirect URL:"));
    let either_too = Some((Expects::CallbackUrl, "Enter the callback URL or code:"));
    let headless = "http://localhost:8085/oauth2callback?state=own-state&code=4%2F0Abc&scope=x";
    let pixiv = "https://app-api.example.net/web/v1/users/auth/callback?state=z&code=AbC-1";
    let typed = |text: &str| Ok(format!("stdin {text}"));
    for (paste, shown, asks, wanted) in [
        (headless, HEADLESS, code, typed("4/0Abc")),
        (headless, HEADLESS, url, typed(headless)),
        (headless, HEADLESS, either, typed(headless)),
        (headless, HEADLESS, either_too, typed(headless)),
        ("4/0Abc", HEADLESS, code, typed("4/0Abc")),
        ("4/0Abc", HEADLESS, either_too, typed("4/0Abc")),
        ("4/0Abc", HEADLESS, url, Err(PasteRefusal::WholeUrlWanted)),
        (
            "http://localhost:8085/oauth2callback?state=other&code=a",
            HEADLESS,
            code,
            Err(PasteRefusal::StateWrong),
        ),
        (
            "http://localhost:8085/oauth2callback?state=own-state&error=denied",
            HEADLESS,
            code,
            Err(PasteRefusal::Denied),
        ),
        (pixiv, NO_REDIRECT, code, typed("AbC-1")),
        (pixiv, NO_REDIRECT, url, typed(pixiv)),
        ("https://evil.test/?code=AbC-1", NO_REDIRECT, code, Err(elsewhere("evil.test"))),
        ("https://www.example.net/?code=AbC-1", NO_REDIRECT, code, typed("AbC-1")),
        ("https://www.example.net/?token=AbC-1", NO_REDIRECT, code, Err(PasteRefusal::NoCode)),
        (pixiv, NO_REDIRECT, None, Err(elsewhere("app-api.example.net"))),
    ] {
        assert_eq!(decided(paste, shown, None, asks), wanted, "{paste} {asks:?}");
    }
}

#[test]
fn the_listener_goes_before_the_prompt() {
    let code = Some((Expects::Code, "Or paste the authorization code here:"));
    let paste = "http://localhost:8085/oauth2callback?state=own-state&code=abc";
    let wanted = "GET /oauth2callback?state=own-state&code=abc to localhost:8085";
    assert_eq!(decided(paste, HEADLESS, Some(8085), code).as_deref(), Ok(wanted));
}

#[test]
fn a_callback_of_another_scheme_goes_to_the_prompt_as_it_is() {
    let asks =
        [Some((Expects::Code, "Paste it here:")), Some((Expects::CallbackUrl, "Paste the URL:")), None];
    for paste in
        ["globalprotectcallback:cas-as=1&un=dev&token=a.b-c", "com.example.app:/cb?code=abc&state=own-state"]
    {
        for asks in asks {
            assert_eq!(decided(paste, HOSTED, None, asks), Ok(format!("stdin {paste}")), "{asks:?}");
        }
    }
    let other = "com.example.app:/cb?code=abc&state=other";
    assert_eq!(decided(other, HOSTED, None, asks[0]), Err(PasteRefusal::StateWrong));
    let choice = Some((Expects::Choice, "Trust this host? [y/N]"));
    assert_eq!(
        decided("globalprotectcallback:abcdefgh", SAML, None, choice),
        Err(PasteRefusal::QuestionOpen)
    );
}
