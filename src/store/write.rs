//! Events into entries, one atomic batch a step.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::alarm::{Key, Shelf};
use crate::desk::{Event, OutOfService, Record, State, Touched};
use crate::site::FileHash;
use crate::ticket::{Ticket, TicketEvent};
use crate::words::{EquipmentId, FaultName, Seq, TicketNumber};

pub(super) const META: &[u8] = b"m";

#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
pub(super) struct Meta {
    pub version: u32,
    pub seq: Seq,
    pub hash: String,
    pub last_ticket: u64,
    pub files: Vec<FileHash>,
    #[serde(default)]
    pub shelves: Vec<(Key, Shelf)>,
    #[serde(default)]
    pub out_of_service: BTreeMap<EquipmentId, OutOfService>,
    pub digest: u64,
    pub entries: u64,
}

/// The store, open for writing: the live state and the tree it is kept in.
#[derive(Debug)]
pub struct Store {
    pub(super) db: sled::Db,
    pub(super) state: State,
    pub(super) meta: Meta,
}

pub(super) fn ticket_key(number: TicketNumber) -> Vec<u8> {
    let mut key = vec![b't'];
    key.extend_from_slice(&number.0.to_be_bytes());
    key
}

pub(super) fn live_key(number: TicketNumber) -> Vec<u8> {
    let mut key = vec![b'l'];
    key.extend_from_slice(&number.0.to_be_bytes());
    key
}

pub(super) fn index_prefix(kind: u8, name: &str) -> Vec<u8> {
    let mut key = vec![kind];
    key.extend_from_slice(name.as_bytes());
    key.push(0);
    key
}

fn index_key(kind: u8, name: &str, number: TicketNumber) -> Vec<u8> {
    let mut key = index_prefix(kind, name);
    key.extend_from_slice(&number.0.to_be_bytes());
    key
}

/// Of what there is one for a fault on a piece of equipment.
fn fault_key(kind: u8, equipment: &EquipmentId, fault: &FaultName) -> Vec<u8> {
    let mut key = index_prefix(kind, equipment.as_str());
    key.extend_from_slice(fault.as_str().as_bytes());
    key
}

pub(super) fn digest_of(key: &[u8], value: &[u8]) -> u64 {
    let mut hasher = Sha256::new();
    hasher.update((key.len() as u64).to_be_bytes());
    hasher.update(key);
    hasher.update(value);
    let out = hasher.finalize();
    out.iter().take(8).fold(0, |acc, b| acc << 8 | u64::from(*b))
}

impl Store {
    /// The live state the store has come to.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The last event taken in, and its hash.
    #[must_use]
    pub fn cursor(&self) -> (Seq, &str) {
        (self.meta.seq, &self.meta.hash)
    }

    /// A handle for queries.
    #[must_use]
    pub fn reader(&self) -> super::StoreReader {
        super::StoreReader::new(self.db.clone())
    }

    /// Takes records in, in order, as one atomic step.
    ///
    /// # Errors
    /// What sled says. The store in memory is then ahead of the one on disk: it is to be dropped, opened again and
    /// caught up from the journal.
    pub fn apply(&mut self, records: &[(Record, String)]) -> Result<(), sled::Error> {
        let mut changed: BTreeMap<Vec<u8>, Option<Vec<u8>>> = BTreeMap::new();
        // A ticket is written once a step, however many of its events stand in it.
        let mut tickets: BTreeMap<TicketNumber, Box<Ticket>> = BTreeMap::new();
        let db = self.db.clone();
        for (record, hash) in records {
            let mut stored = |n: TicketNumber| match tickets.get(&n) {
                Some(ticket) => Some((**ticket).clone()),
                None => read_ticket(&db, n),
            };
            match self.state.apply(record, &mut stored) {
                Touched::Ticket(ticket) => {
                    if matches!(record.event, Event::Ticket(TicketEvent::Opened(_))) {
                        note_indexes(&mut changed, &ticket);
                    }
                    tickets.insert(ticket.number, ticket);
                }
                Touched::Alarm(equipment, fault) => {
                    let alarm = self.state.alarms.get(&(equipment.clone(), fault.clone()));
                    changed.insert(
                        fault_key(b'a', &equipment, &fault),
                        alarm.and_then(|a| serde_json::to_vec(a).ok()),
                    );
                }
                Touched::Baseline(equipment, fault) => {
                    let key = fault_key(b'b', &equipment, &fault);
                    let model = self.state.baselines.get(&(equipment.clone(), fault.clone()));
                    let entry = model.and_then(|m| serde_json::to_vec(&(&equipment, &fault, m)).ok());
                    changed.insert(key, entry);
                }
                Touched::Service | Touched::Files | Touched::Nothing => {}
            }
            self.meta.seq = record.seq;
            self.meta.hash.clone_from(hash);
        }
        for (number, ticket) in tickets {
            changed.insert(ticket_key(number), serde_json::to_vec(&ticket).ok());
            changed.insert(live_key(number), ticket.is_held_by_desk().then(Vec::new));
        }
        self.commit(changed)
    }

    fn commit(&mut self, changed: BTreeMap<Vec<u8>, Option<Vec<u8>>>) -> Result<(), sled::Error> {
        let mut batch = sled::Batch::default();
        for (key, value) in changed {
            let before = self.db.get(&key)?;
            if let Some(before) = &before {
                self.meta.digest ^= digest_of(&key, before);
                self.meta.entries -= 1;
            }
            match value {
                Some(value) => {
                    self.meta.digest ^= digest_of(&key, &value);
                    self.meta.entries += 1;
                    batch.insert(key, value);
                }
                None => batch.remove(key),
            }
        }
        self.meta.last_ticket = self.state.last_ticket;
        self.meta.files.clone_from(&self.state.files);
        self.meta.shelves = self.state.shelves.iter().map(|(k, s)| (k.clone(), s.clone())).collect();
        self.meta.out_of_service.clone_from(&self.state.out_of_service);
        batch.insert(META, serde_json::to_vec(&self.meta).unwrap_or_default());
        self.db.apply_batch(batch)
    }

    /// Makes everything durable.
    ///
    /// # Errors
    /// What sled says.
    pub fn flush(&self) -> Result<(), sled::Error> {
        self.db.flush().map(|_| ())
    }
}

/// Where a ticket is found by its equipment and its fault, which it keeps for life.
fn note_indexes(changed: &mut BTreeMap<Vec<u8>, Option<Vec<u8>>>, ticket: &Ticket) {
    let (equipment, fault) = (ticket.equipment.as_str(), ticket.fault.as_str());
    changed.insert(index_key(b'e', equipment, ticket.number), Some(fault.as_bytes().to_vec()));
    changed.insert(index_key(b'f', fault, ticket.number), Some(equipment.as_bytes().to_vec()));
}

pub(super) fn read_ticket(db: &sled::Db, number: TicketNumber) -> Option<Ticket> {
    let bytes = db.get(ticket_key(number)).ok()??;
    serde_json::from_slice(&bytes).ok()
}
