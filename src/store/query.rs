//! Queries on the store. A row that cannot be read is an error, never "no such ticket".

use std::ops::ControlFlow;
use std::sync::Arc;

use super::rows::{
    BLOCK_BITS, Block, DetailRow, EntryRow, FixRow, HeadRow, Packed, block_key, block_of, decode,
    decode_block, entry_of, index_bits, index_key, index_prefix, log_key, number_of, places, ticket_key,
    ticket_of,
};
use super::tables::{Rows, TableError, after_prefix, scan_prefix};
use super::words::{Word, Words};
use super::write::{Home, state_index};
use crate::limits;
use crate::ticket::{LogEntry, Ticket, TicketState};
use crate::words::{TicketNumber, Wall};

/// Conditions of a search for tickets. A ticket must meet all of them; `None` means no condition.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HistoryFilter {
    /// The ticket belongs to the equipment with this id.
    pub equipment: Option<String>,
    /// The ticket belongs to the fault with this name.
    pub fault: Option<String>,
    /// The ticket is in this state.
    pub state: Option<TicketState>,
    /// The ticket is assigned to this person.
    pub assignee: Option<String>,
    /// The ticket was opened at or after this time.
    pub since: Option<Wall>,
    /// The ticket was opened before this time.
    pub until: Option<Wall>,
    /// The ticket has this text in its summary, fault, equipment id, finding or log. Case is ignored.
    pub text: Option<String>,
    /// The largest number of tickets to return; [`limits::LIST_DEFAULT`] if `None`, never more than
    /// [`limits::LIST_MAX`].
    pub limit: Option<usize>,
}

/// The rows of a ticket: a ticket has its own rows, or it is packed in a block of finished tickets.
enum Found {
    Own(HeadRow),
    Packed(Box<Packed>),
}

impl Found {
    fn head(&self) -> &HeadRow {
        match self {
            Found::Own(head) => head,
            Found::Packed(packed) => &packed.head,
        }
    }
}

/// A visitor of tickets, newest first. It returns `Break` to stop.
type EachTicket<'a> = &'a mut dyn FnMut(TicketNumber, &Found) -> Result<ControlFlow<()>, TableError>;

/// A handle for queries on the rows of the store. A clone costs little.
#[derive(Debug, Clone)]
pub struct StoreReader {
    pub(super) rows: Arc<dyn Rows>,
    pub(super) words: Words,
}

impl StoreReader {
    pub(super) fn new(rows: Arc<dyn Rows>, words: Words) -> Self {
        Self { rows, words }
    }

    fn row<T: serde::de::DeserializeOwned>(&self, key: &[u8]) -> Result<Option<T>, TableError> {
        self.rows.get(key)?.map(|bytes| decode(&bytes)).transpose()
    }

    fn head(&self, number: TicketNumber) -> Result<Option<HeadRow>, TableError> {
        self.row(&ticket_key(b't', number))
    }

    /// Reads a block of finished tickets; the result is empty if the block does not exist.
    pub(super) fn block(&self, block: u64) -> Result<Block, TableError> {
        self.rows.get(&block_key(block))?.map_or_else(|| Ok(Block::new()), |bytes| decode_block(&bytes))
    }

    /// Reads a ticket from its block; `None` if the block does not contain the ticket.
    pub(super) fn packed(&self, number: TicketNumber) -> Result<Option<Packed>, TableError> {
        let (block, place) = block_of(number);
        Ok(self.block(block)?.remove(&place))
    }

    /// Returns where the rows of a ticket are, and its state; `None` if the ticket does not exist.
    pub(super) fn home(&self, number: TicketNumber) -> Result<Option<(Home, TicketState)>, TableError> {
        if let Some(head) = self.head(number)? {
            return Ok(Some((Home::Own, head.state)));
        }
        Ok(self.packed(number)?.map(|p| (Home::Block, p.head.state)))
    }

    /// Reads one ticket; `None` if the ticket does not exist.
    ///
    /// # Errors
    /// If rows cannot be read.
    pub fn ticket(&self, number: TicketNumber) -> Result<Option<Ticket>, TableError> {
        match self.found(number)? {
            Some(found) => self.whole(number, &found).map(Some),
            None => Ok(None),
        }
    }

    fn found(&self, number: TicketNumber) -> Result<Option<Found>, TableError> {
        if let Some(head) = self.head(number)? {
            return Ok(Some(Found::Own(head)));
        }
        Ok(self.packed(number)?.map(|p| Found::Packed(Box::new(p))))
    }

