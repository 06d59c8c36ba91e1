use super::*;

mod bounds;
mod properties;

fn screen(columns: u16, rows: u16) -> Screen {
    Screen::new(Size { columns, rows }, ScreenLimits::default())
}

fn fed(columns: u16, rows: u16, bytes: &[u8]) -> Screen {
    let mut screen = screen(columns, rows);
    screen.feed(bytes);
    screen
}

fn texts(screen: &Screen) -> Vec<String> {
    let rows = screen.history_start()..screen.end();
    without_blank_end(rows.filter_map(|row| Some(screen.text_row(row)?.text)).collect())
}

fn without_blank_end(mut lines: Vec<String>) -> Vec<String> {
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines
}

fn logical(screen: &Screen) -> Vec<String> {
    let rows = screen.history_start()..screen.end();
    without_blank_end(screen.logical_lines(rows).map(|line| line.text).collect())
}

/// What is drawn of a row, without its styles.
fn drawn(screen: &Screen, row: u16) -> String {
    screen.visible_row(row).unwrap().runs.into_iter().map(|run| run.text).collect()
}

#[test]
fn lines_that_scroll_off_are_numbered_and_kept() {
    let mut screen = screen(20, 3);
    for line in 0..10 {
        screen.feed(format!("line {line}\r\n").as_bytes());
    }
    assert_eq!(screen.history_start(), 0);
    assert_eq!(screen.screen_start(), 8);
    for line in 0..10 {
        assert_eq!(screen.text_row(line).unwrap().text, format!("line {line}"));
    }
    assert_eq!(screen.row(2).unwrap().number, 2);
    assert_eq!(screen.visible_row(1).unwrap().runs[0].text, "line 9");
    assert!(screen.row(screen.end()).is_none());
}

#[test]
fn every_way_of_scrolling_keeps_the_line() {
    for (how, bytes, expected) in [
        ("line feed", "a\r\nb\r\nc\r\nd", vec!["a", "b", "c", "d"]),
        ("wrap", "aaaaab", vec!["aaaaa", "b"]),
        ("wrap at the bottom", "1\r\n2\r\naaaaab", vec!["1", "2", "aaaaa", "b"]),
        ("wide wrap at the bottom", "1\r\n2\r\naaaa漢", vec!["1", "2", "aaaa", "漢"]),
        ("tab at the edge", "1\r\n2\r\naaaaa\tb", vec!["1", "2", "aaaaa", "b"]),
        ("scroll up", "a\r\nb\x1b[2S\x1b[Hc", vec!["a", "b", "c"]),
        ("scroll up by more than there is", "a\r\nb\x1b[99S\x1b[Hc", vec!["a", "b", "", "c"]),
        ("clear screen", "a\r\nb\x1b[2J\x1b[Hc", vec!["a", "b", "c"]),
        ("reset", "a\r\nb\x1bcc", vec!["a", "b", "c"]),
        ("reset on the alternate screen", "a\x1b[?1049hx\x1bcc", vec!["a", "c"]),
        ("delete the top line", "a\r\nb\x1b[H\x1b[Mc", vec!["a", "c"]),
        ("region at the top", "a\r\nb\r\nc\x1b[1;2r\x1b[2;1H\nd", vec!["a", "b", "d", "c"]),
        ("region below the top", "a\r\nb\r\nc\x1b[2;3r\x1b[3;1H\nd", vec!["a", "c", "d"]),
        ("clear history", "a\r\nb\r\nc\r\nd\x1b[3J", vec!["a", "b", "c", "d"]),
        ("next line", "a\r\nb\r\nc\x1bEd", vec!["a", "b", "c", "d"]),
        ("delete character at the edge", "1\r\n2\r\naaaaa\x7f", vec!["1", "2", "aaaaa"]),
    ] {
        let screen = fed(5, 3, bytes.as_bytes());
        assert_eq!(texts(&screen), expected, "{how}");
    }
}

#[test]
fn many_lines_at_once_are_those_that_come_one_by_one() {
    let lines: String = (0..40).map(|line| format!("line {line}{}\r\n", " ".repeat(line % 3))).collect();
    for before in ["", "first\r\n", "\x1b[4;1Hover\r\nthis", "\x1b[31m", "\x1b[2;4r\x1b[4;1H", "\x1b[?1049h"]
    {
        for after in ["", "\x1b[2b", "\x1b[Hx", "no end of line"] {
            let text = format!("{before}\r\n{lines}\r\n{after}");
            let whole = fed(10, 4, text.as_bytes());
            let mut pieces = screen(10, 4);
            text.bytes().for_each(|byte| pieces.feed(&[byte]));
            assert_eq!(whole.screen_start(), pieces.screen_start(), "{text:?}");
            assert_eq!(whole.cursor(), pieces.cursor(), "{text:?}");
            for row in 0..whole.end() {
                assert_eq!(whole.row(row), pieces.row(row), "{text:?}");
            }
        }
    }
    let mut screen = fed(10, 4, b"\r\n\r\n\r\n\r\n");
    let version = screen.version();
    screen.feed(lines.as_bytes());
    assert!((screen.screen_start()..screen.end()).all(|row| screen.may_differ(row, version)));
}

