//! `authdeck doctor`: looks at what logins on this machine depend on, and says for each what to do about it.

use std::ffi::OsStr;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Serialize;

use super::supervisor;
use crate::cli::Doctor;
use crate::config;
use crate::config::catalogue::Catalogue;
use crate::core::visible::TerminalText;
use crate::driver::paths;
use crate::error::{Error, Kind};
use crate::os::paths::find_program;
use crate::os::ports::port_holder;
use crate::output;
use crate::tui::clipboard::ladder;
use crate::tui::surroundings::Surroundings;

/// Ports that a provider's CLI opens for the browser's redirect and cannot choose freely (CLIs of 2026), with its name.
const CALLBACK_PORTS: [(u16, &str); 6] = [
    (1455, "codex"),
    (8020, "the CLI with the fixed port 8020"),
    (8085, "gcloud"),
    (8976, "wrangler"),
    (9005, "firebase"),
    (53682, "rclone"),
];

/// How it stands with something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Health {
    /// As it should be.
    Good,
    /// It works, and could be better.
    Note,
    /// Logins will suffer from it.
    Bad,
}

/// What was found out about one thing.
#[derive(Debug, Serialize)]
struct Finding {
    about: &'static str,
    health: Health,
    text: String,
    /// What to do.
    fix: Option<String>,
}

impl Finding {
    fn new(about: &'static str, health: Health, text: impl Into<String>) -> Self {
        Self { about, health, text: text.into(), fix: None }
    }

    fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }
}

/// Prints what was found out.
///
/// # Errors
/// Something was found that logins will suffer from; or standard output is closed.
pub fn run(options: &Doctor) -> Result<(), Error> {
    let findings = examine();
    let text = if options.json {
        TerminalText::indented_json(&findings).expect("invariant: a finding has text keys only").ended()
    } else {
        TerminalText::lines(&findings.iter().map(lines).collect::<String>())
    };
    output::print(&text)
        .map_err(|error| Error::new(Kind::Failed, "the findings could not be printed").because(error))?;
    match findings.iter().filter(|finding| finding.health == Health::Bad).count() {
        0 => Ok(()),
        1 => Err(Error::new(Kind::Failed, "one thing needs mending")),
        count => Err(Error::new(Kind::Failed, format!("{count} things need mending"))),
    }
}

fn lines(finding: &Finding) -> String {
    let sign = match finding.health {
        Health::Good => "ok  ",
        Health::Note => "note",
        Health::Bad => "BAD ",
    };
    let fix = finding.fix.as_ref().map(|fix| format!("\n      {fix}")).unwrap_or_default();
    format!("{sign}  {}: {}{fix}\n", finding.about, finding.text)
}

fn examine() -> Vec<Finding> {
    let surroundings = Surroundings::read(|name| std::env::var(name).ok());
    let mut findings = vec![version(), place()];
    findings.extend(variable());
    findings.push(settings());
    findings.push(login_manager());
    findings.push(terminal(&surroundings));
    findings.extend(surroundings.tmux.then(tmux));
    findings.push(providers());
    findings.extend(ports());
    findings.push(clock());
    findings
}

fn version() -> Finding {
    let about = "supervisor";
    let running = super::current_thread_runtime().and_then(|runtime| {
        runtime.block_on(async {
            let Some((client, _events)) = supervisor::connect_running().await? else { return Ok(None) };
            client.hello(None, None).await.map(|welcome| Some(welcome.program)).map_err(supervisor::unusable)
        })
    });
    match running {
        Ok(None) => Finding::new(about, Health::Good, "none runs; the first login starts one"),
        Ok(Some(program)) => Finding::new(about, Health::Good, format!("{program} runs")),
        Err(error) => Finding::new(about, Health::Bad, error.to_string())
            .fix("`authdeck upgrade` replaces it, `authdeck stop` ends it; its logins go on"),
    }
}

fn place() -> Finding {
    let about = "its folder";
    let socket = paths::supervisor_socket();
    let folder = socket.parent().unwrap_or(&socket);
    let shown = folder.display();
    let Ok(metadata) = std::fs::symlink_metadata(folder) else {
        return Finding::new(about, Health::Good, format!("{shown} is made with the first login"));
    };
    let own = metadata.uid() == rustix::process::geteuid().as_raw();
    if metadata.is_dir() && own && metadata.permissions().mode() & 0o077 == 0 {
        return Finding::new(about, Health::Good, format!("{shown} is yours alone"));
    }
    Finding::new(about, Health::Bad, format!("{shown} could be read or changed by others"))
        .fix(format!("remove it, or: chown $(id -u) {shown} && chmod 700 {shown}"))
}

fn variable() -> Option<Finding> {
    paths::ineffective_runtime_variable().map(|text| Finding::new("environment", Health::Note, text))
}

fn settings() -> Finding {
    let messages = config::load().messages;
    if messages.is_empty() {
        return Finding::new("settings", Health::Good, "sound");
    }
    Finding::new("settings", Health::Bad, messages.join(" ")).fix("`authdeck config edit` opens the file")
}

