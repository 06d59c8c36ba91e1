//! The child's screen: its runs go straight into cells, without a layout in between.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Color, Modifier, Style};
use unicode_segmentation::UnicodeSegmentation as _;

use super::painter::{Painter, piece};
use crate::protocol::screen::{Colour, Row, Style as RunStyle, attribute};
use crate::tui::action::Action;
use crate::tui::model::{Focus, Model};
use crate::tui::text;
use crate::tui::theme::Role;

/// Draws the line over it, which says when the view is not simply the live screen.
pub fn draw_rule(model: &Model, painter: &mut Painter<'_>, area: Rect) {
    if area.height == 0 {
        return;
    }
    painter.rule(area, if model.focus == Focus::Pane { Role::UiRuleFocus } else { Role::UiRule });
    let key = |action| model.keymap.keys_of(action).into_iter().next().unwrap_or_default();
    let badge = if model.typing {
        format!(" keys go to the CLI · {} takes them back ", key(Action::PaneTypeLeave))
    } else if model.pane.is_scrolled() {
        let above = model.pane.lines_above(area_below(model));
        format!(" {above} lines up · {} goes live ", key(Action::PaneBottom))
    } else {
        return;
    };
    painter.line_ending(area.right().saturating_sub(1), area.y, area.width, &[piece(badge, Role::PaneBadge)]);
}

fn area_below(model: &Model) -> u16 {
    super::layout::pane_height(model)
}

/// Draws the screen; returns where the child's cursor stands, if the person types into it.
pub fn draw(model: &Model, painter: &mut Painter<'_>, area: Rect) -> Option<Position> {
    if area.height == 0 {
        return None;
    }
    let top = model.pane.top(area.height);
    for (y, number) in (area.top()..area.bottom()).zip(top..) {
        if let Some(row) = model.pane.line(number) {
            let place = Rect { y, height: 1, ..area };
            draw_line(painter, row, place);
            mark_matches(model, painter, row, number, place);
        }
    }
    cursor(model, area, top)
}

/// Returns where the child's cursor stands in a pane whose first line is `top`, if the person types into it.
pub fn cursor(model: &Model, area: Rect, top: u64) -> Option<Position> {
    let cursor = model.pane.cursor.filter(|_| model.typing)?;
    let line = (model.pane.screen_start() + u64::from(cursor.row)).checked_sub(top)?;
    let y = u16::try_from(line).ok().filter(|line| *line < area.height)?;
    (cursor.column < area.width).then(|| Position::new(area.x + cursor.column, area.y + y))
}

/// Draws one line of the screen into a row that was wiped.
pub fn draw_line(painter: &mut Painter<'_>, row: &Row, area: Rect) {
    let colourless = painter.colourless;
    let buffer = painter.buffer();
    let (mut x, y) = (area.x, area.y);
    for run in &row.runs {
        let style = style(&run.style, colourless);
        let hidden = run.style.attributes & attribute::HIDDEN != 0;
        x = if run.text.is_ascii() || run.text.chars().all(stands_alone) {
            draw_plain(buffer, &run.text, style, hidden, (x, y), area.right())
        } else {
            draw_clusters(buffer, &run.text, style, hidden, (x, y), area.right())
        };
        if x >= area.right() {
            return;
        }
    }
}

/// Whether a character takes one column and is a cluster by itself next to others of its kind: what most CLIs write,
/// frames and spinners among it.
fn stands_alone(letter: char) -> bool {
    matches!(letter,
        ' '..='~' | '\u{a1}'..='\u{ac}' | '\u{ae}'..='\u{2ff}' | '\u{400}'..='\u{482}' | '\u{2010}'..='\u{2027}'
        | '\u{2190}'..='\u{2199}' | '\u{2500}'..='\u{25a9}' | '\u{2800}'..='\u{28ff}')
}

/// Draws text each character of which is ASCII or stands alone.
fn draw_plain(buffer: &mut Buffer, text: &str, style: Style, hidden: bool, at: (u16, u16), end: u16) -> u16 {
    let (mut x, y) = at;
    for letter in text.chars() {
        if x >= end {
            break;
        }
        let letter = if hidden || letter.is_ascii_control() { ' ' } else { letter };
        buffer[(x, y)].set_char(letter).set_style(style);
        x += 1;
    }
    x
}

