//! Records into rows, one atomic step at a time, each with the place in the journal that it brings the store to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::StoreReader;
use super::alarms::AlarmLog;
use super::rows::{
    self, Block, EntryRow, HeadRow, META, Packed, block_key, block_of, decode, encode, encode_block,
    index_bits, index_key, log_key, ticket_key,
};
use super::tables::{Changes, Rows, TableError, Tables};
use super::words::{Word, WordBook};
use crate::alarm::Key;
use crate::alarm::report::Happened;
use crate::desk::{Event, Record, State, Touched};
use crate::feed::FeedItem;
use crate::journal::Cursor;
use crate::limits;
use crate::ticket::{LogEntry, Ticket, TicketState};
use crate::words::TicketNumber;

/// The place that the rows stand for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Meta {
    pub version: u32,
    pub seq: u64,
    pub hash: String,
    pub last_ticket: u64,
    /// How many tickets there are.
    pub tickets: u64,
}

/// The ticket database, open for writing: the live state and the rows that it is kept in.
#[derive(Debug)]
pub struct Store {
    pub(super) tables: Box<dyn Tables>,
    pub(super) rows: Arc<dyn Rows>,
    pub(super) state: State,
    pub(super) book: WordBook,
    pub(super) alarms: AlarmLog,
    pub(super) cursor: Cursor,
    pub(super) tickets: u64,
    /// The highest number of a ticket in the rows.
    pub(super) stored_up_to: u64,
}

/// A ticket that a step changes.
struct Changed {
    /// As the step leaves it.
    ticket: Option<Arc<Ticket>>,
    entries: Vec<LogEntry>,
    /// Where and in which state it stands in the rows; `None` when it is new.
    was: Option<(Home, TicketState)>,
}

/// Where a ticket stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Home {
    /// In rows of its own.
    Own,
    /// In a block with other finished ones.
    Block,
}

/// What a step comes to.
#[derive(Default)]
struct Step {
    changes: Changes,
    tickets: BTreeMap<TicketNumber, Changed>,
    /// Alarms whose rows are written anew.
    alarms: BTreeSet<Key>,
    /// Pieces of indexes: places of tickets in them.
    indexes: BTreeMap<Vec<u8>, Vec<u16>>,
    /// Blocks of finished tickets.
    blocks: BTreeMap<u64, Block>,
    new_tickets: u64,
}

/// States of tickets that are found by an index; live ones are in the desk.
pub(super) fn state_index(state: TicketState) -> Option<u32> {
    match state {
        TicketState::Closed => Some(1),
        TicketState::Cancelled => Some(2),
        TicketState::Open
        | TicketState::Acknowledged
        | TicketState::InProgress
        | TicketState::OnHold
        | TicketState::Fixed
        | TicketState::Reopened => None,
    }
}

impl Store {
    /// The live state that the store has come to.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The last event taken in.
    #[must_use]
    pub fn cursor(&self) -> &Cursor {
        &self.cursor
    }

    /// A handle for queries.
    #[must_use]
    pub fn reader(&self) -> StoreReader {
        StoreReader::new(self.rows.clone(), self.book.words())
    }

    /// Takes items of the feed in, in order, as one atomic step.
    ///
    /// # Errors
    /// When rows cannot be read or written. The store in memory is then ahead of its rows, so it must be opened again.
    pub fn apply(&mut self, items: &[FeedItem], cursor: Cursor) -> Result<(), TableError> {
        let mut step = Step::default();
        for item in items {
            if let FeedItem::Record(committed) = item {
                self.take(&committed.record, &mut step)?;
            }
        }
        self.cursor = cursor;
        self.state.seq = self.cursor.seq;
        self.tickets += step.new_tickets;
        let mut changes = self.finish(step)?;
        self.book.write(&mut changes);
        let meta = Meta {
            version: super::VERSION,
            seq: self.cursor.seq.0,
            hash: self.cursor.hash.clone(),
            last_ticket: self.state.tickets.last,
            tickets: self.tickets,
        };
        changes.insert(META.to_vec(), Some(encode(&meta)?));
        self.tables.commit(changes)?;
        self.stored_up_to = self.state.tickets.last;
        Ok(())
    }

