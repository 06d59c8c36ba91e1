//! The ways out of the deck, each to its very end: what the outer terminal got, what stands in the file, on the desktop,
//! and what the browser was given; by key and by mouse.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::common::deck::{Deck, State};
use super::common::env::{AUTHDECK, Home};
use super::common::peer;
use super::common::pty::Pty;
use super::common::wait::{GENEROUS, wait_for};

/// Long enough that GNU screen takes it in pieces only.
fn url() -> String {
    let state = "s0Meth1ng-".repeat(90);
    format!(
        "https://idp.example.com/authorize?response_type=code&client_id=copy&redirect_uri=http%3A%2F%2F127.0.0.1%3A9%2Fcb&state={state}"
    )
}

/// The command of a session that shows the URL and waits.
fn login(home: &Home) -> Vec<String> {
    let script = format!("echo 'Open this URL in your browser to log in:'; echo '{}'; sleep 1000", url());
    home.write_file("work/login.sh", &script);
    ["run", "--", "sh", "login.sh"].map(str::to_owned).into()
}

fn words(command: &[String]) -> Vec<&str> {
    command.iter().map(String::as_str).collect()
}

/// What an OSC 52 with selector `c` in these bytes carries.
fn copied(written: &str) -> Option<String> {
    let (_, rest) = written.split_once("\x1b]52;c;")?;
    let (base64, _) = rest.split_once('\x07')?;
    String::from_utf8(STANDARD.decode(base64).ok()?).ok()
}

/// Presses `u` until the terminal has been given something.
fn copy_in(terminal: &Pty) -> String {
    terminal.wait_written("the card", |written| written.contains("open URL"));
    terminal.type_bytes(b"u");
    let written = terminal.wait_written("a copy", |written| copied(written).is_some());
    copied(&written).unwrap()
}

#[test]
fn the_terminal_itself_gets_one_plain_sequence() {
    if !peer::has("the_terminal_itself_gets_one_plain_sequence", &["setsid"]) {
        return;
    }
    let home = Home::new();
    let command = login(&home);
    let terminal = Pty::start(&home, true, &[&[AUTHDECK], &words(&command)[..]].concat());
    assert_eq!(copy_in(&terminal), url());
}

#[test]
fn the_terminal_behind_gnu_screen_gets_the_url_whole_and_nothing_leaks() {
    let test = "the_terminal_behind_gnu_screen_gets_the_url_whole_and_nothing_leaks";
    if !peer::has(test, &["setsid", "screen"]) {
        return;
    }
    let home = Home::new();
    let sockets = home.runtime().join("screens");
    fs::create_dir(&sockets).unwrap();
    fs::set_permissions(&sockets, fs::Permissions::from_mode(0o700)).unwrap();
    let home = home.with("SCREENDIR", sockets.to_string_lossy());
    let command = login(&home);
    let screen = ["screen", "-c", "/dev/null", "-U", "-m", AUTHDECK];
    let mut terminal = Pty::start(&home, true, &[&screen[..], &words(&command)].concat());
    assert_eq!(copy_in(&terminal), url());
    let written = terminal.wait_written("what was done", |written| written.contains("OSC 52"));
    let ends = STANDARD.encode(url());
    let piece = &ends[ends.len() - 60..];
    assert_eq!(written.matches(piece).count(), 1, "the copy is not on the screen as well");
    assert!(!written.contains("authdeck-1"), "what GNU screen does not know it keeps to itself");
    terminal.close();
}

/// A configuration of tmux that lets the deck see xterm, with these lines more.
fn tmux_config(home: &Home, name: &str, lines: &str) -> String {
    let text = format!("set -g default-terminal tmux-256color\nset -g status off\n{lines}\n");
    home.write_file(&format!("work/{name}"), &text).display().to_string()
}

/// The command line that runs a command in a tmux of its own, ended with the test.
fn in_tmux(home: &Home, name: &str, lines: &str, command: &str) -> String {
    let config = tmux_config(home, &format!("{name}.conf"), lines);
    let socket = home.runtime().join(format!("{name}.socket"));
    format!("env -u TMUX tmux -S {} -f {config} new-session -x 80 -y 24 '{command}'", socket.display())
}

fn kill_tmux(home: &Home, name: &str) {
    let socket = home.runtime().join(format!("{name}.socket"));
    let _ = home.command("tmux").args(["-S", &socket.to_string_lossy(), "kill-server"]).output();
}

/// What stands on the screen of the tmux `far`.
fn far_screen(home: &Home) -> String {
    let socket = home.runtime().join("far.socket");
    let shown =
        home.command("tmux").args(["-S", &socket.to_string_lossy(), "capture-pane", "-p"]).output().unwrap();
    String::from_utf8_lossy(&shown.stdout).replace('\n', " ")
}

fn deck_command(home: &Home) -> String {
    format!("{AUTHDECK} {}", words(&login(home)).join(" "))
}

