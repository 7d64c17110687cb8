//! Import of a register list in CSV, with one row per point: a table that a person typed from a manual, or that
//! another program exported.

use std::collections::BTreeMap;

use super::ImportOptions;
use super::cells::{Place, address, area, factor, kind, names, number, orders, unit};
use super::columns::Columns;
use super::draft::{Draft, DraftPoint, Field, numbered};
use crate::profile::{Area, RegisterAddress};
use crate::words::parse_duration;

/// The number of lines in which andon searches for the header: exports can have a title and notes above it.
const HEADER_WITHIN: usize = 25;

type Fields = Vec<(&'static str, Field)>;

/// The columns and options with which rows are read.
struct List<'a> {
    columns: Columns,
    options: &'a ImportOptions,
}

/// The cells of a row, by field.
struct Cells<'a> {
    row: &'a csv::StringRecord,
    list: &'a List<'a>,
}

impl<'a> Cells<'a> {
    fn get(&self, field: &str) -> Option<&'a str> {
        let cell = self.row.get(self.list.columns.at(field)?)?.trim();
        let is_none = matches!(cell.to_lowercase().as_str(), "" | "-" | "--" | "—" | "n/a" | "na");
        (!is_none).then_some(cell)
    }
}

pub(super) fn read(text: &str, options: &ImportOptions, draft: &mut Draft) -> Result<(), String> {
    let text = text.trim_start_matches('\u{feff}');
    let rows = rows(text)?;
    let (list, first) = header(text, &rows, options)?;
    let unused = if options.is_headless() { Vec::new() } else { list.columns.unused() };
    for (name, near) in unused {
        let near = near
            .map_or_else(String::new, |field| format!("; if it is the {field}: --map {field}=\"{name}\""));
        draft.remark(
            &format!("line {}", line(text, &rows, first)),
            &format!("column {name} is not imported{near}"),
        );
    }
    "unknown".clone_into(&mut draft.vendor);
    "unknown".clone_into(&mut draft.model);
    "device".clone_into(&mut draft.kind);
    draft.source = "a register list".to_owned();
    for row in rows.iter().skip(first + usize::from(!options.is_headless())) {
        if row.iter().all(str::is_empty) {
            continue;
        }
        let line = line_of(text, row);
        let cells = Cells { row, list: &list };
        let Some(name) = cells.get("name") else {
            draft.remark(&format!("line {line}"), "left out: it has no name");
            continue;
        };
        let entry = format!("line {line} {name}");
        match point(&cells, &entry, draft) {
            Ok(fields) => {
                let own = draft.point_name(name);
                draft.add(DraftPoint { name: own, entry, fields });
            }
            Err(why) => draft.remark(&entry, &format!("left out: {why}")),
        }
    }
    Ok(())
}

/// Returns the line in which row `at` begins, from 1.
fn line(text: &str, rows: &[csv::StringRecord], at: usize) -> u64 {
    rows.get(at).map_or(1, |row| line_of(text, row))
}

/// Returns the line in which a row begins, from 1. The reader gives the position before empty lines, so these are
/// added.
fn line_of(text: &str, row: &csv::StringRecord) -> u64 {
    let Some(position) = row.position() else { return 1 };
    let from = usize::try_from(position.byte()).unwrap_or(usize::MAX);
    let passed = text.as_bytes().get(from..).unwrap_or(&[]).iter().take_while(|b| matches!(b, b'\r' | b'\n'));
    position.line() + passed.filter(|b| **b == b'\n').count() as u64
}

/// Reads all rows. The separator is the character that most lines contain equally often.
fn rows(text: &str) -> Result<Vec<csv::StringRecord>, String> {
    let alike = |separator: u8| {
        let mut lines: BTreeMap<usize, usize> = BTreeMap::new();
        for line in text.lines().take(HEADER_WITHIN) {
            *lines.entry(line.bytes().filter(|b| *b == separator).count()).or_default() += 1;
        }
        // The number of lines with the same count of the separator, and this count.
        lines.into_iter().filter(|(n, _)| *n > 0).map(|(n, lines)| (lines, n)).max()
    };
    let separator = [b',', b'\t', b';'].into_iter().max_by_key(|s| alike(*s)).unwrap_or(b',');
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator)
        .has_headers(false)
        .trim(csv::Trim::All)
        .flexible(true)
        .from_reader(text.as_bytes());
    reader.records().collect::<Result<_, _>>().map_err(|e| format!("this is not valid CSV: {e}"))
}