    fn whole(&self, number: TicketNumber, found: &Found) -> Result<Ticket, TableError> {
        match found {
            Found::Packed(p) => ticket_of(number, &p.head, &p.detail, &p.fixes, &self.words),
            Found::Own(head) => {
                let detail: DetailRow = self.row(&ticket_key(b'd', number))?.ok_or_else(|| {
                    TableError::Damaged(format!("the details of ticket {number} are missing"))
                })?;
                let fixes: Vec<FixRow> = self.row(&ticket_key(b'x', number))?.unwrap_or_default();
                ticket_of(number, head, &detail, &fixes, &self.words)
            }
        }
    }

    /// Reads the last lines of a ticket's log, at most `most` lines, the oldest first.
    ///
    /// # Errors
    /// If rows cannot be read.
    pub fn log(&self, number: TicketNumber, most: usize) -> Result<Vec<LogEntry>, TableError> {
        match self.found(number)? {
            Some(found) => self.log_of(number, &found, most),
            None => Ok(Vec::new()),
        }
    }

    fn log_of(&self, number: TicketNumber, found: &Found, most: usize) -> Result<Vec<LogEntry>, TableError> {
        let mut entries: Vec<LogEntry> = Vec::new();
        let mut take = |piece: &[EntryRow]| -> Result<ControlFlow<()>, TableError> {
            for entry in piece.iter().rev() {
                if entries.len() >= most {
                    return Ok(ControlFlow::Break(()));
                }
                entries.push(entry_of(entry, &self.words)?);
            }
            Ok(ControlFlow::Continue(()))
        };
        match found {
            Found::Packed(packed) => {
                let _all = take(&packed.log)?;
            }
            Found::Own(head) => {
                let (from, to) = (log_key(number, 0), log_key(number, head.chunk.saturating_add(1)));
                self.rows.scan(&from, &to, true, &mut |_, bytes| take(&decode::<Vec<EntryRow>>(bytes)?))?;
            }
        }
        entries.reverse();
        Ok(entries)
    }

