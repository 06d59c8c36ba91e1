//! What holds for every stream, however it is cut.

use proptest::prelude::*;

use super::*;

const CASES: u32 = 400;

const PIECES: [&str; 110] = [
    "\r\n",
    "\n",
    "\r",
    "\t",
    "\x08",
    "\x07",
    "\x1b[2J",
    "\x1b[3J",
    "\x1b[H",
    "\x1b[K",
    "\x1b[J",
    "\x1b[1J",
    "\x1b[31m",
    "\x1b[m",
    "\x1b[38;2;1;2;3m",
    "\x1b[48;5;200m",
    "\x1b[7;8m",
    "\x1b[6n",
    "\x1b[c",
    "\x1b[>q",
    "\x1b[16t",
    "\x1b[?1049h",
    "\x1b[?1049l",
    "\x1b[?2026h",
    "\x1b[?2026l",
    "\x1b[?7l",
    "\x1b[?7h",
    "\x1b[4h",
    "\x1b[4l",
    "\x1b[2;5r",
    "\x1b[r",
    "\x1b[1;2r",
    "\x1b[S",
    "\x1b[3S",
    "\x1b[T",
    "\x1b[L",
    "\x1b[M",
    "\x1b[5M",
    "\x1b[@",
    "\x1b[P",
    "\x1b[900b",
    "\x1b[3b",
    "\x1bM",
    "\x1bD",
    "\x1bE",
    "\x1bc",
    "\x1b7",
    "\x1b8",
    "\x1b(0",
    "\x1b(B",
    "\x1b#8",
    "\x1b[?3h",
    "\x1b[20h",
    "\x1b[99;99H",
    "\x1b[A",
    "\x1b[10C",
    "\x1b]8;;http://a/\x07",
    "\x1b]8;;\x1b\\",
    "\x1b]0;title\x07",
    "\x1b]11;?\x07",
    "\x1b]",
    "\x1b[",
    "\x1b",
    "\x1bP1$q",
    "\x1bP+q544e;6b75\x1b\\",
    "\x1bP$qm\x1b\\",
    "\x1bP+q",
    "\x1bP$qr",
    "\x1b_x",
    "\x1b\\",
    "\x18",
    "漢字",
    "e\u{301}",
    "👩\u{200D}💻",
    "\u{202E}",
    "\u{200B}",
    "ü",
    "\x1b[1;3H",
    "\x1b[2;2f",
    "\x1b[B",
    "\x1b[2D",
    "\x1b[4G",
    "\x1b[2d",
    "\x1b[1K",
    "\x1b[2K",
    "\x1b[X",
    "\x1b[3X",
    "\x1b[;;H",
    "\x1b[0;1;2;3;4;7;9;95;104m",
    "\x1b[4:3;58;5;9m",
    "\x1b[38;5;300;48;2;1;2m",
    "\x1b[22;23;24;27;28;29;39;49;59m",
    "\x1b[58;2;1;2;3m",
    "\x1b[00000000002C",
    "\x1b[70000C",
    "\x1b[1\n;2H",
    "\x1b[1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1m",
    "\x0b",
    "\x0e",
    "\x0f",
    "\x7f",
    "\x1b)0",
    "\u{85}",
    "\x1b[38;5;1",
    "\x1b[;H",
    "1\r\n2\r\n3\r\n4\r\n5\r\n6\r\n7\r\n8\r\n9",
    "\r\n\r\nab\r\n  c \r\n\r\n",
    "\r\na\r\nb\r\nc\r\nlonger than many\r\nd\r\n\r\n",
    "─│╭█░⠋",
    "🔐über認",
];

/// What a child writes: text, sequences good and bad, and bytes of no meaning.
fn output() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => "[a-z ]{1,30}".prop_map(String::into_bytes),
        3 => prop::sample::select(PIECES.to_vec()).prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 1..6),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

/// Whole pieces, but for what the tap drops or bounds and what clears history: there the two differ on purpose.
fn wellformed() -> impl Strategy<Value = String> {
    let on_purpose = |piece: &str| {
        !matches!(
            piece,
            "\x1b[3J"
                | "\x1bc"
                | "\x1b[900b"
                | "\x1b"
                | "\x1b["
                | "\x1b]"
                | "\x1b_x"
                | "\x1bP1$q"
                | "\x1bP+q"
                | "\x1bP$qr"
                | "\x1b[38;5;1"
        )
    };
    let pieces: Vec<&str> = PIECES.into_iter().filter(|piece| on_purpose(piece)).collect();
    prop_oneof!["[a-z ]{1,30}", prop::sample::select(pieces).prop_map(str::to_owned)]
}

/// The bare emulator goes on editing the blank that fills a row before a wide character, also in history.
fn without_blanks(row: &Row) -> (bool, Vec<(Style, String)>) {
    let mut runs: Vec<(Style, String)> =
        row.runs.iter().map(|run| (run.style, run.text.trim_end().to_owned())).collect();
    while runs.last().is_some_and(|(_, text)| text.is_empty()) {
        runs.pop();
    }
    (row.wrapped, runs)
}

fn cut(bytes: &[u8], lengths: &[usize]) -> Vec<Vec<u8>> {
    let mut rest = bytes;
    let mut pieces = Vec::new();
    for length in lengths.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (piece, after) = rest.split_at((*length).min(rest.len()));
        pieces.push(piece.to_vec());
        rest = after;
    }
    pieces
}