/// Finds the header and its row. If there is none, the error says what is missing and proposes columns.
fn header<'a>(
    text: &str,
    rows: &[csv::StringRecord],
    options: &'a ImportOptions,
) -> Result<(List<'a>, usize), String> {
    let mut best: Option<(String, usize)> = None;
    let mut why = None;
    for (at, row) in rows.iter().enumerate().take(if options.is_headless() { 1 } else { HEADER_WITHIN }) {
        let head: Vec<&str> = row.iter().collect();
        match Columns::of(&head, &options.map) {
            Ok(columns) if columns.is_enough() => return Ok((List { columns, options }, at)),
            Ok(columns) => {
                let proposal = columns.proposal();
                let width = proposal.matches("--map").count();
                if best.as_ref().is_none_or(|(p, _)| width > p.matches("--map").count()) {
                    best = Some((proposal, at));
                }
            }
            Err(e) => why = why.or(Some((e, at))),
        }
    }
    if let (Some((why, _)), true) = (&why, best.as_ref().is_none_or(|(p, _)| p.is_empty())) {
        let shown = rows.first().map_or_else(String::new, |row| row.iter().collect::<Vec<_>>().join(", "));
        return Err(format!("{why}; the first line is: {shown}"));
    }
    let (proposal, at) = best.unwrap_or_default();
    let shown = rows.get(at).map_or_else(String::new, |row| row.iter().collect::<Vec<_>>().join(", "));
    let needs = "no line has the columns name and register (or ref)";
    Err(match proposal.is_empty() {
        true => format!(
            "{needs}; line {} is: {shown}; name the columns: --map name=COLUMN --map register=COLUMN",
            line(text, rows, at)
        ),
        false => format!("{needs}; line {} has similar names, add: {proposal}", line(text, rows, at)),
    })
}

fn point(cells: &Cells<'_>, entry: &str, draft: &mut Draft) -> Result<Fields, String> {
    let access = cells.get("access").unwrap_or("").to_lowercase();
    if ["w", "wo", "write", "write-only", "write only", "writeonly"].contains(&access.as_str()) {
        return Err("it can only be written, not read".to_owned());
    }
    let (register, told) = place(cells)?;
    let registers = cells.get("registers").and_then(|c| number(c, false)).or(told.count);
    let mut fields = vec![("register", Field::Text(register.to_string()))];
    let is_swapped = type_of(cells, register, registers, &mut fields)?;
    let word = fields.iter().find_map(|(key, field)| match field {
        Field::Text(word) if *key == "type" => Some(word.clone()),
        _ => None,
    });
    let word = word.unwrap_or_default();
    match (told.bit.or_else(|| cells.get("bit").and_then(|c| number(c, false))), word.as_str()) {
        (Some(bit), "bool") if !register.area.is_bits() => {
            fields.push(("bit", Field::Integer(i128::from(bit))))
        }
        (Some(bit), _) if !register.area.is_bits() => {
            return Err(format!("it has a bit ({bit}), but its type is not bool"));
        }
        _ => {}
    }
    ordered(cells, is_swapped, &mut fields)?;
    let (before, own) = cells.get("unit").map_or((None, None), unit);
    if let Some(unit) = own {
        fields.push(("unit", Field::Text(unit)));
    }
    if let Some(text) = cells.get("description") {
        let short: String = text.chars().take(400).collect();
        fields.push(("description", Field::Text(short)));
    }
    match cells.get("every").map(|c| (c, parse_duration(c))) {
        Some((text, Ok(_))) => fields.push(("every", Field::Text(text.to_owned()))),
        Some((text, Err(_))) => draft.remark(entry, &format!("every is left out: {text} is not a duration")),
        None => {}
    }
    scaled(cells, &word, before, &mut fields)?;
    for key in ["mask", "shift"] {
        if let Some(text) = cells.get(key) {
            let value = number(text, false).ok_or_else(|| format!("{key} {text} is not a whole number"))?;
            fields.push((key, Field::Integer(value.into())));
        }
    }
    if let Some(text) = cells.get("absent") {
        let values: Option<Vec<u64>> = text.split_whitespace().map(|v| number(v, false)).collect();
        match values {
            Some(values) => fields.push(("absent", Field::Raw(values))),
            None => {
                draft.remark(entry, &format!("absent is left out: {text} is not a list of whole numbers"))
            }
        }
    }
    named(cells, entry, draft, &mut fields);
    match (cells.get("min"), cells.get("max")) {
        (Some(min), Some(max)) => match (real(min), real(max)) {
            (Some(min), Some(max)) => fields.push(("writable", Field::Bounds(min, max))),
            _ => return Err(format!("min {min} and max {max} are not numbers")),
        },
        (None, None) => {}
        _ => return Err("min and max must both be given: they are the bounds for writing".to_owned()),
    }
    Ok(fields)
}

