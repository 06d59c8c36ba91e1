//! Pastes that are no URL: a code, `code#state`, a token, or nothing but Enter.

use super::address::{Address, redirect_of, state_of};
use super::{Delivery, PasteContext, PasteRefusal};
use crate::core::finding::Expects;
use crate::core::provider::Answer;
use crate::core::secret::Secret;

/// An empty paste is the Enter key, where the CLI waits for one.
pub(super) fn empty(context: &PasteContext<'_>) -> Result<Delivery, PasteRefusal> {
    let waits = match context.expects {
        Some(Expects::Enter) => true,
        Some(Expects::Code | Expects::CallbackUrl | Expects::Secret | Expects::Choice) => false,
        None => context.device_code.is_some() && context.answers.contains(&Answer::EnterThenPolls),
    };
    if waits { Ok(Delivery::Confirmation) } else { Err(PasteRefusal::Empty) }
}

pub(super) fn judge(text: &Secret, context: &PasteContext<'_>) -> Result<Delivery, PasteRefusal> {
    let plain = text.secret();
    if context.device_code.is_some_and(|code| code.eq_ignore_ascii_case(plain)) {
        return Err(PasteRefusal::DeviceCodeItself);
    }
    if is_part_of_url(plain) {
        return Err(PasteRefusal::PartOfUrl);
    }
    wanted(context)?;
    match plain.split_once('#') {
        Some((code, state)) => with_state(text, code, state, context),
        None => Ok(Delivery::Stdin { text: text.clone(), what: "the code" }),
    }
}

/// Tells whether a paste is the query, or another piece, of a callback. Codes have been seen with `/` in them
/// (Google), never with `=` anywhere but at their end (base64's padding).
fn is_part_of_url(text: &str) -> bool {
    let piece = |name: &str| text.contains(&format!("{name}="));
    text.starts_with(['?', '&']) || text.contains('&') || ["code", "state", "error"].into_iter().any(piece)
}

/// Checks that the CLI reads a code at all.
pub(super) fn wanted(context: &PasteContext<'_>) -> Result<(), PasteRefusal> {
    match context.expects {
        Some(Expects::Code | Expects::Secret) => Ok(()),
        Some(Expects::CallbackUrl) if takes_either(context) => Ok(()),
        Some(Expects::CallbackUrl) => Err(PasteRefusal::WholeUrlWanted),
        Some(Expects::Choice) => Err(PasteRefusal::QuestionOpen),
        Some(Expects::Enter) | None => wanted_without_prompt(context),
    }
}

/// Tells whether the CLI's prompt takes the whole URL that the browser ended on.
pub(super) fn takes_url(context: &PasteContext<'_>) -> bool {
    match context.expects {
        Some(Expects::CallbackUrl) => true,
        Some(Expects::Code) => takes_either(context),
        Some(Expects::Enter | Expects::Secret | Expects::Choice) | None => false,
    }
}

/// Tells whether a prompt's words leave the choice: `Paste the code or the full URL:`.
fn takes_either(context: &PasteContext<'_>) -> bool {
    let words = context.prompt.unwrap_or_default().to_ascii_lowercase();
    let Some(code) = words.find("code") else { return false };
    ["url", "uri", "address", "link"].iter().filter_map(|name| words.find(name)).any(|url| {
        let (from, to) = if code < url { (code, url) } else { (url, code) };
        let between = &words[from..to];
        between.contains(" or ") || between.contains('/')
    })
}

/// A prompt may have escaped the detector: then the catalogue, or the URL's own redirect, says what is read.
fn wanted_without_prompt(context: &PasteContext<'_>) -> Result<(), PasteRefusal> {
    let answers = context.answers;
    if answers.contains(&Answer::StdinSecret) {
        return Ok(());
    }
    if context.authorize_urls.is_empty() {
        return Err(PasteRefusal::NothingShown);
    }
    if answers.contains(&Answer::StdinCode) {
        return Ok(());
    }
    if answers.contains(&Answer::StdinCallbackUrl) {
        return Err(PasteRefusal::WholeUrlWanted);
    }
    if answers.contains(&Answer::Loopback) {
        return Err(PasteRefusal::NoCodeWanted);
    }
    if !answers.is_empty() {
        return Err(PasteRefusal::NothingWanted);
    }
    let to_this_machine = |url: &&str| {
        redirect_of(url)
            .is_some_and(|redirect| Address::parse(&redirect).is_ok_and(|redirect| redirect.is_loopback()))
    };
    if context.authorize_urls.iter().all(to_this_machine) {
        return Err(PasteRefusal::NoCodeWanted);
    }
    Ok(())
}

/// `code#state`, as claude's page shows it.
fn with_state(
    text: &Secret,
    code: &str,
    state: &str,
    context: &PasteContext<'_>,
) -> Result<Delivery, PasteRefusal> {
    if code.is_empty() {
        return Err(PasteRefusal::NoCode);
    }
    if state.contains('#') {
        return Err(PasteRefusal::Fragment);
    }
    let is = |url: &&str| state_of(url).is_some_and(|own| Secret::new(own).matches(state));
    if context.authorize_urls.iter().any(is) {
        return Ok(Delivery::Stdin { text: text.clone(), what: "the code" });
    }
    if context.superseded_urls.iter().any(is) {
        return Err(PasteRefusal::Superseded);
    }
    Err(if state.is_empty() { PasteRefusal::StateMissing } else { PasteRefusal::StateWrong })
}
