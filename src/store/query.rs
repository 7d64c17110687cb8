//! Questions to the store.

use super::write::{index_prefix, read_ticket};
use crate::limits;
use crate::ticket::Ticket;
use crate::words::{TicketNumber, Wall};

/// Which tickets are wanted, newest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HistoryFilter {
    /// Of this equipment.
    pub equipment: Option<String>,
    /// Of this fault.
    pub fault: Option<String>,
    /// Opened at or after.
    pub since: Option<Wall>,
    /// Opened before.
    pub until: Option<Wall>,
    /// With this text anywhere in summary, fix, notes; upper and lower case alike.
    pub text: Option<String>,
    /// So many at most.
    pub limit: Option<usize>,
}

/// A handle for queries; cheap to clone.
#[derive(Debug, Clone)]
pub struct StoreReader {
    db: sled::Db,
}

impl StoreReader {
    pub(super) fn new(db: sled::Db) -> Self {
        Self { db }
    }

    /// One ticket.
    #[must_use]
    pub fn ticket(&self, number: TicketNumber) -> Option<Ticket> {
        read_ticket(&self.db, number)
    }

    /// The tickets that fit, newest first. Looks at [`limits::SEARCH_MAX`] tickets at most.
    ///
    /// # Errors
    /// What sled says.
    pub fn history(&self, filter: &HistoryFilter) -> Result<Vec<Ticket>, sled::Error> {
        let prefix = match (&filter.equipment, &filter.fault) {
            (Some(equipment), _) => index_prefix(b'e', equipment),
            (None, Some(fault)) => index_prefix(b'f', fault),
            (None, None) => vec![b't'],
        };
        let limit = filter.limit.unwrap_or(limits::LIST_DEFAULT).min(limits::LIST_MAX);
        let text = filter.text.as_ref().map(|t| t.to_lowercase());
        let mut found = Vec::new();
        for (seen, item) in self.db.scan_prefix(&prefix).rev().enumerate() {
            let (key, value) = item?;
            if found.len() >= limit || seen >= limits::SEARCH_MAX {
                break;
            }
            let both = filter.equipment.is_some()
                && filter.fault.as_ref().is_some_and(|f| f.as_bytes() != value.as_ref());
            if both {
                continue;
            }
            let number =
                key.len().checked_sub(8).and_then(|at| key.get(at..)).and_then(|b| b.try_into().ok());
            let Some(ticket) = number.and_then(|n| self.ticket(TicketNumber(u64::from_be_bytes(n)))) else {
                continue;
            };
            if filter.since.is_some_and(|since| ticket.opened_at < since) {
                break;
            }
            if filter.until.is_some_and(|until| ticket.opened_at >= until) {
                continue;
            }
            if text.as_ref().is_none_or(|t| mentions(&ticket, t)) {
                found.push(ticket);
            }
        }
        Ok(found)
    }
}

fn mentions(ticket: &Ticket, text: &str) -> bool {
    let has = |s: &str| s.to_lowercase().contains(text);
    has(&ticket.summary)
        || has(ticket.fault.as_str())
        || has(ticket.equipment.as_str())
        || ticket.finding.as_ref().is_some_and(|f| has(f))
        || ticket.log.iter().any(|e| has(&e.text))
}
