//! `andon decode WORDS...`: shows raw registers under every type and order, the most probable first.

use serde::Serialize;

use super::context::Context;
use super::error::CliError;
use super::render::Sheet;
use crate::profile::{Area, DataType, Order, Place, Point, RegisterAddress, decode};
use crate::words::{Outcome, PointName, Value};

/// The registers of `andon decode`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  andon decode 42F6 E979           find the word order of two registers\n  andon decode 0x0929              hexadecimal, with or without 0x\n  andon decode 4142 4344 4500      a text"
)]
pub struct DecodeArgs {
    /// Registers in hexadecimal, as the device sends them
    #[arg(required = true, num_args = 1.., value_name = "WORD")]
    pub words: Vec<String>,
}

#[derive(Serialize)]
struct Row {
    #[serde(rename = "type")]
    kind: String,
    word_order: String,
    byte_order: String,
    value: String,
}

pub(super) fn run(cx: &Context<'_>, args: &DecodeArgs) -> Result<Outcome, CliError> {
    let words = args.words.iter().map(|w| word(w)).collect::<Result<Vec<u16>, CliError>>()?;
    let rows = readings(&words);
    let mut sheet = Sheet::new(&["type", "word_order", "byte_order", "value"]);
    for r in &rows {
        sheet.row([r.kind.clone(), r.word_order.clone(), r.byte_order.clone(), r.value.clone()]);
    }
    cx.list(&rows, &sheet, "No type fits these registers.")?;
    Ok(Outcome::Done)
}

fn word(text: &str) -> Result<u16, CliError> {
    let digits = text.trim_start_matches("0x").trim_start_matches("0X");
    u16::from_str_radix(digits, 16).map_err(|_| {
        CliError::usage(format!(
            "{text} is not a register: write up to four hexadecimal digits, as 42F6 or 0x42F6"
        ))
    })
}

/// Decodes the registers as every type that fits a whole number of times, in every order. Equal results are listed once.
fn readings(words: &[u16]) -> Vec<Row> {
    let mut found: Vec<(u32, Row)> = Vec::new();
    let mut kinds: Vec<DataType> =
        DataType::WORDS.iter().map(|(_, k)| *k).filter(|k| fills_registers(*k)).collect();
    if let Ok(registers) = u16::try_from(words.len()) {
        kinds.push(DataType::Text { registers });
    }
    // Neither matters to how registers are read.
    let name = PointName::own("value");
    let place = Place::Register(RegisterAddress { area: Area::Holding, number: 0 });
    for kind in kinds {
        let width = usize::from(kind.registers());
        if width == 0 || !words.len().is_multiple_of(width) {
            continue;
        }
        for (word_order, byte_order) in orders(width) {
            let point = Point { word_order, byte_order, ..Point::new(name.clone(), place.clone(), kind) };
            let values: Option<Vec<Value>> =
                words.chunks(width).map(|c| decode(&point, c, None).ok()).collect();
            let Some(values) = values else { continue };
            if values.iter().any(|v| matches!(v, Value::Text(t) if t.is_empty())) {
                continue;
            }
            let score = values.iter().map(|v| unlikeliness(v, words, byte_order)).max().unwrap_or(u32::MAX);
            let shown: Vec<String> = values.iter().map(|v| shown(kind, v)).collect();
            let order = |o: Order| if o == Order::Big { "big" } else { "little" };
            found.push((
                score,
                Row {
                    kind: kind.word().to_owned(),
                    word_order: if width > 1 && kind.is_number() {
                        order(word_order).to_owned()
                    } else {
                        String::new()
                    },
                    byte_order: order(byte_order).to_owned(),
                    value: shown.join("  "),
                },
            ));
        }
    }
    found.sort_by_key(|(score, _)| *score);
    let mut rows: Vec<Row> = Vec::new();
    for (_, row) in found {
        if !rows
            .iter()
            .any(|r| (&r.kind, &r.byte_order, &r.value) == (&row.kind, &row.byte_order, &row.value))
        {
            rows.push(row);
        }
    }
    rows
}

/// Returns true for types that use whole registers. Types of 8 or 24 bits are left out.
fn fills_registers(kind: DataType) -> bool {
    let is_part = matches!(kind, DataType::U8 | DataType::I8 | DataType::U24 | DataType::I24);
    kind == DataType::Bits16 || kind.is_number() && !is_part
}

