//! What the parser orders: each order passes here before the terminal sees it.

use alacritty_terminal::grid::Dimensions as _;
use alacritty_terminal::term::TermMode;
use alacritty_terminal::vte::ansi::{
    Attr, CharsetIndex, ClearMode, CursorShape, CursorStyle, Handler, Hyperlink, KeyboardModes,
    KeyboardModesApplyBehavior, LineClearMode, Mode, ModifyOtherKeys, NamedMode, NamedPrivateMode,
    PrivateMode, Rgb, ScpCharPath, ScpUpdateMode, StandardCharset, TabulationClearMode,
};

use super::{Emulator, TITLE_CHARACTERS};
use crate::core::screen::queries::Query;
use crate::core::screen::replies;
use crate::core::screen::visible::sanitised;

macro_rules! pass_on {
    ($(fn $name:ident($($argument:ident: $type:ty),*) $(after $($before:ident),+)?;)*) => {$(
        #[inline]
        fn $name(&mut self, $($argument: $type),*) {
            $($(self.$before();)+)?
            Handler::$name(&mut self.term, $($argument),*);
        }
    )*};
}

impl Handler for Emulator {
    pass_on! {
        fn set_cursor_style(style: Option<CursorStyle>);
        fn set_cursor_shape(shape: CursorShape);
        fn goto(line: i32, column: usize);
        fn goto_line(line: i32);
        fn goto_col(column: usize);
        fn insert_blank(count: usize) after touch_all, edit_row;
        fn move_up(rows: usize);
        fn move_down(rows: usize);
        fn move_forward(columns: usize);
        fn move_backward(columns: usize);
        fn move_down_and_cr(rows: usize);
        fn move_up_and_cr(rows: usize);
        fn backspace();
        fn carriage_return();
        fn substitute();
        fn set_horizontal_tabstop();
        fn scroll_down(rows: usize) after touch_all, edit_screen;
        fn insert_blank_lines(rows: usize) after touch_all, edit_screen;
        fn erase_chars(count: usize) after touch_if_painting, edit_row;
        fn delete_chars(count: usize) after touch_if_painting, edit_row;
        fn save_cursor_position();
        fn restore_cursor_position();
        fn clear_line(mode: LineClearMode) after touch_if_painting, edit_row;
        fn clear_tabs(mode: TabulationClearMode);
        fn set_tabs(interval: u16);
        fn reverse_index() after touch_all, edit_screen;
        fn terminal_attribute(attribute: Attr);
        fn set_mode(mode: Mode);
        fn unset_mode(mode: Mode);
        fn set_keypad_application_mode();
        fn unset_keypad_application_mode();
        fn configure_charset(index: CharsetIndex, charset: StandardCharset);
        fn set_color(index: usize, colour: Rgb);
        fn reset_color(index: usize);
        fn decaln() after touch_all, edit_screen;
        fn set_hyperlink(link: Option<Hyperlink>);
        fn set_modify_other_keys(mode: ModifyOtherKeys);
        fn set_scp(path: ScpCharPath, mode: ScpUpdateMode);
        // The kitty keyboard protocol is switched off in the terminal: these do nothing there.
        fn push_keyboard_mode(mode: KeyboardModes);
        fn pop_keyboard_modes(count: u16);
        fn set_keyboard_mode(mode: KeyboardModes, behaviour: KeyboardModesApplyBehavior);
    }

    #[inline]
    fn input(&mut self, character: char) {
        if !self.deaf {
            self.printed = true;
            self.print(character);
        }
    }

    #[inline]
    fn linefeed(&mut self) {
        let _ = self.next_line();
    }

    fn newline(&mut self) {
        self.before_linefeed();
        self.term.newline();
    }

    fn put_tab(&mut self, count: u16) {
        if self.term.grid().cursor.input_needs_wrap {
            self.before_wrap();
        }
        self.term.put_tab(count.min(self.columns()));
        self.touch_cursor();
    }

    fn move_backward_tabs(&mut self, count: u16) {
        self.term.move_backward_tabs(count.min(self.columns()));
    }

    fn move_forward_tabs(&mut self, count: u16) {
        self.term.move_forward_tabs(count.min(self.columns()));
    }

    fn set_active_charset(&mut self, index: CharsetIndex) {
        self.charset = index;
        self.term.set_active_charset(index);
    }

    fn scroll_up(&mut self, rows: usize) {
        self.before_scroll_up(self.region.start, rows);
        self.edit_screen();
        self.term.scroll_up(rows);
    }

    fn delete_lines(&mut self, rows: usize) {
        self.touch_if_painting();
        let origin = usize::try_from(self.term.grid().cursor.point.line.0).unwrap_or(0);
        if self.region.contains(&origin) {
            self.before_scroll_up(origin, rows);
            self.edit_screen();
        }
        self.term.delete_lines(rows);
    }

