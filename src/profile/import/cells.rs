//! Reading of the cells of a register list, in the forms that people use: registers, areas, types, orders, scales,
//! names of values.

use crate::profile::{Area, DataType, TypeWord, type_word};

/// Reads a number in a form of manuals: `4096`, `0x1000`, `1000h`, `16#1000`. If the name of the column says so
/// (`is_hex`), all numbers are hexadecimal.
pub(super) fn number(text: &str, is_hex: bool) -> Option<u64> {
    let text = text.trim();
    let lower = text.to_ascii_lowercase();
    let hex = ["0x", "16#", "&h", "$"]
        .iter()
        .find_map(|prefix| lower.strip_prefix(prefix))
        .or_else(|| lower.strip_suffix('h').filter(|t| !t.is_empty()));
    match hex {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None if is_hex => u64::from_str_radix(&lower, 16).ok(),
        None => text.parse().ok(),
    }
}

/// The register in a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub number: u64,
    pub bit: Option<u64>,
    /// The number of registers, if the cell also names the last one.
    pub count: Option<u64>,
}

/// Reads a register, with or without a bit after a point or the last register of a range: `40001`, `63-64`, `3~7`,
/// `400001.5`, `4096 (0x1000)`.
pub(super) fn address(text: &str, is_hex: bool) -> Option<Place> {
    let text = text.trim();
    let is_digit = |c: char| c.is_ascii_alphanumeric() || "#&$".contains(c);
    let end = text.find(|c: char| !is_digit(c)).unwrap_or(text.len());
    let (first, rest) = text.split_at(end);
    let start = number(first, is_hex)?;
    let rest = rest.trim();
    let range = ["..", "~", "-", "–", "to ", "/"].iter().find_map(|mark| rest.strip_prefix(mark));
    if let Some(last) = range {
        let last = last.split(|c: char| !is_digit(c) && !c.is_whitespace()).next().unwrap_or("");
        let count = number(last, is_hex)?.checked_sub(start)? + 1;
        return Some(Place { number: start, bit: None, count: Some(count) });
    }
    let bit = match rest.strip_prefix('.') {
        Some(bit) => Some(bit.trim_start_matches(['b', 'B']).parse().ok()?),
        None if rest.is_empty() || rest.starts_with(['(', ',', '[']) => None,
        None => return None,
    };
    Some(Place { number: start, bit, count: None })
}

/// Reads an area by its word, its function, or the first digit of its numbers: `Holding Register`, `3`, `fc04`, `4x`.
pub(super) fn area(text: &str) -> Option<Area> {
    let word: String = text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    let of = |word: &str| {
        Some(match word {
            "coil" | "coils" | "co" | "c" | "0x" | "0xxxx" | "do" | "digitaloutput" | "readcoils" => {
                Area::Coil
            }
            "discrete" | "discretes" | "di" | "1x" | "1xxxx" | "contact" | "contacts" | "status"
            | "inputstatus" | "digitalinput" | "readdiscreteinputs" => Area::Discrete,
            "input" | "inputs" | "ir" | "i" | "3x" | "3xxxx" | "ai" | "analoginput"
            | "readinputregisters" => Area::Input,
            "holding"
            | "holdings"
            | "hr"
            | "h"
            | "4x"
            | "4xxxx"
            | "ao"
            | "analogoutput"
            | "readholdingregisters" => Area::Holding,
            _ => return None,
        })
    };
    let by_function = |digits: &str| match digits.parse() {
        Ok(1) => Some(Area::Coil),
        Ok(2) => Some(Area::Discrete),
        Ok(3) => Some(Area::Holding),
        Ok(4) => Some(Area::Input),
        Ok(_) | Err(_) => None,
    };
    if word.starts_with("discreteinput") {
        return Some(Area::Discrete);
    }
    let stem = word.trim_end_matches("registers").trim_end_matches("register");
    let function =
        ["functioncode", "function", "fc", "fn", "f", "0x"].iter().find_map(|p| word.strip_prefix(p));
    of(&word)
        .or_else(|| of(stem))
        .or_else(|| function.and_then(by_function))
        .or_else(|| by_function(&word))
        .or_else(|| {
            // Other texts are searched for the word: `03 Read Holding Registers (4x)`, `Modbus Holding`.
            let lower = text.to_lowercase();
            let has = |w: &str| lower.contains(w);
            match (has("holding"), has("discrete"), has("coil"), has("input")) {
                (true, false, false, false) => Some(Area::Holding),
                (false, true, false, _) => Some(Area::Discrete),
                (false, false, true, false) => Some(Area::Coil),
                (false, false, false, true) => Some(Area::Input),
                _ => None,
            }
        })
}

