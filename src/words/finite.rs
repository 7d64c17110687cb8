//! Finite numbers. JSON cannot carry infinity and NaN.

use serde::{Deserialize, Deserializer, Serialize};

/// A finite `f64`. Events hold their numbers in this type, so that every written line can be read again.
///
/// ```
/// use andon::words::Finite;
/// assert_eq!(Finite::new(1.5).map(Finite::get), Some(1.5));
/// assert_eq!(Finite::new(f64::INFINITY), None);
/// assert!(serde_json::from_str::<Finite>("null").is_err());
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Finite(f64);

impl Finite {
    /// Returns `None` if the number is infinite or NaN.
    #[must_use]
    pub fn new(number: f64) -> Option<Self> {
        number.is_finite().then_some(Self(number))
    }

    /// Returns `None` if one of the numbers is infinite or NaN.
    #[must_use]
    pub fn all(numbers: &[f64]) -> Option<Vec<Self>> {
        numbers.iter().copied().map(Self::new).collect()
    }

    /// Returns the number.
    #[must_use]
    pub fn get(self) -> f64 {
        self.0
    }
}

impl<'de> Deserialize<'de> for Finite {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let number = f64::deserialize(d)?;
        Self::new(number).ok_or_else(|| serde::de::Error::custom("a number here must be finite"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_finite_number_reads_back_as_it_was_written() {
        for number in [0.0, -0.0, 1.0, 0.1, f64::MIN_POSITIVE, 5e-324, f64::MAX, f64::MIN, 1.5e200] {
            let line = serde_json::to_string(&Finite::new(number).unwrap()).unwrap();
            let back: Finite = serde_json::from_str(&line).unwrap();
            assert_eq!(back.get().to_bits(), number.to_bits(), "{line}");
        }
    }

    #[test]
    fn what_is_not_finite_is_neither_made_nor_read() {
        for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(Finite::new(number), None);
            let line = serde_json::to_string(&number).unwrap();
            assert!(serde_json::from_str::<Finite>(&line).is_err(), "{line}");
        }
        assert!(serde_json::from_str::<Finite>("1e400").is_err());
        assert_eq!(Finite::all(&[1.0, f64::NAN]), None);
    }
}