    /// Makes everything durable.
    ///
    /// # Errors
    /// When the home of the rows fails.
    pub fn flush(&mut self) -> Result<(), TableError> {
        self.tables.flush()
    }

    fn take(&mut self, record: &Record, step: &mut Step) -> Result<(), TableError> {
        if let Event::Alarm(event) = &record.event
            && let Some(what) = Happened::of(event)
        {
            let key = event.key();
            let raised_at = self.state.alarms.standing.get(&key).map(|a| a.raised_at);
            self.alarms.add(record.at, &key, what, raised_at, &mut self.book, &mut step.changes)?;
        }
        match self.applied(record, step)? {
            Touched::Ticket(ticket, entry) => self.touched(ticket, entry, step)?,
            Touched::Alarm(key) => {
                step.alarms.insert(key);
            }
            Touched::Baseline(key) => {
                let model = self.state.baselines.models.get(&key);
                let row = model.map(|m| json(&(&key.0, &key.1, m.as_ref()))).transpose()?;
                step.changes.insert(fault_key(b'b', &key), row);
            }
            Touched::Service => {
                let shelves: Vec<_> = self.state.alarms.shelves.iter().collect();
                let out: BTreeMap<_, _> = self.state.service.out.iter().collect();
                let row = json(&(shelves, out))?;
                step.changes.insert(b"ks".to_vec(), Some(row));
            }
            Touched::Gateway => {
                let damage: Vec<_> = self.state.gateway.damage.iter().collect();
                let row = json(&(self.state.gateway.files.as_ref(), damage))?;
                step.changes.insert(b"kg".to_vec(), Some(row));
            }
            Touched::Nothing => {}
        }
        Ok(())
    }

    /// Applies a record to the live state. A ticket that the step holds and the live state does not is handed over, and
    /// the step lets go of one that the live state holds, so that neither is copied.
    fn applied(&mut self, record: &Record, step: &mut Step) -> Result<Touched, TableError> {
        let mut held = None;
        if let Event::Ticket(event) = &record.event {
            let number = event.number();
            let ours = step.tickets.get_mut(&number).and_then(|changed| changed.ticket.take());
            held = ours.filter(|_| !self.state.tickets.live.contains_key(&number));
        }
        let mut failed = None;
        let reader = self.reader();
        let touched = self.state.apply(record, &mut |number| match held.take() {
            Some(ticket) => Some(Arc::unwrap_or_clone(ticket)),
            None => reader.ticket(number).unwrap_or_else(|e| {
                failed = Some(e);
                None
            }),
        });
        failed.map_or(Ok(touched), Err)
    }

    fn touched(&self, ticket: Arc<Ticket>, entry: LogEntry, step: &mut Step) -> Result<(), TableError> {
        let number = ticket.number;
        if let Some(changed) = step.tickets.get_mut(&number) {
            changed.ticket = Some(ticket);
            changed.entries.push(entry);
            return Ok(());
        }
        // An opening that stands in the journal twice is one ticket. A number above all that are stored is new.
        let was = if number.0 > self.stored_up_to { None } else { self.reader().home(number)? };
        step.new_tickets += u64::from(was.is_none());
        step.tickets.insert(number, Changed { ticket: Some(ticket), entries: vec![entry], was });
        Ok(())
    }

    /// The rows of the tickets and indexes that a step changes.
    fn finish(&mut self, mut step: Step) -> Result<Changes, TableError> {
        for (number, changed) in std::mem::take(&mut step.tickets) {
            if let Some(ticket) = &changed.ticket {
                self.ticket_rows(number, ticket, &changed, &mut step)?;
            }
        }
        for key in std::mem::take(&mut step.alarms) {
            let alarm = self.state.alarms.standing.get(&key);
            step.changes.insert(fault_key(b'a', &key), alarm.map(json).transpose()?);
        }
        self.alarms.write(&mut step.changes)?;
        let mut changes = step.changes;
        for (key, places) in step.indexes {
            changes.insert(key, Some(places.iter().flat_map(|p| p.to_be_bytes()).collect()));
        }
        for (block, tickets) in step.blocks {
            let row = if tickets.is_empty() { None } else { Some(encode_block(&tickets)?) };
            changes.insert(block_key(block), row);
        }
        Ok(changes)
    }

