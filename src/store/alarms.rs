//! Alarm events for the alarm report, in blocks, in the order of the journal.
//!
//! A report can read millions of events. So one row holds a block of many events, an alarm is named by two numbers, and
//! a block is skipped if all its events are before the period of the report.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

use super::StoreReader;
use super::rows::{decode, encode};
use super::tables::{Changes, Rows, TableError, after_prefix, scan_prefix};
use super::words::WordBook;
use crate::alarm::Key;
use crate::alarm::report::Happened;
use crate::limits;
use crate::words::{EquipmentId, FaultName, Severity, Wall};

const PREFIX: &[u8] = b"v";

/// An alarm in a row: the numbers of the stored texts of its equipment id and its fault name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AlarmId {
    equipment: u32,
    fault: u32,
}

/// One event of an alarm, in a block.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct AlarmRow {
    alarm: AlarmId,
    /// Milliseconds after the first event of the block; negative if the clock was set back.
    at: i64,
    what: AlarmWhat,
}

/// The kind of an alarm event.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
enum AlarmWhat {
    Raised(Severity),
    /// The value is the duration of the alarm in milliseconds; `None` if unknown.
    Cleared(Option<i64>),
    Chattering,
    /// The value is the number of repeats that were counted.
    Damped(u64),
}

/// The period of a block's events, in milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
struct Span {
    first: i64,
    latest: i64,
}

/// The last block, to which new events are added.
#[derive(Debug, Default)]
pub(super) struct AlarmLog {
    block: u64,
    span: Span,
    rows: Vec<AlarmRow>,
    is_changed: bool,
}

fn key(block: u64) -> Vec<u8> {
    [PREFIX, &block.to_be_bytes()].concat()
}

impl AlarmLog {
    /// Reads the last block; an empty log if there is no block.
    pub(super) fn load(rows: &dyn Rows) -> Result<Self, TableError> {
        let mut log = Self::default();
        scan_prefix(rows, PREFIX, true, &mut |key, bytes| {
            let block = key.last_chunk::<8>().map(|b| u64::from_be_bytes(*b));
            log.block = block
                .ok_or_else(|| TableError::Damaged("the key of an alarm block cannot be read".to_owned()))?;
            (log.span, log.rows) = decode(bytes)?;
            Ok(ControlFlow::Break(()))
        })?;
        Ok(log)
    }

    /// Adds an event. If the block is full, writes the block and begins the next. `raised_at` is used only for
    /// [`Happened::Cleared`]: the time at which the alarm was raised, `None` if unknown.
    pub(super) fn add(
        &mut self,
        at: Wall,
        (equipment, fault): &Key,
        what: Happened,
        raised_at: Option<Wall>,
        book: &mut WordBook,
        changes: &mut Changes,
    ) -> Result<(), TableError> {
        if self.rows.len() >= limits::ALARMS_A_BLOCK {
            self.write(changes)?;
            self.block += 1;
            self.rows.clear();
        }
        let at = at.millis();
        if self.rows.is_empty() {
            self.span = Span { first: at, latest: at };
        }
        self.span.latest = self.span.latest.max(at);
        let what = match what {
            Happened::Raised(severity) => AlarmWhat::Raised(severity),
            Happened::Cleared => AlarmWhat::Cleared(raised_at.map(|raised| at.wrapping_sub(raised.millis()))),
            Happened::Chattering => AlarmWhat::Chattering,
            Happened::Damped(repeats) => AlarmWhat::Damped(repeats),
        };
        let alarm = AlarmId { equipment: book.keep(equipment.as_str()), fault: book.keep(fault.as_str()) };
        self.rows.push(AlarmRow { alarm, at: at.wrapping_sub(self.span.first), what });
        self.is_changed = true;
        Ok(())
    }

