//! Parked challenges through the supervisor (behaviour C).

use authdeck::core::ids::{ChallengeId, SessionId};
use authdeck::core::secret::Secret;
use authdeck::core::view::{ChallengeKind, ChallengeOutcome, Event};
use authdeck::driver::{Connection, Identity, Told};
use authdeck::protocol::error;
use authdeck::protocol::method::{Method as _, Request, Response, challenge, supervisor};
use authdeck::protocol::request::{
    AnswerChallenge, ChallengeAnswer, ChallengeRef, Nothing, OwnerRef, ParkChallenge, Parked,
};

use crate::common::supervisor::{Supervisor, ask};
use crate::common::wait::wait_until;

fn challenge(id: &str) -> ParkChallenge {
    ParkChallenge {
        challenge_id: ChallengeId::new(id),
        owner: None,
        kind: ChallengeKind::Secret,
        title: "ssh".into(),
        message: "Enter passphrase: ".into(),
        origin: None,
        realm: None,
        proxy: false,
        requester: None,
        limit_seconds: None,
    }
}

fn park(supervisor: &Supervisor, connection: &Connection, park: ParkChallenge) -> Parked {
    ask(supervisor, connection, Request::Challenge(challenge::Request::Park(park))).unwrap()
}

fn named(id: &str) -> ChallengeRef {
    ChallengeRef { challenge_id: ChallengeId::new(id), epoch: None, owner: None }
}

fn given(id: &str, secret: &str) -> Request {
    Request::Challenge(challenge::Request::Answer(AnswerChallenge {
        challenge_id: ChallengeId::new(id),
        epoch: None,
        user: None,
        secret: Some(Secret::new(secret)),
    }))
}

fn pending(supervisor: &Supervisor) -> u64 {
    supervisor.ask(supervisor::Pending::request(Nothing {})).unwrap()
}

fn wait(supervisor: &Supervisor, connection: &Connection, id: &str) -> ChallengeAnswer {
    match supervisor
        .block_on(connection.call(Request::Challenge(challenge::Request::Wait(named(id)))))
        .unwrap()
    {
        Response::Challenge(challenge::Response::Wait(answer)) => answer,
        other => panic!("no answer of a challenge: {other:?}"),
    }
}

#[test]
fn c1_parking_tells_who_asks_for_what() {
    let supervisor = Supervisor::start();
    let session = supervisor.run("read line");
    let mut events = supervisor.block_on(supervisor.connection().subscribe()).unwrap();
    let helper = supervisor.connect(Identity::Internal { session: Some(session.clone()) });
    park(&supervisor, &helper, challenge("c1"));
    let told = loop {
        match supervisor.block_on(events.next()).unwrap() {
            Told::Event(event) => {
                if let Event::ChallengeParked { challenge } = event.event {
                    break challenge;
                }
            }
            Told::Resync(_) => panic!("nobody lagged"),
        }
    };
    assert_eq!((told.challenge_id.as_str(), told.title.as_str()), ("c1", "ssh"));
    assert_eq!(told.session_id.as_ref(), Some(&session));
    assert_eq!(told.requester.process_id, Some(std::process::id()));
    assert!(!told.requester.chain.is_empty());
}

#[test]
fn c2_nobody_stays_parked_for_ever() {
    let supervisor = Supervisor::start();
    park(&supervisor, supervisor.connection(), ParkChallenge { limit_seconds: Some(1), ..challenge("c2") });
    let answer = wait(&supervisor, supervisor.connection(), "c2");
    assert!(matches!(answer, ChallengeAnswer::Ended(ChallengeOutcome::Expired)), "{answer:?}");
    assert_eq!(pending(&supervisor), 0);
}