/// Reads the register of a row, and the other facts in its cell.
fn place(cells: &Cells<'_>) -> Result<(RegisterAddress, Place), String> {
    let columns = &cells.list.columns;
    let is_hex = |field: &str| columns.title(field).to_lowercase().contains("hex");
    let told = match cells.get("area") {
        None => cells.list.options.area,
        Some(text) => Some(area(text).ok_or_else(|| format!("area {text} is not a Modbus area"))?),
    };
    if let Some(text) = cells.get("ref") {
        let place = address(text, is_hex("ref")).ok_or_else(|| format!("ref {text} is not a number"))?;
        let digits = text.split(|c: char| !c.is_ascii_digit()).next().unwrap_or(text);
        let printed = RegisterAddress::parse_ref(digits).or_else(|meant| match place.number {
            // The number has no digit for the area: 1 is the first register.
            1..=65_536 => told
                .and_then(|area| {
                    Some(RegisterAddress { area, number: u16::try_from(place.number - 1).ok()? })
                })
                .ok_or(meant),
            _ => Err(meant),
        })?;
        return match told {
            Some(area) if area != printed.area && cells.get("area").is_some() => {
                Err(format!("ref {text} means {}, but the area is {}", printed.area.word(), area.word()))
            }
            _ => Ok((printed, place)),
        };
    }
    let text = cells.get("register").ok_or("it has no register and no ref")?;
    if text.contains(':')
        && let Ok(whole) = RegisterAddress::parse_register(&text.to_lowercase())
    {
        return Ok((whole, Place { number: u64::from(whole.number), bit: None, count: None }));
    }
    let place =
        address(text, is_hex("register")).ok_or_else(|| format!("register {text} is not a number"))?;
    let Some(area) = told else {
        return Err(format!(
            "register {text} has no area: add --area holding (or input, coil, discrete), or --map ref=COLUMN if 40001 \
             is the first holding register"
        ));
    };
    let number = match cells.list.options.one_based {
        true => place.number.checked_sub(1).ok_or("register 0 is not possible if numbers count from 1")?,
        false => place.number,
    };
    let number = u16::try_from(number).map_err(|_| {
        format!(
            "register {text} is larger than 65535; for numbers with the digit of the area, use --map ref=COLUMN"
        )
    })?;
    Ok((RegisterAddress { area, number }, place))
}

/// Reads the type of a row, with the length of a text. Returns true if the word order is swapped.
fn type_of(
    cells: &Cells<'_>,
    register: RegisterAddress,
    registers: Option<u64>,
    fields: &mut Fields,
) -> Result<bool, String> {
    if register.area.is_bits() {
        fields.push(("type", Field::Text("bool".to_owned())));
        return Ok(false);
    }
    let text = cells.get("type");
    let given = |text: &str| {
        let mut types = cells.list.options.types.iter();
        types.find(|(word, _)| word.as_deref().is_some_and(|w| w.trim().eq_ignore_ascii_case(text)))
    };
    let default = || cells.list.options.types.iter().find(|(word, _)| word.is_none());
    let found = match text {
        Some(text) => match given(text) {
            Some((_, own)) => kind(own, registers)?,
            None => kind(text, registers).or_else(|why| match default() {
                Some((_, own)) => kind(own, registers),
                None => Err(why),
            })?,
        },
        None => match default() {
            Some((_, own)) => kind(own, registers)?,
            None => return Err("it has no type; add the type, for example --type u16".to_owned()),
        },
    };
    let mut word = found.word;
    let has_values = cells.get("values").and_then(names).is_some();
    let is_scaled = ["scale", "divisor", "offset"].iter().any(|key| cells.get(key).is_some());
    word = match word {
        "enum16" if !has_values => "u16",
        "enum32" if !has_values => "u32",
        "u16" | "i16" if has_values && !is_scaled => "enum16",
        "u32" | "i32" if has_values && !is_scaled => "enum32",
        other => other,
    };
    fields.push(("type", Field::Text(word.to_owned())));
    if word == "string" {
        let own = cells.get("length").and_then(|c| number(c, false));
        let characters = own.or(found.characters).or(registers.map(|n| n.saturating_mul(2)));
        let characters = characters.ok_or("a string needs its length: a column length or registers")?;
        fields.push(("length", Field::Integer(characters.into())));
    }
    Ok(found.is_swapped)
}

