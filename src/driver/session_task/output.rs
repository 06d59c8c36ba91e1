//! What the keeper tells: bytes, and how the child fares.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::SessionTask;
use crate::core::asciicast::{self, EventKind};
use crate::core::input::{Input, SessionInput};
use crate::core::login::Exit;
use crate::core::time::Timestamp;
use crate::driver::fact::Fact;
use crate::driver::keeper_link::{
    KeeperEvent, KeeperEvents, KeeperHandle, KeeperHello, KillReport, RefusalReason, Survivor,
};
use crate::driver::left_behind;
use crate::driver::recording::Recording;

/// How much of what a session printed is kept for the next supervisor once its keeper is gone.
const KEPT_BYTES: usize = 512 * 1024;

/// How many of the last lines a session that ends is judged by.
const LAST_LINES: usize = 12;

/// How many rows they are looked for on.
const LAST_ROWS: u64 = 200;

impl SessionTask {
    /// Shows again what an earlier supervisor has kept of a session that is over. Nothing is told to the engine.
    pub fn recall(&mut self) {
        let kept = self.setting.saved.read_recording(&self.setting.session_id);
        let recording = kept.and_then(|text| asciicast::parse(&text).ok().flatten());
        let Some(recording) = recording else { return };
        let start = Timestamp(recording.header.timestamp.unwrap_or_default().saturating_mul(1_000));
        self.screen.resize(recording.header.size);
        self.recording = Recording::new(self.setting.settings.limits.recording_bytes, recording.header.size);
        for event in recording.events {
            let at = start.after(Duration::try_from_secs_f64(event.seconds).unwrap_or_default());
            match event.kind {
                EventKind::Output(text) => {
                    self.screen.feed(text.as_bytes());
                    self.recording.push(self.received, at, text.as_bytes());
                    self.received += text.len() as u64;
                }
                EventKind::Resize(size) => {
                    self.screen.resize(size);
                    self.recording.resized(at, size);
                }
                EventKind::Input(_) => {}
            }
        }
        self.screen.end_synchronized_update();
        drop(self.screen.take_replies());
    }

    /// Tells the engine what happened before this supervisor attached. The output follows by itself.
    pub(super) async fn on_past(&mut self, past: &KeeperHello) {
        if past.limit_reached {
            self.tell(SessionInput::LimitReached).await;
        }
        if let Some(exit) = past.exit {
            self.tell(SessionInput::ChildExited { exit: Exit { code: exit.code, signal: exit.signal } })
                .await;
        }
        if let Some(report) = &past.kill {
            self.tell(kill_finished(report)).await;
        }
    }

    pub(super) async fn on_event(&mut self, event: Option<KeeperEvent>) {
        match event {
            Some(KeeperEvent::Output { from, to }) => self.on_output(from, to).await,
            Some(KeeperEvent::Exited(exit)) => {
                let exit = Exit { code: exit.code, signal: exit.signal };
                self.tell(SessionInput::ChildExited { exit }).await;
            }
            Some(KeeperEvent::OutputEnded { offset: _ }) => self.on_output_ended().await,
            Some(KeeperEvent::LimitReached) => self.tell(SessionInput::LimitReached).await,
            Some(KeeperEvent::KillFinished(report)) => {
                self.kill_due = None;
                self.tell(kill_finished(&report)).await;
            }
            // A keeper that cannot be released yet lingers and ends by itself later.
            Some(KeeperEvent::Refused(_)) => {}
            // It obeys another supervisor now, so it is lost to this one, but what it holds is that one's to end.
            Some(KeeperEvent::Superseded) => {
                self.keeper = None;
                self.mailbox.keys.lead_to(None);
                self.tell(SessionInput::KeeperLost).await;
            }
            Some(KeeperEvent::Released) => {
                self.released = true;
                self.keeper = None;
            }
            None => self.on_keeper_gone().await,
        }
    }

