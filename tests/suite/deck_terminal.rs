//! What the deck does with the person's terminal: takes it, calls the person through it, and gives it back however it ends.

use std::os::fd::AsFd as _;

use authdeck::driver::platform::watched::watch_input;
use authdeck::tui::terminal::{RESTORE, Terminal};

use super::common::env::{AUTHDECK, Home};
use super::common::peer;
use super::common::process;
use super::common::pty::Pty;
use super::common::wait::{GENEROUS, wait_for};

const URL: &str = "https://idp.example.com/authorize?response_type=code&client_id=t&redirect_uri=http%3A%2F%2F127.0.0.1%3A9%2Fcb&state=s1";

/// Set for the test's own program, it makes [`a_panic_in_a_taken_terminal`] panic.
const PANICS: &str = "AD_TEST_PANICS";

/// A deck with a login whose URL is shown as soon as a line is typed into the file `go`.
fn deck(home: &Home) -> Pty {
    let script = format!(
        "until [ -e go ]; do sleep 0.05; done; echo 'Open this URL to log in:'; echo '{URL}'; sleep 1000"
    );
    home.write_file("work/login.sh", &script);
    let terminal = Pty::start(home, true, &[AUTHDECK, "run", "--", "sh", "login.sh"]);
    terminal.wait_written("the session is listed", |written| written.contains("Running 1"));
    terminal
}

fn wait_end(terminal: &mut Pty) -> String {
    wait_for("the deck has ended", GENEROUS, || {
        terminal.written();
        terminal.process.try_wait().unwrap().ok_or_else(String::new)
    });
    String::from_utf8_lossy(&terminal.written()).into_owned()
}

#[test]
fn a_url_rings_notifies_and_is_a_link() {
    if !peer::has("a_url_rings_notifies_and_is_a_link", &["setsid"]) {
        return;
    }
    let home = Home::new();
    let terminal = deck(&home);
    assert!(!String::from_utf8_lossy(&terminal.written()).contains('\x07'), "nothing waits yet");
    home.write_file("work/go", "");
    let written = terminal.wait_written("a notification", |written| written.contains("\x1b]9;authdeck: "));
    let (_, rest) = written.split_once("\x1b]9;authdeck: ").unwrap();
    let (text, rest) = rest.split_once('\x07').unwrap();
    assert!(text.contains("sh"), "{text}");
    assert!(rest.starts_with('\x07'), "the bell follows: {rest:?}");
    let link = format!("\x1b]8;id=authdeck-1;{URL}\x1b\\");
    let written = terminal.wait_written("the link", |written| written.contains(&link));
    let opened = written.matches("\x1b]8;id=").count();
    terminal.wait_written("its end", |written| written.matches("\x1b]8;;\x1b\\").count() >= opened);
}

#[test]
fn what_is_switched_off_is_not_sent() {
    if !peer::has("what_is_switched_off_is_not_sent", &["setsid"]) {
        return;
    }
    let home = Home::new();
    home.write_config(
        "[notifications]\nbell = false\nosc9 = false\n[deck]\nhyperlinks = false\nmouse = false\n",
    );
    let terminal = deck(&home);
    home.write_file("work/go", "");
    let written = terminal.wait_written("the URL", |written| written.contains("open URL"));
    for unwanted in ["\x07", "\x1b]9;", "\x1b]8;", "\x1b[?1000h"] {
        assert!(!written.contains(unwanted), "{unwanted:?}");
    }
}

#[test]
fn what_a_child_says_to_a_terminal_stays_with_its_own() {
    if !peer::has("what_a_child_says_to_a_terminal_stays_with_its_own", &["setsid"]) {
        return;
    }
    let home = Home::new();
    let script = r"printf '\033]52;c;ZXZpbA==\007\033]0;evil-title\007\033]9;evil-note\007\033]8;;https://evil.example\007link\033]8;;\007'
        printf '\033[?1003h\033[?1049h\033[2;5r\033P+q544e\033\\\033[5n\007\033[HSHOWN'; sleep 1000";
    home.write_file("work/hostile.sh", script);
    let terminal = Pty::start(&home, true, &[AUTHDECK, "run", "--", "sh", "hostile.sh"]);
    let written = terminal.wait_written("the child's screen", |written| written.contains("SHOWN"));
    for evil in ["ZXZpbA", "evil-title", "evil-note", "evil.example", "\x1b[?1003h", "\x1b[2;5r", "\x1bP"] {
        assert!(!written.contains(evil), "{evil:?} reached the terminal: {written:?}");
    }
    assert_eq!(written.matches("\x1b[?1049h").count(), 1, "the deck's own");
}

#[test]
fn the_terminal_is_given_back_on_leaving_and_on_sigterm() {
    if !peer::has("the_terminal_is_given_back_on_leaving_and_on_sigterm", &["setsid"]) {
        return;
    }
    for how in ["q", "SIGTERM"] {
        let home = Home::new();
        let mut terminal = deck(&home);
        let taken = terminal.modes();
        match how {
            "q" => terminal.type_bytes(b"q"),
            _ => process::signal(terminal.process.id(), "TERM"),
        }
        let written = wait_end(&mut terminal);
        let (_, after) = written.rsplit_once(RESTORE).unwrap_or_else(|| panic!("{how}: {written:?}"));
        assert!(!after.contains('\x1b'), "{how}: {after:?}");
        assert!(after.contains("One session goes on"), "{how}: {after:?}");
        let free = terminal.modes();
        assert!(free.canonical && free.echo, "{how}: {free:?}");
        assert!(!taken.canonical && !taken.echo, "{how}: {taken:?}");
    }
}

/// Not a test of its own: it is run in another process by the one below.
#[test]
fn a_panic_in_a_taken_terminal() {
    if std::env::var_os(PANICS).is_none() {
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _inside = runtime.enter();
    let input = std::io::stdin().as_fd().try_clone_to_owned().and_then(watch_input).unwrap();
    let (_terminal, _ears) = Terminal::enter(true, input).unwrap();
    panic!("on purpose");
}

#[test]
fn the_terminal_is_given_back_after_a_panic_and_the_panic_is_readable() {
    if !peer::has("the_terminal_is_given_back_after_a_panic_and_the_panic_is_readable", &["setsid"]) {
        return;
    }
    let home = Home::new().with(PANICS, "1");
    let program = std::env::current_exe().unwrap();
    let test = "deck_terminal::a_panic_in_a_taken_terminal";
    let command = [&program.to_string_lossy(), test, "--exact", "--nocapture", "--test-threads=1"];
    let mut terminal = Pty::start(&home, true, &command);
    let written = wait_end(&mut terminal);
    let (before, after) = written.split_once(RESTORE).unwrap_or_else(|| panic!("{written:?}"));
    assert!(before.contains("\x1b[?1049h"), "{before:?}");
    assert!(after.contains("on purpose"), "{after:?}");
    let modes = terminal.modes();
    assert!(modes.canonical && modes.echo, "{modes:?}");
}
