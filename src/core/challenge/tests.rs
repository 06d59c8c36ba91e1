use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::core::ids::SessionId;
use crate::core::view::Requester;

const LIMIT: Duration = Duration::from_secs(300);

struct Registry {
    challenges: Challenges,
    effects: Vec<Effect>,
    now: Timestamp,
    last_reply: u64,
}

fn registry() -> Registry {
    registry_of(1_024)
}

fn registry_of(capacity: usize) -> Registry {
    let challenges = Challenges::new(LIMIT, capacity);
    Registry { challenges, effects: Vec::new(), now: Timestamp(1_000), last_reply: 0 }
}

fn id(name: &str) -> ChallengeId {
    ChallengeId::new(name)
}

impl Registry {
    fn tell(&mut self, input: impl FnOnce(ReplyId) -> ChallengeInput) -> ReplyId {
        self.last_reply += 1;
        let reply = ReplyId(self.last_reply);
        self.challenges.expire(self.now, &mut self.effects);
        self.challenges.handle(self.now, input(reply), &mut self.effects);
        reply
    }

    fn park_as(&mut self, name: &str, owner: &str, kind: ChallengeKind, limit: Option<Duration>) -> ReplyId {
        let (challenge_id, owner) = (id(name), owner.to_owned());
        self.tell(|reply| {
            ChallengeInput::Park(Box::new(Park {
                challenge_id,
                session_id: Some(SessionId::new(owner.as_str())),
                owner,
                kind,
                title: "ssh".to_owned(),
                message: "Enter passphrase for key 'k': ".to_owned(),
                origin: None,
                realm: Some("realm\u{202e}".to_owned()),
                proxy: false,
                requester: Requester::default(),
                limit,
                reply,
            }))
        })
    }

    fn park(&mut self, name: &str) -> ReplyId {
        self.park_as(name, "owner", ChallengeKind::Secret, None)
    }

    fn wait(&mut self, name: &str, owner: &str) -> ReplyId {
        let (challenge_id, owner) = (id(name), owner.to_owned());
        self.tell(|reply| ChallengeInput::Wait { challenge_id, epoch: None, owner, reply })
    }

    fn answer(&mut self, name: &str, epoch: Option<u64>, secret: &str) -> ReplyId {
        let (challenge_id, secret) = (id(name), Secret::new(secret));
        self.tell(|reply| ChallengeInput::Answer { challenge_id, epoch, user: None, secret, reply })
    }

    fn cancel(&mut self, name: &str, owner: Option<&str>) -> ReplyId {
        let (challenge_id, owner) = (id(name), owner.map(str::to_owned));
        self.tell(|reply| ChallengeInput::Cancel { challenge_id, epoch: None, owner, reply })
    }

    fn close(&mut self, owner: &str) -> u64 {
        let owner = owner.to_owned();
        let reply = self.tell(|reply| ChallengeInput::OwnerClosed { owner, reply: Some(reply) });
        match self.reply(reply) {
            Some(Reply::Count(count)) => *count,
            other => panic!("not a number: {other:?}"),
        }
    }

    fn pass(&mut self, time: Duration) {
        self.now = self.now.after(time);
        self.challenges.expire(self.now, &mut self.effects);
    }

    fn reply(&self, to: ReplyId) -> Option<&Reply> {
        let mut replies = self.effects.iter().filter_map(|effect| match effect {
            Effect::Reply { to: whom, value } if *whom == to => Some(value),
            _ => None,
        });
        let first = replies.next();
        assert!(replies.next().is_none(), "a request is answered once");
        first
    }

    fn taking(&self, to: ReplyId) -> Taking {
        match self.reply(to) {
            Some(Reply::Taken(taking)) => *taking,
            other => panic!("not a taking: {other:?}"),
        }
    }

    fn refused(&self, to: ReplyId) -> RefusalKind {
        match self.reply(to) {
            Some(Reply::Refused(refusal)) => refusal.kind,
            other => panic!("not a refusal: {other:?}"),
        }
    }

    fn ends(&self) -> Vec<(String, u64, ChallengeOutcome)> {
        let end = |effect: &Effect| match effect {
            Effect::Publish(Event::ChallengeEnded { challenge_id, epoch, outcome }) => {
                Some((challenge_id.to_string(), *epoch, *outcome))
            }
            _ => None,
        };
        self.effects.iter().filter_map(end).collect()
    }
}

