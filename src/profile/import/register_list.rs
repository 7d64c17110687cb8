//! A list of registers as CSV, a row a point: what one types from a manual's table.

use super::draft::{Draft, DraftPoint, Field};

/// The columns, with what they become. `name` and one of `register`, `ref` are needed.
const TEXTS: [&str; 8] =
    ["register", "ref", "type", "unit", "word_order", "byte_order", "every", "description"];
const NUMBERS: [&str; 3] = ["scale", "offset", "deadband"];
const INTEGERS: [&str; 4] = ["bit", "length", "mask", "shift"];

pub(super) fn read(text: &str, draft: &mut Draft) -> Result<(), String> {
    let separator = [b';', b'\t', b',']
        .into_iter()
        .max_by_key(|s| text.lines().next().unwrap_or("").bytes().filter(|b| b == s).count());
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator.unwrap_or(b','))
        .trim(csv::Trim::All)
        .flexible(true)
        .from_reader(text.as_bytes());
    let head: Vec<String> = reader
        .headers()
        .map_err(|e| format!("its first line does not read: {e}"))?
        .iter()
        .map(|h| h.trim_start_matches('\u{feff}').to_lowercase().replace([' ', '-'], "_"))
        .collect();
    if !head.iter().any(|h| h == "name") || !head.iter().any(|h| h == "register" || h == "ref") {
        return Err("its first line names no columns name and register (or ref)".to_owned());
    }
    for column in &head {
        let known = TEXTS.iter().chain(&NUMBERS).chain(&INTEGERS).any(|k| k == column);
        if !known && !matches!(column.as_str(), "name" | "min" | "max" | "absent" | "values" | "bits") {
            draft.remark("line 1", &format!("column {column} is not carried over"));
        }
    }
    "unknown".clone_into(&mut draft.vendor);
    "unknown".clone_into(&mut draft.model);
    "device".clone_into(&mut draft.kind);
    draft.source = "a register list".to_owned();
    for row in reader.records() {
        let row = row.map_err(|e| format!("a line does not read: {e}"))?;
        let line = row.position().map_or(0, csv::Position::line);
        let cell = |key: &str| {
            let at = head.iter().position(|h| h == key)?;
            row.get(at).filter(|c| !c.is_empty())
        };
        let Some(name) = cell("name") else {
            draft.remark(&format!("line {line}"), "left out: it has no name");
            continue;
        };
        match point(&cell) {
            Ok(fields) => {
                let own = draft.point_name(name);
                draft.points.push(DraftPoint { name: own, fields });
            }
            Err(why) => draft.remark(&format!("line {line} {name}"), &format!("left out: {why}")),
        }
    }
    Ok(())
}

fn point<'r>(cell: &dyn Fn(&str) -> Option<&'r str>) -> Result<Vec<(&'static str, Field)>, String> {
    let mut fields = Vec::new();
    for key in TEXTS {
        if let Some(text) = cell(key) {
            fields.push((key, Field::Text(text.to_owned())));
        }
    }
    if !fields.iter().any(|(key, _)| *key == "register" || *key == "ref") {
        return Err("it has neither register nor ref".to_owned());
    }
    if !fields.iter().any(|(key, _)| *key == "type") {
        return Err("it has no type".to_owned());
    }
    for key in NUMBERS {
        if let Some(text) = cell(key) {
            fields.push((key, Field::Real(real(key, text)?)));
        }
    }
    for key in INTEGERS {
        if let Some(text) = cell(key) {
            fields.push((key, Field::Integer(whole(key, text)?.into())));
        }
    }
    if let Some(text) = cell("absent") {
        let values: Result<Vec<u64>, String> = text.split_whitespace().map(|v| whole("absent", v)).collect();
        fields.push(("absent", Field::Raw(values?)));
    }
    for key in ["values", "bits"] {
        let Some(text) = cell(key) else { continue };
        let names: Result<Vec<(u64, String)>, String> = text
            .split([',', '|'])
            .map(|pair| {
                let (n, name) = pair.split_once('=').ok_or(format!("{key} is written 0=off|1=on"))?;
                Ok((whole(key, n.trim())?, name.trim().to_owned()))
            })
            .collect();
        fields.push((key, Field::Names(names?)));
    }
    match (cell("min"), cell("max")) {
        (Some(min), Some(max)) => {
            fields.push(("writable", Field::Bounds(real("min", min)?, real("max", max)?)))
        }
        (None, None) => {}
        _ => return Err("min and max go together: they say that it may be written".to_owned()),
    }
    Ok(fields)
}

fn real(key: &str, text: &str) -> Result<f64, String> {
    text.replace(',', ".").parse().map_err(|_| format!("{key} {text} is not a number"))
}

fn whole(key: &str, text: &str) -> Result<u64, String> {
    let hex = text.strip_prefix("0x").and_then(|hex| u64::from_str_radix(hex, 16).ok());
    hex.or_else(|| text.parse().ok()).ok_or_else(|| format!("{key} {text} is not a whole number"))
}
