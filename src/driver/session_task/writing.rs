//! Writing to the child: lines for the engine, keys for people.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use zeroize::Zeroizing;

use super::SessionTask;
use super::field::Field;
use crate::core::input::{DeliveryId, DeliveryOutcome, Input, SessionInput};
use crate::core::secret::Secret;
use crate::driver::fact::Fact;
use crate::driver::keeper_link::{InputOutcome, KeeperHandle};
use crate::driver::panics::or_panic;

/// How long a child that reads keys may take to show that it has read something before Enter is sent all the same.
const ECHO_LIMIT: Duration = Duration::from_millis(150);

/// How long a field may take to change after a paste. A paste that is dropped is typed after that; one that is only
/// slow must not be there twice.
const FIELD_LIMIT: Duration = Duration::from_secs(2);

impl SessionTask {
    /// Writes a line and ends it with a carriage return, beside everything else; the outcome is told as a fact.
    /// Where the field is `hidden` it shows nothing of what it takes.
    pub(super) fn write_line(&mut self, delivery: DeliveryId, text: Secret, hidden: bool) {
        self.mask(&text);
        // Of `code#state` the code alone is the secret, and some CLIs show it alone.
        if let Some((code, _)) = text.secret().split_once('#') {
            self.mask(&Secret::new(code));
        }
        let field = Arc::new(Field::before(&self.screen, text.secret().chars().count()));
        self.fields.push(Arc::clone(&field));
        let line = Line {
            bracketed: self.screen.modes().bracketed_paste && !hidden,
            text,
            field,
            printed: Arc::clone(&self.printed),
            keeper: self.keeper.as_ref().map(|(handle, _)| handle.clone()),
        };
        let (session_id, facts) = (self.setting.session_id.clone(), self.setting.facts.clone());
        self.writes.spawn(async move {
            let outcome = or_panic(line.write(), |reason| DeliveryOutcome::Failed { reason }).await;
            let input = SessionInput::Delivered { delivery, outcome };
            // An error means that the runtime ended.
            let _ = facts.send(Fact::Input(Input::Session { session_id, input })).await;
        });
    }
}

/// A line on its way.
struct Line {
    text: Secret,
    /// The child asked for pastes to be marked (DECSET 2004).
    bracketed: bool,
    printed: Arc<Notify>,
    field: Arc<Field>,
    keeper: Option<KeeperHandle>,
}

impl Line {
    async fn write(&self) -> DeliveryOutcome {
        match &self.keeper {
            Some(keeper) => self.write_to(keeper).await,
            None => DeliveryOutcome::Closed,
        }
    }

    async fn write_to(&self, keeper: &KeeperHandle) -> DeliveryOutcome {
        let canonical = keeper.terminal_mode().is_none_or(|mode| mode.canonical);
        if canonical || self.text.is_empty() {
            // One write: the line discipline hands it over as a whole, or it is refused as too long.
            let text = if self.bracketed { self.marked("\r") } else { self.plain("\r") };
            return delivered(keeper.write(text.as_bytes()).await);
        }
        // A child that reads keys takes a paste and Enter in one read for text only (Ink does), so Enter comes after
        // it has shown that it read the paste.
        let printed = self.printed.notified();
        let first = if self.bracketed { self.marked("") } else { self.plain("") };
        let outcome = keeper.write(first.as_bytes()).await;
        if outcome != InputOutcome::Written {
            return delivered(outcome);
        }
        if !self.bracketed {
            // Some fields show nothing of what they take.
            let _ = tokio::time::timeout(ECHO_LIMIT, printed).await;
        } else if !self.field.has_changed(FIELD_LIMIT).await {
            // It asked for pastes to be marked, and drops them.
            let outcome = keeper.write(self.plain("").as_bytes()).await;
            if outcome != InputOutcome::Written {
                return delivered(outcome);
            }
            if !self.field.has_changed(FIELD_LIMIT).await {
                return unchanged();
            }
        }
        delivered(keeper.write(b"\r").await)
    }

    fn plain(&self, end: &str) -> Zeroizing<String> {
        Zeroizing::new(format!("{}{end}", self.text.secret()))
    }

    fn marked(&self, end: &str) -> Zeroizing<String> {
        let text = self.text.secret();
        if text.is_empty() {
            self.plain(end)
        } else {
            Zeroizing::new(format!("\x1b[200~{text}\x1b[201~{end}"))
        }
    }
}

/// Nothing shows that the child took what it was given, so Enter was not pressed.
fn unchanged() -> DeliveryOutcome {
    let reason = "it was pasted and then typed, and nothing on the CLI's screen changed, so Enter was not pressed: look at \
                  its pane, and press Enter there if it has taken it";
    DeliveryOutcome::Failed { reason: reason.to_owned() }
}

fn delivered(outcome: InputOutcome) -> DeliveryOutcome {
    match outcome {
        InputOutcome::Written => DeliveryOutcome::Written,
        InputOutcome::Closed => DeliveryOutcome::Closed,
        refused => DeliveryOutcome::Failed { reason: refused.reason() },
    }
}