/// The type in a cell, the number of characters of a text, and whether the word order is swapped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Kind {
    pub word: &'static str,
    pub characters: Option<u64>,
    pub is_swapped: bool,
}

/// Reads the type in a cell. `registers` gives the width if the word does not.
///
/// # Errors
/// A sentence that proposes a type.
pub(super) fn kind(text: &str, registers: Option<u64>) -> Result<Kind, String> {
    let lower = text.trim().to_lowercase();
    let plain = |word: &'static str| Kind { word, characters: None, is_swapped: false };
    if lower == "string" {
        return Ok(plain("string"));
    }
    if let Some((word, _)) = DataType::WORDS.iter().find(|(word, _)| *word == lower) {
        return Ok(plain(word));
    }
    let perhaps = match type_word(&lower) {
        Some(TypeWord::Means(word)) => return Ok(plain(word)),
        Some(TypeWord::Perhaps(word)) => Some(word),
        None => None,
    };
    if let Some(kind) = described(&lower) {
        return Ok(kind);
    }
    let wide = |word: &str, n: u64| match (word.chars().next(), n) {
        (Some('u'), 1) => Some("u16"),
        (Some('u'), 2) => Some("u32"),
        (Some('u'), 4) => Some("u64"),
        (Some('i'), 1) => Some("i16"),
        (Some('i'), 2) => Some("i32"),
        (Some('i'), 4) => Some("i64"),
        _ => None,
    };
    match (perhaps, registers) {
        (Some("string"), _) => Ok(plain("string")),
        (Some(word), Some(n)) if wide(word, n).is_some() => Ok(plain(wide(word, n).unwrap_or(word))),
        (Some(word), _) => Err(format!(
            "type {text} means different types in different programs; if it is {word} here, add --type \"{text}={word}\""
        )),
        (None, _) => {
            Err(format!("type {text} is unknown; add its meaning, for example --type \"{text}=u16\""))
        }
    }
}

/// Reads a type from a description: `Unsigned Int 16`, `INT32U`, `float32 swapped`, `STR(16)`, `16-bit signed`.
fn described(lower: &str) -> Option<Kind> {
    let digits: Vec<u64> =
        lower.split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse().ok()).collect();
    let has = |parts: &[&str]| parts.iter().any(|p| lower.contains(p));
    if has(&["string", "ascii", "char", "text", "utf"]) || lower.starts_with("str") {
        let characters = digits.iter().copied().find(|n| *n != 8 || digits.len() == 1 && !has(&["utf"]));
        return Some(Kind { word: "string", characters, is_swapped: false });
    }
    // The description must have one width. `2 x 16`, `uint16[4]` and dates are not supported.
    let widths: Vec<u64> = digits.iter().copied().filter(|n| [8, 16, 24, 32, 64].contains(n)).collect();
    let [width] = *widths.as_slice() else { return None };
    if digits.iter().any(|n| *n != width && *n > 4) || has(&["date", "time", "[", "array", "ip"]) {
        return None;
    }
    let is_float = has(&["float", "real", "ieee", "fp", "single", "double"]) || lower.starts_with('f');
    let is_unsigned = has(&["uns", "uint", "ui"]) || lower.starts_with('u') || lower.ends_with('u');
    let is_signed = has(&["sign", "int", "sint"]) || lower.starts_with(['s', 'i']);
    let word = match (width, is_float, is_unsigned, is_signed) {
        (32, true, ..) => "f32",
        (64, true, ..) => "f64",
        (_, true, ..) => return None,
        (16, ..) if has(&["bitfield", "bitmap", "bitmask", "bit field", "flags"]) => "bits16",
        (32, ..) if has(&["bitfield", "bitmap", "bitmask", "bit field", "flags"]) => "bits32",
        (16, ..) if has(&["bcd"]) => "bcd16",
        (32, ..) if has(&["bcd"]) => "bcd32",
        (16, ..) if has(&["enum"]) => "enum16",
        (32, ..) if has(&["enum"]) => "enum32",
        (8, _, true, _) => "u8",
        (8, _, _, true) => "i8",
        (16, _, true, _) => "u16",
        (16, _, _, true) => "i16",
        (24, _, true, _) => "u24",
        (24, _, _, true) => "i24",
        (32, _, true, _) => "u32",
        (32, _, _, true) => "i32",
        (64, _, true, _) => "u64",
        (64, _, _, true) => "i64",
        _ => return None,
    };
    Some(Kind { word, characters: None, is_swapped: has(&["swap", "cdab", "lsw first", "low word first"]) })
}

