//! Reading of `[points]`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::absent::{read_absent, read_valid, read_words};
use super::address::{Area, IDENTIFICATION, RegisterAddress};
use super::data_type::DataType;
use super::decode::Order;
use super::kind::{check_kind, known_type, read_characters, read_kind};
use super::modbus::{ModbusSettings, ORDERS, read_modbus};
use super::model::Point;
use super::mqtt::{MqttSettings, check_filter, read_mqtt};
use super::pattern::Patterns;
use super::place::Place;
use super::select::Selection;
use super::serial::{SerialSettings, read_serial};
use super::write::read_writable;
use crate::limits;
use crate::source::{Section, Spanned};
use crate::words::PointName;

/// The settings of `[modbus]`, `[serial]` and `[mqtt]`, and the orders that points inherit.
pub(super) struct Defaults {
    pub settings: ModbusSettings,
    pub serial: SerialSettings,
    pub mqtt: MqttSettings,
    pub word_order: Order,
    pub byte_order: Order,
}

/// Reads `[modbus]`, `[serial]`, `[requests]`, `[streams]` and `[mqtt]`.
pub(super) fn read_defaults(root: &Section<'_>, patterns: &Patterns) -> Defaults {
    let (settings, word_order, byte_order) = read_modbus(root);
    Defaults { settings, serial: read_serial(root, patterns), mqtt: read_mqtt(root), word_order, byte_order }
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
            section.error(
                name.span.clone(),
                format!("'{}' is not a valid point name", name.value),
                e.to_string(),
            );
        }
        let factor = section.name("scale_from");
        // A point without a usable name is read all the same, for whatever else is wrong with it.
        let known = parsed.clone().unwrap_or_else(|_| PointName::own("unnamed"));
        let point = read_point(&section, known, defaults);
        if parsed.is_ok() {
            if let Some(factor) = factor {
                factors.push((points.len(), factor));
            }
            points.push(point);
        }
        section.finish();
    }
    if let Some(first) = points.first().map(|p| p.place.protocol())
        && let Some(other) = points.iter().find(|p| p.place.protocol() != first)
    {
        table.error_with_help(
            table.key_span(other.name.as_str()),
            format!(
                "{} uses {}, but the points before it use {}",
                other.name,
                other.place.protocol().word(),
                first.word()
            ),
            "",
            "a profile has one protocol: describe the other points in a second profile",
        );
    }
    if points.len() > limits::POINTS_MAX {
        table.error(table.span(), format!("a profile must have at most {} points", limits::POINTS_MAX), "");
    }
    resolve_factors(&table, &mut points, factors, defaults.settings.max_registers);
    points
}

