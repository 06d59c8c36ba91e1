//! A client's request: answered at once, made into an input, or looked up in a task.
//!
//! What concerns a session's screen does not come here: [`crate::driver::Connection`] asks the session's task itself.

use std::time::Duration;

use serde_json::Value;

use super::clients::Client;
use super::replies::value;
use super::{Fact, Runtime, answer};
use crate::core::ids::{ChallengeId, ClientId, SessionId};
use crate::core::input::{ChallengeInput, Input, Park, Paste, SessionInput};
use crate::core::secret::Secret;
use crate::core::view::{ChildState, Event, Level, SessionView};
use crate::driver::command::Answer;
use crate::driver::command::AnswerSender;
use crate::driver::identity::Identity;
use crate::driver::launch::Launch;
use crate::driver::listeners::{SessionRoot, listeners};
use crate::driver::plain_text::one_line;
use crate::driver::providers;
use crate::driver::requester::requester;
use crate::driver::sessions::{Order, unknown};
use crate::protocol::error::{self, RpcError};
use crate::protocol::request::{
    AnswerChallenge, BundleList, ChallengeList, ChallengeRef, Focus, Opened, OwnerRef, ParkChallenge, Polled,
    Request, SessionList, StartSession, Submit,
};

/// The longest URL that is taken from a child, in bytes.
const LONGEST_URL: usize = 16 * 1024;

/// How much is shown of something that is no URL.
const NAMED_CHARACTERS: usize = 120;

