//! Turns changed cells into bytes: no cursor move and no colour that the terminal has already, nothing at all if
//! nothing changed. The bytes are collected, so that one frame is one write.

use std::convert::Infallible;
use std::fmt::Write as _;

use ratatui::backend::{Backend, ClearType, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};
use ratatui::style::{Color, Modifier};

use super::surroundings::Colours;
use crate::core::visible::is_format_character;

mod colour;
mod hyperlink;

use colour::{push_colour, reduce};
use hyperlink::{Hyperlink, MARKS};

/// A frame of this many bytes is wrapped in a synchronized update (mode 2026), so that no half of it is shown.
const BIG_FRAME: usize = 2_048;

/// The look that the terminal's pen has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Pen {
    foreground: Color,
    background: Color,
    modifiers: Modifier,
}

const PLAIN: Pen = Pen { foreground: Color::Reset, background: Color::Reset, modifiers: Modifier::empty() };

/// A [`Backend`] that writes into memory.
#[derive(Debug)]
pub struct LeanBackend {
    bytes: String,
    size: Size,
    colours: Colours,
    /// Where the terminal's cursor is; unknown after a wide character or at the right edge.
    cursor: Option<Position>,
    pen: Option<Pen>,
    /// Whether the cursor is shown; unknown at the start.
    shown: Option<bool>,
    link: Hyperlink,
}

impl LeanBackend {
    /// Starts with a terminal of which nothing is known but its size.
    pub fn new(columns: u16, rows: u16, colours: Colours) -> Self {
        let size = Size::new(columns, rows);
        Self {
            bytes: String::new(),
            size,
            colours,
            cursor: None,
            pen: None,
            shown: None,
            link: Hyperlink::default(),
        }
    }

    /// Tells it the terminal's new size.
    pub fn resize(&mut self, columns: u16, rows: u16) {
        self.size = Size::new(columns, rows);
        self.cursor = None;
    }

    /// Says where the link of the next frame leads to; its cells are to have the modifier that is returned. There is
    /// one link in a frame, to a URL of printable ASCII.
    pub fn link(&mut self, url: &str) -> Modifier {
        self.link.lead_to(url)
    }

    /// Takes what was collected since the last time.
    pub fn take(&mut self) -> Vec<u8> {
        let bytes = std::mem::take(&mut self.bytes).into_bytes();
        if bytes.len() < BIG_FRAME {
            return bytes;
        }
        [b"\x1b[?2026h", bytes.as_slice(), b"\x1b[?2026l"].concat()
    }

    fn go(&mut self, to: Position) {
        let Some(from) = self.cursor.filter(|from| from.y == to.y && from.x <= to.x) else {
            self.bytes.push_str("\x1b[");
            if to.y > 0 || to.x > 0 {
                push_number(&mut self.bytes, to.y + 1);
            }
            if to.x > 0 {
                self.bytes.push(';');
                push_number(&mut self.bytes, to.x + 1);
            }
            self.bytes.push('H');
            self.cursor = Some(to);
            return;
        };
        match to.x - from.x {
            0 => {}
            1 => self.bytes.push_str("\x1b[C"),
            columns => {
                self.bytes.push_str("\x1b[");
                push_number(&mut self.bytes, columns);
                self.bytes.push('C');
            }
        }
        self.cursor = Some(to);
    }

    fn take_pen(&mut self, wanted: Pen) {
        let current = self.pen.filter(|current| current.modifiers == wanted.modifiers);
        match current {
            Some(current) if current == wanted => {}
            Some(current) => self.change_pen(current, wanted),
            None => self.change_pen_from_plain(wanted),
        }
        self.pen = Some(wanted);
    }

    fn change_pen(&mut self, from: Pen, to: Pen) {
        self.bytes.push_str("\x1b[");
        let mut first = true;
        if from.foreground != to.foreground {
            push_colour(&mut self.bytes, to.foreground, false, &mut first);
        }
        if from.background != to.background {
            push_colour(&mut self.bytes, to.background, true, &mut first);
        }
        self.bytes.push('m');
    }

