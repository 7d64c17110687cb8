//! Applies events to tickets. [`apply`] cannot refuse.

use std::sync::Arc;

use super::event::{TicketEvent, TicketOpening};
use super::state::{Condition, Fix, LogEntry, StepRecord, Ticket, TicketOrigin, TicketState, Tickets};
use super::verb::CancelReason;
use crate::words::{Author, Seq, TicketNumber, Wall};

/// Creates a ticket from its opening. Returns the ticket, and the first line of its log.
#[must_use]
pub fn opened(seq: Seq, at: Wall, by: &Author, o: &TicketOpening) -> (Ticket, LogEntry) {
    let code = o.code.as_ref().map_or(String::new(), |c| format!(" (code {c})"));
    let mut ticket = Ticket {
        number: o.number,
        equipment: o.equipment.clone(),
        fault: o.fault.clone(),
        origin: o.origin,
        severity_set: false,
        severity: o.severity,
        state: TicketState::Open,
        condition: match o.origin {
            TicketOrigin::Fault => Condition::Active,
            // andon observes no condition of a report.
            TicketOrigin::Report => Condition::Returned,
        },
        summary: o.summary.clone(),
        code: o.code.clone(),
        opened_at: at,
        onset: o.onset,
        last_raised_at: at,
        occurrences: 1,
        assignee: None,
        hold_reason: None,
        values: o.values.clone(),
        walk: Vec::new(),
        next_step: None,
        walked: false,
        finding: None,
        fixes: Vec::new(),
        closed_at: None,
        watch_until: None,
        cancelled: None,
        profile: o.profile.clone(),
        profile_sha256: o.profile_sha256.clone(),
        firmware: o.firmware.clone(),
        firmware_notes: o.firmware_notes.clone(),
        entries: 0,
        own_entries: 0,
    };
    let after = o.first_up.as_ref().map_or(String::new(), |first| format!(", after {first}"));
    let text = match o.origin {
        TicketOrigin::Fault => format!("opened: {}{code}{after}", o.fault),
        TicketOrigin::Report => format!("reported: {}", o.summary),
    };
    let entry = log(&mut ticket, seq, at, by, text);
    (ticket, entry)
}

/// Takes an event into the tickets. Returns the ticket as it is now, and the new line of its log. A ticket that is no
/// longer held is requested from `stored`. Returns `None` if `stored` does not have it, for example because its
/// opening cannot be read. It cannot refuse, so every old journal loads.
pub fn take(
    tickets: &mut Tickets,
    (seq, at, by): (Seq, Wall, &Author),
    event: &TicketEvent,
    stored: &mut dyn FnMut(TicketNumber) -> Option<Ticket>,
) -> Option<(Arc<Ticket>, LogEntry)> {
    let number = event.number();
    let (ticket, entry) = match event {
        TicketEvent::Opened(opening) => {
            tickets.last = tickets.last.max(number.0);
            opened(seq, at, by, opening)
        }
        _ => {
            let held = tickets.live.remove(&number).map(Arc::unwrap_or_clone);
            let mut ticket = held.or_else(|| stored(number))?;
            let entry = apply(&mut ticket, seq, at, by, event);
            (ticket, entry)
        }
    };
    let ticket = Arc::new(ticket);
    tickets.hold(ticket.clone());
    Some((ticket, entry))
}

fn log(t: &mut Ticket, seq: Seq, at: Wall, by: &Author, text: String) -> LogEntry {
    match by {
        Author::Gateway => t.own_entries += 1,
        Author::OsUser { .. } | Author::Unproven { .. } => t.entries += 1,
    }
    LogEntry { seq, at, by: by.name().to_owned(), text }
}

fn with(text: &str, note: Option<&String>) -> String {
    note.map_or_else(|| text.to_owned(), |n| format!("{text}: {n}"))
}

