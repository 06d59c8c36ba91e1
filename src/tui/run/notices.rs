//! What programs beside the deck say: they may not write on its terminal.

use tokio::sync::mpsc;

/// Where it comes from; absent if there are no such programs.
pub(super) struct Notices(pub(super) Option<mpsc::Receiver<String>>);

impl Notices {
    /// Waits for the next one, for ever if none will come. Cancelling loses nothing.
    pub(super) async fn next(&mut self) -> String {
        if let Some(receiver) = &mut self.0 {
            if let Some(notice) = receiver.recv().await {
                return notice;
            }
            self.0 = None;
        }
        std::future::pending().await
    }
}