/// The lines that the emulator has by itself, with a history of its own.
fn bare_lines(columns: u16, rows: u16, bytes: &[u8]) -> Vec<Row> {
    use alacritty_terminal::event::VoidListener;
    use alacritty_terminal::grid::Dimensions as _;
    use alacritty_terminal::index::Line;
    use alacritty_terminal::term::{Config, Term};
    use alacritty_terminal::vte::ansi::Processor;

    let mut term = Term::new(Config::default(), &Size { columns, rows }, VoidListener);
    Processor::<Synchronized>::new().advance(&mut term, bytes);
    let lines = (term.topmost_line().0..=term.bottommost_line().0).map(|line| &term.grid()[Line(line)][..]);
    (0..).zip(lines).map(|(number, cells)| CompactBuffer::of(cells).line().styled(number, columns)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn how_bytes_are_cut_makes_no_difference(
        bytes in output(),
        lengths in prop::collection::vec(1_usize..12, 1..8),
        columns in 2_u16..30,
        rows in 1_u16..8,
    ) {
        let mut whole = fed(columns, rows, &bytes);
        let mut pieces = screen(columns, rows);
        for piece in cut(&bytes, &lengths) {
            pieces.feed(&piece);
        }
        prop_assert_eq!(pieces.pending_synchronized_update(), whole.pending_synchronized_update());
        // What a synchronized update holds back, and when, is the parser's affair until it ends.
        pieces.end_synchronized_update();
        whole.end_synchronized_update();
        prop_assert_eq!(pieces.take_replies(), whole.take_replies(), "{:?}", String::from_utf8_lossy(&bytes));
        prop_assert_eq!(pieces.take_bells(), whole.take_bells());
        prop_assert_eq!(pieces.title(), whole.title());
        prop_assert_eq!((pieces.modes(), pieces.cursor()), (whole.modes(), whole.cursor()), "{:?}", String::from_utf8_lossy(&bytes));
        prop_assert_eq!(pieces.screen_start(), whole.screen_start());
        for row in 0..whole.end() {
            prop_assert_eq!(pieces.row(row), whole.row(row));
            prop_assert_eq!(pieces.text_row(row), whole.text_row(row));
        }
    }

    #[test]
    fn rows_and_history_are_those_of_the_bare_emulator(
        pieces in prop::collection::vec(wellformed(), 0..60),
        columns in 2_u16..30,
        rows in 1_u16..8,
    ) {
        // There the two differ on purpose: what clears history, and what the tap drops or bounds.
        // Without history the bare one scrolls an empty screen when it is cleared: give it some.
        let text = "\n".repeat(usize::from(rows)) + &pieces.concat();
        let mut screen = fed(columns, rows, text.as_bytes());
        let alternate = screen.modes().alternate_screen;
        let pending = screen.pending_synchronized_update();
        if !alternate && !pending {
            let bare = bare_lines(columns, rows, text.as_bytes());
            let ours: Vec<Row> = (0..screen.end()).map(|row| screen.row(row).unwrap()).collect();
            for (ours, bare) in ours.iter().zip(&bare) {
                prop_assert_eq!(without_blanks(ours), without_blanks(bare), "{:?}", text);
            }
            prop_assert_eq!(ours.len(), bare.len());
        }
        screen.take_replies();
    }

    #[test]
    fn a_row_that_is_not_read_again_has_not_changed(
        bytes in output(),
        lengths in prop::collection::vec(1_usize..40, 1..8),
        columns in 2_u16..30,
        rows in 1_u16..8,
        taller in 1_u16..8,
    ) {
        let mut screen = screen(columns, rows);
        let pieces = cut(&bytes, &lengths);
        for (index, piece) in pieces.iter().enumerate() {
            let version = screen.version();
            let before: Vec<_> = (0..screen.end()).map(|row| screen.text_row(row)).collect();
            screen.feed(piece);
            if index == pieces.len() / 2 {
                screen.resize(Size { columns, rows: taller });
            }
            for row in (0..screen.end()).filter(|row| !screen.may_differ(*row, version)) {
                prop_assert_eq!(Some(&screen.text_row(row)), before.get(row as usize));
            }
            screen.look();
            prop_assert!(screen.looks.agree_with(&screen.emulator), "{:?}", String::from_utf8_lossy(&bytes));
        }
        screen.end_synchronized_update();
        screen.look();
        prop_assert!(screen.looks.agree_with(&screen.emulator));
    }

    #[test]
    fn nothing_invisible_is_drawn_and_no_row_is_too_wide(
        bytes in output(),
        columns in 2_u16..30,
        rows in 1_u16..8,
        other in 2_u16..30,
    ) {
        let mut screen = fed(columns, rows, &bytes);
        screen.end_synchronized_update();
        for size in [Size { columns, rows }, Size { columns: other, rows: 9 - rows }, Size { columns, rows }] {
            screen.resize(size);
            for row in screen.history_start()..screen.end() {
                let drawn = screen.row(row).unwrap();
                let text: String = drawn.runs.iter().map(|run| run.text.as_str()).collect();
                for shown in [&text, &screen.text_row(row).unwrap().text] {
                    let invisible = |c: char| c.is_control() || matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}');
                    prop_assert!(!shown.contains(invisible), "{shown:?}");
                }
                prop_assert!(text.chars().map(visible::columns_of).sum::<usize>() <= usize::from(columns.max(other)));
                prop_assert!(drawn.runs.windows(2).all(|pair| pair[0].style != pair[1].style));
            }
        }
    }
}
