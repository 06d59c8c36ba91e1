//! asciicast: reading recordings (version 2, and version 3 as newer recorders write it), writing version 2.
//!
//! Form: <https://docs.asciinema.org/manual/asciicast/v2/>. The first line is a header object, each further line an
//! event `[seconds, code, data]`.

use std::fmt::Write as _;

use serde::Deserialize;
use serde_json::Value;

use super::screen::{Size, incomplete_end};

/// Size of a recording that does not say it.
const DEFAULT_SIZE: Size = Size { columns: 80, rows: 24 };
/// Data in an error message, in characters.
const QUOTED: usize = 40;

/// Why a recording cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct AsciicastError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it and what would be right.
    pub problem: String,
}

/// What a recording says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Size of the terminal at the start.
    pub size: Size,
    /// When it was made, in seconds since the Unix epoch.
    pub timestamp: Option<u64>,
    /// A title.
    pub title: Option<String>,
    /// The command that was recorded.
    pub command: Option<String>,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// The child wrote this.
    Output(String),
    /// The person typed this.
    Input(String),
    /// The terminal got another size.
    Resize(Size),
}

/// One event of a recording.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Seconds since the start.
    pub seconds: f64,
    /// What happened.
    pub kind: EventKind,
}

/// A recording.
#[derive(Clone, Debug, PartialEq)]
pub struct Recording {
    /// Its header.
    pub header: Header,
    /// What happened, in order. Codes that mean nothing to a terminal (markers) are left out.
    pub events: Vec<Event>,
    /// The last line was cut off in the middle, as happens when a recorder is killed; the rest is whole.
    pub cut_off: bool,
}

#[derive(Deserialize)]
struct RawHeader {
    version: u64,
    width: Option<u16>,
    height: Option<u16>,
    term: Option<RawTerm>,
    timestamp: Option<f64>,
    title: Option<String>,
    command: Option<String>,
}

#[derive(Deserialize)]
struct RawTerm {
    cols: Option<u16>,
    rows: Option<u16>,
}

/// Reads a recording; `None` if the bytes are not one, but plain text.
///
/// What begins with a JSON object that has a `version` is taken for a recording. Bytes that are not UTF-8 become
/// U+FFFD.
pub fn parse(bytes: &[u8]) -> Result<Option<Recording>, AsciicastError> {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_start_matches('\u{FEFF}');
    let mut lines = text
        .split('\n')
        .enumerate()
        .map(|(index, line)| (index + 1, line.trim()))
        .filter(|(_, line)| !line.is_empty());
    let Some((first, header_line)) = lines.next() else { return Ok(None) };
    let Ok(Value::Object(object)) = serde_json::from_str::<Value>(header_line) else { return Ok(None) };
    if !object.contains_key("version") {
        return Ok(None);
    }
    let raw: RawHeader = serde_json::from_value(Value::Object(object))
        .map_err(|error| problem(first, format!("the header of this recording is not right: {error}")))?;
    if !matches!(raw.version, 2 | 3) {
        let version = raw.version;
        return Err(problem(
            first,
            format!("this is asciicast version {version}; versions 2 and 3 are read"),
        ));
    }
    let relative = raw.version == 3;
    let whole_end = text.ends_with('\n');
    let (events, cut_off) = parse_events(lines, relative, whole_end)?;
    Ok(Some(Recording { header: header_of(raw), events, cut_off }))
}

fn header_of(raw: RawHeader) -> Header {
    let term = raw.term.unwrap_or(RawTerm { cols: None, rows: None });
    Header {
        size: Size {
            columns: raw.width.or(term.cols).unwrap_or(DEFAULT_SIZE.columns),
            rows: raw.height.or(term.rows).unwrap_or(DEFAULT_SIZE.rows),
        },
        timestamp: raw.timestamp.map(|seconds| seconds.max(0.0) as u64),
        title: raw.title,
        command: raw.command,
    }
}

fn parse_events<'a>(
    lines: impl Iterator<Item = (usize, &'a str)>,
    relative: bool,
    whole_end: bool,
) -> Result<(Vec<Event>, bool), AsciicastError> {
    let mut events = Vec::new();
    let mut seconds = 0.0_f64;
    let mut lines = lines.peekable();
    while let Some((number, line)) = lines.next() {
        if line.starts_with('#') {
            continue;
        }
        let (time, kind) = match parse_event(line) {
            Ok(event) => event,
            Err(_) if lines.peek().is_none() && !whole_end => return Ok((events, true)),
            Err(what) => return Err(problem(number, what)),
        };
        seconds = if relative { seconds + time } else { seconds.max(time) };
        events.extend(kind.map(|kind| Event { seconds, kind }));
    }
    Ok((events, false))
}

