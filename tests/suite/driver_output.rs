//! What a child prints, however much and however ill it is, and what clients see of it.

use authdeck::core::ids::SessionId;
use authdeck::core::status::Status;
use authdeck::protocol::method::{Request, session, terminal};
use authdeck::protocol::request::{Focus, History, HistoryRange, Resize, Search, SearchResult, SessionRef};
use authdeck::protocol::screen::{Row, ScreenUpdate};

use crate::common::supervisor::{SAMPLE, Supervisor};
use crate::common::wait::GENEROUS;

fn text_of(row: &Row) -> String {
    row.runs.iter().map(|run| run.text.as_str()).collect()
}

fn focus(supervisor: &Supervisor, session: &SessionId) {
    let focus = Focus { session_id: Some(session.clone()), acknowledged: false };
    assert!(supervisor.ask::<bool>(Request::Session(session::Request::Focus(focus))).unwrap());
}

/// The screen as a client puts it together from updates.
struct Shown {
    rows: Vec<String>,
    updates: Vec<ScreenUpdate>,
}

impl Shown {
    fn new() -> Self {
        Self { rows: Vec::new(), updates: Vec::new() }
    }

    /// Takes updates until the screen shows a text.
    fn until(&mut self, supervisor: &Supervisor, text: &str) {
        while !self.rows.iter().any(|row| row.contains(text)) {
            let update = supervisor.block_on(supervisor.connection().next_screen());
            if update.full {
                self.rows = vec![String::new(); usize::from(update.rows)];
            }
            for row in &update.changed {
                self.rows[usize::try_from(row.number).unwrap()] = text_of(row);
            }
            self.updates.push(update);
        }
    }
}

#[test]
fn a_client_gets_the_whole_screen_first_and_then_what_changed() {
    let supervisor = Supervisor::start();
    let session = supervisor.run("echo first; read line; echo second; read line");
    supervisor.wait_transcript(&session, "first");
    focus(&supervisor, &session);
    let mut shown = Shown::new();
    shown.until(&supervisor, "first");
    assert!(shown.updates[0].full);
    assert!(supervisor.type_text(&session, "\r"));
    shown.until(&supervisor, "second");
    let later = &shown.updates[1..];
    assert!(later.iter().all(|update| !update.full && update.changed.len() < 24), "{later:?}");
    assert!(later.windows(2).all(|pair| pair[0].generation < pair[1].generation));
}

#[test]
fn a_client_that_does_not_read_holds_nobody_up_and_then_gets_the_newest_state() {
    let supervisor = Supervisor::start();
    let session = supervisor.run("read line; seq 1 200000; echo done; read line");
    focus(&supervisor, &session);
    assert!(supervisor.type_text(&session, "\r"));
    supervisor.wait_transcript(&session, "200000\ndone");
    let mut shown = Shown::new();
    shown.until(&supervisor, "done");
    assert!(shown.updates.len() <= 3, "{} updates", shown.updates.len());
}

#[test]
fn a_resize_reaches_the_child_and_the_screen() {
    let supervisor = Supervisor::start();
    let session = supervisor.run("trap 'stty size' WINCH; echo ready; while :; do read line; done");
    supervisor.wait_transcript(&session, "ready");
    let resize = Resize { session_id: session.clone(), columns: 132, rows: 50 };
    assert!(supervisor.ask::<bool>(Request::Terminal(terminal::Request::Resize(resize))).unwrap());
    assert!(supervisor.type_text(&session, "\r"));
    supervisor.wait_transcript(&session, "50 132");
    let of = SessionRef { session_id: session };
    let screen: ScreenUpdate = supervisor.ask(Request::Terminal(terminal::Request::Screen(of))).unwrap();
    assert_eq!((screen.columns, screen.rows, screen.full), (132, 50, true));
}

