//! What must hold for any frame whatever, for the fuzz target and for the suite.

use authdeck::protocol::decode;
use authdeck::protocol::encode;
use authdeck::protocol::error;
use authdeck::protocol::request::{ChallengeAnswer, Polled};
use authdeck::protocol::screen::ScreenUpdate;
use authdeck::protocol::snapshot::Snapshot;
use serde_json::Value;

/// The longest refusal, in bytes: what came in must not come back at length.
const LONGEST_REFUSAL: usize = 2500;

/// The codes with which a frame can be refused before anybody looks at what it asks for.
const CODES: [i32; 4] =
    [error::PARSE, error::INVALID_REQUEST, error::METHOD_NOT_FOUND, error::INVALID_PARAMS];

/// Reads a frame in every way there is; panics if something does not hold.
pub fn check(frame: &[u8]) {
    let incoming = decode::request(frame);
    assert!(matches!(incoming.id, None | Some(Value::Null | Value::String(_) | Value::Number(_))));
    match incoming.request {
        Ok(request) => {
            let written = encode::request(Some(1), &request);
            let again = decode::request(&written).request.expect("what was read once is read again");
            assert_eq!(*encode::request(Some(1), &again), *written, "and is the same");
        }
        Err(refusal) => {
            assert!(CODES.contains(&refusal.code), "{refusal:?}");
            let length = refusal.message.len();
            assert!(length <= LONGEST_REFUSAL, "{length} bytes");
            assert!(!refusal.message.contains(|c: char| c.is_control()), "{refusal:?}");
        }
    }
    // A client reads whatever a supervisor of another version, or somebody else, may send.
    drop((decode::from_server(frame), decode::answer::<Snapshot>(frame)));
    drop((decode::answer::<ChallengeAnswer>(frame), decode::answer::<Option<Polled>>(frame)));
    drop(decode::answer::<ScreenUpdate>(frame));
}
