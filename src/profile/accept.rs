//! What a Modbus device may do against the standard where it is the only one on its line: `[modbus] accept`.

use crate::source::Section;

/// Answers that are accepted although they do not say whose they are. Each is a weakness: a late answer, or one of
/// another device, is then taken for the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Accept {
    /// The unit id 0 in answers.
    pub unit_0: bool,
    /// The unit id 255 in answers.
    pub unit_255: bool,
    /// Any transaction id in answers, on Modbus TCP.
    pub any_transaction: bool,
}

const WORDS: [&str; 3] = ["unit 0", "unit 255", "any transaction"];

impl Accept {
    /// Reads `accept = ["unit 0", "any transaction"]`.
    pub(super) fn read(s: &Section<'_>) -> Self {
        let mut out = Self::default();
        for text in s.texts("accept") {
            match text.value.as_str() {
                "unit 0" => out.unit_0 = true,
                "unit 255" => out.unit_255 = true,
                "any transaction" => out.any_transaction = true,
                other => {
                    let help = s.suggest(other, WORDS).or_known();
                    s.error_with_help(text.span, format!("\"{other}\" cannot be accepted"), "", help);
                }
            }
        }
        out
    }

    /// Whether anything is accepted.
    #[must_use]
    pub fn is_any(self) -> bool {
        self != Self::default()
    }

    /// The unit for which an answer counts that names `unit`, where `asked` was asked.
    #[must_use]
    pub fn unit(self, unit: u8, asked: u8) -> u8 {
        if (unit == 0 && self.unit_0) || (unit == 255 && self.unit_255) { asked } else { unit }
    }

    /// What it weakens, as a sentence.
    #[must_use]
    pub fn weakness(self) -> String {
        let mut what = Vec::new();
        if self.unit_0 || self.unit_255 {
            what.push("answers that do not name their unit are accepted");
        }
        if self.any_transaction {
            what.push("answers that do not name their transaction are accepted, and a late one may be taken for the next");
        }
        what.join("; ")
    }
}
