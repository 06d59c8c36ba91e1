//! The table of pastes: what is delivered, where to, and what is refused and why.

use proptest::prelude::*;

use super::*;

const CODEX: &str = "https://auth.openai.com/oauth/authorize?response_type=code&client_id=app_x&redirect_uri=http%3A%2F%2Flocalhost%3A1455%2Fauth%2Fcallback&scope=openid&state=St-At_e1&originator=codex";
const CLAUDE_SCREEN: &str = "https://claude.com/cai/oauth/authorize?code=true&client_id=c&response_type=code&redirect_uri=https%3A%2F%2Fplatform.claude.com%2Foauth%2Fcode%2Fcallback&state=Cl_State";
const CLAUDE_BROWSER: &str = "https://claude.com/cai/oauth/authorize?code=true&client_id=c&response_type=code&redirect_uri=http%3A%2F%2Flocalhost%3A42659%2Fcallback&state=Cl_State";
const GCLOUD: &str = "https://accounts.google.com/o/oauth2/auth?response_type=code&redirect_uri=https%3A%2F%2Fsdk.cloud.google.com%2Fauthcode.html&state=Gs";
const RCLONE: &str = "http://127.0.0.1:53682/auth?state=Rc";
const FERN: &str =
    "https://fern-prod.us.auth0.com/authorize?redirect_uri=http%3A%2F%2Flocalhost%3A3129&client_id=x";
const AIO: &str = "https://aio-login.example.net/login?id=7&port=43845&redirect_uri=https%3A%2F%2Faio-login.example.net%2Fdone";
const RIGHT: &str = "http://localhost:1455/auth/callback?code=abc.def&state=St-At_e1";

fn codex() -> PasteContext<'static> {
    PasteContext { authorize_urls: &[CODEX], answers: &[Answer::Loopback], ..PasteContext::default() }
}

fn claude() -> PasteContext<'static> {
    PasteContext {
        authorize_urls: &[CLAUDE_SCREEN, CLAUDE_BROWSER],
        answers: &[Answer::StdinCode, Answer::Loopback],
        expects: Some(Expects::Code),
        ..PasteContext::default()
    }
}

fn gcloud() -> PasteContext<'static> {
    PasteContext {
        authorize_urls: &[GCLOUD],
        answers: &[Answer::StdinCode],
        expects: Some(Expects::Code),
        ..PasteContext::default()
    }
}

fn device() -> PasteContext<'static> {
    PasteContext {
        answers: &[Answer::EnterThenPolls],
        device_code: Some("WDJB-MJHT"),
        ..PasteContext::default()
    }
}

fn showing(urls: &'static [&'static str]) -> PasteContext<'static> {
    PasteContext { authorize_urls: urls, ..PasteContext::default() }
}

/// What was decided, in one comparable word.
fn decided(paste: &str, context: &PasteContext<'_>) -> Result<String, PasteRefusal> {
    recognise(&Secret::new(paste), context).map(|delivery| match delivery {
        Delivery::Stdin { text, .. } => format!("stdin {}", text.secret()),
        Delivery::Replay(request) => format!("GET {} to {}", request.target.secret(), request.host_header),
        Delivery::Confirmation => "enter".to_owned(),
    })
}

/// A refusal for the host's sake, whichever hosts it names.
fn elsewhere() -> PasteRefusal {
    PasteRefusal::WrongHost { expected: String::new(), found: String::new() }
}

fn without_hosts(refusal: PasteRefusal) -> PasteRefusal {
    match refusal {
        PasteRefusal::WrongHost { .. } => elsewhere(),
        other => other,
    }
}

