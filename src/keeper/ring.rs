//! The last bytes of output, numbered from the first byte that the child ever wrote.

use std::collections::VecDeque;

/// A bounded buffer with absolute offsets. Memory grows with what is in it, up to the bound.
pub struct Ring {
    bytes: VecDeque<u8>,
    start: u64,
    capacity: usize,
    complete: bool,
}

impl Ring {
    /// Makes an empty ring that will hold `capacity` bytes at most; at least one page.
    pub fn new(capacity: usize) -> Self {
        Self { bytes: VecDeque::new(), start: 0, capacity: capacity.max(4096), complete: false }
    }

    /// Returns how many bytes are kept at most.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Returns the offset of the oldest byte that is kept.
    pub fn start(&self) -> u64 {
        self.start
    }

    /// Returns the offset behind the newest byte.
    pub fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }

    /// Notes that nothing more will come.
    pub fn complete(&mut self) {
        self.complete = true;
    }

    /// Tells whether nothing more will come.
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// Returns how many bytes fit without overwriting anything at or after `floor`; all of it if there is no floor.
    pub fn room(&self, floor: Option<u64>) -> usize {
        let Some(floor) = floor else { return self.capacity };
        let held = self.end() - floor.clamp(self.start, self.end());
        self.capacity - usize::try_from(held).unwrap_or(self.capacity).min(self.capacity)
    }

    /// Appends bytes and forgets the oldest ones that no longer fit.
    pub fn push(&mut self, bytes: &[u8]) {
        let skipped = bytes.len().saturating_sub(self.capacity);
        let kept = &bytes[skipped..];
        let overflow = (self.bytes.len() + kept.len()).saturating_sub(self.capacity);
        self.bytes.drain(..overflow);
        self.start += (overflow + skipped) as u64;
        self.grow_for(kept.len());
        self.bytes.extend(kept);
    }

    /// Doubles instead of leaving it to the collection, which might go past the bound.
    fn grow_for(&mut self, more: usize) {
        let needed = self.bytes.len() + more;
        if needed > self.bytes.capacity() {
            let target = (self.bytes.capacity() * 2).max(needed).min(self.capacity);
            self.bytes.reserve_exact(target - self.bytes.len());
        }
    }

    /// Returns the bytes from `from` up to `to` as two stretches, in order. Offsets outside are clamped.
    pub fn slices(&self, from: u64, to: u64) -> (&[u8], &[u8]) {
        let index = |offset: u64| {
            let inside = offset.clamp(self.start, self.end()) - self.start;
            usize::try_from(inside).unwrap_or(self.bytes.len())
        };
        let (from, to) = (index(from), index(to.max(from)));
        let (first, second) = self.bytes.as_slices();
        let split = first.len();
        (&first[from.min(split)..to.min(split)], &second[from.max(split) - split..to.max(split) - split])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn between(ring: &Ring, from: u64, to: u64) -> Vec<u8> {
        let (first, second) = ring.slices(from, to);
        [first, second].concat()
    }

    #[test]
    fn offsets_keep_counting_when_the_oldest_bytes_go() {
        let mut ring = Ring::new(4096);
        ring.push(&[1; 4000]);
        ring.push(&[2; 200]);
        assert_eq!((ring.start(), ring.end()), (104, 4200));
        assert_eq!(between(&ring, 3998, 4002), [1, 1, 2, 2]);
        assert_eq!(between(&ring, 0, 4200).len(), 4096);
    }

    #[test]
    fn a_floor_bounds_the_room_and_no_floor_does_not() {
        let mut ring = Ring::new(4096);
        ring.push(&[0; 4096]);
        assert_eq!(ring.room(Some(0)), 0);
        assert_eq!(ring.room(Some(1000)), 1000);
        assert_eq!(ring.room(Some(9999)), 4096);
        assert_eq!(ring.room(None), 4096);
    }

    #[test]
    fn nothing_is_reserved_before_something_is_written() {
        let ring = Ring::new(4 * 1024 * 1024);
        assert_eq!(ring.bytes.capacity(), 0);
    }

    proptest! {
        #[test]
        fn it_holds_the_tail_of_everything_pushed(chunks in prop::collection::vec(
            prop::collection::vec(any::<u8>(), 0..6000), 0..12,
        )) {
            let mut ring = Ring::new(8192);
            let mut all = Vec::new();
            for chunk in &chunks {
                ring.push(chunk);
                all.extend_from_slice(chunk);
            }
            let start = all.len().saturating_sub(8192);
            prop_assert_eq!(ring.start(), start as u64);
            prop_assert_eq!(ring.end(), all.len() as u64);
            prop_assert_eq!(between(&ring, 0, u64::MAX), &all[start..]);
            prop_assert!(ring.bytes.capacity() <= 8192);
        }
    }
}
