//! What a person sees, at three sizes: one picture per state that is worth one.

use authdeck::core::finding::Verdict;
use authdeck::core::status::Status;
use authdeck::protocol::snapshot::{ChildState, SessionView, Snapshot, UrlView, Waiting};
use authdeck::tui::msg::{Ask, Msg};
use authdeck::tui::surroundings::{Colours, Surroundings};
use authdeck::tui::view;
use ratatui::style::{Color, Modifier};
use serde_json::json;

use super::ui_stage::*;

const SIZES: [(u16, u16); 4] = [(80, 24), (120, 40), (40, 12), (300, 100)];

fn keep(name: &str, stage: &Stage) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let (columns, rows) = stage.model.size;
    settings.bind(|| insta::assert_snapshot!(format!("{name}_{columns}x{rows}"), stage.picture()));
}

fn at_each_size(name: &str, make: impl Fn((u16, u16)) -> Stage) {
    for size in SIZES {
        keep(name, &make(size));
    }
}

fn claude_stage(size: (u16, u16)) -> Stage {
    let mut stage = Stage::of(size, vec![claude()]);
    stage.send(Msg::Screen(Box::new(claude_screen())));
    if size.0 < 60 {
        stage.press("enter");
    }
    stage
}

fn only(size: (u16, u16), session: SessionView) -> Stage {
    let mut stage = Stage::of(size, vec![session]);
    if size.0 < 60 {
        stage.press("enter");
    }
    stage
}

#[test]
fn nothing_yet() {
    at_each_size("empty", Stage::new);
}

#[test]
fn the_list_with_everything() {
    at_each_size("list", |size| Stage::with(settings(), size, everything()));
}

#[test]
fn a_url_to_open() {
    at_each_size("url", claude_stage);
}

#[test]
fn a_code_to_enter() {
    at_each_size("code", |size| only(size, codex()));
}

#[test]
fn the_code_is_on_a_phones_screen_in_list_and_card_and_once_in_large_letters() {
    let mut stage = Stage::of((40, 12), vec![codex()]);
    assert!(stage.picture().contains("WDJB-MJHT"), "{}", stage.picture());
    stage.press("enter");
    let picture = stage.picture();
    let line = |words: &str| picture.lines().position(|line| line.contains(words)).unwrap();
    assert!(
        line("W D J B - M J H T") < line("https://") && line("https://") < line("copy code"),
        "{picture}"
    );
    let large = only((120, 40), codex()).picture();
    assert_eq!(large.matches("code WDJB").count(), 0, "{large}");
}

#[test]
fn a_prompt_of_the_cli() {
    at_each_size("prompt", |size| {
        only(
            size,
            SessionView {
                waiting: Waiting::Prompt,
                waiting_text: "waiting for you: it asks something, answer in its pane (i)".into(),
                prompt: Some("? What account do you want to log into?  [Use arrows to move]".into()),
                ..session("1", "gh")
            },
        )
    });
}

#[test]
fn a_suspicious_url() {
    at_each_size("suspicious", |size| {
        let url = UrlView {
            url: "https://claude.com@evil.example/cai/oauth/authorize?state=\u{202e}x".into(),
            host: "evil.example".into(),
            verdict: Verdict::Suspicious,
            reason: "it carries a user name before the host".into(),
            disputed: true,
        };
        only(size, SessionView { url: Some(url), ..claude() })
    });
}

#[test]
fn a_question_before_copying_what_is_disputed() {
    let url = UrlView { disputed: true, ..claude().url.unwrap() };
    let mut stage = only((80, 24), SessionView { url: Some(url), ..claude() });
    stage.press("u");
    keep("disputed_copy", &stage);
}

#[test]
fn a_paste() {
    at_each_size("paste", |size| {
        let mut stage = claude_stage(size);
        stage.press("p");
        stage.paste("http://localhost:8000/callback?code=0123456789abcdef&state=v_xyZ");
        stage
    });
}

#[test]
fn a_refused_paste() {
    at_each_size("paste_refused", |size| {
        let mut stage = claude_stage(size);
        stage.paste("https://evil.example/callback?code=x");
        stage.press("enter");
        let answer = json!({"delivered": false, "destination": "stdin",
            "message": "Its host is evil.example, and this login ends on platform.claude.com."});
        stage.answer(Ask::Submit(claude().session_id), answer);
        stage
    });
}

