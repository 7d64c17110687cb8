//! The rows of a ticket, in a compact binary format (postcard).
//!
//! Fields that change often are in the head row, and long fields are in the detail row. So a note adds a log entry and
//! rewrites only some hundred bytes.
//!
//! If you change a row, increase [`super::VERSION`]: old stores are then rebuilt from the journal
//! (test: `the_form_of_rows_is_that_of_this_version`).

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::tables::TableError;
use super::words::{Word, WordBook, Words};
use crate::ticket::{
    Answer, Condition, Fix, LogEntry, StepRecord, Ticket, TicketOrigin, TicketState, UsedPart,
};
use crate::words::{EquipmentId, FaultName, Seq, Severity, StepId, TicketNumber, Wall};

pub(super) const META: &[u8] = b"m";

/// Returns the key of a ticket's row. `kind` is `t` for the head, `d` for the details, `x` for the fixes, and `l` for
/// the mark that the ticket is live.
pub(super) fn ticket_key(kind: u8, number: TicketNumber) -> Vec<u8> {
    let mut key = vec![kind];
    key.extend_from_slice(&number.0.to_be_bytes());
    key
}

/// Returns the key of a piece of a ticket's log.
pub(super) fn log_key(number: TicketNumber, chunk: u32) -> Vec<u8> {
    let mut key = ticket_key(b'n', number);
    key.extend_from_slice(&chunk.to_be_bytes());
    key
}

/// Returns the key of a piece of an index. `kind` is `e` (equipment), `f` (fault) or `s` (state); `of` is the number of
/// the stored text, or of the state.
pub(super) fn index_key(kind: u8, of: u32, chunk: u64) -> Vec<u8> {
    let mut key = index_prefix(kind, of);
    key.extend_from_slice(&chunk.to_be_bytes());
    key
}

/// Decodes a piece of an index: the low bits of the ticket numbers, in ascending order.
pub(super) fn places(stored: &[u8]) -> Vec<u16> {
    stored.chunks_exact(2).filter_map(|b| b.try_into().ok()).map(u16::from_be_bytes).collect()
}

pub(super) fn index_prefix(kind: u8, of: u32) -> Vec<u8> {
    let mut key = vec![kind];
    key.extend_from_slice(&of.to_be_bytes());
    key
}

/// Returns the key of a block of finished tickets.
pub(super) fn block_key(block: u64) -> Vec<u8> {
    let mut key = vec![b'p'];
    key.extend_from_slice(&block.to_be_bytes());
    key
}

/// Returns the block of a finished ticket, and the place of the ticket in the block.
pub(super) fn block_of(number: TicketNumber) -> (u64, u8) {
    let [.., low] = number.0.to_be_bytes();
    (number.0 >> BLOCK_BITS, low & ((1 << BLOCK_BITS) - 1))
}

/// Size of a block of finished tickets, as a power of two: a block holds at most 32 tickets.
pub(super) const BLOCK_BITS: u32 = 5;

/// Returns the range of ticket numbers in a piece of an index, as a power of two. The range is larger for equipment,
/// because the ticket numbers of one piece of equipment are far apart.
pub(super) fn index_bits(kind: u8) -> u32 {
    if kind == b'e' { 12 } else { 10 }
}

/// Encodes and compresses a block of finished tickets.
pub(super) fn encode_block(block: &Block) -> Result<Vec<u8>, TableError> {
    Ok(lz4_flex::compress_prepend_size(&encode(block)?))
}

pub(super) fn decode_block(bytes: &[u8]) -> Result<Block, TableError> {
    let plain = lz4_flex::decompress_size_prepended(bytes);
    decode(&plain.map_err(|e| TableError::Damaged(format!("a block of tickets cannot be read: {e}")))?)
}

/// The finished tickets of a block, by their places in the block.
pub(super) type Block = std::collections::BTreeMap<u8, Packed>;

/// All rows of a finished ticket.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Packed {
    pub head: HeadRow,
    pub detail: DetailRow,
    pub fixes: Vec<FixRow>,
    pub log: Vec<EntryRow>,
}

/// Returns the ticket number in a key; `None` if the key is too short.
pub(super) fn number_of(key: &[u8]) -> Option<TicketNumber> {
    let bytes = key.get(1..9)?;
    Some(TicketNumber(u64::from_be_bytes(bytes.try_into().ok()?)))
}

pub(super) fn encode(row: &impl Serialize) -> Result<Vec<u8>, TableError> {
    postcard::to_stdvec(row).map_err(|e| TableError::Failed(format!("a row cannot be written: {e}")))
}

pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, TableError> {
    postcard::from_bytes(bytes).map_err(|e| TableError::Damaged(format!("a row cannot be read: {e}")))
}

/// The fields of a ticket that change often.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct HeadRow {
    pub equipment: Word,
    pub fault: Word,
    pub origin: TicketOrigin,
    pub severity: Severity,
    pub severity_set: bool,
    pub state: TicketState,
    pub condition: Condition,
    pub summary: Word,
    /// Milliseconds since 1970. The other times of this row are milliseconds after `opened_at`.
    pub opened_at: i64,
    pub onset: i64,
    pub last_raised_at: i64,
    pub closed_at: Option<i64>,
    pub watch_until: Option<i64>,
    pub occurrences: u64,
    pub assignee: Option<Word>,
    pub walked: bool,
    pub entries: u32,
    pub own_entries: u32,
    /// The number of the last piece of the ticket's log.
    pub chunk: u32,
}

/// The fields of a ticket that may be long and change rarely.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct DetailRow {
    pub code: Option<Word>,
    pub values: Vec<(Word, Word)>,
    pub hold_reason: Option<String>,
    pub walk: Vec<(Word, Answer)>,
    pub next_step: Option<Word>,
    pub finding: Option<Word>,
    /// The cancellation as JSON; `None` if the ticket was not cancelled.
    pub cancelled: Option<String>,
    pub profile: Word,
    pub profile_sha256: Word,
    pub firmware: Option<Word>,
    pub firmware_notes: Vec<Word>,
}

/// A fix of a ticket.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct FixRow {
    pub cause: String,
    pub action: String,
    pub parts: Vec<(Word, u32)>,
    pub minutes: Option<u32>,
    pub by: Word,
    pub at: i64,
    pub effective: Option<bool>,
}

/// A line of a ticket's log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct EntryRow {
    pub seq: u64,
    pub at: i64,
    pub by: Word,
    pub text: Word,
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn size(n: u32) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}

pub(super) fn head_row(t: &Ticket, chunk: u32, book: &mut WordBook) -> HeadRow {
    let base = t.opened_at.millis();
    let since = |at: Wall| at.millis().wrapping_sub(base);
    HeadRow {
        equipment: book.name(t.equipment.as_str()),
        fault: match t.origin {
            TicketOrigin::Fault => book.name(t.fault.as_str()),
            // No other ticket has this name, so it is not stored as a shared word.
            TicketOrigin::Report => Word::Text(t.fault.to_string()),
        },
        origin: t.origin,
        severity: t.severity,
        severity_set: t.severity_set,
        state: t.state,
        condition: t.condition,
        summary: book.word(&t.summary),
        opened_at: base,
        onset: since(t.onset),
        last_raised_at: since(t.last_raised_at),
        closed_at: t.closed_at.map(since),
        watch_until: t.watch_until.map(since),
        occurrences: t.occurrences,
        assignee: t.assignee.as_ref().map(|a| book.word(a)),
        walked: t.walked,
        entries: count(t.entries),
        own_entries: count(t.own_entries),
        chunk,
    }
}

pub(super) fn detail_row(t: &Ticket, book: &mut WordBook) -> Result<DetailRow, TableError> {
    let cancelled = t.cancelled.as_ref().map(serde_json::to_string).transpose();
    let cancelled = cancelled.map_err(|e| TableError::Failed(e.to_string()))?;
    Ok(DetailRow {
        code: t.code.as_ref().map(|c| book.word(c)),
        values: t.values.iter().map(|(name, value)| (book.word(name), plain_or_kept(value, book))).collect(),
        hold_reason: t.hold_reason.clone(),
        walk: t.walk.iter().map(|s| (book.word(s.step.as_str()), s.answer)).collect(),
        next_step: t.next_step.as_ref().map(|s| book.word(s.as_str())),
        finding: t.finding.as_ref().map(|f| book.word(f)),
        cancelled,
        profile: book.word(&t.profile),
        profile_sha256: book.word(&t.profile_sha256),
        firmware: t.firmware.as_ref().map(|f| book.word(f)),
        firmware_notes: t.firmware_notes.iter().map(|n| book.word(n)).collect(),
    })
}

/// Returns the word for a measured value. Only a short value is stored, because a long value rarely occurs twice.
fn plain_or_kept(text: &str, book: &mut WordBook) -> Word {
    if text.len() <= 4 { book.word(text) } else { Word::Text(text.to_owned()) }
}

