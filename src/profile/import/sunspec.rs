//! Import of SunSpec model definitions (github.com/sunspec/models, JSON): points, scale factors, enumerations, bit
//! fields, strings, repeating groups. In the registers of a device its models follow each other; each begins with its
//! ID and its length.

use serde_json::Value as Json;

use super::ImportOptions;
use super::draft::{Draft, DraftCodes, DraftPoint, Field, numbered, words};
use crate::limits;

/// The first model comes after the mark "SunS", which takes two registers from 40000 on (counted from 0).
const FIRST_MODEL: u16 = 40_002;

/// The reader of the models of one device. `at` is the register of the next model.
pub(super) struct Reader<'a> {
    at: u32,
    models: Vec<String>,
    options: &'a ImportOptions,
}

/// The place of a group: the prefix of its point names, its name in remarks, and the scale factors of this group and
/// the groups above.
struct Place<'p> {
    prefix: String,
    entry: String,
    factors: Vec<(&'p str, u32)>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(options: &'a ImportOptions) -> Self {
        Self { at: u32::from(options.start.unwrap_or(FIRST_MODEL)), models: Vec::new(), options }
    }

    pub(super) fn read(&mut self, text: &str, draft: &mut Draft) -> Result<(), String> {
        let json: Json = serde_json::from_str(text).map_err(|e| format!("the file is not JSON: {e}"))?;
        let group = json.get("group").filter(|g| g.get("points").is_some());
        let group = group.ok_or("this is not a SunSpec model: it has no group with points")?;
        let id = json.get("id").and_then(Json::as_u64).map_or_else(|| "?".to_owned(), |id| id.to_string());
        let label = text_of(group, "label").unwrap_or_else(|| text_of(group, "name").unwrap_or_default());
        self.models.push(id.clone());
        "SunSpec".clone_into(&mut draft.vendor);
        draft.model = format!("models {}", self.models.join(", "));
        if draft.kind.is_empty() || id != "1" {
            draft.kind = label.to_lowercase();
        }
        draft.source = "SunSpec model definitions, github.com/sunspec/models".to_owned();
        if id == "1" {
            draft.remark(
                "model 1",
                "andon assumes 66 registers for this model; if L of the device is 65, import the other models separately with --start",
            );
        }
        let prefix = if id == "1" { "common_".to_owned() } else { String::new() };
        let place = Place { prefix, entry: format!("model {id}"), factors: Vec::new() };
        self.group(group, &place, draft)
    }

    fn group(&mut self, group: &Json, above: &Place<'_>, draft: &mut Draft) -> Result<(), String> {
        let points: Vec<&Json> = group.get("points").and_then(Json::as_array).into_iter().flatten().collect();
        let mut factors = above.factors.clone();
        let mut at = self.at;
        for point in &points {
            if let (Some("sunssf"), Some(name)) = (text(point, "type"), text(point, "name")) {
                factors.push((name, at));
            }
            at += size(point, &above.entry)?;
        }
        let place = Place { prefix: above.prefix.clone(), entry: above.entry.clone(), factors };
        for point in points {
            self.point(point, &place, draft);
            self.at += size(point, &above.entry)?;
        }
        for inner in group.get("groups").and_then(Json::as_array).into_iter().flatten() {
            let name = text(inner, "name").unwrap_or("group");
            for number in 1..=self.repeats(inner, name, &place.entry, draft) {
                let is_single = inner.get("count").is_none();
                let number = if is_single { String::new() } else { format!("_{number}") };
                let place = Place {
                    prefix: format!("{}{}{number}_", place.prefix, words(name).join("_")),
                    entry: format!("{} {name}{}", place.entry, number.replace('_', " ")),
                    factors: place.factors.clone(),
                };
                self.group(inner, &place, draft)?;
            }
        }
        Ok(())
    }

    fn repeats(&self, group: &Json, name: &str, entry: &str, draft: &mut Draft) -> u16 {
        if let Some(given) = self.options.repeats.get(name) {
            return *given;
        }
        let Some(count) = group.get("count") else { return 1 };
        match count.as_u64() {
            Some(fixed) if fixed > 0 => u16::try_from(fixed).unwrap_or(u16::MAX),
            _ => {
                let how = match count.as_str() {
                    Some(point) => format!("as often as the value of point {point}"),
                    None => "as often as the model's length allows".to_owned(),
                };
                draft.remark(
                    &format!("{entry} {name}"),
                    &format!("repeats {how}: imported once; for another number add --repeat {name}=N"),
                );
                1
            }
        }
    }

    fn point(&self, point: &Json, place: &Place<'_>, draft: &mut Draft) {
        let Some(name) = text(point, "name") else { return };
        let entry = format!("{} {name}", place.entry);
        let kind = text(point, "type").unwrap_or("");
        if kind == "pad" || name == "L" || (name == "ID" && point.get("value").is_some()) {
            return;
        }
        let Some((word, absent)) = kind_of(kind) else {
            draft.remark(&entry, &format!("left out: type {kind} is not supported"));
            return;
        };
        let Ok(number) = u16::try_from(self.at) else {
            draft.remark(&entry, "left out: its register is larger than 65535");
            return;
        };
        let mut fields = vec![
            ("register", Field::Text(format!("holding:{number}"))),
            ("type", Field::Text(word.to_owned())),
        ];
        if kind == "string" {
            let registers = point.get("size").and_then(Json::as_u64).unwrap_or(1);
            if registers > u64::from(limits::REGISTERS_MAX) {
                draft.remark(
                    &entry,
                    &format!("left out: one read is too short for its {registers} registers"),
                );
                return;
            }
            fields.push(("length", Field::Integer(i128::from(registers) * 2)));
        }
        match point.get("sf") {
            None => {}
            Some(Json::Number(power)) => {
                let power = power.as_i64().and_then(|p| i32::try_from(p).ok()).unwrap_or(0);
                fields.push(("scale", Field::Real(10_f64.powi(power))));
            }
            Some(factor) => {
                let factor = factor.as_str().unwrap_or("");
                let Some((_, at)) = place.factors.iter().rev().find(|(name, _)| *name == factor) else {
                    draft.remark(&entry, &format!("left out: its scale factor {factor} is not in the model"));
                    return;
                };
                let span = at.abs_diff(self.at) + 2;
                if span > u32::from(limits::REGISTERS_MAX) {
                    draft.remark(
                        &entry,
                        &format!("left out: its scale factor {factor} is {span} registers away, too far for one read"),
                    );
                    return;
                }
                fields.push(("scale_from", Field::Text(factor_name(*at))));
            }
        }
        let symbols = symbols(point);
        let is_bits = kind.starts_with("bitfield");
        if !absent.is_empty() {
            fields.push(("absent", Field::Raw(absent)));
        }
        let named: Vec<(u64, String)> =
            numbered(symbols.iter().map(|(n, name, _)| (*n, words(name).join("_"))).collect());
        match (is_bits, kind.starts_with("enum"), named.is_empty()) {
            (true, _, false) => fields.push(("bits", Field::Names(named))),
            (_, true, false) => fields.push(("values", Field::Names(named))),
            // An enumeration without names is imported as a number.
            (_, true, true) => {
                if let Some((_, field)) = fields.iter_mut().find(|(key, _)| *key == "type") {
                    *field = Field::Text(if word == "enum32" { "u32" } else { "u16" }.to_owned());
                }
            }
            _ => {}
        }
        if let Some(unit) = text(point, "units").map(unit).filter(|u| !u.is_empty()) {
            fields.push(("unit", Field::Text(unit)));
        }
        if text(point, "static") == Some("S") {
            fields.push(("every", Field::Text("1h".to_owned())));
        }
        if let Some(about) = text(point, "desc").or_else(|| text(point, "label")) {
            fields.push(("description", Field::Text(about.to_owned())));
        }
        if text(point, "access") == Some("RW") {
            draft.remark(
                &entry,
                "can be written on the device, but the model has no bounds, so the profile only reads it",
            );
        }
        let own = if kind == "sunssf" { factor_name(self.at) } else { format!("{}{name}", place.prefix) };
        let own = draft.point_name(&own);
        if is_bits && name.starts_with("Evt") && !symbols.is_empty() {
            let bits =
                symbols.into_iter().map(|(bit, name, label)| (bit, format!("{own}_{name}"), label)).collect();
            draft.codes.push(DraftCodes { point: own.clone(), bits });
            draft.remark(
                &entry,
                "each of its bits is a fault with severity major: change the severities for your site",
            );
        }
        draft.add(DraftPoint { name: own, entry, fields });
    }
}

