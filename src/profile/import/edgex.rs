//! Import of EdgeX Modbus device profiles (device-modbus-go, YAML).
//!
//! The importer follows the code of EdgeX. A `startingAddress` that is a number with a fraction is printed with two
//! digits: 10.1 means bit 10 of register 10, 10.01 means bit 1, and the text "10.1" means bit 1. The mask, the shift
//! (to the right if positive), the base, the scale and the offset are applied in this order. Swaps have an effect on
//! 32-bit values only. EdgeX cuts a scale below 1 of an integer type to 0.
//!
//! The form of version 1 has the properties of a value in `properties.value` and counts `startingAddress` from 1: its
//! code (deviceclient.go of v1.0.0) subtracts 1 before it sends the request.

use serde_json::Value as Json;

use super::draft::{Draft, DraftPoint, Field};
use super::edgex_values::{Mappings, commands, mappings, names_of, operations};

pub(super) fn read(text: &str, draft: &mut Draft) -> Result<(), String> {
    let yaml: Json = serde_saphyr::from_str(text)
        .map_err(|e| format!("the file is not YAML: {}", first_line(&e.to_string())))?;
    let resources = yaml.get("deviceResources").and_then(Json::as_array);
    let resources = resources.ok_or("this is not an EdgeX device profile: it has no deviceResources")?;
    let told = |key: &str| yaml.get(key).and_then(Json::as_str).unwrap_or("").to_owned();
    draft.vendor = told("manufacturer");
    draft.model = told("model");
    draft.kind = yaml.pointer("/labels/0").and_then(Json::as_str).unwrap_or("device").to_lowercase();
    draft.source = format!("EdgeX device profile {}", told("name"));
    if draft.vendor.is_empty() {
        "unknown".clone_into(&mut draft.vendor);
    }
    if draft.model.is_empty() {
        draft.model = told("name");
    }
    let named = mappings(&yaml);
    if resources.iter().any(is_older) {
        draft.remark(
            "profile",
            "the profile has the form of EdgeX version 1, which counts startingAddress from 1: andon subtracts 1 from each register",
        );
    }
    for resource in resources {
        let name = resource.get("name").and_then(Json::as_str).unwrap_or("");
        match point(resource, name, draft) {
            Ok(mut fields) => {
                values(name, &named, &mut fields, draft);
                let entry = name.to_owned();
                let name = draft.point_name(name);
                draft.add(DraftPoint { name, entry, fields });
            }
            Err(why) => draft.remark(name, &format!("left out: {why}")),
        }
    }
    for command in commands(&yaml).filter(|c| operations(c).count() != 1) {
        let name = command.get("name").and_then(Json::as_str).unwrap_or("?");
        draft.remark(name, "left out: a command for several resources is not supported");
    }
    Ok(())
}

/// True if a resource has the form of version 1.
fn is_older(resource: &Json) -> bool {
    resource.pointer("/properties/value").is_some_and(Json::is_object)
}