    fn change_pen_from_plain(&mut self, to: Pen) {
        self.bytes.push_str("\x1b[");
        let mut first = self.pen == Some(PLAIN);
        if !first {
            self.bytes.push('0');
        }
        for (modifier, number) in [
            (Modifier::BOLD, '1'),
            (Modifier::DIM, '2'),
            (Modifier::ITALIC, '3'),
            (Modifier::UNDERLINED, '4'),
            (Modifier::REVERSED, '7'),
            (Modifier::CROSSED_OUT, '9'),
        ] {
            if to.modifiers.contains(modifier) {
                if !std::mem::take(&mut first) {
                    self.bytes.push(';');
                }
                self.bytes.push(number);
            }
        }
        for (colour, background) in [(to.foreground, false), (to.background, true)] {
            if colour != Color::Reset {
                push_colour(&mut self.bytes, colour, background, &mut first);
            }
        }
        self.bytes.push('m');
    }

    fn put(&mut self, at: Position, cell: &Cell) {
        let symbol = cell.symbol();
        let pen = Pen {
            foreground: reduce(cell.fg, self.colours),
            background: reduce(cell.bg, self.colours),
            modifiers: cell.modifier.difference(MARKS),
        };
        // A blank has no foreground to change, unless a line goes through it or it is swapped with the background.
        let drawn = Modifier::UNDERLINED | Modifier::REVERSED | Modifier::CROSSED_OUT;
        let pen = match self.pen {
            Some(current)
                if symbol == " "
                    && !pen.modifiers.intersects(drawn)
                    && !current.modifiers.intersects(drawn) =>
            {
                Pen { foreground: current.foreground, modifiers: current.modifiers, ..pen }
            }
            Some(_) | None => pen,
        };
        self.go(at);
        self.link.switch(cell.modifier.intersects(MARKS), &mut self.bytes);
        self.take_pen(pen);
        // The last gate: whatever is wrong above, no control character leaves for the terminal.
        self.bytes.push_str(if is_clean(symbol) { symbol } else { "\u{fffd}" });
        // Terminals disagree about wide characters and about what happens at the right edge.
        let next = at.x + 1;
        self.cursor = is_narrow(symbol).then_some(Position::new(next, at.y));
        self.cursor = self.cursor.filter(|cursor| cursor.x < self.size.width);
    }
}

/// Whether every terminal draws a sign in one column: ASCII, and what the deck itself is drawn with.
pub(super) fn is_narrow(symbol: &str) -> bool {
    let mut letters = symbol.chars();
    match (letters.next(), letters.next()) {
        (Some(letter), None) => {
            letter.is_ascii()
                || matches!(letter, '\u{a1}'..='\u{ac}' | '\u{ae}'..='\u{24f}' | '─'..='▟' | '…' | '•' | '–' | '“' | '”')
        }
        _ => false,
    }
}

/// Whether a terminal draws a symbol and does nothing else.
fn is_clean(symbol: &str) -> bool {
    !symbol.chars().any(|letter| letter.is_control() || is_format_character(letter))
}

fn push_number(bytes: &mut String, number: u16) {
    write!(bytes, "{number}").expect("a string takes all text");
}

impl Backend for LeanBackend {
    type Error = Infallible;

