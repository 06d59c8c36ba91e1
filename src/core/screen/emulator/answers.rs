//! What is answered to the queries that the tap marks.

use super::Emulator;
use crate::core::screen::queries::Query;
use crate::core::screen::replies;

impl Emulator {
    pub(super) fn answer(&mut self, query: Query) {
        match query {
            Query::Version => self.reply(replies::VERSION),
            Query::CellSize => self.reply(&replies::cell_in_pixels()),
            Query::TerminalName => self.reply(&replies::capability("TN", replies::TERMINAL_NAME)),
            Query::Colours => self.reply(&replies::capability("Co", "256")),
            Query::DirectColour => self.reply(&replies::capability("RGB", "8/8/8")),
            Query::UnknownCapability => self.reply(replies::UNKNOWN_CAPABILITY),
            Query::Pen => {
                let pen = &self.term.grid().cursor.template;
                let text = replies::pen(pen.fg, pen.bg, pen.flags);
                self.reply(&replies::setting(&text));
            }
            Query::ScrollRegion => {
                let text = format!("{};{}r", self.region.start + 1, self.region.end);
                self.reply(&replies::setting(&text));
            }
            Query::CursorForm => {
                let text = format!("{} q", replies::cursor_form(self.term.cursor_style()));
                self.reply(&replies::setting(&text));
            }
            Query::UnknownSetting => self.reply(replies::UNKNOWN_SETTING),
        }
    }
}
