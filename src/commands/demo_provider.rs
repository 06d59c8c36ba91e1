//! `authdeck demo-provider PART`: plays a provider's CLI, so that a person without one can try everything.
//!
//! It is an ordinary child: it prints, listens and reads as real ones do, and knows nothing of authdeck.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::sync::mpsc::{self, Sender};
use std::time::Duration;

use url::Url;
use uuid::Uuid;

use super::demo::FOLDER_VARIABLE;
use crate::cli::DemoPart;
use crate::core::visible::TerminalText;
use crate::os::own_process;
use crate::output;

/// Who is logged in at the end.
const IDENTITY: &str = "demo@example.com";

/// After this long somebody has approved the device code on the page that does not exist.
const APPROVED_AFTER: Duration = Duration::from_secs(20);

/// How long the loopback part waits.
const CALLBACK_LIMIT: Duration = Duration::from_secs(600);

/// The longest request that the loopback listener reads, in bytes.
const LONGEST_REQUEST: u64 = 8192;

/// Ignores every polite signal and has a child that does so too, for an hour at the most.
const HANG: &str = "trap '' TERM INT HUP QUIT TSTP
echo 'Contacting the login server...'
(trap '' TERM INT HUP QUIT TSTP; sleep 3600) &
sleep 3600";

/// Plays a part.
pub fn main(part: DemoPart) -> ExitCode {
    let played = match part {
        DemoPart::Device => device(),
        DemoPart::Loopback => loopback(),
        DemoPart::Hang => {
            Err(own_process::give_back_limits(Command::new("/bin/sh").args(["-c", HANG])).exec())
        }
        DemoPart::Check => check(),
    };
    played.unwrap_or_else(|error| {
        // A provider's CLI whose terminal is gone has nobody to tell.
        output::complain(&TerminalText::line(&format!("Error: {error}")).ended());
        ExitCode::FAILURE
    })
}

fn say(text: &str) -> std::io::Result<()> {
    output::print(&TerminalText::lines(text))
}

fn device() -> std::io::Result<ExitCode> {
    let random = Uuid::new_v4().simple().to_string().to_uppercase();
    say(&format!(
        "! First copy your one-time code: {}-{}\n\
         Open https://demo.authdeck.example/device and type it in there.\n\
         (There is no such page: press Enter, or wait {} s, and it counts as approved.)\n",
        &random[..4],
        &random[4..8],
        APPROVED_AFTER.as_secs()
    ))?;
    let (approve, approved) = mpsc::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        if std::io::stdin().lock().read_line(&mut line).is_ok_and(|length| length > 0) {
            // The wait may be over already.
            let _ = approve.send(());
        }
        std::thread::sleep(APPROVED_AFTER);
    });
    // Enter or the end of the wait: either way it is approved.
    let _ = approved.recv_timeout(APPROVED_AFTER);
    succeed()
}

/// What came to the loopback part, by whichever way.
struct Callback {
    /// The query, or a bare code.
    text: String,
    /// The browser's connection, which wants an answer.
    browser: Option<TcpStream>,
}

fn loopback() -> std::io::Result<ExitCode> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let port = listener.local_addr()?.port();
    let state = Uuid::new_v4().simple().to_string();
    let challenge = format!("{}{}", Uuid::new_v4().simple(), &Uuid::new_v4().simple().to_string()[..11]);
    say(&format!(
        "If your browser did not open, navigate to this URL to authenticate:\n\n\
         https://demo.authdeck.example/authorize?response_type=code&client_id=authdeck-demo\
         &redirect_uri=http%3A%2F%2F127.0.0.1%3A{port}%2Fcallback&scope=openid%20profile&state={state}\
         &code_challenge={challenge}&code_challenge_method=S256\n\n\
         (There is no such page. Pretend that it showed you the code demo-code-1234, and paste that.)\n\
         Paste the code here if prompted > "
    ))?;
    let (callbacks, received) = mpsc::channel();
    let typed = callbacks.clone();
    std::thread::spawn(move || read_lines(&typed));
    std::thread::spawn(move || accept(&listener, &callbacks));
    let deadline = std::time::Instant::now() + CALLBACK_LIMIT;
    while let Ok(callback) =
        received.recv_timeout(deadline.saturating_duration_since(std::time::Instant::now()))
    {
        match judge(&callback.text, &state) {
            Verdict::Accepted => {
                answer(callback.browser, "200 OK", "You are logged in. You may close this page.")?;
                say("\n")?;
                return succeed();
            }
            Verdict::Denied(reason) => {
                answer(callback.browser, "400 Bad Request", "The login was denied.")?;
                say(&format!("\nError logging in: {reason}\n"))?;
                return Ok(ExitCode::FAILURE);
            }
            Verdict::Foreign => {
                answer(callback.browser, "400 Bad Request", "This does not belong to this login.")?;
                say("\nThat does not belong to this login.\nPaste the code here if prompted > ")?;
            }
        }
    }
    say("\nError logging in: nobody came back from the browser\n")?;
    Ok(ExitCode::FAILURE)
}

