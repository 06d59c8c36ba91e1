//! What is done with a paste: recognised and checked by [`crate::core::callback`], sent on, and its fate told.

use super::{Delivery, Handed, REMEMBERED, Session, Turn, messages};
use crate::core::callback::{self, PasteContext, PasteRefusal};
use crate::core::effect::{Effect, Refusal, RefusalKind, Reply};
use crate::core::finding::{Expects, FindingKind};
use crate::core::input::{DeliveryId, DeliveryOutcome, Paste, ReplyId};
use crate::core::saved_session::RefusedCallback;
use crate::core::secret::Secret;
use crate::core::tokens::mask_tokens;
use crate::core::view::ChildState;
use crate::core::visible;

/// How many deliveries of one session may be under way. A person makes one.
const DELIVERIES: usize = 8;

impl Session {
    pub(super) fn submit(&mut self, turn: &mut Turn<'_>, paste: &Paste) {
        let reply = paste.reply;
        if !matches!(self.saved.child, ChildState::Running { .. }) && !self.is_listening() {
            let message = "Nothing was sent: the CLI does not run.".to_owned();
            turn.reply(reply, Reply::Submitted { delivered: false, to_loopback: false, message });
            return;
        }
        if self.deliveries.len() >= DELIVERIES {
            let message = "Nothing was sent: earlier pastes are still on their way.".to_owned();
            turn.reply(reply, Reply::Refused(Refusal { kind: RefusalKind::LimitReached, message }));
            return;
        }
        match self.recognise(paste) {
            Ok(delivery) => self.deliver(turn, delivery, reply),
            Err(refusal) => {
                let kind = match refusal {
                    PasteRefusal::ListenerUnseen { .. } => RefusalKind::AskFirst,
                    _ => RefusalKind::PasteRefused,
                };
                let message = format!("Nothing was sent: {refusal}.");
                turn.reply(reply, Reply::Refused(Refusal { kind, message }));
            }
        }
    }

    fn recognise(&self, paste: &Paste) -> Result<callback::Delivery, PasteRefusal> {
        let seen = &self.saved.seen;
        let held = seen.held.as_ref().map(|(url, _)| url);
        let urls: Vec<&str> = seen
            .url
            .iter()
            .chain(&seen.others)
            .chain(held)
            .filter(|url| url.kind == FindingKind::AuthorizeUrl)
            .map(|url| url.view.url.as_str())
            .collect();
        let superseded: Vec<&str> = seen.superseded.iter().map(String::as_str).collect();
        let context = PasteContext {
            authorize_urls: &urls,
            superseded_urls: &superseded,
            answers: &self.saved.plan.facts.answers,
            expects: seen.prompt.as_ref().and_then(|prompt| prompt.expects),
            prompt: seen.prompt.as_ref().map(|prompt| prompt.line.as_str()),
            device_code: seen.code.as_ref().map(|code| code.code.as_str()),
            session_id: Some(self.id()),
            listeners: &paste.listeners,
            unseen: paste.unseen,
        };
        callback::recognise(&paste.text, &context)
    }

    fn deliver(&mut self, turn: &mut Turn<'_>, delivery: callback::Delivery, reply: ReplyId) {
        let proof = delivery.proof();
        if let Some(message) = proof.as_ref().and_then(|proof| self.handed_already(proof)) {
            let kind = RefusalKind::PasteRefused;
            return turn.reply(reply, Reply::Refused(Refusal { kind, message }));
        }
        *turn.last_delivery += 1;
        let id = DeliveryId(*turn.last_delivery);
        let session_id = self.id().clone();
        let mut proves = !matches!(delivery, callback::Delivery::Confirmation);
        let (effect, port, what) = match delivery {
            callback::Delivery::Stdin { text, what } => {
                let hidden = self
                    .saved
                    .seen
                    .prompt
                    .as_ref()
                    .is_some_and(|prompt| prompt.expects == Some(Expects::Secret));
                (Effect::WriteLine { session_id, delivery: id, text, hidden }, None, what)
            }
            callback::Delivery::Confirmation => {
                let text = Secret::default();
                (Effect::WriteLine { session_id, delivery: id, text, hidden: false }, None, "Enter")
            }
            callback::Delivery::Replay(request) => {
                proves = !tells_of_error(&request);
                let port = Some(request.port);
                (Effect::ReplayCallback { session_id, delivery: id, request }, port, "the callback")
            }
        };
        self.note_handed(proof.clone());
        let until = turn.now.after(turn.limits.delivery);
        self.deliveries.push(Delivery { id, reply, until, port, what, proof, proves });
        self.saved.attention = false;
        self.saved.seen.refused = None;
        turn.order(effect);
    }

    /// Says that something was handed over before, and what came of it.
    fn handed_already(&self, proof: &Secret) -> Option<String> {
        let handed = self.handed.iter().find(|handed| handed.proof.matches(proof.secret()))?;
        Some(match &handed.fate {
            Some(fate) => {
                format!("Nothing was sent: this was handed over before, and is good for one use. {fate}")
            }
            None => "Nothing was sent: this very callback is being handed over already.".to_owned(),
        })
    }

