//! What a client may see and do that came in with a ticket for one provider (behaviour W1): the logins of that
//! provider, as the catalogue has them, and nothing else.

use std::collections::HashSet;

use super::identity::Identity;
use crate::core::ids::{ProviderId, SessionId};
use crate::core::token::ticket::TicketHolder;
use crate::core::view::{BundleView, Event, SessionView};
use crate::protocol::error::{self, RpcError};
use crate::protocol::event::NumberedEvent;
use crate::protocol::method::{Request, Response, supervisor};
use crate::protocol::request::{Addressee, Polled, StartSession};
use crate::protocol::snapshot::Snapshot;

/// One provider's logins.
#[derive(Clone, Debug)]
pub(super) struct Scope {
    provider: ProviderId,
}

impl Scope {
    /// Returns the bounds of a client; absent: it has none.
    pub fn of(identity: &Identity) -> Option<Self> {
        match identity {
            Identity::Ticket(TicketHolder { provider: Some(provider), .. }) => {
                Some(Self { provider: provider.clone() })
            }
            Identity::Ticket(_) | Identity::Local | Identity::Internal { .. } => None,
        }
    }

    /// Checks a request that its row lets such a client make. Returns the session that it is about, which must turn out to
    /// be of this provider.
    ///
    /// # Errors
    /// It is about something else.
    pub fn check<'a>(&self, request: &'a Request) -> Result<Option<&'a SessionId>, RpcError> {
        if let Request::Supervisor(supervisor::Request::Start(start)) = request
            && !self.is_plain_start(start)
        {
            return Err(self.refusal());
        }
        match request.addressee() {
            Addressee::Supervisor => Ok(None),
            Addressee::Session(session_id) => Ok(Some(session_id)),
            Addressee::Challenge(_) => Err(self.refusal()),
        }
    }

    /// Another command, folder or environment could be anything, and another login's bundle is another login's.
    fn is_plain_start(&self, start: &StartSession) -> bool {
        start.provider_id.as_ref() == Some(&self.provider)
            && start.command.is_empty()
            && start.directory.is_none()
            && start.environment.is_empty()
            && start.inherited.is_none()
            && start.into_bundle_id.is_none()
    }

    pub fn refusal(&self) -> RpcError {
        let text = format!(
            "the ticket opens the logins of `{}` only, as the catalogue has them; get one without a provider for more",
            self.provider
        );
        RpcError::new(error::FORBIDDEN, text)
    }

    /// Tells whether a session is of this provider.
    pub fn is_own(&self, polled: Option<&Polled>) -> bool {
        polled.is_some_and(|polled| polled.provider_id.as_ref() == Some(&self.provider))
    }

    /// Takes out of an answer what is not of this provider. What is about one session was checked before.
    pub fn narrow(&self, response: Response) -> Response {
        match response {
            Response::Supervisor(response) => Response::Supervisor(self.narrow_lists(response)),
            Response::Server(_) | Response::Session(_) | Response::Terminal(_) | Response::Challenge(_) => {
                response
            }
        }
    }

    fn narrow_lists(&self, mut response: supervisor::Response) -> supervisor::Response {
        match &mut response {
            supervisor::Response::Sessions(list) => {
                list.sessions.retain(|session| self.has_session(session));
            }
            supervisor::Response::Providers(list) => {
                list.providers.retain(|provider| provider.provider_id == self.provider);
            }
            supervisor::Response::Bundles(list) => list.bundles.retain(|bundle| self.has_bundle(bundle)),
            supervisor::Response::Challenges(list) => list.challenges.clear(),
            supervisor::Response::Start(_)
            | supervisor::Response::Pending(_)
            | supervisor::Response::CancelOwner(_)
            | supervisor::Response::MintTicket(_)
            | supervisor::Response::Stop(_) => {}
        }
        response
    }

    fn has_session(&self, session: &SessionView) -> bool {
        session.provider_id.as_ref() == Some(&self.provider)
    }

    fn has_bundle(&self, bundle: &BundleView) -> bool {
        bundle.provider == self.provider.as_str()
    }
}

/// What a bounded client is told of all that happens. It counts by itself, so that no gap shows what it is not told.
#[derive(Debug)]
pub(super) struct Narrowed {
    scope: Scope,
    sequence: u64,
    shown: HashSet<SessionId>,
}

impl Narrowed {
    /// Begins with a snapshot, which is narrowed.
    pub fn begin(scope: Scope, snapshot: &mut Snapshot) -> Self {
        snapshot.sessions.retain(|session| scope.has_session(session));
        snapshot.bundles.retain(|bundle| scope.has_bundle(bundle));
        snapshot.challenges.clear();
        let shown = snapshot.sessions.iter().map(|session| session.session_id.clone()).collect();
        Self { scope, sequence: snapshot.sequence, shown }
    }

    /// Returns the number of the last event that was told.
    pub fn count(&self) -> u64 {
        self.sequence
    }

    /// Goes on counting where another process stopped.
    pub fn go_on_from(&mut self, count: u64) {
        self.sequence = count;
    }

    /// Begins anew.
    pub fn begin_again(&mut self, snapshot: &mut Snapshot) {
        *self = Self::begin(self.scope.clone(), snapshot);
    }

    /// Returns an event as this client is told it, if it is.
    pub fn tell(&mut self, event: Event) -> Option<NumberedEvent> {
        let is_told = match &event {
            Event::SessionAdded { session } | Event::SessionChanged { session } => {
                let own = self.scope.has_session(session);
                if own {
                    self.shown.insert(session.session_id.clone());
                }
                own
            }
            Event::SessionRemoved { session_id } => self.shown.remove(session_id),
            Event::BundleStored { bundle } => self.scope.has_bundle(bundle),
            Event::Notice { session_id, .. } => session_id.as_ref().is_some_and(|id| self.shown.contains(id)),
            Event::SupervisorStopping {} => true,
            Event::ChallengeParked { .. } | Event::ChallengeEnded { .. } => false,
        };
        is_told.then(|| {
            self.sequence += 1;
            NumberedEvent { sequence: self.sequence, event }
        })
    }
}
