//! What keys, pastes and the mouse do: before, keys, after.

use authdeck::core::finding::Expects;
use authdeck::core::ids::{ChallengeId, SessionId};
use authdeck::core::time::Timestamp;
use authdeck::protocol::error::{PASTE_REFUSED, RpcError};
use authdeck::protocol::event::Event;
use authdeck::protocol::method::{Request, challenge, server, session, supervisor, terminal};
use authdeck::protocol::screen::Modes;
use authdeck::protocol::snapshot::{ChallengeKind, ChallengeView, SessionView, Snapshot, Waiting};
use authdeck::tui::action::Action;
use authdeck::tui::dialog::Dialog;
use authdeck::tui::model::{Focus, Item, Model};
use authdeck::tui::msg::{Ask, Cmd, Msg};
use authdeck::tui::surroundings::Surroundings;
use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use serde_json::json;

use super::ui_stage::*;

fn selected(stage: &Stage) -> String {
    match stage.model.selection.as_ref().unwrap() {
        Item::Session(id) => id.to_string(),
        Item::Challenge(id) => id.to_string(),
    }
}

fn status(stage: &Stage) -> &str {
    stage.model.status.as_ref().map_or("", |message| &message.text)
}

fn typed(stage: &mut Stage) -> Vec<u8> {
    use base64::Engine as _;
    let mut bytes = Vec::new();
    for (_, request) in stage.requests() {
        if let Request::Terminal(terminal::Request::Input(input)) = request {
            bytes.extend(base64::engine::general_purpose::STANDARD.decode(input.base64.secret()).unwrap());
        }
    }
    bytes
}

#[test]
fn who_waits_for_the_person_stands_first() {
    let mut stage = Stage::with(settings(), (120, 40), everything());
    let mut order = vec![selected(&stage)];
    for _ in 0..6 {
        stage.press("j");
        order.push(selected(&stage));
    }
    assert_eq!(order, ["sudo-1", "git-1", "auth-1", "auth-2", "auth-5", "auth-3", "auth-4"]);
    stage.press("g g");
    assert_eq!(selected(&stage), "sudo-1");
    stage.press("G");
    assert_eq!(selected(&stage), "auth-4");
    stage.press("a");
    assert_eq!(selected(&stage), "sudo-1");
}

#[test]
fn selecting_a_session_asks_for_its_screen_at_the_panes_size() {
    let mut stage = Stage::of((120, 40), vec![claude(), codex()]);
    let requests = stage.requests();
    assert!(
        matches!(&requests[0].1, Request::Session(session::Request::Focus(focus)) if focus.session_id == Some(SessionId::new("auth-1")))
    );
    assert!(
        matches!(&requests[1].1, Request::Terminal(terminal::Request::Resize(size)) if (size.columns, size.rows) == (82, 35))
    );
    stage.press("j");
    assert_eq!(stage.requests().len(), 2);
    stage.press("j");
    assert!(stage.requests().is_empty(), "nothing changed");
    stage.send(Msg::Resize(80, 24));
    assert!(
        matches!(&stage.requests()[..], [(_, Request::Terminal(terminal::Request::Resize(size)))] if (size.columns, size.rows) == (52, 19))
    );
}

#[test]
fn copying_takes_the_url_byte_for_byte() {
    let mut stage = Stage::of((80, 24), vec![claude()]);
    stage.press("u");
    let copied = stage.orders.iter().find_map(|order| match order {
        Cmd::Copy { what: "URL", text } => Some(text.as_str()),
        _ => None,
    });
    assert_eq!(copied, Some(CLAUDE_URL));
}

#[test]
fn what_is_to_be_carried_is_copied_with_either_key_shown_as_qr_and_never_opened() {
    let link = "kitapp://link?uuid=24QoGo%3D%3D&key=BVEuzV1ltoMygCzG4frxVSiPVgx9VtbkilENjvpIfXhY";
    let carried = SessionView { carry: Some(link.into()), waiting: Waiting::Carry, ..session("1", "kit") };
    let mut stage = Stage::of((60, 24), vec![carried]);
    let seen: String = stage.picture().chars().filter(|c| !c.is_whitespace()).collect();
    assert!(seen.contains("openedhere:") && seen.contains("kitapp://link?uuid=24QoGo%3D%3D"), "{seen}");
    for key in ["u", "c"] {
        stage.orders.clear();
        stage.press(key);
        assert!(
            matches!(&stage.orders[..], [Cmd::Copy { what: "link", text }] if text == link),
            "{key}: {:?}",
            stage.orders
        );
    }
    stage.orders.clear();
    stage.press("o");
    assert!(stage.orders.iter().all(|order| !matches!(order, Cmd::Open(_))));
    assert_eq!(status(&stage), "No URL was found yet.");
    stage.press("s");
    assert!(matches!(&stage.model.dialog, Some(Dialog::Scan { url, .. }) if url == link));
}