    fn note_handed(&mut self, proof: Option<Secret>) {
        self.handed.extend(proof.map(|proof| Handed { proof, fate: None }));
        let excess = self.handed.len().saturating_sub(REMEMBERED);
        self.handed.drain(..excess);
    }

    /// Notes what came of a delivery; what never reached the CLI may be handed in again.
    fn note_fate(&mut self, delivery: &Delivery, delivered: bool, message: &str) {
        let Some(proof) = &delivery.proof else { return };
        self.handed.retain_mut(|handed| {
            let same = handed.proof.matches(proof.secret());
            if same {
                handed.fate = Some(message.to_owned());
            }
            !same || delivered
        });
    }

    pub(super) fn delivered(&mut self, turn: &mut Turn<'_>, id: DeliveryId, outcome: DeliveryOutcome) {
        let Some(at) = self.deliveries.iter().position(|delivery| delivery.id == id) else { return };
        let delivery = self.deliveries.remove(at);
        let refused = refused(&outcome);
        let (delivered, message) = told(&delivery, outcome);
        self.note_fate(&delivery, delivered, &message);
        if delivered && !self.is_over() {
            self.note_delivery(refused, delivery.proves);
        }
        turn.reply(
            delivery.reply,
            Reply::Submitted { delivered, to_loopback: delivery.port.is_some(), message },
        );
    }

    /// Notes what an answer that has reached the CLI means.
    fn note_delivery(&mut self, refused: Option<RefusedCallback>, proves: bool) {
        let accepted = refused.is_none();
        self.saved.attention |= !accepted;
        let seen = &mut self.saved.seen;
        seen.prompt = None;
        seen.submitted = accepted;
        seen.answered = accepted && proves;
        // What was said against an earlier answer is not said against this one.
        seen.claims_success =
            if accepted { seen.claims_success.filter(|claims| *claims) } else { Some(false) };
        seen.rejection = None;
        seen.refused = refused;
    }

    pub(super) fn expire_deliveries(&mut self, turn: &mut Turn<'_>) {
        let due: Vec<DeliveryId> = self
            .deliveries
            .iter()
            .filter(|delivery| turn.now >= delivery.until)
            .map(|delivery| delivery.id)
            .collect();
        for id in due {
            let reason = "no answer came in time".to_owned();
            self.delivered(turn, id, DeliveryOutcome::Failed { reason });
        }
    }

    pub(super) fn expire_all_deliveries(&mut self, turn: &mut Turn<'_>) {
        let all: Vec<DeliveryId> = self.deliveries.iter().map(|delivery| delivery.id).collect();
        for id in all {
            self.delivered(turn, id, DeliveryOutcome::Closed);
        }
    }
}

/// Returns the answer of a listener that did not take what it was handed.
fn refused(outcome: &DeliveryOutcome) -> Option<RefusedCallback> {
    match outcome {
        DeliveryOutcome::Answered { status, page } if *status >= 400 => {
            let words = page.as_deref().map(own_words).unwrap_or_default();
            Some(RefusedCallback { status: *status, words })
        }
        DeliveryOutcome::Written
        | DeliveryOutcome::Closed
        | DeliveryOutcome::Answered { .. }
        | DeliveryOutcome::Unanswered { .. }
        | DeliveryOutcome::Failed { .. } => None,
    }
}

/// Tells whether a callback brings an error (RFC 6749 section 4.1.2.1), which proves no login.
fn tells_of_error(request: &callback::CallbackRequest) -> bool {
    let target = request.target.secret();
    let query = target.split_once('?').map_or("", |(_, query)| query);
    query.split('&').any(|field| field == "error" || field.starts_with("error="))
}

/// Makes a listener's page fit to be quoted: it may repeat the code that it was given.
fn own_words(page: &str) -> String {
    mask_tokens(&visible::visible_line(page, 120))
}

/// Says what became of a delivery. The listener's page is its own words: quoted.
fn told(delivery: &Delivery, outcome: DeliveryOutcome) -> (bool, String) {
    let what = delivery.what;
    let port = delivery.port.unwrap_or_default();
    match outcome {
        DeliveryOutcome::Written => (true, format!("Typed {what} into the CLI.")),
        DeliveryOutcome::Closed => (false, "Nothing was sent: the CLI reads no more input.".to_owned()),
        DeliveryOutcome::Answered { status, page } => {
            let page = page.as_deref().map(own_words).filter(|page| !page.is_empty());
            let answer = page.map_or(status.to_string(), |page| format!("{status}: “{page}”"));
            let next = messages::after_refusal(status).map_or(String::new(), |next| format!(" {next}"));
            (true, format!("Delivered to localhost:{port}; it answered {answer}.{next}"))
        }
        DeliveryOutcome::Unanswered { how } => {
            let how = visible::visible_line(&how, 200);
            (
                true,
                format!(
                    "Handed over to localhost:{port}; it {how}. If the login does not go on, open the URL again."
                ),
            )
        }
        DeliveryOutcome::Failed { reason } => {
            let reason = visible::visible_line(&reason, 300);
            let reason = reason.trim_end_matches('.');
            (false, format!("It was not delivered: {reason}."))
        }
    }
}