/// Reads the word order and byte order of a cell: `big`, `little`, `CDAB`, `lsw first`; `None` for an unknown word.
pub(super) fn orders(text: &str) -> Option<(&'static str, &'static str)> {
    let word: String = text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    Some(match word.as_str() {
        "big" | "be" | "bigendian" | "abcd" | "ab" | "none" | "no" | "false" | "0" | "mswfirst"
        | "highwordfirst" | "hilo" | "msw" | "1234" | "12" | "highlow" | "bebe" => ("big", "big"),
        "little" | "cdab" | "swap" | "swapped" | "word" | "wordswap" | "yes" | "true" | "1" | "lswfirst"
        | "lowwordfirst" | "lohi" | "lsw" | "littleswap" | "3412" | "lowhigh" | "bele" => ("little", "big"),
        "badc" | "byte" | "byteswap" | "bigswap" | "2143" | "ba" => ("big", "little"),
        "dcba" | "le" | "littleendian" | "wordbyte" | "4321" | "lele" => ("little", "little"),
        _ => return None,
    })
}

/// Reads a factor: `0.1`, `0,1`, `1/10`, `/10`, `x10`, `10^-1`.
pub(super) fn factor(text: &str) -> Option<f64> {
    let text = text.trim().trim_start_matches(['x', 'X', '*', '×']).trim();
    let real = |t: &str| t.trim().replace(',', ".").parse::<f64>().ok();
    let found = match (text.split_once('/'), text.split_once('^')) {
        (Some((above, below)), _) => {
            let above = if above.trim().is_empty() { Some(1.0) } else { real(above) };
            above? / real(below)?
        }
        (None, Some((base, power))) => {
            let power: i32 = power.trim().parse().ok()?;
            if power < 0 { 1.0 / real(base)?.powi(-power) } else { real(base)?.powi(power) }
        }
        (None, None) => real(text)?,
    };
    (found.is_finite() && found != 0.0).then_some(found)
}

/// Reads names of values: `0=off|1=on`, also with `:` or other separators, as JSON, or without separators, as in
/// `0: Stop 1: Run`.
pub(super) fn names(text: &str) -> Option<Vec<(u64, String)>> {
    let plain: String = text.chars().map(|c| if "{}\"\n\r\t".contains(c) { ' ' } else { c }).collect();
    // For each number that is followed by `=` or `:`: its position, the position of its name, and the number.
    let mut marks: Vec<(usize, usize, u64)> = Vec::new();
    let mut at = 0;
    for word in plain.split_inclusive([' ', ',', ';', '|', '=', ':']) {
        let (begin, end) = (at, at + word.len());
        at = end;
        let bare = word.trim_end_matches([' ', '=', ':']);
        let Some(n) = number(bare, false) else { continue };
        let rest = plain.get(begin + bare.len()..).unwrap_or("").trim_start();
        if let Some(name) = rest.strip_prefix(['=', ':']) {
            marks.push((begin, plain.len() - name.len(), n));
        }
    }
    let first = marks.first()?.0;
    if !plain.get(..first)?.trim().is_empty() {
        return None;
    }
    let ends = marks.iter().skip(1).map(|(begin, _, _)| *begin).chain([plain.len()]);
    let name = |from: usize, until: usize| {
        plain.get(from..until).unwrap_or("").trim().trim_end_matches([',', ';', '|']).trim().to_owned()
    };
    Some(marks.iter().zip(ends).map(|((_, from, n), until)| (*n, name(*from, until))).collect())
}

