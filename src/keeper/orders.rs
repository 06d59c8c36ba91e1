//! Who may give orders, and what each order does.

use std::time::Duration;

use super::connection::{Connection, Frame};
use super::serve::{Keeper, MOST_GUESTS};
use super::terminal::Terminal;
use super::wire::{self, Hello, InputKind, Kind, Order, Refusal, RefusalReason, Report};

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
            Some(Order::Attach { version: _, token, from, window, terminal }) => {
                match self.spend_token(&token) {
                    Ok(()) => {
                        if terminal {
                            guest.lend(self.terminal.as_ref().and_then(Terminal::share));
                        }
                        return self.attach(guest, from, window);
                    }
                    Err(refusal) => refusal,
                }
            }
            Some(
                Order::Resize { .. }
                | Order::Kill { .. }
                | Order::Limit { .. }
                | Order::Consumed { .. }
                | Order::Mode { .. }
                | Order::Remake
                | Order::Release,
            )
            | None => refusal(RefusalReason::Protocol, "the first frame must be attach"),
        };
        guest.report(&Report::Refused(refused));
        let _ = guest.flush(&self.ring);
    }

    fn spend_token(&mut self, presented: &str) -> Result<(), Refusal> {
        if !self.token.matches(presented) {
            return Err(refusal(
                RefusalReason::Token,
                "the token is not the current one; read it again from the session's folder",
            ));
        }
        self.token.rotate().map_err(|error| {
            let message = format!("the next token cannot be written ({error}); make room on the disk");
            refusal(RefusalReason::TokenFile, &message)
        })
    }

    fn attach(&mut self, mut guest: Connection, from: Option<u64>, window: u64) {
        if let Some(mut earlier) = self.supervisor.take() {
            earlier
                .report(&Report::Refused(refusal(RefusalReason::Superseded, "another supervisor attached")));
            let _ = earlier.flush(&self.ring);
        }
        let resume_at = from.unwrap_or(0).clamp(self.ring.start(), self.ring.end());
        guest.report(&Report::Hello(Box::new(self.hello(resume_at))));
        guest.attach(resume_at, window);
        self.supervisor = Some(guest);
        self.was_attached = true;
        self.tell_again();
    }

    /// Repeats what has already happened, so that a supervisor can live off the reports alone.
    fn tell_again(&mut self) {
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

    fn hello(&self, resume_at: u64) -> Hello {
        Hello {
            version: wire::VERSION,
            keeper_process_id: std::process::id(),
            child_process_id: self.child.as_raw_nonzero().get().cast_unsigned(),
            ring_start: self.ring.start(),
            ring_end: self.ring.end(),
            ring_bytes: self.ring.capacity() as u64,
            resume_at,
            replied_through: self.replied_through,
            credential: self.spec.credential.clone(),
            environment: Some(self.spec.environment.clone()).filter(|variables| !variables.0.is_empty()),
            started_at: self.started_at,
            elapsed: self.now(),
            limit: self.spec.limit,
            columns: self.spec.columns,
            rows: self.spec.rows,
            exit: self.exit,
            output_ended: self.terminal.is_none(),
            limit_reached: self.limit_reached,
            killing: self.ladder.is_climbing(),
            kill: self.last_kill.clone(),
        }
    }

    /// Carries out the supervisor's orders. A connection that ended, by a crash or otherwise, changes nothing else.
    pub(super) fn hear_supervisor(&mut self) {
        let received = match &mut self.supervisor {
            Some(supervisor) => supervisor.receive(),
            None => return,
        };
        match received {
            Ok(frames) => frames.iter().for_each(|frame| self.obey(frame)),
            Err(_) => self.lose_supervisor(),
        }
    }

    fn obey(&mut self, frame: &Frame) {
        match frame.kind {
            Some(Kind::Order) => {
                if let Some(order) = parse_order(frame) {
                    self.carry_out(&order);
                }
            }
            Some(Kind::Input) => self.take_input(&frame.payload),
            Some(Kind::Report | Kind::Output) | None => {}
        }
    }

    fn carry_out(&mut self, order: &Order) {
        match *order {
            Order::Attach { .. } => {
                self.tell(&Report::Refused(refusal(RefusalReason::Protocol, "already attached")));
            }
            Order::Resize { columns, rows } => self.resize(columns, rows),
            Order::Kill { force } => self.kill(force),
            Order::Limit { milliseconds } => self.spec.limit = Duration::from_millis(milliseconds),
            Order::Consumed { offset } => self.note_consumed(offset),
            Order::Mode { id } => self.tell_mode(id),
            Order::Remake => self.remake(),
            Order::Release => self.release(),
        }
    }

    fn resize(&mut self, columns: u16, rows: u16) {
        if columns == 0 || rows == 0 {
            return;
        }
        self.spec.columns = columns;
        self.spec.rows = rows;
        if let Some(terminal) = &self.terminal {
            terminal.resize(columns, rows);
        }
    }

    fn note_consumed(&mut self, offset: u64) {
        if let Some(supervisor) = &mut self.supervisor {
            supervisor.set_consumed(offset);
        }
    }

    fn tell_mode(&mut self, id: u32) {
        let mode = self.terminal.as_ref().and_then(super::terminal::Terminal::mode);
        self.tell(&Report::Mode { id, mode });
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

    fn take_input(&mut self, payload: &[u8]) {
        let Some((id, kind, bytes)) = wire::parse_input(payload) else { return };
        if let InputKind::TerminalReply { through } = kind {
            // Noted on arrival: from here on the keeper sees to it, whatever becomes of the supervisor.
            self.replied_through = self.replied_through.max(through);
        }
        if let Err(done) = self.input.push(self.now(), id, bytes) {
            self.tell_inputs(vec![done]);
        }
    }
}

fn parse_order(frame: &Frame) -> Option<Order> {
    match frame.kind {
        Some(Kind::Order) => serde_json::from_slice(&frame.payload).ok(),
        Some(Kind::Input | Kind::Report | Kind::Output) | None => None,
    }
}

fn refusal(reason: RefusalReason, message: &str) -> Refusal {
    Refusal { reason, message: message.to_owned() }
}
