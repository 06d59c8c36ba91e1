//! In-process benchmarks of the hot paths. `cargo bench --bench hot_paths`; a name as argument picks some.
//!
//! Ingest: each stream through `alacritty_terminal` alone (10,000 lines of history), and through [`Screen`] with its
//! history, replies and a look at what changed after every 64 KiB. What counts is the ratio of the two.

use std::fmt;

use alacritty_terminal::event::VoidListener;
use alacritty_terminal::term::{Config, Term};
use alacritty_terminal::vte::ansi::{Processor, StdSyncHandler};
use authdeck::core::detect::Detector;
use authdeck::core::screen::{Screen, ScreenLimits, Size};
use divan::counter::BytesCount;
use divan::{Bencher, black_box};

#[path = "streams.rs"]
mod streams;

#[path = "drawing.rs"]
mod drawing;

use streams::Stream;

fn main() {
    divan::main();
}

const SIZE: Size = Size { columns: 80, rows: 24 };
/// What one read of a pseudo-terminal returns at most.
const READ: usize = 4_095;
/// Bytes between two looks: far more often than 60 times a second at full speed.
const LOOK: usize = 64 * 1024;

impl fmt::Display for Stream {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, formatter)
    }
}

#[divan::bench(args = Stream::ALL, sample_count = 12)]
fn ingest_bare_emulator(bencher: Bencher<'_, '_>, stream: Stream) {
    let bytes = stream.bytes();
    let mut term = Term::new(Config::default(), &SIZE, VoidListener);
    let mut parser = Processor::<StdSyncHandler>::new();
    bencher.counter(BytesCount::new(bytes.len())).bench_local(|| {
        for piece in bytes.chunks(READ) {
            parser.advance(&mut term, black_box(piece));
        }
    });
}

#[divan::bench(args = Stream::ALL, sample_count = 12)]
fn ingest_screen(bencher: Bencher<'_, '_>, stream: Stream) {
    let bytes = stream.bytes();
    let mut screen = Screen::new(SIZE, ScreenLimits::default());
    bencher.counter(BytesCount::new(bytes.len())).bench_local(|| {
        for frame in bytes.chunks(LOOK) {
            for piece in frame.chunks(READ) {
                screen.feed(black_box(piece));
            }
            black_box(screen.look());
            screen.take_replies();
        }
    });
}

/// One echoed key on a full screen of 120 by 40: what taking it in, the look for the next frame and the two looks of
/// the detector cost.
#[divan::bench(sample_count = 100, sample_size = 500)]
fn echo_of_a_key(bencher: Bencher<'_, '_>) {
    let mut screen = Screen::new(Size { columns: 120, rows: 40 }, ScreenLimits::default());
    let mut detector = Detector::new(None);
    detector.feed(&mut screen, &Stream::Ascii.bytes()[..20_000]);
    let mut keys = (0..).map(|count| if count % 60 == 59 { &b"\r\x1b[K"[..] } else { b"x" });
    bencher.bench_local(|| {
        black_box(detector.feed(&mut screen, keys.next().unwrap_or_default()));
        black_box(screen.look());
        black_box(detector.has_seen(&screen));
        black_box(detector.quiet(&screen));
    });
}

/// As [`ingest_screen`], with the detector watching the stream and looking wherever it says so.
#[divan::bench(args = Stream::ALL, sample_count = 12)]
fn ingest_and_detect(bencher: Bencher<'_, '_>, stream: Stream) {
    let bytes = stream.bytes();
    let mut screen = Screen::new(SIZE, ScreenLimits::default());
    let mut detector = Detector::new(None);
    bencher.counter(BytesCount::new(bytes.len())).bench_local(|| {
        for frame in bytes.chunks(LOOK) {
            for piece in frame.chunks(READ) {
                black_box(detector.feed(&mut screen, black_box(piece)));
            }
            black_box(screen.look());
            screen.take_replies();
        }
    });
}