/// Reads a unit of measure. Some lists put a factor before it: `0.1kWh`. Words for "no unit" give `None`.
pub(super) fn unit(text: &str) -> (Option<f64>, Option<String>) {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.' && c != ',').unwrap_or(text.len());
    let (number, rest) = text.split_at(digits);
    let factor = number.replace(',', ".").parse().ok().filter(|f: &f64| *f != 0.0 && f.is_finite());
    let rest = if factor.is_some() { rest.trim() } else { text };
    let unit = match rest.to_lowercase().as_str() {
        "" | "none" | "null" | "n.a." => None,
        "°c" | "℃" | "ºc" => Some("degC".to_owned()),
        "°f" | "℉" | "ºf" => Some("degF".to_owned()),
        _ => Some(rest.to_owned()),
    };
    (factor, unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_addresses_as_manuals_write_them() {
        let place = |number, bit, count| Some(Place { number, bit, count });
        for (text, is_hex, expected) in [
            ("4096", false, place(4096, None, None)),
            ("0x1000", false, place(4096, None, None)),
            ("1000h", false, place(4096, None, None)),
            ("16#1000", false, place(4096, None, None)),
            ("1000", true, place(4096, None, None)),
            ("100-101", false, place(100, None, Some(2))),
            ("3~7", false, place(3, None, Some(5))),
            ("33004 - 33019", false, place(33_004, None, Some(16))),
            ("100..103", false, place(100, None, Some(4))),
            ("400001.5", false, place(400_001, Some(5), None)),
            ("4096 (0x1000)", false, place(4096, None, None)),
            ("7-3", false, None),
            ("abc", false, None),
            ("12 and 13", false, None),
            ("", false, None),
        ] {
            assert_eq!(address(text, is_hex), expected, "{text}");
        }
    }

    #[test]
    fn areas_in_many_words() {
        for (text, expected) in [
            ("holding", Area::Holding),
            ("Holding Register", Area::Holding),
            ("HOLDING_REGISTERS", Area::Holding),
            ("3", Area::Holding),
            ("03", Area::Holding),
            ("FC03", Area::Holding),
            ("0x03", Area::Holding),
            ("4x", Area::Holding),
            ("4", Area::Input),
            ("04 - Read Input Registers", Area::Input),
            ("3x", Area::Input),
            ("Input Register", Area::Input),
            ("Discrete Input", Area::Discrete),
            ("DISCRETES_INPUT", Area::Discrete),
            ("coils", Area::Coil),
            ("1", Area::Coil),
        ] {
            assert_eq!(area(text), Some(expected), "{text}");
        }
        for text in ["", "meter", "17", "holding or input"] {
            assert_eq!(area(text), None, "{text}");
        }
    }

    #[test]
    fn types_in_many_words() {
        for (text, expected) in [
            ("uint32", "u32"),
            ("INT16", "i16"),
            ("Float32", "f32"),
            ("FLOAT", "f32"),
            ("Double", "f64"),
            ("Word", "u16"),
            ("DWord", "u32"),
            ("INT32U", "u32"),
            ("Unsigned Int 16", "u16"),
            ("16-bit signed integer", "i16"),
            ("unsigned 32 bit", "u32"),
            ("32 bit float", "f32"),
            ("float32 swapped", "f32"),
            ("bitfield16", "bits16"),
            ("S64", "i64"),
            ("boolean", "bool"),
        ] {
            assert_eq!(kind(text, None).map(|k| k.word), Ok(expected), "{text}");
        }
        assert_eq!(kind("string(16)", None).map(|k| k.characters), Ok(Some(16)));
        assert_eq!(kind("STR16", None).map(|k| (k.word, k.characters)), Ok(("string", Some(16))));
        assert_eq!(kind("UTF8", None).map(|k| (k.word, k.characters)), Ok(("string", None)));
        assert!(kind("float32_swap", None).is_ok_and(|k| k.is_swapped));
        assert_eq!(kind("int", Some(2)).map(|k| k.word), Ok("i32"));
        for text in ["int", "Long", "DATETIME", "uint16[4]", "IPV4", "colour", ""] {
            assert!(kind(text, None).is_err(), "{text}");
        }
    }

    #[test]
    fn factors_orders_units_and_names() {
        for (text, expected) in [
            ("0.1", 0.1),
            ("0,1", 0.1),
            ("1/10", 0.1),
            ("/10", 0.1),
            ("x10", 10.0),
            ("10^-1", 0.1),
            ("10^2", 100.0),
        ] {
            assert!(factor(text).is_some_and(|f| (f - expected).abs() < 1e-12), "{text}");
        }
        assert!(["", "0", "ten", "1/0", "nan"].iter().all(|t| factor(t).is_none()));
        assert_eq!(orders("CDAB"), Some(("little", "big")));
        assert_eq!(orders("middle"), None);
        assert_eq!(unit("°C"), (None, Some("degC".to_owned())));
        assert_eq!(unit("0.1kWh"), (Some(0.1), Some("kWh".to_owned())));
        assert_eq!(unit("1"), (Some(1.0), None));
        assert_eq!(unit("none"), (None, None));
        let named =
            |t: &str| names(t).map(|n| n.into_iter().map(|(n, t)| format!("{n} {t}")).collect::<Vec<_>>());
        assert_eq!(named("0=off|1=on, slow"), Some(vec!["0 off".to_owned(), "1 on, slow".to_owned()]));
        assert_eq!(named("0: Off; 1: On"), Some(vec!["0 Off".to_owned(), "1 On".to_owned()]));
        assert_eq!(named("0: Stop 1: Run"), Some(vec!["0 Stop".to_owned(), "1 Run".to_owned()]));
        let json = "{\"0\":\"Open\",\"1\":\"Half open\"}";
        assert_eq!(named(json), Some(vec!["0 Open".to_owned(), "1 Half open".to_owned()]));
        assert_eq!(named("0-65535"), None);
        assert_eq!(named("off and on"), None);
        assert_eq!(named("mode 0=off"), None);
    }
}