impl Runtime {
    /// Sees to one request. Whoever asked is answered exactly once, now or later.
    pub fn on_request(&mut self, client: ClientId, request: Request, reply: AnswerSender) {
        match request {
            Request::SessionStart(start) => self.prepare(client, start, reply),
            Request::SessionPoll(of) => answer(reply, self.poll(&of.session_id)),
            Request::SessionList {} => answer(reply, self.list_sessions()),
            Request::SessionSubmit(submit) => self.submit(client, submit, reply),
            Request::SessionCancel(of) => {
                let reply = self.replies.expect(client, reply);
                self.feed_session(&of.session_id, SessionInput::Cancel { reply });
            }
            Request::SessionKill(kill) => {
                let reply = self.replies.expect(client, reply);
                self.feed_session(&kill.session_id, SessionInput::Kill { force: kill.force, reply });
            }
            Request::SessionRemove(of) => {
                let reply = self.replies.expect(client, reply);
                self.feed_session(&of.session_id, SessionInput::Remove { reply });
            }
            Request::SessionOpened(opened) => answer(reply, self.opened(client, opened)),
            Request::SessionExplain(of) => answer(reply, self.explain(&of.session_id)),
            Request::SessionFocus(focus) => answer(reply, self.focus(client, &focus)),
            Request::ProviderList {} => self.list_providers(reply),
            Request::BundleList {} => self.list_bundles(reply),
            Request::ChallengePark(park) => self.park(client, park, reply),
            Request::ChallengeWait(of) => self.wait(client, of, reply),
            Request::ChallengeAnswer(given) => self.answer_challenge(client, given, reply),
            Request::ChallengeCancel(of) => self.cancel_challenge(client, of, reply),
            Request::ChallengeCancelOwner(of) => self.cancel_owner(client, of, reply),
            Request::ChallengeList {} => {
                answer(reply, value(&ChallengeList { challenges: self.engine.challenges() }));
            }
            Request::ChallengePending {} => {
                let reply = self.replies.expect(client, reply);
                self.feed(Input::Challenge(ChallengeInput::CountPending { reply }));
            }
            Request::TicketMint(wanted) => self.mint_ticket(client, wanted, reply),
            Request::SupervisorStop {} => {
                let outcome = self.may_rule(client).map(|()| self.stop());
                answer(reply, outcome.map(|()| Answer::Value(Value::Bool(true))));
            }
            Request::Hello(_)
            | Request::SupervisorUpgrade(_)
            | Request::EventsSubscribe {}
            | Request::ScreenTaken {}
            | Request::SessionInput(_)
            | Request::SessionResize(_)
            | Request::SessionScreen(_)
            | Request::SessionHistory(_)
            | Request::SessionSearch(_)
            | Request::SessionTranscript(_)
            | Request::SessionRecording(_) => answer(reply, Err(not_here())),
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
                    return answer(reply, Err(RpcError::new(error::NOT_FOUND, text)));
                }
            }
            match Launch::prepare(request, &settings) {
                Ok(launch) => {
                    // An error means that the runtime ended; whoever waits is told by the dropped reply.
                    let _ = facts.send(Fact::Prepared { client, launch: Box::new(launch), reply }).await;
                }
                Err(refusal) => answer(reply, Err(refusal)),
            }
        });
    }

    /// Looks beside everything else at what listens here, for the paste may be for one of the session's listeners.
    fn submit(&mut self, client: ClientId, submit: Submit, reply: AnswerSender) {
        let reply = self.replies.expect(client, reply);
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
    fn opened(&mut self, client: ClientId, opened: Opened) -> Result<Answer, RpcError> {
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
        Ok(Answer::Value(Value::Bool(is_web)))
    }

    /// Only a process of this user rules over the supervisor itself: no outside client, and none inside of a session.
    fn may_rule(&self, client: ClientId) -> Result<(), RpcError> {
        match self.clients.get(client).map(|client| &client.identity) {
            Some(Identity::Local) => Ok(()),
            Some(Identity::Internal { .. } | Identity::Ticket(_)) | None => {
                let text = "only a process of this user, over the Unix socket, may end the supervisor";
                Err(RpcError::new(error::UNAUTHENTICATED, text))
            }
        }
    }

    fn list_sessions(&self) -> Result<Answer, RpcError> {
        value(&SessionList { sessions: self.engine.sessions() })
    }

    /// An unknown id polls to nothing (behaviour S11).
    fn poll(&self, session_id: &SessionId) -> Result<Answer, RpcError> {
        match self.engine.poll(session_id) {
            Some((provider_id, status)) => value(&Polled { provider_id, status }),
            None => Ok(Answer::Value(Value::Null)),
        }
    }

    fn explain(&self, session_id: &SessionId) -> Result<Answer, RpcError> {
        let text = self.engine.explain(self.clock.now(), session_id).ok_or_else(|| unknown(session_id))?;
        value(&text)
    }

    fn focus(&mut self, client: ClientId, focus: &Focus) -> Result<Answer, RpcError> {
        let Some(entry) = self.clients.get_mut(client) else { return Ok(Answer::Value(Value::Bool(false))) };
        let slot = entry.slot.clone();
        if let Some(before) = std::mem::replace(&mut entry.focus, focus.session_id.clone()) {
            self.sessions.order(&before, Order::Unfocus { client });
        }
        slot.clear();
        let Some(session_id) = &focus.session_id else { return Ok(Answer::Value(Value::Bool(true))) };
        if !self.sessions.order(session_id, Order::Focus { client, slot }) {
            return Err(unknown(session_id));
        }
        self.feed_session(session_id, SessionInput::Looked);
        Ok(Answer::Value(Value::Bool(true)))
    }

    /// Looks through the PATH beside everything else.
    fn list_providers(&mut self, reply: AnswerSender) {
        let settings = self.settings.clone();
        self.tasks.spawn_blocking(move || answer(reply, value(&providers::list(&settings))));
    }

    fn list_bundles(&mut self, reply: AnswerSender) {
        let store = self.store.clone();
        self.tasks.spawn(async move {
            let bundles =
                store.bundles().await.map_err(|error| RpcError::new(error::INTERNAL, error.to_string()));
            answer(reply, bundles.and_then(|bundles| value(&BundleList { bundles })));
        });
    }

    fn park(&mut self, client: ClientId, park: ParkChallenge, reply: AnswerSender) {
        let Some(entry) = self.clients.get(client) else { return };
        let session_id = entry.session().cloned();
        let owner = match self.clients.speaks_for(client, park.owner) {
            Some(owner) => owner,
            None if entry.once => return answer(reply, Err(nobody_to_answer())),
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
        let reply = self.replies.expect(client, reply);
        let (challenge_id, epoch) = (of.challenge_id, of.epoch);
        self.feed(Input::Challenge(ChallengeInput::Wait { challenge_id, epoch, owner, reply }));
    }

    fn answer_challenge(&mut self, client: ClientId, given: AnswerChallenge, reply: AnswerSender) {
        let reply = self.replies.expect(client, reply);
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
        let reply = self.replies.expect(client, reply);
        let (challenge_id, epoch) = (of.challenge_id, of.epoch);
        self.feed(Input::Challenge(ChallengeInput::Cancel { challenge_id, epoch, owner, reply }));
    }

    fn cancel_owner(&mut self, client: ClientId, of: OwnerRef, reply: AnswerSender) {
        if self.clients.speaks_for(client, Some(of.owner.clone())).is_some_and(|owner| owner != of.owner) {
            let text =
                "a process inside of a session can cancel what that session has parked, and nothing else";
            return answer(reply, Err(RpcError::new(error::FORBIDDEN, text)));
        }
        let reply = Some(self.replies.expect(client, reply));
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

fn not_here() -> RpcError {
    RpcError::new(error::INVALID_REQUEST, "this request is not for the supervisor's runtime")
}
