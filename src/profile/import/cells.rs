//! Cells of a register list as people write them: registers, areas, types, orders, scales, names of values.

use crate::profile::{Area, DataType, TypeWord, type_word};

/// A number as manuals write it: `4096`, `0x1000`, `1000h`, `16#1000`; hexadecimal throughout where the column says so.
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

/// The first number of a cell, and a bit behind a point: `40001`, `100-101`, `400001.5`, `4096 (0x1000)`.
pub(super) fn address(text: &str, is_hex: bool) -> Option<(u64, Option<u64>)> {
    let first = text.trim().split(|c: char| c.is_whitespace() || "-~/,;:(".contains(c)).next()?;
    let (register, bit) = match first.split_once('.') {
        Some((register, bit)) => (register, Some(bit)),
        None => (first, None),
    };
    let bit = match bit.filter(|b| !b.is_empty()) {
        None => None,
        Some(bit) => Some(bit.parse().ok()?),
    };
    Some((number(register, is_hex)?, bit))
}

/// An area by its word, its function or the digit in front: `Holding Register`, `3`, `fc04`, `4x`.
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
            // `03 Read Holding Registers (4x)`, `Modbus Holding`.
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

/// A type, what its word says of a text's length in characters, and whether its words are swapped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Kind {
    pub word: &'static str,
    pub characters: Option<u64>,
    pub is_swapped: bool,
}

/// The type of a cell; `registers` tells the width where the word does not.
///
/// # Errors
/// What was meant, perhaps.
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
            "type {text} means different types in different programs; say which: --type \"{text}={word}\", perhaps"
        )),
        (None, _) => {
            Err(format!("type {text} is not known; say which it is: --type \"{text}=u16\", for example"))
        }
    }
}

/// A type that is described: `Unsigned Int 16`, `INT32U`, `float32 swapped`, `STR(16)`, `16-bit signed`.
fn described(lower: &str) -> Option<Kind> {
    let digits: Vec<u64> =
        lower.split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse().ok()).collect();
    let has = |parts: &[&str]| parts.iter().any(|p| lower.contains(p));
    if has(&["string", "ascii", "char", "text", "utf"]) || lower.starts_with("str") {
        let characters = digits.iter().copied().find(|n| *n != 8 || digits.len() == 1 && !has(&["utf"]));
        return Some(Kind { word: "string", characters, is_swapped: false });
    }
    // 16, 32 or 64 bits; `2 x 16`, `uint16[4]` and dates are none of them.
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

/// Word order and byte order of a cell: `big`, `little`, `CDAB`, `lsw first`; nothing for a word that is none.
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

/// A factor: `0.1`, `0,1`, `1/10`, `/10`, `x10`, `10^-1`.
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

/// `0=off|1=on`, also with `:` and other separators; a piece without a number belongs to the name before it.
pub(super) fn names(text: &str) -> Option<Vec<(u64, String)>> {
    let mut out: Vec<(u64, String)> = Vec::new();
    for piece in text.split([',', '|', ';', '\n']) {
        let pair = piece.split_once(['=', ':']).and_then(|(n, name)| Some((number(n, false)?, name.trim())));
        match (pair, out.last_mut()) {
            (Some((n, name)), _) => out.push((n, name.to_owned())),
            (None, Some((_, name))) => name.push_str(&format!(", {}", piece.trim())),
            (None, None) => return None,
        }
    }
    (!out.is_empty()).then_some(out)
}

/// A unit as profiles write it; nothing for the ways to write none.
pub(super) fn unit(text: &str) -> Option<String> {
    let text = text.trim();
    match text.to_lowercase().as_str() {
        "" | "-" | "--" | "n/a" | "na" | "none" | "null" | "n.a." => None,
        "°c" | "℃" | "ºc" => Some("degC".to_owned()),
        "°f" | "℉" | "ºf" => Some("degF".to_owned()),
        _ => Some(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_addresses_as_manuals_write_them() {
        for (text, is_hex, expected) in [
            ("4096", false, Some((4096, None))),
            ("0x1000", false, Some((4096, None))),
            ("1000h", false, Some((4096, None))),
            ("16#1000", false, Some((4096, None))),
            ("1000", true, Some((4096, None))),
            ("100-101", false, Some((100, None))),
            ("100..101", false, None),
            ("400001.5", false, Some((400_001, Some(5)))),
            ("4096 (0x1000)", false, Some((4096, None))),
            ("abc", false, None),
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
        assert_eq!(unit("°C").as_deref(), Some("degC"));
        assert_eq!(unit("n/a"), None);
        let named =
            |t: &str| names(t).map(|n| n.into_iter().map(|(n, t)| format!("{n} {t}")).collect::<Vec<_>>());
        assert_eq!(named("0=off|1=on, slow"), Some(vec!["0 off".to_owned(), "1 on, slow".to_owned()]));
        assert_eq!(named("0: Off; 1: On"), Some(vec!["0 Off".to_owned(), "1 On".to_owned()]));
        assert_eq!(named("off and on"), None);
    }
}
