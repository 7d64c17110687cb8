//! Decoding of text files with any encoding.

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// The number of bytes at the start of a file that show whether it is UTF-16 without a byte order mark.
const LOOKED_AT: usize = 1024;

/// Returns the encoding of a file by its first bytes; `None` for UTF-8. A file that is not UTF-8 or UTF-16 counts as
/// Windows-1252.
#[must_use]
pub fn encoding_of(begin: &[u8], is_whole: bool) -> Option<&'static Encoding> {
    if let Some((encoding, _)) = Encoding::for_bom(begin) {
        return (encoding != encoding_rs::UTF_8).then_some(encoding);
    }
    let looked = begin.get(..begin.len().min(LOOKED_AT)).unwrap_or(begin);
    let zeros = |from: usize| looked.iter().skip(from).step_by(2).filter(|b| **b == 0).count();
    let (high_first, low_first) = (zeros(0), zeros(1));
    if high_first + low_first > looked.len() / 4 {
        return Some(if low_first > high_first { UTF_16LE } else { UTF_16BE });
    }
    match std::str::from_utf8(begin) {
        Ok(_) => None,
        // If only the beginning was read, the last character can be incomplete.
        Err(e) if !is_whole && e.error_len().is_none() => None,
        Err(_) => Some(WINDOWS_1252),
    }
}

/// Decodes a file. Returns its text, and the name of its encoding if that is not UTF-8.
#[must_use]
pub fn text_of(bytes: &[u8]) -> (String, Option<&'static str>) {
    match encoding_of(bytes, true) {
        None => (encoding_rs::UTF_8.decode(bytes).0.into_owned(), None),
        Some(encoding) => (encoding.decode(bytes).0.into_owned(), Some(encoding.name())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], text: &str, encoding: Option<&str>) {
        assert_eq!(text_of(bytes), (text.to_owned(), encoding.map(|e| e as &str).and_then(known)));
    }

    fn known(name: &str) -> Option<&'static str> {
        Encoding::for_label(name.as_bytes()).map(Encoding::name)
    }

    #[test]
    fn the_encodings_that_spreadsheets_write() {
        check("Température;°C".as_bytes(), "Température;°C", None);
        check("\u{feff}a;b".as_bytes(), "a;b", None);
        check(b"Temp\xe9rature;\xb0C;\x80", "Température;°C;€", Some("windows-1252"));
        let utf16: Vec<u8> = "name;°C\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        check(&utf16, "name;°C\n", Some("UTF-16LE"));
        check(&[&[0xFF, 0xFE], utf16.as_slice()].concat(), "name;°C\n", Some("UTF-16LE"));
        let utf16: Vec<u8> = "name;°C\n".encode_utf16().flat_map(u16::to_be_bytes).collect();
        check(&utf16, "name;°C\n", Some("UTF-16BE"));
        check(b"", "", None);
        assert_eq!(
            encoding_of("a\u{e9}".as_bytes().get(..2).unwrap(), false),
            None,
            "cut within a character"
        );
    }
}