/// Adds the names of values, if the point is a whole number without a scale.
fn values(name: &str, named: &Mappings<'_>, fields: &mut Vec<(&'static str, Field)>, draft: &mut Draft) {
    let Some(mapping) = named.get(name) else { return };
    let is_scaled = fields.iter().any(|(key, _)| matches!(*key, "scale" | "offset"));
    let kind = fields.iter_mut().find(|(key, _)| *key == "type").map(|(_, kind)| kind);
    let word = match kind {
        Some(Field::Text(word)) if !is_scaled => word,
        _ => return draft.remark(name, "its mappings are left out: its value is scaled"),
    };
    let other = match word.as_str() {
        "u16" | "i16" => "enum16",
        "u32" | "i32" => "enum32",
        _ => {
            return draft
                .remark(name, &format!("its mappings are left out: mappings of a {word} are not supported"));
        }
    };
    let Some(names) = names_of(mapping) else {
        return draft.remark(name, "its mappings are left out: the keys are not whole numbers");
    };
    other.clone_into(word);
    fields.push(("values", Field::Names(names)));
    // An enum is written by the names of its values, so it needs no bounds.
    for (_, field) in fields.iter_mut().filter(|(key, _)| *key == "writable") {
        *field = Field::Flag(true);
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or("")
}

/// Reads a number; the number can be written as text.
fn number(json: Option<&Json>) -> Option<f64> {
    match json? {
        Json::Number(n) => n.as_f64(),
        Json::String(s) => s.trim().parse().ok(),
        _ => None,
    }
}

/// Reads an integer; it can be written as text or in hexadecimal.
fn whole(json: Option<&Json>) -> Option<i128> {
    match json? {
        Json::Number(n) => n.as_i64().map(i128::from).or_else(|| n.as_u64().map(i128::from)),
        Json::String(s) => {
            let s = s.trim();
            let hex = s.strip_prefix("0x").and_then(|hex| i128::from_str_radix(hex, 16).ok());
            hex.or_else(|| s.parse().ok())
        }
        _ => None,
    }
}

fn is_true(json: Option<&Json>) -> bool {
    matches!(json, Some(Json::Bool(true)))
        || matches!(json, Some(Json::String(s)) if s.eq_ignore_ascii_case("true"))
}

/// Returns the register and the bit of a `startingAddress`.
fn address(json: Option<&Json>) -> Option<(u16, u8)> {
    let text = match json? {
        Json::Number(n) if n.is_f64() => format!("{:.2}", n.as_f64()?),
        Json::Number(n) => n.to_string(),
        Json::String(s) => s.trim().to_owned(),
        _ => return None,
    };
    let (register, bit) = text.split_once('.').unwrap_or((&text, "0"));
    Some((register.parse().ok()?, bit.parse().ok()?))
}

fn point(resource: &Json, name: &str, draft: &mut Draft) -> Result<Vec<(&'static str, Field)>, String> {
    let attribute = |key: &str| resource.pointer(&format!("/attributes/{key}"));
    let older = is_older(resource);
    let property = |key: &str| {
        resource.pointer(&match (older, key) {
            (false, key) => format!("/properties/{key}"),
            (true, "valueType") => "/properties/value/type".to_owned(),
            (true, "units") => "/properties/units/defaultValue".to_owned(),
            (true, key) => format!("/properties/value/{key}"),
        })
    };
    let access = property("readWrite").and_then(Json::as_str).unwrap_or("").to_uppercase();
    if access == "W" {
        return Err("it can only be written, not read".to_owned());
    }
    let table = attribute("primaryTable").and_then(Json::as_str).unwrap_or("").to_uppercase();
    let area = match table.as_str() {
        "COILS" => "coil",
        "DISCRETES_INPUT" | "DISCRETE_INPUTS" => "discrete",
        "INPUT_REGISTERS" => "input",
        "HOLDING_REGISTERS" => "holding",
        _ => return Err(format!("primaryTable {table} is not a Modbus table")),
    };
    let (register, bit) =
        address(attribute("startingAddress")).ok_or("its startingAddress is not an address")?;
    let register = match older {
        true => {
            register.checked_sub(1).ok_or("startingAddress must be at least 1 in the form of version 1")?
        }
        false => register,
    };
    let value_type = property("valueType").and_then(Json::as_str).unwrap_or("").to_lowercase();
    let raw_type = attribute("rawType").and_then(Json::as_str).map(str::to_lowercase);
    let is_bits = matches!(area, "coil" | "discrete");
    let word = kind(&value_type, raw_type.as_deref(), is_bits)?;
    let mut fields =
        vec![("register", Field::Text(format!("{area}:{register}"))), ("type", Field::Text(word.to_owned()))];
    if word == "bool" && !is_bits {
        if bit > 15 {
            return Err(format!("bit {bit} is larger than 15"));
        }
        fields.push(("bit", Field::Integer(i128::from(bit))));
    }
    if word == "string" {
        let size = whole(attribute("stringRegisterSize")).filter(|s| (1..=123).contains(s));
        fields.push(("length", Field::Integer(2 * size.ok_or("its stringRegisterSize is missing")?)));
    }
    let is_wide = matches!(word, "u32" | "i32" | "f32");
    for (key, ours) in [("isByteSwap", "byte_order"), ("isWordSwap", "word_order")] {
        if is_true(attribute(key)) {
            if is_wide {
                fields.push((ours, Field::Text("little".to_owned())));
            } else {
                draft.remark(
                    name,
                    &format!("{key} is ignored, as in EdgeX: it has an effect on 32-bit values only"),
                );
            }
        }
    }
    if !matches!(word, "bool" | "string") {
        transforms(&property, word, &value_type, name, draft, &mut fields)?;
    }
    if let Some(unit) = property("units").and_then(Json::as_str).filter(|u| !u.is_empty()) {
        fields.push(("unit", Field::Text(unit.to_owned())));
    }
    if let Some(about) = resource.get("description").and_then(Json::as_str).filter(|d| !d.is_empty()) {
        fields.push(("description", Field::Text(about.to_owned())));
    }
    if access.contains('W') {
        let is_cut = fields.iter().any(|(key, _)| matches!(*key, "mask" | "shift"));
        match (word, area, number(property("minimum")), number(property("maximum"))) {
            _ if is_cut => {
                draft.remark(name, "EdgeX writes some bits of a register; the profile only reads it")
            }
            ("bool", "coil", ..) => fields.push(("writable", Field::Flag(true))),
            ("bool" | "string", ..) | (_, "input" | "discrete", ..) => {
                draft.remark(name, "EdgeX writes it; the profile only reads it");
            }
            (_, _, Some(min), Some(max)) if min <= max => fields.push(("writable", Field::Bounds(min, max))),
            _ => draft.remark(name, "EdgeX writes it without minimum and maximum; the profile only reads it"),
        }
    }
    Ok(fields)
}

/// Converts mask, shift, base, scale and offset. The order of EdgeX is the same as in a profile.
fn transforms<'j>(
    property: &dyn Fn(&str) -> Option<&'j Json>,
    word: &str,
    value_type: &str,
    name: &str,
    draft: &mut Draft,
    fields: &mut Vec<(&'static str, Field)>,
) -> Result<(), String> {
    let is_integer = value_type.starts_with("int") || value_type.starts_with("uint");
    let mask = whole(property("mask")).filter(|m| *m != 0 && is_integer);
    let shift = whole(property("shift")).filter(|s| *s != 0 && is_integer);
    if shift.is_some_and(|s| s < 0) {
        return Err("a shift to the left is not supported".to_owned());
    }
    let width = match word {
        "u16" | "i16" => 16,
        "u32" | "i32" => 32,
        _ => 64,
    };
    // In EdgeX a value under a mask without the sign bit is never negative. In andon the top bit of the mask would be
    // the sign.
    if word.starts_with('i') && mask.is_some_and(|m| m >> (width - 1) & 1 == 0) {
        let unsigned = word.replacen('i', "u", 1);
        for (_, field) in fields.iter_mut().filter(|(key, _)| *key == "type") {
            *field = Field::Text(unsigned.clone());
        }
    }
    if let Some(mask) = mask.and_then(|m| u64::try_from(m).ok()) {
        fields.push(("mask", Field::Integer(i128::from(mask))));
    }
    if let Some(shift) = shift {
        fields.push(("shift", Field::Integer(shift)));
    }
    if number(property("base")).is_some_and(|b| b != 0.0) {
        return Err("a base is not supported".to_owned());
    }
    #[expect(clippy::float_cmp, reason = "1 and 0 stand for no scale there")]
    let is_scale = |s: &f64| *s != 1.0 && *s != 0.0;
    if let Some(scale) = number(property("scale")).filter(is_scale) {
        fields.push(("scale", Field::Real(scale)));
        if is_integer && scale.fract() != 0.0 {
            let text = format!(
                "EdgeX cuts its scale {scale} to a whole number, because its type is {value_type}; the profile uses the exact scale"
            );
            draft.remark(name, &text);
        }
    }
    if let Some(offset) = number(property("offset")).filter(|o| *o != 0.0) {
        fields.push(("offset", Field::Real(offset)));
    }
    Ok(())
}

/// Returns the type of the registers: the raw type if there is one, else the type of the value.
fn kind(value: &str, raw: Option<&str>, is_bits: bool) -> Result<&'static str, String> {
    if value == "bool" {
        return Ok("bool");
    }
    if is_bits {
        return Err(format!("a {value} in a table of bits is not supported"));
    }
    if let Some(raw) = raw {
        if !value.starts_with("float") {
            // EdgeX uses `rawType` only for values with a fraction.
            return kind(value, None, is_bits);
        }
        return match (raw, value) {
            ("int16", _) => Ok("i16"),
            ("uint16", _) => Ok("u16"),
            ("int32", "float64") => Ok("i32"),
            ("float32", "float32") => Ok("f32"),
            ("float64", "float64") => Ok("f64"),
            _ => Err(format!("EdgeX cannot read rawType {raw} of a {value}")),
        };
    }
    match value {
        "int16" => Ok("i16"),
        "uint16" => Ok("u16"),
        "int32" => Ok("i32"),
        "uint32" => Ok("u32"),
        "int64" => Ok("i64"),
        "uint64" => Ok("u64"),
        "float32" => Ok("f32"),
        "float64" => Ok("f64"),
        "string" => Ok("string"),
        _ => Err(format!("valueType {value} is not supported")),
    }
}
