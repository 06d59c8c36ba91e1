//! Pasted URLs: judged against what each of the session's authorize URLs lets the browser end on.

use super::address::{Address, Malformed, Parameter, decode, single, state_of};
use super::{CallbackRequest, Delivery, PasteContext, PasteRefusal, ownership, plain};
use crate::core::finding::Expects;
use crate::core::provider::Answer;
use crate::core::secret::Secret;
use crate::core::visible::visible_line;

type Parameters<'a> = [Parameter<'a>];

/// Parameters of an authorize URL that name the redirect, as CLIs were seen to call it (codex and most others, then
/// genezio, prefect, qwen, e2b, sanity). Any other name is not looked for: a redirect is what is sent somewhere.
const REDIRECT_NAMES: [&str; 6] =
    ["redirect_uri", "redirect_url", "callback", "callback_url", "next", "origin"];

/// Parameters of an authorize URL that name only the listener's port (aio, infisical, amp).
const PORT_NAMES: [&str; 4] = ["port", "callbackPort", "callback_port", "redirect_port"];

/// Where an authorize URL lets the browser end.
pub(super) struct Expected {
    /// The redirect, or the listener's own address where only a port is named.
    pub(super) redirect: String,
    /// Whether any path will do, because only a port is named.
    pub(super) any_path: bool,
    /// Whether the CLI follows RFC 6749, so that a `code` or an `error` must come back.
    standard: bool,
    /// Whether the page at the redirect shows `code#state` to be pasted. An authorize URL with `code=true` asks for
    /// that page (claude 2.1).
    joined: bool,
    pub(super) state: Option<String>,
}

impl Expected {
    /// Lists the places that an authorize URL lets the browser end on.
    pub(super) fn of(url: &str) -> Vec<Self> {
        let Ok(address) = Address::parse(url) else { return Vec::new() };
        let Ok(parameters) = address.parameters() else { return Vec::new() };
        let state = single(&parameters, "state");
        let joined = single(&parameters, "code").as_deref() == Some("true");
        let place = |redirect, any_path, standard| Self {
            redirect,
            any_path,
            standard,
            joined,
            state: state.clone(),
        };
        let named = REDIRECT_NAMES.iter().filter_map(|name| {
            let redirect = single(&parameters, name)?;
            let standard = *name == "redirect_uri";
            let parsed = Address::parse(&redirect).ok()?;
            (standard || parsed.is_loopback()).then(|| place(redirect.clone(), false, standard))
        });
        let ported = PORT_NAMES.iter().filter_map(|name| single(&parameters, name)?.parse::<u16>().ok());
        // Some CLIs show an address of their own listener, which then sends the browser on (rclone, tsh, kubelogin).
        let own = address.is_loopback().then_some(address.port);
        let ports = ported.chain(own).map(|port| place(format!("http://localhost:{port}/"), true, false));
        named.chain(ports).collect()
    }

    /// Returns the port, if this is one of this machine.
    pub(super) fn loopback_port(&self) -> Option<u16> {
        Address::parse(&self.redirect).ok().filter(Address::is_loopback).map(|address| address.port)
    }
}

