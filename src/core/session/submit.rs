//! What is done with a paste: recognised and checked by [`crate::core::callback`], sent on, and its fate told.

use super::{Delivery, Session, Turn};
use crate::core::callback::{self, PasteContext};
use crate::core::effect::{Effect, Refusal, RefusalKind, Reply};
use crate::core::finding::FindingKind;
use crate::core::input::{DeliveryId, DeliveryOutcome, ReplyId};
use crate::core::redact;
use crate::core::secret::Secret;
use crate::core::tokens::mask_tokens;
use crate::core::view::ChildState;

/// How many deliveries of one session may be under way. A person makes one.
const DELIVERIES: usize = 8;

impl Session {
    pub(super) fn submit(&mut self, turn: &mut Turn<'_>, text: &Secret, reply: ReplyId) {
        if !matches!(self.saved.child, ChildState::Running { .. }) {
            let message = "Nothing was sent: the CLI does not run.".to_owned();
            turn.reply(reply, Reply::Submitted { delivered: false, to_loopback: false, message });
            return;
        }
        if self.deliveries.len() >= DELIVERIES {
            let message = "Nothing was sent: earlier pastes are still on their way.".to_owned();
            turn.reply(reply, Reply::Refused(Refusal { kind: RefusalKind::LimitReached, message }));
            return;
        }
        match self.recognise(text) {
            Ok(delivery) => self.deliver(turn, delivery, reply),
            Err(refusal) => {
                let message = format!("Nothing was sent: {refusal}.");
                turn.reply(reply, Reply::Refused(Refusal { kind: RefusalKind::PasteRefused, message }));
            }
        }
    }

    fn recognise(&self, text: &Secret) -> Result<callback::Delivery, callback::PasteRefusal> {
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
            device_code: seen.code.as_ref().map(|code| code.code.as_str()),
        };
        callback::recognise(text, &context)
    }

    fn deliver(&mut self, turn: &mut Turn<'_>, delivery: callback::Delivery, reply: ReplyId) {
        *turn.last_delivery += 1;
        let id = DeliveryId(*turn.last_delivery);
        let session_id = self.id().clone();
        let (effect, port, what) = match delivery {
            callback::Delivery::Stdin { text, what } => {
                (Effect::WriteLine { session_id, delivery: id, text }, None, what)
            }
            callback::Delivery::Confirmation => {
                let text = Secret::default();
                (Effect::WriteLine { session_id, delivery: id, text }, None, "Enter")
            }
            callback::Delivery::Replay(request) => {
                let port = Some(request.port);
                (Effect::ReplayCallback { session_id, delivery: id, request }, port, "the callback")
            }
        };
        let until = turn.now.after(turn.limits.delivery);
        self.deliveries.push(Delivery { id, reply, until, port, what });
        self.saved.attention = false;
        turn.order(effect);
    }

    pub(super) fn delivered(&mut self, turn: &mut Turn<'_>, id: DeliveryId, outcome: DeliveryOutcome) {
        let Some(at) = self.deliveries.iter().position(|delivery| delivery.id == id) else { return };
        let delivery = self.deliveries.remove(at);
        let (delivered, message) = told(&delivery, outcome);
        if delivered && !self.is_over() {
            self.saved.seen.submitted = true;
            self.saved.seen.prompt = None;
        }
        turn.reply(
            delivery.reply,
            Reply::Submitted { delivered, to_loopback: delivery.port.is_some(), message },
        );
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

/// Says what became of a delivery. The listener's page is its own words: quoted.
fn told(delivery: &Delivery, outcome: DeliveryOutcome) -> (bool, String) {
    let what = delivery.what;
    match outcome {
        DeliveryOutcome::Written => (true, format!("Typed {what} into the CLI.")),
        DeliveryOutcome::Closed => (false, "Nothing was sent: the CLI reads no more input.".to_owned()),
        DeliveryOutcome::Answered { status, page } => {
            let page = page.map(|page| mask_tokens(&redact::visible_line(&page, 120)));
            let words =
                page.filter(|page| !page.is_empty()).map_or(String::new(), |page| format!(": “{page}”"));
            let port = delivery.port.unwrap_or_default();
            (
                true,
                format!("Played {what} to the CLI's listener on port {port}; it answered {status}{words}."),
            )
        }
        DeliveryOutcome::Failed { reason } => {
            let reason = redact::visible_line(&reason, 300);
            let reason = reason.trim_end_matches('.');
            (false, format!("It was not delivered: {reason}."))
        }
    }
}