#[test]
fn parking_says_what_is_asked_and_by_whom() {
    let mut registry = registry();
    let parked = registry.park("a");
    assert!(matches!(registry.reply(parked), Some(Reply::Parked { epoch: 1, .. })));
    let Some(Effect::Publish(Event::ChallengeParked { challenge })) = registry.effects.first() else {
        panic!("it is told")
    };
    assert_eq!(
        (challenge.title.as_str(), challenge.message.as_str()),
        ("ssh", "Enter passphrase for key 'k':")
    );
    assert_eq!(challenge.realm.as_deref(), Some("realm<U+202E>"));
    assert_eq!(challenge.expires_at, registry.now.after(LIMIT));
    assert_eq!(registry.challenges.views().len(), 1);
}

#[test]
fn the_answer_goes_to_the_waiting_owner_and_to_nobody_else() {
    let mut registry = registry();
    registry.park("a");
    let stranger = registry.wait("a", "other");
    let owner = registry.wait("a", "owner");
    let taken = registry.answer("a", None, "canary");
    assert_eq!(registry.taking(taken), Taking::Won);
    assert_eq!(registry.refused(stranger), RefusalKind::NotTheOwner);
    assert!(
        matches!(registry.reply(owner), Some(Reply::Answer { secret, .. }) if secret.secret() == "canary")
    );
    assert_eq!(registry.challenges.pending(), 0);
    let late = registry.wait("a", "owner");
    assert_eq!(registry.refused(late), RefusalKind::TooLate);
}

#[test]
fn an_owner_that_asks_after_the_end_is_still_told_once() {
    let mut registry = registry();
    registry.park("a");
    registry.answer("a", None, "canary");
    let stranger = registry.wait("a", "other");
    let owner = registry.wait("a", "owner");
    let again = registry.wait("a", "owner");
    assert_eq!(registry.refused(stranger), RefusalKind::NotTheOwner);
    assert!(matches!(registry.reply(owner), Some(Reply::Answer { .. })));
    assert_eq!(registry.refused(again), RefusalKind::TooLate);
    registry.park("b");
    registry.cancel("b", None);
    registry.pass(REMEMBERED_FOR);
    let forgotten = registry.wait("b", "owner");
    assert_eq!(registry.refused(forgotten), RefusalKind::NotFound);
    assert!(registry.challenges.ended.is_empty(), "no secret is kept for ever");
}

#[test]
fn it_expires_after_its_limit_and_not_before() {
    let mut registry = registry();
    registry.park("a");
    registry.park_as("short", "owner", ChallengeKind::Secret, Some(Duration::from_secs(5)));
    registry.park_as("long", "owner", ChallengeKind::Secret, Some(Duration::from_secs(5_000)));
    registry.pass(Duration::from_secs(5));
    assert_eq!(registry.ends(), [("short".to_owned(), 2, ChallengeOutcome::Expired)]);
    registry.pass(Duration::from_millis(294_999));
    assert_eq!(registry.challenges.pending(), 2);
    registry.pass(Duration::from_millis(1));
    assert_eq!(registry.challenges.pending(), 0, "the setting bounds what is asked for");
    let late = registry.answer("a", None, "canary");
    assert_eq!(registry.taking(late), Taking::TooLate);
}

#[test]
fn parking_again_cancels_the_earlier_one_and_its_answers_miss_the_later() {
    let mut registry = registry();
    registry.park("a");
    let waiter = registry.wait("a", "owner");
    registry.pass(Duration::from_secs(200));
    registry.park("a");
    assert!(matches!(registry.reply(waiter), Some(Reply::Ended(ChallengeOutcome::Superseded))));
    let stale = registry.answer("a", Some(1), "canary");
    assert_eq!(registry.taking(stale), Taking::TooLate);
    registry.pass(Duration::from_secs(150));
    assert_eq!(registry.challenges.pending(), 1, "the earlier one's time does not end the later one");
    let right = registry.answer("a", Some(2), "canary");
    assert_eq!(registry.taking(right), Taking::Won);
}

