//! The end of writing: if events are on disk, their replies are sent. If they cannot be written, they are undone.

use std::sync::Arc;

use super::asked::OnRecord;
use super::{Desk, Origin, not_writable};
use crate::desk::command::{Output, Reply, Token};
use crate::limits;
use crate::ticket::{LogEntry, Ticket};
use crate::words::{Now, Refusal, Rule, Seq};

impl Desk {
    /// Takes the report that all events up to `seq` are on disk: sends their replies, which waited in `unwritten`.
    pub(super) fn written(&mut self, seq: Seq) {
        // The journal writes all events of one input together.
        while let Some(turn) = self.turns.pop_front_if(|turn| turn.seq <= seq) {
            self.durable = turn;
        }
        while let Some(first) = self.unwritten.pop_front() {
            if first.last > seq {
                self.unwritten.push_front(first);
                break;
            }
            for (equipment, fault) in &first.forgets {
                self.detector.forget_baseline(equipment.as_str(), fault.as_str(), self.last);
            }
            self.not_writable = None;
            if let Origin::Asked(token, answer) = first.origin {
                self.answer(token, answer, first.result);
            }
        }
    }

    /// Does the action that waited until the events are on disk, and sends the reply.
    fn answer(&mut self, token: Token, answer: OnRecord, ticket: Option<(Arc<Ticket>, Vec<LogEntry>)>) {
        let reply = match answer {
            OnRecord::Ticket => {
                let Some((ticket, entries)) = ticket else { return };
                Ok(Reply::Ticket(ticket, entries))
            }
            OnRecord::Told(told) => Ok(Reply::Told(told)),
            OnRecord::Order(pending, by) => {
                self.outputs.push_back(Output::Order(pending.order.clone()));
                self.orders.sent(*pending, (token, by));
                return;
            }
            OnRecord::OrderEnded(end) => end.map(|wrote| Reply::Wrote(Box::new(wrote))),
        };
        self.outputs.push_back(Output::Reply(token, Box::new(reply)));
    }

    /// Takes the report that the events from `seq` on could not be written, for example because the disk is full. Returns to
    /// the durable state, refuses the requests under way, and lets the machine changes wait for [`Desk::retry`].
    pub(super) fn not_written(&mut self, now: Now, seq: Seq, why: String) {
        self.turns.clear();
        self.state = self.durable.clone();
        self.next_seq = self.durable.seq.next();
        self.outputs.retain(|o| !matches!(o, Output::Write(d) if d.record.seq >= seq));
        let undone = std::mem::take(&mut self.unwritten);
        for entry in undone {
            match entry.origin {
                Origin::Machine(change) => self.waiting.push_back(change),
                Origin::Asked(token, OnRecord::OrderEnded(_)) => {
                    let refusal = Refusal::new(
                        Rule::JournalNotWritable,
                        format!("the value was sent, but the result could not be recorded: {why}"),
                    )
                    .remedy("free some space on the disk of the data directory, then read the point");
                    self.outputs.push_back(Output::Reply(token, Box::new(Err(refusal))));
                }
                // Nothing was sent to the equipment: an order is sent only when its event is on disk.
                Origin::Asked(token, OnRecord::Ticket | OnRecord::Told(_) | OnRecord::Order(..)) => {
                    self.outputs.push_back(Output::Reply(token, Box::new(Err(not_writable(&why)))));
                }
            }
        }
        self.timers.start(&self.state, now);
        self.not_writable = Some(why);
        self.retry_at = (!self.waiting.is_empty()).then(|| now.mono + limits::JOURNAL_RETRY);
    }

    /// The journal can be written again: the waiting changes are decided now.
    pub(super) fn writable(&mut self, now: Now) {
        if self.unwritten.is_empty() {
            self.not_writable = None;
        }
        if self.retry_at.is_some() {
            self.retry(now);
        }
    }

    /// Decides the waiting machine changes again.
    pub(super) fn retry(&mut self, now: Now) {
        self.retry_at = None;
        for change in std::mem::take(&mut self.waiting) {
            self.machine_change(now, change);
        }
    }
}