#[test]
fn a_kill_to_confirm() {
    at_each_size("kill", |size| {
        let mut stage = claude_stage(size);
        stage.press("x");
        stage
    });
}

#[test]
fn killed() {
    at_each_size("killed", |size| {
        only(
            size,
            SessionView {
                status: Status::Failed { error: "cancelled by user".into() },
                child: ChildState::Killed,
                waiting: Waiting::Finished,
                deadline_at: None,
                url: None,
                ..claude()
            },
        )
    });
}

#[test]
fn survivors() {
    at_each_size("survivors", |size| {
        only(
            size,
            SessionView {
                status: Status::Failed { error: "cancelled by user".into() },
                child: ChildState::Survived {
                    survivors: vec!["4711 sudo: it belongs to another user".into()],
                },
                waiting: Waiting::Finished,
                deadline_at: None,
                advice: Some("End it yourself: sudo kill -9 4711".into()),
                ..claude()
            },
        )
    });
}

#[test]
fn success() {
    at_each_size("success", |size| only(size, gh_done()));
}

#[test]
fn failed_with_advice() {
    at_each_size("failed", |size| only(size, wrangler_failed()));
}

#[test]
fn a_challenge_to_answer() {
    at_each_size("challenge", |size| {
        let snapshot = Snapshot { challenges: vec![git_challenge()], ..Snapshot::default() };
        let mut stage = Stage::with(settings(), size, snapshot);
        stage.press("enter");
        stage.type_text("hunter2");
        stage
    });
    let snapshot = Snapshot { challenges: vec![sudo_challenge()], ..Snapshot::default() };
    keep("challenge_card", &Stage::with(settings(), (80, 24), snapshot));
}

#[test]
fn the_palette() {
    at_each_size("palette", |size| {
        let mut stage = Stage::with(settings(), size, everything());
        stage.press(":");
        stage.type_text("cop");
        stage
    });
}

#[test]
fn the_picker() {
    at_each_size("picker", |size| {
        let mut stage = Stage::new(size);
        stage.press("n");
        stage.answer(Ask::Providers, json!({"providers": providers()}));
        stage
    });
}

#[test]
fn a_command_line() {
    let mut stage = Stage::new((80, 24));
    stage.press("n end");
    stage.type_text("zzz");
    stage.press("enter");
    stage.type_text("./login --it's");
    stage.press("enter");
    keep("command", &stage);
}

#[test]
fn help() {
    at_each_size("help", |size| {
        let mut stage = Stage::new(size);
        stage.press("?");
        stage
    });
}

#[test]
fn bundles() {
    let mut stage = Stage::with(settings(), (80, 24), everything());
    stage.press("b");
    keep("bundles", &stage);
}

#[test]
fn a_search() {
    at_each_size("search", |size| {
        let mut stage = claude_stage(size);
        stage.press("/");
        stage.type_text("paste code");
        stage.press("enter");
        stage.answer(Ask::Search(claude().session_id, "paste code".into()), json!({"lines": [47]}));
        stage
    });
}

#[test]
fn typing_into_the_cli() {
    at_each_size("typing", |size| {
        let mut stage = claude_stage(size);
        stage.press("i");
        stage
    });
}

#[test]
fn a_started_sequence_of_keys() {
    let mut stage = Stage::with(settings(), (80, 24), everything());
    stage.press("g");
    keep("which_key", &stage);
}

#[test]
fn a_code_to_scan() {
    let mut stage = only((80, 24), codex());
    stage.press("s");
    keep("scan", &stage);
    let mut stage = only((120, 40), claude());
    stage.press("s");
    keep("scan", &stage);
    let mut stage = only((80, 24), claude());
    stage.press("s");
    keep("scan_too_big", &stage);
}

#[test]
fn a_terminal_that_is_too_small() {
    keep("too_small", &Stage::with(settings(), (39, 11), everything()));
}

#[test]
fn no_supervisor() {
    let mut stage = claude_stage((80, 24));
    stage.send(Msg::Disconnected("the supervisor closed the connection".into()));
    keep("disconnected", &stage);
}

#[test]
fn only_ascii() {
    let mut settings = settings();
    settings.surroundings = Surroundings { ssh: true, colours: Colours::Sixteen, ..Surroundings::default() };
    for size in SIZES {
        let mut stage = Stage::with(settings.clone(), size, everything());
        stage.press("g g j j");
        keep("ascii", &stage);
        let picture = stage.picture();
        assert!(picture.is_ascii(), "{picture}");
    }
}

