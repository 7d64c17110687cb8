//! Reading `[points]`.

use std::collections::BTreeMap;
use std::time::Duration;

use super::accept::Accept;
use super::address::{Area, IDENTIFICATION, RegisterAddress};
use super::decode::{DataType, Order};
use super::model::{ModbusSettings, Point};
use super::mqtt::{MqttSettings, check_filter, read_mqtt};
use super::pattern::Patterns;
use super::place::{Place, Protocol};
use super::serial::{SerialSettings, read_serial};
use super::write::read_writable;
use crate::limits;
use crate::source::{Section, Spanned};
use crate::words::PointName;

const ORDERS: [(&str, Order); 2] = [("big", Order::Big), ("little", Order::Little)];

/// What `[modbus]` says, and the orders its points inherit.
pub(super) struct Defaults {
    pub settings: ModbusSettings,
    pub serial: SerialSettings,
    pub mqtt: MqttSettings,
    pub word_order: Order,
    pub byte_order: Order,
}

/// Reads `[modbus]`, `[serial]`, `[requests]`, `[streams]` and `[mqtt]`.
pub(super) fn read_defaults(root: &Section<'_>, patterns: &Patterns) -> Defaults {
    let mut out = Defaults {
        settings: ModbusSettings::default(),
        serial: read_serial(root, patterns),
        mqtt: read_mqtt(root),
        word_order: Order::Big,
        byte_order: Order::Big,
    };
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
    settings.accept = Accept::read(&s);
    if let Some(d) = s.duration_between("min_interval", Duration::ZERO, limits::MIN_INTERVAL_MAX) {
        settings.min_interval = d;
    }
    if let Some(d) = s.duration_between("timeout", limits::TIMEOUT_MIN, limits::TIMEOUT_MAX) {
        settings.timeout = d;
    }
    settings.write_multiple = s.flag("write_multiple").is_some_and(|f| f.value);
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
            section.error(
                name.span.clone(),
                format!("{} is not a name for a point", name.value),
                e.to_string(),
            );
        }
        let factor = section.name("scale_from");
        let point = read_point(&section, defaults);
        if let Ok(parsed) = parsed {
            if let Some(factor) = factor {
                factors.push((points.len(), factor));
            }
            points.push(Point { name: parsed, ..point });
        }
        section.finish();
    }
    if let Some(first) = points.first().map(|p| p.place.protocol())
        && let Some(other) = points.iter().find(|p| p.place.protocol() != first)
    {
        table.error_with_help(
            table.key_span(other.name.as_str()),
            format!(
                "{} speaks {}, the points before it {}",
                other.name,
                other.place.protocol().word(),
                first.word()
            ),
            "",
            "a device speaks one protocol; another one is another piece of equipment",
        );
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
            let near = table.nearest(&factor.value, points.iter().map(|p| p.name.as_str()));
            let help = near
                .map_or_else(|| "name a point of this profile".to_owned(), |n| format!("did you mean {n}?"));
            table.error_with_help(factor.span, format!("there is no point {}", factor.value), "", help);
            continue;
        };
        let (Some(value), Some(scale)) = (points.get(index).cloned(), points.get(at)) else { continue };
        let (Some(own), Some(other)) = (value.register(), scale.register()) else {
            table.error(factor.span, "scale_from is for registers", "");
            continue;
        };
        let first = own.number.min(other.number);
        let last = own.number.saturating_add(value.width().saturating_sub(1)).max(other.number);
        let problem = if other.area != own.area || scale.kind.registers() != 1 || index == at {
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
    let absent = read_absent(s);
    let point = Point {
        bit,
        word_order: s.choice("word_order", &ORDERS).map_or(defaults.word_order, |o| o.value),
        byte_order: s.choice("byte_order", &ORDERS).map_or(defaults.byte_order, |o| o.value),
        mask: s.integer_between("mask", 1, u64::MAX.into()).and_then(|m| u64::try_from(m.value).ok()),
        shift: s.integer_between("shift", 0, 63).and_then(|b| u8::try_from(b.value).ok()).unwrap_or(0),
        scale: scale.map(|n| n.value).filter(|n| *n != 0.0).unwrap_or(1.0),
        offset: s.number("offset").map_or(0.0, |n| n.value),
        absent,
        unit: s.name("unit").map_or_else(String::new, |t| t.value).into(),
        every,
        stale_after: stale.or(polled).or(defaults.mqtt.stale_after),
        bits: bits.into_iter().filter_map(|(n, v)| Some((n, u8::try_from(v).ok()?))).collect(),
        values,
        deadband: s.number("deadband").map_or(0.0, |n| n.value),
        description: s.text("description").map_or_else(String::new, |t| t.value),
        ..Point::test("p")
    };
    // A point with an error keeps its name, so that nothing is said to be missing that only is wrong.
    let Some(kind) = kind else { return point };
    let point = match place {
        Some(place) => Point { place, kind, ..point },
        None => Point { kind, ..point },
    };
    check_kind(s, kind, &point);
    let writable = read_writable(s, &point);
    Point { writable, ..point }
}

