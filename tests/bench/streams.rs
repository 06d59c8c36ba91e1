//! Deterministic streams: what children of different habits make a terminal receive (line ends are CR LF).

/// A habit.
#[derive(Clone, Copy, Debug)]
pub enum Stream {
    /// Log lines in ASCII.
    Ascii,
    /// Every short word in a colour of its own.
    Sgr,
    /// Frames as Ink draws them: lines erased upwards, then written again.
    Ink,
    /// CJK, emoji, joiners, combining marks.
    Utf8,
    /// No newline: soft wraps only.
    LongLine,
    /// `y` and a newline.
    Scroll,
    /// Lines as long as the screen is wide.
    ScrollFull,
    /// `y` and a newline inside a scroll region.
    ScrollRegion,
    /// The whole screen again and again, each cell with a style of its own.
    DenseCells,
    /// Single characters all over the place.
    CursorMotion,
}

/// Bytes of each stream.
const LENGTH: usize = 2_000_000;

const WORDS: [&str; 24] = [
    "request",
    "token",
    "session",
    "refresh",
    "client",
    "authorize",
    "callback",
    "device",
    "grant",
    "scope",
    "account",
    "provider",
    "listening",
    "redirect",
    "completed",
    "timeout",
    "retry",
    "cache",
    "config",
    "loading",
    "worker",
    "success",
    "pending",
    "login",
];

/// A small generator of numbers (xorshift64*), the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % bound
    }

    fn word(&mut self) -> &'static str {
        WORDS[self.below(WORDS.len())]
    }
}

impl Stream {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Ascii,
        Self::Sgr,
        Self::Ink,
        Self::Utf8,
        Self::LongLine,
        Self::Scroll,
        Self::ScrollFull,
        Self::ScrollRegion,
        Self::DenseCells,
        Self::CursorMotion,
    ];

    /// Makes the stream.
    pub fn bytes(self) -> Vec<u8> {
        let mut numbers = Numbers(0x9E37_79B9_7F4A_7C15);
        let mut text = match self {
            Self::ScrollRegion => "\x1b[2;23r\x1b[23;1H".to_owned(),
            _ => String::new(),
        };
        let mut count = 0;
        while text.len() < LENGTH {
            match self {
                Self::Ascii => log_line(&mut text, &mut numbers, count),
                Self::Sgr => coloured_line(&mut text, &mut numbers),
                Self::Ink => ink_frame(&mut text, &mut numbers, count),
                Self::Utf8 => other_scripts(&mut text, &mut numbers),
                Self::LongLine => text.push(char::from(b"ABCDefgh0123-_"[numbers.below(14)])),
                Self::Scroll | Self::ScrollRegion => text.push_str("y\r\n"),
                Self::ScrollFull => {
                    text.extend((0..80_u8).map(|column| char::from(33 + column)));
                    text.push_str("\r\n");
                }
                Self::DenseCells => dense_screen(&mut text, count),
                Self::CursorMotion => {
                    let (row, column) = (1 + numbers.below(24), 1 + numbers.below(80));
                    text.push_str(&format!(
                        "\x1b[{row};{column}H{}",
                        char::from(b'A' + numbers.below(26) as u8)
                    ));
                }
            }
            count += 1;
        }
        text.into_bytes()
    }
}

fn log_line(text: &mut String, numbers: &mut Numbers, count: usize) {
    let level = ["INFO", "DEBUG", "WARN", "TRACE"][numbers.below(4)];
    text.push_str(&format!(
        "2026-01-15T10:{:02}:{:02}.{:03}Z {level} auth::",
        count / 60 % 60,
        count % 60,
        count % 1000
    ));
    text.push_str(numbers.word());
    text.push(':');
    for _ in 0..4 + numbers.below(9) {
        text.push(' ');
        text.push_str(numbers.word());
    }
    text.push_str(&format!(" id={:08x}\r\n", numbers.below(1 << 30)));
}

fn coloured_line(text: &mut String, numbers: &mut Numbers) {
    for _ in 0..14 {
        let colour = match numbers.below(4) {
            0 => format!("\x1b[{};1m", 30 + numbers.below(8)),
            1 => format!("\x1b[38;5;{};48;5;{}m", numbers.below(256), numbers.below(256)),
            2 => format!("\x1b[38;2;{};{};{}m", numbers.below(256), numbers.below(256), numbers.below(256)),
            _ => format!("\x1b[0;{}m", [3, 4, 7, 9][numbers.below(4)]),
        };
        let word = numbers.word();
        text.push_str(&colour);
        text.push_str(&word[..word.len().min(1 + numbers.below(5))]);
        text.push(' ');
    }
    text.push_str("\x1b[0m\r\n");
}

fn ink_frame(text: &mut String, numbers: &mut Numbers, count: usize) {
    if count == 0 {
        text.push_str("\x1b[?25l");
    } else {
        text.push_str("\x1b[2K");
        text.push_str(&"\x1b[1A\x1b[2K".repeat(8));
        text.push_str("\x1b[G");
    }
    let spinner = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'][count % 10];
    let done = count % 101 * 60 / 100;
    let rows = [
        format!("╭{}╮", "─".repeat(76)),
        format!("│ \x1b[1m\x1b[36mSign in to your account\x1b[39m\x1b[22m{}│", " ".repeat(52)),
        format!("│ \x1b[35m{spinner}\x1b[39m Waiting for the browser… ({}s){}│", count / 12, " ".repeat(30)),
        format!(
            "│ \x1b[2mOpen https://auth.example.com/device?user_code=ABCD-{}\x1b[22m   │",
            1000 + count % 9000
        ),
        format!("│{}│", " ".repeat(76)),
        format!("│ \x1b[32m{}\x1b[39m\x1b[2m{}\x1b[22m          │", "█".repeat(done), "░".repeat(60 - done)),
        format!("│ \x1b[33m{}\x1b[39m {}{}│", numbers.word(), numbers.word(), " ".repeat(50)),
        format!("╰{}╯", "─".repeat(76)),
        "\x1b[2mesc to cancel\x1b[22m".to_owned(),
    ];
    text.push_str(&rows.join("\r\n"));
}

fn other_scripts(text: &mut String, numbers: &mut Numbers) {
    const CJK: [char; 16] =
        ['認', '証', '要', '求', '端', '末', '接', '続', '한', '국', '어', '로', '그', '인', '简', '体'];
    const EMOJI: [&str; 8] = ["🔐", "✅", "🚀", "👩\u{200D}💻", "👍🏽", "❤\u{FE0F}", "e\u{301}", "ệ"];
    for _ in 0..9 {
        match numbers.below(3) {
            0 => text.extend((0..2 + numbers.below(6)).map(|_| CJK[numbers.below(CJK.len())])),
            1 => text.push_str(EMOJI[numbers.below(EMOJI.len())]),
            _ => text.push_str(["über", "naïve", "Ångström", "Привет", "γειά", "שלום"][numbers.below(6)]),
        }
        text.push(' ');
    }
    text.push_str("\r\n");
}

fn dense_screen(text: &mut String, count: usize) {
    text.push_str("\x1b[H");
    let letter = char::from(b'A' + (count % 26) as u8);
    for cell in 0..24 * 80 {
        let colour = (cell / 80 + cell % 80 + count) % 156 + 100;
        text.push_str(&format!("\x1b[38;5;{colour};48;5;{};1;3;4m{letter}", 255 - colour % 200));
    }
}
