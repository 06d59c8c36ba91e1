//! The peers themselves, without authdeck: if one of these fails, it is the peer and not the program.

use super::common::env::Home;
use super::common::peer;
use super::common::servers::{GitServer, OpenIdProvider, SshServer};
use super::common::vendor::Vendor;

#[test]
fn sshd_lets_the_key_in_and_asks_its_passphrase() {
    if !peer::has("sshd_lets_the_key_in_and_asks_its_passphrase", &SshServer::NEEDS) {
        return;
    }
    let home = Home::new();
    let server = SshServer::start(&home);
    let askpass = home.write_script("work/askpass", "#!/bin/sh\necho \"$1\" >> asked\necho keypass\n");
    let line = server.login("echo in");
    let mut command = home.command(&line[0]);
    command.args(&line[1..]).env("SSH_ASKPASS", askpass).env("SSH_ASKPASS_REQUIRE", "force");
    let output = command.output().unwrap();
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "in\n",
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        std::fs::read_to_string(home.work().join("asked")).unwrap().starts_with("Enter passphrase for key")
    );
}

#[test]
fn the_git_server_asks_for_user_and_password() {
    if !peer::has("the_git_server_asks_for_user_and_password", &GitServer::NEEDS) {
        return;
    }
    let home = Home::new();
    let server = GitServer::start(&home);
    let script = "#!/bin/sh\ncase $1 in Username*) echo alice;; *) echo s3cret;; esac\n";
    let askpass = home.write_script("work/askpass", script);
    let mut command = home.command("git");
    command
        .args(["clone", "-q", &server.url(), "copy"])
        .env("GIT_ASKPASS", askpass)
        .env("GIT_TERMINAL_PROMPT", "0");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(home.work().join("copy/proof.txt").is_file());
}

#[test]
fn the_openid_provider_answers_a_device_request() {
    if !peer::has("the_openid_provider_answers_a_device_request", &OpenIdProvider::NEEDS) {
        return;
    }
    let home = Home::new();
    let provider = OpenIdProvider::start(&home);
    let url = format!("{}/device/auth", provider.issuer());
    let mut command = home.command("curl");
    let output =
        command.args(["-sS", "-u", "authdeck-conf:sec", "-d", "scope=openid", &url]).output().unwrap();
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    provider.approve(&home, answer["user_code"].as_str().unwrap());
}

#[test]
fn the_vendor_shows_the_code_to_paste_and_says_where_the_browser_would_end() {
    if !peer::has("the_vendor_shows_the_code_to_paste_and_says_where_the_browser_would_end", &Vendor::NEEDS) {
        return;
    }
    let vendor = Vendor::up("self");
    let page = "https://claude.com/cai/oauth/authorize?redirect_uri=https%3A%2F%2Fplatform.claude.com%2Foauth%2Fcode%2Fcallback&state=abc";
    assert_eq!(vendor.code(page), "fake-auth-code#abc");
    let listener = "https://auth.openai.com/oauth/authorize?redirect_uri=http%3A%2F%2F127.0.0.1%3A1455%2Fauth%2Fcallback&state=abc";
    let url = vendor.callback(listener, &["state=wrong"]);
    assert_eq!(url, "http://127.0.0.1:1455/auth/callback?code=fake-auth-code&state=wrong");
}