#[test]
fn what_cannot_be_done_says_why() {
    let mut stage = Stage::of((80, 24), vec![session("1", "gh")]);
    stage.press("u");
    assert_eq!(status(&stage), "No URL was found yet.");
    let mut stage = Stage::of((80, 24), vec![claude()]);
    stage.press("o");
    assert!(status(&stage).contains("you are connected over SSH"), "{}", status(&stage));
}

#[test]
fn a_disputed_url_is_copied_only_after_a_yes() {
    let mut url = claude().url.unwrap();
    url.disputed = true;
    let mut stage = Stage::of((80, 24), vec![SessionView { url: Some(url), ..claude() }]);
    stage.requests();
    stage.press("u enter");
    assert!(stage.orders.is_empty(), "the safe answer is the first one");
    stage.press("u tab enter");
    assert!(matches!(&stage.orders[..], [Cmd::Copy { .. }]));
}

#[test]
fn killing_asks_once_and_escape_leaves() {
    let mut stage = Stage::of((80, 24), vec![claude()]);
    stage.requests();
    stage.press("x esc x n x left enter");
    assert!(stage.requests().is_empty());
    for keys in ["x y", "x x", "x enter"] {
        stage.press(keys);
        let requests = stage.requests();
        assert!(
            matches!(&requests[..], [(Ask::Kill(_), Request::Session(session::Request::Kill(kill)))] if !kill.force),
            "{keys}"
        );
        assert!(stage.model.dialog.is_none(), "{keys}");
    }
    stage.press("X");
    assert!(
        matches!(&stage.requests()[..], [(Ask::Kill(_), Request::Session(session::Request::Kill(kill)))] if kill.force)
    );
}

#[test]
fn every_key_goes_to_the_child_until_the_escape_chord() {
    let mut stage = Stage::of((80, 24), vec![claude()]);
    stage.requests();
    stage.press("i q x : esc up ctrl-c enter");
    assert_eq!(typed(&mut stage), b"qx:\x1b\x1b[A\x03\r");
    assert!(stage.model.typing && stage.model.dialog.is_none());
    stage.press("ctrl-] x");
    assert!(!stage.model.typing);
    assert!(matches!(stage.model.dialog, Some(Dialog::Confirm(_))));
}

#[test]
fn a_paste_while_typing_is_bracketed_only_if_the_child_asked() {
    let mut stage = Stage::of((80, 24), vec![claude()]);
    stage.press("i");
    stage.requests();
    stage.paste("code\n");
    assert_eq!(typed(&mut stage), b"code\r");
    let mut screen = claude_screen();
    screen.modes = Modes { bracketed_paste: true, ..Modes::default() };
    stage.send(Msg::Screen(Box::new(screen)));
    stage.paste("code");
    assert_eq!(typed(&mut stage), b"\x1b[200~code\x1b[201~");
}

#[test]
fn typing_ends_with_its_session() {
    let mut stage = Stage::of((80, 24), vec![claude()]);
    stage.press("i");
    stage.event(Event::SessionChanged {
        session: Box::new(SessionView { session_id: SessionId::new("auth-1"), ..gh_done() }),
    });
    assert!(!stage.model.typing);
}

#[test]
fn a_paste_without_a_dialog_opens_one_and_waits_for_enter() {
    let mut stage = Stage::of((80, 24), vec![claude()]);
    stage.requests();
    stage.paste("abc#def");
    assert!(matches!(stage.model.dialog, Some(Dialog::Paste(_))));
    assert!(stage.requests().is_empty());
    stage.press("enter");
    let requests = stage.requests();
    assert!(
        matches!(&requests[..], [(Ask::Submit(_), Request::Session(session::Request::Submit(submit)))] if submit.text.secret() == "abc#def")
    );
    stage.press("enter");
    assert!(stage.requests().is_empty(), "it is handed in once");
}