/// What judges a URL that fits no place which the login's URLs name; absent if nothing speaks for it.
pub(super) type Otherwise =
    fn(&Address<'_>, &Parameters<'_>, &Secret, &PasteContext<'_>) -> Option<Result<Delivery, PasteRefusal>>;

/// Judges a pasted URL.
pub(super) fn judge(
    pasted: &Secret,
    context: &PasteContext<'_>,
    otherwise: Otherwise,
) -> Result<Delivery, PasteRefusal> {
    let url = pasted.secret();
    if is_two_urls(url) {
        return Err(if is_login_url(url, context) {
            PasteRefusal::LoginUrlItself
        } else {
            PasteRefusal::TwoUrls
        });
    }
    let address = Address::parse(url).map_err(malformed)?;
    if address.has_userinfo {
        return Err(PasteRefusal::UserInfo);
    }
    if is_login_url(url, context) {
        return Err(PasteRefusal::LoginUrlItself);
    }
    let parameters = address.parameters().map_err(malformed)?;
    decode(address.path).map_err(malformed)?;
    let places = context.authorize_urls.iter().flat_map(|url| Expected::of(url));
    let mut nearest = Misfit::elsewhere(&address, &own_host(context));
    for expected in places {
        match fit(&address, &parameters, &expected, context) {
            Ok(ending) => return deliver(&address, pasted, ending, context),
            Err(misfit) if misfit.progress > nearest.progress => nearest = misfit,
            Err(_) => {}
        }
    }
    if let Some(judged) = otherwise(&address, &parameters, pasted, context) {
        return judged;
    }
    if context.authorize_urls.is_empty() {
        return Err(PasteRefusal::NothingShown);
    }
    let refusal = nearest.refusal;
    Err(if refusal == PasteRefusal::StateWrong && is_superseded(&parameters, context) {
        PasteRefusal::Superseded
    } else {
        refusal
    })
}

/// Tells whether another URL follows. In a value of the query one may stand: Google's redirect lists its scopes.
fn is_two_urls(url: &str) -> bool {
    let query = url.find('?').unwrap_or(url.len());
    let schemes = url.match_indices("http://").chain(url.match_indices("https://"));
    schemes.filter(|(at, _)| *at > 0).any(|(at, _)| {
        let before = url[..at].to_ascii_lowercase();
        let begins_value = ["=", "+", ",", "%20", "%2c"].iter().any(|separator| before.ends_with(separator));
        at < query || !begins_value
    })
}

fn malformed(why: Malformed) -> PasteRefusal {
    match why {
        Malformed::Scheme => PasteRefusal::WrongScheme,
        Malformed::Form => PasteRefusal::NotAUrl,
        Malformed::Encoding => PasteRefusal::BrokenEncoding,
    }
}

/// A refusal, and how far the paste came: of several authorize URLs, the one that fits best says why it does not.
struct Misfit {
    progress: u8,
    refusal: PasteRefusal,
}

/// Names both hosts. They are ASCII: a paste that is not was refused before.
pub(super) fn wrong_host(address: &Address<'_>, expected: &str) -> PasteRefusal {
    const LONGEST: usize = 80;
    let cut = |host: &str| visible_line(host, LONGEST);
    PasteRefusal::WrongHost { expected: cut(expected), found: cut(address.host) }
}

/// Returns the host on which a login ends; without a redirect, the one that its URL leads to.
pub(super) fn own_host(context: &PasteContext<'_>) -> String {
    let url = context.authorize_urls.first().copied().unwrap_or_default();
    let redirect = Expected::of(url).into_iter().next().map(|expected| expected.redirect);
    let ends_on = redirect.as_deref().unwrap_or(url);
    Address::parse(ends_on).map_or_else(|_| "another host".to_owned(), |address| address.host.to_owned())
}

impl Misfit {
    fn elsewhere(address: &Address<'_>, expected: &str) -> Self {
        let loopback = address.is_loopback();
        let refusal = if loopback { PasteRefusal::NoListener } else { wrong_host(address, expected) };
        Self { progress: 0, refusal }
    }

    fn after(progress: u8) -> impl Fn(PasteRefusal) -> Self {
        move |refusal| Self { progress, refusal }
    }
}

/// Tells whether this is a page that the CLI told to open, rather than one on which the browser ends.
fn is_login_url(url: &str, context: &PasteContext<'_>) -> bool {
    let shown = context.authorize_urls.iter().chain(context.superseded_urls);
    let Ok(pasted) = Address::parse(url) else { return false };
    shown.into_iter().any(|shown| {
        Address::parse(shown).is_ok_and(|shown_address| {
            let to_itself = shown_address.is_loopback();
            *shown == url || (!to_itself && pasted.same_page(&shown_address))
                // A listener's own start page and its callback may share a path; then the query tells them apart.
                || (to_itself && pasted.same_page(&shown_address) && pasted.query == shown_address.query)
        })
    })
}

fn is_superseded(parameters: &Parameters<'_>, context: &PasteContext<'_>) -> bool {
    let Some(state) = single(parameters, "state") else { return false };
    context
        .superseded_urls
        .iter()
        .any(|url| state_of(url).is_some_and(|own| Secret::new(own).matches(&state)))
}

/// What a fitting URL is good for.
enum Ending {
    Listener,
    /// The CLI asks for the whole URL.
    Whole,
    /// The vendor's page; the CLI reads what it shows.
    Shown(Secret),
}

fn fit(
    address: &Address<'_>,
    parameters: &Parameters<'_>,
    expected: &Expected,
    context: &PasteContext<'_>,
) -> Result<Ending, Misfit> {
    let redirect =
        Address::parse(&expected.redirect).map_err(|_| Misfit::elsewhere(address, &expected.redirect))?;
    let whole = wants_whole(context);
    fit_place(address, &redirect, expected, whole)?;
    fit_content(address, parameters, expected).map_err(Misfit::after(4))?;
    if whole {
        return Ok(Ending::Whole);
    }
    // Without its listener the CLI can only be told by its prompt (headless modes name a port that nobody is on).
    let asks = context.expects == Some(Expects::Code) && context.session_id.is_some();
    if redirect.is_loopback() && (!asks || ownership::is_own_port(address.port, context)) {
        return Ok(Ending::Listener);
    }
    plain::wanted(context).map_err(Misfit::after(5))?;
    shown(parameters, expected).map(Ending::Shown).map_err(Misfit::after(5))
}

/// Tells whether the CLI reads the whole URL from its terminal.
fn wants_whole(context: &PasteContext<'_>) -> bool {
    let reads = context.answers.contains(&Answer::StdinCallbackUrl);
    let listens = context.answers.contains(&Answer::Loopback);
    plain::takes_url(context) || (context.expects.is_none() && reads && !listens)
}

/// What the vendor's page shows for this URL.
fn shown(parameters: &Parameters<'_>, expected: &Expected) -> Result<Secret, PasteRefusal> {
    let code = shown_code(parameters)?;
    Ok(match &expected.state {
        Some(state) if expected.joined => Secret::new(format!("{}#{state}", code.secret())),
        Some(_) | None => code,
    })
}

/// The code in a URL, to be typed where the CLI asks for it.
pub(super) fn shown_code(parameters: &Parameters<'_>) -> Result<Secret, PasteRefusal> {
    if single(parameters, "error").is_some() {
        return Err(PasteRefusal::Denied);
    }
    let code = single(parameters, "code").ok_or(PasteRefusal::NoCode)?;
    if !code.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(PasteRefusal::NotAscii);
    }
    Ok(Secret::new(code))
}

