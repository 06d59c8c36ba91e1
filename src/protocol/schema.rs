//! What this protocol is, as data: every method with its parameters, its answer and an example, derived from the types
//! that [`super::decode`] and [`super::encode`] read and write.

use schemars::generate::{Contract, SchemaSettings};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::event::NumberedEvent;
use super::request::{
    AnswerChallenge, BundleList, ChallengeAnswer, ChallengeList, ChallengeRef, Focus, Hello, History,
    HistoryRange, InputBytes, Kill, MintTicket, MintedTicket, Opened, OwnerRef, ParkChallenge, Parked,
    Polled, ProviderList, Resize, Search, SearchResult, SessionList, SessionRef, StartSession, Started,
    Submit, Submitted, Upgrade, Welcome,
};
use super::screen::ScreenUpdate;
use super::snapshot::Snapshot;
use super::{VERSION, error, method};

/// A method, for whoever wants to call it.
#[derive(Debug)]
pub struct Method {
    /// Its name on the wire.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub about: &'static str,
    /// Parameters that fit, as JSON.
    pub example: &'static str,
    params: Form,
    result: Form,
}

/// Makes the schema of a type.
type Form = fn(&mut SchemaGenerator) -> Schema;

/// No parameters.
#[derive(JsonSchema)]
struct Nothing {}

const fn entry<P: JsonSchema, R: JsonSchema>(
    name: &'static str,
    about: &'static str,
    example: &'static str,
) -> Method {
    let (params, result) = (SchemaGenerator::subschema_for::<P>, SchemaGenerator::subschema_for::<R>);
    Method { name, about, example, params, result }
}

