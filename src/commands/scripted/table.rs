//! The list of sessions for a person, newest last, as wide as its words.

use std::time::{Duration, SystemTime};

use super::reference;
use crate::core::reference::short;
use crate::core::time::Timestamp;
use crate::core::visible::TerminalText;
use crate::protocol::snapshot::SessionView;

/// What is said where there are none.
pub(super) const NOTHING: &str = "No sessions. `authdeck login PROVIDER` starts one.\n";

/// The time of day.
pub(super) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// One line for each session: short id, name, provider, age, what it waits for.
pub(super) fn of_sessions(mut sessions: Vec<SessionView>, now: Timestamp) -> TerminalText {
    if sessions.is_empty() {
        return TerminalText::lines(NOTHING);
    }
    sessions.sort_by_key(|session| session.started_at);
    let heading = ["id", "name", "of", "age", "state"].map(str::to_owned);
    let rows: Vec<[String; 5]> = [heading]
        .into_iter()
        .chain(sessions.iter().map(|session| {
            let all = sessions.iter().map(|other| other.session_id.as_str());
            [
                short(session.session_id.as_str(), all).to_owned(),
                session.name.clone().unwrap_or_else(|| "-".into()),
                reference::kind(session).unwrap_or("unknown").to_owned(),
                age(session.started_at.until(now)),
                session.waiting_text.clone(),
            ]
            .map(|text| TerminalText::line(&text).to_string())
        }))
        .collect();
    let width = |column: usize| rows.iter().map(|row| columns(&row[column])).max().unwrap_or(0);
    let widths: [usize; 4] = std::array::from_fn(width);
    rows.iter().map(|row| line(row, &widths)).collect()
}

fn line(row: &[String; 5], widths: &[usize; 4]) -> TerminalText {
    let mut line = String::new();
    for (text, width) in row.iter().zip(widths) {
        line.push_str(text);
        line.extend(std::iter::repeat_n(' ', width - columns(text) + 2));
    }
    TerminalText::line(&(line + &row[4])).ended()
}

fn columns(text: &str) -> usize {
    unicode_width::UnicodeWidthStr::width(text)
}

/// An age in its largest unit, as people say it.
fn age(age: Duration) -> String {
    let seconds = age.as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..86_400 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_has_one_unit() {
        let ages = [0, 59, 60, 3_599, 3_600, 86_399, 86_400, 900_000].map(|s| age(Duration::from_secs(s)));
        assert_eq!(ages, ["0 s", "59 s", "1 min", "59 min", "1 h", "23 h", "1 d", "10 d"]);
    }

    #[test]
    fn columns_stand_below_each_other() {
        let widths = [4, 2, 2, 3];
        let row = ["ab", "日", "gh", "1 s", "over"].map(str::to_owned);
        assert_eq!(line(&row, &widths), "ab    日  gh  1 s  over\n");
    }
}
