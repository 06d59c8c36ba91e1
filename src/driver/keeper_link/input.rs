//! Bytes on their way to the child: in order, each within its time, none cut off.
//!
//! In canonical mode the kernel keeps at most 4095 bytes of a line and silently drops the rest while `write`
//! reports success. So the mode is looked at when a piece of input comes to the front, and a line that would not
//! fit is refused before its first byte is written.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::keeper::terminal::{Terminal, TerminalMode};

/// The longest line that a terminal in canonical mode takes, its end included (Linux, `N_TTY_BUF_SIZE` - 1).
pub const LONGEST_LINE: usize = 4095;

/// The most bytes that one input may carry, and that may wait.
pub const LONGEST_INPUT: usize = 1024 * 1024;

/// The most pieces that may wait.
const MOST_WAITING: usize = 4096;

/// What became of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputOutcome {
    /// The terminal took all of it.
    Written,
    /// Nothing was written: the child reads whole lines, and this one would be cut off by the kernel.
    LineTooLong {
        /// The longest line that fits, in bytes, the line's end included.
        limit: u32,
    },
    /// Nobody is there to read: the child ended or closed its terminal.
    Closed,
    /// The child did not read in time; the rest was dropped.
    Deadline {
        /// How many bytes the terminal took.
        written: u32,
    },
    /// Nothing was written: too much is waiting already.
    Full,
}

impl InputOutcome {
    /// Says why an input was not written, or not all of it.
    pub fn reason(self) -> String {
        match self {
            Self::Written => String::new(),
            Self::Closed => "the CLI reads no more input".to_owned(),
            Self::LineTooLong { limit } => format!(
                "the CLI reads whole lines of at most {limit} bytes, and the kernel would cut this one off; \
                 look for another way to give it, such as a file or a variable"
            ),
            Self::Deadline { written: 0 } => {
                "the CLI does not read its input; look at its screen, or kill it and start again".to_owned()
            }
            Self::Deadline { written } => format!(
                "the CLI read {written} bytes of it and then no more; look at its screen, or kill it and start again"
            ),
            Self::Full => {
                "too much input waits for the CLI already; wait until it reads, or kill it and start again"
                    .to_owned()
            }
        }
    }
}

struct Piece<T> {
    tag: T,
    bytes: Zeroizing<Vec<u8>>,
    written: usize,
    until: Duration,
}

/// What the queue writes to; the terminal, or a stand-in under test.
pub trait Sink {
    /// Returns how the terminal treats input.
    fn mode(&self) -> Option<TerminalMode>;
    /// Writes what fits now.
    ///
    /// # Errors
    /// Nobody is there to read any more.
    fn write(&self, bytes: &[u8]) -> io::Result<usize>;
}

impl Sink for Terminal {
    fn mode(&self) -> Option<TerminalMode> {
        Self::mode(self)
    }

    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        Self::write(self, bytes)
    }
}

/// An input's tag and what became of it.
pub type Done<T> = (T, InputOutcome);

/// The queue. Each piece has a tag, by which whoever put it in knows it again.
pub struct InputQueue<T> {
    pieces: VecDeque<Piece<T>>,
    bytes: usize,
    limit: Duration,
    /// Bytes of an unfinished line that the kernel holds, as far as we know.
    open_line: usize,
}

impl<T> InputQueue<T> {
    /// Makes an empty queue; a piece at the front may take `limit` to be read. `open_line`: bytes of an unfinished line
    /// that the kernel holds already.
    pub fn new(limit: Duration, open_line: usize) -> Self {
        Self { pieces: VecDeque::new(), bytes: 0, limit, open_line }
    }

    /// Returns how many bytes of an unfinished line the kernel holds, as far as is known.
    pub fn open_line(&self) -> usize {
        self.open_line
    }

    /// Tells whether something waits to be written.
    pub fn is_waiting(&self) -> bool {
        !self.pieces.is_empty()
    }

