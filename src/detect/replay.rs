//! Evaluates the faults of a profile on recorded readings. The only clock is the time in the recording; there is no
//! link and no journal.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;

use super::cell::{Cell, Tally, read, usable};
use super::detector::{Detector, programs};
use super::state::TransitionKind;
use crate::expr::Operand;
use crate::limits;
use crate::profile::{DataType, Point, Profile, load};
use crate::site::{Criticality, Equipment, Site};
use crate::source::SourceText;
use crate::words::{
    BadReason, EquipmentId, EquipmentIndex, Excerpt, FaultName, Mono, Now, PointIndex, ProfileName, Reading,
    Severity, Value, Wall,
};

/// An alarm of a replay.
#[derive(Debug, Clone, PartialEq)]
pub struct Replayed {
    /// The name of the fault.
    pub fault: FaultName,
    /// The severity in the profile.
    pub severity: Severity,
    /// The time since which the condition was true.
    pub onset: Wall,
    /// The time at which the alarm was raised.
    pub raised_at: Wall,
    /// The time at which the alarm was cleared; `None` if it was still active at the end.
    pub cleared_at: Option<Wall>,
    /// The values of the fault's points when it was raised, as text with units.
    pub values: BTreeMap<String, String>,
}

/// The point that a column belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    equipment: usize,
    point: PointIndex,
}

impl Column {
    /// The index of the point, if it belongs to the profile itself; `None` for a point of other equipment.
    #[must_use]
    pub fn own_point(self) -> Option<PointIndex> {
        (self.equipment == 0).then_some(self.point)
    }
}

/// A replay in progress.
pub struct Replay {
    detector: Detector,
    site: Arc<Site>,
    begun: Option<Wall>,
    last: Option<Now>,
    out_of_order: u64,
    alarms: Vec<Replayed>,
    /// The active alarms: the index of the fault, and the index in `alarms`.
    standing: BTreeMap<usize, usize>,
    decimal_comma: bool,
    /// The counts of cells by equipment and point.
    tallies: BTreeMap<(usize, usize), Tally>,
}

impl Replay {
    /// A replay of the faults of `profile`, on equipment with this id. A value is valid until the next value of its
    /// point, or for `stale_after` if it is given.
    #[must_use]
    pub fn new(profile: &Profile, equipment: &EquipmentId, stale_after: Option<Duration>) -> Self {
        let mut all = vec![made(equipment.clone(), profile.clone(), stale_after)];
        let named = profile.faults.iter().flat_map(programs).flat_map(|p| &p.operands);
        for (id, points) in foreign(named, equipment) {
            let stub = stub(&points).map(|profile| made(id, profile, stale_after));
            all.extend(stub);
        }
        let site = Arc::new(Site {
            name: String::new(),
            data: None,
            timezone: None,
            zone: TimeZone::UTC,
            recorder_mib: 0,
            links: Vec::new(),
            equipment: all,
            files: Vec::new(),
            notes: Vec::new(),
        });
        let start = Now { mono: Mono(0), wall: Wall::from_millis(0) };
        let mut detector = Detector::new(site.clone(), start);
        detector.baselines.replay();
        Self {
            detector,
            site,
            begun: None,
            last: None,
            out_of_order: 0,
            alarms: Vec::new(),
            standing: BTreeMap::new(),
            decimal_comma: false,
            tallies: BTreeMap::new(),
        }
    }

    /// Sets the time zone in which baselines learn daily profiles; UTC if it is not set. Must come before the first
    /// row.
    #[must_use]
    pub fn in_zone(mut self, zone: TimeZone) -> Self {
        let site = Site { zone, ..(*self.site).clone() };
        self.site = Arc::new(site);
        self.detector.site = self.site.clone();
        self
    }

    /// Sets whether a comma in a number is a decimal comma: only if commas do not separate the columns.
    #[must_use]
    pub fn with_decimal_commas(mut self, they_are: bool) -> Self {
        self.decimal_comma = they_are;
        self
    }

