//! Answers clients: screen, history, search, transcript, recording.

use super::SessionTask;
use super::masks::Masks;
use super::viewers::update;
use crate::core::asciicast::{Header, Writer};
use crate::core::screen::{LogicalLine, Screen, Size};
use crate::core::time::Timestamp;
use crate::driver::command::AnswerSender;
use crate::driver::recording::Recording;
use crate::driver::sessions::not_here;
use crate::protocol::method::{Method as _, terminal};
use crate::protocol::request::{History, SearchResult, WholeText};
use crate::protocol::screen::ScreenUpdate;

/// How many lines one answer has at most.
const MOST_LINES: u64 = 1_000;

impl SessionTask {
    pub(super) fn on_ask(&mut self, request: terminal::Request, reply: AnswerSender) {
        let response = match request {
            terminal::Request::Resize(to) => terminal::Resize::response(self.resize(to.columns, to.rows)),
            terminal::Request::Screen(_) => terminal::Screen::response(self.whole_screen()),
            terminal::Request::History(of) => terminal::History::response(self.history(of.first, of.count)),
            terminal::Request::Search(of) => terminal::Search::response(search(&self.screen, &of.text)),
            terminal::Request::Transcript(_) => {
                terminal::Transcript::response(WholeText(transcript(&self.screen, &self.masks)))
            }
            terminal::Request::Recording(_) => {
                terminal::Recording::response(WholeText(self.asciicast(usize::MAX)))
            }
            // Keys do not wait for this task.
            terminal::Request::Input(_) => {
                // An error means that nobody waits any more.
                let _ = reply.send(Err(not_here()));
                return;
            }
        };
        // An error means that nobody waits any more.
        let _ = reply.send(Ok(response));
    }

    /// Writes the newest bytes of the recording as asciicast v2, secrets masked.
    pub(super) fn asciicast(&self, bytes: usize) -> String {
        // The catalogue's command: the session's own may have a secret in it.
        let command = self.setting.provider.as_ref().map(|provider| provider.command.join(" "));
        asciicast(&self.recording, &self.masks.with_tokens_of(&self.screen), bytes, command)
    }

    fn whole_screen(&mut self) -> ScreenUpdate {
        let generation = self.screen.look();
        update(&self.setting.session_id, &self.screen, &self.masks, generation, None)
    }

    fn resize(&mut self, columns: u16, rows: u16) -> bool {
        let size = Size { columns, rows }.clamped();
        let Some((handle, _)) = &self.keeper else { return false };
        if !handle.resize(size.columns, size.rows) {
            return false;
        }
        if size != self.screen.size() {
            self.screen.resize(size);
            self.recording.resized(self.setting.clock.now(), size);
            self.serve_viewers();
        }
        true
    }

    fn history(&self, first: u64, count: u32) -> History {
        let screen = &self.screen;
        let end = first.saturating_add(u64::from(count).min(MOST_LINES)).min(screen.end());
        let first = first.max(screen.history_start());
        let covered = self.masks.covered(screen, first..end);
        let line = |number| screen.row(number).map(|row| covered.row(number, row));
        History {
            lines: (first..end).filter_map(line).collect(),
            history_start: screen.history_start(),
            screen_start: screen.screen_start(),
        }
    }
}

/// Finds the lines that have the text in them, wrapped or not; a text without capitals finds either case.
fn search(screen: &Screen, text: &str) -> SearchResult {
    let smart = !text.chars().any(char::is_uppercase);
    let wanted = if smart { text.to_lowercase() } else { text.to_owned() };
    let mut lines: Vec<u64> = Vec::new();
    if !wanted.is_empty() {
        for line in screen.logical_lines(screen.history_start()..screen.end()) {
            matching_rows(&line, &wanted, smart, &mut lines);
        }
    }
    let excess = lines.len().saturating_sub(usize::try_from(MOST_LINES).unwrap_or(usize::MAX));
    lines.drain(..excess);
    SearchResult { lines }
}

/// Adds the row on which each match begins, each row once.
fn matching_rows(line: &LogicalLine, wanted: &str, smart: bool, lines: &mut Vec<u64>) {
    let lowered = smart.then(|| line.text.to_lowercase());
    let haystack = lowered.as_deref().unwrap_or(&line.text);
    // Lower case can have another length in bytes; then the match is only known to be somewhere on the line.
    let exact = haystack.len() == line.text.len();
    for (at, _) in haystack.match_indices(wanted) {
        let row = match line.text.get(..at).filter(|_| exact) {
            Some(before) => line.position(before.chars().count()).0,
            None => line.start,
        };
        if lines.last() != Some(&row) {
            lines.push(row);
        }
    }
}