/// Every method. Those that answer nothing useful to one call over HTTP say so.
pub const METHODS: &[Method] = &[
    entry::<Hello, Welcome>(
        method::HELLO,
        "Says who is there; if at all, the first call on a connection.",
        r#"{"protocol":1}"#,
    ),
    entry::<Nothing, Snapshot>(
        method::EVENTS_SUBSCRIBE,
        "Answers everything as of now; what happens from then on follows as `event` notifications. Again: after a gap.",
        "{}",
    ),
    entry::<StartSession, Started>(
        method::SESSION_START,
        "Starts a login: of a provider, or of any command.",
        r#"{"providerId":"gh","name":"work","columns":100,"rows":30}"#,
    ),
    entry::<SessionRef, Option<Polled>>(
        method::SESSION_POLL,
        "Answers where a login stands; null if there is no such session.",
        r#"{"sessionId":"auth-1"}"#,
    ),
    entry::<Nothing, SessionList>(method::SESSION_LIST, "Answers all sessions, oldest first.", "{}"),
    entry::<Submit, Submitted>(
        method::SESSION_SUBMIT,
        "Hands in what the browser ended on or shows; it is checked, then goes to the child or to its listener.",
        r#"{"sessionId":"auth-1","text":"http://localhost:1455/auth/callback?code=c&state=s"}"#,
    ),
    entry::<InputBytes, bool>(
        method::SESSION_INPUT,
        "Types bytes into the child as they are; false if it takes none.",
        r#"{"sessionId":"auth-1","base64":"eQ0="}"#,
    ),
    entry::<Resize, bool>(
        method::SESSION_RESIZE,
        "Resizes the child's terminal; false if there is no child.",
        r#"{"sessionId":"auth-1","columns":100,"rows":30}"#,
    ),
    entry::<Focus, bool>(
        method::SESSION_FOCUS,
        "Makes this connection get the session's screen as `screen` notifications, or none.",
        r#"{"sessionId":"auth-1","acknowledged":true}"#,
    ),
    entry::<Opened, bool>(
        method::SESSION_OPENED,
        "From inside of a session only: reports what was to be opened in a browser.",
        r#"{"sessionId":"auth-1","url":"https://github.com/login/device"}"#,
    ),
    entry::<SessionRef, ScreenUpdate>(
        method::SESSION_SCREEN,
        "Answers the whole screen.",
        r#"{"sessionId":"auth-1"}"#,
    ),
    entry::<HistoryRange, History>(
        method::SESSION_HISTORY,
        "Answers lines of the history and the screen, by their absolute numbers.",
        r#"{"sessionId":"auth-1","first":0,"count":100}"#,
    ),
    entry::<Search, SearchResult>(
        method::SESSION_SEARCH,
        "Answers the numbers of the lines that have a text in them.",
        r#"{"sessionId":"auth-1","text":"error"}"#,
    ),
    entry::<SessionRef, String>(
        method::SESSION_TRANSCRIPT,
        "Answers everything the child printed as text, secrets masked.",
        r#"{"sessionId":"auth-1"}"#,
    ),
    entry::<SessionRef, String>(
        method::SESSION_RECORDING,
        "Answers the recording as an asciicast v2 file's text, secrets masked.",
        r#"{"sessionId":"auth-1"}"#,
    ),
    entry::<SessionRef, bool>(
        method::SESSION_CANCEL,
        "Gives a login up; true if this call did it.",
        r#"{"sessionId":"auth-1"}"#,
    ),
    entry::<Kill, bool>(
        method::SESSION_KILL,
        "Kills the child with everything it started; true if there was something to kill.",
        r#"{"sessionId":"auth-1","force":true}"#,
    ),
    entry::<SessionRef, bool>(
        method::SESSION_REMOVE,
        "Takes a session off the list, and ends what is left of it.",
        r#"{"sessionId":"auth-1"}"#,
    ),
    entry::<SessionRef, String>(
        method::SESSION_EXPLAIN,
        "Answers in a few sentences what the session waits for, and why.",
        r#"{"sessionId":"auth-1"}"#,
    ),
    entry::<Nothing, ProviderList>(
        method::PROVIDER_LIST,
        "Answers the catalogue, installed providers first.",
        "{}",
    ),
    entry::<Nothing, BundleList>(method::BUNDLE_LIST, "Answers the stored logins.", "{}"),
    entry::<ParkChallenge, Parked>(
        method::CHALLENGE_PARK,
        "Parks a request for a credential; one call over HTTP names an `owner`.",
        r#"{"challengeId":"request-7","owner":"window-3","kind":"http-digest","proxy":true,
            "origin":"https://proxy.example:3128","realm":"staff"}"#,
    ),
    entry::<ChallengeRef, ChallengeAnswer>(
        method::CHALLENGE_WAIT,
        "Waits until a challenge ends; answers its owner only, and once.",
        r#"{"challengeId":"request-7","owner":"window-3"}"#,
    ),
    entry::<AnswerChallenge, bool>(
        method::CHALLENGE_ANSWER,
        "Answers a challenge; true if this call was the one that ended it.",
        r#"{"challengeId":"request-7","epoch":3,"user":"ada","secret":"…"}"#,
    ),
    entry::<ChallengeRef, bool>(
        method::CHALLENGE_CANCEL,
        "Refuses a challenge, or takes it back; true if this call was the one that ended it.",
        r#"{"challengeId":"request-7"}"#,
    ),
    entry::<OwnerRef, u64>(
        method::CHALLENGE_CANCEL_OWNER,
        "Cancels all challenges of an owner; answers how many.",
        r#"{"owner":"window-3"}"#,
    ),
    entry::<Nothing, ChallengeList>(
        method::CHALLENGE_LIST,
        "Answers what is parked, oldest first: who asks, for what, and until when.",
        "{}",
    ),
    entry::<Nothing, u64>(method::CHALLENGE_PENDING, "Answers how many challenges are parked.", "{}"),
    entry::<MintTicket, MintedTicket>(
        method::TICKET_MINT,
        "Mints a ticket with which a client comes in over TCP: once, within 30 s.",
        r#"{"providerId":"gh"}"#,
    ),
    entry::<Nothing, bool>(
        method::SUPERVISOR_STOP,
        "Ends the supervisor; its sessions go on, and what is parked is cancelled.",
        "{}",
    ),
    entry::<Upgrade, bool>(
        method::SUPERVISOR_UPGRADE,
        "Has another process of a program take the supervisor's place; every connection goes on. A WebSocket only.",
        r#"{"executable":"/usr/local/bin/authdeck"}"#,
    ),
    entry::<Nothing, ()>(
        method::SCREEN_TAKEN,
        "A notification: the last screen was drawn, the next one may come.",
        "{}",
    ),
];