    async fn on_output(&mut self, from: u64, to: u64) {
        let now = Instant::now();
        let Some((handle, events)) = &self.keeper else { return };
        let bytes = events.output(from, to);
        // What an earlier supervisor has answered must not be answered again, to the byte.
        let answered = usize::try_from(self.replied_through.saturating_sub(from)).unwrap_or(usize::MAX);
        let (old, new) = bytes.split_at(answered.min(bytes.len()));
        let mut noticed = Vec::new();
        if !old.is_empty() {
            noticed.push(self.detection.feed(&mut self.screen, old));
            drop(self.screen.take_replies());
        }
        if !new.is_empty() {
            noticed.push(self.detection.feed(&mut self.screen, new));
            let replies = self.screen.take_replies();
            if !replies.is_empty() {
                handle.reply(&replies, to);
            }
        }
        self.received = to;
        self.recording.push(from, self.setting.clock.now(), bytes);
        let count = bytes.len();
        for noticed in noticed {
            self.note(noticed).await;
        }
        // A field that only this list holds has nobody to wait for it.
        self.fields.retain(|field| Arc::strong_count(field) > 1);
        self.fields.iter().for_each(|field| field.look(&self.screen));
        self.printed.notify_waiters();
        self.pace.quiet_at = Some(now + self.setting.settings.quiet);
        if self.pace.came(count, now, self.setting.clock.now()) <= now {
            self.frame(now).await;
            // Whoever writes the frame to a client goes first: it may be an echo.
            tokio::task::yield_now().await;
            if self.detection.has_seen(&self.screen) {
                self.pace.quiet_at = None;
            }
        }
    }

    async fn on_output_ended(&mut self) {
        if std::mem::replace(&mut self.output_ended, true) {
            return;
        }
        self.mailbox.keys.lead_to(None);
        self.finish().await;
        self.tell(SessionInput::LastLines(self.last_lines())).await;
        self.tell(SessionInput::OutputEnded).await;
        if self.release_wanted {
            self.release().await;
        }
    }

    /// The connection is over. If the keeper was told to go, that is how it goes.
    pub(super) async fn on_keeper_gone(&mut self) {
        self.keeper = None;
        self.kill_due = None;
        self.mailbox.keys.lead_to(None);
        if !self.released {
            self.finish().await;
            self.tell(SessionInput::KeeperLost).await;
            self.sweep();
        }
    }

    /// Looks at all there is for the last time.
    async fn finish(&mut self) {
        self.pace.quiet_at = None;
        let noticed = self.detection.finish(&mut self.screen);
        self.note(noticed).await;
        let now = Instant::now();
        self.frame(now).await;
        self.count(now, true).await;
    }

    /// Returns the last lines on the screen and above it that are not empty, oldest first.
    fn last_lines(&self) -> Vec<String> {
        let first = self.screen.end().saturating_sub(LAST_ROWS).max(self.screen.history_start());
        let lines = self.screen.logical_lines(first..self.screen.end());
        let mut lines: Vec<String> =
            lines.map(|line| line.text.trim().to_owned()).filter(|line| !line.is_empty()).collect();
        let excess = lines.len().saturating_sub(LAST_LINES);
        lines.drain(..excess);
        lines
    }

    /// Orders a kill. A keeper that the child has stopped goes on and obeys; one that does not report in time is done
    /// without.
    pub(super) fn kill(&mut self, force: bool) {
        /// Beyond the keeper's own limits for a kill, and before the engine gives the kill up.
        const MARGIN: Duration = Duration::from_secs(2);
        let limits = &self.setting.settings.limits;
        let limit = if force { limits.kill } else { limits.kill_grace + limits.kill } + MARGIN;
        let ordered = match &self.keeper {
            Some((handle, _)) => {
                handle.wake();
                handle.kill(force).is_ok()
            }
            None => self.kill_awaited(force),
        };
        if ordered {
            self.kill_due = Some(Instant::now() + limit);
        } else {
            self.sweep();
        }
    }