    fn ticket_rows(
        &mut self,
        number: TicketNumber,
        ticket: &Ticket,
        changed: &Changed,
        step: &mut Step,
    ) -> Result<(), TableError> {
        let own = matches!(changed.was, Some((Home::Own, _)));
        let log = self.last_piece(number, changed.was)?;
        let log = self.added(log, &changed.entries);
        let head = rows::head_row(ticket, log.chunk, &mut self.book);
        if changed.was.is_none() {
            for (kind, word) in [(b'e', &head.equipment), (b'f', &head.fault)] {
                if let Word::Kept(of) = word {
                    self.index(kind, *of, number, true, step)?;
                }
            }
        }
        let (was, is) = (changed.was.and_then(|(_, state)| state_index(state)), state_index(ticket.state));
        if was != is {
            if let Some(of) = was {
                self.index(b's', of, number, false, step)?;
            }
            if let Some(of) = is {
                self.index(b's', of, number, true, step)?;
            }
        }
        let detail = rows::detail_row(ticket, &mut self.book)?;
        let fixes = rows::fix_rows(ticket, &mut self.book);
        let (block, place) = block_of(number);
        if !ticket.is_held_by_desk() && log.chunk == 0 {
            let packed = Packed { head, detail, fixes, log: log.piece };
            if encode(&packed)?.len() <= limits::PACKED_BYTES_MAX {
                self.block(block, step)?.insert(place, packed);
                if own {
                    let kinds = [b't', b'd', b'x', b'l'];
                    step.changes.extend(kinds.map(|kind| (ticket_key(kind, number), None)));
                    step.changes.insert(log_key(number, 0), None);
                }
                return Ok(());
            }
            return self.own_rows(number, changed, packed, &[], step);
        }
        let packed = Packed { head, detail, fixes, log: log.piece };
        self.own_rows(number, changed, packed, &log.full, step)
    }

    /// Writes a ticket in rows of its own, as far as they differ from those that are there.
    fn own_rows(
        &self,
        number: TicketNumber,
        changed: &Changed,
        packed: Packed,
        full: &[Vec<EntryRow>],
        step: &mut Step,
    ) -> Result<(), TableError> {
        if matches!(changed.was, Some((Home::Block, _))) {
            let (block, place) = block_of(number);
            self.block(block, step)?.remove(&place);
        }
        let is_new = !matches!(changed.was, Some((Home::Own, _)));
        let chunk = packed.head.chunk;
        self.put(ticket_key(b't', number), encode(&packed.head)?, is_new, step)?;
        self.put(ticket_key(b'd', number), encode(&packed.detail)?, is_new, step)?;
        if !packed.fixes.is_empty() {
            self.put(ticket_key(b'x', number), encode(&packed.fixes)?, is_new, step)?;
        }
        for (piece, before) in full.iter().rev().zip((0..chunk).rev()) {
            step.changes.insert(log_key(number, before), Some(encode(piece)?));
        }
        step.changes.insert(log_key(number, chunk), Some(encode(&packed.log)?));
        let live = ticket_key(b'l', number);
        if changed.ticket.as_ref().is_some_and(|t| t.is_held_by_desk()) {
            self.put(live, Vec::new(), is_new, step)?;
        } else {
            step.changes.insert(live, None);
        }
        Ok(())
    }