fn draw_clusters(
    buffer: &mut Buffer,
    text: &str,
    style: Style,
    hidden: bool,
    at: (u16, u16),
    end: u16,
) -> u16 {
    let (mut x, y) = at;
    let shown = text::visible(text);
    for cluster in shown.graphemes(true) {
        let columns = u16::try_from(text::width(cluster)).unwrap_or(1);
        if x + columns > end {
            return end;
        }
        let blank = " ".repeat(usize::from(columns));
        let symbol = if hidden { blank.as_str() } else { cluster };
        x = buffer.set_stringn(x, y, symbol, usize::from(columns), style).0;
    }
    x
}

fn style(run: &RunStyle, colourless: bool) -> Style {
    let mut style = Style::default();
    if !colourless {
        style.fg = colour(run.foreground);
        style.bg = colour(run.background);
    }
    for (bit, modifier) in [
        (attribute::BOLD, Modifier::BOLD),
        (attribute::DIM, Modifier::DIM),
        (attribute::ITALIC, Modifier::ITALIC),
        (attribute::UNDERLINE, Modifier::UNDERLINED),
        (attribute::REVERSE, Modifier::REVERSED),
        (attribute::STRIKE, Modifier::CROSSED_OUT),
    ] {
        if run.attributes & bit != 0 {
            style = style.add_modifier(modifier);
        }
    }
    style
}

/// The default is the theme's, which the background was painted with.
fn colour(colour: Colour) -> Option<Color> {
    match colour {
        Colour::Default => None,
        Colour::Indexed(index) => Some(Color::Indexed(index)),
        Colour::Rgb(red, green, blue) => Some(Color::Rgb(red, green, blue)),
    }
}

fn mark_matches(model: &Model, painter: &mut Painter<'_>, row: &Row, number: u64, line: Rect) {
    let Some(search) = &model.search else { return };
    let text: String = row.runs.iter().map(|run| run.text.as_str()).collect();
    let role = if search.lines.get(search.current) == Some(&number) {
        Role::PaneMatchCurrent
    } else {
        Role::PaneMatch
    };
    for (start, end) in matches(&text, &search.text) {
        let x = line.x + u16::try_from(text::width(&text[..start])).unwrap_or(u16::MAX).min(line.width);
        let columns = u16::try_from(text::width(&text[start..end])).unwrap_or(0);
        let columns = columns.min(line.right().saturating_sub(x));
        painter.tint(Rect { x, width: columns, ..line }, role);
    }
}

/// Finds the searched text as the supervisor does: without regard to case unless it has a capital in it.
fn matches(text: &str, wanted: &str) -> Vec<(usize, usize)> {
    let exact = wanted.chars().any(char::is_uppercase);
    let same =
        |left: char, right: char| left == right || (!exact && left.to_lowercase().eq(right.to_lowercase()));
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(rest) = text.get(from..).filter(|rest| !rest.is_empty() && !wanted.is_empty()) {
        let mut letters = rest.char_indices();
        let fits = wanted.chars().all(|want| letters.next().is_some_and(|(_, letter)| same(letter, want)));
        let end = letters.next().map_or(text.len(), |(at, _)| from + at);
        if fits {
            found.push((from, end));
            from = end;
        } else {
            from += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_stands_alone_takes_one_column_and_joins_nothing() {
        let alone: Vec<char> = ('\0'..=char::MAX).filter(|letter| stands_alone(*letter)).collect();
        assert!(alone.len() > 1_000);
        for letter in alone {
            let pair = format!("{letter}{letter}a{letter}");
            assert_eq!(pair.graphemes(true).count(), 4, "{letter:?}");
            assert_eq!(text::width(&pair), 4, "{letter:?}");
            assert_eq!(text::visible(&pair), pair);
        }
    }

    #[test]
    fn matches_are_found_by_smart_case() {
        assert_eq!(matches("Paste the paste", "paste"), [(0, 5), (10, 15)]);
        assert_eq!(matches("Paste the paste", "Paste"), [(0, 5)]);
        assert_eq!(matches("ÄäÄ", "ä"), [(0, 2), (2, 4), (4, 6)]);
        assert_eq!(matches("abc", ""), []);
    }
}
