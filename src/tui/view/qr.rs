//! A URL as a QR code that a phone can scan, or the room it would need.

use qrcode::{Color, EcLevel, QrCode};
use ratatui::layout::Rect;
use ratatui::style::Modifier;

use super::dialogs;
use super::painter::{Line, Painter, piece};
use crate::tui::text::{self, visible};
use crate::tui::theme::Role;

/// Light modules around the code that scanners want (ISO/IEC 18004 asks for four; two are enough on a screen).
const QUIET: usize = 2;

/// The code as rows of modules, quiet zone and all; true is dark.
fn modules(url: &str) -> Option<Vec<Vec<bool>>> {
    let code = QrCode::with_error_correction_level(url.as_bytes(), EcLevel::L).ok()?;
    let width = code.width();
    let colours = code.to_colors();
    let side = width + 2 * QUIET;
    let dark = |x: usize, y: usize| {
        let inside = (QUIET..QUIET + width).contains(&x) && (QUIET..QUIET + width).contains(&y);
        inside && colours[(y - QUIET) * width + x - QUIET] == Color::Dark
    };
    Some((0..side).map(|y| (0..side).map(|x| dark(x, y)).collect()).collect())
}

/// Draws it, or says what it would need.
pub fn draw(painter: &mut Painter<'_>, screen: Rect, url: &str, code: Option<&str>) {
    let Some(rows) = modules(url) else {
        return sentence(painter, screen, "This URL is too long for a QR code; copy it instead (u).");
    };
    let side = rows.len();
    let (columns, lines) = if painter.unicode { (side, side.div_ceil(2)) } else { (side * 2, side) };
    let room = (usize::from(screen.width), usize::from(screen.height) - 1);
    if columns > room.0 || lines > room.1 {
        return sentence(painter, screen, &too_big(painter, (columns, lines + 1), screen));
    }
    painter.fill(screen, Role::Text);
    let area = Rect {
        x: screen.x + (screen.width - u16::try_from(columns).unwrap_or(0)) / 2,
        y: screen.y + (screen.height - 1 - u16::try_from(lines).unwrap_or(0)) / 2,
        width: u16::try_from(columns).unwrap_or(0),
        height: u16::try_from(lines).unwrap_or(0),
    };
    if painter.unicode {
        half_blocks(painter, area, &rows);
    } else {
        blanks(painter, area, &rows);
    }
    let mut below: Line = vec![piece("Scan it with a phone. Esc goes back.", Role::TextQuiet)];
    if let Some(code) = code {
        below.insert(0, piece(format!("Then enter {}.  ", visible(code)), Role::CardCode));
    }
    painter.line(screen.x + 1, screen.bottom() - 1, screen.width - 1, &below);
}

fn too_big(painter: &Painter<'_>, needed: (usize, usize), screen: Rect) -> String {
    let hint = if painter.unicode { "" } else { " A UTF-8 locale would halve that." };
    format!(
        "The QR code needs {} columns and {} rows; this terminal has {} by {}. Make it larger or its letters smaller, or copy the URL (u).{hint}",
        needed.0, needed.1, screen.width, screen.height
    )
}

fn sentence(painter: &mut Painter<'_>, screen: Rect, sentence: &str) {
    let columns = 60.min(screen.width.saturating_sub(4));
    let lines = text::wrap(sentence, usize::from(columns));
    let rows = u16::try_from(lines.len()).unwrap_or(1) + 2;
    let area = dialogs::frame(painter, screen, columns, rows, "Scan");
    for (y, line) in (area.top()..area.bottom()).zip(&lines) {
        painter.text(area.x, y, area.width, line, Role::Text);
    }
    painter.text(area.x, area.bottom() - 1, area.width, "Esc goes back.", Role::TextQuiet);
}

/// Two modules to a cell. Dark modules are drawn in the foreground, on a light background whatever the theme.
fn half_blocks(painter: &mut Painter<'_>, area: Rect, rows: &[Vec<bool>]) {
    for (y, pair) in (area.top()..area.bottom()).zip(rows.chunks(2)) {
        let below = |x: usize| pair.get(1).is_some_and(|row| row[x]);
        let line: String = (0..pair[0].len())
            .map(|x| match (pair[0][x], below(x)) {
                (true, true) => '█',
                (true, false) => '▀',
                (false, true) => '▄',
                (false, false) => ' ',
            })
            .collect();
        painter.text(area.x, y, area.width, &line, Role::QrCode);
    }
}

/// Two blanks to a module, dark ones with foreground and background swapped.
fn blanks(painter: &mut Painter<'_>, area: Rect, rows: &[Vec<bool>]) {
    let light = painter.style(Role::QrCode);
    let dark = if light.add_modifier.contains(Modifier::REVERSED) {
        light.remove_modifier(Modifier::REVERSED)
    } else {
        light.add_modifier(Modifier::REVERSED)
    };
    for (y, row) in (area.top()..area.bottom()).zip(rows) {
        for (x, module) in (area.x..).step_by(2).zip(row) {
            painter.buffer().set_string(x, y, "  ", if *module { dark } else { light });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_has_its_quiet_zone_and_finder_patterns() {
        let rows = modules("https://example.com").unwrap();
        let side = rows.len();
        assert!(rows[0].iter().chain(&rows[QUIET - 1]).all(|module| !module));
        for (x, y) in [(QUIET, QUIET), (side - QUIET - 7, QUIET), (QUIET, side - QUIET - 7)] {
            let finder: String = (x..x + 7).map(|x| if rows[y + 3][x] { '#' } else { '.' }).collect();
            assert_eq!(finder, "#.###.#");
        }
    }

    #[test]
    fn a_url_beyond_every_version_is_none() {
        assert!(modules(&"x".repeat(3_000)).is_none());
    }
}
