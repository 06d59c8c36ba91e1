//! Several hosts in one deck. ssh itself is played by a script, for which each host is a home on this machine; what the
//! real one does is tried in `peer_ssh`.

use std::net::TcpListener;
use std::path::Path;

use super::common::deck::{Deck, State};
use super::common::env::{AUTHDECK, Home};
use super::common::peer;
use super::common::process;
use super::common::pty::Pty;
use super::common::wait::{GENEROUS, wait_for};

/// `down` refuses, `bare` has no authdeck, `old` has one that knows no proxy, every other host has this one.
const SSH: &str = r#"#!/bin/sh
case "$*" in *"-o BatchMode=yes"*) batch=1 ;; esac
while [ "$1" != -- ]; do shift; done
host=$2 command=$3 root=$(dirname "$0")/hosts/$2
[ "$host" != down ] || { echo "ssh: connect to host down port 22: Connection refused" >&2; exit 255; }
[ "$host$batch" != asks1 ] || { echo "asks: Permission denied (publickey,password)." >&2; exit 255; }
[ "$host$batch" != hostile1 ] || { echo "hostile: Permission denied (publickey,password)." >&2; exit 255; }
if [ "$host" = hostile ]; then
  printf '\033]52;c;aWQ=\007\033[2Jbanner of the host\n' >&2
  (for try in $(seq 100); do printf '\033]52;c;aWQ=\007\2332Jwords under the deck\n' >&2; sleep 0.1; done) </dev/null >/dev/null &
fi
mkdir -p -m 700 "$root/run" "$root/bin"
PATH=/usr/bin:/bin
case $host in
  bare) ;;
  old) PATH=$root/bin:$PATH
       printf '#!/bin/sh\necho "error: unrecognized subcommand '"'proxy'"'" >&2; exit 2\n' >"$root/bin/authdeck"
       chmod 755 "$root/bin/authdeck" ;;
  *) PATH=AUTHDECK_FOLDER:$PATH ;;
esac
export PATH HOME="$root" XDG_RUNTIME_DIR="$root/run" AUTHDECK_RUNTIME_DIR="$root/run/authdeck"
echo "motd of $host, printed by a careless shell"
exec sh -c "$command"
"#;

const URL: &str = "https://login.example.com/oauth/authorize?client_id=1&response_type=code&state=s1";

/// A laptop from which these hosts are reached.
struct Laptop {
    home: Home,
}

impl Laptop {
    fn new() -> Self {
        let home = Home::new();
        let folder = Path::new(AUTHDECK).parent().unwrap().display().to_string();
        home.write_script("ssh/ssh", &SSH.replace("AUTHDECK_FOLDER", &folder));
        Self { home }
    }

    fn ssh(&self) -> String {
        self.home.path().join("ssh/ssh").display().to_string()
    }

    /// The deck over some hosts, 120 columns wide.
    fn deck(&self, arguments: &[&str]) -> Deck<'_> {
        let ssh = self.ssh();
        let arguments = [&["ssh", "--ssh", &ssh], arguments].concat();
        let terminal = super::common::tmux::Terminal { columns: 120, ..Default::default() };
        Deck::start_in(&self.home, &terminal, &arguments)
    }

    /// Runs authdeck on a host, and returns what it printed.
    fn on(&self, host: &str, arguments: &str) -> String {
        let command = format!("authdeck {arguments}");
        let output = self.home.command(self.ssh()).args(["--", host, &command]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }
}

/// Leaves the dialog of this title. Another key that comes too soon after Escape would be one with Alt.
fn close(deck: &Deck<'_>, title: &str) {
    deck.press(&["Escape"]);
    deck.wait("the dialog is closed", |screen| !screen.contains(title));
}

#[test]
fn several_hosts_are_one_list_and_one_that_fails_says_why() {
    if !peer::has("several_hosts_are_one_list_and_one_that_fails_says_why", &["tmux"]) {
        return;
    }
    let laptop = Laptop::new();
    for host in ["alpha", "beta"] {
        laptop.on(host, &format!("run --detach --name on-{host} -- sh -c 'echo \"Open {URL}\"; read line'"));
    }
    let deck = laptop.deck(&["alpha", "down", "beta"]);
    let screen = deck.wait("both hosts' sessions", |screen| {
        let listed = |host: &str| {
            screen.lines().any(|line| line.contains(host) && line.contains(&format!("on-{host}")))
        };
        listed("alpha") && listed("beta")
    });
    assert!(screen.contains("down (not reached)"), "{screen}");
    deck.press(&["m"]);
    deck.wait_text("down is not reached: ssh: connect to host down port 22: Connection refused");
    close(&deck, "Messages, the newest first");

    // What is done goes to the host that it is done on.
    deck.press(&["G"]);
    deck.wait_text("on beta");
    deck.kill();
    deck.wait_state(State::Killed);
    assert!(laptop.on("beta", "sessions").contains("cancelled by user"));
    assert!(!laptop.on("alpha", "sessions").contains("cancelled by user"));

    // The next login starts where the person says.
    deck.press(&["H"]);
    deck.wait_text("The next login starts on alpha.");
    deck.press(&["n"]);
    deck.wait_text("Start a login on alpha");
    close(&deck, "Start a login on alpha");

    // A connection that breaks is made again.
    let proxies =
        laptop.home.processes().into_iter().filter(|process| process.command.contains("authdeck proxy"));
    for proxy in proxies {
        process::signal(proxy.id, "KILL");
    }
    deck.wait_text("reached again");
    deck.wait("only the host that is down is not reached", |screen| {
        screen.matches("not reached").count() == 1
    });
}