/// Reads one event; `None` for a code that means nothing to a terminal.
fn parse_event(line: &str) -> Result<(f64, Option<EventKind>), String> {
    let (time, code, data): (f64, String, Value) = serde_json::from_str(line)
        .map_err(|error| format!("not an event of the form [seconds, code, data]: {error}"))?;
    let text = |data: Value| match data {
        Value::String(text) => Ok(text),
        other => {
            Err(format!("the data of the event {code:?} is not text, but {}", quoted(&other.to_string())))
        }
    };
    let kind = match code.as_str() {
        "o" => Some(EventKind::Output(text(data)?)),
        "i" => Some(EventKind::Input(text(data)?)),
        "r" => Some(EventKind::Resize(parse_size(&text(data)?)?)),
        _ => None,
    };
    Ok((time.max(0.0), kind))
}

fn parse_size(text: &str) -> Result<Size, String> {
    let size = text.split_once(['x', 'X']).and_then(|(columns, rows)| {
        Some(Size { columns: columns.trim().parse().ok()?, rows: rows.trim().parse().ok()? })
    });
    size.ok_or_else(|| format!("a resize says COLUMNSxROWS, such as \"80x24\", not {}", quoted(text)))
}

fn quoted(text: &str) -> String {
    format!("{:?}", text.chars().take(QUOTED).collect::<String>())
}

fn problem(line: usize, problem: String) -> AsciicastError {
    AsciicastError { line, problem }
}

/// Makes the lines of a recording, one at a time. Each line ends with a line feed.
///
/// Mask secrets before: what is given is what is written.
#[derive(Debug, Default)]
pub struct Writer {
    /// Bytes of a character whose end has not come.
    pending: Vec<u8>,
    seconds: f64,
}

impl Writer {
    /// Makes a writer at the start of a recording.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the first line.
    pub fn header(&self, header: &Header) -> String {
        let mut object = serde_json::json!({
            "version": 2,
            "width": header.size.columns,
            "height": header.size.rows,
        });
        if let Some(timestamp) = header.timestamp {
            object["timestamp"] = timestamp.into();
        }
        for (key, value) in [("title", &header.title), ("command", &header.command)] {
            if let Some(value) = value {
                object[key] = value.as_str().into();
            }
        }
        format!("{object}\n")
    }

    /// Returns the line for what the child wrote at that time, in seconds since the start; `None` if there is nothing
    /// to write yet.
    ///
    /// A character cut off at the end of the bytes is kept until its rest comes. What is not UTF-8 becomes U+FFFD.
    pub fn output(&mut self, seconds: f64, bytes: &[u8]) -> Option<String> {
        let mut joined = std::mem::take(&mut self.pending);
        joined.extend_from_slice(bytes);
        let whole = joined.len() - incomplete_end(&joined);
        self.pending = joined.split_off(whole);
        let text = String::from_utf8_lossy(&joined);
        (!text.is_empty()).then(|| self.event(seconds, "o", &text))
    }

    /// Returns the line for a change of size.
    pub fn resize(&mut self, seconds: f64, size: Size) -> String {
        self.event(seconds, "r", &format!("{}x{}", size.columns, size.rows))
    }

    /// Returns the last line, if a character was cut off by the end of the output.
    pub fn finish(mut self) -> Option<String> {
        let pending = std::mem::take(&mut self.pending);
        (!pending.is_empty()).then(|| self.event(self.seconds, "o", &String::from_utf8_lossy(&pending)))
    }

