//! The laptop's side of the deck: several hosts in one list, and callbacks that are waited for here.

use authdeck::core::finding::Verdict;
use authdeck::core::ids::SessionId;
use authdeck::core::time::Timestamp;
use authdeck::protocol::event::Event;
use authdeck::protocol::method::{Method as _, Request, session, supervisor};
use authdeck::protocol::request::Nothing;
use authdeck::protocol::snapshot::{SessionView, Snapshot, UrlView, Waiting};
use authdeck::tui::model::Model;
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
        let settings = authdeck::tui::settings::Settings { surroundings, ..settings() };
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

fn waiting(id: &str, verdict: Verdict) -> SessionView {
    let url = "https://login.example.com/authorize?state=s&redirect_uri=http%3A%2F%2Flocalhost%3A1455%2Fcb";
    SessionView {
        waiting: Waiting::OpenUrlThenPaste,
        url: Some(UrlView {
            url: url.into(),
            host: "login.example.com".into(),
            verdict,
            reason: String::new(),
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