/// Writes all lines that are kept, wrapped ones joined, secrets masked.
fn transcript(screen: &Screen, masks: &Masks) -> String {
    let (start, end) = (screen.history_start(), screen.end());
    let covered = masks.covered(screen, start..end);
    let mut text = String::new();
    for number in start..end {
        let Some(row) = screen.text_row(number) else { continue };
        text.push_str(&covered.text(number, &row.text, |index| row.column(index)));
        if !row.wrapped {
            text.push('\n');
        }
    }
    text.truncate(text.trim_end_matches('\n').len());
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

/// Writes what is kept of the recording as asciicast v2, secrets masked; no more than the newest `bytes`, from the
/// beginning of a line on. `command` is what tells `authdeck detect` which provider it is.
fn asciicast(recording: &Recording, masks: &Masks, bytes: usize, command: Option<String>) -> String {
    let mut contents = recording.contents();
    masks.cover_output(&mut contents);
    let first = beginning_of_newest(&contents, bytes);
    let start = recording.pieces().find(|(_, end)| *end > first).map_or(Timestamp(0), |(at, _)| at);
    let seconds = |at: Timestamp| start.until(at).as_secs_f64();
    let mut writer = Writer::new();
    let before = recording.resizes().take_while(|(place, _)| *place <= first && first > 0).last();
    let size = before.map_or(recording.size(), |(_, resized)| resized.size);
    let header = Header { size, timestamp: Some(start.0 / 1_000), title: None, command };
    let mut text = String::with_capacity((contents.len() - first) / 8 * 9 + 1024);
    text.push_str(&writer.header(&header));
    let mut begin = first;
    let mut resizes = recording.resizes().skip_while(|(place, _)| *place <= first && first > 0).peekable();
    for (at, end) in recording.pieces().filter(|(_, end)| *end > first) {
        while let Some((place, resized)) = resizes.next_if(|(place, _)| *place <= end) {
            let place = place.clamp(begin, end);
            text.extend(writer.output(seconds(at), &contents[begin..place]));
            text.push_str(&writer.resize(seconds(resized.at.max(at)), resized.size));
            begin = place;
        }
        text.extend(writer.output(seconds(at), &contents[begin..end]));
        begin = end;
    }
    text.extend(writer.finish());
    text
}

/// Finds where the newest bytes begin, at the beginning of a line if there is one.
fn beginning_of_newest(contents: &[u8], bytes: usize) -> usize {
    let Some(cut) = contents.len().checked_sub(bytes).filter(|cut| *cut > 0) else { return 0 };
    memchr::memchr(b'\n', &contents[cut..]).map_or(cut, |end| cut + end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::asciicast::{EventKind, parse};
    use crate::core::screen::ScreenLimits;
    use crate::core::secret::Secret;

    fn screen(text: &str) -> Screen {
        let mut screen = Screen::new(Size { columns: 10, rows: 3 }, ScreenLimits::default());
        screen.feed(text.as_bytes());
        screen
    }

    #[test]
    fn a_search_finds_wrapped_text_and_minds_capitals_only_if_there_are_some() {
        let screen = screen("Alpha beta gamma\r\nalpha\r\nALPHA\r\nend");
        assert_eq!(search(&screen, "alpha").lines, [0, 2, 3]);
        assert_eq!(search(&screen, "ALPHA").lines, [3]);
        assert_eq!(search(&screen, "gamma").lines, [1]);
        assert_eq!(search(&screen, "beta gam").lines, [0]);
        assert!(search(&screen, "").lines.is_empty());
    }

    #[test]
    fn a_transcript_has_every_line_once_and_no_secret() {
        let screen = screen("one\r\na line that is wrapped\r\n\r\ncanary-value-1\r\n");
        let mut masks = Masks::default();
        masks.add(&Secret::new("canary-value-1"));
        let text = transcript(&screen, &masks);
        assert_eq!(text, format!("one\na line that is wrapped\n\n{}\n", "•".repeat(14)));
    }

    #[test]
    fn a_recording_reads_back_without_its_secret() {
        let size = Size { columns: 10, rows: 3 };
        let mut recording = Recording::new(1_000, size);
        recording.push(0, Timestamp(5_000), b"hello ");
        recording.resized(Timestamp(5_100), Size { columns: 20, rows: 3 });
        recording.push(6, Timestamp(6_500), b"canary-value-1 \xc3\xa4");
        let mut masks = Masks::default();
        masks.add(&Secret::new("canary-value-1"));
        let read = parse(asciicast(&recording, &masks, usize::MAX, None).as_bytes()).unwrap().unwrap();
        let kinds: Vec<EventKind> = read.events.iter().map(|event| event.kind.clone()).collect();
        assert_eq!(
            kinds,
            [
                EventKind::Output("hello ".into()),
                EventKind::Resize(Size { columns: 20, rows: 3 }),
                EventKind::Output("************** ä".into()),
            ]
        );
        assert_eq!(read.header.size, size);
        assert_eq!(read.header.timestamp, Some(5));
        assert!((read.events[2].seconds - 1.5).abs() < 0.01);
    }

    #[test]
    fn the_newest_part_of_a_recording_begins_with_a_line() {
        let size = Size { columns: 10, rows: 3 };
        let wide = Size { columns: 20, rows: 3 };
        let mut recording = Recording::new(1_000, size);
        recording.push(0, Timestamp(1_000), b"one\r\n");
        recording.resized(Timestamp(1_500), wide);
        recording.push(5, Timestamp(2_000), b"two\r\nthree\r\n");
        let read = parse(asciicast(&recording, &Masks::default(), 9, None).as_bytes()).unwrap().unwrap();
        assert_eq!(read.header.size, wide);
        let kinds: Vec<EventKind> = read.events.iter().map(|event| event.kind.clone()).collect();
        assert_eq!(kinds, [EventKind::Output("three\r\n".into())]);
    }
}
