//! Events of alarms, for their report: in blocks, in the order of the record.
//!
//! A report reads millions of them, so a row holds many, names an alarm by two numbers, and is skipped when all its
//! events lie before the period.

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

/// An alarm's name in rows: the numbers of its equipment's and its fault's kept texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AlarmId {
    equipment: u32,
    fault: u32,
}

/// An event of an alarm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct AlarmRow {
    alarm: AlarmId,
    /// Milliseconds since the first event of the block.
    at: i64,
    what: AlarmWhat,
}

/// What happened to the alarm.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
enum AlarmWhat {
    Raised(Severity),
    /// With the milliseconds since it was raised, where that is known.
    Cleared(Option<i64>),
    Chattering,
    Damped(u64),
}

/// When the events of a block happened, in milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
struct Span {
    first: i64,
    latest: i64,
}

/// The last block, to which events are added.
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
    /// Reads the last block.
    pub(super) fn load(rows: &dyn Rows) -> Result<Self, TableError> {
        let mut log = Self::default();
        scan_prefix(rows, PREFIX, true, &mut |key, bytes| {
            let block = key.last_chunk::<8>().map(|b| u64::from_be_bytes(*b));
            log.block =
                block.ok_or_else(|| TableError::Damaged("a key of alarms does not read".to_owned()))?;
            (log.span, log.rows) = decode(bytes)?;
            Ok(ControlFlow::Break(()))
        })?;
        Ok(log)
    }

    /// Adds an event; a block that is full is written and followed by another one. `raised_at` is when the alarm was
    /// raised that is cleared here.
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

    /// Writes the last block, if events were added since this was called last.
    pub(super) fn write(&mut self, changes: &mut Changes) -> Result<(), TableError> {
        if std::mem::take(&mut self.is_changed) {
            changes.insert(key(self.block), Some(encode(&(self.span, &self.rows))?));
        }
        Ok(())
    }
}

/// What is done with each event: when, of which alarm, and what happened.
pub type EachAlarm<'a> = &'a mut dyn FnMut(Wall, AlarmId, Happened);

impl StoreReader {
    /// Visits the events of alarms in a period, after those that stood at its begin, and returns the alarms' names.
    /// `standing` are those that stand now, with the instant at which each was raised.
    ///
    /// # Errors
    /// When rows cannot be read.
    pub fn alarm_events(
        &self,
        since: Wall,
        until: Wall,
        standing: &BTreeMap<Key, (Severity, Wall)>,
        each: EachAlarm<'_>,
    ) -> Result<BTreeMap<AlarmId, Key>, TableError> {
        let mut names = BTreeMap::new();
        // What stood at the begin counts for nothing but its end: it is told before that, or here where it stands still.
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
        let bad = |_| TableError::Damaged("a name in a row is not a name".to_owned());
        let equipment = EquipmentId::parse(&self.words.kept(alarm.equipment)?).map_err(bad)?;
        Ok((equipment, FaultName::parse(&self.words.kept(alarm.fault)?).map_err(bad)?))
    }
}

/// The first value of a row, and the rest of it.
fn split<T: for<'a> Deserialize<'a>>(bytes: &[u8]) -> Result<(T, &[u8]), TableError> {
    postcard::take_from_bytes(bytes).map_err(|e| TableError::Damaged(format!("a row does not read: {e}")))
}