#[test]
fn wrapped_rows_are_one_logical_line() {
    let screen = fed(10, 3, b"https://example.com/a/long/path\r\nnext");
    assert_eq!(logical(&screen), ["https://example.com/a/long/path", "next"]);
    let line = screen.logical_lines(2..3).next().unwrap();
    assert_eq!((line.start, line.end(), line.position(8), line.position(23)), (0, 4, (0, 8), (2, 3)));
}

#[test]
fn what_is_drawn_is_trimmed_and_has_no_invisible_character() {
    let screen = fed(12, 4, "ab\u{202E}c   \r\n\x1b[8mhidden\x1b[m!\r\nwide 漢字".as_bytes());
    assert_eq!(drawn(&screen, 0), "ab<U+202E>c");
    assert_eq!(drawn(&screen, 1), "      !");
    assert_eq!(drawn(&screen, 2), "wide 漢字");
    assert_eq!(drawn(&screen, 3), "");
}

#[test]
fn styles_of_neighbours_merge_and_coloured_blanks_stay() {
    let screen =
        fed(20, 2, b"\x1b[1ma\x1b[31mb\x1b[1mc\x1b[m d\x1b[44m  \x1b[0m  \x1b[4:3;38;2;1;2;3mx\x1b[7mz");
    let runs = screen.visible_row(0).unwrap().runs;
    let bold = Style { attributes: attribute::BOLD, ..Style::default() };
    let red = Style { foreground: Colour::Indexed(1), ..bold };
    let blue = Style { background: Colour::Indexed(4), ..Style::default() };
    let under =
        Style { foreground: Colour::Rgb(1, 2, 3), attributes: attribute::UNDERLINE, ..Style::default() };
    let reverse = Style { attributes: attribute::UNDERLINE | attribute::REVERSE, ..under };
    let expected = [
        ("a", bold),
        ("bc", red),
        (" d", Style::default()),
        ("  ", blue),
        ("  ", Style::default()),
        ("x", under),
        ("z", reverse),
    ];
    assert_eq!(runs, expected.map(|(text, style)| Run { text: text.into(), style }));
    let screen = fed(4, 2, b"\x1b[41m\x1b[K");
    assert_eq!(drawn(&screen, 0), "    ");
}

#[test]
fn a_row_in_history_is_the_row_that_was_on_the_screen() {
    let line = "\x1b[32mgr\u{fc}n \u{6f22}\u{5b57} e\u{301}\x1b[m \x1b]8;;https://a.example/\x07link\x1b]8;;\x07 end";
    let mut screen = fed(40, 2, format!("plain\r\n{line}").as_bytes());
    let before = (screen.row(0), screen.row(1), screen.text_row(0), screen.text_row(1));
    screen.feed(b"\r\n\n\n");
    assert_eq!(screen.screen_start(), 3);
    assert_eq!((screen.row(0), screen.row(1), screen.text_row(0), screen.text_row(1)), before);
}

#[test]
fn links_cover_their_characters_also_over_the_edge() {
    let screen =
        fed(8, 3, "漢 \x1b]8;;https://a.example/x\x1b\\go to it\x1b]8;;\x07 and \x1b]8;;b:\x07b".as_bytes());
    let row = screen.text_row(0).unwrap();
    assert_eq!(row.links, [Link { start: 2, end: 7, uri: "https://a.example/x".into() }]);
    assert_eq!((row.column(0), row.column(1), row.column(2)), (0, 2, 3));
    let line = screen.logical_lines(0..1).next().unwrap();
    assert_eq!(line.text, "漢 go to it and b");
    let expected = [("https://a.example/x", 2, 10), ("b:", 15, 16)];
    assert_eq!(line.links, expected.map(|(uri, start, end)| Link { start, end, uri: uri.into() }));
}

