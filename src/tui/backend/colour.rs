//! Colours as SGR parameters, brought down to what the terminal has.

use std::fmt::Write as _;

use ratatui::style::Color;

use crate::tui::surroundings::Colours;

/// The usual values of the sixteen, to find the nearest; terminals differ, the order does not.
const SIXTEEN: [(u8, u8, u8); 16] = [
    (0, 0, 0),
    (205, 49, 49),
    (13, 188, 121),
    (229, 229, 16),
    (36, 114, 200),
    (188, 63, 188),
    (17, 168, 205),
    (229, 229, 229),
    (102, 102, 102),
    (241, 76, 76),
    (35, 209, 139),
    (245, 245, 67),
    (59, 142, 234),
    (214, 112, 214),
    (41, 184, 219),
    (255, 255, 255),
];

/// Brings a colour down to what the terminal has.
pub fn reduce(colour: Color, colours: Colours) -> Color {
    match (colours, colour) {
        (Colours::None, _) => Color::Reset,
        (Colours::True, colour) => colour,
        (Colours::Indexed, Color::Rgb(red, green, blue)) => {
            Color::Indexed(nearest_of_256((red, green, blue)))
        }
        (Colours::Sixteen, Color::Rgb(red, green, blue)) => Color::Indexed(nearest_of_16((red, green, blue))),
        (Colours::Sixteen, Color::Indexed(index)) if index > 15 => {
            Color::Indexed(nearest_of_16(value(index)))
        }
        (Colours::Indexed | Colours::Sixteen, colour) => colour,
    }
}

/// The levels of the 6x6x6 cube.
const LEVELS: [u8; 6] = [0, 95, 135, 175, 215, 255];

/// Returns the value of an entry of the 256.
fn value(index: u8) -> (u8, u8, u8) {
    match index {
        0..=15 => SIXTEEN[usize::from(index)],
        16..=231 => {
            let cube = usize::from(index - 16);
            (LEVELS[cube / 36], LEVELS[cube / 6 % 6], LEVELS[cube % 6])
        }
        232..=255 => {
            let grey = 8 + (index - 232) * 10;
            (grey, grey, grey)
        }
    }
}

fn distance(left: (u8, u8, u8), right: (u8, u8, u8)) -> u32 {
    let part = |left: u8, right: u8| u32::from(left.abs_diff(right)).pow(2);
    // The eye sees green best and blue worst.
    3 * part(left.0, right.0) + 4 * part(left.1, right.1) + 2 * part(left.2, right.2)
}

fn nearest_of_16(colour: (u8, u8, u8)) -> u8 {
    (0..16).min_by_key(|index| distance(value(*index), colour)).unwrap_or(7)
}

fn nearest_of_256((red, green, blue): (u8, u8, u8)) -> u8 {
    let level = |part: u8| (0u8..6).min_by_key(|at| LEVELS[usize::from(*at)].abs_diff(part)).unwrap_or(0);
    let cube = 16 + 36 * level(red) + 6 * level(green) + level(blue);
    let average = (u16::from(red) + u16::from(green) + u16::from(blue)) / 3;
    let grey = 232 + u8::try_from(average.saturating_sub(3) / 10).unwrap_or(23).min(23);
    if distance(value(grey), (red, green, blue)) < distance(value(cube), (red, green, blue)) {
        grey
    } else {
        cube
    }
}

/// Adds a colour's parameters.
pub fn push_colour(bytes: &mut String, colour: Color, background: bool, first: &mut bool) {
    if !std::mem::take(first) {
        bytes.push(';');
    }
    let base: u8 = if background { 40 } else { 30 };
    match colour {
        Color::Rgb(red, green, blue) => write!(bytes, "{};2;{red};{green};{blue}", base + 8),
        Color::Indexed(index @ 0..=7) => write!(bytes, "{}", base + index),
        Color::Indexed(index @ 8..=15) => write!(bytes, "{}", base + 60 + index - 8),
        Color::Indexed(index) => write!(bytes, "{};5;{index}", base + 8),
        // The sixteen by name are not used here; ratatui has them for others.
        _ => write!(bytes, "{}", base + 9),
    }
    .expect("a string takes all text");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_brought_down() {
        assert_eq!(reduce(Color::Rgb(255, 0, 0), Colours::Indexed), Color::Indexed(196));
        assert_eq!(reduce(Color::Rgb(128, 128, 128), Colours::Indexed), Color::Indexed(244));
        assert_eq!(reduce(Color::Rgb(250, 80, 80), Colours::Sixteen), Color::Indexed(9));
        assert_eq!(reduce(Color::Indexed(231), Colours::Sixteen), Color::Indexed(15));
        assert_eq!(reduce(Color::Indexed(3), Colours::None), Color::Reset);
        assert_eq!(reduce(Color::Reset, Colours::Sixteen), Color::Reset);
    }

    #[test]
    fn parameters_are_the_shortest_ones() {
        let mut bytes = String::new();
        let mut first = true;
        push_colour(&mut bytes, Color::Indexed(9), false, &mut first);
        push_colour(&mut bytes, Color::Rgb(1, 2, 3), true, &mut first);
        push_colour(&mut bytes, Color::Reset, false, &mut first);
        assert_eq!(bytes, "91;48;2;1;2;3;39");
    }
}