    /// Returns the tickets that meet all conditions, newest first. Examines at most [`limits::SEARCH_MAX`] tickets.
    ///
    /// # Errors
    /// If rows cannot be read.
    pub fn history(&self, filter: &HistoryFilter) -> Result<Vec<Ticket>, TableError> {
        let limit = filter.limit.unwrap_or(limits::LIST_DEFAULT).min(limits::LIST_MAX);
        let text = filter.text.as_ref().map(|t| t.to_lowercase());
        let mut found = Vec::new();
        let mut seen = 0;
        let mut each = |number: TicketNumber, ticket: &Found| -> Result<ControlFlow<()>, TableError> {
            let head = ticket.head();
            seen += 1;
            if found.len() >= limit || seen > limits::SEARCH_MAX {
                return Ok(ControlFlow::Break(()));
            }
            let opened_at = Wall::from_millis(head.opened_at);
            if filter.since.is_some_and(|since| opened_at < since) {
                // Do not stop here: after a step of the clock, an older ticket number may have a later time.
                return Ok(ControlFlow::Continue(()));
            }
            if filter.until.is_some_and(|until| opened_at >= until) || !self.fits(filter, head)? {
                return Ok(ControlFlow::Continue(()));
            }
            let whole = self.whole(number, ticket)?;
            if match &text {
                Some(text) => self.mentions(&whole, ticket, text)?,
                None => true,
            } {
                found.push(whole);
            }
            Ok(if found.len() >= limit { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        };
        self.candidates(filter, &mut each)?;
        Ok(found)
    }

    /// Returns true if a ticket meets the conditions on assignee, state, equipment and fault.
    fn fits(&self, filter: &HistoryFilter, head: &HeadRow) -> Result<bool, TableError> {
        let is = |wanted: &Option<String>, word: &Word| -> Result<bool, TableError> {
            match wanted {
                Some(wanted) => Ok(self.words.text(word)? == *wanted),
                None => Ok(true),
            }
        };
        let is_theirs = match (&filter.assignee, &head.assignee) {
            (Some(wanted), Some(word)) => self.words.text(word)? == *wanted,
            (Some(_), None) => false,
            (None, _) => true,
        };
        Ok(is_theirs
            && filter.state.is_none_or(|s| s == head.state)
            && is(&filter.equipment, &head.equipment)?
            && is(&filter.fault, &head.fault)?)
    }

    /// Visits the tickets that can meet the conditions, newest first. Uses an index if the filter names an equipment, a
    /// fault or an indexed state.
    fn candidates(&self, filter: &HistoryFilter, each: EachTicket<'_>) -> Result<(), TableError> {
        let index = match (&filter.equipment, &filter.fault, filter.state.and_then(state_index)) {
            (Some(equipment), _, _) => Some((b'e', self.words.find(equipment))),
            (None, Some(fault), _) => Some((b'f', self.words.find(fault))),
            (None, None, Some(of)) => Some((b's', Some(of))),
            (None, None, None) => None,
        };
        match index {
            Some((kind, Some(of))) => self.by_index(kind, of, each),
            // No row contains this name, so no ticket can meet the condition.
            Some((_, None)) => Ok(()),
            None => self.all(each),
        }
    }

    /// Visits every ticket, newest first. Merges the tickets with their own rows and the tickets in blocks.
    fn all(&self, each: EachTicket<'_>) -> Result<(), TableError> {
        let unreadable = || TableError::Damaged("the key of a ticket cannot be read".to_owned());
        let mut own: Vec<(TicketNumber, HeadRow)> = Vec::new();
        scan_prefix(self.rows.as_ref(), b"t", false, &mut |key, bytes| {
            own.push((number_of(key).ok_or_else(unreadable)?, decode(bytes)?));
            Ok(ControlFlow::Continue(()))
        })?;
        let mut is_over = false;
        scan_prefix(self.rows.as_ref(), b"p", true, &mut |key, bytes| {
            let high = number_of(key).ok_or_else(unreadable)?.0 << BLOCK_BITS;
            for (place, packed) in decode_block(bytes)?.into_iter().rev() {
                let number = TicketNumber(high | u64::from(place));
                while let Some((newer, head)) = own.pop_if(|(n, _)| *n > number) {
                    is_over = each(newer, &Found::Own(head))? == ControlFlow::Break(());
                    if is_over {
                        return Ok(ControlFlow::Break(()));
                    }
                }
                is_over = each(number, &Found::Packed(Box::new(packed)))? == ControlFlow::Break(());
                if is_over {
                    return Ok(ControlFlow::Break(()));
                }
            }
            Ok(ControlFlow::Continue(()))
        })?;
        while let Some((number, head)) = own.pop().filter(|_| !is_over) {
            is_over = each(number, &Found::Own(head))? == ControlFlow::Break(());
        }
        Ok(())
    }

    /// Visits the tickets of one entry of an index, newest first. `kind` is the first byte of the index's keys.
    fn by_index(&self, kind: u8, of: u32, each: EachTicket<'_>) -> Result<(), TableError> {
        let (from, to) = (index_key(kind, of, 0), after_prefix(&index_prefix(kind, of)));
        let mut block: Option<(u64, Block)> = None;
        self.rows.scan(&from, &to, true, &mut |key, stored| {
            let high = key.last_chunk::<8>().map(|b| u64::from_be_bytes(*b)).unwrap_or_default();
            for low in places(stored).into_iter().rev() {
                let number = TicketNumber(high << index_bits(kind) | u64::from(low));
                let (at, place) = block_of(number);
                let found = match self.head(number)? {
                    Some(head) => Some(Found::Own(head)),
                    None => {
                        if block.as_ref().is_none_or(|(b, _)| *b != at) {
                            block = Some((at, self.block(at)?));
                        }
                        block.as_mut().and_then(|(_, b)| b.remove(&place)).map(|p| Found::Packed(Box::new(p)))
                    }
                };
                let found = found
                    .ok_or_else(|| TableError::Damaged(format!("ticket {number} of an index is missing")))?;
                if each(number, &found)? == ControlFlow::Break(()) {
                    return Ok(ControlFlow::Break(()));
                }
            }
            Ok(ControlFlow::Continue(()))
        })
    }

    /// Returns true if the ticket or its log contains `text`, which must be in lower case.
    fn mentions(&self, ticket: &Ticket, found: &Found, text: &str) -> Result<bool, TableError> {
        let has = |s: &str| s.to_lowercase().contains(text);
        let is_in_ticket = has(&ticket.summary)
            || has(ticket.fault.as_str())
            || has(ticket.equipment.as_str())
            || ticket.finding.as_ref().is_some_and(|f| has(f));
        Ok(is_in_ticket || self.log_of(ticket.number, found, usize::MAX)?.iter().any(|e| has(&e.text)))
    }
}
