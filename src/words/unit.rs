//! Units of measure. They exist to refuse the sum of volts and amperes.

use std::collections::BTreeMap;
use std::fmt;

/// A product of unit words with exponents, such as `V`, `V*A` or `m/s`; empty for a pure number.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Unit(BTreeMap<String, i8>);

impl Unit {
    /// Reads a unit word of a profile. An empty word is a pure number. The word itself is not analysed: `m/s` is one
    /// word.
    #[must_use]
    pub fn parse(word: &str) -> Self {
        let mut unit = BTreeMap::new();
        if !word.trim().is_empty() {
            unit.insert(word.trim().to_owned(), 1);
        }
        Self(unit)
    }

    /// True for a pure number.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the unit of a product.
    #[must_use]
    pub fn times(&self, other: &Unit) -> Unit {
        self.combine(other, 1)
    }

    /// Returns the unit of a quotient.
    #[must_use]
    pub fn per(&self, other: &Unit) -> Unit {
        self.combine(other, -1)
    }

    fn combine(&self, other: &Unit, sign: i8) -> Unit {
        let mut out = self.0.clone();
        for (word, power) in &other.0 {
            let sum = out.get(word).copied().unwrap_or(0).saturating_add(power.saturating_mul(sign));
            if sum == 0 {
                out.remove(word);
            } else {
                out.insert(word.clone(), sum);
            }
        }
        Unit(out)
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("no unit");
        }
        for (i, (word, power)) in self.0.iter().enumerate() {
            let joint = if i > 0 { "*" } else { "" };
            match power {
                1 => write!(f, "{joint}{word}")?,
                n => write!(f, "{joint}{word}^{n}")?,
            }
        }
        Ok(())
    }
}