/// How often a point is read, and how long one answer may take: what reports by itself has neither.
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

fn check_kind(s: &Section<'_>, kind: DataType, point: &Point) {
    let span = s.key_span("type");
    let address = point.register();
    let is_bits = address.is_some_and(|a| a.area.is_bits());
    if address.is_some_and(|a| a.area == Area::Identification) && !matches!(kind, DataType::Text { .. }) {
        s.error(span, "a device's identification is a string", "");
    } else if let Some(address) = address
        && is_bits
        && kind != DataType::Bool
    {
        s.error(span, format!("a {} is a bool", address.area.word()), "");
    } else if address.is_some_and(|a| u32::from(a.number) + u32::from(kind.registers()) > 65_536) {
        s.error(span, "the value reaches beyond register 65535", "");
    } else if !kind.is_number() && (s.has("scale") || s.has("offset") || s.has("scale_from")) {
        s.error(span, format!("a {} is not scaled", kind.word()), "");
    } else if matches!(kind, DataType::Enum16 | DataType::Enum32) && point.values.is_empty() {
        s.error_with_help(span, "an enum names its values", "", "add: values = { 0 = \"off\", 1 = \"on\" }");
    } else if point.bit.is_some()
        && (kind != DataType::Bool
            || is_bits
            || !(address.is_some() || matches!(point.place, Place::Bytes { .. })))
    {
        s.error(s.key_span("bit"), "bit picks one bit of a register as a bool", "");
    }
    let width = u32::from(kind.registers()) * 16;
    let is_whole = !matches!(kind, DataType::Bool | DataType::Text { .. }) && !kind.is_float();
    let cuts = ["mask", "shift"].into_iter().find(|key| s.has(key));
    if let Some(key) =
        cuts.filter(|_| !is_whole || !(address.is_some() || matches!(point.place, Place::Bytes { .. })))
    {
        s.error(s.key_span(key), format!("{key} picks bits of a whole number"), "");
    } else if u32::from(point.shift) >= width.max(1)
        || point.mask.is_some_and(|m| width < 64 && m >> width != 0)
    {
        let key = cuts.unwrap_or("shift");
        s.error(s.key_span(key), format!("{key} is beyond the {width} bits of a {}", kind.word()), "");
    }
    if let Some((name, bit)) = point.bits.iter().find(|(_, b)| u32::from(**b) >= width) {
        s.error(
            s.key_span("bits"),
            format!("bit {bit} ({name}) is beyond the {width} bits of a {}", kind.word()),
            "",
        );
    }
}

