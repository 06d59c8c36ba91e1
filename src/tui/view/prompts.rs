//! Dialogs that take a line: a paste, a command, the answer to a challenge.

use ratatui::layout::{Position, Rect};

use super::painter::{Line, Painter, piece};
use super::{challenge, dialogs, footer};
use crate::core::time::Timestamp;
use crate::tui::dialog::{Answer, CommandLine, Paste};
use crate::tui::field::Field;
use crate::tui::model::{Entry, Model};
use crate::tui::text;
use crate::tui::theme::Role;

const COLUMNS: u16 = 66;

/// Draws the dialog for a paste: of a URL everything but the values, of anything else its ends. Enough to see whether it
/// is the right one and whole.
pub fn paste(model: &Model, painter: &mut Painter<'_>, screen: Rect, paste: &Paste) -> Option<Position> {
    let title = model.session(&paste.session).map_or_else(String::new, |session| Model::title_of(session).0);
    let columns = COLUMNS.min(screen.width.saturating_sub(4));
    let about = "What the browser ended on: the whole address, the code, or code#state.";
    let mut below = Vec::new();
    let size = paste.field.text().len();
    if paste.sent {
        below.push(piece(
            "Handed in; waiting for the answer. Esc leaves it to the status line.",
            Role::TextQuiet,
        ));
    } else if let Some(refusal) = paste.refusal.as_ref().filter(|_| paste.asks) {
        let text = format!("{refusal} Enter hands it over all the same, Esc does not.");
        below.push(piece(text, Role::StatusWarning));
    } else if let Some(refusal) = &paste.refusal {
        below.push(piece(format!("Refused. {refusal}"), Role::StatusError));
    } else if size > 0 {
        below.push(piece(
            format!("{size} B; Enter hands it in, Esc forgets it, Ctrl-U empties it."),
            Role::TextQuiet,
        ));
    } else {
        below.push(piece("Paste it here; nothing is sent before Enter.", Role::TextQuiet));
    }
    let content = Content { about: vec![vec![piece(about, Role::Text)]], below };
    let area = content.frame(painter, screen, columns, &format!("Paste for {title}"));
    let line = content.draw(painter, area);
    painter.fill(line, Role::UiField);
    draw_ends(painter, line, &paste.field)
}

fn draw_ends(painter: &mut Painter<'_>, line: Rect, field: &Field) -> Option<Position> {
    const SHOWN: usize = 4;
    if let Some(shown) = url_without_values(field.text()) {
        let shown = text::visible(&shown).into_owned();
        let x = painter.text(line.x, line.y, line.width, &shown, Role::UiField);
        return Some(Position::new(x.min(line.right().saturating_sub(1)), line.y));
    }
    let letters: Vec<char> = field.text().chars().collect();
    let masked: String = letters
        .iter()
        .enumerate()
        .map(|(index, letter)| {
            let end = letters.len() > 4 * SHOWN && (index < SHOWN || index >= letters.len() - SHOWN);
            if end { *letter } else { '•' }
        })
        .collect();
    let masked = text::visible(&masked).into_owned();
    let columns = usize::from(line.width);
    let shown = if text::width(&masked) <= columns {
        masked
    } else {
        let tail: Vec<char> = masked.chars().collect();
        let head: String = tail[..columns / 2].iter().collect();
        let rest = columns - columns / 2 - 1;
        format!("{head}…{}", tail[tail.len() - rest..].iter().collect::<String>())
    };
    let x = painter.text(line.x, line.y, line.width, &shown, Role::UiField);
    Some(Position::new(x.min(line.right().saturating_sub(1)), line.y))
}

/// Shows a URL's scheme, host, path and the names of its parameters; absent for anything else. Each value is as many
/// dots, whatever its length.
fn url_without_values(pasted: &str) -> Option<String> {
    const DOTS: &str = "••••";
    let pasted = pasted.trim();
    let (scheme, rest) = pasted.split_once("://")?;
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    if !is_scheme {
        return None;
    }
    let (rest, fragment) = rest.split_once('#').map_or((rest, ""), |(rest, _)| (rest, "#••••"));
    let (place, query) = rest.split_once('?').map_or((rest, None), |(place, query)| (place, Some(query)));
    let slash = place.find('/').unwrap_or(place.len());
    let (authority, path) = place.split_at(slash);
    let authority =
        authority.rsplit_once('@').map_or(authority.to_owned(), |(_, host)| format!("{DOTS}@{host}"));
    let names = query.map(|query| {
        let shown = |pair: &str| match pair.split_once('=') {
            Some((name, "")) => format!("{name}="),
            Some((name, _)) => format!("{name}={DOTS}"),
            None if pair.is_empty() => String::new(),
            None => DOTS.to_owned(),
        };
        format!("?{}", query.split('&').map(shown).collect::<Vec<_>>().join("&"))
    });
    Some(format!("{scheme}://{authority}{path}{}{fragment}", names.unwrap_or_default()))
}

