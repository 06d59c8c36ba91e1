//! What reaches the terminal when only the child's screen changes.

use authdeck::protocol::screen::ScreenUpdate;
use authdeck::tui::canvas::Canvas;
use authdeck::tui::msg::Msg;
use authdeck::tui::surroundings::Colours;

use crate::ui_stage::{NOW, Stage, claude, screen};

const SIZE: (u16, u16) = (100, 30);

fn stage() -> (Stage, Canvas) {
    let mut stage = Stage::of(SIZE, vec![claude()]);
    stage.send(Msg::Screen(Box::new(shown(&["first", "漢字 and text", "last"]))));
    let mut canvas = Canvas::new(SIZE, Colours::True);
    canvas.draw(&stage.model, NOW);
    (stage, canvas)
}

fn shown(lines: &[&str]) -> ScreenUpdate {
    ScreenUpdate { full: false, ..screen("1", 60, 12, lines) }
}

#[test]
fn a_pane_that_is_drawn_alone_looks_as_if_everything_was_drawn() {
    let (mut stage, mut canvas) = stage();
    for lines in [&["x漢字", "a"][..], &["x", "", "漢"], &["", "漢字 and", "longer than before"], &["first"]]
    {
        stage.send(Msg::Screen(Box::new(shown(lines))));
        assert!(!canvas.draw_pane(&stage.model, NOW).is_empty(), "{lines:?} was not drawn");
        assert!(
            canvas.draw(&stage.model, NOW).is_empty(),
            "{lines:?} was not drawn as a whole deck draws it"
        );
    }
}

#[test]
fn one_letter_in_the_pane_is_a_move_and_a_letter() {
    let (mut stage, mut canvas) = stage();
    stage.send(Msg::Screen(Box::new(shown(&["fi-st", "漢字 and text", "last"]))));
    let bytes = String::from_utf8(canvas.draw_pane(&stage.model, NOW)).unwrap();
    assert!(bytes.starts_with("\x1b[") && bytes.ends_with('-') && bytes.len() < 20, "{bytes:?}");
}

#[test]
fn what_stands_between_two_changes_is_written_where_a_jump_costs_as_much() {
    let (mut stage, mut canvas) = stage();
    let mut bytes = |line: &str| {
        stage.send(Msg::Screen(Box::new(shown(&[line, "漢字 and text", "last"]))));
        let bytes = String::from_utf8(canvas.draw_pane(&stage.model, NOW)).unwrap();
        assert!(canvas.draw(&stage.model, NOW).is_empty(), "{line:?} was not drawn as a whole deck draws it");
        bytes
    };
    assert!(bytes("fIrSt").contains("IrS"));
    assert!(bytes("0irst1 is 3").contains("0irst1 is 3"));
    assert!(bytes("9irst1 is 5").contains("9\x1b["), "too far for that");
    assert!(bytes("漢rst1 is 5").contains("漢"));
    assert!(
        bytes("字rsT1 is 5").ends_with("H\u{54}"),
        "nobody knows where a wide character leaves the cursor"
    );
}

#[test]
fn a_dialog_over_the_pane_is_not_painted_over() {
    let (mut stage, mut canvas) = stage();
    stage.press("?");
    canvas.draw(&stage.model, NOW);
    stage.send(Msg::Screen(Box::new(shown(&["under the dialog"; 12]))));
    canvas.draw_pane(&stage.model, NOW);
    assert!(canvas.draw(&stage.model, NOW).is_empty());
    assert!(stage.picture().contains("Every key"));
    stage.press("esc");
    assert!(!canvas.draw_pane(&stage.model, NOW).is_empty(), "the dialog goes");
    assert!(canvas.draw(&stage.model, NOW).is_empty());
}
