//! Nothing is written to the terminal while nothing changes.

use std::fs;
use std::thread;
use std::time::Duration;

use super::common::deck::Deck;
use super::common::env::Home;
use super::common::peer;
use super::common::wait::{GENEROUS, wait_for};

#[test]
fn an_idle_deck_writes_nothing() {
    if !peer::has("an_idle_deck_writes_nothing", &["tmux"]) {
        return;
    }
    let home = Home::new();
    let deck = Deck::start(&home, &[]);
    deck.wait_text("help");
    let written = home.write_file("work/written", "");
    deck.tap(&written);
    let size = || fs::metadata(&written).unwrap().len();

    // Something is written when something changes: otherwise the zero below would prove nothing.
    deck.press(&["?"]);
    wait_for("the help is drawn", GENEROUS, || if size() > 0 { Ok(()) } else { Err(deck.screen()) });
    deck.press(&["Escape"]);

    // The clock in the title may move once a minute, so that not every window is quiet.
    wait_for("three seconds without a byte", GENEROUS, || {
        let before = size();
        thread::sleep(Duration::from_secs(3));
        let more = size() - before;
        if more == 0 { Ok(()) } else { Err(format!("{more} bytes in three seconds\n{}", deck.screen())) }
    });
}