#[test]
fn closing_an_owner_cancels_its_own_and_no_others() {
    let mut registry = registry();
    for (name, owner) in [("a", "one"), ("b", "two"), ("c", "one")] {
        registry.park_as(name, owner, ChallengeKind::Secret, None);
    }
    assert_eq!(registry.close("one"), 2);
    assert_eq!(registry.close("one"), 0);
    let left: Vec<String> =
        registry.challenges.views().iter().map(|view| view.challenge_id.to_string()).collect();
    assert_eq!(left, ["b"]);
}

#[test]
fn who_cancels_decides_what_it_is_called() {
    let mut registry = registry();
    registry.park("a");
    registry.park("b");
    registry.cancel("a", Some("owner"));
    registry.cancel("b", Some("somebody"));
    let outcomes: Vec<ChallengeOutcome> = registry.ends().iter().map(|end| end.2).collect();
    assert_eq!(outcomes, [ChallengeOutcome::Cancelled, ChallengeOutcome::Denied]);
    let unknown = registry.cancel("never", None);
    assert_eq!(registry.taking(unknown), Taking::Unknown);
}

#[test]
fn http_challenges_want_a_user_and_no_answer_may_break_a_line() {
    let mut registry = registry();
    registry.park_as("basic", "owner", ChallengeKind::HttpBasic, None);
    registry.park_as("digest", "owner", ChallengeKind::HttpDigest, None);
    registry.park("secret");
    let answer = |registry: &mut Registry, name: &str, user: Option<&str>, secret: &str| {
        let (challenge_id, user, secret) = (id(name), user.map(str::to_owned), Secret::new(secret));
        registry.tell(|reply| ChallengeInput::Answer { challenge_id, epoch: None, user, secret, reply })
    };
    for (name, user, secret) in [
        ("basic", None, "pw"),
        ("digest", None, "pw"),
        ("basic", Some("a:b"), "pw"),
        ("basic", Some("a"), "p\nw"),
        ("secret", None, "p\rw"),
        ("secret", None, "p\0w"),
    ] {
        let reply = answer(&mut registry, name, user, secret);
        assert_eq!(registry.refused(reply), RefusalKind::InvalidAnswer, "{name} {user:?}");
    }
    assert_eq!(registry.challenges.pending(), 3, "the person can correct it");
    let basic = answer(&mut registry, "basic", Some("alice"), "s3:cret");
    let digest = answer(&mut registry, "digest", Some("a:b"), "pw");
    assert_eq!((registry.taking(basic), registry.taking(digest)), (Taking::Won, Taking::Won));
}

#[test]
fn only_so_many_are_parked_and_remembered() {
    let mut registry = registry_of(3);
    for name in ["a", "b", "c"] {
        registry.park(name);
    }
    let full = registry.park("d");
    assert_eq!(registry.refused(full), RefusalKind::LimitReached);
    let again = registry.park("a");
    assert!(matches!(registry.reply(again), Some(Reply::Parked { .. })), "replacing needs no room");
    for number in 0..50 {
        registry.park("a");
        registry.pass(Duration::from_millis(number));
    }
    assert!(registry.challenges.ended.len() <= 3);
}

#[test]
fn no_answer_is_in_any_event_or_debug_form() {
    let mut registry = registry();
    registry.park("a");
    registry.park("b");
    registry.wait("a", "owner");
    registry.answer("a", None, "canary");
    registry.answer("b", None, "canary");
    assert!(!format!("{:?} {:?}", registry.effects, registry.challenges).contains("canary"));
}

