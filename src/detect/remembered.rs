//! Stored past values of points, for the functions over time. All functions with the same point and window share one
//! memory.

use std::collections::BTreeMap;
use std::time::Duration;

use super::shared::{Shared, SharedList};
use super::state::{Slot, Unit};
use crate::expr::{Function, Memory, MemoryKind, Operands, Program, Scalar, remembered};
use crate::profile::scalar;
use crate::site::Site;
use crate::words::{EquipmentIndex, Mono, PointIndex, Value};

type PlaceOf = (EquipmentIndex, PointIndex);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    place: PlaceOf,
    bit: Option<u8>,
    kind: MemoryKind,
}

#[derive(Debug, Clone)]
struct MemoryEntry {
    key: Key,
    memory: Memory,
    /// The time when an `age` passes its limit next; `None` if there is no such limit ahead.
    due: Option<Mono>,
}

/// All memories of a site.
#[derive(Debug, Clone, Default)]
pub(super) struct Memories {
    kept: SharedList<MemoryEntry>,
    /// The index in `kept` of each memory.
    places: Shared<BTreeMap<Key, usize>>,
}

/// The places of a program's operands: the points, and the indices of its memories.
#[derive(Debug, Default, Clone)]
pub(super) struct Resolved {
    pub points: Vec<Option<PlaceOf>>,
    memories: Vec<Option<usize>>,
}

impl Resolved {
    /// A list of points of one piece of equipment, without memories.
    pub fn of(equipment: EquipmentIndex, points: &[PointIndex]) -> Self {
        Self { points: points.iter().map(|p| Some((equipment, *p))).collect(), memories: Vec::new() }
    }
}

/// A changed due time: the index of the memory, the old time, the new time.
pub(super) type DueChange = (usize, Option<Mono>, Option<Mono>);

impl Memories {
    /// Creates the memories that a program needs and that do not exist yet.
    pub fn register(
        &mut self,
        site: &Site,
        own: EquipmentIndex,
        program: &Program,
        units: &mut SharedList<Unit>,
    ) {
        for key in keys(site, own, program).into_iter().flatten() {
            let kept = &mut self.kept;
            self.places.entry(key).or_insert_with(|| {
                let (e, p) = key.place;
                if let Some(slot) = units.get_mut(e.0).and_then(|u| u.slots.get_mut(p.0)) {
                    slot.memories.push(kept.len());
                }
                kept.push(MemoryEntry { key, memory: Memory::new(key.kind), due: None });
                kept.len() - 1
            });
        }
    }

    /// Finds the points and memories that a program uses.
    pub fn resolve(&self, site: &Site, own: EquipmentIndex, program: &Program) -> Resolved {
        let operands = program.operands.iter();
        Resolved {
            points: operands.map(|o| site.resolve(own, o.equipment.as_deref(), &o.point)).collect(),
            memories: keys(site, own, program)
                .into_iter()
                .map(|key| self.places.get(&key?).copied())
                .collect(),
        }
    }

    /// Stores a reading in the memories `of` its point; `None` is a bad reading. Adds changed due times to `due`.
    pub fn reading(&mut self, of: &[usize], now: Mono, value: Option<&Value>, due: &mut Vec<DueChange>) {
        for index in of {
            let Some(kept) = self.kept.get_mut(*index) else { continue };
            let Some(value) = value else {
                kept.memory.gap(now);
                continue;
            };
            kept.memory.enter(now, remembered(value, kept.key.bit));
            if let MemoryKind::Age { limit, is_beyond } = kept.key.kind {
                let next = Some(now + limit + Duration::from_nanos(u64::from(is_beyond)));
                due.push((*index, std::mem::replace(&mut kept.due, next), next));
            }
        }
    }

    /// From now on the values of lost equipment are unknown to its memories.
    pub fn lose(&mut self, slots: &[Slot], now: Mono) {
        for index in slots.iter().flat_map(|s| &s.memories) {
            if let Some(kept) = self.kept.get_mut(*index) {
                kept.memory.lose(now);
            }
        }
    }

    /// Equipment has answered again: values that did not become stale are known to its memories again.
    pub fn resume(&mut self, slots: &[Slot], now: Mono) {
        for slot in slots {
            let Some(value) = slot.good.as_ref().filter(|_| slot.fresh) else { continue };
            for index in &slot.memories {
                if let Some(kept) = self.kept.get_mut(*index) {
                    kept.memory.resume(now, remembered(value, kept.key.bit));
                }
            }
        }
    }

    /// Notes that an age has passed its limit. Returns the point.
    pub fn passed(&mut self, index: usize) -> Option<PlaceOf> {
        let kept = self.kept.get_mut(index)?;
        kept.due = None;
        Some(kept.key.place)
    }

    /// Takes over the memories of one piece of equipment from another site. Returns their due times.
    pub fn take_over(
        &mut self,
        old: &Memories,
        from: EquipmentIndex,
        to: EquipmentIndex,
    ) -> Vec<(usize, Mono)> {
        let mut due = Vec::new();
        for (index, kept) in self.kept.iter_mut().enumerate().filter(|(_, k)| k.key.place.0 == to) {
            let before = Key { place: (from, kept.key.place.1), ..kept.key };
            let Some(known) = old.places.get(&before).and_then(|at| old.kept.get(*at)) else { continue };
            kept.memory = known.memory.clone();
            kept.due = known.due;
            due.extend(known.due.map(|at| (index, at)));
        }
        due
    }
}

fn keys(site: &Site, own: EquipmentIndex, program: &Program) -> Vec<Option<Key>> {
    let key = |spec: &crate::expr::MemorySpec| {
        let operand = program.operands.get(spec.operand)?;
        let place = site.resolve(own, operand.equipment.as_deref(), &operand.point)?;
        Some(Key { place, bit: spec.bit, kind: spec.kind })
    };
    program.memories.iter().map(key).collect()
}

/// The present values of a program's operands.
pub(super) struct View<'a> {
    pub units: &'a SharedList<Unit>,
    pub memories: &'a Memories,
    pub resolved: &'a Resolved,
    pub now: Mono,
}

impl Operands for View<'_> {
    fn read(&self, slot: usize) -> Option<Scalar> {
        let (equipment, point) = (*self.resolved.points.get(slot)?)?;
        let unit = self.units.get(equipment.0).filter(|u| !u.lost)?;
        let slot = unit.slots.get(point.0).filter(|s| s.fresh)?;
        slot.good.as_ref().map(scalar)
    }

    fn recall(&self, memory: usize, function: Function) -> Option<f64> {
        let kept = self.memories.kept.get((*self.resolved.memories.get(memory)?)?)?;
        // All values of lost equipment are unknown, although the windows contain values from before the loss.
        let (equipment, _) = kept.key.place;
        self.units.get(equipment.0).filter(|u| !u.lost)?;
        kept.memory.recall(function, self.now)
    }
}
