//! Opens a store: checks the rows, as many as the time limit allows, and reads the live state.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use super::alarms::AlarmLog;
use super::rows::{META, decode, decode_block, number_of};
use super::tables::{TableError, Tables, scan_prefix};
use super::words::WordBook;
use super::write::{Meta, Store};
use super::{StoreReader, VERSION};
use crate::alarm::Alarm;
use crate::desk::State;
use crate::journal::Cursor;
use crate::limits;
use crate::words::Seq;

fn damaged(why: impl std::fmt::Display) -> TableError {
    TableError::Damaged(why.to_string())
}

impl Store {
    /// Opens the store in `tables`. Empty tables give an empty store.
    ///
    /// # Errors
    /// If the rows are damaged or have another version. The store must then be rebuilt from the journal.
    pub fn open(tables: Box<dyn Tables>) -> Result<Self, TableError> {
        let rows = tables.rows();
        let meta = match rows.get(META)? {
            Some(bytes) => decode::<Meta>(&bytes).map_err(|_| damaged("its format has another version"))?,
            None => {
                let mut is_empty = true;
                rows.scan(&[], &[u8::MAX; 32], false, &mut |_, _| {
                    is_empty = false;
                    Ok(ControlFlow::Break(()))
                })?;
                if !is_empty {
                    return Err(damaged("its position in the journal is missing"));
                }
                let begin = Cursor::default();
                Meta { version: VERSION, seq: 0, hash: begin.hash, last_ticket: 0, tickets: 0 }
            }
        };
        if meta.version != VERSION {
            return Err(damaged(format!(
                "its format has version {}, and this program needs version {VERSION}",
                meta.version
            )));
        }
        let book = WordBook::load(rows.as_ref())?;
        let alarms = AlarmLog::load(rows.as_ref())?;
        let mut store = Self {
            tables,
            rows,
            state: State::default(),
            book,
            alarms,
            cursor: Cursor { seq: Seq(meta.seq), hash: meta.hash.clone() },
            tickets: meta.tickets,
            stored_up_to: meta.last_ticket,
        };
        store.check(&meta)?;
        store.state = store.read_state(&meta)?;
        Ok(store)
    }

    /// Reads all rows and counts the tickets. Stops after [`limits::STORE_CHECK_MAX`], so that a big store does not delay
    /// the start.
    #[expect(clippy::disallowed_methods, reason = "a time limit, so that the check does not delay the start")]
    fn check(&self, meta: &Meta) -> Result<(), TableError> {
        let begun = std::time::Instant::now();
        let (mut seen, mut own, mut details, mut packed, mut is_whole) = (0_u64, 0, 0, 0, true);
        self.rows.scan(&[], &[u8::MAX; 32], false, &mut |key, value| {
            seen += 1;
            match key.first() {
                Some(b't') => own += 1,
                Some(b'd') => details += 1,
                Some(b'p') => packed += decode_block(value)?.len() as u64,
                _ => {}
            }
            if seen.is_multiple_of(64) && begun.elapsed() > limits::STORE_CHECK_MAX {
                is_whole = false;
                return Ok(ControlFlow::Break(()));
            }
            Ok(ControlFlow::Continue(()))
        })?;
        let tickets: u64 = own + packed;
        if is_whole && (tickets != meta.tickets || details != own) {
            return Err(damaged(format!("the store has {tickets} tickets, but must have {}", meta.tickets)));
        }
        Ok(())
    }

    fn read_state(&self, meta: &Meta) -> Result<State, TableError> {
        let mut state = State { seq: Seq(meta.seq), ..State::default() };
        state.tickets.last = meta.last_ticket;
        let reader: StoreReader = self.reader();
        let rows = self.rows.as_ref();
        scan_prefix(rows, b"l", false, &mut |key, _| {
            let number = number_of(key).ok_or_else(|| damaged("the key of a ticket cannot be read"))?;
            let ticket = reader.ticket(number)?;
            let ticket = ticket.ok_or_else(|| damaged(format!("live ticket {number} is missing")))?;
            state.tickets.hold(Arc::new(ticket));
            Ok(ControlFlow::Continue(()))
        })?;
        scan_prefix(rows, b"a", false, &mut |_, bytes| {
            let alarm: Alarm = serde_json::from_slice(bytes).map_err(damaged)?;
            state.alarms.standing.insert((alarm.equipment.clone(), alarm.fault.clone()), alarm);
            Ok(ControlFlow::Continue(()))
        })?;
        scan_prefix(rows, b"b", false, &mut |_, bytes| {
            let (equipment, fault, model) = serde_json::from_slice(bytes).map_err(damaged)?;
            state.baselines.models.insert((equipment, fault), Arc::new(model));
            Ok(ControlFlow::Continue(()))
        })?;
        if let Some(bytes) = rows.get(b"ks")? {
            let (shelves, out_of_service): (Vec<_>, _) = serde_json::from_slice(&bytes).map_err(damaged)?;
            state.alarms.shelves = shelves.into_iter().collect();
            let out_of_service: BTreeMap<_, _> = out_of_service;
            state.service.out = out_of_service.into_iter().collect();
        }
        if let Some(bytes) = rows.get(b"kg")? {
            let (files, damage): (Vec<_>, Vec<_>) = serde_json::from_slice(&bytes).map_err(damaged)?;
            (state.gateway.files, state.gateway.damage) = (Arc::new(files), damage.into());
        }
        Ok(state)
    }
}