#[test]
fn the_eye_is_led_by_style_too() {
    let stage = claude_stage((120, 40));
    let theme = stage.model.themes.current().clone();
    let (buffer, _) = stage.draw();
    let host = stage.find("claude.com/cai");
    assert!(buffer[host].modifier.contains(Modifier::BOLD));
    assert!(!buffer[(host.x + 12, host.y)].modifier.contains(Modifier::BOLD));
    let words = stage.find("waiting for you");
    assert_eq!(Some(buffer[words].fg), theme.style(authdeck::tui::theme::Role::StateWaiting).fg);
    let verdict = stage.find("✓ claude.com");
    assert_eq!(Some(buffer[verdict].fg), theme.style(authdeck::tui::theme::Role::VerdictExpected).fg);
}

#[test]
fn a_suspicious_host_is_drawn_as_danger() {
    let url = UrlView { verdict: Verdict::Suspicious, reason: "no https".into(), ..claude().url.unwrap() };
    let stage = Stage::of((80, 24), vec![SessionView { url: Some(url), ..claude() }]);
    let (buffer, _) = stage.draw();
    let danger = stage.model.themes.current().style(authdeck::tui::theme::Role::VerdictSuspicious).fg;
    assert_eq!(Some(buffer[stage.find("! claude.com")].fg), danger);
    assert!(stage.picture().contains("suspicious: no https"));
}

#[test]
fn without_colour_no_cell_has_one() {
    let mut settings = settings();
    settings.surroundings.colours = Colours::None;
    let mut stage = Stage::with(settings, (80, 24), everything());
    stage.press("G k k k");
    stage.send(Msg::Screen(Box::new(claude_screen())));
    let (buffer, _) = stage.draw();
    for cell in &buffer.content {
        assert!(matches!((cell.fg, cell.bg), (Color::Reset, Color::Reset)), "{cell:?}");
    }
}

/// Everything is drawn at every size in between without a panic, whatever is open.
#[test]
fn every_size_is_drawn() {
    for columns in [1, 39, 40, 59, 60, 80, 300] {
        for rows in [1, 12, 19, 20, 100] {
            let mut stage = Stage::with(settings(), (columns, rows), everything());
            stage.send(Msg::Screen(Box::new(claude_screen())));
            for keys in [
                "j", "enter", "esc", "i", "ctrl-]", "p", "esc", "s", "esc", ":", "esc", "?", "pagedown",
                "esc", "x",
            ] {
                stage.press(keys);
                stage.picture();
            }
        }
    }
}

/// The text of the cells that are a link, and where they lead to.
fn linked(stage: &Stage) -> Option<(String, String)> {
    let (buffer, _) = stage.draw();
    let link = view::link(&stage.model, NOW)?;
    let cells = (0..link.columns).map(|column| buffer[(link.at.x + column, link.at.y)].symbol());
    Some((cells.collect(), link.url.to_owned()))
}

#[test]
fn the_url_of_the_card_is_a_link_at_every_size() {
    for size in [(80, 24), (120, 40), (40, 12), (300, 100)] {
        let mut stage = Stage::of(size, vec![claude()]);
        if size.0 < 60 {
            assert_eq!(linked(&stage), None, "the list covers the card");
            stage.press("enter");
        }
        let (text, url) = linked(&stage).unwrap();
        assert_eq!(url, claude().url.unwrap().url);
        assert!(url.starts_with(text.trim_end_matches('…')), "{size:?}: {text}");
        stage.press("?");
        assert_eq!(linked(&stage), None, "a dialog covers the card");
    }
}

#[test]
fn what_somebody_should_look_at_first_is_no_link() {
    let with = |change: fn(&mut authdeck::protocol::snapshot::UrlView)| {
        let mut session = claude();
        change(session.url.as_mut().unwrap());
        linked(&Stage::of((80, 24), vec![session]))
    };
    assert!(with(|_| {}).is_some());
    assert_eq!(with(|url| url.verdict = Verdict::Suspicious), None);
    assert_eq!(with(|url| url.disputed = true), None);
    assert_eq!(with(|url| url.url.push_str("\u{1b}\\x")), None);
    assert_eq!(with(|url| url.url.push('\u{202e}')), None);
    assert_eq!(with(|url| url.url = "file:///etc/passwd".into()), None);
    let mut stage = Stage::of((80, 24), vec![claude()]);
    stage.model.settings.hyperlinks = false;
    assert_eq!(linked(&stage), None);
}