/// Draws the dialog for a command line.
pub fn command(painter: &mut Painter<'_>, screen: Rect, line: &CommandLine) -> Option<Position> {
    let about = "Any command that logs in somewhere, as you would type it in a shell.";
    let below = match &line.refusal {
        _ if line.sent => vec![piece("It is being started.", Role::TextQuiet)],
        Some(refusal) => vec![piece(refusal, Role::StatusError)],
        None => vec![piece("Enter starts it, Esc goes back. Nothing is expanded.", Role::TextQuiet)],
    };
    let content = Content { about: vec![vec![piece(about, Role::Text)]], below };
    let area = content.frame(painter, screen, COLUMNS.min(screen.width.saturating_sub(4)), "Run a command");
    let at = content.draw(painter, area);
    painter.fill(at, Role::UiField);
    Some(footer::draw_field(painter, at.x, at.y, at.width, &line.field, false))
}

/// Lines of a requester's words beside the field for the answer, which must stay on the screen.
const LINES_OF_DIALOG: usize = 6;

/// Draws the dialog that answers a challenge: who asks, what they say as theirs, then our own field below.
pub fn answer(
    model: &Model,
    now: Timestamp,
    painter: &mut Painter<'_>,
    screen: Rect,
    answer: &Answer,
) -> Option<Position> {
    let challenge = model.challenge(&answer.challenge)?;
    let columns = COLUMNS.min(screen.width.saturating_sub(4));
    let mut about = challenge::who(challenge, usize::from(columns));
    about.extend(challenge::words(challenge, usize::from(columns), LINES_OF_DIALOG));
    let left = model.time_left(&Entry::Challenge(challenge), now).map(|left| left.text).unwrap_or_default();
    let title =
        format!("{} {} · {left} left", text::visible(&challenge.title), challenge::wants(challenge.kind));
    let keys = "Enter answers, Esc goes back and lets it wait, Ctrl-X denies.";
    let content = Content { about, below: vec![piece(keys, Role::TextQuiet)] };
    let area = content.frame(painter, screen, columns, &title);
    let line = content.draw(painter, area);
    if answer.is_question() {
        dialogs::draw_buttons(painter, line, &dialogs::buttons("No", "Yes", answer.yes));
        return None;
    }
    Some(draw_answer_field(painter, line, answer))
}

fn draw_answer_field(painter: &mut Painter<'_>, line: Rect, answer: &Answer) -> Position {
    let (label, field, masked) = match (&answer.user, &answer.secret, answer.at_secret) {
        (Some(user), _, false) => ("user", Some(user), false),
        (_, secret, _) if answer.masked => ("secret", secret.as_ref(), true),
        (_, secret, _) => ("text", secret.as_ref(), false),
    };
    let x = painter.text(line.x, line.y, 8, &format!("{label:<7} "), Role::TextQuiet);
    let field_area = Rect { x, width: line.right().saturating_sub(x), ..line };
    painter.fill(field_area, Role::UiField);
    let empty = Field::default();
    footer::draw_field(painter, x, line.y, field_area.width, field.unwrap_or(&empty), masked)
}

/// What stands over and under the field of a dialog.
struct Content {
    about: Vec<Line>,
    below: Line,
}

impl Content {
    fn wrapped(line: &[super::painter::Piece], columns: u16) -> Vec<Line> {
        match line {
            [single] => text::wrap(&single.text, usize::from(columns))
                .into_iter()
                .map(|text| vec![piece(text, single.role)])
                .collect(),
            several => vec![several.to_vec()],
        }
    }

    fn frame(&self, painter: &mut Painter<'_>, screen: Rect, columns: u16, title: &str) -> Rect {
        let above: usize = self.about.iter().map(|line| Self::wrapped(line, columns).len()).sum();
        let below = Self::wrapped(&self.below, columns).len();
        let rows = u16::try_from(above + below + 3).unwrap_or(u16::MAX);
        dialogs::frame(painter, screen, columns, rows, title)
    }

    /// Draws all but the field, and returns the field's line. Where it is tight, what stands over it is cut.
    fn draw(&self, painter: &mut Painter<'_>, area: Rect) -> Rect {
        let above: Vec<Line> = self.about.iter().flat_map(|line| Self::wrapped(line, area.width)).collect();
        let below = Self::wrapped(&self.below, area.width);
        let needed = above.len() + below.len() + 3;
        let air = u16::from(usize::from(area.height) >= needed);
        let under = u16::try_from(below.len()).unwrap_or(0);
        let room = area.height.saturating_sub(under + 1 + 2 * air);
        for (y, line) in (area.y..area.y + room).zip(&above) {
            painter.line(area.x, y, area.width, line);
        }
        let used = room.min(u16::try_from(above.len()).unwrap_or(u16::MAX));
        let field = Rect { y: area.y + used + air, height: 1, ..area };
        for (y, line) in (field.y + 1 + air..area.bottom()).zip(&below) {
            painter.line(area.x, y, area.width, line);
        }
        field
    }
}

#[cfg(test)]
mod tests {
    use super::url_without_values;

    #[test]
    fn of_a_pasted_url_everything_but_the_values_is_shown() {
        for (pasted, shown) in [
            (
                "http://localhost:1455/auth/callback?code=canary&state=canary&scope=",
                Some("http://localhost:1455/auth/callback?code=••••&state=••••&scope="),
            ),
            ("https://me:canary@example.com/a#canary", Some("https://••••@example.com/a#••••")),
            ("http://localhost:1/?canary", Some("http://localhost:1/?••••")),
            ("canary#canary", None),
            ("can ary://x", None),
        ] {
            assert_eq!(url_without_values(pasted).as_deref(), shown);
        }
    }
}
