//! What a terminal owes its child in answer to queries: fixed text, made here and nowhere else.
//!
//! A child must not learn anything about the person's own terminal, nor make any terminal type its text: there is no
//! answer to a title query (`CSI 21 t`), to a clipboard read (OSC 52), nor to anything that is not listed here.

use alacritty_terminal::term::TermMode;
use alacritty_terminal::term::cell::Flags;
use alacritty_terminal::vte::ansi::{Color, CursorShape, CursorStyle, NamedPrivateMode, PrivateMode, Rgb};

/// DA1: a VT220 with ANSI colour (xterm's "Send Device Attributes", VT220 form).
pub(super) const PRIMARY_ATTRIBUTES: &str = "\x1b[?62;22c";
/// DA2: a VT220 of no version that a program could know.
pub(super) const SECONDARY_ATTRIBUTES: &str = "\x1b[>1;1;0c";
/// DSR 5: all is well.
pub(super) const STATUS_OK: &str = "\x1b[0n";
/// XTVERSION. The version is left out on purpose: nothing about the box is told.
pub(super) const VERSION: &str = "\x1bP>|authdeck\x1b\\";
/// Kitty keyboard: the protocol's query is understood, none of its flags is on (keys are sent in the legacy form).
pub(super) const KEYBOARD_FLAGS: &str = "\x1b[?0u";
/// XTGETTCAP: a capability that is not told.
pub(super) const UNKNOWN_CAPABILITY: &str = "\x1bP0+r\x1b\\";
/// DECRQSS: a setting that is not told.
pub(super) const UNKNOWN_SETTING: &str = "\x1bP0$r\x1b\\";
/// The kind of terminal that a child is given.
pub(super) const TERMINAL_NAME: &str = "xterm-256color";

/// Pixels of one cell, for those who insist on knowing: an ordinary font.
const CELL_WIDTH: usize = 8;
const CELL_HEIGHT: usize = 16;

/// CSI 14 t: the text area in pixels.
pub(super) fn area_in_pixels(rows: usize, columns: usize) -> String {
    format!("\x1b[4;{};{}t", rows * CELL_HEIGHT, columns * CELL_WIDTH)
}

/// CSI 16 t: one cell in pixels.
pub(super) fn cell_in_pixels() -> String {
    format!("\x1b[6;{CELL_HEIGHT};{CELL_WIDTH}t")
}

/// CSI 18 t: the text area in characters.
pub(super) fn area_in_characters(rows: usize, columns: usize) -> String {
    format!("\x1b[8;{rows};{columns}t")
}

/// DSR 6: where the cursor is; row and column count from 1.
pub(super) fn cursor_position(row: i32, column: usize) -> String {
    format!("\x1b[{row};{column}R")
}

/// DECRQM: the state of a mode; 0 not known, 1 set, 2 reset.
pub(super) fn mode_state(private: bool, mode: u16, state: u8) -> String {
    format!("\x1b[{}{mode};{state}$y", if private { "?" } else { "" })
}

/// The state of a private mode for DECRQM.
pub(super) fn private_mode_state(mode: PrivateMode, set: TermMode, blinking: bool) -> u8 {
    let PrivateMode::Named(mode) = mode else { return 0 };
    let flag = match mode {
        NamedPrivateMode::CursorKeys => TermMode::APP_CURSOR,
        NamedPrivateMode::Origin => TermMode::ORIGIN,
        NamedPrivateMode::LineWrap => TermMode::LINE_WRAP,
        NamedPrivateMode::ShowCursor => TermMode::SHOW_CURSOR,
        NamedPrivateMode::ReportMouseClicks => TermMode::MOUSE_REPORT_CLICK,
        NamedPrivateMode::ReportCellMouseMotion => TermMode::MOUSE_DRAG,
        NamedPrivateMode::ReportAllMouseMotion => TermMode::MOUSE_MOTION,
        NamedPrivateMode::ReportFocusInOut => TermMode::FOCUS_IN_OUT,
        NamedPrivateMode::Utf8Mouse => TermMode::UTF8_MOUSE,
        NamedPrivateMode::SgrMouse => TermMode::SGR_MOUSE,
        NamedPrivateMode::AlternateScroll => TermMode::ALTERNATE_SCROLL,
        NamedPrivateMode::UrgencyHints => TermMode::URGENCY_HINTS,
        NamedPrivateMode::SwapScreenAndSetRestoreCursor => TermMode::ALT_SCREEN,
        NamedPrivateMode::BracketedPaste => TermMode::BRACKETED_PASTE,
        NamedPrivateMode::BlinkingCursor => return if blinking { 1 } else { 2 },
        // Known, and over by the time that this is read.
        NamedPrivateMode::SyncUpdate => return 2,
        NamedPrivateMode::ColumnMode => return 0,
    };
    if set.contains(flag) { 1 } else { 2 }
}

