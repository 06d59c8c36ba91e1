#![allow(unsafe_code, reason = "the bytes lie in memory that two processes share")]
//! The last bytes of output, numbered from the first byte that the child ever wrote, in memory that the keeper shares
//! with the supervisor that is attached (a sealed memfd).
//!
//! One of the two reads the terminal, straight into the ring, and only that one writes to it. It may be killed between
//! any two instructions, and the other one goes on without a byte lost or doubled:
//!
//! - Before a read the stretch that it may fill holds NUL bytes only, and `reading` says where the stretch ends. What a
//!   killed reader got and did not publish is therefore what stands between `end` and the last byte that is not NUL.
//!   NUL bytes mean nothing to a terminal, so one at the very end of such a read may be left out.
//! - Old bytes give way in three steps: `start` moves behind them, then they are cleared, then `clean` moves.
//! - The pages of the stretch are made present before the read, so that the kernel need not wait for one in the middle of
//!   it, when a signal could make it give up what it has already taken from the terminal.

use std::io;
use std::num::NonZeroU64;
use std::os::fd::OwnedFd;
use std::slice;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, fcntl_get_seals, fstat, ftruncate, memfd_create};

mod mapping;

pub use mapping::Mapping;
use mapping::{FIRST, length};

/// The most bytes that one read takes.
const MOST_AT_ONCE: u64 = 64 * 1024;
const PAGE: u64 = 4096;

/// What a round of reading came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// As much as may be taken at once, or all there is room for; there may be more.
    Enough,
    /// All that was there.
    All,
    /// All that was there, and nobody holds the other end any more.
    HungUp,
}

/// A bounded buffer with absolute offsets. Memory is used as far as it was ever filled.
#[derive(Debug)]
pub struct Ring {
    mapping: Arc<Mapping>,
    /// The pages up to this offset are present in this process.
    present: u64,
    /// How many bytes the next read may take: more and more while reads fill it.
    window: u64,
}

