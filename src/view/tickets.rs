//! Tickets: rows of the list and the history, a whole ticket, and its next command.

use super::firmware::note;
use crate::desk::Snapshot;
use crate::profile::Question;
use crate::site::Site;
use crate::ticket::{Fix, LogEntry, Ticket, TicketOrigin, TicketState};
use crate::v1::{
    EarlierV1, FirmwareNoteV1, FixV1, HazardV1, HistoryRowV1, LogEntryV1, OriginV1, PartV1, StepV1,
    TicketRowV1, TicketV1, UsedPartV1,
};

/// Returns the live tickets for which `fits` is true, worst first.
pub fn tickets(desk: &Snapshot, fits: impl Fn(&Ticket) -> bool) -> Vec<TicketRowV1> {
    let live = desk.state.tickets.live.values().filter(|t| t.state.is_live() && fits(t));
    let mut rows: Vec<TicketRowV1> = live.map(|t| ticket_row(t)).collect();
    rows.sort_by_key(|r| (r.severity, r.id));
    rows
}

/// Returns the row of a ticket in the list.
#[must_use]
pub fn ticket_row(t: &Ticket) -> TicketRowV1 {
    let is_fault = t.origin == TicketOrigin::Fault;
    TicketRowV1 {
        id: t.number.0,
        equipment: t.equipment.to_string(),
        fault: is_fault.then(|| t.fault.to_string()),
        origin: OriginV1 {
            kind: t.origin.word().to_owned(),
            name: is_fault.then(|| t.fault.to_string()),
            of: None,
        },
        severity: t.severity,
        severity_set: is_fault || t.severity_set,
        state: t.state,
        condition: is_fault.then_some(t.condition),
        opened_at: t.opened_at,
        occurrences: t.occurrences,
        assignee: t.assignee.clone(),
        due_at: None,
        summary: t.summary.clone(),
    }
}

/// Returns the row of a ticket in the history, with its last repair.
#[must_use]
pub fn history_row(t: &Ticket) -> HistoryRowV1 {
    let fix = t.fixes.last();
    HistoryRowV1 {
        row: ticket_row(t),
        closed_at: t.closed_at,
        cause: fix.map(|f| f.cause.clone()),
        action: fix.map(|f| f.action.clone()),
        minutes: fix.and_then(|f| f.minutes),
        by: fix.map(|f| f.by.clone()),
        effective: fix.and_then(|f| f.effective),
    }
}

/// The part of a ticket that only the ticket database has.
#[derive(Debug, Default)]
pub struct FromStore {
    /// The last lines of the log, oldest first.
    pub log: Vec<LogEntry>,
    /// Tickets of the same fault on the same equipment, newest first.
    pub past: Vec<Ticket>,
    /// The reason why the ticket database did not answer; `None` if it did.
    pub incomplete: Option<String>,
}

/// The largest number of earlier repairs in a whole ticket.
const EARLIER_TOLD: usize = 5;

/// Returns a whole ticket.
#[must_use]
pub fn ticket(site: &Site, t: &Ticket, stored: FromStore) -> TicketV1 {
    let on = site.find(t.equipment.as_str()).map(|(_, e)| e);
    let guidance = t.fault_in(site).map(|f| f.guidance.clone()).unwrap_or_default();
    let next = if t.walked {
        None
    } else {
        t.next_step.clone().or_else(|| guidance.steps.first().map(|s| s.id.clone()))
    };
    let steps = guidance.steps.iter().map(|s| StepV1 {
        id: s.id.to_string(),
        text: s.question.text().to_owned(),
        checked_by_gateway: matches!(s.question, Question::Check { .. }),
        answer: t.walk.iter().rev().find(|w| w.step == s.id).map(|w| w.answer.word().to_owned()),
        is_next: next.as_ref() == Some(&s.id),
    });
    let hazards = guidance.hazards().into_iter();
    let hazards = hazards.map(|(label, text)| HazardV1 { label: label.to_owned(), text }).collect();
    // Statements of the profile that are not confirmed: about the device, and about the fault.
    let device = on.and_then(|e| e.profile.device.unconfirmed.clone());
    let unconfirmed = device.into_iter().chain(guidance.unconfirmed.clone()).collect();
    let parts = guidance.parts.into_iter();
    TicketV1 {
        row: ticket_row(t),
        code: t.code.clone(),
        onset: t.onset,
        values: t.values.clone(),
        hold_reason: t.hold_reason.clone(),
        steps: steps.collect(),
        causes: guidance.causes,
        hazards,
        unconfirmed,
        safety: guidance.safety,
        skills: guidance.skills,
        parts: parts.map(|p| PartV1 { id: p.id, name: p.name, quantity: p.quantity }).collect(),
        sop: guidance.sop,
        finding: t.finding.clone(),
        fixes: t.fixes.iter().map(fix).collect(),
        closed_at: t.closed_at,
        watch_until: t.watch_until,
        earlier: earlier(t, &stored.past),
        firmware: t.firmware.clone(),
        firmware_notes: t.firmware_notes.iter().map(|name| recorded_note(site, name)).collect(),
        log: stored.log.into_iter().map(log_line).collect(),
        log_lines: t.entries + t.own_entries,
        incomplete: stored.incomplete,
    }
}

fn fix(f: &Fix) -> FixV1 {
    let parts = f.parts.iter().map(|p| UsedPartV1 { id: p.id.clone(), quantity: p.quantity });
    FixV1 {
        cause: f.cause.clone(),
        action: f.action.clone(),
        parts: parts.collect(),
        minutes: f.minutes,
        by: f.by.clone(),
        at: f.at,
        effective: f.effective,
    }
}

fn log_line(entry: LogEntry) -> LogEntryV1 {
    LogEntryV1 { seq: entry.seq, at: entry.at, by: entry.by, text: entry.text }
}

fn earlier(t: &Ticket, past: &[Ticket]) -> Vec<EarlierV1> {
    let other = past.iter().filter(|p| p.number != t.number);
    let fixes = other.flat_map(|p| {
        p.fixes.iter().map(|f| EarlierV1 {
            ticket: p.number.0,
            at: f.at,
            cause: f.cause.clone(),
            action: f.action.clone(),
            effective: f.effective,
        })
    });
    fixes.take(EARLIER_TOLD).collect()
}

/// Returns a firmware note of a ticket. If its file was removed, only the name remains.
fn recorded_note(site: &Site, name: &str) -> FirmwareNoteV1 {
    site.notes.iter().find(|n| n.name == name).map_or_else(
        || FirmwareNoteV1 {
            name: name.to_owned(),
            versions: String::new(),
            symptom: "the firmware note was removed".to_owned(),
            workaround: String::new(),
            source: String::new(),
        },
        note,
    )
}

/// Returns the next command to type for a ticket; `None` if nothing is left to do.
#[must_use]
pub fn next(t: &TicketV1) -> Option<String> {
    let n = t.row.id;
    match t.row.state {
        TicketState::Open => Some(format!("andon ack {n}, or andon start {n}")),
        TicketState::Acknowledged | TicketState::OnHold | TicketState::Reopened => {
            Some(format!("andon start {n}"))
        }
        TicketState::InProgress => Some(match t.steps.iter().find(|s| s.is_next) {
            Some(s) if s.checked_by_gateway => format!("andon ticket step {n} {}", s.id),
            Some(s) => format!("andon ticket step {n} {} yes|no|skip", s.id),
            None => format!("andon fix {n} --cause TEXT --action TEXT"),
        }),
        TicketState::Fixed => Some(format!("andon close {n}, after you have verified the fix")),
        TicketState::Closed | TicketState::Cancelled => None,
    }
}
