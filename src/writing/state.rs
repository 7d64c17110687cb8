//! The write orders that are under way.

use std::collections::BTreeMap;

use crate::words::{EquipmentId, PointName};

/// Identifies an order, so that its result can be assigned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct OrderId(pub u64);

/// An order for a link. It uses names, not indices: an index could mean another device after a reload.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// The id of the order.
    pub id: OrderId,
    /// The equipment.
    pub equipment: EquipmentId,
    /// The point.
    pub point: PointName,
    /// The registers to write, or 0 or 1 for a coil.
    pub words: Vec<u16>,
}

/// The result of an order, from the link.
#[derive(Debug, Clone, PartialEq)]
pub struct Carried {
    /// `Ok` if the device confirmed the write, otherwise the reason.
    pub answer: Result<(), String>,
    /// The registers that were read back afterwards, or the reason why they could not be read.
    pub read_back: Result<Vec<u16>, String>,
}

/// A successful write: the same value was read back.
#[derive(Debug, Clone, PartialEq)]
pub struct Wrote {
    /// The equipment.
    pub equipment: EquipmentId,
    /// The point.
    pub point: PointName,
    /// The written value, with its unit.
    pub value: String,
    /// The value before the write, with its unit; `None` if it was unknown.
    pub before: Option<String>,
}

/// An order that was decided, and the answer to the person if it succeeds.
#[derive(Debug, Clone, PartialEq)]
pub struct Pending {
    /// The order for the link.
    pub order: Order,
    /// The answer if the order succeeds.
    pub wrote: Wrote,
}

/// The orders under way. `A` is the address of the person's reply.
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
    /// Returns a new id.
    pub fn next_id(&mut self) -> OrderId {
        self.last += 1;
        OrderId(self.last)
    }

    /// True if a write to this point is under way.
    #[must_use]
    pub fn is_written(&self, equipment: &EquipmentId, point: &PointName) -> bool {
        let same = |wrote: &Wrote| wrote.equipment == *equipment && wrote.point == *point;
        self.under_way.values().any(|(pending, _)| same(&pending.wrote))
    }

    /// Stores an order that is sent now.
    pub fn sent(&mut self, pending: Pending, asker: A) {
        self.under_way.insert(pending.order.id, (pending, asker));
    }

    /// Removes and returns an order whose result has arrived; `None` if no such order is under way.
    pub fn take(&mut self, id: OrderId) -> Option<(Pending, A)> {
        self.under_way.remove(&id)
    }
}
