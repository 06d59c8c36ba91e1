//! `authdeck detect`: runs the detector on a recording or a text and prints what it found.
//!
//! This is how a missing provider is reported, and how the corpus is tested: nothing here differs from what a live
//! session does, except that the child is a file.

use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;

use crate::cli;
use crate::config;
use crate::config::catalogue::Catalogue;
use crate::core::asciicast::{self, EventKind};
use crate::core::detect::{Detector, replay};
use crate::core::finding::{Expects, Finding, FindingKind, Source, Verdict};
use crate::core::ids::ProviderId;
use crate::core::input::Found;
use crate::core::provider::Provider;
use crate::core::screen::{Screen, ScreenLimits, Size};
use crate::core::status::Status;
use crate::core::visible::TerminalText;
use crate::error::{Error, Kind};
use crate::output;

/// The largest file that is read, in bytes.
const LARGEST_FILE: u64 = 256 * 1024 * 1024;

/// The terminal that plain text is written to.
const DEFAULT_SIZE: Size = Size { columns: 80, rows: 24 };

/// What `--provider` takes for the generic rules alone.
const GENERIC: &str = "generic";

/// What was found, in the form that `--json` prints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The provider whose rules were used; none if only the generic ones were.
    pub provider: Option<ProviderId>,
    /// The width of the terminal.
    pub columns: u16,
    /// What was found, in order.
    pub findings: Vec<Finding>,
    /// Where the session stands after that (behaviour S2).
    pub status: Status,
}

/// Runs `authdeck detect`.
///
/// # Errors
/// [`Kind::Usage`] for an unknown provider, [`Kind::Input`] for a file that cannot be read or is not a recording.
pub fn run(arguments: &cli::Detect) -> Result<(), Error> {
    let bytes = read(&arguments.file)?;
    let folder = config::folder(|name| std::env::var_os(name)).map(|folder| folder.join("providers"));
    let (catalogue, messages) = Catalogue::load(folder.as_deref());
    for message in messages {
        // A mistake in a person's own file keeps nobody from using the others.
        output::warn(&message);
    }
    let recording = Input::of(&bytes).map_err(|error| {
        Error::new(Kind::Input, format!("{} is not a recording that can be read", arguments.file.display()))
            .because(error)
            .hint("asciicast v2 and v3 are read, and any other text as it is")
    })?;
    let provider = choose_provider(&catalogue, arguments.provider.as_deref(), recording.command.as_deref())?;
    let report = detect(&recording, provider.as_ref(), arguments.columns);
    let text = if arguments.json { json(&report) } else { human(&report) };
    output::print(&text)
        .map_err(|error| Error::new(Kind::Failed, "the findings cannot be written").because(error))
}

fn json(report: &Report) -> TerminalText {
    TerminalText::json(report).expect("invariant: a report has only text and numbers in it").ended()
}

fn read(file: &Path) -> Result<Vec<u8>, Error> {
    let cannot = |error: std::io::Error| {
        Error::new(Kind::Input, format!("{} cannot be read", file.display()))
            .because(error)
            .hint("give the path of a recording, or - to read standard input")
    };
    let mut bytes = Vec::new();
    let length = if file == Path::new("-") {
        std::io::stdin().lock().take(LARGEST_FILE + 1).read_to_end(&mut bytes).map_err(cannot)?
    } else {
        std::fs::File::open(file)
            .and_then(|file| file.take(LARGEST_FILE + 1).read_to_end(&mut bytes))
            .map_err(cannot)?
    };
    if length as u64 > LARGEST_FILE {
        return Err(Error::new(Kind::Input, format!("{} is too large", file.display()))
            .hint(format!("at most {} MiB are read", LARGEST_FILE / 1024 / 1024)));
    }
    Ok(bytes)
}

fn choose_provider(
    catalogue: &Catalogue,
    wanted: Option<&str>,
    command: Option<&str>,
) -> Result<Option<Arc<Provider>>, Error> {
    match wanted {
        Some(GENERIC) => Ok(None),
        Some(id) => match catalogue.get(id) {
            Some(provider) => Ok(Some(provider)),
            None => {
                let near = catalogue.suggestions(id);
                let error = Error::new(Kind::Usage, format!("there is no provider {id:?}"));
                Err(if near.is_empty() {
                    error.hint("`authdeck providers` lists them; `--provider generic` uses the general rules")
                } else {
                    error.hint(format!("did you mean {}?", near.join(", ")))
                })
            }
        },
        None => Ok(command.and_then(|command| catalogue.recognise(command))),
    }
}

/// What is fed to the detector.
#[derive(Clone, Debug)]
pub struct Input {
    /// The size of the terminal that it was made for.
    pub size: Size,
    /// The command that was recorded, if that is known.
    pub command: Option<String>,
    /// The pieces of output and the changes of size.
    pub pieces: Vec<Piece>,
}

/// One piece of a recording.
#[derive(Clone, Debug)]
pub enum Piece {
    /// Output.
    Output(Vec<u8>),
    /// The terminal got another size.
    Resize(Size),
}