    /// Returns when the piece at the front is given up.
    pub fn deadline(&self) -> Option<Duration> {
        self.pieces.front().map(|piece| piece.until)
    }

    /// Appends a piece, unless too much waits already.
    ///
    /// # Errors
    /// The outcome to report: nothing was taken.
    pub fn push(&mut self, now: Duration, tag: T, bytes: &[u8]) -> Result<(), Done<T>> {
        if self.bytes + bytes.len() > LONGEST_INPUT || self.pieces.len() >= MOST_WAITING {
            return Err((tag, InputOutcome::Full));
        }
        let until = now.saturating_add(self.limit);
        self.bytes += bytes.len();
        self.pieces.push_back(Piece { tag, bytes: Zeroizing::new(bytes.to_vec()), written: 0, until });
        Ok(())
    }

    /// Writes as much as fits and returns what is done; `begun` is told of each piece of which the first bytes went.
    pub fn write(&mut self, now: Duration, sink: &impl Sink, mut begun: impl FnMut(&T)) -> Vec<Done<T>> {
        let mut done = Vec::new();
        while let Some(outcome) = self.write_front(now, sink, &mut begun) {
            self.finish_front(now, outcome, &mut done);
        }
        done
    }

    /// Works on the piece at the front; `None` if it has to wait, or there is none.
    fn write_front(
        &mut self,
        now: Duration,
        sink: &impl Sink,
        begun: &mut impl FnMut(&T),
    ) -> Option<InputOutcome> {
        let piece = self.pieces.front_mut()?;
        let canonical = sink.mode().is_some_and(|mode| mode.canonical);
        if piece.written == 0 {
            if !canonical {
                self.open_line = 0;
            } else if longest_line(self.open_line, &piece.bytes) > LONGEST_LINE {
                return Some(InputOutcome::LineTooLong { limit: LONGEST_LINE as u32 });
            }
        }
        while piece.written < piece.bytes.len() {
            match sink.write(&piece.bytes[piece.written..]) {
                Ok(0) => {
                    let written = u32::try_from(piece.written).unwrap_or(u32::MAX);
                    return (now >= piece.until).then_some(InputOutcome::Deadline { written });
                }
                Ok(count) => {
                    if piece.written == 0 {
                        begun(&piece.tag);
                    }
                    let taken = &piece.bytes[piece.written..piece.written + count];
                    self.open_line = if canonical { open_line_after(self.open_line, taken) } else { 0 };
                    piece.written += count;
                }
                Err(_) => return Some(InputOutcome::Closed),
            }
        }
        Some(InputOutcome::Written)
    }

    fn finish_front(&mut self, now: Duration, outcome: InputOutcome, done: &mut Vec<Done<T>>) {
        if let Some(piece) = self.pieces.pop_front() {
            self.bytes -= piece.bytes.len();
            done.push((piece.tag, outcome));
        }
        // The next one's time starts when it comes to the front.
        if let Some(next) = self.pieces.front_mut() {
            next.until = now.saturating_add(self.limit);
        }
    }

    /// Gives everything up, because nobody is there to read.
    pub fn close(&mut self) -> Vec<Done<T>> {
        self.bytes = 0;
        self.pieces.drain(..).map(|piece| (piece.tag, InputOutcome::Closed)).collect()
    }
}

/// Tells whether the byte ends a line, or empties the line buffer (kill, interrupt, end of file).
fn ends_line(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r' | 0x15 | 0x03 | 0x04)
}

/// Returns the length of the longest line, the first of which continues `open` bytes that were written before.
fn longest_line(open: usize, bytes: &[u8]) -> usize {
    let mut longest = 0;
    let mut length = open;
    for byte in bytes {
        length += 1;
        longest = longest.max(length);
        if ends_line(*byte) {
            length = 0;
        }
    }
    longest
}

