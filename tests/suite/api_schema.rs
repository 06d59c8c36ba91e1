//! What a supervisor really answers and tells fits the schema that it prints.

use authdeck::protocol::schema;
use jsonschema::Validator;
use serde_json::{Value, json};
use tokio::net::UnixStream;

use super::common::env::Home;
use super::common::served::{Raw, Served};

fn validator(pointer: &str) -> Validator {
    let mut whole = schema::document();
    whole["$ref"] = json!(format!("#{pointer}"));
    jsonschema::draft202012::new(&whole).unwrap()
}

fn check(pointer: &str, value: &Value) {
    let schema = validator(pointer);
    let wrong: Vec<String> = schema.iter_errors(value).map(|error| error.to_string()).collect();
    assert!(wrong.is_empty(), "{pointer}: {}\n{value:#}", wrong.join("\n"));
}

/// Makes a call and checks its answer; events and screens that come before it are checked too.
async fn ask(raw: &mut Raw<UnixStream>, method: &str, params: Value) -> Value {
    raw.say(&json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string()).await;
    loop {
        let told = raw.hear().await.expect("the connection ended");
        if told["id"] == 1 {
            assert!(told.get("error").is_none(), "{method}: {told}");
            check(&format!("/methods/{method}/result"), &told["result"]);
            return told["result"].clone();
        }
        check(&format!("/notifications/{}", told["method"].as_str().unwrap()), &told["params"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_answered_and_told_fits_the_schema() {
    let home = Home::new();
    let supervisor = Served::start(&home).await;
    let mut raw = Raw::connect(&supervisor).await;
    ask(&mut raw, "hello", json!({"protocol": 1})).await;
    ask(&mut raw, "events.subscribe", json!({})).await;
    let script = "printf '\\033[1;38;2;1;2;3mOpen https://github.com/login/device\\033[0m and enter ABCD-1234\\n'; exec cat";
    let started = ask(&mut raw, "session.start", json!({"command": ["/bin/sh", "-c", script]})).await;
    let of = json!({"sessionId": started["sessionId"]});
    let with = |more: Value| {
        let mut params = of.clone();
        params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        params
    };
    ask(&mut raw, "session.focus", of.clone()).await;
    // Until the code was seen: everything that is told on the way is checked.
    while ask(&mut raw, "session.poll", of.clone()).await["status"] != "code-emitted" {}
    for method in ["session.screen", "session.transcript", "session.recording", "session.explain"] {
        ask(&mut raw, method, of.clone()).await;
    }
    ask(&mut raw, "session.history", with(json!({"first": 0, "count": 10}))).await;
    ask(&mut raw, "session.search", with(json!({"text": "ABCD"}))).await;
    ask(&mut raw, "session.input", with(json!({"base64": "eA=="}))).await;
    ask(&mut raw, "session.resize", with(json!({"columns": 90, "rows": 20}))).await;
    for method in ["session.list", "provider.list", "bundle.list", "challenge.pending"] {
        ask(&mut raw, method, json!({})).await;
    }
    ask(
        &mut raw,
        "challenge.park",
        json!({"challengeId": "a", "kind": "http-basic", "realm": "r", "proxy": true}),
    )
    .await;
    ask(&mut raw, "challenge.list", json!({})).await;
    ask(&mut raw, "events.subscribe", json!({})).await;
    let answer = json!({"challengeId": "a", "user": "ada", "secret": "s"});
    ask(&mut raw, "challenge.answer", answer).await;
    ask(&mut raw, "challenge.wait", json!({"challengeId": "a"})).await;
    ask(&mut raw, "challenge.cancelOwner", json!({"owner": "nobody"})).await;
    ask(&mut raw, "ticket.mint", json!({})).await;
    ask(&mut raw, "session.kill", with(json!({"force": true}))).await;
    ask(&mut raw, "session.cancel", of.clone()).await;
    ask(&mut raw, "session.remove", of).await;
    let nobody = json!({"sessionId": "auth-none"});
    assert_eq!(ask(&mut raw, "session.poll", nobody).await, Value::Null);
}
