//! The types of a profile, as loaded and checked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::absent::{Absent, Valid};
use super::address::RegisterAddress;
use super::data_type::DataType;
use super::decode::Order;
use super::fault::Fault;
use super::firmware::Firmware;
use super::modbus::ModbusSettings;
use super::mqtt::MqttSettings;
use super::place::{Place, Protocol};
use super::select::Selection;
use super::serial::SerialSettings;
use crate::expr::{Kind, Names, PointInfo, Scalar};
use crate::limits;
use crate::words::{PointIndex, PointName, ProfileName, Unit, Value};

/// A device model.
#[derive(Debug, Clone)]
pub struct Profile {
    /// Its name: the file's, without the ending.
    pub name: ProfileName,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
    /// Who makes it and where the facts come from.
    pub device: Device,
    /// How it wants to be asked.
    pub modbus: ModbusSettings,
    /// What it reports.
    pub points: Vec<Point>,
    /// What can be wrong with it, codes and loss of communication included.
    pub faults: Vec<Fault>,
    /// What proves the profile.
    pub cases: Vec<Case>,
    /// How it talks on a serial line.
    pub serial: SerialSettings,
    /// How it tells on a broker that it is there.
    pub mqtt: MqttSettings,
    /// Where it tells its firmware's version.
    pub firmware: Option<Firmware>,
    /// How long without a good answer makes it lost; silence does not when absent.
    pub offline_after: Option<Duration>,
    names: BTreeMap<String, usize>,
}

/// Who makes a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// The maker.
    pub vendor: String,
    /// The model.
    pub model: String,
    /// The kind of device: `energy meter`.
    pub kind: String,
    /// Where the register facts come from.
    pub source: String,
    /// Why these facts are not sure; nothing where they are.
    pub unconfirmed: Option<String>,
}

/// Bounds within which a point may be written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Writable {
    /// The least value.
    pub min: f64,
    /// The greatest value.
    pub max: f64,
}

/// One measured or reported quantity.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// Its name.
    pub name: PointName,
    /// Where its value comes from.
    pub place: Place,
    /// What its registers hold.
    pub kind: DataType,
    /// Which bit of the register, for `bool`.
    pub bit: Option<u8>,
    /// Which register of a wide value comes first.
    pub word_order: Order,
    /// Which byte of a register comes first.
    pub byte_order: Order,
    /// Which bits of the raw value count; all when absent.
    pub mask: Option<u64>,
    /// By how many bits it is shifted to the right after masking.
    pub shift: u8,
    /// Multiplied with the raw value.
    pub scale: f64,
    /// Added after scaling.
    pub offset: f64,
    /// The point whose value is the power of ten to scale with.
    pub scale_from: Option<usize>,
    /// Marks that mean no value.
    pub absent: Absent,
    /// Bounds beyond which a value is none.
    pub valid: Option<Valid>,
    /// Whether each register holds one character of a text, in its low byte.
    pub one_character: bool,
    /// Texts that mean true, beside the usual ones.
    pub true_words: Vec<String>,
    /// Texts that mean false, beside the usual ones.
    pub false_words: Vec<String>,
    /// Where in a JSON payload it stands, where a plain pointer does not say it.
    pub selection: Option<Arc<Selection>>,
    /// The unit, empty for none.
    pub unit: Arc<str>,
    /// How often it is read; nothing for what reports by itself.
    pub every: Option<Duration>,
    /// How old its last good reading may grow; it is never stale when absent.
    pub stale_after: Option<Duration>,
    /// Names of its bits.
    pub bits: BTreeMap<String, u8>,
    /// Names of its values.
    pub values: BTreeMap<String, i128>,
    /// A change smaller than this is not worth recording.
    pub deadband: f64,
    /// Bounds for writing, where writing is allowed at all.
    pub writable: Option<Writable>,
    /// What it is, for people.
    pub description: String,
    /// Why its facts are not sure; nothing where they are.
    pub unconfirmed: Option<String>,
}

impl Point {
    /// Its register, for a Modbus point.
    #[must_use]
    pub fn register(&self) -> Option<RegisterAddress> {
        match self.place {
            Place::Register(address) => Some(address),
            Place::Capture { .. } | Place::Bytes { .. } | Place::Topic { .. } | Place::Metric(_) => None,
        }
    }

    /// Registers or bits it takes on the wire; 0 where it has none.
    #[must_use]
    pub fn width(&self) -> u16 {
        match self.register() {
            Some(address) if address.area.is_bits() => 1,
            Some(_) => self.kind.registers(),
            None => 0,
        }
    }

    /// The name of an enum's value.
    #[must_use]
    pub fn value_name(&self, code: i128) -> Option<&str> {
        self.values.iter().find(|(_, v)| **v == code).map(|(name, _)| name.as_str())
    }

    /// A value of it as people read it: an enum by its name, a number with its unit.
    #[must_use]
    pub fn text_of(&self, value: &Value) -> String {
        match value {
            Value::Integer(code) if self.value_name(*code).is_some() => {
                self.value_name(*code).unwrap_or("").to_owned()
            }
            other if self.unit.is_empty() => other.to_string(),
            other => format!("{other} {}", self.unit),
        }
    }

    /// Whether its values are plain numbers.
    #[must_use]
    pub fn is_number(&self) -> bool {
        matches!(self.expr_kind(), Kind::Number(_))
    }

