//! A session whose keeper did not answer when this supervisor started: it stays listed, and is attached to as soon as it
//! answers.

use std::path::PathBuf;

use rustix::process::Signal;
use tokio::sync::oneshot;

use super::{Attached, SessionTask};
use crate::core::screen::Size;
use crate::driver::fact::Fact;
use crate::driver::keeper_link;
use crate::os::processes::ProcessIdentity;

/// A keeper that is awaited.
pub(super) struct Awaited {
    folder: PathBuf,
    found: oneshot::Receiver<Option<Box<Attached>>>,
    /// A kill that was ordered meanwhile, by force or not.
    kill: Option<bool>,
}

/// Resolves once the keeper has answered, or is proved to be gone.
pub(super) async fn reached(awaited: &mut Option<Awaited>) -> Option<Box<Attached>> {
    match awaited {
        Some(awaited) => (&mut awaited.found).await.ok().flatten(),
        None => std::future::pending().await,
    }
}

impl SessionTask {
    /// Waits for the keeper of this folder beside everything else.
    pub fn await_keeper(&mut self, folder: PathBuf) {
        let (found, receiver) = oneshot::channel();
        let place = folder.clone();
        self.writes.spawn(async move {
            let attached = keeper_link::reach(&place).await;
            let attached =
                attached.map(|(handle, events, hello)| Box::new(Attached { handle, events, hello }));
            // An error means that the session was forgotten; what was attached to is let go of.
            let _ = found.send(attached);
        });
        (self.output_ended, self.released) = (false, false);
        self.awaited = Some(Awaited { folder, found: receiver, kill: None });
    }

    /// Orders a kill of a session whose keeper is awaited, if it is. A keeper that was stopped goes on, and obeys.
    pub(super) fn kill_awaited(&mut self, force: bool) -> bool {
        let Some(awaited) = &mut self.awaited else { return false };
        awaited.kill = Some(force || awaited.kill == Some(true));
        if let Some(keeper) = keeper_link::process(&awaited.folder).and_then(ProcessIdentity::open) {
            // An error means that it has just ended.
            let _ = keeper.signal(Signal::CONT);
        }
        true
    }

    /// Returns the process of a keeper that is awaited, if there is one.
    pub(super) fn awaited_process(&self) -> Option<u32> {
        let folder = &self.awaited.as_ref()?.folder;
        keeper_link::process(folder).map(|keeper| keeper.process_id)
    }

    pub(super) async fn on_reached(&mut self, found: Option<Box<Attached>>) {
        let kill = self.awaited.take().and_then(|awaited| awaited.kill);
        let Some(attached) = found else { return self.on_keeper_gone().await };
        let Attached { handle, events, hello } = *attached;
        let size = Size { columns: hello.columns, rows: hello.rows }.clamped();
        if size != self.screen.size() {
            self.screen.resize(size);
            self.recording.resized(self.setting.clock.now(), size);
        }
        (self.replied_through, self.known_until) = (hello.replied_through, hello.ring_end);
        (self.received, self.told) = (hello.resume_at, hello.resume_at);
        self.mailbox.keys.lead_to(Some(handle.clone()));
        self.keeper = Some((handle, events));
        let session_id = self.setting.session_id.clone();
        // An error means that the runtime ended, and this task is about to.
        let _ = self.setting.facts.send(Fact::Reached { session_id, hello: Box::new(hello.clone()) }).await;
        self.on_past(&hello).await;
        if let Some(force) = kill {
            self.kill(force);
        }
    }
}
