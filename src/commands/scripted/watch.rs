//! One session as it goes on, over a connection that may break: the supervisor may be replaced meanwhile.

use super::{reference, refused};
use crate::client::{Client, ClientError, ClientEvent, Events};
use crate::commands::supervisor::connect_or_start;
use crate::core::ids::SessionId;
use crate::error::{Error, Kind};
use crate::protocol::event::Event;
use crate::protocol::snapshot::{ChallengeView, SessionView, Snapshot};

/// What is told of a session.
#[derive(Debug)]
pub(super) enum Told {
    /// Its new state.
    Session(Box<SessionView>),
    /// Something in it needs a credential.
    Challenge(Box<ChallengeView>),
    /// A sentence about it.
    Notice(String),
}

/// A session that is watched.
pub(super) struct Watch {
    pub client: Client,
    events: Events,
    session_id: SessionId,
}

impl Watch {
    /// Begins to watch; returns the session as it is now, too.
    pub(super) async fn begin(
        client: Client,
        events: Events,
        session_id: SessionId,
    ) -> Result<(Self, Option<SessionView>), Error> {
        let (client, events, snapshot) = subscribed((client, events)).await?;
        let watch = Self { client, events, session_id };
        let session = watch.session_in(snapshot);
        Ok((watch, session))
    }

    /// The same for a session that a person names in their own way.
    ///
    /// # Errors
    /// There is none of that name, or several.
    pub(super) async fn begin_named(
        client: Client,
        events: Events,
        text: &str,
    ) -> Result<(Self, SessionView), Error> {
        let (client, events, snapshot) = subscribed((client, events)).await?;
        let session = reference::session_among(snapshot.sessions, text)?;
        Ok((Self { client, events, session_id: session.session_id.clone() }, session))
    }

    /// Waits for the next thing that is told of the session.
    ///
    /// # Errors
    /// The session was removed, or there is no supervisor any more.
    pub(super) async fn next(&mut self) -> Result<Told, Error> {
        loop {
            let told = match self.events.next().await {
                Some(ClientEvent::Event(event)) => self.sort(event.event)?,
                Some(ClientEvent::Resync(snapshot)) => Some(self.again(*snapshot)?),
                Some(ClientEvent::Screen(_) | ClientEvent::Complaint(_)) => None,
                Some(ClientEvent::Closed(_)) | None => Some(self.reconnect().await?),
            };
            if let Some(told) = told {
                return Ok(told);
            }
        }
    }

    fn sort(&self, event: Event) -> Result<Option<Told>, Error> {
        let is_ours = |id: &SessionId| *id == self.session_id;
        Ok(match event {
            Event::SessionAdded { session } | Event::SessionChanged { session } => {
                is_ours(&session.session_id).then_some(Told::Session(session))
            }
            Event::SessionRemoved { session_id } if is_ours(&session_id) => return Err(self.removed()),
            Event::ChallengeParked { challenge } => {
                challenge.session_id.as_ref().is_some_and(is_ours).then_some(Told::Challenge(challenge))
            }
            Event::Notice { text, session_id, level: _ } => {
                session_id.as_ref().is_some_and(is_ours).then_some(Told::Notice(text))
            }
            Event::SupervisorStopping {} => return Err(self.stopped()),
            Event::SessionRemoved { .. } | Event::ChallengeEnded { .. } | Event::BundleStored { .. } => None,
        })
    }

    async fn reconnect(&mut self) -> Result<Told, Error> {
        let (client, events, snapshot) = subscribed(connect_or_start().await?).await?;
        (self.client, self.events) = (client, events);
        self.again(snapshot)
    }

    fn again(&self, snapshot: Snapshot) -> Result<Told, Error> {
        let session = self.session_in(snapshot).ok_or_else(|| self.removed())?;
        Ok(Told::Session(Box::new(session)))
    }

    fn session_in(&self, snapshot: Snapshot) -> Option<SessionView> {
        snapshot.sessions.into_iter().find(|session| session.session_id == self.session_id)
    }

    fn removed(&self) -> Error {
        Error::new(Kind::Failed, format!("the session {} was taken off the list", self.session_id))
    }

    fn stopped(&self) -> Error {
        Error::new(Kind::Unavailable, "the supervisor was stopped")
            .hint(format!("the login goes on; `authdeck wait {}` finds it again", self.session_id))
    }
}

/// Asks for the whole state; once more if the supervisor went away just then.
async fn subscribed((client, events): (Client, Events)) -> Result<(Client, Events, Snapshot), Error> {
    match client.subscribe().await {
        Err(ClientError::Closed) => {
            let (client, events) = connect_or_start().await?;
            let snapshot = client.subscribe().await.map_err(refused)?;
            Ok((client, events, snapshot))
        }
        Err(error) => Err(refused(error)),
        Ok(snapshot) => Ok((client, events, snapshot)),
    }
}