fn read_lines(callbacks: &Sender<Callback>) {
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        let text = line.trim().to_owned();
        if !text.is_empty() && callbacks.send(Callback { text, browser: None }).is_err() {
            return;
        }
    }
}

fn accept(listener: &TcpListener, callbacks: &Sender<Callback>) {
    for mut browser in listener.incoming().map_while(Result::ok) {
        let mut first = String::new();
        let limit = browser.set_read_timeout(Some(Duration::from_secs(5)));
        let read = BufReader::new((&mut browser).take(LONGEST_REQUEST)).read_line(&mut first);
        let target = first.split(' ').nth(1).unwrap_or_default();
        if limit.is_err() || read.is_err() || !target.starts_with("/callback?") {
            // The browser may be gone already.
            let _ = answer(Some(browser), "404 Not Found", "There is nothing here.");
            continue;
        }
        let text = format!("http://127.0.0.1{target}");
        if callbacks.send(Callback { text, browser: Some(browser) }).is_err() {
            return;
        }
    }
}

fn answer(browser: Option<TcpStream>, status: &str, text: &str) -> std::io::Result<()> {
    let Some(mut browser) = browser else { return Ok(()) };
    let length = text.len();
    write!(
        browser,
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{text}"
    )
}

/// What a callback is worth.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Accepted,
    Denied(String),
    Foreign,
}

/// The state is looked at before anything else: without the right one, not even an error counts.
fn judge(text: &str, state: &str) -> Verdict {
    let Ok(url) = Url::parse(text) else {
        return if text.starts_with("demo-code") { Verdict::Accepted } else { Verdict::Foreign };
    };
    let value =
        |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    if value("state").as_deref() != Some(state) {
        return Verdict::Foreign;
    }
    match (value("error"), value("code")) {
        (Some(error), _) => Verdict::Denied(error),
        (None, Some(_)) => Verdict::Accepted,
        (None, None) => Verdict::Foreign,
    }
}

fn remembered() -> Option<PathBuf> {
    std::env::var_os(FOLDER_VARIABLE).map(|folder| PathBuf::from(folder).join("logged-in"))
}

fn succeed() -> std::io::Result<ExitCode> {
    if let Some(file) = remembered() {
        std::fs::write(file, IDENTITY)?;
    }
    say(&format!("Successfully logged in as {IDENTITY}\n"))?;
    Ok(ExitCode::SUCCESS)
}

fn check() -> std::io::Result<ExitCode> {
    match remembered().and_then(|file| std::fs::read_to_string(file).ok()) {
        Some(identity) => {
            say(&format!("Logged in as {identity}\n"))?;
            Ok(ExitCode::SUCCESS)
        }
        None => {
            say("Not logged in\n")?;
            Ok(ExitCode::FAILURE)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_belongs_to_this_login_counts() {
        let judged = |query: &str| judge(&format!("http://127.0.0.1:9/callback?{query}"), "s1");
        assert_eq!(judged("code=c&state=s1"), Verdict::Accepted);
        assert_eq!(judged("code=c&state=s2"), Verdict::Foreign);
        assert_eq!(judged("code=c"), Verdict::Foreign);
        assert_eq!(judged("error=access_denied&state=s1"), Verdict::Denied("access_denied".into()));
        assert_eq!(judged("error=access_denied"), Verdict::Foreign);
        assert_eq!(judge("demo-code-1234", "s1"), Verdict::Accepted);
        assert_eq!(judge("something else", "s1"), Verdict::Foreign);
    }
}
