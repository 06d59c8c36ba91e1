//! A client's request: answered at once, made into an input, or looked up in a task.
//!
//! What concerns a session's screen does not come here: [`crate::driver::Connection`] asks the session's task itself.

use std::time::Duration;

use super::clients::Client;
use super::{Fact, Runtime};
use crate::core::ids::{ChallengeId, ClientId, SessionId};
use crate::core::input::{ChallengeInput, Input, Park, Paste, SessionInput};
use crate::core::secret::Secret;
use crate::core::view::{ChildState, Event, Level, SessionView};
use crate::driver::command::AnswerSender;
use crate::driver::identity::Identity;
use crate::driver::launch::Launch;
use crate::driver::listeners::{SessionRoot, listeners};
use crate::driver::plain_text::one_line;
use crate::driver::providers;
use crate::driver::requester::requester;
use crate::driver::sessions::{Order, not_here, respond, unknown};
use crate::protocol::error::{self, RpcError};
use crate::protocol::method::{Request, challenge, session, supervisor};
use crate::protocol::request::{
    AnswerChallenge, BundleList, ChallengeList, ChallengeRef, Focus, Kill, Opened, OwnerRef, ParkChallenge,
    Polled, SessionList, StartSession, Submit,
};

/// The longest URL that is taken from a child, in bytes.
const LONGEST_URL: usize = 16 * 1024;

/// How much is shown of something that is no URL.
const NAMED_CHARACTERS: usize = 120;

impl Runtime {
    /// Sees to one request. Whoever asked is answered exactly once, now or later.
    pub fn on_request(&mut self, client: ClientId, request: Request, reply: AnswerSender) {
        match request {
            Request::Supervisor(request) => self.on_supervisor_request(client, request, reply),
            Request::Session(request) => self.on_session_request(client, request, reply),
            Request::Challenge(request) => self.on_challenge_request(client, request, reply),
            Request::Server(_) | Request::Terminal(_) => {
                // An error means that nobody waits any more.
                let _ = reply.send(Err(not_here()));
            }
        }
    }

    fn on_supervisor_request(&mut self, client: ClientId, request: supervisor::Request, reply: AnswerSender) {
        match request {
            supervisor::Request::Start(start) => self.prepare(client, start, reply),
            supervisor::Request::Sessions(_) => {
                respond::<supervisor::Sessions>(reply, Ok(SessionList { sessions: self.engine.sessions() }));
            }
            supervisor::Request::Providers(_) => self.list_providers(reply),
            supervisor::Request::Bundles(_) => self.list_bundles(reply),
            supervisor::Request::Challenges(_) => {
                let challenges = self.engine.challenges();
                respond::<supervisor::Challenges>(reply, Ok(ChallengeList { challenges }));
            }
            supervisor::Request::Pending(_) => {
                let reply = self.replies.expect::<supervisor::Pending>(client, reply);
                self.feed(Input::Challenge(ChallengeInput::CountPending { reply }));
            }
            supervisor::Request::CancelOwner(of) => self.cancel_owner(client, of, reply),
            supervisor::Request::MintTicket(wanted) => {
                respond::<supervisor::MintTicket>(reply, self.mint_ticket(client, wanted));
            }
            supervisor::Request::Stop(_) => {
                self.stop();
                respond::<supervisor::Stop>(reply, Ok(true));
            }
        }
    }

    fn on_session_request(&mut self, client: ClientId, request: session::Request, reply: AnswerSender) {
        match request {
            session::Request::Poll(of) => respond::<session::Poll>(reply, Ok(self.poll(&of.session_id))),
            session::Request::Submit(submit) => self.submit(client, submit, reply),
            session::Request::Focus(focus) => respond::<session::Focus>(reply, self.focus(client, &focus)),
            session::Request::Opened(opened) => {
                respond::<session::Opened>(reply, self.opened(client, opened));
            }
            session::Request::Cancel(of) => {
                let reply = self.replies.expect::<session::Cancel>(client, reply);
                self.feed_session(&of.session_id, SessionInput::Cancel { reply });
            }
            session::Request::Kill(Kill { session_id, force }) => {
                let reply = self.replies.expect::<session::Kill>(client, reply);
                self.feed_session(&session_id, SessionInput::Kill { force, reply });
            }
            session::Request::Remove(of) => {
                let reply = self.replies.expect::<session::Remove>(client, reply);
                self.feed_session(&of.session_id, SessionInput::Remove { reply });
            }
            session::Request::Explain(of) => {
                let text = self.engine.explain(self.clock.now(), &of.session_id);
                respond::<session::Explain>(reply, text.ok_or_else(|| unknown(&of.session_id)));
            }
        }
    }

    fn on_challenge_request(&mut self, client: ClientId, request: challenge::Request, reply: AnswerSender) {
        match request {
            challenge::Request::Park(park) => self.park(client, park, reply),
            challenge::Request::Wait(of) => self.wait(client, of, reply),
            challenge::Request::Answer(given) => self.answer_challenge(client, given, reply),
            challenge::Request::Cancel(of) => self.cancel_challenge(client, of, reply),
        }
    }