    /// Writes the last block if events were added since the last call.
    pub(super) fn write(&mut self, changes: &mut Changes) -> Result<(), TableError> {
        if std::mem::take(&mut self.is_changed) {
            changes.insert(key(self.block), Some(encode(&(self.span, &self.rows))?));
        }
        Ok(())
    }
}

/// A visitor of alarm events. Its arguments are the time, the alarm, and the kind of event.
pub type EachAlarm<'a> = &'a mut dyn FnMut(Wall, AlarmId, Happened);

impl StoreReader {
    /// Visits the alarm events with `since <= time < until`, and returns the names of the visited alarms.
    ///
    /// For an alarm that was active at `since`, the visitor first gets a raised event with the time before `since`.
    /// `standing` are the alarms that are current now, each with its severity and the time at which it was raised.
    ///
    /// # Errors
    /// If rows cannot be read.
    pub fn alarm_events(
        &self,
        since: Wall,
        until: Wall,
        standing: &BTreeMap<Key, (Severity, Wall)>,
        each: EachAlarm<'_>,
    ) -> Result<BTreeMap<AlarmId, Key>, TableError> {
        let mut names = BTreeMap::new();
        // The report needs the raised event of every alarm that was active at `since`. If the alarm is still active, the
        // event is given here; if not, just before its cleared event.
        let before = standing.iter().filter(|(_, (_, at))| *at < since);
        let texts: BTreeSet<&str> =
            before.clone().flat_map(|((equipment, fault), _)| [equipment.as_str(), fault.as_str()]).collect();
        let ids = self.words.ids(&texts);
        for (name, (severity, at)) in before {
            let (equipment, fault) = (ids.get(name.0.as_str()), ids.get(name.1.as_str()));
            if let (Some(equipment), Some(fault)) = (equipment, fault) {
                let alarm = AlarmId { equipment: *equipment, fault: *fault };
                names.insert(alarm, name.clone());
                each(*at, alarm, Happened::Raised(*severity));
            }
        }
        self.rows.scan(&key(0), &after_prefix(PREFIX), false, &mut |_, bytes| {
            let (span, rest) = split::<Span>(bytes)?;
            if span.latest < since.millis() {
                return Ok(ControlFlow::Continue(()));
            }
            let rows: Vec<AlarmRow> = decode(rest)?;
            for row in rows {
                let at = span.first.wrapping_add(row.at);
                if at < since.millis() {
                    continue;
                }
                if let Entry::Vacant(unnamed) = names.entry(row.alarm) {
                    unnamed.insert(self.alarm_name(row.alarm)?);
                }
                let what = match row.what {
                    AlarmWhat::Raised(severity) => Happened::Raised(severity),
                    AlarmWhat::Cleared(stood) => {
                        let begin = stood.map(|stood| Wall::from_millis(at.wrapping_sub(stood)));
                        if let Some(begin) = begin.filter(|begin| *begin < since) {
                            each(begin, row.alarm, Happened::Raised(Severity::Major));
                        }
                        Happened::Cleared
                    }
                    AlarmWhat::Chattering => Happened::Chattering,
                    AlarmWhat::Damped(repeats) => Happened::Damped(repeats),
                };
                if at < until.millis() {
                    each(Wall::from_millis(at), row.alarm, what);
                }
            }
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(names)
    }

    fn alarm_name(&self, alarm: AlarmId) -> Result<Key, TableError> {
        let bad = |_| TableError::Damaged("a row contains an invalid name".to_owned());
        let equipment = EquipmentId::parse(&self.words.kept(alarm.equipment)?).map_err(bad)?;
        Ok((equipment, FaultName::parse(&self.words.kept(alarm.fault)?).map_err(bad)?))
    }
}

/// Decodes the first value of a row, and returns the value and the rest of the row.
fn split<T: for<'a> Deserialize<'a>>(bytes: &[u8]) -> Result<(T, &[u8]), TableError> {
    postcard::take_from_bytes(bytes).map_err(|e| TableError::Damaged(format!("a row cannot be read: {e}")))
}
