//! What this protocol is, as data: every method of [`super::method`] with the schemas of its parameters and its answer.

use schemars::SchemaGenerator;
use schemars::generate::{Contract, SchemaSettings};
use serde_json::{Map, Value, json};

use super::event::NumberedEvent;
use super::method::{self, METHODS, Row};
use super::screen::ScreenUpdate;
use super::snapshot::Snapshot;
use super::{VERSION, error};

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
                "result": (method.answer)(&mut told),
                "callers": method.callers.iter().map(|caller| caller.in_words()).collect::<Vec<_>>(),
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
fn example(method: &Row) -> Value {
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

    fn params_of(method: &Row) -> Validator {
        validator(&format!("/methods/{}/params", method.name))
    }

    /// Whether the supervisor takes these parameters.
    fn is_read(method: &Row, params: &Value) -> bool {
        let call = json!({"jsonrpc": "2.0", "id": 1, "method": method.name, "params": params});
        decode::request(call.to_string().as_bytes()).request.is_ok()
    }

    #[test]
    fn no_name_stands_twice() {
        let described: BTreeSet<&str> = METHODS.iter().map(|method| method.name).collect();
        assert_eq!(described.len(), METHODS.len());
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