    /// The keeper has not reported the end of a kill: this process kills what is below it, and it last.
    pub(super) fn kill_without_keeper(&mut self) {
        self.kill_due = None;
        let keeper = match &self.keeper {
            Some((handle, _)) => Some(handle.keeper_process_id()),
            None => self.awaited_process(),
        };
        let (session_id, facts) = (self.setting.session_id.clone(), self.setting.facts.clone());
        self.writes.spawn_blocking(move || {
            let left = left_behind::end_with_keeper(keeper, &session_id).left;
            let line =
                |id: &u32| format!("{id}: it is still there although SIGKILL was sent; end it by hand");
            let input = SessionInput::KillFinished { survivors: left.iter().map(line).collect() };
            // An error means that the runtime ended. This thread is not one of the runtime's, so it may wait.
            let _ = facts.blocking_send(Fact::Input(Input::Session { session_id, input }));
        });
    }

    /// Ends what is left of the child without its keeper, beside everything else.
    fn sweep(&mut self) {
        let (session_id, facts) = (self.setting.session_id.clone(), self.setting.facts.clone());
        self.writes.spawn_blocking(move || {
            let left = left_behind::end_marked(&session_id).left;
            let line = |id: &u32| format!("{id}: it is still there, and its keeper is gone; end it by hand");
            let input = SessionInput::KillFinished { survivors: left.iter().map(line).collect() };
            // An error means that the runtime ended. This thread is not one of the runtime's, so it may wait.
            let _ = facts.blocking_send(Fact::Input(Input::Session { session_id, input }));
        });
    }

    /// Sees to what a later supervisor needs of this session, if somebody has removed it: the keeper's socket and token,
    /// or what an ended session printed.
    pub(super) fn remake_folder(&mut self) {
        if self.released {
            if !self.setting.saved.has_recording(&self.setting.session_id) {
                self.keep_recording();
            }
            return;
        }
        if let Some((handle, _)) = &self.keeper {
            // An error means that the keeper is gone, which its events tell.
            let _ = handle.remake();
        }
    }

    /// An error means no space in memory; the session is then listed without its output after a restart.
    fn keep_recording(&self) {
        let recording = self.asciicast(KEPT_BYTES);
        let _ = self.setting.saved.write_recording(&self.setting.session_id, &recording);
    }

    /// Lets the keeper end; what it still holds is read first. It ends the output itself soon after the child.
    pub(super) async fn release(&mut self) {
        self.release_wanted = true;
        if !self.output_ended {
            return;
        }
        self.released = true;
        if let Some((handle, _)) = &self.keeper {
            self.keep_recording();
            // An error means that it is gone already, which is what was asked for.
            let _ = handle.release();
        }
    }
}

impl SessionTask {
    /// Ends the keeper, and the child with it if that is still there, and with them the task.
    pub(super) async fn forget(mut self) {
        /// Beyond the keeper's own limits for a kill.
        const MARGIN: Duration = Duration::from_secs(5);
        let limits = &self.setting.settings.limits;
        let limit = limits.kill_grace + limits.kill + MARGIN;
        if let Some((handle, mut events)) = self.keeper.take() {
            // What does not end within the limit was said to survive, and its keeper lingers with it.
            let _ = timeout(limit, end_keeper(&handle, &mut events)).await;
        }
    }
}

async fn end_keeper(handle: &KeeperHandle, events: &mut KeeperEvents) {
    // Each error means that the keeper is gone, which is what is wanted.
    let _ = handle.release();
    while let Some(event) = events.next().await {
        match event {
            KeeperEvent::Released => return,
            KeeperEvent::Refused(refusal) if refusal.reason == RefusalReason::StillRunning => {
                let _ = handle.kill(true);
            }
            KeeperEvent::KillFinished(_) | KeeperEvent::Exited(_) => {
                let _ = handle.release();
            }
            KeeperEvent::Superseded => return,
            KeeperEvent::Refused(_)
            | KeeperEvent::Output { .. }
            | KeeperEvent::OutputEnded { .. }
            | KeeperEvent::LimitReached => {}
        }
    }
}

fn kill_finished(report: &KillReport) -> SessionInput {
    let line = |left: &Survivor| format!("{} {}: {}", left.process_id, left.name, left.reason);
    SessionInput::KillFinished { survivors: report.survivors.iter().map(line).collect() }
}