    /// Times never run backwards in a recording.
    fn event(&mut self, seconds: f64, code: &str, data: &str) -> String {
        if seconds > self.seconds {
            self.seconds = seconds;
        }
        let mut line = String::with_capacity(data.len() + 24);
        // Writing to a String cannot fail.
        let _ = writeln!(line, "[{:.6}, {:?}, {}]", self.seconds, code, Value::from(data));
        line
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn recording(text: &str) -> Recording {
        parse(text.as_bytes()).unwrap().unwrap()
    }

    fn output(recording: &Recording) -> String {
        recording
            .events
            .iter()
            .filter_map(|event| match &event.kind {
                EventKind::Output(text) => Some(text.as_str()),
                EventKind::Input(_) | EventKind::Resize(_) => None,
            })
            .collect()
    }

    #[test]
    fn version_2_is_read() {
        let recording = recording(concat!(
            r#"{"version": 2, "width": 100, "height": 30, "timestamp": 1700000000, "title": "login", "x": 1}"#,
            "\r\n\n",
            r#"[0.5, "o", "a\u001b[1m"]"#,
            "\n",
            r#"[0.7, "i", "y"]"#,
            "\n",
            r#"[0.8, "m", ""]"#,
            "\n",
            r#"[0.6, "r", "120x40"]"#,
            "\n",
        ));
        assert_eq!(recording.header.size, Size { columns: 100, rows: 30 });
        assert_eq!(recording.header.timestamp, Some(1_700_000_000));
        assert_eq!(recording.header.title.as_deref(), Some("login"));
        let kinds: Vec<EventKind> = recording.events.iter().map(|event| event.kind.clone()).collect();
        let size = Size { columns: 120, rows: 40 };
        let expected =
            [EventKind::Output("a\u{1b}[1m".into()), EventKind::Input("y".into()), EventKind::Resize(size)];
        assert_eq!(kinds, expected);
        assert!(recording.events[2].seconds >= 0.8);
        assert!(!recording.cut_off);
    }

    #[test]
    fn version_3_counts_from_event_to_event() {
        let recording = recording(concat!(
            r#"{"version":3,"term":{"cols":90,"rows":20}}"#,
            "\n# a comment\n",
            r#"[0.5,"o","a"]"#,
            "\n",
            r#"[0.25,"o","b"]"#,
            "\n",
            r#"[0.1,"x","0"]"#,
            "\n"
        ));
        assert_eq!(recording.header.size, Size { columns: 90, rows: 20 });
        assert_eq!(recording.events[1], Event { seconds: 0.75, kind: EventKind::Output("b".into()) });
    }

    #[test]
    fn plain_text_is_not_a_recording() {
        for text in ["", "\n\n", "Open https://example.com/\r\n", "{\"a\": 1}\n", "{not json", "[1,2,3]", "2"]
        {
            assert_eq!(parse(text.as_bytes()), Ok(None), "{text:?}");
        }
    }

    #[test]
    fn an_error_names_the_line() {
        for (text, line, part) in [
            ("{\"version\":1,\"width\":80}", 1, "version 1"),
            ("{\"version\":\"x\"}", 1, "header"),
            ("{\"version\":2,\"width\":-1}", 1, "header"),
            ("{\"version\":2}\n[0,\"o\",\"a\"]\n\n[0,\"o\"]\n", 4, "form"),
            ("{\"version\":2}\n[0,\"o\",5]\n", 2, "not text"),
            ("{\"version\":2}\n[0,\"r\",\"wide\"]\n", 2, "80x24"),
        ] {
            let error = parse(text.as_bytes()).unwrap_err();
            assert_eq!(error.line, line, "{text}");
            assert!(error.to_string().contains(part), "{error}");
        }
    }

    #[test]
    fn a_recording_cut_off_in_its_last_line_is_read_as_far_as_it_goes() {
        let recording = recording("{\"version\":2}\n[0,\"o\",\"a\"]\n[1,\"o\",\"b");
        assert!(recording.cut_off);
        assert_eq!(output(&recording), "a");
        assert_eq!(recording.header.size, DEFAULT_SIZE);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_written_is_read_back(
            chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..12),
            text in "\\PC{0,40}",
        ) {
            let whole: Vec<u8> = chunks.concat().into_iter().chain(text.bytes()).collect();
            let mut writer = Writer::new();
            let mut file = writer.header(&Header {
                size: Size { columns: 80, rows: 24 }, timestamp: Some(5), title: None, command: Some(text.clone()),
            });
            let mut time = 0.0;
            let pieces = chunks.iter().map(Vec::as_slice).chain(text.as_bytes().chunks(1));
            for piece in pieces {
                file.extend(writer.output(time, piece));
                time += 0.01;
            }
            file.push_str(&writer.resize(time, Size { columns: 90, rows: 30 }));
            file.extend(writer.finish());
            let recording = parse(file.as_bytes()).unwrap().unwrap();
            prop_assert_eq!(output(&recording), String::from_utf8_lossy(&whole));
            prop_assert_eq!(recording.header.command, Some(text));
            prop_assert!(recording.events.is_sorted_by(|one, next| one.seconds <= next.seconds));
        }
    }
}
