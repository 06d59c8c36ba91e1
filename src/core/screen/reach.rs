//! How far to the right the rows of the screen are written.

/// How far to the right anything was written on the rows of the screen: an upper bound, so that a row which scrolls
/// off need not be read to its end.
///
/// A row is on the screen for at most as many scrolls as the screen has rows, unless an order moved it down again or
/// scrolled a part of the screen; each such order counts as writing everywhere. So two spans of that many scrolls
/// cover every row.
#[derive(Debug, Default)]
pub(super) struct Reach {
    now: usize,
    before: usize,
    scrolls: usize,
}

impl Reach {
    #[inline]
    pub fn touch(&mut self, columns: usize) {
        self.now = self.now.max(columns);
    }

    pub fn columns(&self) -> usize {
        self.now.max(self.before)
    }

    pub fn scrolled(&mut self, rows: usize, screen_rows: usize) {
        self.scrolls += rows;
        if self.scrolls >= screen_rows {
            self.before = std::mem::take(&mut self.now);
            self.scrolls = 0;
        }
    }
}