/// Applies an event to a ticket. Returns the new line of the ticket's log.
#[expect(clippy::too_many_lines, reason = "one arm an event: a ticket's life on one page")]
pub fn apply(t: &mut Ticket, seq: Seq, at: Wall, by: &Author, event: &TicketEvent) -> LogEntry {
    let text = match event {
        TicketEvent::Opened(o) => {
            let (ticket, entry) = opened(seq, at, by, o);
            *t = ticket;
            return entry;
        }
        TicketEvent::Recurred { values, .. } => {
            t.condition = Condition::Active;
            t.occurrences += 1;
            t.last_raised_at = at;
            t.values.clone_from(values);
            format!("raised again, occurrence {}", t.occurrences)
        }
        TicketEvent::Returned { .. } => {
            t.condition = Condition::Returned;
            "the fault has cleared".to_owned()
        }
        TicketEvent::Acknowledged { .. } => {
            t.state = TicketState::Acknowledged;
            "acknowledged".to_owned()
        }
        TicketEvent::Assigned { person, .. } => {
            t.assignee = Some(person.clone());
            format!("assigned to {person}")
        }
        TicketEvent::Started { .. } => {
            if t.state == TicketState::Reopened {
                restart_walk(t);
            }
            t.state = TicketState::InProgress;
            t.hold_reason = None;
            if t.assignee.is_none() && *by != Author::Gateway {
                t.assignee = Some(by.name().to_owned());
            }
            "work started".to_owned()
        }
        TicketEvent::Held { reason, .. } => {
            t.state = TicketState::OnHold;
            t.hold_reason = Some(reason.clone());
            format!("on hold: {reason}")
        }
        TicketEvent::Noted { text, .. } => format!("note: {text}"),
        TicketEvent::ReportedAgain { text, .. } => {
            t.occurrences += 1;
            format!("reported again: {text}")
        }
        TicketEvent::SeveritySet { severity, .. } => {
            t.severity = *severity;
            t.severity_set = true;
            format!("severity set to {}", severity.word())
        }
        TicketEvent::StepAnswered {
            step, question, answer, checked_by_gateway, note, next, finding, ..
        } => {
            t.walk.push(StepRecord { step: step.clone(), answer: *answer });
            t.next_step.clone_from(next);
            t.walked = next.is_none();
            if finding.is_some() {
                t.finding.clone_from(finding);
            }
            let checked = if *checked_by_gateway { " (read by the gateway)" } else { "" };
            let text = format!("step {step}: {question} {}{checked}", answer.word());
            let text = finding.as_ref().map_or(text.clone(), |f| format!("{text}; finding: {f}"));
            with(&text, note.as_ref())
        }
        TicketEvent::Fixed { cause, action, parts, minutes, while_active, .. } => {
            t.state = TicketState::Fixed;
            t.fixes.push(Fix {
                cause: cause.clone(),
                action: action.clone(),
                parts: parts.clone(),
                minutes: *minutes,
                by: by.name().to_owned(),
                at,
                effective: None,
            });
            with(
                &format!("fixed: {cause}; {action}"),
                while_active.as_ref().map(|r| format!("while active, {r}")).as_ref(),
            )
        }
        TicketEvent::Closed { watch_until, note, .. } => {
            t.state = TicketState::Closed;
            t.closed_at = Some(at);
            t.watch_until = Some(*watch_until);
            with("closed", note.as_ref())
        }
        TicketEvent::Reopened { reason, fix_ineffective, values, .. } => {
            t.state = TicketState::Reopened;
            t.closed_at = None;
            t.watch_until = None;
            if *fix_ineffective {
                t.condition = Condition::Active;
                t.occurrences += 1;
                t.last_raised_at = at;
                t.values.clone_from(values);
                if let Some(fix) = t.fixes.last_mut() {
                    fix.effective = Some(false);
                }
            }
            format!("reopened: {reason}")
        }
        TicketEvent::Cancelled { reason, note, .. } => {
            t.state = TicketState::Cancelled;
            t.cancelled = Some(reason.clone());
            match reason {
                CancelReason::Nuisance => with("cancelled as a nuisance", note.as_ref()),
                CancelReason::DuplicateOf(n) => {
                    with(&format!("cancelled as a duplicate of {n}"), note.as_ref())
                }
            }
        }
        TicketEvent::FixVerified { .. } => {
            t.watch_until = None;
            if let Some(fix) = t.fixes.last_mut() {
                fix.effective = Some(true);
            }
            "the fault stayed away: fix verified".to_owned()
        }
    };
    log(t, seq, at, by, text)
}

fn restart_walk(t: &mut Ticket) {
    t.walk.clear();
    t.next_step = None;
    t.walked = false;
    t.finding = None;
}
