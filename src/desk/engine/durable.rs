//! What became of events: on disk, so that askers are answered; or not, so that they are undone and tried again.

use super::{Desk, Origin, not_writable};
use crate::desk::command::{Done, Output, Token};
use crate::limits;
use crate::words::{Now, Refusal, Rule, Seq};

impl Desk {
    pub(super) fn written(&mut self, seq: Seq) {
        // The journal writes whole turns.
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
            match (first.origin, first.result) {
                (Origin::Command(token), Some((ticket, entries))) => {
                    self.outputs.push_back(Output::Reply(token, Box::new(Ok(Done::Ticket(ticket, entries)))));
                }
                (Origin::Operation(token, told), _) => self.operation_done(token, told),
                (Origin::Order(pending), _) => self.send_order(*pending),
                (Origin::OrderEnd(token, reply), _) => self.outputs.push_back(Output::Reply(token, reply)),
                (Origin::Command(_), None) | (Origin::Machine(_), _) => {}
            }
        }
    }

    pub(super) fn not_written(&mut self, now: Now, seq: Seq, why: String) {
        self.turns.clear();
        self.state = self.durable.clone();
        self.next_seq = self.durable.seq.next();
        self.outputs.retain(|o| !matches!(o, Output::Write(d) if d.record.seq >= seq));
        let undone = std::mem::take(&mut self.unwritten);
        for entry in undone {
            match entry.origin {
                Origin::Machine(change) => self.waiting.push_back(change),
                Origin::Command(token) | Origin::Operation(token, _) => self.refuse_unwritten(token, &why),
                // Nothing was sent: an order leaves only once it is on record.
                Origin::Order(pending) => self.refuse_unwritten(pending.token, &why),
                Origin::OrderEnd(token, _) => {
                    let refusal = Refusal::new(
                        Rule::JournalNotWritable,
                        format!("the value was sent, but its end is not on record: {why}"),
                    )
                    .remedy("make room on the data directory's disk, then read the point");
                    self.outputs.push_back(Output::Reply(token, Box::new(Err(refusal))));
                }
            }
        }
        self.deadlines.agree(&self.state, now);
        self.not_writable = Some(why);
        self.retry_at = (!self.waiting.is_empty()).then(|| now.mono + limits::JOURNAL_RETRY);
    }

    /// There is room again: what waits is decided now.
    pub(super) fn writable(&mut self, now: Now) {
        if self.unwritten.is_empty() {
            self.not_writable = None;
        }
        if self.retry_at.is_some() {
            self.retry(now);
        }
    }

    fn refuse_unwritten(&mut self, token: Token, why: &str) {
        self.outputs.push_back(Output::Reply(token, Box::new(Err(not_writable(why)))));
    }

    pub(super) fn retry(&mut self, now: Now) {
        self.retry_at = None;
        for change in std::mem::take(&mut self.waiting) {
            self.machine(now, change);
        }
    }
}