impl Input {
    /// Reads a recording, or takes the bytes as plain text.
    ///
    /// # Errors
    /// The recording's line that is not right, and why.
    pub fn of(bytes: &[u8]) -> Result<Self, asciicast::AsciicastError> {
        let Some(recording) = asciicast::parse(bytes)? else { return Ok(Self::plain(bytes)) };
        let pieces = recording
            .events
            .into_iter()
            .filter_map(|event| match event.kind {
                EventKind::Output(text) => Some(Piece::Output(text.into_bytes())),
                EventKind::Input(_) => None,
                EventKind::Resize(size) => Some(Piece::Resize(size)),
            })
            .collect();
        Ok(Self { size: recording.header.size, command: recording.header.command, pieces })
    }

    /// Text as a terminal gets it: each line end is a carriage return and a newline.
    fn plain(bytes: &[u8]) -> Self {
        let mut text = Vec::with_capacity(bytes.len() + bytes.len() / 32);
        let mut before = 0;
        for byte in bytes {
            if *byte == b'\n' && before != b'\r' {
                text.push(b'\r');
            }
            text.push(*byte);
            before = *byte;
        }
        Self { size: DEFAULT_SIZE, command: None, pieces: vec![Piece::Output(text)] }
    }
}

/// Runs the detector over an input.
pub fn detect(input: &Input, provider: Option<&Arc<Provider>>, columns: Option<u16>) -> Report {
    let size = Size { columns: columns.unwrap_or(input.size.columns), ..input.size };
    let mut screen = Screen::new(size, ScreenLimits::default());
    let mut detector = Detector::new(provider.cloned());
    let mut found = Vec::new();
    for piece in &input.pieces {
        match piece {
            Piece::Output(bytes) => found.extend(detector.feed(&mut screen, bytes)),
            Piece::Resize(size) if columns.is_none() => screen.resize(*size),
            Piece::Resize(_) => {}
        }
        // Nobody asks for the answers here.
        drop(screen.take_replies());
    }
    found.extend(detector.finish(&mut screen));
    let status = replay::status(&found, provider.map(Arc::as_ref));
    Report {
        provider: provider.map(|provider| provider.id.clone()),
        columns: screen.size().columns,
        findings: findings(found),
        status,
    }
}

/// Each finding once. A URL that was first taken for one kind and then for another counts as the later one.
fn findings(found: Vec<Found>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    for Found { finding, .. } in found {
        let is_url = |kind| matches!(kind, FindingKind::AuthorizeUrl | FindingKind::VerificationUrl);
        let known = findings.iter_mut().find(|known| {
            known.text == finding.text
                && (known.kind == finding.kind || (is_url(known.kind) && is_url(finding.kind)))
        });
        match known {
            Some(known) => *known = finding,
            None => findings.push(finding),
        }
    }
    findings
}

fn human(report: &Report) -> TerminalText {
    let mut lines = Vec::new();
    for finding in &report.findings {
        let mut notes: Vec<String> = Vec::new();
        if let Some(verdict) = finding.verdict {
            let verdict = match verdict {
                Verdict::Expected => "expected host",
                Verdict::Unknown => "unknown host",
                Verdict::Suspicious => "suspicious",
            };
            notes.push(format!("{} ({verdict})", finding.host.as_deref().unwrap_or("no host")));
        }
        if let Some(expects) = finding.expects {
            notes.push(format!("expects {}", expects_name(expects)));
        }
        if let Some(identity) = &finding.identity {
            notes.push(format!("identity {identity}"));
        }
        match finding.source {
            Source::Screen => {}
            Source::Osc8 => notes.push("from a hyperlink".into()),
            Source::Browser => notes.push("from the browser".into()),
        }
        lines.push(format!("{:<17} {}", kind_name(finding.kind), finding.text));
        if !notes.is_empty() {
            lines.push(format!("{:<17} {}", "", notes.join(" · ")));
        }
    }
    if report.findings.is_empty() {
        lines.push("nothing about a login was found".to_owned());
    }
    let provider = report.provider.as_ref().map_or("none (general rules)", ProviderId::as_str);
    lines.push(format!("{:<17} {provider}", "provider"));
    lines.push(format!("{:<17} {}", "status", status_name(&report.status)));
    lines.iter().map(|line| TerminalText::line(line).ended()).collect()
}

fn kind_name(kind: FindingKind) -> &'static str {
    match kind {
        FindingKind::AuthorizeUrl => "authorize-url",
        FindingKind::VerificationUrl => "verification-url",
        FindingKind::DeviceCode => "device-code",
        FindingKind::Carry => "carry",
        FindingKind::Prompt => "prompt",
        FindingKind::Success => "success",
        FindingKind::Failure => "failure",
        FindingKind::Secret => "secret",
    }
}

fn expects_name(expects: Expects) -> &'static str {
    match expects {
        Expects::Code => "a code",
        Expects::CallbackUrl => "a callback URL",
        Expects::Enter => "Enter",
        Expects::Secret => "a secret",
        Expects::Choice => "a choice",
    }
}

fn status_name(status: &Status) -> &'static str {
    match status {
        Status::Pending => "pending",
        Status::UrlAvailable { .. } => "url-available",
        Status::CodeEmitted { .. } => "code-emitted",
        Status::Success { .. } => "success",
        Status::Failed { .. } => "failed",
    }
}