    fn block<'a>(&self, block: u64, step: &'a mut Step) -> Result<&'a mut Block, TableError> {
        Ok(match step.blocks.entry(block) {
            std::collections::btree_map::Entry::Occupied(found) => found.into_mut(),
            std::collections::btree_map::Entry::Vacant(empty) => empty.insert(self.reader().block(block)?),
        })
    }

    /// Writes a row that differs from the one that is there.
    fn put(&self, key: Vec<u8>, value: Vec<u8>, is_new: bool, step: &mut Step) -> Result<(), TableError> {
        if is_new || self.rows.get(&key)?.as_ref() != Some(&value) {
            step.changes.insert(key, Some(value));
        }
        Ok(())
    }

    /// The last piece of a ticket's log as it stands in the rows.
    fn last_piece(
        &self,
        number: TicketNumber,
        was: Option<(Home, TicketState)>,
    ) -> Result<LogTail, TableError> {
        let (chunk, piece) = match was {
            None => (0, Vec::new()),
            Some((Home::Block, _)) => (0, self.reader().packed(number)?.map_or_else(Vec::new, |p| p.log)),
            Some((Home::Own, _)) => {
                let head: Option<HeadRow> =
                    self.rows.get(&ticket_key(b't', number))?.map(|b| decode(&b)).transpose()?;
                let chunk = head.map_or(0, |h| h.chunk);
                let piece = self.rows.get(&log_key(number, chunk))?.map(|b| decode(&b)).transpose()?;
                (chunk, piece.unwrap_or_default())
            }
        };
        Ok(LogTail { chunk, piece, full: Vec::new() })
    }

    /// A log with lines added; a piece that is full is followed by another one.
    fn added(&mut self, mut log: LogTail, entries: &[LogEntry]) -> LogTail {
        let size = |e: &EntryRow| match &e.text {
            Word::Text(text) => text.len() + 16,
            Word::Kept(_) => 16,
        };
        let mut bytes: usize = log.piece.iter().map(size).sum();
        for entry in entries {
            let row = rows::entry_row(entry, &mut self.book);
            if bytes + size(&row) > limits::LOG_PIECE_BYTES && !log.piece.is_empty() {
                log.full.push(std::mem::take(&mut log.piece));
                log.chunk += 1;
                bytes = 0;
            }
            bytes += size(&row);
            log.piece.push(row);
        }
        log
    }

    /// Adds a ticket to a piece of an index, or takes it out.
    fn index(
        &self,
        kind: u8,
        of: u32,
        number: TicketNumber,
        is_in: bool,
        step: &mut Step,
    ) -> Result<(), TableError> {
        let bits = index_bits(kind);
        let key = index_key(kind, of, number.0 >> bits);
        let low = u16::try_from(number.0 & ((1 << bits) - 1)).unwrap_or(u16::MAX);
        let numbers = match step.indexes.entry(key) {
            std::collections::btree_map::Entry::Occupied(found) => found.into_mut(),
            std::collections::btree_map::Entry::Vacant(place) => {
                let stored = self.rows.get(place.key())?.unwrap_or_default();
                place.insert(rows::places(&stored))
            }
        };
        match (numbers.binary_search(&low), is_in) {
            (Err(at), true) => numbers.insert(at, low),
            (Ok(at), false) => {
                numbers.remove(at);
            }
            (Ok(_), true) | (Err(_), false) => {}
        }
        Ok(())
    }
}

/// The end of a ticket's log.
struct LogTail {
    /// The number of the last piece.
    chunk: u32,
    /// The last piece.
    piece: Vec<EntryRow>,
    /// Pieces before it that were filled just now.
    full: Vec<Vec<EntryRow>>,
}

fn fault_key(kind: u8, (equipment, fault): &Key) -> Vec<u8> {
    let mut key = vec![kind];
    key.extend_from_slice(equipment.as_str().as_bytes());
    key.push(0);
    key.extend_from_slice(fault.as_str().as_bytes());
    key
}

fn json(row: &impl Serialize) -> Result<Vec<u8>, TableError> {
    serde_json::to_vec(row).map_err(|e| TableError::Failed(format!("a row cannot be written: {e}")))
}