/// XTGETTCAP: a capability's value; both are told in hexadecimal digits.
pub(super) fn capability(name: &str, value: &str) -> String {
    let digits = |text: &str| text.bytes().map(|byte| format!("{byte:02X}")).collect::<String>();
    format!("\x1bP1+r{}={}\x1b\\", digits(name), digits(value))
}

/// DECRQSS: a setting, as the control sequence that would make it.
pub(super) fn setting(sequence: &str) -> String {
    format!("\x1bP1$r{sequence}\x1b\\")
}

/// The pen as the parameters of SGR that would make it from the plain one.
pub(super) fn pen(foreground: Color, background: Color, flags: Flags) -> String {
    let mut parameters = "0".to_owned();
    for (flag, number) in [
        (Flags::BOLD, "1"),
        (Flags::DIM, "2"),
        (Flags::ITALIC, "3"),
        (Flags::UNDERLINE, "4"),
        (Flags::INVERSE, "7"),
        (Flags::HIDDEN, "8"),
        (Flags::STRIKEOUT, "9"),
        (Flags::DOUBLE_UNDERLINE, "4:2"),
        (Flags::UNDERCURL, "4:3"),
        (Flags::DOTTED_UNDERLINE, "4:4"),
        (Flags::DASHED_UNDERLINE, "4:5"),
    ] {
        if flags.contains(flag) {
            parameters.push(';');
            parameters.push_str(number);
        }
    }
    parameters.push_str(&pen_colour(foreground, 30));
    parameters.push_str(&pen_colour(background, 40));
    parameters.push('m');
    parameters
}

fn pen_colour(colour: Color, base: usize) -> String {
    match colour {
        Color::Spec(Rgb { r, g, b }) => format!(";{}:2::{r}:{g}:{b}", base + 8),
        Color::Indexed(index) => format!(";{}:5:{index}", base + 8),
        Color::Named(name) if (name as usize) < 8 => format!(";{}", base + name as usize),
        Color::Named(name) if (name as usize) < 16 => format!(";{}", base + 60 + name as usize - 8),
        // Of all others the pen can only have the default ones.
        Color::Named(_) => String::new(),
    }
}

/// The form of the cursor as DECSCUSR numbers it.
pub(super) fn cursor_form(style: CursorStyle) -> u8 {
    let steady = match style.shape {
        CursorShape::Block | CursorShape::HollowBlock | CursorShape::Hidden => 2,
        CursorShape::Underline => 4,
        CursorShape::Beam => 6,
    };
    steady - u8::from(style.blinking)
}

/// OSC 4, 10, 11, 12: a colour in the form that xterm answers with; ended as the query was.
pub(super) fn colour(prefix: &str, colour: Rgb, terminator: &str) -> String {
    let Rgb { r, g, b } = colour;
    format!("\x1b]{prefix};rgb:{r:02x}{r:02x}/{g:02x}{g:02x}/{b:02x}{b:02x}{terminator}")
}

/// The colour of an index as the emulator numbers them: 256 palette entries, then foreground, background, cursor.
pub(super) fn default_colour(index: usize) -> Rgb {
    const ANSI: [u32; 16] = [
        0x00_0000, 0xCD_0000, 0x00_CD00, 0xCD_CD00, 0x00_00EE, 0xCD_00CD, 0x00_CDCD, 0xE5_E5E5, 0x7F_7F7F,
        0xFF_0000, 0x00_FF00, 0xFF_FF00, 0x5C_5CFF, 0xFF_00FF, 0x00_FFFF, 0xFF_FFFF,
    ];
    match (index, ANSI.get(index)) {
        (_, Some(rgb)) => {
            let [_, r, g, b] = rgb.to_be_bytes();
            Rgb { r, g, b }
        }
        (16..=231, None) => {
            let level = |step: usize| if step == 0 { 0 } else { 55 + 40 * step };
            let cube = index - 16;
            rgb_of(level(cube / 36), level(cube / 6 % 6), level(cube % 6))
        }
        (232..=255, None) => {
            let level = 8 + 10 * (index - 232);
            rgb_of(level, level, level)
        }
        (257, None) => Rgb { r: 0, g: 0, b: 0 },
        _ => Rgb { r: 0xE5, g: 0xE5, b: 0xE5 },
    }
}

fn rgb_of(r: usize, g: usize, b: usize) -> Rgb {
    let byte = |level: usize| u8::try_from(level).unwrap_or(u8::MAX);
    Rgb { r: byte(r), g: byte(g), b: byte(b) }
}