    /// Finds the point for a column name: the same name, `id:name` for other equipment, or the name in another
    /// spelling (`Volume Flow` is `volume_flow`), with or without the point's unit in brackets.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<Column> {
        let find = |equipment: usize, name: &str| {
            let (point, _) = self.site.equipment.get(equipment)?.profile.point(name)?;
            Some(Column { equipment, point })
        };
        let other = || {
            let (id, point) = name.trim_start_matches('@').split_once(':')?;
            let (index, _) = self.site.find(id)?;
            find(index.0, point)
        };
        let written = |name: &str| -> String {
            let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
            name.trim().to_lowercase().chars().map(plain).collect::<String>().trim_matches('_').to_owned()
        };
        // `Pressure (bar)` is the point `pressure` only if the unit of the point is bar.
        let with_unit = || {
            let (name, bracket) = name.split_at(name.find(['(', '['])?);
            let column = find(0, &written(name))?;
            let unit = bracket.trim_matches(['(', ')', '[', ']', ' ']);
            let point = point_at(&self.site, column)?;
            (*point.unit == *unit || *point.unit == *"degC" && unit == "°C").then_some(column)
        };
        find(0, name).or_else(other).or_else(|| find(0, &written(name))).or_else(with_unit)
    }

    /// The points of the profile that a fault uses and that have no column.
    #[must_use]
    pub fn unserved(&self, columns: &[Column]) -> Vec<String> {
        let mut names = Vec::new();
        for (e, equipment) in self.site.equipment.iter().enumerate() {
            let judged: BTreeSet<PointIndex> = match e {
                0 => equipment.profile.judged_points(),
                _ => (0..equipment.profile.points.len()).map(PointIndex).collect(),
            };
            let served = |p: &PointIndex| columns.iter().any(|c| c.equipment == e && c.point == *p);
            for point in judged.iter().filter(|p| !served(p)) {
                let name = equipment.profile.points.get(point.0).map_or("", |p| p.name.as_str());
                names.push(if e == 0 { name.to_owned() } else { format!("@{}:{name}", equipment.id) });
            }
        }
        names
    }

    /// Takes a row. An empty cell means no reading. A cell that does not fit the type of its point is a bad reading
    /// and is counted.
    pub fn row<'a>(&mut self, at: Wall, line: u64, cells: impl Iterator<Item = (Column, &'a str)>) {
        let site = self.site.clone();
        let mut values = Vec::new();
        for (column, text) in cells.map(|(column, cell)| (column, cell.trim())) {
            let tally = self.tallies.entry((column.equipment, column.point.0)).or_default();
            let Some(point) = point_at(&site, column).filter(|_| !text.is_empty()) else { continue };
            let cell = read(point, text, self.decimal_comma);
            tally.note(line, text, &cell);
            values.push((
                column,
                match cell {
                    Cell::Value(value) => value,
                    Cell::Marked => Err(BadReason::NotANumber),
                    Cell::Unreadable => Err(BadReason::NotOfType(Excerpt::of(text), wanted(point))),
                },
            ));
        }
        self.values(at, values.into_iter());
    }

    /// The number in a cell; `None` if it is not a usable number.
    #[must_use]
    pub fn number(&self, column: Column, cell: &str) -> Option<f64> {
        match read(point_at(&self.site, column)?, cell.trim(), self.decimal_comma) {
            Cell::Value(Ok(value)) => value.number(),
            Cell::Value(Err(_)) | Cell::Marked | Cell::Unreadable => None,
        }
    }

    /// The counts of a column's cells; `None` before the first row.
    #[must_use]
    pub fn tally(&self, column: Column) -> Option<&Tally> {
        self.tallies.get(&(column.equipment, column.point.0))
    }

    /// The expected content of a column's cells as a word for people: `number`, `boolean`, ...
    #[must_use]
    pub fn wanted(&self, column: Column) -> &'static str {
        point_at(&self.site, column).map_or("value", wanted)
    }

    /// Takes the readings that a gateway recorded at one instant; `None` is a bad reading.
    pub fn recorded(&mut self, at: Wall, samples: impl Iterator<Item = (Column, Option<f64>)>) {
        let site = self.site.clone();
        let value = |point: &Point, n: Option<f64>| {
            n.map(|n| number_as(point, n)).ok_or(BadReason::NotANumber).and_then(|v| usable(point, v))
        };
        self.values(at, samples.filter_map(|(c, n)| Some((c, value(point_at(&site, c)?, n)))));
    }

    fn values(&mut self, at: Wall, values: impl Iterator<Item = (Column, Result<Value, BadReason>)>) {
        let begun = *self.begun.get_or_insert(at);
        if self.last.is_some_and(|last| at < last.wall) {
            self.out_of_order += 1;
            return;
        }
        let since = u64::try_from(at.since(begun).as_nanos()).unwrap_or(u64::MAX);
        // Windows reach back before the first row, so the clock starts later than the longest window.
        let now = Now { mono: Mono(since) + limits::WINDOW_MAX, wall: at };
        self.last = Some(now);
        let mut answers: Vec<(EquipmentIndex, Vec<(PointIndex, Reading)>)> = Vec::new();
        for (column, value) in values {
            let reading = (column.point, Reading { value, at: now });
            match answers.iter_mut().find(|(e, _)| e.0 == column.equipment) {
                Some((_, readings)) => readings.push(reading),
                None => answers.push((EquipmentIndex(column.equipment), vec![reading])),
            }
        }
        self.detector.answers(now, answers);
        self.collect();
    }

    fn collect(&mut self) {
        for t in self.detector.take_transitions().into_iter().filter(|t| t.equipment == EquipmentIndex(0)) {
            let fault = self.site.equipment.first().and_then(|e| e.profile.faults.get(t.fault));
            let Some(fault) = fault else { continue };
            match t.kind {
                TransitionKind::Raised => {
                    self.standing.insert(t.fault, self.alarms.len());
                    self.alarms.push(Replayed {
                        fault: fault.name.clone(),
                        severity: fault.severity,
                        onset: t.onset.wall,
                        raised_at: t.at.wall,
                        cleared_at: None,
                        values: t.values,
                    });
                }
                TransitionKind::Cleared => {
                    let at = self.standing.remove(&t.fault);
                    if let Some(alarm) = at.and_then(|at| self.alarms.get_mut(at)) {
                        alarm.cleared_at = Some(t.at.wall);
                    }
                }
            }
        }
    }

    /// The number of rows that were skipped because they are older than the row before.
    #[must_use]
    pub fn out_of_order(&self) -> u64 {
        self.out_of_order
    }

    /// The time of the first and of the last row; `None` before the first row.
    #[must_use]
    pub fn period(&self) -> Option<(Wall, Wall)> {
        Some((self.begun?, self.last?.wall))
    }

    /// The alarms in the order in which they were raised. A delay that would end after the last row does not end.
    #[must_use]
    pub fn alarms(&self) -> &[Replayed] {
        &self.alarms
    }
}

