//! Which rows changed since when.

use alacritty_terminal::term::cell::Cell;
use alacritty_terminal::vte::ansi::Color;

use super::emulator::Emulator;

/// What was last seen of one visible row.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    fingerprint: u64,
    /// The look that found the row, at its place on the screen, different from before.
    changed: u64,
    /// The look that found the line itself different, wherever on the screen it was before.
    edited: u64,
}

/// The looks taken at the screen, and what each of them found.
#[derive(Debug, Default)]
pub(super) struct Looks {
    rows: Vec<Seen>,
    generation: u64,
    screen_start: u64,
    /// The feed after which the last look was taken.
    at: u64,
}

impl Looks {
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Forgets all rows, so that the next look finds every one changed.
    pub fn forget(&mut self) {
        self.rows.clear();
    }

    /// Compares the rows of the screen with those of the last look; only what may have been written to is read.
    ///
    /// Returns whether any of them changed.
    pub fn take(&mut self, emulator: &Emulator, rows: usize) -> bool {
        let screen_start = emulator.history.end();
        let next = self.generation + 1;
        let scrolled = usize::try_from(screen_start.saturating_sub(self.screen_start)).unwrap_or(usize::MAX);
        let mut changed = self.rows.len() != rows || screen_start != self.screen_start;
        let found = (0..rows)
            .map(|index| {
                let here = self.rows.get(index);
                let line = index.checked_add(scrolled).and_then(|index| self.rows.get(index));
                let fingerprint = match line {
                    Some(line) if emulator.edits.last(screen_start + index as u64) <= self.at => {
                        line.fingerprint
                    }
                    _ => fingerprint(emulator.cells(index)),
                };
                let same = |seen: &&Seen| seen.fingerprint == fingerprint;
                let seen = Seen {
                    fingerprint,
                    changed: here.filter(same).map_or(next, |seen| seen.changed),
                    edited: line.filter(same).map_or(next, |seen| seen.edited),
                };
                changed |= seen.changed == next || seen.edited == next;
                seen
            })
            .collect();
        self.at = emulator.edits.now();
        self.rows = found;
        self.screen_start = screen_start;
        if changed {
            self.generation = next;
        }
        changed
    }

    /// Counts a change of something else that is shown.
    pub fn count_change(&mut self) {
        self.generation += 1;
    }

    /// Rows of the screen (from 0) that differ from what stood there at that look.
    pub fn changed_since(&self, generation: u64) -> impl Iterator<Item = u16> + '_ {
        self.numbered().filter(move |(_, seen)| seen.changed > generation).map(|(index, _)| index)
    }

    /// Rows of the screen (from 0) whose line is new or other than at that look.
    pub fn edited_since(&self, generation: u64) -> impl Iterator<Item = u16> + '_ {
        self.numbered().filter(move |(_, seen)| seen.edited > generation).map(|(index, _)| index)
    }

    fn numbered(&self) -> impl Iterator<Item = (u16, &Seen)> + '_ {
        (0..u16::MAX).zip(self.rows.iter())
    }
}

/// A number that differs when the row does (with overwhelming odds).
pub(super) fn fingerprint(cells: &[Cell]) -> u64 {
    let mut sum = cells.len() as u64;
    for cell in cells {
        let look = u64::from(u32::from(cell.c)) << 32 | u64::from(cell.flags.bits());
        sum = mixed(sum ^ look);
        sum = mixed(sum ^ (colour(cell.fg) << 32 | colour(cell.bg)));
        if cell.extra.is_some() {
            for mark in cell.zerowidth().into_iter().flatten() {
                sum = mixed(sum ^ u64::from(u32::from(*mark)));
            }
            if let Some(link) = cell.hyperlink() {
                sum = link.uri().bytes().fold(sum, |sum, byte| mixed(sum ^ u64::from(byte)));
            }
        }
    }
    sum
}

fn mixed(value: u64) -> u64 {
    (value.rotate_left(5) ^ (value >> 3)).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

fn colour(colour: Color) -> u64 {
    match colour {
        Color::Named(name) => name as u64,
        Color::Spec(rgb) => u64::from(u32::from_be_bytes([1, rgb.r, rgb.g, rgb.b])),
        Color::Indexed(index) => 0x0200_0000 | u64::from(index),
    }
}

#[cfg(test)]
impl Looks {
    /// Whether the rows that were not read at the last look are what they were taken for.
    pub fn agree_with(&self, emulator: &Emulator) -> bool {
        self.rows
            .iter()
            .enumerate()
            .all(|(index, seen)| seen.fingerprint == fingerprint(emulator.cells(index)))
    }
}
