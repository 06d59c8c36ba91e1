//! What is lost when authdeck is killed or its terminal goes away: nothing.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::common::deck::{Deck, State};
use super::common::env::{AUTHDECK, Home};
use super::common::peer;
use super::common::process::{self, list};
use super::common::tmux::{Terminal, Tmux};
use super::common::wait::{GENEROUS, wait_for, wait_until};

/// The URL that the counter shows.
const URL: &str = "https://idp.example.com/authorize?response_type=code&client_id=counter&redirect_uri=http%3A%2F%2F127.0.0.1%3A9%2Fcallback&state=counted";

/// Prints 500 numbered lines for each `more` in the file of that name; ends when it says `end`.
const COUNTER: &str = "n=0; want=1; echo 'Open URL'
    while :; do
        if grep -q end more 2>/dev/null; then echo COUNTED $n; exit 0; fi
        if [ $(grep -c more more) -ge $want ]; then
            i=0; while [ $i -lt 500 ]; do echo line-$n-; n=$((n + 1)); i=$((i + 1)); done
            echo batch-$want-done; want=$((want + 1))
        fi
        read -t 0.05 _ || :
    done";

struct Counter<'a> {
    more: PathBuf,
    home: &'a Home,
}

impl<'a> Counter<'a> {
    fn new(home: &'a Home) -> Self {
        let more = home.write_file("work/more", "");
        home.write_file("work/counter.sh", &COUNTER.replace("URL", URL));
        Self { more, home }
    }

    const COMMAND: [&'static str; 4] = ["run", "--", "bash", "counter.sh"];

    fn say(&self, word: &str) {
        let text = fs::read_to_string(&self.more).unwrap();
        fs::write(&self.more, format!("{text}{word}\n")).unwrap();
    }

    fn process(&self) -> u32 {
        let is_it = |process: &process::Process| process.command == "bash counter.sh";
        wait_for("the counter runs", GENEROUS, || {
            self.home
                .children()
                .into_iter()
                .find(is_it)
                .map(|found| found.id)
                .ok_or_else(|| list(&self.home.processes()))
        })
    }
}

fn decks(home: &Home) -> Vec<process::Process> {
    home.processes().into_iter().filter(|process| process.is_authdeck("run")).collect()
}

/// The recording that `w` saved: what the child wrote, in order.
fn recorded(folder: &Path) -> Option<String> {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).ok()?.flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "cast") {
                return Some(fs::read_to_string(path).unwrap());
            }
        }
    }
    None
}

/// What an asciicast v2 says that the child wrote.
fn output(recording: &str) -> String {
    let events =
        recording.lines().skip(1).map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    events.filter(|event| event[1] == "o").map(|event| event[2].as_str().unwrap().to_owned()).collect()
}

#[test]
fn after_sigkill_the_session_lives_on_and_no_line_is_lost_or_doubled() {
    let test = "after_sigkill_the_session_lives_on_and_no_line_is_lost_or_doubled";
    if !peer::has(test, &["tmux", "bash"]) {
        return;
    }
    let home = Home::new();
    let counter = Counter::new(&home);
    let child;
    {
        let deck = Deck::start(&home, &Counter::COMMAND);
        counter.say("more");
        deck.wait_text("batch-1-done");
        deck.wait_state(State::OpenUrl);
        child = counter.process();
        process::signal(deck.process_id(), "KILL");
        deck.wait_over();
        home.kill_supervisor();
        counter.say("more");
    }
    assert!(process::is_alive(child));

    let deck = Deck::start(&home, &[]);
    deck.wait_state(State::OpenUrl);
    deck.wait_text("batch-2-done");
    let url = deck.copy("u", "the URL", |text| text.starts_with("https://idp.example.com/"));
    assert_eq!(url, URL);
    counter.say("more");
    deck.wait_text("batch-3-done");
    counter.say("end");
    deck.wait_text("COUNTED 1500");
    deck.wait_state(State::NotProven);

    deck.press(&["w"]);
    let recording =
        wait_for("the recording is saved", GENEROUS, || recorded(home.path()).ok_or_else(|| deck.screen()));
    let text = output(&recording);
    let numbers: Vec<u32> =
        text.split("line-").skip(1).filter_map(|rest| rest.split('-').next()?.parse().ok()).collect();
    assert_eq!(numbers, (0..1500).collect::<Vec<_>>(), "each line once, in order");
}

#[test]
fn a_deck_whose_terminal_goes_away_ends_and_its_sessions_do_not() {
    let test = "a_deck_whose_terminal_goes_away_ends_and_its_sessions_do_not";
    if !peer::has(test, &["tmux", "bash"]) {
        return;
    }
    let home = Home::new();
    let counter = Counter::new(&home);
    let child;
    {
        let deck = Deck::start(&home, &Counter::COMMAND);
        deck.wait_state(State::OpenUrl);
        child = counter.process();
        assert_eq!(decks(&home).len(), 1, "{}", list(&home.processes()));
        deck.close();
        wait_until("the deck has ended", || decks(&home).is_empty(), || list(&home.processes()));
    }
    assert!(process::is_alive(child));
    let deck = Deck::start(&home, &[]);
    deck.wait_state(State::OpenUrl);
    counter.say("end");
    deck.wait_state(State::NotProven);
}

/// What a person sees of a terminal's state.
fn terminal_state(tmux: &Tmux<'_>) -> String {
    tmux.ask("alternate #{alternate_on} cursor #{cursor_flag} mouse #{mouse_any_flag} keypad #{keypad_flag} cursor keys #{keypad_cursor_flag} wrap #{wrap_flag}")
}

#[test]
fn the_terminal_is_restored_after_sigkill() {
    if !peer::has("the_terminal_is_restored_after_sigkill", &["tmux", "stty"]) {
        return;
    }
    let home = Home::new();
    let tmux = Tmux::start(&home, &Terminal::default(), &["sh"]);
    tmux.type_text("stty -a > before; echo ready-$((1 + 1))\n");
    tmux.press(&["Enter"]);
    tmux.wait_text("ready-2");
    let before = terminal_state(&tmux);

    tmux.type_text(&format!("{AUTHDECK} run -- sleep 1000"));
    tmux.press(&["Enter"]);
    let commands =
        || home.children().into_iter().map(|process| process.command).collect::<BTreeSet<String>>();
    wait_until(
        "the deck is up, and the session in it",
        || commands().contains("sleep 1000"),
        || tmux.screen(),
    );
    let deck = wait_for("the deck's process", GENEROUS, || {
        decks(&home).first().cloned().ok_or_else(|| tmux.screen())
    });
    assert_ne!(terminal_state(&tmux), before);
    process::signal(deck.id, "KILL");

    wait_until("the terminal is as it was", || terminal_state(&tmux) == before, || terminal_state(&tmux));
    tmux.type_text("stty -a > after; echo back-$((1 + 1))");
    tmux.press(&["Enter"]);
    tmux.wait_text("back-2");
    let read = |name: &str| fs::read_to_string(home.work().join(name)).unwrap();
    assert_eq!(read("before"), read("after"));
    assert!(commands().contains("sleep 1000"), "the session lives on: {:?}", commands());
}
