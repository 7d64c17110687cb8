//! Reading `[points]`.

use std::collections::BTreeMap;
use std::time::Duration;

use super::address::RegisterAddress;
use super::decode::{DataType, Order};
use super::model::{ModbusSettings, Point, Writable};
use crate::limits;
use crate::source::{Section, Spanned, nearest};
use crate::words::PointName;

const ORDERS: [(&str, Order); 2] = [("big", Order::Big), ("little", Order::Little)];

/// What `[modbus]` says, and the orders its points inherit.
pub(super) struct Defaults {
    pub settings: ModbusSettings,
    pub word_order: Order,
    pub byte_order: Order,
}

pub(super) fn read_modbus(root: &Section<'_>) -> Defaults {
    let mut out =
        Defaults { settings: ModbusSettings::default(), word_order: Order::Big, byte_order: Order::Big };
    let Some(s) = root.section("modbus") else { return out };
    if let Some(order) = s.choice("word_order", &ORDERS) {
        out.word_order = order.value;
    }
    if let Some(order) = s.choice("byte_order", &ORDERS) {
        out.byte_order = order.value;
    }
    let settings = &mut out.settings;
    if let Some(n) = s.integer_between("max_registers", 1, i128::from(limits::REGISTERS_MAX)) {
        settings.max_registers = u16::try_from(n.value).unwrap_or(limits::REGISTERS_MAX);
    }
    if let Some(n) = s.integer_between("max_gap", 0, i128::from(limits::REGISTERS_MAX)) {
        settings.max_gap = u16::try_from(n.value).ok();
    }
    if let Some(n) = s.integer_between("retries", 0, i128::from(limits::RETRIES_MAX)) {
        settings.retries = u32::try_from(n.value).unwrap_or(limits::RETRIES_DEFAULT);
    }
    if let Some(d) = s.duration_between("min_interval", Duration::ZERO, limits::MIN_INTERVAL_MAX) {
        settings.min_interval = d;
    }
    if let Some(d) = s.duration_between("timeout", limits::TIMEOUT_MIN, limits::TIMEOUT_MAX) {
        settings.timeout = d;
    }
    s.finish();
    out
}

pub(super) fn read_points(root: &Section<'_>, defaults: &Defaults) -> Vec<Point> {
    let mut points = Vec::new();
    let mut factors: Vec<(usize, Spanned<String>)> = Vec::new();
    let Some(table) = root.section("points") else {
        root.missing("points", "{ speed = { register = \"holding:0\", type = \"u16\" } }");
        return points;
    };
    for name in table.names() {
        let Some(section) = table.section(&name.value) else { continue };
        let parsed = PointName::parse(&name.value);
        if let Err(e) = &parsed {
            section.error(name.span.clone(), format!("{} is no name for a point", name.value), e.to_string());
        }
        let factor = section.text("scale_from");
        let point = read_point(&section, defaults);
        if let Ok(parsed) = parsed {
            if let Some(factor) = factor {
                factors.push((points.len(), factor));
            }
            points.push(Point { name: parsed, ..point });
        }
        section.finish();
    }
    if points.len() > limits::POINTS_MAX {
        table.error(table.span(), format!("a profile has at most {} points", limits::POINTS_MAX), "");
    }
    resolve_factors(&table, &mut points, factors, defaults.settings.max_registers);
    points
}