const ERRORS: &[(i32, &str)] = &[
    (error::PARSE, "The text is no JSON."),
    (error::INVALID_REQUEST, "It is JSON and no request, or not at this time."),
    (error::METHOD_NOT_FOUND, "There is no such method."),
    (error::INVALID_PARAMS, "The parameters do not fit."),
    (error::INTERNAL, "The supervisor failed to do it."),
    (error::UNAUTHENTICATED, "The credential or ticket is not valid."),
    (error::NOT_FOUND, "There is no session, challenge, provider or bundle of that id."),
    (error::PASTE_REFUSED, "What was handed in was refused; nothing was sent to the child."),
    (
        error::ASK_FIRST,
        "What was handed in fits, but whether the listener belongs to the login cannot be seen: ask the person, then \
         submit it with `unseenListener`.",
    ),
    (error::CANNOT_START, "The command or provider to start does not exist."),
    (error::LIMIT_REACHED, "A bound was reached: sessions, challenges or tickets."),
    (
        error::FORBIDDEN,
        "This client may not do that: its ticket opens less, or it is a process of a session.",
    ),
    (error::TOO_LATE, "The challenge ended already."),
];

/// Returns the whole description. What a client sends and what it gets have their own definitions: there, absent
/// fields have defaults; here, nothing is absent but what says so.
pub fn document() -> Value {
    let mut asked = generator(Contract::Deserialize, "/$defs/asked");
    let mut told = generator(Contract::Serialize, "/$defs/told");
    let methods: Map<String, Value> = METHODS
        .iter()
        .map(|method| {
            let description = json!({
                "description": method.about,
                "params": (method.params)(&mut asked),
                "result": (method.result)(&mut told),
                "example": example(method),
            });
            (method.name.to_owned(), description)
        })
        .collect();
    let notifications = json!({
        method::EVENT: told.subschema_for::<NumberedEvent>(),
        method::SCREEN: told.subschema_for::<ScreenUpdate>(),
        method::RESYNC: told.subschema_for::<Snapshot>(),
    });
    let errors: Vec<Value> =
        ERRORS.iter().map(|(code, meaning)| json!({"code": code, "meaning": meaning})).collect();
    let mut document = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "authdeck API",
        "description": "JSON-RPC 2.0 over WebSocket (GET /api/ws) and, for one call, HTTP (POST /api/rpc). \
                        Unknown fields are to be ignored.",
        "protocol": VERSION,
        "methods": methods,
        "notifications": notifications,
        "errors": errors,
        "$defs": {"asked": asked.take_definitions(true), "told": told.take_definitions(true)},
    });
    for_strangers(&mut document);
    document
}

/// Takes out of descriptions what is for readers of the source: links between types, and numbers of requirements.
fn for_strangers(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(for_strangers),
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) if name == "description" => *text = without_references(text),
                    value => for_strangers(value),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn without_references(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(" (behaviour ") {
        plain.push_str(before);
        rest = after.split_once(')').map_or("", |(_, after)| after);
    }
    plain.push_str(rest);
    plain.replace("[`", "`").replace("`]", "`")
}

fn generator(contract: Contract, definitions: &'static str) -> SchemaGenerator {
    let mut settings = SchemaSettings::draft2020_12();
    settings.contract = contract;
    settings.definitions_path = definitions.into();
    settings.into_generator()
}