#[test]
fn a_refused_paste_stays_with_the_reason_and_a_delivered_one_closes() {
    let mut stage = Stage::of((80, 24), vec![claude()]);
    stage.paste("abc");
    stage.press("enter");
    let ask = Ask::Submit(claude().session_id);
    stage
        .send(Msg::Answered(ask.clone(), Err(RpcError::new(PASTE_REFUSED, "The state is another login's."))));
    assert!(stage.picture().contains("Refused. The state is another login's."));
    stage.press("ctrl-u");
    stage.type_text("abd");
    assert!(!stage.picture().contains("Refused"), "the reason goes when the text changes");
    stage.press("enter");
    stage.answer(
        ask,
        json!({"delivered": true, "destination": "stdin", "message": "The code was typed into claude."}),
    );
    assert!(stage.model.dialog.is_none());
    assert_eq!(status(&stage), "The code was typed into claude.");
}

#[test]
fn the_paste_shows_only_its_ends() {
    let mut stage = Stage::of((80, 24), vec![claude()]);
    stage.paste("SECRETCODE0123456789WXYZ");
    let picture = stage.picture();
    assert!(picture.contains("SECR") && picture.contains("WXYZ"), "{picture}");
    assert!(!picture.contains("SECRE") && !picture.contains("9WXYZ"), "{picture}");
}

#[test]
fn a_paste_that_nothing_waits_for_is_not_sent() {
    let mut stage = Stage::of((80, 24), vec![gh_done()]);
    stage.requests();
    stage.paste("anything");
    assert!(stage.requests().is_empty() && stage.model.dialog.is_none());
    assert!(status(&stage).contains("Nothing here waits for a paste"));
}

#[test]
fn a_challenge_is_answered_masked_and_refused_by_its_own_key() {
    let snapshot = Snapshot { challenges: vec![git_challenge()], ..Snapshot::default() };
    let mut stage = Stage::with(settings(), (80, 24), snapshot);
    stage.requests();
    stage.press("enter");
    stage.type_text("hunter2");
    assert!(!stage.picture().contains("hunter2"));
    stage.press("enter");
    let requests = stage.requests();
    assert!(
        matches!(&requests[..], [(Ask::Challenge, Request::Challenge(challenge::Request::Answer(answer)))]
            if answer.epoch == Some(1) && answer.secret.as_ref().unwrap().secret() == "hunter2"),
    );
    stage.press("x");
    assert!(stage.requests().is_empty(), "a question is never refused unasked");
    stage.press("esc X x y");
    assert!(matches!(
        &stage.requests()[..],
        [(Ask::Challenge, Request::Challenge(challenge::Request::Cancel(_)))]
    ));
}

#[test]
fn http_asks_for_user_and_password() {
    let challenge = ChallengeView { kind: ChallengeKind::HttpBasic, ..git_challenge() };
    let snapshot = Snapshot { challenges: vec![challenge], ..Snapshot::default() };
    let mut stage = Stage::with(settings(), (80, 24), snapshot);
    stage.requests();
    stage.press("enter");
    stage.type_text("me");
    assert!(stage.picture().contains("user    me"));
    stage.press("enter");
    stage.type_text("pw");
    stage.press("enter");
    let requests = stage.requests();
    assert!(
        matches!(&requests[..], [(_, Request::Challenge(challenge::Request::Answer(answer)))] if answer.user.as_deref() == Some("me")
            && answer.secret.as_ref().unwrap().secret() == "pw")
    );
}

#[test]
fn a_question_has_no_as_the_first_answer() {
    let challenge = ChallengeView { kind: ChallengeKind::Confirm, ..git_challenge() };
    let snapshot = Snapshot { challenges: vec![challenge], ..Snapshot::default() };
    let mut stage = Stage::with(settings(), (80, 24), snapshot);
    stage.requests();
    stage.press("enter enter");
    assert!(matches!(&stage.requests()[..], [(_, Request::Challenge(challenge::Request::Cancel(_)))]));
    stage.press("enter tab enter");
    assert!(matches!(&stage.requests()[..], [(_, Request::Challenge(challenge::Request::Answer(_)))]));
}

#[test]
fn a_challenge_that_ends_closes_its_dialog_but_not_a_newer_arming() {
    use authdeck::protocol::event::ChallengeOutcome::Expired;
    let newer = ChallengeView { epoch: 2, ..git_challenge() };
    let snapshot = Snapshot { challenges: vec![newer], ..Snapshot::default() };
    let mut stage = Stage::with(settings(), (80, 24), snapshot);
    stage.press("enter");
    let id = ChallengeId::new("git-1");
    stage.event(Event::ChallengeEnded { challenge_id: id.clone(), epoch: 1, outcome: Expired });
    assert!(stage.model.dialog.is_some());
    stage.event(Event::ChallengeEnded { challenge_id: id, epoch: 2, outcome: Expired });
    assert!(stage.model.dialog.is_none() && stage.model.challenges.is_empty());
}

