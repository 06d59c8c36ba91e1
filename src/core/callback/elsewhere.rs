//! Pasted URLs that the redirect in the login's URL does not explain.
//!
//! Some URLs name no redirect (a SAML page), some a page of the vendor's that leads on to a port of this machine, and
//! some CLIs ask for whatever the browser ends on. What speaks for such a paste is its `state`, a listener of the very
//! session, and the CLI's own question.

use super::address::{Address, Parameter, single, state_of};
use super::expected::{Expected, deliver_to_listener, own_host, shown_code, wrong_host};
use super::{Delivery, PasteContext, PasteRefusal, ownership, plain};
use crate::core::finding::Expects;
use crate::core::secret::Secret;

type Parameters<'a> = [Parameter<'a>];

/// Judges a URL that fits none of the places which the login's URLs name; absent if nothing speaks for it.
pub(super) fn judge(
    address: &Address<'_>,
    parameters: &Parameters<'_>,
    pasted: &Secret,
    context: &PasteContext<'_>,
) -> Option<Result<Delivery, PasteRefusal>> {
    if address.is_loopback() && is_target(address.port, parameters, context) {
        return Some(to_listener(address, parameters, context));
    }
    let redirect_known = context.authorize_urls.iter().any(|url| !Expected::of(url).is_empty());
    if redirect_known {
        return None;
    }
    to_prompt(address, parameters, pasted, context)
}

/// Tells whether the session listens on a port that the browser may end on. Where a URL names its redirect as RFC 6749
/// has it, the browser ends there and on no other path. Where it names another port, only the `state` speaks for this.
fn is_target(port: u16, parameters: &Parameters<'_>, context: &PasteContext<'_>) -> bool {
    let named: Vec<Expected> = context.authorize_urls.iter().flat_map(|url| Expected::of(url)).collect();
    let ports: Vec<u16> = named.iter().filter_map(Expected::loopback_port).collect();
    let proven = belongs(parameters, context) == Ok(true);
    ownership::is_own_port(port, context) && !ports.contains(&port) && (ports.is_empty() || proven)
}

/// Tells whether the `state` proves that a URL belongs to this login: false if the login has none.
fn belongs(parameters: &Parameters<'_>, context: &PasteContext<'_>) -> Result<bool, PasteRefusal> {
    let own: Vec<String> = context.authorize_urls.iter().filter_map(|url| state_of(url)).collect();
    let matches =
        |state: &str, own: &[String]| own.iter().any(|own| Secret::new(own.as_str()).matches(state));
    let Some(state) = single(parameters, "state") else {
        return if own.is_empty() { Ok(false) } else { Err(PasteRefusal::StateMissing) };
    };
    let superseded: Vec<String> = context.superseded_urls.iter().filter_map(|url| state_of(url)).collect();
    match matches(&state, &own) {
        true => Ok(true),
        false if matches(&state, &superseded) => Err(PasteRefusal::Superseded),
        false if own.is_empty() => Ok(false),
        false => Err(PasteRefusal::StateWrong),
    }
}

fn plain_form(address: &Address<'_>, parameters: &Parameters<'_>) -> Result<(), PasteRefusal> {
    if !address.fragment.is_empty() {
        return Err(PasteRefusal::Fragment);
    }
    let twice = |at: usize| parameters[..at].iter().any(|(earlier, _)| *earlier == parameters[at].0);
    if (0..parameters.len()).any(twice) {
        return Err(PasteRefusal::DuplicateParameter);
    }
    Ok(())
}

fn to_listener(
    address: &Address<'_>,
    parameters: &Parameters<'_>,
    context: &PasteContext<'_>,
) -> Result<Delivery, PasteRefusal> {
    if address.secure {
        return Err(PasteRefusal::SecureLoopback);
    }
    plain_form(address, parameters)?;
    belongs(parameters, context)?;
    if parameters.iter().all(|(name, value)| name == "state" || value.is_empty()) {
        return Err(PasteRefusal::NoCode);
    }
    deliver_to_listener(address, context)
}

/// The CLI asks, and its URL does not say where the browser ends.
fn to_prompt(
    address: &Address<'_>,
    parameters: &Parameters<'_>,
    pasted: &Secret,
    context: &PasteContext<'_>,
) -> Option<Result<Delivery, PasteRefusal>> {
    let whole = plain::takes_url(context);
    let code = context.expects == Some(Expects::Code);
    let judged = || {
        plain_form(address, parameters)?;
        let proven = belongs(parameters, context)?;
        if whole {
            return Ok(Delivery::Stdin { text: pasted.clone(), what: "the URL" });
        }
        let same_site =
            |url: &&str| Address::parse(url).is_ok_and(|shown| site(shown.host) == site(address.host));
        let near = context.authorize_urls.is_empty() || context.authorize_urls.iter().any(same_site);
        if !proven && !near && !address.is_loopback() {
            return Err(wrong_host(address, &own_host(context)));
        }
        shown_code(parameters).map(|text| Delivery::Stdin { text, what: "the code" })
    };
    (whole || code).then(judged)
}

/// Returns the part of a host's name that one registers: the last two labels, three below a short one such as `co.uk`.
fn site(host: &str) -> String {
    let host = host.to_ascii_lowercase();
    let labels: Vec<&str> = host.split('.').collect();
    let short =
        labels.len() > 2 && labels[labels.len() - 1].len() == 2 && labels[labels.len() - 2].len() <= 3;
    let kept = if short { 3 } else { 2 };
    labels[labels.len().saturating_sub(kept)..].join(".")
}