#[test]
fn queries_are_answered_in_the_order_asked() {
    for (asked, answer) in [
        ("\x1b[5n", "\x1b[0n"),
        ("ab\r\ncde\x1b[6n", "\x1b[2;4R"),
        ("\x1b[c", "\x1b[?62;22c"),
        ("\x1b[0c\x1b[>c", "\x1b[?62;22c\x1b[>1;1;0c"),
        ("\x1b[>q", "\x1bP>|authdeck\x1b\\"),
        ("\x1b[?u", "\x1b[?0u"),
        ("\x1b[>1u\x1b[?u", "\x1b[?0u"),
        ("\x1b[?2004$p\x1b[?2004h\x1b[?2004$p", "\x1b[?2004;2$y\x1b[?2004;1$y"),
        ("\x1b[?2026$p\x1b[?9999$p\x1b[4$p", "\x1b[?2026;2$y\x1b[?9999;0$y\x1b[4;2$y"),
        ("\x1b]10;?\x07", "\x1b]10;rgb:e5e5/e5e5/e5e5\x07"),
        ("\x1b]11;?\x1b\\", "\x1b]11;rgb:0000/0000/0000\x1b\\"),
        ("\x1b]4;1;?\x07", "\x1b]4;1;rgb:cdcd/0000/0000\x07"),
        ("\x1b]11;#102030\x07\x1b]11;?\x07", "\x1b]11;rgb:1010/2020/3030\x07"),
        ("\x1b[14t\x1b[16t\x1b[18t", "\x1b[4;192;320t\x1b[6;16;8t\x1b[8;12;40t"),
        (
            "\x1bP+q544e;436f;6b75\x1b\\",
            concat!(
                "\x1bP1+r544E=787465726D2D323536636F6C6F72\x1b\\",
                "\x1bP1+r436F=323536\x1b\\",
                "\x1bP0+r\x1b\\"
            ),
        ),
        (
            "\x1b[1;31;48:2:1:2:3m\x1bP$qm\x1b\\\x1b[m\x1bP$qm\x1b\\",
            "\x1bP1$r0;1;31;48:2::1:2:3m\x1b\\\x1bP1$r0m\x1b\\",
        ),
        ("\x1b[2;5r\x1bP$qr\x1b\\\x1b[r\x1bP$qr\x1b\\", "\x1bP1$r2;5r\x1b\\\x1bP1$r1;12r\x1b\\"),
        ("\x1b[5 q\x1bP$q q\x1b\\\x1bP$q\"p\x1b\\", "\x1bP1$r5 q\x1b\\\x1bP0$r\x1b\\"),
        // The order is kept also where the tap has its hand in, and inside a synchronized update.
        (
            "\x1b[c\x1b[>q\x1b[5n\x1b[>0q\x1b[6n",
            concat!("\x1b[?62;22c\x1bP>|authdeck\x1b\\\x1b[0n", "\x1bP>|authdeck\x1b\\\x1b[1;1R"),
        ),
        ("\x1b[?2026h\x1b[5n\x1b[>q\x1b[c\x1b[?2026l", "\x1b[0n\x1bP>|authdeck\x1b\\\x1b[?62;22c"),
        // Never answered: the title, the clipboard, unknown reports.
        ("\x1b]0;evil\x07\x1b[21t", ""),
        ("\x1b]52;c;?\x07\x1b]52;c;aGk=\x07\x1b]52;c;?\x07", ""),
        ("\x1b[?6n\x1b[=c\x1b[x\x1b[20t", ""),
    ] {
        let mut screen = fed(40, 12, asked.as_bytes());
        assert_eq!(String::from_utf8(screen.take_replies()).unwrap(), answer, "{asked:?}");
        assert!(screen.take_replies().is_empty());
    }
}

#[test]
fn replies_nobody_takes_stay_bounded() {
    let mut screen = fed(40, 12, &b"\x1b[c".repeat(100_000));
    assert!(screen.take_replies().len() <= 64 * 1024);
    screen.feed(b"\x1b[5n");
    assert_eq!(screen.take_replies(), b"\x1b[0n");
}

#[test]
fn title_bells_and_modes_are_told() {
    let mut screen =
        fed(40, 12, "\x07\x07\x1b]2;a\u{202E}b\x07\x1b[?1h\x1b=\x1b[?2004h\x1b[?1049h\x1b[?1002h".as_bytes());
    assert_eq!((screen.take_bells(), screen.take_bells()), (2, 0));
    assert_eq!(screen.title(), "a<U+202E>b");
    let all = Modes {
        application_cursor: true,
        application_keypad: true,
        bracketed_paste: true,
        alternate_screen: true,
        mouse: true,
    };
    assert_eq!(screen.modes(), all);
    screen.feed(b"\x1bc");
    assert_eq!((screen.modes(), screen.title()), (Modes::default(), ""));
    assert_eq!(screen.cursor(), Some(Cursor { row: 0, column: 0 }));
    screen.feed(b"\x1b[3;4H");
    assert_eq!(screen.cursor(), Some(Cursor { row: 2, column: 3 }));
    screen.feed(b"\x1b[?25l");
    assert_eq!(screen.cursor(), None);
}

