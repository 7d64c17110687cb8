//! Opens a ticket for a fault that a person reports. Everybody who is named can report a fault.

use std::collections::BTreeMap;

use super::decide::text;
use super::event::{TicketEvent, TicketOpening};
use super::state::{TicketOrigin, Tickets};
use super::verb::TicketReport;
use crate::limits;
use crate::site::Equipment;
use crate::words::{FaultName, Now, Refusal, Severity, TicketNumber};

/// Decides a report: the result opens a ticket. The ticket is minor until a person sets its severity.
///
/// # Errors
/// If the text is empty or too long.
pub fn report(
    tickets: &Tickets,
    asked: &TicketReport,
    on: &Equipment,
    now: Now,
) -> Result<TicketEvent, Refusal> {
    text("a report", &asked.text, limits::PROSE_BYTES_MAX)?;
    let number = TicketNumber(tickets.last + 1);
    Ok(TicketEvent::Opened(TicketOpening {
        number,
        equipment: on.id.clone(),
        fault: FaultName::of_report(number),
        origin: TicketOrigin::Report,
        severity: Severity::Minor,
        summary: asked.text.clone(),
        code: None,
        onset: now.wall,
        values: BTreeMap::new(),
        profile: on.profile.name.to_string(),
        profile_sha256: on.profile.sha256.clone(),
        firmware: None,
        firmware_notes: Vec::new(),
        first_up: None,
    }))
}
