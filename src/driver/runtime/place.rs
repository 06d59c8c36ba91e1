//! The supervisor's place is made again when somebody has emptied it: no session is lost by that.

use super::Runtime;
use crate::core::view::{Event, Level};
use crate::driver::sessions::Order;

impl Runtime {
    /// Makes what is missing: folders and links, what the next supervisor must know, and each keeper's socket.
    pub fn remake_place(&mut self) {
        let remade = self.paths.remake();
        let known = std::mem::replace(&mut self.lost_place, remade.is_err());
        if let Err(error) = remade {
            if known {
                return;
            }
            let text = format!("the supervisor's folder was emptied and cannot be made again: {error}");
            return self.publish(Event::Notice { level: Level::Warning, text, session_id: None });
        }
        let missing: Vec<_> = self
            .engine
            .saved_sessions()
            .filter(|saved| !self.saved.is_there(saved.session_id()))
            .cloned()
            .collect();
        missing.into_iter().for_each(|saved| self.save_session(saved));
        self.sessions.order_all(|| Order::RemakeFolder);
    }
}
