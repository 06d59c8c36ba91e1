//! Which lines of the screen may have been written to since when.

use std::ops::Range;

/// When each line of the screen was last written to, as far as that is known: never earlier than it was.
///
/// Time is counted in feeds. Lines go by their absolute number, so that scrolling changes nothing but the new line.
#[derive(Debug)]
pub(super) struct Edits {
    now: u64,
    /// The last time at which every line may have been written to.
    everywhere: u64,
    /// The last time for each line, at its number modulo the length, which is a power of two.
    lines: Vec<u64>,
}

impl Edits {
    pub fn new(rows: usize) -> Self {
        Self { now: 1, everywhere: 1, lines: vec![0; rows.next_power_of_two()] }
    }

    /// Begins a new feed.
    pub fn tick(&mut self) {
        self.now += 1;
    }

    /// The number of the feed that is going on, or the last one.
    pub fn now(&self) -> u64 {
        self.now
    }

    /// Notes that a line is being written to.
    #[inline]
    pub fn note(&mut self, number: u64) {
        let now = self.now;
        *self.line(number) = now;
    }

    /// Notes that some lines are being written to.
    pub fn note_range(&mut self, numbers: Range<u64>) {
        numbers.for_each(|number| self.note(number));
    }

    /// Notes that every line may be another one now.
    #[inline]
    pub fn note_all(&mut self) {
        self.everywhere = self.now;
    }

    /// Starts over for another number of rows.
    pub fn resize(&mut self, rows: usize) {
        *self = Self { now: self.now, everywhere: self.now, lines: vec![0; rows.next_power_of_two()] };
    }

    /// The feed that last wrote to a line of the screen.
    pub fn last(&self, number: u64) -> u64 {
        let index = slot(number, self.lines.len());
        self.lines[index].max(self.everywhere)
    }

    fn line(&mut self, number: u64) -> &mut u64 {
        let index = slot(number, self.lines.len());
        &mut self.lines[index]
    }
}

#[inline]
fn slot(number: u64, length: usize) -> usize {
    // What is cut off on a small machine does not matter to the remainder.
    number as usize & (length - 1)
}
