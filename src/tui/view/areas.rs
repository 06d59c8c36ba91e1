//! The parts of the screen.

use ratatui::layout::Rect;

/// The parts of the screen; a part that is not shown has no height.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Areas {
    /// The line at the top.
    pub header: Rect,
    /// All between header and footer.
    pub body: Rect,
    /// The list.
    pub list: Rect,
    /// The line between list and pane.
    pub divider: Rect,
    /// The card.
    pub card: Rect,
    /// The line down between card and pane, where they stand side by side.
    pub card_divider: Rect,
    /// The line between card and pane; over the pane, where they stand side by side.
    pub pane_rule: Rect,
    /// The child's screen.
    pub pane: Rect,
    /// The status line; the same row as the footer on short terminals.
    pub status: Rect,
    /// The keys.
    pub footer: Rect,
}