    fn expr_kind(&self) -> Kind {
        match self.kind {
            DataType::Bool => Kind::Flag,
            DataType::Text { .. } => Kind::Text,
            DataType::Bits16 | DataType::Bits32 => Kind::Bits(self.bits.clone()),
            DataType::Enum16 | DataType::Enum32 => Kind::Enum(self.values.clone()),
            _ if !self.bits.is_empty() => Kind::Bits(self.bits.clone()),
            _ => Kind::Number(Unit::parse(&self.unit)),
        }
    }

    /// A plain holding register, for tests.
    #[cfg(test)]
    pub fn test(name: &str) -> Self {
        let place = RegisterAddress { area: super::address::Area::Holding, number: 0 };
        Self::new(PointName::parse(name).unwrap(), Place::Register(place), DataType::U16)
    }

    /// A point of which a profile says no more than this.
    #[must_use]
    pub fn new(name: PointName, place: Place, kind: DataType) -> Self {
        Self {
            name,
            place,
            kind,
            bit: None,
            word_order: Order::Big,
            byte_order: Order::Big,
            mask: None,
            shift: 0,
            scale: 1.0,
            offset: 0.0,
            scale_from: None,
            absent: Absent::default(),
            valid: None,
            one_character: false,
            true_words: Vec::new(),
            false_words: Vec::new(),
            selection: None,
            unit: "".into(),
            every: Some(limits::EVERY_DEFAULT),
            stale_after: Some(limits::EVERY_DEFAULT * limits::STALE_PERIODS),
            bits: BTreeMap::new(),
            values: BTreeMap::new(),
            deadband: 0.0,
            writable: None,
            description: String::new(),
            unconfirmed: None,
        }
    }
}

/// Registers in, values and faults out: a profile proves itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// What it shows.
    pub name: String,
    /// Raw registers by address.
    pub registers: Vec<(RegisterAddress, Vec<u16>)>,
    /// Lines as the device sends them.
    pub lines: Vec<String>,
    /// Payloads by topic.
    pub messages: Vec<(String, String)>,
    /// Sparkplug values by metric.
    pub metrics: Vec<(String, Value)>,
    /// Values by point, or by `point.bit`.
    pub expect: Vec<(String, Value)>,
    /// Faults whose condition is true; nothing is checked when absent.
    pub faults: Option<Vec<String>>,
}

impl Profile {
    /// Whether a point is read when it is asked for: the others report by themselves.
    #[must_use]
    pub fn is_asked_for(&self, point: &Point) -> bool {
        match &point.place {
            Place::Register(_) => point.every.is_some(),
            Place::Capture { source, .. } | Place::Bytes { source, .. } => {
                self.serial.requests.iter().any(|r| r.name == *source)
            }
            Place::Topic { .. } | Place::Metric(_) => false,
        }
    }

    /// Puts a profile together; `points` have unique names.
    pub(super) fn new(
        name: ProfileName,
        sha256: String,
        device: Device,
        modbus: ModbusSettings,
        points: Vec<Point>,
    ) -> Self {
        let names = points.iter().enumerate().map(|(i, p)| (p.name.as_str().to_owned(), i)).collect();
        Self {
            name,
            sha256,
            device,
            modbus,
            points,
            faults: Vec::new(),
            cases: Vec::new(),
            serial: SerialSettings::default(),
            mqtt: MqttSettings::default(),
            firmware: None,
            offline_after: Some(limits::OFFLINE_AFTER_DEFAULT),
            names,
        }
    }

    /// What it speaks: what its points come from, Modbus where it has none.
    #[must_use]
    pub fn protocol(&self) -> Protocol {
        self.points.first().map_or(Protocol::Modbus, |p| p.place.protocol())
    }

    /// A point by name.
    #[must_use]
    pub fn point(&self, name: &str) -> Option<(PointIndex, &Point)> {
        let at = *self.names.get(name)?;
        self.points.get(at).map(|p| (PointIndex(at), p))
    }

    /// The points of its own that a fault is judged by.
    #[must_use]
    pub fn judged_points(&self) -> BTreeSet<PointIndex> {
        let own = |f: &Fault| {
            let operands =
                f.conditions().into_iter().flat_map(|p| &p.operands).filter(|o| o.equipment.is_none());
            operands.filter_map(|o| self.point(&o.point).map(|(at, _)| at)).collect::<Vec<_>>()
        };
        self.faults.iter().flat_map(|f| own(f).into_iter().chain(f.watched().iter().copied())).collect()
    }

    /// A fault by name.
    #[must_use]
    pub fn fault(&self, name: &str) -> Option<&Fault> {
        self.faults.iter().find(|f| f.name.as_str() == name)
    }
}

impl Names for Profile {
    fn point(&self, equipment: Option<&str>, name: &str) -> Option<PointInfo> {
        if equipment.is_some() {
            return Some(PointInfo { kind: Kind::Foreign });
        }
        let at = *self.names.get(name)?;
        self.points.get(at).map(|p| PointInfo { kind: p.expr_kind() })
    }

    fn known(&self, equipment: Option<&str>) -> Vec<String> {
        match equipment {
            Some(_) => Vec::new(),
            None => self.names.keys().cloned().collect(),
        }
    }
}

/// A value as an expression sees it.
#[must_use]
pub fn scalar(value: &Value) -> Scalar {
    match value {
        Value::Bool(b) => Scalar::Flag(*b),
        Value::Text(t) => Scalar::Text(t.clone()),
        #[expect(clippy::cast_precision_loss, reason = "all arithmetic is f64, as documented")]
        Value::Integer(i) => Scalar::Number(*i as f64),
        Value::Real(r) => Scalar::Number(*r),
    }
}