/// Returns the word and byte orders that make a difference for a type of `width` registers.
fn orders(width: usize) -> Vec<(Order, Order)> {
    let mut all = vec![(Order::Big, Order::Big), (Order::Big, Order::Little)];
    if width > 1 {
        all.insert(1, (Order::Little, Order::Big));
        all.push((Order::Little, Order::Little));
    }
    all
}

fn shown(kind: DataType, value: &Value) -> String {
    match (kind, value) {
        (DataType::Bits16, Value::Integer(i)) => {
            let set: Vec<String> = (0..16).filter(|b| i >> b & 1 == 1).map(|b: u32| b.to_string()).collect();
            format!("bits set: {}", if set.is_empty() { "none".to_owned() } else { set.join(" ") })
        }
        (_, Value::Text(t)) => format!("\"{t}\""),
        _ => value.to_string(),
    }
}

/// Returns how improbable a value is as a measurement, from 0; smaller is more probable.
///
/// The most probable values are numbers with a fraction, a usual size and few digits, because two random registers rarely
/// give such a number. Then follow longer texts, other numbers with a fraction, whole numbers of a usual size, short
/// texts, and all others.
fn unlikeliness(value: &Value, words: &[u16], byte_order: Order) -> u32 {
    match value {
        Value::Text(t) => text_unlikeliness(t, words, byte_order),
        Value::Bool(_) => 80,
        Value::Real(r) => match r.abs() {
            0.0 => 40,
            x if (0.01..100_000.0).contains(&x) && digits(*r) <= FEW_DIGITS => 5,
            x if (0.01..100_000.0).contains(&x) => 10,
            x if (1e-4..1e7).contains(&x) => 30,
            _ => 70,
        },
        Value::Integer(i) => match i.unsigned_abs() {
            0 => 40,
            x if x < 20_000 => 20,
            x if x < 10_000_000 => 35,
            _ => 60,
        },
    }
}

/// The most digits that a measured value usually has, as in 230.2 or 1013.25.
const FEW_DIGITS: usize = 6;
/// The length from which a text is hardly a number that looks like a text by chance, in characters.
const TEXT_LENGTH_SURE: usize = 4;

/// Returns the number of digits from the first to the last digit that is not zero.
fn digits(r: f64) -> usize {
    let all: String = format!("{r}").chars().filter(char::is_ascii_digit).collect();
    all.trim_start_matches('0').trim_end_matches('0').len()
}

fn text_unlikeliness(text: &str, words: &[u16], byte_order: Order) -> u32 {
    let bytes = words.iter().flat_map(|w| match byte_order {
        Order::Big => w.to_be_bytes(),
        Order::Little => w.to_le_bytes(),
    });
    let is_followed = bytes.skip_while(|b| *b != 0).any(|b| b != 0);
    let reads = text.chars().all(|c| c.is_ascii_graphic() || c == ' ');
    match text.len() {
        _ if is_followed || !reads => 90,
        TEXT_LENGTH_SURE.. => 8,
        2.. => 25,
        _ => 90,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(words: &[u16], kind: &str, word_order: &str, value: &str) {
        let first = readings(words).into_iter().next().unwrap();
        assert_eq!(
            (first.kind.as_str(), first.word_order.as_str(), first.value.as_str()),
            (kind, word_order, value)
        );
    }

    #[test]
    fn the_likeliest_comes_first() {
        check(&[0x42F6, 0xE979], "f32", "big", "123.456");
        check(&[0xE979, 0x42F6], "f32", "little", "123.456");
        check(&[0x0929], "u16", "", "2345");
        check(&[0x4142, 0x4344, 0x4500], "string", "", "\"ABCDE\"");
        check(&[0x405E, 0xDD2F, 0x1A9F, 0xBE77], "f64", "big", "123.456");
        // The bytes of these numbers are letters too: 231.5 is "gC" with swapped bytes, 230.2 is "Cf33".
        check(&[0x4367, 0x8000], "f32", "big", "231.5");
        check(&[0x8000, 0x4367], "f32", "little", "231.5");
        check(&[0x4366, 0x3333], "f32", "big", "230.2");
        check(&[0x42C8, 0x0000], "f32", "big", "100");
        check(&[0x4248, 0x0000], "f32", "big", "50");
        check(&[0x447D, 0x5000], "f32", "big", "1013.25");
        check(&[0x4142, 0x4344], "string", "", "\"ABCD\"");
        check(&[0x5344, 0x4D36, 0x3330, 0], "string", "", "\"SDM630\"");
        check(&[0x4142], "u16", "", "16706");
    }
}
