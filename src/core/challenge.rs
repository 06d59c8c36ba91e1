//! Parked challenges: something needs a credential, and waits (behaviour C).
//!
//! A challenge is in one place only: parked, or ended. Whoever takes it out of the first place has won, so an answer,
//! a refusal, the end of its time and the end of its owner cannot all happen, whatever their order. Its arming epoch
//! is a number that never comes back: what was meant for an earlier arming finds nothing to touch (C4).

mod moved;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

pub use self::moved::MovedChallenges;
use super::effect::{Effect, Refusal, RefusalKind, Reply, Taking};
use super::ids::ChallengeId;
use super::input::{ChallengeInput, Park, ReplyId};
use super::secret::Secret;
use super::time::Timestamp;
use super::view::{ChallengeKind, ChallengeOutcome, ChallengeView, Event};
use super::visible::{visible_line, visible_text};

/// How long the end of a challenge is remembered for an owner that has not asked yet.
const REMEMBERED_FOR: Duration = Duration::from_secs(30);

/// The longest answer: more than any prompt of an askpass or pinentry client takes (pinentry: 2,048).
const LONGEST_ANSWER: usize = 8 * 1024;

/// Everything that waits for a credential.
#[derive(Debug)]
pub(super) struct Challenges {
    limit: Duration,
    capacity: usize,
    last_epoch: u64,
    parked: BTreeMap<ChallengeId, Parked>,
    /// The ends that somebody may still ask for, oldest first.
    ended: VecDeque<Ended>,
}

#[derive(Debug)]
struct Parked {
    view: ChallengeView,
    owner: String,
    waiter: Option<ReplyId>,
}

#[derive(Debug)]
struct Ended {
    challenge_id: ChallengeId,
    epoch: u64,
    owner: String,
    /// Gone once it was told: an answer is told once.
    end: Option<End>,
    until: Timestamp,
}

#[derive(Debug)]
enum End {
    Answered { user: Option<String>, secret: Secret },
    Other(ChallengeOutcome),
}

impl End {
    fn outcome(&self) -> ChallengeOutcome {
        match self {
            Self::Answered { .. } => ChallengeOutcome::Answered,
            Self::Other(outcome) => *outcome,
        }
    }

    fn reply(self) -> Reply {
        match self {
            Self::Answered { user, secret } => Reply::Answer { user, secret },
            Self::Other(outcome) => Reply::Ended(outcome),
        }
    }
}

impl Challenges {
    pub(super) fn new(limit: Duration, capacity: usize) -> Self {
        Self { limit, capacity, last_epoch: 0, parked: BTreeMap::new(), ended: VecDeque::new() }
    }

    /// Shows what is parked, oldest first.
    pub(super) fn views(&self) -> Vec<ChallengeView> {
        let mut views: Vec<ChallengeView> = self.parked.values().map(|parked| parked.view.clone()).collect();
        views.sort_by_key(|view| view.epoch);
        views
    }

    /// Counts what is parked (C6).
    pub(super) fn pending(&self) -> usize {
        self.parked.len()
    }

    /// Tells when the next one expires, or the next end is forgotten.
    pub(super) fn next_deadline(&self) -> Option<Timestamp> {
        let parked = self.parked.values().map(|parked| parked.view.expires_at).min();
        let ended = self.ended.front().map(|ended| ended.until);
        parked.into_iter().chain(ended).min()
    }

    pub(super) fn handle(&mut self, now: Timestamp, input: ChallengeInput, effects: &mut Vec<Effect>) {
        match input {
            ChallengeInput::Park(park) => self.park(now, *park, effects),
            ChallengeInput::Wait { challenge_id, epoch, owner, reply } => {
                self.wait(&challenge_id, epoch, &owner, reply, effects);
            }
            ChallengeInput::Answer { challenge_id, epoch, user, secret, reply } => {
                let end = End::Answered { user, secret };
                self.take(now, &challenge_id, epoch, end, reply, effects);
            }
            ChallengeInput::Cancel { challenge_id, epoch, owner, reply } => {
                let end = End::Other(self.cancelled_by(&challenge_id, owner.as_deref()));
                self.take(now, &challenge_id, epoch, end, reply, effects);
            }
            ChallengeInput::OwnerClosed { owner, reply } => {
                let count = self.close_owner(now, &owner, effects);
                if let Some(to) = reply {
                    effects.push(Effect::Reply { to, value: Reply::Count(count) });
                }
            }
            ChallengeInput::CountPending { reply } => {
                let count = u64::try_from(self.pending()).unwrap_or(u64::MAX);
                effects.push(Effect::Reply { to: reply, value: Reply::Count(count) });
            }
        }
    }