    /// Looks a login up beside everything else: a slow file system must not hold the others up.
    fn prepare(&mut self, client: ClientId, request: StartSession, reply: AnswerSender) {
        let (settings, store, facts) = (self.settings.clone(), self.store.clone(), self.facts.clone());
        self.tasks.spawn(async move {
            if let Some(into) = &request.into_bundle_id {
                let known = store.bundles().await;
                if !known.is_ok_and(|bundles| bundles.iter().any(|bundle| bundle.bundle_id == *into)) {
                    let text = format!("there is no bundle {into} to update; bundle.list names all");
                    return respond::<supervisor::Start>(reply, Err(RpcError::new(error::NOT_FOUND, text)));
                }
            }
            match Launch::prepare(request, &settings) {
                Ok(launch) => {
                    // An error means that the runtime ended; whoever waits is told by the dropped reply.
                    let _ = facts.send(Fact::Prepared { client, launch: Box::new(launch), reply }).await;
                }
                Err(refusal) => respond::<supervisor::Start>(reply, Err(refusal)),
            }
        });
    }

    /// Looks beside everything else at what listens here, for the paste may be for one of the session's listeners.
    fn submit(&mut self, client: ClientId, submit: Submit, reply: AnswerSender) {
        let reply = self.replies.expect::<session::Submit>(client, reply);
        let (facts, sessions) = (self.facts.clone(), self.session_roots());
        self.tasks.spawn(async move {
            let listeners = tokio::task::spawn_blocking(move || listeners(&sessions)).await;
            let Submit { session_id, text, unseen_listener: unseen } = submit;
            // Without the list nothing is known to be the session's, and no callback is handed over.
            let listeners = listeners.unwrap_or_default();
            let input = SessionInput::Submit(Box::new(Paste { text, listeners, unseen, reply }));
            // An error means that the runtime ended.
            let _ = facts.send(Fact::Input(Input::Session { session_id, input })).await;
        });
    }

    /// Returns where the process tree of each session begins.
    pub fn session_roots(&self) -> Vec<SessionRoot> {
        let root = |view: SessionView| SessionRoot {
            process_id: match view.child {
                ChildState::Running { process_id } => Some(process_id),
                ChildState::Starting
                | ChildState::Ending
                | ChildState::Exited { .. }
                | ChildState::Killed
                | ChildState::Survived { .. }
                | ChildState::Lost => None,
            },
            title: view.name.or_else(|| view.command.first().cloned()).unwrap_or_default(),
            session_id: view.session_id,
        };
        self.engine.sessions().into_iter().map(root).collect()
    }

    /// A process of a session wanted to open something in a browser. Nobody else may say so: it outranks the screen.
    fn opened(&mut self, client: ClientId, opened: Opened) -> Result<bool, RpcError> {
        let session_id = opened.session_id;
        if self.clients.get(client).and_then(Client::session) != Some(&session_id) {
            let text = "only a process of the session itself can say what it opens";
            return Err(RpcError::new(error::UNAUTHENTICATED, text));
        }
        let is_web = is_web_address(&opened.url);
        if is_web {
            self.sessions.order(&session_id, Order::Opened(opened.url));
        } else {
            let what = one_line(&opened.url, NAMED_CHARACTERS);
            let text = format!("it wanted to open \"{what}\", which is no web address; nothing was opened");
            self.publish(Event::Notice { level: Level::Info, text, session_id: Some(session_id) });
        }
        Ok(is_web)
    }

    /// An unknown id polls to nothing (behaviour S11).
    fn poll(&self, session_id: &SessionId) -> Option<Polled> {
        let (provider_id, status, survivors) = self.engine.poll(session_id)?;
        Some(Polled { provider_id, status, survivors })
    }

    fn focus(&mut self, client: ClientId, focus: &Focus) -> Result<bool, RpcError> {
        let Some(entry) = self.clients.get_mut(client) else { return Ok(false) };
        let slot = entry.slot.clone();
        if let Some(before) = std::mem::replace(&mut entry.focus, focus.session_id.clone()) {
            self.sessions.order(&before, Order::Unfocus { client });
        }
        slot.clear();
        let Some(session_id) = &focus.session_id else { return Ok(true) };
        if !self.sessions.order(session_id, Order::Focus { client, slot }) {
            return Err(unknown(session_id));
        }
        self.feed_session(session_id, SessionInput::Looked);
        Ok(true)
    }

    /// Looks through the PATH beside everything else.
    fn list_providers(&mut self, reply: AnswerSender) {
        let settings = self.settings.clone();
        self.tasks.spawn_blocking(move || {
            respond::<supervisor::Providers>(reply, Ok(providers::list(&settings)));
        });
    }

    fn list_bundles(&mut self, reply: AnswerSender) {
        let store = self.store.clone();
        self.tasks.spawn(async move {
            let bundles =
                store.bundles().await.map_err(|error| RpcError::new(error::INTERNAL, error.to_string()));
            respond::<supervisor::Bundles>(reply, bundles.map(|bundles| BundleList { bundles }));
        });
    }