#[test]
fn a_gap_in_the_events_asks_for_the_whole_state() {
    let mut stage = Stage::of((80, 24), vec![claude()]);
    stage.requests();
    stage.event(Event::SessionChanged { session: Box::new(claude()) });
    let later = authdeck::protocol::event::NumberedEvent {
        sequence: 9,
        event: Event::SessionAdded { session: Box::new(codex()) },
    };
    stage.send(Msg::Event(Box::new(later)));
    assert!(matches!(&stage.requests()[..], [(Ask::Resync, Request::Server(server::Request::Subscribe(_)))]));
    assert_eq!(stage.model.sessions.len(), 1);
    let snapshot = Snapshot { sequence: 8, now: NOW, sessions: vec![claude()], ..Snapshot::default() };
    stage.answer(Ask::Resync, serde_json::to_value(snapshot).unwrap());
    assert_eq!(stage.model.sessions.len(), 2, "the event that came early is not lost");
}

#[test]
fn what_to_act_on_calls_the_person_once() {
    let mut stage = Stage::of((80, 24), vec![session("1", "claude")]);
    stage.orders.clear();
    stage.event(Event::SessionChanged { session: Box::new(claude()) });
    stage.event(Event::SessionChanged { session: Box::new(claude()) });
    let calls = stage.orders.iter().filter(|order| matches!(order, Cmd::Notify(_))).count();
    assert_eq!(calls, 1);
}

#[test]
fn the_deck_sleeps_until_a_text_changes() {
    let stage = Stage::of((80, 24), vec![claude()]);
    assert_eq!(stage.model.next_tick(NOW), Some(Timestamp(NOW.0 + 1_000)));
    let stage = Stage::of((80, 24), vec![session("1", "gh")]);
    assert_eq!(stage.model.next_tick(NOW), Some(Timestamp(NOW.0 + 41_000)), "9 min become 8");
    let mut stage = Stage::of((80, 24), vec![session("1", "gh"), gh_done()]);
    stage.press("j");
    assert_eq!(stage.model.next_tick(NOW), Some(Timestamp(NOW.0 + 461_000)), "the last minute begins");
    assert_eq!(Stage::of((80, 24), vec![gh_done()]).model.next_tick(NOW), None);
}

#[test]
fn a_provider_that_is_not_installed_says_how_to_get_it() {
    let mut stage = Stage::new((80, 24));
    stage.press("n");
    stage.answer(Ask::Providers, json!({"providers": providers()}));
    stage.requests();
    stage.type_text("gcl");
    stage.press("enter");
    assert!(stage.requests().is_empty());
    assert!(status(&stage).contains("https://cloud.google.com/sdk"));
    stage.press("ctrl-u");
    stage.type_text("codex");
    stage.press("enter");
    assert!(
        matches!(&stage.requests()[..], [(Ask::Start, Request::Supervisor(supervisor::Request::Start(start)))]
        if start.provider_id.as_ref().unwrap().as_str() == "codex" && start.columns > 0)
    );
}

/// The command dialog with `line` handed in.
fn handed_in_command(line: &str) -> Stage {
    let mut stage = Stage::new((80, 24));
    stage.press("n");
    stage.type_text("any command");
    stage.press("enter");
    stage.requests();
    stage.type_text(line);
    stage.press("enter");
    stage
}

#[test]
fn a_refused_command_line_stays_to_be_edited_and_a_started_one_goes() {
    let mut stage = handed_in_command("gcluod auth login");
    assert!(
        matches!(&stage.requests()[..], [(Ask::Start, Request::Supervisor(supervisor::Request::Start(start)))]
        if start.command == ["gcluod", "auth", "login"])
    );
    stage.press("enter");
    assert!(stage.requests().is_empty(), "it is handed in once");
    let refusal = RpcError::new(1, "There is no program gcluod on the PATH.");
    stage.send(Msg::Answered(Ask::Start, Err(refusal)));
    let picture = stage.picture();
    assert!(
        picture.contains("gcluod auth login") && picture.contains("There is no program gcluod"),
        "{picture}"
    );

    stage.press("ctrl-u");
    stage.type_text("gcloud auth login");
    stage.press("enter");
    assert!(
        matches!(&stage.requests()[..], [(Ask::Start, Request::Supervisor(supervisor::Request::Start(start)))]
        if start.command == ["gcloud", "auth", "login"])
    );
    stage.answer(Ask::Start, json!({"sessionId": "auth-1", "authUrl": null}));
    assert!(stage.model.dialog.is_none());
}

