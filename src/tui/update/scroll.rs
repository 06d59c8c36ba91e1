//! Scrolling and searching the selected session's transcript.

use crate::protocol::event::Level;
use crate::tui::model::{Model, Search};
use crate::tui::view::layout;

/// Scrolls by lines, negative being up.
pub fn by_lines(model: &mut Model, lines: i64) {
    let height = layout::pane_height(model);
    if model.pane.modes.alternate_screen && !model.pane.is_scrolled() && lines < 0 {
        model.say(Level::Info, "The CLI draws a full screen of its own, which has no history.");
        return;
    }
    model.pane.scroll(lines, height);
}

/// Scrolls by pages; a line of the page before stays in view.
pub fn by_pages(model: &mut Model, pages: i64) {
    let height = layout::pane_height(model);
    by_lines(model, pages * i64::from(height.saturating_sub(1).max(1)));
}

/// Scrolls to the oldest line.
pub fn to_top(model: &mut Model) {
    let height = layout::pane_height(model);
    model.pane.show_from(0, height);
}

/// Takes the lines that match and goes to the newest of them.
pub fn found(model: &mut Model, text: String, lines: Vec<u64>) {
    if lines.is_empty() {
        model.search = None;
        model.say(Level::Warning, format!("Nothing in the transcript has {text:?} in it."));
        return;
    }
    let current = lines.len() - 1;
    model.search = Some(Search { text, lines, current });
    reveal(model);
}

/// Goes to the next match or the one before; round at the ends.
pub fn next_match(model: &mut Model, by: isize) {
    if let Some(search) = &mut model.search {
        let count = search.lines.len();
        search.current = (search.current + count).saturating_add_signed(by) % count;
    }
    reveal(model);
}

fn reveal(model: &mut Model) {
    let height = layout::pane_height(model);
    if let Some(search) = &model.search {
        let (line, at, count) = (search.lines[search.current], search.current + 1, search.lines.len());
        model.pane.reveal(line, height);
        model.say(
            Level::Info,
            format!("Line {at} of {count} that match; n and N go on, Esc ends the search."),
        );
    }
}

/// Ends the search and shows the live screen again.
pub fn close_search(model: &mut Model) {
    model.search = None;
    model.pane.show_live();
}
