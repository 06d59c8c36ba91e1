//! Whose turn it is with the focused session's screen.

use serde::{Deserialize, Serialize};

use crate::protocol::encode;
use crate::protocol::frame::Frame;
use crate::protocol::screen::ScreenUpdate;

/// Bytes of screens that a client is sent, about, before it has to say that it took them. A spinner or an echo stays
/// below that for some frames, and each word from the client wakes this process; but a client at the end of a slow
/// line is not to lie further behind than a line of it takes to come over.
const MOST_UNTAKEN: usize = 2 * 1024;

/// Whose turn it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Turn {
    /// The next update is sent as soon as there is one.
    #[default]
    Ours,
    /// An update is being written.
    Writing,
    /// An update is being written that the client is to acknowledge.
    WritingLast,
    /// Such an update was written, and the client has not said yet that it took it.
    Theirs,
}

/// What one client was sent of a screen, and what it took.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Screens {
    turn: Turn,
    /// The client says `screen.taken` when it is asked to.
    acknowledges: bool,
    /// Bytes that it was sent since it was last asked, about.
    untaken: usize,
}

impl Screens {
    /// Tells whether the next update may be sent.
    pub fn may_send(&self) -> bool {
        self.turn == Turn::Ours
    }

    /// Makes the frame of an update that is sent now.
    pub fn send(&mut self, mut update: ScreenUpdate) -> Frame {
        self.untaken += size(&update);
        update.acknowledge = self.acknowledges && self.untaken > MOST_UNTAKEN;
        self.turn = if update.acknowledge { Turn::WritingLast } else { Turn::Writing };
        encode::screen(&update)
    }

    /// The frame that was sent last is written. An update is queued only while nothing else is, so the first frame that
    /// is written after that is the update itself.
    pub fn written(&mut self) {
        self.turn = match self.turn {
            Turn::Writing => Turn::Ours,
            Turn::WritingLast => Turn::Theirs,
            turn @ (Turn::Ours | Turn::Theirs) => turn,
        };
    }

    /// The client took what it was sent.
    pub fn taken(&mut self) {
        if self.turn == Turn::Theirs {
            *self = Self { turn: Turn::Ours, untaken: 0, ..*self };
        }
    }

    /// The screen of another session is asked for: the next update is sent as soon as it is there.
    pub fn refocus(&mut self, acknowledges: bool) {
        self.acknowledges = acknowledges;
        self.taken();
    }
}

/// About how many bytes an update takes on the wire.
fn size(update: &ScreenUpdate) -> usize {
    /// What stands around an update, a row, and the text of a run.
    const AROUND: [usize; 3] = [160, 40, 40];
    let runs = update.changed.iter().flat_map(|row| &row.runs).map(|run| AROUND[2] + run.text.len());
    AROUND[0] + AROUND[1] * update.changed.len() + runs.sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::ids::SessionId;
    use crate::core::screen::{Modes, Row, Run, Style};

    fn update(bytes: usize) -> ScreenUpdate {
        let runs = vec![Run { text: "x".repeat(bytes), style: Style::default() }];
        ScreenUpdate {
            session_id: SessionId::new("auth-1"),
            generation: 1,
            columns: 80,
            rows: 24,
            full: false,
            changed: vec![Row { number: 0, wrapped: false, runs }],
            cursor: None,
            modes: Modes::default(),
            history_start: 0,
            screen_start: 0,
            acknowledge: false,
        }
    }

    /// Sends an update of so many bytes; tells whether the client was asked to acknowledge it.
    fn send(screens: &mut Screens, bytes: usize) -> bool {
        assert!(screens.may_send());
        let frame = screens.send(update(bytes));
        assert!(!screens.may_send(), "one update is written at a time");
        screens.written();
        let asked = std::str::from_utf8(&frame).unwrap().contains(r#""acknowledge":true"#);
        assert_eq!(screens.may_send(), !asked);
        asked
    }

    #[test]
    fn a_few_small_updates_go_out_unasked_and_then_the_client_has_to_speak() {
        let mut screens = Screens::default();
        screens.refocus(true);
        let ahead = (0..).take_while(|_| !send(&mut screens, 100)).count();
        assert!((3..20).contains(&ahead), "{ahead}");
        screens.taken();
        assert!(!send(&mut screens, 100), "it starts over");
        assert!(send(&mut screens, 4_000), "a big one is waited for by itself");
        screens.refocus(true);
        assert!(screens.may_send(), "another session's screen waits for nothing");
    }

    #[test]
    fn a_client_that_does_not_acknowledge_is_never_asked() {
        let mut screens = Screens::default();
        assert!((0..50).all(|_| !send(&mut screens, 4_000)));
    }
}