impl Ring {
    /// Makes an empty ring that will hold the last `capacity` bytes at least, and its file.
    ///
    /// # Errors
    /// The system has no memory or no descriptor left.
    pub fn create(capacity: usize) -> io::Result<(Self, OwnedFd)> {
        // What is cleared ahead of a read is kept besides.
        let pages = (capacity as u64 + MOST_AT_ONCE).div_ceil(PAGE);
        let capacity = NonZeroU64::new(pages * PAGE).ok_or(io::ErrorKind::InvalidInput)?;
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        // The second call is for kernels before 6.3, which know no NOEXEC_SEAL.
        let file = memfd_create(c"authdeck-output", flags | MemfdFlags::NOEXEC_SEAL)
            .or_else(|_| memfd_create(c"authdeck-output", flags))?;
        ftruncate(&file, length(capacity) as u64)?;
        fcntl_add_seals(&file, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
        let mapping = Mapping::new(&file, capacity)?;
        mapping.header().capacity.store(capacity.get(), Ordering::Relaxed);
        // A new file is all NUL.
        mapping.header().clean.store(capacity.get(), Ordering::Release);
        Ok((Self::over(mapping), file))
    }

    /// Opens the ring that another process made.
    ///
    /// # Errors
    /// It is no such file, could shrink, or cannot be mapped.
    pub fn open(file: &OwnedFd) -> io::Result<Self> {
        let foreign = || io::Error::new(io::ErrorKind::InvalidData, "the session's ring is none");
        let size = u64::try_from(fstat(file)?.st_size).unwrap_or(0);
        let sealed = fcntl_get_seals(file)?.contains(SealFlags::SHRINK);
        let capacity = size.checked_sub(FIRST as u64).and_then(NonZeroU64::new).filter(|_| sealed);
        let capacity = capacity.ok_or_else(foreign)?;
        let mapping = Mapping::new(file, capacity)?;
        if mapping.header().capacity.load(Ordering::Acquire) == capacity.get() {
            Ok(Self::over(mapping))
        } else {
            Err(foreign())
        }
    }

    fn over(mapping: Arc<Mapping>) -> Self {
        let present = mapping.header().end.load(Ordering::Acquire);
        Self { mapping, present, window: PAGE }
    }

    /// Returns what is known of the session besides its output.
    pub fn mapping(&self) -> &Arc<Mapping> {
        &self.mapping
    }

    /// Returns how many bytes are kept at most.
    pub fn capacity(&self) -> u64 {
        self.mapping.capacity.get()
    }

    /// Returns the offset of the oldest byte that is kept.
    pub fn start(&self) -> u64 {
        self.mapping.header().start.load(Ordering::Acquire)
    }

    /// Returns the offset behind the newest byte.
    pub fn end(&self) -> u64 {
        self.mapping.header().end.load(Ordering::Acquire)
    }

    /// Returns how many bytes fit without overwriting anything at or after `floor`; all of it if there is no floor.
    pub fn room(&self, floor: Option<u64>) -> u64 {
        let held = floor.map_or(0, |floor| self.end().saturating_sub(floor));
        self.capacity().saturating_sub(held)
    }

    /// Returns bytes from `from` on, up to `to` if they lie beside each other. Offsets outside are clamped.
    pub fn bytes(&self, from: u64, to: u64) -> &[u8] {
        let (start, end) = (self.start(), self.end());
        let from = from.clamp(start, end);
        let length = self.mapping.run(from, to.clamp(from, end) - from);
        // SAFETY: the stretch lies within the mapping and is published, and it is not written to before it has given way,
        // for which whoever reads the terminal needs this ring exclusively; the other process does not read meanwhile.
        unsafe { slice::from_raw_parts(self.mapping.byte(from), usize::try_from(length).unwrap_or(0)) }
    }

    /// Reads what is there with `read`, which returns how many bytes it filled, or `None` if there is nothing now; until
    /// it returns less than `least` bytes, has taken enough, or would overwrite something at or after `floor`. Returns
    /// how many bytes came too.
    pub fn take(
        &mut self,
        floor: Option<u64>,
        least: u64,
        mut read: impl FnMut(&mut [u8]) -> io::Result<Option<usize>>,
    ) -> (u64, Taken) {
        let begun = self.end();
        loop {
            let taken = self.end() - begun;
            let room = self.room(floor).min(MOST_AT_ONCE.saturating_sub(taken));
            if room == 0 {
                return (taken, Taken::Enough);
            }
            match self.take_once(floor, room, &mut read) {
                Ok(Some(count)) if count < least => return (taken + count, Taken::All),
                Ok(Some(_)) => {}
                Ok(None) => return (taken, Taken::All),
                Err(_) => return (taken, Taken::HungUp),
            }
        }
    }

    fn take_once(
        &mut self,
        floor: Option<u64>,
        most: u64,
        read: &mut impl FnMut(&mut [u8]) -> io::Result<Option<usize>>,
    ) -> io::Result<Option<u64>> {
        let end = self.end();
        let wanted = self.mapping.run(end, self.window.min(most));
        self.prepare(end + wanted, floor);
        let header = self.mapping.header();
        header.reading.store(end + wanted, Ordering::SeqCst);
        let length = usize::try_from(wanted).unwrap_or(0);
        // SAFETY: the stretch lies within the mapping, was cleared, and belongs to whoever reads the terminal, which is
        // this process: `begin` and `offer` see to that between the two.
        let stretch = unsafe { slice::from_raw_parts_mut(self.mapping.byte(end), length) };
        let Some(count) = read(stretch)? else { return Ok(None) };
        let count = (count as u64).min(wanted);
        header.end.store(end + count, Ordering::SeqCst);
        if count == wanted {
            self.window = (self.window * 2).min(MOST_AT_ONCE);
        }
        Ok(Some(count))
    }

    /// Clears what lies before `until`, without touching anything at or after `floor`, and makes its pages present.
    fn prepare(&mut self, until: u64, floor: Option<u64>) {
        let header = self.mapping.header();
        let (end, mut clean) = (self.end(), header.clean.load(Ordering::Acquire));
        if until > clean {
            // Ahead of the need, so that this is not done for each read.
            let target = until.max(end + MOST_AT_ONCE).min(floor.unwrap_or(end) + self.capacity());
            header.start.fetch_max(target - self.capacity(), Ordering::SeqCst);
            while clean < target {
                let run = self.mapping.run(clean, target - clean);
                // SAFETY: the stretch lies within the mapping, and `start` has moved behind what stood there.
                unsafe { self.mapping.byte(clean).write_bytes(0, usize::try_from(run).unwrap_or(0)) };
                clean += run;
            }
            header.clean.store(target, Ordering::SeqCst);
        }
        let mut next = self.present.max(end);
        while next < until {
            // SAFETY: the byte lies behind `end` and before `clean`, so it is NUL already; only its page is wanted.
            unsafe { self.mapping.byte(next).write_volatile(0) };
            let index = next % self.capacity() + FIRST as u64;
            next += (PAGE - index % PAGE).min(self.capacity() - next % self.capacity());
        }
        self.present = self.present.max(next);
    }

    /// Publishes what a reader that was killed had read: call it before reading where another process has read.
    pub fn recover(&mut self) {
        let header = self.mapping.header();
        let (end, until) = (self.end(), header.reading.load(Ordering::Acquire));
        let until = until.min(end + MOST_AT_ONCE);
        let mut arrived = end;
        let mut next = end;
        while next < until {
            let run = self.mapping.run(next, until - next);
            // SAFETY: the stretch lies within the mapping, and nobody writes to it: its reader has ended.
            let stretch =
                unsafe { slice::from_raw_parts(self.mapping.byte(next), usize::try_from(run).unwrap_or(0)) };
            if let Some(last) = stretch.iter().rposition(|byte| *byte != 0) {
                arrived = next + last as u64 + 1;
            }
            next += run;
        }
        header.end.store(arrived, Ordering::SeqCst);
        self.present = arrived;
        self.window = PAGE;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ring(capacity: usize) -> Ring {
        Ring::create(capacity).unwrap().0
    }

    /// Lets a child write these bytes.
    fn push(ring: &mut Ring, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            ring.take(None, 0, |stretch| {
                let count = stretch.len().min(bytes.len());
                stretch[..count].copy_from_slice(&bytes[..count]);
                bytes = &bytes[count..];
                Ok((count > 0).then_some(count))
            });
        }
    }

    fn between(ring: &Ring, from: u64, to: u64) -> Vec<u8> {
        let mut all = Vec::new();
        let mut next = from.max(ring.start());
        while next < to.min(ring.end()) {
            let bytes = ring.bytes(next, to);
            next += bytes.len() as u64;
            all.extend_from_slice(bytes);
        }
        all
    }

    #[test]
    fn offsets_keep_counting_when_the_oldest_bytes_go() {
        const MANY: u64 = 1024 * 1024;
        let mut ring = ring(256 * 1024);
        push(&mut ring, &vec![1; 1024 * 1024]);
        push(&mut ring, &[2; 200]);
        assert_eq!(ring.end(), MANY + 200);
        assert!(ring.start() >= MANY + 200 - ring.capacity() && ring.start() <= MANY + 200 - 256 * 1024);
        assert_eq!(between(&ring, MANY - 2, MANY + 2), [1, 1, 2, 2]);
    }

    #[test]
    fn a_floor_bounds_the_room_and_no_floor_does_not() {
        let mut ring = ring(4096);
        let capacity = 4096 + 64 * 1024;
        push(&mut ring, &vec![7; capacity]);
        let capacity = capacity as u64;
        assert_eq!(ring.room(Some(0)), 0);
        assert_eq!(ring.room(Some(1000)), 1000);
        assert_eq!(ring.room(Some(99_999)), capacity);
        assert_eq!(ring.room(None), capacity);
        let nothing = ring.take(Some(0), 0, |_| panic!("there is no room"));
        assert_eq!(nothing, (0, Taken::Enough));
    }

    #[test]
    fn nothing_is_used_before_something_is_written() {
        let (mut ring, file) = Ring::create(4 * 1024 * 1024).unwrap();
        push(&mut ring, b"a little");
        let blocks = fstat(&file).unwrap().st_blocks * 512;
        assert!(blocks <= 2 * 4096, "{blocks} bytes are in use");
    }

    #[test]
    fn a_file_that_could_shrink_is_no_ring() {
        let file = memfd_create(c"test", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING).unwrap();
        ftruncate(&file, 8192).unwrap();
        assert!(Ring::open(&file).is_err());
        fcntl_add_seals(&file, SealFlags::SHRINK).unwrap();
        assert!(Ring::open(&file).is_err(), "it does not say its capacity");
    }

    #[test]
    fn nobody_reads_at_the_same_time() {
        let ring = ring(4096);
        let mapping = ring.mapping();
        mapping.offer(1);
        assert!(mapping.withdraw() && !mapping.begin(1), "the offer was taken back");
        mapping.offer(2);
        assert!(!mapping.begin(1), "another one's offer");
        assert!(mapping.begin(2) && !mapping.withdraw(), "it has begun");
        mapping.let_go(1);
        assert!(!mapping.withdraw());
        mapping.let_go(2);
        assert!(mapping.withdraw());
    }

    proptest! {
        #[test]
        fn it_holds_the_tail_of_everything_pushed(chunks in prop::collection::vec(
            prop::collection::vec(any::<u8>(), 0..60_000), 0..12,
        )) {
            let mut ring = ring(128 * 1024);
            let mut all = Vec::new();
            for chunk in &chunks {
                push(&mut ring, chunk);
                all.extend_from_slice(chunk);
            }
            let start = usize::try_from(ring.start()).unwrap();
            prop_assert!(start <= all.len().saturating_sub(128 * 1024));
            prop_assert_eq!(ring.end(), all.len() as u64);
            prop_assert_eq!(between(&ring, 0, u64::MAX), &all[start..]);
        }

        /// A reader dies after each of its steps in turn; the next one, in a mapping of its own, goes on.
        #[test]
        fn a_reader_that_is_killed_anywhere_loses_and_doubles_nothing(
            reads in prop::collection::vec((1..9_000_usize, any::<bool>()), 1..60),
        ) {
            let (first, file) = Ring::create(64 * 1024).unwrap();
            let mut reader = first;
            let mut all: Vec<u8> = Vec::new();
            for (wanted, dies) in reads {
                let before = all.len();
                let died = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                    reader.take(None, u64::MAX, |stretch| {
                        assert!(stretch.iter().all(|byte| *byte == 0), "the stretch was not cleared");
                        let count = stretch.len().min(wanted);
                        let bytes = (0..count).map(|at| (before + at) as u8 | 1);
                        all.extend(bytes);
                        stretch[..count].copy_from_slice(&all[before..]);
                        if dies {
                            std::panic::resume_unwind(Box::new(()));
                        }
                        Ok(Some(count))
                    })
                })).is_err();
                prop_assert_eq!(died, dies);
                if died {
                    reader = Ring::open(&file).unwrap();
                    reader.recover();
                }
                prop_assert_eq!(reader.end(), all.len() as u64);
                let start = usize::try_from(reader.start()).unwrap();
                prop_assert!(between(&reader, 0, u64::MAX) == all[start..]);
            }
        }
    }
}
