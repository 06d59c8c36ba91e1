//! Control sequences of plain numbers, as the parser would order them.

use alacritty_terminal::term::cell::Flags;
use alacritty_terminal::vte::ansi::{ClearMode, Color, Handler as _, LineClearMode, NamedColor, Rgb};

use super::Emulator;

impl Emulator {
    /// Does what a control sequence says; returns false if it is none of those that programs use all the time.
    #[inline]
    pub(in crate::core::screen) fn control(&mut self, last: u8, numbers: &[u16]) -> bool {
        let count = usize::from(numbers[0].max(1));
        match last {
            b'm' => self.set_pen(numbers),
            b'H' | b'f' => {
                let column = usize::from(numbers.get(1).map_or(1, |column| *column.max(&1)));
                self.goto(i32::from(numbers[0].max(1)) - 1, column - 1);
            }
            b'A' => self.move_up(count),
            b'B' => self.move_down(count),
            b'C' => self.move_forward(count),
            b'D' => self.move_backward(count),
            b'G' => self.goto_col(count - 1),
            b'd' => self.goto_line(i32::from(numbers[0].max(1)) - 1),
            b'J' => match numbers[0] {
                0 => self.clear_screen(ClearMode::Below),
                1 => self.clear_screen(ClearMode::Above),
                2 => self.clear_screen(ClearMode::All),
                _ => return false,
            },
            b'K' => match numbers[0] {
                0 => self.clear_line(LineClearMode::Right),
                1 => self.clear_line(LineClearMode::Left),
                2 => self.clear_line(LineClearMode::All),
                _ => return false,
            },
            b'P' => self.delete_chars(count),
            b'X' => self.erase_chars(count),
            _ => return false,
        }
        true
    }

    /// Select Graphic Rendition (ECMA-48 section 8.3.117).
    fn set_pen(&mut self, numbers: &[u16]) {
        let pen = &mut self.term.grid_mut().cursor.template;
        let mut numbers = numbers.iter().copied();
        while let Some(number) = numbers.next() {
            match number {
                0 => {
                    pen.fg = Color::Named(NamedColor::Foreground);
                    pen.bg = Color::Named(NamedColor::Background);
                    pen.flags = Flags::empty();
                    if pen.extra.is_some() {
                        pen.set_underline_color(None);
                    }
                }
                1 => pen.flags.insert(Flags::BOLD),
                2 => pen.flags.insert(Flags::DIM),
                3 => pen.flags.insert(Flags::ITALIC),
                4 => {
                    pen.flags.remove(Flags::ALL_UNDERLINES);
                    pen.flags.insert(Flags::UNDERLINE);
                }
                7 => pen.flags.insert(Flags::INVERSE),
                8 => pen.flags.insert(Flags::HIDDEN),
                9 => pen.flags.insert(Flags::STRIKEOUT),
                22 => pen.flags.remove(Flags::BOLD | Flags::DIM),
                23 => pen.flags.remove(Flags::ITALIC),
                24 => pen.flags.remove(Flags::ALL_UNDERLINES),
                27 => pen.flags.remove(Flags::INVERSE),
                28 => pen.flags.remove(Flags::HIDDEN),
                29 => pen.flags.remove(Flags::STRIKEOUT),
                30..=37 | 90..=97 => pen.fg = named(number - 30),
                40..=47 | 100..=107 => pen.bg = named(number - 40),
                38 => pen.fg = extended(&mut numbers).unwrap_or(pen.fg),
                39 => pen.fg = Color::Named(NamedColor::Foreground),
                48 => pen.bg = extended(&mut numbers).unwrap_or(pen.bg),
                49 => pen.bg = Color::Named(NamedColor::Background),
                58 => {
                    if let Some(colour) = extended(&mut numbers) {
                        pen.set_underline_color(Some(colour));
                    }
                }
                59 => pen.set_underline_color(None),
                _ => {}
            }
        }
    }
}

/// One of the sixteen colours: 0 to 7, and the bright ones from 60 on.
#[inline]
fn named(number: u16) -> Color {
    use NamedColor as Name;
    const NAMES: [NamedColor; 16] = [
        Name::Black,
        Name::Red,
        Name::Green,
        Name::Yellow,
        Name::Blue,
        Name::Magenta,
        Name::Cyan,
        Name::White,
        Name::BrightBlack,
        Name::BrightRed,
        Name::BrightGreen,
        Name::BrightYellow,
        Name::BrightBlue,
        Name::BrightMagenta,
        Name::BrightCyan,
        Name::BrightWhite,
    ];
    let index = if number < 60 { number } else { number - 52 };
    Color::Named(NAMES[usize::from(index & 15)])
}

/// A colour of 256, or of three parts; a part that is too great spoils it, and the numbers before it are taken.
#[inline]
fn extended(numbers: &mut impl Iterator<Item = u16>) -> Option<Color> {
    let mut part = || u8::try_from(numbers.next()?).ok();
    match part()? {
        2 => Some(Color::Spec(Rgb { r: part()?, g: part()?, b: part()? })),
        5 => Some(Color::Indexed(part()?)),
        _ => None,
    }
}
