//! Reading of the type of a point, and the checks of all keys that depend on it.

use super::address::{Area, RegisterAddress};
use super::data_type::{DataType, TypeWord, type_word};
use super::model::Point;
use super::place::{Place, Protocol};
use crate::limits;
use crate::source::Section;

/// Returns the type of a word: a word of profiles, or a word with the same meaning in every program.
pub(super) fn known_type(word: &str) -> Option<DataType> {
    let own = |word: &str| match word {
        "string" => Some(DataType::Text { registers: 1 }),
        word => DataType::WORDS.iter().find(|(w, _)| *w == word).map(|(_, kind)| *kind),
    };
    own(word).or_else(|| match type_word(word)? {
        TypeWord::Means(word) => own(word),
        TypeWord::Perhaps(_) => None,
    })
}

fn read_type(s: &Section<'_>) -> Option<DataType> {
    let text = s.text("type");
    let text = s.required("type", "\"u16\"", text)?;
    if let Some(kind) = known_type(&text.value) {
        return Some(kind);
    }
    if let Some(TypeWord::Perhaps(word)) = type_word(&text.value) {
        s.error_with_help(
            text.span,
            format!("type \"{}\" means different types in different programs", text.value),
            "",
            format!("did you mean \"{word}\"? see the device's manual for its width and sign"),
        );
        return None;
    }
    let mut words = DataType::WORDS.to_vec();
    words.push(("string", DataType::Text { registers: 1 }));
    s.choice("type", &words).map(|found| found.value)
}

/// Reads `characters_per_register = 1`: each register of a text holds one character.
pub(super) fn read_characters(s: &Section<'_>, kind: Option<DataType>) -> bool {
    let Some(n) = s.integer_between("characters_per_register", 1, 2) else { return false };
    if kind.is_some_and(|k| !matches!(k, DataType::Text { .. })) {
        s.error(n.span, "characters_per_register can only be used with a string", "");
    }
    n.value == 1
}

pub(super) fn read_kind(s: &Section<'_>, place: Option<&Place>) -> Option<DataType> {
    let found = read_type(s)?;
    if !matches!(found, DataType::Text { .. }) {
        return Some(found);
    }
    if let Some(Place::Register(RegisterAddress { area: Area::Identification, .. })) = place {
        return Some(DataType::Text { registers: limits::IDENTIFICATION_REGISTERS });
    }
    if place.is_some_and(|p| p.protocol() != Protocol::Modbus) {
        return Some(DataType::Text { registers: 0 });
    }
    let length = s.integer_between("length", 1, 2 * i128::from(limits::REGISTERS_MAX));
    let length = s.required("length", "16  (characters, two a register)", length)?;
    let one = s.integer("characters_per_register").is_some_and(|n| n.value == 1);
    let registers = if one { length.value } else { (length.value + 1) / 2 };
    if registers > i128::from(limits::REGISTERS_MAX) {
        let message = format!("a text must take at most {} registers", limits::REGISTERS_MAX);
        s.error(length.span, message, format!("this takes {registers}"));
        return None;
    }
    Some(DataType::Text { registers: u16::try_from(registers).ok()? })
}

/// Checks that the other keys of a point fit its type.
pub(super) fn check_kind(s: &Section<'_>, kind: DataType, point: &Point) {
    let span = s.key_span("type");
    let address = point.register();
    let is_bits = address.is_some_and(|a| a.area.is_bits());
    if address.is_some_and(|a| a.area == Area::Identification) && !matches!(kind, DataType::Text { .. }) {
        s.error(span, "an identification must have type \"string\"", "");
    } else if let Some(address) = address
        && is_bits
        && kind != DataType::Bool
    {
        s.error(span, format!("a {} must have type \"bool\"", address.area.word()), "");
    } else if address.is_some_and(|a| u32::from(a.number) + u32::from(kind.registers()) > 65_536) {
        s.error(span, "the value reaches beyond register 65535", "");
    } else if !kind.is_number() && (s.has("scale") || s.has("offset") || s.has("scale_from")) {
        s.error(span, format!("a {} cannot be scaled", kind.word()), "");
    } else if matches!(kind, DataType::Enum16 | DataType::Enum32) && point.values.is_empty() {
        s.error_with_help(
            span,
            "an enum needs names for its values",
            "",
            "add: values = { 0 = \"off\", 1 = \"on\" }",
        );
    } else if point.bit.is_some()
        && (kind != DataType::Bool
            || is_bits
            || !(address.is_some() || matches!(point.place, Place::Bytes { .. })))
    {
        s.error(s.key_span("bit"), "bit selects one bit of a register, and the type must be \"bool\"", "");
    }
    let width = u32::from(kind.registers()) * 16;
    let is_whole = !matches!(kind, DataType::Bool | DataType::Text { .. }) && !kind.is_float();
    let cuts = ["mask", "shift"].into_iter().find(|key| s.has(key));
    if let Some(key) =
        cuts.filter(|_| !is_whole || !(address.is_some() || matches!(point.place, Place::Bytes { .. })))
    {
        s.error(s.key_span(key), format!("{key} can only be used with a whole number"), "");
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
