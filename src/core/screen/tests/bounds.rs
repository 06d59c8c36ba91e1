//! What no child can exceed.

use super::*;

#[test]
fn history_is_bounded_in_lines_and_in_bytes() {
    let limits = ScreenLimits { history_lines: 500, ..ScreenLimits::default() };
    let mut screen = Screen::new(Size { columns: 80, rows: 24 }, limits);
    for line in 0..5_000_u32 {
        screen.feed(format!("line {line}\r\n").as_bytes());
    }
    let kept = screen.screen_start() - screen.history_start();
    assert_eq!(screen.screen_start(), 5_000 - 23);
    assert!((500..=756).contains(&kept), "{kept}");
    assert_eq!(
        screen.text_row(screen.history_start()).unwrap().text,
        format!("line {}", screen.history_start())
    );
    assert!(screen.row(screen.history_start() - 1).is_none());

    let limits = ScreenLimits { history_bytes: 100_000, ..ScreenLimits::default() };
    let mut screen = Screen::new(Size { columns: 80, rows: 24 }, limits);
    for _ in 0..5_000 {
        screen.feed(
            "\x1b]8;;https://example.com/a/long/target\x07e\u{301}\u{302}\x1b]8;;\x07\x1b[31mx\x1b[m\r\n"
                .as_bytes(),
        );
    }
    assert!(screen.emulator.history.bytes() < 200_000, "{}", screen.emulator.history.bytes());
}

#[test]
fn a_full_history_of_dense_cells_stays_under_six_megabytes() {
    let mut screen = screen(80, 24);
    let mut line = String::new();
    for column in 0..80 {
        line.push_str(&format!("\x1b[38;5;{};48;5;{};1;3;4m{}", 100 + column, 255 - column, 'a'));
    }
    line.push_str("\x1b[m\r\n");
    for _ in 0..5_400 {
        screen.feed(line.as_bytes());
    }
    assert!(screen.screen_start() - screen.history_start() >= 5_000);
    assert!(screen.emulator.history.bytes() < 6_000_000, "{}", screen.emulator.history.bytes());
}

#[test]
fn hostile_input_is_bounded() {
    let parameters = [b"\x1b[".to_vec(), b"1;".repeat(100_000), b"m".to_vec()].concat();
    let endless_command = [b"\x1b]0;".to_vec(), vec![b'x'; 5_000_000]].concat();
    let marks = ["e".to_owned(), "\u{301}".repeat(500_000)].concat().into_bytes();
    let links = (0..200_000).map(|link| format!("\x1b]8;;x:{link}\x07y")).collect::<String>().into_bytes();
    let cases: [(&str, Vec<u8>); 12] = [
        ("parameters", parameters),
        ("endless command", endless_command),
        ("endless device control", [b"\x1bP+q".to_vec(), vec![b'x'; 2_000_000]].concat()),
        ("NUL", vec![0; 1_000_000]),
        ("bad UTF-8", [0xFF, 0xC0, 0x80, 0xF0, 0x9F, b'a'].repeat(200_000)),
        ("a line of 5 MB", vec![b'a'; 5_000_000]),
        ("combining marks", marks),
        ("repeats", b"x\x1b[65535b".repeat(2_000)),
        ("tabs", b"\x1b[65535I\x1b[65535Z".repeat(20_000)),
        ("titles", b"\x1b]0;title\x07\x1b[22t".repeat(50_000)),
        ("scrolling", b"\x1b[65535S\x1b[65535T\x1b[65535L\x1b[65535M\x1b[65535@\x1b[65535P".repeat(2_000)),
        ("links", links),
    ];
    for (name, bytes) in cases {
        let mut screen = screen(80, 24);
        for piece in bytes.chunks(4_096) {
            screen.feed(piece);
        }
        assert!(screen.emulator.history.bytes() <= 6_500_000, "{name}: {}", screen.emulator.history.bytes());
        assert!(screen.take_replies().len() <= 64 * 1024, "{name}");
        for row in screen.history_start()..screen.end() {
            let columns: usize = screen
                .row(row)
                .unwrap()
                .runs
                .iter()
                .flat_map(|run| run.text.chars())
                .map(visible::columns_of)
                .sum();
            assert!(columns <= 80, "{name}");
        }
        assert!(screen.logical_lines(0..u64::MAX).all(|line| line.text.len() <= 16 * 1024), "{name}");
        screen.feed(b"\x07\x1b\\\x1bc\r\nalive");
        assert_eq!(drawn(&screen, 1), "alive", "{name}");
    }
}

#[test]
fn marks_beyond_the_limit_are_dropped_and_invisible_ones_shown_within_the_width() {
    let screen = fed(30, 2, format!("e{}\r\n{}", "\u{301}".repeat(20), "a\u{200B}".repeat(15)).as_bytes());
    assert_eq!(drawn(&screen, 0), format!("e{}", "\u{301}".repeat(8)));
    assert_eq!(drawn(&screen, 1), "a<U+200B>a<U+200B>a<U+200B>a<U");
    assert_eq!(screen.text_row(1).unwrap().text, "a<U+200B>".repeat(15));
}
