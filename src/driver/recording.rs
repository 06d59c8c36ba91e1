//! What a session printed, with the times at which it came: the newest bytes within a bound.

use std::collections::VecDeque;

use crate::core::screen::Size;
use crate::core::time::Timestamp;

/// How close in time two pieces of output must be to become one piece of the recording, in milliseconds.
const TOGETHER: u64 = 10;

/// Where a piece begins.
#[derive(Clone, Copy, Debug)]
struct Mark {
    /// Absolute offset of its first byte.
    offset: u64,
    /// When that byte came.
    at: Timestamp,
}

/// How many changes of size are remembered; the oldest go first.
const MOST_RESIZES: usize = 1_000;

/// A change of the terminal's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resized {
    /// Absolute offset of the output that followed.
    pub offset: u64,
    /// When.
    pub at: Timestamp,
    /// The new size.
    pub size: Size,
}

/// The newest output of a session.
#[derive(Debug)]
pub struct Recording {
    bytes: VecDeque<u8>,
    /// Ordered; the first one is at or before the first byte that is kept.
    marks: VecDeque<Mark>,
    /// Absolute offset behind the newest byte.
    end: u64,
    bound: usize,
    /// The size before the first change that is remembered.
    size: Size,
    resizes: VecDeque<Resized>,
}

impl Recording {
    /// Makes an empty recording that keeps at most `bound` bytes.
    pub fn new(bound: usize, size: Size) -> Self {
        Self {
            bytes: VecDeque::new(),
            marks: VecDeque::new(),
            end: 0,
            bound: bound.max(1),
            size,
            resizes: VecDeque::new(),
        }
    }

    /// Notes that the terminal has another size from here on.
    pub fn resized(&mut self, at: Timestamp, size: Size) {
        self.resizes.push_back(Resized { offset: self.end, at, size });
        if self.resizes.len() > MOST_RESIZES {
            self.forget_resize();
        }
    }

    fn forget_resize(&mut self) {
        if let Some(oldest) = self.resizes.pop_front() {
            self.size = oldest.size;
        }
    }

    /// Returns the size at the start of what is kept.
    pub fn size(&self) -> Size {
        self.size
    }

    /// Returns the changes of size within what is kept, each with its place in [`Self::contents`].
    pub fn resizes(&self) -> impl Iterator<Item = (usize, Resized)> {
        let start = self.start();
        let place = move |offset: u64| usize::try_from(offset.saturating_sub(start)).unwrap_or(usize::MAX);
        self.resizes.iter().map(move |resized| (place(resized.offset), *resized))
    }

    /// Returns the absolute offset behind the newest byte.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// Adds output that begins at the absolute offset. A gap (bytes that nobody kept) is simply missing.
    pub fn push(&mut self, offset: u64, at: Timestamp, output: &[u8]) {
        let kept = &output[output.len().saturating_sub(self.bound)..];
        let kept_offset = offset + (output.len() - kept.len()) as u64;
        if kept_offset != self.end {
            self.bytes.clear();
            self.marks.clear();
        }
        let excess = (self.bytes.len() + kept.len()).saturating_sub(self.bound);
        self.bytes.drain(..excess.min(self.bytes.len()));
        self.bytes.extend(kept);
        self.end = offset + output.len() as u64;
        if self.marks.back().is_none_or(|last| last.at.until(at).as_millis() >= u128::from(TOGETHER)) {
            self.marks.push_back(Mark { offset: kept_offset, at });
        }
        let start = self.start();
        while self.marks.get(1).is_some_and(|second| second.offset <= start) {
            self.marks.pop_front();
        }
        while self.resizes.front().is_some_and(|oldest| oldest.offset < start) {
            self.forget_resize();
        }
    }

    fn start(&self) -> u64 {
        self.end - self.bytes.len() as u64
    }

    /// Returns what is kept in one piece.
    pub fn contents(&self) -> Vec<u8> {
        let (front, back) = self.bytes.as_slices();
        [front, back].concat()
    }

    /// Returns the pieces: when each came, and where in [`Self::contents`] it ends.
    pub fn pieces(&self) -> impl Iterator<Item = (Timestamp, usize)> {
        let start = self.start();
        let ends = self.marks.iter().skip(1).map(|mark| mark.offset).chain(std::iter::once(self.end));
        self.marks.iter().zip(ends).map(move |(mark, end)| {
            let end = usize::try_from(end.saturating_sub(start)).unwrap_or(usize::MAX);
            (mark.at, end.min(self.bytes.len()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size { columns: 80, rows: 24 };

    fn pieces(recording: &Recording) -> Vec<(u64, String)> {
        let contents = recording.contents();
        let mut begin = 0;
        let cut = |(at, end): (Timestamp, usize)| {
            let text = String::from_utf8(contents[begin..end].to_vec()).unwrap();
            begin = end;
            (at.0, text)
        };
        recording.pieces().map(cut).collect()
    }

    #[test]
    fn output_that_comes_together_is_one_piece() {
        let mut recording = Recording::new(100, SIZE);
        recording.push(0, Timestamp(1_000), b"ab");
        recording.push(2, Timestamp(1_005), b"cd");
        recording.push(4, Timestamp(1_020), b"ef");
        assert_eq!(pieces(&recording), [(1_000, "abcd".into()), (1_020, "ef".into())]);
    }

    #[test]
    fn the_oldest_bytes_go_first_and_nothing_grows() {
        let mut recording = Recording::new(4, SIZE);
        recording.push(0, Timestamp(0), b"abc");
        recording.push(3, Timestamp(100), b"def");
        assert_eq!(pieces(&recording), [(0, "c".into()), (100, "def".into())]);
        recording.push(6, Timestamp(200), b"0123456789");
        assert_eq!(pieces(&recording), [(200, "6789".into())]);
        for step in 0..10_000u64 {
            recording.push(16 + step, Timestamp(1_000 + step * 20), b"x");
        }
        assert!(recording.marks.len() <= 5, "{} marks", recording.marks.len());
    }

    #[test]
    fn the_size_at_the_start_of_what_is_kept_is_known() {
        let wide = Size { columns: 120, rows: 40 };
        let mut recording = Recording::new(4, SIZE);
        recording.push(0, Timestamp(0), b"ab");
        recording.resized(Timestamp(1), wide);
        recording.push(2, Timestamp(20), b"cd");
        assert_eq!(recording.size(), SIZE);
        assert_eq!(
            recording.resizes().map(|(place, resized)| (place, resized.size)).collect::<Vec<_>>(),
            [(2, wide)]
        );
        recording.push(4, Timestamp(40), b"efg");
        assert_eq!((recording.size(), recording.resizes().count()), (wide, 0));
    }

    #[test]
    fn a_gap_starts_over() {
        let mut recording = Recording::new(100, SIZE);
        recording.push(0, Timestamp(0), b"abc");
        recording.push(10, Timestamp(50), b"xyz");
        assert_eq!(pieces(&recording), [(50, "xyz".into())]);
        assert_eq!(recording.end(), 13);
    }
}
