//! The cells of the card that are a link for terminals that know OSC 8.

use ratatui::buffer::Buffer;
use ratatui::layout::Position;
use ratatui::style::Modifier;

use super::{card, layout};
use crate::core::finding::Verdict;
use crate::core::time::Timestamp;
use crate::protocol::snapshot::UrlView;
use crate::tui::model::Model;

/// Longer ones are cut or refused by terminals (VTE takes 2,083 bytes).
const LONGEST: usize = 2_000;

/// Cells in one row that lead to a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link<'a> {
    /// The first cell.
    pub at: Position,
    /// How many cells.
    pub columns: u16,
    /// Where they lead to.
    pub url: &'a str,
}

impl Link<'_> {
    /// Marks its cells.
    pub fn mark(&self, buffer: &mut Buffer, mark: Modifier) {
        for column in 0..self.columns {
            if let Some(cell) = buffer.cell_mut(Position::new(self.at.x + column, self.at.y)) {
                cell.modifier.insert(mark);
            }
        }
    }
}

/// Returns the link that is drawn now. There is none under a dialog, none to a URL that somebody should look at
/// first, and none to one with anything in it but the characters a URL is made of.
pub fn link(model: &Model, now: Timestamp) -> Option<Link<'_>> {
    let covered = model.dialog.is_some() || !model.pending.is_empty() || layout::too_small(model.size);
    if covered || !model.settings.hyperlinks {
        return None;
    }
    let url = model.selected_session()?.url.as_ref().filter(|url| is_fit(url))?;
    let areas = layout::areas_at(model, now);
    let (row, columns) = card::url_row(model, now, &areas)?;
    let shown = row < areas.card.height;
    shown.then_some(Link {
        at: Position::new(areas.card.x, areas.card.y + row),
        columns: columns.min(areas.card.width),
        url: &url.url,
    })
}

fn is_fit(url: &UrlView) -> bool {
    let expected = match url.verdict {
        Verdict::Expected | Verdict::Unknown => true,
        Verdict::Suspicious => false,
    };
    let web = url.url.starts_with("https://") || url.url.starts_with("http://");
    let plain = url.url.bytes().all(|byte| byte.is_ascii_graphic());
    expected && !url.disputed && web && plain && url.url.len() <= LONGEST
}