/// Everything behind the path.
fn fit_content(
    address: &Address<'_>,
    parameters: &Parameters<'_>,
    expected: &Expected,
) -> Result<(), PasteRefusal> {
    if !address.fragment.is_empty() {
        return Err(PasteRefusal::Fragment);
    }
    fit_parameters(parameters, expected)?;
    let answered = ["code", "error"].iter().any(|name| single(parameters, name).is_some());
    if expected.standard && !answered { Err(PasteRefusal::NoCode) } else { Ok(()) }
}

/// Returns what stands for the login in a callback: the `state` with the code or the error, decoded, and all of it if
/// it has none of them.
pub(super) fn proof(target: &str) -> Secret {
    let query = target.split_once('?').map_or("", |(_, query)| query);
    let parameters: Vec<Parameter<'_>> = query
        .split('&')
        .filter_map(|pair| {
            let (name, value) = pair.split_once('=')?;
            Some((decode(name).ok()?, decode(value).ok()?))
        })
        .collect();
    let state = single(&parameters, "state").unwrap_or_default();
    match ["code", "error"].iter().find_map(|name| single(&parameters, name)) {
        Some(answer) => Secret::new(format!("{state}\n{answer}")),
        None => Secret::new(target),
    }
}

/// Scheme, host, port and path.
fn fit_place(
    address: &Address<'_>,
    redirect: &Address<'_>,
    expected: &Expected,
    whole: bool,
) -> Result<(), Misfit> {
    if !redirect.is_loopback() {
        let same_host = address.host.eq_ignore_ascii_case(redirect.host);
        if !same_host || address.port != redirect.port || address.secure != redirect.secure {
            return Err(Misfit::elsewhere(address, redirect.host));
        }
    } else if !address.is_loopback() {
        return Err(Misfit { progress: 1, refusal: wrong_host(address, redirect.host) });
    } else if address.secure && !whole {
        // A CLI that reads the URL from its terminal only takes it apart (gcloud wants it with https).
        return Err(Misfit { progress: 2, refusal: PasteRefusal::SecureLoopback });
    } else if address.port != redirect.port {
        let refusal = PasteRefusal::WrongPort { expected: redirect.port, found: address.port };
        return Err(Misfit { progress: 2, refusal });
    }
    if !expected.any_path && address.path != redirect.path {
        return Err(Misfit { progress: 3, refusal: PasteRefusal::WrongPath });
    }
    Ok(())
}

fn fit_parameters(parameters: &Parameters<'_>, expected: &Expected) -> Result<(), PasteRefusal> {
    let twice = |(at, (name, _)): (usize, &Parameter<'_>)| {
        parameters[..at].iter().any(|(earlier, _)| earlier == name)
    };
    if parameters.iter().enumerate().any(twice) {
        return Err(PasteRefusal::DuplicateParameter);
    }
    // State before anything else: an `error` of some other login must not end this one.
    if let Some(own) = &expected.state {
        let state = single(parameters, "state").ok_or(PasteRefusal::StateMissing)?;
        if !Secret::new(own.as_str()).matches(&state) {
            return Err(PasteRefusal::StateWrong);
        }
    }
    if parameters.iter().all(|(name, value)| name == "state" || value.is_empty()) {
        return Err(PasteRefusal::NoCode);
    }
    Ok(())
}

fn deliver(
    address: &Address<'_>,
    pasted: &Secret,
    ending: Ending,
    context: &PasteContext<'_>,
) -> Result<Delivery, PasteRefusal> {
    Ok(match ending {
        Ending::Whole => Delivery::Stdin { text: pasted.clone(), what: "the URL" },
        Ending::Shown(text) => Delivery::Stdin { text, what: "the code" },
        Ending::Listener => deliver_to_listener(address, context)?,
    })
}

/// Hands a URL to the session's listener on its port.
pub(super) fn deliver_to_listener(
    address: &Address<'_>,
    context: &PasteContext<'_>,
) -> Result<Delivery, PasteRefusal> {
    Ok(Delivery::Replay(CallbackRequest {
        host_header: address.authority.to_owned(),
        port: address.port,
        target: Secret::new(format!("{}?{}", address.path, address.query)),
        addresses: ownership::addresses(address.port, context)?,
        unseen: context.unseen,
    }))
}
