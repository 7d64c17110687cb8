//! The types of a profile, as loaded and checked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::address::{Area, RegisterAddress};
use super::decode::{DataType, Order};
use super::firmware::Firmware;
use super::mqtt::MqttSettings;
use super::place::{Place, Protocol};
use super::serial::SerialSettings;
use crate::expr::{Kind, Names, PointInfo, Program, Scalar};
use crate::limits;
use crate::words::{
    FaultName, PointIndex, PointName, ProfileName, Severity, StepId, Unit, Value, render_duration,
};

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
}

/// How a Modbus device wants to be asked.
#[derive(Debug, Clone, PartialEq)]
pub struct ModbusSettings {
    /// Registers of one read at most.
    pub max_registers: u16,
    /// Unread registers worth reading through; from the line's speed when absent.
    pub max_gap: Option<u16>,
    /// The least time between two requests to it.
    pub min_interval: Duration,
    /// The time it has to answer.
    pub timeout: Duration,
    /// Attempts after the first.
    pub retries: u32,
    /// Single registers and coils are written with functions 16 and 15, because it knows no 6 and 5.
    pub write_multiple: bool,
}

impl Default for ModbusSettings {
    fn default() -> Self {
        Self {
            max_registers: limits::REGISTERS_MAX,
            max_gap: None,
            min_interval: Duration::ZERO,
            timeout: limits::TIMEOUT_DEFAULT,
            retries: limits::RETRIES_DEFAULT,
            write_multiple: false,
        }
    }
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
    /// Raw values that mean no value.
    pub absent: Vec<u64>,
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

    /// A plain holding register, for tests of this crate.
    #[doc(hidden)]
    #[must_use]
    pub fn test(name: &str) -> Self {
        Self {
            name: PointName::parse(name)
                .unwrap_or_else(|e| unreachable!("a test names its points well: {e}")),
            place: Place::Register(RegisterAddress { area: Area::Holding, number: 0 }),
            kind: DataType::U16,
            bit: None,
            word_order: Order::Big,
            byte_order: Order::Big,
            mask: None,
            shift: 0,
            scale: 1.0,
            offset: 0.0,
            scale_from: None,
            absent: Vec::new(),
            unit: "".into(),
            every: Some(limits::EVERY_DEFAULT),
            stale_after: Some(limits::EVERY_DEFAULT * limits::STALE_PERIODS),
            bits: BTreeMap::new(),
            values: BTreeMap::new(),
            deadband: 0.0,
            writable: None,
            description: String::new(),
        }
    }
}

/// When a fault is there.
#[derive(Debug, Clone, PartialEq)]
pub enum Trigger {
    /// While a condition is true.
    Condition {
        /// The condition that raises it.
        when: Box<Program>,
        /// The condition that clears it; `not when` where absent.
        clear: Option<Program>,
    },
    /// While no good answer has come for `offline_after`.
    Silence,
    /// While points are not as they were in good operation.
    Excursion(Box<Baseline>),
}

/// What is learned as normal, and watched.
#[derive(Debug, Clone, PartialEq)]
pub struct Baseline {
    /// The points, numbers all; a good reading of the first one is a sample of all.
    pub points: Vec<PointIndex>,
    /// From how much good operation.
    pub learn: Learn,
    /// The regime: samples are taken while it is true.
    pub regime: Option<Program>,
    /// Over how many samples it is smoothed.
    pub smooth: f64,
    /// The limit, as a multiple of what 95 % of the learned samples stay below.
    pub limit: f64,
    /// What is learned, in words: what was learned of another definition does not serve.
    pub definition: String,
}

/// How much good operation is learned from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Learn {
    /// So many samples.
    Samples(u64),
    /// So long.
    For(Duration),
}

impl Learn {
    /// For people.
    #[must_use]
    pub fn text(self) -> String {
        match self {
            Self::Samples(n) => format!("{n} samples"),
            Self::For(d) => render_duration(d),
        }
    }
}

/// A condition that a profile names.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// Its name.
    pub name: FaultName,
    /// How bad it is.
    pub severity: Severity,
    /// When it is there.
    pub trigger: Trigger,
    /// How long `when` must hold.
    pub on_delay: Duration,
    /// How long `clear` must hold.
    pub off_delay: Duration,
    /// Kept until acknowledged.
    pub latch: bool,
    /// Whether it opens a ticket.
    pub ticket: bool,
    /// How long a closed ticket is watched for its coming back.
    pub watch: Duration,
    /// The device's own code, as its display shows it.
    pub code: Option<String>,
    /// The point whose value belongs into the text, for unlisted codes.
    pub shows_value_of: Option<PointIndex>,
    /// What to know and do.
    pub guidance: Guidance,
}

/// What a technician needs to know of a fault.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Guidance {
    /// What it means.
    pub means: String,
    /// What it comes from, likeliest first.
    pub causes: Vec<String>,
    /// What is unsafe: `loto:electrical`.
    pub safety: Vec<String>,
    /// What one must be able to do.
    pub skills: Vec<String>,
    /// What is likely to be needed.
    pub parts: Vec<Part>,
    /// The procedure that applies.
    pub sop: Option<String>,
    /// The checks, in order.
    pub steps: Vec<Step>,
}

/// A spare part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its stock number.
    pub id: String,
    /// What it is.
    pub name: String,
    /// How many.
    pub quantity: u32,
}

/// One troubleshooting step.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Its name within the fault.
    pub id: StepId,
    /// Who answers it, and how.
    pub question: Question,
    /// Where `yes` leads.
    pub yes: Target,
    /// Where `no` leads.
    pub no: Target,
}

/// Who answers a step.
#[derive(Debug, Clone, PartialEq)]
pub enum Question {
    /// A person does something and says how it went.
    Do(String),
    /// The gateway reads the equipment: a condition, held for a time.
    Check {
        /// The condition.
        program: Program,
        /// How long it must hold.
        hold: Duration,
    },
}

impl Question {
    /// The question as a person reads it.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Question::Do(text) => text,
            Question::Check { program, .. } => &program.text,
        }
    }
}

/// Where an answer leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// To another step.
    Step(StepId),
    /// To the end of the walk.
    Done,
    /// To a cause.
    Cause(String),
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
        let programs = self.faults.iter().flat_map(|f| match &f.trigger {
            Trigger::Condition { when, clear } => vec![Some(when.as_ref()), clear.as_ref()],
            Trigger::Excursion(baseline) => vec![baseline.regime.as_ref()],
            Trigger::Silence => Vec::new(),
        });
        let operands = programs.flatten().flat_map(|p| &p.operands).filter(|o| o.equipment.is_none());
        let watched = self.faults.iter().filter_map(|f| match &f.trigger {
            Trigger::Excursion(baseline) => Some(baseline.points.iter().copied()),
            Trigger::Condition { .. } | Trigger::Silence => None,
        });
        operands.filter_map(|o| self.point(&o.point).map(|(at, _)| at)).chain(watched.flatten()).collect()
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
