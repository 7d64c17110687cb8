//! Authors of events: a person, or the gateway itself.

use serde::{Deserialize, Serialize};

use super::refusal::{Refusal, Rule};
use super::shown::{is_unshowable, shown};
use crate::limits;

/// The author of an event. In `open` mode andon records a given name together with the account that gave it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "who", rename_all = "kebab-case")]
pub enum Author {
    /// The gateway itself: detection, timers, start and stop.
    Gateway,
    /// A person, known by the account of the operating system. The peer credentials of the socket prove it.
    OsUser {
        /// The name of the account.
        name: String,
    },
    /// A person who gave this name with `--as`. Nothing proves it.
    Unproven {
        /// The name, as it was given.
        name: String,
        /// The account that gave the name; `None` if it is unknown, and in events of earlier versions.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        os_user: Option<String>,
    },
}

impl Author {
    /// Makes an author of a name that nothing proves.
    #[must_use]
    pub fn unproven(name: impl Into<String>) -> Self {
        Author::Unproven { name: name.into(), os_user: None }
    }

    /// The name of the author on screens.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Author::Gateway => "andon",
            Author::OsUser { name } | Author::Unproven { name, .. } => name,
        }
    }
}

/// Checks that a text can be the name of a person who acts or is assigned. A name has letters of any script, digits,
/// single spaces and `. _ - ' @`. It begins with a letter or digit. It does not look like `andon`, the name of the
/// gateway. Other names in journals of earlier versions are loaded unchanged.
///
/// # Errors
/// `people/bad-name`, with a remedy.
pub fn plain_name(name: &str) -> Result<(), Refusal> {
    let bad = |why: String| Err(Refusal::new(Rule::BadName, why));
    if name.len() > limits::PERSON_BYTES_MAX {
        let max = limits::PERSON_BYTES_MAX;
        return bad(format!("a name must have at most {max} bytes, not {}", name.len()))
            .map_err(|r| r.remedy("use a shorter name"));
    }
    let is_fine = |c: char| (c.is_alphanumeric() || is_mark(c) || " ._-'@".contains(c)) && !is_unshowable(c);
    if let Some(wrong) = name.chars().find(|c| !is_fine(*c)) {
        let wrong = shown(wrong.encode_utf8(&mut [0; 4])).into_owned();
        return bad(format!("the name \"{}\" must not contain {wrong}", shown(name)))
            .map_err(|r| r.remedy("write it with letters, digits, spaces and . _ - ' @ only"));
    }
    if !name.starts_with(char::is_alphanumeric) || name.ends_with(' ') || name.contains("  ") {
        return bad(format!(
            "the name \"{name}\" must begin with a letter or digit, and must not have a space at its end or two \
             spaces side by side"
        ))
        .map_err(|r| r.command("write the name without them", "andon --as 'Eva Meier' ..."));
    }
    let letters: String = name.chars().filter(|c| c.is_alphanumeric()).flat_map(latin).collect();
    if letters == "andon" {
        return bad(format!("the name \"{name}\" belongs to the gateway: no person can use it"))
            .map_err(|r| r.command("use your own name", "andon --as NAME ..."));
    }
    Ok(())
}

/// True for accents and vowel signs that follow a letter and are not letters in Unicode.
fn is_mark(c: char) -> bool {
    matches!(u32::from(c),
        // Combining accents; Hebrew and Arabic points.
        0x0300..=0x036F | 0x0591..=0x05BD | 0x064B..=0x0652
        // The virama and nukta of the scripts of India.
        | 0x093C | 0x094D | 0x09BC | 0x09CD | 0x0A3C | 0x0A4D | 0x0ABC | 0x0ACD | 0x0B3C | 0x0B4D | 0x0BCD
        | 0x0C4D | 0x0CBC | 0x0CCD | 0x0D4D | 0x0DCA
        // Tone marks of Thai, Lao, Burmese and Khmer.
        | 0x0E47..=0x0E4E | 0x0EC8..=0x0ECE | 0x1037..=0x103A | 0x17C9..=0x17D3)
}

/// Returns a letter in lower case. A letter that looks like a Latin letter of `andon` becomes that letter.
fn latin(c: char) -> Option<char> {
    let c = c.to_lowercase().next()?;
    Some(match c {
        'а' | 'α' | 'ɑ' | 'ａ' => 'a',
        'ո' | 'ｎ' => 'n',
        'ԁ' | 'ｄ' => 'd',
        'о' | 'ο' | 'օ' | 'ｏ' | '0' => 'o',
        other => other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(name: &str) {
        let refusal = plain_name(name).expect_err(name);
        assert_eq!(refusal.rule, Rule::BadName, "{name:?}");
        assert!(!refusal.message.chars().any(is_unshowable), "{name:?}: {}", refusal.message);
        assert!(!refusal.remedies.is_empty(), "{name:?}");
    }

    #[test]
    fn names_of_people_are_names() {
        for name in [
            "eva",
            "Eva Meier",
            "J. O'Neill-Smith",
            "e.meier@example.com",
            "uid-1234",
            "Łukasz Żółw",
            "Jose\u{301}",
            "श्रीनिवास",
            "สมชาย ใจดี",
            "王小明",
            "محمد علي",
            "demo technician",
            "andonis",
            "2nd shift",
        ] {
            assert_eq!(plain_name(name), Ok(()), "{name}");
        }
    }

    #[test]
    fn what_is_no_plain_name_is_refused() {
        for name in [
            "eva\u{1b}[2J",
            "eva\0",
            "eva\nandon",
            "\u{202e}ave",
            "eva\u{200b}",
            "eva\u{3164}",
            "\u{115f}eva",
            " eva",
            "eva ",
            "eva  meier",
            "\u{301}eva",
            "-eva",
            "",
            "eva<b>",
            "eva\u{a0}meier",
            &"e".repeat(limits::PERSON_BYTES_MAX + 1),
        ] {
            refused(name);
        }
        assert_eq!(plain_name(&"e".repeat(limits::PERSON_BYTES_MAX)), Ok(()));
    }

    #[test]
    fn nobody_is_called_like_the_gateway() {
        for name in
            ["andon", "Andon", "ANDON", "a n d o n", "an-don", "and0n", "аndоn", "ａｎｄｏｎ", "andon."]
        {
            refused(name);
        }
    }
}
