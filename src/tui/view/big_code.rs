//! The device code in large letters, so that it can be typed off a screen across the desk.
//!
//! Each letter is six dots high, two dots to a cell (`▀ ▄ █`). The zero has a stroke, the one a foot and no head, so
//! that no two letters look alike.

use super::painter::{Line, piece};
use crate::tui::action::Action;
use crate::tui::text;
use crate::tui::theme::Role;

/// Letters of dots, top row first.
#[rustfmt::skip]
const FONT: [(char, [&str; 6]); 37] = [
    ('-', ["...", "...", "###", "...", "...", "..."]),
    ('0', [".##.", "#..#", "#.##", "##.#", "#..#", ".##."]),
    ('1', [".#.", "##.", ".#.", ".#.", ".#.", "###"]),
    ('2', [".##.", "#..#", "...#", ".##.", "#...", "####"]),
    ('3', ["###.", "...#", ".##.", "...#", "...#", "###."]),
    ('4', ["..#.", ".##.", "#.#.", "####", "..#.", "..#."]),
    ('5', ["####", "#...", "###.", "...#", "...#", "###."]),
    ('6', [".##.", "#...", "###.", "#..#", "#..#", ".##."]),
    ('7', ["####", "...#", "..#.", "..#.", ".#..", ".#.."]),
    ('8', [".##.", "#..#", ".##.", "#..#", "#..#", ".##."]),
    ('9', [".##.", "#..#", "#..#", ".###", "...#", ".##."]),
    ('A', [".##.", "#..#", "#..#", "####", "#..#", "#..#"]),
    ('B', ["###.", "#..#", "###.", "#..#", "#..#", "###."]),
    ('C', [".###", "#...", "#...", "#...", "#...", ".###"]),
    ('D', ["###.", "#..#", "#..#", "#..#", "#..#", "###."]),
    ('E', ["####", "#...", "###.", "#...", "#...", "####"]),
    ('F', ["####", "#...", "###.", "#...", "#...", "#..."]),
    ('G', [".###", "#...", "#...", "#.##", "#..#", ".###"]),
    ('H', ["#..#", "#..#", "####", "#..#", "#..#", "#..#"]),
    ('I', ["###", ".#.", ".#.", ".#.", ".#.", "###"]),
    ('J', ["..##", "...#", "...#", "...#", "#..#", ".##."]),
    ('K', ["#..#", "#.#.", "##..", "##..", "#.#.", "#..#"]),
    ('L', ["#...", "#...", "#...", "#...", "#...", "####"]),
    ('M', ["#...#", "##.##", "#.#.#", "#...#", "#...#", "#...#"]),
    ('N', ["#...#", "##..#", "#.#.#", "#..##", "#...#", "#...#"]),
    ('O', [".###.", "#...#", "#...#", "#...#", "#...#", ".###."]),
    ('P', ["###.", "#..#", "#..#", "###.", "#...", "#..."]),
    ('Q', [".###.", "#...#", "#...#", "#.#.#", "#..#.", ".##.#"]),
    ('R', ["###.", "#..#", "#..#", "###.", "#.#.", "#..#"]),
    ('S', [".###", "#...", ".##.", "...#", "...#", "###."]),
    ('T', ["#####", "..#..", "..#..", "..#..", "..#..", "..#.."]),
    ('U', ["#..#", "#..#", "#..#", "#..#", "#..#", ".##."]),
    ('V', ["#...#", "#...#", "#...#", ".#.#.", ".#.#.", "..#.."]),
    ('W', ["#...#", "#...#", "#...#", "#.#.#", "##.##", "#...#"]),
    ('X', ["#...#", ".#.#.", "..#..", "..#..", ".#.#.", "#...#"]),
    ('Y', ["#...#", ".#.#.", "..#..", "..#..", "..#..", "..#.."]),
    ('Z', ["####", "...#", "..#.", ".#..", "#...", "####"]),
];

/// Returns the code's lines: large if there is room and `large` is wanted, else spaced, else plain.
pub fn lines(code: &str, columns: usize, large: bool) -> Vec<Line> {
    if let Some(rows) = drawn(code).filter(|rows| large && text::width(&rows[0]) <= columns) {
        return rows.into_iter().map(|row| vec![clickable(row)]).collect();
    }
    let spaced: Vec<String> = code.chars().map(String::from).collect();
    let spaced = spaced.join(" ");
    let fits = text::width(&spaced) + 5 <= columns;
    let shown = if fits { spaced } else { code.to_owned() };
    vec![vec![piece("code ", Role::TextQuiet), clickable(shown)]]
}

fn clickable(code: String) -> super::painter::Piece {
    let mut code = piece(code, Role::CardCode);
    code.action = Some(Action::CodeCopy);
    code
}

/// Draws the code in three rows of half blocks; nothing if a letter has no drawing.
fn drawn(code: &str) -> Option<[String; 3]> {
    let mut rows = [String::new(), String::new(), String::new()];
    for letter in code.chars() {
        let (_, dots) = FONT.iter().find(|(known, _)| *known == letter)?;
        for (row, pair) in rows.iter_mut().zip(dots.chunks(2)) {
            if !row.is_empty() {
                row.push(' ');
            }
            row.extend(pair[0].bytes().zip(pair[1].bytes()).map(half_block));
        }
    }
    (!code.is_empty()).then_some(rows)
}

fn half_block(dots: (u8, u8)) -> char {
    match (dots.0 == b'#', dots.1 == b'#') {
        (true, true) => '█',
        (true, false) => '▀',
        (false, true) => '▄',
        (false, false) => ' ',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_letters_look_alike() {
        for (index, (letter, dots)) in FONT.iter().enumerate() {
            for (other, other_dots) in &FONT[index + 1..] {
                assert_ne!(dots, other_dots, "{letter} and {other}");
            }
        }
    }

    #[test]
    fn it_degrades_to_spaced_and_then_plain_letters() {
        assert_eq!(lines("AB", 40, true).len(), 3);
        assert_eq!(lines("AB-1", 12, true)[0][1].text, "A B - 1");
        assert_eq!(lines("AB-1", 10, true)[0][1].text, "AB-1");
        assert_eq!(lines("ab", 40, true)[0][1].text, "a b");
        assert_eq!(lines("AB", 40, false).len(), 1);
    }
}