    fn park(&mut self, now: Timestamp, park: Park, effects: &mut Vec<Effect>) {
        let replaces = self.parked.contains_key(&park.challenge_id);
        if !replaces && self.parked.len() >= self.capacity {
            let message = format!(
                "{} challenges wait already, which is the limit. Answer or refuse some, then try again.",
                self.capacity
            );
            refuse(effects, park.reply, RefusalKind::LimitReached, message);
            return;
        }
        self.finish(now, &park.challenge_id, End::Other(ChallengeOutcome::Superseded), effects);
        self.last_epoch += 1;
        let view = self.view(now, &park);
        let (challenge_id, epoch) = (park.challenge_id, view.epoch);
        effects.push(Effect::Publish(Event::ChallengeParked { challenge: Box::new(view.clone()) }));
        self.parked.insert(challenge_id.clone(), Parked { view, owner: park.owner, waiter: None });
        effects.push(Effect::Reply { to: park.reply, value: Reply::Parked { challenge_id, epoch } });
    }

    fn view(&self, now: Timestamp, park: &Park) -> ChallengeView {
        let limit = park.limit.map_or(self.limit, |limit| limit.min(self.limit));
        let line = |text: &Option<String>| text.as_deref().map(|text| visible_line(text, 300));
        ChallengeView {
            challenge_id: park.challenge_id.clone(),
            epoch: self.last_epoch,
            session_id: park.session_id.clone(),
            kind: park.kind,
            title: visible_line(or_http(&park.title, "browser", park.kind), 40),
            message: visible_text(or_http(&park.message, in_words(park.proxy), park.kind), 2_000),
            origin: line(&park.origin),
            realm: line(&park.realm),
            proxy: park.proxy,
            requester: park.requester.clone(),
            parked_at: now,
            expires_at: now.after(limit),
        }
    }

    fn wait(
        &mut self,
        challenge_id: &ChallengeId,
        epoch: Option<u64>,
        owner: &str,
        reply: ReplyId,
        effects: &mut Vec<Effect>,
    ) {
        let parked = self.parked.get_mut(challenge_id).filter(|parked| is_arming(parked.view.epoch, epoch));
        if let Some(parked) = parked {
            if parked.owner != owner {
                refuse_stranger(effects, reply);
            } else if let Some(earlier) = parked.waiter.replace(reply) {
                let message = "Another call waits for this challenge now.".to_owned();
                refuse(effects, earlier, RefusalKind::TooLate, message);
            }
            return;
        }
        let arming =
            |ended: &&mut Ended| ended.challenge_id == *challenge_id && is_arming(ended.epoch, epoch);
        match self.ended.iter_mut().rev().find(arming) {
            None => {
                let message = format!("No challenge {challenge_id} is known, or its end was told long ago.");
                refuse(effects, reply, RefusalKind::NotFound, message);
            }
            Some(ended) if ended.owner != owner => refuse_stranger(effects, reply),
            Some(ended) => match ended.end.take() {
                Some(end) => effects.push(Effect::Reply { to: reply, value: end.reply() }),
                None => {
                    let message = "The end of this challenge was told already.".to_owned();
                    refuse(effects, reply, RefusalKind::TooLate, message);
                }
            },
        }
    }

    /// An owner takes back; anybody else refuses.
    fn cancelled_by(&self, challenge_id: &ChallengeId, owner: Option<&str>) -> ChallengeOutcome {
        let owned = self.parked.get(challenge_id).is_some_and(|parked| owner == Some(parked.owner.as_str()));
        if owned { ChallengeOutcome::Cancelled } else { ChallengeOutcome::Denied }
    }

    fn take(
        &mut self,
        now: Timestamp,
        challenge_id: &ChallengeId,
        epoch: Option<u64>,
        end: End,
        reply: ReplyId,
        effects: &mut Vec<Effect>,
    ) {
        let parked = self.parked.get(challenge_id).filter(|parked| is_arming(parked.view.epoch, epoch));
        let taking = match parked {
            None => self.missed(challenge_id, epoch),
            // Its time is up, and only the tick has not come yet.
            Some(parked) if now >= parked.view.expires_at => Taking::TooLate,
            Some(parked) => {
                if let End::Answered { user, secret } = &end
                    && let Err(message) = check_answer(parked.view.kind, user.as_deref(), secret)
                {
                    refuse(effects, reply, RefusalKind::InvalidAnswer, message);
                    return;
                }
                self.finish(now, challenge_id, end, effects);
                Taking::Won
            }
        };
        effects.push(Effect::Reply { to: reply, value: Reply::Taken(taking) });
    }

    fn missed(&self, challenge_id: &ChallengeId, epoch: Option<u64>) -> Taking {
        let replaced = self.parked.get(challenge_id).is_some_and(|parked| epoch < Some(parked.view.epoch));
        let ended = self.ended.iter().any(|ended| ended.challenge_id == *challenge_id);
        if replaced || ended { Taking::TooLate } else { Taking::Unknown }
    }