#[test]
fn tmux_whose_clipboard_is_off_is_got_round_or_told_of() {
    let test = "tmux_whose_clipboard_is_off_is_got_round_or_told_of";
    if !peer::has(test, &["setsid", "tmux"]) {
        return;
    }
    for (passthrough, reaches) in [("on", true), ("off", false)] {
        let home = Home::new();
        let lines = format!("set -s set-clipboard off\nset -g allow-passthrough {passthrough}");
        let command = in_tmux(&home, "one", &lines, &deck_command(&home));
        let terminal = Pty::start(&home, true, &["sh", "-c", &command]);
        if reaches {
            assert_eq!(copy_in(&terminal), url());
        } else {
            terminal.wait_written("the card", |written| written.contains("open URL"));
            terminal.type_bytes(b"u");
            let written =
                terminal.wait_written("what to set", |written| written.contains("set-clipboard is off"));
            assert_eq!(copied(&written), None);
        }
        kill_tmux(&home, "one");
    }
}

#[test]
fn tmux_in_tmux_gives_it_to_the_outer_one() {
    if !peer::has("tmux_in_tmux_gives_it_to_the_outer_one", &["setsid", "tmux"]) {
        return;
    }
    let home = Home::new();
    let inner = in_tmux(&home, "inner", "", &deck_command(&home)).replace("env -u TMUX ", "");
    let inner = home.write_script("work/inner.sh", &format!("#!/bin/sh\nexec {inner}\n"));
    let command = in_tmux(&home, "outer", "set-environment -gu TMUX", &inner.display().to_string());
    let terminal = Pty::start(&home, true, &["sh", "-c", &command]);
    let written = {
        terminal.wait_written("the card", |written| written.contains("open URL"));
        terminal.type_bytes(b"u");
        terminal.wait_written("a copy", |written| written.contains("\x1b]52;"))
    };
    let (_, rest) = written.split_once("\x1b]52;").unwrap();
    let (_, rest) = rest.split_once(';').unwrap();
    let base64 = rest.split(['\x07', '\x1b']).next().unwrap();
    assert_eq!(String::from_utf8(STANDARD.decode(base64).unwrap()).unwrap(), url());
    kill_tmux(&home, "inner");
    kill_tmux(&home, "outer");
}

#[test]
fn mosh_gets_it_from_tmux_by_passthrough_or_the_deck_says_what_to_set() {
    let test = "mosh_gets_it_from_tmux_by_passthrough_or_the_deck_says_what_to_set";
    if !peer::has(test, &["setsid", "tmux", "mosh-server", "mosh-client"]) {
        return;
    }
    for (lines, wanted) in [
        ("set -g allow-passthrough on", None),
        ("set -as terminal-overrides ',*:Ms=\\E]52;c;%p2%s\\7'", None),
        ("", Some("mosh drops what tmux sends")),
    ] {
        let home = Home::new().with("LC_ALL", "C.UTF-8");
        let command = in_tmux(&home, "far", lines, &deck_command(&home));
        let work = home.work();
        let script = home
            .write_script("work/far.sh", &format!("#!/bin/sh\ncd {} && exec {command}\n", work.display()));
        let server = home
            .command("mosh-server")
            .args(["new", "-i", "127.0.0.1", "--"])
            .arg(&script)
            .env("TERM", "xterm-256color")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&server.stdout).into_owned();
        let connect: Vec<&str> =
            said.lines().find(|line| line.starts_with("MOSH CONNECT")).unwrap().split(' ').collect();
        let client = format!("MOSH_KEY={} exec mosh-client 127.0.0.1 {}", connect[3], connect[2]);
        let terminal = Pty::start(&home, true, &["sh", "-c", &client]);
        wait_for("the card", GENEROUS, || {
            let screen = far_screen(&home);
            if screen.contains("open URL") { Ok(()) } else { Err(screen) }
        });
        terminal.type_bytes(b"u");
        match wanted {
            None => {
                let written = terminal.wait_written("a copy", |written| copied(written).is_some());
                assert_eq!(copied(&written), Some(url()), "{lines}");
            }
            Some(words) => {
                // mosh draws only what differs, so the words are read from the screen that it was given.
                wait_for("what to set", GENEROUS, || {
                    let screen = far_screen(&home);
                    if screen.contains(words) { Ok(()) } else { Err(screen) }
                });
                assert_eq!(copied(&terminal.wait_written("a screen", |written| !written.is_empty())), None);
            }
        }
        kill_tmux(&home, "far");
    }
}

#[test]
fn the_file_is_what_was_chosen() {
    if !peer::has("the_file_is_what_was_chosen", &["tmux"]) {
        return;
    }
    let home = Home::new();
    home.write_config("[clipboard]\nway = \"file\"\n");
    let deck = Deck::start(&home, &words(&login(&home)));
    deck.wait_state(State::OpenUrl);
    deck.press(&["u"]);
    let file = home.runtime().join("authdeck/clipboard");
    let text = wait_for("the file", GENEROUS, || fs::read_to_string(&file).map_err(|_| deck.screen()));
    assert_eq!(text, url());
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    deck.wait_text("/clipboard");
    assert_eq!(deck.clipboard(), None, "it went nowhere else");
}

