//! Reads what crosses the wire. A frame is read twice: first for its envelope, then the parameters straight into
//! their type, so that no intermediate value holds a secret.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeOwned, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::error::{self, RpcError};
use super::event::NumberedEvent;
use super::frame::JSON_RPC;
use super::method::{self, Request};
use super::screen::ScreenUpdate;
use super::snapshot::Snapshot;
use crate::core::visible::visible_line;

/// How much of an unknown name is shown.
const NAMED_CHARACTERS: usize = 60;

/// A request that came in.
#[derive(Debug)]
pub struct Incoming {
    /// Goes back with the answer. Absent: no answer is wanted.
    pub id: Option<Value>,
    /// What is asked, or why it cannot be.
    pub request: Result<Request, RpcError>,
}

/// Something that a supervisor sent.
#[derive(Debug)]
pub enum FromServer {
    /// The answer to the request of this id; its text is read by [`answer`].
    Answer(u64),
    /// An answer without a usable id: the supervisor did not understand what it answers.
    Complaint(RpcError),
    /// An event.
    Event(Box<NumberedEvent>),
    /// What changed on the focused screen.
    Screen(Box<ScreenUpdate>),
    /// Everything starts over from here.
    Resync(Box<Snapshot>),
    /// Something that this client does not know; to be ignored.
    Unknown,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default)]
    jsonrpc: Option<Cow<'a, str>>,
    #[serde(default, deserialize_with = "present")]
    id: Option<Value>,
    #[serde(borrow, default)]
    method: Option<Cow<'a, str>>,
}

/// An `id` of null is an id; only an absent one means that no answer is wanted.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// Reads a request. What is wrong with it stands in the result, with the id to answer under as far as it is known
/// (JSON-RPC 2.0, section 5).
pub fn request(text: &[u8]) -> Incoming {
    if let Err(reason) = serde_json::from_slice::<IgnoredAny>(text) {
        return refused(error::PARSE, format!("this is not JSON: {reason}"));
    }
    if text.trim_ascii_start().starts_with(b"[") {
        let reason = "several requests at once are not taken: send each by itself".to_owned();
        return refused(error::INVALID_REQUEST, reason);
    }
    let Ok(envelope) = serde_json::from_slice::<Envelope<'_>>(text) else {
        return refused(
            error::INVALID_REQUEST,
            "a request is an object with the texts `jsonrpc` and `method`".to_owned(),
        );
    };
    let id = match envelope.id {
        Some(Value::Object(_) | Value::Array(_) | Value::Bool(_)) => {
            return refused(error::INVALID_REQUEST, "an id is a text or a number".to_owned());
        }
        id => id,
    };
    if envelope.jsonrpc.as_deref() != Some(JSON_RPC) {
        let reason = RpcError::new(error::INVALID_REQUEST, "`jsonrpc` must be \"2.0\"");
        return Incoming { id: Some(id.unwrap_or(Value::Null)), request: Err(reason) };
    }
    let Some(name) = envelope.method else {
        let reason = RpcError::new(error::INVALID_REQUEST, "`method` is missing");
        return Incoming { id: Some(id.unwrap_or(Value::Null)), request: Err(reason) };
    };
    Incoming { id, request: method_call(&name, text) }
}

fn refused(code: i32, message: String) -> Incoming {
    Incoming { id: Some(Value::Null), request: Err(RpcError::new(code, message)) }
}

fn method_call(name: &str, text: &[u8]) -> Result<Request, RpcError> {
    Request::read(name, text).unwrap_or_else(|| {
        let name = visible_line(name, NAMED_CHARACTERS);
        Err(RpcError::new(error::METHOD_NOT_FOUND, format!("there is no method `{name}`")))
    })
}

/// Reads what a supervisor sent.
///
/// # Errors
/// It is no frame of this protocol.
pub fn from_server(text: &[u8]) -> Result<FromServer, String> {
    serde_json::from_slice(text).map_err(|error| error.to_string())
}

/// Reads the answer to a request as what the method answers.
///
/// # Errors
/// The supervisor refused, or (as [`error::INTERNAL`]) its answer has another form.
pub fn answer<T: DeserializeOwned>(text: &[u8]) -> Result<T, RpcError> {
    #[derive(Deserialize)]
    struct Refused {
        error: Option<RpcError>,
    }
    #[derive(Deserialize)]
    struct Done<T> {
        result: T,
    }
    let bad_form = |reason: serde_json::Error| {
        RpcError::new(error::INTERNAL, format!("the supervisor's answer has another form: {reason}"))
    };
    if let Some(error) = serde_json::from_slice::<Refused>(text).map_err(bad_form)?.error {
        return Err(error);
    }
    serde_json::from_slice::<Done<T>>(text).map(|done| done.result).map_err(bad_form)
}

