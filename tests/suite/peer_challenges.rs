//! `ssh` and `git` inside a session ask in the deck, and the answer that a person types reaches them.

use super::common::deck::{Deck, State};
use super::common::env::Home;
use super::common::peer;
use super::common::servers::{GitServer, SshServer};

#[test]
fn ssh_asks_its_passphrase_in_the_deck() {
    let test = "ssh_asks_its_passphrase_in_the_deck";
    if !peer::has(test, &[&["tmux"][..], &SshServer::NEEDS].concat()) {
        return;
    }
    let home = Home::new();
    let server = SshServer::start(&home);
    let login = server.login("echo remote-$((20 + 3))");
    let login: Vec<&str> = ["run", "--"].into_iter().chain(login.iter().map(String::as_str)).collect();
    let deck = Deck::start(&home, &login);

    deck.wait_text("Enter passphrase for key");
    let screen = deck.answer_challenge("keypass");
    assert!(!screen.contains("keypass"), "what is typed is masked: {screen}");
    deck.wait_text("remote-23");
    deck.wait_state(State::Ended);
}

#[test]
fn a_refused_passphrase_ends_ssh_and_not_the_deck() {
    let test = "a_refused_passphrase_ends_ssh_and_not_the_deck";
    if !peer::has(test, &[&["tmux"][..], &SshServer::NEEDS].concat()) {
        return;
    }
    let home = Home::new();
    let server = SshServer::start(&home);
    let login = server.login("echo never");
    let login: Vec<&str> = ["run", "--"].into_iter().chain(login.iter().map(String::as_str)).collect();
    let deck = Deck::start(&home, &login);

    deck.wait_text("Enter passphrase for key");
    deck.select_challenge();
    deck.press(&["x"]);
    deck.wait_text("y refuse");
    deck.press(&["y"]);
    deck.wait_state(State::Failed);
    assert!(!deck.is_over());
}

#[test]
fn git_asks_user_and_password_in_the_deck() {
    let test = "git_asks_user_and_password_in_the_deck";
    if !peer::has(test, &[&["tmux"][..], &GitServer::NEEDS].concat()) {
        return;
    }
    let home = Home::new();
    let server = GitServer::start(&home);
    let deck = Deck::start(&home, &["run", "--", "git", "clone", &server.url(), "copy"]);

    deck.wait_text("Username for");
    let screen = deck.answer_challenge("alice");
    assert!(screen.contains("alice"), "a user name is no secret: {screen}");
    deck.wait_text("Password for");
    let screen = deck.answer_challenge("s3cret");
    assert!(!screen.contains("s3cret"), "a password is: {screen}");
    deck.wait_state(State::Ended);
    assert_eq!(std::fs::read_to_string(home.work().join("copy/proof.txt")).unwrap(), "cloned\n");
}