#[test]
fn the_desktop_gets_it_and_gives_it_back() {
    if !peer::has("the_desktop_gets_it_and_gives_it_back", &["tmux", "Xvfb", "xclip"]) {
        return;
    }
    let home = Home::new();
    let (display, mut server) = virtual_desktop(&home);
    let home = home.with("DISPLAY", &display);
    home.write_config("[clipboard]\nway = \"desktop\"\n");
    let deck = Deck::start(&home, &words(&login(&home)));
    deck.wait_state(State::OpenUrl);
    deck.press(&["u"]);
    deck.wait_text("desktop");
    let got = home.command("xclip").args(["-selection", "clipboard", "-o"]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&got.stdout), url());
    drop(deck);
    server.kill().unwrap();
    server.wait().unwrap();
}

/// An X server without a screen; it chooses its own number.
fn virtual_desktop(home: &Home) -> (String, std::process::Child) {
    let number = home.work().join("display");
    let mut server = home
        .command("sh")
        .args(["-c", "exec Xvfb -displayfd 3 -nolisten tcp 3>display 2>/dev/null"])
        .spawn()
        .unwrap();
    let number = wait_for("the X server", GENEROUS, || {
        let text = fs::read_to_string(&number).unwrap_or_default();
        if text.ends_with('\n') {
            Ok(text.trim().to_owned())
        } else {
            Err(format!("{:?}", server.try_wait()))
        }
    });
    (format!(":{number}"), server)
}

#[test]
fn the_browser_is_given_the_url_as_one_argument() {
    if !peer::has("the_browser_is_given_the_url_as_one_argument", &["tmux"]) {
        return;
    }
    let home = Home::new();
    let opened = home.work().join("opened");
    let browser = home
        .write_script("work/browser", &format!("#!/bin/sh\nprintf '%s|' \"$@\" > {}\n", opened.display()));
    let home = home.with("DISPLAY", ":99").with("BROWSER", browser.to_string_lossy());
    let deck = Deck::start(&home, &words(&login(&home)));
    deck.wait_state(State::OpenUrl);
    deck.press(&["o"]);
    let text = wait_for("the browser", GENEROUS, || fs::read_to_string(&opened).map_err(|_| deck.screen()));
    assert_eq!(text, format!("{}|", url()));
    deck.wait_text("Handed to");
}

#[test]
fn no_browser_is_started_where_nobody_would_see_it() {
    if !peer::has("no_browser_is_started_where_nobody_would_see_it", &["tmux"]) {
        return;
    }
    let home = Home::new().with("SSH_CONNECTION", "192.0.2.1 1 192.0.2.2 22").with("DISPLAY", "localhost:10");
    let deck = Deck::start(&home, &words(&login(&home)));
    deck.wait_state(State::OpenUrl);
    deck.press(&["o"]);
    deck.wait_text("over SSH");
}

/// An event of the mouse in SGR form (xterm's control sequences, "SGR Mouse Mode"): button, column and row from 1.
fn mouse(deck: &Deck<'_>, button: u8, column: usize, row: usize, press: bool) {
    let sequence = format!("\x1b[<{button};{column};{row}{}", if press { 'M' } else { 'm' });
    let bytes: Vec<String> = sequence.bytes().map(|byte| format!("{byte:02x}")).collect();
    let arguments =
        [&["send-keys", "-t", ":0", "-H"], &bytes.iter().map(String::as_str).collect::<Vec<_>>()[..]];
    deck.run(&arguments.concat());
}

fn place_of(screen: &str, text: &str) -> (usize, usize) {
    let found = screen.lines().enumerate().find_map(|(row, line)| Some((row, line.find(text)?, line)));
    let (row, at, line) = found.unwrap_or_else(|| panic!("`{text}` is not on the screen:\n{screen}"));
    (line[..at].chars().count() + 1, row + 1)
}

#[test]
fn the_mouse_clicks_keys_selects_and_scrolls() {
    if !peer::has("the_mouse_clicks_keys_selects_and_scrolls", &["tmux"]) {
        return;
    }
    let home = Home::new();
    let script = format!(
        "i=0; while [ $i -lt 200 ]; do echo row-$i-; i=$((i + 1)); done; echo 'Open this URL to log in:'; echo '{}'; sleep 1000",
        url()
    );
    home.write_file("work/login.sh", &script);
    let deck = Deck::start(&home, &["run", "--", "sh", "login.sh"]);
    let screen = deck.wait_state(State::OpenUrl);

    let (column, row) = place_of(&screen, "copy URL");
    deck.forget_clipboard();
    mouse(&deck, 0, column, row, true);
    mouse(&deck, 0, column, row, false);
    assert_eq!(deck.wait_clipboard("the URL", |_| true), url());

    let (column, row) = (60, 26);
    assert!(!deck.screen().contains("row-150-"), "it has scrolled away");
    wait_for("the history", GENEROUS, || {
        mouse(&deck, 64, column, row, true);
        let screen = deck.screen();
        if screen.contains("row-150-") { Ok(()) } else { Err(screen) }
    });
    wait_for("the live screen again", GENEROUS, || {
        mouse(&deck, 65, column, row, true);
        let screen = deck.screen();
        if screen.contains("row-150-") { Err(screen) } else { Ok(()) }
    });
}