/// The expected content of a point's cells as a word for people.
fn wanted(point: &Point) -> &'static str {
    match point.kind {
        DataType::Bool => "boolean",
        DataType::Text { .. } => "text",
        _ => "number",
    }
}

fn point_at(site: &Site, column: Column) -> Option<&Point> {
    site.equipment.get(column.equipment)?.profile.points.get(column.point.0)
}

fn made(id: EquipmentId, mut profile: Profile, stale_after: Option<Duration>) -> Equipment {
    for point in &mut profile.points {
        point.stale_after = stale_after;
    }
    profile.offline_after = None;
    Equipment {
        name: id.to_string(),
        id,
        profile: Arc::new(profile),
        link: 0,
        unit: 1,
        base: 0,
        topic: None,
        sparkplug: None,
        location: String::new(),
        criticality: Criticality::C,
        depends_on: Vec::new(),
        firmware: None,
    }
}

fn foreign<'a>(
    operands: impl Iterator<Item = &'a Operand>,
    own: &EquipmentId,
) -> BTreeMap<EquipmentId, BTreeSet<&'a str>> {
    let mut found: BTreeMap<EquipmentId, BTreeSet<&str>> = BTreeMap::new();
    for operand in operands {
        let id = operand.equipment.as_deref().filter(|id| *id != own.as_str());
        if let Some(id) = id.and_then(|id| EquipmentId::parse(id).ok()) {
            found.entry(id).or_default().insert(&operand.point);
        }
    }
    found
}

/// A profile that has only these points, all numbers, for other equipment that the conditions name.
fn stub(points: &BTreeSet<&str>) -> Option<Profile> {
    let lines: String =
        points.iter().map(|p| format!("{p} = {{ topic = \"{p}\", type = \"f64\" }}\n")).collect();
    let text = format!("[device]\nvendor = \"-\"\nmodel = \"-\"\nkind = \"-\"\n[points]\n{lines}");
    load(&ProfileName::parse("recording").ok()?, &SourceText::new("recording", &text)).0
}

/// A number as a value of the point's type.
pub(super) fn number_as(point: &Point, n: f64) -> Value {
    match point.kind {
        DataType::Bool => Value::Bool(n != 0.0),
        #[expect(clippy::cast_possible_truncation, reason = "checked to be whole and within 2^63")]
        _ if n.fract() == 0.0 && n.abs() < 9e18 => Value::Integer(n as i128),
        _ => Value::Real(n),
    }
}