#[test]
fn where_authdeck_is_missing_or_older_it_is_copied_if_the_person_says_yes() {
    if !peer::has("where_authdeck_is_missing_or_older_it_is_copied_if_the_person_says_yes", &["tmux"]) {
        return;
    }
    let laptop = Laptop::new();
    let copied = |host: &str| laptop.home.path().join("ssh/hosts").join(host).join(".local/bin/authdeck");
    let deck = laptop.deck(&["bare"]);
    deck.wait_text("There is no authdeck on bare. Copy this one");
    deck.press(&["n", "Enter"]);
    deck.wait_over();
    assert!(deck.screen().contains("the host is not reached"), "{}", deck.screen());
    assert!(!copied("bare").exists());
    drop(deck);

    let deck = laptop.deck(&["bare", "old"]);
    deck.wait_text("There is no authdeck on bare. Copy this one");
    deck.press(&["y", "Enter"]);
    deck.wait_text("There is an older authdeck on old. Copy this one");
    deck.press(&["y", "Enter"]);
    deck.wait_text("No sessions");
    for host in ["bare", "old"] {
        assert_eq!(std::fs::read(copied(host)).unwrap(), std::fs::read(AUTHDECK).unwrap());
    }
    assert!(!deck.screen().contains("not reached"), "{}", deck.screen());
}

#[test]
fn ssh_may_ask_before_the_deck_opens() {
    if !peer::has("ssh_may_ask_before_the_deck_opens", &["tmux"]) {
        return;
    }
    let laptop = Laptop::new();
    let deck = laptop.deck(&["asks"]);
    deck.wait_text("No sessions");
}

#[test]
fn what_a_host_says_through_ssh_is_a_message_and_acts_on_no_terminal() {
    let laptop = Laptop::new();
    let terminal = Pty::start(&laptop.home, true, &[AUTHDECK, "ssh", "--ssh", &laptop.ssh(), "hostile"]);
    let written = terminal.wait_written("what ssh says, as a message", |written| {
        written.contains("banner of the host") && written.contains("words under the deck")
    });
    assert!(!written.contains("\u{1b}]52") && !written.contains("aWQ=\u{7}"), "{written:?}");
    assert!(written.contains("<U+001B>]52;c;aWQ=<U+0007>"), "{written:?}");
}

#[test]
fn a_port_that_is_taken_here_is_told_with_its_holder() {
    if !peer::has("a_port_that_is_taken_here_is_told_with_its_holder", &["tmux"]) {
        return;
    }
    let laptop = Laptop::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let url = format!(
        "https://login.example.com/authorize?client_id=1&state=s1&redirect_uri=http%3A%2F%2Flocalhost%3A{port}%2Fcb"
    );
    laptop.on("alpha", &format!("run --detach -- sh -c 'echo \"Open {url}\"; read line'"));
    let deck = laptop.deck(&["alpha"]);
    deck.wait_text(&format!("Port {port} is taken here by "));
    deck.wait_text(&format!("(process {})", std::process::id()));
}

#[test]
fn a_page_elsewhere_cannot_hand_in_a_callback_and_the_login_itself_can() {
    if !peer::has("a_page_elsewhere_cannot_hand_in_a_callback_and_the_login_itself_can", &["tmux", "curl"]) {
        return;
    }
    let laptop = Laptop::new();
    let port = super::common::servers::free_port();
    let url = format!(
        "https://login.example.com/authorize?client_id=1&response_type=code&state=s1&redirect_uri=http%3A%2F%2Flocalhost%3A{port}%2Fcb"
    );
    laptop.on("alpha", &format!("run --detach -- sh -c 'echo \"Open {url}\"; read line'"));
    let deck = laptop.deck(&["alpha"]);
    deck.wait_text(&format!("Waiting on port {port} here"));
    let asked = |arguments: &[&str], target: &str| {
        let mut command = laptop.home.command("curl");
        let output = command
            .args(["-s", "-o", "/dev/null", "-w", "%{http_code}", "-m", "20"])
            .args(arguments)
            .arg(format!("http://localhost:{port}{target}"))
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(asked(&["-H", &format!("Host: evil.example:{port}")], "/cb?code=c&state=s1"), "421");
    assert_eq!(asked(&["-X", "POST"], "/cb?code=c&state=s1"), "405");
    assert_eq!(asked(&[], "/cb?code=c&state=other"), "404");
    assert_eq!(asked(&["-4"], "/favicon.ico"), "404");
    if TcpListener::bind("[::1]:0").is_ok() {
        assert_eq!(asked(&["-6"], "/favicon.ico"), "404", "a browser may take localhost for either address");
    }
    // The host is this machine here: the port there is the deck's own, which is no process of that login.
    assert_eq!(asked(&["-4"], "/cb?code=c&state=s1"), "502");
    deck.wait_text("Nothing was sent");
    deck.kill();
    wait_for("the port is free again", GENEROUS, || {
        TcpListener::bind(("127.0.0.1", port))
            .map(drop)
            .map_err(|error| format!("{error}\n{}", deck.screen()))
    });
}
