//! Reading of `[modbus] accept`: deviations from the standard, allowed for a device that is alone on its line.

use crate::source::Section;

/// Answers that andon accepts although they do not identify their request. Each deviation is a risk: andon can then
/// accept a late answer, or an answer of another device, as the answer to its request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Accept {
    /// Accept the unit id 0 in answers.
    pub unit_0: bool,
    /// Accept the unit id 255 in answers.
    pub unit_255: bool,
    /// Accept any transaction id in answers, on Modbus TCP.
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

    /// True if a deviation is accepted.
    #[must_use]
    pub fn is_any(self) -> bool {
        self != Self::default()
    }

    /// Returns the unit id to which an answer belongs: `asked` if the answer has an accepted id, else its own `unit`.
    #[must_use]
    pub fn unit(self, unit: u8, asked: u8) -> u8 {
        if (unit == 0 && self.unit_0) || (unit == 255 && self.unit_255) { asked } else { unit }
    }

    /// Describes the risk, as a sentence.
    #[must_use]
    pub fn weakness(self) -> String {
        let mut what = Vec::new();
        if self.unit_0 || self.unit_255 {
            what.push("answers without the right unit id are accepted");
        }
        if self.any_transaction {
            what.push("answers without the right transaction id are accepted, so a late answer can be taken for the next one");
        }
        what.join("; ")
    }
}