/// Resolves the names in `scale_from`: a scale factor must be a register that one request can read together with its
/// value.
fn resolve_factors(
    table: &Section<'_>,
    points: &mut [Point],
    factors: Vec<(usize, Spanned<String>)>,
    max_registers: u16,
) {
    for (index, factor) in factors {
        let Some(at) = points.iter().position(|p| p.name.as_str() == factor.value) else {
            let known = points.iter().map(|p| p.name.as_str());
            let help = table.suggest(&factor.value, known).or(NAME_A_POINT);
            table.error_with_help(factor.span, format!("there is no point {}", factor.value), "", help);
            continue;
        };
        let (Some(value), Some(scale)) = (points.get(index).cloned(), points.get(at)) else { continue };
        let (Some(own), Some(other)) = (value.register(), scale.register()) else {
            table.error(factor.span, "scale_from can only be used with registers", "");
            continue;
        };
        let first = own.number.min(other.number);
        let last = own.number.saturating_add(value.width().saturating_sub(1)).max(other.number);
        let problem = if other.area != own.area || scale.kind.registers() != 1 || index == at {
            Some("a scale factor must be one 16-bit register of the same area".to_owned())
        } else if last - first >= max_registers {
            Some(format!(
                "value and scale factor span {} registers, but one request reads at most {max_registers}",
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

/// What to do about a name that is no point's.
pub(super) const NAME_A_POINT: &str = "name a point of this profile";

/// The place of a point that does not say its own, which is an error of its own.
const NOWHERE: Place = Place::Register(RegisterAddress { area: Area::Holding, number: 0 });

fn read_point(s: &Section<'_>, name: PointName, defaults: &Defaults) -> Point {
    let place = read_place(s, defaults);
    let kind = read_kind(s, place.as_ref());
    let bit = s.integer_between("bit", 0, 15).and_then(|b| u8::try_from(b.value).ok());
    let (every, slack) = read_every(s, place.as_ref(), defaults);
    let stale = s.duration_between("stale_after", limits::EVERY_MIN, limits::EVERY_MAX);
    let polled = every.map(|e| (e * limits::STALE_PERIODS).max(e + slack));
    let scale = s.number("scale");
    if let Some(scale) = scale.as_ref().filter(|n| n.value == 0.0) {
        s.error(scale.span.clone(), "scale must not be 0", "every value would be 0");
    }
    let bits = named(s, "bits", 63);
    let values = named(s, "values", u32::MAX.into());
    let (true_words, false_words) = read_words(s, place.as_ref(), kind);
    let point = Point {
        bit,
        word_order: s.choice("word_order", &ORDERS).map_or(defaults.word_order, |o| o.value),
        byte_order: s.choice("byte_order", &ORDERS).map_or(defaults.byte_order, |o| o.value),
        mask: s.integer_between("mask", 1, u64::MAX.into()).and_then(|m| u64::try_from(m.value).ok()),
        shift: s.integer_between("shift", 0, 63).and_then(|b| u8::try_from(b.value).ok()).unwrap_or(0),
        scale: scale.map(|n| n.value).filter(|n| *n != 0.0).unwrap_or(1.0),
        offset: s.number("offset").map_or(0.0, |n| n.value),
        absent: read_absent(s, place.as_ref(), kind),
        valid: read_valid(s, kind),
        one_character: read_characters(s, kind),
        true_words,
        false_words,
        selection: read_selection(s, place.as_ref()),
        unit: s.name("unit").map_or_else(String::new, |t| t.value).into(),
        every,
        stale_after: stale.or(polled).or(defaults.mqtt.stale_after),
        bits: bits.into_iter().filter_map(|(n, v)| Some((n, u8::try_from(v).ok()?))).collect(),
        values,
        deadband: s.number("deadband").map_or(0.0, |n| n.value),
        description: s.text("description").map_or_else(String::new, |t| t.value),
        unconfirmed: s.text("unconfirmed").map(|t| t.value),
        ..Point::new(name, place.unwrap_or(NOWHERE), kind.unwrap_or(DataType::U16))
    };
    // A point with an error stays in the list. Otherwise every condition that uses it would also report an unknown
    // point.
    let Some(kind) = kind else { return point };
    check_kind(s, kind, &point);
    let writable = read_writable(s, &point);
    Point { writable, ..point }
}

/// Returns the period of a point and the longest time for one answer. A point that reports by itself has no period,
/// and its time is zero.
fn read_every(s: &Section<'_>, place: Option<&Place>, defaults: &Defaults) -> (Option<Duration>, Duration) {
    let settings = &defaults.settings;
    match place {
        None | Some(Place::Register(_)) => {
            let every = s.duration_between("every", limits::EVERY_MIN, limits::EVERY_MAX);
            let default = match place {
                Some(Place::Register(RegisterAddress { area: Area::Identification, .. })) => {
                    limits::IDENTIFIED_EVERY
                }
                _ => limits::EVERY_DEFAULT,
            };
            (Some(every.unwrap_or(default)), settings.timeout * (settings.retries + 1))
        }
        Some(Place::Capture { source, .. } | Place::Bytes { source, .. }) => {
            if s.has("every") {
                s.error_with_help(
                    s.key_span("every"),
                    "`every` belongs in the request, not in the point",
                    "",
                    "move it to [requests.NAME]",
                );
            }
            let request = defaults.serial.requests.iter().find(|r| r.name == *source);
            (request.map(|r| r.every), request.map_or(Duration::ZERO, |r| r.timeout))
        }
        Some(Place::Topic { .. } | Place::Metric(_)) => {
            if s.has("every") {
                s.error_with_help(
                    s.key_span("every"),
                    "an MQTT point is not polled: remove `every`",
                    "",
                    "use `stale_after` to limit the age of its value",
                );
            }
            (None, Duration::ZERO)
        }
    }
}

/// Reads the source of a point: exactly one of `register` (or `ref`), `identification`, `from`, `topic` and `metric`.
fn read_place(s: &Section<'_>, defaults: &Defaults) -> Option<Place> {
    let keys: Vec<&str> = ["register", "ref", "identification", "from", "topic", "metric"]
        .into_iter()
        .filter(|k| s.has(k))
        .collect();
    match keys.as_slice() {
        [] => {
            s.missing("register", "\"holding:40\"  (or ref = \"40041\", from, topic, metric)");
            None
        }
        ["register"] | ["ref"] | ["register", "ref"] => read_address(s).map(Place::Register),
        ["identification"] => {
            let number = s.choice("identification", &IDENTIFICATION)?.value;
            Some(Place::Register(RegisterAddress { area: Area::Identification, number }))
        }
        ["from"] => read_capture(s, &defaults.serial),
        ["topic"] => {
            let filter = s.text_up_to("topic", limits::TOPIC_BYTES_MAX)?;
            if let Err(why) = check_filter(&filter.value) {
                s.error(filter.span, format!("\"{}\" is not a topic", filter.value), why);
                return None;
            }
            Some(Place::Topic { filter: filter.value, pointer: read_pointer(s) })
        }
        ["metric"] => s.text_up_to("metric", limits::KEY_BYTES_MAX).map(|m| Place::Metric(m.value)),
        [first, rest @ ..] => {
            let second = rest.first().unwrap_or(first);
            s.error(
                s.key_span(second),
                format!("{first} and {second} cannot be used together"),
                "keep one of them",
            );
            None
        }
    }
}

/// Reads `pointer = "/ENERGY/Power"`, or `senml = "NAME"`, as text.
fn read_pointer(s: &Section<'_>) -> Option<String> {
    let pointer = s.text_up_to("pointer", limits::KEY_BYTES_MAX).and_then(|p| {
        if p.value.is_empty() || p.value.starts_with('/') {
            return Some(p.value);
        }
        s.error(p.span, "a JSON pointer must begin with /", "as in /ENERGY/Power");
        None
    });
    let record = s.text_up_to("senml", limits::KEY_BYTES_MAX);
    if s.has("pointer") && record.is_some() {
        s.error(s.key_span("senml"), "pointer and senml cannot be used together", "keep one of them");
    }
    record.map(|r| format!("senml {}", r.value)).or(pointer)
}

/// Reads the selection, if a plain pointer is not enough: an element of a list, a SenML record, or conditions such as
/// `where = { "/q" = true }`.
fn read_selection(s: &Section<'_>, place: Option<&Place>) -> Option<Arc<Selection>> {
    let mut conditions = Vec::new();
    if let Some(table) = s.section("where") {
        for key in table.names_up_to(limits::LIST_ENTRIES_MAX) {
            if !key.value.starts_with('/') {
                table.error(key.span.clone(), "a JSON pointer must begin with /", "as in { \"/q\" = true }");
            }
            if let Some(value) = table.scalar(&key.value) {
                conditions.push((key.value, value.value));
            }
        }
        table.finish();
    }
    let Some(Place::Topic { pointer, .. }) = place else {
        if let Some(key) = ["where", "senml", "pointer"].into_iter().find(|key| place.is_some() && s.has(key))
        {
            s.error(s.key_span(key), format!("{key} can only be used with a topic"), "");
        }
        return None;
    };
    let Some(pointer) = pointer else {
        if s.has("where") {
            s.error(s.key_span("where"), "where needs a JSON payload", "add: pointer = \"/...\"");
        }
        return None;
    };
    let selection = match s.text_up_to("senml", limits::KEY_BYTES_MAX) {
        Some(name) => Some(Selection::of_record(name.value, conditions)),
        None => Selection::of_pointer(pointer, conditions),
    };
    selection.map(Arc::new)
}

/// Reads `from = "report.x"`: a capture of a request or stream.
fn read_capture(s: &Section<'_>, serial: &SerialSettings) -> Option<Place> {
    let text = s.text_up_to("from", 2 * limits::KEY_BYTES_MAX)?;
    if serial.frame.is_some() && s.has("at") {
        return read_bytes(s, &text, serial);
    }
    let Some((source, name)) = text.value.split_once('.') else {
        s.error(text.span, "from must be REQUEST.CAPTURE", "as in report.x");
        return None;
    };
    let Some(captures) = serial.captures(source) else {
        let help = s.suggest(source, serial.sources()).or_known();
        s.error_with_help(text.span, format!("there is no request or stream {source}"), "", help);
        return None;
    };
    if !captures.contains(name) {
        let help = s.suggest(name, captures.iter().map(String::as_str)).or_known();
        s.error_with_help(text.span.clone(), format!("{source} has no capture {name}"), "", help);
        return None;
    }
    Some(Place::Capture { source: source.to_owned(), name: name.to_owned() })
}

/// Reads `from = "report", at = 2`: bytes of a frame. The number of bytes is that of the type, or `bytes`.
fn read_bytes(s: &Section<'_>, text: &Spanned<String>, serial: &SerialSettings) -> Option<Place> {
    let known = serial.sources();
    if !known.contains(&text.value.as_str()) {
        let help = s.suggest(&text.value, known).or_known();
        s.error_with_help(
            text.span.clone(),
            format!("there is no request or stream {}", text.value),
            "",
            help,
        );
        return None;
    }
    let at = s.integer_between("at", 0, limits::SERIAL_LINE_BYTES_MAX as i128)?;
    let kind = s.text("type").and_then(|t| known_type(&t.value));
    let whole = kind.map_or(2, DataType::bytes);
    let count = s.integer_between("bytes", 1, whole as i128).and_then(|n| usize::try_from(n.value).ok());
    Some(Place::Bytes {
        source: text.value.clone(),
        at: usize::try_from(at.value).ok()?,
        count: count.unwrap_or(whole),
    })
}

fn read_address(s: &Section<'_>) -> Option<RegisterAddress> {
    let (text, parsed) = match (s.name("register"), s.name("ref")) {
        (Some(text), Some(_)) => {
            s.error(text.span, "register and ref cannot be used together", "keep one of them");
            return None;
        }
        (Some(text), None) => (text.clone(), RegisterAddress::parse_register(&text.value)),
        (None, Some(text)) => (text.clone(), RegisterAddress::parse_ref(&text.value)),
        (None, None) => return None,
    };
    parsed.map_err(|meant| s.error(text.span, format!("\"{}\" is not a register", text.value), meant)).ok()
}

/// Reads `bits = { 0 = "running" }`. The file has number to name; the result has name to number.
fn named(s: &Section<'_>, key: &str, max: i128) -> BTreeMap<String, i128> {
    let mut out = BTreeMap::new();
    let Some(table) = s.section(key) else { return out };
    for entry in table.names_up_to(limits::VALUE_NAMES_MAX) {
        let Some(name) = table.name(&entry.value) else { continue };
        let number = parse_number(&entry.value).filter(|n| (0..=max).contains(n));
        match number {
            None => table.error(entry.span, format!("{} is not a number from 0 to {max}", entry.value), ""),
            Some(number) => {
                if let Some(before) = out.insert(name.value.clone(), number) {
                    table.error(
                        name.span,
                        format!("\"{}\" already names {before}", name.value),
                        "each name must be unique",
                    );
                }
            }
        }
    }
    out
}

/// Reads a whole number that is a key: decimal or `0x...`.
pub(super) fn parse_number(text: &str) -> Option<i128> {
    match text.strip_prefix("0x") {
        Some(hex) => i128::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}