#[derive(Clone, Debug)]
enum Step {
    Park(u8, u8),
    Wait(u8, u8),
    Answer(u8, Option<u64>),
    Cancel(u8, Option<u8>),
    Close(u8),
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0u8..4, 0u8..3).prop_map(|(name, owner)| Step::Park(name, owner)),
        3 => (0u8..4, 0u8..3).prop_map(|(name, owner)| Step::Wait(name, owner)),
        3 => (0u8..4, prop::option::of(0u64..30)).prop_map(|(name, epoch)| Step::Answer(name, epoch)),
        2 => (0u8..4, prop::option::of(0u8..3)).prop_map(|(name, owner)| Step::Cancel(name, owner)),
        1 => (0u8..3).prop_map(Step::Close),
        2 => (0u64..200_000).prop_map(Step::Pass),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn every_challenge_ends_exactly_once_whatever_the_order(steps in prop::collection::vec(step(), 1..60)) {
        let mut registry = registry_of(3);
        let mut waits = Vec::new();
        let (name, owner) = (|number: u8| format!("c{number}"), |number: u8| format!("o{number}"));
        for step in steps {
            match step {
                Step::Park(which, whose) => {
                    registry.park_as(&name(which), &owner(whose), ChallengeKind::Secret, None);
                }
                Step::Wait(which, whose) => waits.push(registry.wait(&name(which), &owner(whose))),
                Step::Answer(which, epoch) => { registry.answer(&name(which), epoch, "canary"); }
                Step::Cancel(which, whose) => { registry.cancel(&name(which), whose.map(owner).as_deref()); }
                Step::Close(whose) => { registry.close(&owner(whose)); }
                Step::Pass(time) => registry.pass(Duration::from_millis(time)),
            }
            for view in registry.challenges.views() {
                prop_assert!(view.expires_at > registry.now, "none outlives its time");
            }
            let due = registry.challenges.next_deadline();
            prop_assert!(due.is_none_or(|due| due > registry.now), "what is due is done");
        }
        registry.pass(LIMIT);
        prop_assert_eq!(registry.challenges.pending(), 0, "nothing leaks");
        let mut ends: BTreeMap<u64, u32> = BTreeMap::new();
        for (_, epoch, _) in registry.ends() {
            *ends.entry(epoch).or_default() += 1;
        }
        let parked = registry.effects.iter().filter(|effect| matches!(effect, Effect::Publish(Event::ChallengeParked { .. })));
        prop_assert_eq!(ends.len(), parked.count());
        prop_assert!(ends.values().all(|count| *count == 1), "each ended once: {:?}", ends);
        let answers = registry.effects.iter().filter(|effect| matches!(effect, Effect::Reply { value: Reply::Answer { .. }, .. }));
        let won = registry.ends().iter().filter(|end| end.2 == ChallengeOutcome::Answered).count();
        prop_assert!(answers.count() <= won, "an answer is told at most once");
        for wait in waits {
            prop_assert!(registry.reply(wait).is_some(), "whoever waits is answered in the end");
        }
        let told = format!("{:?}", registry.effects);
        prop_assert!(!told.contains("canary"), "a secret leaked");
    }
}

#[test]
fn another_process_goes_on_with_everything_but_those_who_wait() {
    let mut registry = registry();
    registry.park("one");
    registry.park_as("two", "other", ChallengeKind::Secret, Some(Duration::from_secs(20)));
    registry.park("answered");
    registry.park("told");
    registry.answer("answered", None, "canary-secret");
    registry.wait("told", "owner");
    registry.answer("told", None, "another");
    registry.pass(Duration::from_secs(5));

    let text = serde_json::to_string(&registry.challenges.to_move()).unwrap();
    let mut next = registry_of(1_024);
    (next.now, next.last_reply) = (registry.now, 1_000);
    next.challenges.take_over(serde_json::from_str(&text).unwrap());
    assert_eq!(next.challenges.views(), registry.challenges.views());
    assert!(!format!("{:?}", next.challenges).contains("canary"), "nothing of it is shown");

    // An answer that nobody has asked for yet is told to its owner, once; one that was told is not told again.
    let reply = next.wait("answered", "owner");
    assert!(
        matches!(next.reply(reply), Some(Reply::Answer { secret, .. }) if secret.secret() == "canary-secret")
    );
    let again = next.wait("answered", "owner");
    assert_eq!(next.refused(again), RefusalKind::TooLate);
    let told = next.wait("told", "owner");
    assert_eq!(next.refused(told), RefusalKind::TooLate);

    // Who waits, waits again; the arming is the same, and the next one has a number that never was.
    let waiting = next.wait("one", "owner");
    let answered = next.answer("one", Some(1), "it is me");
    assert_eq!(next.taking(answered), Taking::Won);
    assert!(matches!(next.reply(waiting), Some(Reply::Answer { .. })));
    let parked = next.park("one");
    assert!(matches!(next.reply(parked), Some(Reply::Parked { epoch: 5, .. })), "{:?}", next.reply(parked));

    // The time that was left is left, and no more.
    next.pass(Duration::from_secs(14));
    assert_eq!(next.challenges.pending(), 2);
    next.pass(Duration::from_secs(1));
    assert_eq!(next.ends().last(), Some(&("two".to_owned(), 2, ChallengeOutcome::Expired)));
}