pub(super) fn fix_rows(t: &Ticket, book: &mut WordBook) -> Vec<FixRow> {
    let rows = t.fixes.iter().map(|f| FixRow {
        cause: f.cause.clone(),
        action: f.action.clone(),
        parts: f.parts.iter().map(|p| (book.word(&p.id), p.quantity)).collect(),
        minutes: f.minutes,
        by: book.word(&f.by),
        at: f.at.millis(),
        effective: f.effective,
    });
    rows.collect()
}

/// Returns the row of a log line. A line with a colon contains text of a person and rarely occurs twice, so its text is
/// not stored.
pub(super) fn entry_row(e: &LogEntry, book: &mut WordBook) -> EntryRow {
    let text = if e.text.contains(':') { Word::Text(e.text.clone()) } else { book.word(&e.text) };
    EntryRow { seq: e.seq.0, at: e.at.millis(), by: book.word(&e.by), text }
}

fn name<T, E>(parsed: Result<T, E>) -> Result<T, TableError> {
    parsed.map_err(|_| TableError::Damaged("a row contains an invalid name".to_owned()))
}

fn optional<T>(
    word: Option<&Word>,
    read: impl Fn(&Word) -> Result<T, TableError>,
) -> Result<Option<T>, TableError> {
    word.map(read).transpose()
}

/// Builds a ticket from its rows.
pub(super) fn ticket_of(
    number: TicketNumber,
    head: &HeadRow,
    detail: &DetailRow,
    fixes: &[FixRow],
    words: &Words,
) -> Result<Ticket, TableError> {
    let at = |since: i64| Wall::from_millis(head.opened_at.wrapping_add(since));
    let text = |word: &Word| words.text(word);
    let step = |word: &Word| name(StepId::parse(&words.text(word)?));
    let cancelled = detail.cancelled.as_deref().map(serde_json::from_str).transpose();
    Ok(Ticket {
        number,
        equipment: name(EquipmentId::parse(&text(&head.equipment)?))?,
        fault: name(FaultName::parse(&text(&head.fault)?))?,
        origin: head.origin,
        severity_set: head.severity_set,
        severity: head.severity,
        state: head.state,
        condition: head.condition,
        summary: text(&head.summary)?,
        code: optional(detail.code.as_ref(), text)?,
        opened_at: at(0),
        onset: at(head.onset),
        last_raised_at: at(head.last_raised_at),
        occurrences: head.occurrences,
        assignee: optional(head.assignee.as_ref(), text)?,
        hold_reason: detail.hold_reason.clone(),
        values: detail
            .values
            .iter()
            .map(|(name, value)| Ok((text(name)?, text(value)?)))
            .collect::<Result<_, TableError>>()?,
        walk: detail
            .walk
            .iter()
            .map(|(id, answer)| Ok(StepRecord { step: step(id)?, answer: *answer }))
            .collect::<Result<_, TableError>>()?,
        next_step: optional(detail.next_step.as_ref(), step)?,
        walked: head.walked,
        finding: optional(detail.finding.as_ref(), text)?,
        fixes: fixes.iter().map(|f| fix_of(f, words)).collect::<Result<_, TableError>>()?,
        closed_at: head.closed_at.map(at),
        watch_until: head.watch_until.map(at),
        cancelled: cancelled.map_err(|e| TableError::Damaged(e.to_string()))?,
        profile: text(&detail.profile)?,
        profile_sha256: text(&detail.profile_sha256)?,
        firmware: optional(detail.firmware.as_ref(), text)?,
        firmware_notes: detail.firmware_notes.iter().map(text).collect::<Result<_, TableError>>()?,
        entries: size(head.entries),
        own_entries: size(head.own_entries),
    })
}

fn fix_of(f: &FixRow, words: &Words) -> Result<Fix, TableError> {
    let part = |(id, quantity): &(Word, u32)| -> Result<UsedPart, TableError> {
        Ok(UsedPart { id: words.text(id)?, quantity: *quantity })
    };
    Ok(Fix {
        cause: f.cause.clone(),
        action: f.action.clone(),
        parts: f.parts.iter().map(part).collect::<Result<_, TableError>>()?,
        minutes: f.minutes,
        by: words.text(&f.by)?,
        at: Wall::from_millis(f.at),
        effective: f.effective,
    })
}

pub(super) fn entry_of(e: &EntryRow, words: &Words) -> Result<LogEntry, TableError> {
    let (seq, at) = (Seq(e.seq), Wall::from_millis(e.at));
    Ok(LogEntry { seq, at, by: words.text(&e.by)?, text: words.text(&e.text)? })
}
