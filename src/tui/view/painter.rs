//! Puts styled pieces of text into cells. The one place that knows the theme, and what to draw where there is only ASCII.

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use crate::tui::action::Action;
use crate::tui::keymap::Context;
use crate::tui::model::Model;
use crate::tui::text;
use crate::tui::theme::{Role, Theme};

/// A piece of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Its text; what comes from outside was made visible before.
    pub text: String,
    /// Its look.
    pub role: Role,
    /// What a click on it does.
    pub action: Option<Action>,
}

/// A line of pieces.
pub type Line = Vec<Piece>;

/// Makes a piece.
pub fn piece(text: impl Into<String>, role: Role) -> Piece {
    Piece { text: text.into(), role, action: None }
}

/// Makes the pieces for a key and what it does, and a gap after it.
pub fn hint(model: &Model, contexts: &[Context], action: Action) -> Line {
    let keys = model.keymap.keys_in(contexts, action);
    let keys = keys.into_iter().next().unwrap_or_default();
    let mut pieces = vec![piece(keys, Role::UiKey), piece(format!(" {}", action.label()), Role::UiLabel)];
    for piece in &mut pieces {
        piece.action = Some(action);
    }
    pieces.push(piece("  ", Role::UiLabel));
    pieces
}

/// Returns how many columns a line takes.
pub fn line_width(line: &[Piece]) -> usize {
    line.iter().map(|piece| text::width(&piece.text)).sum()
}

/// Returns the action of the piece in a column.
pub fn action_in(line: &[Piece], column: usize) -> Option<Action> {
    let mut end = 0;
    for piece in line {
        end += text::width(&piece.text);
        if column < end {
            return piece.action;
        }
    }
    None
}

/// What a click in an open dialog means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Beside the dialog.
    Outside,
    /// In it, on nothing of use.
    Inside,
    /// A row of a chooser, by its place among those that match.
    Choice(usize),
    /// A button: yes or no.
    Answer(bool),
}

/// Draws into a buffer.
pub struct Painter<'a> {
    buffer: &'a mut Buffer,
    /// What was drawn to be clicked; what is drawn later lies over the rest.
    targets: Vec<(Rect, Target)>,
    theme: &'a Theme,
    area: Rect,
    /// Whether signs beyond ASCII can be drawn.
    pub unicode: bool,
    /// Whether no colour may be drawn, the child's included.
    pub colourless: bool,
}

impl<'a> Painter<'a> {
    /// Paints the background and is ready to draw on it.
    pub fn new(model: &'a Model, buffer: &'a mut Buffer) -> Self {
        let area = super::whole(model.size).intersection(*buffer.area());
        buffer.set_style(area, model.themes.current().style(Role::Text));
        Self::on(model, buffer, area)
    }

    /// Wipes a part of what was drawn before, and is ready to draw on that.
    pub fn over(model: &'a Model, buffer: &'a mut Buffer, area: Rect) -> Self {
        let area = area.intersection(*buffer.area());
        let mut blank = Cell::EMPTY;
        blank.set_style(model.themes.current().style(Role::Text));
        for y in area.top()..area.bottom() {
            for x in area.left()..area.right() {
                buffer[(x, y)].clone_from(&blank);
            }
        }
        Self::on(model, buffer, area)
    }

    fn on(model: &'a Model, buffer: &'a mut Buffer, area: Rect) -> Self {
        let theme = model.themes.current();
        let unicode = model.settings.surroundings.unicode;
        Self { buffer, targets: Vec::new(), theme, area, unicode, colourless: theme.colourless }
    }

    /// Remembers that an area can be clicked.
    pub fn target(&mut self, area: Rect, target: Target) {
        self.targets.push((area, target));
    }

    /// Returns what a click at a place means, after a dialog was drawn.
    pub fn target_at(&self, at: Position) -> Target {
        let hit = self.targets.iter().rev().find(|(area, _)| area.contains(at));
        hit.map_or(Target::Outside, |(_, target)| *target)
    }

    /// Returns the whole screen.
    pub fn area(&self) -> Rect {
        self.area
    }

