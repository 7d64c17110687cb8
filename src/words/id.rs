//! Identifiers: short names that people type. They are cheap to clone, and they have an order.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::limits;

/// The reason why a text is not a valid identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The text is empty.
    #[error("a name must not be empty")]
    Empty,
    /// The text is longer than [`limits::ID_BYTES_MAX`].
    #[error("a name must have at most {} characters", limits::ID_BYTES_MAX)]
    TooLong,
    /// The text contains a character that is not allowed. Fields: the character, and the rule.
    #[error("'{0}' is not allowed here; {1}")]
    BadCharacter(char, &'static str),
}

const DASHED: &str = "use lower-case letters, digits and '-', beginning with a letter or digit";
const UNDERSCORED: &str = "use lower-case letters, digits and '_', beginning with a letter";

fn check_dashed(text: &str) -> Result<(), IdError> {
    check(text, DASHED, |first, c| c.is_ascii_lowercase() || c.is_ascii_digit() || (!first && c == '-'))
}

fn check_underscored(text: &str) -> Result<(), IdError> {
    check(text, UNDERSCORED, |first, c| {
        c.is_ascii_lowercase() || (!first && (c.is_ascii_digit() || c == '_'))
    })
}

fn check(text: &str, rule: &'static str, allowed: impl Fn(bool, char) -> bool) -> Result<(), IdError> {
    if text.is_empty() {
        return Err(IdError::Empty);
    }
    if text.len() > limits::ID_BYTES_MAX {
        return Err(IdError::TooLong);
    }
    match text.chars().enumerate().find(|(i, c)| !allowed(*i == 0, *c)) {
        Some((_, c)) => Err(IdError::BadCharacter(c, rule)),
        None => Ok(()),
    }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $check:path) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks the text and makes an identifier of it.
            ///
            /// # Errors
            /// [`IdError`] if the text is empty, too long or contains a character that is not allowed.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                $check(text)?;
                Ok(Self(text.into()))
            }

            /// Makes an identifier that andon gives by itself. The text must keep the rules of this kind of identifier.
            #[must_use]
            pub fn own(text: &'static str) -> Self {
                debug_assert!($check(text).is_ok(), "{text} is a name of its kind");
                Self(text.into())
            }

            /// Returns the text of the identifier.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

id!(
    /// The name of one piece of equipment: `press-7`.
    EquipmentId,
    check_dashed
);
id!(
    /// The name of one link: `rs485-a`.
    LinkName,
    check_dashed
);
id!(
    /// The name of a fault in a profile: `undervoltage`.
    FaultName,
    check_dashed
);
id!(
    /// The name of a device profile: `eastron-sdm630`.
    ProfileName,
    check_dashed
);
id!(
    /// The name of one troubleshooting step of a fault: `breaker`.
    StepId,
    check_dashed
);
id!(
    /// The name of a point in a profile: `l1_voltage`.
    PointName,
    check_underscored
);

impl EquipmentId {
    /// Returns the id `link`, for a link whose name is not a valid equipment id. Both follow the same rule, so this
    /// never happens; the fallback avoids a panic.
    #[must_use]
    pub(crate) fn any_link() -> Self {
        Self("link".into())
    }
}

impl FaultName {
    /// Returns `communication-lost`, a fault that every piece of equipment has: no good answer for longer than
    /// `offline_after`.
    #[must_use]
    pub fn communication_lost() -> Self {
        Self("communication-lost".into())
    }

    /// Returns `link-away`, the fault of every link: the link has no connection, so nothing behind it can be read.
    #[must_use]
    pub fn link_away() -> Self {
        Self("link-away".into())
    }

    /// Returns `report-N`, the name for the fault that a person reported with ticket N.
    #[must_use]
    pub fn of_report(number: TicketNumber) -> Self {
        Self(format!("report-{number}").into())
    }
}

/// The number of a ticket: counts from 1 on each gateway and is never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TicketNumber(pub u64);

impl fmt::Display for TicketNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// The sequence number of an event in the journal: counts from 1, without gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Default)]
#[serde(transparent)]
pub struct Seq(pub u64);

impl Seq {
    /// Returns the number after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// The position of a piece of equipment in the list of the site, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct EquipmentIndex(pub usize);

/// The position of a point in the list of its profile, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PointIndex(pub usize);

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_dashed_id(text: &str, ok: bool) {
        assert_eq!(EquipmentId::parse(text).is_ok(), ok, "{text}");
    }

    #[test]
    fn dashed_ids() {
        check_dashed_id("press-7", true);
        check_dashed_id("7", true);
        check_dashed_id("-7", false);
        check_dashed_id("Press", false);
        check_dashed_id("", false);
        check_dashed_id(&"a".repeat(limits::ID_BYTES_MAX), true);
        check_dashed_id(&"a".repeat(limits::ID_BYTES_MAX + 1), false);
    }

    #[test]
    fn point_names_begin_with_a_letter() {
        assert!(PointName::parse("l1_voltage").is_ok());
        assert_eq!(PointName::parse("1v").unwrap_err(), IdError::BadCharacter('1', UNDERSCORED));
    }
}
