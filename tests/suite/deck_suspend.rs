//! The deck stops and goes on as a shell's programs do: Ctrl-Z, `fg`, and a stop that it cannot see coming.

use super::common::env::{AUTHDECK, Home};
use super::common::peer;
use super::common::process;
use super::common::tmux::{Terminal, Tmux};
use super::common::wait::wait_until;

fn deck_is_shown(tmux: &Tmux<'_>, word: &str) {
    // What is typed into the palette proves that the keys arrive and that the deck draws.
    wait_until("the deck has the terminal", || tmux.ask("#{alternate_on}") == "1", || tmux.screen());
    wait_until("the deck is drawn", || tmux.screen().contains("palette"), || tmux.screen());
    tmux.type_text(&format!(":{word}"));
    wait_until("the deck takes keys", || tmux.screen().contains(word), || tmux.screen());
    tmux.press(&["Escape"]);
    wait_until("the palette is closed", || !tmux.screen().contains(word), || tmux.screen());
}

fn shell_has_the_terminal(tmux: &Tmux<'_>, mark: &str) {
    wait_until("the shell prints", || tmux.screen().contains("Stopped"), || tmux.screen());
    // In two halves, so that the line that is typed does not hold what is waited for.
    tmux.type_text(&format!(
        "echo {mark}; stty -a | tr -s ' ;' '\\n' | grep -E '^-?(icanon|echo)$' | tr '\\n' '.'"
    ));
    tmux.press(&["Enter"]);
    wait_until("lines and echo are on", || tmux.screen().contains("icanon.echo."), || tmux.screen());
    assert!(!tmux.screen().contains("-icanon"), "{}", tmux.screen());
    tmux.type_text("clear");
    tmux.press(&["Enter"]);
    wait_until("the screen is cleared", || !tmux.screen().contains("icanon"), || tmux.screen());
}

#[test]
fn a_deck_that_stops_gives_the_terminal_back_and_takes_it_anew() {
    if !peer::has("a_deck_that_stops_gives_the_terminal_back_and_takes_it_anew", &["tmux", "bash"]) {
        return;
    }
    let home = Home::new();
    let tmux = Tmux::start(&home, &Terminal::default(), &["bash", "--norc", "--noprofile", "-i"]);
    tmux.type_text(AUTHDECK);
    tmux.press(&["Enter"]);
    deck_is_shown(&tmux, "zqa");

    tmux.press(&["C-z"]);
    wait_until("the main screen is back", || tmux.ask("#{alternate_on}") == "0", || tmux.screen());
    assert_eq!(tmux.ask("#{mouse_any_flag}#{cursor_flag}"), "01", "no mouse, and a cursor");
    shell_has_the_terminal(&tmux, "one");
    tmux.type_text("fg");
    tmux.press(&["Enter"]);
    deck_is_shown(&tmux, "zqb");

    let is_deck = |process: &process::Process| process.command == AUTHDECK && is_no_guard(process.id);
    let deck = home.processes().into_iter().find(is_deck).unwrap();
    process::signal(deck.id, "STOP");
    shell_has_the_terminal(&tmux, "two");
    tmux.type_text("fg");
    tmux.press(&["Enter"]);
    deck_is_shown(&tmux, "zqc");
    tmux.press(&["q"]);
    wait_until("the main screen is back", || tmux.ask("#{alternate_on}") == "0", || tmux.screen());
}

fn is_no_guard(id: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{id}/comm")).is_ok_and(|name| name != "authdeck-guard\n")
}

#[test]
fn a_deck_that_no_shell_could_bring_back_does_not_stop() {
    if !peer::has("a_deck_that_no_shell_could_bring_back_does_not_stop", &["tmux"]) {
        return;
    }
    let home = Home::new();
    let tmux = Tmux::start(&home, &Terminal::default(), &[AUTHDECK]);
    deck_is_shown(&tmux, "zqa");
    tmux.press(&["C-z"]);
    wait_until("it says why", || tmux.screen().contains("No shell"), || tmux.screen());
    deck_is_shown(&tmux, "zqb");
}