#[test]
fn history_and_search_use_the_same_numbers() {
    let supervisor = Supervisor::start();
    let session = supervisor.run("for line in $(seq 1 500); do echo \"Row $line\"; done; read line");
    supervisor.wait_transcript(&session, "Row 500");
    let found: SearchResult = supervisor
        .ask(Request::Terminal(terminal::Request::Search(Search {
            session_id: session.clone(),
            text: "row 42".into(),
        })))
        .unwrap();
    let range = HistoryRange { session_id: session.clone(), first: found.lines[0], count: 1 };
    let history: History = supervisor.ask(Request::Terminal(terminal::Request::History(range))).unwrap();
    assert_eq!(history.lines.iter().map(text_of).collect::<Vec<_>>(), ["Row 42"]);
    let all = HistoryRange { session_id: session, first: 0, count: u32::MAX };
    let history: History = supervisor.ask(Request::Terminal(terminal::Request::History(all))).unwrap();
    assert_eq!(text_of(&history.lines[499]), "Row 500");
    assert!(history.lines.len() <= 1_000 && history.screen_start > 0);
}

#[test]
fn invalid_utf8_and_a_line_of_5_mb_are_shown_and_nothing_else_is_lost() {
    let supervisor = Supervisor::start();
    let session = supervisor.run(
        "printf 'bad \\377\\376 bytes\\n'; head -c 5000000 /dev/zero | tr '\\0' x; echo; echo Logged in; exit 0",
    );
    assert!(matches!(supervisor.wait_over(&session), Status::Success { .. }));
    let transcript = supervisor.transcript(&session);
    assert!(transcript.ends_with("x\nLogged in\n"), "{}", &transcript[transcript.len() - 100..]);
}

#[test]
fn a_child_that_prints_100_mb_is_read_to_its_end() {
    let supervisor = Supervisor::start();
    let session = supervisor
        .run("yes 'a line of some length that a log might have, again and again' | head -c 100000000; echo; echo the end; echo Logged in");
    let limit = GENEROUS * 10;
    let view = supervisor.wait_view_within(limit, "it is over", &session, |view| view.status.is_terminal());
    assert!(matches!(view.status, Status::Success { .. }), "{view:?}");
    assert!(supervisor.transcript(&session).ends_with("the end\nLogged in\n"));
    let recording: String = supervisor
        .ask(Request::Terminal(terminal::Request::Recording(SessionRef { session_id: session })))
        .unwrap();
    assert!(recording.len() < 16 << 20, "{} bytes", recording.len());
    assert!(recording.contains("the end"));
}

#[test]
fn a_synchronized_update_that_never_ends_is_shown_all_the_same() {
    let supervisor = Supervisor::start();
    let session = supervisor.run("printf '\\033[?2026hheld back'; read line");
    focus(&supervisor, &session);
    Shown::new().until(&supervisor, "held back");
}

#[test]
fn an_exported_recording_is_an_asciicast_without_what_was_submitted() {
    let supervisor = Supervisor::start();
    let session = supervisor.run("echo 'Enter code:'; read code; echo \"got $code\"; read line");
    supervisor.wait_transcript(&session, "Enter code:");
    let _refused_or_not: Result<serde_json::Value, _> = supervisor.submit(&session, "canary-value-1");
    let of = SessionRef { session_id: session };
    let recording: String = supervisor.ask(Request::Terminal(terminal::Request::Recording(of))).unwrap();
    let read = authdeck::core::asciicast::parse(recording.as_bytes()).unwrap().unwrap();
    assert_eq!((read.header.size.columns, read.header.size.rows), (80, 24));
    assert!(!recording.contains("canary-value-1"));
}

#[test]
fn a_recording_says_which_provider_it_is_of_and_nothing_of_the_sessions_own_command() {
    let supervisor = Supervisor::start_with_provider(SAMPLE);
    let session = supervisor.run_sample("echo canary-in-the-command; read line");
    supervisor.wait_transcript(&session, "canary");
    let recording: String = supervisor
        .ask(Request::Terminal(terminal::Request::Recording(SessionRef { session_id: session })))
        .unwrap();
    let read = authdeck::core::asciicast::parse(recording.as_bytes()).unwrap().unwrap();
    assert_eq!(read.header.command.as_deref(), Some("sample-cli login"));
}