/// What a point names as its source: one of `register`, `ref`, `from`, `topic`, `metric`.
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
            let pointer = s.text_up_to("pointer", limits::KEY_BYTES_MAX).and_then(|p| {
                if p.value.is_empty() || p.value.starts_with('/') {
                    return Some(p.value);
                }
                s.error(p.span, "a JSON pointer begins with /", "as in /ENERGY/Power");
                None
            });
            Some(Place::Topic { filter: filter.value, pointer })
        }
        ["metric"] => s.text_up_to("metric", limits::KEY_BYTES_MAX).map(|m| Place::Metric(m.value)),
        [first, rest @ ..] => {
            let second = rest.first().unwrap_or(first);
            s.error(s.key_span(second), format!("{first} and {second} name two sources"), "keep one of them");
            None
        }
    }
}

/// `from = "report.x"`: a capture of a request or stream.
fn read_capture(s: &Section<'_>, serial: &SerialSettings) -> Option<Place> {
    let text = s.text_up_to("from", 2 * limits::KEY_BYTES_MAX)?;
    if serial.frame.is_some() && s.has("at") {
        return read_bytes(s, &text, serial);
    }
    let Some((source, name)) = text.value.split_once('.') else {
        s.error(text.span, "from is written REQUEST.CAPTURE", "as in report.x");
        return None;
    };
    let Some(captures) = serial.captures(source) else {
        let known = serial.sources();
        let near = s.nearest(source, known.iter().copied());
        let help =
            near.map_or_else(|| format!("known: {}", known.join(", ")), |n| format!("did you mean {n}?"));
        s.error_with_help(text.span, format!("there is no request or stream {source}"), "", help);
        return None;
    };
    if !captures.contains(name) {
        let known: Vec<&str> = captures.iter().map(String::as_str).collect();
        let near = s.nearest(name, known.iter().copied());
        let help =
            near.map_or_else(|| format!("known: {}", known.join(", ")), |n| format!("did you mean {n}?"));
        s.error_with_help(text.span.clone(), format!("{source} captures no {name}"), "", help);
        return None;
    }
    Some(Place::Capture { source: source.to_owned(), name: name.to_owned() })
}

/// `from = "report", at = 2`: bytes of a frame; as many as the type has, or `bytes` of them.
fn read_bytes(s: &Section<'_>, text: &Spanned<String>, serial: &SerialSettings) -> Option<Place> {
    let known = serial.sources();
    if !known.contains(&text.value.as_str()) {
        let near = s.nearest(&text.value, known.iter().copied());
        let help =
            near.map_or_else(|| format!("known: {}", known.join(", ")), |n| format!("did you mean {n}?"));
        s.error_with_help(
            text.span.clone(),
            format!("there is no request or stream {}", text.value),
            "",
            help,
        );
        return None;
    }
    let at = s.integer_between("at", 0, limits::SERIAL_LINE_BYTES_MAX as i128)?;
    let words = DataType::WORDS;
    let kind = s.text("type").and_then(|t| words.iter().find(|(w, _)| *w == t.value).map(|(_, kind)| *kind));
    let whole = kind.map_or(2, |k| usize::from(k.registers()) * 2);
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
            s.error(text.span, "register and ref name the same thing", "keep one of them");
            return None;
        }
        (Some(text), None) => (text.clone(), RegisterAddress::parse_register(&text.value)),
        (None, Some(text)) => (text.clone(), RegisterAddress::parse_ref(&text.value)),
        (None, None) => return None,
    };
    parsed.map_err(|meant| s.error(text.span, format!("\"{}\" is not a register", text.value), meant)).ok()
}

fn read_kind(s: &Section<'_>, place: Option<&Place>) -> Option<DataType> {
    let mut words = DataType::WORDS.to_vec();
    words.push(("string", DataType::Text { registers: 1 }));
    let found = s.choice("type", &words);
    let found = s.required("type", "\"u16\"", found)?;
    if !matches!(found.value, DataType::Text { .. }) {
        return Some(found.value);
    }
    if let Some(Place::Register(RegisterAddress { area: Area::Identification, .. })) = place {
        return Some(DataType::Text { registers: limits::IDENTIFICATION_REGISTERS });
    }
    if place.is_some_and(|p| p.protocol() != Protocol::Modbus) {
        return Some(DataType::Text { registers: 0 });
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