impl<'de> Deserialize<'de> for FromServer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FromServerVisitor)
    }
}

/// Reads the parameters into their type at once where the method's name stands in front of them, as this
/// supervisor writes it.
struct FromServerVisitor;

impl<'de> Visitor<'de> for FromServerVisitor {
    type Value = FromServer;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an answer or a notification")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<FromServer, A::Error> {
        let mut method: Option<Cow<'de, str>> = None;
        let mut read = None;
        let mut id = None;
        let mut error = None;
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            match &*key {
                "method" => method = Some(map.next_value()?),
                "params" => read = Some(notification(method.as_deref(), &mut map)?),
                "id" => id = map.next_value::<Value>()?.as_u64(),
                "error" => error = Some(map.next_value::<RpcError>()?),
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(match (id, read, error) {
            (Some(id), _, _) => FromServer::Answer(id),
            (None, Some(read), _) => read,
            (None, None, Some(error)) => FromServer::Complaint(error),
            (None, None, None) => FromServer::Unknown,
        })
    }
}

fn notification<'de, A: MapAccess<'de>>(method: Option<&str>, map: &mut A) -> Result<FromServer, A::Error> {
    Ok(match method {
        Some(method::SCREEN) => FromServer::Screen(map.next_value()?),
        Some(method::EVENT) => FromServer::Event(map.next_value()?),
        Some(method::RESYNC) => FromServer::Resync(map.next_value()?),
        Some(_) | None => {
            map.next_value::<IgnoredAny>()?;
            FromServer::Unknown
        }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::core::ids::{BundleId, ChallengeId, ProviderId, SessionId};
    use crate::core::secret::Secret;
    use crate::protocol::encode;
    use crate::protocol::event::ChallengeOutcome;
    use crate::protocol::method::{Method as _, challenge, server, session, supervisor, terminal};
    use crate::protocol::request::*;
    use crate::protocol::snapshot::{ChallengeKind, Requester};

    fn code_of(text: &str) -> (Option<Value>, i32) {
        let incoming = request(text.as_bytes());
        (incoming.id, incoming.request.expect_err("it must be refused").code)
    }

    #[test]
    fn what_is_wrong_is_answered_with_the_standard_code() {
        let cases = [
            ("{", error::PARSE, Some(Value::Null)),
            ("\u{1}", error::PARSE, Some(Value::Null)),
            ("[]", error::INVALID_REQUEST, Some(Value::Null)),
            ("7", error::INVALID_REQUEST, Some(Value::Null)),
            (r#"{"jsonrpc":"2.0"}"#, error::INVALID_REQUEST, Some(Value::Null)),
            (r#"{"jsonrpc":"2.0","id":3}"#, error::INVALID_REQUEST, Some(3.into())),
            (r#"{"jsonrpc":"1.0","id":3,"method":"session.list"}"#, error::INVALID_REQUEST, Some(3.into())),
            (r#"{"id":3,"method":"session.list"}"#, error::INVALID_REQUEST, Some(3.into())),
            (
                r#"{"jsonrpc":"2.0","id":{},"method":"session.list"}"#,
                error::INVALID_REQUEST,
                Some(Value::Null),
            ),
            (r#"{"jsonrpc":"2.0","id":3,"method":4}"#, error::INVALID_REQUEST, Some(Value::Null)),
            (r#"{"jsonrpc":"2.0","id":3,"method":"nope"}"#, error::METHOD_NOT_FOUND, Some(3.into())),
            (
                r#"{"jsonrpc":"2.0","id":"a","method":"session.poll"}"#,
                error::INVALID_PARAMS,
                Some("a".into()),
            ),
            (r#"{"jsonrpc":"2.0","method":"session.poll","params":{}}"#, error::INVALID_PARAMS, None),
        ];
        for (text, code, id) in cases {
            assert_eq!(code_of(text), (id, code), "{text}");
        }
    }

    #[test]
    fn bad_parameters_name_the_field() {
        let text =
            br#"{"jsonrpc":"2.0","id":1,"method":"session.resize","params":{"sessionId":"a","rows":1}}"#;
        let message = request(text).request.expect_err("columns are missing").message;
        assert_eq!(message, "the parameters of `session.resize` do not fit: missing field `columns`");
    }

    #[test]
    fn unknown_fields_are_ignored_everywhere() {
        let text = br#"{"jsonrpc":"2.0","new":1,"params":{"sessionId":"a","later":[]},"id":1,"method":"session.poll"}"#;
        let incoming = request(text);
        assert!(
            matches!(incoming.request, Ok(Request::Session(session::Request::Poll(of))) if of.session_id.as_str() == "a")
        );
    }

    #[test]
    fn notifications_are_known_in_any_order_of_their_fields_or_ignored() {
        let cases = [
            (r#"{"jsonrpc":"2.0","method":"later.thing","params":{"a":1}}"#, "Unknown"),
            (r#"{"params":{"a":1},"method":"screen"}"#, "Unknown"),
            (r#"{"id":4,"result":{"secret":"canary"}}"#, "Answer(4)"),
            (r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"m"}}"#, "Complaint"),
        ];
        for (text, shown) in cases {
            let read = format!("{:?}", from_server(text.as_bytes()).unwrap());
            assert!(read.starts_with(shown), "{text}: {read}");
        }
        assert!(from_server(b"[]").is_err());
    }

    fn text() -> impl Strategy<Value = String> {
        prop_oneof!["[a-z0-9-]{0,12}", any::<String>()]
    }

    fn session() -> impl Strategy<Value = SessionRef> {
        text().prop_map(|id| SessionRef { session_id: SessionId::new(id) })
    }

    fn challenge() -> impl Strategy<Value = ChallengeRef> {
        (text(), any::<Option<u64>>(), prop::option::of(text())).prop_map(|(id, epoch, owner)| ChallengeRef {
            challenge_id: ChallengeId::new(id),
            epoch,
            owner,
        })
    }

    fn secret() -> impl Strategy<Value = Secret> {
        any::<String>().prop_map(Secret::new)
    }

    fn start() -> impl Strategy<Value = StartSession> {
        let lists = (prop::collection::vec(text(), 0..4), prop::collection::vec((text(), text()), 0..3));
        (prop::option::of(text()), lists, prop::option::of(text()), any::<(u16, u16)>(), any::<Option<u64>>())
            .prop_map(|(name, (command, environment), id, (columns, rows), limit_seconds)| StartSession {
                provider_id: id.clone().map(ProviderId::new),
                command,
                directory: name.clone(),
                name,
                inherited: (!environment.is_empty()).then(|| Inherited(environment.clone())),
                environment,
                columns,
                rows,
                limit_seconds,
                into_bundle_id: id.map(BundleId::new),
            })
    }

    fn park() -> impl Strategy<Value = ParkChallenge> {
        (text(), prop::option::of(text()), text(), any::<Option<u32>>()).prop_map(
            |(id, owner, message, process_id)| ParkChallenge {
                challenge_id: ChallengeId::new(id),
                owner: owner.clone(),
                kind: ChallengeKind::HttpDigest,
                title: "git".into(),
                message,
                origin: owner.clone(),
                realm: owner,
                proxy: process_id.is_some(),
                requester: Some(Requester { process_id, chain: vec!["git".into()], directory: None }),
                limit_seconds: Some(3),
            },
        )
    }

    fn any_request() -> impl Strategy<Value = Request> {
        let sessions = prop_oneof![
            session().prop_map(session::Poll::request),
            session().prop_map(terminal::Screen::request),
            session().prop_map(terminal::Transcript::request),
            session().prop_map(terminal::Recording::request),
            session().prop_map(session::Cancel::request),
            session().prop_map(session::Remove::request),
            session().prop_map(session::Explain::request),
            (text(), text()).prop_map(|(id, url)| {
                Request::Session(session::Request::Opened(Opened { session_id: SessionId::new(id), url }))
            }),
            start().prop_map(supervisor::Start::request),
            (session(), any::<bool>()).prop_map(|(of, force)| Request::Session(session::Request::Kill(
                Kill { session_id: of.session_id, force }
            ))),
            (session(), any::<(u16, u16)>()).prop_map(|(of, (columns, rows))| Request::Terminal(
                terminal::Request::Resize(Resize { session_id: of.session_id, columns, rows })
            )),
            (session(), any::<(u64, u32)>()).prop_map(|(of, (first, count))| Request::Terminal(
                terminal::Request::History(HistoryRange { session_id: of.session_id, first, count })
            )),
            (session(), text()).prop_map(|(of, text)| Request::Terminal(terminal::Request::Search(Search {
                session_id: of.session_id,
                text
            }))),
        ];
        let rest = prop_oneof![
            (any::<u32>(), prop::option::of(secret()), prop::option::of(session())).prop_map(
                |(protocol, credential, of)| Request::Server(server::Request::Hello(Hello {
                    protocol,
                    ticket: credential.clone(),
                    credential,
                    session: of.map(|of| of.session_id)
                }))
            ),
            (session(), secret(), any::<bool>()).prop_map(|(of, text, unseen_listener)| Request::Session(
                session::Request::Submit(Submit { session_id: of.session_id, text, unseen_listener })
            )),
            (session(), secret()).prop_map(|(of, base64)| Request::Terminal(terminal::Request::Input(
                InputBytes { session_id: of.session_id, base64 }
            ))),
            (prop::option::of(session()), any::<bool>()).prop_map(|(of, acknowledged)| {
                Request::Session(session::Request::Focus(Focus {
                    session_id: of.map(|of| of.session_id),
                    acknowledged,
                }))
            }),
            park().prop_map(challenge::Park::request),
            challenge().prop_map(challenge::Wait::request),
            challenge().prop_map(challenge::Cancel::request),
            (challenge(), prop::option::of(text()), prop::option::of(secret())).prop_map(
                |(of, user, secret)| Request::Challenge(challenge::Request::Answer(AnswerChallenge {
                    challenge_id: of.challenge_id,
                    epoch: of.epoch,
                    user,
                    secret
                }))
            ),
            text()
                .prop_map(|owner| Request::Supervisor(supervisor::Request::CancelOwner(OwnerRef { owner }))),
            Just(server::Subscribe::request(Nothing {})),
            Just(supervisor::Sessions::request(Nothing {})),
            Just(supervisor::Providers::request(Nothing {})),
            Just(supervisor::Bundles::request(Nothing {})),
            Just(supervisor::Challenges::request(Nothing {})),
            Just(supervisor::Pending::request(Nothing {})),
            Just(server::ScreenTaken::request(Nothing {})),
            prop::option::of(text()).prop_map(|provider| Request::Supervisor(
                supervisor::Request::MintTicket(MintTicket { provider_id: provider.map(ProviderId::new) })
            )),
        ];
        prop_oneof![sessions, rest]
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_was_written_is_read_back(asked in any_request(), id in any::<Option<u64>>()) {
            let written = encode::request(id, &asked);
            let read = request(&written);
            prop_assert_eq!(read.id, id.map(Value::from));
            // Two requests that write the same frame are the same request; `Debug` would hide the secrets.
            prop_assert_eq!(&*encode::request(id, &read.request.unwrap()), &*written);
        }

        #[test]
        fn debug_shows_no_secret(canary in "canary-[a-z]{12}") {
            let hello = Request::Server(server::Request::Hello(Hello {
                protocol: 1,
                credential: Some(Secret::new(canary.clone())),
                ticket: Some(Secret::new(canary.clone())),
                session: None,
            }));
            let shown = format!("{:?}", request(&encode::request(None, &hello)));
            prop_assert!(!shown.contains(&canary));
        }

        #[test]
        fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            drop((request(&bytes), from_server(&bytes), answer::<bool>(&bytes)));
        }

        #[test]
        fn a_challenges_answer_is_read_back(user in prop::option::of(text()), value in any::<String>()) {
            let answered =
                ChallengeAnswer::Answered { user: user.clone(), secret: Secret::new(value.clone()) };
            let written = encode::response(&1.into(), &challenge::Wait::response(answered.clone()));
            match answer::<ChallengeAnswer>(&written).unwrap() {
                ChallengeAnswer::Answered { user: read, secret } => {
                    prop_assert_eq!(read, user);
                    prop_assert_eq!(secret.secret(), value);
                }
                ChallengeAnswer::Ended(outcome) => prop_assert!(false, "{:?}", outcome),
            }
        }
    }

    #[test]
    fn every_other_end_of_a_challenge_is_read_back() {
        let ends = [
            ChallengeOutcome::Denied,
            ChallengeOutcome::Expired,
            ChallengeOutcome::Cancelled,
            ChallengeOutcome::Superseded,
        ];
        for outcome in ends {
            let written =
                encode::response(&1.into(), &challenge::Wait::response(ChallengeAnswer::Ended(outcome)));
            let read = answer::<ChallengeAnswer>(&written).unwrap();
            assert!(matches!(read, ChallengeAnswer::Ended(end) if end == outcome));
        }
    }

    #[test]
    fn a_refusal_comes_back_as_one() {
        let refusal = RpcError::new(error::NOT_FOUND, "there is no session `a`");
        let written = encode::refusal(&1.into(), &refusal);
        assert_eq!(answer::<bool>(&written), Err(refusal));
        let written = encode::response(&1.into(), &session::Poll::response(None));
        assert_eq!(answer::<Option<Polled>>(&written), Ok(None));
        assert_eq!(answer::<bool>(&written).expect_err("null is no boolean").code, error::INTERNAL);
    }
}
