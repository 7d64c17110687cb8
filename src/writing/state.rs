//! Orders to write that are under way.

use std::collections::BTreeMap;

use crate::words::{EquipmentId, PointName};

/// Names an order, so that its answer finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct OrderId(pub u64);

/// What a link is to write; names, not places, so that it can never reach another device than was meant.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// Its name.
    pub id: OrderId,
    /// To which equipment.
    pub equipment: EquipmentId,
    /// To which point.
    pub point: PointName,
    /// The registers, or 0 and 1 for a coil.
    pub words: Vec<u16>,
}

/// What became of an order.
#[derive(Debug, Clone, PartialEq)]
pub struct Carried {
    /// Whether the device confirmed the write, or why it did not.
    pub answer: Result<(), String>,
    /// The registers read afterwards, or why they were not.
    pub read_back: Result<Vec<u16>, String>,
}

/// A value that was written and read back the same.
#[derive(Debug, Clone, PartialEq)]
pub struct Wrote {
    /// To which equipment.
    pub equipment: EquipmentId,
    /// To which point.
    pub point: PointName,
    /// The value, with its unit.
    pub value: String,
    /// What it was before, if that was known.
    pub before: Option<String>,
}

/// An order that was decided: what is sent, and what is told when it succeeds.
#[derive(Debug, Clone, PartialEq)]
pub struct Pending {
    /// What is sent.
    pub order: Order,
    /// What is told.
    pub wrote: Wrote,
}

/// The orders under way, each with who asked (`A`).
#[derive(Debug)]
pub struct Orders<A> {
    under_way: BTreeMap<OrderId, (Pending, A)>,
    last: u64,
}

impl<A> Default for Orders<A> {
    fn default() -> Self {
        Self { under_way: BTreeMap::new(), last: 0 }
    }
}

impl<A> Orders<A> {
    /// A name for the next order.
    pub fn next_id(&mut self) -> OrderId {
        self.last += 1;
        OrderId(self.last)
    }

    /// Whether a point is being written.
    #[must_use]
    pub fn is_written(&self, equipment: &EquipmentId, point: &PointName) -> bool {
        let same = |wrote: &Wrote| wrote.equipment == *equipment && wrote.point == *point;
        self.under_way.values().any(|(pending, _)| same(&pending.wrote))
    }

    /// Keeps an order that is sent now.
    pub fn sent(&mut self, pending: Pending, asker: A) {
        self.under_way.insert(pending.order.id, (pending, asker));
    }

    /// Takes an order out that was carried out; `None` when nobody waits for it.
    pub fn take(&mut self, id: OrderId) -> Option<(Pending, A)> {
        self.under_way.remove(&id)
    }
}
