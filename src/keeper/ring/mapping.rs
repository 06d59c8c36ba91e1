#![allow(unsafe_code, reason = "two processes share this memory")]
//! The memory behind a ring: what both processes know of it, and who of the two may read the terminal.

use std::io;
use std::num::NonZeroU64;
use std::os::fd::OwnedFd;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap, munmap};

/// What both processes know about the ring. Offsets count from the first byte of output.
#[repr(C, align(64))]
pub(super) struct Header {
    /// How many bytes are kept at most. Never changes.
    pub(super) capacity: AtomicU64,
    /// The oldest byte that is kept.
    pub(super) start: AtomicU64,
    /// Behind the newest byte.
    pub(super) end: AtomicU64,
    /// Everything from `end` to here is NUL.
    pub(super) clean: AtomicU64,
    /// A read may have filled what lies between `end` and here.
    pub(super) reading: AtomicU64,
    /// The child's questions before this offset have been answered.
    replied_through: AtomicU64,
    /// Who reads: 0 the keeper; else twice the number of a supervisor's attachment, plus one once it has begun.
    reader: AtomicU64,
    /// Bytes of an unfinished line that the terminal holds for the child.
    open_line: AtomicU32,
}

/// The header and the bytes behind it.
pub(super) const FIRST: usize = size_of::<Header>();

/// The memory itself.
#[derive(Debug)]
pub struct Mapping {
    place: NonNull<Header>,
    pub(super) capacity: NonZeroU64,
}

// SAFETY: the header is made of atomics, and the bytes are only written through a `Ring`, of which there is one.
unsafe impl Send for Mapping {}
// SAFETY: see above.
unsafe impl Sync for Mapping {}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: it was mapped with this length, and whoever could use it is gone.
        let _ = unsafe { munmap(self.place.as_ptr().cast(), length(self.capacity)) };
    }
}

/// Returns the length of a ring's file.
pub(super) fn length(capacity: NonZeroU64) -> usize {
    usize::try_from(capacity.get()).unwrap_or(usize::MAX / 2) + FIRST
}

impl Mapping {
    pub(super) fn new(file: &OwnedFd, capacity: NonZeroU64) -> io::Result<Arc<Self>> {
        let (length, protection) = (length(capacity), ProtFlags::READ | ProtFlags::WRITE);
        // SAFETY: a new mapping, at an address of the kernel's choice, of a file that cannot shrink.
        let place = unsafe { mmap(std::ptr::null_mut(), length, protection, MapFlags::SHARED, file, 0) }?;
        let place = NonNull::new(place.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        let mapping = Self { place, capacity };
        // SAFETY: the mapping has this length; the advice changes nothing but what a core dump holds.
        unsafe { madvise(mapping.place.as_ptr().cast(), length, Advice::LinuxDontDump) }?;
        Ok(Arc::new(mapping))
    }

    pub(super) fn header(&self) -> &Header {
        // SAFETY: the mapping begins with a header, is aligned to a page, and lives as long as `self`.
        unsafe { self.place.as_ref() }
    }

    /// Returns where the byte with this offset stands, or will.
    pub(super) fn byte(&self, offset: u64) -> *mut u8 {
        let index = usize::try_from(offset % self.capacity).unwrap_or(0);
        // SAFETY: the index is below the capacity, which the mapping has room for behind the header.
        unsafe { self.place.as_ptr().cast::<u8>().add(FIRST + index) }
    }

    /// Returns how many bytes from this offset on lie beside each other, `most` at most.
    pub(super) fn run(&self, offset: u64, most: u64) -> u64 {
        most.min(self.capacity.get() - offset % self.capacity)
    }

    /// Returns the offset before which the child's questions have been answered.
    pub fn replied_through(&self) -> u64 {
        self.header().replied_through.load(Ordering::Acquire)
    }

    /// Notes that the child's questions before this offset have been answered.
    pub fn note_replied(&self, through: u64) {
        self.header().replied_through.fetch_max(through, Ordering::AcqRel);
    }

    /// Returns how many bytes of an unfinished line the terminal holds, as far as is known.
    pub fn open_line(&self) -> u32 {
        self.header().open_line.load(Ordering::Acquire)
    }

    /// Notes how many bytes of an unfinished line the terminal holds.
    pub fn note_open_line(&self, bytes: u32) {
        self.header().open_line.store(bytes, Ordering::Release);
    }

    /// Lets a supervisor read from now on, if it begins. The keeper must have stopped.
    pub fn offer(&self, attachment: u64) {
        self.header().reader.store(attachment * 2, Ordering::Release);
    }

    /// Begins to read as the supervisor of this attachment. False: the offer does not stand any more.
    pub fn begin(&self, attachment: u64) -> bool {
        self.change(attachment * 2, attachment * 2 + 1)
    }

    /// Lets go of the terminal: the keeper may read again.
    pub fn let_go(&self, attachment: u64) {
        self.change(attachment * 2 + 1, 0);
    }

    /// Takes an offer back. True: no supervisor reads, and none will without a new offer.
    pub fn withdraw(&self) -> bool {
        let reader = self.header().reader.load(Ordering::Acquire);
        reader == 0 || (reader.is_multiple_of(2) && self.change(reader, 0)) || self.is_let_go()
    }

    fn is_let_go(&self) -> bool {
        self.header().reader.load(Ordering::Acquire) == 0
    }

    /// Makes the keeper the reader although a supervisor had begun: its process has ended.
    pub fn take_back(&self) {
        self.header().reader.store(0, Ordering::Release);
    }

    fn change(&self, from: u64, to: u64) -> bool {
        self.header().reader.compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}
