//! The child that a person types into: borrows its terminal, so that keys need not go through the supervisor.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::Running;
use super::effects::Effects;
use crate::client::{Borrowed, Client, ClientError, Keyboard};
use crate::core::ids::SessionId;
use crate::core::secret::Secret;
use crate::protocol::request::{InputBytes, Request};

/// Between two questions for a terminal that is not there yet, or not any more.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// Whose terminal is wanted, and how far that is.
#[derive(Debug, Default)]
pub(super) struct Typing {
    session_id: Option<SessionId>,
    reached: Reached,
}

#[derive(Debug, Default)]
enum Reached {
    /// It is to be asked for.
    #[default]
    Nothing,
    Asked {
        /// Something was typed meanwhile, which must not be overtaken.
        typed: bool,
    },
    /// It was not lent, or given back, at this time.
    Without(Instant),
    Keyboard(Keyboard),
    /// The connection to the supervisor carries none.
    Never,
}

impl Running {
    /// Sends a request to which no answer is wanted. What is typed goes the shortest way.
    pub(super) fn tell(&mut self, request: Request) {
        let client = self.hosts.client(self.model.host_for(&request));
        let told = client.map_or(Err(ClientError::Closed), |client| match request {
            Request::SessionInput(input) => {
                let told = self.typing.perform(client, input);
                self.typing.ask(client, &self.effects);
                told
            }
            request => client.tell(&request),
        });
        if let Err(error) = told {
            self.effects.complain(error);
        }
    }

    /// Sees to it that the terminal is borrowed of the child that is typed into, and no other one.
    pub(super) fn follow_typing(&mut self) {
        let typed_into = self.model.pane.session.as_ref().filter(|_| self.model.typing);
        if self.typing.follow(typed_into)
            && let Some(client) = typed_into.and_then(|id| self.hosts.client(self.model.host_of(id)))
        {
            self.typing.ask(client, &self.effects);
        }
    }
}

impl Typing {
    /// Notes into which session a person types; another one's terminal is given back. Returns whether that is new.
    fn follow(&mut self, typed_into: Option<&SessionId>) -> bool {
        let is_new = self.session_id.as_ref() != typed_into;
        if is_new {
            *self = Self { session_id: typed_into.cloned(), reached: Reached::Nothing };
        }
        is_new
    }

    /// Asks for the terminal, if it is time to.
    fn ask(&mut self, client: &Client, effects: &Effects) {
        let due = match &self.reached {
            Reached::Nothing => true,
            Reached::Without(since) => since.elapsed() >= ASK_AGAIN,
            Reached::Asked { .. } | Reached::Keyboard(_) | Reached::Never => false,
        };
        if let Some(session_id) = self.session_id.as_ref().filter(|_| due) {
            effects.borrow_terminal(client, session_id);
            self.reached = Reached::Asked { typed: false };
        }
    }

    /// Takes what came of it.
    pub(super) fn take(&mut self, session_id: &SessionId, borrowed: Result<Borrowed, ClientError>) {
        let Reached::Asked { typed } = self.reached else { return };
        if self.session_id.as_ref() != Some(session_id) {
            return;
        }
        self.reached = match borrowed {
            Ok(Borrowed::Keyboard(keyboard)) if !typed => Reached::Keyboard(keyboard),
            Ok(Borrowed::Keyboard(_) | Borrowed::NotNow) => Reached::Without(Instant::now()),
            // An older supervisor does not know the question.
            Ok(Borrowed::Never) | Err(_) => Reached::Never,
        };
    }

    /// Types into the terminal, and has the supervisor type what cannot be typed there.
    fn perform(&mut self, client: &Client, input: InputBytes) -> Result<(), ClientError> {
        let is_meant = self.session_id.as_ref() == Some(&input.session_id);
        let keyboard = match &mut self.reached {
            Reached::Keyboard(keyboard) if is_meant => keyboard,
            Reached::Asked { typed } => {
                *typed = true;
                return client.tell(&Request::SessionInput(input));
            }
            Reached::Keyboard(_) | Reached::Nothing | Reached::Without(_) | Reached::Never => {
                return client.tell(&Request::SessionInput(input));
            }
        };
        let keys = Zeroizing::new(STANDARD.decode(input.base64.secret()).unwrap_or_default());
        let rest = keyboard.type_keys(client, &keys);
        if rest.is_empty() {
            return Ok(());
        }
        let base64 = Secret::new(STANDARD.encode(rest));
        self.reached = Reached::Without(Instant::now());
        client.tell(&Request::SessionInput(InputBytes { base64, ..input }))
    }
}