    fn park(&mut self, client: ClientId, park: ParkChallenge, reply: AnswerSender) {
        let Some(entry) = self.clients.get(client) else { return };
        let session_id = entry.session().cloned();
        let owner = match self.clients.speaks_for(client, park.owner) {
            Some(owner) => owner,
            None if entry.once => return respond::<challenge::Park>(reply, Err(nobody_to_answer())),
            None => self.clients.owner(client),
        };
        let requester = entry.process_id.map(requester).or(park.requester).unwrap_or_default();
        let reply = self.replies.expect_parked(client, reply, owner.clone());
        self.feed(Input::Challenge(ChallengeInput::Park(Box::new(Park {
            challenge_id: park.challenge_id,
            owner,
            session_id,
            kind: park.kind,
            title: park.title,
            message: park.message,
            origin: park.origin,
            realm: park.realm,
            proxy: park.proxy,
            requester,
            limit: park.limit_seconds.map(Duration::from_secs),
            reply,
        }))));
    }

    fn wait(&mut self, client: ClientId, of: ChallengeRef, reply: AnswerSender) {
        let named = self.clients.speaks_for(client, of.owner);
        let owner = named.unwrap_or_else(|| self.clients.owner_of(client, &of.challenge_id));
        let reply = self.replies.expect::<challenge::Wait>(client, reply);
        let (challenge_id, epoch) = (of.challenge_id, of.epoch);
        self.feed(Input::Challenge(ChallengeInput::Wait { challenge_id, epoch, owner, reply }));
    }

    fn answer_challenge(&mut self, client: ClientId, given: AnswerChallenge, reply: AnswerSender) {
        let reply = self.replies.expect::<challenge::Answer>(client, reply);
        self.feed(Input::Challenge(ChallengeInput::Answer {
            challenge_id: given.challenge_id,
            epoch: given.epoch,
            user: given.user,
            secret: given.secret.unwrap_or_default(),
            reply,
        }));
    }

    /// Whoever parked it takes it back; anybody else refuses it.
    fn cancel_challenge(&mut self, client: ClientId, of: ChallengeRef, reply: AnswerSender) {
        let parked = self
            .clients
            .get(client)
            .is_some_and(|client| client.parked.iter().any(|parked| parked.challenge_id == of.challenge_id));
        let owner = parked.then(|| self.clients.owner_of(client, &of.challenge_id));
        let owner = owner.or(of.owner);
        let reply = self.replies.expect::<challenge::Cancel>(client, reply);
        let (challenge_id, epoch) = (of.challenge_id, of.epoch);
        self.feed(Input::Challenge(ChallengeInput::Cancel { challenge_id, epoch, owner, reply }));
    }

    fn cancel_owner(&mut self, client: ClientId, of: OwnerRef, reply: AnswerSender) {
        if self.clients.speaks_for(client, Some(of.owner.clone())).is_some_and(|owner| owner != of.owner) {
            let text =
                "a process inside of a session can cancel what that session has parked, and nothing else";
            return respond::<supervisor::CancelOwner>(reply, Err(RpcError::new(error::FORBIDDEN, text)));
        }
        let reply = Some(self.replies.expect::<supervisor::CancelOwner>(client, reply));
        self.feed(Input::Challenge(ChallengeInput::OwnerClosed { owner: of.owner, reply }));
    }

    /// A client is gone: nobody looks through it any more, and what it parked has nobody to be answered.
    pub fn on_departure(&mut self, client: ClientId) {
        let own = format!("client-{}", client.0);
        let Some(entry) = self.clients.remove(client) else { return };
        if let Some(session_id) = &entry.focus {
            self.sessions.order(session_id, Order::Unfocus { client });
        }
        if entry.once {
            return;
        }
        for parked in entry.parked {
            self.take_back(parked.challenge_id, parked.epoch, parked.owner);
        }
        self.feed(Input::Challenge(ChallengeInput::OwnerClosed { owner: own, reply: None }));
    }

    /// Cancels a challenge of which nobody waits for the answer.
    pub fn take_back(&mut self, challenge_id: ChallengeId, epoch: u64, owner: String) {
        let reply = self.replies.nobody();
        let (epoch, owner) = (Some(epoch), Some(owner));
        self.feed(Input::Challenge(ChallengeInput::Cancel { challenge_id, epoch, owner, reply }));
    }

    /// Checks the internal credential: this supervisor's, or the one that an adopted session's children carry.
    pub fn authenticate(&self, credential: &Secret, session: Option<SessionId>) -> Option<Identity> {
        let known = session.filter(|session_id| self.live.contains_key(session_id));
        let accepted = self.credential.accepts(credential, known.as_ref());
        accepted.then_some(Identity::Internal { session: known })
    }
}

/// Tells whether a browser could be led there over the web, by an address that is all on one line.
fn is_web_address(text: &str) -> bool {
    let plain = text.len() <= LONGEST_URL && !text.chars().any(|c| c.is_control() || c.is_whitespace());
    plain && url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}

fn nobody_to_answer() -> RpcError {
    let text = "one call cannot wait for the answer: name an `owner`, and give the same name to `challenge.wait`; \
                or park over a connection that stays";
    RpcError::new(error::INVALID_PARAMS, text)
}
