use super::*;

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
