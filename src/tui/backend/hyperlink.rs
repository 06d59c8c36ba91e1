//! The one link of a frame (OSC 8, "Hyperlinks in terminal emulators").
//!
//! A cell has no place for a link's target. The deck never blinks, so the two bits for blinking mark the cells of a
//! link: three marks, of which the next one is taken when the target changes, so that the cells are drawn anew even
//! where their text stays the same.

use ratatui::style::Modifier;

/// The bits that mark the cells of a link.
pub(super) const MARKS: Modifier = Modifier::SLOW_BLINK.union(Modifier::RAPID_BLINK);

const CYCLE: [Modifier; 3] = [Modifier::SLOW_BLINK, Modifier::RAPID_BLINK, MARKS];

/// Where the marked cells lead to.
#[derive(Debug, Default)]
pub(super) struct Hyperlink {
    target: Option<String>,
    /// How many targets there were.
    count: usize,
    /// The terminal was told that what follows is a link.
    open: bool,
}

impl Hyperlink {
    /// Says where the next frame's link leads to; returns the mark of its cells.
    pub fn lead_to(&mut self, target: &str) -> Modifier {
        if self.target.as_deref() != Some(target) {
            self.target = Some(target.to_owned());
            self.count += 1;
        }
        CYCLE[self.count % CYCLE.len()]
    }

    /// Makes what follows a link, or ends it.
    pub fn switch(&mut self, marked: bool, bytes: &mut String) {
        if marked == self.open {
            return;
        }
        match &self.target {
            Some(target) if marked => {
                bytes.push_str("\x1b]8;id=authdeck-");
                bytes.push_str(&self.count.to_string());
                bytes.push(';');
                bytes.push_str(target);
                bytes.push_str("\x1b\\");
            }
            Some(_) | None => bytes.push_str("\x1b]8;;\x1b\\"),
        }
        self.open = marked;
    }
}
