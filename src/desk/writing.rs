//! Writing to equipment: asked with a reason, recorded before it is sent, recorded again with what was read back.

use crate::words::{Author, EquipmentId, PointName};

/// Names an order, so that its answer finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct OrderId(pub u64);

/// What somebody asks to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct WriteAsk {
    /// Who.
    pub by: Author,
    /// To which equipment.
    pub equipment: String,
    /// To which point.
    pub point: String,
    /// The value, as typed.
    pub value: String,
    /// Why.
    pub reason: String,
}

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