/// Whether logins outlive the end of the person's login session.
fn login_manager() -> Finding {
    let about = "logging out";
    let property = |arguments: &[&str]| answer_of("loginctl", arguments).map(|value| value == "yes");
    let kills = property(&["show", "--property=KillUserProcesses", "--value"]);
    let user = rustix::process::getuid().as_raw().to_string();
    let lingers = property(&["show-user", &user, "--property=Linger", "--value"]);
    match (kills, lingers) {
        (Some(true), Some(true)) => Finding::new(about, Health::Good, "what runs goes on: you linger"),
        (Some(true), _) => Finding::new(about, Health::Bad, "ends everything that you run, logins too")
            .fix("loginctl enable-linger"),
        (Some(false), _) => Finding::new(about, Health::Good, "ends nothing that you run"),
        (None, _) => Finding::new(about, Health::Good, "no systemd-logind answers here, so it ends nothing"),
    }
}

fn terminal(surroundings: &Surroundings) -> Finding {
    let about = "terminal";
    if !output::is_terminal() {
        return Finding::new(about, Health::Note, "standard output is none, so nothing is known of yours");
    }
    let ways = ladder(surroundings, config::load().settings.clipboard);
    let ways: Vec<String> = ways.iter().map(|way| format!("{way:?}").to_lowercase()).collect();
    let text = format!("{:?} colours; copies by {}", surroundings.colours, ways.join(", then "));
    if surroundings.unicode {
        Finding::new(about, Health::Good, text)
    } else {
        Finding::new(about, Health::Note, format!("{text}; the locale is not UTF-8, so only ASCII is drawn"))
            .fix("export LC_CTYPE=C.UTF-8")
    }
}

fn tmux() -> Finding {
    let about = "tmux";
    match answer_of("tmux", &["show", "-sv", "set-clipboard"]).as_deref() {
        Some("on") | Some("external") => {
            Finding::new(about, Health::Good, "passes what is copied on to your terminal")
        }
        Some(_) => Finding::new(about, Health::Bad, "keeps what is copied to itself: set-clipboard is off")
            .fix("tmux set -s set-clipboard on"),
        None => Finding::new(about, Health::Note, "it does not answer"),
    }
}

fn providers() -> Finding {
    let folder = config::folder(|name| std::env::var_os(name)).map(|folder| folder.join("providers"));
    let (catalogue, messages) = Catalogue::load(folder.as_deref());
    let path = std::env::var_os("PATH");
    let installed: Vec<String> = catalogue
        .all()
        .filter(|provider| is_installed(provider.command.first(), path.as_deref()))
        .map(|provider| provider.id.to_string())
        .collect();
    let about = "providers";
    if !messages.is_empty() {
        return Finding::new(about, Health::Bad, messages.join(" "));
    }
    if installed.is_empty() {
        return Finding::new(about, Health::Note, "no CLI of the catalogue is on the PATH")
            .fix("`authdeck providers` says how each is installed; `authdeck run -- CMD` takes any command");
    }
    Finding::new(about, Health::Good, format!("installed: {}", installed.join(", ")))
}

fn is_installed(program: Option<&String>, path: Option<&OsStr>) -> bool {
    program.is_some_and(|program| find_program(program, path, Path::new("/")).is_ok())
}

/// Fixed ports of callbacks that somebody holds.
fn ports() -> Vec<Finding> {
    let taken = CALLBACK_PORTS.iter().filter_map(|(port, name)| {
        let bound = std::net::TcpListener::bind(("127.0.0.1", *port)).is_err();
        bound.then(|| {
            let holder = port_holder(*port).unwrap_or_else(|| "a process that is not yours to see".into());
            Finding::new("callback port", Health::Note, format!("{port} is held by {holder}"))
                .fix(format!("{name} cannot log in by a callback until that ends"))
        })
    });
    let taken: Vec<Finding> = taken.collect();
    if taken.is_empty() {
        return vec![Finding::new("callback ports", Health::Good, "the fixed ones are free")];
    }
    taken
}

/// A token that is not yet valid, or no longer, is often a clock that is wrong.
fn clock() -> Finding {
    let about = "clock";
    match answer_of("timedatectl", &["show", "--property=NTPSynchronized", "--value"]).as_deref() {
        Some("yes") => Finding::new(about, Health::Good, "kept by a time server"),
        Some(_) => {
            Finding::new(about, Health::Note, "no time server keeps it; issuers refuse what is minutes off")
                .fix("timedatectl set-ntp true")
        }
        None => Finding::new(about, Health::Note, "nothing here says whether it is right")
            .fix("compare `date -u` with another machine"),
    }
}

/// The first line that a program prints; absent if it fails or is not there.
fn answer_of(program: &str, arguments: &[&str]) -> Option<String> {
    let path: PathBuf = find_program(program, std::env::var_os("PATH").as_deref(), Path::new("/")).ok()?;
    let output = Command::new(path).args(arguments).stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().next().unwrap_or_default().trim().to_owned();
    (output.status.success() && !line.is_empty()).then_some(line)
}
