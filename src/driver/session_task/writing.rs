//! Writing to the child: lines for the engine, keys for people.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use zeroize::Zeroizing;

use super::SessionTask;
use crate::core::input::{DeliveryId, DeliveryOutcome, Input, SessionInput};
use crate::core::secret::Secret;
use crate::driver::fact::Fact;
use crate::driver::keeper_link::{InputOutcome, KeeperHandle};
use crate::driver::panics::or_panic;

/// How long a child in raw mode may take to show that it has read a paste before Enter is sent all the same.
const ECHO_LIMIT: Duration = Duration::from_millis(150);

impl SessionTask {
    /// Writes a line and ends it with a carriage return, beside everything else; the outcome is told as a fact.
    pub(super) fn write_line(&mut self, delivery: DeliveryId, text: Secret) {
        self.mask(&text);
        // Of `code#state` the code alone is the secret, and some CLIs show it alone.
        if let Some((code, _)) = text.secret().split_once('#') {
            self.mask(&Secret::new(code));
        }
        let line = Line {
            text,
            bracketed: self.screen.modes().bracketed_paste,
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
    keeper: Option<KeeperHandle>,
}

impl Line {
    async fn write(&self) -> DeliveryOutcome {
        match &self.keeper {
            Some(keeper) => delivered(self.write_to(keeper).await),
            None => DeliveryOutcome::Closed,
        }
    }

    async fn write_to(&self, keeper: &KeeperHandle) -> InputOutcome {
        let canonical = keeper.terminal_mode().is_none_or(|mode| mode.canonical);
        if canonical || self.text.is_empty() {
            // One write: the line discipline hands it over as a whole, or it is refused as too long.
            return keeper.write(self.marked("\r").as_bytes()).await;
        }
        // A child that reads keys takes a paste and Enter in one read for text only (Ink does), so Enter comes after
        // it has shown that it read the paste, or after a while if it shows nothing.
        let printed = self.printed.notified();
        let outcome = keeper.write(self.marked("").as_bytes()).await;
        if outcome != InputOutcome::Written {
            return outcome;
        }
        let _ = tokio::time::timeout(ECHO_LIMIT, printed).await;
        keeper.write(b"\r").await
    }

    fn marked(&self, end: &str) -> Zeroizing<String> {
        let text = self.text.secret();
        Zeroizing::new(if self.bracketed && !text.is_empty() {
            format!("\x1b[200~{text}\x1b[201~{end}")
        } else {
            format!("{text}{end}")
        })
    }
}

fn delivered(outcome: InputOutcome) -> DeliveryOutcome {
    let reason = match outcome {
        InputOutcome::Written => return DeliveryOutcome::Written,
        InputOutcome::Closed => return DeliveryOutcome::Closed,
        InputOutcome::LineTooLong { limit } => format!(
            "the CLI reads whole lines of at most {limit} bytes, and the kernel would cut this one off; \
             look for another way to give it, such as a file or a variable"
        ),
        InputOutcome::Deadline { written: 0 } => {
            "the CLI does not read its input; look at its screen, or kill it and start again".to_owned()
        }
        InputOutcome::Deadline { written } => format!(
            "the CLI read {written} bytes of it and then no more; look at its screen, or kill it and start again"
        ),
        InputOutcome::Full => {
            "too much input waits for the CLI already; wait until it reads, or kill it and start again"
                .to_owned()
        }
    };
    DeliveryOutcome::Failed { reason }
}