#[test]
fn a_synchronized_update_waits_for_its_end_or_its_owner() {
    let mut screen = fed(20, 2, b"old\x1b[?2026h\rnew");
    assert!(screen.pending_synchronized_update());
    assert_eq!(drawn(&screen, 0), "old");
    screen.feed(b"er\x1b[?2026l");
    assert!(!screen.pending_synchronized_update());
    assert_eq!(drawn(&screen, 0), "newer");
    screen.feed(b"\x1b[?2026h\rlast");
    screen.end_synchronized_update();
    assert_eq!(drawn(&screen, 0), "lastr");
    screen.feed(&[&b"\x1b[?2026h"[..], &[b'x'; 2 * SYNCHRONIZED_UPDATE_BYTES]].concat());
    screen.feed(b"!");
    assert!(!screen.pending_synchronized_update());
}

#[test]
fn a_look_finds_what_changed_and_what_only_moved() {
    let mut screen = fed(20, 4, b"one\r\ntwo\r\nthree");
    let first = screen.look();
    assert_eq!(screen.look(), first);
    assert_eq!(screen.changed_rows(0).collect::<Vec<_>>(), [0, 1, 2, 3]);
    screen.feed(b"!");
    let second = screen.look();
    assert!(second > first);
    assert_eq!(screen.changed_rows(first).collect::<Vec<_>>(), [2]);
    assert_eq!(screen.edited_rows(first).collect::<Vec<_>>(), [2]);
    screen.feed(b"\r\n4\r\n5\r\n6");
    let third = screen.look();
    assert_eq!(screen.changed_rows(second).collect::<Vec<_>>(), [0, 1, 2, 3]);
    assert_eq!(screen.edited_rows(second).collect::<Vec<_>>(), [3, 4, 5]);
    assert_eq!(screen.edited_rows(first).collect::<Vec<_>>(), [2, 3, 4, 5]);
    screen.feed(b"\x1b[?25l");
    let fourth = screen.look();
    assert!(fourth > third);
    assert_eq!(screen.changed_rows(third).count(), 0);
    screen.feed(b"\x1b[0m");
    assert_eq!(screen.look(), fourth);
    screen.resize(Size { columns: 30, rows: 3 });
    screen.look();
    assert_eq!(screen.changed_rows(fourth).collect::<Vec<_>>(), [0, 1, 2]);
}

/// 120 numbered lines of different lengths, some longer than the screen is wide.
fn numbered_lines() -> Vec<String> {
    (0..120).map(|line| format!("{line:03} {}", "abcdefghij".repeat(line % 14 + 1))).collect()
}

#[test]
fn resizing_loses_no_line_and_doubles_none() {
    for alternate in [false, true] {
        for rows in [[24, 24, 24, 24], [24, 40, 10, 24], [24, 5, 50, 24], [24, 1, 2, 24]] {
            let mut screen = screen(80, 24);
            let mut lines = numbered_lines();
            screen.feed(lines.join("\r\n").as_bytes());
            if alternate {
                screen.feed(b"\x1b[?1049h\x1b[Hsomething else");
            }
            for (columns, rows) in [160, 40, 80].into_iter().zip(&rows[1..]) {
                screen.resize(Size { columns, rows: *rows });
                if alternate {
                    assert_eq!(drawn(&screen, 0).trim(), "something else");
                }
            }
            screen.feed(b"\x1b[?1049l\r\nend");
            lines.push("end".into());
            // History is not wrapped anew: a line on the border may be two there, and blanks may come in between.
            let text = |lines: &[String]| lines.concat().replace(' ', "");
            assert_eq!(text(&logical(&screen)), text(&lines), "{rows:?} {alternate}");
            for line in lines.iter().filter(|line| line.len() <= 40) {
                assert_eq!(logical(&screen).iter().filter(|found| *found == line).count(), 1, "{line}");
            }
        }
    }
}

#[test]
fn resizing_a_small_screen_with_wide_characters_and_styles_does_no_harm() {
    let mut screen = screen(10, 4);
    for (columns, rows) in [(3, 9), (2, 1), (50, 2), (0, 0), (u16::MAX, 3), (7, 5)] {
        screen.feed("漢字\x1b[31m wide\x1b[m 漢字漢字漢字 e\u{301}\r\n\x1b[2;3r\x1b[3;1H\n\x1b[r".as_bytes());
        screen.resize(Size { columns, rows });
        let size = screen.size();
        assert!(size.columns >= 2 && size.rows >= 1 && size.columns <= Size::MAX_COLUMNS);
        for row in 0..screen.end() {
            screen.row(row).unwrap();
        }
    }
}
