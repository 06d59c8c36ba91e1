//! The lines that left the screen, kept small.
//!
//! The emulator spends 24 bytes on every cell of its history, blank or not. Here a line is its text and, if it has
//! any, its styles and links: 5,000 plain lines of 80 columns are half a megabyte. Lines are kept in blocks; when the
//! limit of lines or of bytes is passed, the oldest block goes.

use std::collections::VecDeque;

use super::compact::{Compact, CompactLine, LinkSpan, Span, text_of};

const BLOCK_LINES: usize = 256;

/// The end of one line in its block's arrays.
#[derive(Clone, Copy, Debug, Default)]
struct Mark {
    text: u32,
    spans: u32,
    links: u32,
    wrapped: bool,
}

#[derive(Debug, Default)]
struct Block {
    text: Vec<u8>,
    spans: Vec<Span>,
    links: Vec<LinkSpan>,
    marks: Vec<Mark>,
    link_bytes: usize,
}

impl Block {
    fn bytes(&self) -> usize {
        self.text.capacity()
            + self.spans.capacity() * size_of::<Span>()
            + self.links.capacity() * size_of::<LinkSpan>()
            + self.marks.capacity() * size_of::<Mark>()
            + self.link_bytes
    }

    fn clear(&mut self) {
        self.text.clear();
        self.spans.clear();
        self.links.clear();
        self.marks.clear();
        self.link_bytes = 0;
    }

    fn line(&self, index: usize) -> Option<CompactLine<'_>> {
        let end = *self.marks.get(index)?;
        let start = index.checked_sub(1).map_or_else(Mark::default, |previous| self.marks[previous]);
        Some(CompactLine {
            text: text_of(&self.text[start.text as usize..end.text as usize]),
            spans: &self.spans[start.spans as usize..end.spans as usize],
            links: &self.links[start.links as usize..end.links as usize],
            wrapped: end.wrapped,
        })
    }
}

/// A bounded list of lines, numbered from 0 for the first one that ever came.
#[derive(Debug)]
pub(super) struct History {
    blocks: VecDeque<Block>,
    /// Number of the first line of the first block.
    start: u64,
    /// Number of the line that comes next.
    end: u64,
    lines: usize,
    bytes: usize,
    /// Bytes of all blocks but the last.
    closed_bytes: usize,
}

impl History {
    /// Makes an empty history of at least `lines` lines (one block more at the most) in at most about `bytes` bytes.
    pub fn new(lines: usize, bytes: usize) -> Self {
        Self { blocks: VecDeque::new(), start: 0, end: 0, lines, bytes, closed_bytes: 0 }
    }

    /// Number of the oldest line that is kept.
    pub fn start(&self) -> u64 {
        self.start
    }

    /// Number that the next line will have.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// Adds the line that `write` makes from the storage it is given.
    #[inline]
    pub fn push(&mut self, write: impl FnOnce(&mut Compact<'_>) -> bool) {
        if self.lines == 0 {
            self.end += 1;
            self.start = self.end;
            return;
        }
        if self.blocks.back().is_none_or(|block| block.marks.len() == BLOCK_LINES) {
            self.open_block();
        }
        let Some(block) = self.blocks.back_mut() else { return };
        let links_before = block.links.len();
        let mut storage = Compact { text: &mut block.text, spans: &mut block.spans, links: &mut block.links };
        let wrapped = write(&mut storage);
        if block.links.len() > links_before {
            let added = &block.links[links_before..];
            block.link_bytes += added.iter().map(|span| span.link.uri().len()).sum::<usize>();
        }
        block.marks.push(Mark {
            text: index(block.text.len()),
            spans: index(block.spans.len()),
            links: index(block.links.len()),
            wrapped,
        });
        self.end += 1;
    }

    /// Adds a line of printable ASCII of the default look; blanks at its end are left out.
    pub fn push_plain(&mut self, line: &[u8]) {
        let end = line.iter().rposition(|byte| *byte != b' ').map_or(0, |last| last + 1);
        self.push(|storage| {
            storage.text.extend_from_slice(&line[..end]);
            false
        });
    }

    /// Starts a block, in the storage of the oldest one if that has to go.
    #[cold]
    fn open_block(&mut self) {
        if let Some(last) = self.blocks.back_mut() {
            last.text.shrink_to_fit();
            last.spans.shrink_to_fit();
            last.links.shrink_to_fit();
            self.closed_bytes += last.bytes();
        }
        let mut spare = Block::default();
        while self.kept() >= self.lines + BLOCK_LINES
            || (self.closed_bytes > self.bytes && self.blocks.len() > 1)
        {
            let Some(oldest) = self.blocks.pop_front() else { break };
            self.closed_bytes = self.closed_bytes.saturating_sub(oldest.bytes());
            self.start += oldest.marks.len() as u64;
            spare = oldest;
        }
        spare.clear();
        self.blocks.push_back(spare);
    }

    fn kept(&self) -> usize {
        usize::try_from(self.end - self.start).unwrap_or(usize::MAX)
    }

    /// The line of this number, if it is kept.
    pub fn line(&self, number: u64) -> Option<CompactLine<'_>> {
        let offset = usize::try_from(number.checked_sub(self.start)?).ok()?;
        // Every block but the last is full.
        self.blocks.get(offset / BLOCK_LINES)?.line(offset % BLOCK_LINES)
    }

    /// Bytes of heap in use.
    #[cfg(test)]
    pub fn bytes(&self) -> usize {
        self.blocks.iter().map(Block::bytes).sum()
    }
}

/// An index into a block: 256 lines of at most 1,000 columns cannot pass 4 GiB, and a wrong one would only be clamped.
fn index(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