fn resolve_factors(
    table: &Section<'_>,
    points: &mut [Point],
    factors: Vec<(usize, Spanned<String>)>,
    max_registers: u16,
) {
    for (index, factor) in factors {
        let Some(at) = points.iter().position(|p| p.name.as_str() == factor.value) else {
            let near = nearest(&factor.value, points.iter().map(|p| p.name.as_str()));
            let help = near
                .map_or_else(|| "name a point of this profile".to_owned(), |n| format!("did you mean {n}?"));
            table.error_with_help(factor.span, format!("there is no point {}", factor.value), "", help);
            continue;
        };
        let (Some(value), Some(scale)) = (points.get(index).cloned(), points.get(at)) else { continue };
        let first = value.address.number.min(scale.address.number);
        let last = (value.address.number + (value.width() - 1)).max(scale.address.number);
        let problem =
            if scale.address.area != value.address.area || scale.kind.registers() != 1 || index == at {
                Some("a scale factor is one 16-bit register of the same area".to_owned())
            } else if last - first >= max_registers {
                Some(format!(
                    "value and factor are {} registers apart, one request reads {max_registers}",
                    last - first + 1
                ))
            } else {
                None
            };
        match problem {
            Some(message) => table.error(factor.span, message, ""),
            None => {
                if let Some(point) = points.get_mut(index) {
                    point.scale_from = Some(at);
                }
            }
        }
    }
}

fn read_point(s: &Section<'_>, defaults: &Defaults) -> Point {
    let address = read_address(s);
    let kind = read_kind(s);
    let bit = s.integer_between("bit", 0, 15).and_then(|b| u8::try_from(b.value).ok());
    let every =
        s.duration_between("every", limits::EVERY_MIN, limits::EVERY_MAX).unwrap_or(limits::EVERY_DEFAULT);
    let stale = s.duration_between("stale_after", limits::EVERY_MIN, limits::EVERY_MAX);
    let settings = &defaults.settings;
    let slack = settings.timeout * (settings.retries + 1);
    let scale = s.number("scale");
    if let Some(scale) = scale.as_ref().filter(|n| n.value == 0.0) {
        s.error(scale.span.clone(), "scale must not be 0", "every value would be 0");
    }
    let bits = named(s, "bits", 63);
    let values = named(s, "values", u32::MAX.into());
    let absent = read_absent(s);
    let point = Point {
        bit,
        word_order: s.choice("word_order", &ORDERS).map_or(defaults.word_order, |o| o.value),
        byte_order: s.choice("byte_order", &ORDERS).map_or(defaults.byte_order, |o| o.value),
        scale: scale.map(|n| n.value).filter(|n| *n != 0.0).unwrap_or(1.0),
        offset: s.number("offset").map_or(0.0, |n| n.value),
        absent,
        unit: s.text("unit").map_or_else(String::new, |t| t.value).into(),
        every,
        stale_after: stale.unwrap_or((every * limits::STALE_PERIODS).max(every + slack)),
        bits: bits.into_iter().filter_map(|(n, v)| Some((n, u8::try_from(v).ok()?))).collect(),
        values,
        deadband: s.number("deadband").map_or(0.0, |n| n.value),
        writable: s.section("writable").and_then(|w| read_writable(&w)),
        description: s.text("description").map_or_else(String::new, |t| t.value),
        ..Point::test("p")
    };
    // A point with an error keeps its name, so that nothing is said to be missing that only is wrong.
    let Some(kind) = kind else { return point };
    match address {
        Some(address) => {
            check_kind(s, address, kind, &point);
            Point { address, kind, ..point }
        }
        None => Point { kind, ..point },
    }
}

fn check_kind(s: &Section<'_>, address: RegisterAddress, kind: DataType, point: &Point) {
    let span = s.key_span("type");
    if address.area.is_bits() && kind != DataType::Bool {
        s.error(span, format!("a {} is a bool", address.area.word()), "");
    } else if u32::from(address.number) + u32::from(kind.registers()) > 65_536 {
        s.error(span, "the value reaches beyond register 65535", "");
    } else if !kind.is_number() && (s.has("scale") || s.has("offset") || s.has("scale_from")) {
        s.error(span, format!("a {} is not scaled", kind.word()), "");
    } else if matches!(kind, DataType::Enum16 | DataType::Enum32) && point.values.is_empty() {
        s.error_with_help(span, "an enum names its values", "", "add: values = { 0 = \"off\", 1 = \"on\" }");
    } else if point.bit.is_some() && (kind != DataType::Bool || address.area.is_bits()) {
        s.error(s.key_span("bit"), "bit picks one bit of a register as a bool", "");
    }
    let width = u32::from(kind.registers()) * 16;
    if let Some((name, bit)) = point.bits.iter().find(|(_, b)| u32::from(**b) >= width) {
        s.error(
            s.key_span("bits"),
            format!("bit {bit} ({name}) is beyond the {width} bits of a {}", kind.word()),
            "",
        );
    }
}