#[test]
fn a_command_line_that_no_shell_would_take_says_why_at_once() {
    let mut stage = handed_in_command("echo 'open");
    assert!(stage.requests().is_empty());
    assert!(stage.picture().contains("echo 'open"), "{}", stage.picture());
}

#[test]
fn the_palette_runs_what_a_key_would() {
    let mut stage = Stage::of((80, 24), vec![claude(), codex()]);
    stage.orders.clear();
    stage.press(":");
    stage.type_text("copy codex's code");
    stage.press("enter");
    assert_eq!(selected(&stage), "auth-2");
    assert!(
        stage
            .orders
            .iter()
            .any(|order| matches!(order, Cmd::Copy { what: "code", text } if text == "WDJB-MJHT"))
    );
    stage.orders.clear();
    stage.press(":");
    stage.type_text("kill the cli at once");
    stage.press("enter");
    assert!(matches!(stage.model.dialog, Some(Dialog::Confirm(_))), "what destroys is asked about");
}

#[test]
fn the_mouse_selects_presses_and_scrolls() {
    let mut stage = Stage::of((80, 24), vec![claude(), codex()]);
    let click = |stage: &mut Stage, text: &str| {
        let at = stage.find(text);
        let kind = MouseEventKind::Down(MouseButton::Left);
        stage.send(Msg::Mouse(MouseEvent { kind, column: at.x, row: at.y, modifiers: KeyModifiers::NONE }));
    };
    click(&mut stage, "codex");
    assert_eq!(selected(&stage), "auth-2");
    stage.orders.clear();
    click(&mut stage, "copy code");
    assert!(matches!(&stage.orders[..], [Cmd::Copy { what: "code", .. }]));
    click(&mut stage, "help");
    assert!(matches!(stage.model.dialog, Some(Dialog::Help(_))));
    click(&mut stage, "esc back");
    assert!(stage.model.dialog.is_none(), "a click beside a dialog closes it");
}

#[test]
fn every_row_and_button_of_a_dialog_takes_clicks() {
    let mut stage = Stage::of((80, 24), vec![claude(), codex()]);
    stage.requests();
    let click = |stage: &mut Stage, text: &str| {
        let at = stage.find(text);
        let kind = MouseEventKind::Down(MouseButton::Left);
        stage.send(Msg::Mouse(MouseEvent { kind, column: at.x, row: at.y, modifiers: KeyModifiers::NONE }));
    };
    stage.press("x");
    click(&mut stage, "It is asked to end");
    assert!(stage.model.dialog.is_some(), "a click on its words leaves it");
    click(&mut stage, "Keep it running");
    assert!(stage.model.dialog.is_none() && stage.requests().is_empty());
    stage.press("x");
    click(&mut stage, "Kill it");
    assert!(matches!(&stage.requests()[..], [(Ask::Kill(_), Request::Session(session::Request::Kill(_)))]));
    stage.press(":");
    click(&mut stage, "Go to codex");
    assert_eq!(selected(&stage), "auth-2");
}

#[test]
fn help_says_under_headings_why_something_cannot_be_done() {
    let mut stage = Stage::new((120, 60));
    stage.press("?");
    let picture = stage.picture();
    for words in ["Logins", "Questions", "Kill the CLI", "(No session is selected.)"] {
        assert!(picture.contains(words), "{words}\n{picture}");
    }
}

#[test]
fn scrolling_back_asks_for_history_and_end_is_live() {
    let mut stage = Stage::of((80, 24), vec![claude()]);
    stage.send(Msg::Screen(Box::new(claude_screen())));
    stage.requests();
    stage.press("pageup");
    assert!(matches!(
        &stage.requests()[..],
        [(Ask::History(_), Request::Terminal(terminal::Request::History(_)))]
    ));
    assert!(stage.picture().contains("lines up"), "{}", stage.picture());
    stage.press("tab end");
    assert!(!stage.model.pane.is_scrolled());
    assert_eq!(stage.model.focus, Focus::Pane);
}