#[test]
fn a_refusal_for_the_hosts_sake_names_both_and_says_what_to_do() {
    let said =
        decided("https://evil.test/auth/callback?code=a&state=St-At_e1", &codex()).unwrap_err().to_string();
    for words in ["leads to evil.test", "this login ends on localhost", "paste what the address bar shows"] {
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn what_fits_is_delivered() {
    let replayed = "GET /auth/callback?code=abc.def&state=St-At_e1 to localhost:1455";
    let whole = PasteContext { expects: Some(Expects::CallbackUrl), ..codex() };
    let secret = PasteContext { expects: Some(Expects::Secret), ..PasteContext::default() };
    let enter = PasteContext { expects: Some(Expects::Enter), ..device() };
    let table: &[(&str, PasteContext<'_>, &str)] = &[
        (RIGHT, codex(), replayed),
        ("  http://localhost:1455/auth/callback?code=abc.def&state=St-At_e1 \n", codex(), replayed),
        (
            "\u{1b}[200~http://localhost:1455/auth/callback?code=abc.def&state=St-At_e1\u{1b}[201~",
            codex(),
            replayed,
        ),
        ("http://localhost:1455/auth/call\n    back?code=abc.def&st\r\n  ate=St-At_e1", codex(), replayed),
        ("<http://localhost:1455/auth/callback?code=abc.def&state=St-At_e1>", codex(), replayed),
        ("\"http://localhost:1455/auth/callback?code=abc.def&state=St-At_e1\"", codex(), replayed),
        ("localhost:1455/auth/callback?code=abc.def&state=St-At_e1", codex(), replayed),
        (
            "http://127.0.0.1:1455/auth/callback?code=abc.def&state=St-At_e1",
            codex(),
            "GET /auth/callback?code=abc.def&state=St-At_e1 to 127.0.0.1:1455",
        ),
        (
            "http://[::1]:1455/auth/callback?code=abc.def&state=St-At_e1",
            codex(),
            "GET /auth/callback?code=abc.def&state=St-At_e1 to [::1]:1455",
        ),
        (
            "http://localhost:1455/auth/callback?error=access_denied&state=St-At_e1",
            codex(),
            "GET /auth/callback?error=access_denied&state=St-At_e1 to localhost:1455",
        ),
        (
            "http://localhost:1455/auth/callback?code=a&state=St%2DAt_e1#",
            codex(),
            "GET /auth/callback?code=a&state=St%2DAt_e1 to localhost:1455",
        ),
        (
            "http://localhost:1455/auth/callback?state=St-At_e1&iss=https://i.test&code=4/0A&scope=a%20https://s.test/b",
            codex(),
            "GET /auth/callback?state=St-At_e1&iss=https://i.test&code=4/0A&scope=a%20https://s.test/b to localhost:1455",
        ),
        (RIGHT, whole, "stdin http://localhost:1455/auth/callback?code=abc.def&state=St-At_e1"),
        ("the-code#Cl_State", claude(), "stdin the-code#Cl_State"),
        ("the-co\n  de#Cl_State\n", claude(), "stdin the-code#Cl_State"),
        ("bare-code", claude(), "stdin bare-code"),
        (
            "https://platform.claude.com/oauth/code/callback?code=the-code&state=Cl_State",
            claude(),
            "stdin the-code#Cl_State",
        ),
        (
            "http://localhost:42659/callback?code=x&state=Cl_State",
            claude(),
            "GET /callback?code=x&state=Cl_State to localhost:42659",
        ),
        ("4/0AfJohXn-x_y", gcloud(), "stdin 4/0AfJohXn-x_y"),
        (
            "https://sdk.cloud.google.com/authcode.html?state=Gs&code=4%2F0Af&scope=email%20openid",
            gcloud(),
            "stdin 4/0Af",
        ),
        (
            "http://127.0.0.1:53682/?code=a&state=Rc",
            showing(&[RCLONE]),
            "GET /?code=a&state=Rc to 127.0.0.1:53682",
        ),
        ("http://localhost:3129/?code=a", showing(&[FERN]), "GET /?code=a to localhost:3129"),
        ("http://localhost:43845/cb?token=a", showing(&[AIO]), "GET /cb?token=a to localhost:43845"),
        ("", enter, "enter"),
        (" \r\n", device(), "enter"),
        ("\"pass word\"\n", secret, "stdin \"pass word\""),
        ("päss", secret, "stdin päss"),
    ];
    for (paste, context, wanted) in table {
        assert_eq!(decided(paste, context).as_deref(), Ok(*wanted), "{paste:?}");
    }
}

#[test]
fn what_does_not_fit_is_refused_with_its_own_reason() {
    use PasteRefusal as No;
    let old = PasteContext { superseded_urls: &[CLAUDE_SCREEN], ..codex() };
    let choice = PasteContext { expects: Some(Expects::Choice), ..claude() };
    let whole = PasteContext { expects: Some(Expects::CallbackUrl), ..codex() };
    let secret = PasteContext { expects: Some(Expects::Secret), ..codex() };
    let port = |found| No::WrongPort { expected: 1455, found };
    let long = format!("http://localhost:1455/auth/callback?code={}&state=St-At_e1", "a".repeat(17_000));
    let table: &[(&str, PasteContext<'_>, PasteRefusal)] = &[
        ("", codex(), No::Empty),
        ("\u{1b}[200~\u{1b}[201~", codex(), No::Empty),
        (&long, codex(), No::TooLong),
        // Host.
        ("http://evil.test:1455/auth/callback?code=a&state=St-At_e1", codex(), elsewhere()),
        ("http://localhost.evil.test:1455/auth/callback?code=a&state=St-At_e1", codex(), elsewhere()),
        ("http://127.0.0.2:1455/auth/callback?code=a&state=St-At_e1", codex(), elsewhere()),
        ("http://0.0.0.0:1455/auth/callback?code=a&state=St-At_e1", codex(), elsewhere()),
        ("http://localhost.:1455/auth/callback?code=a&state=St-At_e1", codex(), elsewhere()),
        ("http://[::ffff:127.0.0.1]:1455/auth/callback?code=a&state=St-At_e1", codex(), elsewhere()),
        ("http://2130706433:1455/auth/callback?code=a&state=St-At_e1", codex(), elsewhere()),
        ("http://user@localhost:1455/auth/callback?code=a&state=St-At_e1", codex(), No::UserInfo),
        ("http://localhost:1455@evil.test/auth/callback?code=a&state=St-At_e1", codex(), No::UserInfo),
        ("http://localhost:1455\\@evil.test/auth/callback?code=a&state=St-At_e1", codex(), No::NotAUrl),
        // Scheme.
        ("https://localhost:1455/auth/callback?code=a&state=St-At_e1", codex(), No::SecureLoopback),
        ("ftp://localhost:1455/auth/callback?code=a&state=St-At_e1", codex(), No::WrongScheme),
        ("file:///auth/callback?code=a&state=St-At_e1", codex(), No::WrongScheme),
        ("javascript:alert(1)", codex(), No::NotAUrl),
        ("http:/localhost:1455/auth/callback?code=a&state=St-At_e1", codex(), No::NotAUrl),
        // Port and path.
        ("http://localhost:1456/auth/callback?code=a&state=St-At_e1", codex(), port(1456)),
        ("http://localhost/auth/callback?code=a&state=St-At_e1", codex(), port(80)),
        ("http://localhost:01455x/auth/callback?code=a&state=St-At_e1", codex(), No::NotAUrl),
        ("http://localhost:1455/auth/callback/?code=a&state=St-At_e1", codex(), No::WrongPath),
        ("http://localhost:1455/?code=a&state=St-At_e1", codex(), No::WrongPath),
        ("http://localhost:1455/auth/../auth/callback?code=a&state=St-At_e1", codex(), No::WrongPath),
        ("http://localhost:1455/auth/c%61llback?code=a&state=St-At_e1", codex(), No::WrongPath),
        ("http://localhost:1455//auth/callback?code=a&state=St-At_e1", codex(), No::WrongPath),
        ("http://localhost:1455/cancel", codex(), No::WrongPath),
        // State.
        ("http://localhost:1455/auth/callback?code=a", codex(), No::StateMissing),
        ("http://localhost:1455/auth/callback?code=a&state=", codex(), No::StateMissing),
        ("http://localhost:1455/auth/callback?code=a&state=other", codex(), No::StateWrong),
        ("http://localhost:1455/auth/callback?code=a&state=st-at_e1", codex(), No::StateWrong),
        ("http://localhost:1455/auth/callback?code=a&state=St-At_e1x", codex(), No::StateWrong),
        ("http://localhost:1455/auth/callback?code=a&state=St-At_e", codex(), No::StateWrong),
        ("http://localhost:1455/auth/callback?code=a&STATE=St-At_e1", codex(), No::StateMissing),
        ("http://localhost:1455/auth/callback?error=access_denied", codex(), No::StateMissing),
        ("http://localhost:1455/auth/callback?error=access_denied&state=other", codex(), No::StateWrong),
        ("http://localhost:1455/auth/callback?code=a&state=Cl_State", old, No::Superseded),
        // Parameters.
        (
            "http://localhost:1455/auth/callback?code=a&state=St-At_e1&state=St-At_e1",
            codex(),
            No::DuplicateParameter,
        ),
        (
            "http://localhost:1455/auth/callback?code=a&%73tate=x&state=St-At_e1",
            codex(),
            No::DuplicateParameter,
        ),
        (
            "http://localhost:1455/auth/callback?code=a&state=St-At_e1&c%6Fde=b",
            codex(),
            No::DuplicateParameter,
        ),
        ("http://localhost:1455/auth/callback?state=St-At_e1", codex(), No::NoCode),
        ("http://localhost:1455/auth/callback?code=&state=St-At_e1", codex(), No::NoCode),
        ("http://localhost:1455/auth/callback?scope=openid&state=St-At_e1", codex(), No::NoCode),
        ("http://localhost:1455/auth/callback?code=a%0d%0aX&state=St-At_e1", codex(), No::BrokenEncoding),
        ("http://localhost:1455/auth/callback?code=a%2&state=St-At_e1", codex(), No::BrokenEncoding),
        ("http://localhost:1455/auth/callback?code=a&state=St-At_e1%00", codex(), No::BrokenEncoding),
        ("http://localhost:1455/auth/callback?code=a&state=St-At_e1#code=b", codex(), No::Fragment),
        // Characters.
        ("http://localhost:1455/auth/callback?code=a\u{1b}[A&state=St-At_e1", codex(), No::ControlCharacter),
        ("http://localhost:1455/auth/callback?code=a\u{3}&state=St-At_e1", codex(), No::ControlCharacter),
        ("http://localhost:1455/auth/callback?code=a\u{202e}&state=St-At_e1", codex(), No::ControlCharacter),
        ("http://localhost:1455/auth/callback?code=ä&state=St-At_e1", codex(), No::NotAscii),
        ("http://lоcalhost:1455/auth/callback?code=a&state=St-At_e1", codex(), No::NotAscii),
        ("the-code\u{0}#Cl_State", claude(), No::ControlCharacter),
        ("the-cöde#Cl_State", claude(), No::NotAscii),
        // Other text beside it.
        ("http://localhost:1455/auth/callback?state=St-At_e1&code=a is mine", codex(), No::InnerSpace),
        ("my code is abc", claude(), No::InnerSpace),
        ("http://localhost:1455/x http://localhost:1455/y", codex(), No::InnerSpace),
        ("http://localhost:1455/x\nhttp://localhost:1455/y", codex(), No::TwoUrls),
        ("http://localhost:1455/auth/callback?code=a&state=St-At_e1\nhttps://x.test/", codex(), No::TwoUrls),
        // The login URL itself.
        (CODEX, codex(), No::LoginUrlItself),
        (CLAUDE_BROWSER, claude(), No::LoginUrlItself),
        ("https://auth.openai.com/oauth/authorize?state=St-At_e1", codex(), No::LoginUrlItself),
        (RCLONE, showing(&[RCLONE]), No::LoginUrlItself),
        // Codes where none is read.
        ("some-code", codex(), No::NoCodeWanted),
        ("some-code", showing(&[CODEX]), No::NoCodeWanted),
        ("some-code", whole, No::WholeUrlWanted),
        ("some-code", choice, No::QuestionOpen),
        ("some-code", device(), No::NothingShown),
        ("wdjb-mjht", device(), No::DeviceCodeItself),
        ("?code=a&state=St-At_e1", codex(), No::PartOfUrl),
        ("code=a&state=Cl_State", claude(), No::PartOfUrl),
        ("the-code#other", claude(), No::StateWrong),
        ("the-code#", claude(), No::StateMissing),
        ("#Cl_State", claude(), No::NoCode),
        ("a#b#Cl_State", claude(), No::Fragment),
        // Hosted pages.
        ("https://platform.claude.com/oauth/code/callback?code=a&state=other", claude(), No::StateWrong),
        ("https://platform.claude.com/oauth/code/other?code=a&state=Cl_State", claude(), No::WrongPath),
        ("https://evil.test/oauth/code/callback?code=a&state=Cl_State", claude(), elsewhere()),
        ("http://platform.claude.com/oauth/code/callback?code=a&state=Cl_State", claude(), elsewhere()),
        (
            "https://platform.claude.com/oauth/code/callback?error=access_denied&state=Cl_State",
            claude(),
            No::Denied,
        ),
        ("https://platform.claude.com/oauth/code/callback?code=a&state=Cl_State", choice, No::QuestionOpen),
        ("http://localhost:8085/?code=a&state=Gs", gcloud(), No::NoListener),
        // Nothing shown.
        (RIGHT, PasteContext::default(), No::NothingShown),
        ("some-code", PasteContext::default(), No::NothingShown),
        // A password prompt is no way round.
        ("http://localhost:1455/auth/callback?code=a&state=other", secret, No::StateWrong),
    ];
    assert!(table.len() >= 60);
    for (paste, context, wanted) in table {
        assert_eq!(decided(paste, context).map_err(without_hosts), Err(wanted.clone()), "{paste:?}");
    }
}

#[test]
fn nothing_of_a_paste_is_in_what_is_said_about_it() {
    for paste in
        ["http://localhost:1/auth/callback?code=canary&state=canary", "canary", "canary#canary", "ä canary"]
    {
        let context = codex();
        let outcome = recognise(&Secret::new(paste), &context);
        let said =
            format!("{outcome:?} {}", outcome.as_ref().err().map_or(String::new(), ToString::to_string));
        assert!(!said.contains("canary"), "{said}");
    }
    let delivered = format!("{:?}", recognise(&Secret::new(RIGHT), &codex()));
    assert!(!delivered.contains("abc.def"), "{delivered}");
}

#[test]
fn both_loopback_addresses_are_tried() {
    let Ok(Delivery::Replay(request)) = recognise(&Secret::new(RIGHT), &codex()) else { panic!("it fits") };
    let addresses: Vec<String> = request.addresses.iter().map(ToString::to_string).collect();
    assert_eq!((addresses, request.port), (vec!["127.0.0.1".to_owned(), "::1".to_owned()], 1455));
}

/// A change to one byte of a paste: where, and what to.
fn mutation() -> impl Strategy<Value = (usize, Option<u8>, bool)> {
    (0usize..RIGHT.len(), prop::option::of(0u8..128), any::<bool>())
}

/// The fields that are checked, read by another parser than the product's.
fn checked_fields(url: &str) -> Option<(String, u16, String, String, bool)> {
    let url = url::Url::parse(url).ok()?;
    let states: Vec<_> = url.query_pairs().filter(|(name, _)| name == "state").collect();
    let state = (states.len() == 1).then(|| states[0].1.clone().into_owned())?;
    let answered =
        url.query_pairs().any(|(name, value)| (name == "code" || name == "error") && !value.is_empty());
    let port = url.port_or_known_default()?;
    Some((url.scheme().to_owned(), port, url.path().to_owned(), state, answered))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_changed_callback_is_delivered_only_if_it_still_fits(
        changes in prop::collection::vec(mutation(), 1..4)
    ) {
        let mut bytes = RIGHT.as_bytes().to_vec();
        for (at, byte, insert) in changes {
            let at = at.min(bytes.len() - 1);
            match byte {
                Some(byte) if insert => bytes.insert(at, byte),
                Some(byte) => bytes[at] = byte,
                None => { bytes.remove(at); }
            }
        }
        let paste = String::from_utf8(bytes).unwrap();
        if let Ok(Delivery::Replay(request)) = recognise(&Secret::new(paste.as_str()), &codex()) {
            let sent = format!("http://{}{}", request.host_header, request.target.secret());
            let fields = checked_fields(&sent);
            let right = ("http".to_owned(), 1455, "/auth/callback".to_owned(), "St-At_e1".to_owned(), true);
            prop_assert_eq!(fields, Some(right), "{:?}", paste);
            prop_assert!(sent.bytes().all(|byte| byte.is_ascii_graphic()), "{:?}", sent);
            let host = request.host_header.rsplit_once(':').map(|(host, _)| host.to_ascii_lowercase());
            prop_assert!(matches!(host.as_deref(), Some("localhost" | "127.0.0.1" | "[::1]")), "{:?}", sent);
        }
    }

    #[test]
    fn no_paste_makes_it_panic(paste in "\\PC{0,80}|[ -~\\n\\r\\t]{0,80}|(http://|localhost:|[#?&=%@:/\\[\\]])+[a-z0-9]{0,9}") {
        for context in [codex(), claude(), gcloud(), device(), PasteContext::default()] {
            if let Ok(Delivery::Stdin { text, .. }) = recognise(&Secret::new(paste.as_str()), &context) {
                prop_assert!(!text.secret().chars().any(char::is_control));
            }
        }
    }
}