fn read_address(s: &Section<'_>) -> Option<RegisterAddress> {
    let (text, parsed) = match (s.text("register"), s.text("ref")) {
        (Some(text), Some(_)) => {
            s.error(text.span, "register and ref name the same thing", "keep one of them");
            return None;
        }
        (Some(text), None) => (text.clone(), RegisterAddress::parse_register(&text.value)),
        (None, Some(text)) => (text.clone(), RegisterAddress::parse_ref(&text.value)),
        (None, None) => {
            if !s.has("register") && !s.has("ref") {
                s.missing("register", "\"holding:40\"  (zero-based; or ref = \"40041\" as manuals print it)");
            }
            return None;
        }
    };
    parsed.map_err(|meant| s.error(text.span, format!("\"{}\" is no register", text.value), meant)).ok()
}

fn read_kind(s: &Section<'_>) -> Option<DataType> {
    let mut words = DataType::WORDS.to_vec();
    words.push(("string", DataType::Text { registers: 1 }));
    let found = s.choice("type", &words);
    let found = s.required("type", "\"u16\"", found)?;
    if !matches!(found.value, DataType::Text { .. }) {
        return Some(found.value);
    }
    let length = s.integer_between("length", 1, 2 * i128::from(limits::REGISTERS_MAX));
    let length = s.required("length", "16  (characters, two a register)", length)?;
    let registers = u16::try_from((length.value + 1) / 2).ok()?;
    Some(DataType::Text { registers })
}

fn read_absent(s: &Section<'_>) -> Vec<u64> {
    let mut out = Vec::new();
    for item in s.integers_or_texts("absent") {
        match item.value {
            Ok(n) => match u64::try_from(n) {
                Ok(n) => out.push(n),
                Err(_) => s.error(item.span, "absent values are raw registers: write them as 0x8000", ""),
            },
            // NaN is never a value; the word is accepted because manuals say so.
            Err(word) if word == "nan" => {}
            Err(word) => s.error(item.span, format!("\"{word}\" is neither a number nor \"nan\""), ""),
        }
    }
    out
}

/// `bits = { 0 = "running" }`: number to name in the file, name to number here.
fn named(s: &Section<'_>, key: &str, max: i128) -> BTreeMap<String, i128> {
    let mut out = BTreeMap::new();
    let Some(table) = s.section(key) else { return out };
    for entry in table.names() {
        let Some(name) = table.text(&entry.value) else { continue };
        let number = parse_number(&entry.value).filter(|n| (0..=max).contains(n));
        match number {
            None => table.error(entry.span, format!("{} is no number from 0 to {max}", entry.value), ""),
            Some(number) => {
                if let Some(before) = out.insert(name.value.clone(), number) {
                    table.error(
                        name.span,
                        format!("\"{}\" already names {before}", name.value),
                        "names are unique",
                    );
                }
            }
        }
    }
    out
}

/// A whole number as a key: decimal or `0x..`.
pub(super) fn parse_number(text: &str) -> Option<i128> {
    match text.strip_prefix("0x") {
        Some(hex) => i128::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}

fn read_writable(s: &Section<'_>) -> Option<Writable> {
    let (min, max) = (s.number("min"), s.number("max"));
    let (min, max) = (s.required("min", "0", min), s.required("max", "100", max));
    s.finish();
    let (min, max) = (min?.value, max?.value);
    if min > max {
        s.error(s.span(), "min is greater than max", "");
        return None;
    }
    Some(Writable { min, max })
}
