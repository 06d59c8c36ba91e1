//! How the terminal goes to a supervisor, and comes back.

use super::reader::{Attaching, Reader};
use super::serve::Keeper;
use super::terminal::Terminal;
use super::wire::Report;

impl Keeper {
    /// The connection is over. What the supervisor may still read, it reads until its process has ended.
    pub(super) fn lose_supervisor(&mut self) {
        let process = match std::mem::replace(&mut self.reader, Reader::Keeper) {
            Reader::Supervisor(connection) => connection.into_process(),
            Reader::Leaving(process) => Some(process),
            Reader::Keeper => return,
        };
        let may_read = !self.ring.mapping().withdraw();
        match process.filter(|process| may_read && !process.has_ended()) {
            Some(process) => self.reader = Reader::Leaving(process),
            None => self.take_over(),
        }
    }

    /// The process of the supervisor has ended: whatever it wanted to say is heard first.
    pub(super) fn on_reader_ended(&mut self) {
        self.hear_supervisor();
        self.lose_supervisor();
    }

    /// Goes on reading where the supervisor stopped.
    fn take_over(&mut self) {
        self.reader = Reader::Keeper;
        self.ring.mapping().take_back();
        self.ring.recover();
        self.alone_since = self.now();
        self.drain_until = self.alone_since.saturating_add(self.spec.drain);
    }

    /// Sees to the supervisor that wants to attach: the one before lets go first.
    pub(super) fn attach_next(&mut self) {
        if self.attaching.is_none() {
            return;
        }
        // One that never began to read cannot begin any more.
        if self.reader.supervisor().is_some() && self.ring.mapping().withdraw() {
            self.take_over();
        }
        if self.reader.is_keeper() {
            if let Some(next) = self.attaching.take() {
                self.attach(next);
            }
        } else if let (Some(next), Reader::Supervisor(earlier)) = (&mut self.attaching, &mut self.reader)
            && !std::mem::replace(&mut next.told, true)
        {
            earlier.report(&Report::LetGo);
        }
    }

    /// Hands the ring and the terminal to a supervisor. From here on this process leaves the terminal alone.
    fn attach(&mut self, next: Attaching) {
        let Attaching { connection: mut guest, from, told: _ } = next;
        let terminal = self.terminal.as_ref().map(Terminal::share).transpose();
        let (Ok(terminal), Ok(ring)) = (terminal, self.ring_file.try_clone()) else {
            // Too many descriptors: the supervisor finds its connection closed and tries again.
            return;
        };
        self.attachments += 1;
        self.reopen = None;
        self.ring.mapping().offer(self.attachments);
        guest.attachment = self.attachments;
        guest.hand(std::iter::once(ring).chain(terminal).collect());
        let resume_at = from.unwrap_or(0).clamp(self.ring.start(), self.ring.end());
        guest.report(&Report::Hello(Box::new(self.hello(resume_at))));
        self.reader = Reader::Supervisor(Box::new(guest));
        self.tell_again();
    }
}