#[test]
fn leaving_leaves_the_sessions() {
    let mut stage = Stage::of((80, 24), vec![claude()]);
    stage.orders.clear();
    stage.press("q");
    assert!(matches!(&stage.orders[..], [Cmd::Quit]));
}

#[test]
fn help_has_every_action_and_stops_at_its_end() {
    let mut stage = Stage::new((80, 24));
    stage.press("?");
    let mut seen = String::new();
    for _ in 0..20 {
        seen.push_str(&stage.picture());
        stage.press("pagedown");
    }
    for action in Action::ALL {
        let start: String = action.doc().chars().take(30).collect();
        assert!(seen.contains(start.trim_end()), "{}", action.name());
    }
    let end = stage.picture();
    stage.press("k");
    assert_ne!(stage.picture(), end, "one line up from the end is seen at once");
}

#[test]
fn outside_text_never_reaches_a_cell_as_it_is() {
    let mut hostile = claude();
    hostile.name = Some("a\u{1b}[31mb\u{202e}c".into());
    hostile.waiting_text = "x\u{9b}2J\u{200b}".into();
    hostile.prompt = Some("\u{7}\u{2066}p".into());
    hostile.expects = Some(Expects::Code);
    let mut challenge = git_challenge();
    challenge.title = "g\u{1b}]0;t\u{7}".into();
    challenge.message = "m\u{202e}\u{1b}[2J".into();
    let snapshot = Snapshot { sessions: vec![hostile], challenges: vec![challenge], ..Snapshot::default() };
    let mut stage = Stage::with(settings(), (120, 40), snapshot);
    for keys in ["j", "k", "enter", "esc", ":", "esc"] {
        stage.press(keys);
        let picture = stage.picture();
        let bad = picture.chars().find(|letter| {
            (letter.is_control() && *letter != '\n') || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        });
        assert_eq!(bad, None, "{picture}");
    }
}

#[test]
fn mistakes_in_the_persons_files_are_shown_first() {
    let mut with_mistake = settings();
    with_mistake.theme = Some("no-such".into());
    let model =
        Model::new(with_mistake, (80, 24), Vec::new(), vec!["config.toml:3: `x` is not a setting.".into()]);
    assert_eq!(model.messages.len(), 2);
    assert!(model.status.unwrap().text.starts_with("There is no theme `no-such`; there are dark, light"));
}

#[test]
fn a_desktop_opens_the_url_itself() {
    let mut local = settings();
    local.surroundings = Surroundings { display: true, unicode: true, ..Surroundings::default() };
    let snapshot = Snapshot { sessions: vec![claude()], ..Snapshot::default() };
    let mut stage = Stage::with(local, (80, 24), snapshot);
    stage.orders.clear();
    stage.press("o");
    assert!(matches!(&stage.orders[..], [Cmd::Open(url)] if url == CLAUDE_URL));
}

#[test]
fn starting_again_never_starts_a_masked_command() {
    let mut stage = Stage::of((80, 24), vec![gh_done()]);
    stage.requests();
    stage.press("r");
    assert!(
        matches!(&stage.requests()[..], [(Ask::Start, Request::Supervisor(supervisor::Request::Start(start)))] if start.command == ["gh", "login"])
    );
    let masked =
        SessionView {
            provider_id: None, command: vec!["login".into(), "--token=••••".into()], ..gh_done()
        };
    let mut stage = Stage::of((80, 24), vec![masked]);
    stage.requests();
    stage.press("r");
    assert!(stage.requests().is_empty());
    assert!(status(&stage).contains("has a secret in it"));
}

#[test]
fn what_was_started_is_selected_whether_its_answer_or_its_event_comes_first() {
    let started = |id: &str| json!({"sessionId": id, "authUrl": null});
    let selected = |stage: &Stage| stage.model.selection.clone();
    let codex_item = Some(Item::Session(codex().session_id));

    let mut stage = Stage::of((100, 30), vec![claude()]);
    stage.answer(Ask::Start, started(codex().session_id.as_str()));
    stage.event(Event::SessionAdded { session: Box::new(codex()) });
    assert_eq!(selected(&stage), codex_item, "the answer came first");

    let mut stage = Stage::of((100, 30), vec![claude()]);
    stage.event(Event::SessionAdded { session: Box::new(codex()) });
    stage.answer(Ask::Start, started(codex().session_id.as_str()));
    assert_eq!(selected(&stage), codex_item, "the event came first");
}