    fn draw<'a, I>(&mut self, content: I) -> Result<(), Infallible>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        for (x, y, cell) in content {
            self.put(Position::new(x, y), cell);
        }
        self.link.switch(false, &mut self.bytes);
        Ok(())
    }

    fn hide_cursor(&mut self) -> Result<(), Infallible> {
        if self.shown != Some(false) {
            self.bytes.push_str("\x1b[?25l");
            self.shown = Some(false);
        }
        Ok(())
    }

    fn show_cursor(&mut self) -> Result<(), Infallible> {
        if self.shown != Some(true) {
            self.bytes.push_str("\x1b[?25h");
            self.shown = Some(true);
        }
        Ok(())
    }

    fn get_cursor_position(&mut self) -> Result<Position, Infallible> {
        Ok(self.cursor.unwrap_or_default())
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> Result<(), Infallible> {
        self.go(position.into());
        Ok(())
    }

    fn clear(&mut self) -> Result<(), Infallible> {
        self.bytes.push_str("\x1b[0m\x1b[2J");
        self.pen = Some(PLAIN);
        Ok(())
    }

    fn clear_region(&mut self, _region: ClearType) -> Result<(), Infallible> {
        self.clear()
    }

    fn size(&self) -> Result<Size, Infallible> {
        Ok(self.size)
    }

    fn window_size(&mut self) -> Result<WindowSize, Infallible> {
        Ok(WindowSize { columns_rows: self.size, pixels: Size::default() })
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use ratatui::Terminal;

    use super::*;

    fn terminal(columns: u16) -> Terminal<LeanBackend> {
        let mut terminal = Terminal::new(LeanBackend::new(columns, 5, Colours::True)).unwrap();
        terminal.clear().unwrap();
        terminal.draw(|_| {}).unwrap();
        terminal.backend_mut().take();
        terminal
    }

    fn frame(
        terminal: &mut Terminal<LeanBackend>,
        draw: impl FnOnce(&mut ratatui::buffer::Buffer),
    ) -> String {
        terminal.draw(|frame| draw(frame.buffer_mut())).unwrap();
        String::from_utf8(terminal.backend_mut().take()).unwrap()
    }

    #[test]
    fn a_frame_without_a_change_is_no_bytes() {
        let mut terminal = terminal(80);
        assert_eq!(frame(&mut terminal, |_| {}), "");
    }

    #[test]
    fn a_link_is_around_its_cells_only_and_a_new_target_draws_the_same_text_anew() {
        let mut terminal = terminal(80);
        let mut shown = |url: &str| {
            let mark = terminal.backend_mut().link(url);
            frame(&mut terminal, |buffer| {
                buffer.set_string(2, 1, "a…b", ratatui::style::Style::default());
                (2..4).for_each(|x| buffer[(x, 1)].modifier.insert(mark));
            })
        };
        let of = |number: u32, url: &str| {
            format!("\x1b[2;3H\x1b]8;id=authdeck-{number};{url}\x1b\\a…\x1b]8;;\x1b\\")
        };
        assert_eq!(shown("https://a.example/1"), of(1, "https://a.example/1") + "b");
        assert_eq!(shown("https://a.example/1"), "");
        assert_eq!(shown("https://a.example/2"), of(2, "https://a.example/2"));
        assert_eq!(shown("https://a.example/1"), of(3, "https://a.example/1"));
        assert_eq!(shown("https://a.example/3"), of(4, "https://a.example/3"));
    }

    #[test]
    fn a_spinner_costs_a_move_and_its_letter() {
        let mut terminal = terminal(80);
        let spin = |letter: &'static str| {
            move |buffer: &mut ratatui::buffer::Buffer| {
                buffer.set_string(30, 3, letter, ratatui::style::Style::default());
            }
        };
        frame(&mut terminal, spin("-"));
        assert_eq!(frame(&mut terminal, spin("+")), "\x1b[4;31H+");
    }

    #[test]
    fn neighbours_need_no_move_and_the_same_colour_is_not_said_twice() {
        let mut terminal = terminal(80);
        let red = ratatui::style::Style::default().fg(Color::Indexed(1));
        let drawn = frame(&mut terminal, |buffer| {
            buffer.set_string(0, 0, "ab", red);
            buffer.set_string(5, 0, "c", red);
        });
        assert_eq!(drawn, "\x1b[31mab\x1b[3Cc");
    }

    #[test]
    fn after_a_wide_character_and_at_the_edge_the_place_is_said() {
        let mut terminal = terminal(4);
        let drawn = frame(&mut terminal, |buffer| {
            buffer.set_string(0, 0, "漢a", ratatui::style::Style::default());
            buffer.set_string(3, 0, "x", ratatui::style::Style::default());
            buffer.set_string(0, 1, "y", ratatui::style::Style::default());
        });
        assert_eq!(drawn, "漢\x1b[1;3Hax\x1b[2Hy");
    }

    #[test]
    fn a_big_frame_is_shown_at_once() {
        let mut terminal = Terminal::new(LeanBackend::new(200, 50, Colours::True)).unwrap();
        let drawn = frame(&mut terminal, |buffer| {
            for y in 0..50 {
                buffer.set_string(0, y, "x".repeat(200), ratatui::style::Style::default());
            }
        });
        assert!(drawn.starts_with("\x1b[?2026h") && drawn.ends_with("\x1b[?2026l"));
    }
}
