//! How bad a fault is: EN 13306 and ISA-18.2 leave the classes to the plant; these four serve.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A fault's severity, worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Danger to people, product or machine: now.
    Critical,
    /// The equipment cannot do its work: this shift.
    Major,
    /// It works, impaired: plan it.
    Minor,
    /// Worth knowing: no ticket unless asked for.
    Advisory,
}

impl Severity {
    /// Every severity, worst first.
    pub const ALL: [Severity; 4] = [Severity::Critical, Severity::Major, Severity::Minor, Severity::Advisory];

    /// The word in files and on screens.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Severity::Critical => "critical",
            Severity::Major => "major",
            Severity::Minor => "minor",
            Severity::Advisory => "advisory",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}