    /// Cancels all challenges of an owner, and no others (C5). Returns how many.
    pub(super) fn close_owner(&mut self, now: Timestamp, owner: &str, effects: &mut Vec<Effect>) -> u64 {
        let owned = |parked: &Parked| parked.owner == owner;
        self.finish_all(now, owned, ChallengeOutcome::Cancelled, effects)
    }

    /// Cancels what has waited long enough (C2), and forgets ends that nobody asked for.
    pub(super) fn expire(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        let due = |parked: &Parked| now >= parked.view.expires_at;
        self.finish_all(now, due, ChallengeOutcome::Expired, effects);
        while self.ended.front().is_some_and(|ended| now >= ended.until) {
            self.ended.pop_front();
        }
    }

    fn finish_all(
        &mut self,
        now: Timestamp,
        which: impl Fn(&Parked) -> bool,
        outcome: ChallengeOutcome,
        effects: &mut Vec<Effect>,
    ) -> u64 {
        let ids: Vec<ChallengeId> =
            self.parked.iter().filter(|(_, parked)| which(parked)).map(|(id, _)| id.clone()).collect();
        for id in &ids {
            self.finish(now, id, End::Other(outcome), effects);
        }
        u64::try_from(ids.len()).unwrap_or(u64::MAX)
    }

    /// Takes a challenge out of the parked ones: the only way out, so it happens once.
    fn finish(&mut self, now: Timestamp, challenge_id: &ChallengeId, end: End, effects: &mut Vec<Effect>) {
        let Some(parked) = self.parked.remove(challenge_id) else { return };
        let epoch = parked.view.epoch;
        let challenge_id = challenge_id.clone();
        let outcome = end.outcome();
        let unread = match parked.waiter {
            Some(to) => {
                effects.push(Effect::Reply { to, value: end.reply() });
                None
            }
            None => Some(end),
        };
        let until = now.after(REMEMBERED_FOR);
        let ended =
            Ended { challenge_id: challenge_id.clone(), epoch, owner: parked.owner, end: unread, until };
        self.ended.push_back(ended);
        if self.ended.len() > self.capacity {
            self.ended.pop_front();
        }
        effects.push(Effect::Publish(Event::ChallengeEnded { challenge_id, epoch, outcome }));
    }
}

/// A browser's callback has no words of its own.
fn or_http<'a>(text: &'a str, default: &'a str, kind: ChallengeKind) -> &'a str {
    match kind {
        ChallengeKind::HttpBasic | ChallengeKind::HttpDigest if text.is_empty() => default,
        ChallengeKind::HttpBasic
        | ChallengeKind::HttpDigest
        | ChallengeKind::Secret
        | ChallengeKind::Text
        | ChallengeKind::Confirm
        | ChallengeKind::Notice => text,
    }
}

fn in_words(proxy: bool) -> &'static str {
    if proxy {
        "The proxy wants a user name and a password."
    } else {
        "The server wants a user name and a password."
    }
}

fn is_arming(epoch: u64, wanted: Option<u64>) -> bool {
    wanted.is_none_or(|wanted| wanted == epoch)
}

/// Checks what the requester's protocol could not carry, so that the person can correct it.
fn check_answer(kind: ChallengeKind, user: Option<&str>, secret: &Secret) -> Result<(), String> {
    let breaks = |text: &str| text.contains(['\n', '\r', '\0']);
    if secret.len() > LONGEST_ANSWER {
        return Err(format!("The answer is longer than {LONGEST_ANSWER} bytes. Nothing was sent."));
    }
    if breaks(secret.secret()) || user.is_some_and(breaks) {
        return Err("The answer has a line end in it, which would cut it off. Nothing was sent.".to_owned());
    }
    match (kind, user) {
        (ChallengeKind::HttpBasic | ChallengeKind::HttpDigest, None) => {
            Err("A user name is needed beside the password. Nothing was sent.".to_owned())
        }
        // RFC 7617 section 2: the first colon ends the user name.
        (ChallengeKind::HttpBasic, Some(user)) if user.contains(':') => {
            Err("A user name for HTTP Basic cannot have a colon in it. Nothing was sent.".to_owned())
        }
        (
            ChallengeKind::Secret
            | ChallengeKind::Text
            | ChallengeKind::Confirm
            | ChallengeKind::Notice
            | ChallengeKind::HttpBasic
            | ChallengeKind::HttpDigest,
            _,
        ) => Ok(()),
    }
}

fn refuse(effects: &mut Vec<Effect>, to: ReplyId, kind: RefusalKind, message: String) {
    effects.push(Effect::Reply { to, value: Reply::Refused(Refusal { kind, message }) });
}

fn refuse_stranger(effects: &mut Vec<Effect>, to: ReplyId) {
    let message = "Only whoever parked a challenge is told how it ends.".to_owned();
    refuse(effects, to, RefusalKind::NotTheOwner, message);
}

#[cfg(test)]
mod tests;
