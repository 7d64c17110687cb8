//! The file of a plant: its lines, its devices, their points in each operating state, and a script of changes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::machine::{Machine, Shared, Signal, Signals};
use super::script::{Happening, read_script};
use super::wave::{Wave, WaveShape};
use crate::limits;
use crate::profile::{DataType, Point, Profile};
use crate::source::{Diagnostics, Section, Shape, SourceText, read_toml};
use crate::words::{ProfileName, Value};

/// A plant to simulate.
#[derive(Debug)]
pub struct Plant {
    /// The lines.
    pub lines: Vec<LineSetup>,
    /// The machines on the lines.
    pub devices: Vec<DeviceSetup>,
    /// The changes, ordered by time.
    pub script: Vec<Happening>,
}

/// A line to which machines are connected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineSetup {
    /// The name in the file.
    pub name: String,
    /// The kind of the line.
    pub kind: LineKind,
}

/// The kind of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LineKind {
    /// Modbus TCP. The simulator listens on `host:port`; port 0 chooses a free port.
    Tcp {
        /// The address as `host:port`.
        listen: String,
    },
    /// Modbus RTU on a pseudo-terminal. `path` becomes a symbolic link to it.
    Rtu {
        /// The path of the symbolic link.
        path: String,
        /// Bits per second. Each character takes eleven bits.
        baud: u32,
    },
}

/// A machine on a line.
#[derive(Debug, Clone)]
pub struct DeviceSetup {
    /// The name in the file.
    pub name: String,
    /// The index of the line in [`Plant::lines`].
    pub line: usize,
    /// The Modbus unit id.
    pub unit: u8,
    /// The time between a request and its answer.
    pub turnaround: Duration,
    /// The machine.
    pub machine: Shared,
}

/// Reads the file of a plant; `profiles` gives a profile by name. Returns `None` if there is any error.
pub fn load(
    source: &SourceText,
    seed: u64,
    profiles: &dyn Fn(&ProfileName) -> Option<Arc<Profile>>,
) -> (Option<Plant>, Diagnostics) {
    let mut diagnostics = Diagnostics::new(source.clone());
    let plant = read_toml(&mut diagnostics, |root| read(root, seed, profiles));
    (plant.filter(|_| !diagnostics.has_errors()), diagnostics)
}

fn read(
    root: &Section<'_>,
    seed: u64,
    profiles: &dyn Fn(&ProfileName) -> Option<Arc<Profile>>,
) -> Option<Plant> {
    let mut plant = Plant { lines: Vec::new(), devices: Vec::new(), script: Vec::new() };
    for s in root.sections("line") {
        if let Some(line) = read_line(&s) {
            plant.lines.push(line);
        }
        s.finish();
    }
    for s in root.sections("device") {
        let seed = seed.wrapping_mul(1_000_003).wrapping_add(u64::try_from(plant.devices.len()).unwrap_or(0));
        if let Some(device) = read_device(&s, &plant.lines, seed, profiles) {
            let index = plant.devices.len();
            let signals = |table: &Section<'_>| device.machine.with(|m| read_signals(table, &m.profile()));
            let states = device.machine.with(|m| m.state_names());
            plant.script.extend(read_script(&s, index, &states, &signals));
            plant.devices.push(device);
        }
        s.finish();
    }
    if plant.lines.is_empty() {
        root.missing("line", "[[line]] with name, kind and listen or path");
    }
    root.finish();
    plant.script.sort_by_key(|h| h.at);
    Some(plant)
}

fn read_line(s: &Section<'_>) -> Option<LineSetup> {
    let name = s.text("name");
    let name = s.required("name", "\"bus\"", name);
    let kind = s.choice("kind", &[("modbus-tcp", true), ("modbus-rtu", false)]);
    let kind = s.required("kind", "\"modbus-tcp\"", kind)?;
    let kind = if kind.value {
        let listen = s.text("listen");
        LineKind::Tcp { listen: s.required("listen", "\"127.0.0.1:5020\"", listen)?.value }
    } else {
        let path = s.text("path");
        let baud = s.integer_between("baud", 300, 4_000_000);
        let baud = baud.and_then(|b| u32::try_from(b.value).ok()).unwrap_or(19_200);
        LineKind::Rtu { path: s.required("path", "\"bus.pty\"", path)?.value, baud }
    };
    Some(LineSetup { name: name?.value, kind })
}