#[test]
fn c3_one_answer_wins_and_the_secret_goes_to_the_owner_only() {
    let supervisor = Supervisor::start();
    let helper = supervisor.connect(Identity::Local);
    park(&supervisor, &helper, challenge("c3"));
    let stranger = supervisor
        .block_on(supervisor.connection().call(Request::Challenge(challenge::Request::Wait(named("c3")))));
    assert!(stranger.is_err(), "only the owner may wait for it: {stranger:?}");
    assert!(supervisor.ask::<bool>(given("c3", "canary-value")).unwrap());
    assert!(!supervisor.ask::<bool>(given("c3", "other")).unwrap());
    match wait(&supervisor, &helper, "c3") {
        ChallengeAnswer::Answered { user: None, secret } => assert_eq!(secret.secret(), "canary-value"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn c4_parking_again_replaces_the_earlier_one() {
    let supervisor = Supervisor::start();
    let helper = supervisor.connect(Identity::Local);
    let first = park(&supervisor, &helper, challenge("c4"));
    let second = park(&supervisor, &helper, challenge("c4"));
    assert!(second.epoch > first.epoch);
    assert_eq!(pending(&supervisor), 1);
    let of = ChallengeRef { epoch: Some(first.epoch), ..named("c4") };
    let answer = supervisor.block_on(helper.call(Request::Challenge(challenge::Request::Wait(of))));
    assert!(
        matches!(
            answer,
            Ok(Response::Challenge(challenge::Response::Wait(ChallengeAnswer::Ended(
                ChallengeOutcome::Superseded
            ))))
        ),
        "{answer:?}"
    );
}

#[test]
fn c5_a_client_that_goes_takes_its_challenges_with_it_and_no_others() {
    let supervisor = Supervisor::start();
    let session = supervisor.run("read line");
    let local = supervisor.connect(Identity::Local);
    let inside = supervisor.connect(Identity::Internal { session: Some(session) });
    park(&supervisor, &local, challenge("c5-local"));
    park(&supervisor, &inside, challenge("c5-inside"));
    park(&supervisor, supervisor.connection(), challenge("c5-other"));
    drop((local, inside));
    wait_until(
        "only the other client's challenge is left",
        || pending(&supervisor) == 1,
        || format!("{} are parked", pending(&supervisor)),
    );
    assert!(supervisor.ask::<bool>(given("c5-other", "x")).unwrap());
}

#[test]
fn c5_an_owner_that_closes_is_told_how_many_it_had() {
    let supervisor = Supervisor::start();
    for id in ["a", "b"] {
        park(
            &supervisor,
            supervisor.connection(),
            ParkChallenge { owner: Some("tab-1".into()), ..challenge(id) },
        );
    }
    park(
        &supervisor,
        supervisor.connection(),
        ParkChallenge { owner: Some("tab-2".into()), ..challenge("c") },
    );
    let close = || Request::Supervisor(supervisor::Request::CancelOwner(OwnerRef { owner: "tab-1".into() }));
    // A process inside of a session closes no other owner.
    let session = supervisor.run("read line");
    let inside = supervisor.connect(Identity::Internal { session: Some(session.clone()) });
    assert_eq!(ask::<u64>(&supervisor, &inside, close()).unwrap_err().code, error::FORBIDDEN);
    let own = Request::Supervisor(supervisor::Request::CancelOwner(OwnerRef { owner: session.to_string() }));
    assert_eq!(ask::<u64>(&supervisor, &inside, own).unwrap(), 0);
    assert_eq!(supervisor.ask::<u64>(close()).unwrap(), 2);
    assert_eq!(supervisor.ask::<u64>(close()).unwrap(), 0);
    assert_eq!(pending(&supervisor), 1);
}

#[test]
fn c6_nothing_leaks() {
    let supervisor = Supervisor::start();
    for number in 0..50 {
        park(&supervisor, supervisor.connection(), challenge(&format!("c6-{number}")));
    }
    assert_eq!(pending(&supervisor), 50);
    for number in 0..50 {
        let id = format!("c6-{number}");
        if number % 2 == 0 {
            assert!(supervisor.ask::<bool>(given(&id, "x")).unwrap());
        } else {
            assert!(
                supervisor.ask::<bool>(Request::Challenge(challenge::Request::Cancel(named(&id)))).unwrap()
            );
        }
    }
    assert_eq!(pending(&supervisor), 0);
}

#[test]
fn c7_a_thread_without_a_runtime_can_park_and_wait() {
    let supervisor = Supervisor::start();
    let helper = supervisor.connect(Identity::Local);
    let thread = std::thread::spawn(move || {
        helper.call_blocking(Request::Challenge(challenge::Request::Park(challenge("c7")))).unwrap();
        helper.call_blocking(Request::Challenge(challenge::Request::Wait(named("c7")))).unwrap()
    });
    wait_until("it is parked", || pending(&supervisor) == 1, || "nothing is parked".into());
    assert!(supervisor.ask::<bool>(given("c7", "canary-value")).unwrap());
    match thread.join().unwrap() {
        Response::Challenge(challenge::Response::Wait(ChallengeAnswer::Answered { secret, .. })) => {
            assert!(secret.matches("canary-value"));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn w2_only_the_supervisors_own_credential_is_accepted_also_after_a_restart() {
    let mut supervisor = Supervisor::start();
    let session =
        supervisor.run("printf '%s' \"$AUTHDECK_CREDENTIAL\" > credential; echo written; read line");
    supervisor.wait_transcript(&session, "written");
    let credential = std::fs::read_to_string(supervisor.home.work().join("credential")).unwrap();
    let shown = |supervisor: &Supervisor, credential: &str, session: &SessionId| {
        let handle = supervisor.handle().clone();
        supervisor.block_on(handle.authenticate(Secret::new(credential), Some(session.clone())))
    };
    let internal = Some(Identity::Internal { session: Some(session.clone()) });
    assert_eq!(shown(&supervisor, &credential, &session), internal);
    assert_eq!(shown(&supervisor, "wrong", &session), None);
    assert_eq!(shown(&supervisor, "", &session), None);
    supervisor.kill();
    supervisor.restart();
    assert_eq!(shown(&supervisor, &credential, &session), internal, "its children go on");
    assert_eq!(shown(&supervisor, &credential, &SessionId::new("auth-other")), None);
}