/// Scale factors are named by their register, because their own names repeat from model to model.
fn factor_name(at: u32) -> String {
    format!("sf_{at}")
}

fn text<'j>(json: &'j Json, key: &str) -> Option<&'j str> {
    json.get(key).and_then(Json::as_str)
}

fn text_of(json: &Json, key: &str) -> Option<String> {
    text(json, key).map(str::to_owned)
}

fn size(point: &Json, entry: &str) -> Result<u32, String> {
    let size = point.get("size").and_then(Json::as_u64).and_then(|s| u32::try_from(s).ok());
    size.filter(|s| *s <= u32::from(u16::MAX))
        .ok_or_else(|| format!("{entry} {}: a point without a size", text(point, "name").unwrap_or("?")))
}

/// Returns the type, and the raw values that mean "not implemented" (SunSpec information model specification 4.2).
fn kind_of(kind: &str) -> Option<(&'static str, Vec<u64>)> {
    Some(match kind {
        "int16" | "sunssf" => ("i16", vec![0x8000]),
        "uint16" => ("u16", vec![0xFFFF]),
        "acc16" => ("u16", Vec::new()),
        "int32" => ("i32", vec![0x8000_0000]),
        "uint32" => ("u32", vec![0xFFFF_FFFF]),
        "acc32" => ("u32", Vec::new()),
        "int64" => ("i64", vec![0x8000_0000_0000_0000]),
        "uint64" => ("u64", vec![u64::MAX]),
        "acc64" => ("u64", Vec::new()),
        "float32" => ("f32", Vec::new()),
        "float64" => ("f64", Vec::new()),
        "enum16" => ("enum16", vec![0xFFFF]),
        "enum32" => ("enum32", vec![0xFFFF_FFFF]),
        // If the highest bit is set, all other bits must be ignored.
        "bitfield16" => ("bits16", vec![0xFFFF, 0x8000]),
        "bitfield32" => ("bits32", vec![0xFFFF_FFFF, 0x8000_0000]),
        "bitfield64" => ("u64", vec![u64::MAX, 0x8000_0000_0000_0000]),
        "string" => ("string", Vec::new()),
        _ => return None,
    })
}

/// Returns the number, the name, and the description or label of each symbol.
fn symbols(point: &Json) -> Vec<(u64, String, String)> {
    let all = point.get("symbols").and_then(Json::as_array).into_iter().flatten();
    all.filter_map(|s| {
        let name = text_of(s, "name")?;
        let about =
            text_of(s, "desc").or_else(|| text_of(s, "label")).unwrap_or_else(|| words(&name).join(" "));
        Some((s.get("value")?.as_u64()?, name, about))
    })
    .collect()
}

fn unit(theirs: &str) -> String {
    match theirs {
        "C" => "degC",
        "Pct" => "%",
        "Secs" => "s",
        "mSecs" => "ms",
        "Degrees" => "deg",
        "Var" => "var",
        "Varh" => "varh",
        "AH" => "Ah",
        "cos()" | "PF" | "SF" => "",
        other => other,
    }
    .to_owned()
}
