//! Questions to the store. A row that cannot be read is an error, never "no such ticket".

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

/// Which tickets are wanted, newest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HistoryFilter {
    /// Of this equipment.
    pub equipment: Option<String>,
    /// Of this fault.
    pub fault: Option<String>,
    /// In this state.
    pub state: Option<TicketState>,
    /// Assigned to this person.
    pub assignee: Option<String>,
    /// Opened at or after this instant.
    pub since: Option<Wall>,
    /// Opened before this instant.
    pub until: Option<Wall>,
    /// With this text in summary, finding, fix or log; upper and lower case alike.
    pub text: Option<String>,
    /// So many at most; [`limits::LIST_DEFAULT`] when absent.
    pub limit: Option<usize>,
}

/// A ticket that was found: in rows of its own, or in a block.
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

/// What is done with each ticket of a list.
type EachTicket<'a> = &'a mut dyn FnMut(TicketNumber, &Found) -> Result<ControlFlow<()>, TableError>;

/// A handle for queries; cheap to clone.
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

    /// A block of finished tickets; empty when there is none.
    pub(super) fn block(&self, block: u64) -> Result<Block, TableError> {
        self.rows.get(&block_key(block))?.map_or_else(|| Ok(Block::new()), |bytes| decode_block(&bytes))
    }

    pub(super) fn packed(&self, number: TicketNumber) -> Result<Option<Packed>, TableError> {
        let (block, place) = block_of(number);
        Ok(self.block(block)?.remove(&place))
    }

    /// Where a ticket stands, and in which state; `None` when there is no such ticket.
    pub(super) fn home(&self, number: TicketNumber) -> Result<Option<(Home, TicketState)>, TableError> {
        if let Some(head) = self.head(number)? {
            return Ok(Some((Home::Own, head.state)));
        }
        Ok(self.packed(number)?.map(|p| (Home::Block, p.head.state)))
    }

    /// One ticket; `None` when there is no such ticket.
    ///
    /// # Errors
    /// When rows cannot be read.
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

    /// The last lines of a ticket's log, so many at most, the oldest first.
    ///
    /// # Errors
    /// When rows cannot be read.
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

    /// The tickets that fit, newest first. Looks at [`limits::SEARCH_MAX`] tickets at most.
    ///
    /// # Errors
    /// When rows cannot be read.
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
                // Numbers follow the time of opening, but for steps of the clock.
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

    /// Visits the tickets that an index narrows the filter to, newest first.
    fn candidates(&self, filter: &HistoryFilter, each: EachTicket<'_>) -> Result<(), TableError> {
        let index = match (&filter.equipment, &filter.fault, filter.state.and_then(state_index)) {
            (Some(equipment), _, _) => Some((b'e', self.words.find(equipment))),
            (None, Some(fault), _) => Some((b'f', self.words.find(fault))),
            (None, None, Some(of)) => Some((b's', Some(of))),
            (None, None, None) => None,
        };
        match index {
            Some((kind, Some(of))) => self.by_index(kind, of, each),
            // Nobody has heard of it.
            Some((_, None)) => Ok(()),
            None => self.all(each),
        }
    }

    /// Visits every ticket, newest first: those in rows of their own between those in blocks.
    fn all(&self, each: EachTicket<'_>) -> Result<(), TableError> {
        let unreadable = || TableError::Damaged("the key of a ticket does not read".to_owned());
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

    fn mentions(&self, ticket: &Ticket, found: &Found, text: &str) -> Result<bool, TableError> {
        let has = |s: &str| s.to_lowercase().contains(text);
        let is_in_ticket = has(&ticket.summary)
            || has(ticket.fault.as_str())
            || has(ticket.equipment.as_str())
            || ticket.finding.as_ref().is_some_and(|f| has(f));
        Ok(is_in_ticket || self.log_of(ticket.number, found, usize::MAX)?.iter().any(|e| has(&e.text)))
    }
}