fn open_line_after(open: usize, bytes: &[u8]) -> usize {
    match bytes.iter().rposition(|byte| ends_line(*byte)) {
        Some(end) => bytes.len() - end - 1,
        None => open + bytes.len(),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use super::*;

    struct Fake {
        canonical: bool,
        room: Cell<usize>,
        got: RefCell<Vec<u8>>,
    }

    impl Fake {
        fn new(canonical: bool, room: usize) -> Self {
            Self { canonical, room: Cell::new(room), got: RefCell::new(Vec::new()) }
        }
    }

    impl Sink for Fake {
        fn mode(&self) -> Option<TerminalMode> {
            Some(TerminalMode { canonical: self.canonical, echo: true })
        }

        fn write(&self, bytes: &[u8]) -> io::Result<usize> {
            let count = bytes.len().min(self.room.get());
            self.room.set(self.room.get() - count);
            self.got.borrow_mut().extend_from_slice(&bytes[..count]);
            Ok(count)
        }
    }

    const fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    fn queue() -> InputQueue<u32> {
        InputQueue::new(seconds(5), 0)
    }

    fn line(length: usize) -> Vec<u8> {
        let mut line = vec![b'u'; length - 1];
        line.push(b'\r');
        line
    }

    #[test]
    fn a_line_of_4095_bytes_passes_and_one_more_is_refused_whole() {
        let sink = Fake::new(true, usize::MAX);
        let mut queue = queue();
        queue.push(seconds(0), 1, &line(4095)).unwrap();
        queue.push(seconds(0), 2, &line(4096)).unwrap();
        let done = queue.write(seconds(0), &sink, |_| {});
        assert_eq!(done, [(1, InputOutcome::Written), (2, InputOutcome::LineTooLong { limit: 4095 })]);
        assert_eq!(sink.got.borrow().len(), 4095);
    }

    #[test]
    fn what_was_typed_before_counts_towards_the_line() {
        let sink = Fake::new(true, usize::MAX);
        let mut queue = queue();
        queue.push(seconds(0), 1, &[b'k'; 100]).unwrap();
        queue.push(seconds(0), 2, &line(4000)).unwrap();
        assert_eq!(queue.write(seconds(0), &sink, |_| {})[1].1, InputOutcome::LineTooLong { limit: 4095 });
        queue.push(seconds(0), 3, b"\x15").unwrap();
        queue.push(seconds(0), 4, &line(4000)).unwrap();
        assert_eq!(queue.write(seconds(0), &sink, |_| {})[1], (4, InputOutcome::Written));
    }

    #[test]
    fn a_raw_terminal_takes_any_length() {
        let sink = Fake::new(false, usize::MAX);
        let mut queue = queue();
        queue.push(seconds(0), 1, &line(20_000)).unwrap();
        assert_eq!(queue.write(seconds(0), &sink, |_| {}), [(1, InputOutcome::Written)]);
    }

    #[test]
    fn a_child_that_does_not_read_costs_its_own_input_only() {
        let sink = Fake::new(false, 10);
        let mut queue = queue();
        queue.push(seconds(0), 1, &[b'a'; 30]).unwrap();
        queue.push(seconds(1), 2, b"b").unwrap();
        assert_eq!(queue.write(seconds(1), &sink, |_| {}), []);
        assert_eq!(queue.deadline(), Some(seconds(5)));
        assert_eq!(queue.write(seconds(5), &sink, |_| {}), [(1, InputOutcome::Deadline { written: 10 })]);
        assert_eq!(queue.deadline(), Some(seconds(10)), "the next one's time starts at the front");
        sink.room.set(1);
        assert_eq!(queue.write(seconds(6), &sink, |_| {}), [(2, InputOutcome::Written)]);
    }

    #[test]
    fn the_queue_is_bounded() {
        let mut queue = queue();
        queue.push(seconds(0), 1, &vec![0; LONGEST_INPUT]).unwrap();
        assert_eq!(queue.push(seconds(0), 2, b"x"), Err((2, InputOutcome::Full)));
        assert_eq!(queue.close(), [(1, InputOutcome::Closed)]);
    }
}