fn read_device(
    s: &Section<'_>,
    lines: &[LineSetup],
    seed: u64,
    profiles: &dyn Fn(&ProfileName) -> Option<Arc<Profile>>,
) -> Option<DeviceSetup> {
    let line = s.text("line");
    let line = s.required("line", "\"bus\"", line)?;
    let Some(at) = lines.iter().position(|l| l.name == line.value) else {
        let known = lines.iter().map(|l| l.name.as_str());
        let help = s.suggest(&line.value, known).or("add it as a [[line]]");
        s.error_with_help(line.span, format!("there is no line {}", line.value), "", help);
        return None;
    };
    let name = s.text("name").map(|n| n.value);
    let unit = s.integer_between("unit", 0, 255).and_then(|u| u8::try_from(u.value).ok()).unwrap_or(1);
    let turnaround = s
        .duration_between("turnaround", Duration::ZERO, limits::SIM_TURNAROUND_MAX)
        .unwrap_or(limits::TURNAROUND_ASSUMED);
    let profile = s.text("profile");
    let profile = s.required("profile", "\"powtran-pi500\"", profile)?;
    let Some(found) = ProfileName::parse(&profile.value).ok().and_then(|n| profiles(&n)) else {
        s.error_with_help(
            profile.span,
            format!("profile {} does not exist or has errors", profile.value),
            "",
            "list the profiles: andon profile list; check one: andon profile check NAME",
        );
        return None;
    };
    let base = s.section("points").map(|t| read_signals(&t, &found)).unwrap_or_default();
    let mut states = BTreeMap::new();
    if let Some(table) = s.section("states") {
        for state in table.names() {
            if let Some(t) = table.section(&state.value) {
                states.insert(state.value, read_signals(&t, &found));
            }
        }
    }
    let start = s.text("start");
    if let Some(start) = start.as_ref().filter(|x| !states.contains_key(&x.value)) {
        let known = states.keys().cloned().collect::<Vec<_>>().join(", ");
        s.error_with_help(
            start.span.clone(),
            format!("there is no state {}", start.value),
            "",
            format!("known: {known}"),
        );
    }
    let start = start.map_or_else(String::new, |x| x.value);
    let machine = Shared::new(Machine::new(found, base, states, start, seed));
    Some(DeviceSetup {
        name: name.unwrap_or_else(|| format!("{}-{unit}", line.value)),
        line: at,
        unit,
        turnaround,
        machine,
    })
}

/// Reads a table of points: `frequency = 50`, `mode = "auto"`, `status = ["running"]`, or a wave.
pub(super) fn read_signals(table: &Section<'_>, profile: &Profile) -> Signals {
    let mut out = Signals::new();
    for name in table.names() {
        let Some((index, point)) = profile.point(&name.value) else {
            let known = profile.points.iter().map(|p| p.name.as_str());
            let help = table.suggest(&name.value, known).or("name a point of the profile");
            table.error_with_help(name.span, format!("there is no point {}", name.value), "", help);
            continue;
        };
        let signal = match table.shape(&name.value) {
            Some(Shape::Table) => table.section(&name.value).and_then(|s| read_wave(&s)).map(Signal::Wave),
            Some(Shape::List) => read_bits(table, &name.value, point),
            Some(Shape::Scalar) | None => read_scalar(table, &name.value, point),
        };
        if let Some(signal) = signal {
            out.insert(index.0, signal);
        }
    }
    out
}

fn read_wave(s: &Section<'_>) -> Option<Wave> {
    let shape = s.choice("wave", &WaveShape::WORDS).map_or(WaveShape::Constant, |w| w.value);
    let from = s.number("from");
    let from = s.required("from", "49.8", from);
    let to = s.number("to").map(|n| n.value);
    let period = s.duration_between("period", limits::EVERY_MIN, limits::EVERY_MAX);
    let noise = s.number("noise").map_or(0.0, |n| n.value);
    s.finish();
    let from = from?.value;
    Some(Wave {
        shape,
        from,
        to: to.unwrap_or(from),
        period: period.unwrap_or(Duration::from_secs(10)),
        noise,
    })
}

fn read_bits(table: &Section<'_>, key: &str, point: &Point) -> Option<Signal> {
    let mut raw: i128 = 0;
    for name in table.texts(key) {
        match point.bits.get(&name.value) {
            Some(bit) => raw |= 1 << bit,
            None => {
                let known = point.bits.keys().cloned().collect::<Vec<_>>().join(", ");
                table.error_with_help(
                    name.span,
                    format!("{key} has no bit {}", name.value),
                    "",
                    format!("known: {known}"),
                );
            }
        }
    }
    Some(Signal::Fixed(Value::Integer(raw)))
}

fn read_scalar(table: &Section<'_>, key: &str, point: &Point) -> Option<Signal> {
    let found = table.scalar(key)?;
    Some(match (&found.value, point.kind) {
        (Value::Text(word), DataType::Enum16 | DataType::Enum32) => match point.values.get(word.as_ref()) {
            Some(code) => Signal::Fixed(Value::Integer(*code)),
            None => {
                let known = point.values.keys().cloned().collect::<Vec<_>>().join(", ");
                table.error_with_help(
                    found.span,
                    format!("{key} has no value {word}"),
                    "",
                    format!("known: {known}"),
                );
                return None;
            }
        },
        (Value::Integer(_) | Value::Text(_) | Value::Bool(_), _) => Signal::Fixed(found.value),
        (Value::Real(r), _) => Signal::Wave(Wave::constant(*r)),
    })
}