    /// Returns the buffer.
    pub fn buffer(&mut self) -> &mut Buffer {
        self.buffer
    }

    /// Returns how a role looks where it is written on something that was filled before.
    pub fn style(&self, role: Role) -> Style {
        let style = self.theme.style(role);
        match role {
            Role::Text | Role::TextQuiet | Role::TextStrong => Style { bg: None, ..style },
            _ => style,
        }
    }

    /// Writes text, cut at `columns`; returns the column after it. Other people's text goes through
    /// [`text::visible`] before it comes here.
    pub fn text(&mut self, x: u16, y: u16, columns: u16, text: &str, role: Role) -> u16 {
        if !self.area.contains(Position::new(x, y)) {
            return x;
        }
        let style = self.style(role);
        let shown = if self.unicode { std::borrow::Cow::Borrowed(text) } else { ascii(text) };
        let cut = text::cut(&shown, usize::from(columns), self.mark());
        self.buffer.set_stringn(x, y, cut, usize::from(columns), style).0
    }

    /// Writes a line of pieces, cut at `columns`.
    pub fn line(&mut self, x: u16, y: u16, columns: u16, line: &[Piece]) -> u16 {
        let end = x.saturating_add(columns);
        let mut at = x;
        for piece in line {
            if at >= end {
                break;
            }
            at = self.text(at, y, end - at, &piece.text, piece.role);
        }
        at
    }

    /// Writes a line so that it ends at a column; returns where it starts.
    pub fn line_ending(&mut self, end: u16, y: u16, columns: u16, line: &[Piece]) -> u16 {
        let width = u16::try_from(line_width(line)).unwrap_or(u16::MAX).min(columns);
        self.line(end.saturating_sub(width), y, width, line);
        end.saturating_sub(width)
    }

    /// Empties an area and gives it a look.
    pub fn fill(&mut self, area: Rect, role: Role) {
        let area = area.intersection(self.area);
        let (base, style) = (self.theme.style(Role::Text), self.theme.style(role));
        for position in area.positions() {
            let cell = &mut self.buffer[position];
            cell.reset();
            cell.set_style(base).set_style(style);
        }
    }

    /// Gives an area a look and leaves the text in it.
    pub fn tint(&mut self, area: Rect, role: Role) {
        let style = self.theme.style(role);
        self.buffer.set_style(area.intersection(self.area), style);
    }

    /// Draws a line across.
    pub fn rule(&mut self, area: Rect, role: Role) {
        let sign = if self.unicode { "─" } else { "-" };
        self.text(area.x, area.y, area.width, &sign.repeat(usize::from(area.width)), role);
    }

    /// Draws a line down.
    pub fn divider(&mut self, area: Rect, role: Role) {
        for y in area.top()..area.bottom() {
            self.text(area.x, y, 1, if self.unicode { "│" } else { "|" }, role);
        }
    }

    /// Returns the sign that stands for what was cut.
    pub fn mark(&self) -> &'static str {
        if self.unicode { "…" } else { "~" }
    }

    /// Returns one of two signs.
    pub fn sign(&self, unicode: char, ascii: char) -> char {
        if self.unicode { unicode } else { ascii }
    }
}

/// Replaces what only UTF-8 can show; one column stays one column.
fn ascii(text: &str) -> std::borrow::Cow<'_, str> {
    if text.is_ascii() {
        return std::borrow::Cow::Borrowed(text);
    }
    let replaced = text.chars().flat_map(|letter| {
        let columns = unicode_width::UnicodeWidthChar::width(letter).unwrap_or(0);
        let sign = match letter {
            letter if letter.is_ascii() => letter,
            '·' | '•' => '.',
            '…' => '~',
            '–' | '—' | '─' => '-',
            '“' | '”' => '"',
            '‘' | '’' => '\'',
            '✓' => '+',
            '✗' => 'x',
            _ => '?',
        };
        std::iter::repeat_n(sign, columns)
    });
    std::borrow::Cow::Owned(replaced.collect())
}