/// Returns a method's example as it is sent.
fn example(method: &Method) -> Value {
    let params: Value = serde_json::from_str(method.example).expect("invariant: a test reads every example");
    json!({"jsonrpc": "2.0", "id": 1, "method": method.name, "params": params})
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jsonschema::Validator;

    use super::*;
    use crate::protocol::{decode, encode};

    /// Checks values against one part of the description, by its JSON pointer.
    fn validator(pointer: &str) -> Validator {
        let mut schema = document();
        let part = schema.pointer(pointer).unwrap_or_else(|| panic!("nothing at {pointer}"));
        let whole = json!({"$ref": format!("#{pointer}")});
        assert!(part.is_object() || part.is_boolean(), "{pointer}: {part}");
        schema.as_object_mut().unwrap().extend(whole.as_object().unwrap().clone());
        jsonschema::draft202012::new(&schema).unwrap()
    }

    fn params_of(method: &Method) -> Validator {
        validator(&format!("/methods/{}/params", method.name))
    }

    /// Whether the supervisor takes these parameters.
    fn is_read(method: &Method, params: &Value) -> bool {
        let call = json!({"jsonrpc": "2.0", "id": 1, "method": method.name, "params": params});
        decode::request(call.to_string().as_bytes()).request.is_ok()
    }

    #[test]
    fn every_method_is_described_and_no_other() {
        let source = include_str!("method.rs");
        let lines = source.split("\n/// Notification").next().unwrap().lines();
        let known: BTreeSet<&str> =
            lines.filter_map(|line| line.strip_prefix("pub const ")?.split('"').nth(1)).collect();
        let described: BTreeSet<&str> = METHODS.iter().map(|method| method.name).collect();
        assert_eq!(described, known);
        assert_eq!(described.len(), METHODS.len(), "none twice");
    }

    #[test]
    fn descriptions_are_for_strangers() {
        let text = document().to_string();
        assert!(!text.contains("behaviour") && !text.contains("[`"), "a reference to the source");
        assert_eq!(without_references("One (behaviour C1) and [`Two`] (behaviour W2)."), "One and `Two`.");
    }

    #[test]
    fn every_code_is_described() {
        let source = include_str!("error.rs");
        let known: BTreeSet<i32> = source
            .lines()
            .filter_map(|line| line.split_once(": i32 = ")?.1.trim_end_matches(';').parse().ok())
            .collect();
        assert_eq!(ERRORS.iter().map(|(code, _)| *code).collect::<BTreeSet<_>>(), known);
    }

    #[test]
    fn every_example_fits_its_schema_and_is_read_and_written_back_so_that_it_fits_again() {
        for method in METHODS {
            let params: Value = serde_json::from_str(method.example).unwrap();
            let schema = params_of(method);
            assert!(schema.is_valid(&params), "{}: {:?}", method.name, schema.validate(&params).err());
            let frame = decode::request(example(method).to_string().as_bytes());
            let request = frame.request.unwrap_or_else(|error| panic!("{}: {error:?}", method.name));
            let written: Value = serde_json::from_slice(&encode::request(Some(1), &request)).unwrap();
            assert_eq!(written["method"], method.name);
            let back = &written["params"];
            assert!(schema.is_valid(back), "{}: {:?}", method.name, schema.validate(back).err());
            for (name, value) in params.as_object().unwrap() {
                assert_eq!(&back[name], value, "{}: {name} is lost", method.name);
            }
        }
    }

    #[test]
    fn schema_and_reader_agree_about_what_may_be_absent_and_what_is_of_another_type() {
        let mut compared = 0;
        for method in METHODS {
            let schema = params_of(method);
            let params: Value = serde_json::from_str(method.example).unwrap();
            for name in params.as_object().unwrap().keys() {
                let mut without = params.clone();
                without.as_object_mut().unwrap().remove(name);
                let mut wrong = params.clone();
                wrong[name] = json!({"an": "object"});
                for changed in [without, wrong] {
                    let fits = schema.is_valid(&changed);
                    assert_eq!(fits, is_read(method, &changed), "{}: {changed}", method.name);
                    compared += 1;
                }
            }
        }
        assert!(compared > 60, "{compared}");
    }
}