    fn clear_screen(&mut self, mode: ClearMode) {
        self.touch_if_painting();
        let cursor = self.number(self.term.grid().cursor.point.line);
        let top = self.history.end();
        match mode {
            ClearMode::All => {
                self.keep_screen();
                self.edit_screen();
            }
            // What a child printed stays in the record of its output: `clear` does not take it away.
            ClearMode::Saved => return,
            ClearMode::Above => self.edits.note_range(top..cursor + 1),
            ClearMode::Below => self.edits.note_range(cursor..top + self.term.screen_lines() as u64),
        }
        self.term.clear_screen(mode);
    }

    fn reset_state(&mut self) {
        if self.alternate() {
            self.term.unset_private_mode(NamedPrivateMode::SwapScreenAndSetRestoreCursor.into());
        }
        self.keep_screen();
        self.edit_screen();
        self.term.reset_state();
        self.region = 0..self.term.screen_lines();
        self.charset = CharsetIndex::default();
        self.title.clear();
    }

    fn set_private_mode(&mut self, mode: PrivateMode) {
        self.note_private_mode(mode);
        self.edit_if_other_screen(mode);
        self.term.set_private_mode(mode);
    }

    fn unset_private_mode(&mut self, mode: PrivateMode) {
        self.note_private_mode(mode);
        self.edit_if_other_screen(mode);
        self.term.unset_private_mode(mode);
    }

    fn set_scrolling_region(&mut self, top: usize, bottom: Option<usize>) {
        self.note_region(top, bottom);
        self.term.set_scrolling_region(top, bottom);
    }

    fn bell(&mut self) {
        self.bells = self.bells.saturating_add(1);
    }

    fn set_title(&mut self, title: Option<String>) {
        self.title = title.map(|title| sanitised(&title, TITLE_CHARACTERS)).unwrap_or_default();
    }

    fn push_title(&mut self) {}

    fn pop_title(&mut self) {}

    fn identify_terminal(&mut self, intermediate: Option<char>) {
        match intermediate {
            None => self.reply(replies::PRIMARY_ATTRIBUTES),
            Some('>') => self.reply(replies::SECONDARY_ATTRIBUTES),
            Some(_) => {}
        }
    }

    fn device_status(&mut self, query: usize) {
        match query {
            5 => self.reply(replies::STATUS_OK),
            6 => {
                let point = self.term.grid().cursor.point;
                self.reply(&replies::cursor_position(point.line.0 + 1, point.column.0 + 1));
            }
            _ => {}
        }
    }

    fn report_mode(&mut self, mode: Mode) {
        let set = self.term.mode();
        let state = match mode {
            Mode::Named(NamedMode::Insert) => 2 - u8::from(set.contains(TermMode::INSERT)),
            Mode::Named(NamedMode::LineFeedNewLine) => {
                2 - u8::from(set.contains(TermMode::LINE_FEED_NEW_LINE))
            }
            Mode::Unknown(_) => 0,
        };
        self.reply(&replies::mode_state(false, mode.raw(), state));
    }

    fn report_private_mode(&mut self, mode: PrivateMode) {
        match Query::of_mode(mode.raw()) {
            Some(query) => self.answer(query),
            None => {
                let blinking = self.term.cursor_style().blinking;
                let state = replies::private_mode_state(mode, *self.term.mode(), blinking);
                self.reply(&replies::mode_state(true, mode.raw(), state));
            }
        }
    }

    fn report_keyboard_mode(&mut self) {
        self.reply(replies::KEYBOARD_FLAGS);
    }

    fn report_modify_other_keys(&mut self) {}

    fn dynamic_color_sequence(&mut self, prefix: String, index: usize, terminator: &str) {
        let set =
            (index < alacritty_terminal::term::color::COUNT).then(|| self.term.colors()[index]).flatten();
        let colour = set.unwrap_or_else(|| replies::default_colour(index));
        self.reply(&replies::colour(&prefix, colour, terminator));
    }

    /// A child has no business with the person's clipboard.
    fn clipboard_store(&mut self, _clipboard: u8, _base64: &[u8]) {}

    /// A child has no business with the person's clipboard.
    fn clipboard_load(&mut self, _clipboard: u8, _terminator: &str) {}

    fn text_area_size_pixels(&mut self) {
        let text = replies::area_in_pixels(self.term.screen_lines(), self.term.columns());
        self.reply(&text);
    }

    fn text_area_size_chars(&mut self) {
        let text = replies::area_in_characters(self.term.screen_lines(), self.term.columns());
        self.reply(&text);
    }
}
