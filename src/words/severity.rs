//! How bad a fault is: EN 13306 and ISA-18.2 leave the classes to the plant; these four serve.

use std::fmt;

use super::worded;

worded! {
    /// A fault's severity, worst first.
    #[derive(PartialOrd, Ord)]
    pub enum Severity {
        /// Danger to people, product or machine: now.
        Critical = "critical",
        /// The equipment cannot do its work: this shift.
        Major = "major",
        /// The equipment works, impaired: plan the work.
        Minor = "minor",
        /// Worth knowing: no ticket unless the profile asks for one.
        Advisory = "advisory",
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}
