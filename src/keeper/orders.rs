//! Who may give orders, and what each order does.

use std::time::Duration;

use super::connection::{Connection, Frame};
use super::reader::Attaching;
use super::serve::{Keeper, MOST_GUESTS};
use super::terminal::Terminal;
use super::wire::{self, Hello, Kind, Order, Refusal, RefusalReason, Report};

impl Keeper {
    /// Takes new connections of our own uid; they have a moment to show the token.
    pub(super) fn accept(&mut self) {
        while let Ok((stream, _)) = self.listener.accept() {
            let guest = Connection::accept(stream, self.now());
            if self.guests.len() < MOST_GUESTS {
                self.guests.extend(guest);
            }
        }
    }

    /// Listens to those that have not shown the token yet: their first frame must be `attach`.
    pub(super) fn hear_guests(&mut self) {
        for mut guest in std::mem::take(&mut self.guests) {
            match guest.receive().map(|frames| frames.into_iter().next()) {
                Ok(None) => self.guests.push(guest),
                Ok(Some(frame)) => self.admit(guest, &frame),
                Err(_) => {}
            }
        }
    }

    fn admit(&mut self, mut guest: Connection, frame: &Frame) {
        let refused = match parse_order(frame) {
            Some(Order::Attach { version: _, token, from }) => match self.spend_token(&token) {
                Ok(()) => {
                    self.attaching = Some(Attaching { connection: guest, from, told: false });
                    return;
                }
                Err(refusal) => refusal,
            },
            Some(
                Order::Kill { .. }
                | Order::Limit { .. }
                | Order::HasLetGo { .. }
                | Order::OutputEnded { .. }
                | Order::Remake
                | Order::Release,
            )
            | None => refusal(RefusalReason::Protocol, "the first frame must be attach"),
        };
        guest.report(&Report::Refused(refused));
        let _ = guest.flush();
    }

    /// Uses the token up. Where the next one cannot be written, for want of room or because the folder is gone, this one
    /// stays good: a supervisor that may attach is never refused for that.
    fn spend_token(&mut self, presented: &str) -> Result<(), Refusal> {
        if !self.token.matches(presented) {
            return Err(refusal(
                RefusalReason::Token,
                "the token is not the current one; read it again from the session's folder",
            ));
        }
        let _ = self.token.rotate();
        Ok(())
    }

    /// Repeats what has already happened, so that a supervisor can live off the reports alone.
    pub(super) fn tell_again(&mut self) {
        if self.limit_reached {
            self.tell(&Report::LimitReached);
        }
        if let Some(exit) = self.exit {
            self.tell(&Report::Exited(exit));
        }
        if let Some(report) = self.last_kill.clone() {
            self.tell(&Report::KillFinished(report));
        }
    }

    pub(super) fn hello(&self, resume_at: u64) -> Hello {
        let size = self.terminal.as_ref().and_then(Terminal::size);
        let (columns, rows) = size.unwrap_or((self.spec.columns, self.spec.rows));
        Hello {
            version: wire::VERSION,
            keeper_process_id: std::process::id(),
            child_process_id: self.child.as_raw_nonzero().get().cast_unsigned(),
            ring_start: self.ring.start(),
            ring_end: self.ring.end(),
            attachment: self.attachments,
            resume_at,
            input_limit: self.spec.input_limit,
            drain: self.spec.drain,
            replied_through: self.ring.mapping().replied_through(),
            credential: self.spec.credential.clone(),
            environment: Some(self.spec.environment.clone()).filter(|variables| !variables.0.is_empty()),
            started_at: self.started_at,
            elapsed: self.now(),
            limit: self.spec.limit,
            columns,
            rows,
            exit: self.exit,
            output_ended: self.terminal.is_none(),
            limit_reached: self.limit_reached,
            killing: self.ladder.is_climbing(),
            kill: self.last_kill.clone(),
        }
    }

    /// Carries out the supervisor's orders. A connection that ended, by a crash or otherwise, changes nothing else.
    pub(super) fn hear_supervisor(&mut self) {
        let received = match self.reader.supervisor_mut() {
            Some(supervisor) => supervisor.receive(),
            None => return,
        };
        match received {
            Ok(frames) => frames.iter().for_each(|frame| self.obey(frame)),
            Err(_) => self.lose_supervisor(),
        }
    }

    fn obey(&mut self, frame: &Frame) {
        if let Some(order) = parse_order(frame) {
            self.carry_out(&order);
        }
    }

    fn carry_out(&mut self, order: &Order) {
        match *order {
            Order::Attach { .. } => {
                self.tell(&Report::Refused(refusal(RefusalReason::Protocol, "already attached")));
            }
            Order::Kill { force } => self.kill(force),
            Order::Limit { milliseconds } => self.spec.limit = Duration::from_millis(milliseconds),
            Order::HasLetGo { offset: _ } => self.lose_supervisor(),
            Order::OutputEnded { offset: _ } => self.on_output_ended(),
            Order::Remake => self.remake(),
            Order::Release => self.release(),
        }
    }

    /// The supervisor has closed its end; with this one the child's end is hung up.
    fn on_output_ended(&mut self) {
        if self.exit.is_some() {
            self.end_output();
        }
    }

    /// Makes the session's folder again if somebody has emptied it. What cannot be made is tried again when the
    /// supervisor notices the next removal.
    fn remake(&mut self) {
        let folder = self.spec.directory.clone();
        if !folder.join(super::start::SOCKET).exists()
            && let Ok(listener) = super::start::listen_anew(&folder)
        {
            self.listener = listener;
        }
        if !folder.join(super::token::FILE).exists() {
            let _ = self.token.rotate();
        }
    }

    fn release(&mut self) {
        if self.exit.is_none() || self.ladder.is_climbing() {
            let message = "the child still runs; kill it first";
            return self.tell(&Report::Refused(refusal(RefusalReason::StillRunning, message)));
        }
        self.tell(&Report::Released);
        self.flush();
        self.over = true;
    }
}

fn parse_order(frame: &Frame) -> Option<Order> {
    match frame.kind {
        Some(Kind::Order) => serde_json::from_slice(&frame.payload).ok(),
        Some(Kind::Report) | None => None,
    }
}

fn refusal(reason: RefusalReason, message: &str) -> Refusal {
    Refusal { reason, message: message.to_owned() }
}