fn ordered(cells: &Cells<'_>, is_swapped: bool, fields: &mut Fields) -> Result<(), String> {
    let of = |field: &str| match cells.get(field) {
        None => Ok(None),
        Some(text) => orders(text).map(Some).ok_or_else(|| format!("{field} {text} is not an order")),
    };
    let (words, bytes) = (of("word_order")?, of("byte_order")?);
    let word_order = words.map(|(w, _)| w).or(is_swapped.then_some("little"));
    let byte_order = match (words, bytes, cells.get("byte_order")) {
        (_, Some(_), Some(text)) if text.eq_ignore_ascii_case("little") => Some("little"),
        (_, Some((_, bytes)), _) => Some(bytes),
        (Some((_, bytes)), None, _) => Some(bytes),
        (None, None, _) => None,
    };
    let both = [("word_order", word_order), ("byte_order", byte_order)];
    let said = both.into_iter().filter_map(|(key, order)| Some((key, order.filter(|o| *o != "big")?)));
    fields.extend(said.map(|(key, order)| (key, Field::Text(order.to_owned()))));
    Ok(())
}

fn real(text: &str) -> Option<f64> {
    text.replace(',', ".").parse().ok().filter(|n: &f64| n.is_finite())
}

/// Reads scale and offset. A factor before the unit counts if no column has a factor.
fn scaled(cells: &Cells<'_>, word: &str, before: Option<f64>, fields: &mut Fields) -> Result<(), String> {
    let is_number = !matches!(word, "bool" | "string" | "bits16" | "bits32" | "enum16" | "enum32");
    let read = |key: &str| match cells.get(key) {
        None => Ok(None),
        Some(text) => factor(text).map(Some).ok_or_else(|| format!("{key} {text} is not a factor")),
    };
    let scale = read("scale")?.or(read("divisor")?.map(|d| 1.0 / d)).or(before);
    #[expect(clippy::float_cmp, reason = "1 stands for no scale")]
    if let Some(scale) = scale.filter(|s| *s != 1.0 && is_number) {
        fields.push(("scale", Field::Real(scale)));
    }
    for key in ["offset", "deadband"] {
        if let Some(text) = cells.get(key).filter(|_| is_number) {
            let value = real(text).ok_or_else(|| format!("{key} {text} is not a number"))?;
            if value != 0.0 {
                fields.push((key, Field::Real(value)));
            }
        }
    }
    Ok(())
}

/// Reads the names of values and bits. Repeated names get numbers, with a remark.
fn named(cells: &Cells<'_>, entry: &str, draft: &mut Draft, fields: &mut Fields) {
    for key in ["values", "bits"] {
        let Some(text) = cells.get(key) else { continue };
        let is_enum = fields.iter().any(|(_, f)| matches!(f, Field::Text(w) if w.starts_with("enum")));
        let Some(found) = names(text).filter(|_| key == "bits" || is_enum) else {
            draft.remark(entry, &format!("its {key} are left out: write them as 0=off|1=on"));
            continue;
        };
        let once = numbered(found.clone());
        if once != found {
            draft.remark(
                entry,
                &format!("its {key} repeat a name or a number: repeated names get numbers, and only the first of equal numbers counts"),
            );
        }
        fields.push((key, Field::Names(once)));
    }
}

/// Reads a word for an area on the command line.
///
/// # Errors
/// A sentence with the known areas.
pub fn area_of(text: &str) -> Result<Area, String> {
    area(text).ok_or_else(|| "the areas are holding, input, coil and discrete".to_owned())
}
